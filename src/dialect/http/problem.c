/* SPDX-License-Identifier: Apache-2.0 */
/* Problems (RFC 9457), and the pages that explain them. */
#include "base/assert.h"
#include "dialect/bulk.h"
#include "dialect/http/core.h"
#include "dialect/http/problems.h"
#include "dialect/sentence.h"

struct problem {
    const char *code;
    unsigned status;
    const char *title;
    const char *advice;
};

static const struct problem problems[] = {
#define X(name, word, http, text) {word, http, text, "the detail says more"},
    ANSWERS(X)
#undef X
#define X(code, status, title, advice) {code, status, title, advice},
        HTTP_PROBLEMS(X)
#undef X
};

static const struct problem *problem_find(struct slice code) {
    for (size_t i = 0; i < hob_countof(problems); i++) {
        if (problems[i].status < 400) continue; /* an answer that is no problem */
        if (slice_equal(slice_str(problems[i].code), code)) return &problems[i];
    }
    return NULL;
}

static void put_type(struct json_put *put, const char *code) {
    HOB_AUTO_BUF struct buf type = buf_make(64);
    (void)buf_put_str(&type, "/problems/");
    (void)buf_put_str(&type, code);
    json_put_key(put, "type");
    json_put_text(put, buf_slice(&type));
}

/* What a problem is about; 0: nothing of that kind. */
struct about {
    uint64_t id;   /* the job that is in the way */
    uint32_t item; /* of a list, from 1 */
};

static void put_problem(
    struct http_session *session,
    unsigned status,
    const char *code,
    struct slice detail,
    struct about about
) {
    const struct problem *problem = problem_find(slice_str(code));
    struct json_put put = http_json(session);
    json_put_object(&put);
    put_type(&put, problem == NULL ? "ERR" : code);
    json_put_key(&put, "title");
    json_put_str(&put, problem == NULL ? http_status_text(status) : problem->title);
    json_put_key(&put, "status");
    json_put_u64(&put, status);
    json_put_key(&put, "code");
    json_put_str(&put, code);
    json_put_key(&put, "detail");
    json_put_text(&put, detail);
    if (about.id != 0) {
        json_put_key(&put, "id");
        json_put_id(&put, about.id);
    }
    if (about.item != 0) {
        json_put_key(&put, "item");
        json_put_u64(&put, about.item);
    }
    json_put_key(&put, "request_id");
    json_put_text(&put, slice_of(session->request_id, session->request_id_size));
    json_put_object_end(&put);
    (void)buf_put_char(&session->base.host->reply, '\n');
    session->code = code;
}

static void problem_begin(
    struct http_session *session,
    unsigned status,
    const char *code,
    struct slice detail,
    struct about about
) {
    /* A problem may take the place of a response that could not be finished. */
    session->base.out->size = session->reply_at;
    session->is_answered = false;
    put_problem(session, status, code, detail, about);
    http_reply_head(session, status, "application/problem+json");
}

void http_problem_begin(
    struct http_session *session, unsigned status, const char *code, struct slice detail
) {
    problem_begin(session, status, code, detail, (struct about){0});
}

void http_problem(
    struct http_session *session, unsigned status, const char *code, struct slice detail
) {
    http_problem_begin(session, status, code, detail);
    http_reply_body(session);
}

void http_answer_problem(struct http_session *session, const struct answer *answer) {
    hob_assert(answer->code != ANSWER_OK);
    struct host *host = session->base.host;
    sentence_of_answer(&host->complaint, answer);
    struct about about = {
        .id = answer->code == ANSWER_UNIQUE ? answer->id : 0,
        .item = answer->item,
    };
    problem_begin(
        session,
        answer_http_status(answer->code),
        answer_word(answer->code),
        buf_slice(&host->complaint),
        about
    );
    if (answer->code == ANSWER_LOGIN) {
        (void)http_put_header(session->base.out, "WWW-Authenticate", SLICE("Bearer"));
    }
    if (answer->retry_after_ns != 0) {
        http_put_header_u64(session->base.out, "Retry-After", http_seconds(answer->retry_after_ns));
    }
    http_reply_body(session);
}

void http_refuse(struct http_session *session) {
    http_problem(session, 400, "BADARG", buf_slice(&session->base.host->complaint));
}

void http_refuse_item(struct http_session *session, uint32_t item) {
    HOB_AUTO_BUF struct buf text = buf_make(2 * COMPLAINT_BYTES_MAX);
    bulk_put_item(&text, item);
    (void)buf_put_slice(&text, buf_slice(&session->base.host->complaint));
    problem_begin(session, 400, "BADARG", buf_slice(&text), (struct about){.item = item});
    http_reply_body(session);
}

void http_no_job(struct http_session *session) {
    struct answer none = {.code = ANSWER_NO_JOB};
    http_answer_problem(session, &none);
}

/* --- pages --- */

static void put_page(struct json_put *put, const struct problem *problem) {
    json_put_object(put);
    put_type(put, problem->code);
    json_put_key(put, "code");
    json_put_str(put, problem->code);
    json_put_key(put, "status");
    json_put_u64(put, problem->status);
    json_put_key(put, "title");
    json_put_str(put, problem->title);
    json_put_key(put, "advice");
    json_put_str(put, problem->advice);
    json_put_object_end(put);
}

void http_problem_list(struct http_session *session, const struct call *call) {
    (void)call;
    struct json_put put = http_json(session);
    json_put_object(&put);
    json_put_key(&put, "problems");
    json_put_array(&put);
    for (size_t i = 0; i < hob_countof(problems); i++) {
        if (problems[i].status >= 400) put_page(&put, &problems[i]);
    }
    json_put_array_end(&put);
    json_put_object_end(&put);
    http_reply_json(session, 200);
}

void http_problem_page(struct http_session *session, const struct call *call) {
    const struct problem *problem = problem_find(call->name);
    if (problem == NULL) {
        http_problem(session, 404, "NOROUTE", SLICE("there is no such problem: /problems lists"));
        return;
    }
    struct json_put put = http_json(session);
    put_page(&put, problem);
    http_reply_json(session, 200);
}
