/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of one job: itself, its bytes, its log. */
#include "base/assert.h"
#include "base/text.h"
#include "base/utf8.h"
#include "dialect/http/core.h"
#include "engine/logline.h"

struct query {
    hob_ns wait_ns;
    uint32_t attempt;
};

static const struct option job_rows[] = {
    {NULL,
     "wait",
     OPTION_SPAN,
     offsetof(struct query, wait_ns),
     OPTION_NO_HAS,
     0,
     RESULT_WAIT_MAX_NS,
     NULL},
};
static const struct option logs_rows[] = {
    {NULL,
     "attempt",
     OPTION_U32,
     offsetof(struct query, attempt),
     OPTION_NO_HAS,
     0,
     ATTEMPT_MAX_MAX,
     NULL},
};
const struct option_set http_wait_options = {job_rows, hob_countof(job_rows)};
const struct option_set http_logs_options = {logs_rows, hob_countof(logs_rows)};

void http_job(struct http_session *session, const struct call *call) {
    uint64_t id = 0;
    struct query query = {0};
    if (!http_id(session, call, &id) || !http_query(session, call, &query)) {
        http_refuse(session);
        return;
    }
    if (query.wait_ns == 0 && session->prefer.has_wait) {
        query.wait_ns = session->prefer.wait_ns;
        session->waited_for = true;
    }
    if (query.wait_ns == 0 || session->is_head) {
        http_reply_job(session, id);
        return;
    }
    struct command command = {
        .type = COMMAND_WAIT,
        .wait = {.id = id, .wait_ns = query.wait_ns},
    };
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_WAITING) {
        session->awaited = HTTP_AWAITED_JOB;
        session->awaited_id = id;
    } else {
        http_reply_job(session, id);
    }
}

/* The job of a request without parameters; false when the response is a problem already. */
static bool
find_job(struct http_session *session, const struct call *call, struct job_view *ret_job) {
    uint64_t id = 0;
    if (!http_id(session, call, &id) || !http_query(session, call, NULL)) {
        http_refuse(session);
        return false;
    }
    if (session_job(&session->base, id, ret_job)) return true;
    http_no_job(session);
    return false;
}

/* The bytes as they are, in the host's `reply` room. No type that a browser would run. */
static void reply_bytes(struct http_session *session) {
    struct slice bytes = buf_slice(&session->base.host->reply);
    const char *type = "application/octet-stream";
    if (json_valid(bytes)) {
        type = "application/json";
    } else if (utf8_valid(bytes)) {
        type = "text/plain; charset=utf-8";
    }
    http_reply(session, 200, type);
}

static void reply_body(struct http_session *session, struct body_ref body) {
    struct host *host = session->base.host;
    struct hob_error err = {0};
    buf_reset(&host->reply);
    if (host->ops->body(host->context, body.id, &host->reply, &err) == HOB_OK) {
        reply_bytes(session);
    } else {
        http_problem(session, 500, "ERR", slice_str(err.text));
    }
}

void http_result(struct http_session *session, const struct call *call) {
    struct job_view job;
    if (!find_job(session, call, &job)) return;
    if (job.result.id != 0) {
        reply_body(session, job.result);
        return;
    }
    struct buf *text = &session->base.host->complaint;
    buf_reset(text);
    (void)buf_put_str(text, "the job has no result; it is ");
    (void)buf_put_str(text, job_state_word(job.state));
    http_problem(session, 404, "NORESULT", buf_slice(text));
}

void http_payload(struct http_session *session, const struct call *call) {
    struct job_view job;
    if (!find_job(session, call, &job)) return;
    if (job.payload_body.id != 0) {
        reply_body(session, job.payload_body);
        return;
    }
    buf_reset(&session->base.host->reply);
    (void)buf_put_slice(&session->base.host->reply, job.payload);
    reply_bytes(session);
}

/* --- logs --- */

static void put_line(struct json_put *put, uint32_t attempt, const struct log_line *line) {
    HOB_AUTO_BUF struct buf at = buf_make(64);
    (void)text_put_time(&at, line->at_ns);
    json_put_object(put);
    json_put_key(put, "at");
    json_put_text(put, buf_slice(&at));
    json_put_key(put, "attempt");
    json_put_u64(put, attempt);
    json_put_key(put, "stream");
    json_put_str(put, log_stream_word(line->stream));
    json_put_key(put, "level");
    json_put_str(put, log_level_word(line->level));
    json_put_key(put, "text");
    json_put_text(put, line->text);
    json_put_object_end(put);
}

enum log_form { LOG_AS_TEXT, LOG_AS_LINES, LOG_AS_ITEMS };

static bool put_chunk(
    struct http_session *session, struct body_ref chunk, struct json_put *put, enum log_form form
) {
    struct host *host = session->base.host;
    struct hob_error err = {0};
    buf_reset(&host->scratch);
    if (host->ops->body(host->context, chunk.id, &host->scratch, &err) != HOB_OK) {
        http_problem(session, 500, "ERR", slice_str(err.text));
        return false;
    }
    struct slice entries = buf_slice(&host->scratch);
    struct log_line line;
    bool bad = false;
    while (log_line_next(&entries, &line, &bad)) {
        if (form == LOG_AS_TEXT) {
            (void)buf_put_slice(&host->reply, line.text);
        } else {
            put_line(put, chunk.attempt, &line);
        }
        if (form == LOG_AS_ITEMS) continue;
        (void)buf_put_char(&host->reply, '\n');
        put->comma = false;
    }
    if (host->reply.size <= REPLY_BYTES_MAX) return true;
    http_problem(
        session, 413, "TOOLARGE", SLICE("the log is larger than a reply: ask for one attempt")
    );
    return false;
}

static void reply_logs(struct http_session *session, const struct job_view *job, uint32_t attempt) {
    bool is_plain = http_is_type(session, SLICE("text/plain"));
    bool is_lines = http_is_type(session, SLICE("application/x-ndjson"));
    struct json_put put = http_json(session);
    if (!is_plain && !is_lines) {
        json_put_object(&put);
        json_put_key(&put, "lines");
        json_put_array(&put);
    }
    enum log_form form = is_plain ? LOG_AS_TEXT : is_lines ? LOG_AS_LINES : LOG_AS_ITEMS;
    for (uint32_t i = 0; i < job->log_count; i++) {
        if (attempt != 0 && job->logs[i].attempt != attempt) continue;
        if (!put_chunk(session, job->logs[i], &put, form)) return;
    }
    if (is_plain) {
        http_reply(session, 200, "text/plain; charset=utf-8");
    } else if (is_lines) {
        http_reply(session, 200, "application/x-ndjson");
    } else {
        json_put_array_end(&put);
        json_put_object_end(&put);
        http_reply_json(session, 200);
    }
}

void http_logs(struct http_session *session, const struct call *call) {
    uint64_t id = 0;
    struct query query = {0};
    if (!http_id(session, call, &id) || !http_query(session, call, &query)) {
        http_refuse(session);
        return;
    }
    struct job_view job;
    if (session_job(&session->base, id, &job)) {
        reply_logs(session, &job, query.attempt);
    } else {
        http_no_job(session);
    }
}
