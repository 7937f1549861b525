/* SPDX-License-Identifier: Apache-2.0 */
/* A fetch names queues and a mode; picking is one job at a time, so that modes mean the same for
 * one job and for a thousand. A fetch that finds nothing and may wait becomes a waiter in the line
 * of each of its queues (wait.c). */
#include "engine/core.h"

static uint32_t
queue_offer(const struct engine *engine, const struct waiter *waiter, uint32_t queue) {
    if (queue_is_paused(engine, queue_at(engine, queue))) return 0;
    return ready_best(engine, queue, waiter->worker);
}

/* Does the offer of queue @a beat that of queue @b in this mode? Equal is no: the queue named first
 * stays. */
static bool
offer_beats(const struct engine *engine, enum fetch_mode mode, uint32_t job_a, uint32_t job_b) {
    if (mode == FETCH_MERGED) return ready_before(engine, job_a, job_b, false);
    hob_assert(mode == FETCH_WEIGHTED);
    const struct queue *queue_a = queue_at(engine, job_at(engine, job_a)->queue);
    const struct queue *queue_b = queue_at(engine, job_at(engine, job_b)->queue);
    return queue_a->pass < queue_b->pass;
}

static uint32_t pick(const struct engine *engine, const struct waiter *waiter) {
    uint32_t best = 0;
    for (uint32_t i = 0; i < waiter->queue_count; i++) {
        uint32_t job = queue_offer(engine, waiter, waiter->queues[i]);
        if (job == 0) continue;
        if (waiter->mode == FETCH_LISTED) return job;
        if (best == 0 || offer_beats(engine, waiter->mode, job, best)) best = job;
    }
    return best;
}

uint32_t fetch_now(struct engine *engine, const struct waiter *waiter) {
    struct worker *worker = worker_at(engine, waiter->worker);
    uint32_t count = 0;
    while (count < waiter->count && worker->running < worker->slots) {
        uint32_t handle = pick(engine, waiter);
        if (handle == 0) break;
        const struct job *job = job_at(engine, handle);
        struct queue *queue = queue_at(engine, job->queue);
        if (waiter->mode == FETCH_WEIGHTED) engine->vtime = queue->pass++;
        struct effect run = {
            .type = EFFECT_JOB_RUN,
            .job_run =
                {
                    .id = job->id,
                    .token = engine->next_token,
                    .at_ns = engine->now_ns,
                    .lease_until_ns = ns_add(engine->now_ns, waiter->lease_ns),
                    .worker = text_slice(worker->name),
                },
        };
        engine->picked[count++] = job->id;
        emit(engine, &run);
    }
    return count;
}

bool waiter_can_take(const struct engine *engine, const struct waiter *waiter, uint32_t queue) {
    const struct worker *worker = worker_at(engine, waiter->worker);
    return worker->running < worker->slots && queue_offer(engine, waiter, queue) != 0;
}

static const char *fetch_fault(const struct fetch_command *fetch) {
    if (!name_is_valid(fetch->worker)) {
        return "worker " NAME_RULE;
    }
    if (fetch->queue_count == 0) return "name at least one queue";
    if (fetch->queue_count > FETCH_QUEUES_MAX) return "a fetch names at most 256 queues";
    if (fetch->count > FETCH_COUNT_MAX) return "count is at most 1000";
    if (fetch->mode >= FETCH_MODE_COUNT) return "no such mode: weighted, listed or merged";
    if (fetch->wait_ns > FETCH_WAIT_MAX_NS) return "wait is at most 5 minutes";
    if (fetch->lease_ns != 0 &&
        (fetch->lease_ns < LEASE_MIN_NS || fetch->lease_ns > LEASE_MAX_NS)) {
        return "lease is 1 second to 24 hours";
    }
    for (uint32_t i = 0; i < fetch->queue_count; i++) {
        if (!name_is_valid(fetch->queues[i])) {
            return "queue " NAME_RULE;
        }
    }
    return NULL;
}

/* The queues of a fetch, each once. A fetch that waits makes those that are not there, so that it
 * can stand in line. */
static uint32_t
fetch_queues(struct engine *engine, const struct fetch_command *fetch, uint32_t *queues) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < fetch->queue_count; i++) {
        uint32_t queue = queue_find(engine, fetch->queues[i]);
        if (queue == 0 && fetch->wait_ns > 0) queue = queue_need(engine, fetch->queues[i]);
        uint32_t at = 0;
        while (at < count && queues[at] != queue) at++;
        if (queue != 0 && at == count) queues[count++] = queue;
    }
    return count;
}

static void fetch_wait(
    struct engine *engine,
    const struct command *command,
    const struct waiter *fetch,
    struct answer *answer
) {
    uint32_t handle = pool_new(&engine->waiters);
    struct waiter *waiter = waiter_at(engine, handle);
    *waiter = *fetch;
    waiter->request = command->request;
    waiter->until_ns = ns_add(engine->now_ns, command->fetch.wait_ns);
    size_t bytes = waiter->queue_count * sizeof *waiter->queues;
    waiter->queues = mem_alloc(&engine->mem, bytes);
    memcpy(waiter->queues, fetch->queues, bytes);
    waiter_add(engine, handle);
    answer_set(answer, ANSWER_WAITING, NULL);
}

void apply_fetch(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct fetch_command *fetch = &command->fetch;
    const char *fault = fetch_fault(fetch);
    if (fault != NULL) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, fault);
        return;
    }
    if (engine->queue_count + fetch->queue_count > QUEUES_MAX) {
        answer_set(answer, ANSWER_LIMIT, "queues: 1000000 at most");
        return;
    }
    uint32_t worker_handle = worker_greet(engine, fetch->worker, answer);
    if (worker_handle == 0) return;
    struct worker *worker = worker_at(engine, worker_handle);
    hob_ns lease_ns = fetch->lease_ns == 0 ? LEASE_DEFAULT_NS : fetch->lease_ns;
    hob_ns alive_ns = ns_add(engine->now_ns, lease_ns);
    if (worker->alive_until_ns < alive_ns) worker->alive_until_ns = alive_ns;
    if (worker->running >= worker->slots) {
        answer_set(answer, ANSWER_NO_SLOT, NULL);
        return;
    }
    uint32_t queues[FETCH_QUEUES_MAX];
    struct waiter waiter = {
        .worker = worker_handle,
        .count = fetch->count == 0 ? 1 : fetch->count,
        .mode = fetch->mode,
        .lease_ns = lease_ns,
        .queues = queues,
        .queue_count = fetch_queues(engine, fetch, queues),
    };
    uint32_t count = fetch_now(engine, &waiter);
    if (count > 0) {
        answer->job_count = count;
        answer->jobs = engine->picked;
        answer->lease_until_ns = alive_ns;
    } else if (fetch->wait_ns > 0) {
        fetch_wait(engine, command, &waiter, answer);
    } else {
        answer_set(answer, ANSWER_EMPTY, NULL);
    }
}
