/* SPDX-License-Identifier: Apache-2.0 */
/* Which job is next. The available jobs of a queue form levels:
 *
 *     queue ──heap──> branch (one kind and demand) ──heap──> lane (one priority and group)
 *                         lane ──> fresh jobs:    a list, ids ascending
 *                              └─> returned jobs: a small heap by place
 *
 * The smallest priority runs first; in a priority the group whose pass is smallest (groups.c); in a
 * group by place: fronts first, then the oldest id, or the newest in a LIFO queue. In a queue whose
 * jobs age a step of priority is worth a span of time instead: the smallest pass, then fronts, then
 * the smallest created + priority * aging, so that nothing waits for ever. A retried, released or
 * rescued job keeps its id, so it takes its old place: it goes to the lane's heap, and the better
 * of list and heap wins. A worker that runs any kind takes the top of the queue's heap; one that
 * runs few looks at just those branches. So choosing never depends on how many jobs or groups wait,
 * and no job that the worker cannot run, or that something stops, is looked at: branches.c. What
 * asks for labels or more slots (demands.c) has branches of its own; a worker without these passes
 * them over.
 *
 * Lanes and branches exist while they hold jobs. */
#include "engine/demands.h"
#include "engine/valves.h"

static void returned_moved(void *context, uint32_t item, uint32_t at) {
    job_at(context, item)->heap_at = at;
}

static const struct heap_rules returned_rules = {.before = NULL, .moved = returned_moved};

/* --- adding --- */

static void lane_put(struct engine *engine, struct lane *lane, struct job *job, uint32_t handle) {
    uint32_t last = lane->fresh.last;
    bool is_fresh = last == 0 || job_at(engine, last)->id < job->id;
    if (is_fresh && (job->flags & JOB_FRONT) == 0) {
        job_list_append(engine, &lane->fresh, handle);
        return;
    }
    uint64_t place = job_place(job, lane_is_newest_first(engine, lane));
    job->flags |= JOB_IN_RETURNED;
    heap_push(&lane->returned, &engine->mem, &returned_rules, engine, place, handle);
}

/* @by jobs more wait for these limiters. */
static void limits_wait(struct engine *engine, uint32_t handle, uint32_t by) {
    if (handle == 0) return;
    const struct limits *limits = limits_at(engine, handle);
    for (uint32_t i = 0; i < limits->count; i++) {
        limiter_at(engine, limits->limits[i].limiter)->waiting += by;
    }
}

void ready_add(struct engine *engine, uint32_t handle) {
    struct job *job = job_at(engine, handle);
    struct queue *queue = queue_at(engine, job->queue);
    if (queue->counts[JOB_AVAILABLE] == 0) queue_wakes(engine, queue);
    group_job_comes(engine, job->group);
    limits_wait(engine, job->limits, 1);
    uint32_t lane_handle = lane_need(engine, job);
    struct lane *lane = lane_at(engine, lane_handle);
    bool lane_is_new = lane->fresh.count == 0 && lane->returned.count == 0;
    uint32_t best = lane_is_new ? 0 : lane_best(engine, lane);
    job->lane = lane_handle;
    lane_put(engine, lane, job, handle);
    if (lane_is_new) {
        lane_begin(engine, lane_handle);
    } else if (lane_best(engine, lane) != best) {
        lane_fix(engine, lane);
    }
}

/* --- removing --- */

void ready_remove(struct engine *engine, uint32_t handle) {
    struct job *job = job_at(engine, handle);
    uint32_t lane_handle = job->lane;
    struct lane *lane = lane_at(engine, lane_handle);
    bool lane_ends = lane->fresh.count + lane->returned.count == 1;
    if (lane_ends) lane_end(engine, lane_handle);
    if ((job->flags & JOB_IN_RETURNED) != 0) {
        heap_remove(&lane->returned, &engine->mem, &returned_rules, engine, job->heap_at);
        job->flags &= (uint8_t)~JOB_IN_RETURNED;
    } else {
        job_list_remove(engine, &lane->fresh, handle);
    }
    job->lane = 0;
    if (lane_ends) {
        lane_drop(engine, lane_handle);
    } else {
        lane_fix(engine, lane);
    }
    limits_wait(engine, job->limits, UINT32_MAX); /* one less */
    group_job_goes(engine, job->group);
}

/* --- choosing --- */

bool ready_is_stopped(const struct engine *engine, const struct job *job) {
    const struct lane *lane = lane_at(engine, job->lane);
    if (lane->is_stopped) return true;
    for (uint32_t at = lane->branch; at != 0; at = branch_at(engine, at)->parent) {
        if (branch_at(engine, at)->is_stopped) return true;
    }
    return false;
}

static bool runs_kind(const struct worker *worker, uint32_t kind) {
    for (uint32_t i = 0; i < worker->kind_count; i++) {
        if (worker->kinds[i] == kind) return true;
    }
    return worker->kind_count == 0;
}

uint32_t
ready_best_of_group(const struct engine *engine, uint32_t group_handle, uint32_t worker_handle) {
    const struct worker *worker = worker_at(engine, worker_handle);
    uint32_t best = 0;
    uint32_t at = group_at(engine, group_handle)->lane_first;
    for (; at != 0; at = lane_at(engine, at)->group_next) {
        uint32_t handle = lane_best(engine, lane_at(engine, at));
        const struct job *job = job_at(engine, handle);
        if (!runs_kind(worker, job->kind) || ready_is_stopped(engine, job)) continue;
        if (!demand_fits(engine, job->demand, worker)) continue;
        if (best == 0 || ready_before(engine, handle, best)) best = handle;
    }
    return best;
}

static uint32_t heap_top(const struct engine *engine, const struct heap *branches) {
    return branch_best(engine, branch_at(engine, branches->entries[0].item));
}

/* @best, or the best job of the branch when the worker can take it and it goes before. */
static uint32_t better_of(
    const struct engine *engine, uint32_t best, uint32_t handle, const struct worker *worker
) {
    const struct branch *branch = branch_at(engine, handle);
    if (branch->heap_at == HEAP_NOWHERE) return best;
    if (!demand_fits(engine, branch->demand, worker)) return best;
    uint32_t job = branch_best(engine, branch);
    return best == 0 || ready_before(engine, job, best) ? job : best;
}

/* The first branch of the heap whose demand the worker meets. Below a branch that it can take, or
 * that comes after one, nothing is better; so it looks at those that it cannot take, and the ones
 * right below them. */
static uint32_t
heap_best(const struct engine *engine, const struct heap *branches, const struct worker *worker) {
    enum { CHILDREN = 4, LEVELS_MAX = 17 };
    uint32_t open[(CHILDREN - 1) * LEVELS_MAX + 1] = {0};
    uint32_t open_count = 1;
    uint32_t best = 0;
    while (open_count > 0) {
        uint32_t at = open[--open_count];
        const struct branch *branch = branch_at(engine, branches->entries[at].item);
        if (demand_fits(engine, branch->demand, worker)) {
            best = better_of(engine, best, branches->entries[at].item, worker);
            continue;
        }
        if (best != 0 && !ready_before(engine, branch_best(engine, branch), best)) continue;
        for (uint32_t i = 1; i <= CHILDREN && CHILDREN * at + i < branches->count; i++) {
            hob_assert(open_count < hob_countof(open));
            open[open_count++] = CHILDREN * at + i;
        }
    }
    return best;
}

uint32_t ready_best(const struct engine *engine, uint32_t queue_handle, uint32_t worker_handle) {
    const struct queue *queue = queue_at(engine, queue_handle);
    if (queue->branches.count == 0) return 0;
    const struct worker *worker = worker_handle == 0 ? NULL : worker_at(engine, worker_handle);
    if (worker == NULL) return heap_top(engine, &queue->branches);
    if (worker->kind_count == 0) return heap_best(engine, &queue->branches, worker);
    uint32_t best = 0;
    for (uint32_t i = 0; i < worker->kind_count; i++) {
        uint32_t branch = branch_find(engine, queue_handle, worker->kinds[i]);
        if (branch == 0) continue;
        best = better_of(engine, best, branch, worker);
        uint32_t at = branch_at(engine, branch)->demand_first;
        for (; at != 0; at = branch_at(engine, at)->demand_next) {
            best = better_of(engine, best, at, worker);
        }
    }
    return best;
}

/* The lane after @lane among all those of the queue, stopped ones too; 0: it was the last. @lane 0:
 * the first. */
static uint32_t
lane_after(const struct engine *engine, const struct queue *queue, uint32_t handle) {
    uint32_t branch = queue->branch_first;
    if (handle != 0) {
        const struct lane *lane = lane_at(engine, handle);
        if (lane->kind_next != 0) return lane->kind_next;
        branch = branch_at(engine, branch_at(engine, lane->branch)->top)->queue_next;
    }
    /* A branch without lanes is there for those with a demand. */
    while (branch != 0 && branch_at(engine, branch)->lane_first == 0) {
        branch = branch_at(engine, branch)->queue_next;
    }
    return branch == 0 ? 0 : branch_at(engine, branch)->lane_first;
}

/* The oldest of the lane, or nearly so: fronts stand before what is older. */
static uint32_t lane_oldest(const struct engine *engine, const struct lane *lane) {
    uint32_t first = lane->fresh.first;
    uint32_t returned = lane->returned.count == 0 ? 0 : lane->returned.entries[0].item;
    if (first == 0 || returned == 0) return first == 0 ? returned : first;
    return job_at(engine, returned)->id < job_at(engine, first)->id ? returned : first;
}

uint32_t ready_oldest(const struct engine *engine, uint32_t queue_handle) {
    enum { LANES_LOOKED_AT_MAX = 256 };
    const struct queue *queue = queue_at(engine, queue_handle);
    uint32_t oldest = 0;
    uint32_t looked_at = 0;
    for (uint32_t at = lane_after(engine, queue, 0); at != 0; at = lane_after(engine, queue, at)) {
        if (looked_at++ == LANES_LOOKED_AT_MAX) return oldest;
        uint32_t first = lane_oldest(engine, lane_at(engine, at));
        if (oldest == 0 || job_at(engine, first)->id < job_at(engine, oldest)->id) oldest = first;
    }
    return oldest;
}

hob_ns engine_kind_oldest(const struct engine *engine, struct slice name) {
    enum { STEPS_MAX = 4096 }; /* branches and lanes */
    uint32_t kind = kind_find(engine, name);
    uint32_t branch = kind == 0 ? 0 : kind_at(engine, kind)->branch_first;
    uint32_t steps = 0;
    hob_ns oldest_ns = 0;
    for (; branch != 0 && steps < STEPS_MAX; branch = branch_at(engine, branch)->valve_next) {
        steps++;
        uint32_t at = branch_at(engine, branch)->lane_first;
        for (; at != 0 && steps < STEPS_MAX; at = lane_at(engine, at)->kind_next) {
            steps++;
            hob_ns created_ns =
                job_at(engine, lane_oldest(engine, lane_at(engine, at)))->created_ns;
            if (oldest_ns == 0 || created_ns < oldest_ns) oldest_ns = created_ns;
        }
    }
    return oldest_ns;
}

/* Which part of a lane goes before @id: ids in it are taken as evenly spread. */
static uint64_t
lane_before_count(const struct engine *engine, const struct lane *lane, uint64_t id) {
    uint64_t count = lane->fresh.count;
    if (count == 0) return lane->returned.count;
    uint64_t first = job_at(engine, lane->fresh.first)->id;
    uint64_t last = job_at(engine, lane->fresh.last)->id;
    uint64_t older = 0;
    if (id > last) {
        older = count;
    } else if (id > first) {
        uint64_t span = last - first;
        uint64_t at = id - first;
        while (span > UINT32_MAX) {
            span /= 2;
            at /= 2;
        }
        older = at * (count - 1) / span;
    }
    if (!lane_is_newest_first(engine, lane)) return older + lane->returned.count;
    bool is_in = id >= first && id <= last;
    return count - older - (is_in ? 1 : 0);
}

uint64_t
ready_before_count(const struct engine *engine, const struct job *job, uint32_t lanes_max) {
    const struct queue *queue = queue_at(engine, job->queue);
    uint64_t before = 0;
    uint32_t looked_at = 0;
    for (uint32_t at = lane_after(engine, queue, 0); at != 0; at = lane_after(engine, queue, at)) {
        if (looked_at++ == lanes_max) return queue->counts[JOB_AVAILABLE];
        const struct lane *lane = lane_at(engine, at);
        if (lane->priority > job->priority) continue;
        before += lane->priority < job->priority
                      ? (uint64_t)lane->fresh.count + lane->returned.count
                      : lane_before_count(engine, lane, job->id);
    }
    /* The job itself may be among those that came back. */
    if ((job->flags & JOB_IN_RETURNED) != 0 && before > 0) before--;
    return before;
}

bool ready_measure(
    const struct engine *engine,
    const struct branch *branch,
    uint32_t *steps,
    uint64_t *ret_count,
    hob_ns *ret_since_ns
) {
    *ret_count = 0;
    *ret_since_ns = HOB_NEVER;
    for (uint32_t at = branch->lane_first; at != 0; at = lane_at(engine, at)->kind_next) {
        if (*steps == 0) return false;
        (*steps)--;
        const struct lane *lane = lane_at(engine, at);
        *ret_count += (uint64_t)lane->fresh.count + lane->returned.count;
        uint32_t returned = lane->returned.count == 0 ? 0 : lane->returned.entries[0].item;
        const uint32_t firsts[] = {lane->fresh.first, returned};
        for (size_t k = 0; k < hob_countof(firsts); k++) {
            if (firsts[k] == 0) continue;
            hob_ns since_ns = job_at(engine, firsts[k])->state_ns;
            if (since_ns < *ret_since_ns) *ret_since_ns = since_ns;
        }
    }
    return true;
}

bool ready_holds(const struct engine *engine, const struct job *job, uint32_t handle) {
    if (job->lane == 0) return false;
    const struct lane *lane = lane_at(engine, job->lane);
    const struct branch *branch = branch_at(engine, lane->branch);
    if (lane->priority != job->priority || branch->kind != job->kind) return false;
    if (branch->demand != job->demand) return false;
    if (lane->is_stopped != (lane->heap_at == HEAP_NOWHERE)) return false;
    bool stops = valve_stops(engine, group_at(engine, lane->group)->valve, 1);
    if (lane->is_stopped != stops) return false;
    if (lane->group != job->group || lane->pass != group_at(engine, job->group)->pass) return false;
    if (branch->queue != job->queue) return false;
    if ((job->flags & JOB_IN_RETURNED) != 0) {
        return job->heap_at < lane->returned.count &&
               lane->returned.entries[job->heap_at].item == handle;
    }
    uint32_t after = job->previous == 0 ? lane->fresh.first : job_at(engine, job->previous)->next;
    uint32_t before = job->next == 0 ? lane->fresh.last : job_at(engine, job->next)->previous;
    return after == handle && before == handle &&
           (job->next == 0 || job_at(engine, job->next)->id > job->id);
}

static void lane_reorder(struct engine *engine, struct lane *lane, bool newest) {
    struct heap old = lane->returned;
    lane->returned = (struct heap){0};
    for (uint32_t i = 0; i < old.count; i++) {
        uint32_t job = old.entries[i].item;
        uint64_t place = job_place(job_at(engine, job), newest);
        heap_push(&lane->returned, &engine->mem, &returned_rules, engine, place, job);
    }
    heap_deinit(&old, &engine->mem);
}

/* All leave by the old order, and come back by the new one. */
void ready_reorder(
    struct engine *engine, uint32_t queue_handle, enum queue_order order, hob_ns aging_ns
) {
    struct queue *queue = queue_at(engine, queue_handle);
    if (queue->order == order && queue->aging_ns == aging_ns) return;
    for (uint32_t at = lane_after(engine, queue, 0); at != 0; at = lane_after(engine, queue, at)) {
        lane_end(engine, at);
    }
    queue->order = order;
    queue->aging_ns = aging_ns;
    for (uint32_t at = lane_after(engine, queue, 0); at != 0; at = lane_after(engine, queue, at)) {
        lane_reorder(engine, lane_at(engine, at), order == QUEUE_LIFO);
        lane_begin(engine, at);
    }
}
