/* SPDX-License-Identifier: Apache-2.0 */
/* Proof by walking everything: the check of what must always hold. For tests, the simulator and
 * --paranoid; nothing else may need a full walk. */
#include "engine/core.h"
#include "engine/demands.h"
#include "engine/unique.h"

static void check_timer(const struct engine *engine, const struct job *job, uint32_t handle) {
    const struct queue *queue = queue_at(engine, job->queue);
    hob_assert(job->heap_at < queue->timers.count);
    hob_assert(queue->timers.entries[job->heap_at].item == handle);
}

static void check_job(const struct engine *engine, const struct job *job, uint32_t handle) {
    bool own_keep = job->side != 0 && side_at(engine, job->side)->has_keep;
    switch ((enum job_state)job->state) {
    case JOB_AVAILABLE:
        hob_assert(ready_holds(engine, job, handle));
        break;
    case JOB_RUNNING: {
        check_timer(engine, job, handle);
        const struct queue *queue = queue_at(engine, job->queue);
        hob_assert(queue->timers.entries[job->heap_at].key <= job_over_ns(engine, job));
        hob_assert(job->attempt > 0);
        break;
    }
    case JOB_SCHEDULED:
    case JOB_RETRYABLE: {
        check_timer(engine, job, handle);
        const struct queue *queue = queue_at(engine, job->queue);
        hob_assert(queue->timers.entries[job->heap_at].key == job->run_at_ns);
        break;
    }
    case JOB_COMPLETED:
    case JOB_DISCARDED:
    case JOB_CANCELLED:
        if (own_keep) check_timer(engine, job, handle);
        break;
    case JOB_BLOCKED:
        hob_assert(job->heap_at == HEAP_NOWHERE);
        break;
    case JOB_STATE_COUNT:
        hob_assert(job->state < JOB_STATE_COUNT);
    }
    term_check(engine, job, handle);
    unique_check(engine, job, handle);
    hob_assert(job->id < engine->next_id);
    hob_assert(job->state == JOB_AVAILABLE || job->lane == 0);
}

static uint32_t check_list(const struct engine *engine, const struct job_list *list) {
    uint32_t count = 0;
    uint32_t previous = 0;
    for (uint32_t at = list->first; at != 0; at = job_at(engine, at)->next) {
        hob_assert(job_at(engine, at)->previous == previous);
        hob_assert(
            previous == 0 || engine->replaying ||
            job_at(engine, previous)->state_ns <= job_at(engine, at)->state_ns
        );
        previous = at;
        count++;
    }
    hob_assert(list->last == previous);
    hob_assert(list->count == count);
    return count;
}

/* What a worker holds is what runs for it. Answers its number. */
static uint32_t check_held(const struct engine *engine, uint32_t handle) {
    const struct worker *worker = worker_at(engine, handle);
    uint32_t count = 0;
    for (uint32_t at = worker->held.first; at != 0; at = job_at(engine, at)->next) {
        const struct job *job = job_at(engine, at);
        hob_assert(job->state == JOB_RUNNING);
        hob_assert(run_at(engine, job->run)->worker == handle);
        hob_assert(run_at(engine, job->run)->held_at <= worker->holds_told);
        count++;
    }
    hob_assert(worker->held.count == count);
    return count;
}

static void check_queue(const struct engine *engine, uint32_t handle) {
    const struct queue *queue = queue_at(engine, handle);
    const struct heap_entry *due = &engine->due.entries[queue->due_at];
    hob_assert(due->item == handle);
    hob_assert(due->key == queue_due(engine, queue));
    length_check(engine, handle);
    (void)check_list(engine, &queue->completed);
    (void)check_list(engine, &queue->failed);
    hob_assert((queue->branch_first == 0) == (queue->counts[JOB_AVAILABLE] == 0));
    for (uint32_t at = queue->branch_first; at != 0; at = branch_at(engine, at)->queue_next) {
        const struct branch *branch = branch_at(engine, at);
        bool stands = !branch->is_stopped && branch_has_offer(branch);
        hob_assert(stands == (branch->heap_at != HEAP_NOWHERE));
    }
}

void engine_check(const struct engine *engine) {
    hob_assert(engine->freed == 0);
    uint64_t counts[JOB_STATE_COUNT] = {0};
    uint64_t slots = 0; /* that running jobs take */
    uint64_t id = 0;
    uint32_t handle = 0;
    for (uint64_t from = 0; (handle = idmap_next(&engine->job_ids, from, &id)) != 0;
         from = id + 1) {
        const struct job *job = job_at(engine, handle);
        hob_assert(job->id == id);
        check_job(engine, job, handle);
        counts[job->state]++;
        if (job->state == JOB_RUNNING) slots += demand_cost(engine, job->demand);
    }
    uint64_t queue_counts[JOB_STATE_COUNT] = {0};
    for (uint32_t i = 0; i < engine->queue_count; i++) {
        const struct queue *queue = queue_at(engine, engine->queue_list[i]);
        check_queue(engine, engine->queue_list[i]);
        for (uint32_t state = 0; state < JOB_STATE_COUNT; state++) {
            queue_counts[state] += queue->counts[state];
        }
    }
    uint64_t held = 0;
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        slots -= worker_at(engine, engine->worker_list[i])->running;
        held += check_held(engine, engine->worker_list[i]);
    }
    for (uint32_t state = 0; state < JOB_STATE_COUNT; state++) {
        hob_assert(counts[state] == engine->state_counts[state]);
        hob_assert(counts[state] == queue_counts[state]);
    }
    hob_assert(slots == 0);
    hob_assert(held == counts[JOB_RUNNING]);
    hob_assert(engine->jobs.count == engine->job_ids.count);
    hob_assert(!engine->keeps_digest || engine_digest_kept(engine) == engine_digest(engine));
}
