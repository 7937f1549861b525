/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a job, whichever way it came: its callbacks are pushed, then those who wait are told.
 * The pushes are effects of the same command as the end, so they are in one batch with it: an end
 * that is durable has its callbacks.
 *
 * An end is never refused, so neither are its callbacks: not for memory (pushes stop at four fifths
 * of the ceiling, and the last fifth is for these), nor for the disk (the space keeps a reserve,
 * and past it a batch waits), nor for the number of queues and kinds, which their own pushes have
 * bounded. JOBS_RESERVED places for jobs are left to them; when even those are taken, which is past
 * 130 million jobs, the callback is given up and counted. Deleting a job is no end. */
#include "base/json.h"
#include "engine/callback.h"
#include "engine/document.h"
#include "engine/labels.h"
#include "engine/valves.h"

enum { LOG_CHUNKS_READ_MAX = DOCUMENT_LOG_LINES_MAX, LOG_BYTES_READ_MAX = 64 * 1024 };

static bool fires(enum callback_when when, enum job_state state) {
    if (when == CALLBACK_FINISHED) return true;
    return (when == CALLBACK_SUCCESS) == (state == JOB_COMPLETED);
}

/* The last chunks of the attempt that spoke last; the whole of each, since lines are told apart
 * only from its start. What cannot be read is left out. */
static void read_log(struct engine *engine, const struct job_view *job, struct buf *out) {
    if (engine->sink.body_read == NULL) return;
    uint32_t from = job->log_count;
    size_t bytes = 0;
    while (from > 0 && job->log_count - from < LOG_CHUNKS_READ_MAX && bytes < LOG_BYTES_READ_MAX) {
        if (job->logs[from - 1].attempt != job->logs[job->log_count - 1].attempt) break;
        bytes += job->logs[--from].size;
    }
    for (uint32_t i = from; i < job->log_count; i++) {
        size_t before = out->size;
        if (engine->sink.body_read(engine->sink.context, job->logs[i].id, out)) continue;
        out->size = before;
    }
}

/* Append a member of @parent's headers that @own does not have. */
static void put_inherited(
    struct buf *out, struct slice own, struct slice parent, const char *name, bool *comma
) {
    struct slice raw = header_raw(parent, slice_str(name));
    if (raw.size == 0 || header_raw(own, slice_str(name)).size > 0) return;
    (void)buf_put_str(out, *comma ? ",\"" : "\"");
    (void)buf_put_str(out, name);
    (void)buf_put_str(out, "\":");
    (void)buf_put_slice(out, raw);
    *comma = true;
}

/* The trace goes on: the headers of a callback with the trace context of its parent. A trace that
 * @own begins by itself, or for which there is no room, is left alone. */
static struct slice headers_inherit(struct buf *out, struct slice own, struct slice parent) {
    if (header_raw(own, SLICE("traceparent")).size > 0) return own;
    if (header_raw(parent, SLICE("traceparent")).size == 0) return own;
    size_t size = own.size;
    while (size > 0 && own.bytes[size - 1] != '}') size--;
    if (size > 0) size--;
    while (size > 0 && strchr(" \t\r\n", own.bytes[size - 1]) != NULL) size--;
    if (size == 0) {
        (void)buf_put_char(out, '{');
    } else {
        (void)buf_put(out, own.bytes, size);
    }
    bool comma = out->bytes[out->size - 1] != '{';
    put_inherited(out, own, parent, "traceparent", &comma);
    put_inherited(out, own, parent, "tracestate", &comma);
    (void)buf_put_char(out, '}');
    return headers_fault(buf_slice(out)) == NULL ? buf_slice(out) : own;
}

static void callback_emit(
    struct engine *engine,
    const struct callback *callback,
    const struct job_view *job,
    struct slice document
) {
    HOB_AUTO_BUF struct buf headers = buf_make(2 * HEADERS_BYTES_MAX);
    HOB_AUTO_BUF struct buf payload = buf_make(DOCUMENT_BYTES_MAX + ON_DONE_BYTES_MAX + 1);
    struct push_command push = callback->push;
    push.headers = headers_inherit(&headers, push.headers, job->headers);
    if (callback->payload == CALLBACK_EVENT) {
        push.payload = document;
    } else if (callback->payload == CALLBACK_REQUEST) {
        (void)buf_put_slice(&payload, push.payload);
        (void)buf_put_slice(&payload, document);
        (void)buf_put_char(&payload, '}');
        hob_assert(!payload.overflowed);
        push.payload = buf_slice(&payload);
    }
    if (engine->jobs.count >= JOBS_MAX + JOBS_RESERVED) {
        engine->callbacks_lost++;
        return;
    }
    struct answer answer = {.code = ANSWER_OK};
    if (push_is_met(engine, &push, &answer)) return;
    push_emit(engine, &push, job->id, &answer);
}

static void callbacks_emit(
    struct engine *engine, const struct job *job, struct slice on_done, struct ending ending
) {
    HOB_AUTO_BUF struct buf log = buf_make(2 * LOG_CHUNK_BYTES_MAX + LOG_BYTES_READ_MAX);
    HOB_AUTO_BUF struct buf document = buf_make(DOCUMENT_BYTES_MAX);
    struct job_view view;
    job_view_fill(engine, job, &view);
    struct callback callback;
    bool bad = false;
    while (callback_next(&on_done, &callback, &bad)) {
        if (!fires(callback.when, view.state)) continue;
        if (document.size == 0 && callback.payload != CALLBACK_OWN) {
            if (view.state != JOB_COMPLETED) read_log(engine, &view, &log);
            ending.log = buf_slice(&log);
            document_put(&document, &view, &ending);
            hob_assert(!document.overflowed);
        }
        callback_emit(engine, &callback, &view, buf_slice(&document));
    }
}

void job_ended(struct engine *engine, uint64_t id, struct ending ending) {
    const struct job *job = job_at(engine, job_find(engine, id));
    hob_assert(job_state_is_final((enum job_state)job->state));
    if (job->state == JOB_DISCARDED && !ending.by_person) valve_block(engine, job);
    const struct side *side = job->side == 0 ? NULL : side_at(engine, job->side);
    if (side != NULL && side->labels != NULL && side->labels->on_done.size > 0) {
        callbacks_emit(engine, job, text_slice(side->labels->on_done), ending);
    }
    waiters_job_ended(engine, id, ANSWER_OK, (enum job_state)job->state);
}

/* --- what may be pushed as on_done --- */

/* A request ends where the value of its body belongs. */
static bool request_is_sound(struct slice payload) {
    HOB_AUTO_BUF struct buf whole = buf_make(ON_DONE_BYTES_MAX + 16);
    (void)buf_put_slice(&whole, payload);
    (void)buf_put_str(&whole, "null}");
    struct slice text = buf_slice(&whole);
    return json_valid(text) && text.bytes[0] == '{';
}

static const char *callback_fault(const struct callback *callback) {
    if (callback->payload == CALLBACK_EVENT && callback->push.payload.size > 0) {
        return "on_done: a payload and an event document: which of them?";
    }
    if (callback->payload == CALLBACK_REQUEST && !request_is_sound(callback->push.payload)) {
        return "on_done: a request is a JSON object that ends at its body";
    }
    return push_fault(&callback->push);
}

const char *on_done_fault(struct slice on_done) {
    if (on_done.size > ON_DONE_BYTES_MAX) return "on_done: more than 16 KiB";
    struct slice rests[CALLBACKS_DEPTH_MAX] = {on_done};
    uint32_t counts[CALLBACKS_DEPTH_MAX] = {0};
    uint32_t depth = 0;
    for (;;) {
        struct callback callback;
        bool bad = false;
        if (!callback_next(&rests[depth], &callback, &bad)) {
            if (bad) return "on_done: its bytes are not encoded as they must be";
            if (depth == 0) return NULL;
            depth--;
            continue;
        }
        if (++counts[depth] > CALLBACKS_MAX) return "on_done: more than 8 callbacks";
        const char *fault = callback_fault(&callback);
        if (fault != NULL) return fault;
        if (callback.push.on_done.size == 0) continue;
        if (depth + 1 == CALLBACKS_DEPTH_MAX) return "on_done: nested deeper than 4";
        rests[++depth] = callback.push.on_done;
        counts[depth] = 0;
    }
}
