/* SPDX-License-Identifier: Apache-2.0 */
/* Batches: filling -> sealed -> flying -> durable. Effects are encoded straight into the filling
 * one. A command's effects are never split over two batches, so a body and the job that refers to
 * it are durable together. */
#include "space/private.h"

struct batch *batch_take(struct space *space) {
    struct batch *batch = space->spare;
    space->spare = NULL;
    if (batch == NULL) {
        struct mem mem = {0};
        batch = mem_zero_alloc(&mem, sizeof *batch);
        batch->bytes = buf_make(JOURNAL_BATCH_BYTES_MAX);
        /* Room for all of it at once: the system gives pages when they are written to. To grow it
         * when the disk is slow is to fault in thousands of pages in one turn. */
        char *room = buf_reserve(&batch->bytes, JOURNAL_BATCH_BYTES_MAX);
        hob_assert(room != NULL);
    }
    return batch;
}

void batch_free(struct batch *batch) {
    if (batch == NULL) return;
    struct mem mem = {
        .used_bytes = sizeof *batch + batch->body_capacity * sizeof *batch->bodies,
    };
    buf_deinit(&batch->bytes);
    mem_free(&mem, batch->bodies, batch->body_capacity * sizeof *batch->bodies);
    mem_free(&mem, batch, sizeof *batch);
}

void batch_give(struct space *space, struct batch *batch) {
    /* One is kept, with the pages that it has. */
    if (space->spare != NULL) {
        batch_free(batch);
        return;
    }
    buf_reset(&batch->bytes);
    batch->body_count = 0;
    batch->next = NULL;
    batch->head = (struct journal_batch){0};
    space->spare = batch;
}

static void
batch_note_body(struct space *space, struct batch *batch, uint64_t id, size_t offset, size_t size) {
    if (batch->body_count == batch->body_capacity) {
        struct mem mem = {.used_bytes = batch->body_capacity * sizeof *batch->bodies};
        uint32_t capacity = batch->body_capacity == 0 ? 64 : batch->body_capacity * 2;
        batch->bodies = mem_resize(
            &mem,
            batch->bodies,
            batch->body_capacity * sizeof *batch->bodies,
            capacity * sizeof *batch->bodies
        );
        batch->body_capacity = capacity;
    }
    batch->bodies[batch->body_count++] = id;
    struct body_place place = {
        .id = id,
        .batch = batch->head.seq,
        .offset = (uint32_t)offset,
        .size = (uint32_t)size & 0x3fffffff,
        .pending = 1,
    };
    bodies_put(&space->bodies, place);
}

void batch_add(struct space *space, const struct effect *effect) {
    struct batch *batch = space->filling;
    size_t offset = batch->bytes.size;
    /* A batch is rolled at 8 MiB, and one command adds at most one payload, or the end of a job
     * with its callbacks; before a list of pushes it is rolled much earlier. */
    bool fits = effect_encode(effect, &batch->bytes);
    hob_assert(fits);
    batch->head.effect_count++;
    space->effects++;
    space->bytes += batch->bytes.size - offset;
    if (space->undigested == 0) space->undigested_ns = space->now_ns;
    space->undigested += batch->bytes.size - offset;
    if (effect->type == EFFECT_BODY) {
        size_t size = batch->bytes.size - offset;
        batch_note_body(space, batch, effect->body.id, offset, size);
    }
}

static void batch_begin(struct space *space, uint64_t seq, uint64_t first_pos) {
    space->filling = batch_take(space);
    space->filling->head.seq = seq;
    space->filling->head.first_pos = first_pos;
    engine_home_set(space->engine, (uint32_t)seq);
}

void batch_roll(struct space *space) {
    struct batch *batch = space->filling;
    hob_assert(batch->head.effect_count > 0);
    batch->head.time_ns = space->now_ns;
    struct batch **end = &space->sealed;
    while (*end != NULL) end = &(*end)->next;
    *end = batch;
    space->sealed_count++;
    batch_begin(space, batch->head.seq + 1, batch->head.first_pos + batch->head.effect_count);
}

void batch_fly(struct space *space) {
    if (space->flying != NULL || space->failure.status != HOB_OK) return;
    if (space->sealed == NULL) {
        if (space->filling->head.effect_count == 0) return;
        batch_roll(space);
    }
    struct batch *batch = space->sealed;
    space->sealed = batch->next;
    space->sealed_count--;
    batch->next = NULL;
    batch->head.bytes = buf_slice(&batch->bytes);
    batch->head.prev_chain = space->chain;
    batch->head.chain = journal_chain(&batch->head);
    space->flying = batch;
    space->stats.batches++;
    space->stats.batch_bytes += batch->bytes.size;
    journal_append(space->journal, &batch->head);
}

struct batch *batch_find(const struct space *space, uint64_t seq) {
    if (space->flying != NULL && space->flying->head.seq == seq) return space->flying;
    if (space->filling->head.seq == seq) return space->filling;
    for (struct batch *batch = space->sealed; batch != NULL; batch = batch->next) {
        if (batch->head.seq == seq) return batch;
    }
    return NULL;
}
