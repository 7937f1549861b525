/* SPDX-License-Identifier: Apache-2.0 */
/* Responses. A body is put together in the host's `reply` room, since its size stands before it. */
#include "base/assert.h"
#include "base/siphash.h"
#include "base/text.h"
#include "dialect/http/core.h"
#include "dialect/ondone.h"
#include "engine/labels.h"

/* The room for JSON: six bytes for one where a byte must be escaped. */
enum { JSON_GROWTH = 6 };

/* For browsers that come across a response: nothing in it is a page, a script or a frame. */
static void put_guards(struct buf *out) {
    (void)http_put_header(out, "X-Content-Type-Options", SLICE("nosniff"));
    (void)http_put_header(
        out, "Content-Security-Policy", SLICE("default-src 'none'; frame-ancestors 'none'")
    );
    (void)http_put_header(out, "Cross-Origin-Resource-Policy", SLICE("same-origin"));
    (void)http_put_header(out, "Referrer-Policy", SLICE("no-referrer"));
}

void http_head(struct http_session *session, unsigned status) {
    struct buf *out = session->base.out;
    session->status = status;
    http_put_status(out, status, session->keep_alive);
    put_guards(out);
    struct slice id = slice_of(session->request_id, session->request_id_size);
    if (id.size > 0) (void)http_put_header(out, "X-Request-Id", id);
    if (session->waited_for) {
        HOB_AUTO_BUF struct buf applied = buf_make(64);
        (void)buf_put_str(&applied, "wait=");
        (void)buf_put_u64(&applied, session->prefer.wait_ns / NS_PER_SECOND);
        (void)http_put_header(out, "Preference-Applied", buf_slice(&applied));
    }
    if (session->returned_for) {
        bool minimal = session->prefer.returns == RETURN_MINIMAL;
        struct slice applied = minimal ? SLICE("return=minimal") : SLICE("return=representation");
        (void)http_put_header(out, "Preference-Applied", applied);
    }
}

static void
reply_head(struct http_session *session, unsigned status, struct slice type, struct slice cache) {
    struct buf *out = session->base.out;
    http_head(session, status);
    (void)http_put_header(out, "Content-Type", type);
    (void)http_put_header(out, "Cache-Control", cache);
    if (session->route == NULL) return;
    const char *offers = http_shape_of(session->route)->offers;
    if (offers != NULL && strchr(offers, ' ') != NULL) {
        (void)http_put_header(out, "Vary", SLICE("Accept"));
    }
}

void http_reply_head(struct http_session *session, unsigned status, const char *type) {
    reply_head(session, status, slice_str(type), SLICE("no-store"));
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

void http_reply_empty(struct http_session *session, unsigned status) {
    http_head(session, status);
    (void)http_put_header(session->base.out, "Cache-Control", SLICE("no-store"));
    http_put_no_body(session->base.out);
    session->is_answered = true;
}

/* The tag of what is shown: its version, and a hash of the bytes, since some of them (progress)
 * change without a new version. If-Match looks at the version alone. */
static void put_tag(struct buf *tag, uint64_t version, struct slice body) {
    static const struct siphash_key key = {.words = {0x486f62, 0x45546167}};
    (void)buf_printf(
        tag, "\"%llu-%llx\"", (unsigned long long)version, (unsigned long long)siphash(key, body)
    );
}

void http_reply_tagged(struct http_session *session, uint64_t version, uint64_t waits_for) {
    struct buf *out = session->base.out;
    (void)buf_put_char(&session->base.host->reply, '\n');
    HOB_AUTO_BUF struct buf tag = buf_make(64);
    put_tag(&tag, version, buf_slice(&session->base.host->reply));
    if (http_has_tag(session, buf_slice(&tag))) {
        http_head(session, 304);
        (void)http_put_header(out, "ETag", buf_slice(&tag));
        (void)http_put_header(out, "Cache-Control", SLICE("private, no-cache"));
        if (waits_for != 0) http_put_estimate(session, waits_for);
        http_put_no_body(out);
        session->is_answered = true;
        return;
    }
    reply_head(session, 200, SLICE("application/json"), SLICE("private, no-cache"));
    (void)http_put_header(out, "ETag", buf_slice(&tag));
    if (waits_for != 0) http_put_estimate(session, waits_for);
    http_reply_body(session);
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

static void put_tags(struct json_put *put, struct slice tags) {
    struct slice tag;
    json_put_array(put);
    while (tag_next(&tags, &tag)) json_put_text(put, tag);
    json_put_array_end(put);
}

/* A field that is no list of maps. */
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
    case FIELD_TAGS:
        put_tags(put, field->text);
        break;
    case FIELD_DONE:
        on_done_put(put, field->text);
        break;
    case FIELD_JSON:
        json_put_raw(put, field->text);
        break;
    case FIELD_BYTES:
    case FIELD_BODY:
    case FIELD_TRACE:
    case FIELD_ERRORS:
    case FIELD_KINDS:
    case FIELD_GATES:
    case FIELD_MINUTES:
        hob_assert(false && "not written here");
        break;
    }
    return true;
}

static bool
put_maps(struct http_session *session, struct json_put *put, const struct field *field) {
    uint32_t count = field_map_count(field);
    json_put_key(put, field->name);
    json_put_array(put);
    for (uint32_t i = 0; i < count; i++) {
        HOB_AUTO_FIELDS struct fields fields = fields_make();
        field_map(field, i, &fields);
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
        bool good =
            field_is_maps(field) ? put_maps(session, put, field) : put_field(session, put, field);
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

void http_put_location(struct http_session *session, const char *header, uint64_t id) {
    HOB_AUTO_BUF struct buf path = buf_make(64);
    (void)buf_put_str(&path, "/v1/jobs/");
    (void)buf_put_u64(&path, id);
    (void)http_put_header(session->base.out, header, buf_slice(&path));
}

/* In `reply`, without a line end; false when the response is a problem already. */
static bool show_job(struct http_session *session, uint64_t id, struct job_view *ret_job) {
    if (!session_job(&session->base, id, ret_job)) {
        http_no_job(session);
        return false;
    }
    struct json_put put = http_json(session);
    return http_put_job(session, &put, ret_job, JOB_WHOLE);
}

void http_reply_job(struct http_session *session, uint64_t id) {
    struct job_view job;
    if (!show_job(session, id, &job)) return;
    http_reply_tagged(session, job.version, job_state_is_final(job.state) ? 0 : id);
}

void http_reply_pushed(struct http_session *session, uint64_t id, bool duplicate) {
    struct job_view job;
    if (!show_job(session, id, &job)) return;
    bool is_done = duplicate || job_state_is_final(job.state);
    (void)buf_put_char(&session->base.host->reply, '\n');
    http_reply_head(session, is_done ? 200 : 202, "application/json");
    http_put_location(session, "Location", id);
    http_put_location(session, "Content-Location", id);
    if (!job_state_is_final(job.state)) http_put_estimate(session, id);
    http_reply_body(session);
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
