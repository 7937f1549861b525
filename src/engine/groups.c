/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: jobs of one queue that take turns with each other, such as those of one tenant. Jobs that
 * name no group are a group too. Among the jobs of one priority the group with the smallest pass is
 * next, and a turn moves its pass on by STRIDE. So each group that waits gets as many turns as any
 * other (or as its weight says), however many jobs it has, and an empty one costs nothing.
 *
 *     comes      the first available job of a group sets its pass to vtime + STRIDE: it stands at
 *                the end of the round, so that ever new groups cannot starve an old one
 *     has turn   vtime becomes its pass, and its pass grows by STRIDE / weight
 *     alone      as long as one group alone waits there are no turns, and nothing moves
 *
 * A turn moves all lanes of its group, so it costs as much as the group has different kinds and
 * priorities waiting. Passes are volatile: after a restart a new round begins. */
#include "engine/valves.h"

#define STRIDE (UINT64_C(1) << 20)

struct group_key {
    uint32_t queue;
    struct slice name;
};

static bool group_is(const void *context, uint32_t item, const void *key) {
    const struct group *group = group_at(context, item);
    const struct group_key *wanted = key;
    return group->queue == wanted->queue && slice_equal(text_slice(group->name), wanted->name);
}

static uint64_t group_hash(const struct engine *engine, uint32_t queue, struct slice name) {
    return index_hash_pair(name.size == 0 ? 0 : siphash(engine->hash_key, name), queue);
}

static void group_list(struct engine *engine, struct group *group, uint32_t handle) {
    struct queue *queue = queue_at(engine, group->queue);
    group->queue_next = queue->group_first;
    if (group->queue_next != 0) group_at(engine, group->queue_next)->queue_previous = handle;
    queue->group_first = handle;
}

static void group_unlist(struct engine *engine, const struct group *group) {
    if (group->queue_next != 0) {
        group_at(engine, group->queue_next)->queue_previous = group->queue_previous;
    }
    if (group->queue_previous != 0) {
        group_at(engine, group->queue_previous)->queue_next = group->queue_next;
    } else {
        queue_at(engine, group->queue)->group_first = group->queue_next;
    }
}

uint32_t group_find(const struct engine *engine, uint32_t queue, struct slice name) {
    struct group_key key = {.queue = queue, .name = name};
    return index_find(
        &engine->group_names, group_hash(engine, queue, name), group_is, engine, &key
    );
}

uint32_t group_use(struct engine *engine, uint32_t queue, struct slice name) {
    struct group_key key = {.queue = queue, .name = name};
    uint64_t hash = group_hash(engine, queue, name);
    uint32_t handle = index_find(&engine->group_names, hash, group_is, engine, &key);
    if (handle == 0) {
        handle = pool_new(&engine->groups);
        struct group *group = group_at(engine, handle);
        group->queue = queue;
        group->name = text_new(engine, name);
        index_add(&engine->group_names, &engine->mem, hash, handle);
        group_list(engine, group, handle);
        valve_rule(engine, VALVE_GROUP, handle);
    }
    group_at(engine, handle)->users++;
    valve_used(engine, group_at(engine, handle)->valve);
    return handle;
}

void group_unuse(struct engine *engine, uint32_t handle) {
    struct group *group = group_at(engine, handle);
    hob_assert(group->users > 0);
    if (--group->users > 0) {
        if (group->users == 1) valve_refresh(engine, group->valve); /* perhaps only by that */
        return;
    }
    hob_assert(group->available == 0);
    if (group->valve != 0) valve_free(engine, group->valve);
    group_unlist(engine, group);
    uint64_t hash = group_hash(engine, group->queue, text_slice(group->name));
    index_remove(&engine->group_names, &engine->mem, hash, handle);
    text_free(engine, &group->name);
    pool_free(&engine->groups, handle);
}

void group_job_comes(struct engine *engine, uint32_t handle) {
    struct group *group = group_at(engine, handle);
    if (group->available++ > 0) return;
    struct queue *queue = queue_at(engine, group->queue);
    queue->group_count++;
    group->pass = queue->group_vtime + STRIDE;
}

void group_job_goes(struct engine *engine, uint32_t handle) {
    struct group *group = group_at(engine, handle);
    hob_assert(group->available > 0);
    if (--group->available == 0) queue_at(engine, group->queue)->group_count--;
}

uint64_t group_stride(const struct engine *engine, const struct group *group) {
    if (group->valve == 0) return STRIDE;
    const struct valve_settings *own = &valve_at(engine, group->valve)->own;
    return own->has_weight ? STRIDE / own->weight : STRIDE;
}

void group_had_its_turn(struct engine *engine, uint32_t handle) {
    struct group *group = group_at(engine, handle);
    struct queue *queue = queue_at(engine, group->queue);
    if (queue->group_count < 2) return;
    /* What another priority or kind has held back may be behind the round. */
    if (queue->group_vtime < group->pass) queue->group_vtime = group->pass;
    group->pass = queue->group_vtime + group_stride(engine, group);
    lanes_group_moved(engine, handle);
}
