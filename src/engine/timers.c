/* SPDX-License-Identifier: Apache-2.0 */
/* What is due when. Each queue has a heap of its jobs that wait for time: scheduled and retryable
 * ones (stage), running ones (rescue), final ones with a time of keeping of their own (prune). The
 * engine has one heap of queues by what is due first in each, so peeking is O(1) and a queue with a
 * million timers costs the others nothing.
 *
 * The timer of a running job may stand earlier than its lease really ends: a worker that lives
 * extends all its leases by one number (worker.alive_until_ns), and the timer is put right when it
 * fires. */
#include "engine/core.h"

static bool timer_before(void *context, uint32_t a, uint32_t b) {
    return job_at(context, a)->id < job_at(context, b)->id;
}

static void timer_moved(void *context, uint32_t item, uint32_t at) {
    job_at(context, item)->heap_at = at;
}

static const struct heap_rules timer_rules = {.before = timer_before, .moved = timer_moved};

void timer_set(struct engine *engine, uint32_t handle, hob_ns when_ns) {
    struct job *job = job_at(engine, handle);
    struct queue *queue = queue_at(engine, job->queue);
    if (job->heap_at == HEAP_NOWHERE) {
        heap_push(&queue->timers, &engine->mem, &timer_rules, engine, when_ns, handle);
    } else {
        heap_rekey(&queue->timers, &timer_rules, engine, job->heap_at, when_ns);
    }
}

void timer_clear(struct engine *engine, uint32_t handle) {
    struct job *job = job_at(engine, handle);
    struct queue *queue = queue_at(engine, job->queue);
    heap_remove(&queue->timers, &engine->mem, &timer_rules, engine, job->heap_at);
}

bool queue_is_paused(const struct engine *engine, const struct queue *queue) {
    if (!queue->paused) return false;
    return queue->paused_until_ns == 0 || queue->paused_until_ns > engine->now_ns;
}

/* When the oldest of a retention list has to go: at once while there are too many. */
static hob_ns retention_due(
    const struct engine *engine, const struct job_list *list, hob_ns keep_ns, uint32_t keep_count
) {
    if (list->count == 0) return HOB_NEVER;
    if (list->count > keep_count) return 0;
    return ns_add(job_at(engine, list->first)->state_ns, keep_ns);
}

static hob_ns earlier(hob_ns a, hob_ns b) {
    return a < b ? a : b;
}

hob_ns queue_due(const struct engine *engine, const struct queue *queue) {
    hob_ns due_ns = queue->timers.count == 0 ? HOB_NEVER : queue->timers.entries[0].key;
    const struct job_list *completed = &queue->completed;
    const struct job_list *failed = &queue->failed;
    due_ns = earlier(
        due_ns,
        retention_due(engine, completed, queue->keep_completed_ns, queue->keep_completed_count)
    );
    due_ns = earlier(
        due_ns, retention_due(engine, failed, queue->keep_failed_ns, queue->keep_failed_count)
    );
    if (queue->paused && queue->paused_until_ns != 0) {
        due_ns = earlier(due_ns, queue->paused_until_ns);
    }
    return due_ns;
}

hob_ns job_over_ns(const struct engine *engine, const struct job *job) {
    hob_assert(job->state == JOB_RUNNING);
    const struct run *run = run_at(engine, job->run);
    if (run->forsaken_ns != 0) return run->forsaken_ns;
    hob_ns alive_ns = worker_at(engine, run->worker)->alive_until_ns;
    hob_ns over_ns = run->lease_until_ns > alive_ns ? run->lease_until_ns : alive_ns;
    hob_ns end_ns = earlier(over_ns, job_hard_ns(engine, job));
    bool has_grace = run->token < engine->grace_token && end_ns < engine->grace_until_ns;
    return has_grace ? engine->grace_until_ns : end_ns;
}
