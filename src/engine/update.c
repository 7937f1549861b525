/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a waiting job: its full record is told again, with the changes in it. So an update is no
 * effect of its own, and a journal with updates is read by every version that knows full records.
 * Moving a job to another queue is an update too. */
#include "engine/core.h"

/* What an update may change, by the rules of a push. */
static const char *update_fault(const struct update_command *update) {
    const struct update_fields none = {.queue = false};
    if (memcmp(&update->has, &none, sizeof none) == 0) return "name at least one field to change";
    struct push_command push = update->to;
    if (!update->has.queue) push.queue = SLICE("any");
    push.kind = SLICE("any");
    push.has_backoff = update->has.backoff;
    const char *fault = push_fault(&push);
    if (fault == NULL && update->has.on_done) fault = on_done_fault(push.on_done);
    return fault;
}

static bool update_is_refused(
    const struct engine *engine, const struct update_command *update, struct answer *answer
) {
    if (update->to.payload.size > PAYLOAD_BYTES_MAX) {
        answer_set(answer, ANSWER_TOO_LARGE, "payload is larger than 8 MiB");
        return true;
    }
    /* What needs no room is changed at any time. */
    const struct update_fields *has = &update->has;
    bool brings = has->queue || has->payload || has->tags || has->headers || has->content_type ||
                  has->on_done || has->group || has->limiters || has->needs || has->backoff;
    if (brings && memory_is_short(engine)) {
        answer_set(answer, ANSWER_MEMORY, NULL);
        answer->retry_after_ns = NS_PER_SECOND;
        return true;
    }
    bool is_new = update->has.queue && queue_find(engine, update->to.queue) == 0;
    if (is_new && engine->queue_count >= QUEUES_MAX) {
        answer_set(answer, ANSWER_LIMIT, "queues: 1000000 at most");
        return true;
    }
    return false;
}

/* A waiting job is available, or it waits for its time: as before, or after a failure. What another
 * job blocks stays blocked. */
static void
update_time(const struct engine *engine, const struct push_command *to, struct job_view *view) {
    hob_ns run_at_ns = push_run_at(engine, to);
    enum job_state state = JOB_AVAILABLE;
    if (run_at_ns != 0) state = view->state == JOB_RETRYABLE ? JOB_RETRYABLE : JOB_SCHEDULED;
    if (view->state == JOB_BLOCKED) state = JOB_BLOCKED;
    if (state != view->state) view->state_ns = engine->now_ns;
    view->state = state;
    view->run_at_ns = run_at_ns;
}

void update_view(
    struct engine *engine, const struct update_command *update, struct job_view *view
) {
    const struct update_fields *has = &update->has;
    const struct push_command *to = &update->to;
    if (has->queue) view->queue = to->queue;
    if (has->priority) view->priority = to->priority;
    if (has->time) update_time(engine, to, view);
    if (has->attempt_max) view->attempt_max = to->attempt_max;
    if (has->timeout) view->timeout_ns = to->timeout_ns;
    if (has->keep) view->has_keep = true;
    if (has->keep) view->keep_ns = to->keep_ns;
    if (has->backoff) view->backoff = to->backoff;
    if (has->tags) view->tags = to->tags;
    if (has->headers) view->headers = to->headers;
    if (has->content_type) view->content_type = to->content_type;
    if (has->on_done) view->on_done = to->on_done;
    if (has->expires) view->expires_ns = push_expires(engine, to);
    if (has->group) view->group = to->group;
    if (has->front) view->front = to->front;
    if (has->limiters) view->limiters = to->limiters;
    if (has->deadline) view->deadline_ns = push_deadline(engine, to);
    if (has->margin) view->margin_ns = to->margin_ns;
    if (has->needs) view->needs = to->needs;
    if (has->cost) view->cost = to->cost > 1 ? to->cost : 0;
    if (!has->payload) return;
    bool is_body = to->payload.size > PAYLOAD_INLINE_BYTES_MAX;
    view->payload_body = is_body ? emit_body(engine, to->payload) : (struct body_ref){.id = 0};
    view->payload = is_body ? SLICE_NONE : to->payload;
}

/* The record takes the place of the job whose texts it borrows, so it gets bytes of its own. */
static void emit_record(struct engine *engine, const struct job_view *view) {
    HOB_AUTO_BUF struct buf bytes = buf_make(UPDATE_RECORD_BYTES_MAX);
    struct effect_scratch scratch = {.logs = NULL};
    struct effect effect = {.type = EFFECT_JOB_PUT, .job_put.job = *view};
    bool fits = effect_encode(&effect, &bytes);
    hob_assert(fits);
    size_t used = effect_decode(buf_slice(&bytes), &scratch, &effect, NULL);
    hob_assert(used == bytes.size);
    emit(engine, &effect);
    effect_scratch_deinit(&scratch);
}

/* The job as it is from now on. */
void update_tell(struct engine *engine, struct job_view *view, struct answer *answer) {
    view->version++;
    uint64_t id = view->id;
    emit_record(engine, view);
    answer->state = view->state;
    answer->version = view->version;
    const struct job *job = job_at(engine, job_find(engine, id));
    if (answer->state == JOB_AVAILABLE) queue_feed(engine, job->queue);
}

void update_emit(
    struct engine *engine,
    uint32_t handle,
    const struct update_command *update,
    struct slice kind,
    struct answer *answer
) {
    struct job_view view;
    job_view_fill(engine, job_at(engine, handle), &view);
    hob_assert(view.state != JOB_RUNNING);
    hob_assert(!job_state_is_final(view.state));
    update_view(engine, update, &view);
    if (kind.size > 0) view.kind = kind;
    update_tell(engine, &view, answer);
}

void apply_update(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct update_command *update = &command->update;
    const char *fault = update_fault(update);
    if (fault != NULL) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, fault);
        return;
    }
    if (update_is_refused(engine, update, answer)) return;
    answer->id = update->id;
    uint32_t handle = job_find(engine, update->id);
    if (handle == 0) {
        answer_set(answer, ANSWER_NO_JOB, NULL);
        return;
    }
    const struct job *job = job_at(engine, handle);
    answer->state = (enum job_state)job->state;
    answer->version = job->version;
    if (update->has_version && update->version != job->version) {
        answer_set(answer, ANSWER_CHANGED, NULL);
        return;
    }
    if (answer->state == JOB_RUNNING || job_state_is_final(answer->state)) {
        answer_set(
            answer, ANSWER_WRONG_STATE, "only a waiting job can be updated; push another one"
        );
        return;
    }
    update_emit(engine, handle, update, SLICE_NONE, answer);
}
