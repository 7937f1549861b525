/* SPDX-License-Identifier: Apache-2.0 */
/* Each node has 64 slots and a bitmap of those in use, so that the next and the previous id are
 * found with bit operations. The tree grows at the root when an id needs more levels and gives a
 * node back when its last slot empties. */
#include "base/idmap.h"

#include <stdbool.h>

#include "base/assert.h"

enum { SLOT_BITS = 6, SLOTS = 1 << SLOT_BITS, LEVELS_MAX = 11 };

struct node {
    uint64_t used;
    uint32_t slots[SLOTS];
};

static struct node *node_at(const struct idmap *map, uint32_t handle) {
    return pool_at(&map->nodes, handle);
}

static unsigned slot_of(uint64_t id, uint32_t level) {
    return (unsigned)(id >> (SLOT_BITS * level)) & (SLOTS - 1);
}

/* Does @id fit under a root with @levels levels? */
static bool id_fits(uint64_t id, uint32_t levels) {
    return levels >= LEVELS_MAX || id >> (SLOT_BITS * levels) == 0;
}

void idmap_init(struct idmap *map, struct mem *mem) {
    *map = (struct idmap){0};
    pool_init(&map->nodes, mem, sizeof(struct node));
}

void idmap_deinit(struct idmap *map) {
    struct mem *mem = map->nodes.mem;
    pool_deinit(&map->nodes);
    idmap_init(map, mem);
}

static void node_set(struct node *node, unsigned slot, uint32_t value) {
    node->slots[slot] = value;
    node->used |= UINT64_C(1) << slot;
}

void idmap_set(struct idmap *map, uint64_t id, uint32_t handle) {
    hob_assert(handle != 0);
    if (map->root == 0) {
        map->root = pool_new(&map->nodes);
        map->levels = 1;
    }
    while (!id_fits(id, map->levels)) {
        uint32_t above = pool_new(&map->nodes);
        node_set(node_at(map, above), 0, map->root);
        map->root = above;
        map->levels++;
    }
    struct node *node = node_at(map, map->root);
    for (uint32_t level = map->levels - 1; level > 0; level--) {
        unsigned slot = slot_of(id, level);
        if ((node->used >> slot & 1) == 0) node_set(node, slot, pool_new(&map->nodes));
        node = node_at(map, node->slots[slot]);
    }
    unsigned slot = slot_of(id, 0);
    if ((node->used >> slot & 1) == 0) map->count++;
    node_set(node, slot, handle);
}

uint32_t idmap_get(const struct idmap *map, uint64_t id) {
    if (map->root == 0 || !id_fits(id, map->levels)) return 0;
    const struct node *node = node_at(map, map->root);
    for (uint32_t level = map->levels - 1; level > 0; level--) {
        unsigned slot = slot_of(id, level);
        if ((node->used >> slot & 1) == 0) return 0;
        node = node_at(map, node->slots[slot]);
    }
    unsigned slot = slot_of(id, 0);
    return (node->used >> slot & 1) == 0 ? 0 : node->slots[slot];
}

void idmap_remove(struct idmap *map, uint64_t id) {
    hob_assert(idmap_get(map, id) != 0);
    uint32_t path[LEVELS_MAX];
    uint32_t handle = map->root;
    for (uint32_t level = map->levels; level-- > 0;) {
        path[level] = handle;
        handle = node_at(map, handle)->slots[slot_of(id, level)];
    }
    map->count--;
    for (uint32_t level = 0; level < map->levels; level++) {
        struct node *node = node_at(map, path[level]);
        node->used &= ~(UINT64_C(1) << slot_of(id, level));
        if (node->used != 0) return;
        pool_free(&map->nodes, path[level]);
    }
    map->root = 0;
    map->levels = 0;
}

/* One step of a walk at @level: the slot to go down into, or -1. Going up, the slots at and above
 * the one of @id count; going down, those at and below. */
static int slot_towards(const struct node *node, unsigned slot, bool up) {
    uint64_t candidates = up ? node->used & (~UINT64_C(0) << slot)
                             : node->used & (~UINT64_C(0) >> (SLOTS - 1 - slot));
    if (candidates == 0) return -1;
    return up ? __builtin_ctzll(candidates) : 63 - __builtin_clzll(candidates);
}

/* Follow @id down as far as it is there, remembering the last level at which there was another slot
 * in the direction of the walk; from that one on, take the outermost slot of each level. */
static uint32_t idmap_walk(const struct idmap *map, uint64_t id, bool up, uint64_t *ret_id) {
    uint32_t path[LEVELS_MAX] = {0};
    uint32_t level = map->levels - 1;
    path[level] = map->root;
    unsigned slot = slot_of(id, level);
    for (;;) {
        int next = slot_towards(node_at(map, path[level]), slot, up);
        if (next < 0) {
            /* Nothing here: step aside in the nearest ancestor that has a slot further on. */
            do {
                if (++level == map->levels) return 0;
                slot = slot_of(id, level);
            } while (slot == (up ? SLOTS - 1u : 0u));
            slot = up ? slot + 1 : slot - 1;
            uint64_t below = (UINT64_C(1) << (SLOT_BITS * level)) - 1;
            id = (id & ~(below | (uint64_t)(SLOTS - 1) << (SLOT_BITS * level))) |
                 (uint64_t)slot << (SLOT_BITS * level) | (up ? 0 : below);
            continue;
        }
        if ((unsigned)next != slot) {
            uint64_t below = level == 0 ? 0 : (UINT64_C(1) << (SLOT_BITS * level)) - 1;
            id = (id & ~(below | (uint64_t)(SLOTS - 1) << (SLOT_BITS * level))) |
                 (uint64_t)next << (SLOT_BITS * level) | (up ? 0 : below);
        }
        uint32_t value = node_at(map, path[level])->slots[next];
        if (level == 0) {
            *ret_id = id;
            return value;
        }
        path[--level] = value;
        slot = slot_of(id, level);
    }
}

uint32_t idmap_next(const struct idmap *map, uint64_t from, uint64_t *ret_id) {
    if (map->root == 0 || !id_fits(from, map->levels)) return 0;
    return idmap_walk(map, from, true, ret_id);
}

uint32_t idmap_previous(const struct idmap *map, uint64_t from, uint64_t *ret_id) {
    if (map->root == 0) return 0;
    if (!id_fits(from, map->levels)) {
        from = map->levels >= LEVELS_MAX ? from : (UINT64_C(1) << (SLOT_BITS * map->levels)) - 1;
    }
    return idmap_walk(map, from, false, ret_id);
}
