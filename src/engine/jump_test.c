/* SPDX-License-Identifier: Apache-2.0 */
/* What a jump of the clock moves, and what it leaves. The rig replays everything. */
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/rig.h"

/* Time goes on by @by_ns, and the server was away for all of it. */
static void jump(struct rig *rig, hob_ns by_ns, enum clock_cause cause) {
    rig->now_ns += by_ns;
    struct command command = {
        .type = COMMAND_CLOCK_JUMP, .clock_jump = {.by_ns = by_ns, .cause = cause}};
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
}

static void beat(struct rig *rig) {
    struct command command = {.type = COMMAND_WORKER_BEAT};
    command.worker_beat.worker = SLICE("w1");
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
}

TEST(a_lease_keeps_what_was_left_of_it) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    hob_ns until_ns = rig_job(rig, id).lease_until_ns;
    rig_advance(rig, NS_PER_SECOND);
    jump(rig, NS_PER_HOUR, CLOCK_STEP);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_RUNNING);
    CHECK_EQUAL(rig_job(rig, id).lease_until_ns, until_ns + NS_PER_HOUR);
    rig_advance(rig, LEASE_DEFAULT_NS - NS_PER_SECOND - 1);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_RUNNING);
    rig_advance(rig, 1);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    CHECK_EQUAL(rig_job(rig, id).errors[0].cause, CAUSE_LOST);
    rig_end(rig);
}

/* Its worker is silent, so nothing else holds the job. */
TEST(also_a_lease_that_was_asked_for) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    struct command extend = {
        .type = COMMAND_EXTEND,
        .extend = {.lease = rig_lease(rig, id), .lease_ns = 2 * NS_PER_MINUTE},
    };
    CHECK_EQUAL(rig_do(rig, extend), ANSWER_OK);
    rig_advance(rig, NS_PER_MINUTE);
    jump(rig, NS_PER_HOUR, CLOCK_FREEZE);
    rig_advance(rig, NS_PER_MINUTE - 1);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_RUNNING);
    rig_advance(rig, 1);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    rig_end(rig);
}

TEST(so_does_a_worker_that_beats) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig_advance(rig, 10 * NS_PER_SECOND);
    beat(rig);
    rig_advance(rig, 10 * NS_PER_SECOND); /* the lease of the fetch is over, the beat holds it */
    jump(rig, NS_PER_DAY, CLOCK_SUSPEND);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_RUNNING);
    rig_advance(rig, LEASE_DEFAULT_NS - 10 * NS_PER_SECOND - 1);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_RUNNING);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    rig_end(rig);
}

TEST(a_lease_that_was_over_stays_over) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    struct lease_ref lease = rig_lease(rig, id);
    rig->now_ns += LEASE_DEFAULT_NS; /* and no turn yet */
    jump(rig, NS_PER_HOUR, CLOCK_FREEZE);
    CHECK_EQUAL(rig_ack(rig, lease), ANSWER_STALE);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    rig_end(rig);
}

TEST(a_timeout_is_spared_the_span_and_a_deadline_is_not) {
    struct rig *rig = rig_new();
    struct command push = push_of("mail");
    push.push.timeout_ns = NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t timed = rig->last.id;
    push.push.timeout_ns = NS_PER_HOUR;
    push.push.deadline_in_ns = 2 * NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t due = rig->last.id;
    CHECK_EQUAL(rig_fetch(rig, "mail"), timed);
    CHECK_EQUAL(rig_fetch(rig, "mail"), due);
    hob_ns started_ns = rig_job(rig, timed).started_ns;
    jump(rig, NS_PER_DAY, CLOCK_STEP);
    CHECK_EQUAL(rig_job(rig, timed).state, JOB_RUNNING);
    CHECK_EQUAL(rig_job(rig, timed).started_ns, started_ns + NS_PER_DAY);
    struct job_view job = rig_job(rig, due);
    CHECK_EQUAL(job.state, JOB_DISCARDED);
    CHECK_EQUAL(job.errors[0].cause, CAUSE_TIMEOUT);
    struct command extend = {
        .type = COMMAND_EXTEND,
        .extend = {.lease = rig_lease(rig, timed), .lease_ns = NS_PER_HOUR},
    };
    CHECK_EQUAL(rig_do(rig, extend), ANSWER_OK);
    rig_advance(rig, NS_PER_MINUTE + TIMEOUT_GRACE_NS - 1);
    CHECK_EQUAL(rig_job(rig, timed).state, JOB_RUNNING);
    rig_advance(rig, 1);
    CHECK_EQUAL(rig_job(rig, timed).errors[0].cause, CAUSE_TIMEOUT);
    rig_end(rig);
}

TEST(what_names_a_time_of_the_clock_follows_it) {
    struct rig *rig = rig_new();
    struct command push = push_of("mail");
    push.push.delay_ns = 30 * NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t later = rig->last.id;
    push.push.delay_ns = 0;
    push.push.expires_in_ns = 30 * NS_PER_MINUTE;
    push.push.queue = SLICE("other");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t expires = rig->last.id;
    struct command pause = {.type = COMMAND_PAUSE};
    pause.pause.queue = SLICE("paused");
    pause.pause.until_ns = rig->now_ns + 30 * NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    jump(rig, NS_PER_HOUR, CLOCK_STEP);
    CHECK_EQUAL(rig_job(rig, later).state, JOB_AVAILABLE);
    CHECK_EQUAL(rig_job(rig, expires).state, JOB_DISCARDED);
    struct queue_view queue;
    CHECK(engine_queue(rig->engine, SLICE("paused"), &queue));
    CHECK(!queue.paused);
    rig_end(rig);
}

TEST(no_jump_is_nothing_and_none_is_endless) {
    struct rig *rig = rig_new();
    struct command command = {.type = COMMAND_CLOCK_JUMP};
    CHECK_EQUAL(rig_do(rig, command), ANSWER_BAD_ARGUMENT);
    command.clock_jump.by_ns = CLOCK_JUMP_MAX_NS + 1;
    CHECK_EQUAL(rig_do(rig, command), ANSWER_BAD_ARGUMENT);
    command.clock_jump.by_ns = CLOCK_JUMP_MAX_NS;
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
    rig_end(rig);
}

TESTS(
    a_lease_keeps_what_was_left_of_it,
    also_a_lease_that_was_asked_for,
    so_does_a_worker_that_beats,
    a_lease_that_was_over_stays_over,
    a_timeout_is_spared_the_span_and_a_deadline_is_not,
    what_names_a_time_of_the_clock_follows_it,
    no_jump_is_nothing_and_none_is_endless
)
