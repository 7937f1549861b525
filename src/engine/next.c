/* SPDX-License-Identifier: Apache-2.0 */
/* Which jobs of a queue would be fetched next, in order: a fetch that is only imagined. Nothing of
 * the engine moves: what a valve stops now is left out, what those fetches would close is not
 * reckoned with, and the turns of groups are kept beside it:
 *
 *     ahead    a heap of steps, the best first: a branch or a lane of which no more is known than
 *              its place in the heap above it, or a job
 *     turn     of a group that has been imagined to have one: its pass now, and how many of its
 *              jobs are gone
 *
 * A step that is taken opens those behind it in its heap or list, so what is looked at grows with
 * the number of jobs asked for and not with those that wait. A step carries the pass that its group
 * had when it was put down; passes only grow, so it is never too late, and that of a job whose
 * group has moved on since goes back with the pass of now. */
#include "engine/core.h"

enum {
    HEAP_ARITY = 4,     /* of base/heap.h: the children of entry i are 4 i + 1 … 4 i + 4 */
    STEPS_MAX = 200000, /* taken; past it the list ends */
    TURNS_ROOM = 2048,  /* a power of 2, twice what may be asked for */
};
_Static_assert(TURNS_ROOM >= 2 * NEXT_COUNT_MAX, "half of it stays empty");

enum step_type { STEP_BRANCH, STEP_BELOW, STEP_LANE, STEP_FRESH, STEP_RETURNED };

struct step {
    enum step_type type;
    uint32_t in;   /* branch: the queue, below: the branch above; lane: the branch; job: the lane */
    uint32_t at;   /* place in the heap of `in` */
    uint32_t job;  /* the one that it leads to first */
    uint64_t pass; /* of its group, when it was put down */
};

struct turn {
    uint32_t group; /* 0: nobody's */
    uint32_t gone;
    uint64_t pass;
};

struct outlook {
    const struct engine *engine;
    struct mem mem;
    struct heap ahead;
    struct step *steps;
    uint32_t step_count;
    uint32_t step_capacity;
    uint32_t group_count; /* with jobs that are not gone */
    uint64_t group_vtime;
    struct turn turns[TURNS_ROOM];
};

static void step_moved(void *context, uint32_t item, uint32_t at) {
    (void)context;
    (void)item;
    (void)at;
}

static bool step_before(void *context, uint32_t a, uint32_t b) {
    const struct outlook *outlook = context;
    const struct step *step_a = &outlook->steps[a];
    const struct step *step_b = &outlook->steps[b];
    const struct job *job_a = job_at(outlook->engine, step_a->job);
    const struct job *job_b = job_at(outlook->engine, step_b->job);
    return ready_before_by(outlook->engine, job_a, step_a->pass, job_b, step_b->pass);
}

static const struct heap_rules step_rules = {.before = step_before, .moved = step_moved};

/* --- turns --- */

/* The turn of this group, or an empty one for it. */
static struct turn *turn_of(struct outlook *outlook, uint32_t group) {
    uint32_t at = group * UINT32_C(2654435761) % TURNS_ROOM;
    while (outlook->turns[at].group != 0 && outlook->turns[at].group != group) {
        at = (at + 1) % TURNS_ROOM;
    }
    return &outlook->turns[at];
}

static uint64_t pass_of(struct outlook *outlook, uint32_t group) {
    const struct turn *turn = turn_of(outlook, group);
    return turn->group == 0 ? group_at(outlook->engine, group)->pass : turn->pass;
}

/* As group_had_its_turn, and the job is gone then. */
static void had_its_turn(struct outlook *outlook, uint32_t handle) {
    const struct group *group = group_at(outlook->engine, handle);
    struct turn *turn = turn_of(outlook, handle);
    if (turn->group == 0) *turn = (struct turn){.group = handle, .pass = group->pass};
    if (outlook->group_count >= 2) {
        if (outlook->group_vtime < turn->pass) outlook->group_vtime = turn->pass;
        turn->pass = outlook->group_vtime + group_stride(outlook->engine, group);
    }
    turn->gone++;
    hob_assert(turn->gone <= group->available);
    if (turn->gone == group->available) outlook->group_count--;
}

/* --- steps --- */

static bool is_of_job(const struct step *step) {
    return step->type == STEP_FRESH || step->type == STEP_RETURNED;
}

static void put_down(struct outlook *outlook, const struct step *step) {
    const struct job *job = job_at(outlook->engine, step->job);
    if (outlook->step_count == outlook->step_capacity) {
        uint32_t capacity = outlook->step_capacity == 0 ? 64 : 2 * outlook->step_capacity;
        outlook->steps = mem_resize(
            &outlook->mem,
            outlook->steps,
            outlook->step_capacity * sizeof *outlook->steps,
            capacity * sizeof *outlook->steps
        );
        outlook->step_capacity = capacity;
    }
    uint32_t at = outlook->step_count++;
    outlook->steps[at] = *step;
    /* Behind a branch or a lane there may be others, whose groups have not moved on. */
    outlook->steps[at].pass = is_of_job(step) ? pass_of(outlook, job->group)
                                              : group_at(outlook->engine, job->group)->pass;
    uint64_t key = ready_key(outlook->engine, job);
    heap_push(&outlook->ahead, &outlook->mem, &step_rules, outlook, key, at);
}

static const struct heap *heap_of(const struct engine *engine, enum step_type type, uint32_t in) {
    switch (type) {
    case STEP_BRANCH:
        return &queue_at(engine, in)->branches;
    case STEP_BELOW:
        return &branch_at(engine, in)->branches;
    case STEP_LANE:
        return &branch_at(engine, in)->lanes;
    case STEP_FRESH:
    case STEP_RETURNED:
        break;
    }
    hob_assert(type == STEP_RETURNED);
    return &lane_at(engine, in)->returned;
}

/* Entry @at of the heap in which such a step stands, when there is one. */
static void put_entry(struct outlook *outlook, enum step_type type, uint32_t in, uint64_t at) {
    const struct engine *engine = outlook->engine;
    struct step step = {.type = type, .in = in, .at = (uint32_t)at};
    const struct heap *heap = heap_of(engine, type, in);
    if (at >= heap->count) return;
    uint32_t item = heap->entries[at].item;
    step.job = item;
    if (type == STEP_LANE) step.job = lane_best(engine, lane_at(engine, item));
    if (type == STEP_BRANCH || type == STEP_BELOW) {
        step.job = branch_best(engine, branch_at(engine, item));
    }
    put_down(outlook, &step);
}

static void put_fresh(struct outlook *outlook, uint32_t lane, uint32_t job) {
    if (job == 0) return;
    struct step step = {.type = STEP_FRESH, .in = lane, .job = job};
    put_down(outlook, &step);
}

static void put_children(struct outlook *outlook, const struct step *step) {
    for (uint64_t i = 1; i <= HEAP_ARITY; i++) {
        put_entry(outlook, step->type, step->in, (uint64_t)step->at * HEAP_ARITY + i);
    }
}

static bool newest_first(const struct engine *engine, const struct job *job) {
    return queue_at(engine, job->queue)->order == QUEUE_LIFO;
}

/* What lies behind this step; the job that it leads to, when it is the step of a job. */
static uint32_t take(struct outlook *outlook, const struct step *step) {
    const struct engine *engine = outlook->engine;
    const struct job *job = job_at(engine, step->job);
    bool is_job = is_of_job(step);
    if (is_job && step->pass != pass_of(outlook, job->group)) {
        put_down(outlook, step);
        return 0;
    }
    if (is_job) had_its_turn(outlook, job->group);
    if (step->type != STEP_FRESH) put_children(outlook, step);
    if (step->type == STEP_BRANCH || step->type == STEP_BELOW) {
        uint32_t branch = heap_of(engine, step->type, step->in)->entries[step->at].item;
        put_entry(outlook, STEP_LANE, branch, 0);
        put_entry(outlook, STEP_BELOW, branch, 0);
    } else if (step->type == STEP_LANE) {
        uint32_t lane = branch_at(engine, step->in)->lanes.entries[step->at].item;
        const struct job_list *fresh = &lane_at(engine, lane)->fresh;
        put_fresh(outlook, lane, newest_first(engine, job) ? fresh->last : fresh->first);
        put_entry(outlook, STEP_RETURNED, lane, 0);
    } else if (step->type == STEP_FRESH) {
        put_fresh(outlook, step->in, newest_first(engine, job) ? job->previous : job->next);
    }
    return is_job ? step->job : 0;
}

uint32_t
engine_next(const struct engine *engine, struct slice name, uint32_t count_max, uint64_t *ret_ids) {
    hob_assert(count_max <= NEXT_COUNT_MAX);
    uint32_t handle = queue_find(engine, name);
    if (handle == 0) return 0;
    const struct queue *queue = queue_at(engine, handle);
    struct outlook outlook = {
        .engine = engine, .group_count = queue->group_count, .group_vtime = queue->group_vtime};
    put_entry(&outlook, STEP_BRANCH, handle, 0);
    uint32_t count = 0;
    for (uint32_t i = 0; i < STEPS_MAX && count < count_max && outlook.ahead.count > 0; i++) {
        struct step step = outlook.steps[outlook.ahead.entries[0].item];
        heap_remove(&outlook.ahead, &outlook.mem, &step_rules, &outlook, 0);
        uint32_t job = take(&outlook, &step);
        if (job != 0) ret_ids[count++] = job_at(engine, job)->id;
    }
    heap_deinit(&outlook.ahead, &outlook.mem);
    mem_free(&outlook.mem, outlook.steps, outlook.step_capacity * sizeof *outlook.steps);
    hob_assert(outlook.mem.used_bytes == 0);
    return count;
}
