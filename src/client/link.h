/* SPDX-License-Identifier: Apache-2.0 */
/* One TCP connection of a client, from looking up the name to the last byte. A link that ends is
 * never used again: reconnecting makes a new one, so that late callbacks of the old one cannot be
 * taken for the new one's. */
#ifndef HOB_CLIENT_LINK_H
#define HOB_CLIENT_LINK_H

#include <uv.h>

#include "base/buf.h"
#include "base/status.h"
#include "client/address.h"

struct link;

/* Each comes from the loop, never from inside a call of this header. */
struct link_events {
    void *context;
    void (*connected)(void *context);
    void (*received)(void *context); /* there is more in link_input() */
    void (*ended)(void *context, const struct hob_error *why);
};

/** Begin to connect; the loop frees it after link_close(). */
struct link *
link_open(uv_loop_t *loop, const struct address *address, const struct link_events *events);

/** The same with a socket that is connected: no `connected` comes, it may be used at once. */
struct link *link_adopt(
    uv_loop_t *loop, int fd, const struct address *address, const struct link_events *events
);

/** What was received; the reader takes from its front. */
struct buf *link_input(struct link *link);

/** Where to append what shall be sent; link_send() sends it. */
struct buf *link_output(struct link *link);

/** Send what is in the output, together with what is added while an earlier write is under way. */
void link_send(struct link *link);

/** Bytes not taken by the system yet. */
size_t link_unsent_bytes(const struct link *link);

/** No event comes after this. */
void link_close(struct link *link);

#endif
