/* SPDX-License-Identifier: Apache-2.0 */
/* The event document: what those who are called back are told of the end of a job. One JSON object
 * in the structured form of CloudEvents 1.0. It is composed while the job ends, so that it stands
 * for itself when the job is gone, and it is made of the job's view alone: the same end gives the
 * same bytes.
 *
 * `id` is the job's id and version: a job that is retried ends again, in another version. */
#include "engine/document.h"

#include "base/assert.h"
#include "base/json_put.h"
#include "engine/labels.h"
#include "engine/logline.h"

/* To the millisecond, as everywhere outside. */
static void put_time(struct json_put *put, const char *key, hob_ns time_ns) {
    json_member_time(put, key, time_ns / NS_PER_MS * NS_PER_MS);
}

static void put_tags(struct json_put *put, struct slice tags) {
    if (tags.size == 0) return;
    struct slice tag;
    json_put_key(put, "tags");
    json_put_array(put);
    while (tag_next(&tags, &tag)) json_put_text(put, tag);
    json_put_array_end(put);
}

static void put_job(struct json_put *put, const struct job_view *job) {
    json_put_key(put, "job");
    json_put_object(put);
    json_member_id(put, "id", job->id);
    json_member_text(put, "queue", job->queue);
    json_member_text(put, "kind", job->kind);
    json_member_text(put, "state", slice_str(job_state_word(job->state)));
    json_member_text(put, "key", job->key);
    json_member_text(put, "ref", job->ref);
    json_member_id(put, "parent", job->parent);
    put_tags(put, job->tags);
    json_member_u64(put, "attempt", job->attempt);
    json_member_u64(put, "attempt_max", job->attempt_max);
    put_time(put, "created_at", job->created_ns);
    put_time(put, "started_at", job->started_ns);
    put_time(put, "ended_at", job->state_ns);
    json_member_text(put, "worker", job->worker);
    json_put_object_end(put);
}

static void put_result(struct json_put *put, struct slice result) {
    if (result.size > DOCUMENT_RESULT_BYTES_MAX) {
        json_put_key(put, "result_omitted");
        json_put_bool(put, true);
        json_member_u64(put, "result_bytes", result.size);
        return;
    }
    json_put_key(put, "result");
    if (result.size == 0) {
        json_put_null(put);
    } else {
        json_put_bytes(put, SLICE("result"), result);
    }
}

static void put_error(struct json_put *put, const struct job_view *job, bool by_person) {
    json_put_key(put, "error");
    json_put_object(put);
    if (by_person || job->error_count == 0) {
        json_member_text(put, "cause", slice_str(error_cause_word(CAUSE_PERSON)));
        json_member_text(put, "by", job->by);
        json_member_text(put, "text", job->why);
        json_put_object_end(put);
        return;
    }
    const struct job_error *error = &job->errors[job->error_count - 1];
    json_member_text(put, "cause", slice_str(error_cause_word(error->cause)));
    json_put_key(put, "code");
    json_put_i64(put, error->code);
    json_member_text(put, "what", error->what);
    json_member_text(put, "text", error->text);
    json_put_object_end(put);
}

static void put_line(struct json_put *put, const struct log_line *line) {
    json_put_object(put);
    put_time(put, "at", line->at_ns);
    json_member_text(put, "stream", slice_str(log_stream_word(line->stream)));
    json_member_text(put, "level", slice_str(log_level_word(line->level)));
    json_put_key(put, "text");
    json_put_text(put, line->text);
    json_put_object_end(put);
}

/* The last DOCUMENT_LOG_LINES_MAX lines that have at most DOCUMENT_LOG_BYTES_MAX together; the last
 * one in any case, cut. */
static void put_log(struct json_put *put, struct slice log) {
    struct log_line lines[DOCUMENT_LOG_LINES_MAX];
    struct log_line line;
    uint32_t count = 0; /* of all; lines[n % MAX] is number n */
    bool bad = false;
    while (log_line_next(&log, &line, &bad)) lines[count++ % DOCUMENT_LOG_LINES_MAX] = line;
    if (count == 0) return;
    uint32_t from = count;
    size_t bytes = 0;
    while (from > 0 && count - from < DOCUMENT_LOG_LINES_MAX) {
        struct slice *text = &lines[(from - 1) % DOCUMENT_LOG_LINES_MAX].text;
        if (from == count && text->size > DOCUMENT_LOG_BYTES_MAX) {
            text->size = DOCUMENT_LOG_BYTES_MAX;
        }
        bytes += text->size;
        if (bytes > DOCUMENT_LOG_BYTES_MAX) break;
        from--;
    }
    json_put_key(put, "log");
    json_put_array(put);
    for (uint32_t at = from; at < count; at++) put_line(put, &lines[at % DOCUMENT_LOG_LINES_MAX]);
    json_put_array_end(put);
}

static void put_head(struct json_put *put, const struct job_view *job) {
    HOB_AUTO_BUF struct buf text = buf_make(NAME_BYTES_MAX + 64);
    json_member_text(put, "specversion", SLICE("1.0"));
    (void)buf_put_u64(&text, job->id);
    (void)buf_put_char(&text, '-');
    (void)buf_put_u64(&text, job->version);
    json_member_text(put, "id", buf_slice(&text));
    buf_reset(&text);
    (void)buf_put_str(&text, "/hob/");
    (void)buf_put_slice(&text, job->queue);
    json_member_text(put, "source", buf_slice(&text));
    buf_reset(&text);
    (void)buf_put_str(&text, "io.hob.job.");
    (void)buf_put_str(&text, job_state_word(job->state));
    json_member_text(put, "type", buf_slice(&text));
    json_member_id(put, "subject", job->id);
    put_time(put, "time", job->state_ns);
    json_member_text(put, "datacontenttype", SLICE("application/json"));
    json_member_raw(put, "traceparent", header_raw(job->headers, SLICE("traceparent")));
    json_member_raw(put, "tracestate", header_raw(job->headers, SLICE("tracestate")));
}

void document_put(struct buf *out, const struct job_view *job, const struct ending *ending) {
    hob_assert(job_state_is_final(job->state));
    struct json_put put = json_put_to(out);
    json_put_object(&put);
    put_head(&put, job);
    json_put_key(&put, "data");
    json_put_object(&put);
    put_job(&put, job);
    if (job->state == JOB_COMPLETED) {
        put_result(&put, ending->result);
    } else {
        put_error(&put, job, ending->by_person);
        put_log(&put, ending->log);
    }
    json_put_object_end(&put);
    json_put_object_end(&put);
}
