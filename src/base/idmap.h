/* SPDX-License-Identifier: Apache-2.0 */
/* A map from dense, growing 64-bit ids to handles: a radix tree with nodes of 64 slots (six bits a
 * level). A full map costs a little over four bytes an id; a lonely old survivor costs one node a
 * level (264 bytes), not kilobytes. Ids are walked in order in both directions. */
#ifndef HOB_BASE_IDMAP_H
#define HOB_BASE_IDMAP_H

#include <stdint.h>

#include "base/pool.h"

struct idmap {
    struct pool nodes;
    uint32_t root;   /* 0: empty */
    uint32_t levels; /* of the tree below root */
    uint64_t count;
};

/** An empty map. */
void idmap_init(struct idmap *map, struct mem *mem);

/** Free everything. */
void idmap_deinit(struct idmap *map);

/** Set the handle (not 0) of @id. */
void idmap_set(struct idmap *map, uint64_t id, uint32_t handle);

/** The handle of @id, or 0. */
uint32_t idmap_get(const struct idmap *map, uint64_t id);

/** Forget @id, which must be there. */
void idmap_remove(struct idmap *map, uint64_t id);

/**
 * The smallest id >= @from that is there: its handle and *ret_id; 0 when there is none. O(levels).
 */
uint32_t idmap_next(const struct idmap *map, uint64_t from, uint64_t *ret_id);

/**
 * The largest id <= @from that is there: its handle and *ret_id; 0 when there is none. O(levels).
 */
uint32_t idmap_previous(const struct idmap *map, uint64_t from, uint64_t *ret_id);

#endif
