/* SPDX-License-Identifier: Apache-2.0 */
/* clock_gettime for the two clocks that Hob knows. */
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
