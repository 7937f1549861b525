/* SPDX-License-Identifier: Apache-2.0 */
/* Unique keys: who holds one is looked up among all jobs each time. */
#include "base/assert.h"
#include "tests/sim/model.h"

static bool is_waiting(enum job_state state) {
    return state == JOB_SCHEDULED || state == JOB_AVAILABLE || state == JOB_RETRYABLE ||
           state == JOB_BLOCKED;
}

static bool holds(enum unique_scope scope, enum job_state state) {
    switch (scope) {
    case UNIQUE_DONE:
        return is_waiting(state) || state == JOB_RUNNING;
    case UNIQUE_WAITING:
        return is_waiting(state);
    case UNIQUE_RUNNING:
        return state == JOB_RUNNING;
    case UNIQUE_TIME:
        return false;
    case UNIQUE_SCOPE_COUNT:
        break;
    }
    hob_panic(__FILE__, __LINE__, "a scope");
}

/* Jobs stand in the order of their ids. */
struct model_job *model_unique_holder(const struct model *model, struct slice unique) {
    if (unique.size == 0) return NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        bool has_it = slice_equal(job->unique, unique) && holds(job->unique_scope, job->state);
        if (has_it) return model->jobs[i];
    }
    return NULL;
}

hob_ns model_debounce_until(
    const struct model *model, const struct push_command *push, hob_ns created_ns
) {
    hob_ns quiet_ns = model->now_ns + push->debounce_ns;
    if (push->max_wait_ns == 0 || quiet_ns < created_ns + push->max_wait_ns) return quiet_ns;
    return created_ns + push->max_wait_ns;
}

/* What the push says becomes the waiting job's; what it does not say stays. */
static void replace(struct model *model, struct model_job *job, const struct push_command *push) {
    struct update_command update = {.id = job->view.id, .to = *push};
    update.has.payload = true;
    update.has.priority = push->has_priority;
    update.has.time = push->run_at_ns != 0 || push->delay_ns != 0;
    update.has.attempt_max = push->attempt_max != 0;
    update.has.timeout = push->timeout_ns != 0;
    update.has.keep = push->has_keep;
    update.has.backoff = push->has_backoff;
    update.has.tags = push->tags.size > 0;
    update.has.headers = push->headers.size > 0;
    update.has.content_type = push->content_type.size > 0;
    update.has.on_done = push->on_done.size > 0;
    update.has.group = push->group.size > 0;
    update.has.front = push->front;
    update.has.limiters = push->limiters.size > 0;
    update.has.expires = push->expires_ns != 0 || push->expires_in_ns != 0;
    update.has.deadline = push->deadline_ns != 0 || push->deadline_in_ns != 0;
    update.has.margin = push->margin_ns != 0;
    update.has.needs = push->needs.size > 0;
    update.has.cost = push->cost != 0;
    if (push->debounce_ns != 0) {
        update.has.time = job->view.state != JOB_RETRYABLE;
        update.to.run_at_ns = model_debounce_until(model, push, job->view.created_ns);
    }
    job->view.kind = model_copy(model, push->kind);
    model_update_job(model, job, &update);
}

/* The id of the job that the key is held for; 0: it is not held. */
uint64_t model_unique_held_by(const struct model *model, struct slice unique) {
    const struct model_job *holder = model_unique_holder(model, unique);
    if (holder != NULL) return holder->view.id;
    const struct model_key *key = model_key_held(model, unique, true);
    return key == NULL ? 0 : key->id;
}

static const struct model_job *blocked(const struct model *model, struct slice unique) {
    for (uint32_t i = 0; unique.size > 0 && i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        if (job->state == JOB_BLOCKED && slice_equal(job->unique, unique)) return model->jobs[i];
    }
    return NULL;
}

/* Another job that is neither final nor blocked, with the scope done. */
static bool is_blocked_still(const struct model *model, const struct job_view *job) {
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *other = &model->jobs[i]->view;
        bool blocks = other->unique_scope == UNIQUE_DONE && other->state != JOB_BLOCKED &&
                      !job_state_is_final(other->state);
        if (blocks && slice_equal(other->unique, job->unique)) return true;
    }
    return false;
}

struct model_job *model_unique_freed(const struct model *model) {
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        if (job->state == JOB_BLOCKED && !is_blocked_still(model, job)) return model->jobs[i];
    }
    return NULL;
}

bool model_unique_blocks(const struct model *model, const struct push_command *push) {
    if (push->on_conflict != CONFLICT_LATEST || blocked(model, push->unique) != NULL) return false;
    const struct model_job *holder = model_unique_holder(model, push->unique);
    return holder != NULL && holder->view.state == JOB_RUNNING &&
           holder->view.unique_scope == UNIQUE_DONE;
}

bool model_unique_meets(
    struct model *model, const struct push_command *push, struct answer *answer
) {
    uint64_t id = model_unique_held_by(model, push->unique);
    if (id == 0 || model_unique_blocks(model, push)) return false;
    const struct model_job *waits = blocked(model, push->unique);
    if (push->on_conflict == CONFLICT_LATEST && waits != NULL) id = waits->view.id;
    answer->id = id;
    if (push->merge != MERGE_NONE) {
        model_join(model, push, model_job(model, id), answer);
        return true;
    }
    if (push->on_conflict == CONFLICT_REJECT) {
        answer->code = ANSWER_UNIQUE;
        return true;
    }
    answer->duplicate = true;
    struct model_job *job = model_job(model, id);
    bool is_here = job != NULL && slice_equal(job->view.queue, push->queue);
    bool wants = push->on_conflict == CONFLICT_REPLACE || push->on_conflict == CONFLICT_LATEST;
    bool replaces = wants && is_here;
    if (replaces && is_waiting(job->view.state)) replace(model, job, push);
    if (push->key.size > 0) model_key_set(model, push->key, false, id, KEY_KEPT_NS);
    return true;
}

bool model_unique_forbids_retry(
    const struct model *model, const struct model_job *job, struct answer *answer
) {
    const struct job_view *view = &job->view;
    bool may_clash = job_state_is_final(view->state) || view->state == JOB_BLOCKED;
    if (!may_clash || view->unique.size == 0) return false;
    if (!holds(view->unique_scope, JOB_AVAILABLE)) return false;
    uint64_t id = model_unique_held_by(model, view->unique);
    if (id == 0 || id == view->id) return false;
    answer->code = ANSWER_UNIQUE;
    answer->id = id;
    return true;
}
