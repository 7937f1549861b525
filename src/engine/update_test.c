/* SPDX-License-Identifier: Apache-2.0 */
/* What an update changes, and what it leaves. The rig replays each of them. */
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/rig.h"

static struct command update_of(uint64_t id) {
    return (struct command){.type = COMMAND_UPDATE, .update = {.id = id}};
}

TEST(a_waiting_job_is_changed_and_its_version_grows) {
    struct rig *rig = rig_new();
    struct command push = push_of("mail");
    push.push.key = SLICE("key");
    push.push.ref = SLICE("ref");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    uint64_t other = rig_push(rig, "mail");
    rig->event_count = 0;
    struct command update = update_of(other);
    update.update.has.priority = true;
    update.update.to.priority = 1;
    update.update.has.tags = true;
    update.update.to.tags = SLICE("urgent");
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK_EQUAL(rig->last.version, 2);
    CHECK_EQUAL(rig->event_count, 1);
    CHECK_EQUAL(rig->events[0].type, EVENT_UPDATED);
    struct job_view job = rig_job(rig, other);
    CHECK_EQUAL(job.priority, 1);
    CHECK(slice_equal(job.tags, SLICE("urgent")));
    CHECK(slice_equal(job.payload, SLICE("{}")));
    CHECK_EQUAL(rig_fetch(rig, "mail"), other);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(engine_find_ref(rig->engine, SLICE("ref")), id);
    rig_end(rig);
}

TEST(an_update_with_another_version_changes_nothing) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    struct command update = update_of(id);
    update.update.has_version = true;
    update.update.version = 1;
    update.update.has.priority = true;
    update.update.to.priority = 7;
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    update.update.to.priority = 9;
    CHECK_EQUAL(rig_do(rig, update), ANSWER_CHANGED);
    CHECK_EQUAL(rig->last.version, 2);
    CHECK_EQUAL(rig_job(rig, id).priority, 7);
    rig_end(rig);
}

TEST(a_new_time_makes_it_scheduled_or_available) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    struct command update = update_of(id);
    update.update.has.time = true;
    update.update.to.delay_ns = NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK_EQUAL(rig->last.state, JOB_SCHEDULED);
    CHECK_EQUAL(rig_fetch(rig, "mail"), 0);
    CHECK_EQUAL(rig->events[rig->event_count - 1].type, EVENT_STATE);
    CHECK_EQUAL(rig->events[rig->event_count - 1].from, JOB_AVAILABLE);
    update.update.to.delay_ns = 0;
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK_EQUAL(rig->last.state, JOB_AVAILABLE);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_fail(rig, rig_lease(rig, id)), ANSWER_OK);
    update.update.to.delay_ns = NS_PER_HOUR;
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK_EQUAL(rig->last.state, JOB_RETRYABLE);
    CHECK_EQUAL(rig_job(rig, id).run_at_ns, rig->now_ns + NS_PER_HOUR);
    rig_end(rig);
}

TEST(a_job_that_runs_or_is_over_is_not_changed) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    struct command update = update_of(id);
    update.update.has.priority = true;
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_do(rig, update), ANSWER_WRONG_STATE);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, update), ANSWER_WRONG_STATE);
    CHECK_EQUAL(rig->last.state, JOB_COMPLETED);
    update.update.id = 99;
    CHECK_EQUAL(rig_do(rig, update), ANSWER_NO_JOB);
    rig_end(rig);
}

TEST(a_moved_job_wakes_who_waits_at_its_new_queue) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    struct slice queues[] = {SLICE("slow")};
    struct command fetch = {.type = COMMAND_FETCH, .request = 7};
    fetch.fetch = (struct fetch_command
    ){.worker = SLICE("w1"), .queues = queues, .queue_count = 1, .wait_ns = NS_PER_MINUTE};
    CHECK_EQUAL(rig_do(rig, fetch), ANSWER_WAITING);
    struct command update = update_of(id);
    update.update.has.queue = true;
    update.update.to.queue = SLICE("slow");
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late_job[0], id);
    struct queue_view mail;
    CHECK(engine_queue(rig->engine, SLICE("mail"), &mail));
    CHECK_EQUAL(mail.counts[JOB_AVAILABLE], 0);
    rig_end(rig);
}

TEST(a_new_payload_lets_go_of_the_old_bytes) {
    struct rig *rig = rig_new();
    static char large[1000];
    struct command push = push_of("mail");
    push.push.payload = slice_of(large, sizeof large);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    struct command update = update_of(id);
    update.update.has.payload = true;
    update.update.to.payload = slice_of(large, sizeof large - 1);
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK_EQUAL(rig->dropped_bodies, 1);
    CHECK_EQUAL(rig_job(rig, id).payload_body.size, sizeof large - 1);
    update.update.to.payload = SLICE("small");
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK_EQUAL(rig->dropped_bodies, 2);
    CHECK(slice_equal(rig_job(rig, id).payload, SLICE("small")));
    update.update.has.payload = false;
    update.update.has.timeout = true;
    update.update.to = (struct push_command){.timeout_ns = NS_PER_SECOND};
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK_EQUAL(rig->dropped_bodies, 2);
    rig_end(rig);
}

TEST(an_update_of_nothing_or_of_nonsense_is_refused) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "mail");
    struct command update = update_of(id);
    CHECK_EQUAL(rig_do(rig, update), ANSWER_BAD_ARGUMENT);
    update.update.has.queue = true;
    update.update.to.queue = SLICE("-no");
    CHECK_EQUAL(rig_do(rig, update), ANSWER_BAD_ARGUMENT);
    update = update_of(id);
    update.update.has.tags = true;
    update.update.to.tags = SLICE("a b");
    CHECK_EQUAL(rig_do(rig, update), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig_job(rig, id).version, 1);
    rig_end(rig);
}

TESTS(
    a_waiting_job_is_changed_and_its_version_grows,
    an_update_with_another_version_changes_nothing,
    a_new_time_makes_it_scheduled_or_available,
    a_job_that_runs_or_is_over_is_not_changed,
    a_moved_job_wakes_who_waits_at_its_new_queue,
    a_new_payload_lets_go_of_the_old_bytes,
    an_update_of_nothing_or_of_nonsense_is_refused
)
