/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an HTTP connection: keep-alive and pipelining, one request at a time, each with one
 * response. */
#include "base/assert.h"
#include "dialect/http/core.h"

static struct session *http_open(struct host *host) {
    struct http_session *session = mem_zero_alloc(host->mem, sizeof *session);
    session_init(&session->base, &dialect_http, host);
    session->parser = http_parser_new(host->mem, HTTP_LIMITS_DEFAULT);
    return &session->base;
}

static void http_close(struct session *base) {
    struct http_session *session = (struct http_session *)base;
    http_stream_close(session);
    http_parser_free(session->parser);
    mem_free(base->host->mem, session, sizeof *session);
}

static void begin(struct http_session *session, bool keep_alive) {
    /* While the server stops, each response says that it is the last. */
    session->keep_alive = keep_alive && !session->base.host->is_stopping;
    session->request = NULL;
    session->route = NULL;
    session->code = NULL;
    session->is_head = false;
    session->is_answered = false;
    session->waited_for = false;
    session->returned_for = false;
    session->request_id_size = 0;
    session->reply_at = session->base.out->size;
}

/* What was asked, as far as it is known still: a late answer knows its route. The query stays out:
 * it may hold anything. */
static void refused(struct http_session *session) {
    struct refusal refusal = {
        .request_id = slice_of(session->request_id, session->request_id_size),
        .status = session->status,
        .code = session->code == NULL ? SLICE_NONE : slice_str(session->code),
    };
    if (session->request != NULL) {
        refusal.method = session->request->method_text;
        refusal.path = session->request->path;
    } else if (session->route != NULL) {
        refusal.path = slice_str(session->route->path);
    }
    session_refused(&session->base, &refusal);
}

static void served(struct http_session *session) {
    char code[3] = {'0', '0', '0'};
    unsigned status = session->status;
    for (size_t at = sizeof code; at-- > 0; status /= 10) code[at] = (char)('0' + status % 10);
    session->base.op =
        session->route == NULL ? SLICE("none") : slice_str(session->route->name + strlen("http_"));
    session_served(&session->base, slice_of(code, sizeof code));
    if (session->status >= 400) refused(session);
}

void http_end(struct http_session *session) {
    struct buf *out = session->base.out;
    if (out->overflowed) {
        out->size = session->reply_at;
        out->overflowed = false;
        http_problem(
            session, 500, "TOOLARGE", SLICE("the response is larger than this server holds")
        );
    }
    hob_assert(session->is_answered);
    served(session);
    if (!session->keep_alive) session->is_closing = true;
}

static void refuse_request(struct http_session *session) {
    struct http_error error = http_error(session->parser);
    begin(session, false);
    http_problem(session, error.status, "ERR", slice_str(error.text));
    http_end(session);
}

/* A whole line has come, and it is none of HTTP: a person who types a command, say. They need not
 * wait for the end of a head that will never come. */
static bool is_no_http(struct slice input) {
    const char *end = memchr(input.bytes, '\n', input.size);
    if (end == NULL || end - input.bytes < 2) return false;
    for (const char *at = input.bytes; end - at >= 5; at++) {
        if (memcmp(at, "HTTP/", 5) == 0) return false;
    }
    return true;
}

static void refuse_line(struct http_session *session) {
    begin(session, false);
    http_problem(
        session,
        400,
        "ERR",
        SLICE("this is neither HTTP nor RESP: a RESP request is an array of bulk strings, and "
              "inline commands are not accepted")
    );
    http_end(session);
}

static enum session_next http_input(struct session *base, struct slice input, size_t *ret_used) {
    struct http_session *session = (struct http_session *)base;
    size_t used = 0;
    enum session_next next = SESSION_READ;
    bool more = true;
    while (more) {
        if (session->is_closing) next = SESSION_CLOSE;
        if (base->waiting != 0 || session->stream != NULL) next = SESSION_WAIT;
        if (next != SESSION_READ || used == input.size) break;
        if (session_must_yield(base)) {
            next = SESSION_YIELD;
            break;
        }
        struct http_request request;
        struct slice rest = slice_of(input.bytes + used, input.size - used);
        switch (http_parse(session->parser, rest, &request)) {
        case HTTP_NEED_MORE:
            more = is_no_http(rest);
            if (!more) break;
            refuse_line(session);
            used = input.size;
            break;
        case HTTP_CONTINUE:
            http_put_continue(base->out);
            break;
        case HTTP_ERROR:
            refuse_request(session);
            used = input.size;
            break;
        case HTTP_REQUEST_READY:
            used += request.size_bytes;
            begin(session, request.keep_alive);
            session->minor = request.minor;
            http_take_headers(session, &request);
            session->request = &request;
            http_dispatch(session, &request);
            if (base->waiting == 0 && session->stream == NULL) http_end(session);
            session->request = NULL;
            break;
        }
    }
    *ret_used = used;
    return next;
}

static void http_answer(struct session *base, const struct answer *answer) {
    struct http_session *session = (struct http_session *)base;
    session->reply_at = base->out->size;
    switch (session->awaited) {
    case HTTP_AWAITED_JOBS:
        http_reply_fetched(session, answer);
        break;
    case HTTP_AWAITED_JOB:
        http_reply_job(session, session->awaited_id);
        break;
    case HTTP_AWAITED_PUSHED:
        http_reply_pushed(session, session->awaited_id, session->awaited_duplicate);
        break;
    case HTTP_AWAITED_LOGS:
        http_reply_logs(session);
        break;
    }
    http_end(session);
}

static void http_lost(struct session *base, struct lease_ref lease, enum error_cause cause) {
    (void)base; /* a request is answered, and that is all that HTTP can say */
    (void)lease;
    (void)cause;
}

static void http_late(struct session *base) {
    struct http_session *session = (struct http_session *)base;
    begin(session, false);
    http_problem(session, 408, "ERR", SLICE("the request was begun and not ended in time"));
    http_end(session);
}

static void http_finish(struct session *base) {
    struct http_session *session = (struct http_session *)base;
    if (session->stream != NULL) http_stream_finish(session);
    if (base->waiting == 0) return;
    session_forget(base);
    session->keep_alive = false;
    struct answer nothing = {.code = ANSWER_EMPTY};
    http_answer(base, &nothing);
}

const struct dialect dialect_http = {
    .name = "http",
    .open = http_open,
    .input = http_input,
    .answer = http_answer,
    .lost = http_lost,
    .event = http_event,
    .beat = http_beat,
    .late = http_late,
    .finish = http_finish,
    .close = http_close,
};
