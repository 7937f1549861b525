/* SPDX-License-Identifier: Apache-2.0 */
/* How long a loop is away: of each stretch of work the processor time that it took (its own work),
 * the time that went by (with what the machine did meanwhile), page faults and how often it was
 * put aside; the longest stretches are kept whole. */
#ifndef HOB_BENCH_PAUSES_H
#define HOB_BENCH_PAUSES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/time.h"

enum { PAUSES_WORST = 5, PAUSES_RING = 1 << 20, PAUSES_WHAT_BYTES = 64 };

struct pause {
    hob_ns own_ns;
    hob_ns wall_ns;
    long faults;
    long put_aside; /* times that another got the processor instead */
    uint64_t number;
    char what[PAUSES_WHAT_BYTES];
};

struct pauses {
    hob_ns *spans; /* own work of the latest stretches, a ring */
    uint64_t count;
    uint64_t over; /* stretches of more than PAUSE_LIMIT_NS */
    hob_ns longest_wall_ns;
    struct pause worst[PAUSES_WORST]; /* by own work, longest first */
    struct pause now;
};

#define PAUSE_LIMIT_NS (5 * NS_PER_MS)

/** No stretch yet; room for PAUSES_RING of them, touched so that measuring faults no page. */
void pauses_init(struct pauses *pauses);

/** Free it. */
void pauses_deinit(struct pauses *pauses);

/** A stretch of work begins, and ends; @what (cut) tells of it when it was long. */
void pauses_begin(struct pauses *pauses);
void pauses_end(struct pauses *pauses, const char *what);

/** The @share (0.5: median) of own work; sorts what is in the ring. */
hob_ns pauses_share(struct pauses *pauses, double share);

/** Not one stretch over the limit; one is forgiven: an interrupt counts as own work. */
bool pauses_are_short(const struct pauses *pauses);

/** One line of p50, p99, p99.99 and the longest; with @worst, a line for each of the longest. */
void pauses_tell(struct pauses *pauses, const char *name, bool worst);

#endif
