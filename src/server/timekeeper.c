/* SPDX-License-Identifier: Apache-2.0 */
/* One reading after the other: how much time has passed since the last one, by which clock, and how
 * far that is from the wall clock. doc/decisions/0018 says why so. */
#include "server/timekeeper.h"

/* Two clocks that are read one after the other differ a little; a machine sleeps longer. */
#define SLEPT_MIN_NS (100 * NS_PER_MS)
#define NEARLY_NS    NS_PER_SECOND

static hob_ns since(hob_ns now_ns, hob_ns then_ns) {
    return now_ns > then_ns ? now_ns - then_ns : 0;
}

static hob_ns smaller(hob_ns a, hob_ns b) {
    return a < b ? a : b;
}

void timekeeper_init(
    struct timekeeper *keeper, const struct clock_reading *reading, hob_ns reached_ns
) {
    *keeper = (struct timekeeper){
        .last = *reading,
        .now_ns = reading->wall_ns > reached_ns ? reading->wall_ns : reached_ns,
    };
}

static void jump_note(struct timekeeper *keeper, struct clock_jump jump) {
    keeper->jumps[jump.cause]++;
    keeper->jumped_ns = ns_add(keeper->jumped_ns, jump.by_ns);
    keeper->last_jump = jump;
    keeper->last_jump_ns = keeper->now_ns;
}

/* The parts of a jump make one; what was most of it gives it its name. */
static struct clock_jump jump_of(hob_ns step_ns, hob_ns slept_ns, hob_ns frozen_ns) {
    struct clock_jump jump = {.cause = CLOCK_STEP};
    if (slept_ns > step_ns) jump.cause = CLOCK_SUSPEND;
    if (frozen_ns > step_ns && frozen_ns > slept_ns) jump.cause = CLOCK_FREEZE;
    jump.by_ns = ns_add(step_ns, ns_add(slept_ns, frozen_ns));
    if (jump.by_ns <= TIMEKEEPER_JUMP_NS) jump.by_ns = 0;
    return jump;
}

/* The wall clock against engine time, told when it changes. */
static void ahead_note(struct timekeeper *keeper, struct clock_news *news) {
    hob_ns ahead_ns = since(keeper->now_ns, keeper->last.wall_ns);
    news->falls_behind = !keeper->is_ahead && ahead_ns > TIMEKEEPER_JUMP_NS;
    news->catches_up = keeper->is_ahead && ahead_ns < NEARLY_NS;
    if (news->falls_behind) keeper->is_ahead = true;
    if (news->catches_up) keeper->is_ahead = false;
}

hob_ns timekeeper_turn(
    struct timekeeper *keeper, const struct clock_reading *reading, struct clock_news *ret_news
) {
    hob_ns passed_ns = since(reading->monotonic_ns, keeper->last.monotonic_ns);
    hob_ns slept_ns = since(since(reading->boot_ns, keeper->last.boot_ns), passed_ns);
    if (slept_ns < SLEPT_MIN_NS) slept_ns = 0;
    hob_ns step_ns = 0;
    hob_ns now_ns = ns_add(keeper->now_ns, ns_add(passed_ns, slept_ns));
    hob_ns slew_ns = passed_ns / TIMEKEEPER_SLEW;
    if (now_ns > reading->wall_ns) {
        now_ns -= smaller(now_ns - reading->wall_ns, slew_ns);
    } else if (reading->wall_ns - now_ns > TIMEKEEPER_JUMP_NS) {
        step_ns = reading->wall_ns - now_ns;
        now_ns = reading->wall_ns;
    } else {
        now_ns += smaller(reading->wall_ns - now_ns, slew_ns);
    }
    keeper->now_ns = now_ns;
    keeper->last = *reading;
    /* A gap of less is what a turn that took long and the tick behind it come to. */
    bool is_frozen = passed_ns > TIMEKEEPER_JUMP_NS + TIMEKEEPER_TICK_NS;
    *ret_news = (struct clock_news){.jump = jump_of(step_ns, slept_ns, is_frozen ? passed_ns : 0)};
    if (ret_news->jump.by_ns > 0) jump_note(keeper, ret_news->jump);
    ahead_note(keeper, ret_news);
    return now_ns;
}

hob_ns timekeeper_at(const struct timekeeper *keeper, hob_ns monotonic_ns) {
    return ns_add(keeper->now_ns, since(monotonic_ns, keeper->last.monotonic_ns));
}

int64_t timekeeper_ahead(const struct timekeeper *keeper) {
    return (int64_t)(keeper->now_ns - keeper->last.wall_ns);
}
