/* SPDX-License-Identifier: Apache-2.0 */
/* The look at what is next says what the fetches after it get. */
#include <stdio.h>

#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/rig.h"

struct shape {
    const char *kind;
    const char *group;
    uint32_t priority;
    bool front;
};

static uint64_t push(struct rig *rig, struct shape shape) {
    struct command command = push_of("q");
    command.push.kind = slice_str(shape.kind);
    command.push.group = slice_str(shape.group);
    command.push.has_priority = shape.priority != 0;
    command.push.priority = shape.priority;
    command.push.front = shape.front;
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
    return rig->last.id;
}

/* All that wait, fetched one after the other, come as they were foretold. */
static void check_foretold(struct rig *rig, uint32_t count_wanted) {
    static uint64_t ids[NEXT_COUNT_MAX];
    uint32_t count = engine_next(rig->engine, SLICE("q"), NEXT_COUNT_MAX, ids);
    CHECK_EQUAL(count, count_wanted);
    for (uint32_t i = 0; i < count; i++) CHECK_EQUAL(rig_fetch(rig, "q"), ids[i]);
    CHECK_EQUAL(rig_fetch(rig, "q"), 0);
}

static void mix(struct rig *rig, uint32_t count) {
    static const char *const kinds[] = {"a", "b", "c"};
    static const char *const groups[] = {"", "g", "h", "i", "j"};
    uint32_t dice = 7;
    for (uint32_t i = 0; i < count; i++) {
        dice = dice * 1664525 + 1013904223;
        uint32_t at = dice >> 8;
        struct shape shape = {
            .kind = kinds[at % 3],
            .group = groups[at / 3 % 5],
            .priority = 1000 + at / 15 % 3,
            .front = at / 45 % 10 == 0,
        };
        (void)push(rig, shape);
    }
}

TEST(jobs_of_many_groups_kinds_and_priorities_come_as_foretold) {
    struct rig *rig = rig_new();
    mix(rig, 300);
    check_foretold(rig, 300);
    rig_end(rig);
}

TEST(so_does_a_stack) {
    struct rig *rig = rig_new();
    struct command command = {.type = COMMAND_QUEUE_SET};
    command.queue_set =
        (struct queue_set_command){.queue = SLICE("q"), .has_order = true, .order = QUEUE_LIFO};
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
    mix(rig, 300);
    check_foretold(rig, 300);
    rig_end(rig);
}

TEST(what_came_back_is_in_its_old_place) {
    struct rig *rig = rig_new();
    mix(rig, 100);
    uint64_t fetched[50];
    for (uint32_t i = 0; i < 50; i++) fetched[i] = rig_fetch(rig, "q");
    for (uint32_t i = 0; i < 50; i += 2) {
        struct command command = {.type = COMMAND_RELEASE};
        command.release.lease = rig_lease(rig, fetched[i]);
        CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
    }
    check_foretold(rig, 75);
    rig_end(rig);
}

TEST(a_lane_behind_one_whose_group_has_moved_on_is_not_missed) {
    struct rig *rig = rig_new();
    for (int i = 0; i < 3; i++) (void)push(rig, (struct shape){.kind = "a", .group = "g"});
    for (int i = 0; i < 3; i++) (void)push(rig, (struct shape){.kind = "b", .group = "g"});
    for (int i = 0; i < 3; i++) (void)push(rig, (struct shape){.kind = "b", .group = "h"});
    check_foretold(rig, 9);
    rig_end(rig);
}

TEST(looking_changes_nothing_and_a_short_look_is_the_start_of_a_long_one) {
    struct rig *rig = rig_new();
    mix(rig, 60);
    uint64_t all[60];
    uint64_t some[60];
    CHECK_EQUAL(engine_next(rig->engine, SLICE("q"), 60, all), 60);
    for (uint32_t count = 0; count < 60; count++) {
        CHECK_EQUAL(engine_next(rig->engine, SLICE("q"), count, some), count);
        CHECK(memcmp(some, all, count * sizeof *all) == 0);
    }
    engine_check(rig->engine);
    rig_end(rig);
}

TEST(a_closed_queue_is_looked_at_too_and_an_unknown_one_has_nothing) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "q");
    struct command pause = {.type = COMMAND_PAUSE, .pause = {.queue = SLICE("q")}};
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    uint64_t ids[1];
    CHECK_EQUAL(engine_next(rig->engine, SLICE("q"), 1, ids), 1);
    CHECK_EQUAL(ids[0], id);
    CHECK_EQUAL(engine_next(rig->engine, SLICE("nobody"), 1, ids), 0);
    rig_end(rig);
}

TESTS(
    jobs_of_many_groups_kinds_and_priorities_come_as_foretold,
    so_does_a_stack,
    what_came_back_is_in_its_old_place,
    a_lane_behind_one_whose_group_has_moved_on_is_not_missed,
    looking_changes_nothing_and_a_short_look_is_the_start_of_a_long_one,
    a_closed_queue_is_looked_at_too_and_an_unknown_one_has_nothing
)
