/* SPDX-License-Identifier: Apache-2.0 */
/* A client for a program that does one thing after the other: each call runs a loop of its own
 * until its reply is there.
 *
 *     struct session *session;
 *     if (session_open("127.0.0.1:4620", &session, &err) != HOB_OK) …
 *     const struct slice ask[] = {SLICE("GET"), id};
 *     status = session_call(session, ask, 2, 0, &reply, &err);      err of the server: a failure
 *     session_close(session); */
#ifndef HOB_CLIENT_SESSION_H
#define HOB_CLIENT_SESSION_H

#include "client/client.h"

struct session;

/**
 * Connect to the server at @address ("host:port").
 *
 * Fails  HOB_USAGE: no address; HOB_UNREACHABLE, with what to do; then there is nothing to close
 */
HOB_CHECK enum hob_status
session_open(const char *address, struct session **ret_session, struct hob_error *err);

/** As above, for an address that was parsed already, with what is to be shown there. */
HOB_CHECK enum hob_status session_open_at(
    const struct address *address,
    hob_ns timeout_ns,
    struct session **ret_session,
    struct hob_error *err
);

/** As session_open, with a bound on connecting: for who would rather go without. @timeout_ns > 0 */
HOB_CHECK enum hob_status session_open_within(
    const char *address, hob_ns timeout_ns, struct session **ret_session, struct hob_error *err
);

/**
 * Ask and wait for the reply.
 *
 * @timeout_ns  as for client_request()
 * @ret_reply   borrowed until the next call; may be NULL
 *
 * Fails  as the error of the server says (client/reply.h), or HOB_UNREACHABLE: the connection was
 *        lost, and it is not known whether the request was done
 */
HOB_CHECK enum hob_status session_call(
    struct session *session,
    const struct slice *args,
    size_t count,
    hob_ns timeout_ns,
    const struct resp_node **ret_reply,
    struct hob_error *err
);

/** Send without waiting; @fn gets the reply in a later call. */
void session_send(
    struct session *session,
    const struct slice *args,
    size_t count,
    client_reply_fn *fn,
    void *context
);

/**
 * Wait until at most @open_max requests are open, and at most @unsent_max bytes unsent.
 *
 * Fails  HOB_UNREACHABLE: the connection was lost; every open request has got its callback
 */
HOB_CHECK enum hob_status
session_drain(struct session *session, size_t open_max, size_t unsent_max, struct hob_error *err);

/** Close the connection; NULL is fine. */
void session_close(struct session *session);

#endif
