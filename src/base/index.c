/* SPDX-License-Identifier: Apache-2.0 */
/* Linear probing; a removal shifts the following entries back, so there are no tombstones and
 * probes stay short. The home slot comes from the stored half of the hash, so growing needs no look
 * at the items. At most 7/8 full. */
#include "base/index.h"

#include "base/assert.h"

enum { INDEX_FIRST_CAPACITY = 8 };

static uint32_t stored_hash(uint64_t hash) {
    return (uint32_t)(hash >> 32);
}

static uint32_t home_slot(const struct index *index, uint32_t hash) {
    return hash & (index->capacity - 1);
}

uint32_t index_find(
    const struct index *index, uint64_t hash, index_is *is, const void *context, const void *key
) {
    if (index->count == 0) return 0;
    uint32_t wanted = stored_hash(hash);
    uint32_t slot = home_slot(index, wanted);
    while (index->entries[slot].item != 0) {
        const struct index_entry *entry = &index->entries[slot];
        if (entry->hash == wanted && is(context, entry->item, key)) return entry->item;
        slot = (slot + 1) & (index->capacity - 1);
    }
    return 0;
}

static void index_place(struct index *index, struct index_entry entry) {
    uint32_t slot = home_slot(index, entry.hash);
    while (index->entries[slot].item != 0) slot = (slot + 1) & (index->capacity - 1);
    index->entries[slot] = entry;
}

static void index_rebuild(struct index *index, struct mem *mem, uint32_t capacity) {
    struct index old = *index;
    index->entries = mem_zero_alloc(mem, capacity * sizeof *index->entries);
    index->capacity = capacity;
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].item != 0) index_place(index, old.entries[i]);
    }
    mem_free(mem, old.entries, old.capacity * sizeof *old.entries);
}

void index_add(struct index *index, struct mem *mem, uint64_t hash, uint32_t item) {
    hob_assert(item != 0);
    if ((uint64_t)index->count + 1 > (uint64_t)index->capacity * 7 / 8) {
        index_rebuild(
            index, mem, index->capacity == 0 ? INDEX_FIRST_CAPACITY : index->capacity * 2
        );
    }
    index_place(index, (struct index_entry){.hash = stored_hash(hash), .item = item});
    index->count++;
}

void index_remove(struct index *index, struct mem *mem, uint64_t hash, uint32_t item) {
    hob_assert(index->count > 0);
    uint32_t mask = index->capacity - 1;
    uint32_t slot = home_slot(index, stored_hash(hash));
    while (index->entries[slot].item != item) {
        hob_assert(index->entries[slot].item != 0);
        slot = (slot + 1) & mask;
    }
    uint32_t hole = slot;
    for (;;) {
        slot = (slot + 1) & mask;
        if (index->entries[slot].item == 0) break;
        uint32_t home = home_slot(index, index->entries[slot].hash);
        /* An entry may move back into the hole when its home is not between the hole and itself. */
        if (((slot - home) & mask) >= ((slot - hole) & mask)) {
            index->entries[hole] = index->entries[slot];
            hole = slot;
        }
    }
    index->entries[hole] = (struct index_entry){0};
    index->count--;
    if (index->count == 0) {
        index_deinit(index, mem);
    } else if (index->capacity > 64 && index->count < index->capacity / 8) {
        index_rebuild(index, mem, index->capacity / 2);
    }
}

void index_deinit(struct index *index, struct mem *mem) {
    mem_free(mem, index->entries, index->capacity * sizeof *index->entries);
    *index = (struct index){0};
}
