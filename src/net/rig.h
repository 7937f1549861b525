/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: the loop with real sockets on the loopback, and a handler that speaks lines:
 *
 *     text    the line comes back          !   it waits for a resume
 *     =N      N kilobytes come back        ?   it yields once
 *     .       the connection closes
 *
 * What is durable is what the test says. Nothing sleeps: the loop is turned until what is expected
 * has happened, or so often that it never will. */
#ifndef HOB_NET_RIG_H
#define HOB_NET_RIG_H

#include "net/net.h"

enum { ROUNDS_MAX = 200000, KILO = 1024 };

struct rig {
    struct net *net;
    uint16_t port;
    uint64_t seq;     /* of the turn that ended last */
    uint64_t durable; /* what durable() says */
    bool follow;      /* durable() is always all */
    uint32_t turns;
    uint32_t lines;
    uint32_t opened;
    uint32_t closed;
    bool refuse_all;
    bool yielded;
    struct conn *waiting;
};

/** A loop that listens on a free port; the handler of @options is the rig's. */
void rig_init(struct rig *rig, struct net_options options);
/** Every connection that was opened must have been closed. */
void rig_deinit(struct rig *rig);
/** One iteration, without waiting. */
void turn_loop(struct rig *rig);

/* --- the client's side: plain sockets --- */

/** A connected socket; closed by the caller. */
int client_open(struct rig *rig);
/** Send all of @text. */
void client_send(int fd, const char *text);
/** Turn the loop until @size bytes have come. */
void client_read(struct rig *rig, int fd, char *to, size_t size);
/** The next bytes that come are @wanted. */
void client_expect(struct rig *rig, int fd, const char *wanted);
/** Nothing comes, however the loop turns. */
bool has_nothing(struct rig *rig, int fd);
/** Turn the loop until the server has closed. */
void client_expect_end(struct rig *rig, int fd);

/** Turn the loop until so many lines were served. */
void until_lines(struct rig *rig, uint32_t lines);
/** Turn the loop until so many connections have closed. */
void until_closed(struct rig *rig, uint32_t closed);

#endif
