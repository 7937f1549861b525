/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/jobs: one job, or one a line. Lines are pushed one after the other, each for itself, and
 * answered by a line each: what was pushed, or why not. */
#include "dialect/explain.h"
#include "dialect/http/core.h"

static bool
take_job(struct http_session *session, struct json_value object, struct push_request *request) {
    struct json_walk walk = json_walk(object);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        bool good = false;
        if (!http_bytes(session, "payload", key, value, &request->push.payload, &good)) {
            good = http_member(session, push_options, key, value, request);
        }
        if (!good) return false;
    }
    if (request->push.queue.size == 0) return http_missing(session, "queue");
    if (request->push.kind.size == 0) return http_missing(session, "kind");
    return true;
}

static void
push(struct http_session *session, const struct push_request *request, struct answer *ret_answer) {
    struct command command = {.type = COMMAND_PUSH, .push = request->push};
    session_apply(&session->base, &command, ret_answer);
}

static void put_pushed(struct json_put *put, const struct answer *answer) {
    json_put_object(put);
    json_put_key(put, "id");
    json_put_id(put, answer->id);
    json_put_key(put, "state");
    json_put_str(put, job_state_word(answer->state));
    json_put_key(put, "duplicate");
    json_put_bool(put, answer->duplicate);
    json_put_object_end(put);
}

/* --- one job --- */

static bool take_key(struct http_session *session, const struct call *call, struct slice *ret_key) {
    struct slice key = SLICE_NONE;
    if (!http_header(call->request, SLICE("Idempotency-Key"), &key)) return true;
    *ret_key = key;
    if (key.size > 0 && key.size <= KEY_BYTES_MAX) return true;
    struct buf *complaint = &session->base.host->complaint;
    return complain(complaint, "Idempotency-Key", key, "a text of 1 to 255 bytes");
}

static void reply_pushed(struct http_session *session, const struct answer *answer) {
    struct json_put put = http_json(session);
    put_pushed(&put, answer);
    (void)buf_put_char(put.out, '\n');
    http_reply_head(session, answer->duplicate ? 200 : 201, "application/json");
    HOB_AUTO_BUF struct buf location = buf_make(64);
    (void)buf_put_str(&location, "/v1/jobs/");
    (void)buf_put_u64(&location, answer->id);
    (void)http_put_header(session->base.out, "Location", buf_slice(&location));
    http_reply_body(session);
}

static void push_one(struct http_session *session, const struct call *call) {
    struct push_request request = {0};
    if (!take_key(session, call, &request.push.key) || !take_job(session, call->json, &request)) {
        http_refuse(session);
        return;
    }
    struct answer answer;
    push(session, &request, &answer);
    if (answer.code == ANSWER_OK) {
        reply_pushed(session, &answer);
    } else {
        http_answer_problem(session, &answer);
    }
}

/* --- one a line --- */

static void put_refused(struct json_put *put, const char *code, struct slice detail) {
    json_put_object(put);
    json_put_key(put, "code");
    json_put_str(put, code);
    json_put_key(put, "detail");
    json_put_text(put, detail);
    json_put_object_end(put);
}

static bool
parse_line(struct http_session *session, struct slice line, struct json_value *ret_job) {
    struct json_error error = {0};
    bool good = json_parse(line, ret_job, &error);
    if (good && ret_job->type == JSON_IS_OBJECT) return true;
    struct buf *complaint = &session->base.host->complaint;
    buf_reset(complaint);
    (void)buf_put_str(complaint, "the line is no JSON object");
    if (!good) {
        (void)buf_put_str(complaint, ": ");
        (void)buf_put_str(complaint, error.text);
        (void)buf_put_str(complaint, " at byte ");
        (void)buf_put_u64(complaint, error.offset);
    }
    return false;
}

static void push_line(struct http_session *session, struct slice line, struct json_put *put) {
    struct buf *complaint = &session->base.host->complaint;
    struct push_request request = {0};
    struct json_value job;
    if (!parse_line(session, line, &job) || !take_job(session, job, &request)) {
        put_refused(put, "BADARG", buf_slice(complaint));
        return;
    }
    struct answer answer;
    push(session, &request, &answer);
    if (answer.code == ANSWER_OK) {
        put_pushed(put, &answer);
        return;
    }
    explain_answer(complaint, &answer);
    put_refused(put, answer_word(answer.code), buf_slice(complaint));
}

static bool is_blank(struct slice line) {
    for (size_t i = 0; i < line.size; i++) {
        if (line.bytes[i] != ' ' && line.bytes[i] != '\t' && line.bytes[i] != '\r') return false;
    }
    return true;
}

static void push_lines(struct http_session *session, const struct call *call) {
    struct host *host = session->base.host;
    struct slice rest = call->request->body;
    (void)http_json(session);
    while (rest.size > 0) {
        const char *end = memchr(rest.bytes, '\n', rest.size);
        size_t size = end == NULL ? rest.size : (size_t)(end - rest.bytes);
        struct slice line = slice_of(rest.bytes, size);
        size_t step = end == NULL ? size : size + 1;
        rest = slice_of(rest.bytes + step, rest.size - step);
        if (is_blank(line)) continue;
        buf_reset(&host->scratch);
        struct json_put put = json_put_to(&host->reply);
        push_line(session, line, &put);
        (void)buf_put_char(&host->reply, '\n');
    }
    http_reply(session, 200, "application/x-ndjson");
}

void http_push(struct http_session *session, const struct call *call) {
    if (call->is_lines) {
        push_lines(session, call);
    } else {
        push_one(session, call);
    }
}
