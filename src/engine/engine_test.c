/* SPDX-License-Identifier: Apache-2.0 */
/* The engine in fake time: each test is a sentence about what users are promised. */
#include "engine/engine.h"

#include <stdio.h>

#include "base/test.h"
#include "engine/logline.h"
#include "engine/rig.h"

TEST(a_pushed_job_is_fetched_and_acked) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_job(rig, id).attempt, 1);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_COMPLETED);
    CHECK_EQUAL(rig_fetch(rig, "mail"), 0);
    rig_end(rig);
}

TEST(a_queue_is_first_in_first_out_and_a_stack_the_other_way_round) {
    struct rig *rig = rig_new();
    uint64_t first = rig_push(rig, "mail");
    uint64_t second = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), first);
    CHECK_EQUAL(rig_fetch(rig, "mail"), second);
    struct command lifo = {.type = COMMAND_QUEUE_SET};
    lifo.queue_set =
        (struct queue_set_command){.queue = SLICE("stack"), .has_order = true, .order = QUEUE_LIFO};
    CHECK_EQUAL(rig_do(rig, lifo), ANSWER_OK);
    first = rig_push(rig, "stack");
    second = rig_push(rig, "stack");
    uint64_t third = rig_push(rig, "stack");
    CHECK_EQUAL(rig_fetch(rig, "stack"), third);
    CHECK_EQUAL(rig_fetch(rig, "stack"), second);
    lifo.queue_set.order = QUEUE_FIFO;
    uint64_t fourth = rig_push(rig, "stack");
    CHECK_EQUAL(rig_do(rig, lifo), ANSWER_OK);
    CHECK_EQUAL(rig_fetch(rig, "stack"), first);
    CHECK_EQUAL(rig_fetch(rig, "stack"), fourth);
    rig_end(rig);
}

TEST(a_smaller_priority_runs_first) {
    struct rig *rig = rig_new();
    uint64_t normal = rig_push(rig, "mail");
    struct command urgent = push_of("mail");
    urgent.push.has_priority = true;
    urgent.push.priority = 1;
    CHECK_EQUAL(rig_do(rig, urgent), ANSWER_OK);
    uint64_t first = rig->last.id;
    CHECK_EQUAL(rig_fetch(rig, "mail"), first);
    CHECK_EQUAL(rig_fetch(rig, "mail"), normal);
    rig_end(rig);
}

TEST(a_delayed_job_waits_for_its_time) {
    struct rig *rig = rig_new();
    struct command later = push_of("mail");
    later.push.delay_ns = 10 * NS_PER_SECOND;
    CHECK_EQUAL(rig_do(rig, later), ANSWER_OK);
    uint64_t id = rig->last.id;
    CHECK_EQUAL(rig->last.state, JOB_SCHEDULED);
    CHECK_EQUAL(engine_due(rig->engine), rig->now_ns + 10 * NS_PER_SECOND);
    CHECK_EQUAL(rig_fetch(rig, "mail"), 0);
    rig_advance(rig, 10 * NS_PER_SECOND - 1);
    CHECK_EQUAL(rig_fetch(rig, "mail"), 0);
    rig_advance(rig, 1);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig_end(rig);
}

TEST(an_ack_after_the_lease_is_refused_and_the_job_is_rescued_in_its_old_place) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    uint64_t next = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    struct lease_ref lease = rig_lease(rig, id);
    rig->now_ns += LEASE_DEFAULT_NS;
    struct command ack = {.type = COMMAND_ACK};
    ack.ack.lease = lease;
    engine_apply(rig->engine, rig->now_ns, &ack, &rig->last);
    CHECK_EQUAL(rig->last.code, ANSWER_LEASE_OVER);
    rig_advance(rig, 0);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    CHECK_EQUAL(rig->lost_id, id);
    CHECK_EQUAL(rig->lost_cause, CAUSE_LOST);
    CHECK_EQUAL(rig_job(rig, id).errors[0].cause, CAUSE_LOST);
    CHECK_EQUAL(rig_ack(rig, lease), ANSWER_STALE);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_ack(rig, lease), ANSWER_STALE);
    CHECK_EQUAL(rig_fetch(rig, "mail"), next);
    rig_end(rig);
}

TEST(a_beating_worker_keeps_all_its_leases_but_not_past_the_timeout) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    struct command beat = {.type = COMMAND_WORKER_BEAT};
    beat.worker_beat.worker = SLICE("w1");
    hob_ns started_ns = rig->now_ns;
    while (rig->now_ns + 5 * NS_PER_SECOND < started_ns + TIMEOUT_DEFAULT_NS + TIMEOUT_GRACE_NS) {
        rig_advance(rig, 5 * NS_PER_SECOND);
        CHECK_EQUAL(rig_do(rig, beat), ANSWER_OK);
        CHECK_EQUAL(rig_job(rig, id).state, JOB_RUNNING);
    }
    rig_advance(rig, 5 * NS_PER_SECOND);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    CHECK_EQUAL(rig->lost_cause, CAUSE_TIMEOUT);
    rig_end(rig);
}

static enum answer_code
say_holds(struct rig *rig, const struct lease_ref *holds, uint32_t count, hob_ns young_ns) {
    struct command beat = {.type = COMMAND_WORKER_BEAT};
    beat.worker_beat = (struct worker_beat_command){
        .worker = SLICE("w1"),
        .has_holds = true,
        .holds = holds,
        .hold_count = count,
        .young_ns = young_ns,
    };
    return rig_do(rig, beat);
}

TEST(a_worker_that_says_what_it_holds_loses_the_rest_at_once) {
    struct rig *rig = rig_new();
    uint64_t lost = rig_push(rig, "mail");
    uint64_t held = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), lost);
    CHECK_EQUAL(rig_fetch(rig, "mail"), held);
    struct lease_ref old = rig_lease(rig, lost);
    struct lease_ref lease = rig_lease(rig, held);
    CHECK_EQUAL(say_holds(rig, &lease, 1, 0), ANSWER_OK);
    CHECK_EQUAL(rig_ack(rig, old), ANSWER_STALE);
    CHECK_EQUAL(rig_job(rig, lost).state, JOB_AVAILABLE);
    CHECK_EQUAL(rig_job(rig, lost).errors[0].cause, CAUSE_LOST);
    struct slice why = SLICE("its worker says that it does not hold this job");
    CHECK(slice_equal(rig_job(rig, lost).errors[0].text, why));
    CHECK_EQUAL(rig_job(rig, held).state, JOB_RUNNING);
    CHECK_EQUAL(rig_fetch(rig, "mail"), lost);
    CHECK_EQUAL(rig_job(rig, lost).attempt, 2);
    CHECK_EQUAL(rig_ack(rig, lease), ANSWER_OK);
    rig_end(rig);
}

TEST(a_lease_that_is_younger_than_the_replies_that_may_be_on_the_way_is_spared) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig_advance(rig, NS_PER_SECOND);
    CHECK_EQUAL(say_holds(rig, NULL, 0, NS_PER_SECOND + 1), ANSWER_OK);
    rig_advance(rig, 0);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_RUNNING);
    CHECK_EQUAL(say_holds(rig, NULL, 0, NS_PER_SECOND), ANSWER_OK);
    rig_advance(rig, 0);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    rig_end(rig);
}

TEST(a_lease_is_held_by_its_token_and_by_its_own_worker_only) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    struct lease_ref lease = rig_lease(rig, id);
    struct command beat = {.type = COMMAND_WORKER_BEAT};
    beat.worker_beat = (struct worker_beat_command){.worker = SLICE("w2"), .has_holds = true};
    CHECK_EQUAL(rig_do(rig, beat), ANSWER_OK);
    beat.worker_beat.worker = SLICE("w1");
    beat.worker_beat.only = SLICE("m other.*");
    CHECK_EQUAL(rig_do(rig, beat), ANSWER_OK);
    rig_advance(rig, 0);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_RUNNING);
    lease.token++;
    CHECK_EQUAL(say_holds(rig, &lease, 1, 0), ANSWER_OK);
    rig_advance(rig, 0);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_AVAILABLE);
    CHECK_EQUAL(say_holds(rig, NULL, 0, LEASE_MAX_NS + 1), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(say_holds(rig, NULL, WORKER_HOLDS_MAX + 1, 0), ANSWER_BAD_ARGUMENT);
    rig_end(rig);
}

TEST(a_fresh_name_is_that_of_nobody_who_lives_or_has_jobs) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_WORKER_SET};
    set.worker_set = (struct worker_set_command){.worker = SLICE("w1"), .fresh = true};
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, set), ANSWER_EXISTS);
    rig_advance(rig, LEASE_DEFAULT_NS - 1);
    CHECK_EQUAL(rig_do(rig, set), ANSWER_EXISTS);
    rig_advance(rig, 1);
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    struct slice queues[] = {SLICE("mail")};
    struct command fetch = {.type = COMMAND_FETCH};
    fetch.fetch = (struct fetch_command
    ){.worker = SLICE("w1"), .queues = queues, .queue_count = 1, .lease_ns = NS_PER_MINUTE};
    (void)rig_push(rig, "mail");
    CHECK_EQUAL(rig_do(rig, fetch), ANSWER_OK);
    rig_advance(rig, NS_PER_MINUTE - 1);
    CHECK_EQUAL(rig_do(rig, set), ANSWER_EXISTS);
    rig_advance(rig, 1);
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    rig_end(rig);
}

TEST(a_failing_job_is_retried_with_growing_waits_and_then_discarded) {
    struct rig *rig = rig_new();
    struct command push = push_of("mail");
    push.push.attempt_max = 3;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    hob_ns waits[3] = {0};
    for (int attempt = 0; attempt < 3; attempt++) {
        CHECK_EQUAL(rig_fetch(rig, "mail"), id);
        CHECK_EQUAL(rig_fail(rig, rig_lease(rig, id)), ANSWER_OK);
        if (attempt < 2) {
            CHECK_EQUAL(rig->last.state, JOB_RETRYABLE);
            waits[attempt] = rig_job(rig, id).run_at_ns - rig->now_ns;
            rig_advance(rig, waits[attempt]);
        }
    }
    CHECK(waits[0] >= NS_PER_SECOND && waits[0] <= 2 * NS_PER_SECOND);
    CHECK(waits[1] >= 2 * NS_PER_SECOND && waits[1] <= 4 * NS_PER_SECOND);
    CHECK_EQUAL(rig->last.state, JOB_DISCARDED);
    struct job_view view = rig_job(rig, id);
    CHECK_EQUAL(view.error_count, 3);
    CHECK_EQUAL(view.errors[2].attempt, 3);
    CHECK(slice_equal(view.errors[0].text, SLICE("it broke")));
    CHECK_EQUAL(rig_control(rig, COMMAND_RETRY, id), ANSWER_OK);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_job(rig, id).attempt_max, 4);
    rig_end(rig);
}

TEST(a_second_push_with_a_key_answers_the_first_job) {
    struct rig *rig = rig_new();
    struct command push = push_of("mail");
    push.push.key = SLICE("order-7");
    push.push.ref = SLICE("jid-7");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    CHECK(!rig->last.duplicate);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, id);
    CHECK(rig->last.duplicate);
    CHECK_EQUAL(engine_find_ref(rig->engine, SLICE("jid-7")), id);
    rig_advance(rig, KEY_KEPT_NS);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK(rig->last.id != id);
    CHECK_EQUAL(engine_find_ref(rig->engine, SLICE("jid-7")), rig->last.id);
    uint64_t newest = rig->last.id;
    CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, newest), ANSWER_OK);
    CHECK_EQUAL(engine_find_ref(rig->engine, SLICE("jid-7")), id);
    rig_end(rig);
}

TEST(cancelling_a_running_job_takes_its_lease_away) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    struct lease_ref lease = rig_lease(rig, id);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, id), ANSWER_OK);
    CHECK_EQUAL(rig->lost_id, id);
    CHECK_EQUAL(rig->lost_cause, CAUSE_PERSON);
    CHECK_EQUAL(rig_ack(rig, lease), ANSWER_STALE);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_CANCELLED);
    CHECK(slice_equal(rig_job(rig, id).why, SLICE("wrong customer")));
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, id), ANSWER_WRONG_STATE);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, 99), ANSWER_NO_JOB);
    rig_end(rig);
}

TEST(a_released_job_does_not_count_its_attempt) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    struct command release = {.type = COMMAND_RELEASE};
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    release.release.lease = rig_lease(rig, id);
    CHECK_EQUAL(rig_do(rig, release), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, id).attempt, 0);
    CHECK_EQUAL(rig_job(rig, id).releases, 1);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    release.release.lease = rig_lease(rig, id);
    release.release.delay_ns = NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, release), ANSWER_OK);
    CHECK_EQUAL(rig->last.state, JOB_SCHEDULED);
    rig_advance(rig, NS_PER_MINUTE);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_job(rig, id).attempt, 1);
    rig_end(rig);
}

TEST(a_waiting_fetch_gets_the_next_job_and_the_oldest_waiter_is_first) {
    struct rig *rig = rig_new();
    struct slice queues[] = {SLICE("mail"), SLICE("news")};
    struct command fetch = {.type = COMMAND_FETCH, .request = 1};
    fetch.fetch = (struct fetch_command
    ){.worker = SLICE("w1"), .queues = queues, .queue_count = 2, .wait_ns = NS_PER_SECOND};
    CHECK_EQUAL(rig_do(rig, fetch), ANSWER_WAITING);
    fetch.request = 2;
    fetch.fetch.worker = SLICE("w2");
    CHECK_EQUAL(rig_do(rig, fetch), ANSWER_WAITING);
    uint64_t id = rig_push(rig, "news");
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late[0].request, 1);
    CHECK_EQUAL(rig->late_job[0], id);
    rig_advance(rig, NS_PER_SECOND);
    CHECK_EQUAL(rig->late_count, 2);
    CHECK_EQUAL(rig->late[1].request, 2);
    CHECK_EQUAL(rig->late[1].code, ANSWER_EMPTY);
    fetch.request = 3;
    CHECK_EQUAL(rig_do(rig, fetch), ANSWER_WAITING);
    struct command forget = {.type = COMMAND_FORGET, .request = 3};
    CHECK_EQUAL(rig_do(rig, forget), ANSWER_OK);
    (void)rig_push(rig, "mail");
    CHECK_EQUAL(rig->late_count, 2);
    rig_end(rig);
}

TEST(a_worker_gets_only_the_kinds_it_named_and_no_more_than_its_slots) {
    struct rig *rig = rig_new();
    struct slice kinds[] = {SLICE("work")};
    struct command worker = {.type = COMMAND_WORKER_SET};
    worker.worker_set = (struct worker_set_command
    ){.worker = SLICE("w1"), .slots = 1, .kinds = kinds, .kind_count = 1};
    CHECK_EQUAL(rig_do(rig, worker), ANSWER_OK);
    struct command other = push_of("mail");
    other.push.kind = SLICE("other");
    CHECK_EQUAL(rig_do(rig, other), ANSWER_OK);
    CHECK_EQUAL(rig_fetch(rig, "mail"), 0);
    uint64_t id = rig_push(rig, "mail");
    (void)rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    struct slice queues[] = {SLICE("mail")};
    struct command fetch = {.type = COMMAND_FETCH};
    fetch.fetch = (struct fetch_command){.worker = SLICE("w1"), .queues = queues, .queue_count = 1};
    CHECK_EQUAL(rig_do(rig, fetch), ANSWER_NO_SLOT);
    rig_end(rig);
}

TEST(a_paused_queue_gives_nothing_until_it_is_resumed_or_its_time_comes) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    struct command pause = {.type = COMMAND_PAUSE};
    pause.pause = (struct pause_command
    ){.queue = SLICE("mail"), .by = SLICE("ann"), .why = SLICE("provider down")};
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    CHECK_EQUAL(rig_fetch(rig, "mail"), 0);
    struct command resume = {.type = COMMAND_RESUME};
    resume.resume.queue = SLICE("mail");
    CHECK_EQUAL(rig_do(rig, resume), ANSWER_OK);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    id = rig_push(rig, "mail");
    pause.pause.until_ns = rig->now_ns + NS_PER_HOUR;
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    CHECK_EQUAL(rig_fetch(rig, "mail"), 0);
    rig_advance(rig, NS_PER_HOUR);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig_end(rig);
}

TEST(finished_jobs_are_kept_as_long_as_the_queue_or_the_job_says) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set = (struct queue_set_command){
        .queue = SLICE("mail"),
        .has_keep_completed = true,
        .keep_completed_ns = NS_PER_HOUR,
        .keep_completed_count = 2,
    };
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    uint64_t ids[3];
    for (int i = 0; i < 3; i++) {
        ids[i] = rig_push(rig, "mail");
        CHECK_EQUAL(rig_fetch(rig, "mail"), ids[i]);
        CHECK_EQUAL(rig_ack(rig, rig_lease(rig, ids[i])), ANSWER_OK);
    }
    struct job_view view;
    CHECK(!engine_job(rig->engine, ids[0], &view));
    CHECK(engine_job(rig->engine, ids[1], &view));
    struct command forever = push_of("mail");
    forever.push.has_keep = true;
    forever.push.keep_ns = NS_PER_DAY;
    CHECK_EQUAL(rig_do(rig, forever), ANSWER_OK);
    uint64_t kept = rig->last.id;
    CHECK_EQUAL(rig_fetch(rig, "mail"), kept);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, kept)), ANSWER_OK);
    rig_advance(rig, NS_PER_HOUR);
    CHECK(!engine_job(rig->engine, ids[2], &view));
    CHECK(engine_job(rig->engine, kept, &view));
    rig_advance(rig, NS_PER_DAY);
    CHECK(!engine_job(rig->engine, kept, &view));
    rig_end(rig);
}

TEST(large_payloads_results_and_checkpoints_are_bodies_that_go_with_their_job) {
    struct rig *rig = rig_new();
    static char large[1000];
    memset(large, 'x', sizeof large);
    struct command push = push_of("mail");
    push.push.payload = slice_of(large, sizeof large);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    CHECK(rig_job(rig, id).payload_body.id != 0);
    CHECK_EQUAL(rig_job(rig, id).payload_body.size, 1000);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    struct command checkpoint = {.type = COMMAND_CHECKPOINT};
    checkpoint.checkpoint.lease = rig_lease(rig, id);
    checkpoint.checkpoint.bytes = SLICE("half way");
    CHECK_EQUAL(rig_do(rig, checkpoint), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, checkpoint), ANSWER_OK);
    CHECK_EQUAL(rig->dropped_bodies, 1);
    struct command ack = {.type = COMMAND_ACK};
    ack.ack.lease = rig_lease(rig, id);
    ack.ack.result = SLICE("42");
    CHECK_EQUAL(rig_do(rig, ack), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, id).result.size, 2);
    CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, id), ANSWER_OK);
    CHECK_EQUAL(rig->dropped_bodies, 4);
    rig_end(rig);
}

TEST(a_log_keeps_its_head_and_its_tail) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    static char text[30000];
    memset(text, 'l', sizeof text);
    HOB_AUTO_BUF struct buf entries = buf_make(LOG_CHUNK_BYTES_MAX);
    struct log_line line = {
        .at_ns = rig->now_ns, .stream = LOG_STDERR, .text = slice_of(text, sizeof text)};
    CHECK(log_line_put(&entries, &line));
    struct command log = {.type = COMMAND_LOG};
    log.log.lease = rig_lease(rig, id);
    log.log.entries = buf_slice(&entries);
    for (int i = 0; i < 60; i++) CHECK_EQUAL(rig_do(rig, log), ANSWER_OK);
    struct job_view view = rig_job(rig, id);
    CHECK_EQUAL(view.log_count, 2 + 34);
    CHECK_EQUAL(view.logs[1].head, 1);
    CHECK_EQUAL(view.logs[2].head, 0);
    CHECK_EQUAL(view.log_lost_bytes, (60 - 36) * entries.size);
    rig_end(rig);
}

TEST(a_wait_is_answered_when_the_job_is_over) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    struct command wait = {.type = COMMAND_WAIT, .request = 9};
    wait.wait = (struct wait_command){.id = id, .wait_ns = NS_PER_MINUTE};
    CHECK_EQUAL(rig_do(rig, wait), ANSWER_WAITING);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late[0].request, 9);
    CHECK_EQUAL(rig->late[0].state, JOB_COMPLETED);
    CHECK_EQUAL(rig_do(rig, wait), ANSWER_OK);
    CHECK_EQUAL(rig->last.state, JOB_COMPLETED);
    rig_end(rig);
}

TEST(full_records_rebuild_the_state_without_the_history) {
    struct rig *rig = rig_new();
    for (int i = 0; i < 50; i++) (void)rig_push(rig, "mail");
    for (int i = 0; i < 20; i++) {
        uint64_t id = rig_fetch(rig, "mail");
        if (i % 3 == 0) CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
        if (i % 3 == 1) CHECK_EQUAL(rig_fail(rig, rig_lease(rig, id)), ANSWER_OK);
    }
    engine_home_set(rig->engine, 7);
    for (uint64_t id = 1; id <= 50; id++) {
        struct effect effect = {.type = EFFECT_JOB_PUT, .job_put.job = {.id = id}};
        CHECK(engine_restate(rig->engine, &effect, 0));
        CHECK(!engine_restate(rig->engine, &effect, 0));
    }
    engine_restate_meta(rig->engine);
    rig_end(rig);
}

TEST(bad_arguments_are_named_and_change_nothing) {
    struct rig *rig = rig_new();
    struct command push = push_of("-mail");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    CHECK(strstr(rig->last.detail, "queue") != NULL);
    push = push_of("mail box");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    push = push_of("mail");
    static char large[PAYLOAD_BYTES_MAX + 1];
    push.push.payload = slice_of(large, sizeof large);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_TOO_LARGE);
    struct engine_stats stats;
    engine_stats(rig->engine, &stats);
    CHECK_EQUAL(stats.jobs, 0);
    CHECK_EQUAL(stats.next_id, 1);
    rig_end(rig);
}

TESTS(
    a_pushed_job_is_fetched_and_acked,
    a_queue_is_first_in_first_out_and_a_stack_the_other_way_round,
    a_smaller_priority_runs_first,
    a_delayed_job_waits_for_its_time,
    an_ack_after_the_lease_is_refused_and_the_job_is_rescued_in_its_old_place,
    a_beating_worker_keeps_all_its_leases_but_not_past_the_timeout,
    a_worker_that_says_what_it_holds_loses_the_rest_at_once,
    a_lease_that_is_younger_than_the_replies_that_may_be_on_the_way_is_spared,
    a_lease_is_held_by_its_token_and_by_its_own_worker_only,
    a_fresh_name_is_that_of_nobody_who_lives_or_has_jobs,
    a_failing_job_is_retried_with_growing_waits_and_then_discarded,
    a_second_push_with_a_key_answers_the_first_job,
    cancelling_a_running_job_takes_its_lease_away,
    a_released_job_does_not_count_its_attempt,
    a_waiting_fetch_gets_the_next_job_and_the_oldest_waiter_is_first,
    a_worker_gets_only_the_kinds_it_named_and_no_more_than_its_slots,
    a_paused_queue_gives_nothing_until_it_is_resumed_or_its_time_comes,
    finished_jobs_are_kept_as_long_as_the_queue_or_the_job_says,
    large_payloads_results_and_checkpoints_are_bodies_that_go_with_their_job,
    a_log_keeps_its_head_and_its_tail,
    a_wait_is_answered_when_the_job_is_over,
    full_records_rebuild_the_state_without_the_history,
    bad_arguments_are_named_and_change_nothing
)
