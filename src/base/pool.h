/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of items of one size, in chunks that never move, addressed by 32-bit handles: 27 bits of
 * index and 5 bits of generation, so that a handle kept past its item's life is caught (an
 * assertion) instead of reading somebody else's item. Handle 0 is none. Chunks are kept until the
 * pool is freed. */
#ifndef HOB_BASE_POOL_H
#define HOB_BASE_POOL_H

#include <stdint.h>

#include "base/assert.h"
#include "base/mem.h"

enum {
    POOL_GENERATION_BITS = 5,
    POOL_CHUNK_ITEMS = 1024,
    POOL_ITEMS_MAX = 1 << (32 - POOL_GENERATION_BITS)
};

struct pool {
    struct mem *mem;
    uint32_t item_bytes;
    uint32_t count; /* items in use */
    /* items that ever existed; the first is never used, so that handle 0 stays free */
    uint32_t made;
    uint32_t free_first; /* index of the first free item, 0: none */
    char **chunks;
    uint32_t chunk_count;
    uint32_t chunk_capacity;
};

/** An empty pool of items of @item_bytes (at least 4); allocates nothing yet. */
void pool_init(struct pool *pool, struct mem *mem, size_t item_bytes);

/** Free everything; items are not told. */
void pool_deinit(struct pool *pool);

/** A new item, filled with zero. Never 0. */
uint32_t pool_new(struct pool *pool);

/** Give an item back; its handle is stale from now on. */
void pool_free(struct pool *pool, uint32_t handle);

/* The place of item number @index, and its generation. Only pool.c and pool_at use them. */
static inline char *pool_item(const struct pool *pool, uint32_t index) {
    return pool->chunks[index / POOL_CHUNK_ITEMS] +
           (size_t)(index % POOL_CHUNK_ITEMS) * pool->item_bytes;
}

static inline uint8_t *pool_generation(const struct pool *pool, uint32_t index) {
    char *chunk = pool->chunks[index / POOL_CHUNK_ITEMS];
    return (uint8_t *)chunk + (size_t)POOL_CHUNK_ITEMS * pool->item_bytes +
           index % POOL_CHUNK_ITEMS;
}

/**
 * The item of a live handle; panics on handle 0 and on one whose item was freed. The pointer is
 * good until the item is freed. Inline: the engine lives in it.
 */
static inline void *pool_at(const struct pool *pool, uint32_t handle) {
    uint32_t index = handle >> POOL_GENERATION_BITS;
    uint32_t generation = handle & ((1u << POOL_GENERATION_BITS) - 1);
    hob_assert(index - 1 < pool->made - 1); /* index 0 is none, and wraps */
    hob_assert(*pool_generation(pool, index) == generation);
    return pool_item(pool, index);
}

#endif
