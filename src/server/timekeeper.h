/* SPDX-License-Identifier: Apache-2.0 */
/* Engine time: what the engine is told the time is. It never goes back, runs with the monotonic
 * clock, and follows the wall clock:
 *
 *     a little off         (both ways) slower or faster by at most a twentieth until it is right
 *     wall clock far ahead (5 s) at once: a jump
 *     wall clock behind    never back; time goes on, slower by a twentieth, until the wall clock
 *                          has caught up
 *     the machine slept    forward by that: a jump
 *     no turn for 5 s      the process was stopped or held up: time has gone on, and that nobody
 *                          could reach the server is a jump, too
 *
 * Pure: readings are given to it. */
#ifndef HOB_SERVER_TIMEKEEPER_H
#define HOB_SERVER_TIMEKEEPER_H

#include <stdbool.h>

#include "base/time.h"
#include "engine/states.h"
#include "os/clock.h"

#define TIMEKEEPER_JUMP_NS (5 * NS_PER_SECOND) /* what is more than this is a jump */
#define TIMEKEEPER_TICK_NS NS_PER_SECOND       /* there is a turn at least this often */

enum { TIMEKEEPER_SLEW = 20 }; /* of so much time one part is taken away or added */

/* For so long nobody could reach the server, or this time never was. */
struct clock_jump {
    hob_ns by_ns; /* 0: none */
    enum clock_cause cause;
};

struct timekeeper {
    struct clock_reading last;
    hob_ns now_ns;
    bool is_ahead; /* of the wall clock, by more than a jump; told */
    uint64_t jumps[CLOCK_CAUSE_COUNT];
    hob_ns jumped_ns; /* all of them together */
    struct clock_jump last_jump;
    hob_ns last_jump_ns; /* when: engine time after it */
};

struct clock_news {
    struct clock_jump jump;
    bool falls_behind; /* the wall clock stands more than 5 s behind engine time */
    bool catches_up;   /* it does so no more */
};

/** Begin at the wall clock's time, or at @reached_ns (of the journal) when that is later. */
void timekeeper_init(
    struct timekeeper *keeper, const struct clock_reading *reading, hob_ns reached_ns
);

/** The time of a turn that begins now; what has happened since the last one is in @ret_news. */
hob_ns timekeeper_turn(
    struct timekeeper *keeper, const struct clock_reading *reading, struct clock_news *ret_news
);

/** About now, between two turns. */
hob_ns timekeeper_at(const struct timekeeper *keeper, hob_ns monotonic_ns);

/** By how much engine time is ahead of the wall clock; negative: behind it. */
int64_t timekeeper_ahead(const struct timekeeper *keeper);

#endif
