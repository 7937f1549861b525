/* SPDX-License-Identifier: Apache-2.0 */
/* Watches: what many fetches look at together. Fetches that name the same queues or globs in the
 * same order, in the same mode, by workers that can run the same (their `skill`), would choose the
 * same job; so they share one watch, and a queue that changes is looked at once for all of them.
 *
 *     watch ──> offers      heap of the spots that may have a job, best first
 *           ──> dirty       spots whose queue has changed since
 *           ──> line        heap of waiting fetches whose worker has a free slot, oldest first
 *           ──> shorts      the same, of those with too few slots for the best job
 *     spot  =   one queue in one watch; a queue knows its spots
 *
 * What an offer says may be too good, never too bad: a queue that gains a job, or a better one,
 * makes its spots dirty; what it loses is found when the offer comes to the top. A watch without
 * waiters is kept for the next fetch of its sort; few of those are kept. All of it is volatile. */
#ifndef HOB_ENGINE_WATCH_H
#define HOB_ENGINE_WATCH_H

#include "engine/core.h"

/* What a worker can run, as one text that is equal when it is the same. */
struct skill {
    struct text key;
    uint32_t users;
};

struct watch {
    uint32_t skill;
    enum fetch_mode mode;
    bool has_globs;
    struct text patterns; /* one space between them */
    struct text only;     /* globs that a queue must fit too; empty: none */
    struct heap offers;
    struct heap line;
    struct heap shorts;  /* waiting fetches whose worker has too few free slots for the best job */
    uint32_t short_cost; /* the most that one of them was short of */
    uint32_t waiters;    /* in the line, short or parked */
    uint32_t spot_first;
    uint32_t dirty_first;
    uint32_t hungry_at; /* place in engine->hungry */
    uint32_t next;      /* of all that have globs */
    uint32_t previous;
    uint32_t idle_next; /* of those without waiters, the longest idle first */
    uint32_t idle_previous;
    bool is_idle;
};

struct spot {
    uint32_t watch;
    uint32_t queue;
    uint32_t position; /* of the first pattern that fits */
    uint32_t offer_at; /* place in watch->offers */
    uint64_t rank;     /* in the order of the offers, behind the key of the heap */
    uint32_t next;     /* of the watch */
    uint32_t queue_next;
    uint32_t queue_previous;
    uint32_t dirty_next;
    bool dirty;
};

static inline struct watch *watch_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->watches, handle);
}

/* The skill of a worker, made if need be; it lasts until the worker is set or forgotten. */
uint32_t worker_skill(struct engine *engine, struct worker *worker);
void skill_unuse(struct engine *engine, uint32_t skill);

/* What a watch looks at. */
struct watch_key {
    uint32_t skill;
    enum fetch_mode mode;
    struct slice patterns;
    struct slice only;
};

/* The watch of this key, made if need be: it looks at all queues that there are. 0: it would take
 * more spots than may be, and the watches that are in use leave no room; never 0 with @must. */
uint32_t watch_need(struct engine *engine, const struct watch_key *key, bool must);
/* One more waiter, one less. */
void watch_use(struct engine *engine, uint32_t watch);
void watch_unuse(struct engine *engine, uint32_t watch);
/* The next job for @worker, whose skill is that of the watch, or 0. */
uint32_t watch_best(struct engine *engine, uint32_t watch, uint32_t worker);
/* Do fetches of this watch take jobs of the queue @name? Do they name it only to exclude it? */
bool watch_takes(const struct watch *watch, struct slice name);
bool watch_excludes(const struct watch *watch, struct slice name);
/* A queue was made. */
void watches_see(struct engine *engine, uint32_t queue);
void watches_free(struct engine *engine);
/* wait.c: the watch may serve somebody. */
void watch_feed(struct engine *engine, uint32_t watch);
void watch_sated(struct engine *engine, uint32_t watch);

#endif
