/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: answers as errors and states, fields as maps, bodies as bulks. */
#include "base/assert.h"
#include "dialect/ondone.h"
#include "dialect/resp/core.h"
#include "dialect/sentence.h"
#include "engine/labels.h"

void resp_error(struct resp_session *session, const char *word, struct slice text) {
    struct buf *line = &session->base.host->scratch;
    buf_reset(line);
    (void)buf_put_str(line, word);
    (void)buf_put_char(line, ' ');
    (void)buf_put_slice(line, text);
    resp_put_error(resp_out(session), buf_slice(line));
}

void resp_refuse(struct resp_session *session) {
    resp_error(session, "BADARG", buf_slice(&session->base.host->complaint));
}

void resp_abandon(struct resp_session *session, const char *word, struct slice text) {
    struct buf *out = resp_out(session);
    hob_assert(session->reply_at <= out->size);
    out->size = session->reply_at;
    out->overflowed = false;
    resp_error(session, word, text);
}

void resp_answer_error(struct resp_session *session, const struct answer *answer) {
    hob_assert(answer->code != ANSWER_OK);
    struct buf *text = &session->base.host->complaint;
    sentence_of_answer(text, answer);
    resp_error(session, answer_word(answer->code), buf_slice(text));
}

bool resp_begin(struct resp_session *session, enum scope scope) {
    if (session_begin(&session->base, scope)) return true;
    struct answer denied = session_denied(&session->base);
    resp_answer_error(session, &denied);
    return false;
}

void resp_answer_ok(struct resp_session *session, const struct answer *answer) {
    if (answer->code == ANSWER_OK) {
        resp_put_simple(resp_out(session), SLICE("OK"));
    } else {
        resp_answer_error(session, answer);
    }
}

void resp_answer_state(struct resp_session *session, const struct answer *answer) {
    if (answer->code == ANSWER_OK) {
        resp_put_simple(resp_out(session), slice_str(job_state_word(answer->state)));
    } else {
        resp_answer_error(session, answer);
    }
}

void resp_put_str(struct resp_session *session, const char *text) {
    resp_put_bulk(resp_out(session), slice_str(text));
}

void resp_null(struct resp_session *session) {
    resp_put_null(resp_out(session), session->version);
}

bool resp_put_body(struct resp_session *session, struct body_ref body) {
    struct host *host = session->base.host;
    struct hob_error err = {0};
    buf_reset(&host->scratch);
    if (host->ops->body(host->context, body.id, &host->scratch, &err) != HOB_OK) {
        resp_abandon(session, "ERR", slice_str(err.text));
        return false;
    }
    resp_put_bulk(resp_out(session), buf_slice(&host->scratch));
    return true;
}

static void put_tags(struct buf *out, struct slice tags) {
    struct slice tag;
    struct slice rest = tags;
    size_t count = 0;
    while (tag_next(&rest, &tag)) count++;
    resp_put_array(out, count);
    while (tag_next(&tags, &tag)) resp_put_bulk(out, tag);
}

static void put_on_done(struct resp_session *session, struct slice on_done) {
    struct buf *scratch = &session->base.host->scratch;
    buf_reset(scratch);
    struct json_put put = json_put_to(scratch);
    on_done_put(&put, on_done);
    resp_put_bulk(resp_out(session), buf_slice(scratch));
}

/* A value that holds no further fields. */
static bool put_plain(struct resp_session *session, const struct field *field) {
    struct buf *out = resp_out(session);
    switch (field->type) {
    case FIELD_ID:
        resp_put_bulk_u64(out, field->number);
        return true;
    case FIELD_NUMBER:
        resp_put_u64(out, session->version, field->number);
        return true;
    case FIELD_SIGNED:
        resp_put_i64(out, field->number_signed);
        return true;
    case FIELD_TIME:
    case FIELD_SPAN:
        resp_put_i64(out, (int64_t)(field->number / NS_PER_MS));
        return true;
    case FIELD_BOOL:
        resp_put_bool(out, session->version, field->number != 0);
        return true;
    case FIELD_TAGS:
        put_tags(out, field->text);
        return true;
    case FIELD_DONE:
        put_on_done(session, field->text);
        return true;
    case FIELD_JSON:
    case FIELD_TEXT:
    case FIELD_BYTES:
        resp_put_bulk(out, field->text);
        return true;
    case FIELD_BODY:
    case FIELD_TRACE:
        return resp_put_body(session, field->body);
    case FIELD_ERRORS:
    case FIELD_KINDS:
    case FIELD_GATES:
    case FIELD_MINUTES:
        break;
    }
    hob_assert(false && "arrays of maps are written by put_maps");
    return false;
}

static bool put_maps(struct resp_session *session, const struct field *field) {
    uint32_t count = field_map_count(field);
    resp_put_array(resp_out(session), count);
    for (uint32_t i = 0; i < count; i++) {
        HOB_AUTO_FIELDS struct fields fields = fields_make();
        field_map(field, i, &fields);
        resp_put_map(resp_out(session), session->version, fields.count);
        for (uint32_t at = 0; at < fields.count; at++) {
            resp_put_str(session, fields.items[at].name);
            if (!put_plain(session, &fields.items[at])) return false;
        }
    }
    return true;
}

bool resp_put_fields(struct resp_session *session, const struct fields *fields) {
    resp_put_map(resp_out(session), session->version, fields->count);
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        resp_put_str(session, field->name);
        bool put = field_is_maps(field) ? put_maps(session, field) : put_plain(session, field);
        if (!put) return false;
    }
    return true;
}

bool resp_put_job(struct resp_session *session, uint64_t id, enum job_detail detail) {
    struct job_view job;
    if (!session_job(&session->base, id, &job)) {
        resp_null(session);
        return true;
    }
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_job(&fields, &job, detail);
    return resp_put_fields(session, &fields);
}

/* id token queue kind attempt payload; more may follow one day. */
static bool put_leased_array(struct resp_session *session, const struct job_view *job) {
    struct buf *out = resp_out(session);
    resp_put_array(out, 6);
    resp_put_bulk_u64(out, job->id);
    resp_put_bulk_u64(out, job->token);
    resp_put_bulk(out, job->queue);
    resp_put_bulk(out, job->kind);
    resp_put_i64(out, job->attempt);
    if (job->payload_body.id != 0) return resp_put_body(session, job->payload_body);
    resp_put_bulk(out, job->payload);
    return true;
}

static bool
put_leased(struct resp_session *session, const struct job_view *job, enum job_form form) {
    if (form == JOB_ARRAY) return put_leased_array(session, job);
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_job(&fields, job, JOB_LEASED);
    return resp_put_fields(session, &fields);
}

void resp_put_fetched(
    struct resp_session *session, const struct answer *answer, enum job_form form
) {
    if (answer->code != ANSWER_OK && answer->code != ANSWER_EMPTY) {
        resp_answer_error(session, answer);
        return;
    }
    uint32_t count = answer->code == ANSWER_OK ? answer->job_count : 0;
    if (count > 0) count = session_jobs_that_fit(&session->base, answer, 1);
    resp_put_array(resp_out(session), count);
    for (uint32_t i = 0; i < count; i++) {
        struct job_view job;
        bool found = session_leased_job(&session->base, answer->jobs[i], &job);
        hob_assert(found); /* it was leased a moment ago */
        if (!put_leased(session, &job, form)) {
            session_give_back(&session->base, answer, 0);
            return;
        }
        session_leased(&session->base, &job);
    }
}
