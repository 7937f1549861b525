/* SPDX-License-Identifier: Apache-2.0 */
/* Ids are dense counters of the engine, so a multiplication spreads them well enough; a removal
 * shifts back what follows. */
#include "space/bodies.h"

#include "base/assert.h"

enum { BODIES_FIRST_CAPACITY = 16 };

static uint64_t home_slot(const struct bodies *bodies, uint64_t id) {
    return (id * 0x9e3779b97f4a7c15u >> 20) & (bodies->capacity - 1);
}

void bodies_deinit(struct bodies *bodies) {
    mem_free(&bodies->mem, bodies->places, bodies->capacity * sizeof *bodies->places);
    *bodies = (struct bodies){0};
}

struct body_place *bodies_find(const struct bodies *bodies, uint64_t id) {
    if (bodies->count == 0) return NULL;
    uint64_t slot = home_slot(bodies, id);
    while (bodies->places[slot].id != 0) {
        if (bodies->places[slot].id == id) return &bodies->places[slot];
        slot = (slot + 1) & (bodies->capacity - 1);
    }
    return NULL;
}

static void bodies_place(struct bodies *bodies, struct body_place place) {
    uint64_t slot = home_slot(bodies, place.id);
    while (bodies->places[slot].id != 0) slot = (slot + 1) & (bodies->capacity - 1);
    bodies->places[slot] = place;
}

static void bodies_rebuild(struct bodies *bodies, uint64_t capacity) {
    struct body_place *old = bodies->places;
    uint64_t old_capacity = bodies->capacity;
    bodies->places = mem_zero_alloc(&bodies->mem, capacity * sizeof *bodies->places);
    bodies->capacity = capacity;
    for (uint64_t i = 0; i < old_capacity; i++) {
        if (old[i].id != 0) bodies_place(bodies, old[i]);
    }
    mem_free(&bodies->mem, old, old_capacity * sizeof *old);
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
    if ((bodies->count + 1) * 8 > bodies->capacity * 7) {
        bodies_rebuild(
            bodies, bodies->capacity == 0 ? BODIES_FIRST_CAPACITY : bodies->capacity * 2
        );
    }
    bodies_place(bodies, place);
    bodies->count++;
    bodies->bytes += place.size;
}

void bodies_remove(struct bodies *bodies, uint64_t id) {
    struct body_place *place = bodies_find(bodies, id);
    if (place == NULL) return;
    bodies->bytes -= place->size;
    bodies->count--;
    uint64_t mask = bodies->capacity - 1;
    uint64_t hole = (uint64_t)(place - bodies->places);
    for (uint64_t slot = (hole + 1) & mask; bodies->places[slot].id != 0;
         slot = (slot + 1) & mask) {
        uint64_t home = home_slot(bodies, bodies->places[slot].id);
        if (((slot - home) & mask) >= ((slot - hole) & mask)) {
            bodies->places[hole] = bodies->places[slot];
            hole = slot;
        }
    }
    bodies->places[hole] = (struct body_place){0};
    if (bodies->capacity > 1024 && bodies->count < bodies->capacity / 8) {
        bodies_rebuild(bodies, bodies->capacity / 2);
    }
}

uint64_t bodies_sweep(struct bodies *bodies) {
    uint64_t before = bodies->count;
    struct bodies kept = {0};
    for (uint64_t i = 0; i < bodies->capacity; i++) {
        if (bodies->places[i].id == 0 || !bodies->places[i].mark) continue;
        struct body_place place = bodies->places[i];
        place.mark = 0;
        bodies_put(&kept, place);
    }
    bodies_deinit(bodies);
    *bodies = kept;
    return before - kept.count;
}
