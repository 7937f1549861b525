/* SPDX-License-Identifier: Apache-2.0 */
/* The last lines of a text that goes by: what a failed job shows as its error. */
#ifndef HOB_WORKER_TAIL_H
#define HOB_WORKER_TAIL_H

#include "base/buf.h"

enum { TAIL_BYTES_MAX = 900 }; /* below OUTCOME_TEXT_BYTES_MAX, so that a reason fits above */

/* Make with tail_make(); the lines, each with its end, are in `text`. */
struct tail {
    struct buf text;
};

static inline struct tail tail_make(void) {
    return (struct tail){.text = buf_make((size_t)2 * TAIL_BYTES_MAX + 2)};
}

static inline void tail_deinit(struct tail *tail) {
    buf_deinit(&tail->text);
}

/**
 * One more line; the oldest go until no more than TAIL_BYTES_MAX are left. A longer line is cut.
 */
void tail_add(struct tail *tail, struct slice line);

#endif
