/* SPDX-License-Identifier: Apache-2.0 */
/* What people do to valves: limits of groups and limiters, pauses of kinds, groups and limiters,
 * and going on after the job that blocks a group. A rule is a limiter with a * in its name. */
#include "base/glob.h"
#include "engine/valves.h"

/* Make the changes of @set to @rate; NULL, or what is wrong with them. */
const char *rate_change(struct rate *rate, const struct rate_set *set) {
    if (set->has_rate && set->count == 0) *rate = (struct rate){.count = 0};
    if (set->has_rate && set->count > 0) {
        rate->count = set->count;
        rate->period_ns = set->period_ns;
    }
    if (set->has_burst) rate->burst = set->burst;
    if (rate->count == 0 && rate->burst > 0) return "a burst needs a rate";
    if (rate_is_sound(rate)) return NULL;
    return "a rate is 1 to 1000000 in 1ms to 3650d, its burst at most 1000000 and worth 3650d";
}

static const char *name_fault(const struct valve_name *valve) {
    switch (valve->sort) {
    case VALVE_KIND:
        return name_is_valid(valve->name) ? NULL : "kind " NAME_RULE;
    case VALVE_GROUP:
        if (!name_is_valid(valve->queue)) return "queue " NAME_RULE;
        return name_is_valid(valve->name) ? NULL : "group " NAME_RULE;
    case VALVE_LIMITER:
        if (glob_has_wildcard(valve->name) && pattern_is_valid(valve->name) &&
            valve->name.bytes[0] != '!') {
            return NULL;
        }
        return name_is_valid(valve->name) ? NULL : "limiter " NAME_RULE;
    case VALVE_QUEUE:
    case VALVE_SORT_COUNT:
        break;
    }
    return "no such valve: kind, group or limiter";
}

static bool is_rule(const struct valve_name *valve) {
    return valve->sort == VALVE_LIMITER && glob_has_wildcard(valve->name);
}

/* Would there be too many? */
static const char *limit_fault(const struct engine *engine, const struct valve_name *valve) {
    if (valve_owner(engine, valve) != 0) return NULL;
    if (valve->sort == VALVE_KIND && engine->kinds.count >= KINDS_MAX) {
        return "kinds: 1000000 at most";
    }
    if (valve->sort == VALVE_LIMITER && engine->limiters.count >= LIMITERS_MAX) {
        return "limiters: 1000000 at most";
    }
    if (is_rule(valve) && engine->rule_count >= LIMITER_RULES_MAX) {
        return "rules for limiters: 1000 at most";
    }
    bool is_new = valve->sort == VALVE_GROUP && queue_find(engine, valve->queue) == 0;
    if (is_new && engine->queue_count >= QUEUES_MAX) return "queues: 1000000 at most";
    return NULL;
}

static bool
name_is_bad(const struct engine *engine, const struct valve_name *valve, struct answer *answer) {
    const char *fault = name_fault(valve);
    if (fault != NULL) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, fault);
        return true;
    }
    fault = limit_fault(engine, valve);
    if (fault != NULL) answer_set(answer, ANSWER_LIMIT, fault);
    return fault != NULL || (valve_owner(engine, valve) == 0 && memory_is_spent(engine, answer));
}

/* The valve as it is, for an effect that changes something; of one that is not there, its name. */
static struct valve_view view_of(const struct engine *engine, const struct valve_name *valve) {
    struct valve_view view = {.sort = valve->sort, .queue = valve->queue, .name = valve->name};
    uint32_t handle = valve_find(engine, valve);
    if (handle != 0) valve_view_fill(engine, valve_at(engine, handle), &view);
    return view;
}

/* What was given away by a slower rate does not hold longer than the burst of the new one. */
void valves_forgive(struct engine *engine) {
    for (uint32_t at = engine->kept_first; at != 0; at = valve_at(engine, at)->kept_next) {
        const struct valve *valve = valve_at(engine, at);
        hob_ns tat_ns = rate_debt_ns(&valve->rate, valve->tat_ns, engine->now_ns);
        if (tat_ns == valve->tat_ns || valve->tat_ns <= engine->now_ns) continue;
        struct valve_view view;
        valve_view_fill(engine, valve, &view);
        struct valve_name name = {.sort = view.sort, .queue = view.queue, .name = view.name};
        struct effect taken = {
            .type = EFFECT_VALVE_TAKEN, .valve_taken = {.valve = name, .tat_ns = tat_ns}};
        emit(engine, &taken);
    }
}

static const char *set_fault(const struct valve_set_command *set) {
    if (set->valve.sort == VALVE_KIND) return "a kind has no limits, it can only be paused";
    if (set->has_weight && set->valve.sort != VALVE_GROUP) return "only a group has a weight";
    if (set->has_weight && (set->weight < 1 || set->weight > GROUP_WEIGHT_MAX)) {
        return "weight is 1 to 1000";
    }
    if (set->has_concurrency && set->concurrency > VALVE_CONCURRENCY_MAX) {
        return "concurrency is 0 (any number) to 1000000";
    }
    bool changes = set->reset || set->has_weight || set->has_concurrency || set->rate.has_rate ||
                   set->rate.has_burst;
    return changes ? NULL : "name at least one setting: weight, concurrency, rate, burst or reset";
}

void apply_valve_set(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct valve_set_command *set = &command->valve_set;
    if (name_is_bad(engine, &set->valve, answer)) return;
    const char *fault = set_fault(set);
    struct valve_view view = view_of(engine, &set->valve);
    struct valve_settings *own = &view.own;
    if (set->reset) *own = (struct valve_settings){.has_rate = false};
    if (set->has_weight) {
        own->has_weight = true;
        own->weight = set->weight;
    }
    if (set->has_concurrency) {
        own->has_concurrency = true;
        own->concurrency = set->concurrency;
    }
    if (fault == NULL) fault = rate_change(&own->rate, &set->rate);
    if (set->rate.has_rate) own->has_rate = true;
    if (fault != NULL) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, fault);
        return;
    }
    valve_emit(engine, &view);
    valves_forgive(engine);
}

void apply_valve_pause(
    struct engine *engine, const struct command *command, struct answer *answer
) {
    const struct valve_pause_command *pause = &command->valve_pause;
    if (name_is_bad(engine, &pause->valve, answer)) return;
    const char *fault = NULL;
    if (is_rule(&pause->valve)) fault = "a rule has no jobs to pause: name a limiter";
    if (pause->until_ns != 0 && pause->until_ns <= engine->now_ns) {
        fault = "until has passed already";
    }
    if (fault != NULL) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, fault);
        return;
    }
    if (pause->by.size > WHY_BYTES_MAX || pause->why.size > WHY_BYTES_MAX) {
        answer_set(answer, ANSWER_TOO_LARGE, "by and why are at most 200 bytes each");
        return;
    }
    struct valve_view view = view_of(engine, &pause->valve);
    view.paused = true;
    view.paused_until_ns = pause->until_ns;
    view.paused_by = pause->by;
    view.paused_why = pause->why;
    valve_emit(engine, &view);
}

void limiter_rest(struct engine *engine, const struct job *job, hob_ns pause_ns) {
    if (pause_ns == 0 || job->limits == 0) return;
    uint32_t limiter = limits_at(engine, job->limits)->limits[0].limiter;
    struct valve_name name = {
        .sort = VALVE_LIMITER, .name = text_slice(limiter_at(engine, limiter)->name)};
    struct valve_view view = view_of(engine, &name);
    hob_ns until_ns = ns_add(engine->now_ns, pause_ns);
    if (view.paused && (view.paused_until_ns == 0 || view.paused_until_ns >= until_ns)) return;
    hob_assert(job->state == JOB_RUNNING);
    view.paused = true;
    view.paused_until_ns = until_ns;
    view.paused_by = text_slice(worker_at(engine, run_at(engine, job->run)->worker)->name);
    view.paused_why = SLICE("a job was told to come again later");
    valve_emit(engine, &view);
}

/* The valve of a command on something that is there; 0 and an answer when it is not. A thing that
 * nothing stops has no valve: 0 too, and no answer. */
static uint32_t
valve_there(const struct engine *engine, const struct valve_name *valve, struct answer *answer) {
    const char *fault = name_fault(valve);
    if (fault != NULL) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, fault);
        return 0;
    }
    if (valve_owner(engine, valve) == 0) answer_set(answer, ANSWER_UNKNOWN, NULL);
    return valve_find(engine, valve);
}

void apply_valve_resume(
    struct engine *engine, const struct command *command, struct answer *answer
) {
    const struct valve_name *name = &command->valve_resume.valve;
    uint32_t handle = valve_there(engine, name, answer);
    if (handle == 0 || !valve_at(engine, handle)->paused) return;
    struct valve_view view = view_of(engine, name);
    view.paused = false;
    view.paused_until_ns = 0;
    view.paused_by = SLICE_NONE;
    view.paused_why = SLICE_NONE;
    valve_emit(engine, &view);
}

void apply_group_skip(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct valve_name *name = &command->group_skip.valve;
    if (name->sort != VALVE_GROUP) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "only a group is blocked by a job");
        return;
    }
    uint32_t handle = valve_there(engine, name, answer);
    if (handle == 0) return;
    struct valve_view view = view_of(engine, name);
    answer->id = view.blocked_by;
    if (view.blocked_by == 0) return;
    view.blocked_by = 0;
    valve_emit(engine, &view);
}

/* --- groups that stop at a failure --- */

void valve_block(struct engine *engine, const struct job *job) {
    const struct group *group = group_at(engine, job->group);
    bool blocks = queue_at(engine, job->queue)->group_rule.order == GROUP_BLOCK;
    if (!blocks || group->valve == 0) return;
    const struct valve *valve = valve_at(engine, group->valve);
    if (valve->blocked_by != 0 && valve->blocked_by < job->id) return; /* by an older one */
    struct valve_view view;
    valve_view_fill(engine, valve, &view);
    view.blocked_by = job->id;
    valve_emit(engine, &view);
}

void valve_unblock(struct engine *engine, const struct job *job) {
    uint32_t handle = group_at(engine, job->group)->valve;
    if (handle == 0 || valve_at(engine, handle)->blocked_by != job->id) return;
    struct valve_view view;
    valve_view_fill(engine, valve_at(engine, handle), &view);
    view.blocked_by = 0;
    valve_emit(engine, &view);
}

/* --- reading --- */

struct listing {
    const struct engine *engine;
    const struct valve_filter *filter;
    struct slice *names; /* in order */
    uint32_t count;
};

static bool is_stopped(const struct engine *engine, uint32_t handle) {
    if (handle == 0) return false;
    const struct valve *valve = valve_at(engine, handle);
    return valve_is_paused(engine, valve) || valve->blocked_by != 0;
}

/* Keep it when it is among the first. */
static void list_add(struct listing *listing, struct slice name, uint32_t valve) {
    const struct valve_filter *filter = listing->filter;
    if (name.size == 0 || !slice_before(filter->after, name)) return;
    if (filter->stopped && !is_stopped(listing->engine, valve)) return;
    bool is_full = listing->count == filter->count_max;
    if (is_full && !slice_before(name, listing->names[listing->count - 1])) return;
    if (!is_full) listing->count++;
    uint32_t at = listing->count - 1;
    while (at > 0 && slice_before(name, listing->names[at - 1])) {
        listing->names[at] = listing->names[at - 1];
        at--;
    }
    listing->names[at] = name;
}

uint32_t engine_valves(
    const struct engine *engine, const struct valve_filter *filter, struct slice *ret_names
) {
    hob_assert(filter->count_max > 0 && filter->count_max <= VALVES_LISTED_MAX);
    struct listing listing = {.engine = engine, .filter = filter, .names = ret_names};
    if (filter->sort == VALVE_LIMITER) {
        for (uint32_t at = engine->limiter_first; at != 0; at = limiter_at(engine, at)->next) {
            const struct limiter *limiter = limiter_at(engine, at);
            list_add(&listing, text_slice(limiter->name), limiter->valve);
        }
    } else if (filter->sort == VALVE_GROUP) {
        uint32_t queue = queue_find(engine, filter->queue);
        uint32_t at = queue == 0 ? 0 : queue_at(engine, queue)->group_first;
        for (; at != 0; at = group_at(engine, at)->queue_next) {
            const struct group *group = group_at(engine, at);
            list_add(&listing, text_slice(group->name), group->valve);
        }
    } else {
        for (uint32_t at = engine->kept_first; at != 0; at = valve_at(engine, at)->kept_next) {
            const struct valve *valve = valve_at(engine, at);
            if (valve->sort != VALVE_KIND) continue;
            list_add(&listing, text_slice(kind_at(engine, valve->owner)->name), at);
        }
    }
    return listing.count;
}
