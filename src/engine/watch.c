/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a watch's offers is the mode of its fetches:
 *
 *     mode        key         then
 *     weighted    tier        pass, position of the pattern, name of the queue
 *     listed      position    name of the queue
 *     merged      priority    id of the queue's best job
 *
 * So a fetch over any number of queues costs the logarithm of how many have work. Making a watch
 * looks at every queue once; making a queue looks at every watch that has globs. */
#include "engine/watch.h"

#include "base/glob.h"

static struct spot *spot_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->spots, handle);
}

/* --- the order of offers --- */

static bool offer_before(void *context, uint32_t a, uint32_t b) {
    const struct spot *spot_a = spot_at(context, a);
    const struct spot *spot_b = spot_at(context, b);
    if (spot_a->rank != spot_b->rank) return spot_a->rank < spot_b->rank;
    if (spot_a->position != spot_b->position) return spot_a->position < spot_b->position;
    /* Numbers of queues do not outlive a restart, names do. */
    struct slice name_a = text_slice(queue_at(context, spot_a->queue)->name);
    struct slice name_b = text_slice(queue_at(context, spot_b->queue)->name);
    return slice_before(name_a, name_b);
}

static void offer_moved(void *context, uint32_t item, uint32_t at) {
    spot_at(context, item)->offer_at = at;
}

static const struct heap_rules offer_rules = {.before = offer_before, .moved = offer_moved};

static uint64_t offer_key(
    const struct engine *engine,
    enum fetch_mode mode,
    const struct spot *spot,
    uint32_t job_handle,
    uint64_t *ret_rank
) {
    const struct queue *queue = queue_at(engine, spot->queue);
    const struct job *job = job_at(engine, job_handle);
    switch (mode) {
    case FETCH_LISTED:
        *ret_rank = 0;
        return spot->position;
    case FETCH_MERGED:
        *ret_rank = job->id;
        return job->priority;
    case FETCH_WEIGHTED:
    case FETCH_MODE_COUNT:
        break;
    }
    *ret_rank = queue->pass;
    return queue_tier(queue);
}

/* Bring the offer of a spot up to date. True: it is one, and stands as it stood. */
static bool
spot_refresh(struct engine *engine, struct watch *watch, uint32_t handle, uint32_t worker) {
    struct spot *spot = spot_at(engine, handle);
    uint32_t job = queue_offer(engine, worker, spot->queue);
    bool is_offer = spot->offer_at != HEAP_NOWHERE;
    if (job == 0) {
        if (is_offer) {
            heap_remove(&watch->offers, &engine->mem, &offer_rules, engine, spot->offer_at);
        }
        return false;
    }
    uint64_t rank = 0;
    uint64_t key = offer_key(engine, watch->mode, spot, job, &rank);
    if (!is_offer) {
        spot->rank = rank;
        heap_push(&watch->offers, &engine->mem, &offer_rules, engine, key, handle);
        return false;
    }
    if (spot->rank == rank && watch->offers.entries[spot->offer_at].key == key) return true;
    spot->rank = rank;
    heap_rekey(&watch->offers, &offer_rules, engine, spot->offer_at, key);
    return false;
}

uint32_t watch_best(struct engine *engine, uint32_t handle, uint32_t worker) {
    struct watch *watch = watch_at(engine, handle);
    hob_assert(worker_at(engine, worker)->skill == watch->skill);
    while (watch->dirty_first != 0) {
        uint32_t at = watch->dirty_first;
        struct spot *spot = spot_at(engine, at);
        watch->dirty_first = spot->dirty_next;
        spot->dirty_next = 0;
        spot->dirty = false;
        (void)spot_refresh(engine, watch, at, worker);
    }
    while (watch->offers.count > 0) {
        uint32_t top = watch->offers.entries[0].item;
        if (!spot_refresh(engine, watch, top, worker)) continue;
        return queue_offer(engine, worker, spot_at(engine, top)->queue);
    }
    return 0;
}

/* --- what changes --- */

static void spot_soil(struct engine *engine, uint32_t handle) {
    struct spot *spot = spot_at(engine, handle);
    if (spot->dirty) return;
    struct watch *watch = watch_at(engine, spot->watch);
    spot->dirty = true;
    spot->dirty_next = watch->dirty_first;
    watch->dirty_first = handle;
}

void queue_feed(struct engine *engine, uint32_t queue) {
    for (uint32_t at = queue_at(engine, queue)->spot_first; at != 0;
         at = spot_at(engine, at)->queue_next) {
        spot_soil(engine, at);
        watch_feed(engine, spot_at(engine, at)->watch);
    }
}

void queue_changed(struct engine *engine, uint32_t queue) {
    /* Where jobs take several slots, one that is gone or stopped may have stood in the way of
     * smaller ones, for those who had too few slots for it. */
    if (engine->demands.count > 0) {
        queue_feed(engine, queue);
        return;
    }
    for (uint32_t at = queue_at(engine, queue)->spot_first; at != 0;
         at = spot_at(engine, at)->queue_next) {
        if (watch_at(engine, spot_at(engine, at)->watch)->mode == FETCH_MERGED) {
            spot_soil(engine, at);
        }
    }
}

/* --- spots --- */

static void
spot_add(struct engine *engine, uint32_t watch_handle, uint32_t queue_handle, uint32_t position) {
    uint32_t handle = pool_new(&engine->spots);
    struct spot *spot = spot_at(engine, handle);
    struct watch *watch = watch_at(engine, watch_handle);
    struct queue *queue = queue_at(engine, queue_handle);
    spot->watch = watch_handle;
    spot->queue = queue_handle;
    spot->position = position;
    spot->offer_at = HEAP_NOWHERE;
    spot->next = watch->spot_first;
    watch->spot_first = handle;
    spot->queue_next = queue->spot_first;
    if (spot->queue_next != 0) spot_at(engine, spot->queue_next)->queue_previous = handle;
    queue->spot_first = handle;
    if (queue->counts[JOB_AVAILABLE] > 0) spot_soil(engine, handle);
}

static void spot_drop(struct engine *engine, uint32_t handle) {
    const struct spot *spot = spot_at(engine, handle);
    if (spot->queue_next != 0) {
        spot_at(engine, spot->queue_next)->queue_previous = spot->queue_previous;
    }
    if (spot->queue_previous != 0) {
        spot_at(engine, spot->queue_previous)->queue_next = spot->queue_next;
    } else {
        queue_at(engine, spot->queue)->spot_first = spot->queue_next;
    }
    pool_free(&engine->spots, handle);
}

static struct slice pattern_next(struct slice *rest) {
    const char *space = memchr(rest->bytes, ' ', rest->size);
    size_t size = space == NULL ? rest->size : (size_t)(space - rest->bytes);
    size_t step = space == NULL ? size : size + 1;
    struct slice pattern = slice_of(rest->bytes, size);
    *rest = slice_of(rest->bytes + step, rest->size - step);
    return pattern;
}

bool queue_fits(struct slice pattern, struct slice name) {
    struct slice own = SLICE(QUEUE_OWN_PREFIX);
    bool is_own = name.size >= own.size && memcmp(name.bytes, own.bytes, own.size) == 0;
    bool asks_own = pattern.size >= own.size && memcmp(pattern.bytes, own.bytes, own.size) == 0;
    return (!is_own || asks_own) && glob_fits(pattern, name);
}

static bool watch_fits(const struct watch *watch, struct slice name, uint32_t *ret_position) {
    if (!glob_list_fits(text_slice(watch->only), name)) return false;
    bool fits = false;
    uint32_t position = 0;
    for (struct slice rest = text_slice(watch->patterns); rest.size > 0; position++) {
        struct slice pattern = pattern_next(&rest);
        if (pattern.bytes[0] == '!') {
            if (glob_fits(slice_of(pattern.bytes + 1, pattern.size - 1), name)) return false;
        } else if (!fits && queue_fits(pattern, name)) {
            *ret_position = position;
            fits = true;
        }
    }
    return fits;
}

bool watch_takes(const struct watch *watch, struct slice name) {
    uint32_t position = 0;
    return watch_fits(watch, name, &position);
}

bool watch_excludes(const struct watch *watch, struct slice name) {
    for (struct slice rest = text_slice(watch->patterns); rest.size > 0;) {
        struct slice pattern = pattern_next(&rest);
        bool excludes = pattern.bytes[0] == '!';
        if (excludes && glob_fits(slice_of(pattern.bytes + 1, pattern.size - 1), name)) return true;
    }
    return false;
}

/* --- watches --- */

static bool watch_is(const void *context, uint32_t item, const void *key) {
    const struct watch *watch = watch_at(context, item);
    const struct watch_key *wanted = key;
    return watch->skill == wanted->skill && watch->mode == wanted->mode &&
           slice_equal(text_slice(watch->patterns), wanted->patterns) &&
           slice_equal(text_slice(watch->only), wanted->only);
}

static uint64_t key_hash(const struct engine *engine, const struct watch_key *key) {
    uint64_t patterns = siphash(engine->hash_key, key->patterns);
    uint64_t only = siphash(engine->hash_key, key->only);
    return index_hash_pair(patterns ^ index_hash_pair(only, key->skill), key->mode);
}

static void idle_add(struct engine *engine, uint32_t handle) {
    struct watch *watch = watch_at(engine, handle);
    watch->is_idle = true;
    watch->idle_next = 0;
    watch->idle_previous = engine->idle_last;
    if (engine->idle_last != 0) {
        watch_at(engine, engine->idle_last)->idle_next = handle;
    } else {
        engine->idle_first = handle;
    }
    engine->idle_last = handle;
    engine->idle_count++;
}

static void idle_remove(struct engine *engine, uint32_t handle) {
    struct watch *watch = watch_at(engine, handle);
    hob_assert(watch->is_idle);
    watch->is_idle = false;
    if (watch->idle_previous != 0) {
        watch_at(engine, watch->idle_previous)->idle_next = watch->idle_next;
    } else {
        engine->idle_first = watch->idle_next;
    }
    if (watch->idle_next != 0) {
        watch_at(engine, watch->idle_next)->idle_previous = watch->idle_previous;
    } else {
        engine->idle_last = watch->idle_previous;
    }
    engine->idle_count--;
}

static void watch_drop(struct engine *engine, uint32_t handle) {
    struct watch *watch = watch_at(engine, handle);
    hob_assert(watch->waiters == 0);
    idle_remove(engine, handle);
    watch_sated(engine, handle);
    struct watch_key key = {
        watch->skill, watch->mode, text_slice(watch->patterns), text_slice(watch->only)};
    index_remove(&engine->watch_keys, &engine->mem, key_hash(engine, &key), handle);
    while (watch->spot_first != 0) {
        uint32_t spot = watch->spot_first;
        watch->spot_first = spot_at(engine, spot)->next;
        spot_drop(engine, spot);
    }
    if (watch->has_globs) {
        if (watch->next != 0) watch_at(engine, watch->next)->previous = watch->previous;
        if (watch->previous != 0) {
            watch_at(engine, watch->previous)->next = watch->next;
        } else {
            engine->glob_watch_first = watch->next;
        }
    }
    heap_deinit(&watch->offers, &engine->mem);
    heap_deinit(&watch->line, &engine->mem);
    heap_deinit(&watch->shorts, &engine->mem);
    text_free(engine, &watch->patterns);
    text_free(engine, &watch->only);
    skill_unuse(engine, watch->skill);
    pool_free(&engine->watches, handle);
}

/* Keep the watches without waiters few, and room for the spots of others; never drop @kept. */
static void idle_trim(struct engine *engine, uint32_t kept) {
    while (engine->idle_first != 0 && engine->idle_first != kept &&
           (engine->idle_count > WATCHES_IDLE_MAX || engine->spots.count > SPOTS_MAX)) {
        watch_drop(engine, engine->idle_first);
    }
}

static void watch_look(struct engine *engine, uint32_t handle) {
    struct watch *watch = watch_at(engine, handle);
    uint32_t position = 0;
    if (watch->has_globs) {
        for (uint32_t i = 0; i < engine->queue_count; i++) {
            uint32_t queue = engine->queue_list[i];
            if (watch_fits(watch, text_slice(queue_at(engine, queue)->name), &position)) {
                spot_add(engine, handle, queue, position);
            }
        }
        return;
    }
    for (struct slice rest = text_slice(watch->patterns); rest.size > 0; position++) {
        uint32_t queue = queue_find(engine, pattern_next(&rest));
        hob_assert(queue != 0); /* a fetch that waits has made it */
        uint32_t first = queue_at(engine, queue)->spot_first;
        bool is_there = first != 0 && spot_at(engine, first)->watch == handle;
        if (!is_there) spot_add(engine, handle, queue, position);
    }
}

static bool has_globs(struct slice patterns) {
    return glob_has_wildcard(patterns) || memchr(patterns.bytes, '!', patterns.size) != NULL;
}

uint32_t watch_need(struct engine *engine, const struct watch_key *key, bool must) {
    uint64_t hash = key_hash(engine, key);
    uint32_t handle = index_find(&engine->watch_keys, hash, watch_is, engine, key);
    if (handle != 0) {
        if (watch_at(engine, handle)->is_idle) {
            idle_remove(engine, handle);
            idle_add(engine, handle);
        }
        return handle;
    }
    handle = pool_new(&engine->watches);
    struct watch *watch = watch_at(engine, handle);
    watch->skill = key->skill;
    ((struct skill *)pool_at(&engine->skills, key->skill))->users++;
    watch->mode = key->mode;
    watch->patterns = text_new(engine, key->patterns);
    watch->only = text_new(engine, key->only);
    watch->has_globs = has_globs(key->patterns);
    watch->hungry_at = HEAP_NOWHERE;
    index_add(&engine->watch_keys, &engine->mem, hash, handle);
    if (watch->has_globs) {
        watch->next = engine->glob_watch_first;
        if (watch->next != 0) watch_at(engine, watch->next)->previous = handle;
        engine->glob_watch_first = handle;
    }
    idle_add(engine, handle);
    watch_look(engine, handle);
    idle_trim(engine, handle);
    if (must || engine->spots.count <= SPOTS_MAX) return handle;
    watch_drop(engine, handle);
    return 0;
}

void watch_use(struct engine *engine, uint32_t handle) {
    struct watch *watch = watch_at(engine, handle);
    if (watch->waiters++ == 0) idle_remove(engine, handle);
}

void watch_unuse(struct engine *engine, uint32_t handle) {
    struct watch *watch = watch_at(engine, handle);
    hob_assert(watch->waiters > 0);
    if (--watch->waiters > 0) return;
    idle_add(engine, handle);
    idle_trim(engine, handle);
}

void watches_see(struct engine *engine, uint32_t queue) {
    struct slice name = text_slice(queue_at(engine, queue)->name);
    uint32_t position = 0;
    for (uint32_t at = engine->glob_watch_first; at != 0; at = watch_at(engine, at)->next) {
        if (watch_fits(watch_at(engine, at), name, &position)) {
            spot_add(engine, at, queue, position);
        }
    }
}

void watches_free(struct engine *engine) {
    while (engine->idle_first != 0) watch_drop(engine, engine->idle_first);
    hob_assert(engine->watches.count == 0);
    index_deinit(&engine->watch_keys, &engine->mem);
}
