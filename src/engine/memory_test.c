/* SPDX-License-Identifier: Apache-2.0 */
/* At the ceiling of memory: pushes are refused with a time to come back, every other verb works,
 * and pushes come back by themselves. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/status.h"
#include "base/test.h"
#include "engine/rig.h"

enum { CEILING = 1200000, JOBS_MOST = 20000 };

static struct command named(enum command_type type) {
    return (struct command){.type = type};
}

/* Pushes until one is refused; how many were taken. */
static uint64_t fill(struct rig *rig) {
    uint64_t count = 0;
    while (rig_do(rig, push_of("bulk")) == ANSWER_OK) {
        CHECK(++count < JOBS_MOST);
        rig->event_count = 0; /* nobody looks at them */
    }
    CHECK_EQUAL(rig->last.code, ANSWER_MEMORY);
    CHECK_EQUAL(rig->last.retry_after_ns, NS_PER_SECOND);
    return count;
}

static struct command worker_named(const char *name) {
    struct command set = named(COMMAND_WORKER_SET);
    set.worker_set.worker = slice_of(name, strlen(name));
    set.worker_set.slots = 100;
    return set;
}

/* A world with a few of everything, then so many jobs that pushes are refused. */
static struct rig *world(void) {
    struct rig *rig = rig_new_small(CEILING);
    CHECK_EQUAL(rig_do(rig, worker_named("w1")), ANSWER_OK);
    for (int i = 0; i < 12; i++) (void)rig_push(rig, "mail");
    struct command grouped = push_of("mail");
    grouped.push.group = SLICE("g");
    grouped.push.limiters = SLICE("api");
    CHECK_EQUAL(rig_do(rig, grouped), ANSWER_OK);
    struct command unique = push_of("later");
    unique.push.unique = SLICE("one");
    unique.push.unique_scope = UNIQUE_WAITING;
    unique.push.merge = MERGE_LAST;
    unique.push.delay_ns = NS_PER_DAY;
    CHECK_EQUAL(rig_do(rig, unique), ANSWER_OK);
    struct command keyed = push_of("later");
    keyed.push.key = SLICE("key");
    CHECK_EQUAL(rig_do(rig, keyed), ANSWER_OK);
    (void)fill(rig);
    return rig;
}

TEST(pushes_lists_joins_children_and_new_texts_are_refused) {
    struct rig *rig = world();
    CHECK(rig_fetch(rig, "mail") != 0);
    struct command push = push_of("mail");
    push.push.parent = rig->last.jobs[0];
    CHECK_EQUAL(rig_do(rig, push), ANSWER_MEMORY);
    push = push_of("later");
    push.push.unique = SLICE("one");
    push.push.unique_scope = UNIQUE_WAITING;
    push.push.merge = MERGE_LAST;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_MEMORY);
    push.push.merge = MERGE_NONE;
    push.push.on_conflict = CONFLICT_REPLACE;
    push.push.debounce_ns = NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_MEMORY);
    struct command all = named(COMMAND_PUSH_ALL);
    struct command one = push_of("mail");
    all.push_all = (struct push_all_command){.pushes = &one.push, .count = 1};
    CHECK_EQUAL(rig_do(rig, all), ANSWER_MEMORY);
    struct command update = named(COMMAND_UPDATE);
    update.update.id = 5;
    update.update.has.payload = true;
    update.update.to.payload = SLICE("another");
    CHECK_EQUAL(rig_do(rig, update), ANSWER_MEMORY);
    CHECK_EQUAL(rig->last.retry_after_ns, NS_PER_SECOND);
    rig_end(rig);
}

TEST(what_is_known_is_answered_and_what_needs_no_room_is_changed) {
    struct rig *rig = world();
    struct command again = push_of("later");
    again.push.key = SLICE("key");
    CHECK_EQUAL(rig_do(rig, again), ANSWER_OK);
    CHECK(rig->last.duplicate);
    again = push_of("later");
    again.push.unique = SLICE("one");
    again.push.unique_scope = UNIQUE_WAITING;
    CHECK_EQUAL(rig_do(rig, again), ANSWER_OK);
    CHECK(rig->last.duplicate);
    struct command update = named(COMMAND_UPDATE);
    update.update.id = 5;
    update.update.has = (struct update_fields){.priority = true, .time = true, .timeout = true};
    update.update.to = (struct push_command
    ){.has_priority = true, .priority = 3, .delay_ns = NS_PER_HOUR, .timeout_ns = NS_PER_HOUR};
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, 5).priority, 3);
    rig_end(rig);
}

TEST(jobs_are_run_and_ended_in_every_way) {
    struct rig *rig = world();
    char large[100000];
    memset(large, 'r', sizeof large);
    uint64_t id = rig_fetch(rig, "mail");
    struct command extend = named(COMMAND_EXTEND);
    extend.extend = (struct extend_command){.lease = rig_lease(rig, id), .lease_ns = NS_PER_HOUR};
    CHECK_EQUAL(rig_do(rig, extend), ANSWER_OK);
    struct command checkpoint = named(COMMAND_CHECKPOINT);
    checkpoint.checkpoint.lease = rig_lease(rig, id);
    checkpoint.checkpoint.bytes = slice_of(large, sizeof large);
    CHECK_EQUAL(rig_do(rig, checkpoint), ANSWER_OK);
    struct command progress = named(COMMAND_PROGRESS);
    progress.progress.lease = rig_lease(rig, id);
    progress.progress.percent = 40;
    progress.progress.text = SLICE("two of five");
    CHECK_EQUAL(rig_do(rig, progress), ANSWER_OK);
    struct command ack = named(COMMAND_ACK);
    ack.ack =
        (struct ack_command){.lease = rig_lease(rig, id), .result = slice_of(large, sizeof large)};
    CHECK_EQUAL(rig_do(rig, ack), ANSWER_OK);
    id = rig_fetch(rig, "mail");
    CHECK_EQUAL(rig_fail(rig, rig_lease(rig, id)), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_RETRY, id), ANSWER_OK);
    id = rig_fetch(rig, "mail");
    struct command release = named(COMMAND_RELEASE);
    release.release =
        (struct release_command){.lease = rig_lease(rig, id), .delay_ns = NS_PER_MINUTE};
    CHECK_EQUAL(rig_do(rig, release), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, rig_fetch(rig, "mail")), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_DISCARD, 9), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_RETRY, 9), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, 9), ANSWER_OK);
    struct command wait = named(COMMAND_WAIT);
    wait.wait.id = 10;
    wait.wait.wait_ns = NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, wait), ANSWER_WAITING);
    rig_end(rig);
}

TEST(what_is_there_is_set_paused_and_resumed_and_workers_come_and_go) {
    struct rig *rig = world();
    struct command pause = named(COMMAND_PAUSE);
    pause.pause.queue = SLICE("mail");
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    struct command resume = named(COMMAND_RESUME);
    resume.resume.queue = SLICE("mail");
    CHECK_EQUAL(rig_do(rig, resume), ANSWER_OK);
    struct command set = named(COMMAND_QUEUE_SET);
    set.queue_set.queue = SLICE("fresh");
    set.queue_set.has_weight = true;
    set.queue_set.weight = 7;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    struct valve_name names[] = {
        {.sort = VALVE_KIND, .name = SLICE("work")},
        {.sort = VALVE_GROUP, .queue = SLICE("mail"), .name = SLICE("g")},
        {.sort = VALVE_LIMITER, .name = SLICE("api")},
        {.sort = VALVE_LIMITER, .name = SLICE("fresh")},
    };
    for (size_t i = 0; i < hob_countof(names); i++) {
        struct command stop = named(COMMAND_VALVE_PAUSE);
        stop.valve_pause.valve = names[i];
        CHECK_EQUAL(rig_do(rig, stop), ANSWER_OK);
        struct command go = named(COMMAND_VALVE_RESUME);
        go.valve_resume.valve = names[i];
        CHECK_EQUAL(rig_do(rig, go), ANSWER_OK);
    }
    CHECK_EQUAL(rig_do(rig, worker_named("w2")), ANSWER_OK);
    struct command beat = named(COMMAND_WORKER_BEAT);
    beat.worker_beat.worker = SLICE("w2");
    CHECK_EQUAL(rig_do(rig, beat), ANSWER_OK);
    rig_end(rig);
}

/* Each chunk of a pool holds a thousand items, so what is refused is refused before it takes
 * one. */
TEST(at_the_ceiling_itself_only_what_would_stay_is_refused) {
    struct rig *rig = world();
    char name[NAME_BYTES_MAX + 1];
    uint64_t made = 0;
    struct command set;
    do {
        CHECK(++made < JOBS_MOST);
        int size = snprintf(name, sizeof name, "%0190llu", (unsigned long long)made);
        set = named(COMMAND_QUEUE_SET);
        set.queue_set.queue = slice_of(name, (size_t)size);
        set.queue_set.has_weight = true;
        set.queue_set.weight = 2;
        rig->event_count = 0;
    } while (rig_do(rig, set) == ANSWER_OK);
    CHECK_EQUAL(rig->last.code, ANSWER_MEMORY);
    CHECK_EQUAL(rig->last.retry_after_ns, NS_PER_SECOND);
    /* who would work it off may be new */
    CHECK_EQUAL(rig_do(rig, worker_named("another")), ANSWER_OK);
    struct command stop = named(COMMAND_VALVE_PAUSE);
    stop.valve_pause.valve = (struct valve_name){.sort = VALVE_LIMITER, .name = SLICE("other")};
    CHECK_EQUAL(rig_do(rig, stop), ANSWER_MEMORY);
    stop.valve_pause.valve.name = SLICE("api");
    CHECK_EQUAL(rig_do(rig, stop), ANSWER_OK);
    set.queue_set.queue = SLICE("mail");
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, worker_named("w1")), ANSWER_OK);
    uint64_t id = rig_fetch(rig, "mail");
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    rig_end(rig);
}

TEST(pushes_come_back_when_jobs_go_as_often_as_one_likes) {
    struct rig *rig = world();
    struct engine_stats stats;
    for (int round = 0; round < 3; round++) {
        engine_stats(rig->engine, &stats);
        CHECK(stats.memory_bytes >= CEILING / 5 * 4);
        uint64_t gone = 0;
        for (uint64_t id = 16; id < rig->last.id + JOBS_MOST && gone < 1500; id++) {
            struct job_view view;
            if (!engine_job(rig->engine, id, &view)) continue;
            CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, id), ANSWER_OK);
            rig->event_count = 0;
            gone++;
        }
        CHECK_EQUAL(gone, 1500);
        CHECK(fill(rig) > 1400);
    }
    rig_end(rig);
}

TESTS(
    pushes_lists_joins_children_and_new_texts_are_refused,
    what_is_known_is_answered_and_what_needs_no_room_is_changed,
    jobs_are_run_and_ended_in_every_way,
    what_is_there_is_set_paused_and_resumed_and_workers_come_and_go,
    at_the_ceiling_itself_only_what_would_stay_is_refused,
    pushes_come_back_when_jobs_go_as_often_as_one_likes
)
