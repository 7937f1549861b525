/* SPDX-License-Identifier: Apache-2.0 */
/* A fetch names queues or globs of them, and a mode; picking is one job at a time, so that modes
 * mean the same for one job and for a thousand. Names are looked at in turn; globs, and every
 * fetch that waits, go through a watch (watch.c), which knows the queues that have work. Both
 * choose the same.
 *
 * Weighted is stride scheduling: each queue has a pass, the smallest of the smallest tier is next,
 * and a pick moves it on by STRIDE / weight. A tier has its virtual time, the pass that was picked
 * last; a queue that gets work again starts there. So tiers do not disturb each other's turns. */
#include "engine/demands.h"
#include "engine/valves.h"
#include "engine/watch.h"

#define STRIDE (UINT64_C(1) << 20)

uint32_t queue_tier(const struct queue *queue) {
    return queue->tier;
}

void queue_wakes(struct engine *engine, struct queue *queue) {
    uint64_t vtime = engine->vtimes[queue_tier(queue)];
    if (queue->pass < vtime) queue->pass = vtime;
}

void queue_tier_set(struct engine *engine, struct queue *queue, uint32_t tier) {
    if (queue->tier == tier) return;
    queue->tier = tier;
    queue->pass = engine->vtimes[tier];
}

static void queue_had_its_turn(struct engine *engine, struct queue *queue) {
    engine->vtimes[queue_tier(queue)] = queue->pass;
    queue->pass += STRIDE / queue->weight;
}

bool queue_is_open(const struct engine *engine, const struct queue *queue) {
    if (queue_is_paused(engine, queue)) return false;
    if (queue->concurrency > 0 && queue->counts[JOB_RUNNING] >= queue->concurrency) return false;
    return !valve_stops(engine, queue->valve, 1);
}

uint32_t queue_offer(struct engine *engine, uint32_t worker, uint32_t queue) {
    if (!queue_is_open(engine, queue_at(engine, queue))) return 0;
    uint32_t job = ready_best(engine, queue, worker);
    /* What may not start any more is discarded by the turn; until then nothing passes it. */
    return job != 0 && job_is_overdue(engine, job_at(engine, job)) ? 0 : job;
}

/* Does the offer of queue @a beat that of queue @b in this mode? Equal is no: the queue named first
 * stays. */
static bool
offer_beats(const struct engine *engine, enum fetch_mode mode, uint32_t job_a, uint32_t job_b) {
    const struct job *a = job_at(engine, job_a);
    const struct job *b = job_at(engine, job_b);
    if (mode == FETCH_MERGED) {
        return a->priority != b->priority ? a->priority < b->priority : a->id < b->id;
    }
    hob_assert(mode == FETCH_WEIGHTED);
    const struct queue *queue_a = queue_at(engine, a->queue);
    const struct queue *queue_b = queue_at(engine, b->queue);
    uint32_t tier_a = queue_tier(queue_a);
    uint32_t tier_b = queue_tier(queue_b);
    return tier_a != tier_b ? tier_a < tier_b : queue_a->pass < queue_b->pass;
}

static uint32_t pick(struct engine *engine, const struct fetch *fetch) {
    if (fetch->watch != 0) return watch_best(engine, fetch->watch, fetch->worker);
    uint32_t best = 0;
    for (uint32_t i = 0; i < fetch->queue_count; i++) {
        uint32_t job = queue_offer(engine, fetch->worker, fetch->queues[i]);
        if (job == 0) continue;
        if (fetch->mode == FETCH_LISTED) return job;
        if (best == 0 || offer_beats(engine, fetch->mode, job, best)) best = job;
    }
    return best;
}

/* The next job of this queue and kind. A worker of that one kind would get it. */
static uint32_t
pick_same(struct engine *engine, const struct fetch *fetch, uint32_t queue, uint32_t kind) {
    struct worker *worker = worker_at(engine, fetch->worker);
    uint32_t *kinds = worker->kinds;
    uint32_t kind_count = worker->kind_count;
    worker->kinds = &kind;
    worker->kind_count = 1;
    uint32_t job = queue_offer(engine, fetch->worker, queue);
    worker->kinds = kinds;
    worker->kind_count = kind_count;
    return job;
}

/* The next job of this group, of whatever kind the worker runs. */
static uint32_t pick_group(struct engine *engine, const struct fetch *fetch, uint32_t group) {
    uint32_t queue = group_at(engine, group)->queue;
    if (!queue_is_open(engine, queue_at(engine, queue))) return 0;
    uint32_t job = ready_best_of_group(engine, group, fetch->worker);
    return job != 0 && job_is_overdue(engine, job_at(engine, job)) ? 0 : job;
}

/* The next job for a fetch that has got @first already; 0: it has none. */
static uint32_t pick_next(struct engine *engine, const struct fetch *fetch, uint32_t first) {
    if (first == 0 || fetch->same == FETCH_SAME_NOTHING) return pick(engine, fetch);
    const struct job *job = job_at(engine, first);
    if (fetch->same == FETCH_SAME_GROUP) return pick_group(engine, fetch, job->group);
    return pick_same(engine, fetch, job->queue, job->kind);
}

uint32_t fetch_now(struct engine *engine, const struct fetch *fetch) {
    struct worker *worker = worker_at(engine, fetch->worker);
    uint32_t count = 0;
    uint32_t first = 0;
    while (count < fetch->count && worker_free(worker) > 0) {
        uint32_t handle = pick_next(engine, fetch, first);
        if (handle == 0) break;
        if (first == 0) first = handle;
        const struct job *job = job_at(engine, handle);
        /* What is smaller does not overtake it. */
        if (demand_cost(engine, job->demand) > worker_free(worker)) break;
        if (fetch->mode == FETCH_WEIGHTED) {
            queue_had_its_turn(engine, queue_at(engine, job->queue));
        }
        group_had_its_turn(engine, job->group);
        struct effect run = {
            .type = EFFECT_JOB_RUN,
            .job_run =
                {
                    .id = job->id,
                    .token = engine->next_token,
                    .at_ns = engine->now_ns,
                    .lease_until_ns = ns_add(engine->now_ns, fetch->lease_ns),
                    .worker = text_slice(worker->name),
                },
        };
        engine->picked[count++] = job->id;
        emit(engine, &run);
        valves_take(engine, job);
    }
    return count;
}

static bool is_exclusion(struct slice pattern) {
    return pattern.size > 0 && pattern.bytes[0] == '!';
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
    if (fetch->same >= FETCH_SAME_COUNT) return "no such same: nothing, kind or group";
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < fetch->queue_count; i++) {
        if (!pattern_is_valid(fetch->queues[i])) return "queue " PATTERN_RULE;
        wanted += is_exclusion(fetch->queues[i]) ? 0 : 1;
    }
    return wanted > 0 ? NULL : "name a queue that is not excluded";
}

static bool fetch_has_globs(const struct fetch_command *fetch) {
    for (uint32_t i = 0; i < fetch->queue_count; i++) {
        if (!name_is_valid(fetch->queues[i])) return true;
    }
    return false;
}

/* The queues of a fetch, each once. A fetch that waits makes those that are not there, as whoever
 * looks at the queues expects to see what is waited for. */
static uint32_t
fetch_queues(struct engine *engine, const struct fetch_command *fetch, uint32_t *queues) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < fetch->queue_count; i++) {
        if (!name_is_valid(fetch->queues[i])) continue;
        uint32_t queue = queue_find(engine, fetch->queues[i]);
        if (queue == 0 && fetch->wait_ns > 0) queue = queue_need(engine, fetch->queues[i]);
        uint32_t at = 0;
        while (at < count && queues[at] != queue) at++;
        if (queue != 0 && at == count) queues[count++] = queue;
    }
    return count;
}

/* The watch that looks at what this fetch names, or 0. */
static uint32_t
fetch_watch(struct engine *engine, const struct fetch_command *asked, struct worker *worker) {
    size_t size_max = 0;
    for (uint32_t i = 0; i < asked->queue_count; i++) size_max += asked->queues[i].size + 1;
    char *patterns = mem_alloc(&engine->mem, size_max);
    size_t size = 0;
    for (uint32_t i = 0; i < asked->queue_count; i++) {
        if (i > 0) patterns[size++] = ' ';
        memcpy(patterns + size, asked->queues[i].bytes, asked->queues[i].size);
        size += asked->queues[i].size;
    }
    struct watch_key key = {
        .skill = worker_skill(engine, worker),
        .mode = asked->mode,
        .patterns = slice_of(patterns, size),
        .only = fetch_has_globs(asked) ? asked->only : SLICE_NONE,
    };
    uint32_t watch = watch_need(engine, &key, false);
    mem_free(&engine->mem, patterns, size_max);
    return watch;
}

static void fetch_wait(
    struct engine *engine,
    const struct command *command,
    const struct fetch *fetch,
    struct answer *answer
) {
    uint32_t handle = pool_new(&engine->waiters);
    struct waiter *waiter = waiter_at(engine, handle);
    waiter->fetch = *fetch;
    waiter->fetch.queues = NULL;
    waiter->fetch.queue_count = 0;
    waiter->request = command->request;
    waiter->until_ns = ns_add(engine->now_ns, command->fetch.wait_ns);
    waiter_add(engine, handle);
    answer_set(answer, ANSWER_WAITING, NULL);
}

/* The worker of a fetch, who lives now, when it has a free slot; else 0 and an answer. */
static uint32_t
fetch_worker(struct engine *engine, const struct fetch *fetch, struct answer *answer) {
    struct worker *worker = worker_at(engine, fetch->worker);
    hob_ns alive_ns = ns_add(engine->now_ns, fetch->lease_ns);
    if (worker->alive_until_ns < alive_ns) worker->alive_until_ns = alive_ns;
    if (worker->running < worker->slots) return fetch->worker;
    answer_set(answer, ANSWER_NO_SLOT, NULL);
    return 0;
}

void apply_fetch(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct fetch_command *asked = &command->fetch;
    const char *fault = fetch_fault(asked);
    if (fault != NULL) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, fault);
        return;
    }
    if (engine->queue_count + asked->queue_count > QUEUES_MAX) {
        answer_set(answer, ANSWER_LIMIT, "queues: 1000000 at most");
        return;
    }
    uint32_t queues[FETCH_QUEUES_MAX];
    struct fetch fetch = {
        .worker = worker_greet(engine, asked->worker, answer),
        .count = asked->count == 0 ? 1 : asked->count,
        .mode = asked->mode,
        .same = asked->same,
        .lease_ns = asked->lease_ns == 0 ? LEASE_DEFAULT_NS : asked->lease_ns,
        .queues = queues,
    };
    if (fetch.worker == 0 || fetch_worker(engine, &fetch, answer) == 0) return;
    fetch.queue_count = fetch_queues(engine, asked, queues);
    struct worker *worker = worker_at(engine, fetch.worker);
    bool has_globs = fetch_has_globs(asked);
    if (has_globs) fetch.watch = fetch_watch(engine, asked, worker);
    uint32_t count = has_globs && fetch.watch == 0 ? 0 : fetch_now(engine, &fetch);
    if (count > 0) {
        answer->job_count = count;
        answer->jobs = engine->picked;
        answer->lease_until_ns = ns_add(engine->now_ns, fetch.lease_ns);
        return;
    }
    if (!has_globs && asked->wait_ns > 0) fetch.watch = fetch_watch(engine, asked, worker);
    if (fetch.watch == 0 && (has_globs || asked->wait_ns > 0)) {
        answer_set(
            answer, ANSWER_LIMIT, "globs of fetches fit 4000000 queues at most, all together"
        );
    } else if (asked->wait_ns > 0) {
        fetch_wait(engine, command, &fetch, answer);
    } else {
        answer_set(answer, ANSWER_EMPTY, NULL);
    }
}
