/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk is POOL_CHUNK_ITEMS items followed by one generation byte each. An even generation means
 * free, an odd one in use; taking and freeing both count it up. A free item holds the index of the
 * next free one in its first four bytes. */
#include "base/pool.h"

#include <string.h>

#include "base/assert.h"

enum { GENERATION_MASK = (1 << POOL_GENERATION_BITS) - 1 };

static size_t chunk_bytes(const struct pool *pool) {
    return (size_t)POOL_CHUNK_ITEMS * (pool->item_bytes + 1u);
}

void pool_init(struct pool *pool, struct mem *mem, size_t item_bytes) {
    hob_assert(item_bytes >= sizeof(uint32_t));
    hob_assert(item_bytes < UINT16_MAX);
    *pool = (struct pool){.mem = mem, .item_bytes = (uint32_t)item_bytes};
}

void pool_deinit(struct pool *pool) {
    for (uint32_t i = 0; i < pool->chunk_count; i++) {
        mem_free(pool->mem, pool->chunks[i], chunk_bytes(pool));
    }
    mem_free(pool->mem, pool->chunks, pool->chunk_capacity * sizeof *pool->chunks);
    pool_init(pool, pool->mem, pool->item_bytes);
}

static void pool_grow(struct pool *pool) {
    if (pool->chunk_count == pool->chunk_capacity) {
        uint32_t capacity = pool->chunk_capacity == 0 ? 4 : pool->chunk_capacity * 2;
        pool->chunks = mem_resize(
            pool->mem,
            pool->chunks,
            pool->chunk_capacity * sizeof *pool->chunks,
            capacity * sizeof *pool->chunks
        );
        pool->chunk_capacity = capacity;
    }
    char *chunk = mem_alloc(pool->mem, chunk_bytes(pool));
    memset(chunk + (size_t)POOL_CHUNK_ITEMS * pool->item_bytes, 0, POOL_CHUNK_ITEMS);
    pool->chunks[pool->chunk_count++] = chunk;
    if (pool->made == 0) pool->made = 1;
}

uint32_t pool_new(struct pool *pool) {
    uint32_t index = pool->free_first;
    if (index != 0) {
        memcpy(&pool->free_first, pool_item(pool, index), sizeof pool->free_first);
    } else {
        if (pool->made == pool->chunk_count * POOL_CHUNK_ITEMS) pool_grow(pool);
        index = pool->made++;
        hob_assert(index < POOL_ITEMS_MAX);
    }
    memset(pool_item(pool, index), 0, pool->item_bytes);
    uint8_t *generation = pool_generation(pool, index);
    *generation = (uint8_t)((*generation + 1) & GENERATION_MASK);
    hob_assert((*generation & 1) == 1);
    pool->count++;
    return index << POOL_GENERATION_BITS | *generation;
}

void pool_free(struct pool *pool, uint32_t handle) {
    char *item = pool_at(pool, handle);
    uint32_t index = handle >> POOL_GENERATION_BITS;
    uint8_t *generation = pool_generation(pool, index);
    *generation = (uint8_t)((*generation + 1) & GENERATION_MASK);
    memcpy(item, &pool->free_first, sizeof pool->free_first);
    pool->free_first = index;
    pool->count--;
}
