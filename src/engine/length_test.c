/* SPDX-License-Identifier: Apache-2.0 */
/* How many jobs may wait in a queue. The rig replays everything, and checks every invariant. */
#include "engine/length.h"

#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/callback.h"
#include "engine/rig.h"

static void set_length(struct rig *rig, uint32_t length, enum on_full on_full) {
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set.queue = SLICE("mail");
    set.queue_set.has_length = true;
    set.queue_set.length = length;
    set.queue_set.has_on_full = true;
    set.queue_set.on_full = on_full;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
}

static void check_dropped(struct rig *rig, uint64_t id) {
    struct job_view job = rig_job(rig, id);
    CHECK_EQUAL(job.state, JOB_DISCARDED);
    CHECK_EQUAL(job.error_count, 1);
    CHECK_EQUAL(job.errors[0].cause, CAUSE_DROPPED);
}

TEST(a_full_queue_refuses_a_push) {
    struct rig *rig = rig_new();
    set_length(rig, 2, FULL_REJECT);
    rig_push(rig, "mail");
    struct command later = push_of("mail");
    later.push.delay_ns = NS_PER_HOUR;
    later.push.key = SLICE("k");
    CHECK_EQUAL(rig_do(rig, later), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, push_of("mail")), ANSWER_QUEUE_FULL);
    CHECK_EQUAL(rig->last.retry_after_ns, NS_PER_SECOND);
    /* What adds nothing is no push too many. */
    CHECK_EQUAL(rig_do(rig, later), ANSWER_OK);
    CHECK(rig->last.duplicate);
    CHECK_EQUAL(rig_do(rig, push_of("other")), ANSWER_OK);
    /* A running job does not wait. */
    CHECK(rig_fetch(rig, "mail") != 0);
    CHECK_EQUAL(rig_do(rig, push_of("mail")), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, push_of("mail")), ANSWER_QUEUE_FULL);
    rig_end(rig);
}

TEST(what_is_there_comes_back_to_a_full_queue) {
    struct rig *rig = rig_new();
    set_length(rig, 1, FULL_REJECT);
    uint64_t first = rig_push(rig, "mail");
    CHECK_EQUAL(rig_fetch(rig, "mail"), first);
    rig_push(rig, "mail");
    struct command release = {.type = COMMAND_RELEASE, .release = {.lease = rig_lease(rig, first)}};
    CHECK_EQUAL(rig_do(rig, release), ANSWER_OK);
    struct queue_view queue;
    CHECK(engine_queue(rig->engine, SLICE("mail"), &queue));
    CHECK_EQUAL(queue.counts[JOB_AVAILABLE], 2);
    /* Wider, at once. */
    set_length(rig, 3, FULL_REJECT);
    CHECK_EQUAL(rig_do(rig, push_of("mail")), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, push_of("mail")), ANSWER_QUEUE_FULL);
    rig_end(rig);
}

TEST(the_oldest_makes_room) {
    struct rig *rig = rig_new();
    set_length(rig, 2, FULL_DROP_OLDEST);
    struct command later = push_of("mail");
    later.push.delay_ns = NS_PER_HOUR;
    CHECK_EQUAL(rig_do(rig, later), ANSWER_OK);
    uint64_t first = rig->last.id;
    uint64_t second = rig_push(rig, "mail");
    rig->event_count = 0;
    uint64_t third = rig_push(rig, "mail");
    check_dropped(rig, first);
    CHECK_EQUAL(rig->event_count, 2);
    CHECK_EQUAL(rig->events[1].cause, CAUSE_DROPPED);
    uint64_t fourth = rig_push(rig, "mail");
    check_dropped(rig, second);
    CHECK_EQUAL(rig_fetch(rig, "mail"), third);
    CHECK_EQUAL(rig_fetch(rig, "mail"), fourth);
    struct queue_view queue;
    CHECK(engine_queue(rig->engine, SLICE("mail"), &queue));
    CHECK_EQUAL(queue.discarded, 2);
    CHECK_EQUAL(queue.failed, 0);
    rig_end(rig);
}

TEST(or_the_newest) {
    struct rig *rig = rig_new();
    set_length(rig, 2, FULL_DROP_NEWEST);
    uint64_t first = rig_push(rig, "mail");
    uint64_t second = rig_push(rig, "mail");
    check_dropped(rig, rig_push(rig, "mail"));
    /* One that comes back is older than one that waits. */
    CHECK_EQUAL(rig_fetch(rig, "mail"), first);
    uint64_t fourth = rig_push(rig, "mail");
    struct command release = {.type = COMMAND_RELEASE, .release = {.lease = rig_lease(rig, first)}};
    CHECK_EQUAL(rig_do(rig, release), ANSWER_OK);
    check_dropped(rig, fourth);
    CHECK_EQUAL(rig_job(rig, second).state, JOB_AVAILABLE);
    rig_end(rig);
}

TEST(a_worker_that_waits_takes_what_would_be_dropped) {
    struct rig *rig = rig_new();
    set_length(rig, 1, FULL_DROP_NEWEST);
    struct command later = push_of("mail");
    later.push.delay_ns = NS_PER_HOUR;
    CHECK_EQUAL(rig_do(rig, later), ANSWER_OK);
    struct slice queue = SLICE("mail");
    struct command fetch = {
        .type = COMMAND_FETCH,
        .fetch =
            {.worker = SLICE("w"), .queues = &queue, .queue_count = 1, .wait_ns = NS_PER_MINUTE},
    };
    CHECK_EQUAL(rig_do(rig, fetch), ANSWER_WAITING);
    uint64_t id = rig_push(rig, "mail");
    CHECK_EQUAL(rig->late_job[0], id);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_RUNNING);
    rig_end(rig);
}

TEST(a_narrower_length_trims_the_queue) {
    struct rig *rig = rig_new();
    uint64_t ids[6];
    for (int i = 0; i < 6; i++) ids[i] = rig_push(rig, "mail");
    set_length(rig, 4, FULL_DROP_OLDEST);
    check_dropped(rig, ids[1]);
    set_length(rig, 3, FULL_DROP_NEWEST);
    check_dropped(rig, ids[5]);
    set_length(rig, 1, FULL_REJECT);
    CHECK_EQUAL(rig_job(rig, ids[4]).state, JOB_AVAILABLE);
    set_length(rig, 0, FULL_DROP_OLDEST);
    CHECK_EQUAL(rig_job(rig, ids[2]).state, JOB_AVAILABLE);
    rig_end(rig);
}

TEST(a_dropped_job_has_its_callbacks) {
    struct rig *rig = rig_new();
    set_length(rig, 1, FULL_DROP_OLDEST);
    struct callback callback = {
        .when = CALLBACK_FAILURE,
        .payload = CALLBACK_EVENT,
        .push = {.queue = SLICE("after"), .kind = SLICE("told")},
    };
    HOB_AUTO_BUF struct buf on_done = buf_make(4096);
    CHECK(callback_put(&on_done, &callback));
    struct command push = push_of("mail");
    push.push.on_done = buf_slice(&on_done);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t dropped = rig->last.id;
    rig_push(rig, "mail");
    check_dropped(rig, dropped);
    uint64_t told = rig_fetch(rig, "after");
    CHECK_EQUAL(rig_job(rig, told).parent, dropped);
    rig_end(rig);
}

TEST(callbacks_are_not_refused) {
    struct rig *rig = rig_new();
    set_length(rig, 1, FULL_REJECT);
    rig_push(rig, "mail");
    struct callback callback = {
        .when = CALLBACK_FINISHED,
        .payload = CALLBACK_EVENT,
        .push = {.queue = SLICE("mail"), .kind = SLICE("told")},
    };
    HOB_AUTO_BUF struct buf on_done = buf_make(4096);
    CHECK(callback_put(&on_done, &callback));
    struct command push = push_of("other");
    push.push.on_done = buf_slice(&on_done);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, rig->last.id), ANSWER_OK);
    struct queue_view queue;
    CHECK(engine_queue(rig->engine, SLICE("mail"), &queue));
    CHECK_EQUAL(queue.counts[JOB_AVAILABLE], 2);
    rig_end(rig);
}

TEST(the_line_forgets_what_has_left) {
    enum { ROUNDS = 1000 };
    struct rig *rig = rig_new();
    set_length(rig, 10, FULL_DROP_NEWEST);
    uint64_t oldest = rig_push(rig, "mail");
    struct engine_stats before;
    struct engine_stats stats;
    for (int i = 0; i < ROUNDS; i++) {
        if (i == ROUNDS / 10) engine_stats(rig->engine, &before);
        uint64_t id = rig_push(rig, "mail");
        CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, id), ANSWER_OK);
        struct command update = {.type = COMMAND_UPDATE, .update = {.id = oldest}};
        update.update.has.priority = true;
        update.update.to.priority = (uint32_t)i;
        CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    }
    engine_stats(rig->engine, &stats);
    CHECK(stats.memory_bytes <= before.memory_bytes + 4096);
    for (int i = 0; i < 9; i++) rig_push(rig, "mail");
    check_dropped(rig, rig_push(rig, "mail"));
    CHECK_EQUAL(rig_job(rig, oldest).state, JOB_AVAILABLE);
    rig_end(rig);
}

TEST(settings_of_length_are_checked) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set.queue = SLICE("mail");
    set.queue_set.has_length = true;
    set.queue_set.length = QUEUE_LENGTH_MAX + 1;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_BAD_ARGUMENT);
    set.queue_set.has_length = false;
    set.queue_set.has_on_full = true;
    set.queue_set.on_full = ON_FULL_COUNT;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_BAD_ARGUMENT);
    rig_end(rig);
}

TESTS(
    a_full_queue_refuses_a_push,
    what_is_there_comes_back_to_a_full_queue,
    the_oldest_makes_room,
    or_the_newest,
    a_worker_that_waits_takes_what_would_be_dropped,
    a_narrower_length_trims_the_queue,
    a_dropped_job_has_its_callbacks,
    callbacks_are_not_refused,
    the_line_forgets_what_has_left,
    settings_of_length_are_checked
)
