/* SPDX-License-Identifier: Apache-2.0 */
/* What jobs ask of a worker: labels that it must have, and how many of its slots they take. Jobs
 * that ask for the same share one demand, so that a branch of a queue is one kind and one demand,
 * and choosing compares a worker with branches, never with jobs (ready.c). A job that asks for one
 * slot and no label has none.
 *
 * A worker is offered what fits all its slots. When the best job takes more of them than are free,
 * the worker is given nothing until they are: what is smaller does not overtake, or a big job would
 * wait as long as small ones come. */
#include "engine/demands.h"

#include "engine/labels.h"

struct demand_key {
    struct slice needs;
    uint32_t cost;
};

static bool demand_is(const void *context, uint32_t item, const void *key) {
    const struct demand *demand = demand_at(context, item);
    const struct demand_key *wanted = key;
    return demand->cost == wanted->cost && slice_equal(text_slice(demand->needs), wanted->needs);
}

static uint64_t demand_hash(const struct engine *engine, const struct demand_key *key) {
    return siphash(engine->hash_key, key->needs) ^ index_hash_pair(key->cost, 0);
}

const char *needs_fault(struct slice needs) {
    return tags_fault(needs) == NULL ? NULL : "needs: at most 16 names in 1024 bytes, " NAME_RULE;
}

uint32_t demand_use(struct engine *engine, struct slice needs, uint32_t cost) {
    struct demand_key key = {needs, cost == 0 ? 1 : cost};
    if (key.needs.size == 0 && key.cost == 1) return 0;
    uint64_t hash = demand_hash(engine, &key);
    uint32_t handle = index_find(&engine->demand_keys, hash, demand_is, engine, &key);
    if (handle == 0) {
        handle = pool_new(&engine->demands);
        struct demand *demand = demand_at(engine, handle);
        demand->needs = text_new(engine, needs);
        demand->cost = key.cost;
        index_add(&engine->demand_keys, &engine->mem, hash, handle);
    }
    demand_at(engine, handle)->users++;
    return handle;
}

void demand_unuse(struct engine *engine, uint32_t handle) {
    if (handle == 0) return;
    struct demand *demand = demand_at(engine, handle);
    hob_assert(demand->users > 0);
    if (--demand->users > 0) return;
    struct demand_key key = {text_slice(demand->needs), demand->cost};
    index_remove(&engine->demand_keys, &engine->mem, demand_hash(engine, &key), handle);
    text_free(engine, &demand->needs);
    pool_free(&engine->demands, handle);
}

uint32_t demand_cost(const struct engine *engine, uint32_t handle) {
    return handle == 0 ? 1 : demand_at(engine, handle)->cost;
}

bool demand_has_label(const struct engine *engine, uint32_t handle, const struct worker *worker) {
    if (handle == 0) return true;
    struct slice needs = text_slice(demand_at(engine, handle)->needs);
    struct slice label;
    while (tag_next(&needs, &label)) {
        if (!tags_have(text_slice(worker->labels), label)) return false;
    }
    return true;
}

bool demand_fits(const struct engine *engine, uint32_t handle, const struct worker *worker) {
    return demand_cost(engine, handle) <= worker->slots && demand_has_label(engine, handle, worker);
}

uint32_t worker_free(const struct worker *worker) {
    return worker->running < worker->slots ? worker->slots - worker->running : 0;
}

void demands_free(struct engine *engine) {
    hob_assert(engine->demands.count == 0);
    index_deinit(&engine->demand_keys, &engine->mem);
}
