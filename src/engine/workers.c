/* SPDX-License-Identifier: Apache-2.0 */
/* Workers are volatile: their names, slots, labels and kinds are what the clients of this process
 * have said. What is durable of them is only their name in the leases they hold. A worker that
 * lives extends all its leases by one number; one that says which jobs it holds ends those of its
 * leases that it does not know, since the reply that told of them was lost, or it began anew. */
#include "base/glob.h"
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

void worker_hold(struct engine *engine, uint32_t handle) {
    const struct job *job = job_at(engine, handle);
    struct worker *worker = worker_at(engine, run_at(engine, job->run)->worker);
    worker->running += demand_cost(engine, job->demand);
    job_list_append(engine, &worker->held, handle);
}

void worker_release(struct engine *engine, uint32_t handle) {
    const struct job *job = job_at(engine, handle);
    struct worker *worker = worker_at(engine, run_at(engine, job->run)->worker);
    hob_assert(worker->running >= demand_cost(engine, job->demand));
    worker->running -= demand_cost(engine, job->demand);
    job_list_remove(engine, &worker->held, handle);
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

/* Two that share a name would keep each other's leases alive, and end them by saying what each
 * holds. */
static bool worker_is_taken(struct engine *engine, struct slice name) {
    uint32_t handle = worker_find(engine, name);
    if (handle == 0) return false;
    const struct worker *worker = worker_at(engine, handle);
    return worker->held.count > 0 || worker->alive_until_ns > engine->now_ns;
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
    if (set->fresh && worker_is_taken(engine, set->worker)) {
        answer_set(answer, ANSWER_EXISTS, "a worker with this name is alive, or has jobs");
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

/* The jobs that it names are marked, the others of its jobs are over: the turn rescues them as it
 * does those whose worker is gone. */
static void
worker_forsake(struct engine *engine, uint32_t handle, const struct worker_beat_command *beat) {
    struct worker *worker = worker_at(engine, handle);
    worker->holds_told++;
    for (uint32_t i = 0; i < beat->hold_count; i++) {
        uint32_t named = job_find(engine, beat->holds[i].id);
        if (named == 0 || job_at(engine, named)->state != JOB_RUNNING) continue;
        struct run *run = run_at(engine, job_at(engine, named)->run);
        if (run->worker != handle || run->token != beat->holds[i].token) continue;
        run->held_at = worker->holds_told;
    }
    for (uint32_t at = worker->held.first; at != 0; at = job_at(engine, at)->next) {
        const struct job *job = job_at(engine, at);
        struct run *run = run_at(engine, job->run);
        bool is_young = ns_add(run->started_ns, beat->young_ns) > engine->now_ns;
        if (run->held_at == worker->holds_told || is_young) continue;
        if (job_over_ns(engine, job) <= engine->now_ns) continue;
        struct slice queue = text_slice(queue_at(engine, job->queue)->name);
        if (!glob_list_fits(beat->only, queue)) continue;
        run->forsaken_ns = engine->now_ns;
        timer_set(engine, at, engine->now_ns);
        queue_touch(engine, job->queue);
    }
}

void apply_worker_beat(
    struct engine *engine, const struct command *command, struct answer *answer
) {
    const struct worker_beat_command *beat = &command->worker_beat;
    if (beat->alive_ns > LEASE_MAX_NS || beat->young_ns > LEASE_MAX_NS) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "a beat holds, and spares, at most 24 hours");
        return;
    }
    if (beat->hold_count > WORKER_HOLDS_MAX) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "a worker holds at most 100000 jobs");
        return;
    }
    uint32_t handle = worker_greet(engine, beat->worker, answer);
    if (handle == 0) return;
    hob_ns alive_ns = beat->alive_ns == 0 ? LEASE_DEFAULT_NS : beat->alive_ns;
    alive_ns = ns_add(engine->now_ns, alive_ns);
    struct worker *worker = worker_at(engine, handle);
    if (worker->alive_until_ns < alive_ns) worker->alive_until_ns = alive_ns;
    if (beat->has_holds) worker_forsake(engine, handle, beat);
}
