/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a RESP connection: requests are parsed and run one after the other until the input
 * ends, a request waits, or the output is full.
 *
 * A push message (a lease was taken away) may stand between any two replies, never inside one:
 * every reply is written whole. */
#include "base/assert.h"
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
    resp_unsubscribe_all(session);
    resp_multi_forget(session);
    buf_deinit(&session->pushes);
    mem_free(base->host->mem, session, sizeof *session);
}

/* A reply that ran into the end of the output buffer is no reply. */
static void reply_end(struct resp_session *session) {
    if (!resp_out(session)->overflowed) return;
    resp_abandon(session, "TOOLARGE", SLICE("the reply is larger than this server holds"));
}

/* What a RESP2 connection with subscriptions serves. */
static bool is_for_listeners(const struct resp_command *command) {
    return command->run == resp_subscribe || command->run == resp_unsubscribe ||
           command->run == resp_psubscribe || command->run == resp_punsubscribe ||
           command->run == resp_ping || command->run == resp_reset || command->run == resp_quit;
}

/* What is done at once between MULTI and EXEC. */
static bool is_for_multi(const struct resp_command *command) {
    return command->run == resp_multi || command->run == resp_exec || command->run == resp_reset ||
           command->run == resp_quit;
}

static void
serve(struct resp_session *session, const struct resp_request *request, struct slice bytes) {
    const struct resp_command *command = resp_command_find(request->args[0]);
    struct args args = {.at = request->args + 1, .count = request->args_count - 1};
    if (session->in_multi && command != NULL && command->run == resp_discard && args.count == 0) {
        /* Forgetting what was kept takes no scope; discarding a job does. */
        resp_multi_discard(session);
        return;
    }
    size_t before = resp_out(session)->size;
    if (!resp_begin(session, command == NULL ? SCOPE_ANY : command->scope)) {
        session->multi_broken = session->in_multi;
    } else if (command == NULL) {
        resp_unknown(session, request->args[0]);
        session->multi_broken = session->in_multi;
    } else if (args.count < command->min || args.count > command->max) {
        resp_wrong_count(session, command);
        session->multi_broken = session->in_multi;
    } else if (resp_is_listening(session) && !is_for_listeners(command)) {
        resp_error(
            session,
            "ERR",
            SLICE("only (P)SUBSCRIBE, (P)UNSUBSCRIBE, PING, RESET and QUIT are served while there "
                  "are subscriptions: take another connection, or RESP3")
        );
    } else if (session->in_multi && !is_for_multi(command)) {
        resp_multi_queue(session, command, bytes);
    } else {
        command->run(session, args);
    }
    hob_assert(resp_out(session)->size >= before);
    session->base.op = command == NULL ? SLICE("unknown") : command->name;
}

/* OK, or the first word of the error that the reply is. */
static void served(struct resp_session *session) {
    const struct buf *out = resp_out(session);
    struct slice code = SLICE("OK");
    if (out->size > session->reply_at && out->bytes[session->reply_at] == '-') {
        const char *word = out->bytes + session->reply_at + 1;
        size_t left = out->size - session->reply_at - 1;
        size_t size = 0;
        while (size < left && word[size] >= 'A' && word[size] <= 'Z') size++;
        code = size == 0 ? SLICE("ERR") : slice_of(word, size);
    }
    session_served(&session->base, code);
    if (slice_equal(code, SLICE("OK"))) return;
    struct refusal refusal = {.method = session->base.op, .code = code};
    session_refused(&session->base, &refusal);
}

void resp_serve(
    struct resp_session *session, const struct resp_request *request, struct slice bytes
) {
    size_t outer = session->reply_at;
    session->reply_at = resp_out(session)->size;
    serve(session, request, bytes);
    reply_end(session);
    if (session->base.waiting == 0) served(session);
    session->reply_at = outer;
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
        /* Empty lines between requests are nothing, as in Redis: redis-cli --pipe sends some. */
        if (rest.bytes[0] == '\r' && rest.size == 1) break;
        if (rest.size >= 2 && memcmp(rest.bytes, "\r\n", 2) == 0) {
            used += 2;
            continue;
        }
        enum resp_result result = resp_parse(&session->parser, rest, &request);
        if (result == RESP_NEED_MORE) break;
        if (result == RESP_ERROR) {
            resp_put_error(base->out, slice_str(session->parser.error));
            session->is_closing = true;
            used = input.size;
            continue;
        }
        used += request.size_bytes;
        resp_pushes_begin(session);
        resp_serve(session, &request, slice_of(rest.bytes, request.size_bytes));
        resp_pushes_end(session);
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
    case RESP_AWAITED_LOGS:
        resp_logs_over(session);
        break;
    }
    reply_end(session);
    served(session);
}

static void resp_lost(struct session *base, struct lease_ref lease, enum error_cause cause) {
    struct resp_session *session = (struct resp_session *)base;
    if (session->version != RESP3) return;
    struct buf *out = resp_push_begin(session, 4);
    resp_put_bulk(out, SLICE("lost"));
    resp_put_bulk_u64(out, lease.id);
    resp_put_bulk_u64(out, lease.token);
    resp_put_bulk(out, slice_str(error_cause_word(cause)));
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
    .event = resp_event,
    .late = resp_late,
    .finish = resp_finish,
    .close = resp_close,
};
