/* SPDX-License-Identifier: Apache-2.0 */
/* One line a record: what it changes, in the words of the HTTP protocol. Payloads come as they are
 * when they lie in the record; bodies with their number and size, their bytes too when they are
 * asked for by their own record. Hashes of tokens are left out. */
#include "cli/record_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/text.h"

static void put_bytes(struct json_put *put, const char *key, struct slice bytes) {
    if (bytes.size == 0) return;
    json_put_key(put, key);
    json_put_bytes(put, slice_str(key), bytes);
}

static void put_body(struct json_put *put, const char *key, const struct body_ref *body) {
    if (body->id == 0) return;
    json_put_key(put, key);
    json_put_object(put);
    json_member_id(put, "body", body->id);
    json_member_u64(put, "size", body->size);
    json_put_object_end(put);
}

static void put_state(struct json_put *put, enum job_state state) {
    json_put_key(put, "state");
    json_put_str(put, job_state_word(state));
}

static void put_error(struct json_put *put, const struct job_error *error) {
    json_put_key(put, "error");
    json_put_object(put);
    json_put_key(put, "cause");
    json_put_str(put, error_cause_word(error->cause));
    json_member_u64(put, "attempt", error->attempt);
    json_member_time(put, "at", error->at_ns);
    json_member_text(put, "what", error->what);
    json_member_text(put, "text", error->text);
    put_body(put, "backtrace", &error->backtrace);
    json_put_object_end(put);
}

static void put_job(struct json_put *put, const struct job_view *job) {
    put_state(put, job->state);
    json_member_text(put, "queue", job->queue);
    json_member_text(put, "kind", job->kind);
    json_member_u64(put, "priority", job->priority);
    json_member_u64(put, "attempt", job->attempt);
    json_member_u64(put, "attempt_max", job->attempt_max);
    json_member_time(put, "created_at", job->created_ns);
    json_member_time(put, "run_at", job->run_at_ns);
    json_member_text(put, "key", job->key);
    json_member_text(put, "ref", job->ref);
    json_member_text(put, "group", job->group);
    json_member_text(put, "unique", job->unique);
    json_member_text(put, "tags", job->tags);
    json_member_id(put, "parent", job->parent);
    json_member_time(put, "expires_at", job->expires_ns);
    json_member_text(put, "worker", job->worker);
    json_member_id(put, "token", job->token);
    json_member_time(put, "lease_until", job->lease_until_ns);
    put_bytes(put, "payload", job->payload);
    put_body(put, "payload_body", &job->payload_body);
    put_body(put, "result", &job->result);
    put_body(put, "checkpoint", &job->checkpoint);
    json_member_u64(put, "errors", job->error_count);
    json_member_u64(put, "log_chunks", job->log_count);
}

static void put_rate(struct json_put *put, const struct rate *rate) {
    HOB_AUTO_BUF struct buf text = buf_make(64);
    (void)buf_printf(&text, "%" PRIu32 "/", rate->count);
    (void)text_put_duration(&text, rate->period_ns);
    json_member_text(put, "rate", rate->count == 0 ? SLICE("none") : buf_slice(&text));
    if (rate->burst > 0) json_member_u64(put, "burst", rate->burst);
}

static void put_queue(struct json_put *put, const struct queue_view *queue) {
    json_member_text(put, "queue", queue->name);
    json_put_key(put, "paused");
    json_put_bool(put, queue->paused);
    json_member_time(put, "paused_until", queue->paused_until_ns);
    json_member_text(put, "paused_by", queue->paused_by);
    json_member_text(put, "paused_why", queue->paused_why);
    json_member_u64(put, "tier", queue->tier);
    json_member_u64(put, "weight", queue->weight);
    json_member_u64(put, "concurrency", queue->concurrency);
    if (queue->rate.count > 0) put_rate(put, &queue->rate);
    json_member_time(put, "paid_back_at", queue->tat_ns);
    if (queue->length > 0) json_member_u64(put, "length", queue->length);
}

static void put_valve_name(struct json_put *put, const struct valve_name *valve) {
    static const char *const sorts[] = {"queue", "kind", "group", "limiter"};
    _Static_assert(hob_countof(sorts) == VALVE_SORT_COUNT, "each sort has a word");
    if (valve->sort != VALVE_QUEUE) json_member_text(put, "queue", valve->queue);
    json_member_text(put, sorts[valve->sort], valve->name);
}

static void put_valve(struct json_put *put, const struct valve_view *valve) {
    const struct valve_settings *own = &valve->own;
    struct valve_name name = {.sort = valve->sort, .queue = valve->queue, .name = valve->name};
    put_valve_name(put, &name);
    if (own->has_weight) json_member_u64(put, "weight", own->weight);
    if (own->has_concurrency) json_member_u64(put, "concurrency", own->concurrency);
    if (own->has_rate) put_rate(put, &own->rate);
    json_member_time(put, "paid_back_at", valve->tat_ns);
    json_put_key(put, "paused");
    json_put_bool(put, valve->paused);
    json_member_time(put, "paused_until", valve->paused_until_ns);
    json_member_text(put, "paused_by", valve->paused_by);
    json_member_text(put, "paused_why", valve->paused_why);
    json_member_id(put, "blocked_by", valve->blocked_by);
}

static void put_token(struct json_put *put, const struct token_view *token) {
    json_member_text(put, "name", token->name);
    json_member_text(put, "queues", token->queues);
    json_member_text(put, "by", token->by);
    json_member_time(put, "created_at", token->created_ns);
    json_member_time(put, "expires_at", token->expires_ns);
}

static void put_meta(struct json_put *put, const struct meta_effect *meta) {
    json_member_id(put, "next_id", meta->next_id);
    json_member_id(put, "next_token", meta->next_token);
    json_member_id(put, "next_body", meta->next_body);
    json_member_time(put, "now", meta->now_ns);
}

/* As `hob journal check` prints it: a number of 64 bits is none in many readers of JSON. */
static void put_digest(struct json_put *put, const struct digest_effect *digest) {
    char text[20];
    (void)snprintf(text, sizeof text, "%016" PRIx64, digest->digest);
    json_put_key(put, "digest");
    json_put_str(put, text);
    json_member_u64(put, "version", digest->version);
    json_member_u64(put, "oldest_segment", digest->oldest_segment);
    json_member_u64(put, "jobs", digest->jobs);
}

static void put_jump(struct json_put *put, const struct clock_jumped_effect *jumped) {
    json_member_time(put, "at", jumped->at_ns);
    json_member_u64(put, "by_ms", jumped->by_ns / NS_PER_MS);
    json_put_key(put, "cause");
    json_put_str(put, clock_cause_word(jumped->cause));
}

/* What happened in an attempt, and how it ended. */
static void put_attempt(struct json_put *put, const struct effect *effect) {
    switch ((int)effect->type) {
    case EFFECT_JOB_RUN:
        json_member_id(put, "token", effect->job_run.token);
        json_member_text(put, "worker", effect->job_run.worker);
        json_member_time(put, "at", effect->job_run.at_ns);
        json_member_time(put, "lease_until", effect->job_run.lease_until_ns);
        break;
    case EFFECT_JOB_LEASE:
        json_member_time(put, "lease_until", effect->job_lease.lease_until_ns);
        break;
    case EFFECT_JOB_DONE:
        json_member_time(put, "at", effect->job_done.at_ns);
        put_body(put, "result", &effect->job_done.result);
        break;
    case EFFECT_JOB_FAILED:
        put_state(put, effect->job_failed.state);
        json_member_time(put, "run_at", effect->job_failed.run_at_ns);
        put_error(put, &effect->job_failed.error);
        break;
    case EFFECT_JOB_RELEASED:
        put_state(put, effect->job_released.state);
        json_member_time(put, "at", effect->job_released.at_ns);
        json_member_time(put, "run_at", effect->job_released.run_at_ns);
        break;
    case EFFECT_JOB_LOGGED:
        put_body(put, "log", &effect->job_logged.body);
        break;
    case EFFECT_JOB_PROGRESS:
        json_member_u64(put, "percent", effect->job_progress.percent);
        json_member_text(put, "text", effect->job_progress.text);
        break;
    case EFFECT_JOB_CHECKPOINT:
        put_body(put, "checkpoint", &effect->job_checkpoint.body);
        break;
    default:
        break; /* its type and the job say it all */
    }
}

void record_put(struct json_put *put, const struct effect *effect) {
    static const char *const names[] = {
#define X(NAME, number, member, text) [number] = #member,
        EFFECTS(X)
#undef X
    };
    json_put_key(put, "record");
    json_put_str(put, names[effect->type]);
    json_member_id(put, "id", effect_job_id(effect));
    switch ((int)effect->type) {
    case EFFECT_META:
        put_meta(put, &effect->meta);
        break;
    case EFFECT_BODY:
        json_member_id(put, "body", effect->body.id);
        put_bytes(put, "bytes", effect->body.bytes);
        break;
    case EFFECT_JOB_PUT:
        put_job(put, &effect->job_put.job);
        break;
    case EFFECT_JOB_STAGED:
        json_member_time(put, "at", effect->job_staged.at_ns);
        break;
    case EFFECT_JOB_ENDED:
        put_state(put, effect->job_ended.state);
        json_member_time(put, "at", effect->job_ended.at_ns);
        json_member_text(put, "by", effect->job_ended.by);
        json_member_text(put, "why", effect->job_ended.why);
        if (effect->job_ended.has_error) put_error(put, &effect->job_ended.error);
        break;
    case EFFECT_JOB_RETRIED:
        json_member_time(put, "at", effect->job_retried.at_ns);
        break;
    case EFFECT_QUEUE_PUT:
        put_queue(put, &effect->queue_put.queue);
        break;
    case EFFECT_KEY_PUT:
        json_member_text(put, "key", effect->key_put.key);
        json_member_id(put, "job", effect->key_put.id);
        json_member_time(put, "until", effect->key_put.until_ns);
        break;
    case EFFECT_KEY_DROP:
        json_member_text(put, "key", effect->key_drop.key);
        break;
    case EFFECT_VALVE_PUT:
        put_valve(put, &effect->valve_put.valve);
        break;
    case EFFECT_VALVE_DROP:
        put_valve_name(put, &effect->valve_drop.valve);
        break;
    case EFFECT_VALVE_TAKEN:
        put_valve_name(put, &effect->valve_taken.valve);
        json_member_time(put, "paid_back_at", effect->valve_taken.tat_ns);
        break;
    case EFFECT_TOKEN_PUT:
        put_token(put, &effect->token_put.token);
        break;
    case EFFECT_TOKEN_DROP:
        json_member_text(put, "name", effect->token_drop.name);
        break;
    case EFFECT_CLOCK_JUMPED:
        put_jump(put, &effect->clock_jumped);
        break;
    case EFFECT_DIGEST:
        put_digest(put, &effect->digest);
        break;
    default:
        put_attempt(put, effect);
        break;
    }
}
