/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker tells about a running job before its end: it needs longer, it is so far, it has
 * come to this point, it logs. */
#include "engine/core.h"
#include "engine/logline.h"

void apply_extend(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct extend_command *extend = &command->extend;
    hob_ns lease_ns = extend->lease_ns == 0 ? LEASE_DEFAULT_NS : extend->lease_ns;
    if (lease_ns < LEASE_MIN_NS || lease_ns > LEASE_MAX_NS) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "lease is 1 second to 24 hours");
        return;
    }
    uint32_t handle = lease_job(engine, extend->lease, answer);
    if (handle == 0) return;
    const struct job *job = job_at(engine, handle);
    struct effect lease = {
        .type = EFFECT_JOB_LEASE,
        .job_lease = {.id = job->id, .lease_until_ns = ns_add(engine->now_ns, lease_ns)},
    };
    if (lease.job_lease.lease_until_ns > run_at(engine, job->run)->lease_until_ns) {
        emit(engine, &lease);
    }
    answer->lease_until_ns = job_over_ns(engine, job);
}

void apply_checkpoint(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct checkpoint_command *checkpoint = &command->checkpoint;
    if (checkpoint->bytes.size > CHECKPOINT_BYTES_MAX) {
        answer_set(answer, ANSWER_TOO_LARGE, "checkpoint is larger than 1 MiB");
        return;
    }
    if (lease_job(engine, checkpoint->lease, answer) == 0) return;
    struct effect effect = {
        .type = EFFECT_JOB_CHECKPOINT, .job_checkpoint = {.id = checkpoint->lease.id}};
    effect.job_checkpoint.body = emit_body(engine, checkpoint->bytes);
    emit(engine, &effect);
}

void apply_progress(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct progress_command *progress = &command->progress;
    if (progress->percent > 100) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "percent is 0 to 100");
        return;
    }
    if (progress->text.size > PROGRESS_TEXT_BYTES_MAX) {
        answer_set(answer, ANSWER_TOO_LARGE, "text of a progress is longer than 200 bytes");
        return;
    }
    if (lease_job(engine, progress->lease, answer) == 0) return;
    struct effect effect = {
        .type = EFFECT_JOB_PROGRESS,
        .job_progress =
            {.id = progress->lease.id, .percent = progress->percent, .text = progress->text},
    };
    emit(engine, &effect);
}

static bool entries_are_sound(struct slice entries) {
    struct log_line line;
    bool bad = false;
    while (log_line_next(&entries, &line, &bad)) continue;
    return !bad;
}

struct log_use {
    uint64_t bytes;
    uint32_t chunks;
};

/* What this attempt's log holds already, in its head or its tail. */
static struct log_use log_use(const struct side *side, uint16_t attempt, uint16_t head) {
    struct log_use use = {0};
    for (uint32_t i = 0; i < side->log_count; i++) {
        if (side->logs[i].attempt != attempt || side->logs[i].head != head) continue;
        use.bytes += side->logs[i].size;
        use.chunks++;
    }
    return use;
}

/* How many of the oldest tail chunks must go to make room for @size bytes. */
static uint32_t log_drops(const struct side *side, uint16_t attempt, uint64_t size) {
    struct log_use tail = log_use(side, attempt, 0);
    uint32_t drops = 0;
    for (uint32_t i = 0; i < side->log_count; i++) {
        if (tail.bytes + size <= LOG_TAIL_BYTES_MAX && tail.chunks < LOG_CHUNKS_MAX) break;
        if (side->logs[i].attempt != attempt || side->logs[i].head != 0) continue;
        tail.bytes -= side->logs[i].size;
        tail.chunks--;
        drops++;
    }
    return drops;
}

void apply_log(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct log_command *log = &command->log;
    if (log->entries.size == 0 || log->entries.size > LOG_CHUNK_BYTES_MAX) {
        answer_set(answer, ANSWER_TOO_LARGE, "one LOG carries 1 byte to 64 KiB of lines");
        return;
    }
    if (!entries_are_sound(log->entries)) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "the log lines are not encoded as they must be");
        return;
    }
    uint32_t handle = lease_job(engine, log->lease, answer);
    if (handle == 0) return;
    const struct job *job = job_at(engine, handle);
    struct effect logged = {.type = EFFECT_JOB_LOGGED, .job_logged = {.id = job->id}};
    bool head = true;
    if (job->side != 0) {
        const struct side *side = side_at(engine, job->side);
        struct log_use use = log_use(side, job->attempt, 1);
        head = use.bytes + log->entries.size <= LOG_HEAD_BYTES_MAX && use.chunks < LOG_CHUNKS_MAX &&
               log_use(side, job->attempt, 0).chunks == 0;
        if (!head) {
            logged.job_logged.drop_count = log_drops(side, job->attempt, log->entries.size);
        }
    }
    logged.job_logged.body = emit_body(engine, log->entries);
    logged.job_logged.body.attempt = job->attempt;
    logged.job_logged.body.head = head ? 1 : 0;
    engine->logging = log->entries;
    emit(engine, &logged);
    engine->logging = SLICE_NONE;
}
