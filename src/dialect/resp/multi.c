/* SPDX-License-Identifier: Apache-2.0 */
/* MULTI, EXEC, and DISCARD without an id: several commands of a connection as one block. The usual
 * clients wrap their pipelines so unless told otherwise.
 *
 * What follows MULTI is kept as it came, in bytes, and answered QUEUED. EXEC serves it in one go:
 * no command of another client comes between, and the answers leave together when all of it is
 * durable. As in Redis nothing is rolled back: each command has its own answer, which may be an
 * error. As with every request, whoever gets no answer does not know, and repeats with KEYs. */
#include "base/assert.h"
#include "dialect/resp/core.h"

enum { MULTI_COMMANDS_MAX = 1000, MULTI_BYTES_MAX = 8 * 1024 * 1024 };

void resp_multi_forget(struct resp_session *session) {
    session->in_multi = false;
    session->multi_broken = false;
    session->multi_count = 0;
    buf_deinit(&session->multi);
}

void resp_multi(struct resp_session *session, struct args args) {
    (void)args;
    if (session->in_multi) {
        resp_error(session, "ERR", SLICE("MULTI calls can not be nested"));
        return;
    }
    session->in_multi = true;
    session->multi = buf_make(MULTI_BYTES_MAX);
    resp_put_simple(resp_out(session), SLICE("OK"));
}

/* Commands that change how the connection itself is spoken to, and one that holds jobs back. */
static const char *why_not(const struct resp_command *command) {
    if (command->run == resp_fetch) {
        return "FETCH is not allowed between MULTI and EXEC: its jobs would wait for EXEC";
    }
    bool of_connection = command->run == resp_subscribe || command->run == resp_unsubscribe ||
                         command->run == resp_psubscribe || command->run == resp_punsubscribe ||
                         command->run == resp_hello || command->run == resp_auth;
    return of_connection ? "this command is not allowed between MULTI and EXEC" : NULL;
}

void resp_multi_queue(
    struct resp_session *session, const struct resp_command *command, struct slice request
) {
    const char *why = why_not(command);
    if (why == NULL && session->multi_count == MULTI_COMMANDS_MAX) {
        why = "there are at most 1000 commands between MULTI and EXEC";
    }
    if (why == NULL && !buf_put_slice(&session->multi, request)) {
        why = "there are at most 8 MiB of commands between MULTI and EXEC";
    }
    if (why != NULL) {
        session->multi_broken = true;
        resp_error(session, "ERR", slice_str(why));
        return;
    }
    session->multi_count++;
    resp_put_simple(resp_out(session), SLICE("QUEUED"));
}

void resp_multi_discard(struct resp_session *session) {
    hob_assert(session->in_multi);
    resp_multi_forget(session);
    resp_put_simple(resp_out(session), SLICE("OK"));
}

void resp_exec(struct resp_session *session, struct args args) {
    (void)args;
    if (!session->in_multi) {
        resp_error(session, "ERR", SLICE("EXEC without MULTI"));
        return;
    }
    if (session->multi_broken) {
        resp_multi_forget(session);
        resp_error(session, "EXECABORT", SLICE("not done: a command before was refused"));
        return;
    }
    HOB_AUTO_BUF struct buf queued = session->multi;
    uint32_t count = session->multi_count;
    session->multi = buf_make(0);
    resp_multi_forget(session);
    session->in_exec = true;
    resp_put_array(resp_out(session), count);
    struct resp_parser parser;
    resp_parser_init(&parser, session->base.host->mem, RESP_LIMITS_DEFAULT);
    struct slice rest = buf_slice(&queued);
    for (uint32_t i = 0; i < count; i++) {
        struct resp_request request;
        enum resp_result result = resp_parse(&parser, rest, &request);
        hob_assert(result == RESP_REQUEST); /* it was one when it came */
        resp_serve(session, &request, slice_of(rest.bytes, request.size_bytes));
        rest = slice_of(rest.bytes + request.size_bytes, rest.size - request.size_bytes);
    }
    hob_assert(rest.size == 0);
    hob_assert(session->base.waiting == 0);
    resp_parser_deinit(&parser);
    session->in_exec = false;
}
