/* SPDX-License-Identifier: Apache-2.0 */
/* Engine time in fake clocks. */
#include "server/timekeeper.h"

#include "base/test.h"

#define START_NS (UINT64_C(1767229200) * NS_PER_SECOND)

struct rig {
    struct clock_reading clocks;
    struct timekeeper keeper;
    struct clock_news news;
    hob_ns now_ns;
};

static void turn(struct rig *rig) {
    hob_ns before_ns = rig->now_ns;
    rig->now_ns = timekeeper_turn(&rig->keeper, &rig->clocks, &rig->news);
    CHECK(rig->now_ns >= before_ns); /* never back */
}

static void pass(struct rig *rig, hob_ns span_ns) {
    rig->clocks.wall_ns += span_ns;
    rig->clocks.monotonic_ns += span_ns;
    rig->clocks.boot_ns += span_ns;
}

/* Turns of 100 ms for @span_ns; nothing is to happen in them. */
static void run(struct rig *rig, hob_ns span_ns) {
    for (hob_ns at_ns = 0; at_ns < span_ns; at_ns += 100 * NS_PER_MS) {
        pass(rig, 100 * NS_PER_MS);
        turn(rig);
        CHECK_EQUAL(rig->news.jump.by_ns, 0);
    }
}

static struct rig rig_new(hob_ns reached_ns) {
    struct rig rig = {.clocks = {.wall_ns = START_NS, .monotonic_ns = 50, .boot_ns = 90}};
    timekeeper_init(&rig.keeper, &rig.clocks, reached_ns);
    rig.now_ns = rig.keeper.now_ns;
    return rig;
}

static void check_jump(const struct rig *rig, hob_ns by_ns, enum clock_cause cause) {
    CHECK_EQUAL(rig->news.jump.by_ns, by_ns);
    CHECK_EQUAL(rig->news.jump.cause, cause);
}

TEST(it_is_the_wall_clock_as_long_as_nothing_happens) {
    struct rig rig = rig_new(0);
    run(&rig, NS_PER_MINUTE);
    CHECK_EQUAL(rig.now_ns, rig.clocks.wall_ns);
    CHECK_EQUAL(timekeeper_ahead(&rig.keeper), 0);
    CHECK_EQUAL(timekeeper_at(&rig.keeper, rig.clocks.monotonic_ns + 7), rig.now_ns + 7);
    CHECK_EQUAL(timekeeper_at(&rig.keeper, rig.clocks.monotonic_ns - 7), rig.now_ns);
}

TEST(a_step_forward_is_a_jump) {
    struct rig rig = rig_new(0);
    run(&rig, NS_PER_SECOND);
    rig.clocks.wall_ns += NS_PER_HOUR;
    pass(&rig, NS_PER_SECOND);
    turn(&rig);
    check_jump(&rig, NS_PER_HOUR, CLOCK_STEP);
    CHECK_EQUAL(rig.now_ns, rig.clocks.wall_ns);
    run(&rig, NS_PER_SECOND);
    CHECK_EQUAL(rig.keeper.jumps[CLOCK_STEP], 1);
    CHECK_EQUAL(rig.keeper.jumped_ns, NS_PER_HOUR);
    CHECK_EQUAL(rig.keeper.last_jump_ns + NS_PER_SECOND, rig.now_ns);
}

TEST(a_small_step_forward_is_made_up_for) {
    struct rig rig = rig_new(0);
    rig.clocks.wall_ns += TIMEKEEPER_JUMP_NS;
    run(&rig, 99 * NS_PER_SECOND);
    CHECK(rig.now_ns < rig.clocks.wall_ns);
    CHECK_EQUAL(timekeeper_ahead(&rig.keeper), -(int64_t)(50 * NS_PER_MS));
    run(&rig, NS_PER_SECOND);
    CHECK_EQUAL(rig.now_ns, rig.clocks.wall_ns);
}

TEST(a_step_back_is_never_taken) {
    struct rig rig = rig_new(0);
    rig.clocks.wall_ns -= NS_PER_HOUR;
    hob_ns before_ns = rig.now_ns;
    pass(&rig, NS_PER_SECOND);
    turn(&rig);
    CHECK_EQUAL(rig.news.jump.by_ns, 0);
    CHECK(rig.news.falls_behind);
    CHECK_EQUAL(rig.now_ns, before_ns + NS_PER_SECOND - NS_PER_SECOND / TIMEKEEPER_SLEW);
    run(&rig, TIMEKEEPER_SLEW * NS_PER_HOUR - 100 * NS_PER_SECOND);
    CHECK(!rig.news.falls_behind); /* told once */
    CHECK(!rig.news.catches_up);
    CHECK(rig.keeper.is_ahead);
    for (int i = 0; i < 900 && !rig.news.catches_up; i++) run(&rig, 100 * NS_PER_MS);
    CHECK(rig.news.catches_up);
    run(&rig, NS_PER_MINUTE);
    CHECK_EQUAL(rig.now_ns, rig.clocks.wall_ns);
}

TEST(drift_is_followed_without_a_word) {
    struct rig rig = rig_new(0);
    for (int direction = 0; direction < 2; direction++) {
        for (int i = 0; i < 10000; i++) {
            pass(&rig, 100 * NS_PER_MS);
            rig.clocks.wall_ns += direction == 0 ? NS_PER_MS : (hob_ns)0 - NS_PER_MS; /* 1 % */
            turn(&rig);
            CHECK_EQUAL(rig.news.jump.by_ns, 0);
            CHECK(!rig.news.falls_behind);
            CHECK_EQUAL(timekeeper_ahead(&rig.keeper), 0);
        }
    }
}

TEST(a_machine_that_sleeps_jumps) {
    struct rig rig = rig_new(0);
    run(&rig, NS_PER_SECOND);
    rig.clocks.wall_ns += NS_PER_DAY;
    rig.clocks.boot_ns += NS_PER_DAY;
    pass(&rig, NS_PER_MS);
    turn(&rig);
    check_jump(&rig, NS_PER_DAY, CLOCK_SUSPEND);
    CHECK_EQUAL(rig.now_ns, rig.clocks.wall_ns);
    /* A wall clock that was not put right after it: time has gone on all the same. */
    rig.clocks.boot_ns += NS_PER_HOUR;
    pass(&rig, NS_PER_MS);
    turn(&rig);
    check_jump(&rig, NS_PER_HOUR, CLOCK_SUSPEND);
    CHECK(rig.news.falls_behind);
}

TEST(a_frozen_process_jumps) {
    struct rig rig = rig_new(0);
    run(&rig, NS_PER_SECOND);
    pass(&rig, TIMEKEEPER_JUMP_NS + TIMEKEEPER_TICK_NS);
    turn(&rig);
    CHECK_EQUAL(rig.news.jump.by_ns, 0);
    pass(&rig, TIMEKEEPER_JUMP_NS + TIMEKEEPER_TICK_NS + 1);
    turn(&rig);
    check_jump(&rig, TIMEKEEPER_JUMP_NS + TIMEKEEPER_TICK_NS + 1, CLOCK_FREEZE);
    CHECK_EQUAL(rig.now_ns, rig.clocks.wall_ns);
    CHECK_EQUAL(rig.keeper.jumps[CLOCK_FREEZE], 1);
}

TEST(what_comes_together_is_one_jump) {
    struct rig rig = rig_new(0);
    rig.clocks.wall_ns += NS_PER_HOUR;
    pass(&rig, NS_PER_MINUTE);
    turn(&rig);
    CHECK_EQUAL(rig.now_ns, rig.clocks.wall_ns);
    check_jump(&rig, NS_PER_HOUR + NS_PER_MINUTE, CLOCK_STEP);
}

/* A process that is stopped between the readings of two clocks. */
TEST(clocks_that_are_read_apart_do_not_sleep) {
    struct rig rig = rig_new(0);
    rig.clocks.boot_ns += 50 * NS_PER_MS;
    pass(&rig, NS_PER_SECOND);
    turn(&rig);
    CHECK_EQUAL(rig.now_ns, rig.clocks.wall_ns);
}

TEST(a_restart_begins_where_the_journal_ends) {
    struct rig rig = rig_new(START_NS - NS_PER_HOUR);
    CHECK_EQUAL(rig.now_ns, START_NS);
    static const hob_ns years = 365 * NS_PER_DAY;
    rig = rig_new(START_NS + years);
    CHECK_EQUAL(rig.now_ns, START_NS + years);
    turn(&rig);
    CHECK(rig.news.falls_behind);
    CHECK_EQUAL(timekeeper_ahead(&rig.keeper), years);
    run(&rig, NS_PER_MINUTE);
    CHECK_EQUAL(timekeeper_ahead(&rig.keeper), years - NS_PER_MINUTE / TIMEKEEPER_SLEW);
    /* And a wall clock that comes right behind that. */
    rig.clocks.wall_ns += years + NS_PER_HOUR;
    turn(&rig);
    CHECK(rig.news.catches_up);
    CHECK_EQUAL(rig.now_ns, rig.clocks.wall_ns);
    CHECK_EQUAL(rig.news.jump.cause, CLOCK_STEP);
}

TESTS(
    it_is_the_wall_clock_as_long_as_nothing_happens,
    a_step_forward_is_a_jump,
    a_small_step_forward_is_made_up_for,
    a_step_back_is_never_taken,
    drift_is_followed_without_a_word,
    a_machine_that_sleeps_jumps,
    a_frozen_process_jumps,
    what_comes_together_is_one_jump,
    clocks_that_are_read_apart_do_not_sleep,
    a_restart_begins_where_the_journal_ends
)
