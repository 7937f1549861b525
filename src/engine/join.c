/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes that become one job. The first one makes it; while it waits and holds its unique key, each
 * further one puts its payload into the job's, which is told again as by an update. When as many as
 * merge_max are in it, or no more fits, the job gives up its key and runs at once, and the next
 * push makes another.
 *
 * A push that asks to be merged and cannot be is refused (ANSWER_UNIQUE): to answer with a holder
 * that does not have its payload would lose it. */
#include "engine/core.h"
#include "engine/merge.h"
#include "engine/unique.h"

const char *join_fault(const struct push_command *push) {
    if (push->merge == MERGE_NONE) {
        return push->merge_max == 0 ? NULL : "merge_max bounds a merge: say how to merge";
    }
    if ((unsigned)push->merge >= MERGE_COUNT) return "merge: no such way";
    bool is_bounded = push->merge_max != 1 && push->merge_max <= MERGE_MAX_MAX;
    if (!is_bounded) return "merge_max is 2 to 100000";
    enum on_conflict on_conflict = push->debounce_ns > 0 ? CONFLICT_REPLACE : CONFLICT_EXISTING;
    if (push->unique_scope != UNIQUE_WAITING || push->on_conflict != on_conflict) {
        return "merge has the scope waiting, and no other on_conflict";
    }
    return merge_payload_fault(push->merge, push->payload);
}

static uint32_t merged_of(const struct engine *engine, const struct job *job) {
    const struct labels *labels = job->side == 0 ? NULL : side_at(engine, job->side)->labels;
    return labels == NULL ? 0 : labels->merged;
}

static bool
may_join(const struct engine *engine, const struct push_command *push, uint32_t handle) {
    if (handle == 0) return false;
    const struct job *job = job_at(engine, handle);
    return merged_of(engine, job) > 0 && may_be_changed_by(engine, push, job) &&
           slice_equal(text_slice(kind_at(engine, job->kind)->name), push->kind);
}

/* What the job holds; large bytes are read into @scratch. False: they cannot be had now. */
static bool held_payload(
    struct engine *engine, const struct job *job, struct buf *scratch, struct slice *ret_payload
) {
    if (job->payload_size <= PAYLOAD_INLINE_BYTES_MAX) {
        *ret_payload = slice_of(job->payload.bytes, job->payload_size);
        return true;
    }
    if (engine->sink.body_read == NULL) return false;
    if (!engine->sink.body_read(engine->sink.context, job->payload.body_id, scratch)) return false;
    *ret_payload = buf_slice(scratch);
    return true;
}

static enum answer_code
joined(struct engine *engine, const struct push_command *push, uint32_t handle, struct buf *out) {
    HOB_AUTO_BUF struct buf scratch = buf_make(PAYLOAD_BYTES_MAX);
    struct slice held = SLICE_NONE;
    bool needs_held = push->merge != MERGE_LAST;
    if (needs_held && !held_payload(engine, job_at(engine, handle), &scratch, &held)) {
        return ANSWER_MEMORY;
    }
    switch (merge_join(push->merge, held, push->payload, out)) {
    case MERGE_DONE:
        return ANSWER_OK;
    case MERGE_TOO_LARGE:
        return ANSWER_TOO_LARGE;
    case MERGE_IMPOSSIBLE:
        break;
    }
    return ANSWER_UNIQUE;
}

/* No more pushes join it. One that waits for its next attempt keeps the time of its backoff. */
static void let_go(
    const struct engine *engine,
    const struct job *job,
    struct update_command *update,
    struct job_view *view
) {
    update->has.time = job->state != JOB_RETRYABLE;
    update->to.run_at_ns = engine->now_ns;
    view->unique = SLICE_NONE;
    view->unique_scope = UNIQUE_DONE;
}

/* The job with @payload in it; or, when that is empty, as it is, but without its key. */
static void tell(
    struct engine *engine,
    const struct push_command *push,
    uint32_t handle,
    struct slice payload,
    struct answer *answer
) {
    const struct job *job = job_at(engine, handle);
    uint32_t max = push->merge_max == 0 ? MERGE_MAX_DEFAULT : push->merge_max;
    bool is_joined = payload.size > 0;
    struct update_command update = {.to = *push, .has.payload = is_joined};
    struct job_view view;
    job_view_fill(engine, job, &view);
    update.to.payload = payload;
    if (is_joined) view.merged++;
    if (push->debounce_ns != 0) debounce(engine, job, &update);
    update.to.debounce_ns = 0;
    if (!is_joined || view.merged >= max) let_go(engine, job, &update, &view);
    update_view(engine, &update, &view);
    update_tell(engine, &view, answer);
}

bool join_meets(
    struct engine *engine, const struct push_command *push, uint32_t handle, struct answer *answer
) {
    HOB_AUTO_BUF struct buf payload = buf_make(PAYLOAD_BYTES_MAX);
    enum answer_code code = ANSWER_UNIQUE;
    if (may_join(engine, push, handle)) {
        code = memory_is_short(engine) ? ANSWER_MEMORY : joined(engine, push, handle, &payload);
    }
    if (code == ANSWER_TOO_LARGE) {
        struct answer nobody_hears;
        if (push_is_refused(engine, push, answer)) return true;
        tell(engine, push, handle, SLICE_NONE, &nobody_hears);
        return false;
    }
    if (code != ANSWER_OK) {
        answer_set(answer, code, NULL);
        if (code == ANSWER_MEMORY) answer->retry_after_ns = NS_PER_SECOND;
        return true;
    }
    answer->duplicate = true;
    tell(engine, push, handle, buf_slice(&payload), answer);
    /* The same push again joins nothing: it has. */
    if (push->key.size > 0) {
        emit_key(engine, (struct key_name){.name = push->key}, answer->id, KEY_KEPT_NS);
    }
    return true;
}
