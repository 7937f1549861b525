/* SPDX-License-Identifier: Apache-2.0 */
/* Those who wait. A fetch that found nothing stands in the line of its watch; a wait for a job's
 * end hangs at that job. Both have a deadline. All of it is volatile: a client whose connection
 * breaks asks again.
 *
 *     watch ──> line             waiting fetches, oldest first: see watch.h
 *     worker ──> waiter ──> …    so that a freed slot finds who was parked for want of one
 *     job id ──> waiter ──> …    waits for the end
 *
 * A queue that gains something makes the watches that look at it hungry; the hungry watch whose
 * first able waiter is the oldest is served first, so the order of service does not depend on the
 * order in which watches became hungry. Waiters of one watch would take the same job, so one look
 * answers for all of them; one whose worker turns out to have no free slot leaves the line until it
 * has one. One whose worker has some, but fewer than the best job takes, stands among the short
 * ones of the watch: it gets nothing, not even what would fit, until slots are free or a job that
 * takes less has come before that one. */
#include "engine/demands.h"
#include "engine/watch.h"

/* --- heaps and indexes --- */

static bool deadline_before(void *context, uint32_t a, uint32_t b) {
    return waiter_at(context, a)->seq < waiter_at(context, b)->seq;
}

static void deadline_moved(void *context, uint32_t item, uint32_t at) {
    waiter_at(context, item)->deadline_at = at;
}

static void hungry_moved(void *context, uint32_t item, uint32_t at) {
    watch_at(context, item)->hungry_at = at;
}

static void line_moved(void *context, uint32_t item, uint32_t at) {
    waiter_at(context, item)->line_at = at;
}

static const struct heap_rules deadline_rules = {
    .before = deadline_before, .moved = deadline_moved};
static const struct heap_rules hungry_rules = {.before = NULL, .moved = hungry_moved};
static const struct heap_rules line_rules = {.before = NULL, .moved = line_moved};

static bool request_is(const void *context, uint32_t item, const void *key) {
    return waiter_at(context, item)->request == *(const uint64_t *)key;
}

static bool job_is(const void *context, uint32_t item, const void *key) {
    return waiter_at(context, item)->job_id == *(const uint64_t *)key;
}

static uint32_t job_waiter_first(const struct engine *engine, uint64_t id) {
    return index_find(&engine->job_waiters, index_hash_pair(id, 0), job_is, engine, &id);
}

/* --- standing in line --- */

static void line_enter(struct engine *engine, uint32_t handle) {
    struct waiter *waiter = waiter_at(engine, handle);
    struct watch *watch = watch_at(engine, waiter->fetch.watch);
    waiter->is_short = false;
    heap_push(&watch->line, &engine->mem, &line_rules, engine, waiter->seq, handle);
}

/* The line, or the short ones: where it stands. */
static void line_leave(struct engine *engine, uint32_t handle) {
    struct waiter *waiter = waiter_at(engine, handle);
    struct watch *watch = watch_at(engine, waiter->fetch.watch);
    struct heap *heap = waiter->is_short ? &watch->shorts : &watch->line;
    if (waiter->is_short) worker_at(engine, waiter->fetch.worker)->parked--;
    heap_remove(heap, &engine->mem, &line_rules, engine, waiter->line_at);
    waiter->is_short = false;
}

static void shorts_enter(struct engine *engine, uint32_t handle, uint32_t cost) {
    struct waiter *waiter = waiter_at(engine, handle);
    struct watch *watch = watch_at(engine, waiter->fetch.watch);
    waiter->is_short = true;
    worker_at(engine, waiter->fetch.worker)->parked++;
    if (watch->short_cost < cost) watch->short_cost = cost;
    heap_push(&watch->shorts, &engine->mem, &line_rules, engine, waiter->seq, handle);
}

static void worker_waiter_add(struct engine *engine, uint32_t handle) {
    struct waiter *waiter = waiter_at(engine, handle);
    struct worker *worker = worker_at(engine, waiter->fetch.worker);
    waiter->next = worker->waiter_first;
    if (waiter->next != 0) waiter_at(engine, waiter->next)->previous = handle;
    worker->waiter_first = handle;
}

static void job_waiter_add(struct engine *engine, uint32_t handle) {
    struct waiter *waiter = waiter_at(engine, handle);
    uint32_t first = job_waiter_first(engine, waiter->job_id);
    if (first == 0) {
        uint64_t hash = index_hash_pair(waiter->job_id, 0);
        index_add(&engine->job_waiters, &engine->mem, hash, handle);
        return;
    }
    while (waiter_at(engine, first)->next != 0) first = waiter_at(engine, first)->next;
    waiter_at(engine, first)->next = handle;
    waiter->previous = first;
}

void waiter_add(struct engine *engine, uint32_t handle) {
    struct waiter *waiter = waiter_at(engine, handle);
    waiter->seq = engine->next_seq++;
    if (waiter->job_id != 0) {
        job_waiter_add(engine, handle);
    } else {
        engine->waiting_fetches++;
        worker_waiter_add(engine, handle);
        watch_use(engine, waiter->fetch.watch);
        line_enter(engine, handle);
    }
    heap_push(&engine->deadlines, &engine->mem, &deadline_rules, engine, waiter->until_ns, handle);
    uint64_t hash = index_hash_pair(waiter->request, 1);
    index_add(&engine->waiter_requests, &engine->mem, hash, handle);
}

static void job_waiter_remove(struct engine *engine, uint32_t handle) {
    struct waiter *waiter = waiter_at(engine, handle);
    if (waiter->next != 0) waiter_at(engine, waiter->next)->previous = waiter->previous;
    if (waiter->previous != 0) {
        waiter_at(engine, waiter->previous)->next = waiter->next;
        return;
    }
    uint64_t hash = index_hash_pair(waiter->job_id, 0);
    index_remove(&engine->job_waiters, &engine->mem, hash, handle);
    if (waiter->next != 0) index_add(&engine->job_waiters, &engine->mem, hash, waiter->next);
}

static void worker_waiter_remove(struct engine *engine, uint32_t handle) {
    struct waiter *waiter = waiter_at(engine, handle);
    if (waiter->next != 0) waiter_at(engine, waiter->next)->previous = waiter->previous;
    if (waiter->previous != 0) {
        waiter_at(engine, waiter->previous)->next = waiter->next;
    } else {
        worker_at(engine, waiter->fetch.worker)->waiter_first = waiter->next;
    }
}

void waiter_free(struct engine *engine, uint32_t handle) {
    struct waiter *waiter = waiter_at(engine, handle);
    if (waiter->job_id != 0) {
        job_waiter_remove(engine, handle);
    } else {
        engine->waiting_fetches--;
        worker_waiter_remove(engine, handle);
        if (waiter->line_at != HEAP_NOWHERE) {
            line_leave(engine, handle);
        } else {
            worker_at(engine, waiter->fetch.worker)->parked--;
        }
        watch_unuse(engine, waiter->fetch.watch);
    }
    heap_remove(&engine->deadlines, &engine->mem, &deadline_rules, engine, waiter->deadline_at);
    uint64_t hash = index_hash_pair(waiter->request, 1);
    index_remove(&engine->waiter_requests, &engine->mem, hash, handle);
    pool_free(&engine->waiters, handle);
}

/* --- being served --- */

static void tell(struct engine *engine, const struct answer *answer) {
    engine->sink.answer(engine->sink.context, answer);
}

void watch_feed(struct engine *engine, uint32_t handle) {
    const struct watch *watch = watch_at(engine, handle);
    if (watch->line.count + watch->shorts.count == 0) return;
    /* The key is at most the seq of its taker; it is put right when the watch comes to the top. */
    uint64_t seq = watch->line.count == 0 ? HOB_NEVER : watch->line.entries[0].key;
    if (watch->shorts.count > 0 && watch->shorts.entries[0].key < seq) {
        seq = watch->shorts.entries[0].key;
    }
    if (watch->hungry_at == HEAP_NOWHERE) {
        heap_push(&engine->hungry, &engine->mem, &hungry_rules, engine, seq, handle);
    } else if (engine->hungry.entries[watch->hungry_at].key > seq) {
        heap_rekey(&engine->hungry, &hungry_rules, engine, watch->hungry_at, seq);
    }
}

void watch_sated(struct engine *engine, uint32_t handle) {
    uint32_t at = watch_at(engine, handle)->hungry_at;
    if (at != HEAP_NOWHERE) heap_remove(&engine->hungry, &engine->mem, &hungry_rules, engine, at);
}

void worker_feed(struct engine *engine, struct worker *worker) {
    /* A fetch that had free slots when it came, but fewer than the best job takes, stands in its
     * line as one that found nothing. */
    bool any_costs = engine->demands.count > 0;
    if (worker_free(worker) == 0 || (worker->parked == 0 && !any_costs)) return;
    for (uint32_t at = worker->waiter_first; at != 0; at = waiter_at(engine, at)->next) {
        const struct waiter *waiter = waiter_at(engine, at);
        bool is_parked = waiter->line_at == HEAP_NOWHERE;
        if (is_parked) worker->parked--;
        if (waiter->is_short) line_leave(engine, at);
        if (waiter->line_at == HEAP_NOWHERE) {
            line_enter(engine, at);
        } else if (!any_costs) {
            continue;
        }
        watch_feed(engine, waiter_at(engine, at)->fetch.watch);
    }
    hob_assert(worker->parked == 0);
}

void worker_rehome(struct engine *engine, uint32_t worker_handle) {
    struct worker *worker = worker_at(engine, worker_handle);
    uint32_t old_skill = worker->skill;
    worker->skill = 0;
    uint32_t skill = worker_skill(engine, worker);
    for (uint32_t at = worker->waiter_first; at != 0; at = waiter_at(engine, at)->next) {
        struct waiter *waiter = waiter_at(engine, at);
        uint32_t old = waiter->fetch.watch;
        const struct watch *watch = watch_at(engine, old);
        if (watch->skill == skill) continue;
        struct watch_key key = {
            skill, watch->mode, text_slice(watch->patterns), text_slice(watch->only)};
        uint32_t to = watch_need(engine, &key, true);
        if (waiter->line_at != HEAP_NOWHERE) {
            line_leave(engine, at);
            worker->parked++;
        }
        waiter->fetch.watch = to;
        watch_use(engine, to);
        watch_unuse(engine, old);
    }
    skill_unuse(engine, old_skill);
}

static void waiter_serve(struct engine *engine, uint32_t handle) {
    const struct waiter *waiter = waiter_at(engine, handle);
    struct answer answer = {
        .code = ANSWER_OK,
        .request = waiter->request,
        .lease_until_ns = ns_add(engine->now_ns, waiter->fetch.lease_ns),
    };
    answer.job_count = fetch_now(engine, &waiter->fetch);
    answer.jobs = engine->picked;
    hob_assert(answer.job_count > 0);
    waiter_free(engine, handle);
    tell(engine, &answer);
}

/* The best job takes less than some of the short ones were short of: all of them look again. */
static void shorts_end(struct engine *engine, struct watch *watch) {
    while (watch->shorts.count > 0) {
        uint32_t handle = watch->shorts.entries[0].item;
        line_leave(engine, handle);
        line_enter(engine, handle);
    }
    watch->short_cost = 0;
}

/* The oldest waiter of the watch whose worker has so many free slots, or 0. Those before it leave
 * the line. */
static uint32_t line_first(struct engine *engine, struct watch *watch, uint32_t cost) {
    if (cost < watch->short_cost) shorts_end(engine, watch);
    while (watch->line.count > 0) {
        uint32_t handle = watch->line.entries[0].item;
        struct worker *worker = worker_at(engine, waiter_at(engine, handle)->fetch.worker);
        uint32_t free = worker_free(worker);
        if (free >= cost) return handle;
        line_leave(engine, handle);
        if (free > 0) {
            shorts_enter(engine, handle, cost);
        } else {
            worker->parked++;
        }
    }
    return 0;
}

/* Who is next to be served by the watch; 0: nobody can be. */
static uint32_t watch_taker(struct engine *engine, uint32_t handle) {
    struct watch *watch = watch_at(engine, handle);
    const struct heap *waiters = watch->line.count > 0 ? &watch->line : &watch->shorts;
    if (waiters->count == 0) return 0;
    uint32_t any = waiter_at(engine, waiters->entries[0].item)->fetch.worker;
    uint32_t job = watch_best(engine, handle, any); /* the same for all workers of the watch */
    if (job == 0) return 0;
    return line_first(engine, watch, demand_cost(engine, job_at(engine, job)->demand));
}

void waiters_serve(struct engine *engine) {
    while (engine->hungry.count > 0) {
        struct heap_entry top = engine->hungry.entries[0];
        uint32_t taker = watch_taker(engine, top.item);
        if (taker == 0) {
            watch_sated(engine, top.item);
            continue;
        }
        uint64_t seq = waiter_at(engine, taker)->seq;
        if (seq == top.key) {
            waiter_serve(engine, taker);
        } else {
            heap_rekey(&engine->hungry, &hungry_rules, engine, 0, seq);
        }
    }
}

void waiters_job_ended(
    struct engine *engine, uint64_t id, enum answer_code code, enum job_state state
) {
    if (engine->job_waiters.count == 0) return;
    for (;;) {
        uint32_t handle = job_waiter_first(engine, id);
        if (handle == 0) return;
        struct answer answer = {
            .code = code,
            .request = waiter_at(engine, handle)->request,
            .id = id,
            .state = state,
            .job_count = code == ANSWER_OK ? 1 : 0,
            .jobs = &id,
        };
        waiter_free(engine, handle);
        tell(engine, &answer);
    }
}

/* A wait that is over is answered as things stand now. */
void waiters_expire(struct engine *engine) {
    while (engine->deadlines.count > 0 && engine->deadlines.entries[0].key <= engine->now_ns) {
        uint32_t handle = engine->deadlines.entries[0].item;
        const struct waiter *waiter = waiter_at(engine, handle);
        uint64_t id = waiter->job_id;
        struct answer answer = {.code = ANSWER_EMPTY, .request = waiter->request, .id = id};
        if (id != 0) {
            uint32_t job = job_find(engine, id);
            hob_assert(job != 0);
            answer.code = ANSWER_OK;
            answer.state = (enum job_state)job_at(engine, job)->state;
            answer.job_count = 1;
            answer.jobs = &id;
        }
        waiter_free(engine, handle);
        tell(engine, &answer);
    }
}

/* --- commands --- */

void apply_wait(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct wait_command *wait = &command->wait;
    if (wait->wait_ns > RESULT_WAIT_MAX_NS) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "wait is at most 1 hour");
        return;
    }
    uint32_t job = job_find(engine, wait->id);
    answer->id = wait->id;
    if (job == 0) {
        answer_set(answer, ANSWER_NO_JOB, NULL);
        return;
    }
    answer->state = (enum job_state)job_at(engine, job)->state;
    if (job_state_is_final(answer->state) || wait->wait_ns == 0) {
        engine->picked[0] = wait->id;
        answer->job_count = 1;
        answer->jobs = engine->picked;
        return;
    }
    uint32_t handle = pool_new(&engine->waiters);
    struct waiter *waiter = waiter_at(engine, handle);
    waiter->request = command->request;
    waiter->job_id = wait->id;
    waiter->until_ns = ns_add(engine->now_ns, wait->wait_ns);
    waiter_add(engine, handle);
    answer_set(answer, ANSWER_WAITING, NULL);
}

void apply_forget(struct engine *engine, const struct command *command, struct answer *answer) {
    (void)answer;
    uint64_t request = command->request;
    uint64_t hash = index_hash_pair(request, 1);
    uint32_t handle = index_find(&engine->waiter_requests, hash, request_is, engine, &request);
    if (handle != 0) waiter_free(engine, handle);
}
