/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is given back all at once: for trees and configurations whose parts live equally
 * long. */
#ifndef HOB_BASE_ARENA_H
#define HOB_BASE_ARENA_H

#include <stddef.h>

#include "base/mem.h"
#include "base/slice.h"

struct arena_block;

/* Zero is an empty arena. */
struct arena {
    struct mem mem;
    struct arena_block *newest;
    size_t used; /* of the newest block */
};

/** @size bytes (> 0), zeroed and aligned for any type; valid until the arena is reset. */
void *arena_alloc(struct arena *arena, size_t size);

/** A copy of @text with a terminating zero. */
char *arena_text(struct arena *arena, struct slice text);

/** Give everything back; the arena can be used again. Twice is safe. */
void arena_reset(struct arena *arena);

#endif
