/* SPDX-License-Identifier: Apache-2.0 */
/* What of valves outlives a restart: what people have set (VALVE_PUT, until VALVE_DROP), and what
 * rates have given away (VALVE_TAKEN). Valves with a record are in a list, and use their owners. */
#include "base/glob.h"
#include "engine/valves.h"

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
        handle = valve_need(engine, view->sort, valve_owner_use(engine, &name));
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
    valve_owner_unuse(engine, sort, owner);
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
        valve_owner_unuse(engine, sort, owner);
    }
    for (uint32_t i = 0; i < engine->queue_count; i++) {
        uint32_t valve = queue_at(engine, engine->queue_list[i])->valve;
        if (valve != 0) valve_free(engine, valve);
    }
    hob_assert(engine->valves.count == 0);
    heap_deinit(&engine->opening, &engine->mem);
}

bool valve_says_nothing(const struct valve_view *view) {
    const struct valve_settings *own = &view->own;
    return !own->has_weight && !own->has_concurrency && !own->has_rate && !view->paused &&
           view->blocked_by == 0;
}

void valve_emit(struct engine *engine, const struct valve_view *view) {
    struct valve_name name = {.sort = view->sort, .queue = view->queue, .name = view->name};
    if (!valve_says_nothing(view) || view->tat_ns > engine->now_ns) {
        struct effect put = {.type = EFFECT_VALVE_PUT, .valve_put = {.valve = *view}};
        emit(engine, &put);
        return;
    }
    uint32_t handle = valve_find(engine, &name);
    if (handle == 0 || !valve_at(engine, handle)->is_kept) return;
    struct effect drop = {.type = EFFECT_VALVE_DROP, .valve_drop = {.valve = name}};
    emit(engine, &drop);
}
