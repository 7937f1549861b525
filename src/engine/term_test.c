/* SPDX-License-Identifier: Apache-2.0 */
/* Until when a job may start. The rig replays everything, and checks every invariant. */
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/callback.h"
#include "engine/rig.h"

static uint64_t push_that_expires(struct rig *rig, hob_ns in_ns) {
    struct command push = push_of("mail");
    push.push.expires_in_ns = in_ns;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    return rig->last.id;
}

static void check_expired(struct rig *rig, uint64_t id) {
    struct job_view job = rig_job(rig, id);
    CHECK_EQUAL(job.state, JOB_DISCARDED);
    CHECK_EQUAL(job.error_count, 1);
    CHECK_EQUAL(job.errors[0].cause, CAUSE_EXPIRED);
    CHECK_EQUAL(job.errors[0].at_ns, rig->now_ns);
}

TEST(a_job_that_has_not_started_expires_by_time_itself) {
    struct rig *rig = rig_new();
    uint64_t id = push_that_expires(rig, NS_PER_MINUTE);
    CHECK_EQUAL(engine_due(rig->engine), rig->now_ns + NS_PER_MINUTE);
    rig_advance(rig, NS_PER_MINUTE - 1);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    rig->event_count = 0;
    rig_advance(rig, 1);
    check_expired(rig, id);
    CHECK_EQUAL(rig->event_count, 1);
    CHECK(rig->events[0].has_error);
    CHECK_EQUAL(rig->events[0].cause, CAUSE_EXPIRED);
    struct queue_view queue;
    CHECK(engine_queue(rig->engine, SLICE("mail"), &queue));
    CHECK_EQUAL(queue.discarded, 1);
    CHECK_EQUAL(queue.failed, 0);
    rig_end(rig);
}

TEST(also_in_a_paused_queue_and_before_its_time_to_run) {
    struct rig *rig = rig_new();
    struct command pause = {.type = COMMAND_PAUSE, .pause = {.queue = SLICE("mail")}};
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    uint64_t id = push_that_expires(rig, NS_PER_MINUTE);
    struct command push = push_of("mail");
    push.push.delay_ns = NS_PER_MINUTE;
    push.push.expires_ns = rig->now_ns + NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t scheduled = rig->last.id;
    rig_advance(rig, NS_PER_MINUTE);
    check_expired(rig, id);
    check_expired(rig, scheduled);
    CHECK_EQUAL(rig_job(rig, scheduled).version, 2); /* it was not staged before */
    rig_end(rig);
}

TEST(once_started_it_does_not_expire_any_more) {
    struct rig *rig = rig_new();
    uint64_t id = push_that_expires(rig, NS_PER_SECOND);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    struct command release = {.type = COMMAND_RELEASE, .release = {.lease = rig_lease(rig, id)}};
    CHECK_EQUAL(rig_do(rig, release), ANSWER_OK);
    rig_advance(rig, NS_PER_HOUR);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    rig_end(rig);
}

TEST(what_is_overdue_is_not_fetched_even_before_the_turn) {
    struct rig *rig = rig_new();
    uint64_t id = push_that_expires(rig, NS_PER_SECOND);
    uint64_t other = rig_push(rig, "mail");
    rig->now_ns += NS_PER_SECOND;
    CHECK_EQUAL(rig_fetch(rig, "mail"), 0);
    check_expired(rig, id);
    CHECK_EQUAL(rig_fetch(rig, "mail"), other);
    rig_end(rig);
}

TEST(an_update_moves_the_time_or_takes_it_away) {
    struct rig *rig = rig_new();
    uint64_t later = push_that_expires(rig, NS_PER_SECOND);
    uint64_t never = push_that_expires(rig, NS_PER_SECOND);
    uint64_t now = rig_push(rig, "mail");
    struct command update = {.type = COMMAND_UPDATE, .update = {.id = later}};
    update.update.has.expires = true;
    update.update.to.expires_in_ns = NS_PER_HOUR;
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    update.update.id = never;
    update.update.to.expires_in_ns = 0;
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    update.update.id = now;
    update.update.to.expires_ns = rig->now_ns;
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    check_expired(rig, now);
    rig_advance(rig, NS_PER_MINUTE);
    CHECK_EQUAL(rig_job(rig, later).state, JOB_AVAILABLE);
    rig_advance(rig, NS_PER_DAY);
    check_expired(rig, later);
    CHECK_EQUAL(rig_job(rig, never).state, JOB_AVAILABLE);
    CHECK_EQUAL(rig_job(rig, never).expires_ns, 0);
    rig_end(rig);
}

TEST(a_person_may_retry_what_has_expired) {
    struct rig *rig = rig_new();
    uint64_t id = push_that_expires(rig, NS_PER_SECOND);
    rig_advance(rig, NS_PER_SECOND);
    check_expired(rig, id);
    CHECK_EQUAL(rig_control(rig, COMMAND_RETRY, id), ANSWER_OK);
    rig_advance(rig, NS_PER_SECOND);
    CHECK_EQUAL(rig_job(rig, id).expires_ns, 0);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig_end(rig);
}

TEST(its_failure_callback_is_pushed_and_may_expire_itself) {
    struct rig *rig = rig_new();
    HOB_AUTO_BUF struct buf on_done = buf_make(1000);
    struct callback callback = {
        .when = CALLBACK_FAILURE,
        .payload = CALLBACK_EVENT,
        .push = {.queue = SLICE("after"), .kind = SLICE("work"), .expires_in_ns = NS_PER_MINUTE},
    };
    CHECK(callback_put(&on_done, &callback));
    struct command push = push_of("mail");
    push.push.on_done = buf_slice(&on_done);
    push.push.expires_in_ns = NS_PER_SECOND;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    rig_advance(rig, NS_PER_SECOND);
    check_expired(rig, id);
    struct job_view after = rig_job(rig, id + 1);
    CHECK_EQUAL(after.parent, id);
    CHECK_EQUAL(after.expires_ns, rig->now_ns + NS_PER_MINUTE);
    struct slice document = rig_body(rig, after.payload_body.id);
    CHECK(memmem(document.bytes, document.size, "\"cause\":\"expired\"", 17) != NULL);
    rig_advance(rig, NS_PER_MINUTE);
    check_expired(rig, id + 1);
    rig_end(rig);
}

TEST(a_small_budget_expires_one_after_the_other) {
    struct rig *rig = rig_new();
    for (uint32_t i = 0; i < 5; i++) (void)push_that_expires(rig, NS_PER_SECOND);
    rig->now_ns += NS_PER_SECOND;
    for (uint32_t left = 5; left > 0; left--) {
        struct queue_view queue;
        CHECK(engine_queue(rig->engine, SLICE("mail"), &queue));
        CHECK_EQUAL(queue.counts[JOB_AVAILABLE], left);
        (void)engine_turn(rig->engine, rig->now_ns, 1);
    }
    CHECK_EQUAL(engine_due(rig->engine) > rig->now_ns, true);
    rig_end(rig);
}

/* --- deadlines --- */

static uint64_t push_due(struct rig *rig, hob_ns deadline_in_ns, hob_ns margin_ns) {
    struct command push = push_of("mail");
    push.push.deadline_in_ns = deadline_in_ns;
    push.push.margin_ns = margin_ns;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    return rig->last.id;
}

static void check_late(struct rig *rig, uint64_t id) {
    struct job_view job = rig_job(rig, id);
    CHECK_EQUAL(job.state, JOB_DISCARDED);
    CHECK_EQUAL(job.errors[job.error_count - 1].cause, CAUSE_DEADLINE);
    CHECK_EQUAL(job.errors[job.error_count - 1].at_ns, rig->now_ns);
}

TEST(a_job_that_cannot_start_a_margin_before_its_deadline_is_discarded) {
    struct rig *rig = rig_new();
    uint64_t id = push_due(rig, NS_PER_HOUR, NS_PER_MINUTE);
    rig_advance(rig, NS_PER_HOUR - NS_PER_MINUTE - 1);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    rig_advance(rig, 1);
    check_late(rig, id);
    rig_end(rig);
}

TEST(a_retry_that_comes_too_late_is_not_waited_for) {
    struct rig *rig = rig_new();
    uint64_t id = push_due(rig, NS_PER_HOUR, NS_PER_MINUTE);
    struct command fail = {.type = COMMAND_FAIL, .fail = {.has_retry_in = true}};
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    fail.fail.lease = rig_lease(rig, id);
    fail.fail.retry_in_ns = 58 * NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, fail), ANSWER_OK);
    CHECK_EQUAL(rig->last.state, JOB_RETRYABLE);
    rig_advance(rig, 58 * NS_PER_MINUTE);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    fail.fail.lease = rig_lease(rig, id);
    fail.fail.retry_in_ns = NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, fail), ANSWER_OK);
    CHECK_EQUAL(rig->last.state, JOB_DISCARDED);
    check_late(rig, id);
    CHECK_EQUAL(rig_job(rig, id).error_count, 3); /* two attempts, and this */
    rig_end(rig);
}

TEST(nor_is_a_release_that_comes_too_late) {
    struct rig *rig = rig_new();
    uint64_t id = push_due(rig, NS_PER_HOUR, 0);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    struct command release = {
        .type = COMMAND_RELEASE,
        .release = {.lease = rig_lease(rig, id), .delay_ns = NS_PER_HOUR},
    };
    CHECK_EQUAL(rig_do(rig, release), ANSWER_OK);
    CHECK_EQUAL(rig->last.state, JOB_DISCARDED);
    check_late(rig, id);
    rig_end(rig);
}

TEST(no_attempt_runs_beyond_the_deadline) {
    struct rig *rig = rig_new();
    struct command push = push_of("mail");
    push.push.deadline_in_ns = NS_PER_MINUTE;
    push.push.timeout_ns = NS_PER_HOUR;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    struct command extend = {
        .type = COMMAND_EXTEND,
        .extend = {.lease = rig_lease(rig, id), .lease_ns = NS_PER_HOUR},
    };
    CHECK_EQUAL(rig_do(rig, extend), ANSWER_OK);
    rig_advance(rig, NS_PER_MINUTE + TIMEOUT_GRACE_NS - 1);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_RUNNING);
    rig_advance(rig, 1);
    check_late(rig, id);
    struct job_view job = rig_job(rig, id);
    CHECK_EQUAL(job.error_count, 2);
    CHECK_EQUAL(job.errors[0].cause, CAUSE_TIMEOUT);
    rig_end(rig);
}

static enum answer_code push_child(struct rig *rig, uint64_t parent, hob_ns deadline_in_ns) {
    struct command push = push_of("parts");
    push.push.parent = parent;
    push.push.deadline_in_ns = deadline_in_ns;
    return rig_do(rig, push);
}

TEST(a_child_must_be_done_when_its_parent_must) {
    struct rig *rig = rig_new();
    uint64_t id = push_due(rig, NS_PER_HOUR, NS_PER_MINUTE);
    hob_ns deadline_ns = rig->now_ns + NS_PER_HOUR;
    CHECK_EQUAL(push_child(rig, id, 0), ANSWER_WRONG_STATE); /* it does not run */
    CHECK_EQUAL(push_child(rig, id + 99, 0), ANSWER_NO_JOB);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig_advance(rig, NS_PER_SECOND);
    CHECK_EQUAL(push_child(rig, id, 0), ANSWER_OK);
    struct job_view child = rig_job(rig, rig->last.id);
    CHECK_EQUAL(child.deadline_ns, deadline_ns);
    CHECK_EQUAL(child.margin_ns, 0);
    CHECK_EQUAL(child.parent, id);
    CHECK_EQUAL(push_child(rig, id, NS_PER_DAY), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, rig->last.id).deadline_ns, deadline_ns);
    CHECK_EQUAL(push_child(rig, id, NS_PER_MINUTE), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, rig->last.id).deadline_ns, rig->now_ns + NS_PER_MINUTE);
    rig_end(rig);
}

TEST(an_update_moves_the_deadline_and_a_retry_by_a_person_lifts_it) {
    struct rig *rig = rig_new();
    uint64_t id = push_due(rig, NS_PER_HOUR, 0);
    struct command update = {.type = COMMAND_UPDATE, .update = {.id = id}};
    update.update.has.deadline = true;
    update.update.to.deadline_in_ns = NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    rig_advance(rig, NS_PER_MINUTE);
    check_late(rig, id);
    CHECK_EQUAL(rig_control(rig, COMMAND_RETRY, id), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, id).deadline_ns, 0);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig_end(rig);
}

TESTS(
    a_job_that_has_not_started_expires_by_time_itself,
    also_in_a_paused_queue_and_before_its_time_to_run,
    once_started_it_does_not_expire_any_more,
    what_is_overdue_is_not_fetched_even_before_the_turn,
    an_update_moves_the_time_or_takes_it_away,
    a_person_may_retry_what_has_expired,
    its_failure_callback_is_pushed_and_may_expire_itself,
    a_small_budget_expires_one_after_the_other,
    a_job_that_cannot_start_a_margin_before_its_deadline_is_discarded,
    a_retry_that_comes_too_late_is_not_waited_for,
    nor_is_a_release_that_comes_too_late,
    no_attempt_runs_beyond_the_deadline,
    a_child_must_be_done_when_its_parent_must,
    an_update_moves_the_deadline_and_a_retry_by_a_person_lifts_it
)
