/* SPDX-License-Identifier: Apache-2.0 */
/* Estimates beside the truth, at paces that are known. */
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/rig.h"

enum { SLOTS_MAX = 64 };

static hob_ns estimate(const struct rig *rig, uint64_t id) {
    return engine_estimate(rig->engine, rig->now_ns, id);
}

/* Within a factor of two. */
static bool is_about(hob_ns got_ns, hob_ns wanted_ns) {
    return got_ns >= wanted_ns / 2 && got_ns <= 2 * wanted_ns;
}

/* All slots end at once and take the next jobs, @rounds times. They stay taken. */
static void work_in_step(struct rig *rig, uint32_t slots, uint32_t rounds, hob_ns run_ns) {
    uint64_t ids[SLOTS_MAX];
    CHECK(slots <= SLOTS_MAX);
    for (uint32_t i = 0; i < slots; i++) ids[i] = rig_fetch(rig, "q");
    while (rounds-- > 0) {
        rig_advance(rig, run_ns);
        for (uint32_t i = 0; i < slots; i++) {
            CHECK_EQUAL(rig_ack(rig, rig_lease(rig, ids[i])), ANSWER_OK);
            ids[i] = rig_fetch(rig, "q");
        }
    }
}

static uint64_t push_many(struct rig *rig, uint32_t count) {
    uint64_t last = 0;
    for (uint32_t i = 0; i < count; i++) last = rig_push(rig, "q");
    return last;
}

TEST(of_a_queue_that_has_done_nothing_and_of_final_jobs_nothing_is_known) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "q");
    CHECK_EQUAL(estimate(rig, id), 0);
    CHECK_EQUAL(estimate(rig, 4711), 0);
    CHECK_EQUAL(rig_fetch(rig, "q"), id);
    CHECK(rig_ack(rig, rig_lease(rig, id)) == ANSWER_OK);
    CHECK_EQUAL(estimate(rig, id), 0);
    rig_end(rig);
}

TEST(the_last_of_a_queue_waits_for_the_others_at_the_pace_of_all_slots) {
    static const uint32_t slots[] = {1, 2, 3, 16, 64};
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        for (uint32_t rounds = 1; rounds <= 8; rounds++) {
            struct rig *rig = rig_new();
            hob_ns run_ns = 100 * NS_PER_MS;
            uint64_t last = push_many(rig, slots[i] * 20);
            work_in_step(rig, slots[i], rounds, run_ns);
            CHECK(is_about(estimate(rig, last), (20 - rounds) * run_ns));
            rig_end(rig);
        }
    }
}

TEST(a_job_in_the_middle_waits_for_half_and_a_more_urgent_one_for_nobody) {
    struct rig *rig = rig_new();
    hob_ns run_ns = 100 * NS_PER_MS;
    uint64_t last = push_many(rig, 204);
    work_in_step(rig, 2, 2, run_ns);
    hob_ns of_last_ns = estimate(rig, last);
    CHECK(is_about(2 * estimate(rig, last - 100), of_last_ns));
    CHECK(estimate(rig, last - 100) < estimate(rig, last - 50));
    struct command urgent = push_of("q");
    urgent.push.has_priority = true;
    urgent.push.priority = 1;
    CHECK_EQUAL(rig_do(rig, urgent), ANSWER_OK);
    CHECK(estimate(rig, rig->last.id) <= 2 * run_ns);
    CHECK(estimate(rig, last) > of_last_ns);
    rig_end(rig);
}

TEST(in_a_stack_the_newest_is_the_next) {
    struct rig *rig = rig_new();
    struct command lifo = {.type = COMMAND_QUEUE_SET};
    lifo.queue_set =
        (struct queue_set_command){.queue = SLICE("q"), .has_order = true, .order = QUEUE_LIFO};
    CHECK_EQUAL(rig_do(rig, lifo), ANSWER_OK);
    uint64_t last = push_many(rig, 100);
    work_in_step(rig, 2, 4, 100 * NS_PER_MS);
    uint64_t newest = rig_push(rig, "q");
    CHECK(estimate(rig, newest) <= 200 * NS_PER_MS);
    CHECK(is_about(estimate(rig, last - 99), 45 * 100 * NS_PER_MS));
    rig_end(rig);
}

TEST(time_without_work_or_without_workers_does_not_slow_the_pace) {
    struct rig *rig = rig_new();
    hob_ns run_ns = 100 * NS_PER_MS;
    for (int day = 0; day < 3; day++) {
        push_many(rig, 40);
        work_in_step(rig, 2, 20, run_ns);
        rig_advance(rig, NS_PER_HOUR);
    }
    push_many(rig, 60);
    work_in_step(rig, 2, 10, run_ns);
    rig_advance(rig, 2 * LEASE_DEFAULT_NS); /* the workers are gone, and their leases over */
    rig_advance(rig, NS_PER_HOUR);
    uint64_t last = rig_push(rig, "q");
    work_in_step(rig, 2, 10, run_ns);
    hob_ns truth_ns = 16 * run_ns;
    CHECK(is_about(estimate(rig, last), truth_ns));
    rig_end(rig);
}

TEST(a_running_job_needs_what_is_left_of_the_mean_and_a_slow_one_a_while_more) {
    struct rig *rig = rig_new();
    hob_ns run_ns = 8 * NS_PER_SECOND;
    push_many(rig, 4);
    work_in_step(rig, 1, 3, run_ns);
    rig_advance(rig, 2 * NS_PER_SECOND);
    CHECK(is_about(estimate(rig, 4), 6 * NS_PER_SECOND));
    rig_advance(rig, 10 * NS_PER_SECOND);
    CHECK(is_about(estimate(rig, 4), 3 * NS_PER_SECOND));
    rig_end(rig);
}

TEST(a_job_with_a_time_to_come_waits_for_it_and_for_what_is_not_done_by_then) {
    struct rig *rig = rig_new();
    hob_ns run_ns = 100 * NS_PER_MS;
    struct command later = push_of("q");
    later.push.delay_ns = 60 * NS_PER_SECOND;
    CHECK_EQUAL(rig_do(rig, later), ANSWER_OK);
    uint64_t id = rig->last.id;
    CHECK_EQUAL(estimate(rig, id), 61 * NS_PER_SECOND);
    push_many(rig, 100);
    work_in_step(rig, 2, 10, run_ns);
    CHECK(is_about(estimate(rig, id), 59 * NS_PER_SECOND));
    rig_end(rig);
}

TEST(a_paused_queue_moves_on_when_its_pause_is_over_if_that_is_known) {
    struct rig *rig = rig_new();
    push_many(rig, 40);
    work_in_step(rig, 2, 10, 100 * NS_PER_MS);
    uint64_t last = rig_push(rig, "q");
    struct command pause = {.type = COMMAND_PAUSE};
    pause.pause =
        (struct pause_command){.queue = SLICE("q"), .until_ns = rig->now_ns + 60 * NS_PER_SECOND};
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    CHECK(is_about(estimate(rig, last), 61 * NS_PER_SECOND));
    CHECK(estimate(rig, last) > 60 * NS_PER_SECOND);
    pause.pause.until_ns = 0;
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    CHECK_EQUAL(estimate(rig, last), 0);
    rig_end(rig);
}

TESTS(
    of_a_queue_that_has_done_nothing_and_of_final_jobs_nothing_is_known,
    the_last_of_a_queue_waits_for_the_others_at_the_pace_of_all_slots,
    a_job_in_the_middle_waits_for_half_and_a_more_urgent_one_for_nobody,
    in_a_stack_the_newest_is_the_next,
    time_without_work_or_without_workers_does_not_slow_the_pace,
    a_running_job_needs_what_is_left_of_the_mean_and_a_slow_one_a_while_more,
    a_job_with_a_time_to_come_waits_for_it_and_for_what_is_not_done_by_then,
    a_paused_queue_moves_on_when_its_pause_is_over_if_that_is_known
)
