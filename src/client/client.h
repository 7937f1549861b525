/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a server, over RESP3 on somebody's libuv loop: requests go out in order, as many
 * as wanted at once, and each gets its reply by a callback, in the same order; what the server
 * sends unasked comes by an event.
 *
 *     client_open(&options, &client)     connects in the background
 *       ready()                          connected and greeted: requests may be made
 *       client_request(…, fn, context)   fn(context, reply)
 *       lost(why)                        not connected (any more); first every open request has got
 *                                        its fn with no reply: it may or may not have been done
 *       ready() …                        with `reconnect`, again and again, at growing intervals
 *     client_close(client)               no further call; the loop frees it
 *
 * Nothing here blocks. A server that says nothing for longer than a request may take counts as
 * lost. */
#ifndef HOB_CLIENT_CLIENT_H
#define HOB_CLIENT_CLIENT_H

#include <uv.h>

#include "base/status.h"
#include "base/time.h"
#include "client/address.h"
#include "client/reply.h"

struct client;

/* All but `context` may be NULL. Texts and nodes are borrowed for the call. */
struct client_events {
    void *context;
    void (*ready)(void *context);
    void (*lost)(void *context, const struct hob_error *why);
    void (*pushed)(void *context, const struct resp_node *push);
};

struct client_options {
    uv_loop_t *loop;
    struct address address;
    int fd; /* a connected socket, to be used instead of connecting; 0: none. Never reconnects */
    bool reconnect;
    hob_ns connect_timeout_ns; /* 0: 5 s; until the greeting is answered */
    struct client_events events;
};

/**
 * A reply has come.
 *
 * @node  the reply, an error of the server too; NULL: the connection was lost before
 * @raw   its bytes, for who wants to keep them
 */
typedef void client_reply_fn(void *context, const struct resp_node *node, struct slice raw);

/** Begin to connect. @options are copied. Never fails: lost() tells. */
struct client *client_open(const struct client_options *options);

/** Between ready() and lost()? */
bool client_is_ready(const struct client *client);

/**
 * Send a request; only while client_is_ready().
 *
 * @timeout_ns  how long after the reply before it the reply may take; 0: 30 s
 * @fn          called once; may be NULL
 */
void client_request(
    struct client *client,
    const struct slice *args,
    size_t count,
    hob_ns timeout_ns,
    client_reply_fn *fn,
    void *context
);

/** Requests without their reply, and bytes that wait to be sent: for who bounds them. */
size_t client_open_requests(const struct client *client);
size_t client_unsent_bytes(const struct client *client);

/** Give the connection up as if it had broken: requests get no reply, then lost() is called. */
void client_drop(struct client *client, const char *why);

/** End it. No event or callback comes after this; open requests are forgotten. NULL is fine. */
void client_close(struct client *client);

#endif
