/* SPDX-License-Identifier: Apache-2.0 */
/* Refs are foreign ids (a Faktory jid, an order number): looked up, not unique. The index holds the
 * newest job of each ref; the others with the same ref form a chain behind it, in no order. */
#include "engine/core.h"

static bool ref_is(const void *context, uint32_t item, const void *key) {
    const struct engine *engine = context;
    const struct side *side = side_at(engine, job_at(engine, item)->side);
    return slice_equal(text_slice(side->ref), *(const struct slice *)key);
}

static uint32_t ref_first(const struct engine *engine, uint64_t hash, struct slice ref) {
    return index_find(&engine->refs, hash, ref_is, engine, &ref);
}

uint64_t engine_find_ref(const struct engine *engine, struct slice ref) {
    uint32_t job = ref_first(engine, siphash(engine->hash_key, ref), ref);
    return job == 0 ? 0 : job_at(engine, job)->id;
}

void ref_add(struct engine *engine, uint32_t handle) {
    struct job *job = job_at(engine, handle);
    struct side *side = side_at(engine, job->side);
    uint64_t hash = siphash(engine->hash_key, text_slice(side->ref));
    uint32_t first = ref_first(engine, hash, text_slice(side->ref));
    if (first == 0) {
        index_add(&engine->refs, &engine->mem, hash, handle);
        return;
    }
    struct side *first_side = side_at(engine, job_at(engine, first)->side);
    if (job_at(engine, first)->id < job->id) {
        side->ref_next = first;
        first_side->ref_previous = handle;
        index_remove(&engine->refs, &engine->mem, hash, first);
        index_add(&engine->refs, &engine->mem, hash, handle);
        return;
    }
    side->ref_previous = first;
    side->ref_next = first_side->ref_next;
    first_side->ref_next = handle;
    if (side->ref_next != 0) {
        side_at(engine, job_at(engine, side->ref_next)->side)->ref_previous = handle;
    }
}

/* The newest of a chain that has lost its first: it is moved to the front. */
static void ref_promote(struct engine *engine, uint64_t hash, uint32_t chain) {
    uint32_t newest = chain;
    for (uint32_t at = chain; at != 0; at = side_at(engine, job_at(engine, at)->side)->ref_next) {
        if (job_at(engine, at)->id > job_at(engine, newest)->id) newest = at;
    }
    struct side *side = side_at(engine, job_at(engine, newest)->side);
    if (newest != chain) {
        struct side *before = side_at(engine, job_at(engine, side->ref_previous)->side);
        before->ref_next = side->ref_next;
        if (side->ref_next != 0) {
            side_at(engine, job_at(engine, side->ref_next)->side)->ref_previous =
                side->ref_previous;
        }
        side->ref_next = chain;
        side_at(engine, job_at(engine, chain)->side)->ref_previous = newest;
    }
    side->ref_previous = 0;
    index_add(&engine->refs, &engine->mem, hash, newest);
}

void ref_remove(struct engine *engine, uint32_t handle) {
    struct side *side = side_at(engine, job_at(engine, handle)->side);
    uint64_t hash = siphash(engine->hash_key, text_slice(side->ref));
    if (side->ref_next != 0) {
        side_at(engine, job_at(engine, side->ref_next)->side)->ref_previous = side->ref_previous;
    }
    if (side->ref_previous != 0) {
        side_at(engine, job_at(engine, side->ref_previous)->side)->ref_next = side->ref_next;
        return;
    }
    index_remove(&engine->refs, &engine->mem, hash, handle);
    if (side->ref_next != 0) ref_promote(engine, hash, side->ref_next);
}
