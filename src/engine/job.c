/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a job object. A job is always in exactly the structure that its state asks for:
 *
 *     scheduled, retryable   the queue's timers, by run_at
 *     available              the queue's ready jobs (ready.c)
 *     blocked                only the index of blocked jobs (unique.c)
 *     running                the queue's timers, by the end of its lease
 *     final                  a retention list of the queue, or its timers when the job says how
 *                            long it is kept
 *
 * and, in the states in which it holds its unique key, in the index of the held ones (unique.c).
 *
 * job_leave and job_enter are the two ends of that rule; job_make, job_move and job_unmake are made
 * of them. */
#include "engine/demands.h"
#include "engine/unique.h"
#include "engine/valves.h"

hob_ns job_hard_ns(const struct engine *engine, const struct job *job) {
    hob_ns timeout_ns = job->side == 0 ? 0 : side_at(engine, job->side)->timeout_ns;
    if (timeout_ns == 0) timeout_ns = TIMEOUT_DEFAULT_NS;
    hob_ns end_ns = ns_add(run_at(engine, job->run)->started_ns, timeout_ns);
    /* A jump of the clock may have moved the start behind the deadline. */
    hob_ns deadline_ns = term_left(engine, job, 0);
    return ns_add(deadline_ns < end_ns ? deadline_ns : end_ns, TIMEOUT_GRACE_NS);
}

struct side *job_side(struct engine *engine, struct job *job) {
    if (job->side == 0) job->side = pool_new(&engine->sides);
    return side_at(engine, job->side);
}

static bool job_has_keep(const struct engine *engine, const struct job *job) {
    return job->side != 0 && side_at(engine, job->side)->has_keep;
}

static struct job_list *retention_list(struct queue *queue, enum job_state state) {
    return state == JOB_COMPLETED ? &queue->completed : &queue->failed;
}

static void retention_add(struct engine *engine, uint32_t handle) {
    struct job *job = job_at(engine, handle);
    struct queue *queue = queue_at(engine, job->queue);
    struct job_list *list = retention_list(queue, (enum job_state)job->state);
    if (list->last != 0 && job_at(engine, list->last)->state_ns > job->state_ns) {
        hob_assert(engine->replaying);
        queue->unsorted = true;
    }
    job_list_append(engine, list, handle);
}

static void job_leave(struct engine *engine, uint32_t handle) {
    struct job *job = job_at(engine, handle);
    term_leave(engine, handle);
    unique_leave(engine, handle);
    switch ((enum job_state)job->state) {
    case JOB_AVAILABLE:
        ready_remove(engine, handle);
        queue_changed(engine, job->queue);
        if (job_is_overdue(engine, job)) queue_feed(engine, job->queue); /* it stood in the way */
        break;
    case JOB_RUNNING:
        timer_clear(engine, handle);
        worker_release(engine, handle);
        break;
    case JOB_SCHEDULED:
    case JOB_RETRYABLE:
        timer_clear(engine, handle);
        break;
    case JOB_COMPLETED:
    case JOB_DISCARDED:
    case JOB_CANCELLED:
        if (job_has_keep(engine, job)) {
            timer_clear(engine, handle);
        } else {
            struct queue *queue = queue_at(engine, job->queue);
            job_list_remove(engine, retention_list(queue, (enum job_state)job->state), handle);
        }
        break;
    case JOB_BLOCKED:
        break;
    case JOB_STATE_COUNT:
        hob_assert(job->state < JOB_STATE_COUNT);
    }
    struct queue *from = queue_at(engine, job->queue);
    from->counts[job->state]--;
    engine->state_counts[job->state]--;
    length_touch(engine, job->queue);
    valves_count(engine, job, -1);
    /* A slot of the queue is free: who waited for it looks again. */
    if (job->state == JOB_RUNNING && from->concurrency > 0) queue_feed(engine, job->queue);
}

static void job_enter(struct engine *engine, uint32_t handle) {
    struct job *job = job_at(engine, handle);
    term_enter(engine, handle);
    switch ((enum job_state)job->state) {
    case JOB_AVAILABLE:
        ready_add(engine, handle);
        break;
    case JOB_RUNNING:
        worker_hold(engine, handle);
        timer_set(engine, handle, job_over_ns(engine, job));
        break;
    case JOB_SCHEDULED:
    case JOB_RETRYABLE:
        timer_set(engine, handle, job->run_at_ns);
        break;
    case JOB_COMPLETED:
    case JOB_DISCARDED:
    case JOB_CANCELLED:
        if (job_has_keep(engine, job)) {
            hob_ns keep_ns = side_at(engine, job->side)->keep_ns;
            timer_set(engine, handle, ns_add(job->state_ns, keep_ns));
        } else {
            retention_add(engine, handle);
        }
        break;
    case JOB_BLOCKED:
        break;
    case JOB_STATE_COUNT:
        hob_assert(job->state < JOB_STATE_COUNT);
    }
    unique_enter(engine, handle);
    queue_at(engine, job->queue)->counts[job->state]++;
    engine->state_counts[job->state]++;
    length_enter(engine, handle);
    valves_count(engine, job, 1);
}

void job_move(struct engine *engine, uint32_t handle, enum job_state state, hob_ns at_ns) {
    struct job *job = job_at(engine, handle);
    hob_assert(job_state_may_move((enum job_state)job->state, state));
    job_leave(engine, handle);
    job->state = (uint8_t)state;
    job->state_ns = at_ns;
    job->version++;
    job_enter(engine, handle);
    queue_touch(engine, job->queue);
}

/* --- making --- */

static bool backoff_is_default(const struct backoff *backoff) {
    return backoff->type == BACKOFF_EXPONENTIAL && backoff->base_ns == 0 && backoff->max_ns == 0;
}

static void side_make_logs(struct engine *engine, struct side *side, const struct job_view *view) {
    if (view->log_count == 0) return;
    size_t bytes = view->log_count * sizeof *side->logs;
    side->logs = mem_alloc(&engine->mem, bytes);
    memcpy(side->logs, view->logs, bytes);
    side->log_count = view->log_count;
    side->log_capacity = view->log_count;
}

static bool view_needs_labels(const struct job_view *view) {
    return view->headers.size > 0 || view->tags.size > 0 || view->content_type.size > 0 ||
           view->on_done.size > 0 || view->parent != 0 || view->unique.size > 0 ||
           view->merged != 0;
}

static bool view_needs_side(const struct job_view *view) {
    return view->key.size > 0 || view->ref.size > 0 || view->by.size > 0 || view->why.size > 0 ||
           view->progress_text.size > 0 || view->timeout_ns != 0 || view->has_keep ||
           view->error_count > 0 || view->percent != 0 || view->releases != 0 ||
           !backoff_is_default(&view->backoff) || view->result.id != 0 ||
           view->checkpoint.id != 0 || view->log_count > 0 || view->log_lost_bytes != 0 ||
           view_needs_labels(view) || view_needs_term(view);
}

static void
side_make_labels(struct engine *engine, struct side *side, const struct job_view *view) {
    if (!view_needs_labels(view)) return;
    side->labels = mem_alloc(&engine->mem, sizeof *side->labels);
    *side->labels = (struct labels){
        .headers = text_new(engine, view->headers),
        .tags = text_new(engine, view->tags),
        .content_type = text_new(engine, view->content_type),
        .on_done = text_new(engine, view->on_done),
        .parent = view->parent,
        .unique = text_new(engine, view->unique),
        .unique_scope = (uint8_t)view->unique_scope,
        .unique_for_ns = view->unique_for_ns,
        .merged = view->merged,
    };
}

static void side_make(struct engine *engine, struct job *job, const struct job_view *view) {
    struct side *side = job_side(engine, job);
    side->key = text_new(engine, view->key);
    side->ref = text_new(engine, view->ref);
    side->by = text_new(engine, view->by);
    side->why = text_new(engine, view->why);
    side->progress_text = text_new(engine, view->progress_text);
    side->timeout_ns = view->timeout_ns;
    side->has_keep = view->has_keep;
    side->keep_ns = view->has_keep ? view->keep_ns : 0;
    side->percent = view->percent;
    side->releases = view->releases;
    side->result = view->result;
    side->checkpoint = view->checkpoint;
    side->log_lost_bytes = view->log_lost_bytes;
    if (!backoff_is_default(&view->backoff)) {
        side->backoff = mem_alloc(&engine->mem, sizeof *side->backoff);
        *side->backoff = view->backoff;
    }
    side_make_labels(engine, side, view);
    term_make(engine, side, view);
    side_make_logs(engine, side, view);
    for (uint32_t i = 0; i < view->error_count; i++) {
        job_error_add(engine, job, &view->errors[i]);
    }
}

static void job_make_payload(struct engine *engine, struct job *job, const struct job_view *view) {
    if (view->payload_body.id != 0) {
        job->payload_size = view->payload_body.size;
        job->payload.body_id = view->payload_body.id;
        return;
    }
    struct text text = text_new(engine, view->payload);
    job->payload_size = text.size;
    job->payload.bytes = text.bytes;
}

uint32_t job_make(struct engine *engine, const struct job_view *view) {
    hob_assert(job_find(engine, view->id) == 0);
    uint32_t handle = pool_new(&engine->jobs);
    struct job *job = job_at(engine, handle);
    job->id = view->id;
    job->created_ns = view->created_ns;
    job->state_ns = view->state_ns;
    job->run_at_ns = view->run_at_ns;
    job->priority = view->priority;
    job->queue = queue_need(engine, view->queue);
    job->kind = kind_use(engine, view->kind);
    job->group = group_use(engine, job->queue, view->group);
    job->limits = limits_use(engine, view->limiters);
    job->demand = demand_use(engine, view->needs, view->cost);
    job->flags = view->front ? JOB_FRONT : 0;
    job->heap_at = HEAP_NOWHERE;
    job->home = engine->home;
    job->version = view->version == 0 ? 1 : view->version;
    job->attempt = (uint16_t)view->attempt;
    job->attempt_max = (uint16_t)view->attempt_max;
    job->state = (uint8_t)view->state;
    job_make_payload(engine, job, view);
    if (view_needs_side(view)) side_make(engine, job, view);
    if (view->started_ns != 0) {
        job->run = pool_new(&engine->runs);
        struct run *run = run_at(engine, job->run);
        run->token = view->token;
        run->started_ns = view->started_ns;
        run->lease_until_ns = view->lease_until_ns;
        run->worker = worker_need(engine, view->worker);
        worker_at(engine, run->worker)->users++;
    }
    idmap_set(&engine->job_ids, job->id, handle);
    if (view->ref.size > 0) ref_add(engine, handle);
    job_enter(engine, handle);
    queue_touch(engine, job->queue);
    return handle;
}

/* --- unmaking --- */

void body_forget(struct engine *engine, struct body_ref *body) {
    if (body->id != 0) engine->sink.body_drop(engine->sink.context, body->id);
    *body = (struct body_ref){0};
}

static void error_free(struct engine *engine, struct job_error *error) {
    struct text what = {.bytes = (char *)error->what.bytes, .size = (uint32_t)error->what.size};
    struct text text = {.bytes = (char *)error->text.bytes, .size = (uint32_t)error->text.size};
    text_free(engine, &what);
    text_free(engine, &text);
}

void job_error_add(struct engine *engine, struct job *job, const struct job_error *error) {
    struct side *side = job_side(engine, job);
    size_t bytes = ERRORS_KEPT_MAX * sizeof *side->errors;
    if (side->errors == NULL) side->errors = mem_zero_alloc(&engine->mem, bytes);
    if (side->error_count == ERRORS_KEPT_MAX) {
        error_free(engine, &side->errors[0]);
        body_forget(engine, &side->errors[0].backtrace);
        memmove(side->errors, side->errors + 1, bytes - sizeof *side->errors);
        side->error_count--;
    }
    struct job_error *added = &side->errors[side->error_count++];
    *added = *error;
    added->what = text_slice(text_new(engine, error->what));
    added->text = text_slice(text_new(engine, error->text));
}

static void side_forget_bodies(struct engine *engine, struct side *side) {
    body_forget(engine, &side->result);
    body_forget(engine, &side->checkpoint);
    for (uint32_t i = 0; i < side->error_count; i++) {
        body_forget(engine, &side->errors[i].backtrace);
    }
    for (uint32_t i = 0; i < side->log_count; i++) body_forget(engine, &side->logs[i]);
}

static void labels_free(struct engine *engine, struct labels *labels) {
    if (labels == NULL) return;
    text_free(engine, &labels->headers);
    text_free(engine, &labels->tags);
    text_free(engine, &labels->content_type);
    text_free(engine, &labels->on_done);
    text_free(engine, &labels->unique);
    mem_free(&engine->mem, labels, sizeof *labels);
}

static void side_free(struct engine *engine, struct side *side) {
    text_free(engine, &side->key);
    text_free(engine, &side->ref);
    text_free(engine, &side->by);
    text_free(engine, &side->why);
    text_free(engine, &side->progress_text);
    labels_free(engine, side->labels);
    term_free(engine, side);
    mem_free(&engine->mem, side->backoff, sizeof *side->backoff);
    for (uint32_t i = 0; i < side->error_count; i++) error_free(engine, &side->errors[i]);
    mem_free(&engine->mem, side->errors, ERRORS_KEPT_MAX * sizeof *side->errors);
    mem_free(&engine->mem, side->logs, side->log_capacity * sizeof *side->logs);
}

void job_unmake(struct engine *engine, uint32_t handle, bool drop_bodies) {
    struct job *job = job_at(engine, handle);
    job_leave(engine, handle);
    queue_touch(engine, job->queue);
    if (job->run != 0) {
        worker_at(engine, run_at(engine, job->run)->worker)->users--;
        pool_free(&engine->runs, job->run);
    }
    if (job->payload_size > PAYLOAD_INLINE_BYTES_MAX) {
        struct body_ref body = {.id = job->payload.body_id};
        if (drop_bodies) body_forget(engine, &body);
    } else {
        struct text text = {.bytes = job->payload.bytes, .size = job->payload_size};
        text_free(engine, &text);
    }
    if (job->side != 0) {
        struct side *side = side_at(engine, job->side);
        if (side->ref.size > 0) ref_remove(engine, handle);
        if (drop_bodies) side_forget_bodies(engine, side);
        side_free(engine, side);
        pool_free(&engine->sides, job->side);
    }
    kind_unuse(engine, job->kind);
    group_unuse(engine, job->group);
    limits_unuse(engine, job->limits);
    demand_unuse(engine, job->demand);
    idmap_remove(&engine->job_ids, job->id);
    pool_free(&engine->jobs, handle);
}

/* --- after replay: retention lists in order of time again --- */

static bool retention_before(void *context, uint32_t a, uint32_t b) {
    return job_at(context, a)->id < job_at(context, b)->id;
}

static void retention_moved(void *context, uint32_t item, uint32_t at) {
    (void)context;
    (void)item;
    (void)at;
}

void job_list_resort(struct engine *engine, struct queue *queue) {
    static const struct heap_rules rules = {.before = retention_before, .moved = retention_moved};
    struct job_list *lists[] = {&queue->completed, &queue->failed};
    for (size_t i = 0; i < hob_countof(lists); i++) {
        struct heap heap = {0};
        for (uint32_t at = lists[i]->first; at != 0; at = job_at(engine, at)->next) {
            heap_push(&heap, &engine->mem, &rules, engine, job_at(engine, at)->state_ns, at);
        }
        *lists[i] = (struct job_list){0};
        while (heap.count > 0) {
            retention_add(engine, heap.entries[0].item);
            heap_remove(&heap, &engine->mem, &rules, engine, 0);
        }
    }
    queue->unsorted = false;
}
