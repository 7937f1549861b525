/* SPDX-License-Identifier: Apache-2.0 */
/* Effects become state, here and nowhere else. Live, `emit` gives an effect to the journal and
 * carries it out at once; in replay the journal gives it back. An effect that does not fit the
 * state is a bug when live, and corruption in replay.
 *
 * In replay a job may be unknown: its full record lay in a segment that was cleaned, and comes
 * again later in the journal. Effects on it are skipped and its id is remembered until the full
 * record, or its deletion, is seen. */
#include "base/crc32c.h"
#include "engine/demands.h"
#include "engine/jobhash.h"
#include "engine/labels.h"
#include "engine/valves.h"

/* --- one function for each effect: false when it does not fit the state --- */

static void next_above(uint64_t *next, uint64_t used) {
    if (*next <= used && used < UINT64_MAX) *next = used + 1;
}

static bool carry_meta(struct engine *engine, const struct meta_effect *meta) {
    if (engine->next_id < meta->next_id) engine->next_id = meta->next_id;
    if (engine->next_token < meta->next_token) engine->next_token = meta->next_token;
    if (engine->next_body < meta->next_body) engine->next_body = meta->next_body;
    if (engine->now_ns < meta->now_ns) engine->now_ns = meta->now_ns;
    return true;
}

static bool carry_body(struct engine *engine, const struct body_effect *body) {
    next_above(&engine->next_body, body->id);
    return true;
}

static bool view_is_sound(const struct job_view *view) {
    return view->id != 0 && name_is_valid(view->queue) && name_is_valid(view->kind) &&
           view->attempt <= UINT16_MAX && view->attempt_max <= ATTEMPT_MAX_MAX &&
           (view->payload_body.id == 0 || view->payload_body.size > PAYLOAD_INLINE_BYTES_MAX) &&
           view->payload.size <= PAYLOAD_INLINE_BYTES_MAX &&
           view->headers.size <= HEADERS_BYTES_MAX && view->tags.size <= TAGS_BYTES_MAX &&
           view->content_type.size <= CONTENT_TYPE_BYTES_MAX &&
           view->on_done.size <= ON_DONE_BYTES_MAX && view->unique.size <= KEY_BYTES_MAX &&
           (view->unique_scope == UNIQUE_TIME) == (view->unique_for_ns > 0) &&
           view->parent < view->id && (view->group.size == 0 || name_is_valid(view->group)) &&
           limits_fault(view->limiters) == NULL && needs_fault(view->needs) == NULL &&
           view->cost <= WORKER_SLOTS_MAX && (view->started_ns == 0) == (view->worker.size == 0) &&
           (view->state != JOB_BLOCKED || view->unique.size > 0) &&
           (view->state != JOB_RUNNING || view->started_ns != 0);
}

static bool carry_job_put(struct engine *engine, const struct job_put_effect *put) {
    if (!view_is_sound(&put->job)) return false;
    uint32_t known = job_find(engine, put->job.id);
    if (known != 0) {
        /* Told again by cleaning, or with changes by an update. */
        const struct job *job = job_at(engine, known);
        bool has_body = job->payload_size > PAYLOAD_INLINE_BYTES_MAX;
        struct body_ref body = {.id = has_body ? job->payload.body_id : 0};
        if (body.id != put->job.payload_body.id) body_forget(engine, &body);
        job_unmake(engine, known, false);
    }
    (void)job_make(engine, &put->job);
    next_above(&engine->next_id, put->job.id);
    next_above(&engine->next_token, put->job.token);
    return true;
}

static bool carry_job_run(struct engine *engine, const struct job_run_effect *effect) {
    uint32_t handle = job_find(engine, effect->id);
    struct job *job = job_at(engine, handle);
    if (job->state != JOB_AVAILABLE || job->attempt == UINT16_MAX) return false;
    if (!name_is_valid(effect->worker)) return false;
    uint32_t worker = worker_need(engine, effect->worker);
    worker_at(engine, worker)->users++;
    if (job->run == 0) {
        job->run = pool_new(&engine->runs);
    } else {
        worker_at(engine, run_at(engine, job->run)->worker)->users--;
    }
    *run_at(engine, job->run) = (struct run){
        .token = effect->token,
        .started_ns = effect->at_ns,
        .lease_until_ns = effect->lease_until_ns,
        .worker = worker,
    };
    job->attempt++;
    next_above(&engine->next_token, effect->token);
    job_move(engine, handle, JOB_RUNNING, effect->at_ns);
    return true;
}

static bool carry_job_lease(struct engine *engine, const struct job_lease_effect *lease) {
    struct job *job = job_at(engine, job_find(engine, lease->id));
    if (job->state != JOB_RUNNING) return false;
    /* Never shorter: the timer of the job stands at or before the end of its lease. */
    if (lease->lease_until_ns < run_at(engine, job->run)->lease_until_ns) return false;
    run_at(engine, job->run)->lease_until_ns = lease->lease_until_ns;
    return true;
}

static bool carry_job_done(struct engine *engine, const struct job_done_effect *done) {
    uint32_t handle = job_find(engine, done->id);
    struct job *job = job_at(engine, handle);
    if (job->state != JOB_RUNNING) return false;
    if (done->result.id != 0) job_side(engine, job)->result = done->result;
    queue_at(engine, job->queue)->completed_total++;
    job_move(engine, handle, JOB_COMPLETED, done->at_ns);
    return true;
}

static bool carry_job_failed(struct engine *engine, const struct job_failed_effect *failed) {
    uint32_t handle = job_find(engine, failed->id);
    struct job *job = job_at(engine, handle);
    if (job->state != JOB_RUNNING) return false;
    if (failed->state != JOB_RETRYABLE && failed->state != JOB_DISCARDED) return false;
    struct queue *queue = queue_at(engine, job->queue);
    queue->failed_total++;
    if (failed->state == JOB_DISCARDED) queue->discarded_total++;
    job_error_add(engine, job, &failed->error);
    job->run_at_ns = failed->run_at_ns;
    job_move(engine, handle, failed->state, failed->error.at_ns);
    return true;
}

static bool carry_job_released(struct engine *engine, const struct job_released_effect *released) {
    uint32_t handle = job_find(engine, released->id);
    struct job *job = job_at(engine, handle);
    if (job->state != JOB_RUNNING) return false;
    if (released->state != JOB_AVAILABLE && released->state != JOB_SCHEDULED) return false;
    if (released->attempt_back && job->attempt == 0) return false;
    if (released->attempt_back) job->attempt--;
    if (released->rescued) {
        queue_at(engine, job->queue)->failed_total++;
        job_error_add(engine, job, &released->error);
    } else {
        job_side(engine, job)->releases++;
    }
    job->run_at_ns = released->run_at_ns;
    job_move(engine, handle, released->state, released->at_ns);
    return true;
}

static bool carry_job_staged(struct engine *engine, const struct job_staged_effect *staged) {
    uint32_t handle = job_find(engine, staged->id);
    struct job *job = job_at(engine, handle);
    bool waits = job->state == JOB_SCHEDULED || job->state == JOB_RETRYABLE;
    if (!waits && job->state != JOB_BLOCKED) return false;
    if (job->state == JOB_BLOCKED && job->run_at_ns > staged->at_ns) {
        job_move(engine, handle, JOB_SCHEDULED, staged->at_ns);
        return true;
    }
    job->run_at_ns = 0;
    job_move(engine, handle, JOB_AVAILABLE, staged->at_ns);
    return true;
}

static bool carry_job_ended(struct engine *engine, const struct job_ended_effect *ended) {
    uint32_t handle = job_find(engine, ended->id);
    struct job *job = job_at(engine, handle);
    if (ended->state != JOB_CANCELLED && ended->state != JOB_DISCARDED) return false;
    if (!job_state_may_move((enum job_state)job->state, ended->state)) return false;
    if (ended->by.size > 0 || ended->why.size > 0) {
        struct side *side = job_side(engine, job);
        text_set(engine, &side->by, ended->by);
        text_set(engine, &side->why, ended->why);
    }
    if (ended->has_error) job_error_add(engine, job, &ended->error);
    if (ended->state == JOB_DISCARDED) queue_at(engine, job->queue)->discarded_total++;
    job->run_at_ns = 0;
    job_move(engine, handle, ended->state, ended->at_ns);
    return true;
}

static bool carry_job_retried(struct engine *engine, const struct job_retried_effect *retried) {
    uint32_t handle = job_find(engine, retried->id);
    struct job *job = job_at(engine, handle);
    if (job->state == JOB_RUNNING || job->state == JOB_AVAILABLE) return false;
    if (job->state == JOB_BLOCKED) return false;
    if (retried->attempt_max > ATTEMPT_MAX_MAX + 1) return false;
    job->attempt_max = (uint16_t)retried->attempt_max;
    term_lift(engine, job, retried->at_ns);
    job->run_at_ns = 0;
    job_move(engine, handle, JOB_AVAILABLE, retried->at_ns);
    if (job->side != 0) {
        struct side *side = side_at(engine, job->side);
        body_forget(engine, &side->result);
        text_free(engine, &side->by);
        text_free(engine, &side->why);
    }
    return true;
}

static bool carry_job_deleted(struct engine *engine, const struct job_deleted_effect *deleted) {
    job_unmake(engine, job_find(engine, deleted->id), true);
    return true;
}

static void logs_reserve(struct engine *engine, struct side *side) {
    if (side->log_count < side->log_capacity) return;
    uint32_t capacity = side->log_capacity == 0 ? 4 : side->log_capacity * 2;
    side->logs = mem_resize(
        &engine->mem,
        side->logs,
        side->log_capacity * sizeof *side->logs,
        capacity * sizeof *side->logs
    );
    side->log_capacity = capacity;
}

/* Drop the oldest chunks of this attempt's tail. */
static bool logs_drop(struct engine *engine, struct side *side, uint16_t attempt, uint32_t count) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < side->log_count; i++) {
        struct body_ref *chunk = &side->logs[i];
        if (count > 0 && chunk->attempt == attempt && chunk->head == 0) {
            side->log_lost_bytes += chunk->size;
            body_forget(engine, chunk);
            count--;
        } else {
            side->logs[kept++] = *chunk;
        }
    }
    side->log_count = kept;
    return count == 0;
}

static bool carry_job_logged(struct engine *engine, const struct job_logged_effect *logged) {
    struct job *job = job_at(engine, job_find(engine, logged->id));
    if (job->state != JOB_RUNNING) return false;
    struct side *side = job_side(engine, job);
    if (!logs_drop(engine, side, logged->body.attempt, logged->drop_count)) return false;
    logs_reserve(engine, side);
    side->logs[side->log_count++] = logged->body;
    return true;
}

static bool carry_job_progress(struct engine *engine, const struct job_progress_effect *progress) {
    struct job *job = job_at(engine, job_find(engine, progress->id));
    if (job->state != JOB_RUNNING || progress->percent > 100) return false;
    struct side *side = job_side(engine, job);
    side->percent = progress->percent;
    text_set(engine, &side->progress_text, progress->text);
    return true;
}

static bool
carry_job_checkpoint(struct engine *engine, const struct job_checkpoint_effect *checkpoint) {
    struct job *job = job_at(engine, job_find(engine, checkpoint->id));
    if (job->state != JOB_RUNNING) return false;
    struct side *side = job_side(engine, job);
    body_forget(engine, &side->checkpoint);
    side->checkpoint = checkpoint->body;
    return true;
}

static bool carry_queue_put(struct engine *engine, const struct queue_put_effect *put) {
    const struct queue_view *view = &put->queue;
    if (!name_is_valid(view->name)) return false;
    if (view->tier > QUEUE_TIER_MAX || view->weight > QUEUE_WEIGHT_MAX) return false;
    if (view->concurrency > QUEUE_CONCURRENCY_MAX || !rate_is_sound(&view->rate)) return false;
    if (view->length > QUEUE_LENGTH_MAX || view->on_full >= ON_FULL_COUNT) return false;
    if (view->aging_ns > AGING_MAX_NS || !group_rule_is_sound(&view->group_rule)) return false;
    uint32_t handle = queue_need(engine, view->name);
    struct queue *queue = queue_at(engine, handle);
    ready_reorder(engine, handle, view->order, view->aging_ns);
    queue->paused = view->paused;
    queue->paused_until_ns = view->paused_until_ns;
    text_set(engine, &queue->paused_by, view->paused_by);
    text_set(engine, &queue->paused_why, view->paused_why);
    queue->keep_completed_ns = view->keep_completed_ns;
    queue->keep_completed_count = view->keep_completed_count;
    queue->keep_failed_ns = view->keep_failed_ns;
    queue->keep_failed_count = view->keep_failed_count;
    /* A record from before there were weights has neither. */
    queue_tier_set(engine, queue, view->weight == 0 ? QUEUE_TIER_DEFAULT : view->tier);
    queue->weight = view->weight == 0 ? 1 : view->weight;
    queue->concurrency = view->concurrency;
    length_set(engine, handle, view->length, view->on_full);
    queue->is_set = true;
    queue->home = engine->home;
    queue_rule(engine, handle, view);
    queue_touch(engine, handle);
    return true;
}

static bool carry_key_put(struct engine *engine, const struct key_put_effect *put) {
    if (put->key.size == 0 || put->key.size > KEY_BYTES_MAX) return false;
    key_put(engine, put);
    return true;
}

static bool carry_key_drop(struct engine *engine, const struct key_drop_effect *drop) {
    uint32_t key = key_find(engine, (struct key_name){drop->key, drop->is_unique});
    if (key != 0) key_drop(engine, key);
    return key != 0 || engine->replaying;
}

/* A mark for the space, which compares it. */
static bool carry_digest(struct engine *engine, const struct digest_effect *digest) {
    (void)digest;
    return engine->replaying;
}

/* --- the two ways in --- */

/* Ids are counted from 1, and no counter ever comes near its end. */
static bool effect_is_sound(const struct effect *effect) {
    uint64_t id = effect_job_id(effect);
    bool on_job = effect->type >= EFFECT_JOB_PUT && effect->type <= EFFECT_JOB_CHECKPOINT;
    return on_job ? id > 0 && id <= INT64_MAX : true;
}

/* Effects on an unknown job are remembered instead of carried out; true when this was one. */
static bool carry_skips(struct engine *engine, const struct effect *effect) {
    uint64_t id = effect_job_id(effect);
    if (id == 0 || id > INT64_MAX) return false;
    bool unknown = idmap_get(&engine->unknown, id) != 0;
    if (effect->type == EFFECT_JOB_PUT) {
        if (unknown) idmap_remove(&engine->unknown, id);
        return false;
    }
    if (job_find(engine, id) != 0) return false;
    hob_assert(engine->replaying);
    next_above(&engine->next_id, id);
    if (effect->type == EFFECT_JOB_RUN) next_above(&engine->next_token, effect->job_run.token);
    if (effect->type != EFFECT_JOB_DELETED) {
        if (!unknown) idmap_set(&engine->unknown, id, 1);
    } else if (unknown) {
        idmap_remove(&engine->unknown, id);
    }
    return true;
}

enum hob_status carry(struct engine *engine, const struct effect *effect, struct hob_error *err) {
    if (carry_skips(engine, effect)) return HOB_OK;
    bool fits = false;
    digest_before(engine, effect);
    switch (effect_is_sound(effect) ? effect->type : EFFECT_NONE) {
    case EFFECT_NONE:
        break;
#define X(NAME, number, member, text)                   \
    case EFFECT_##NAME:                                 \
        fits = carry_##member(engine, &effect->member); \
        break;
        EFFECTS(X)
#undef X
    }
    digest_after(engine, effect);
    if (fits) return HOB_OK;
    return fail(
        err,
        HOB_CORRUPT,
        "an effect of type %d on job %llu contradicts the state",
        (int)effect->type,
        (unsigned long long)effect_job_id(effect)
    );
}

static void emit_one(struct engine *engine, const struct effect *effect) {
    hob_assert(!engine->replaying);
    struct event event;
    uint32_t job = 0;
    bool told = engine->sink.event != NULL && event_begin(engine, effect, &event, &job);
    if (effect->type == EFFECT_JOB_DONE || effect->type == EFFECT_JOB_FAILED) {
        figures_ended(engine, effect_job_id(effect));
    }
    engine->sink.effect(engine->sink.context, effect);
    /* Told while its names are still there. */
    if (told && event.type == EVENT_DELETED) engine->sink.event(engine->sink.context, &event);
    enum hob_status status = carry(engine, effect, NULL);
    hob_assert(status == HOB_OK);
    if (!told || event.type == EVENT_DELETED) return;
    event_end(engine, effect, job, &event);
    engine->sink.event(engine->sink.context, &event);
}

/* What ends one job may free another, in the same batch: nobody sees the one without the other. */
void emit(struct engine *engine, const struct effect *effect) {
    emit_one(engine, effect);
    if (engine->freed == 0) return;
    const struct job *job = job_at(engine, engine->freed);
    hob_assert(job->state == JOB_BLOCKED);
    engine->freed = 0;
    struct effect unblocked = {
        .type = EFFECT_JOB_STAGED, .job_staged = {.id = job->id, .at_ns = engine->now_ns}};
    emit_one(engine, &unblocked);
    hob_assert(engine->freed == 0);
    if (job->state == JOB_AVAILABLE) queue_feed(engine, job->queue);
}

struct body_ref emit_body(struct engine *engine, struct slice bytes) {
    if (bytes.size == 0) return (struct body_ref){0};
    struct effect effect = {
        .type = EFFECT_BODY,
        .body =
            {
                .id = engine->next_body,
                .crc = crc32c(0, bytes.bytes, bytes.size),
                .bytes = bytes,
            },
    };
    emit(engine, &effect);
    return (struct body_ref){.id = effect.body.id, .size = (uint32_t)bytes.size};
}
