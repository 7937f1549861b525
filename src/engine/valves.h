/* SPDX-License-Identifier: Apache-2.0 */
/* What stops jobs that wait, and of whom. A queue, kind, group or limiter has a handle of its
 * valve, 0 while nothing stops its jobs: see valves.c. */
#ifndef HOB_ENGINE_VALVES_H
#define HOB_ENGINE_VALVES_H

#include "engine/core.h"

/* What may stop jobs that wait: a pause, too many that run, a rate; see valves.c. A kind, group or
 * limiter without any of it has no valve. */
struct valve {
    enum valve_sort sort;
    uint32_t owner;            /* queue, kind, group or limiter */
    struct valve_settings own; /* what people have set */
    uint32_t limit; /* what holds, by them or by a rule: running at most; 0: any number */
    struct rate rate;
    enum group_order order; /* of a group's jobs */
    bool is_kept;           /* it has a record, and its owner is in use by it */
    hob_ns tat_ns;          /* see rate.c */
    bool paused;
    hob_ns paused_until_ns;
    struct text paused_by;
    struct text paused_why;
    uint64_t blocked_by; /* a group: the job whose failure stopped it; 0: none */
    uint32_t room;       /* units that may start now, at most units_max */
    uint32_t units_max;  /* that some job wanted so far */
    uint32_t opening_at; /* place in engine->opening */
    uint32_t home;
    uint32_t kept_next; /* of all that are kept */
    uint32_t kept_previous;
};

/* What many jobs of all queues share, such as a third party's API. */
struct limiter {
    struct text name;
    uint32_t users; /* sets of limits, and its valve when that is kept; freed at 0 */
    uint32_t valve;
    uint32_t running; /* units */
    uint32_t waiting; /* available jobs */
    uint32_t branch_first;
    uint32_t next; /* of all limiters */
    uint32_t previous;
};

struct limit {
    uint32_t limiter;
    uint32_t units;
};

/* The limiters of jobs, as they named them; jobs that named the same share one. */
struct limits {
    struct text text;
    uint32_t users;
    uint32_t count;
    struct limit limits[JOB_LIMITERS_MAX];
};

static inline struct valve *valve_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->valves, handle);
}
static inline struct limiter *limiter_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->limiters, handle);
}
static inline struct limits *limits_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->limits, handle);
}

/* --- valve_set.c --- */

/* What a job talks to wants to be left alone: its first limiter is paused for so long, if it is not
 * paused for longer. */
void limiter_rest(struct engine *engine, const struct job *job, hob_ns pause_ns);

/* --- valves.c: what stops jobs that wait --- */

uint32_t valve_need(struct engine *engine, enum valve_sort sort, uint32_t owner);
void valve_free(struct engine *engine, uint32_t valve);
/* What holds for it may have changed; it is made, or goes, as there is something to hold. */
void valve_rule(struct engine *engine, enum valve_sort sort, uint32_t owner);
/* What it counts has changed. */
void valve_refresh(struct engine *engine, uint32_t valve);
void valves_refresh_all(struct engine *engine);
/* May a job with so many units not start? 0 is no valve. */
bool valve_stops(const struct engine *engine, uint32_t valve, uint32_t units);
/* Its owner has one more user. 0 is no valve. */
void valve_used(struct engine *engine, uint32_t valve);
/* A job with so many units waits for it from now on. */
void valve_wanted(struct engine *engine, uint32_t valve, uint32_t units);
/* A job starts: what rates give away. */
void valves_take(struct engine *engine, const struct job *job);
/* The job starts to run, or to wait with an attempt behind it (@by +1), or ends that (-1). */
void valves_count(struct engine *engine, const struct job *job, int by);
/* Do what time does to valves. */
void valves_open(struct engine *engine);
bool valve_is_paused(const struct engine *engine, const struct valve *valve);
/* The rate of a queue and the rule for its groups, from now on. */
void queue_rule(struct engine *engine, uint32_t queue, const struct queue_view *view);
bool group_rule_is_sound(const struct group_rule *rule);

/* --- valve_owner.c: whose a valve is --- */

/* The owner of a valve by name; 0: there is nobody with this name. */
uint32_t valve_owner(const struct engine *engine, const struct valve_name *name);
/* Make it, if there is none, and use it once more; or once less. Not for queues. */
uint32_t valve_owner_use(struct engine *engine, const struct valve_name *name);
void valve_owner_unuse(struct engine *engine, enum valve_sort sort, uint32_t owner);
/* Does anybody but the valve's own record use its owner? */
bool valve_is_wanted(const struct engine *engine, const struct valve *valve);
/* Where the owner keeps the handle of its valve. */
uint32_t *valve_slot(const struct engine *engine, enum valve_sort sort, uint32_t owner);
/* The valve of this sort and owner, or with this name; 0: there is none. */
uint32_t valve_of(const struct engine *engine, enum valve_sort sort, uint32_t owner);
uint32_t valve_find(const struct engine *engine, const struct valve_name *name);
void valve_view_owner(
    const struct engine *engine, enum valve_sort sort, uint32_t owner, struct valve_view *view
);
void valve_view_fill(
    const struct engine *engine, const struct valve *valve, struct valve_view *view
);
/* When its rate lets the next unit start; 0: now, or it has none. */
hob_ns valve_opens_ns(const struct engine *engine, const struct valve *valve);

/* --- valve_keep.c: what outlives a restart --- */

bool carry_valve_put(struct engine *engine, const struct valve_put_effect *put);
bool carry_valve_drop(struct engine *engine, const struct valve_drop_effect *drop);
bool carry_valve_taken(struct engine *engine, const struct valve_taken_effect *taken);
bool restate_valve(struct engine *engine, const struct valve_put_effect *put, uint32_t home);
/* The record of a valve as @view has it, or its end when there is nothing to record. */
void valve_emit(struct engine *engine, const struct valve_view *view);
/* Has nobody set, paused or blocked anything? A debt is nothing that somebody set. */
bool valve_says_nothing(const struct valve_view *view);
void valves_free(struct engine *engine);

/* --- valve_set.c: what people do to valves, and failed jobs to their groups --- */

/* Make the changes of @set; NULL, or what is wrong with them. */
const char *rate_change(struct rate *rate, const struct rate_set *set);
/* Rates have changed: no debt is larger than what the new ones ever let anybody owe. */
void valves_forgive(struct engine *engine);
/* A job of a queue whose groups are blocked by failures was discarded, or looked after. */
void valve_block(struct engine *engine, const struct job *job);
void valve_unblock(struct engine *engine, const struct job *job);

/* --- rate.c: GCRA --- */

bool rate_is_sound(const struct rate *rate);
/* Units that may start at @now_ns, at most its burst. */
uint32_t rate_room(const struct rate *rate, hob_ns tat_ns, hob_ns now_ns);
/* When so many may, if none start before. */
hob_ns rate_opens_ns(const struct rate *rate, hob_ns tat_ns, uint32_t units);
/* tat when so many start at @now_ns. */
hob_ns rate_taken_ns(const struct rate *rate, hob_ns tat_ns, hob_ns now_ns, uint32_t units);
uint32_t rate_burst(const struct rate *rate);
/* What was given away, seen from another rate: never more than its burst. */
hob_ns rate_debt_ns(const struct rate *rate, hob_ns tat_ns, hob_ns now_ns);

/* --- limiters.c: limiters by name, and what jobs name --- */

uint32_t limiter_find(const struct engine *engine, struct slice name);
uint32_t limiter_use(struct engine *engine, struct slice name);
void limiter_unuse(struct engine *engine, uint32_t limiter);
/* Is the name that of a rule? */
bool limiter_is_rule(const struct limiter *limiter);
/* The valve of the rule for a limiter; 0: none. */
uint32_t limiter_rule(const struct engine *engine, const struct limiter *limiter);
/* A rule has come, changed or gone. */
void limiter_rule_changed(struct engine *engine, uint32_t limiter, bool is_there);
uint32_t limits_use(struct engine *engine, struct slice text);
void limits_unuse(struct engine *engine, uint32_t limits);
void limiters_free(struct engine *engine);

#endif
