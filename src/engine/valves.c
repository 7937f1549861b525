/* SPDX-License-Identifier: Apache-2.0 */
/* Valves: what stops jobs that wait though a worker would have them. A valve belongs to a queue
 * (its rate), a kind, a group of a queue or a limiter, and it is open for a job when
 *
 *     it is not paused, nor blocked by a job that has failed (groups of a strict queue),
 *     no more run than may, with the units of this job,
 *     its rate has room for these units.
 *
 * `room` is how many units may start now. It is kept up to date: each start and end counts, and
 * what time will give stands in engine->opening by when it does, so nobody polls and nothing is
 * scanned. When room crosses what some job wants, the branches (of a kind or limiter) or lanes (of
 * a group) behind the valve leave their heaps or come back: branches.c. More units than could ever
 * start are taken as all that can, so no job waits for ever.
 *
 * What people set is durable (VALVE_PUT), and so is the debt of a rate (VALVE_TAKEN), so a restart
 * gives nobody a second burst: valve_keep.c. A valve that has nothing but a debt which is paid
 * back, of a name that nobody uses, is dropped by time. Owners by name are in valve_owner.c. */
#include "engine/valves.h"

/* --- made, and given back --- */

static void opening_moved(void *context, uint32_t item, uint32_t at) {
    valve_at(context, item)->opening_at = at;
}

/* What time does is done in the order of names, which a restart does not change. */
static bool opening_before(void *context, uint32_t a, uint32_t b) {
    struct valve_view view_a;
    struct valve_view view_b;
    valve_view_fill(context, valve_at(context, a), &view_a);
    valve_view_fill(context, valve_at(context, b), &view_b);
    if (view_a.sort != view_b.sort) return view_a.sort < view_b.sort;
    if (!slice_equal(view_a.queue, view_b.queue)) return slice_before(view_a.queue, view_b.queue);
    return slice_before(view_a.name, view_b.name);
}

static const struct heap_rules opening_rules = {.before = opening_before, .moved = opening_moved};

uint32_t valve_need(struct engine *engine, enum valve_sort sort, uint32_t owner) {
    uint32_t *slot = valve_slot(engine, sort, owner);
    if (*slot != 0) return *slot;
    *slot = pool_new(&engine->valves);
    struct valve *valve = valve_at(engine, *slot);
    valve->sort = sort;
    valve->owner = owner;
    valve->units_max = 1;
    valve->room = 1;
    valve->opening_at = HEAP_NOWHERE;
    uint32_t at = sort == VALVE_LIMITER ? limiter_at(engine, owner)->branch_first : 0;
    for (; at != 0; at = branch_at(engine, at)->valve_next) {
        uint32_t units = branch_at(engine, at)->units;
        if (units > valve->units_max) valve->units_max = units;
    }
    return *slot;
}

void valve_free(struct engine *engine, uint32_t handle) {
    struct valve *valve = valve_at(engine, handle);
    if (valve->opening_at != HEAP_NOWHERE) {
        heap_remove(&engine->opening, &engine->mem, &opening_rules, engine, valve->opening_at);
    }
    text_free(engine, &valve->paused_by);
    text_free(engine, &valve->paused_why);
    *valve_slot(engine, valve->sort, valve->owner) = 0;
    pool_free(&engine->valves, handle);
}

/* --- what may start --- */

bool valve_is_paused(const struct engine *engine, const struct valve *valve) {
    if (!valve->paused) return false;
    return valve->paused_until_ns == 0 || valve->paused_until_ns > engine->now_ns;
}

static uint32_t running_of(const struct engine *engine, const struct valve *valve) {
    if (valve->sort == VALVE_GROUP) return group_at(engine, valve->owner)->running;
    return valve->sort == VALVE_LIMITER ? limiter_at(engine, valve->owner)->running : 0;
}

static uint32_t room_of(const struct engine *engine, const struct valve *valve) {
    if (valve_is_paused(engine, valve) || valve->blocked_by != 0) return 0;
    uint32_t running = running_of(engine, valve);
    if (valve->order != GROUP_LOOSE && running > 0) return 0;
    bool holds = valve->order == GROUP_BLOCK || valve->order == GROUP_SKIP;
    if (holds && group_at(engine, valve->owner)->held > 0) return 0;
    uint32_t room = valve->units_max;
    if (valve->limit > 0) {
        uint32_t left = running < valve->limit ? valve->limit - running : 0;
        if (left < room) room = left;
    }
    if (valve->rate.count > 0) {
        uint32_t left = rate_room(&valve->rate, valve->tat_ns, engine->now_ns);
        if (left < room) room = left;
    }
    return room;
}

static uint32_t units_of(const struct valve *valve, uint32_t units) {
    if (valve->limit > 0 && units > valve->limit) units = valve->limit;
    if (valve->rate.count > 0 && units > rate_burst(&valve->rate)) units = rate_burst(&valve->rate);
    return units;
}

bool valve_stops(const struct engine *engine, uint32_t handle, uint32_t units) {
    if (handle == 0) return false;
    const struct valve *valve = valve_at(engine, handle);
    return units_of(valve, units) > valve->room;
}

/* Where the best job is stopped, another is the best, and may have a better priority. */
static void queue_told(struct engine *engine, uint32_t queue, bool stops) {
    if (stops) {
        queue_changed(engine, queue);
    } else {
        queue_feed(engine, queue);
    }
}

/* Who is behind the valve learns whether it stops them. */
static void valve_tell(struct engine *engine, uint32_t handle) {
    const struct valve *valve = valve_at(engine, handle);
    if (valve->sort == VALVE_QUEUE) {
        queue_told(engine, valve->owner, valve->room == 0);
        return;
    }
    if (valve->sort == VALVE_GROUP) {
        const struct group *group = group_at(engine, valve->owner);
        bool stops = valve_stops(engine, handle, 1);
        bool moves = false;
        for (uint32_t at = group->lane_first; at != 0; at = lane_at(engine, at)->group_next) {
            moves = lane_stop(engine, at, stops) || moves;
        }
        if (moves) queue_told(engine, group->queue, stops);
        return;
    }
    bool is_kind = valve->sort == VALVE_KIND;
    uint32_t at = is_kind ? kind_at(engine, valve->owner)->branch_first
                          : limiter_at(engine, valve->owner)->branch_first;
    for (; at != 0; at = branch_at(engine, at)->valve_next) {
        uint32_t units = is_kind ? 1 : branch_at(engine, at)->units;
        bool stops = valve_stops(engine, handle, units);
        if (!branch_stop(engine, at, stops)) continue;
        queue_told(engine, branch_at(engine, at)->queue, stops);
    }
}

/* When time will change something about it; HOB_NEVER: not at all. */
static hob_ns opening_of(const struct engine *engine, const struct valve *valve) {
    if (valve->paused && valve->paused_until_ns != 0) return valve->paused_until_ns;
    if (valve->is_kept && !valve_is_wanted(engine, valve)) {
        struct valve_view view;
        valve_view_fill(engine, valve, &view);
        if (valve_says_nothing(&view)) return valve->tat_ns;
    }
    if (valve->rate.count == 0) return HOB_NEVER;
    uint32_t room = rate_room(&valve->rate, valve->tat_ns, engine->now_ns);
    if (room >= units_of(valve, valve->units_max)) return HOB_NEVER;
    return rate_opens_ns(&valve->rate, valve->tat_ns, room + 1);
}

static void valve_schedule(struct engine *engine, uint32_t handle) {
    const struct valve *valve = valve_at(engine, handle);
    hob_ns when_ns = opening_of(engine, valve);
    bool stands = valve->opening_at != HEAP_NOWHERE;
    struct heap *heap = &engine->opening;
    if (stands && when_ns == HOB_NEVER) {
        heap_remove(heap, &engine->mem, &opening_rules, engine, valve->opening_at);
    } else if (stands) {
        heap_rekey(heap, &opening_rules, engine, valve->opening_at, when_ns);
    } else if (when_ns != HOB_NEVER) {
        heap_push(heap, &engine->mem, &opening_rules, engine, when_ns, handle);
    }
}

void valve_refresh(struct engine *engine, uint32_t handle) {
    if (handle == 0) return;
    struct valve *valve = valve_at(engine, handle);
    uint32_t room = room_of(engine, valve);
    bool changes = room != valve->room;
    valve->room = room;
    if (changes) valve_tell(engine, handle);
    valve_schedule(engine, handle);
}

void valve_used(struct engine *engine, uint32_t handle) {
    if (handle == 0) return;
    const struct valve *valve = valve_at(engine, handle);
    /* It stood there to be dropped, when its debt is paid back; it opens before that. */
    bool is_rate = valve->is_kept && valve->rate.count > 0 && valve->opening_at != HEAP_NOWHERE;
    if (is_rate && valve_is_wanted(engine, valve)) valve_schedule(engine, handle);
}

void valve_wanted(struct engine *engine, uint32_t handle, uint32_t units) {
    struct valve *valve = valve_at(engine, handle);
    if (units <= valve->units_max) return;
    valve->units_max = units;
    valve_refresh(engine, handle);
}

/* --- what holds --- */

static bool group_is_ruled(const struct engine *engine, const struct group *group) {
    const struct group_rule *rule = &queue_at(engine, group->queue)->group_rule;
    return group->name.size > 0 &&
           (rule->concurrency > 0 || rule->rate.count > 0 || rule->order != GROUP_LOOSE);
}

static void valve_resolve(const struct engine *engine, struct valve *valve) {
    struct valve_settings rule = {.has_rate = false};
    valve->order = GROUP_LOOSE;
    if (valve->sort == VALVE_GROUP && group_at(engine, valve->owner)->name.size > 0) {
        const struct group *group = group_at(engine, valve->owner);
        const struct group_rule *of_queue = &queue_at(engine, group->queue)->group_rule;
        rule.concurrency = of_queue->concurrency;
        rule.rate = of_queue->rate;
        valve->order = of_queue->order;
    } else if (valve->sort == VALVE_LIMITER) {
        const struct limiter *limiter = limiter_at(engine, valve->owner);
        if (limiter_is_rule(limiter)) return; /* it stops nothing itself */
        uint32_t from = limiter_rule(engine, limiter);
        if (from != 0) rule = valve_at(engine, from)->own;
    }
    valve->limit = valve->own.has_concurrency ? valve->own.concurrency : rule.concurrency;
    valve->rate = valve->own.has_rate ? valve->own.rate : rule.rate;
}

void valve_rule(struct engine *engine, enum valve_sort sort, uint32_t owner) {
    uint32_t handle = valve_of(engine, sort, owner);
    bool is_kept = handle != 0 && valve_at(engine, handle)->is_kept;
    bool is_ruled = sort == VALVE_GROUP ? group_is_ruled(engine, group_at(engine, owner))
                                        : sort == VALVE_LIMITER &&
                                              limiter_rule(engine, limiter_at(engine, owner)) != 0;
    if (handle == 0 && !is_ruled) return;
    handle = valve_need(engine, sort, owner);
    struct valve *valve = valve_at(engine, handle);
    valve_resolve(engine, valve);
    valve->room = room_of(engine, valve);
    valve_tell(engine, handle);
    valve_schedule(engine, handle);
    if (!is_kept && !is_ruled) valve_free(engine, handle);
}

bool group_rule_is_sound(const struct group_rule *rule) {
    return rule->concurrency <= VALVE_CONCURRENCY_MAX && rate_is_sound(&rule->rate) &&
           rule->order < GROUP_ORDER_COUNT;
}

static bool same_rule(const struct group_rule *a, const struct group_rule *b) {
    return a->concurrency == b->concurrency && a->order == b->order &&
           a->rate.count == b->rate.count && a->rate.burst == b->rate.burst &&
           a->rate.period_ns == b->rate.period_ns;
}

void queue_rule(struct engine *engine, uint32_t handle, const struct queue_view *view) {
    struct queue *queue = queue_at(engine, handle);
    if (view->rate.count == 0) {
        if (queue->valve != 0) valve_free(engine, queue->valve);
    } else {
        struct valve *valve = valve_at(engine, valve_need(engine, VALVE_QUEUE, handle));
        valve->rate = view->rate;
        valve->tat_ns = view->tat_ns;
        valve_refresh(engine, queue->valve);
    }
    if (same_rule(&queue->group_rule, &view->group_rule)) return;
    queue->group_rule = view->group_rule;
    for (uint32_t at = queue->group_first; at != 0; at = group_at(engine, at)->queue_next) {
        valve_rule(engine, VALVE_GROUP, at);
    }
}

void valves_refresh_all(struct engine *engine) {
    /* The clock of replay stood anywhere. */
    for (uint32_t i = 0; i < engine->queue_count; i++) {
        const struct queue *queue = queue_at(engine, engine->queue_list[i]);
        valve_refresh(engine, queue->valve);
        for (uint32_t at = queue->group_first; at != 0; at = group_at(engine, at)->queue_next) {
            valve_refresh(engine, group_at(engine, at)->valve);
        }
    }
    for (uint32_t at = engine->limiter_first; at != 0; at = limiter_at(engine, at)->next) {
        valve_refresh(engine, limiter_at(engine, at)->valve);
    }
    for (uint32_t at = engine->kept_first; at != 0; at = valve_at(engine, at)->kept_next) {
        valve_refresh(engine, at);
    }
}

/* --- counting and taking --- */

void valves_count(struct engine *engine, const struct job *job, int by) {
    struct group *group = group_at(engine, job->group);
    bool waits = job->state == JOB_SCHEDULED || job->state == JOB_RETRYABLE;
    if (waits && job->run != 0) {
        group->held += (uint32_t)by;
        valve_refresh(engine, group->valve);
    }
    if (job->state != JOB_RUNNING) return;
    group->running += (uint32_t)by;
    valve_refresh(engine, group->valve);
    if (job->limits == 0) return;
    const struct limits *limits = limits_at(engine, job->limits);
    for (uint32_t i = 0; i < limits->count; i++) {
        struct limiter *limiter = limiter_at(engine, limits->limits[i].limiter);
        limiter->running += (uint32_t)by * limits->limits[i].units;
        valve_refresh(engine, limiter->valve);
    }
}

static void valve_take(struct engine *engine, uint32_t handle, uint32_t units) {
    if (handle == 0) return;
    const struct valve *valve = valve_at(engine, handle);
    if (valve->rate.count == 0) return;
    units = units_of(valve, units);
    hob_ns tat_ns = rate_taken_ns(&valve->rate, valve->tat_ns, engine->now_ns, units);
    struct effect effect = {.type = EFFECT_VALVE_PUT};
    struct valve_view *view = &effect.valve_put.valve;
    valve_view_fill(engine, valve, view);
    view->tat_ns = tat_ns;
    if (valve->is_kept || valve->sort == VALVE_QUEUE) {
        struct valve_name name = {.sort = view->sort, .queue = view->queue, .name = view->name};
        effect = (struct effect
        ){.type = EFFECT_VALVE_TAKEN, .valve_taken = {.valve = name, .tat_ns = tat_ns}};
    }
    emit(engine, &effect);
}

void valves_take(struct engine *engine, const struct job *job) {
    uint32_t set = job->limits;
    valve_take(engine, queue_at(engine, job->queue)->valve, 1);
    valve_take(engine, group_at(engine, job->group)->valve, 1);
    if (set == 0) return;
    const struct limits *limits = limits_at(engine, set);
    for (uint32_t i = 0; i < limits->count; i++) {
        const struct limit *limit = &limits->limits[i];
        valve_take(engine, limiter_at(engine, limit->limiter)->valve, limit->units);
    }
}

/* --- what time does --- */

void valves_open(struct engine *engine) {
    while (engine->opening.count > 0 && engine->opening.entries[0].key <= engine->now_ns) {
        uint32_t handle = engine->opening.entries[0].item;
        struct valve *valve = valve_at(engine, handle);
        struct valve_view view;
        valve_view_fill(engine, valve, &view);
        bool resumes =
            valve->paused && valve->paused_until_ns != 0 && !valve_is_paused(engine, valve);
        if (resumes) {
            view.paused = false;
            view.paused_until_ns = 0;
            view.paused_by = SLICE_NONE;
            view.paused_why = SLICE_NONE;
        }
        bool ends = valve->is_kept && !valve_is_wanted(engine, valve) && valve_says_nothing(&view);
        if (resumes || ends) {
            valve_emit(engine, &view);
        } else {
            valve_refresh(engine, handle);
            hob_assert(
                valve->opening_at == HEAP_NOWHERE ||
                engine->opening.entries[valve->opening_at].key > engine->now_ns
            );
        }
    }
}
