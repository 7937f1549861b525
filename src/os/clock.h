/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks of the system. Only the outermost layers read them; everything below takes time as an
 * argument. */
#ifndef HOB_OS_CLOCK_H
#define HOB_OS_CLOCK_H

#include "base/time.h"

/** Wall time, ns since the Unix epoch. May jump. */
hob_ns clock_wall(void);

struct clock_reading {
    hob_ns wall_ns;
    hob_ns monotonic_ns; /* stands still while the machine sleeps */
    hob_ns boot_ns;      /* monotonic, and goes on while it sleeps */
};

/** All clocks at one moment: read again when the process was held up in between. */
struct clock_reading clock_read_all(void);

/** Monotonic time, ns since some start. Never jumps back. */
hob_ns clock_monotonic(void);

#endif
