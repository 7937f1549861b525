/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of one job: itself, its bytes. */
#include "base/assert.h"
#include "base/text.h"
#include "base/utf8.h"
#include "dialect/gates.h"
#include "dialect/http/core.h"
#include "engine/logline.h"

struct query {
    hob_ns wait_ns;
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
const struct option_set http_wait_options = {job_rows, hob_countof(job_rows)};

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

void http_explain(struct http_session *session, const struct call *call) {
    struct job_view job;
    if (!find_job(session, call, &job)) return;
    struct explanation explanation;
    bool is_there = session_explain(&session->base, job.id, &explanation);
    hob_assert(is_there);
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_explanation(&fields, &explanation);
    struct json_put put = http_json(session);
    if (http_put_fields(session, &put, &fields)) http_reply_json(session, 200);
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
