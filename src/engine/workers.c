/* SPDX-License-Identifier: Apache-2.0 */
/* Workers are volatile: their names, slots, labels and kinds are what the clients of this process
 * have said. What is durable of them is only their name in the leases they hold. A worker that
 * lives extends all its leases by one number. */
#include "engine/core.h"
#include "engine/demands.h"

enum { WORKER_SWEEP_EVERY = 64 };

static bool worker_is_idle(const struct engine *engine, const struct worker *worker) {
    return worker->users == 0 && worker->waiter_first == 0 &&
           ns_add(worker->alive_until_ns, NS_PER_HOUR) <= engine->now_ns;
}

/* Workers come under ever new names (host and process); those that nobody refers to and that have
 * been silent for an hour are forgotten when new ones come. */
static void workers_sweep(struct engine *engine) {
    for (uint32_t i = engine->worker_count; i-- > 0;) {
        uint32_t handle = engine->worker_list[i];
        if (worker_is_idle(engine, worker_at(engine, handle))) worker_forget(engine, handle);
    }
}

uint32_t worker_greet(struct engine *engine, struct slice name, struct answer *answer) {
    if (!name_is_valid(name)) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "worker " NAME_RULE);
        return 0;
    }
    uint32_t handle = worker_find(engine, name);
    if (handle != 0) return handle;
    if ((engine->worker_count + 1) % WORKER_SWEEP_EVERY == 0) workers_sweep(engine);
    if (engine->worker_count >= WORKERS_MAX) {
        answer_set(answer, ANSWER_LIMIT, "workers: 100000 at most");
        return 0;
    }
    return worker_need(engine, name);
}

static void worker_kinds_set(
    struct engine *engine, struct worker *worker, const struct worker_set_command *set
) {
    uint32_t *old = worker->kinds;
    uint32_t old_count = worker->kind_count;
    worker->kinds = NULL;
    worker->kind_count = set->kind_count;
    if (set->kind_count > 0) {
        worker->kinds = mem_alloc(&engine->mem, set->kind_count * sizeof *worker->kinds);
    }
    for (uint32_t i = 0; i < set->kind_count; i++) {
        worker->kinds[i] = kind_use(engine, set->kinds[i]);
    }
    for (uint32_t i = 0; i < old_count; i++) kind_unuse(engine, old[i]);
    mem_free(&engine->mem, old, old_count * sizeof *old);
}

void apply_worker_set(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct worker_set_command *set = &command->worker_set;
    if (set->slots > WORKER_SLOTS_MAX) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "slots: 100000 at most");
        return;
    }
    if (set->kind_count > WORKER_KINDS_MAX) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "a worker names at most 256 kinds");
        return;
    }
    for (uint32_t i = 0; i < set->kind_count; i++) {
        if (name_is_valid(set->kinds[i])) continue;
        answer_set(answer, ANSWER_BAD_ARGUMENT, "kind " NAME_RULE);
        return;
    }
    if (needs_fault(set->labels) != NULL) {
        answer_set(
            answer, ANSWER_BAD_ARGUMENT, "labels: at most 16 names in 1024 bytes, " NAME_RULE
        );
        return;
    }
    uint32_t handle = worker_greet(engine, set->worker, answer);
    if (handle == 0) return;
    struct worker *worker = worker_at(engine, handle);
    text_set(engine, &worker->labels, set->labels);
    worker->slots = set->slots == 0 ? WORKER_SLOTS_MAX : set->slots;
    worker_kinds_set(engine, worker, set);
    worker_rehome(engine, handle);
    hob_ns alive_ns = ns_add(engine->now_ns, LEASE_DEFAULT_NS);
    if (worker->alive_until_ns < alive_ns) worker->alive_until_ns = alive_ns;
    worker_feed(engine, worker);
}

void apply_worker_beat(
    struct engine *engine, const struct command *command, struct answer *answer
) {
    const struct worker_beat_command *beat = &command->worker_beat;
    if (beat->alive_ns > LEASE_MAX_NS) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "a beat holds at most 24 hours");
        return;
    }
    uint32_t handle = worker_greet(engine, beat->worker, answer);
    if (handle == 0) return;
    hob_ns alive_ns = beat->alive_ns == 0 ? LEASE_DEFAULT_NS : beat->alive_ns;
    alive_ns = ns_add(engine->now_ns, alive_ns);
    struct worker *worker = worker_at(engine, handle);
    if (worker->alive_until_ns < alive_ns) worker->alive_until_ns = alive_ns;
}
