/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: objects as views, lists, counts. A view borrows; it copies no text. */
#include "engine/view.h"

#include "engine/demands.h"
#include "engine/labels.h"
#include "engine/valves.h"

static void
view_fill_run(const struct engine *engine, const struct job *job, struct job_view *ret_view) {
    if (job->run == 0) return;
    const struct run *run = run_at(engine, job->run);
    ret_view->started_ns = run->started_ns;
    ret_view->worker = text_slice(worker_at(engine, run->worker)->name);
    ret_view->token = run->token;
    ret_view->lease_until_ns = run->lease_until_ns;
}

static void view_fill_side(const struct side *side, struct job_view *ret_view) {
    ret_view->key = text_slice(side->key);
    ret_view->ref = text_slice(side->ref);
    ret_view->by = text_slice(side->by);
    ret_view->why = text_slice(side->why);
    ret_view->progress_text = text_slice(side->progress_text);
    if (side->labels != NULL) {
        ret_view->headers = text_slice(side->labels->headers);
        ret_view->tags = text_slice(side->labels->tags);
        ret_view->content_type = text_slice(side->labels->content_type);
        ret_view->on_done = text_slice(side->labels->on_done);
        ret_view->parent = side->labels->parent;
        ret_view->unique = text_slice(side->labels->unique);
        ret_view->unique_scope = (enum unique_scope)side->labels->unique_scope;
        ret_view->unique_for_ns = side->labels->unique_for_ns;
        ret_view->merged = side->labels->merged;
    }
    if (side->term != NULL) {
        ret_view->expires_ns = side->term->expires_ns;
        ret_view->deadline_ns = side->term->deadline_ns;
        ret_view->margin_ns = side->term->margin_ns;
    }
    ret_view->timeout_ns = side->timeout_ns;
    ret_view->has_keep = side->has_keep;
    ret_view->keep_ns = side->keep_ns;
    ret_view->percent = side->percent;
    ret_view->releases = side->releases;
    ret_view->result = side->result;
    ret_view->checkpoint = side->checkpoint;
    ret_view->logs = side->logs;
    ret_view->log_count = side->log_count;
    ret_view->log_lost_bytes = side->log_lost_bytes;
    ret_view->error_count = side->error_count;
    if (side->backoff != NULL) ret_view->backoff = *side->backoff;
    for (uint32_t i = 0; i < side->error_count; i++) ret_view->errors[i] = side->errors[i];
}

void job_view_fill(const struct engine *engine, const struct job *job, struct job_view *ret_view) {
    memset(ret_view, 0, sizeof *ret_view);
    ret_view->id = job->id;
    ret_view->state = (enum job_state)job->state;
    ret_view->queue = text_slice(queue_at(engine, job->queue)->name);
    ret_view->kind = text_slice(kind_at(engine, job->kind)->name);
    ret_view->priority = job->priority;
    ret_view->group = text_slice(group_at(engine, job->group)->name);
    if (job->demand != 0) ret_view->needs = text_slice(demand_at(engine, job->demand)->needs);
    uint32_t cost = demand_cost(engine, job->demand);
    ret_view->cost = cost > 1 ? cost : 0;
    if (job->limits != 0) ret_view->limiters = text_slice(limits_at(engine, job->limits)->text);
    ret_view->front = (job->flags & JOB_FRONT) != 0;
    ret_view->version = job->version;
    ret_view->attempt = job->attempt;
    ret_view->attempt_max = job->attempt_max;
    ret_view->created_ns = job->created_ns;
    ret_view->state_ns = job->state_ns;
    ret_view->run_at_ns = job->run_at_ns;
    if (job->payload_size > PAYLOAD_INLINE_BYTES_MAX) {
        ret_view->payload_body =
            (struct body_ref){.id = job->payload.body_id, .size = job->payload_size};
    } else {
        ret_view->payload = slice_of(job->payload.bytes, job->payload_size);
    }
    view_fill_run(engine, job, ret_view);
    if (job->side != 0) view_fill_side(side_at(engine, job->side), ret_view);
}

bool engine_job(const struct engine *engine, uint64_t id, struct job_view *ret_view) {
    uint32_t handle = job_find(engine, id);
    if (handle == 0) return false;
    job_view_fill(engine, job_at(engine, handle), ret_view);
    if (ret_view->timeout_ns == 0) ret_view->timeout_ns = TIMEOUT_DEFAULT_NS;
    if (ret_view->state != JOB_RUNNING) {
        ret_view->token = 0;
        ret_view->lease_until_ns = 0;
    } else {
        ret_view->lease_until_ns = job_over_ns(engine, job_at(engine, handle));
    }
    return true;
}

/* What a filter's names stand for; 0: any. */
struct filter_handles {
    uint32_t queue;
    uint32_t kind;
};

/* False when a name is not known: then nothing matches. */
static bool filter_resolve(
    const struct engine *engine, const struct job_filter *filter, struct filter_handles *handles
) {
    handles->queue = filter->queue.size == 0 ? 0 : queue_find(engine, filter->queue);
    handles->kind = filter->kind.size == 0 ? 0 : kind_find(engine, filter->kind);
    return (filter->queue.size == 0 || handles->queue != 0) &&
           (filter->kind.size == 0 || handles->kind != 0);
}

/* A mark that a job without a side, or without labels, cannot have. */
static bool side_matches(const struct side *side, const struct job_marks *marks) {
    static const struct labels no_labels = {.parent = 0};
    static const struct side no_side = {.labels = NULL};
    if (side == NULL) side = &no_side;
    const struct labels *labels = side->labels == NULL ? &no_labels : side->labels;
    if (marks->key.size > 0 && !slice_equal(marks->key, text_slice(side->key))) return false;
    if (marks->ref.size > 0 && !slice_equal(marks->ref, text_slice(side->ref))) return false;
    if (marks->parent != 0 && marks->parent != labels->parent) return false;
    return marks->tag.size == 0 || tags_have(text_slice(labels->tags), marks->tag);
}

static bool job_matches(
    const struct engine *engine,
    const struct job *job,
    const struct job_filter *filter,
    struct filter_handles handles
) {
    if (filter->states != 0 && (filter->states & 1u << job->state) == 0) return false;
    if (handles.queue != 0 && job->queue != handles.queue) return false;
    if (handles.kind != 0 && job->kind != handles.kind) return false;
    const struct job_marks *marks = &filter->marks;
    if (marks->until_ns != 0 && job->created_ns >= marks->until_ns) return false;
    return side_matches(job->side == 0 ? NULL : side_at(engine, job->side), marks);
}

/* Ids grow with time, and a child is younger than its parent: nothing older matches either. */
static bool is_before_all(const struct job *job, const struct job_marks *marks) {
    return job->created_ns < marks->since_ns || job->id <= marks->parent;
}

/* Where the walk begins: a ref leads to its newest job. */
static uint64_t
list_from(const struct engine *engine, const struct job_filter *filter, uint64_t before_id) {
    uint64_t from = before_id == 0 ? UINT64_MAX : before_id - 1;
    if (filter->marks.ref.size == 0) return from;
    uint64_t newest = engine_find_ref(engine, filter->marks.ref);
    return newest < from ? newest : from;
}

uint64_t engine_list(
    const struct engine *engine,
    const struct job_filter *filter,
    struct page_limits limits,
    uint64_t *ret_ids,
    uint32_t *ret_count
) {
    struct filter_handles handles;
    *ret_count = 0;
    if (!filter_resolve(engine, filter, &handles)) return 0;
    uint64_t from = list_from(engine, filter, limits.before_id);
    if (from == 0) return 0;
    for (uint32_t scanned = 0; scanned < limits.scan_max; scanned++) {
        uint64_t id = 0;
        uint32_t handle = idmap_previous(&engine->job_ids, from, &id);
        if (handle == 0) return 0;
        const struct job *job = job_at(engine, handle);
        if (is_before_all(job, &filter->marks)) return 0;
        if (*ret_count == limits.id_max) return id + 1;
        if (job_matches(engine, job, filter, handles)) ret_ids[(*ret_count)++] = id;
        from = id - 1; /* ids are counted from 1 */
        if (from == 0) return 0;
    }
    return from + 1;
}

void queue_view_fill(
    const struct engine *engine, const struct queue *queue, struct queue_view *ret_view
) {
    memset(ret_view, 0, sizeof *ret_view);
    ret_view->name = text_slice(queue->name);
    ret_view->order = queue->order;
    ret_view->paused = queue->paused;
    ret_view->paused_until_ns = queue->paused_until_ns;
    ret_view->paused_by = text_slice(queue->paused_by);
    ret_view->paused_why = text_slice(queue->paused_why);
    ret_view->keep_completed_ns = queue->keep_completed_ns;
    ret_view->keep_completed_count = queue->keep_completed_count;
    ret_view->keep_failed_ns = queue->keep_failed_ns;
    ret_view->keep_failed_count = queue->keep_failed_count;
    ret_view->tier = queue->tier;
    ret_view->weight = queue->weight;
    ret_view->concurrency = queue->concurrency;
    ret_view->length = queue->length;
    ret_view->on_full = queue->on_full;
    ret_view->aging_ns = queue->aging_ns;
    ret_view->group_rule = queue->group_rule;
    if (queue->valve == 0) return;
    ret_view->rate = valve_at(engine, queue->valve)->rate;
    ret_view->tat_ns = valve_at(engine, queue->valve)->tat_ns;
}

static void queue_view_counts(
    const struct engine *engine,
    uint32_t handle,
    const struct queue *queue,
    struct queue_view *ret_view
) {
    memcpy(ret_view->counts, queue->counts, sizeof ret_view->counts);
    ret_view->pushed = queue->pushed;
    ret_view->completed = queue->completed_total;
    ret_view->failed = queue->failed_total;
    ret_view->discarded = queue->discarded_total;
    uint32_t oldest = ready_oldest(engine, handle);
    ret_view->oldest_ns = oldest == 0 ? 0 : job_at(engine, oldest)->created_ns;
    if (!queue_is_paused(engine, queue)) ret_view->paused = false;
    if (queue->valve != 0) {
        ret_view->opens_ns = valve_opens_ns(engine, valve_at(engine, queue->valve));
    }
}

bool engine_queue_at(const struct engine *engine, uint32_t at, struct queue_view *ret_view) {
    if (at >= engine->queue_count) return false;
    uint32_t handle = engine->queue_list[at];
    queue_view_fill(engine, queue_at(engine, handle), ret_view);
    queue_view_counts(engine, handle, queue_at(engine, handle), ret_view);
    return true;
}

bool engine_queue(const struct engine *engine, struct slice name, struct queue_view *ret_view) {
    uint32_t handle = queue_find(engine, name);
    if (handle == 0) return false;
    return engine_queue_at(engine, queue_at(engine, handle)->number, ret_view);
}

bool engine_worker_at(const struct engine *engine, uint32_t at, struct worker_view *ret_view) {
    if (at >= engine->worker_count) return false;
    const struct worker *worker = worker_at(engine, engine->worker_list[at]);
    *ret_view = (struct worker_view){
        .name = text_slice(worker->name),
        .slots = worker->slots,
        .running = worker->running,
        .kind_count = worker->kind_count,
        .labels = text_slice(worker->labels),
        .alive_until_ns = worker->alive_until_ns,
    };
    return true;
}

void engine_stats(const struct engine *engine, struct engine_stats *ret_stats) {
    /* A full record without the strings that are counted, as measured for a plain job with short
     * names. */
    enum { RECORD_BYTES = 28, TOKEN_RECORD_BYTES = 128 };
    *ret_stats = (struct engine_stats){
        .jobs = engine->job_ids.count,
        .queues = engine->queue_count,
        .kinds = engine->kinds.count,
        .workers = engine->worker_count,
        .keys = engine->keys.count,
        .tokens = engine->token_count,
        .waiting_fetches = engine->waiting_fetches,
        .next_id = engine->next_id,
        .memory_bytes = memory_used(engine),
        .memory_max_bytes = engine->memory_max_bytes,
        .live_bytes = engine->inline_bytes +
                      (uint64_t)(engine->jobs.count + engine->keys.count) * RECORD_BYTES +
                      (uint64_t)engine->token_count * TOKEN_RECORD_BYTES,
    };
    memcpy(ret_stats->counts, engine->state_counts, sizeof ret_stats->counts);
}
