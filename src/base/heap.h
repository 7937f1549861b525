/* SPDX-License-Identifier: Apache-2.0 */
/* A heap (four children a node) of handles, smallest key first; equal keys are ordered by a tie
 * function, so the order is total and every replay pops the same sequence. The heap tells each item
 * where it stands (`moved`), so that any item can be removed or re-keyed in O(log n). Positions are
 * 0-based; HEAP_NOWHERE is told to an item that left. */
#ifndef HOB_BASE_HEAP_H
#define HOB_BASE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

#define HEAP_NOWHERE UINT32_MAX

struct heap_entry {
    uint64_t key;
    uint32_t item;
};

struct heap_rules {
    /* for equal keys; NULL when keys are unique */
    bool (*before)(void *context, uint32_t a, uint32_t b);
    void (*moved)(void *context, uint32_t item, uint32_t at);
};

struct heap {
    struct heap_entry *entries;
    uint32_t count;
    uint32_t capacity;
};

/** Free the memory; the heap is empty afterwards. Items are not told. */
void heap_deinit(struct heap *heap, struct mem *mem);

/** Add @item. O(log n). */
void heap_push(
    struct heap *heap,
    struct mem *mem,
    const struct heap_rules *rules,
    void *context,
    uint64_t key,
    uint32_t item
);

/**
 * Remove the entry at @at and tell its item HEAP_NOWHERE. Gives memory back when the heap has
 * become small. O(log n).
 */
void heap_remove(
    struct heap *heap, struct mem *mem, const struct heap_rules *rules, void *context, uint32_t at
);

/** Give the entry at @at another key, or the same when its tie order changed. O(log n). */
void heap_rekey(
    struct heap *heap, const struct heap_rules *rules, void *context, uint32_t at, uint64_t key
);

#endif
