/* SPDX-License-Identifier: Apache-2.0 */
/* Walked from the last delivery to the first, a queue is out of order where a job has behind it a
 * better one that was there: of the same priority one with a smaller id (ids are given in the order
 * of pushes, so it was there), of a smaller priority one that was acknowledged before the fetch was
 * sent. So for each priority it is enough to know the smallest id and the earliest push behind. */
#include "torture/order.h"

#include <stdlib.h>

enum { PRIORITIES_MAX = 64 };

struct behind {
    uint64_t priority;
    const struct order_row *oldest; /* smallest id */
    const struct order_row *first;  /* earliest there_at */
};

static int compare(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

static int compare_rows(const void *a_row, const void *b_row) {
    const struct order_row *a = a_row;
    const struct order_row *b = b_row;
    int order = compare(a->queue, b->queue);
    return order != 0 ? order : compare(a->token, b->token);
}

/* A better job than @row among those behind it, or NULL. */
static const struct order_row *
better_behind(const struct behind *behind, size_t count, const struct order_row *row) {
    for (size_t i = 0; i < count; i++) {
        const struct behind *one = &behind[i];
        if (one->priority == row->priority && one->oldest->id < row->id) return one->oldest;
        if (one->priority < row->priority && one->first->there_at < row->fetched_at) {
            return one->first;
        }
    }
    return NULL;
}

static void behind_add(struct behind *behind, size_t *count, const struct order_row *row) {
    size_t at = 0;
    while (at < *count && behind[at].priority != row->priority) at++;
    if (at == PRIORITIES_MAX) return; /* it looks at so many only */
    if (at == *count) {
        behind[at] = (struct behind){.priority = row->priority, .oldest = row, .first = row};
        (*count)++;
        return;
    }
    if (row->id < behind[at].oldest->id) behind[at].oldest = row;
    if (row->there_at < behind[at].first->there_at) behind[at].first = row;
}

void order_judge(struct order_row *rows, size_t count, order_tell_fn *tell, void *context) {
    if (count == 0) return;
    qsort(rows, count, sizeof *rows, compare_rows);
    struct behind behind[PRIORITIES_MAX];
    size_t behind_count = 0;
    for (size_t at = count; at > 0; at--) {
        const struct order_row *row = &rows[at - 1];
        if (at < count && rows[at].queue != row->queue) behind_count = 0;
        const struct order_row *better = better_behind(behind, behind_count, row);
        if (better != NULL) tell(context, row, better);
        behind_add(behind, &behind_count, row);
    }
}
