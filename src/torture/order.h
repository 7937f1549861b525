/* SPDX-License-Identifier: Apache-2.0 */
/* Did jobs leave their queue in order: the smallest priority first, then the oldest? */
#ifndef HOB_TORTURE_ORDER_H
#define HOB_TORTURE_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

/* The first delivery of a job that never had to wait for a time. */
struct order_row {
    uint64_t queue;
    uint64_t priority;
    uint64_t id;
    uint64_t token;    /* the server's own order of deliveries */
    hob_ns there_at;   /* by then it was pushed for certain; HOB_NEVER: not known */
    hob_ns fetched_at; /* when the fetch that got it was sent */
};

/** @overtaken left the queue after @overtaker, though it was better and there. */
typedef void
order_tell_fn(void *context, const struct order_row *overtaker, const struct order_row *overtaken);

/** Sort @rows and tell each job that overtook another, with one that it overtook. */
void order_judge(struct order_row *rows, size_t count, order_tell_fn *tell, void *context);

#endif
