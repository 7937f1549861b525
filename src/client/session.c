/* SPDX-License-Identifier: Apache-2.0 */
/* The reply that a call waits for is copied and parsed anew, so that it stays while the client
 * reads on. */
#include "client/session.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/assert.h"

enum { KEPT_BYTES_MAX = 80 * 1024 * 1024 };

struct session {
    uv_loop_t loop;
    struct client *client;
    bool ready;
    bool lost;
    struct hob_error why; /* lost */
    struct mem mem;
    struct resp_reply_parser parser;
    struct buf kept; /* bytes of the reply of the last call */
    bool answered;
};

/* A write to a connection that broke raises SIGPIPE, which would end the program before it could
 * tell why. Its disposition is the program's own (`hob ls | head` wants it), so it is held back
 * only while the connection is used, and one that came meanwhile is taken off again. */
struct pipe_guard {
    sigset_t before;
    bool pending_before;
};

static void guard_begin(struct pipe_guard *guard) {
    sigset_t pipe;
    sigset_t pending;
    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    (void)sigemptyset(&pending);
    (void)sigpending(&pending);
    guard->pending_before = sigismember(&pending, SIGPIPE) == 1;
    int code = pthread_sigmask(SIG_BLOCK, &pipe, &guard->before);
    hob_assert(code == 0);
}

static void guard_end(const struct pipe_guard *guard) {
    const struct timespec at_once = {0};
    sigset_t pipe;
    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    if (!guard->pending_before) (void)sigtimedwait(&pipe, NULL, &at_once);
    int code = pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
    hob_assert(code == 0);
}

static void on_ready(void *context) {
    struct session *session = context;
    session->ready = true;
}

static void on_lost(void *context, const struct hob_error *why) {
    struct session *session = context;
    session->lost = true;
    session->why = *why;
}

static enum hob_status session_failure(const struct session *session, struct hob_error *err) {
    if (err != NULL) *err = session->why;
    return session->why.status;
}

enum hob_status
session_open(const char *address, struct session **ret_session, struct hob_error *err) {
    return session_open_within(address, 0, ret_session, err);
}

enum hob_status session_open_within(
    const char *text, hob_ns timeout_ns, struct session **ret_session, struct hob_error *err
) {
    struct address address;
    if (!address_parse(slice_str(text), &address)) {
        return fail(err, HOB_USAGE, "`%s` is no address; wanted: HOST:PORT", text);
    }
    return session_open_at(&address, timeout_ns, ret_session, err);
}

enum hob_status session_open_at(
    const struct address *address,
    hob_ns timeout_ns,
    struct session **ret_session,
    struct hob_error *err
) {
    struct client_options options = {
        .address = *address,
        .connect_timeout_ns = timeout_ns,
        .events = {.ready = on_ready, .lost = on_lost},
    };
    struct session *session = calloc(1, sizeof *session);
    hob_assert(session != NULL);
    int code = uv_loop_init(&session->loop);
    hob_assert(code == 0);
    session->kept = buf_make(KEPT_BYTES_MAX);
    resp_reply_parser_init(&session->parser, &session->mem, RESP_REPLY_LIMITS_DEFAULT);
    options.loop = &session->loop;
    options.events.context = session;
    session->client = client_open(&options);
    struct pipe_guard guard;
    guard_begin(&guard);
    while (!session->ready && !session->lost) (void)uv_run(&session->loop, UV_RUN_ONCE);
    guard_end(&guard);
    if (session->lost) {
        enum hob_status status = session_failure(session, err);
        session_close(session);
        return status;
    }
    *ret_session = session;
    return HOB_OK;
}

static void on_reply(void *context, const struct resp_node *node, struct slice raw) {
    struct session *session = context;
    if (node == NULL) return; /* on_lost() follows */
    buf_reset(&session->kept);
    session->answered = buf_put_slice(&session->kept, raw);
    hob_assert(session->answered);
}

enum hob_status session_call(
    struct session *session,
    const struct slice *args,
    size_t count,
    hob_ns timeout_ns,
    const struct resp_node **ret_reply,
    struct hob_error *err
) {
    if (session->lost) return session_failure(session, err);
    session->answered = false;
    struct pipe_guard guard;
    guard_begin(&guard);
    uv_update_time(&session->loop);
    client_request(session->client, args, count, timeout_ns, on_reply, session);
    while (!session->answered && !session->lost) (void)uv_run(&session->loop, UV_RUN_ONCE);
    guard_end(&guard);
    if (!session->answered) {
        if (err == NULL) return session->why.status;
        return fail(
            err,
            session->why.status,
            "%.180s; it is not known whether it was done",
            session->why.text
        );
    }
    struct resp_reply reply;
    enum resp_reply_result result =
        resp_reply_parse(&session->parser, buf_slice(&session->kept), &reply);
    hob_assert(result == RESP_REPLY_READY);
    if (ret_reply != NULL) *ret_reply = reply.nodes;
    return reply_status(reply.nodes, err);
}

void session_send(
    struct session *session,
    const struct slice *args,
    size_t count,
    client_reply_fn *fn,
    void *context
) {
    if (session->lost) {
        fn(context, NULL, SLICE_NONE);
        return;
    }
    struct pipe_guard guard;
    guard_begin(&guard);
    uv_update_time(&session->loop); /* the program may have done something else for long */
    client_request(session->client, args, count, 0, fn, context);
    guard_end(&guard);
}

enum hob_status
session_drain(struct session *session, size_t open_max, size_t unsent_max, struct hob_error *err) {
    struct pipe_guard guard;
    guard_begin(&guard);
    uv_update_time(&session->loop);
    while (!session->lost && (client_open_requests(session->client) > open_max ||
                              client_unsent_bytes(session->client) > unsent_max)) {
        (void)uv_run(&session->loop, UV_RUN_ONCE);
    }
    guard_end(&guard);
    return session->lost ? session_failure(session, err) : HOB_OK;
}

void session_close(struct session *session) {
    if (session == NULL) return;
    client_close(session->client);
    (void)uv_run(&session->loop, UV_RUN_DEFAULT);
    int code = uv_loop_close(&session->loop);
    hob_assert(code == 0);
    resp_reply_parser_deinit(&session->parser);
    buf_deinit(&session->kept);
    free(session);
}
