/* SPDX-License-Identifier: Apache-2.0 */
/* Ids are dense counters of the engine, so a multiplication spreads them well enough; a removal
 * shifts back what follows. What is large is dealt out to parts that grow one by one, so that
 * nobody waits for all of it: base/index.c tells of it. */
#include "space/bodies.h"

#include "base/assert.h"

enum {
    BODIES_FIRST_CAPACITY = 16,
    BODIES_WHOLE_MAX = 4096,
    BODIES_PART_BITS = 10,
    BODIES_PARTS = 1 << BODIES_PART_BITS,
};

static uint64_t body_hash(uint64_t id) {
    return id * 0x9e3779b97f4a7c15u;
}

/* --- a part --- */

static uint64_t home_slot(const struct bodies_part *part, uint64_t id) {
    return body_hash(id) >> 20 & (part->capacity - 1);
}

static struct body_place *part_find(const struct bodies_part *part, uint64_t id) {
    if (part->count == 0) return NULL;
    uint64_t slot = home_slot(part, id);
    while (part->places[slot].id != 0) {
        if (part->places[slot].id == id) return &part->places[slot];
        slot = (slot + 1) & (part->capacity - 1);
    }
    return NULL;
}

static void part_place(struct bodies_part *part, struct body_place place) {
    uint64_t slot = home_slot(part, place.id);
    while (part->places[slot].id != 0) slot = (slot + 1) & (part->capacity - 1);
    part->places[slot] = place;
}

static void part_rebuild(struct bodies_part *part, struct mem *mem, uint64_t capacity) {
    struct bodies_part old = *part;
    part->places = mem_zero_alloc(mem, capacity * sizeof *part->places);
    part->capacity = capacity;
    for (uint64_t i = 0; i < old.capacity; i++) {
        if (old.places[i].id != 0) part_place(part, old.places[i]);
    }
    mem_free(mem, old.places, old.capacity * sizeof *old.places);
}

static void part_add(struct bodies_part *part, struct mem *mem, struct body_place place) {
    if ((part->count + 1) * 8 > part->capacity * 7) {
        part_rebuild(part, mem, part->capacity == 0 ? BODIES_FIRST_CAPACITY : part->capacity * 2);
    }
    part_place(part, place);
    part->count++;
}

static void part_free(struct bodies_part *part, struct mem *mem) {
    mem_free(mem, part->places, part->capacity * sizeof *part->places);
    *part = (struct bodies_part){0};
}

static void part_remove(struct bodies_part *part, struct mem *mem, const struct body_place *place) {
    uint64_t mask = part->capacity - 1;
    uint64_t hole = (uint64_t)(place - part->places);
    for (uint64_t slot = (hole + 1) & mask; part->places[slot].id != 0; slot = (slot + 1) & mask) {
        uint64_t home = home_slot(part, part->places[slot].id);
        if (((slot - home) & mask) >= ((slot - hole) & mask)) {
            part->places[hole] = part->places[slot];
            hole = slot;
        }
    }
    part->places[hole] = (struct body_place){0};
    part->count--;
    if (part->count == 0) {
        part_free(part, mem);
    } else if (part->capacity > 64 && part->count < part->capacity / 8) {
        part_rebuild(part, mem, part->capacity / 2);
    }
}

/* --- all of them --- */

static uint64_t part_number(uint64_t id) {
    return body_hash(id) >> (64 - BODIES_PART_BITS);
}

static struct bodies_part *part_of(struct bodies *bodies, uint64_t id) {
    return bodies->parts == NULL ? &bodies->one : &bodies->parts[part_number(id)];
}

void bodies_deinit(struct bodies *bodies) {
    part_free(&bodies->one, &bodies->mem);
    if (bodies->parts != NULL) {
        for (uint64_t i = 0; i < BODIES_PARTS; i++) part_free(&bodies->parts[i], &bodies->mem);
        mem_free(&bodies->mem, bodies->parts, BODIES_PARTS * sizeof *bodies->parts);
    }
    *bodies = (struct bodies){0};
}

struct body_place *bodies_find(const struct bodies *bodies, uint64_t id) {
    return part_find(bodies->parts == NULL ? &bodies->one : &bodies->parts[part_number(id)], id);
}

static void bodies_deal(struct bodies *bodies) {
    bodies->parts = mem_zero_alloc(&bodies->mem, BODIES_PARTS * sizeof *bodies->parts);
    for (uint64_t i = 0; i < bodies->one.capacity; i++) {
        struct body_place place = bodies->one.places[i];
        if (place.id != 0) part_add(part_of(bodies, place.id), &bodies->mem, place);
    }
    part_free(&bodies->one, &bodies->mem);
}

void bodies_put(struct bodies *bodies, struct body_place place) {
    hob_assert(place.id != 0);
    struct body_place *known = bodies_find(bodies, place.id);
    if (known != NULL) {
        bodies->bytes -= known->size;
        bodies->bytes += place.size;
        *known = place;
        return;
    }
    if (bodies->parts == NULL && bodies->count == BODIES_WHOLE_MAX) bodies_deal(bodies);
    part_add(part_of(bodies, place.id), &bodies->mem, place);
    bodies->count++;
    bodies->bytes += place.size;
}

void bodies_remove(struct bodies *bodies, uint64_t id) {
    struct body_place *place = bodies_find(bodies, id);
    if (place == NULL) return;
    bodies->bytes -= place->size;
    bodies->count--;
    part_remove(part_of(bodies, id), &bodies->mem, place);
}

/* The marked ones of a part go over into @kept. */
static void part_sweep(const struct bodies_part *part, struct bodies *kept) {
    for (uint64_t i = 0; i < part->capacity; i++) {
        if (part->places[i].id == 0 || !part->places[i].mark) continue;
        struct body_place place = part->places[i];
        place.mark = 0;
        bodies_put(kept, place);
    }
}

uint64_t bodies_sweep(struct bodies *bodies) {
    uint64_t before = bodies->count;
    struct bodies kept = {0};
    part_sweep(&bodies->one, &kept);
    for (uint64_t i = 0; bodies->parts != NULL && i < BODIES_PARTS; i++) {
        part_sweep(&bodies->parts[i], &kept);
    }
    bodies_deinit(bodies);
    *bodies = kept;
    return before - kept.count;
}
