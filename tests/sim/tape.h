/* SPDX-License-Identifier: Apache-2.0 */
/* A journal as small as can be, for one run: batches of encoded effects in memory, the oldest of
 * which is cleaned as design/journal says: what is still the latest full record of its object is
 * written again at the end, bodies that are held are copied, then the batch is gone. */
#ifndef HOB_TEST_SIM_TAPE_H
#define HOB_TEST_SIM_TAPE_H

#include "engine/engine.h"

struct tape_batch {
    uint32_t home;
    struct buf bytes;
};

struct tape {
    struct tape_batch **batches; /* old to new; the last one is being written */
    uint32_t batch_count;
    uint32_t batch_capacity;
    uint32_t next_home;
    uint64_t effect_count; /* written so far */
};

/** Free the batches. */
void tape_deinit(struct tape *tape);

/** Begin the next batch. Answers its home. */
uint32_t tape_next_batch(struct tape *tape);

/** Write the bytes of an effect to the last batch. */
void tape_append(struct tape *tape, struct slice bytes);

/** Give up the oldest batch. */
void tape_drop_oldest(struct tape *tape);

/** Walk the effects of a batch: the effect at *@at, which moves on; false at the end. */
bool tape_next(
    const struct tape_batch *batch,
    size_t *at,
    struct effect_scratch *scratch,
    struct effect *ret_effect
);

/**
 * Make an engine from what the tape holds; owned by the caller. Workers whose jobs run get
 * @grace_ns from @now_ns.
 * Fails with NULL and @err as engine_replay does.
 */
struct engine *tape_replay(
    const struct tape *tape,
    const struct engine_options *options,
    hob_ns now_ns,
    hob_ns grace_ns,
    struct hob_error *err
);

#endif
