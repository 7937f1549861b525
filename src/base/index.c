/* SPDX-License-Identifier: Apache-2.0 */
/* Linear probing; a removal shifts the following entries back, so there are no tombstones and
 * probes stay short. The home slot comes from the stored half of the hash, so growing needs no look
 * at the items. At most 7/8 full.
 *
 * A table of a million entries takes 60 ms to grow, and all that time nobody is served. So one that
 * has INDEX_WHOLE_MAX entries is dealt out to many parts by other bits of the hash than those of
 * the slot; from then on each part grows and shrinks for itself, a thousandth of the work at a
 * time. */
#include "base/index.h"

#include "base/assert.h"

enum {
    INDEX_FIRST_CAPACITY = 8,
    INDEX_WHOLE_MAX = 4096,
    INDEX_PART_BITS = 10,
    INDEX_PARTS = 1 << INDEX_PART_BITS,
};

static uint32_t stored_hash(uint64_t hash) {
    return (uint32_t)(hash >> 32);
}

/* --- a part --- */

static uint32_t home_slot(const struct index_part *part, uint32_t hash) {
    return hash & (part->capacity - 1);
}

static void part_place(struct index_part *part, struct index_entry entry) {
    uint32_t slot = home_slot(part, entry.hash);
    while (part->entries[slot].item != 0) slot = (slot + 1) & (part->capacity - 1);
    part->entries[slot] = entry;
}

static void part_rebuild(struct index_part *part, struct mem *mem, uint32_t capacity) {
    struct index_part old = *part;
    part->entries = mem_zero_alloc(mem, capacity * sizeof *part->entries);
    part->capacity = capacity;
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].item != 0) part_place(part, old.entries[i]);
    }
    mem_free(mem, old.entries, old.capacity * sizeof *old.entries);
}

static void part_add(struct index_part *part, struct mem *mem, struct index_entry entry) {
    if ((uint64_t)part->count + 1 > (uint64_t)part->capacity * 7 / 8) {
        part_rebuild(part, mem, part->capacity == 0 ? INDEX_FIRST_CAPACITY : part->capacity * 2);
    }
    part_place(part, entry);
    part->count++;
}

static void part_free(struct index_part *part, struct mem *mem) {
    mem_free(mem, part->entries, part->capacity * sizeof *part->entries);
    *part = (struct index_part){0};
}

static void part_remove(struct index_part *part, struct mem *mem, uint32_t hash, uint32_t item) {
    hob_assert(part->count > 0);
    uint32_t mask = part->capacity - 1;
    uint32_t slot = home_slot(part, hash);
    while (part->entries[slot].item != item) {
        hob_assert(part->entries[slot].item != 0);
        slot = (slot + 1) & mask;
    }
    uint32_t hole = slot;
    for (;;) {
        slot = (slot + 1) & mask;
        if (part->entries[slot].item == 0) break;
        uint32_t home = home_slot(part, part->entries[slot].hash);
        /* An entry may move back into the hole when its home is not between the hole and itself. */
        if (((slot - home) & mask) >= ((slot - hole) & mask)) {
            part->entries[hole] = part->entries[slot];
            hole = slot;
        }
    }
    part->entries[hole] = (struct index_entry){0};
    part->count--;
    if (part->count == 0) {
        part_free(part, mem);
    } else if (part->capacity > 64 && part->count < part->capacity / 8) {
        part_rebuild(part, mem, part->capacity / 2);
    }
}

/* --- all of them --- */

static uint32_t part_number(uint32_t hash) {
    return hash >> (32 - INDEX_PART_BITS);
}

static struct index_part *part_of(struct index *index, uint32_t hash) {
    return index->parts == NULL ? &index->one : &index->parts[part_number(hash)];
}

uint32_t index_find(
    const struct index *index, uint64_t hash, index_is *is, const void *context, const void *key
) {
    uint32_t wanted = stored_hash(hash);
    const struct index_part *part =
        index->parts == NULL ? &index->one : &index->parts[part_number(wanted)];
    if (part->count == 0) return 0;
    uint32_t slot = home_slot(part, wanted);
    while (part->entries[slot].item != 0) {
        const struct index_entry *entry = &part->entries[slot];
        if (entry->hash == wanted && is(context, entry->item, key)) return entry->item;
        slot = (slot + 1) & (part->capacity - 1);
    }
    return 0;
}

static void index_deal(struct index *index, struct mem *mem) {
    index->parts = mem_zero_alloc(mem, INDEX_PARTS * sizeof *index->parts);
    for (uint32_t i = 0; i < index->one.capacity; i++) {
        struct index_entry entry = index->one.entries[i];
        if (entry.item != 0) part_add(part_of(index, entry.hash), mem, entry);
    }
    part_free(&index->one, mem);
}

void index_add(struct index *index, struct mem *mem, uint64_t hash, uint32_t item) {
    hob_assert(item != 0);
    if (index->parts == NULL && index->count == INDEX_WHOLE_MAX) index_deal(index, mem);
    struct index_entry entry = {.hash = stored_hash(hash), .item = item};
    part_add(part_of(index, entry.hash), mem, entry);
    index->count++;
}

void index_remove(struct index *index, struct mem *mem, uint64_t hash, uint32_t item) {
    uint32_t stored = stored_hash(hash);
    part_remove(part_of(index, stored), mem, stored, item);
    index->count--;
    if (index->count == 0) index_deinit(index, mem);
}

void index_deinit(struct index *index, struct mem *mem) {
    part_free(&index->one, mem);
    if (index->parts != NULL) {
        for (uint32_t i = 0; i < INDEX_PARTS; i++) part_free(&index->parts[i], mem);
        mem_free(mem, index->parts, INDEX_PARTS * sizeof *index->parts);
    }
    *index = (struct index){0};
}
