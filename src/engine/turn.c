/* SPDX-License-Identifier: Apache-2.0 */
/* What time does: open valves, discard jobs that have not started in time, stage jobs whose time
 * has come, rescue those whose worker is gone, prune what has been kept long enough, end pauses
 * and waits, drop what a queue has no room for, forget old keys. Bounded by a budget, so that a
 * million due jobs do not freeze the loop. */
#include "engine/valves.h"

static void stage(struct engine *engine, uint32_t handle) {
    const struct job *job = job_at(engine, handle);
    uint32_t queue = job->queue;
    struct effect staged = {
        .type = EFFECT_JOB_STAGED, .job_staged = {.id = job->id, .at_ns = engine->now_ns}};
    emit(engine, &staged);
    queue_feed(engine, queue);
}

static struct job_error rescue_error(const struct engine *engine, const struct job *job) {
    bool timeout = engine->now_ns >= job_hard_ns(engine, job);
    struct slice lost =
        SLICE("the lease ended without a word from the worker: it is gone or hangs");
    if (run_at(engine, job->run)->forsaken_ns != 0) {
        lost = SLICE("its worker says that it does not hold this job");
    }
    return (struct job_error){
        .attempt = job->attempt,
        .cause = timeout ? CAUSE_TIMEOUT : CAUSE_LOST,
        .at_ns = engine->now_ns,
        .text = timeout ? SLICE("ran past its timeout and its worker did not end it") : lost,
    };
}

static void rescue(struct engine *engine, uint32_t handle) {
    const struct job *job = job_at(engine, handle);
    const struct run *run = run_at(engine, job->run);
    struct job_error error = rescue_error(engine, job);
    uint64_t id = job->id;
    uint32_t queue = job->queue;
    uint32_t worker = run->worker;
    if (engine->sink.notice != NULL) {
        struct notice notice = {
            .worker = text_slice(worker_at(engine, worker)->name),
            .id = id,
            .token = run->token,
            .cause = error.cause,
        };
        engine->sink.notice(engine->sink.context, &notice);
    }
    if (job->attempt >= job->attempt_max) {
        struct effect failed = {
            .type = EFFECT_JOB_FAILED,
            .job_failed = {.id = id, .state = JOB_DISCARDED, .error = error},
        };
        emit(engine, &failed);
        job_ended(engine, id, (struct ending){.by_person = false});
    } else {
        struct effect released = {
            .type = EFFECT_JOB_RELEASED,
            .job_released =
                {
                    .id = id,
                    .at_ns = engine->now_ns,
                    .state = JOB_AVAILABLE,
                    .rescued = true,
                    .error = error,
                },
        };
        emit(engine, &released);
        (void)term_settle(engine, id);
        queue_feed(engine, queue);
    }
    worker_feed(engine, worker_at(engine, worker));
}

static void prune(struct engine *engine, uint32_t handle) {
    struct effect deleted = {
        .type = EFFECT_JOB_DELETED, .job_deleted = {.id = job_at(engine, handle)->id}};
    emit(engine, &deleted);
}

/* The first timer of a queue has come. */
static void timer_fire(struct engine *engine, uint32_t handle) {
    const struct job *job = job_at(engine, handle);
    switch ((enum job_state)job->state) {
    case JOB_SCHEDULED:
    case JOB_RETRYABLE:
        stage(engine, handle);
        return;
    case JOB_RUNNING: {
        hob_ns over_ns = job_over_ns(engine, job);
        if (over_ns <= engine->now_ns) {
            rescue(engine, handle);
        } else {
            timer_set(engine, handle, over_ns);
            queue_touch(engine, job->queue);
        }
        return;
    }
    case JOB_COMPLETED:
    case JOB_DISCARDED:
    case JOB_CANCELLED:
        prune(engine, handle);
        return;
    case JOB_AVAILABLE:
    case JOB_BLOCKED:
    case JOB_STATE_COUNT:
        break;
    }
    hob_assert(false && "this state has no timer");
}

static bool retention_is_due(
    const struct engine *engine, const struct job_list *list, hob_ns keep_ns, uint32_t keep_count
) {
    if (list->count == 0) return false;
    if (list->count > keep_count) return true;
    return ns_add(job_at(engine, list->first)->state_ns, keep_ns) <= engine->now_ns;
}

/* One thing that is due in this queue; false when its due time was put right and nothing is. */
static bool queue_step(struct engine *engine, uint32_t handle) {
    struct queue *queue = queue_at(engine, handle);
    if (queue->timers.count > 0 && queue->timers.entries[0].key <= engine->now_ns) {
        timer_fire(engine, queue->timers.entries[0].item);
        return true;
    }
    const struct job_list *completed = &queue->completed;
    const struct job_list *failed = &queue->failed;
    if (retention_is_due(
            engine, completed, queue->keep_completed_ns, queue->keep_completed_count
        )) {
        prune(engine, completed->first);
        return true;
    }
    if (retention_is_due(engine, failed, queue->keep_failed_ns, queue->keep_failed_count)) {
        prune(engine, failed->first);
        return true;
    }
    if (queue->paused && queue->paused_until_ns != 0 && queue->paused_until_ns <= engine->now_ns) {
        queue_unpause(engine, handle);
        return true;
    }
    queue_touch(engine, handle);
    /* Nothing is due, so the queue leaves the front; else the turn would never end. */
    hob_assert(engine->due.entries[queue->due_at].key > engine->now_ns);
    return false;
}

static void keys_expire(struct engine *engine, uint32_t *budget) {
    while (*budget > 0 && engine->key_due.count > 0 &&
           engine->key_due.entries[0].key <= engine->now_ns) {
        const struct key *key = pool_at(&engine->keys, engine->key_due.entries[0].item);
        struct effect drop = {
            .type = EFFECT_KEY_DROP,
            .key_drop = {.key = text_slice(key->name), .is_unique = key->is_unique},
        };
        emit(engine, &drop);
        --*budget;
    }
}

static bool queue_is_due(const struct engine *engine) {
    return engine->due.count > 0 && engine->due.entries[0].key <= engine->now_ns;
}

hob_ns engine_turn(struct engine *engine, hob_ns now_ns, uint32_t budget) {
    if (engine->now_ns < now_ns) engine->now_ns = now_ns;
    valves_open(engine);
    while (budget > 0 && (term_is_due(engine) || queue_is_due(engine) || length_is_due(engine))) {
        if (engine->sink.step != NULL && !engine->sink.step(engine->sink.context)) break;
        if (term_is_due(engine)) {
            /* First of all: a job that expires is not staged before. */
            term_end(engine);
            budget--;
        } else if (!queue_is_due(engine)) {
            /* Last of all: what comes back to a queue is there by now. */
            length_drop(engine);
            budget--;
        } else if (queue_step(engine, engine->due.entries[0].item)) {
            budget--;
        }
    }
    keys_expire(engine, &budget);
    waiters_serve(engine);
    waiters_expire(engine);
    return engine_due(engine);
}

static hob_ns heap_first(const struct heap *heap) {
    return heap->count == 0 ? HOB_NEVER : heap->entries[0].key;
}

hob_ns engine_due(const struct engine *engine) {
    if (length_is_due(engine)) return 0;
    hob_ns due_ns = heap_first(&engine->due);
    hob_ns key_ns = heap_first(&engine->key_due);
    hob_ns deadline_ns = heap_first(&engine->deadlines);
    hob_ns term_ns = heap_first(&engine->terms);
    hob_ns opening_ns = heap_first(&engine->opening);
    if (opening_ns < due_ns) due_ns = opening_ns;
    if (key_ns < due_ns) due_ns = key_ns;
    if (term_ns < due_ns) due_ns = term_ns;
    return deadline_ns < due_ns ? deadline_ns : due_ns;
}
