/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of pushes, all or none. The rig replays everything, and checks every invariant. */
#include "engine/pushall.h"

#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/rig.h"

enum { ITEMS = 3 };

static struct push_command items[ITEMS];

/* Three pushes to `mail`, to be changed. */
static struct command list_of_mail(void) {
    for (int i = 0; i < ITEMS; i++) items[i] = push_of("mail").push;
    return (struct command
    ){.type = COMMAND_PUSH_ALL, .push_all = {.pushes = items, .count = ITEMS}};
}

static uint64_t job_count(struct rig *rig) {
    struct engine_stats stats;
    engine_stats(rig->engine, &stats);
    return stats.jobs;
}

TEST(all_of_a_list_are_pushed) {
    struct rig *rig = rig_new();
    struct command list = list_of_mail();
    items[1].delay_ns = NS_PER_HOUR;
    CHECK_EQUAL(rig_do(rig, list), ANSWER_OK);
    CHECK_EQUAL(rig->last.pushed_count, 3);
    for (uint64_t i = 0; i < ITEMS; i++) {
        CHECK_EQUAL(rig->last.pushed[i].id, i + 1);
        CHECK(!rig->last.pushed[i].duplicate);
    }
    CHECK_EQUAL(rig->last.pushed[0].state, JOB_AVAILABLE);
    CHECK_EQUAL(rig->last.pushed[1].state, JOB_SCHEDULED);
    CHECK_EQUAL(job_count(rig), 3);
    rig_end(rig);
}

TEST(or_none_because_of_one_that_is_named) {
    struct rig *rig = rig_new();
    struct command list = list_of_mail();
    items[2].kind = SLICE("no name");
    CHECK_EQUAL(rig_do(rig, list), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig->last.item, 3);
    CHECK_EQUAL(job_count(rig), 0);
    list = list_of_mail();
    items[1].payload.size = PAYLOAD_BYTES_MAX + 1;
    CHECK_EQUAL(rig_do(rig, list), ANSWER_TOO_LARGE);
    CHECK_EQUAL(rig->last.item, 2);
    list.push_all.count = 0;
    CHECK_EQUAL(rig_do(rig, list), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig->last.item, 0);
    CHECK_EQUAL(job_count(rig), 0);
    rig_end(rig);
}

TEST(a_duplicate_is_no_refusal) {
    struct rig *rig = rig_new();
    struct command first = push_of("mail");
    first.push.key = SLICE("a");
    CHECK_EQUAL(rig_do(rig, first), ANSWER_OK);
    struct command list = list_of_mail();
    items[0].key = SLICE("a");
    items[1].key = SLICE("b");
    items[2].key = SLICE("b");
    CHECK_EQUAL(rig_do(rig, list), ANSWER_OK);
    CHECK_EQUAL(rig->last.pushed[0].id, 1);
    CHECK(rig->last.pushed[0].duplicate);
    CHECK_EQUAL(rig->last.pushed[1].id, 2);
    CHECK(!rig->last.pushed[1].duplicate);
    CHECK_EQUAL(rig->last.pushed[2].id, 2);
    CHECK(rig->last.pushed[2].duplicate);
    /* The same list again adds nothing. */
    CHECK_EQUAL(rig_do(rig, list), ANSWER_OK);
    CHECK_EQUAL(job_count(rig), 2);
    rig_end(rig);
}

TEST(the_room_of_a_queue_is_that_beside_the_items_before) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set.queue = SLICE("mail");
    set.queue_set.has_length = true;
    set.queue_set.length = 2;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    struct command list = list_of_mail();
    CHECK_EQUAL(rig_do(rig, list), ANSWER_QUEUE_FULL);
    CHECK_EQUAL(rig->last.item, 3);
    CHECK_EQUAL(job_count(rig), 0);
    items[1].queue = SLICE("other");
    CHECK_EQUAL(rig_do(rig, list), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, list), ANSWER_QUEUE_FULL);
    CHECK_EQUAL(rig->last.item, 1);
    rig_end(rig);
}

TEST(unique_keys_are_held_by_the_items_before) {
    struct rig *rig = rig_new();
    struct command list = list_of_mail();
    items[0].unique = items[2].unique = SLICE("u");
    CHECK_EQUAL(rig_do(rig, list), ANSWER_OK);
    CHECK_EQUAL(rig->last.pushed[2].id, 1);
    CHECK(rig->last.pushed[2].duplicate);
    items[0].unique = items[2].unique = SLICE("v");
    items[2].on_conflict = CONFLICT_REJECT;
    CHECK_EQUAL(rig_do(rig, list), ANSWER_UNIQUE);
    CHECK_EQUAL(rig->last.item, 3);
    CHECK_EQUAL(rig->last.id, 0);
    items[0].unique = SLICE("w");
    items[2].unique = SLICE("u");
    CHECK_EQUAL(rig_do(rig, list), ANSWER_UNIQUE);
    CHECK_EQUAL(rig->last.id, 1);
    CHECK_EQUAL(job_count(rig), 2);
    /* A job that holds its key only while it runs leaves it to the next. */
    list = list_of_mail();
    items[0].unique = items[1].unique = SLICE("x");
    items[0].unique_scope = UNIQUE_RUNNING;
    items[1].on_conflict = CONFLICT_REJECT;
    CHECK_EQUAL(rig_do(rig, list), ANSWER_OK);
    rig_end(rig);
}

TEST(a_list_replaces_nothing) {
    struct rig *rig = rig_new();
    struct command list = list_of_mail();
    items[1].unique = SLICE("u");
    items[1].on_conflict = CONFLICT_REPLACE;
    CHECK_EQUAL(rig_do(rig, list), ANSWER_BAD_ARGUMENT);
    CHECK_STR(rig->last.detail, "on_conflict is existing or reject where all are pushed or none");
    CHECK_EQUAL(rig->last.item, 2);
    items[1].on_conflict = CONFLICT_EXISTING;
    items[1].unique_scope = UNIQUE_WAITING;
    items[1].merge = MERGE_LAST;
    CHECK_EQUAL(rig_do(rig, list), ANSWER_BAD_ARGUMENT);
    CHECK_STR(rig->last.detail, "merge is not for pushes that are all done or none");
    rig_end(rig);
}

TEST(a_list_is_bounded_in_bytes) {
    static char payload[PAYLOAD_BYTES_MAX];
    struct rig *rig = rig_new();
    struct command list = list_of_mail();
    for (int i = 0; i < ITEMS; i++) items[i].payload = slice_of(payload, sizeof payload - 4096);
    CHECK_EQUAL(rig_do(rig, list), ANSWER_TOO_LARGE);
    CHECK_EQUAL(rig->last.item, 3);
    items[2].payload = SLICE_NONE;
    CHECK_EQUAL(rig_do(rig, list), ANSWER_OK);
    rig_end(rig);
}

TEST(a_long_list_is_pushed_and_waiting_workers_get_theirs) {
    enum { JOBS = EVENTS_MAX - 10 };
    struct rig *rig = rig_new();
    struct slice queue = SLICE("mail");
    struct command fetch = {
        .type = COMMAND_FETCH,
        .fetch = {
            .worker = SLICE("w"),
            .queues = &queue,
            .queue_count = 1,
            .count = 2,
            .wait_ns = NS_PER_MINUTE,
        }};
    CHECK_EQUAL(rig_do(rig, fetch), ANSWER_WAITING);
    static struct push_command many[PUSH_ALL_JOBS_MAX + 1];
    for (size_t i = 0; i < PUSH_ALL_JOBS_MAX + 1; i++) many[i] = push_of("mail").push;
    struct command list = {
        .type = COMMAND_PUSH_ALL,
        .push_all = {.pushes = many, .count = PUSH_ALL_JOBS_MAX + 1},
    };
    CHECK_EQUAL(rig_do(rig, list), ANSWER_BAD_ARGUMENT);
    list.push_all.count = JOBS;
    CHECK_EQUAL(rig_do(rig, list), ANSWER_OK);
    CHECK_EQUAL(rig->late[0].job_count, 2);
    CHECK_EQUAL(job_count(rig), JOBS);
    rig_end(rig);
}

TESTS(
    all_of_a_list_are_pushed,
    or_none_because_of_one_that_is_named,
    a_duplicate_is_no_refusal,
    the_room_of_a_queue_is_that_beside_the_items_before,
    unique_keys_are_held_by_the_items_before,
    a_list_replaces_nothing,
    a_list_is_bounded_in_bytes,
    a_long_list_is_pushed_and_waiting_workers_get_theirs
)
