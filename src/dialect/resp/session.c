/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a RESP connection: requests are parsed and run one after the other until the input
 * ends, a request waits, or the output is full.
 *
 * A push message (a lease was taken away) may stand between any two replies, never inside one:
 * every reply is written whole. */
#include "dialect/resp/core.h"

static struct session *resp_open(struct host *host) {
    struct resp_session *session = mem_zero_alloc(host->mem, sizeof *session);
    session_init(&session->base, &dialect_resp, host);
    resp_parser_init(&session->parser, host->mem, RESP_LIMITS_DEFAULT);
    session->version = RESP2;
    return &session->base;
}

static void resp_close(struct session *base) {
    struct resp_session *session = (struct resp_session *)base;
    resp_parser_deinit(&session->parser);
    mem_free(base->host->mem, session, sizeof *session);
}

/* A reply that ran into the end of the output buffer is no reply. */
static void reply_end(struct resp_session *session) {
    if (!resp_out(session)->overflowed) return;
    resp_abandon(session, "TOOLARGE", SLICE("the reply is larger than this server holds"));
}

static void run(struct resp_session *session, const struct resp_request *request) {
    session->reply_at = resp_out(session)->size;
    const struct resp_command *command = resp_command_find(request->args[0]);
    if (!resp_begin(session, command == NULL ? SCOPE_ANY : command->scope)) return;
    if (command == NULL) {
        resp_unknown(session, request->args[0]);
        return;
    }
    struct args args = {.at = request->args + 1, .count = request->args_count - 1};
    if (args.count < command->min || args.count > command->max) {
        resp_wrong_count(session, command);
        return;
    }
    command->run(session, args);
    reply_end(session);
}

static enum session_next resp_input(struct session *base, struct slice input, size_t *ret_used) {
    struct resp_session *session = (struct resp_session *)base;
    size_t used = 0;
    enum session_next next = SESSION_READ;
    for (;;) {
        if (session->is_closing) next = SESSION_CLOSE;
        if (base->waiting != 0) next = SESSION_WAIT;
        if (next != SESSION_READ || used == input.size) break;
        if (session_must_yield(base)) {
            next = SESSION_YIELD;
            break;
        }
        struct resp_request request;
        struct slice rest = slice_of(input.bytes + used, input.size - used);
        enum resp_result result = resp_parse(&session->parser, rest, &request);
        if (result == RESP_NEED_MORE) break;
        if (result == RESP_ERROR) {
            resp_put_error(base->out, slice_str(session->parser.error));
            session->is_closing = true;
            used = input.size;
            continue;
        }
        used += request.size_bytes;
        run(session, &request);
    }
    *ret_used = used;
    return next;
}

static void resp_answer(struct session *base, const struct answer *answer) {
    struct resp_session *session = (struct resp_session *)base;
    session->reply_at = base->out->size;
    switch (session->awaited) {
    case RESP_AWAITED_JOBS:
        resp_put_fetched(session, answer, session->form);
        break;
    case RESP_AWAITED_JOB:
        (void)resp_put_job(session, session->awaited_id, JOB_WHOLE);
        break;
    }
    reply_end(session);
}

static void resp_lost(struct session *base, struct lease_ref lease, enum error_cause cause) {
    struct resp_session *session = (struct resp_session *)base;
    if (session->version != RESP3) return;
    resp_put_push(base->out, session->version, 4);
    resp_put_bulk(base->out, SLICE("lost"));
    resp_put_bulk_u64(base->out, lease.id);
    resp_put_bulk_u64(base->out, lease.token);
    resp_put_bulk(base->out, slice_str(error_cause_word(cause)));
}

static void resp_late(struct session *base) {
    resp_put_error(base->out, SLICE("ERR the request was begun and not ended in time"));
}

static void resp_finish(struct session *base) {
    if (base->waiting == 0) return;
    session_forget(base);
    struct answer nothing = {.code = ANSWER_EMPTY};
    resp_answer(base, &nothing);
}

const struct dialect dialect_resp = {
    .name = "resp",
    .open = resp_open,
    .input = resp_input,
    .answer = resp_answer,
    .lost = resp_lost,
    .late = resp_late,
    .finish = resp_finish,
    .close = resp_close,
};
