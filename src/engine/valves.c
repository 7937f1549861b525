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
 * gives nobody a second burst. A valve that has nothing but a debt which is paid back, of a name
 * that nobody uses, is dropped by time. */
#include "engine/valves.h"

#include "base/glob.h"

/* --- of whom --- */

static uint32_t *slot_of(const struct engine *engine, enum valve_sort sort, uint32_t owner) {
    switch (sort) {
    case VALVE_QUEUE:
        return &queue_at(engine, owner)->valve;
    case VALVE_KIND:
        return &kind_at(engine, owner)->valve;
    case VALVE_GROUP:
        return &group_at(engine, owner)->valve;
    case VALVE_LIMITER:
    case VALVE_SORT_COUNT:
        break;
    }
    hob_assert(sort == VALVE_LIMITER);
    return &limiter_at(engine, owner)->valve;
}

uint32_t valve_of(const struct engine *engine, enum valve_sort sort, uint32_t owner) {
    return *slot_of(engine, sort, owner);
}

uint32_t valve_owner(const struct engine *engine, const struct valve_name *name) {
    uint32_t queue = 0;
    switch (name->sort) {
    case VALVE_QUEUE:
        return queue_find(engine, name->name);
    case VALVE_KIND:
        return kind_find(engine, name->name);
    case VALVE_GROUP:
        queue = queue_find(engine, name->queue);
        return queue == 0 ? 0 : group_find(engine, queue, name->name);
    case VALVE_LIMITER:
        return limiter_find(engine, name->name);
    case VALVE_SORT_COUNT:
        break;
    }
    return 0;
}

static uint32_t owner_use(struct engine *engine, const struct valve_name *name) {
    if (name->sort == VALVE_KIND) return kind_use(engine, name->name);
    if (name->sort == VALVE_LIMITER) return limiter_use(engine, name->name);
    hob_assert(name->sort == VALVE_GROUP);
    return group_use(engine, queue_need(engine, name->queue), name->name);
}

static void owner_unuse(struct engine *engine, enum valve_sort sort, uint32_t owner) {
    if (sort == VALVE_KIND) kind_unuse(engine, owner);
    if (sort == VALVE_LIMITER) limiter_unuse(engine, owner);
    if (sort == VALVE_GROUP) group_unuse(engine, owner);
}

/* Does anybody but the valve's own record use its owner? */
static bool owner_is_wanted(const struct engine *engine, const struct valve *valve) {
    if (valve->sort == VALVE_KIND) return kind_at(engine, valve->owner)->users > 1;
    if (valve->sort == VALVE_GROUP) return group_at(engine, valve->owner)->users > 1;
    return valve->sort != VALVE_LIMITER || limiter_at(engine, valve->owner)->users > 1;
}

uint32_t valve_find(const struct engine *engine, const struct valve_name *name) {
    uint32_t owner = valve_owner(engine, name);
    return owner == 0 ? 0 : valve_of(engine, name->sort, owner);
}

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
    uint32_t *slot = slot_of(engine, sort, owner);
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
    *slot_of(engine, valve->sort, valve->owner) = 0;
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

static bool nothing_is_set(const struct valve_view *view) {
    const struct valve_settings *own = &view->own;
    return !own->has_weight && !own->has_concurrency && !own->has_rate && !view->paused &&
           view->blocked_by == 0;
}

/* When time will change something about it; HOB_NEVER: not at all. */
static hob_ns opening_of(const struct engine *engine, const struct valve *valve) {
    if (valve->paused && valve->paused_until_ns != 0) return valve->paused_until_ns;
    if (valve->is_kept && !owner_is_wanted(engine, valve)) {
        struct valve_view view;
        valve_view_fill(engine, valve, &view);
        if (nothing_is_set(&view)) return valve->tat_ns;
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
    if (is_rate && owner_is_wanted(engine, valve)) valve_schedule(engine, handle);
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

/* --- what is told of it --- */

hob_ns valve_opens_ns(const struct engine *engine, const struct valve *valve) {
    if (valve->rate.count == 0) return 0;
    hob_ns opens_ns = rate_opens_ns(&valve->rate, valve->tat_ns, 1);
    return opens_ns > engine->now_ns ? opens_ns : 0;
}

void valve_view_fill(
    const struct engine *engine, const struct valve *valve, struct valve_view *ret_view
) {
    *ret_view = (struct valve_view){
        .sort = valve->sort,
        .own = valve->own,
        .concurrency = valve->limit,
        .rate = valve->rate,
        .tat_ns = valve->tat_ns,
        .paused = valve->paused,
        .paused_until_ns = valve->paused_until_ns,
        .paused_by = text_slice(valve->paused_by),
        .paused_why = text_slice(valve->paused_why),
        .blocked_by = valve->blocked_by,
    };
    valve_view_owner(engine, valve->sort, valve->owner, ret_view);
}

void valve_view_owner(
    const struct engine *engine, enum valve_sort sort, uint32_t owner, struct valve_view *view
) {
    view->sort = sort;
    if (sort == VALVE_QUEUE) view->name = text_slice(queue_at(engine, owner)->name);
    if (sort == VALVE_KIND) view->name = text_slice(kind_at(engine, owner)->name);
    if (sort == VALVE_GROUP) {
        const struct group *group = group_at(engine, owner);
        view->queue = text_slice(queue_at(engine, group->queue)->name);
        view->name = text_slice(group->name);
        view->running = group->running;
        view->waiting = group->available;
        view->held = group->held;
    }
    if (sort == VALVE_LIMITER) {
        const struct limiter *limiter = limiter_at(engine, owner);
        view->name = text_slice(limiter->name);
        view->running = limiter->running;
        view->waiting = limiter->waiting;
    }
}

bool engine_valve(
    const struct engine *engine, const struct valve_name *name, struct valve_view *ret_view
) {
    uint32_t owner = valve_owner(engine, name);
    if (owner == 0) return false;
    uint32_t handle = valve_of(engine, name->sort, owner);
    if (handle != 0) {
        const struct valve *valve = valve_at(engine, handle);
        valve_view_fill(engine, valve, ret_view);
        ret_view->opens_ns = valve_opens_ns(engine, valve);
        ret_view->paused = valve_is_paused(engine, valve);
    } else {
        *ret_view = (struct valve_view){.sort = name->sort};
        valve_view_owner(engine, name->sort, owner, ret_view);
    }
    return true;
}

/* --- durable --- */

static bool view_is_sound(const struct valve_view *view) {
    const struct valve_settings *own = &view->own;
    bool named = view->sort == VALVE_LIMITER ? glob_has_wildcard(view->name)
                                                   ? pattern_is_valid(view->name)
                                                   : name_is_valid(view->name)
                                             : name_is_valid(view->name);
    return named && view->sort != VALVE_QUEUE && view->sort < VALVE_SORT_COUNT &&
           (view->sort == VALVE_GROUP) == (view->queue.size > 0) &&
           (view->queue.size == 0 || name_is_valid(view->queue)) &&
           own->weight <= GROUP_WEIGHT_MAX && (!own->has_weight || own->weight > 0) &&
           own->concurrency <= VALVE_CONCURRENCY_MAX && rate_is_sound(&own->rate);
}

static void keep(struct engine *engine, uint32_t handle) {
    struct valve *valve = valve_at(engine, handle);
    valve->is_kept = true;
    valve->kept_previous = 0;
    valve->kept_next = engine->kept_first;
    if (valve->kept_next != 0) valve_at(engine, valve->kept_next)->kept_previous = handle;
    engine->kept_first = handle;
}

static void unkeep(struct engine *engine, struct valve *valve) {
    valve->is_kept = false;
    if (valve->kept_next != 0) {
        valve_at(engine, valve->kept_next)->kept_previous = valve->kept_previous;
    }
    if (valve->kept_previous != 0) {
        valve_at(engine, valve->kept_previous)->kept_next = valve->kept_next;
    } else {
        engine->kept_first = valve->kept_next;
    }
}

bool carry_valve_put(struct engine *engine, const struct valve_put_effect *put) {
    const struct valve_view *view = &put->valve;
    if (!view_is_sound(view)) return false;
    struct valve_name name = {.sort = view->sort, .queue = view->queue, .name = view->name};
    uint32_t handle = valve_find(engine, &name);
    if (handle == 0 || !valve_at(engine, handle)->is_kept) {
        handle = valve_need(engine, view->sort, owner_use(engine, &name));
        keep(engine, handle);
    }
    struct valve *valve = valve_at(engine, handle);
    valve->own = view->own;
    valve->tat_ns = view->tat_ns;
    valve->paused = view->paused;
    valve->paused_until_ns = view->paused_until_ns;
    text_set(engine, &valve->paused_by, view->paused_by);
    text_set(engine, &valve->paused_why, view->paused_why);
    valve->blocked_by = view->blocked_by;
    valve->home = engine->home;
    valve_rule(engine, valve->sort, valve->owner);
    bool is_rule =
        valve->sort == VALVE_LIMITER && limiter_is_rule(limiter_at(engine, valve->owner));
    if (is_rule) limiter_rule_changed(engine, valve->owner, true);
    return true;
}

bool carry_valve_drop(struct engine *engine, const struct valve_drop_effect *drop) {
    uint32_t handle = valve_find(engine, &drop->valve);
    if (handle == 0 || !valve_at(engine, handle)->is_kept) return engine->replaying;
    struct valve *valve = valve_at(engine, handle);
    enum valve_sort sort = valve->sort;
    uint32_t owner = valve->owner;
    valve->own = (struct valve_settings){.has_rate = false};
    valve->tat_ns = 0;
    valve->paused = false;
    valve->paused_until_ns = 0;
    text_free(engine, &valve->paused_by);
    text_free(engine, &valve->paused_why);
    valve->blocked_by = 0;
    unkeep(engine, valve);
    bool is_rule = sort == VALVE_LIMITER && limiter_is_rule(limiter_at(engine, owner));
    if (is_rule) limiter_rule_changed(engine, owner, false);
    valve_rule(engine, sort, owner);
    owner_unuse(engine, sort, owner);
    return true;
}

bool carry_valve_taken(struct engine *engine, const struct valve_taken_effect *taken) {
    uint32_t handle = valve_find(engine, &taken->valve);
    /* Its record lay in a segment that was cleaned, and comes again with a newer debt. */
    if (handle == 0) return engine->replaying;
    valve_at(engine, handle)->tat_ns = taken->tat_ns;
    valve_refresh(engine, handle);
    return true;
}

bool restate_valve(struct engine *engine, const struct valve_put_effect *put, uint32_t home) {
    const struct valve_view *view = &put->valve;
    struct valve_name name = {.sort = view->sort, .queue = view->queue, .name = view->name};
    uint32_t handle = valve_find(engine, &name);
    if (handle == 0) return false;
    struct valve *valve = valve_at(engine, handle);
    if (!valve->is_kept || valve->home != home) return false;
    struct effect effect = {.type = EFFECT_VALVE_PUT};
    valve_view_fill(engine, valve, &effect.valve_put.valve);
    valve->home = engine->home;
    engine->sink.effect(engine->sink.context, &effect);
    return true;
}

void valves_free(struct engine *engine) {
    while (engine->kept_first != 0) {
        struct valve *valve = valve_at(engine, engine->kept_first);
        enum valve_sort sort = valve->sort;
        uint32_t owner = valve->owner;
        unkeep(engine, valve);
        valve_free(engine, valve_of(engine, sort, owner));
        owner_unuse(engine, sort, owner);
    }
    for (uint32_t i = 0; i < engine->queue_count; i++) {
        uint32_t valve = queue_at(engine, engine->queue_list[i])->valve;
        if (valve != 0) valve_free(engine, valve);
    }
    hob_assert(engine->valves.count == 0);
    heap_deinit(&engine->opening, &engine->mem);
}

/* --- what time does --- */

void valve_emit(struct engine *engine, const struct valve_view *view) {
    struct valve_name name = {.sort = view->sort, .queue = view->queue, .name = view->name};
    if (!nothing_is_set(view) || view->tat_ns > engine->now_ns) {
        struct effect put = {.type = EFFECT_VALVE_PUT, .valve_put = {.valve = *view}};
        emit(engine, &put);
        return;
    }
    uint32_t handle = valve_find(engine, &name);
    if (handle == 0 || !valve_at(engine, handle)->is_kept) return;
    struct effect drop = {.type = EFFECT_VALVE_DROP, .valve_drop = {.valve = name}};
    emit(engine, &drop);
}

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
        bool ends = valve->is_kept && !owner_is_wanted(engine, valve) && nothing_is_set(&view);
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
