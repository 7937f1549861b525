/* SPDX-License-Identifier: Apache-2.0 */
/* The ceiling of memory, in three zones:
 *
 *     below 4/5          everything works
 *     from 4/5 on        what brings new payloads or texts is refused: pushes, lists, joins,
 *                        updates of texts; all else works, from the fifth that is left
 *     at the ceiling     what would make a thing that stays is refused, too: a queue or limiter
 *                        that is not there yet
 *
 * What runs and ends jobs is never refused, nor are the callbacks of an end, nor a worker that is
 * new: they need little, and are what frees memory. Workers that were restarted come under new
 * names: if these were refused, nothing would ever be worked off. The last fifth is theirs.
 *
 * Counted is what is used: the chunks of pools and indexes are kept when what was in them goes, and
 * serve what comes next, so their free places are no use. Otherwise a server that was full once
 * would refuse for good. */
#include "engine/core.h"

/* Places that the next items take without any allocation. */
static uint64_t pool_idle_bytes(const struct pool *pool) {
    uint64_t places = (uint64_t)pool->chunk_count * POOL_CHUNK_ITEMS;
    return (places - pool->count) * (pool->item_bytes + 1u);
}

uint64_t memory_used(const struct engine *engine) {
    const struct pool *pools[] = {
        &engine->jobs,     &engine->sides,   &engine->runs,          &engine->kinds,
        &engine->queues,   &engine->workers, &engine->keys,          &engine->lanes,
        &engine->branches, &engine->groups,  &engine->valves,        &engine->limiters,
        &engine->limits,   &engine->demands, &engine->waiters,       &engine->skills,
        &engine->watches,  &engine->spots,   &engine->job_ids.nodes,
    };
    uint64_t idle = 0;
    for (size_t i = 0; i < hob_countof(pools); i++) idle += pool_idle_bytes(pools[i]);
    return engine->mem.used_bytes + engine->outside_bytes - idle;
}

void engine_memory_outside(struct engine *engine, uint64_t bytes) {
    engine->outside_bytes = bytes;
}

static bool memory_is_past(const struct engine *engine, uint64_t limit) {
    if (engine->memory_max_bytes == 0) return false;
    /* Asked before each push: mostly the sum of all is below, places that are free or not. */
    if (engine->mem.used_bytes + engine->outside_bytes < limit) return false;
    return memory_used(engine) >= limit;
}

bool memory_is_short(const struct engine *engine) {
    return memory_is_past(engine, engine->memory_max_bytes / 5 * 4);
}

bool memory_is_spent(const struct engine *engine, struct answer *answer) {
    if (!memory_is_past(engine, engine->memory_max_bytes)) return false;
    answer_set(answer, ANSWER_MEMORY, NULL);
    answer->retry_after_ns = NS_PER_SECOND;
    return true;
}
