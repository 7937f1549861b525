/* SPDX-License-Identifier: Apache-2.0 */
/* The hash of a job for the digest: of the fields of its full record, taken straight from the
 * object, since every effect on a job asks for it twice and writing the record would cost more than
 * all that the effect does.
 *
 * It is a sum of three parts, so that an effect pays for what it can change only: `fixed`, what a
 * push or an update says; `hot`, what running and time change; `logs`, the chunks of the log. That
 * an effect leaves the parts alone that it does not name is checked by engine_check, which walks;
 * that no field is forgotten by digest_test.c, which changes each byte of a full record.
 *
 * A field that is zero is left out, and the others carry a number of their own: a field that is
 * added later changes the hash of no job that does not use it. The numbers are written to journals:
 * what changes the hash of a job that is there today needs a new DIGEST_VERSION. */
#include "engine/jobhash.h"

#include "base/codec.h"
#include "engine/demands.h"
#include "engine/valves.h"

enum field {
    FIELD_PAYLOAD = 1,
    FIELD_PAYLOAD_BODY,
    FIELD_QUEUE,
    FIELD_KIND,
    FIELD_GROUP,
    FIELD_NEEDS,
    FIELD_COST,
    FIELD_LIMITERS,
    FIELD_FRONT,
    FIELD_KEY,
    FIELD_REF,
    FIELD_TIMEOUT,
    FIELD_HAS_KEEP,
    FIELD_KEEP,
    FIELD_BACKOFF_TYPE,
    FIELD_BACKOFF_BASE,
    FIELD_BACKOFF_MAX,
    FIELD_BACKOFF_COUNT,
    FIELD_BACKOFF_DELAY,
    FIELD_HEADERS,
    FIELD_TAGS,
    FIELD_CONTENT_TYPE,
    FIELD_ON_DONE,
    FIELD_PARENT,
    FIELD_UNIQUE,
    FIELD_UNIQUE_SCOPE,
    FIELD_UNIQUE_FOR,
    FIELD_MERGED,
    FIELD_RUN_AT,
    FIELD_TOKEN,
    FIELD_STARTED,
    FIELD_LEASE_UNTIL,
    FIELD_WORKER,
    FIELD_BY,
    FIELD_WHY,
    FIELD_PROGRESS_TEXT,
    FIELD_PERCENT,
    FIELD_RELEASES,
    FIELD_RESULT,
    FIELD_CHECKPOINT,
    FIELD_LOG_LOST,
    FIELD_EXPIRES,
    FIELD_DEADLINE,
    FIELD_MARGIN,
    FIELD_ERROR,
    FIELD_ERROR_AT,
    FIELD_ERROR_WHAT,
    FIELD_ERROR_TEXT,
    FIELD_ERROR_BACKTRACE,
};

/* --- one value in --- */

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

static uint64_t mix_field(uint64_t hash, enum field field, uint64_t value) {
    return value == 0 ? hash : mix(mix(hash, field), value);
}

static uint64_t mix_bytes(uint64_t hash, enum field field, const char *bytes, uint32_t size) {
    if (size == 0) return hash;
    hash = mix(hash, (uint64_t)field << 32 | size);
    uint32_t at = 0;
    for (; size - at >= 8; at += 8) hash = mix(hash, get_u64le(bytes + at));
    return at == size ? hash : mix(hash, get_le(bytes + at, size - at));
}

static uint64_t mix_text(uint64_t hash, enum field field, struct text text) {
    return mix_bytes(hash, field, text.bytes, text.size);
}

static uint64_t mix_slice(uint64_t hash, enum field field, struct slice slice) {
    return mix_bytes(hash, field, slice.bytes, (uint32_t)slice.size);
}

static uint64_t body_word(const struct body_ref *body) {
    return (uint64_t)body->size << 32 | (uint32_t)body->attempt << 16 | body->head;
}

static uint64_t mix_body(uint64_t hash, enum field field, const struct body_ref *body) {
    if (body->id == 0) return hash;
    return mix(mix(mix(hash, field), body->id), body_word(body));
}

/* --- the parts --- */

static uint64_t mix_backoff(uint64_t hash, const struct backoff *backoff) {
    hash = mix_field(hash, FIELD_BACKOFF_TYPE, backoff->type);
    hash = mix_field(hash, FIELD_BACKOFF_BASE, backoff->base_ns);
    hash = mix_field(hash, FIELD_BACKOFF_MAX, backoff->max_ns);
    hash = mix_field(hash, FIELD_BACKOFF_COUNT, backoff->delay_count);
    for (uint32_t i = 0; i < backoff->delay_count; i++) {
        hash = mix(mix(hash, FIELD_BACKOFF_DELAY), backoff->delays_ns[i]);
    }
    return hash;
}

static uint64_t mix_labels(uint64_t hash, const struct labels *labels) {
    hash = mix_text(hash, FIELD_HEADERS, labels->headers);
    hash = mix_text(hash, FIELD_TAGS, labels->tags);
    hash = mix_text(hash, FIELD_CONTENT_TYPE, labels->content_type);
    hash = mix_text(hash, FIELD_ON_DONE, labels->on_done);
    hash = mix_field(hash, FIELD_PARENT, labels->parent);
    hash = mix_text(hash, FIELD_UNIQUE, labels->unique);
    hash = mix_field(hash, FIELD_UNIQUE_SCOPE, labels->unique_scope);
    hash = mix_field(hash, FIELD_UNIQUE_FOR, labels->unique_for_ns);
    return mix_field(hash, FIELD_MERGED, labels->merged);
}

static uint64_t fixed_hash(const struct engine *engine, const struct job *job) {
    uint64_t hash = mix(mix(1, job->id), job->created_ns);
    hash = mix(hash, job->priority);
    if (job->payload_size > PAYLOAD_INLINE_BYTES_MAX) {
        hash = mix(mix(hash, FIELD_PAYLOAD_BODY), job->payload.body_id);
        hash = mix(hash, job->payload_size);
    } else {
        hash = mix_bytes(hash, FIELD_PAYLOAD, job->payload.bytes, job->payload_size);
    }
    hash = mix_text(hash, FIELD_QUEUE, queue_at(engine, job->queue)->name);
    hash = mix_text(hash, FIELD_KIND, kind_at(engine, job->kind)->name);
    hash = mix_text(hash, FIELD_GROUP, group_at(engine, job->group)->name);
    if (job->demand != 0) {
        uint32_t cost = demand_cost(engine, job->demand);
        hash = mix_text(hash, FIELD_NEEDS, demand_at(engine, job->demand)->needs);
        hash = mix_field(hash, FIELD_COST, cost > 1 ? cost : 0);
    }
    if (job->limits != 0) {
        hash = mix_text(hash, FIELD_LIMITERS, limits_at(engine, job->limits)->text);
    }
    hash = mix_field(hash, FIELD_FRONT, job->flags & JOB_FRONT);
    if (job->side == 0) return hash;
    const struct side *side = side_at(engine, job->side);
    hash = mix_text(hash, FIELD_KEY, side->key);
    hash = mix_text(hash, FIELD_REF, side->ref);
    hash = mix_field(hash, FIELD_TIMEOUT, side->timeout_ns);
    hash = mix_field(hash, FIELD_HAS_KEEP, side->has_keep ? 1 : 0);
    hash = mix_field(hash, FIELD_KEEP, side->keep_ns);
    if (side->backoff != NULL) hash = mix_backoff(hash, side->backoff);
    return side->labels == NULL ? hash : mix_labels(hash, side->labels);
}

static uint64_t mix_error(uint64_t hash, const struct job_error *error) {
    hash = mix(mix(hash, FIELD_ERROR), (uint64_t)error->attempt << 32 | (uint32_t)error->cause);
    hash = mix(mix(hash, (uint32_t)error->code), error->at_ns);
    hash = mix_slice(hash, FIELD_ERROR_WHAT, error->what);
    hash = mix_slice(hash, FIELD_ERROR_TEXT, error->text);
    return mix_body(hash, FIELD_ERROR_BACKTRACE, &error->backtrace);
}

static uint64_t mix_side(uint64_t hash, const struct side *side) {
    hash = mix_text(hash, FIELD_BY, side->by);
    hash = mix_text(hash, FIELD_WHY, side->why);
    hash = mix_text(hash, FIELD_PROGRESS_TEXT, side->progress_text);
    hash = mix_field(hash, FIELD_PERCENT, side->percent);
    hash = mix_field(hash, FIELD_RELEASES, side->releases);
    hash = mix_body(hash, FIELD_RESULT, &side->result);
    hash = mix_body(hash, FIELD_CHECKPOINT, &side->checkpoint);
    hash = mix_field(hash, FIELD_LOG_LOST, side->log_lost_bytes);
    if (side->term != NULL) {
        hash = mix_field(hash, FIELD_EXPIRES, side->term->expires_ns);
        hash = mix_field(hash, FIELD_DEADLINE, side->term->deadline_ns);
        hash = mix_field(hash, FIELD_MARGIN, side->term->margin_ns);
    }
    for (uint32_t i = 0; i < side->error_count; i++) hash = mix_error(hash, &side->errors[i]);
    return hash;
}

static uint64_t hot_hash(const struct engine *engine, const struct job *job) {
    uint32_t changes = job->version == 0 ? 0 : job->version - 1; /* as its record tells it */
    uint64_t hash = mix(mix(2, job->id), job->state_ns);
    hash = mix(hash, (uint64_t)changes << 32 | (uint32_t)job->attempt << 16 | job->attempt_max);
    hash = mix(hash, job->state);
    hash = mix_field(hash, FIELD_RUN_AT, job->run_at_ns);
    if (job->run != 0) {
        const struct run *run = run_at(engine, job->run);
        hash = mix_field(hash, FIELD_TOKEN, run->token);
        hash = mix_field(hash, FIELD_STARTED, run->started_ns);
        hash = mix_field(hash, FIELD_LEASE_UNTIL, run->lease_until_ns);
        hash = mix_text(hash, FIELD_WORKER, worker_at(engine, run->worker)->name);
    }
    return job->side == 0 ? hash : mix_side(hash, side_at(engine, job->side));
}

/* A log may have thousands of chunks: each by itself, so that the machine works at several. */
static uint64_t logs_hash(const struct engine *engine, const struct job *job) {
    if (job->side == 0) return 0;
    const struct side *side = side_at(engine, job->side);
    uint64_t hash = 0;
    for (uint32_t i = 0; i < side->log_count; i++) {
        const struct body_ref *chunk = &side->logs[i];
        hash += mix(mix(mix(i + 3, job->id), chunk->id), body_word(chunk));
    }
    return hash;
}

uint64_t job_hash(const struct engine *engine, const struct job *job, unsigned parts) {
    uint64_t hash = 0;
    if ((parts & JOB_PART_FIXED) != 0) hash += fixed_hash(engine, job);
    if ((parts & JOB_PART_HOT) != 0) hash += hot_hash(engine, job);
    if ((parts & JOB_PART_LOGS) != 0) hash += logs_hash(engine, job);
    return hash;
}
