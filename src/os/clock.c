/* SPDX-License-Identifier: Apache-2.0 */
/* clock_gettime for the clocks that Hob knows. */
#include "os/clock.h"

#include <time.h>

static hob_ns clock_read(clockid_t id) {
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (hob_ns)now.tv_sec * NS_PER_SECOND + (hob_ns)now.tv_nsec;
}

hob_ns clock_wall(void) {
    return clock_read(CLOCK_REALTIME);
}

hob_ns clock_monotonic(void) {
    return clock_read(CLOCK_MONOTONIC);
}

/* On a machine that is always held up the last try counts. */
struct clock_reading clock_read_all(void) {
    enum { TRIES_MAX = 10 };
    struct clock_reading reading = {0};
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        hob_ns begin_ns = clock_read(CLOCK_MONOTONIC);
        reading.wall_ns = clock_read(CLOCK_REALTIME);
        reading.boot_ns = clock_read(CLOCK_BOOTTIME);
        reading.monotonic_ns = clock_read(CLOCK_MONOTONIC);
        if (reading.monotonic_ns - begin_ns < NS_PER_MS) break;
    }
    return reading;
}
