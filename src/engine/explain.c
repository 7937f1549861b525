/* SPDX-License-Identifier: Apache-2.0 */
/* The gates between a job and a worker, one function each. All of them look only: what they tell is
 * what the fetch would ask (fetch.c, ready.c), read from the same places. A walk over workers or
 * queues takes steps, and says when they were not enough. */
#include "engine/explain.h"

#include "engine/demands.h"
#include "engine/unique.h"
#include "engine/valves.h"
#include "engine/watch.h"

enum { STEPS_MAX = 100000 }; /* workers, kinds of theirs, waiting fetches, queues */

struct look {
    const struct engine *engine;
    const struct job *job;
    const struct queue *queue;
    uint32_t handle; /* of the queue */
    hob_ns now_ns;
    uint32_t steps;
    struct explanation *to;
};

const char *gate_word(enum gate_type type) {
    static const char *const words[] = {
#define X(NAME, word, text) [GATE_##NAME] = word,
        GATES(X)
#undef X
    };
    hob_assert(type < GATE_TYPE_COUNT);
    return words[type];
}

const char *gate_of_word(enum gate_of of) {
    static const char *const words[] = {
        [GATE_OF_JOB] = "",
        [GATE_OF_QUEUE] = "queue",
        [GATE_OF_KIND] = "kind",
        [GATE_OF_GROUP] = "group",
        [GATE_OF_LIMITER] = "limiter",
    };
    hob_assert((size_t)of < hob_countof(words));
    return words[of];
}

const struct gate *explanation_shut(const struct explanation *explanation) {
    for (uint32_t i = 0; i < explanation->gate_count; i++) {
        if (!explanation->gates[i].is_open) return &explanation->gates[i];
    }
    return NULL;
}

static struct gate *gate_add(struct look *look, enum gate_type type, bool is_open) {
    hob_assert(look->to->gate_count < GATES_MAX);
    struct gate *gate = &look->to->gates[look->to->gate_count++];
    *gate = (struct gate){.type = type, .is_open = is_open};
    return gate;
}

static bool take_step(struct look *look) {
    if (look->steps == 0) return false;
    look->steps--;
    return true;
}

/* --- the job's own --- */

static void look_at_time(struct look *look) {
    if (look->job->run_at_ns == 0) return;
    struct gate *gate = gate_add(look, GATE_TIME, look->job->run_at_ns <= look->now_ns);
    gate->until_ns = look->job->run_at_ns;
}

static void look_at_term(struct look *look) {
    hob_ns expires_ns = term_expires_ns(look->engine, look->job);
    hob_ns latest_ns = term_latest_ns(look->engine, look->job);
    if (expires_ns != HOB_NEVER) {
        gate_add(look, GATE_EXPIRY, look->now_ns < expires_ns)->until_ns = expires_ns;
    }
    if (latest_ns != HOB_NEVER) {
        gate_add(look, GATE_DEADLINE, look->now_ns < latest_ns)->until_ns = latest_ns;
    }
}

static void look_at_unique(struct look *look) {
    if (look->job->state != JOB_BLOCKED) return;
    uint32_t blocker = unique_blocker(look->engine, look->job);
    hob_assert(blocker != 0);
    gate_add(look, GATE_UNIQUE, false)->job = job_at(look->engine, blocker)->id;
}

/* --- its queue's --- */

/* The gate of a queue, which is open or not. */
static struct gate *gate_of_queue(struct look *look, enum gate_type type, bool is_open) {
    struct gate *gate = gate_add(look, type, is_open);
    gate->of = GATE_OF_QUEUE;
    gate->name = text_slice(look->queue->name);
    return gate;
}

static bool is_over(const struct look *look, hob_ns until_ns) {
    return until_ns != 0 && until_ns <= look->now_ns;
}

static void look_at_pause(struct look *look) {
    const struct queue *queue = look->queue;
    if (!queue->paused) return;
    struct gate *gate = gate_of_queue(look, GATE_PAUSE, is_over(look, queue->paused_until_ns));
    gate->until_ns = queue->paused_until_ns;
    gate->by = text_slice(queue->paused_by);
    gate->why = text_slice(queue->paused_why);
}

static void look_at_concurrency(struct look *look) {
    const struct queue *queue = look->queue;
    if (queue->concurrency == 0) return;
    uint32_t running = queue->counts[JOB_RUNNING];
    struct gate *gate = gate_of_queue(look, GATE_CONCURRENCY, running < queue->concurrency);
    gate->count = running;
    gate->limit = queue->concurrency;
}

/* --- valves: of its queue, kind, group and limiters --- */

/* A job's way through one valve. */
struct passage {
    const struct valve *valve;
    struct valve_view view;
    enum gate_of of;
    uint32_t units;
};

static struct gate *
gate_of_valve(struct look *look, const struct passage *passage, enum gate_type type, bool is_open) {
    struct gate *gate = gate_add(look, type, is_open);
    gate->of = passage->of;
    gate->name = passage->view.name;
    return gate;
}

/* More units than could ever start are all that can. */
static uint32_t at_most(uint32_t units, uint32_t most) {
    return units < most ? units : most;
}

static void look_at_valve_pause(struct look *look, const struct passage *passage) {
    const struct valve_view *view = &passage->view;
    if (!view->paused) return;
    bool is_open = is_over(look, view->paused_until_ns);
    struct gate *gate = gate_of_valve(look, passage, GATE_PAUSE, is_open);
    gate->until_ns = view->paused_until_ns;
    gate->by = view->paused_by;
    gate->why = view->paused_why;
}

static void look_at_valve_limit(struct look *look, const struct passage *passage) {
    const struct valve_view *view = &passage->view;
    if (view->concurrency == 0) return;
    uint32_t units = at_most(passage->units, view->concurrency);
    bool is_open = (uint64_t)view->running + units <= view->concurrency;
    struct gate *gate = gate_of_valve(look, passage, GATE_CONCURRENCY, is_open);
    gate->count = view->running;
    gate->limit = view->concurrency;
    gate->units = passage->of == GATE_OF_LIMITER ? units : 0;
}

static void look_at_valve_rate(struct look *look, const struct passage *passage) {
    const struct valve_view *view = &passage->view;
    if (view->rate.count == 0) return;
    uint32_t burst = rate_burst(&view->rate);
    uint32_t most = view->concurrency > 0 ? at_most(burst, view->concurrency) : burst;
    uint32_t units = at_most(passage->units, most);
    uint32_t room = rate_room(&view->rate, view->tat_ns, look->now_ns);
    struct gate *gate = gate_of_valve(look, passage, GATE_RATE, units <= room);
    gate->count = room;
    gate->limit = burst;
    gate->units = passage->of == GATE_OF_LIMITER ? units : 0;
    gate->rate = view->rate;
    if (!gate->is_open) gate->until_ns = rate_opens_ns(&view->rate, view->tat_ns, units);
}

/* A group whose jobs run one after the other. */
static void look_at_valve_order(struct look *look, const struct passage *passage) {
    const struct valve_view *view = &passage->view;
    enum group_order order = passage->valve->order;
    if (view->blocked_by != 0) {
        gate_of_valve(look, passage, GATE_BLOCKED, false)->job = view->blocked_by;
    }
    if (order == GROUP_LOOSE) return;
    uint64_t before = (uint64_t)view->running + (order == GROUP_PARK ? 0 : view->held);
    /* One that waits for its next attempt holds its group itself. */
    bool is_held = look->job->run != 0 && look->job->state != JOB_AVAILABLE;
    if (is_held && order != GROUP_PARK) before--;
    struct gate *gate = gate_of_valve(look, passage, GATE_ORDER, before == 0);
    gate->count = before;
}

static void look_at_valve(struct look *look, uint32_t handle, enum gate_of of, uint32_t units) {
    if (handle == 0) return;
    struct passage passage = {.valve = valve_at(look->engine, handle), .of = of, .units = units};
    valve_view_fill(look->engine, passage.valve, &passage.view);
    look_at_valve_pause(look, &passage);
    look_at_valve_limit(look, &passage);
    look_at_valve_rate(look, &passage);
    look_at_valve_order(look, &passage);
}

static void look_at_valves(struct look *look) {
    const struct engine *engine = look->engine;
    const struct job *job = look->job;
    look_at_valve(look, look->queue->valve, GATE_OF_QUEUE, 1);
    look_at_valve(look, kind_at(engine, job->kind)->valve, GATE_OF_KIND, 1);
    look_at_valve(look, group_at(engine, job->group)->valve, GATE_OF_GROUP, 1);
    if (job->limits == 0) return;
    const struct limits *limits = limits_at(engine, job->limits);
    for (uint32_t i = 0; i < limits->count; i++) {
        const struct limit *limit = &limits->limits[i];
        uint32_t valve = limiter_at(engine, limit->limiter)->valve;
        look_at_valve(look, valve, GATE_OF_LIMITER, limit->units);
    }
}

/* --- who could run it --- */

static bool worker_runs(struct look *look, const struct worker *worker) {
    if (worker->kind_count == 0) return true;
    for (uint32_t i = 0; i < worker->kind_count && take_step(look); i++) {
        if (worker->kinds[i] == look->job->kind) return true;
    }
    return false;
}

/* Of the live workers that run the job's kind, and are fit for it. */
struct staff {
    uint64_t count;
    uint64_t slots;
    uint64_t running;
    uint64_t kin;          /* live workers of the kind that are not fit for the job */
    bool has_room;         /* one has as many free slots as the job takes */
    uint64_t fetches;      /* that wait and take jobs of the queue */
    uint64_t elsewhere;    /* workers that have waiting fetches, none of which does */
    struct slice excludes; /* a worker of whose waiting fetches one excludes the queue */
    bool is_cut;
};

static void count_fetches(struct look *look, const struct worker *worker, struct staff *staff) {
    uint64_t fetches = 0;
    uint32_t at = worker->waiter_first;
    for (; at != 0 && take_step(look); at = waiter_at(look->engine, at)->next) {
        const struct watch *watch =
            watch_at(look->engine, waiter_at(look->engine, at)->fetch.watch);
        struct slice name = text_slice(look->queue->name);
        fetches += watch_takes(watch, name) ? 1 : 0;
        if (watch_excludes(watch, name)) staff->excludes = text_slice(worker->name);
    }
    staff->fetches += fetches;
    staff->elsewhere += worker->waiter_first != 0 && fetches == 0 ? 1 : 0;
    staff->is_cut = staff->is_cut || at != 0;
}

static struct staff staff_of(struct look *look) {
    const struct engine *engine = look->engine;
    struct staff staff = {.count = 0};
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        if (!take_step(look)) {
            staff.is_cut = true;
            break;
        }
        const struct worker *worker = worker_at(engine, engine->worker_list[i]);
        if (worker->alive_until_ns <= look->now_ns || !worker_runs(look, worker)) continue;
        if (!demand_fits(engine, look->job->demand, worker)) {
            staff.kin++;
            continue;
        }
        staff.count++;
        staff.has_room |= worker_free(worker) >= demand_cost(engine, look->job->demand);
        staff.slots += worker->slots;
        staff.running += worker->running < worker->slots ? worker->running : worker->slots;
        count_fetches(look, worker, &staff);
    }
    return staff;
}

static void look_at_needs(struct look *look, const struct staff *staff) {
    if (look->job->demand == 0) return;
    const struct demand *demand = demand_at(look->engine, look->job->demand);
    struct gate *gate = gate_add(look, GATE_NEEDS, staff->count > 0 || staff->is_cut);
    gate->name = text_slice(demand->needs);
    gate->count = staff->count;
    gate->limit = demand->cost;
    gate->is_least = staff->is_cut;
}

/* Workers name their kinds. Their queues are known only while they wait for a job; one that asks
 * without waiting is not seen to ask. So the last of the three gates is shut only when each of them
 * waits, and none for this queue. */
static void look_at_workers(struct look *look) {
    struct staff staff = staff_of(look);
    uint64_t runs_kind = staff.count + staff.kin;
    struct gate *gate = gate_add(look, GATE_KIND, runs_kind > 0 || staff.is_cut);
    gate->of = GATE_OF_KIND;
    gate->name = text_slice(kind_at(look->engine, look->job->kind)->name);
    gate->count = runs_kind;
    gate->is_least = staff.is_cut;
    if (runs_kind > 0) look_at_needs(look, &staff);
    if (staff.count == 0) return;
    gate = gate_add(look, GATE_SLOT, staff.has_room || staff.is_cut);
    gate->of = GATE_OF_KIND;
    gate->name = text_slice(kind_at(look->engine, look->job->kind)->name);
    gate->count = staff.running;
    gate->limit = staff.slots;
    gate->is_least = staff.is_cut;
    bool nobody = staff.fetches == 0 && staff.elsewhere == staff.count;
    gate = gate_of_queue(look, GATE_FETCH, !nobody || staff.is_cut);
    gate->count = staff.fetches;
    gate->is_least = staff.is_cut;
    gate->by = staff.excludes;
}

/* --- what goes before it --- */

/* Does @a go before @b by weight? Of equal tiers the name decides, which outlives a restart. */
static bool tier_before(const struct queue *a, const struct queue *b) {
    if (a->tier != b->tier) return a->tier < b->tier;
    return slice_before(text_slice(a->name), text_slice(b->name));
}

/* A worker that fetches several queues by weight goes to the smallest tier that has work. */
static void look_at_tiers(struct look *look) {
    const struct engine *engine = look->engine;
    uint64_t before = 0;
    const struct queue *first = NULL;
    uint32_t i = 0;
    for (; i < engine->queue_count && take_step(look); i++) {
        const struct queue *queue = queue_at(engine, engine->queue_list[i]);
        if (queue->counts[JOB_AVAILABLE] == 0) continue;
        if (queue_tier(queue) >= queue_tier(look->queue) || !queue_is_open(engine, queue)) continue;
        if (first == NULL || tier_before(queue, first)) first = queue;
        before += queue->counts[JOB_AVAILABLE];
    }
    if (before == 0) return;
    struct gate *gate = gate_of_queue(look, GATE_TIER, false);
    gate->name = text_slice(first->name);
    gate->count = before;
    gate->is_least = i < engine->queue_count;
}

/* Those that would be fetched before it, one by one, as far as such a look goes. */
static void look_at_line(struct look *look) {
    if (look->job->state != JOB_AVAILABLE || ready_is_stopped(look->engine, look->job)) return;
    uint64_t ids[NEXT_COUNT_MAX];
    struct slice name = text_slice(look->queue->name);
    uint32_t count = engine_next(look->engine, name, NEXT_COUNT_MAX, ids);
    uint32_t before = 0;
    while (before < count && ids[before] != look->job->id) before++;
    struct gate *gate = gate_of_queue(look, GATE_LINE, before == 0 && count > 0);
    gate->count = before;
    gate->is_least = before == count;
}

static void (*const looks[])(struct look *look) = {
    look_at_time,
    look_at_term,
    look_at_unique,
    look_at_pause,
    look_at_concurrency,
    look_at_valves,
    look_at_workers,
    look_at_tiers,
    look_at_line,
};

/* When all gates whose opening is known are open; HOB_NEVER: one of them may stay shut. Jobs before
 * it and the pace of its queue say nothing then. */
static hob_ns opens_ns(const struct explanation *explanation) {
    hob_ns opens_ns = 0;
    for (uint32_t i = 0; i < explanation->gate_count; i++) {
        const struct gate *gate = &explanation->gates[i];
        bool has_end = gate->until_ns != 0;
        if (gate->is_open) continue;
        switch (gate->type) {
        case GATE_KIND:
        case GATE_NEEDS:
        case GATE_FETCH:
        case GATE_UNIQUE:
        case GATE_BLOCKED:
        case GATE_ORDER:
        case GATE_EXPIRY:
        case GATE_DEADLINE:
            return HOB_NEVER;
        case GATE_TIME:
        case GATE_PAUSE:
        case GATE_RATE:
            if (!has_end) return HOB_NEVER;
            if (gate->until_ns > opens_ns) opens_ns = gate->until_ns;
            break;
        case GATE_CONCURRENCY:
        case GATE_SLOT:
        case GATE_TIER:
        case GATE_LINE:
        case GATE_TYPE_COUNT:
            break;
        }
    }
    return opens_ns;
}

bool engine_explain(
    const struct engine *engine, hob_ns now_ns, uint64_t id, struct explanation *ret_explanation
) {
    uint32_t handle = job_find(engine, id);
    if (handle == 0) return false;
    const struct job *job = job_at(engine, handle);
    const struct queue *queue = queue_at(engine, job->queue);
    *ret_explanation = (struct explanation){
        .id = id,
        .state = (enum job_state)job->state,
        .queue = text_slice(queue->name),
        .kind = text_slice(kind_at(engine, job->kind)->name),
    };
    if (job_state_is_final((enum job_state)job->state) || job->state == JOB_RUNNING) return true;
    struct look look = {
        .engine = engine,
        .job = job,
        .queue = queue,
        .handle = job->queue,
        .now_ns = now_ns,
        .steps = STEPS_MAX,
        .to = ret_explanation,
    };
    for (size_t i = 0; i < hob_countof(looks); i++) looks[i](&look);
    hob_ns from_ns = opens_ns(ret_explanation);
    if (from_ns == HOB_NEVER) return true;
    hob_ns start_ns = estimate_start(engine, job, now_ns);
    ret_explanation->start_ns = start_ns > from_ns ? start_ns : from_ns;
    return true;
}
