/* SPDX-License-Identifier: Apache-2.0 */
/* Responses. A body is put together in the host's `reply` room, since its size stands before it. */
#include "base/assert.h"
#include "base/text.h"
#include "dialect/explain.h"
#include "dialect/http/core.h"

/* The room for JSON: six bytes for one where a byte must be escaped. */
enum { JSON_GROWTH = 6 };

void http_reply_head(struct http_session *session, unsigned status, const char *type) {
    struct buf *out = session->base.out;
    http_put_status(out, status, session->keep_alive);
    (void)http_put_header(out, "Content-Type", slice_str(type));
    (void)http_put_header(out, "Cache-Control", SLICE("no-store"));
    (void)http_put_header(out, "X-Content-Type-Options", SLICE("nosniff"));
}

void http_reply_body(struct http_session *session) {
    struct buf *reply = &session->base.host->reply;
    hob_assert(!session->is_answered);
    session->is_answered = true;
    if (reply->overflowed) session->base.out->overflowed = true;
    if (session->is_head) {
        http_put_body_size(session->base.out, reply->size);
    } else {
        http_put_body(session->base.out, buf_slice(reply));
    }
}

void http_reply(struct http_session *session, unsigned status, const char *type) {
    http_reply_head(session, status, type);
    http_reply_body(session);
}

void http_reply_json(struct http_session *session, unsigned status) {
    (void)buf_put_char(&session->base.host->reply, '\n');
    http_reply(session, status, "application/json");
}

struct json_put http_json(struct http_session *session) {
    buf_reset(&session->base.host->reply);
    return json_put_to(&session->base.host->reply);
}

static void
put_problem(struct http_session *session, unsigned status, const char *code, struct slice detail) {
    struct json_put put = http_json(session);
    json_put_object(&put);
    json_put_key(&put, "type");
    json_put_str(&put, "about:blank");
    json_put_key(&put, "title");
    json_put_str(&put, http_status_text(status));
    json_put_key(&put, "status");
    json_put_u64(&put, status);
    json_put_key(&put, "code");
    json_put_str(&put, code);
    json_put_key(&put, "detail");
    json_put_text(&put, detail);
    json_put_object_end(&put);
    (void)buf_put_char(&session->base.host->reply, '\n');
}

void http_problem(
    struct http_session *session, unsigned status, const char *code, struct slice detail
) {
    /* A problem may take the place of a response that could not be finished. */
    session->base.out->size = session->reply_at;
    session->is_answered = false;
    put_problem(session, status, code, detail);
    http_reply_head(session, status, "application/problem+json");
    http_reply_body(session);
}

void http_answer_problem(struct http_session *session, const struct answer *answer) {
    hob_assert(answer->code != ANSWER_OK);
    struct host *host = session->base.host;
    explain_answer(&host->complaint, answer);
    unsigned status = answer_http_status(answer->code);
    put_problem(session, status, answer_word(answer->code), buf_slice(&host->complaint));
    http_reply_head(session, status, "application/problem+json");
    if (answer->code == ANSWER_LOGIN) {
        (void)http_put_header(session->base.out, "WWW-Authenticate", SLICE("Bearer"));
    }
    if (answer->retry_after_ns != 0) {
        hob_ns seconds = ns_add(answer->retry_after_ns, NS_PER_SECOND - 1) / NS_PER_SECOND;
        http_put_header_u64(session->base.out, "Retry-After", seconds);
    }
    http_reply_body(session);
}

void http_refuse(struct http_session *session) {
    http_problem(session, 400, "BADARG", buf_slice(&session->base.host->complaint));
}

void http_reply_state(struct http_session *session, const struct answer *answer) {
    if (answer->code != ANSWER_OK) {
        http_answer_problem(session, answer);
        return;
    }
    struct json_put put = http_json(session);
    json_put_object(&put);
    json_put_key(&put, "state");
    json_put_str(&put, job_state_word(answer->state));
    json_put_object_end(&put);
    http_reply_json(session, 200);
}

void http_reply_done(struct http_session *session, const struct answer *answer) {
    if (answer->code != ANSWER_OK) {
        http_answer_problem(session, answer);
        return;
    }
    struct json_put put = http_json(session);
    json_put_object(&put);
    json_put_object_end(&put);
    http_reply_json(session, 200);
}

/* --- fields --- */

static void put_time(struct json_put *put, hob_ns time) {
    HOB_AUTO_BUF struct buf text = buf_make(64);
    (void)text_put_time(&text, time / NS_PER_MS * NS_PER_MS);
    json_put_text(put, buf_slice(&text));
}

static bool
put_body_field(struct http_session *session, struct json_put *put, const struct field *field) {
    struct host *host = session->base.host;
    struct hob_error err = {0};
    buf_reset(&host->scratch);
    if (host->ops->body(host->context, field->body.id, &host->scratch, &err) != HOB_OK) {
        http_problem(session, 500, "ERR", slice_str(err.text));
        return false;
    }
    if (field->type == FIELD_BODY) {
        json_put_key(put, field->name);
        json_put_bytes(put, slice_str(field->name), buf_slice(&host->scratch));
    } else {
        json_put_key(put, field->name);
        json_put_text(put, buf_slice(&host->scratch));
    }
    return true;
}

/* A field that is no list. */
static bool
put_field(struct http_session *session, struct json_put *put, const struct field *field) {
    if (field->type == FIELD_BODY || field->type == FIELD_TRACE) {
        return put_body_field(session, put, field);
    }
    if (field->type == FIELD_BYTES) {
        json_put_key(put, field->name);
        json_put_bytes(put, slice_str(field->name), field->text);
        return true;
    }
    json_put_key(put, field->name);
    switch (field->type) {
    case FIELD_ID:
        json_put_id(put, field->number);
        break;
    case FIELD_NUMBER:
        json_put_u64(put, field->number);
        break;
    case FIELD_SIGNED:
        json_put_i64(put, field->number_signed);
        break;
    case FIELD_TIME:
        put_time(put, field->number);
        break;
    case FIELD_SPAN:
        json_put_u64(put, field->number / NS_PER_MS);
        break;
    case FIELD_BOOL:
        json_put_bool(put, field->number != 0);
        break;
    case FIELD_TEXT:
        json_put_text(put, field->text);
        break;
    case FIELD_BYTES:
    case FIELD_BODY:
    case FIELD_TRACE:
    case FIELD_ERRORS:
        hob_assert(false && "not written here");
        break;
    }
    return true;
}

static bool
put_errors(struct http_session *session, struct json_put *put, const struct job_view *job) {
    json_put_key(put, "errors");
    json_put_array(put);
    for (uint32_t i = 0; i < job->error_count; i++) {
        HOB_AUTO_FIELDS struct fields fields = fields_make();
        fields_of_error(&fields, &job->errors[i]);
        json_put_object(put);
        for (uint32_t at = 0; at < fields.count; at++) {
            if (!put_field(session, put, &fields.items[at])) return false;
        }
        json_put_object_end(put);
    }
    json_put_array_end(put);
    return true;
}

bool http_put_fields(
    struct http_session *session, struct json_put *put, const struct fields *fields
) {
    json_put_object(put);
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        bool good = field->type == FIELD_ERRORS ? put_errors(session, put, field->job)
                                                : put_field(session, put, field);
        if (!good) return false;
    }
    json_put_object_end(put);
    return true;
}

bool http_put_job(
    struct http_session *session,
    struct json_put *put,
    const struct job_view *job,
    enum job_detail detail
) {
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_job(&fields, job, detail);
    return http_put_fields(session, put, &fields);
}

void http_reply_job(struct http_session *session, uint64_t id) {
    struct job_view job;
    if (!session_job(&session->base, id, &job)) {
        struct answer none = {.code = ANSWER_NO_JOB};
        http_answer_problem(session, &none);
        return;
    }
    struct json_put put = http_json(session);
    if (http_put_job(session, &put, &job, JOB_WHOLE)) http_reply_json(session, 200);
}

void http_reply_fetched(struct http_session *session, const struct answer *answer) {
    if (answer->code != ANSWER_OK && answer->code != ANSWER_EMPTY) {
        http_answer_problem(session, answer);
        return;
    }
    uint32_t count = answer->code == ANSWER_OK ? answer->job_count : 0;
    if (count > 0) count = session_jobs_that_fit(&session->base, answer, JSON_GROWTH);
    struct json_put put = http_json(session);
    json_put_object(&put);
    json_put_key(&put, "jobs");
    json_put_array(&put);
    for (uint32_t i = 0; i < count; i++) {
        struct job_view job;
        bool found = session_leased_job(&session->base, answer->jobs[i], &job);
        hob_assert(found); /* it was leased a moment ago */
        if (!http_put_job(session, &put, &job, JOB_LEASED)) {
            session_give_back(&session->base, answer, 0);
            return;
        }
    }
    json_put_array_end(&put);
    json_put_object_end(&put);
    http_reply_json(session, 200);
    for (uint32_t i = 0; i < count; i++) {
        struct job_view job;
        if (!session_leased_job(&session->base, answer->jobs[i], &job)) continue;
        session_leased(&session->base, &job);
    }
}
