/* SPDX-License-Identifier: Apache-2.0 */
/* Keys lie in the array beside the handles: a sift touches one cache line a level, and items only
 * on a tie. */
#include "base/heap.h"

#include "base/assert.h"

enum { HEAP_ARITY = 4, HEAP_FIRST_CAPACITY = 4 };

static bool entry_before(
    const struct heap_rules *rules, void *context, struct heap_entry a, struct heap_entry b
) {
    if (a.key != b.key) return a.key < b.key;
    return rules->before != NULL && rules->before(context, a.item, b.item);
}

static void heap_set(
    struct heap *heap,
    const struct heap_rules *rules,
    void *context,
    uint32_t at,
    struct heap_entry entry
) {
    heap->entries[at] = entry;
    rules->moved(context, entry.item, at);
}

static uint32_t sift_up(
    struct heap *heap,
    const struct heap_rules *rules,
    void *context,
    uint32_t at,
    struct heap_entry entry
) {
    while (at > 0) {
        uint32_t parent = (at - 1) / HEAP_ARITY;
        if (!entry_before(rules, context, entry, heap->entries[parent])) break;
        heap_set(heap, rules, context, at, heap->entries[parent]);
        at = parent;
    }
    return at;
}

static uint32_t sift_down(
    struct heap *heap,
    const struct heap_rules *rules,
    void *context,
    uint32_t at,
    struct heap_entry entry
) {
    for (;;) {
        uint64_t first = (uint64_t)at * HEAP_ARITY + 1;
        if (first >= heap->count) return at;
        uint32_t best = (uint32_t)first;
        for (uint32_t child = best + 1; child < first + HEAP_ARITY && child < heap->count;
             child++) {
            if (entry_before(rules, context, heap->entries[child], heap->entries[best])) {
                best = child;
            }
        }
        if (!entry_before(rules, context, heap->entries[best], entry)) return at;
        heap_set(heap, rules, context, at, heap->entries[best]);
        at = best;
    }
}

static void heap_resize(struct heap *heap, struct mem *mem, uint32_t capacity) {
    heap->entries = mem_resize(
        mem, heap->entries, heap->capacity * sizeof *heap->entries, capacity * sizeof *heap->entries
    );
    heap->capacity = capacity;
}

void heap_deinit(struct heap *heap, struct mem *mem) {
    mem_free(mem, heap->entries, heap->capacity * sizeof *heap->entries);
    *heap = (struct heap){0};
}

void heap_push(
    struct heap *heap,
    struct mem *mem,
    const struct heap_rules *rules,
    void *context,
    uint64_t key,
    uint32_t item
) {
    if (heap->count == heap->capacity) {
        hob_assert(heap->capacity < UINT32_MAX / 2);
        heap_resize(heap, mem, heap->capacity == 0 ? HEAP_FIRST_CAPACITY : heap->capacity * 2);
    }
    struct heap_entry entry = {.key = key, .item = item};
    heap->count++;
    uint32_t at = sift_up(heap, rules, context, heap->count - 1, entry);
    heap_set(heap, rules, context, at, entry);
}

void heap_remove(
    struct heap *heap, struct mem *mem, const struct heap_rules *rules, void *context, uint32_t at
) {
    hob_assert(at < heap->count);
    rules->moved(context, heap->entries[at].item, HEAP_NOWHERE);
    struct heap_entry last = heap->entries[--heap->count];
    if (at < heap->count) {
        heap->entries[at] = last;
        heap_rekey(heap, rules, context, at, last.key);
    }
    if (heap->count == 0) {
        heap_deinit(heap, mem);
    } else if (heap->capacity > 64 && heap->count < heap->capacity / 8) {
        heap_resize(heap, mem, heap->capacity / 2);
    }
}

void heap_rekey(
    struct heap *heap, const struct heap_rules *rules, void *context, uint32_t at, uint64_t key
) {
    hob_assert(at < heap->count);
    struct heap_entry entry = {.key = key, .item = heap->entries[at].item};
    uint32_t to = sift_up(heap, rules, context, at, entry);
    if (to == at) to = sift_down(heap, rules, context, at, entry);
    heap_set(heap, rules, context, to, entry);
}
