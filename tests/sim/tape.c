/* SPDX-License-Identifier: Apache-2.0 */
/* The tape keeps bytes, never structs, so that everything on it has been through the codec. */
#include "tests/sim/tape.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { TAPE_BATCH_BYTES_MAX = 256 * 1024 * 1024 };

static void batch_free(struct tape_batch *batch) {
    buf_deinit(&batch->bytes);
    free(batch);
}

void tape_deinit(struct tape *tape) {
    for (uint32_t i = 0; i < tape->batch_count; i++) batch_free(tape->batches[i]);
    free(tape->batches);
    *tape = (struct tape){.next_home = 0};
}

uint32_t tape_next_batch(struct tape *tape) {
    if (tape->batch_count == tape->batch_capacity) {
        tape->batch_capacity = tape->batch_capacity == 0 ? 64 : tape->batch_capacity * 2;
        size_t bytes = tape->batch_capacity * sizeof(struct tape_batch *);
        tape->batches = realloc(tape->batches, bytes);
        hob_assert(tape->batches != NULL);
    }
    struct tape_batch *batch = calloc(1, sizeof(*batch));
    hob_assert(batch != NULL);
    batch->home = ++tape->next_home;
    batch->bytes = buf_make(TAPE_BATCH_BYTES_MAX);
    tape->batches[tape->batch_count++] = batch;
    return batch->home;
}

void tape_append(struct tape *tape, struct slice bytes) {
    hob_assert(tape->batch_count > 0);
    bool fits = buf_put_slice(&tape->batches[tape->batch_count - 1]->bytes, bytes);
    hob_assert(fits);
    tape->effect_count++;
}

void tape_drop_oldest(struct tape *tape) {
    hob_assert(tape->batch_count > 1);
    batch_free(tape->batches[0]);
    tape->batch_count--;
    memmove(tape->batches, tape->batches + 1, tape->batch_count * sizeof(struct tape_batch *));
}

bool tape_next(
    const struct tape_batch *batch,
    size_t *at,
    struct effect_scratch *scratch,
    struct effect *ret_effect
) {
    if (*at == batch->bytes.size) return false;
    struct hob_error err = {.status = HOB_OK};
    struct slice rest = slice_of(batch->bytes.bytes + *at, batch->bytes.size - *at);
    size_t used = effect_decode(rest, scratch, ret_effect, &err);
    hob_assert(used > 0);
    *at += used;
    return true;
}

struct engine *tape_replay(
    const struct tape *tape,
    const struct engine_options *options,
    hob_ns now_ns,
    hob_ns grace_ns,
    struct hob_error *err
) {
    struct engine *engine = engine_new(options);
    struct effect_scratch scratch = {.logs = NULL};
    enum hob_status status = HOB_OK;
    for (uint32_t i = 0; i < tape->batch_count && status == HOB_OK; i++) {
        const struct tape_batch *batch = tape->batches[i];
        struct effect effect;
        size_t at = 0;
        engine_home_set(engine, batch->home);
        while (status == HOB_OK && tape_next(batch, &at, &scratch, &effect)) {
            status = engine_replay(engine, &effect, err);
        }
    }
    effect_scratch_deinit(&scratch);
    if (status == HOB_OK) status = engine_replay_end(engine, now_ns, grace_ns, NULL, NULL, err);
    if (status == HOB_OK) return engine;
    engine_free(engine);
    return NULL;
}
