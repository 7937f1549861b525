/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a valve is: a queue, kind, group or limiter, found by name or made for it; and what is told
 * of both. An owner without a valve is told of too: nothing stops its jobs. */
#include "engine/valves.h"

uint32_t *valve_slot(const struct engine *engine, enum valve_sort sort, uint32_t owner) {
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
    return *valve_slot(engine, sort, owner);
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

uint32_t valve_owner_use(struct engine *engine, const struct valve_name *name) {
    if (name->sort == VALVE_KIND) return kind_use(engine, name->name);
    if (name->sort == VALVE_LIMITER) return limiter_use(engine, name->name);
    hob_assert(name->sort == VALVE_GROUP);
    return group_use(engine, queue_need(engine, name->queue), name->name);
}

void valve_owner_unuse(struct engine *engine, enum valve_sort sort, uint32_t owner) {
    if (sort == VALVE_KIND) kind_unuse(engine, owner);
    if (sort == VALVE_LIMITER) limiter_unuse(engine, owner);
    if (sort == VALVE_GROUP) group_unuse(engine, owner);
}

bool valve_is_wanted(const struct engine *engine, const struct valve *valve) {
    if (valve->sort == VALVE_KIND) return kind_at(engine, valve->owner)->users > 1;
    if (valve->sort == VALVE_GROUP) return group_at(engine, valve->owner)->users > 1;
    return valve->sort != VALVE_LIMITER || limiter_at(engine, valve->owner)->users > 1;
}

uint32_t valve_find(const struct engine *engine, const struct valve_name *name) {
    uint32_t owner = valve_owner(engine, name);
    return owner == 0 ? 0 : valve_of(engine, name->sort, owner);
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
