/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of effects. Each effect's fields are listed once, in a function that encodes or decodes
 * as its codec says, so the two directions cannot drift apart. Trailing zero fields are not
 * written; a reader takes what is missing as zero, which is also how a field is added later. */
#include "engine/effect.h"

#include "base/assert.h"
#include "base/codec.h"

struct codec {
    struct buf *out;  /* encoding; NULL when decoding */
    size_t kept_size; /* encoding: out->size after the last field that is not zero */
    struct reader in; /* decoding */
    struct effect_scratch *scratch;
    bool bad;
};

static void field_u64(struct codec *codec, uint64_t *value) {
    if (codec->out == NULL) {
        *value = reader_left(&codec->in) == 0 ? 0 : read_varint(&codec->in);
        return;
    }
    char *to = buf_reserve(codec->out, VARINT_MAX_BYTES);
    if (to == NULL) return;
    codec->out->size += varint_put(to, *value);
    if (*value != 0) codec->kept_size = codec->out->size;
}

static void field_u32(struct codec *codec, uint32_t *value) {
    uint64_t wide = *value;
    field_u64(codec, &wide);
    if (wide > UINT32_MAX) codec->bad = true;
    *value = (uint32_t)wide;
}

static void field_u16(struct codec *codec, uint16_t *value) {
    uint64_t wide = *value;
    field_u64(codec, &wide);
    if (wide > UINT16_MAX) codec->bad = true;
    *value = (uint16_t)wide;
}

static void field_bool(struct codec *codec, bool *value) {
    uint64_t wide = *value;
    field_u64(codec, &wide);
    *value = wide != 0;
}

/* Zigzag: small negative numbers stay short. */
static void field_i32(struct codec *codec, int32_t *value) {
    uint64_t wide = (uint32_t)*value << 1 ^ (*value < 0 ? UINT32_MAX : 0);
    field_u64(codec, &wide);
    if (wide > UINT32_MAX) codec->bad = true;
    *value = (int32_t)((uint32_t)wide >> 1 ^ (0u - ((uint32_t)wide & 1)));
}

static uint32_t field_enum(struct codec *codec, uint32_t value, uint32_t count) {
    field_u32(codec, &value);
    if (value < count) return value;
    codec->bad = true;
    return 0;
}

#define FIELD_ENUM(codec, member, type, count) \
    ((member) = (type)field_enum(codec, (uint32_t)(member), count))

static void field_bytes(struct codec *codec, struct slice *bytes) {
    uint64_t size = bytes->size;
    field_u64(codec, &size);
    if (codec->out == NULL) {
        *bytes = size == 0 ? SLICE_NONE : read_bytes(&codec->in, size);
    } else if (size > 0) {
        (void)buf_put_slice(codec->out, *bytes);
        codec->kept_size = codec->out->size;
    }
}

static void field_body(struct codec *codec, struct body_ref *body) {
    field_u64(codec, &body->id);
    if (body->id == 0) return;
    field_u32(codec, &body->size);
    field_u16(codec, &body->attempt);
    field_u16(codec, &body->head);
    if (codec->out != NULL) codec->kept_size = codec->out->size;
}

static void field_error(struct codec *codec, struct job_error *error) {
    field_u32(codec, &error->attempt);
    FIELD_ENUM(codec, error->cause, enum error_cause, ERROR_CAUSE_COUNT);
    field_i32(codec, &error->code);
    field_u64(codec, &error->at_ns);
    field_bytes(codec, &error->what);
    field_bytes(codec, &error->text);
    field_body(codec, &error->backtrace);
}

static void field_errors(struct codec *codec, struct job_view *job) {
    field_u32(codec, &job->error_count);
    if (job->error_count > ERRORS_KEPT_MAX) {
        codec->bad = true;
        job->error_count = 0;
    }
    for (uint32_t i = 0; i < job->error_count; i++) field_error(codec, &job->errors[i]);
    if (codec->out != NULL && job->error_count > 0) codec->kept_size = codec->out->size;
}

static void scratch_reserve(struct effect_scratch *scratch, uint32_t count) {
    if (count <= scratch->log_capacity) return;
    uint32_t capacity = count + count / 2 + 16;
    scratch->logs = mem_resize(
        &scratch->mem,
        scratch->logs,
        scratch->log_capacity * sizeof *scratch->logs,
        capacity * sizeof *scratch->logs
    );
    scratch->log_capacity = capacity;
}

static void field_logs(struct codec *codec, struct job_view *job) {
    field_u32(codec, &job->log_count);
    if (codec->out == NULL) {
        /* Each entry has at least one byte, so a count past what is left is a lie. */
        if (job->log_count > reader_left(&codec->in)) {
            codec->bad = true;
            job->log_count = 0;
        }
        scratch_reserve(codec->scratch, job->log_count);
        for (uint32_t i = 0; i < job->log_count; i++) {
            codec->scratch->logs[i] = (struct body_ref){0};
            field_body(codec, &codec->scratch->logs[i]);
        }
        job->logs = codec->scratch->logs;
        return;
    }
    for (uint32_t i = 0; i < job->log_count; i++) {
        struct body_ref chunk = job->logs[i];
        field_body(codec, &chunk);
    }
}

static void field_backoff(struct codec *codec, struct backoff *backoff) {
    FIELD_ENUM(codec, backoff->type, enum backoff_type, BACKOFF_TYPE_COUNT);
    field_u64(codec, &backoff->base_ns);
    field_u64(codec, &backoff->max_ns);
    field_u32(codec, &backoff->delay_count);
    if (backoff->delay_count > BACKOFF_LIST_MAX) {
        codec->bad = true;
        backoff->delay_count = 0;
    }
    for (uint32_t i = 0; i < backoff->delay_count; i++) field_u64(codec, &backoff->delays_ns[i]);
}

static void field_rate(struct codec *codec, struct rate *rate) {
    field_u32(codec, &rate->count);
    field_u32(codec, &rate->burst);
    field_u64(codec, &rate->period_ns);
}

/* What every job has comes first, what few have comes last and is mostly not written at all. */
static void meta_fields(struct codec *codec, struct meta_effect *meta) {
    field_u64(codec, &meta->next_id);
    field_u64(codec, &meta->next_token);
    field_u64(codec, &meta->next_body);
    field_u64(codec, &meta->now_ns);
}

static void body_fields(struct codec *codec, struct body_effect *body) {
    field_u64(codec, &body->id);
    field_u32(codec, &body->crc);
    field_bytes(codec, &body->bytes);
}

static void job_put_fields(struct codec *codec, struct job_put_effect *put) {
    struct job_view *job = &put->job;
    field_u64(codec, &job->id);
    FIELD_ENUM(codec, job->state, enum job_state, JOB_STATE_COUNT);
    field_bytes(codec, &job->queue);
    field_bytes(codec, &job->kind);
    field_u32(codec, &job->priority);
    field_u32(codec, &job->attempt_max);
    field_u64(codec, &job->created_ns);
    field_bytes(codec, &job->payload);
    field_body(codec, &job->payload_body);
    field_u64(codec, &job->run_at_ns);
    field_bytes(codec, &job->key);
    field_bytes(codec, &job->ref);
    field_u64(codec, &job->timeout_ns);
    field_bool(codec, &job->has_keep);
    field_u64(codec, &job->keep_ns);
    field_backoff(codec, &job->backoff);
    uint64_t age_ns = job->state_ns - job->created_ns; /* zero for a push, and then not written */
    field_u64(codec, &age_ns);
    job->state_ns = job->created_ns + age_ns;
    field_u32(codec, &job->attempt);
    field_u64(codec, &job->started_ns);
    field_u64(codec, &job->lease_until_ns);
    field_u64(codec, &job->token);
    field_bytes(codec, &job->worker);
    field_body(codec, &job->result);
    field_errors(codec, job);
    field_logs(codec, job);
    field_u64(codec, &job->log_lost_bytes);
    field_u32(codec, &job->releases);
    field_body(codec, &job->checkpoint);
    field_u32(codec, &job->percent);
    field_bytes(codec, &job->progress_text);
    field_bytes(codec, &job->by);
    field_bytes(codec, &job->why);
    field_bytes(codec, &job->headers);
    field_bytes(codec, &job->tags);
    field_bytes(codec, &job->content_type);
    field_bytes(codec, &job->on_done);
    field_u64(codec, &job->parent);
    /* 1 at the push, and in what was written before versions were. */
    uint32_t changes = job->version == 0 ? 0 : job->version - 1;
    field_u32(codec, &changes);
    if (codec->out == NULL) job->version = changes == UINT32_MAX ? UINT32_MAX : changes + 1;
    field_u64(codec, &job->expires_ns);
    field_bytes(codec, &job->group);
    field_bool(codec, &job->front);
    field_bytes(codec, &job->unique);
    FIELD_ENUM(codec, job->unique_scope, enum unique_scope, UNIQUE_SCOPE_COUNT);
    field_u64(codec, &job->unique_for_ns);
    field_bytes(codec, &job->limiters);
    field_u64(codec, &job->deadline_ns);
    field_u64(codec, &job->margin_ns);
    field_bytes(codec, &job->needs);
    field_u32(codec, &job->cost);
    field_u32(codec, &job->merged);
}

static void job_run_fields(struct codec *codec, struct job_run_effect *run) {
    field_u64(codec, &run->id);
    field_u64(codec, &run->token);
    field_u64(codec, &run->at_ns);
    field_u64(codec, &run->lease_until_ns);
    field_bytes(codec, &run->worker);
}

static void job_lease_fields(struct codec *codec, struct job_lease_effect *lease) {
    field_u64(codec, &lease->id);
    field_u64(codec, &lease->lease_until_ns);
}

static void job_done_fields(struct codec *codec, struct job_done_effect *done) {
    field_u64(codec, &done->id);
    field_u64(codec, &done->at_ns);
    field_body(codec, &done->result);
}

static void job_failed_fields(struct codec *codec, struct job_failed_effect *failed) {
    field_u64(codec, &failed->id);
    FIELD_ENUM(codec, failed->state, enum job_state, JOB_STATE_COUNT);
    field_u64(codec, &failed->run_at_ns);
    field_error(codec, &failed->error);
}

static void job_released_fields(struct codec *codec, struct job_released_effect *released) {
    field_u64(codec, &released->id);
    field_u64(codec, &released->at_ns);
    FIELD_ENUM(codec, released->state, enum job_state, JOB_STATE_COUNT);
    field_u64(codec, &released->run_at_ns);
    field_bool(codec, &released->attempt_back);
    field_bool(codec, &released->rescued);
    field_error(codec, &released->error);
}

static void job_staged_fields(struct codec *codec, struct job_staged_effect *staged) {
    field_u64(codec, &staged->id);
    field_u64(codec, &staged->at_ns);
}

static void job_ended_fields(struct codec *codec, struct job_ended_effect *ended) {
    field_u64(codec, &ended->id);
    field_u64(codec, &ended->at_ns);
    FIELD_ENUM(codec, ended->state, enum job_state, JOB_STATE_COUNT);
    field_bytes(codec, &ended->by);
    field_bytes(codec, &ended->why);
    field_bool(codec, &ended->has_error);
    field_error(codec, &ended->error);
}

static void job_retried_fields(struct codec *codec, struct job_retried_effect *retried) {
    field_u64(codec, &retried->id);
    field_u64(codec, &retried->at_ns);
    field_u32(codec, &retried->attempt_max);
}

static void job_deleted_fields(struct codec *codec, struct job_deleted_effect *deleted) {
    field_u64(codec, &deleted->id);
}

static void job_logged_fields(struct codec *codec, struct job_logged_effect *logged) {
    field_u64(codec, &logged->id);
    field_body(codec, &logged->body);
    field_u32(codec, &logged->drop_count);
}

static void job_progress_fields(struct codec *codec, struct job_progress_effect *progress) {
    field_u64(codec, &progress->id);
    field_u32(codec, &progress->percent);
    field_bytes(codec, &progress->text);
}

static void job_checkpoint_fields(struct codec *codec, struct job_checkpoint_effect *checkpoint) {
    field_u64(codec, &checkpoint->id);
    field_body(codec, &checkpoint->body);
}

static void queue_put_fields(struct codec *codec, struct queue_put_effect *put) {
    struct queue_view *queue = &put->queue;
    field_bytes(codec, &queue->name);
    FIELD_ENUM(codec, queue->order, enum queue_order, QUEUE_ORDER_COUNT);
    field_bool(codec, &queue->paused);
    field_u64(codec, &queue->paused_until_ns);
    field_bytes(codec, &queue->paused_by);
    field_bytes(codec, &queue->paused_why);
    field_u64(codec, &queue->keep_completed_ns);
    field_u32(codec, &queue->keep_completed_count);
    field_u64(codec, &queue->keep_failed_ns);
    field_u32(codec, &queue->keep_failed_count);
    field_u32(codec, &queue->tier);
    field_u32(codec, &queue->weight);
    field_u32(codec, &queue->concurrency);
    field_u32(codec, &queue->length);
    FIELD_ENUM(codec, queue->on_full, enum on_full, ON_FULL_COUNT);
    field_u64(codec, &queue->aging_ns);
    field_rate(codec, &queue->rate);
    field_u64(codec, &queue->tat_ns);
    field_u32(codec, &queue->group_rule.concurrency);
    field_rate(codec, &queue->group_rule.rate);
    FIELD_ENUM(codec, queue->group_rule.order, enum group_order, GROUP_ORDER_COUNT);
}

static void field_valve_name(struct codec *codec, struct valve_name *name) {
    FIELD_ENUM(codec, name->sort, enum valve_sort, VALVE_SORT_COUNT);
    field_bytes(codec, &name->queue);
    field_bytes(codec, &name->name);
}

static void valve_put_fields(struct codec *codec, struct valve_put_effect *put) {
    struct valve_view *valve = &put->valve;
    struct valve_name name = {.sort = valve->sort, .queue = valve->queue, .name = valve->name};
    field_valve_name(codec, &name);
    valve->sort = name.sort;
    valve->queue = name.queue;
    valve->name = name.name;
    field_bool(codec, &valve->own.has_weight);
    field_u32(codec, &valve->own.weight);
    field_bool(codec, &valve->own.has_concurrency);
    field_u32(codec, &valve->own.concurrency);
    field_bool(codec, &valve->own.has_rate);
    field_rate(codec, &valve->own.rate);
    field_u64(codec, &valve->tat_ns);
    field_bool(codec, &valve->paused);
    field_u64(codec, &valve->paused_until_ns);
    field_bytes(codec, &valve->paused_by);
    field_bytes(codec, &valve->paused_why);
    field_u64(codec, &valve->blocked_by);
}

static void valve_drop_fields(struct codec *codec, struct valve_drop_effect *drop) {
    field_valve_name(codec, &drop->valve);
}

static void valve_taken_fields(struct codec *codec, struct valve_taken_effect *taken) {
    field_valve_name(codec, &taken->valve);
    field_u64(codec, &taken->tat_ns);
}

static void key_put_fields(struct codec *codec, struct key_put_effect *put) {
    field_bytes(codec, &put->key);
    field_u64(codec, &put->id);
    field_u64(codec, &put->until_ns);
    field_bool(codec, &put->is_unique);
}

static void key_drop_fields(struct codec *codec, struct key_drop_effect *drop) {
    field_bytes(codec, &drop->key);
    field_bool(codec, &drop->is_unique);
}

static void token_put_fields(struct codec *codec, struct token_put_effect *put) {
    struct token_view *token = &put->token;
    field_bytes(codec, &token->name);
    field_bytes(codec, &token->hash);
    field_u32(codec, &token->scopes);
    field_bytes(codec, &token->queues);
    field_u64(codec, &token->created_ns);
    field_u64(codec, &token->expires_ns);
    field_u64(codec, &token->used_ns);
    field_bytes(codec, &token->by);
}

static void token_drop_fields(struct codec *codec, struct token_drop_effect *drop) {
    field_bytes(codec, &drop->name);
}

static void digest_fields(struct codec *codec, struct digest_effect *digest) {
    field_u64(codec, &digest->digest);
    field_u32(codec, &digest->version);
    field_u32(codec, &digest->oldest_segment);
    field_u64(codec, &digest->jobs);
}

static void clock_jumped_fields(struct codec *codec, struct clock_jumped_effect *jumped) {
    field_u64(codec, &jumped->at_ns);
    field_u64(codec, &jumped->by_ns);
    FIELD_ENUM(codec, jumped->cause, enum clock_cause, CLOCK_CAUSE_COUNT);
}

/* False for a type that this version does not know. */
static bool effect_fields(struct codec *codec, struct effect *effect) {
    switch (effect->type) {
#define X(NAME, number, member, text)            \
    case EFFECT_##NAME:                          \
        member##_fields(codec, &effect->member); \
        return true;
        EFFECTS(X)
#undef X
    case EFFECT_NONE:
    default:
        return false;
    }
}

/* The size goes in front of the fields and is known only after them. One byte is left for it, and
 * more are made by a move when the fields turn out longer; a body, the one large effect, gets four
 * bytes at once. */
static void size_put(struct buf *out, size_t gap_at, size_t gap, size_t size) {
    char varint[VARINT_MAX_BYTES];
    size_t varint_size = varint_put(varint, size);
    if (gap > 1) {
        hob_assert(varint_size <= gap);
        while (varint_size < gap) {
            varint[varint_size - 1] = (char)(varint[varint_size - 1] | (char)0x80);
            varint[varint_size++] = 0;
        }
    } else if (varint_size > gap) {
        if (buf_reserve(out, varint_size - gap) == NULL) return;
        memmove(out->bytes + gap_at + varint_size, out->bytes + gap_at + gap, size);
        out->size += varint_size - gap;
    }
    memcpy(out->bytes + gap_at, varint, varint_size);
}

bool effect_encode(const struct effect *effect, struct buf *out) {
    size_t start = out->size;
    size_t gap = effect->type == EFFECT_BODY ? 4 : 1;
    char *to = buf_reserve(out, 1 + gap);
    if (to == NULL) return false;
    to[0] = (char)effect->type;
    out->size += 1 + gap;
    size_t fields_at = out->size;
    struct codec codec = {.out = out, .kept_size = fields_at};
    /* The same functions decode, so they take what they could change; encoding changes nothing. */
    bool known = effect_fields(&codec, (struct effect *)effect);
    hob_assert(known);
    if (!out->overflowed) {
        out->size = codec.kept_size;
        size_put(out, start + 1, gap, codec.kept_size - fields_at);
    }
    if (!out->overflowed) return true;
    out->size = start;
    return false;
}

size_t effect_decode(
    struct slice bytes,
    struct effect_scratch *scratch,
    struct effect *ret_effect,
    struct hob_error *err
) {
    struct reader reader = reader_of(bytes);
    uint64_t type = read_varint(&reader);
    struct slice fields = read_string(&reader);
    if (reader.bad) {
        (void)fail(err, HOB_CORRUPT, "an effect is cut short");
        return 0;
    }
    struct codec codec = {.in = reader_of(fields), .scratch = scratch};
    memset(ret_effect, 0, sizeof *ret_effect);
    ret_effect->type = type > UINT16_MAX ? 0 : (enum effect_type)type;
    if (!effect_fields(&codec, ret_effect)) {
        (void)fail(
            err,
            HOB_CORRUPT,
            "an effect has the type %llu, which this version does not know: a newer hob wrote it",
            (unsigned long long)type
        );
        return 0;
    }
    if (codec.bad || codec.in.bad) {
        (void)fail(err, HOB_CORRUPT, "a field of an effect of type %d is out of range", (int)type);
        return 0;
    }
    return (size_t)(reader.at - bytes.bytes);
}

void effect_scratch_deinit(struct effect_scratch *scratch) {
    mem_free(&scratch->mem, scratch->logs, scratch->log_capacity * sizeof *scratch->logs);
    *scratch = (struct effect_scratch){0};
}

uint64_t effect_job_id(const struct effect *effect) {
    switch (effect->type) {
    case EFFECT_JOB_PUT:
        return effect->job_put.job.id;
    case EFFECT_JOB_RUN:
    case EFFECT_JOB_LEASE:
    case EFFECT_JOB_DONE:
    case EFFECT_JOB_FAILED:
    case EFFECT_JOB_RELEASED:
    case EFFECT_JOB_STAGED:
    case EFFECT_JOB_ENDED:
    case EFFECT_JOB_RETRIED:
    case EFFECT_JOB_DELETED:
    case EFFECT_JOB_LOGGED:
    case EFFECT_JOB_PROGRESS:
    case EFFECT_JOB_CHECKPOINT:
        return effect->job_deleted.id; /* every effect on a job begins with its id */
    case EFFECT_NONE:
    case EFFECT_META:
    case EFFECT_BODY:
    case EFFECT_QUEUE_PUT:
    case EFFECT_KEY_PUT:
    case EFFECT_KEY_DROP:
    case EFFECT_VALVE_PUT:
    case EFFECT_VALVE_DROP:
    case EFFECT_VALVE_TAKEN:
    case EFFECT_TOKEN_PUT:
    case EFFECT_TOKEN_DROP:
    case EFFECT_DIGEST:
    case EFFECT_CLOCK_JUMPED:
        return 0;
    }
    return 0;
}
