/* SPDX-License-Identifier: Apache-2.0 */
/* A push is checked whole before anything changes; then it is one full record of the new job, and
 * one of its key. */
#include "engine/demands.h"
#include "engine/labels.h"
#include "engine/merge.h"
#include "engine/pushall.h"
#include "engine/unique.h"
#include "engine/valves.h"

/* NULL when the backoff is sound, else what is wrong with it. */
static const char *backoff_fault(const struct backoff *backoff) {
    if (backoff->type >= BACKOFF_TYPE_COUNT) return "backoff: no such type";
    if (backoff->base_ns > DELAY_MAX_NS || backoff->max_ns > DELAY_MAX_NS) {
        return "backoff: a delay is at most 3650 days";
    }
    if (backoff->delay_count > BACKOFF_LIST_MAX) return "backoff: a list has at most 16 delays";
    if (backoff->type == BACKOFF_LIST && backoff->delay_count == 0) {
        return "backoff: a list has at least one delay";
    }
    for (uint32_t i = 0; i < backoff->delay_count; i++) {
        if (backoff->delays_ns[i] > DELAY_MAX_NS) return "backoff: a delay is at most 3650 days";
    }
    return NULL;
}

/* But for its callbacks, whose templates are asked about here too. */
const char *push_fault(const struct push_command *push) {
    if (!name_is_valid(push->queue)) return "queue " NAME_RULE;
    if (!name_is_valid(push->kind)) return "kind " NAME_RULE;
    if (push->group.size > 0 && !name_is_valid(push->group)) return "group " NAME_RULE;
    if (push->key.size > KEY_BYTES_MAX) return "key is longer than 255 bytes";
    if (push->ref.size > REF_BYTES_MAX) return "ref is longer than 255 bytes";
    if (push->attempt_max > ATTEMPT_MAX_MAX) return "attempts must be 1 to 60000";
    if (push->delay_ns > DELAY_MAX_NS) return "delay is longer than 3650 days";
    if (push->deadline_in_ns > DELAY_MAX_NS) return "deadline_in is longer than 3650 days";
    if (push->margin_ns > DELAY_MAX_NS) return "margin is longer than 3650 days";
    if (push->expires_in_ns > DELAY_MAX_NS) return "expires_in is longer than 3650 days";
    if (push->timeout_ns > DELAY_MAX_NS) return "timeout is longer than 3650 days";
    if (push->keep_ns > DELAY_MAX_NS) return "keep is longer than 3650 days";
    if (push->cost > WORKER_SLOTS_MAX) return "cost: more than the 100000 slots of any worker";
    const char *fault = limits_fault(push->limiters);
    if (fault == NULL) fault = needs_fault(push->needs);
    if (fault == NULL && push->has_backoff) fault = backoff_fault(&push->backoff);
    if (fault == NULL) fault = unique_fault(push);
    if (fault == NULL) fault = headers_fault(push->headers);
    if (fault == NULL) fault = tags_fault(push->tags);
    if (fault == NULL) fault = content_type_fault(push->content_type);
    if (fault == NULL && push->on_done.size > ON_DONE_BYTES_MAX) {
        fault = "on_done: more than 16 KiB";
    }
    return fault;
}

static bool
has_no_room(const struct engine *engine, const struct push_command *push, struct answer *answer) {
    if (memory_is_short(engine)) {
        answer_set(answer, ANSWER_MEMORY, NULL);
        answer->retry_after_ns = NS_PER_SECOND;
        return true;
    }
    if (engine->jobs.count >= JOBS_MAX) {
        answer_set(answer, ANSWER_LIMIT, "jobs: 133000000 at most");
        return true;
    }
    if (engine->queue_count >= QUEUES_MAX && queue_find(engine, push->queue) == 0) {
        answer_set(answer, ANSWER_LIMIT, "queues: 1000000 at most");
        return true;
    }
    if (engine->kinds.count >= KINDS_MAX && kind_find(engine, push->kind) == 0) {
        answer_set(answer, ANSWER_LIMIT, "kinds: 1000000 at most");
        return true;
    }
    if (length_refuses(engine, push->queue, 0)) {
        answer_set(answer, ANSWER_QUEUE_FULL, NULL);
        answer->retry_after_ns = NS_PER_SECOND;
        return true;
    }
    bool names_limiters = push->limiters.size > 0;
    if (names_limiters && engine->limiters.count + JOB_LIMITERS_MAX > LIMITERS_MAX) {
        answer_set(answer, ANSWER_LIMIT, "limiters: 1000000 at most");
        return true;
    }
    return false;
}

static void emit_key_drop(struct engine *engine, struct key_name name) {
    struct effect drop = {
        .type = EFFECT_KEY_DROP,
        .key_drop = {.key = name.name, .is_unique = name.is_unique},
    };
    emit(engine, &drop);
}

void emit_key(struct engine *engine, struct key_name name, uint64_t id, hob_ns kept_ns) {
    /* Its time is over, and nothing has swept it yet. */
    if (key_find(engine, name) != 0) emit_key_drop(engine, name);
    if (engine->keys.count >= KEYS_MAX) {
        const struct key *first = pool_at(&engine->keys, engine->key_due.entries[0].item);
        emit_key_drop(engine, (struct key_name){text_slice(first->name), first->is_unique});
    }
    struct effect put = {
        .type = EFFECT_KEY_PUT,
        .key_put =
            {
                .key = name.name,
                .id = id,
                .until_ns = ns_add(engine->now_ns, kept_ns),
                .is_unique = name.is_unique,
            },
    };
    emit(engine, &put);
}

uint64_t key_remembers(const struct engine *engine, struct key_name name) {
    uint32_t handle = name.name.size == 0 ? 0 : key_find(engine, name);
    if (handle == 0) return 0;
    const struct key *key = pool_at(&engine->keys, handle);
    return key->until_ns <= engine->now_ns ? 0 : key->id;
}

_Static_assert(JOBS_MAX + JOBS_RESERVED < POOL_ITEMS_MAX, "a pool holds all jobs");

hob_ns push_run_at(const struct engine *engine, const struct push_command *push) {
    hob_ns run_at_ns = push->run_at_ns;
    if (run_at_ns == 0) run_at_ns = ns_add(engine->now_ns, push->delay_ns);
    if (push->debounce_ns != 0) run_at_ns = debounce_until(engine, push, engine->now_ns);
    return run_at_ns > engine->now_ns ? run_at_ns : 0;
}

static enum job_state
push_state(const struct engine *engine, const struct push_command *push, hob_ns run_at_ns) {
    if (unique_blocks(engine, push)) return JOB_BLOCKED;
    return run_at_ns == 0 ? JOB_AVAILABLE : JOB_SCHEDULED;
}

uint64_t push_text_bytes(const struct push_command *push) {
    /* The keys are told once more by effects of their own. */
    return push->payload.size + push->queue.size + push->kind.size + 2 * push->key.size +
           push->ref.size + push->headers.size + push->tags.size + push->content_type.size +
           push->on_done.size + push->group.size + 2 * push->unique.size + push->limiters.size +
           push->needs.size;
}

/* What a new text adds to the record belongs into push_text_bytes, too. */
void push_emit(
    struct engine *engine, const struct push_command *push, uint64_t parent, struct answer *answer
) {
    hob_ns run_at_ns = push_run_at(engine, push);
    struct effect effect = {
        .type = EFFECT_JOB_PUT,
        .job_put.job =
            {
                .id = engine->next_id,
                .state = push_state(engine, push, run_at_ns),
                .queue = push->queue,
                .kind = push->kind,
                .priority = push->has_priority ? push->priority : PRIORITY_DEFAULT,
                .attempt_max = push->attempt_max == 0 ? ATTEMPT_MAX_DEFAULT : push->attempt_max,
                .created_ns = engine->now_ns,
                .state_ns = engine->now_ns,
                .run_at_ns = run_at_ns,
                .timeout_ns = push->timeout_ns,
                .key = push->key,
                .ref = push->ref,
                .has_keep = push->has_keep,
                .keep_ns = push->has_keep ? push->keep_ns : 0,
                .headers = push->headers,
                .tags = push->tags,
                .content_type = push->content_type,
                .on_done = push->on_done,
                .unique = push->unique,
                .unique_scope = push->unique_scope,
                .unique_for_ns = push->unique_for_ns,
                .merged = push->merge == MERGE_NONE ? 0 : 1,
                .parent = parent,
                .expires_ns = push_expires(engine, push),
                .group = push->group,
                .front = push->front,
                .limiters = push->limiters,
                .deadline_ns = deadline_inherit(engine, push->parent, push_deadline(engine, push)),
                .margin_ns = push->margin_ns,
                .needs = push->needs,
                .cost = push->cost > 1 ? push->cost : 0,
            },
    };
    struct job_view *view = &effect.job_put.job;
    if (push->has_backoff) view->backoff = push->backoff;
    if (push->payload.size > PAYLOAD_INLINE_BYTES_MAX) {
        view->payload_body = emit_body(engine, push->payload);
    } else {
        view->payload = push->payload;
    }
    emit(engine, &effect);
    if (push->key.size > 0) {
        emit_key(engine, (struct key_name){.name = push->key}, view->id, KEY_KEPT_NS);
    }
    if (push->unique_scope == UNIQUE_TIME) {
        struct key_name name = {.name = push->unique, .is_unique = true};
        emit_key(engine, name, view->id, push->unique_for_ns);
    }
    uint32_t queue = queue_find(engine, push->queue);
    queue_at(engine, queue)->pushed++;
    answer->id = view->id;
    answer->state = view->state;
    if (view->state == JOB_AVAILABLE) queue_feed(engine, queue);
}

static bool
push_is_known(const struct engine *engine, const struct push_command *push, struct answer *answer) {
    uint64_t id = key_remembers(engine, (struct key_name){.name = push->key});
    if (id == 0) return false;
    uint32_t job = job_find(engine, id);
    answer->id = id;
    answer->duplicate = true;
    answer->state = job == 0 ? JOB_COMPLETED : (enum job_state)job_at(engine, job)->state;
    return true;
}

bool push_is_met(struct engine *engine, const struct push_command *push, struct answer *answer) {
    return push_is_known(engine, push, answer) || unique_meets(engine, push, answer);
}

/* Only who runs has children: a worker that has lost its lease is not one of them. */
bool push_parent_is_refused(
    const struct engine *engine, const struct push_command *push, struct answer *answer
) {
    if (push->parent == 0) return false;
    uint32_t parent = job_find(engine, push->parent);
    if (parent != 0 && job_at(engine, parent)->state == JOB_RUNNING) return false;
    if (parent == 0) {
        answer_set(answer, ANSWER_NO_JOB, "the parent");
        return true;
    }
    answer_set(answer, ANSWER_WRONG_STATE, "only one that runs is a parent");
    answer->state = (enum job_state)job_at(engine, parent)->state;
    return true;
}

bool push_is_refused(
    const struct engine *engine, const struct push_command *push, struct answer *answer
) {
    return has_no_room(engine, push, answer) || push_parent_is_refused(engine, push, answer);
}

bool push_is_existing(
    struct engine *engine, const struct push_command *push, struct answer *answer
) {
    return push_is_known(engine, push, answer) || unique_is_existing(engine, push, answer);
}

static void refuse_large(struct answer *answer) {
    answer_set(
        answer,
        ANSWER_TOO_LARGE,
        "payload is larger than 8 MiB: keep the data elsewhere and push where it is"
    );
}

void push_check(const struct push_command *push, struct answer *answer) {
    const char *fault = push_fault(push);
    if (fault == NULL && push->on_done.size > 0) fault = on_done_fault(push->on_done);
    if (fault != NULL) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, fault);
    } else if (push->payload.size > PAYLOAD_BYTES_MAX) {
        refuse_large(answer);
    }
}

void apply_push(struct engine *engine, const struct command *command, struct answer *answer) {
    HOB_AUTO_BUF struct buf scratch = buf_make(PAYLOAD_BYTES_MAX + 2);
    struct push_command push = command->push;
    push_check(&push, answer);
    if (answer->code != ANSWER_OK) return;
    push.payload = merge_begin(push.merge, push.payload, &scratch);
    if (push.payload.size > PAYLOAD_BYTES_MAX) {
        refuse_large(answer);
        return;
    }
    if (push_is_met(engine, &push, answer) || push_is_refused(engine, &push, answer)) return;
    push_emit(engine, &push, push.parent, answer);
}
