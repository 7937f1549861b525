/* SPDX-License-Identifier: Apache-2.0 */
/* Unique keys. A job holds its key in the states that its scope names, and nowhere is written that
 * it does: the state is the lock. So the effect that moves the job takes and releases the key, a
 * crash between the two is impossible, and no lock outlives its job.
 *
 *     scope      holds while
 *     done       not final
 *     waiting    scheduled, available, retryable, blocked
 *     running    running
 *     time       nothing: the key is remembered by itself, with its end, as idempotency keys are
 *
 * The holder of a key is the oldest job that holds it; there is one holder or none. A push never
 * adds a second one. A job may come back into a state of its scope while another has the key: of
 * `waiting`, when its attempt failed and its key was taken while it ran; of `running`, when two
 * wait and both are started. It is let in, since refusing would lose it, and the key is free when
 * none of them holds it any more. With the scope `done` that cannot be, but by mixing scopes: the
 * one way back from a final state is a person's retry, and it is refused while the key is held.
 *
 * A key that is held for a time is no job's state: it begins with the push, and neither the end nor
 * the deletion of the job ends it. When a job holds the same key too, the job is the holder.
 *
 * A push that wants to be the latest, and meets a running holder of the scope done, becomes a
 * blocked job; there is one at most for each key, which further such pushes replace. The effect by
 * which the holder ends marks it as freed, and `emit` unblocks it in the same batch. That is
 * decided by the jobs of the scope done alone, of which one at most is not final and not blocked:
 * others begin and cease to hold when they are fetched, and a fetch makes no job available.
 *
 * Since the holder follows from the states alone, replay in any order finds the same one. The index
 * has the oldest job of each held key; others that hold it form a chain behind it, in no order. */
#include "engine/unique.h"

#include "engine/pushall.h"

bool unique_scope_holds(enum unique_scope scope, enum job_state state) {
    if (job_state_is_final(state)) return false;
    switch (scope) {
    case UNIQUE_DONE:
        return true;
    case UNIQUE_WAITING:
        return state != JOB_RUNNING;
    case UNIQUE_RUNNING:
        return state == JOB_RUNNING;
    case UNIQUE_TIME:
        return false;
    case UNIQUE_SCOPE_COUNT:
        break;
    }
    hob_assert(scope < UNIQUE_SCOPE_COUNT);
    return false;
}

/* What the job has of its own; NULL: it has no unique key. */
static struct labels *unique_of(const struct engine *engine, const struct job *job) {
    if (job->side == 0) return NULL;
    struct labels *labels = side_at(engine, job->side)->labels;
    return labels != NULL && labels->unique.size > 0 ? labels : NULL;
}

static struct labels *labels_at(const struct engine *engine, uint32_t handle) {
    struct labels *labels = unique_of(engine, job_at(engine, handle));
    hob_assert(labels != NULL);
    return labels;
}

static bool unique_is(const void *context, uint32_t item, const void *key) {
    return slice_equal(text_slice(labels_at(context, item)->unique), *(const struct slice *)key);
}

static uint32_t holder(const struct engine *engine, uint64_t hash, struct slice unique) {
    return index_find(&engine->uniques, hash, unique_is, engine, &unique);
}

uint32_t unique_holder(const struct engine *engine, struct slice unique) {
    return holder(engine, siphash(engine->hash_key, unique), unique);
}

static bool holds_now(const struct job *job, const struct labels *labels) {
    enum unique_scope scope = (enum unique_scope)labels->unique_scope;
    return unique_scope_holds(scope, (enum job_state)job->state);
}

/* --- blocked jobs --- */

static uint32_t blocked_find(const struct engine *engine, uint64_t hash, struct slice unique) {
    return index_find(&engine->blocked, hash, unique_is, engine, &unique);
}

static uint32_t blocked_of(const struct engine *engine, struct slice unique) {
    return blocked_find(engine, siphash(engine->hash_key, unique), unique);
}

/* Does the end of this job free the blocked one? */
static bool blocks_others(const struct job *job, const struct labels *labels) {
    return labels->unique_scope == UNIQUE_DONE && job->state != JOB_BLOCKED;
}

static void
blocked_enter(struct engine *engine, uint32_t handle, const struct labels *labels, uint64_t hash) {
    const struct job *job = job_at(engine, handle);
    if (job->state == JOB_BLOCKED) index_add(&engine->blocked, &engine->mem, hash, handle);
    bool may_keep = engine->freed != 0 && blocks_others(job, labels);
    if (may_keep && blocked_find(engine, hash, text_slice(labels->unique)) == engine->freed) {
        engine->freed = 0; /* it only went from one state to another, or was told again */
    }
}

static void
blocked_leave(struct engine *engine, uint32_t handle, const struct labels *labels, uint64_t hash) {
    const struct job *job = job_at(engine, handle);
    if (job->state == JOB_BLOCKED) {
        index_remove(&engine->blocked, &engine->mem, hash, handle);
        if (engine->freed == handle) engine->freed = 0;
    } else if (!engine->replaying && blocks_others(job, labels)) {
        uint32_t blocked = blocked_find(engine, hash, text_slice(labels->unique));
        if (blocked != 0) engine->freed = blocked;
    }
}

uint32_t unique_blocker(const struct engine *engine, const struct job *job) {
    const struct labels *labels = unique_of(engine, job);
    hob_assert(labels != NULL);
    uint32_t at = unique_holder(engine, text_slice(labels->unique));
    while (at != 0 && !blocks_others(job_at(engine, at), labels_at(engine, at))) {
        at = labels_at(engine, at)->unique_next;
    }
    return at;
}

void unique_check(const struct engine *engine, const struct job *job, uint32_t handle) {
    if (job->state != JOB_BLOCKED) return;
    const struct labels *labels = unique_of(engine, job);
    hob_assert(labels != NULL);
    hob_assert(labels->unique_scope == UNIQUE_DONE);
    hob_assert(blocked_of(engine, text_slice(labels->unique)) == handle);
    hob_assert(engine->replaying || unique_blocker(engine, job) != 0);
}

/* --- the holders --- */

void unique_enter(struct engine *engine, uint32_t handle) {
    const struct job *job = job_at(engine, handle);
    struct labels *labels = unique_of(engine, job);
    if (labels == NULL || !holds_now(job, labels)) return;
    uint64_t hash = siphash(engine->hash_key, text_slice(labels->unique));
    blocked_enter(engine, handle, labels, hash);
    uint32_t first = holder(engine, hash, text_slice(labels->unique));
    hob_assert(first != handle);
    labels->unique_next = 0;
    labels->unique_previous = 0;
    if (first == 0) {
        index_add(&engine->uniques, &engine->mem, hash, handle);
        return;
    }
    struct labels *first_labels = labels_at(engine, first);
    if (job->id < job_at(engine, first)->id) {
        labels->unique_next = first;
        first_labels->unique_previous = handle;
        index_remove(&engine->uniques, &engine->mem, hash, first);
        index_add(&engine->uniques, &engine->mem, hash, handle);
        return;
    }
    labels->unique_previous = first;
    labels->unique_next = first_labels->unique_next;
    first_labels->unique_next = handle;
    if (labels->unique_next != 0) {
        labels_at(engine, labels->unique_next)->unique_previous = handle;
    }
}

/* The oldest of a chain that has lost its first: it is moved to the front. */
static void unique_promote(struct engine *engine, uint64_t hash, uint32_t chain) {
    uint32_t oldest = chain;
    for (uint32_t at = chain; at != 0; at = labels_at(engine, at)->unique_next) {
        if (job_at(engine, at)->id < job_at(engine, oldest)->id) oldest = at;
    }
    struct labels *labels = labels_at(engine, oldest);
    if (oldest != chain) {
        labels_at(engine, labels->unique_previous)->unique_next = labels->unique_next;
        if (labels->unique_next != 0) {
            labels_at(engine, labels->unique_next)->unique_previous = labels->unique_previous;
        }
        labels->unique_next = chain;
        labels_at(engine, chain)->unique_previous = oldest;
    }
    labels->unique_previous = 0;
    index_add(&engine->uniques, &engine->mem, hash, oldest);
}

void unique_leave(struct engine *engine, uint32_t handle) {
    const struct job *job = job_at(engine, handle);
    struct labels *labels = unique_of(engine, job);
    if (labels == NULL || !holds_now(job, labels)) return;
    uint64_t hash = siphash(engine->hash_key, text_slice(labels->unique));
    blocked_leave(engine, handle, labels, hash);
    uint32_t next = labels->unique_next;
    uint32_t previous = labels->unique_previous;
    if (next != 0) labels_at(engine, next)->unique_previous = previous;
    if (previous != 0) {
        labels_at(engine, previous)->unique_next = next;
        return;
    }
    index_remove(&engine->uniques, &engine->mem, hash, handle);
    if (next != 0) unique_promote(engine, hash, next);
}

/* --- what a push meets --- */

static const char *debounce_fault(const struct push_command *push) {
    if (push->debounce_ns == 0) {
        return push->max_wait_ns == 0 ? NULL : "max_wait bounds a debounce: say for how long";
    }
    if (push->debounce_ns > DELAY_MAX_NS) return "debounce is longer than 3650 days";
    if (push->max_wait_ns > DELAY_MAX_NS) return "max_wait is longer than 3650 days";
    if (push->delay_ns != 0 || push->run_at_ns != 0) {
        return "debounce says when it runs: leave out delay and run_at";
    }
    if (push->unique_scope != UNIQUE_WAITING || push->on_conflict != CONFLICT_REPLACE) {
        return "debounce has the scope waiting, and replaces";
    }
    return NULL;
}

const char *unique_fault(const struct push_command *push) {
    if (push->unique.size > KEY_BYTES_MAX) return "unique is longer than 255 bytes";
    if (push->unique_scope >= UNIQUE_SCOPE_COUNT) return "unique_scope: no such scope";
    if (push->on_conflict >= ON_CONFLICT_COUNT) return "on_conflict: no such answer";
    bool is_plain = push->unique_scope == UNIQUE_DONE && push->on_conflict == CONFLICT_EXISTING;
    if (push->unique.size == 0 && !is_plain) {
        return "unique_scope and on_conflict say how unique is meant: name the key by unique";
    }
    if (push->unique_for_ns > DELAY_MAX_NS) return "unique_for is longer than 3650 days";
    if ((push->unique_scope == UNIQUE_TIME) != (push->unique_for_ns > 0)) {
        return "unique_for and the scope time belong together: it says for how long";
    }
    if (push->on_conflict == CONFLICT_LATEST && push->unique_scope != UNIQUE_DONE) {
        return "on_conflict latest is for the scope done: the latest waits until the other is done";
    }
    const char *fault = debounce_fault(push);
    return fault != NULL ? fault : join_fault(push);
}

/* The id of the job that a key is held for, and its handle; 0: nothing holds it. The handle is 0
 * when the key is held for a time and its job is gone. */
static uint64_t held_by(const struct engine *engine, struct slice unique, uint32_t *ret_handle) {
    if (unique.size == 0) return 0;
    *ret_handle = unique_holder(engine, unique);
    if (*ret_handle != 0) return job_at(engine, *ret_handle)->id;
    uint64_t id = key_remembers(engine, (struct key_name){.name = unique, .is_unique = true});
    *ret_handle = id == 0 ? 0 : job_find(engine, id);
    return id;
}

uint64_t unique_held_by(const struct engine *engine, struct slice unique) {
    uint32_t handle = 0;
    return held_by(engine, unique, &handle);
}

static bool is_waiting(enum job_state state) {
    return state != JOB_RUNNING && !job_state_is_final(state);
}

/* A holder elsewhere is left alone: who may push here may not change what is there. */
bool may_be_changed_by(
    const struct engine *engine, const struct push_command *push, const struct job *job
) {
    return is_waiting((enum job_state)job->state) &&
           slice_equal(text_slice(queue_at(engine, job->queue)->name), push->queue);
}

static bool
may_replace(const struct engine *engine, const struct push_command *push, uint32_t handle) {
    bool wants = push->on_conflict == CONFLICT_REPLACE || push->on_conflict == CONFLICT_LATEST;
    return wants && handle != 0 && may_be_changed_by(engine, push, job_at(engine, handle));
}

hob_ns
debounce_until(const struct engine *engine, const struct push_command *push, hob_ns created_ns) {
    hob_ns until_ns = ns_add(engine->now_ns, push->debounce_ns);
    hob_ns last_ns = push->max_wait_ns == 0 ? HOB_NEVER : ns_add(created_ns, push->max_wait_ns);
    return until_ns < last_ns ? until_ns : last_ns;
}

/* A waiting job is put off by the push that replaces it; but one that waits for its next attempt
 * keeps the time of its backoff. */
void debounce(const struct engine *engine, const struct job *job, struct update_command *update) {
    update->has.time = job->state != JOB_RETRYABLE;
    update->to.run_at_ns = debounce_until(engine, &update->to, job->created_ns);
    update->to.debounce_ns = 0;
}

/* The fields that a push says, as an update; what it does not say stays. */
static struct update_command update_of_push(const struct push_command *push, uint64_t id) {
    return (struct update_command){
        .id = id,
        .to = *push,
        .has =
            {
                .payload = true,
                .priority = push->has_priority,
                .time = push->run_at_ns != 0 || push->delay_ns != 0,
                .attempt_max = push->attempt_max != 0,
                .timeout = push->timeout_ns != 0,
                .keep = push->has_keep,
                .backoff = push->has_backoff,
                .tags = push->tags.size > 0,
                .headers = push->headers.size > 0,
                .content_type = push->content_type.size > 0,
                .on_done = push->on_done.size > 0,
                .group = push->group.size > 0,
                .front = push->front,
                .limiters = push->limiters.size > 0,
                .expires = push->expires_ns != 0 || push->expires_in_ns != 0,
                .deadline = push->deadline_ns != 0 || push->deadline_in_ns != 0,
                .margin = push->margin_ns != 0,
                .needs = push->needs.size > 0,
                .cost = push->cost != 0,
            },
    };
}

bool unique_blocks(const struct engine *engine, const struct push_command *push) {
    if (push->on_conflict != CONFLICT_LATEST) return false;
    uint32_t handle = unique_holder(engine, push->unique);
    if (handle == 0 || blocked_of(engine, push->unique) != 0) return false;
    const struct job *job = job_at(engine, handle);
    return job->state == JOB_RUNNING && blocks_others(job, labels_at(engine, handle));
}

static bool replace_is_refused(
    const struct engine *engine,
    const struct push_command *push,
    bool replaces,
    struct answer *answer
) {
    if ((replaces || push->key.size > 0) && memory_is_short(engine)) {
        answer_set(answer, ANSWER_MEMORY, NULL);
        answer->retry_after_ns = NS_PER_SECOND;
        return true;
    }
    bool is_new_kind = replaces && kind_find(engine, push->kind) == 0;
    if (is_new_kind && engine->kinds.count >= KINDS_MAX) {
        answer_set(answer, ANSWER_LIMIT, "kinds: 1000000 at most");
        return true;
    }
    return false;
}

bool unique_may_change(const struct push_command *push) {
    bool changes = push->on_conflict != CONFLICT_EXISTING && push->on_conflict != CONFLICT_REJECT;
    return changes || push->merge != MERGE_NONE;
}

/* The holder is the answer. */
static void
tell_holder(const struct engine *engine, uint64_t id, uint32_t handle, struct answer *answer) {
    answer->id = id;
    answer->state = handle == 0 ? JOB_COMPLETED : (enum job_state)job_at(engine, handle)->state;
}

bool unique_is_existing(
    struct engine *engine, const struct push_command *push, struct answer *answer
) {
    hob_assert(!unique_may_change(push));
    uint32_t handle = 0;
    uint64_t id = held_by(engine, push->unique, &handle);
    if (id == 0) return false;
    tell_holder(engine, id, handle, answer);
    answer->duplicate = true;
    if (push->key.size > 0) {
        emit_key(engine, (struct key_name){.name = push->key}, id, KEY_KEPT_NS);
    }
    return true;
}

bool unique_meets(struct engine *engine, const struct push_command *push, struct answer *answer) {
    uint32_t handle = 0;
    uint64_t id = held_by(engine, push->unique, &handle);
    if (id == 0 || unique_blocks(engine, push)) return false;
    uint32_t blocked = blocked_of(engine, push->unique);
    if (push->on_conflict == CONFLICT_LATEST && blocked != 0) {
        handle = blocked;
        id = job_at(engine, handle)->id;
    }
    tell_holder(engine, id, handle, answer);
    if (push->merge != MERGE_NONE) return join_meets(engine, push, handle, answer);
    if (push->on_conflict == CONFLICT_REJECT) {
        answer_set(answer, ANSWER_UNIQUE, NULL);
        return true;
    }
    bool replaces = may_replace(engine, push, handle);
    if (replace_is_refused(engine, push, replaces, answer)) return true;
    answer->duplicate = true;
    if (replaces) {
        struct update_command update = update_of_push(push, id);
        if (push->debounce_ns != 0) debounce(engine, job_at(engine, handle), &update);
        update_emit(engine, handle, &update, push->kind, answer);
    }
    /* The same push again, after the holder's end, is still the same push. */
    if (push->key.size > 0) {
        emit_key(engine, (struct key_name){.name = push->key}, id, KEY_KEPT_NS);
    }
    return true;
}

bool unique_forbids_retry(
    const struct engine *engine, const struct job *job, struct answer *answer
) {
    const struct labels *labels = unique_of(engine, job);
    bool may_clash = job_state_is_final((enum job_state)job->state) || job->state == JOB_BLOCKED;
    if (labels == NULL || !may_clash) return false;
    enum unique_scope scope = (enum unique_scope)labels->unique_scope;
    if (!unique_scope_holds(scope, JOB_AVAILABLE)) return false;
    uint32_t handle = 0;
    uint64_t id = held_by(engine, text_slice(labels->unique), &handle);
    if (id == 0 || id == job->id) return false;
    answer->id = id;
    answer_set(answer, ANSWER_UNIQUE, NULL);
    return true;
}
