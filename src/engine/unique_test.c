/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds a unique key, and what a push meets. The rig replays each of them. */
#include "engine/unique.h"

#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/callback.h"
#include "engine/rig.h"

static struct command unique_push(enum unique_scope scope, enum on_conflict on_conflict) {
    struct command push = push_of("mail");
    push.push.unique = SLICE("user-7");
    push.push.unique_scope = scope;
    push.push.on_conflict = on_conflict;
    return push;
}

/* The id that the answer tells; 0 when it is refused. */
static uint64_t pushed(struct rig *rig, enum unique_scope scope) {
    return rig_do(rig, unique_push(scope, CONFLICT_EXISTING)) == ANSWER_OK ? rig->last.id : 0;
}

TEST(until_it_is_done_a_second_push_answers_with_the_first_job) {
    struct rig *rig = rig_new();
    uint64_t id = pushed(rig, UNIQUE_DONE);
    CHECK(!rig->last.duplicate);
    CHECK_EQUAL(pushed(rig, UNIQUE_DONE), id);
    CHECK(rig->last.duplicate);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(pushed(rig, UNIQUE_DONE), id);
    CHECK_EQUAL(rig_fail(rig, rig_lease(rig, id)), ANSWER_OK);
    CHECK_EQUAL(pushed(rig, UNIQUE_DONE), id);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, id), ANSWER_OK);
    uint64_t next = pushed(rig, UNIQUE_DONE);
    CHECK(next != id);
    CHECK(!rig->last.duplicate);
    rig_end(rig);
}

TEST(each_end_of_a_job_releases_its_key) {
    struct rig *rig = rig_new();
    uint64_t done = pushed(rig, UNIQUE_DONE);
    CHECK_EQUAL(rig_fetch(rig, "mail"), done);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, done)), ANSWER_OK);
    uint64_t discarded = pushed(rig, UNIQUE_DONE);
    CHECK(discarded != done);
    CHECK_EQUAL(rig_control(rig, COMMAND_DISCARD, discarded), ANSWER_OK);
    uint64_t deleted = pushed(rig, UNIQUE_DONE);
    CHECK(deleted != discarded);
    CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, deleted), ANSWER_OK);
    struct command last = unique_push(UNIQUE_DONE, CONFLICT_EXISTING);
    last.push.attempt_max = 1;
    CHECK_EQUAL(rig_do(rig, last), ANSWER_OK);
    CHECK(!rig->last.duplicate);
    uint64_t lost = rig->last.id;
    CHECK_EQUAL(rig_fetch(rig, "mail"), lost);
    rig_advance(rig, NS_PER_HOUR);
    CHECK_EQUAL(rig_job(rig, lost).state, JOB_DISCARDED);
    CHECK(pushed(rig, UNIQUE_DONE) != lost);
    rig_end(rig);
}

TEST(while_it_waits_ends_at_the_start_and_begins_again_with_a_failure) {
    struct rig *rig = rig_new();
    uint64_t first = pushed(rig, UNIQUE_WAITING);
    CHECK_EQUAL(pushed(rig, UNIQUE_WAITING), first);
    CHECK_EQUAL(rig_fetch(rig, "mail"), first);
    uint64_t second = pushed(rig, UNIQUE_WAITING);
    CHECK(second != first);
    /* Both are let in; the older one is the holder. */
    CHECK_EQUAL(rig_fail(rig, rig_lease(rig, first)), ANSWER_OK);
    CHECK_EQUAL(pushed(rig, UNIQUE_WAITING), first);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, first), ANSWER_OK);
    CHECK_EQUAL(pushed(rig, UNIQUE_WAITING), second);
    rig_end(rig);
}

TEST(while_it_runs_only_a_running_job_is_met) {
    struct rig *rig = rig_new();
    uint64_t first = pushed(rig, UNIQUE_RUNNING);
    uint64_t second = pushed(rig, UNIQUE_RUNNING);
    CHECK(second != first);
    CHECK_EQUAL(rig_fetch(rig, "mail"), first);
    CHECK_EQUAL(pushed(rig, UNIQUE_RUNNING), first);
    CHECK_EQUAL(rig_fetch(rig, "mail"), second);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, first)), ANSWER_OK);
    CHECK_EQUAL(pushed(rig, UNIQUE_RUNNING), second);
    rig_advance(rig, NS_PER_HOUR); /* rescued */
    CHECK(pushed(rig, UNIQUE_RUNNING) > second);
    rig_end(rig);
}

TEST(reject_names_the_holder) {
    struct rig *rig = rig_new();
    uint64_t id = pushed(rig, UNIQUE_DONE);
    CHECK_EQUAL(rig_do(rig, unique_push(UNIQUE_DONE, CONFLICT_REJECT)), ANSWER_UNIQUE);
    CHECK_EQUAL(rig->last.id, id);
    CHECK(!rig->last.duplicate);
    rig_end(rig);
}

TEST(replace_changes_a_waiting_holder_and_keeps_its_place) {
    struct rig *rig = rig_new();
    uint64_t id = pushed(rig, UNIQUE_DONE);
    uint64_t other = rig_push(rig, "mail");
    struct command push = unique_push(UNIQUE_DONE, CONFLICT_REPLACE);
    push.push.payload = SLICE("{\"new\":1}");
    push.push.kind = SLICE("other");
    push.push.tags = SLICE("urgent");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, id);
    CHECK(rig->last.duplicate);
    struct job_view job = rig_job(rig, id);
    CHECK(slice_equal(job.payload, SLICE("{\"new\":1}")));
    CHECK(slice_equal(job.kind, SLICE("other")));
    CHECK(slice_equal(job.tags, SLICE("urgent")));
    CHECK_EQUAL(job.version, 2);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    push.push.payload = SLICE("{\"new\":2}");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK); /* it runs: as existing */
    CHECK_EQUAL(rig->last.id, id);
    CHECK(slice_equal(rig_job(rig, id).payload, SLICE("{\"new\":1}")));
    CHECK_EQUAL(rig_fetch(rig, "mail"), other);
    rig_end(rig);
}

TEST(replace_changes_no_job_of_another_queue) {
    struct rig *rig = rig_new();
    uint64_t id = pushed(rig, UNIQUE_DONE);
    struct command push = unique_push(UNIQUE_DONE, CONFLICT_REPLACE);
    push.push.queue = SLICE("elsewhere");
    push.push.payload = SLICE("[]");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, id);
    CHECK(slice_equal(rig_job(rig, id).payload, SLICE("{}")));
    rig_end(rig);
}

TEST(a_final_job_is_not_retried_while_another_holds_its_key) {
    struct rig *rig = rig_new();
    uint64_t first = pushed(rig, UNIQUE_DONE);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, first), ANSWER_OK);
    uint64_t second = pushed(rig, UNIQUE_DONE);
    CHECK_EQUAL(rig_control(rig, COMMAND_RETRY, first), ANSWER_UNIQUE);
    CHECK_EQUAL(rig->last.id, second);
    CHECK_EQUAL(rig_job(rig, first).state, JOB_CANCELLED);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, second), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_RETRY, first), ANSWER_OK);
    CHECK_EQUAL(pushed(rig, UNIQUE_DONE), first);
    rig_end(rig);
}

TEST(an_idempotency_key_that_met_a_holder_leads_to_it_after_its_end) {
    struct rig *rig = rig_new();
    uint64_t id = pushed(rig, UNIQUE_DONE);
    struct command push = unique_push(UNIQUE_DONE, CONFLICT_EXISTING);
    push.push.key = SLICE("request-1");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, id);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, id), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, id);
    CHECK(rig->last.duplicate);
    rig_end(rig);
}

TEST(a_follow_up_whose_key_is_held_is_not_pushed) {
    struct rig *rig = rig_new();
    HOB_AUTO_BUF struct buf on_done = buf_make(ON_DONE_BYTES_MAX);
    struct callback callback = {
        .when = CALLBACK_FINISHED,
        .payload = CALLBACK_OWN,
        .push = unique_push(UNIQUE_DONE, CONFLICT_EXISTING).push,
    };
    CHECK(callback_put(&on_done, &callback));
    struct command push = push_of("other");
    push.push.on_done = buf_slice(&on_done);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, rig->last.id), ANSWER_OK);
    uint64_t follow_up = pushed(rig, UNIQUE_DONE);
    CHECK(rig->last.duplicate);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, rig->last.id), ANSWER_OK);
    struct engine_stats stats;
    engine_stats(rig->engine, &stats);
    CHECK_EQUAL(stats.jobs, 3);
    CHECK_EQUAL(pushed(rig, UNIQUE_DONE), follow_up);
    rig_end(rig);
}

TEST(an_update_keeps_the_key) {
    struct rig *rig = rig_new();
    uint64_t id = pushed(rig, UNIQUE_DONE);
    struct command update = {.type = COMMAND_UPDATE, .update = {.id = id}};
    update.update.has.queue = true;
    update.update.to.queue = SLICE("elsewhere");
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK_EQUAL(pushed(rig, UNIQUE_DONE), id);
    rig_end(rig);
}

TEST(a_scope_or_an_answer_without_a_key_is_refused) {
    struct rig *rig = rig_new();
    struct command push = unique_push(UNIQUE_RUNNING, CONFLICT_EXISTING);
    push.push.unique = SLICE_NONE;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    push = unique_push(UNIQUE_DONE, CONFLICT_REJECT);
    push.push.unique = SLICE_NONE;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    rig_end(rig);
}

/* --- for a time --- */

static struct command push_for(hob_ns unique_for_ns) {
    struct command push = unique_push(UNIQUE_TIME, CONFLICT_EXISTING);
    push.push.unique_for_ns = unique_for_ns;
    return push;
}

TEST(for_a_time_the_key_is_held_whatever_becomes_of_the_job) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(rig_do(rig, push_for(NS_PER_MINUTE)), ANSWER_OK);
    uint64_t id = rig->last.id;
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, push_for(NS_PER_MINUTE)), ANSWER_OK);
    CHECK(rig->last.duplicate);
    CHECK_EQUAL(rig->last.id, id);
    CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, id), ANSWER_OK);
    rig_advance(rig, NS_PER_MINUTE - 1);
    CHECK_EQUAL(rig_do(rig, push_for(NS_PER_MINUTE)), ANSWER_OK);
    CHECK(rig->last.duplicate);
    CHECK_EQUAL(rig_do(rig, unique_push(UNIQUE_DONE, CONFLICT_REJECT)), ANSWER_UNIQUE);
    CHECK_EQUAL(rig->last.id, id);
    rig_advance(rig, 1);
    CHECK_EQUAL(rig_do(rig, push_for(NS_PER_MINUTE)), ANSWER_OK);
    CHECK(!rig->last.duplicate);
    rig_end(rig);
}

TEST(a_unique_key_for_a_time_is_no_idempotency_key) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(rig_do(rig, push_for(NS_PER_MINUTE)), ANSWER_OK);
    uint64_t id = rig->last.id;
    struct command other = push_of("mail");
    other.push.key = SLICE("user-7");
    CHECK_EQUAL(rig_do(rig, other), ANSWER_OK);
    CHECK(rig->last.id != id);
    rig_advance(rig, 2 * NS_PER_MINUTE);
    CHECK_EQUAL(rig_do(rig, other), ANSWER_OK);
    CHECK(rig->last.duplicate);
    CHECK_EQUAL(rig_do(rig, push_for(NS_PER_MINUTE)), ANSWER_OK);
    CHECK(!rig->last.duplicate);
    rig_end(rig);
}

TEST(a_replace_changes_the_job_of_a_key_that_is_held_for_a_time) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(rig_do(rig, push_for(NS_PER_HOUR)), ANSWER_OK);
    uint64_t id = rig->last.id;
    struct command replace = push_for(NS_PER_HOUR);
    replace.push.on_conflict = CONFLICT_REPLACE;
    replace.push.payload = SLICE("new");
    CHECK_EQUAL(rig_do(rig, replace), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, id);
    CHECK(slice_equal(rig_job(rig, id).payload, SLICE("new")));
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, id), ANSWER_OK);
    replace.push.payload = SLICE("newer");
    CHECK_EQUAL(rig_do(rig, replace), ANSWER_OK);
    CHECK(rig->last.duplicate);
    CHECK(slice_equal(rig_job(rig, id).payload, SLICE("new")));
    rig_end(rig);
}

TEST(how_long_belongs_to_the_scope_time) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(rig_do(rig, push_for(0)), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig_do(rig, push_for(DELAY_MAX_NS + 1)), ANSWER_BAD_ARGUMENT);
    struct command push = unique_push(UNIQUE_DONE, CONFLICT_EXISTING);
    push.push.unique_for_ns = 1;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig_do(rig, push_for(DELAY_MAX_NS)), ANSWER_OK);
    rig_end(rig);
}

/* --- debounce --- */

static struct command debounced(hob_ns debounce_ns, hob_ns max_wait_ns) {
    struct command push = unique_push(UNIQUE_WAITING, CONFLICT_REPLACE);
    push.push.debounce_ns = debounce_ns;
    push.push.max_wait_ns = max_wait_ns;
    return push;
}

TEST(a_debounced_job_runs_when_the_pushes_have_been_quiet) {
    struct rig *rig = rig_new();
    struct command push = debounced(10 * NS_PER_SECOND, 0);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    CHECK_EQUAL(rig->last.state, JOB_SCHEDULED);
    for (int i = 0; i < 5; i++) {
        rig_advance(rig, 9 * NS_PER_SECOND);
        push.push.payload = SLICE("last");
        CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
        CHECK_EQUAL(rig->last.id, id);
        CHECK(rig->last.duplicate);
    }
    rig_advance(rig, 10 * NS_PER_SECOND - 1);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_SCHEDULED);
    rig_advance(rig, 1);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    CHECK(slice_equal(rig_job(rig, id).payload, SLICE("last")));
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    /* It runs, and has not seen the next push. */
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK(!rig->last.duplicate);
    CHECK(rig->last.id != id);
    rig_end(rig);
}

TEST(a_debounced_job_waits_no_longer_than_max_wait) {
    struct rig *rig = rig_new();
    struct command push = debounced(10 * NS_PER_SECOND, 25 * NS_PER_SECOND);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    hob_ns created_ns = rig_job(rig, id).created_ns;
    rig_advance(rig, 9 * NS_PER_SECOND);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, id).run_at_ns, created_ns + 19 * NS_PER_SECOND);
    rig_advance(rig, 9 * NS_PER_SECOND);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, id).run_at_ns, created_ns + 25 * NS_PER_SECOND);
    rig_advance(rig, 7 * NS_PER_SECOND);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    /* It waits for a worker: another push puts it off no more. */
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, id);
    CHECK_EQUAL(rig->last.state, JOB_AVAILABLE);
    rig_end(rig);
}

TEST(a_debounce_leaves_a_backoff_alone) {
    struct rig *rig = rig_new();
    struct command push = debounced(NS_PER_SECOND, 0);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    rig_advance(rig, NS_PER_SECOND);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_fail(rig, rig_lease(rig, id)), ANSWER_OK);
    hob_ns run_at_ns = rig_job(rig, id).run_at_ns;
    push.push.debounce_ns = NS_PER_HOUR;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, id);
    CHECK_EQUAL(rig_job(rig, id).run_at_ns, run_at_ns);
    rig_end(rig);
}

TEST(a_debounce_is_refused_with_another_scope_answer_or_time) {
    struct rig *rig = rig_new();
    struct command push = debounced(NS_PER_SECOND, 0);
    push.push.unique_scope = UNIQUE_DONE;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    push = debounced(NS_PER_SECOND, 0);
    push.push.on_conflict = CONFLICT_EXISTING;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    push = debounced(NS_PER_SECOND, 0);
    push.push.delay_ns = 1;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig_do(rig, debounced(0, NS_PER_SECOND)), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig_do(rig, debounced(DELAY_MAX_NS + 1, 0)), ANSWER_BAD_ARGUMENT);
    rig_end(rig);
}

TESTS(
    until_it_is_done_a_second_push_answers_with_the_first_job,
    each_end_of_a_job_releases_its_key,
    while_it_waits_ends_at_the_start_and_begins_again_with_a_failure,
    while_it_runs_only_a_running_job_is_met,
    reject_names_the_holder,
    replace_changes_a_waiting_holder_and_keeps_its_place,
    replace_changes_no_job_of_another_queue,
    a_final_job_is_not_retried_while_another_holds_its_key,
    an_idempotency_key_that_met_a_holder_leads_to_it_after_its_end,
    a_follow_up_whose_key_is_held_is_not_pushed,
    an_update_keeps_the_key,
    a_scope_or_an_answer_without_a_key_is_refused,
    for_a_time_the_key_is_held_whatever_becomes_of_the_job,
    a_unique_key_for_a_time_is_no_idempotency_key,
    a_replace_changes_the_job_of_a_key_that_is_held_for_a_time,
    how_long_belongs_to_the_scope_time,
    a_debounced_job_runs_when_the_pushes_have_been_quiet,
    a_debounced_job_waits_no_longer_than_max_wait,
    a_debounce_leaves_a_backoff_alone,
    a_debounce_is_refused_with_another_scope_answer_or_time
)
