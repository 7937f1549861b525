/* SPDX-License-Identifier: Apache-2.0 */
/* Skills: what a worker can run: its slots, labels and kinds. Two workers with one skill are
 * offered the same jobs, so what is known of one is known of all. The key is a text of names:
 * handles of kinds are used again when a kind has lost its last user. */
#include "engine/watch.h"

static bool skill_is(const void *context, uint32_t item, const void *key) {
    const struct skill *skill = pool_at(&((const struct engine *)context)->skills, item);
    return slice_equal(text_slice(skill->key), *(const struct slice *)key);
}

/* The kinds in order, each once; how many. */
static uint32_t
kinds_sorted(const struct engine *engine, const struct worker *worker, struct slice *sorted) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < worker->kind_count; i++) {
        struct slice name = text_slice(kind_at(engine, worker->kinds[i])->name);
        uint32_t at = count;
        while (at > 0 && slice_before(name, sorted[at - 1])) at--;
        if (at > 0 && slice_equal(sorted[at - 1], name)) continue;
        memmove(&sorted[at + 1], &sorted[at], (count - at) * sizeof *sorted);
        sorted[at] = name;
        count++;
    }
    return count;
}

static void put(char *bytes, size_t *size, const void *from, size_t from_size) {
    memcpy(bytes + *size, from, from_size);
    *size += from_size;
}

static uint32_t skill_need(struct engine *engine, struct slice key) {
    uint64_t hash = siphash(engine->hash_key, key);
    uint32_t handle = index_find(&engine->skill_keys, hash, skill_is, engine, &key);
    if (handle == 0) {
        handle = pool_new(&engine->skills);
        struct skill *skill = pool_at(&engine->skills, handle);
        skill->key = text_new(engine, key);
        index_add(&engine->skill_keys, &engine->mem, hash, handle);
    }
    return handle;
}

uint32_t worker_skill(struct engine *engine, struct worker *worker) {
    if (worker->skill != 0) return worker->skill;
    struct slice sorted[WORKER_KINDS_MAX];
    uint32_t count = kinds_sorted(engine, worker, sorted);
    size_t size_max = sizeof worker->slots + sizeof worker->labels.size + worker->labels.size +
                      (size_t)count * (NAME_BYTES_MAX + 1);
    char *bytes = mem_alloc(&engine->mem, size_max);
    size_t size = 0;
    put(bytes, &size, &worker->slots, sizeof worker->slots);
    put(bytes, &size, &worker->labels.size, sizeof worker->labels.size);
    if (worker->labels.size > 0) put(bytes, &size, worker->labels.bytes, worker->labels.size);
    for (uint32_t i = 0; i < count; i++) {
        put(bytes, &size, sorted[i].bytes, sorted[i].size);
        put(bytes, &size, " ", 1);
    }
    worker->skill = skill_need(engine, slice_of(bytes, size));
    ((struct skill *)pool_at(&engine->skills, worker->skill))->users++;
    mem_free(&engine->mem, bytes, size_max);
    return worker->skill;
}

void skill_unuse(struct engine *engine, uint32_t handle) {
    if (handle == 0) return;
    struct skill *skill = pool_at(&engine->skills, handle);
    hob_assert(skill->users > 0);
    if (--skill->users > 0) return;
    uint64_t hash = siphash(engine->hash_key, text_slice(skill->key));
    index_remove(&engine->skill_keys, &engine->mem, hash, handle);
    text_free(engine, &skill->key);
    pool_free(&engine->skills, handle);
}
