/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks in a chain, the newest in front. A block grows with what came before, so that many small
 * things cost few allocations; a thing that is larger than a block gets one of its own. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"

enum { BLOCK_BYTES_MIN = 1024, BLOCK_BYTES_MAX = 256 * 1024 };

struct arena_block {
    struct arena_block *older;
    size_t size; /* of bytes */
    alignas(max_align_t) char bytes[];
};

static struct arena_block *block_add(struct arena *arena, size_t size_min) {
    size_t size = arena->newest == NULL ? BLOCK_BYTES_MIN : arena->newest->size * 2;
    if (size > BLOCK_BYTES_MAX) size = BLOCK_BYTES_MAX;
    if (size < size_min) size = size_min;
    struct arena_block *block = mem_alloc(&arena->mem, sizeof *block + size);
    block->older = arena->newest;
    block->size = size;
    arena->newest = block;
    arena->used = 0;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size) {
    hob_assert(size > 0);
    hob_assert(size < SIZE_MAX / 2);
    size_t aligned = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_block *block = arena->newest;
    if (block == NULL || block->size - arena->used < aligned) block = block_add(arena, aligned);
    void *bytes = block->bytes + arena->used;
    arena->used += aligned;
    memset(bytes, 0, size);
    return bytes;
}

char *arena_text(struct arena *arena, struct slice text) {
    char *copy = arena_alloc(arena, text.size + 1);
    if (text.size > 0) memcpy(copy, text.bytes, text.size);
    return copy;
}

void arena_reset(struct arena *arena) {
    while (arena->newest != NULL) {
        struct arena_block *block = arena->newest;
        arena->newest = block->older;
        mem_free(&arena->mem, block, sizeof *block + block->size);
    }
    arena->used = 0;
}
