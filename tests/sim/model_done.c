/* SPDX-License-Identifier: Apache-2.0 */
/* What follows the end of a job. The templates are read, and the event document is written, by the
 * engine's own functions: what is proved here is who is called back, when, with which document of
 * which job, not how JSON is spelled (src/engine/callback_test.c). */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/callback.h"
#include "engine/document.h"
#include "tests/sim/model.h"

enum { LOG_READ_BYTES_MAX = 2 * (LOG_HEAD_BYTES_MAX + LOG_TAIL_BYTES_MAX) };

/* "name":"value" in headers without escapes, as runs write them; empty: it is not there. */
static struct slice find_header(struct slice headers, const char *name) {
    size_t size = strlen(name);
    for (size_t at = 0; at + size + 5 <= headers.size; at++) {
        const char *text = headers.bytes + at;
        if (text[0] != '"' || memcmp(text + 1, name, size) != 0) continue;
        if (memcmp(text + 1 + size, "\":\"", 3) != 0) continue;
        const char *end = memchr(text + size + 4, '"', headers.size - at - size - 4);
        hob_assert(end != NULL);
        return slice_of(text, (size_t)(end - text) + 1);
    }
    return SLICE_NONE;
}

/* The trace context goes on, unless the template begins a trace of its own. */
static struct slice inherit(struct model *model, struct slice own, struct slice parent) {
    struct slice trace = find_header(parent, "traceparent");
    struct slice state = find_header(parent, "tracestate");
    if (trace.size == 0 || find_header(own, "traceparent").size > 0) return own;
    if (find_header(own, "tracestate").size > 0) state = SLICE_NONE;
    struct buf text = buf_make(2 * HEADERS_BYTES_MAX);
    (void)buf_put_slice(&text, own.size == 0 ? SLICE("{") : slice_of(own.bytes, own.size - 1));
    if (text.size > 1) (void)buf_put_char(&text, ',');
    (void)buf_put_slice(&text, trace);
    if (state.size > 0) (void)buf_put_char(&text, ',');
    (void)buf_put_slice(&text, state);
    (void)buf_put_char(&text, '}');
    struct slice headers = model_copy(model, buf_slice(&text));
    buf_deinit(&text);
    return headers;
}

/* All that the attempt that spoke last has said. */
static void gather_log(const struct model *model, const struct model_job *job, struct buf *out) {
    uint32_t count = job->view.log_count;
    if (count == 0 || !model->reads_bodies) return;
    for (uint32_t i = 0; i < count; i++) {
        if (job->logs[i].attempt != job->logs[count - 1].attempt) continue;
        (void)buf_put_slice(out, model->bodies[job->logs[i].id - 1].bytes);
    }
    hob_assert(!out->overflowed);
}

static bool is_due(enum callback_when when, enum job_state state) {
    switch (when) {
    case CALLBACK_SUCCESS:
        return state == JOB_COMPLETED;
    case CALLBACK_FAILURE:
        return state == JOB_DISCARDED || state == JOB_CANCELLED;
    case CALLBACK_FINISHED:
        return true;
    case CALLBACK_WHEN_COUNT:
        break;
    }
    return false;
}

void model_done(
    struct model *model, const struct model_job *job, struct slice result, bool by_person
) {
    struct slice rest = job->view.on_done;
    struct callback callback;
    bool bad = false;
    if (job->view.state == JOB_DISCARDED && !by_person) model_valve_block(model, &job->view);
    if (rest.size == 0) return;
    struct buf log = buf_make(LOG_READ_BYTES_MAX);
    struct buf document = buf_make(DOCUMENT_BYTES_MAX);
    struct buf payload = buf_make(DOCUMENT_BYTES_MAX + ON_DONE_BYTES_MAX);
    if (job->view.state != JOB_COMPLETED) gather_log(model, job, &log);
    struct ending ending = {.result = result, .by_person = by_person, .log = buf_slice(&log)};
    document_put(&document, &job->view, &ending);
    uint64_t parent = job->view.id;
    struct slice headers = job->view.headers;
    enum job_state state = job->view.state;
    while (callback_next(&rest, &callback, &bad)) {
        if (!is_due(callback.when, state)) continue;
        struct push_command push = callback.push;
        push.headers = inherit(model, push.headers, headers);
        buf_reset(&payload);
        if (callback.payload == CALLBACK_EVENT) {
            push.payload = buf_slice(&document);
        } else if (callback.payload == CALLBACK_REQUEST) {
            (void)buf_put_slice(&payload, push.payload);
            (void)buf_put_slice(&payload, buf_slice(&document));
            (void)buf_put_char(&payload, '}');
            push.payload = buf_slice(&payload);
        }
        struct answer nobody_hears;
        model_push(model, &push, parent, &nobody_hears);
    }
    buf_deinit(&log);
    buf_deinit(&document);
    buf_deinit(&payload);
}
