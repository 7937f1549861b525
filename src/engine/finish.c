/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an attempt, told by its worker: ack, fail, release. Each needs the lease: a worker
 * whose lease is over, or whose job was taken away, changes nothing. */
#include "engine/valves.h"

uint32_t lease_job(struct engine *engine, struct lease_ref lease, struct answer *answer) {
    answer->id = lease.id;
    uint32_t handle = job_find(engine, lease.id);
    if (handle == 0) {
        answer_set(answer, ANSWER_NO_JOB, NULL);
        return 0;
    }
    const struct job *job = job_at(engine, handle);
    answer->state = (enum job_state)job->state;
    if (job->state != JOB_RUNNING || run_at(engine, job->run)->token != lease.token) {
        answer_set(answer, ANSWER_STALE, NULL);
        return 0;
    }
    /* A lease that ends exactly now is over. Rescue uses the same rule, so a late ack and the
     * rescuer agree on one owner, whichever of them comes first. */
    if (engine->now_ns >= job_over_ns(engine, job)) {
        answer_set(answer, ANSWER_LEASE_OVER, NULL);
        return 0;
    }
    return handle;
}

static void slot_freed(struct engine *engine, uint32_t worker) {
    worker_feed(engine, worker_at(engine, worker));
}

void apply_ack(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct ack_command *ack = &command->ack;
    if (ack->result.size > RESULT_BYTES_MAX) {
        answer_set(answer, ANSWER_TOO_LARGE, "result is larger than 1 MiB: store it elsewhere");
        return;
    }
    uint32_t handle = lease_job(engine, ack->lease, answer);
    if (handle == 0) return;
    const struct job *job = job_at(engine, handle);
    uint32_t worker = run_at(engine, job->run)->worker;
    bool kept = job->side == 0 || !side_at(engine, job->side)->has_keep ||
                side_at(engine, job->side)->keep_ns > 0;
    struct effect done = {
        .type = EFFECT_JOB_DONE,
        .job_done = {.id = job->id, .at_ns = engine->now_ns},
    };
    done.job_done.result = emit_body(engine, ack->result);
    emit(engine, &done);
    answer->state = JOB_COMPLETED;
    job_ended(engine, ack->lease.id, (struct ending){.result = ack->result});
    if (!kept) {
        struct effect deleted = {.type = EFFECT_JOB_DELETED, .job_deleted = {.id = ack->lease.id}};
        emit(engine, &deleted);
    }
    slot_freed(engine, worker);
}

/* The first @max bytes, not ending inside a UTF-8 character when the text is UTF-8. */
static struct slice text_cut(struct slice text, size_t max) {
    if (text.size <= max) return text;
    size_t size = max;
    while (size > max - 4 && ((unsigned char)text.bytes[size] & 0xc0) == 0x80) size--;
    return slice_of(text.bytes, size);
}

/* The attempt has failed: retry after @delay_ns, or, when it was the last one, discard. */
static void emit_failed(
    struct engine *engine,
    const struct job *job,
    const struct job_error *error,
    bool last,
    hob_ns delay_ns,
    struct answer *answer
) {
    uint64_t id = job->id;
    struct effect failed = {.type = EFFECT_JOB_FAILED};
    failed.job_failed.id = id;
    failed.job_failed.state = last ? JOB_DISCARDED : JOB_RETRYABLE;
    failed.job_failed.run_at_ns = last ? 0 : ns_add(engine->now_ns, delay_ns);
    failed.job_failed.error = *error;
    failed.job_failed.error.attempt = job->attempt;
    failed.job_failed.error.at_ns = engine->now_ns;
    emit(engine, &failed);
    answer->state = failed.job_failed.state;
    if (last) {
        job_ended(engine, id, (struct ending){.by_person = false});
    } else if (term_settle(engine, id)) {
        answer->state = JOB_DISCARDED;
    }
}

/* How long this job waits before its next attempt, by its own backoff or the default one. */
static hob_ns job_backoff(const struct engine *engine, const struct job *job) {
    static const struct backoff backoff_default = {.type = BACKOFF_EXPONENTIAL};
    const struct backoff *own = job->side == 0 ? NULL : side_at(engine, job->side)->backoff;
    return backoff_delay(own == NULL ? &backoff_default : own, job->id, job->attempt);
}

void apply_fail(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct fail_command *fail = &command->fail;
    if (fail->cause >= ERROR_CAUSE_COUNT) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "no such cause");
        return;
    }
    if (fail->has_retry_in && fail->retry_in_ns > DELAY_MAX_NS) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "retry_in is longer than 3650 days");
        return;
    }
    if (fail->pause_ns > DELAY_MAX_NS) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "pause_limiter is longer than 3650 days");
        return;
    }
    uint32_t handle = lease_job(engine, fail->lease, answer);
    if (handle == 0) return;
    const struct job *job = job_at(engine, handle);
    uint32_t worker = run_at(engine, job->run)->worker;
    limiter_rest(engine, job, fail->pause_ns);
    bool last = fail->permanent || job->attempt >= job->attempt_max;
    hob_ns delay_ns = fail->has_retry_in ? fail->retry_in_ns : job_backoff(engine, job);
    struct job_error error = {
        .cause = fail->cause,
        .code = fail->code,
        .what = text_cut(fail->what, ERROR_WHAT_BYTES_MAX),
        .text = text_cut(fail->text, ERROR_TEXT_BYTES_MAX),
        .backtrace = emit_body(engine, text_cut(fail->backtrace, BACKTRACE_BYTES_MAX)),
    };
    emit_failed(engine, job, &error, last, delay_ns, answer);
    slot_freed(engine, worker);
}

/* Releases that do not count are bounded: afterwards the attempt counts, and the last one ends the
 * job. */
static void release_counted(
    struct engine *engine, const struct job *job, hob_ns delay_ns, struct answer *answer
) {
    struct job_error error = {
        .cause = CAUSE_RELEASED,
        .text = SLICE("released more than 1000 times: each further release counts"),
    };
    emit_failed(engine, job, &error, job->attempt >= job->attempt_max, delay_ns, answer);
}

void apply_release(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct release_command *release = &command->release;
    if (release->delay_ns > DELAY_MAX_NS) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "delay is longer than 3650 days");
        return;
    }
    uint32_t handle = lease_job(engine, release->lease, answer);
    if (handle == 0) return;
    const struct job *job = job_at(engine, handle);
    uint32_t queue = job->queue;
    uint32_t worker = run_at(engine, job->run)->worker;
    uint32_t releases = job->side == 0 ? 0 : side_at(engine, job->side)->releases;
    if (releases >= RELEASES_FREE_MAX) {
        release_counted(engine, job, release->delay_ns, answer);
        slot_freed(engine, worker);
        return;
    }
    bool now = release->delay_ns == 0;
    struct effect released = {
        .type = EFFECT_JOB_RELEASED,
        .job_released =
            {
                .id = job->id,
                .at_ns = engine->now_ns,
                .state = now ? JOB_AVAILABLE : JOB_SCHEDULED,
                .run_at_ns = now ? 0 : ns_add(engine->now_ns, release->delay_ns),
                .attempt_back = true,
            },
    };
    emit(engine, &released);
    answer->state = released.job_released.state;
    if (term_settle(engine, release->lease.id)) answer->state = JOB_DISCARDED;
    if (now) queue_feed(engine, queue);
    slot_freed(engine, worker);
}
