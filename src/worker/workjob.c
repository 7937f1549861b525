/* SPDX-License-Identifier: Apache-2.0 */
/* One job of a worker:
 *
 *     leased ──> running ──run done──> ended ──settling──> settled ──no open request──> freed
 *                   │                    ^         │
 *                   │                    └─────────┘ connection lost: told again when it is back
 *                   └── lease lost: stopped, nothing is told
 *
 * Telling an end twice is harmless: the lease token is of one use, so the second time is answered
 * STALE. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/json.h"
#include "os/clock.h"
#include "os/log.h"
#include "worker/kinds.h"
#include "worker/private.h"

enum { LOG_WORDS = 8, SETTLE_WORDS_MAX = 14, URGENT_LOG_BYTES = 32 * 1024 };

#define UNKNOWN_KIND_DELAY_NS (5 * NS_PER_SECOND)
#define TIMEOUT_DEFAULT_NS    (15 * NS_PER_MINUTE)
#define LOST_GRACE_NS_MAX     (10 * NS_PER_SECOND)

static void text_keep(char *to, size_t size, struct slice text) {
    if (text.size > size - 1) text.size = size - 1;
    if (text.size > 0) memcpy(to, text.bytes, text.size);
    to[text.size] = '\0';
}

/* The id of the trace that a job belongs to: of its traceparent, 00-TRACE-SPAN-FLAGS (W3C Trace
 * Context); the server took only such. */
static void take_trace_id(struct workjob *job, struct slice headers) {
    enum { TRACE_AT = 3, TRACE_SIZE = sizeof job->trace_id - 1 };
    struct json_value object;
    struct json_value value;
    HOB_AUTO_BUF struct buf text = buf_make(1024);
    if (headers.size == 0 || !json_parse(headers, &object, NULL)) return;
    if (!json_get(object, SLICE("traceparent"), &value) || !json_decode(value, &text)) return;
    if (text.size < TRACE_AT + TRACE_SIZE) return;
    memcpy(job->trace_id, text.bytes + TRACE_AT, TRACE_SIZE);
    job->trace_id[TRACE_SIZE] = '\0';
}

static struct workjob *workjob_new(struct worker *worker, const struct resp_node *map) {
    struct workjob *job = calloc(1, sizeof *job);
    hob_assert(job != NULL);
    job->worker = worker;
    job->id = reply_u64(map, "id", 0);
    text_keep(job->id_text, sizeof job->id_text, reply_text(map, "id"));
    text_keep(job->token_text, sizeof job->token_text, reply_text(map, "token"));
    text_keep(job->queue, sizeof job->queue, reply_text(map, "queue"));
    text_keep(job->kind, sizeof job->kind, reply_text(map, "kind"));
    job->attempt = (uint32_t)reply_u64(map, "attempt", 1);
    uint64_t cost = reply_u64(map, "cost", 1);
    job->cost = cost > UINT16_MAX ? UINT16_MAX : (uint32_t)cost;
    take_trace_id(job, reply_text(map, "headers"));
    job->started_ms = uv_now(worker->loop);
    job->result = buf_make(RESULT_BYTES_MAX);
    joblog_init(&job->log);
    job->next = worker->jobs;
    if (job->next != NULL) job->next->previous = job;
    worker->jobs = job;
    worker->job_count++;
    worker->slots_taken += job->cost;
    return job;
}

static void workjob_free_if_done(struct workjob *job) {
    if (job->run != NULL || !job->settled || job->open_requests > 0) return;
    struct worker *worker = job->worker;
    if (job->next != NULL) job->next->previous = job->previous;
    if (job->previous != NULL) {
        job->previous->next = job->next;
    } else {
        worker->jobs = job->next;
    }
    worker->job_count--;
    worker->slots_taken -= job->cost;
    joblog_deinit(&job->log);
    buf_deinit(&job->result);
    config_free(job->holds);
    free(job);
    worker_slot_free(worker);
}

void workjob_lose(struct workjob *job, const char *why) {
    if (job->ended) return;
    hob_ns grace_ns = job->config->grace_ns;
    if (grace_ns > LOST_GRACE_NS_MAX) grace_ns = LOST_GRACE_NS_MAX;
    log_warn("stopping a job", JOB_FIELDS(job), log_str("why", why));
    job->executor->stop(job->run, STOP_LOST, grace_ns);
}

void workjob_abandon(struct workjob *job) {
    job->settled = true;
    workjob_free_if_done(job);
}

void workjob_interrupt(struct workjob *job, hob_ns grace_ns) {
    if (job->run != NULL && !job->ended) job->executor->stop(job->run, STOP_SHUTDOWN, grace_ns);
}

/* An answer to something that was told while the job runs. */
static void note_answer(struct workjob *job, const struct resp_node *node, const char *what) {
    if (node == NULL || node->type != RESP_FAILURE) return;
    bool gone = reply_is_error(node, "STALE") || reply_is_error(node, "NOJOB") ||
                reply_is_error(node, "LEASEOVER");
    if (gone && !job->ended) {
        workjob_lose(job, "its lease is gone");
    } else if (!gone) {
        log_warn("refused", JOB_FIELDS(job), log_str("what", what), log_text("reply", node->text));
    }
}

struct log_request {
    struct workjob *job;
    size_t size_bytes;
};

static void on_logged(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct log_request *request = context;
    struct workjob *job = request->job;
    job->open_requests--;
    if (node == NULL) {
        joblog_rewind(&job->log);
    } else {
        joblog_acknowledge(&job->log, request->size_bytes);
        note_answer(job, node, "log");
        if (joblog_unsent_bytes(&job->log) > URGENT_LOG_BYTES) workjob_tell(job);
    }
    free(request);
    workjob_free_if_done(job);
}

static void log_batch_send(struct workjob *job, const struct joblog_batch *batch) {
    struct slice args[LOG_WORDS + JOBLOG_BATCH_LINES_MAX];
    char at[24];
    (void)snprintf(at, sizeof at, "%llu", (unsigned long long)batch->at_ms);
    size_t count = 0;
    args[count++] = SLICE("LOG");
    args[count++] = slice_str(job->id_text);
    args[count++] = slice_str(job->token_text);
    args[count++] = SLICE("STREAM");
    args[count++] = batch->stream == RUN_SYSTEM ? SLICE("sys") : SLICE("err");
    args[count++] = SLICE("AT");
    args[count++] = slice_str(at);
    args[count++] = SLICE("LINES");
    hob_assert(count == LOG_WORDS);
    for (size_t i = 0; i < batch->line_count; i++) args[count++] = batch->lines[i];
    struct log_request *request = calloc(1, sizeof *request);
    hob_assert(request != NULL);
    request->job = job;
    request->size_bytes = batch->size_bytes;
    job->open_requests++;
    client_request(job->worker->control, args, count, 0, on_logged, request);
}

static void logs_send(struct workjob *job) {
    struct joblog_batch batch;
    while (joblog_take(&job->log, job->ended, &batch)) log_batch_send(job, &batch);
}

static void on_progressed(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct workjob *job = context;
    job->open_requests--;
    note_answer(job, node, "progress");
    workjob_free_if_done(job);
}

static void progress_send(struct workjob *job) {
    char percent[12];
    (void)snprintf(percent, sizeof percent, "%u", job->percent);
    const struct slice args[] = {
        SLICE("PROGRESS"),
        slice_str(job->id_text),
        slice_str(job->token_text),
        slice_str(percent),
        job->progress,
    };
    job->progress_new = false;
    job->open_requests++;
    client_request(job->worker->control, args, hob_countof(args), 0, on_progressed, job);
}

static void on_settled(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct workjob *job = context;
    job->open_requests--;
    job->settling = false;
    if (node != NULL) {
        job->settled = true;
        if (node->type == RESP_FAILURE) {
            log_warn(
                "the end of a job was refused", JOB_FIELDS(job), log_text("reply", node->text)
            );
        }
    }
    workjob_free_if_done(job);
}

struct numbers {
    char code[24];
    char ms[24];
    char pause_ms[24];
};

static size_t settle_fail(const struct workjob *job, struct slice *args, struct numbers *numbers) {
    const struct outcome *outcome = &job->outcome;
    size_t count = 0;
    args[count++] = SLICE("FAIL");
    args[count++] = slice_str(job->id_text);
    args[count++] = slice_str(job->token_text);
    args[count++] = slice_str(outcome->text);
    args[count++] = SLICE("CAUSE");
    args[count++] = slice_str(outcome->cause);
    if (outcome->code != 0) {
        (void)snprintf(numbers->code, sizeof numbers->code, "%d", outcome->code);
        args[count++] = SLICE("CODE");
        args[count++] = slice_str(numbers->code);
    }
    if (outcome->what != NULL) {
        args[count++] = SLICE("WHAT");
        args[count++] = slice_str(outcome->what);
    }
    if (outcome->permanent) {
        args[count++] = SLICE("PERMANENT");
    } else if (outcome->has_retry_in) {
        unsigned long long ms = outcome->retry_in_ns / NS_PER_MS;
        (void)snprintf(numbers->ms, sizeof numbers->ms, "%llu", ms);
        args[count++] = SLICE("RETRYIN");
        args[count++] = slice_str(numbers->ms);
    }
    if (outcome->pause_ns >= NS_PER_MS) {
        unsigned long long ms = outcome->pause_ns / NS_PER_MS;
        (void)snprintf(numbers->pause_ms, sizeof numbers->pause_ms, "%llu", ms);
        args[count++] = SLICE("PAUSELIMITER");
        args[count++] = slice_str(numbers->pause_ms);
    }
    hob_assert(count <= SETTLE_WORDS_MAX);
    return count;
}

static void settle(struct workjob *job) {
    struct slice args[SETTLE_WORDS_MAX];
    struct numbers numbers;
    size_t count = 0;
    if (job->outcome.verdict == OUTCOME_FAIL) {
        count = settle_fail(job, args, &numbers);
    } else {
        bool ack = job->outcome.verdict == OUTCOME_ACK;
        args[count++] = ack ? SLICE("ACK") : SLICE("RELEASE");
        args[count++] = slice_str(job->id_text);
        args[count++] = slice_str(job->token_text);
        if (ack && job->result.size > 0) args[count++] = buf_slice(&job->result);
        if (!ack && job->outcome.delay_ns > 0) {
            unsigned long long delay_ms = job->outcome.delay_ns / NS_PER_MS;
            (void)snprintf(numbers.ms, sizeof numbers.ms, "%llu", delay_ms);
            args[count++] = SLICE("DELAY");
            args[count++] = slice_str(numbers.ms);
        }
    }
    job->settling = true;
    job->open_requests++;
    client_request(job->worker->control, args, count, 0, on_settled, job);
}

void workjob_tell(struct workjob *job) {
    if (!client_is_ready(job->worker->control) || job->settled || job->settling) return;
    logs_send(job);
    if (job->progress_new) progress_send(job);
    if (job->ended) settle(job);
}

static void on_line(void *context, enum run_stream stream, struct slice line) {
    struct workjob *job = context;
    joblog_add(&job->log, clock_wall() / NS_PER_MS, stream, line);
    if (joblog_unsent_bytes(&job->log) > URGENT_LOG_BYTES) workjob_tell(job);
}

static void on_progress(void *context, uint32_t percent, struct slice text) {
    struct workjob *job = context;
    job->percent = percent;
    if (text.size > 0) memcpy(job->progress_bytes, text.bytes, text.size);
    job->progress = slice_of(job->progress_bytes, text.size);
    job->progress_new = true;
}

static void log_outcome(const struct workjob *job) {
    const struct outcome *outcome = &job->outcome;
    struct log_field dur = log_u64("dur_ms", uv_now(job->worker->loop) - job->started_ms);
    switch (outcome->verdict) {
    case OUTCOME_ACK:
        log_info("job done", JOB_FIELDS(job), dur, log_str("outcome", "ack"));
        break;
    case OUTCOME_FAIL:
        log_warn(
            "job failed",
            JOB_FIELDS(job),
            dur,
            log_str("outcome", "fail"),
            log_str("cause", outcome->cause),
            log_i64("code", outcome->code),
            log_str("error", outcome->text)
        );
        break;
    case OUTCOME_RELEASE:
        log_info("job given back", JOB_FIELDS(job), dur, log_str("outcome", "release"));
        break;
    case OUTCOME_DROP:
        log_info("job stopped", JOB_FIELDS(job), dur, log_str("outcome", "lost"));
        break;
    }
}

static void on_done(void *context, const struct outcome *outcome) {
    struct workjob *job = context;
    job->run = NULL;
    job->ended = true;
    job->outcome = *outcome;
    (void)buf_put_slice(&job->result, outcome->result);
    job->outcome.result = buf_slice(&job->result);
    log_outcome(job);
    if (outcome->verdict == OUTCOME_DROP) job->settled = true;
    workjob_tell(job);
    workjob_free_if_done(job);
}

/* The program of this job cannot be run here. */
static void give_back(struct workjob *job, hob_ns delay_ns) {
    job->ended = true;
    job->outcome = (struct outcome){.verdict = OUTCOME_RELEASE, .delay_ns = delay_ns};
    workjob_tell(job);
}

/* How long this attempt may run: as the job and its kind say, and not beyond the job's deadline.
 * One that is over is left to the timeout, which tells it as it tells any attempt that takes too
 * long. */
static hob_ns attempt_timeout(
    const struct resp_node *map, const struct kind_config *kind, uint64_t deadline_ms, hob_ns now_ns
) {
    uint64_t timeout_ms = reply_u64(map, "timeout_ms", TIMEOUT_DEFAULT_NS / NS_PER_MS);
    hob_ns timeout_ns = timeout_ms == 0 ? TIMEOUT_DEFAULT_NS : timeout_ms * NS_PER_MS;
    if (kind->timeout_ns != 0 && kind->timeout_ns < timeout_ns) timeout_ns = kind->timeout_ns;
    if (deadline_ms == 0 || deadline_ms > UINT64_MAX / NS_PER_MS) return timeout_ns;
    hob_ns deadline_ns = deadline_ms * NS_PER_MS;
    hob_ns left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : NS_PER_MS;
    return left_ns < timeout_ns ? left_ns : timeout_ns;
}

void workjob_start(struct worker *worker, const struct resp_node *map) {
    struct workjob *job = workjob_new(worker, map);
    worker_tick_start(worker);
    if (worker->stop_stage > 0) {
        give_back(job, 0);
        return;
    }
    const struct kind_config *kind = config_kind(worker->options.config, slice_str(job->kind));
    if (kind == NULL) {
        log_warn("job given back: its kind is not configured", JOB_FIELDS(job));
        give_back(job, UNKNOWN_KIND_DELAY_NS);
        return;
    }
    uint64_t deadline_ms = reply_u64(map, "deadline", 0);
    struct run_job run_job = {
        .id = slice_str(job->id_text),
        .token = slice_str(job->token_text),
        .queue = slice_str(job->queue),
        .kind = slice_str(job->kind),
        .payload = reply_text(map, "payload"),
        .headers = reply_text(map, "headers"),
        .created_ms = reply_u64(map, "created_at", 0),
        .whole = worker->options.config->config,
        .attempt = job->attempt,
        .attempt_max = (uint32_t)reply_u64(map, "attempt_max", job->attempt),
        .timeout_ns = attempt_timeout(map, kind, deadline_ms, clock_wall()),
        .deadline_ms = deadline_ms,
        .server = worker->options.server.text,
        .launcher = worker->options.launcher,
        .is_callback = worker->options.control_fd != 0,
        .config = kind,
    };
    struct run_events events = {
        .context = job, .line = on_line, .progress = on_progress, .done = on_done};
    log_info("job started", JOB_FIELDS(job));
    job->config = kind;
    job->holds = config_hold(worker->options.config->config);
    void *shared = NULL;
    job->executor = kind_executor(&worker->executors, kind, &shared);
    job->run = job->executor->start(shared, worker->loop, &run_job, &events);
}
