/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a job, and searching those of many. A request for a log may wait for lines: the engine
 * keeps the time and watches for the end of the job, an event tells of the first lines
 * (session_answered). */
#include "base/assert.h"
#include "base/text.h"
#include "dialect/http/core.h"
#include "dialect/search.h"

static void put_at(struct json_put *put, hob_ns at_ns) {
    HOB_AUTO_BUF struct buf at = buf_make(64);
    (void)text_put_time(&at, at_ns);
    json_put_key(put, "at");
    json_put_text(put, buf_slice(&at));
}

static void put_line(struct json_put *put, const struct logged_line *logged) {
    json_put_object(put);
    json_put_key(put, "seq");
    json_put_id(put, logged->seq);
    put_at(put, logged->line.at_ns);
    json_put_key(put, "attempt");
    json_put_u64(put, logged->attempt);
    json_put_key(put, "stream");
    json_put_str(put, log_stream_word(logged->line.stream));
    json_put_key(put, "level");
    json_put_str(put, log_level_word(logged->line.level));
    json_put_key(put, "text");
    json_put_text(put, logged->line.text);
    json_put_object_end(put);
}

enum log_form { LOG_AS_TEXT, LOG_AS_LINES, LOG_AS_ITEMS };

static enum log_form form_of(const struct http_session *session) {
    if (http_is_type(session, SLICE("text/plain"))) return LOG_AS_TEXT;
    return http_is_type(session, SLICE("application/x-ndjson")) ? LOG_AS_LINES : LOG_AS_ITEMS;
}

static void reply_form(struct http_session *session, struct json_put *put, enum log_form form) {
    if (form == LOG_AS_TEXT) {
        http_reply(session, 200, "text/plain; charset=utf-8");
    } else if (form == LOG_AS_LINES) {
        http_reply(session, 200, "application/x-ndjson");
    } else {
        json_put_object_end(put);
        http_reply_json(session, 200);
    }
}

/* The lines that are wanted. */
static void reply_lines(struct http_session *session, const struct job_view *job) {
    struct host *host = session->base.host;
    enum log_form form = form_of(session);
    struct log_walk walk = log_walk_begin(&session->base, job, session->logs);
    struct logged_line logged;
    struct json_put put = http_json(session);
    if (form == LOG_AS_ITEMS) {
        json_put_object(&put);
        json_put_key(&put, "lines");
        json_put_array(&put);
    }
    while (log_walk_next(&walk, &logged)) {
        if (form == LOG_AS_TEXT) {
            (void)buf_put_slice(&host->reply, logged.line.text);
        } else {
            put_line(&put, &logged);
        }
        if (form != LOG_AS_ITEMS) {
            (void)buf_put_char(&host->reply, '\n');
            put.comma = false;
        }
        if (host->reply.size <= REPLY_BYTES_MAX) continue;
        struct slice why = SLICE("the log is larger than a reply: read it in parts, by `limit`");
        http_problem(session, 413, "TOOLARGE", why);
        return;
    }
    if (walk.err.status != HOB_OK) {
        http_problem(session, 500, "ERR", slice_str(walk.err.text));
        return;
    }
    if (form == LOG_AS_ITEMS) json_put_array_end(&put);
    reply_form(session, &put, form);
}

void http_reply_logs(struct http_session *session) {
    struct job_view job;
    session_subscribe(&session->base, false);
    if (session_job(&session->base, session->logs.id, &job)) {
        reply_lines(session, &job);
    } else {
        http_no_job(session);
    }
}

static bool has_lines(struct http_session *session, const struct job_view *job) {
    struct log_walk walk = log_walk_begin(&session->base, job, session->logs);
    struct logged_line logged;
    return log_walk_next(&walk, &logged) || walk.err.status != HOB_OK;
}

void http_logs(struct http_session *session, const struct call *call) {
    struct logs_request wanted = {0};
    if (!http_id(session, call, &wanted.id) || !http_query(session, call, &wanted)) {
        http_refuse(session);
        return;
    }
    struct job_view job;
    session->logs = wanted;
    if (!session_job(&session->base, wanted.id, &job)) {
        http_no_job(session);
        return;
    }
    if (wanted.wait_ns == 0 || session->is_head || job_state_is_final(job.state) ||
        has_lines(session, &job)) {
        reply_lines(session, &job);
        return;
    }
    struct command command = {
        .type = COMMAND_WAIT,
        .wait = {.id = wanted.id, .wait_ns = wanted.wait_ns},
    };
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    session->awaited = HTTP_AWAITED_LOGS;
    if (answer.code == ANSWER_WAITING) {
        session_subscribe(&session->base, true);
    } else {
        http_reply_logs(session);
    }
}

void http_logs_event(struct http_session *session, const struct event *event) {
    bool waits = session->base.waiting != 0 && session->awaited == HTTP_AWAITED_LOGS;
    if (!waits || event->type != EVENT_LOGGED || event->id != session->logs.id) return;
    if (session->logs.attempt != 0 && session->logs.attempt != event->attempt) return;
    session_answered(&session->base);
    session->reply_at = session->base.out->size;
    http_reply_logs(session);
    http_end(session);
}

/* --- search --- */

static void put_found(void *context, const struct found *found) {
    struct json_put *put = context;
    json_put_object(put);
    json_put_key(put, "id");
    json_put_id(put, found->job->id);
    json_put_key(put, "queue");
    json_put_text(put, found->job->queue);
    json_put_key(put, "kind");
    json_put_text(put, found->job->kind);
    json_put_key(put, "state");
    json_put_str(put, job_state_word(found->job->state));
    json_put_key(put, "attempt");
    json_put_u64(put, found->attempt);
    put_at(put, found->at_ns);
    json_put_key(put, "place");
    json_put_str(put, found_place_word(found->place));
    if (found->place == FOUND_LOG) {
        json_put_key(put, "stream");
        json_put_str(put, log_stream_word(found->stream));
        json_put_key(put, "seq");
        json_put_id(put, found->seq);
    }
    json_put_key(put, "level");
    json_put_str(put, log_level_word(found->level));
    json_put_key(put, "text");
    json_put_text(put, found->text);
    json_put_object_end(put);
}

void http_search(struct http_session *session, const struct call *call) {
    struct search_request request = {.count = SEARCH_FOUND_DEFAULT};
    struct search_page page = {0};
    if (!http_query(session, call, &request)) {
        http_refuse(session);
        return;
    }
    struct json_put put = http_json(session);
    json_put_object(&put);
    json_put_key(&put, "lines");
    json_put_array(&put);
    if (!search_run(&session->base, &request, put_found, &put, &page)) {
        http_refuse(session);
        return;
    }
    json_put_array_end(&put);
    json_put_key(&put, "next");
    if (page.cursor.size == 0) {
        json_put_null(&put);
    } else {
        json_put_text(&put, buf_slice(&page.cursor));
    }
    json_put_key(&put, "jobs");
    json_put_u64(&put, page.jobs);
    json_put_key(&put, "bytes");
    json_put_u64(&put, page.bytes);
    json_put_object_end(&put);
    buf_deinit(&page.cursor);
    http_reply_json(session, 200);
}
