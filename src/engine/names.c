/* SPDX-License-Identifier: Apache-2.0 */
/* Queues, kinds, workers and idempotency keys: objects that are found by name. Queues and workers
 * stay once they are made (a queue is a place with settings and counters); kinds are counted and go
 * with their last user; keys go with their time. Names come from outside, so they are hashed under
 * a secret key. */
#include "engine/watch.h"

static uint64_t name_hash(const struct engine *engine, struct slice name) {
    return siphash(engine->hash_key, name);
}

static bool queue_is(const void *context, uint32_t item, const void *key) {
    return slice_equal(text_slice(queue_at(context, item)->name), *(const struct slice *)key);
}

static bool kind_is(const void *context, uint32_t item, const void *key) {
    return slice_equal(text_slice(kind_at(context, item)->name), *(const struct slice *)key);
}

static bool worker_is(const void *context, uint32_t item, const void *key) {
    return slice_equal(text_slice(worker_at(context, item)->name), *(const struct slice *)key);
}

static bool key_is(const void *context, uint32_t item, const void *name) {
    const struct key *object = pool_at(&((const struct engine *)context)->keys, item);
    const struct key_name *wanted = name;
    return object->is_unique == wanted->is_unique &&
           slice_equal(text_slice(object->name), wanted->name);
}

/* Append @handle to a growing list; the number it got. */
static uint32_t list_add(
    struct engine *engine, uint32_t **list, uint32_t *count, uint32_t *capacity, uint32_t handle
) {
    if (*count == *capacity) {
        uint32_t wanted = *capacity == 0 ? 16 : *capacity * 2;
        *list = mem_resize(&engine->mem, *list, *capacity * sizeof **list, wanted * sizeof **list);
        *capacity = wanted;
    }
    (*list)[*count] = handle;
    return (*count)++;
}

uint32_t queue_find(const struct engine *engine, struct slice name) {
    return index_find(&engine->queue_names, name_hash(engine, name), queue_is, engine, &name);
}

static void due_moved(void *context, uint32_t item, uint32_t at) {
    queue_at(context, item)->due_at = at;
}

static const struct heap_rules due_rules = {.before = NULL, .moved = due_moved};

uint32_t queue_need(struct engine *engine, struct slice name) {
    uint32_t handle = queue_find(engine, name);
    if (handle != 0) return handle;
    handle = pool_new(&engine->queues);
    struct queue *queue = queue_at(engine, handle);
    queue->name = text_new(engine, name);
    queue->keep_completed_ns = KEEP_COMPLETED_DEFAULT_NS;
    queue->keep_completed_count = KEEP_COMPLETED_COUNT_DEFAULT;
    queue->keep_failed_ns = KEEP_FAILED_DEFAULT_NS;
    queue->keep_failed_count = KEEP_FAILED_COUNT_DEFAULT;
    queue->tier = QUEUE_TIER_DEFAULT;
    queue->weight = 1;
    queue->over_at = HEAP_NOWHERE;
    queue->number = list_add(
        engine, &engine->queue_list, &engine->queue_count, &engine->queue_capacity, handle
    );
    index_add(&engine->queue_names, &engine->mem, name_hash(engine, name), handle);
    heap_push(&engine->due, &engine->mem, &due_rules, engine, HOB_NEVER, handle);
    watches_see(engine, handle);
    return handle;
}

void queue_touch(struct engine *engine, uint32_t handle) {
    struct queue *queue = queue_at(engine, handle);
    hob_ns due_ns = queue_due(engine, queue);
    if (engine->due.entries[queue->due_at].key == due_ns) return;
    heap_rekey(&engine->due, &due_rules, engine, queue->due_at, due_ns);
}

uint32_t kind_find(const struct engine *engine, struct slice name) {
    return index_find(&engine->kind_names, name_hash(engine, name), kind_is, engine, &name);
}

uint32_t kind_use(struct engine *engine, struct slice name) {
    uint32_t handle = kind_find(engine, name);
    if (handle == 0) {
        handle = pool_new(&engine->kinds);
        kind_at(engine, handle)->name = text_new(engine, name);
        index_add(&engine->kind_names, &engine->mem, name_hash(engine, name), handle);
    }
    kind_at(engine, handle)->users++;
    return handle;
}

void kind_unuse(struct engine *engine, uint32_t handle) {
    struct kind *kind = kind_at(engine, handle);
    hob_assert(kind->users > 0);
    if (--kind->users > 0) return;
    uint64_t hash = name_hash(engine, text_slice(kind->name));
    index_remove(&engine->kind_names, &engine->mem, hash, handle);
    text_free(engine, &kind->name);
    pool_free(&engine->kinds, handle);
}

uint32_t worker_find(const struct engine *engine, struct slice name) {
    return index_find(&engine->worker_names, name_hash(engine, name), worker_is, engine, &name);
}

uint32_t worker_need(struct engine *engine, struct slice name) {
    uint32_t handle = worker_find(engine, name);
    if (handle != 0) return handle;
    handle = pool_new(&engine->workers);
    struct worker *worker = worker_at(engine, handle);
    worker->name = text_new(engine, name);
    worker->slots = WORKER_SLOTS_MAX;
    worker->number = list_add(
        engine, &engine->worker_list, &engine->worker_count, &engine->worker_capacity, handle
    );
    index_add(&engine->worker_names, &engine->mem, name_hash(engine, name), handle);
    return handle;
}

void worker_forget(struct engine *engine, uint32_t handle) {
    struct worker *worker = worker_at(engine, handle);
    hob_assert(worker->users == 0);
    hob_assert(worker->waiter_first == 0);
    uint64_t hash = name_hash(engine, text_slice(worker->name));
    index_remove(&engine->worker_names, &engine->mem, hash, handle);
    uint32_t last = engine->worker_list[--engine->worker_count];
    engine->worker_list[worker->number] = last;
    worker_at(engine, last)->number = worker->number;
    for (uint32_t i = 0; i < worker->kind_count; i++) kind_unuse(engine, worker->kinds[i]);
    mem_free(&engine->mem, worker->kinds, worker->kind_count * sizeof *worker->kinds);
    text_free(engine, &worker->name);
    text_free(engine, &worker->labels);
    skill_unuse(engine, worker->skill);
    pool_free(&engine->workers, handle);
}

uint32_t key_find(const struct engine *engine, struct key_name name) {
    return index_find(&engine->key_names, name_hash(engine, name.name), key_is, engine, &name);
}

static bool key_before(void *context, uint32_t a, uint32_t b) {
    const struct engine *engine = context;
    const struct key *key_a = pool_at(&engine->keys, a);
    const struct key *key_b = pool_at(&engine->keys, b);
    if (key_a->id != key_b->id) return key_a->id < key_b->id;
    return key_a->is_unique < key_b->is_unique;
}

static void key_moved(void *context, uint32_t item, uint32_t at) {
    struct key *key = pool_at(&((struct engine *)context)->keys, item);
    key->heap_at = at;
}

static const struct heap_rules key_rules = {.before = key_before, .moved = key_moved};

void key_put(struct engine *engine, const struct key_put_effect *put) {
    uint32_t handle = key_find(engine, (struct key_name){put->key, put->is_unique});
    if (handle != 0) {
        struct key *key = pool_at(&engine->keys, handle);
        key->home = engine->home;
        return;
    }
    handle = pool_new(&engine->keys);
    struct key *key = pool_at(&engine->keys, handle);
    key->is_unique = put->is_unique;
    key->name = text_new(engine, put->key);
    key->id = put->id;
    key->until_ns = put->until_ns;
    key->home = engine->home;
    index_add(&engine->key_names, &engine->mem, name_hash(engine, put->key), handle);
    heap_push(&engine->key_due, &engine->mem, &key_rules, engine, key->until_ns, handle);
}

struct key_put_effect key_put_of(const struct key *key) {
    return (struct key_put_effect){
        .key = text_slice(key->name),
        .id = key->id,
        .until_ns = key->until_ns,
        .is_unique = key->is_unique,
    };
}

void key_drop(struct engine *engine, uint32_t handle) {
    struct key *key = pool_at(&engine->keys, handle);
    uint64_t hash = name_hash(engine, text_slice(key->name));
    index_remove(&engine->key_names, &engine->mem, hash, handle);
    heap_remove(&engine->key_due, &engine->mem, &key_rules, engine, key->heap_at);
    text_free(engine, &key->name);
    pool_free(&engine->keys, handle);
}

void names_free(struct engine *engine) {
    while (engine->key_due.count > 0) key_drop(engine, engine->key_due.entries[0].item);
    while (engine->worker_count > 0) worker_forget(engine, engine->worker_list[0]);
    for (uint32_t i = 0; i < engine->queue_count; i++) {
        struct queue *queue = queue_at(engine, engine->queue_list[i]);
        heap_deinit(&queue->branches, &engine->mem);
        heap_deinit(&queue->timers, &engine->mem);
        length_free(engine, queue);
        text_free(engine, &queue->name);
        text_free(engine, &queue->paused_by);
        text_free(engine, &queue->paused_why);
    }
    mem_free(&engine->mem, engine->queue_list, engine->queue_capacity * sizeof *engine->queue_list);
    mem_free(
        &engine->mem, engine->worker_list, engine->worker_capacity * sizeof *engine->worker_list
    );
    heap_deinit(&engine->due, &engine->mem);
    index_deinit(&engine->queue_names, &engine->mem);
    index_deinit(&engine->kind_names, &engine->mem);
    index_deinit(&engine->worker_names, &engine->mem);
    index_deinit(&engine->skill_keys, &engine->mem);
}
