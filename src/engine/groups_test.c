/* SPDX-License-Identifier: Apache-2.0 */
/* Turns between groups, and jobs that go to the front. */
#include <stdio.h>

#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/rig.h"

static uint64_t push(struct rig *rig, const char *group) {
    struct command command = push_of("q");
    command.push.group = slice_str(group);
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
    return rig->last.id;
}

/* The groups of the next jobs, a character each; `-` is none. */
static void check_order(struct rig *rig, const char *wanted) {
    char got[64] = {0};
    size_t size = 0;
    for (; size < strlen(wanted); size++) {
        uint64_t id = rig_fetch(rig, "q");
        if (id == 0) break;
        struct job_view job = rig_job(rig, id);
        got[size] = '-';
        if (job.group.size > 0) got[size] = job.group.bytes[0];
    }
    CHECK(strcmp(got, wanted) == 0);
}

TEST(groups_take_turns_however_many_jobs_each_has) {
    struct rig *rig = rig_new();
    for (int i = 0; i < 6; i++) push(rig, "a");
    for (int i = 0; i < 2; i++) push(rig, "b");
    for (int i = 0; i < 2; i++) push(rig, "");
    check_order(rig, "ab-ab-aaaa");
    rig_end(rig);
}

TEST(a_group_that_comes_later_claims_no_turns_that_it_did_not_take) {
    struct rig *rig = rig_new();
    for (int i = 0; i < 9; i++) push(rig, "a");
    for (int i = 0; i < 5; i++) push(rig, "b");
    check_order(rig, "abababab");
    for (int i = 0; i < 3; i++) push(rig, "c");
    check_order(rig, "abcac");
    check_order(rig, "aca");
    rig_end(rig);
}

TEST(ever_new_groups_do_not_starve_an_old_one) {
    struct rig *rig = rig_new();
    char name[8];
    uint32_t old = 0;
    for (int i = 0; i < 50; i++) push(rig, "old");
    push(rig, "x");
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "n%d", i);
        push(rig, name);
        uint64_t id = rig_fetch(rig, "q");
        if (slice_equal(rig_job(rig, id).group, SLICE("old"))) old++;
    }
    CHECK(old >= 5);
    rig_end(rig);
}

TEST(priority_goes_before_fairness) {
    struct rig *rig = rig_new();
    for (int i = 0; i < 3; i++) push(rig, "a");
    struct command urgent = push_of("q");
    urgent.push.group = SLICE("a");
    urgent.push.has_priority = true;
    urgent.push.priority = 1;
    push(rig, "b");
    CHECK_EQUAL(rig_do(rig, urgent), ANSWER_OK);
    uint64_t id = rig->last.id;
    CHECK_EQUAL(rig_fetch(rig, "q"), id);
    rig_end(rig);
}

TEST(the_newest_front_goes_first_in_a_queue_and_in_a_stack) {
    static const enum queue_order orders[] = {QUEUE_FIFO, QUEUE_LIFO};
    for (size_t i = 0; i < 2; i++) {
        struct rig *rig = rig_new();
        struct command set = {
            .type = COMMAND_QUEUE_SET,
            .queue_set = {.queue = SLICE("q"), .has_order = true, .order = orders[i]},
        };
        CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
        uint64_t first = rig_push(rig, "q");
        struct command front = push_of("q");
        front.push.front = true;
        CHECK_EQUAL(rig_do(rig, front), ANSWER_OK);
        uint64_t older = rig->last.id;
        CHECK_EQUAL(rig_do(rig, front), ANSWER_OK);
        uint64_t newer = rig->last.id;
        uint64_t last = rig_push(rig, "q");
        CHECK_EQUAL(rig_fetch(rig, "q"), newer);
        CHECK_EQUAL(rig_fetch(rig, "q"), older);
        CHECK_EQUAL(rig_fetch(rig, "q"), i == 0 ? first : last);
        rig_end(rig);
    }
}

TEST(an_update_moves_a_job_to_another_group) {
    struct rig *rig = rig_new();
    push(rig, "a");
    uint64_t moved = push(rig, "a");
    struct command update = {.type = COMMAND_UPDATE, .update = {.id = moved}};
    update.update.has.group = true;
    update.update.to.group = SLICE("b");
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK(slice_equal(rig_job(rig, moved).group, SLICE("b")));
    check_order(rig, "ab");
    rig_end(rig);
}

TEST(a_bad_name_of_a_group_is_refused) {
    struct rig *rig = rig_new();
    struct command command = push_of("q");
    command.push.group = SLICE("a b");
    CHECK_EQUAL(rig_do(rig, command), ANSWER_BAD_ARGUMENT);
    rig_end(rig);
}

TESTS(
    groups_take_turns_however_many_jobs_each_has,
    a_group_that_comes_later_claims_no_turns_that_it_did_not_take,
    ever_new_groups_do_not_starve_an_old_one,
    priority_goes_before_fairness,
    the_newest_front_goes_first_in_a_queue_and_in_a_stack,
    an_update_moves_a_job_to_another_group,
    a_bad_name_of_a_group_is_refused
)
