/* SPDX-License-Identifier: Apache-2.0 */
/* Which job is next. The available jobs of a queue form three levels:
 *
 *     queue ──heap──> branch (one kind) ──heap──> lane (one priority and group)
 *                         lane ──> fresh jobs:    a list, ids ascending
 *                              └─> returned jobs: a small heap by place
 *
 * The smallest priority runs first; in a priority the group whose pass is smallest (groups.c); in a
 * group by place: fronts first, then the oldest id, or the newest in a LIFO queue. A retried,
 * released or rescued job keeps its id, so it takes its old place: it goes to the lane's heap, and
 * the better of list and heap wins. A worker that runs any kind takes the top of the queue's heap;
 * one that runs few looks at just those branches. So choosing never depends on how many jobs or
 * groups wait, and no job that the worker cannot run is looked at.
 *
 * Lanes and branches exist while they hold jobs. */
#include "engine/core.h"

static struct lane *lane_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->lanes, handle);
}

static struct branch *branch_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->branches, handle);
}

struct pair {
    uint32_t a;
    uint32_t b;
};

static bool branch_is(const void *context, uint32_t item, const void *key) {
    const struct branch *branch = branch_at(context, item);
    const struct pair *pair = key;
    return branch->queue == pair->a && branch->kind == pair->b;
}

struct lane_key {
    uint32_t branch;
    uint32_t priority;
    uint32_t group;
};

static bool lane_is(const void *context, uint32_t item, const void *key) {
    const struct lane *lane = lane_at(context, item);
    const struct lane_key *wanted = key;
    return lane->branch == wanted->branch && lane->priority == wanted->priority &&
           lane->group == wanted->group;
}

static uint64_t lane_hash(struct lane_key key) {
    return index_hash_pair(index_hash_pair(key.branch, key.priority), key.group);
}

static uint32_t branch_find(const struct engine *engine, uint32_t queue, uint32_t kind) {
    struct pair pair = {queue, kind};
    uint64_t hash = index_hash_pair(queue, kind);
    return index_find(&engine->branch_keys, hash, branch_is, engine, &pair);
}

static uint32_t lane_find(const struct engine *engine, struct lane_key key) {
    return index_find(&engine->lane_keys, lane_hash(key), lane_is, engine, &key);
}

static bool newest_first(const struct engine *engine, const struct lane *lane) {
    return queue_at(engine, branch_at(engine, lane->branch)->queue)->order == QUEUE_LIFO;
}

/* Of two jobs of one lane, or whose groups have equal passes, the one with the smaller place goes
 * first: fronts, the newest of them first; then in the order of the queue. */
static uint64_t place_of(const struct job *job, bool newest) {
    const uint64_t middle = UINT64_C(1) << 63;
    if ((job->flags & JOB_FRONT) != 0) return middle - job->id;
    return newest ? ~job->id : middle + job->id;
}

uint64_t job_place(const struct engine *engine, const struct job *job) {
    return place_of(job, queue_at(engine, job->queue)->order == QUEUE_LIFO);
}

static uint32_t lane_best(const struct engine *engine, const struct lane *lane) {
    bool newest = newest_first(engine, lane);
    uint32_t fresh = newest ? lane->fresh.last : lane->fresh.first;
    if (lane->returned.count == 0) return fresh;
    uint32_t returned = lane->returned.entries[0].item;
    if (fresh == 0) return returned;
    uint64_t fresh_place = place_of(job_at(engine, fresh), newest);
    return fresh_place < lane->returned.entries[0].key ? fresh : returned;
}

uint32_t ready_lane_best(const struct engine *engine, uint32_t lane) {
    return lane_best(engine, lane_at(engine, lane));
}

static uint32_t branch_best(const struct engine *engine, const struct branch *branch) {
    hob_assert(branch->lanes.count > 0);
    return lane_best(engine, lane_at(engine, branch->lanes.entries[0].item));
}

bool ready_before(const struct engine *engine, uint32_t a, uint32_t b) {
    const struct job *job_a = job_at(engine, a);
    const struct job *job_b = job_at(engine, b);
    if (job_a->priority != job_b->priority) return job_a->priority < job_b->priority;
    const struct lane *lane_a = lane_at(engine, job_a->lane);
    const struct lane *lane_b = lane_at(engine, job_b->lane);
    if (lane_a->pass != lane_b->pass) return lane_a->pass < lane_b->pass;
    bool newest = queue_at(engine, job_a->queue)->order == QUEUE_LIFO;
    return place_of(job_a, newest) < place_of(job_b, newest);
}

/* --- the three heaps --- */

static void returned_moved(void *context, uint32_t item, uint32_t at) {
    job_at(context, item)->heap_at = at;
}

static void lane_moved(void *context, uint32_t item, uint32_t at) {
    lane_at(context, item)->heap_at = at;
}

static void branch_moved(void *context, uint32_t item, uint32_t at) {
    branch_at(context, item)->heap_at = at;
}

static bool lane_before(void *context, uint32_t a, uint32_t b) {
    uint32_t best_a = lane_best(context, lane_at(context, a));
    uint32_t best_b = lane_best(context, lane_at(context, b));
    return ready_before(context, best_a, best_b);
}

static bool branch_before(void *context, uint32_t a, uint32_t b) {
    uint32_t best_a = branch_best(context, branch_at(context, a));
    uint32_t best_b = branch_best(context, branch_at(context, b));
    return ready_before(context, best_a, best_b);
}

static const struct heap_rules returned_rules = {.before = NULL, .moved = returned_moved};
static const struct heap_rules lane_rules = {.before = lane_before, .moved = lane_moved};
static const struct heap_rules branch_rules = {.before = branch_before, .moved = branch_moved};

/* The best job of the branch may have changed. */
static void branch_fix(struct engine *engine, uint32_t handle) {
    struct branch *branch = branch_at(engine, handle);
    struct queue *queue = queue_at(engine, branch->queue);
    uint64_t key = branch->lanes.entries[0].key;
    heap_rekey(&queue->branches, &branch_rules, engine, branch->heap_at, key);
}

/* The best job of the lane, or its turn, may have changed. */
static void lane_fix(struct engine *engine, const struct lane *lane) {
    struct branch *branch = branch_at(engine, lane->branch);
    heap_rekey(&branch->lanes, &lane_rules, engine, lane->heap_at, lane->priority);
    branch_fix(engine, lane->branch);
}

void ready_group_moved(struct engine *engine, uint32_t handle) {
    const struct group *group = group_at(engine, handle);
    for (uint32_t at = group->lane_first; at != 0; at = lane_at(engine, at)->group_next) {
        struct lane *lane = lane_at(engine, at);
        lane->pass = group->pass;
        lane_fix(engine, lane);
    }
}

/* --- adding --- */

static uint32_t lane_need(struct engine *engine, struct lane_key key) {
    uint32_t handle = lane_find(engine, key);
    if (handle != 0) return handle;
    handle = pool_new(&engine->lanes);
    struct lane *lane = lane_at(engine, handle);
    lane->branch = key.branch;
    lane->priority = key.priority;
    lane->group = key.group;
    lane->pass = group_at(engine, key.group)->pass;
    group_lane_add(engine, handle);
    index_add(&engine->lane_keys, &engine->mem, lane_hash(key), handle);
    return handle;
}

static uint32_t branch_need(struct engine *engine, uint32_t queue, uint32_t kind) {
    uint32_t handle = branch_find(engine, queue, kind);
    if (handle != 0) return handle;
    handle = pool_new(&engine->branches);
    struct branch *branch = branch_at(engine, handle);
    branch->queue = queue;
    branch->kind = kind;
    index_add(&engine->branch_keys, &engine->mem, index_hash_pair(queue, kind), handle);
    return handle;
}

static void lane_put(struct engine *engine, struct lane *lane, struct job *job, uint32_t handle) {
    uint32_t last = lane->fresh.last;
    bool is_fresh = last == 0 || job_at(engine, last)->id < job->id;
    if (is_fresh && (job->flags & JOB_FRONT) == 0) {
        job_list_append(engine, &lane->fresh, handle);
        return;
    }
    uint64_t place = place_of(job, newest_first(engine, lane));
    job->flags |= JOB_IN_RETURNED;
    heap_push(&lane->returned, &engine->mem, &returned_rules, engine, place, handle);
}

void ready_add(struct engine *engine, uint32_t handle) {
    struct job *job = job_at(engine, handle);
    group_job_comes(engine, job->group);
    uint32_t branch_handle = branch_need(engine, job->queue, job->kind);
    struct branch *branch = branch_at(engine, branch_handle);
    struct lane_key key = {.branch = branch_handle, .priority = job->priority, .group = job->group};
    uint32_t lane_handle = lane_need(engine, key);
    struct lane *lane = lane_at(engine, lane_handle);
    bool lane_is_new = lane->fresh.count == 0 && lane->returned.count == 0;
    uint32_t best = lane_is_new ? 0 : lane_best(engine, lane);
    job->lane = lane_handle;
    lane_put(engine, lane, job, handle);
    bool branch_is_new = branch->lanes.count == 0;
    if (lane_is_new) {
        heap_push(&branch->lanes, &engine->mem, &lane_rules, engine, job->priority, lane_handle);
    }
    if (branch_is_new) {
        struct queue *queue = queue_at(engine, job->queue);
        if (queue->branches.count == 0) queue_wakes(engine, queue);
        heap_push(
            &queue->branches, &engine->mem, &branch_rules, engine, job->priority, branch_handle
        );
    } else if (lane_best(engine, lane) != best) {
        lane_fix(engine, lane);
    }
}

/* --- removing --- */

/* The lane is empty, and in no heap any more. */
static void lane_drop(struct engine *engine, uint32_t handle) {
    const struct lane *lane = lane_at(engine, handle);
    struct lane_key key = {
        .branch = lane->branch, .priority = lane->priority, .group = lane->group};
    group_lane_remove(engine, handle);
    index_remove(&engine->lane_keys, &engine->mem, lane_hash(key), handle);
    pool_free(&engine->lanes, handle);
}

/* The heaps compare best jobs, so a lane that will be empty leaves them while it still has one. */
static void lane_leave(struct engine *engine, const struct lane *lane) {
    struct branch *branch = branch_at(engine, lane->branch);
    if (branch->lanes.count == 1) {
        struct queue *queue = queue_at(engine, branch->queue);
        heap_remove(&queue->branches, &engine->mem, &branch_rules, engine, branch->heap_at);
    }
    heap_remove(&branch->lanes, &engine->mem, &lane_rules, engine, lane->heap_at);
    if (branch->lanes.count > 0) branch_fix(engine, lane->branch);
}

static void branch_drop(struct engine *engine, uint32_t handle) {
    const struct branch *branch = branch_at(engine, handle);
    uint64_t hash = index_hash_pair(branch->queue, branch->kind);
    index_remove(&engine->branch_keys, &engine->mem, hash, handle);
    pool_free(&engine->branches, handle);
}

void ready_remove(struct engine *engine, uint32_t handle) {
    struct job *job = job_at(engine, handle);
    uint32_t lane_handle = job->lane;
    struct lane *lane = lane_at(engine, lane_handle);
    uint32_t branch = lane->branch;
    bool lane_ends = lane->fresh.count + lane->returned.count == 1;
    if (lane_ends) lane_leave(engine, lane);
    if ((job->flags & JOB_IN_RETURNED) != 0) {
        heap_remove(&lane->returned, &engine->mem, &returned_rules, engine, job->heap_at);
        job->flags &= (uint8_t)~JOB_IN_RETURNED;
    } else {
        job_list_remove(engine, &lane->fresh, handle);
    }
    job->lane = 0;
    if (lane_ends) {
        lane_drop(engine, lane_handle);
        if (branch_at(engine, branch)->lanes.count == 0) branch_drop(engine, branch);
    } else {
        lane_fix(engine, lane);
    }
    group_job_goes(engine, job->group);
}

/* --- choosing --- */

uint32_t ready_best(const struct engine *engine, uint32_t queue_handle, uint32_t worker_handle) {
    const struct queue *queue = queue_at(engine, queue_handle);
    if (queue->branches.count == 0) return 0;
    const struct worker *worker = worker_handle == 0 ? NULL : worker_at(engine, worker_handle);
    if (worker == NULL || worker->kind_count == 0) {
        return branch_best(engine, branch_at(engine, queue->branches.entries[0].item));
    }
    uint32_t best = 0;
    for (uint32_t i = 0; i < worker->kind_count; i++) {
        uint32_t branch = branch_find(engine, queue_handle, worker->kinds[i]);
        if (branch == 0) continue;
        uint32_t job = branch_best(engine, branch_at(engine, branch));
        if (best == 0 || ready_before(engine, job, best)) best = job;
    }
    return best;
}

uint32_t ready_oldest(const struct engine *engine, uint32_t queue_handle) {
    enum { LANES_LOOKED_AT_MAX = 256 };
    const struct queue *queue = queue_at(engine, queue_handle);
    uint32_t oldest = 0;
    uint32_t looked_at = 0;
    for (uint32_t i = 0; i < queue->branches.count; i++) {
        const struct branch *branch = branch_at(engine, queue->branches.entries[i].item);
        for (uint32_t k = 0; k < branch->lanes.count; k++) {
            if (looked_at++ == LANES_LOOKED_AT_MAX) return oldest;
            const struct lane *lane = lane_at(engine, branch->lanes.entries[k].item);
            uint32_t first = lane->fresh.first;
            uint32_t returned = lane->returned.count == 0 ? 0 : lane->returned.entries[0].item;
            if (first == 0) first = returned;
            if (returned != 0 && job_at(engine, returned)->id < job_at(engine, first)->id) {
                first = returned;
            }
            if (oldest == 0 || job_at(engine, first)->id < job_at(engine, oldest)->id) {
                oldest = first;
            }
        }
    }
    return oldest;
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
    if (!newest_first(engine, lane)) return older + lane->returned.count;
    bool is_in = id >= first && id <= last;
    return count - older - (is_in ? 1 : 0);
}

uint64_t
ready_before_count(const struct engine *engine, const struct job *job, uint32_t lanes_max) {
    const struct queue *queue = queue_at(engine, job->queue);
    uint64_t before = 0;
    uint32_t looked_at = 0;
    for (uint32_t i = 0; i < queue->branches.count; i++) {
        const struct branch *branch = branch_at(engine, queue->branches.entries[i].item);
        for (uint32_t k = 0; k < branch->lanes.count; k++) {
            if (looked_at++ == lanes_max) return queue->counts[JOB_AVAILABLE];
            const struct lane *lane = lane_at(engine, branch->lanes.entries[k].item);
            if (lane->priority > job->priority) continue;
            before += lane->priority < job->priority
                          ? (uint64_t)lane->fresh.count + lane->returned.count
                          : lane_before_count(engine, lane, job->id);
        }
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
    for (uint32_t i = 0; i < branch->lanes.count; i++) {
        if (*steps == 0) return false;
        (*steps)--;
        const struct lane *lane = lane_at(engine, branch->lanes.entries[i].item);
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
        uint64_t place = place_of(job_at(engine, job), newest);
        heap_push(&lane->returned, &engine->mem, &returned_rules, engine, place, job);
    }
    heap_deinit(&old, &engine->mem);
}

static void branch_reorder(struct engine *engine, struct branch *branch, bool newest) {
    struct heap old = branch->lanes;
    branch->lanes = (struct heap){0};
    for (uint32_t i = 0; i < old.count; i++) {
        lane_reorder(engine, lane_at(engine, old.entries[i].item), newest);
    }
    for (uint32_t i = 0; i < old.count; i++) {
        struct heap_entry lane = old.entries[i];
        heap_push(&branch->lanes, &engine->mem, &lane_rules, engine, lane.key, lane.item);
    }
    heap_deinit(&old, &engine->mem);
}

void ready_reorder(struct engine *engine, uint32_t queue_handle) {
    struct queue *queue = queue_at(engine, queue_handle);
    struct heap old = queue->branches;
    queue->branches = (struct heap){0};
    for (uint32_t i = 0; i < old.count; i++) {
        struct branch *branch = branch_at(engine, old.entries[i].item);
        branch_reorder(engine, branch, queue->order == QUEUE_LIFO);
    }
    for (uint32_t i = 0; i < old.count; i++) {
        uint64_t key = branch_at(engine, old.entries[i].item)->lanes.entries[0].key;
        heap_push(&queue->branches, &engine->mem, &branch_rules, engine, key, old.entries[i].item);
    }
    heap_deinit(&old, &engine->mem);
}
