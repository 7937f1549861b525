/* SPDX-License-Identifier: Apache-2.0 */
/* Who looks on is told once of each change, with the right times. The rig checks for every event
 * that the job reads as it says, and that replay tells nobody. */
#include "engine/event.h"

#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/logline.h"
#include "engine/rig.h"

/* The event that the latest call told, which was the only one. */
static struct event only(struct rig *rig) {
    CHECK_EQUAL(rig->event_count, 1);
    rig->event_count = 0;
    return rig->events[0];
}

static void check_move(struct event event, uint64_t id, enum job_state from, enum job_state state) {
    CHECK_EQUAL(event.type, EVENT_STATE);
    CHECK_EQUAL(event.id, id);
    CHECK(!event.is_new);
    CHECK_EQUAL(event.from, from);
    CHECK_EQUAL(event.state, state);
}

TEST(each_step_of_a_job_is_told_once_with_the_time_it_waited_and_ran) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    struct event event = only(rig);
    CHECK_EQUAL(event.type, EVENT_STATE);
    CHECK(event.is_new);
    CHECK_EQUAL(event.state, JOB_AVAILABLE);
    CHECK_EQUAL(event.at_ns, rig->now_ns);
    CHECK_EQUAL(event.waited_ns, 0);
    rig_advance(rig, 3 * NS_PER_SECOND);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    event = only(rig);
    check_move(event, id, JOB_AVAILABLE, JOB_RUNNING);
    CHECK_EQUAL(event.waited_ns, 3 * NS_PER_SECOND);
    CHECK_EQUAL(event.ran_ns, 0);
    CHECK_EQUAL(event.attempt, 1);
    CHECK(slice_equal(event.worker, SLICE("w1")));
    rig_advance(rig, 5 * NS_PER_SECOND);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    event = only(rig);
    check_move(event, id, JOB_RUNNING, JOB_COMPLETED);
    CHECK_EQUAL(event.ran_ns, 5 * NS_PER_SECOND);
    CHECK_EQUAL(event.waited_ns, 0);
    CHECK_EQUAL(event.at_ns - event.created_ns, 8 * NS_PER_SECOND);
    CHECK(slice_equal(event.worker, SLICE("w1")));
    CHECK(!event.has_error);
    rig_end(rig);
}

TEST(a_failed_attempt_tells_its_error_and_the_way_to_the_next_one) {
    struct rig *rig = rig_new();
    struct command push = push_of("mail");
    push.push.attempt_max = 2;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig->event_count = 0;
    struct command failed = {.type = COMMAND_FAIL};
    failed.fail = (struct fail_command
    ){.lease = rig_lease(rig, id), .text = SLICE("it broke"), .cause = CAUSE_EXIT, .code = 7};
    rig_advance(rig, NS_PER_SECOND);
    CHECK_EQUAL(rig_do(rig, failed), ANSWER_OK);
    struct event event = only(rig);
    check_move(event, id, JOB_RUNNING, JOB_RETRYABLE);
    CHECK(event.has_error);
    CHECK_EQUAL(event.cause, CAUSE_EXIT);
    CHECK_EQUAL(event.code, 7);
    CHECK_EQUAL(event.text.size, strlen("it broke"));
    CHECK_EQUAL(event.ran_ns, NS_PER_SECOND);
    rig_advance(rig, NS_PER_MINUTE);
    check_move(only(rig), id, JOB_RETRYABLE, JOB_AVAILABLE);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(only(rig).attempt, 2);
    CHECK_EQUAL(rig_fail(rig, rig_lease(rig, id)), ANSWER_OK);
    check_move(only(rig), id, JOB_RUNNING, JOB_DISCARDED);
    CHECK_EQUAL(rig_control(rig, COMMAND_RETRY, id), ANSWER_OK);
    check_move(only(rig), id, JOB_DISCARDED, JOB_AVAILABLE);
    rig_end(rig);
}

TEST(a_lost_worker_is_an_error_and_a_release_is_none) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig->event_count = 0;
    rig_advance(rig, LEASE_DEFAULT_NS);
    struct event event = only(rig);
    check_move(event, id, JOB_RUNNING, JOB_AVAILABLE);
    CHECK(event.has_error);
    CHECK_EQUAL(event.cause, CAUSE_LOST);
    CHECK_EQUAL(event.ran_ns, LEASE_DEFAULT_NS);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig->event_count = 0;
    struct command release = {.type = COMMAND_RELEASE, .release.lease = rig_lease(rig, id)};
    CHECK_EQUAL(rig_do(rig, release), ANSWER_OK);
    event = only(rig);
    check_move(event, id, JOB_RUNNING, JOB_AVAILABLE);
    CHECK(!event.has_error);
    rig_end(rig);
}

TEST(a_cancel_tells_who_and_why_and_a_deletion_what_is_gone) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    rig->event_count = 0;
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, id), ANSWER_OK);
    struct event event = only(rig);
    check_move(event, id, JOB_AVAILABLE, JOB_CANCELLED);
    CHECK_EQUAL(event.by.size, strlen("ann"));
    CHECK_EQUAL(event.why.size, strlen("wrong customer"));
    CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, id), ANSWER_OK);
    event = only(rig);
    CHECK_EQUAL(event.type, EVENT_DELETED);
    CHECK_EQUAL(event.id, id);
    CHECK_EQUAL(event.state, JOB_CANCELLED);
    rig_end(rig);
}

TEST(a_job_that_is_not_kept_completes_and_is_deleted) {
    struct rig *rig = rig_new();
    struct command push = push_of("mail");
    push.push.has_keep = true;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig_fetch(rig, "mail");
    rig->event_count = 0;
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    CHECK_EQUAL(rig->event_count, 2);
    check_move(rig->events[0], id, JOB_RUNNING, JOB_COMPLETED);
    CHECK_EQUAL(rig->events[1].type, EVENT_DELETED);
    CHECK_EQUAL(rig->events[1].state, JOB_COMPLETED);
    rig_end(rig);
}

TEST(progress_and_log_lines_are_told_as_they_come) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig->event_count = 0;
    struct command progress = {.type = COMMAND_PROGRESS};
    progress.progress.lease = rig_lease(rig, id);
    progress.progress.percent = 40;
    CHECK_EQUAL(rig_do(rig, progress), ANSWER_OK);
    struct event event = only(rig);
    CHECK_EQUAL(event.type, EVENT_PROGRESS);
    CHECK_EQUAL(event.percent, 40);
    HOB_AUTO_BUF struct buf lines = buf_make(1000);
    struct log_line line = {.at_ns = rig->now_ns, .text = SLICE("half way")};
    CHECK(log_line_put(&lines, &line));
    struct command log = {.type = COMMAND_LOG};
    log.log = (struct log_command){.lease = rig_lease(rig, id), .entries = buf_slice(&lines)};
    CHECK_EQUAL(rig_do(rig, log), ANSWER_OK);
    event = only(rig);
    CHECK_EQUAL(event.type, EVENT_LOGGED);
    CHECK_EQUAL(event.state, JOB_RUNNING);
    CHECK(slice_equal(event.lines, buf_slice(&lines)));
    CHECK(slice_equal(event.worker, SLICE("w1")));
    rig_end(rig);
}

TEST(a_queue_that_is_paused_or_resumed_is_told_and_what_changes_no_state_is_not) {
    struct rig *rig = rig_new();
    struct command pause = {.type = COMMAND_PAUSE};
    pause.pause = (struct pause_command){.queue = SLICE("mail"), .by = SLICE("ann")};
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    struct event event = only(rig);
    CHECK_EQUAL(event.type, EVENT_QUEUE);
    CHECK(event.paused);
    CHECK(slice_equal(event.queue, SLICE("mail")));
    struct command resume = {.type = COMMAND_RESUME, .resume.queue = SLICE("mail")};
    CHECK_EQUAL(rig_do(rig, resume), ANSWER_OK);
    CHECK(!only(rig).paused);
    struct command push = push_of("mail");
    push.push.key = SLICE("once");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = only(rig).id;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK); /* a duplicate */
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig->event_count = 0;
    struct command extend = {.type = COMMAND_EXTEND};
    extend.extend = (struct extend_command){rig_lease(rig, id), NS_PER_MINUTE};
    CHECK_EQUAL(rig_do(rig, extend), ANSWER_OK);
    struct command checkpoint = {.type = COMMAND_CHECKPOINT};
    checkpoint.checkpoint = (struct checkpoint_command){rig_lease(rig, id), SLICE("so far")};
    CHECK_EQUAL(rig_do(rig, checkpoint), ANSWER_OK);
    struct effect effect = {.type = EFFECT_JOB_PUT, .job_put.job = {.id = id}};
    engine_home_set(rig->engine, 7);
    CHECK(engine_restate(rig->engine, &effect, 0));
    CHECK_EQUAL(rig->event_count, 0);
    rig_end(rig);
}

TEST(words_of_events_read_back) {
    for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++) {
        enum event_type parsed = EVENT_TYPE_COUNT;
        CHECK(event_parse(slice_str(event_word(type)), &parsed));
        CHECK_EQUAL(parsed, type);
    }
    enum event_type untouched = EVENT_LOGGED;
    CHECK(!event_parse(SLICE("nothing"), &untouched));
    CHECK_EQUAL(untouched, EVENT_LOGGED);
}

TESTS(
    each_step_of_a_job_is_told_once_with_the_time_it_waited_and_ran,
    a_failed_attempt_tells_its_error_and_the_way_to_the_next_one,
    a_lost_worker_is_an_error_and_a_release_is_none,
    a_cancel_tells_who_and_why_and_a_deletion_what_is_gone,
    a_job_that_is_not_kept_completes_and_is_deleted,
    progress_and_log_lines_are_told_as_they_come,
    a_queue_that_is_paused_or_resumed_is_told_and_what_changes_no_state_is_not,
    words_of_events_read_back
)
