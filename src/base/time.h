/* SPDX-License-Identifier: Apache-2.0 */
/* Times are nanoseconds since the Unix epoch, spans are nanoseconds; both unsigned, sums saturate.
 * HOB_NEVER is later than every time. */
#ifndef HOB_BASE_TIME_H
#define HOB_BASE_TIME_H

#include <stdint.h>

typedef uint64_t hob_ns;

#define NS_PER_US     UINT64_C(1000)
#define NS_PER_MS     UINT64_C(1000000)
#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MINUTE (60 * NS_PER_SECOND)
#define NS_PER_HOUR   (60 * NS_PER_MINUTE)
#define NS_PER_DAY    (24 * NS_PER_HOUR)
#define HOB_NEVER     UINT64_MAX

static inline hob_ns ns_add(hob_ns a, hob_ns b) {
    return a > HOB_NEVER - b ? HOB_NEVER : a + b;
}

#endif
