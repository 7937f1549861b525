/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each object, one line for each field. */
#include "dialect/fields.h"

#include "base/assert.h"
#include "base/glob.h"
#include "dialect/access.h"
#include "dialect/backoff.h"
#include "dialect/option.h"
#include "engine/states.h"

struct fields fields_make(void) {
    struct fields fields;
    fields.count = 0;
    fields.spec = buf_make(FIELD_SPEC_BYTES_MAX);
    return fields;
}

void fields_deinit(struct fields *fields) {
    buf_deinit(&fields->spec);
}

struct field *fields_add(struct fields *fields, const char *name, enum field_type type) {
    hob_assert(fields->count < FIELDS_MAX);
    struct field *field = &fields->items[fields->count++];
    field->name = name;
    field->type = type;
    return field;
}

void fields_add_u64(struct fields *fields, const char *name, enum field_type type, uint64_t value) {
    fields_add(fields, name, type)->number = value;
}

void fields_add_number(struct fields *fields, const char *name, uint64_t value) {
    fields_add_u64(fields, name, FIELD_NUMBER, value);
}

/* 0 is "not set": absent. */
static void add_time(struct fields *fields, const char *name, hob_ns time) {
    if (time != 0) fields_add_u64(fields, name, FIELD_TIME, time);
}

static void add_text(struct fields *fields, const char *name, struct slice text) {
    if (text.size != 0) fields_add(fields, name, FIELD_TEXT)->text = text;
}

static void add_word(struct fields *fields, const char *name, const char *word) {
    fields_add(fields, name, FIELD_TEXT)->text = slice_str(word);
}

static void
add_body(struct fields *fields, const char *name, enum field_type type, struct body_ref body) {
    if (body.id != 0) fields_add(fields, name, type)->body = body;
}

static void add_bytes(struct fields *fields, const struct job_view *job) {
    if (job->payload_body.id != 0) {
        add_body(fields, "payload", FIELD_BODY, job->payload_body);
    } else {
        fields_add(fields, "payload", FIELD_BYTES)->text = job->payload;
    }
    add_body(fields, "result", FIELD_BODY, job->result);
    add_body(fields, "checkpoint", FIELD_BODY, job->checkpoint);
}

static void add_running(struct fields *fields, const struct job_view *job) {
    add_time(fields, "started_at", job->started_ns);
    if (job->state == JOB_RUNNING) add_time(fields, "lease_until", job->lease_until_ns);
    fields_add_u64(fields, "timeout_ms", FIELD_SPAN, job->timeout_ns);
}

static void add_labels(struct fields *fields, const struct job_view *job) {
    if (job->parent != 0) fields_add_u64(fields, "parent", FIELD_ID, job->parent);
    if (job->tags.size > 0) fields_add(fields, "tags", FIELD_TAGS)->text = job->tags;
    add_text(fields, "content_type", job->content_type);
    if (job->headers.size > 0) fields_add(fields, "headers", FIELD_JSON)->text = job->headers;
    if (job->on_done.size > 0) fields_add(fields, "on_done", FIELD_DONE)->text = job->on_done;
}

static void add_asked(struct fields *fields, const struct job_view *job) {
    add_text(fields, "key", job->key);
    add_text(fields, "ref", job->ref);
    add_text(fields, "unique", job->unique);
    if (job->unique.size > 0) {
        add_word(fields, "unique_scope", unique_scope_word(job->unique_scope));
    }
    if (job->merged > 0) fields_add_number(fields, "merged", job->merged);
    if (job->unique_for_ns > 0) {
        fields_add_u64(fields, "unique_for_ms", FIELD_SPAN, job->unique_for_ns);
    }
    add_labels(fields, job);
    add_time(fields, "expires_at", job->expires_ns);
    add_time(fields, "deadline", job->deadline_ns);
    if (job->margin_ns != 0) fields_add_u64(fields, "margin_ms", FIELD_SPAN, job->margin_ns);
    if (job->needs.size > 0) fields_add(fields, "needs", FIELD_TAGS)->text = job->needs;
    if (job->cost > 1) fields_add_number(fields, "cost", job->cost);
    if (job->has_keep) fields_add_u64(fields, "keep_ms", FIELD_SPAN, job->keep_ns);
    if (job->percent != 0 || job->progress_text.size != 0) {
        fields_add_number(fields, "progress", job->percent);
    }
    add_text(fields, "progress_text", job->progress_text);
    add_text(fields, "by", job->by);
    add_text(fields, "why", job->why);
}

/* In a list, of the last error only what tells it from others. */
static void add_last_error(struct fields *fields, const struct job_error *error) {
    add_text(fields, "error", error->text);
    add_word(fields, "error_cause", error_cause_word(error->cause));
    fields_add(fields, "error_code", FIELD_SIGNED)->number_signed = error->code;
    add_text(fields, "error_what", error->what);
}

void fields_of_job(struct fields *fields, const struct job_view *job, enum job_detail detail) {
    fields_add_u64(fields, "id", FIELD_ID, job->id);
    if (detail == JOB_LEASED) fields_add_u64(fields, "token", FIELD_ID, job->token);
    add_text(fields, "queue", job->queue);
    add_text(fields, "kind", job->kind);
    add_word(fields, "state", job_state_word(job->state));
    fields_add_number(fields, "priority", job->priority);
    add_text(fields, "group", job->group);
    if (job->front) fields_add_u64(fields, "front", FIELD_BOOL, job->front);
    if (job->limiters.size > 0) fields_add(fields, "limiters", FIELD_TAGS)->text = job->limiters;
    fields_add_number(fields, "attempt", job->attempt);
    fields_add_number(fields, "attempt_max", job->attempt_max);
    if (detail != JOB_SHORT) fields_add_number(fields, "releases", job->releases);
    fields_add_number(fields, "version", job->version);
    add_time(fields, "created_at", job->created_ns);
    add_time(fields, "state_at", job->state_ns);
    add_time(fields, "run_at", job->run_at_ns);
    if (detail != JOB_SHORT) add_running(fields, job);
    add_text(fields, "worker", job->worker);
    if (detail == JOB_SHORT) {
        if (job->tags.size > 0) fields_add(fields, "tags", FIELD_TAGS)->text = job->tags;
        hob_assert(job->error_count <= ERRORS_KEPT_MAX);
        if (job->error_count > 0) add_last_error(fields, &job->errors[job->error_count - 1]);
        return;
    }
    add_asked(fields, job);
    add_bytes(fields, job);
    if (job->error_count > 0) fields_add(fields, "errors", FIELD_ERRORS)->job = job;
    buf_reset(&fields->spec);
    backoff_put(&fields->spec, &job->backoff);
    add_text(fields, "backoff", buf_slice(&fields->spec));
}

void fields_of_error(struct fields *fields, const struct job_error *error) {
    fields_add_number(fields, "attempt", error->attempt);
    add_word(fields, "cause", error_cause_word(error->cause));
    fields_add(fields, "code", FIELD_SIGNED)->number_signed = error->code;
    add_time(fields, "at", error->at_ns);
    add_text(fields, "what", error->what);
    add_text(fields, "text", error->text);
    add_body(fields, "backtrace", FIELD_TRACE, error->backtrace);
}

static const char *order_word(enum queue_order order) {
    return order == QUEUE_LIFO ? "lifo" : "fifo";
}

static void
add_rate(struct fields *fields, const char *name, const char *burst, const struct rate *rate) {
    if (rate->count == 0) return;
    size_t before = fields->spec.size;
    rate_put(&fields->spec, rate);
    struct slice text = slice_of(fields->spec.bytes + before, fields->spec.size - before);
    add_text(fields, name, text);
    fields_add_number(fields, burst, rate->burst == 0 ? rate->count : rate->burst);
}

static void
add_pause(struct fields *fields, bool paused, hob_ns until_ns, struct slice by, struct slice why) {
    fields_add_u64(fields, "paused", FIELD_BOOL, paused);
    if (!paused) return;
    add_time(fields, "paused_until", until_ns);
    add_text(fields, "paused_by", by);
    add_text(fields, "paused_why", why);
}

/* What is not its own is the rule's. */
static void add_own(struct fields *fields, const struct valve_settings *own) {
    size_t before = fields->spec.size;
    const char *words[] = {
        own->has_weight ? "weight" : NULL,
        own->has_concurrency ? "concurrency" : NULL,
        own->has_rate ? "rate" : NULL,
    };
    for (size_t i = 0; i < hob_countof(words); i++) {
        if (words[i] == NULL) continue;
        if (fields->spec.size > before) (void)buf_put_char(&fields->spec, ',');
        (void)buf_put_str(&fields->spec, words[i]);
    }
    size_t size = fields->spec.size - before;
    if (size == 0) return;
    fields_add(fields, "own", FIELD_TAGS)->text = slice_of(fields->spec.bytes + before, size);
}

void fields_of_valve(struct fields *fields, const struct valve_view *valve) {
    /* So much is written to it that it never moves. */
    buf_reset(&fields->spec);
    (void)buf_reserve(&fields->spec, FIELD_SPEC_BYTES_MAX / 2);
    add_text(fields, "queue", valve->queue);
    add_text(fields, "name", valve->name);
    add_pause(fields, valve->paused, valve->paused_until_ns, valve->paused_by, valve->paused_why);
    if (valve->sort == VALVE_KIND) return;
    if (valve->sort == VALVE_GROUP) {
        fields_add_number(fields, "weight", valve->own.has_weight ? valve->own.weight : 1);
    }
    bool is_rule = valve->sort == VALVE_LIMITER && glob_has_wildcard(valve->name);
    fields_add_number(fields, "concurrency", is_rule ? valve->own.concurrency : valve->concurrency);
    add_rate(fields, "rate", "burst", is_rule ? &valve->own.rate : &valve->rate);
    add_own(fields, &valve->own);
    fields_add_number(fields, "running", valve->running);
    fields_add_number(fields, "waiting", valve->waiting);
    add_time(fields, "opens_at", valve->opens_ns);
    if (valve->sort != VALVE_GROUP) return;
    fields_add_number(fields, "held", valve->held);
    if (valve->blocked_by != 0) fields_add_u64(fields, "blocked_by", FIELD_ID, valve->blocked_by);
}

static void add_queue_valves(struct fields *fields, const struct queue_view *queue) {
    buf_reset(&fields->spec);
    (void)buf_reserve(&fields->spec, FIELD_SPEC_BYTES_MAX / 2);
    const struct group_rule *rule = &queue->group_rule;
    if (queue->aging_ns != 0) fields_add_u64(fields, "aging_ms", FIELD_SPAN, queue->aging_ns);
    add_rate(fields, "rate", "burst", &queue->rate);
    add_time(fields, "opens_at", queue->opens_ns);
    fields_add_number(fields, "group_concurrency", rule->concurrency);
    add_rate(fields, "group_rate", "group_burst", &rule->rate);
    add_word(fields, "group_order", group_order_word(rule->order));
}

void fields_of_queue(struct fields *fields, const struct queue_view *queue) {
    add_text(fields, "name", queue->name);
    add_word(fields, "order", order_word(queue->order));
    fields_add_number(fields, "tier", queue->tier);
    fields_add_number(fields, "weight", queue->weight);
    fields_add_number(fields, "concurrency", queue->concurrency);
    fields_add_number(fields, "length", queue->length);
    add_word(fields, "on_full", on_full_word(queue->on_full));
    add_queue_valves(fields, queue);
    add_pause(fields, queue->paused, queue->paused_until_ns, queue->paused_by, queue->paused_why);
    for (enum job_state state = 0; state < JOB_STATE_COUNT; state++) {
        fields_add_number(fields, job_state_word(state), queue->counts[state]);
    }
    add_time(fields, "oldest_at", queue->oldest_ns);
    fields_add_u64(fields, "keep_completed_ms", FIELD_SPAN, queue->keep_completed_ns);
    fields_add_number(fields, "keep_completed_count", queue->keep_completed_count);
    fields_add_u64(fields, "keep_failed_ms", FIELD_SPAN, queue->keep_failed_ns);
    fields_add_number(fields, "keep_failed_count", queue->keep_failed_count);
    fields_add_number(fields, "pushed_total", queue->pushed);
    fields_add_number(fields, "completed_total", queue->completed);
    fields_add_number(fields, "failed_total", queue->failed);
    fields_add_number(fields, "discarded_total", queue->discarded);
}

void fields_of_token(struct fields *fields, const struct token_view *token) {
    buf_reset(&fields->spec);
    for (enum scope scope = SCOPE_PUSH; scope <= SCOPE_ADMIN; scope++) {
        if ((token->scopes & 1u << scope) == 0) continue;
        if (fields->spec.size > 0) (void)buf_put_char(&fields->spec, ',');
        (void)buf_put_str(&fields->spec, scope_word(scope));
    }
    add_text(fields, "name", token->name);
    add_text(fields, "scopes", buf_slice(&fields->spec));
    add_text(fields, "queues", token->queues);
    add_time(fields, "created_at", token->created_ns);
    add_time(fields, "expires_at", token->expires_ns);
    add_time(fields, "used_at", token->used_ns);
    add_text(fields, "by", token->by);
}

void fields_of_worker(struct fields *fields, const struct worker_view *worker) {
    add_text(fields, "name", worker->name);
    fields_add_number(fields, "slots", worker->slots);
    fields_add_number(fields, "running", worker->running);
    fields_add_number(fields, "kinds", worker->kind_count);
    if (worker->labels.size > 0) fields_add(fields, "labels", FIELD_TAGS)->text = worker->labels;
    add_time(fields, "alive_until", worker->alive_until_ns);
}

void fields_of_unserved(struct fields *fields, const struct unserved_view *unserved) {
    add_text(fields, "queue", unserved->queue);
    add_text(fields, "kind", unserved->kind);
    fields_add_number(fields, "available", unserved->available);
    add_time(fields, "oldest_at", unserved->since_ns);
    if (unserved->needs.size > 0) fields_add(fields, "needs", FIELD_TAGS)->text = unserved->needs;
    if (unserved->cost > 1) fields_add_number(fields, "cost", unserved->cost);
}

bool field_is_maps(const struct field *field) {
    return field->type == FIELD_ERRORS || field->type == FIELD_KINDS ||
           field->type == FIELD_GATES || field->type == FIELD_MINUTES;
}

uint32_t field_map_count(const struct field *field) {
    hob_assert(field_is_maps(field));
    if (field->type == FIELD_MINUTES) return field->statistics->series_count;
    if (field->type == FIELD_GATES) return field->explanation->gate_count;
    return field->type == FIELD_ERRORS ? field->job->error_count : field->unserved->count;
}

void field_map(const struct field *field, uint32_t at, struct fields *ret_fields) {
    hob_assert(at < field_map_count(field));
    if (field->type == FIELD_ERRORS) {
        fields_of_error(ret_fields, &field->job->errors[at]);
    } else if (field->type == FIELD_GATES) {
        fields_of_gate(ret_fields, &field->explanation->gates[at]);
    } else if (field->type == FIELD_MINUTES) {
        fields_of_minute(ret_fields, &field->statistics->series[at]);
    } else {
        fields_of_unserved(ret_fields, &field->unserved->rows[at]);
    }
}

void fields_of_stats(
    struct fields *fields,
    const struct host *host,
    const struct host_stats *stats,
    const struct unserved_list *unserved
) {
    const struct engine_stats *engine = &stats->engine;
    add_word(fields, "version", host->version);
    add_time(fields, "now", host->now_ns);
    fields_add_u64(fields, "uptime_ms", FIELD_SPAN, stats->uptime_ns);
    fields_add_number(fields, "connections", stats->connections);
    fields_add_number(fields, "jobs", engine->jobs);
    for (enum job_state state = 0; state < JOB_STATE_COUNT; state++) {
        fields_add_number(fields, job_state_word(state), engine->counts[state]);
    }
    fields_add_number(fields, "queues", engine->queues);
    fields_add_number(fields, "kinds", engine->kinds);
    fields_add_number(fields, "workers", engine->workers);
    fields_add_number(fields, "keys", engine->keys);
    fields_add_number(fields, "waiting_fetches", engine->waiting_fetches);
    fields_add_u64(fields, "next_id", FIELD_ID, engine->next_id);
    fields_add_number(fields, "memory_bytes", engine->memory_bytes);
    fields_add_number(fields, "memory_max_bytes", engine->memory_max_bytes);
    fields_add_number(fields, "live_bytes", engine->live_bytes);
    fields_add_number(fields, "bodies", stats->bodies);
    fields_add_number(fields, "body_bytes", stats->body_bytes);
    fields_add_number(fields, "turns", stats->turns);
    fields_add_number(fields, "batches", stats->batches);
    fields_add_number(fields, "batch_bytes", stats->batch_bytes);
    fields_add_number(fields, "durable_seq", stats->durable_seq);
    fields_add_number(fields, "stored_bytes", stats->stored_bytes);
    fields_add_number(fields, "cleaned_segments", stats->cleaned_segments);
    fields_add_number(fields, "cleaned_bytes", stats->cleaned_bytes);
    fields_add_number(fields, "tokens", engine->tokens);
    fields_add_number(fields, "logins", stats->logins);
    fields_add_number(fields, "logins_refused", stats->logins_refused);
    fields_add_number(fields, "requests_denied", stats->requests_denied);
    fields_add_number(fields, "connections_refused", stats->connections_refused);
    fields_add_number(fields, "handshakes_failed", stats->handshakes_failed);
    fields_add_u64(fields, "disk_full", FIELD_BOOL, stats->full);
    fields_add_number(
        fields, "clock_ahead_ms", stats->clock_ahead_ms > 0 ? (uint64_t)stats->clock_ahead_ms : 0
    );
    fields_add_number(fields, "clock_jumps", stats->clock_jumps);
    fields_add_u64(fields, "clock_jumped_ms", FIELD_SPAN, stats->clock_jumped_ns);
    fields_add_number(fields, "unserved_jobs", unserved->available);
    fields_add_u64(fields, "unserved_cut", FIELD_BOOL, unserved->is_cut);
    fields_add(fields, "unserved", FIELD_KINDS)->unserved = unserved;
}
