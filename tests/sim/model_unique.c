/* SPDX-License-Identifier: Apache-2.0 */
/* Unique keys: who holds one is looked up among all jobs each time. */
#include "base/assert.h"
#include "tests/sim/model.h"

static bool is_waiting(enum job_state state) {
    return state == JOB_SCHEDULED || state == JOB_AVAILABLE || state == JOB_RETRYABLE;
}

static bool holds(enum unique_scope scope, enum job_state state) {
    switch (scope) {
    case UNIQUE_DONE:
        return is_waiting(state) || state == JOB_RUNNING;
    case UNIQUE_WAITING:
        return is_waiting(state);
    case UNIQUE_RUNNING:
        return state == JOB_RUNNING;
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
    update.has.expires = push->expires_ns != 0 || push->expires_in_ns != 0;
    job->view.kind = model_copy(model, push->kind);
    model_update_job(model, job, &update);
}

bool model_unique_meets(
    struct model *model, const struct push_command *push, struct answer *answer
) {
    struct model_job *holder = model_unique_holder(model, push->unique);
    if (holder == NULL) return false;
    answer->id = holder->view.id;
    if (push->on_conflict == CONFLICT_REJECT) {
        answer->code = ANSWER_UNIQUE;
        return true;
    }
    answer->duplicate = true;
    bool is_here = slice_equal(holder->view.queue, push->queue);
    bool replaces = push->on_conflict == CONFLICT_REPLACE && is_here;
    if (replaces && is_waiting(holder->view.state)) replace(model, holder, push);
    if (push->key.size > 0) model_key_set(model, push->key, holder->view.id);
    return true;
}

bool model_unique_forbids_retry(
    const struct model *model, const struct model_job *job, struct answer *answer
) {
    const struct job_view *view = &job->view;
    if (!job_state_is_final(view->state) || view->unique.size == 0) return false;
    if (!holds(view->unique_scope, JOB_AVAILABLE)) return false;
    const struct model_job *holder = model_unique_holder(model, view->unique);
    if (holder == NULL) return false;
    answer->code = ANSWER_UNIQUE;
    answer->id = holder->view.id;
    return true;
}
