/* SPDX-License-Identifier: Apache-2.0 */
/* Several pushes of which all are done, or none. The engine cannot take an effect back, so the
 * whole list is looked at before its first job is pushed, each item as if those before it had been:
 *
 *     its key      is known already, or an item before has it: it adds nothing
 *     its unique   is held already, or an item before will hold it: it adds nothing, or is refused
 *     its queue    has room for it beside those that items before it add there
 *
 * Nothing else can happen between the look and the pushes, so what the look allows is done. All
 * effects of a command are in one batch, which a journal keeps whole or not at all; that is why a
 * list is bounded in bytes. What changes a job that is there already has no place in a list: its
 * record may be of any size. */
#include "engine/pushall.h"

#include "engine/core.h"
#include "engine/unique.h"

enum {
    ITEM_BYTES = 768, /* of its records beside its texts, and of a run that begins at once */
};
_Static_assert(PUSH_ALL_JOBS_MAX *ITEM_BYTES < PUSH_ALL_BYTES_MAX, "room is left for payloads");

struct look {
    struct engine *engine;
    const struct push_command *pushes;
    struct index keys;    /* items by their key, the first of each */
    struct index uniques; /* items that will hold their unique key */
    uint64_t bytes;
    uint64_t added;
    uint32_t new_queues;
    uint32_t new_kinds;
    uint32_t new_limiters;
};

static bool key_is(const void *context, uint32_t item, const void *key) {
    const struct look *look = context;
    return slice_equal(look->pushes[item - 1].key, *(const struct slice *)key);
}

static bool unique_is(const void *context, uint32_t item, const void *key) {
    const struct look *look = context;
    return slice_equal(look->pushes[item - 1].unique, *(const struct slice *)key);
}

static bool
is_before(const struct look *look, const struct index *index, index_is *is, struct slice name) {
    uint64_t hash = siphash(look->engine->hash_key, name);
    return name.size > 0 && index_find(index, hash, is, look, &name) != 0;
}

static void
remember(struct look *look, struct index *index, index_is *is, struct slice name, uint32_t item) {
    if (name.size == 0 || is_before(look, index, is, name)) return;
    index_add(index, &look->engine->mem, siphash(look->engine->hash_key, name), item);
}

/* What any push is asked, and what only those of a list are. */
static bool item_is_sound(struct look *look, const struct push_command *push, struct answer *no) {
    push_check(push, no);
    if (no->code != ANSWER_OK) return false;
    if (unique_may_change(push)) {
        const char *fault = "on_conflict is existing or reject where all are pushed or none";
        if (push->debounce_ns > 0) fault = "debounce is not for pushes that are all done or none";
        if (push->merge != MERGE_NONE) fault = "merge is not for pushes that are all done or none";
        answer_set(no, ANSWER_BAD_ARGUMENT, fault);
        return false;
    }
    look->bytes += ITEM_BYTES + push_text_bytes(push);
    if (look->bytes <= PUSH_ALL_BYTES_MAX) return true;
    answer_set(no, ANSWER_TOO_LARGE, "all together: 16 MiB at most, with 768 bytes for each job");
    return false;
}

/* Will this push add a job? Else it is a duplicate, or *no says why it is refused. */
static bool item_adds(struct look *look, const struct push_command *push, struct answer *no) {
    const struct engine *engine = look->engine;
    if (key_remembers(engine, (struct key_name){.name = push->key}) != 0) return false;
    if (is_before(look, &look->keys, key_is, push->key)) return false;
    uint64_t holder = unique_held_by(engine, push->unique);
    bool is_held = holder != 0 || is_before(look, &look->uniques, unique_is, push->unique);
    if (is_held && push->on_conflict == CONFLICT_REJECT) {
        no->id = holder;
        answer_set(no, ANSWER_UNIQUE, holder == 0 ? "a job before it in the list" : NULL);
    }
    return !is_held;
}

static bool limiters_are_many(const struct look *look) {
    return look->new_limiters > 0 &&
           look->engine->limiters.count + look->new_limiters > LIMITERS_MAX;
}

/* Is there room for one more job, beside those of the items before? */
static bool item_has_room(struct look *look, const struct push_command *push, struct answer *no) {
    struct engine *engine = look->engine;
    uint32_t handle = queue_find(engine, push->queue);
    look->added++;
    look->new_queues += handle == 0 ? 1 : 0;
    look->new_kinds += kind_find(engine, push->kind) == 0 ? 1 : 0;
    look->new_limiters += push->limiters.size > 0 ? JOB_LIMITERS_MAX : 0;
    if (engine->jobs.count + look->added > JOBS_MAX) {
        answer_set(no, ANSWER_LIMIT, "jobs: 133000000 at most");
    } else if (look->new_queues > 0 && engine->queue_count + look->new_queues > QUEUES_MAX) {
        answer_set(no, ANSWER_LIMIT, "queues: 1000000 at most");
    } else if (look->new_kinds > 0 && engine->kinds.count + look->new_kinds > KINDS_MAX) {
        answer_set(no, ANSWER_LIMIT, "kinds: 1000000 at most");
    } else if (limiters_are_many(look)) {
        answer_set(no, ANSWER_LIMIT, "limiters: 1000000 at most");
    } else if (handle != 0) {
        struct queue *queue = queue_at(engine, handle);
        if (length_refuses(engine, push->queue, queue->promised)) {
            answer_set(no, ANSWER_QUEUE_FULL, NULL);
            no->retry_after_ns = NS_PER_SECOND;
        }
        queue->promised++;
    }
    return no->code == ANSWER_OK;
}

static bool item_may(struct look *look, uint32_t at, struct answer *no) {
    const struct push_command *push = &look->pushes[at];
    if (!item_is_sound(look, push, no)) return false;
    bool adds = item_adds(look, push, no);
    if (no->code != ANSWER_OK || (adds && !item_has_room(look, push, no))) return false;
    if (adds && push_parent_is_refused(look->engine, push, no)) return false;
    remember(look, &look->keys, key_is, push->key, at + 1);
    if (!adds) return true;
    bool holds =
        unique_scope_holds(push->unique_scope, JOB_AVAILABLE) || push->unique_scope == UNIQUE_TIME;
    if (holds) remember(look, &look->uniques, unique_is, push->unique, at + 1);
    return true;
}

/* May all be pushed? Else *no says which may not, and why. */
static bool all_may(struct engine *engine, const struct push_all_command *all, struct answer *no) {
    struct look look = {.engine = engine, .pushes = all->pushes};
    uint32_t at = 0;
    while (at < all->count && item_may(&look, at, no)) at++;
    if (at < all->count) no->item = at + 1;
    index_deinit(&look.keys, &engine->mem);
    index_deinit(&look.uniques, &engine->mem);
    for (uint32_t i = 0; i < all->count; i++) {
        uint32_t queue = queue_find(engine, all->pushes[i].queue);
        if (queue != 0) queue_at(engine, queue)->promised = 0;
    }
    return at == all->count;
}

static void pushed_reserve(struct engine *engine, uint32_t count) {
    if (count <= engine->pushed_capacity) return;
    engine->pushed = mem_resize(
        &engine->mem,
        engine->pushed,
        engine->pushed_capacity * sizeof *engine->pushed,
        count * sizeof *engine->pushed
    );
    engine->pushed_capacity = count;
}

void pushed_free(struct engine *engine) {
    mem_free(&engine->mem, engine->pushed, engine->pushed_capacity * sizeof *engine->pushed);
    engine->pushed = NULL;
    engine->pushed_capacity = 0;
}

void apply_push_all(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct push_all_command *all = &command->push_all;
    if (all->count == 0 || all->count > PUSH_ALL_JOBS_MAX) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "1 to 10000 jobs are pushed at once");
        return;
    }
    if (!all_may(engine, all, answer)) return;
    if (memory_is_short(engine)) {
        answer_set(answer, ANSWER_MEMORY, NULL);
        answer->retry_after_ns = NS_PER_SECOND;
        return;
    }
    pushed_reserve(engine, all->count);
    for (uint32_t i = 0; i < all->count; i++) {
        const struct push_command *push = &all->pushes[i];
        struct answer one = {.code = ANSWER_OK};
        if (!push_is_existing(engine, push, &one)) push_emit(engine, push, push->parent, &one);
        hob_assert(one.code == ANSWER_OK);
        engine->pushed[i] = (struct pushed){one.id, one.state, one.duplicate};
    }
    answer->pushed = engine->pushed;
    answer->pushed_count = all->count;
}
