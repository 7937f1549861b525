/* SPDX-License-Identifier: Apache-2.0 */
/* The latest push of a unique key waits, blocked, for the end of the job that runs. */
#include "base/assert.h"
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/explain.h"
#include "engine/rig.h"

static struct command latest(const char *payload) {
    struct command push = push_of("mail");
    push.push.payload = slice_str(payload);
    push.push.unique = SLICE("user-7");
    push.push.on_conflict = CONFLICT_LATEST;
    return push;
}

/* A job that runs, and the one that it blocks. */
struct pair {
    uint64_t running;
    uint64_t blocked;
};

static struct pair pair_make(struct rig *rig) {
    struct pair pair;
    CHECK_EQUAL(rig_do(rig, latest("1")), ANSWER_OK);
    pair.running = rig->last.id;
    CHECK_EQUAL(rig->last.state, JOB_AVAILABLE);
    CHECK_EQUAL(rig_fetch(rig, "mail"), pair.running);
    CHECK_EQUAL(rig_do(rig, latest("2")), ANSWER_OK);
    CHECK(!rig->last.duplicate);
    pair.blocked = rig->last.id;
    CHECK_EQUAL(rig->last.state, JOB_BLOCKED);
    return pair;
}

TEST(one_runs_and_the_latest_waits_for_its_end) {
    struct rig *rig = rig_new();
    struct pair pair = pair_make(rig);
    CHECK_EQUAL(rig_fetch(rig, "mail"), 0);
    CHECK_EQUAL(rig_do(rig, latest("3")), ANSWER_OK);
    CHECK(rig->last.duplicate);
    CHECK_EQUAL(rig->last.id, pair.blocked);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, pair.running)), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, pair.blocked).state, JOB_AVAILABLE);
    CHECK(slice_equal(rig_job(rig, pair.blocked).payload, SLICE("3")));
    CHECK_EQUAL(rig_fetch(rig, "mail"), pair.blocked);
    rig_end(rig);
}

TEST(a_failed_attempt_is_no_end) {
    struct rig *rig = rig_new();
    struct pair pair = pair_make(rig);
    CHECK_EQUAL(rig_fail(rig, rig_lease(rig, pair.running)), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, pair.running).state, JOB_RETRYABLE);
    CHECK_EQUAL(rig_job(rig, pair.blocked).state, JOB_BLOCKED);
    CHECK_EQUAL(rig_do(rig, latest("3")), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, pair.blocked);
    CHECK_EQUAL(rig_control(rig, COMMAND_DISCARD, pair.running), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, pair.blocked).state, JOB_AVAILABLE);
    rig_end(rig);
}

TEST(every_end_unblocks) {
    struct rig *rig = rig_new();
    struct pair pair = pair_make(rig);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, pair.running), ANSWER_OK);
    CHECK_EQUAL(rig_fetch(rig, "mail"), pair.blocked);
    CHECK_EQUAL(rig_do(rig, latest("3")), ANSWER_OK);
    uint64_t third = rig->last.id;
    CHECK_EQUAL(rig->last.state, JOB_BLOCKED);
    CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, pair.blocked), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, third).state, JOB_AVAILABLE);
    CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, third), ANSWER_OK);

    struct command last = latest("4");
    last.push.attempt_max = 1;
    CHECK_EQUAL(rig_do(rig, last), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, third + 1);
    CHECK_EQUAL(rig_fetch(rig, "mail"), third + 1);
    CHECK_EQUAL(rig_do(rig, latest("5")), ANSWER_OK);
    uint64_t fifth = rig->last.id;
    rig_advance(rig, NS_PER_HOUR); /* its worker is gone */
    CHECK_EQUAL(rig_job(rig, third + 1).state, JOB_DISCARDED);
    CHECK_EQUAL(rig_job(rig, fifth).state, JOB_AVAILABLE);
    rig_end(rig);
}

TEST(a_blocked_job_with_a_time_waits_for_it_too) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(rig_do(rig, latest("1")), ANSWER_OK);
    uint64_t first = rig->last.id;
    CHECK_EQUAL(rig_fetch(rig, "mail"), first);
    struct command later = latest("2");
    later.push.delay_ns = NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, later), ANSWER_OK);
    uint64_t second = rig->last.id;
    CHECK_EQUAL(rig->last.state, JOB_BLOCKED);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, first)), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, second).state, JOB_SCHEDULED);
    rig_advance(rig, NS_PER_MINUTE);
    CHECK_EQUAL(rig_fetch(rig, "mail"), second);
    rig_end(rig);
}

TEST(the_latest_replaces_a_holder_that_waits) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(rig_do(rig, latest("1")), ANSWER_OK);
    uint64_t id = rig->last.id;
    CHECK_EQUAL(rig_do(rig, latest("2")), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, id);
    CHECK(rig->last.duplicate);
    CHECK(slice_equal(rig_job(rig, id).payload, SLICE("2")));
    rig_end(rig);
}

TEST(a_blocked_job_is_updated_and_ended_but_not_retried) {
    struct rig *rig = rig_new();
    struct pair pair = pair_make(rig);
    CHECK_EQUAL(rig_control(rig, COMMAND_RETRY, pair.blocked), ANSWER_UNIQUE);
    CHECK_EQUAL(rig->last.id, pair.running);
    struct command update = {.type = COMMAND_UPDATE};
    update.update.id = pair.blocked;
    update.update.has.time = true;
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, pair.blocked).state, JOB_BLOCKED);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, pair.blocked), ANSWER_OK);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, pair.running)), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, pair.blocked).state, JOB_CANCELLED);
    rig_end(rig);
}

TEST(an_explanation_names_the_job_that_blocks) {
    struct rig *rig = rig_new();
    struct pair pair = pair_make(rig);
    struct explanation explanation;
    CHECK(engine_explain(rig->engine, rig->now_ns, pair.blocked, &explanation));
    const struct gate *shut = explanation_shut(&explanation);
    hob_assert(shut != NULL);
    CHECK_EQUAL(shut->type, GATE_UNIQUE);
    CHECK_EQUAL(shut->job, pair.running);
    rig_end(rig);
}

TEST(latest_is_for_the_scope_done) {
    struct rig *rig = rig_new();
    struct command push = latest("1");
    push.push.unique_scope = UNIQUE_WAITING;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    rig_end(rig);
}

TESTS(
    one_runs_and_the_latest_waits_for_its_end,
    a_failed_attempt_is_no_end,
    every_end_unblocks,
    a_blocked_job_with_a_time_waits_for_it_too,
    the_latest_replaces_a_holder_that_waits,
    a_blocked_job_is_updated_and_ended_but_not_retried,
    an_explanation_names_the_job_that_blocks,
    latest_is_for_the_scope_done
)
