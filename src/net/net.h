/* SPDX-License-Identifier: Apache-2.0 */
/* Connections on a libuv loop, served in turns, with output that is held back until what it depends
 * on is durable.
 *
 *     poll ──> all readable connections: read, handler.input ─┐     one turn
 *     check ──> those that were resumed:      handler.input ──┤
 *               handler.turn_end ──> sequence S ──────────────┘
 *               what the turn wrote is marked S
 *               handler.durable ──> D: everything marked <= D leaves
 *
 * So everything that was ready in one iteration of the loop shares one append and one sync. A turn
 * begins with its first input, or with net_turn().
 *
 * Input lies in a buffer that all connections share, and is copied only when a request is
 * incomplete; an idle connection holds no buffers. Output is written at once with try_write, and
 * the rest, when the socket is full, by the loop. A handler that finds too much output waiting
 * answers NET_YIELD; then the connection is soon not read any more. That is all the flow control
 * there is.
 *
 * After NET_CLOSE the output leaves, then the connection is shut down for writing and read empty
 * for a while before it closes, lest a reset overtake the last reply.
 *
 * One thread, but for net_wake(). */
#ifndef HOB_NET_NET_H
#define HOB_NET_NET_H

#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"
#include "net/tls.h"

struct net;
struct conn;

enum net_next {
    NET_READ,  /* come back with more input */
    NET_WAIT,  /* come back after conn_resume() */
    NET_YIELD, /* come back when output has left or durable() has grown */
    NET_CLOSE, /* let the output leave, then close */
};

struct net_handler {
    void *context;
    /** A connection was accepted: its user data, or NULL to refuse it. */
    void *(*opened)(void *context, struct conn *conn);
    /** In a turn. *ret_used bytes are done with; the rest comes again, with more behind it. */
    enum net_next (*input)(void *context, struct conn *conn, struct slice input, size_t *ret_used);
    /** A request was begun and not ended in time: a last word. In a turn. The connection closes. */
    void (*late)(void *context, struct conn *conn);
    /** The first byte on a listener with TLS is not TLS: a last word, which leaves in the clear. In
     * a turn. The connection closes. */
    void (*plain)(void *context, struct conn *conn, char first);
    /** A TLS handshake has failed; @why is good during the call only. May be NULL. */
    void (*insecure)(void *context, struct conn *conn, const char *why);
    /** The connection is gone; @conn is good during the call only. In a turn. */
    void (*closed)(void *context, struct conn *conn);
    void (*turn_begin)(void *context);
    /** Answers the sequence that the output of this turn must wait for. */
    uint64_t (*turn_end)(void *context);
    /** The sequence up to which all is durable. Called once in each iteration, after turn_end. */
    uint64_t (*durable)(void *context);
};

struct net_options {
    struct net_handler handler;
    uint32_t connections_max; /* 0: 10000 */
    uint32_t per_address_max; /* of one address other than loopback; 0: 1000 */
    size_t input_bytes_max;   /* the largest request; 0: 18 MiB */
    size_t output_bytes_max;  /* the largest output buffer; 0: 80 MiB */
    uint32_t
        request_ms;    /* for a request to come in whole, and a second for each 16 KiB; 0: 30000 */
    uint32_t stall_ms; /* for a client to take some output; 0: 60000 */
    uint32_t handshake_ms; /* of TLS; 0: 10000 */
};

/** A loop without connections. */
HOB_CHECK enum hob_status
net_new(const struct net_options *options, struct net **ret_net, struct hob_error *err);

/** Close everything that is still open, without flushing, and free. NULL is fine. */
void net_free(struct net *net);

/** The loop, for timers and signals of the caller, who closes them before net_free. */
uv_loop_t *net_loop(struct net *net);

/** Run until net_end() was called and the last connection has closed. */
void net_run(struct net *net);

/** Change these limits, as in net_options; for connections that are open too, but none is ended. */
void net_limits_set(
    struct net *net, uint32_t connections_max, uint32_t per_address_max, uint32_t request_ms
);

/** From any thread: come out of poll, ask durable(). */
void net_wake(struct net *net);

/** Be in a turn: begin one unless one is under way. It ends in this iteration of the loop. */
void net_turn(struct net *net);

/** Have a turn in the next iteration, without waiting for input. */
void net_again(struct net *net);

/** Stop accepting; what is connected stays. */
void net_listen_end(struct net *net);

/** Stop accepting and reading; each connection closes when its output has left. */
void net_end(struct net *net);

/** As net_end, but close at once what is still open. */
void net_abort(struct net *net);

/** How many there are now. */
uint32_t net_connections(const struct net *net);

/** How many were turned away, being too many; how many TLS handshakes failed. */
uint64_t net_refused(const struct net *net);
uint64_t net_handshakes_failed(const struct net *net);

/** TLS on each TCP listener that is opened from now on, for each connection that comes from now on.
 * Borrowed; a connection that is under way keeps what it began with. */
void net_tls_set(struct net *net, struct tls_context *context);

/** Serve a connected socket that somebody in this process made, as one that was accepted. NULL: the
 * handler refused it; the socket is closed. */
struct conn *net_adopt(struct net *net, int fd);

/* --- connections --- */

void *conn_user(const struct conn *conn);

/** Where replies are appended. In a turn; whoever appends outside of `input` calls conn_wrote(). */
struct buf *conn_out(struct conn *conn);
void conn_wrote(struct conn *conn);

/** After NET_WAIT: serve it again, in this turn or the next. */
void conn_resume(struct conn *conn);

/** Serve no more: close when the output has left. In a turn. */
void conn_end(struct conn *conn);

/** Did it come by a socket in the file system? */
bool conn_is_pipe(const struct conn *conn);

/** Is what it says encrypted? */
bool conn_is_secure(const struct conn *conn);

/** What it is told leaves no earlier than in @hold_ms, and up to a second later; what was written
 * before and has not left waits along. Not when the net ends. */
void conn_hold(struct conn *conn, uint32_t hold_ms);

/** Close when it has been idle for so long between requests; 0: never. */
void conn_idle_limit(struct conn *conn, uint32_t idle_ms);

/** Bytes written so far; and of these, how many the system has taken. */
uint64_t conn_position(const struct conn *conn);
uint64_t conn_handed(const struct conn *conn);

/* --- addresses --- */

enum { NET_ADDRESS_BYTES_MAX = 128 };

/** Where it comes from, "192.0.2.7:51234", "[2001:db8::1]:51234" or "unix". */
void conn_peer(const struct conn *conn, char ret_address[NET_ADDRESS_BYTES_MAX]);

/** A number of that address without the port, of IPv6 without the lower 64 bits, which are for each
 * client to choose; 0: a socket in the file system. */
uint64_t conn_peer_hash(const struct conn *conn);

/**
 * Listen on "HOST:PORT", "[IPV6]:PORT" or "unix:PATH"; port 0 takes a free one.
 *
 * @ret_address  the address as text, with the real port
 * Fails         HOB_CONFIG not an address; HOB_FAILED in use, or not ours
 */
HOB_CHECK enum hob_status net_listen(
    struct net *net,
    const char *address,
    char ret_address[NET_ADDRESS_BYTES_MAX],
    struct hob_error *err
);

/**
 * Can only this machine reach @address?
 * Fails  HOB_CONFIG not an address, or a name that is unknown
 */
HOB_CHECK enum hob_status
net_address_is_local(const char *address, bool *ret_local, struct hob_error *err);

#endif
