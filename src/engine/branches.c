/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes and branches: the tree of ready jobs, and who of it stands in its heaps.
 *
 *     queue > branch of a kind and demand > lanes of jobs without limiters
 *             > branch of a limiter > lanes of jobs with just that
 *                                   > branch of another limiter > …
 *
 * A lane or branch that a valve stops leaves the heap that it stands in, and what becomes empty by
 * that leaves its own, up to the queue. So what is at the top of a heap may always start, choosing
 * meets nothing that is stopped, and a valve that closes or opens costs as much as there are
 * branches of its limiter (or kind, or lanes of its group), however many jobs and groups are behind
 * them.
 *
 * The limiter that most jobs share stands nearest to the queue: one that all share then has few
 * branches. In which order they stand changes the cost, never what is chosen.
 *
 * The branches of a kind that have a demand hang at the one that has none, which is there for them
 * also when it has no job: so a worker of few kinds finds all of its.
 *
 * The heaps compare best jobs (order.c), so what leaves does so while it still has one. */
#include "engine/valves.h"

/* --- the heaps --- */

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

static const struct heap_rules lane_rules = {.before = lane_before, .moved = lane_moved};
static const struct heap_rules branch_rules = {.before = branch_before, .moved = branch_moved};

static uint64_t key_of(const struct engine *engine, uint32_t job) {
    return ready_key(engine, job_at(engine, job));
}

static uint64_t lane_key_of(const struct engine *engine, const struct lane *lane) {
    return key_of(engine, lane_best(engine, lane));
}

static struct heap *heap_of(const struct engine *engine, const struct branch *branch) {
    if (branch->parent != 0) return &branch_at(engine, branch->parent)->branches;
    return &queue_at(engine, branch->queue)->branches;
}

/* The best job of the branch may have changed. */
static void branch_fix(struct engine *engine, uint32_t handle) {
    while (handle != 0) {
        const struct branch *branch = branch_at(engine, handle);
        if (branch->heap_at == HEAP_NOWHERE) return;
        uint64_t key = key_of(engine, branch_best(engine, branch));
        heap_rekey(heap_of(engine, branch), &branch_rules, engine, branch->heap_at, key);
        handle = branch->parent;
    }
}

static void branch_enter(struct engine *engine, uint32_t handle) {
    while (handle != 0) {
        const struct branch *branch = branch_at(engine, handle);
        if (branch->heap_at != HEAP_NOWHERE) {
            branch_fix(engine, handle);
            return;
        }
        if (branch->is_stopped) return;
        uint64_t key = key_of(engine, branch_best(engine, branch));
        struct heap *heap = heap_of(engine, branch);
        heap_push(heap, &engine->mem, &branch_rules, engine, key, handle);
        handle = branch->parent;
    }
}

/* Offers nothing any more, once what it offers alone is gone. */
static bool branch_empties(const struct engine *engine, uint32_t handle) {
    if (handle == 0) return false;
    const struct branch *branch = branch_at(engine, handle);
    return branch->lanes.count + branch->branches.count == 1 && branch->heap_at != HEAP_NOWHERE;
}

/* It leaves its heap, and before it those above it that it empties. */
static void branch_leave(struct engine *engine, uint32_t handle) {
    uint32_t leaving[JOB_LIMITERS_MAX + 1];
    uint32_t count = 0;
    leaving[count++] = handle;
    for (;;) {
        uint32_t parent = branch_at(engine, leaving[count - 1])->parent;
        if (!branch_empties(engine, parent)) break;
        hob_assert(count < hob_countof(leaving));
        leaving[count++] = parent;
    }
    uint32_t above = branch_at(engine, leaving[count - 1])->parent;
    while (count > 0) {
        const struct branch *branch = branch_at(engine, leaving[--count]);
        heap_remove(heap_of(engine, branch), &engine->mem, &branch_rules, engine, branch->heap_at);
    }
    branch_fix(engine, above);
}

static void lane_enter(struct engine *engine, uint32_t handle) {
    const struct lane *lane = lane_at(engine, handle);
    struct branch *branch = branch_at(engine, lane->branch);
    uint64_t key = lane_key_of(engine, lane);
    heap_push(&branch->lanes, &engine->mem, &lane_rules, engine, key, handle);
    branch_enter(engine, lane->branch);
}

static void lane_leave(struct engine *engine, uint32_t handle) {
    const struct lane *lane = lane_at(engine, handle);
    struct branch *branch = branch_at(engine, lane->branch);
    if (branch_empties(engine, lane->branch)) branch_leave(engine, lane->branch);
    heap_remove(&branch->lanes, &engine->mem, &lane_rules, engine, lane->heap_at);
    branch_fix(engine, lane->branch);
}

void lane_fix(struct engine *engine, const struct lane *lane) {
    if (lane->heap_at == HEAP_NOWHERE) return;
    struct branch *branch = branch_at(engine, lane->branch);
    uint64_t key = lane_key_of(engine, lane);
    heap_rekey(&branch->lanes, &lane_rules, engine, lane->heap_at, key);
    branch_fix(engine, lane->branch);
}

void lane_begin(struct engine *engine, uint32_t handle) {
    if (!lane_at(engine, handle)->is_stopped) lane_enter(engine, handle);
}

void lane_end(struct engine *engine, uint32_t handle) {
    if (lane_at(engine, handle)->heap_at != HEAP_NOWHERE) lane_leave(engine, handle);
}

bool lane_stop(struct engine *engine, uint32_t handle, bool is_stopped) {
    struct lane *lane = lane_at(engine, handle);
    lane->is_stopped = is_stopped;
    bool stands = lane->heap_at != HEAP_NOWHERE;
    if (is_stopped != stands) return false;
    if (is_stopped) {
        lane_leave(engine, handle);
    } else {
        lane_enter(engine, handle);
    }
    return true;
}

bool branch_stop(struct engine *engine, uint32_t handle, bool is_stopped) {
    struct branch *branch = branch_at(engine, handle);
    branch->is_stopped = is_stopped;
    bool stands = branch->heap_at != HEAP_NOWHERE;
    if (is_stopped != stands || !branch_has_offer(branch)) return false;
    if (is_stopped) {
        branch_leave(engine, handle);
    } else {
        branch_enter(engine, handle);
    }
    return true;
}

void lanes_group_moved(struct engine *engine, uint32_t handle) {
    const struct group *group = group_at(engine, handle);
    for (uint32_t at = group->lane_first; at != 0; at = lane_at(engine, at)->group_next) {
        struct lane *lane = lane_at(engine, at);
        lane->pass = group->pass;
        lane_fix(engine, lane);
    }
}

/* --- branches: found, made, dropped --- */

struct branch_key {
    uint32_t queue;
    uint32_t kind;
    uint32_t demand;
    uint32_t parent;
    uint32_t limiter;
    uint32_t units;
};

static bool branch_is(const void *context, uint32_t item, const void *key) {
    const struct branch *branch = branch_at(context, item);
    const struct branch_key *wanted = key;
    return branch->queue == wanted->queue && branch->kind == wanted->kind &&
           branch->demand == wanted->demand && branch->parent == wanted->parent &&
           branch->limiter == wanted->limiter && branch->units == wanted->units;
}

static uint64_t branch_hash(const struct branch_key *key) {
    uint64_t limit = index_hash_pair(key->limiter, key->units);
    uint64_t top = index_hash_pair(index_hash_pair(key->queue, key->kind), key->demand);
    return top ^ index_hash_pair(limit, key->parent);
}

static uint32_t branch_with(const struct engine *engine, const struct branch_key *key) {
    return index_find(&engine->branch_keys, branch_hash(key), branch_is, engine, key);
}

uint32_t branch_find(const struct engine *engine, uint32_t queue, uint32_t kind) {
    struct branch_key key = {.queue = queue, .kind = kind};
    return branch_with(engine, &key);
}

static uint32_t *branches_of(const struct engine *engine, const struct branch *branch) {
    return branch->limiter == 0 ? &kind_at(engine, branch->kind)->branch_first
                                : &limiter_at(engine, branch->limiter)->branch_first;
}

static uint32_t valve_of_branch(const struct engine *engine, const struct branch *branch) {
    return branch->limiter == 0 ? kind_at(engine, branch->kind)->valve
                                : limiter_at(engine, branch->limiter)->valve;
}

static void branch_list(struct engine *engine, struct branch *branch, uint32_t handle) {
    uint32_t *first = branches_of(engine, branch);
    branch->valve_next = *first;
    if (*first != 0) branch_at(engine, *first)->valve_previous = handle;
    *first = handle;
    if (branch->parent != 0) return;
    first = &queue_at(engine, branch->queue)->branch_first;
    branch->queue_next = *first;
    if (*first != 0) branch_at(engine, *first)->queue_previous = handle;
    *first = handle;
}

static void branch_unlist(struct engine *engine, const struct branch *branch) {
    if (branch->valve_next != 0) {
        branch_at(engine, branch->valve_next)->valve_previous = branch->valve_previous;
    }
    if (branch->valve_previous != 0) {
        branch_at(engine, branch->valve_previous)->valve_next = branch->valve_next;
    } else {
        *branches_of(engine, branch) = branch->valve_next;
    }
    if (branch->parent != 0) return;
    if (branch->queue_next != 0) {
        branch_at(engine, branch->queue_next)->queue_previous = branch->queue_previous;
    }
    if (branch->queue_previous != 0) {
        branch_at(engine, branch->queue_previous)->queue_next = branch->queue_next;
    } else {
        queue_at(engine, branch->queue)->branch_first = branch->queue_next;
    }
}

/* A top with a demand hangs at the one without. */
static void demand_list(struct engine *engine, uint32_t handle, uint32_t plain_handle) {
    struct branch *branch = branch_at(engine, handle);
    struct branch *plain = branch_at(engine, plain_handle);
    plain->users++;
    branch->plain = plain_handle;
    branch->demand_next = plain->demand_first;
    if (branch->demand_next != 0) branch_at(engine, branch->demand_next)->demand_previous = handle;
    plain->demand_first = handle;
}

static void demand_unlist(struct engine *engine, const struct branch *branch) {
    if (branch->plain == 0) return;
    if (branch->demand_next != 0) {
        branch_at(engine, branch->demand_next)->demand_previous = branch->demand_previous;
    }
    if (branch->demand_previous != 0) {
        branch_at(engine, branch->demand_previous)->demand_next = branch->demand_next;
    } else {
        branch_at(engine, branch->plain)->demand_first = branch->demand_next;
    }
}

static uint32_t branch_need(struct engine *engine, const struct branch_key *key) {
    uint32_t handle = branch_with(engine, key);
    if (handle != 0) return handle;
    handle = pool_new(&engine->branches);
    struct branch *branch = branch_at(engine, handle);
    branch->queue = key->queue;
    branch->kind = key->kind;
    branch->demand = key->demand;
    branch->parent = key->parent;
    branch->limiter = key->limiter;
    branch->units = key->units;
    branch->heap_at = HEAP_NOWHERE;
    branch->top = handle;
    if (key->parent != 0) {
        struct branch *parent = branch_at(engine, key->parent);
        parent->users++;
        branch->top = parent->top;
    }
    branch_list(engine, branch, handle);
    index_add(&engine->branch_keys, &engine->mem, branch_hash(key), handle);
    uint32_t valve = valve_of_branch(engine, branch);
    if (valve != 0) {
        uint32_t units = branch->limiter == 0 ? 1 : branch->units;
        valve_wanted(engine, valve, units);
        branch->is_stopped = valve_stops(engine, valve, units);
    }
    return handle;
}

static void branch_unuse(struct engine *engine, uint32_t handle) {
    while (handle != 0) {
        struct branch *branch = branch_at(engine, handle);
        hob_assert(branch->users > 0);
        if (--branch->users > 0) return;
        hob_assert(branch->heap_at == HEAP_NOWHERE);
        struct branch_key key = {
            branch->queue,
            branch->kind,
            branch->demand,
            branch->parent,
            branch->limiter,
            branch->units};
        uint32_t above = branch->parent != 0 ? branch->parent : branch->plain;
        branch_unlist(engine, branch);
        demand_unlist(engine, branch);
        index_remove(&engine->branch_keys, &engine->mem, branch_hash(&key), handle);
        pool_free(&engine->branches, handle);
        handle = above;
    }
}

static uint32_t top_for(struct engine *engine, const struct job *job) {
    struct branch_key key = {.queue = job->queue, .kind = job->kind};
    uint32_t plain = branch_need(engine, &key);
    if (job->demand == 0) return plain;
    key.demand = job->demand;
    uint32_t top = branch_need(engine, &key);
    if (branch_at(engine, top)->plain == 0) demand_list(engine, top, plain);
    return top;
}

/* The branch in which the lane of a job is: below its kind, a limiter after the other. */
static uint32_t branch_for(struct engine *engine, const struct job *job) {
    struct branch_key key = {.queue = job->queue, .kind = job->kind, .demand = job->demand};
    uint32_t branch = top_for(engine, job);
    if (job->limits == 0) return branch;
    const struct limits *limits = limits_at(engine, job->limits);
    bool stands[JOB_LIMITERS_MAX] = {false};
    for (uint32_t i = 0; i < limits->count; i++) {
        uint32_t next = 0;
        uint32_t users_max = 0;
        for (uint32_t k = 0; k < limits->count; k++) {
            uint32_t users = limiter_at(engine, limits->limits[k].limiter)->users;
            if (stands[k] || users <= users_max) continue;
            users_max = users;
            next = k;
        }
        stands[next] = true;
        key.parent = branch;
        key.limiter = limits->limits[next].limiter;
        key.units = limits->limits[next].units;
        branch = branch_need(engine, &key);
    }
    return branch;
}

/* --- lanes: found, made, dropped --- */

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

static void lane_list(struct engine *engine, struct lane *lane, uint32_t handle) {
    struct group *group = group_at(engine, lane->group);
    lane->group_next = group->lane_first;
    if (lane->group_next != 0) lane_at(engine, lane->group_next)->group_previous = handle;
    group->lane_first = handle;
    struct branch *top = branch_at(engine, branch_at(engine, lane->branch)->top);
    lane->kind_next = top->lane_first;
    if (lane->kind_next != 0) lane_at(engine, lane->kind_next)->kind_previous = handle;
    top->lane_first = handle;
}

static void lane_unlist(struct engine *engine, const struct lane *lane) {
    if (lane->group_next != 0) {
        lane_at(engine, lane->group_next)->group_previous = lane->group_previous;
    }
    if (lane->group_previous != 0) {
        lane_at(engine, lane->group_previous)->group_next = lane->group_next;
    } else {
        group_at(engine, lane->group)->lane_first = lane->group_next;
    }
    if (lane->kind_next != 0) {
        lane_at(engine, lane->kind_next)->kind_previous = lane->kind_previous;
    }
    if (lane->kind_previous != 0) {
        lane_at(engine, lane->kind_previous)->kind_next = lane->kind_next;
    } else {
        branch_at(engine, branch_at(engine, lane->branch)->top)->lane_first = lane->kind_next;
    }
}

uint32_t lane_need(struct engine *engine, const struct job *job) {
    uint32_t branch = branch_for(engine, job);
    struct lane_key key = {.branch = branch, .priority = job->priority, .group = job->group};
    uint32_t handle = index_find(&engine->lane_keys, lane_hash(key), lane_is, engine, &key);
    if (handle != 0) return handle;
    handle = pool_new(&engine->lanes);
    struct lane *lane = lane_at(engine, handle);
    const struct group *group = group_at(engine, key.group);
    lane->branch = branch;
    lane->priority = key.priority;
    lane->group = key.group;
    lane->pass = group->pass;
    lane->heap_at = HEAP_NOWHERE;
    lane->is_stopped = valve_stops(engine, group->valve, 1);
    branch_at(engine, branch)->users++;
    lane_list(engine, lane, handle);
    index_add(&engine->lane_keys, &engine->mem, lane_hash(key), handle);
    return handle;
}

void lane_drop(struct engine *engine, uint32_t handle) {
    const struct lane *lane = lane_at(engine, handle);
    hob_assert(lane->heap_at == HEAP_NOWHERE);
    struct lane_key key = {lane->branch, lane->priority, lane->group};
    lane_unlist(engine, lane);
    index_remove(&engine->lane_keys, &engine->mem, lane_hash(key), handle);
    pool_free(&engine->lanes, handle);
    branch_unuse(engine, key.branch);
}
