/* SPDX-License-Identifier: Apache-2.0 */
/* An index: open addressing from a hash to a handle, eight bytes an entry plus slack. The keys lie
 * with the items; the caller's `is` function looks there. Iteration order is never used, so a
 * secret seed in the hash does no harm to replay. No call takes long: what is large consists of
 * many tables that grow one by one. */
#ifndef HOB_BASE_INDEX_H
#define HOB_BASE_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct index_entry {
    uint32_t hash; /* high half of the 64-bit hash */
    uint32_t item; /* 0: empty */
};

struct index_part {
    struct index_entry *entries;
    uint32_t count;
    uint32_t capacity; /* 0 or a power of two */
};

struct index {
    uint32_t count;           /* of all parts */
    struct index_part one;    /* all of it, as long as it is small; */
    struct index_part *parts; /* then NULL; else INDEX_PARTS, by hash */
};

/* Does @item carry @key? */
typedef bool index_is(const void *context, uint32_t item, const void *key);

/** The item for which @is holds among those with @hash, or 0. */
uint32_t index_find(
    const struct index *index, uint64_t hash, index_is *is, const void *context, const void *key
);

/** Add @item (not 0), which must not be there yet. */
void index_add(struct index *index, struct mem *mem, uint64_t hash, uint32_t item);

/** Remove @item, which must be there under @hash. */
void index_remove(struct index *index, struct mem *mem, uint64_t hash, uint32_t item);

/** Free the memory; the index is empty afterwards. */
void index_deinit(struct index *index, struct mem *mem);

/** A hash for two numbers; for keys that no outsider chooses. */
static inline uint64_t index_hash_pair(uint64_t a, uint64_t b) {
    uint64_t x = a * 0x9e3779b97f4a7c15u ^ (b + 0x7f4a7c15u) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

#endif
