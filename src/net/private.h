/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of net/ share. */
#ifndef HOB_NET_PRIVATE_H
#define HOB_NET_PRIVATE_H

#include <netinet/in.h>

#include "base/siphash.h"
#include "net/list.h"
#include "net/net.h"

enum {
    READ_BYTES = 64 * 1024,
    LISTENERS_MAX = 8,
    /* One append is in flight and one fills, so there are two sequences to wait for; what would
     * need more marks waits for the later one. */
    MARKS_MAX = 4,
    /* Of a connection that is not served now: more is not read. */
    INPUT_AHEAD_BYTES_MAX = 64 * 1024,
    BUFFER_KEPT_BYTES = 16 * 1024,
    LINGER_MS = 2000,
    TLS_RECORDS_MAX = 8, /* that are encrypted ahead of what the system takes */
    PEERS_MAX = 4096,    /* counters of connections by address; addresses that meet share one */
};

struct listener {
    struct net *net;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    bool is_pipe;
    bool has_tls;
};

struct net {
    uv_loop_t loop;
    struct net_options options;
    uv_check_t check; /* after poll: the end of the turn */
    uv_idle_t idle;   /* active while there is something to do without input */
    uv_async_t wake;
    uv_timer_t sweep;
    struct listener listeners[LISTENERS_MAX];
    uint32_t listener_count;
    bool in_turn;
    bool again;
    bool is_ending;
    bool is_closed; /* hooks and listeners are closed */
    uint64_t durable;
    uint32_t conn_count;
    uint64_t refused;
    uint64_t handshakes_failed;
    struct tls_context *tls;
    struct siphash_key peer_key;
    uint16_t peers[PEERS_MAX]; /* connections now, by hash of the address */
    struct link conns;         /* all, by conn.all */
    struct link dirty;         /* wrote in this turn, by conn.dirty */
    struct link held;          /* have output, by conn.held */
    struct link resumed;       /* to be served without input, by conn.resumed */
    char read_bytes[READ_BYTES];
};

/* Output up to `end` (an offset in conn.out) may leave when `seq` is durable. */
struct mark {
    size_t end;
    uint64_t seq;
};

enum conn_state {
    CONN_READING, /* between requests, or inside one */
    CONN_WAITING, /* a request waits for its answer */
    CONN_YIELDED,
    CONN_FLUSHING, /* no more input; closes when the output has left */
    CONN_LINGERING,
    CONN_CLOSED,
};

/* Where the bytes of one record end: in `sending`, and in all that was ever written. */
struct tls_record {
    size_t wire_end;
    uint64_t plain_end;
};

struct secure {
    struct tls *tls;
    bool is_ended;
    struct tls_record records[TLS_RECORDS_MAX]; /* of `sending`; what was before them has left */
    uint32_t record_count;
    uint64_t plain_sent; /* before the first of the records */
};

/* The first byte decides: a TLS client begins with its handshake. */
enum conn_form { CONN_PLAIN, CONN_TLS_FIRST, CONN_TLS };

union peer {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

struct conn {
    struct net *net;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    void *user;
    enum conn_state state;
    bool is_reading; /* uv_read_start is on */
    bool is_writing; /* `sending` is on its way */
    bool is_ended;   /* the client will send no more */
    struct link all;
    struct link dirty;
    struct link held;
    struct link resumed;
    struct buf in; /* of an incomplete request, and what came behind one that waits */
    struct buf out;
    size_t released; /* bytes of out that may leave */
    struct mark marks[MARKS_MAX];
    uint32_t mark_count;
    struct buf sending;
    enum conn_form form;
    struct secure *secure; /* CONN_TLS */
    union peer peer;
    uint64_t peer_hash;
    bool is_pipe;
    bool is_counted; /* in net.peers */
    uv_write_t write;
    uv_shutdown_t shutdown;
    uint64_t out_base; /* bytes that were in out before those that are */
    uint64_t since_ms; /* of the state; of the request that is incomplete; of the last output */
    uint64_t sent_ms;  /* when output last made progress */
    uint64_t hold_until_ms; /* no output is released before; 0: as soon as it may */
    uint32_t idle_ms;
};

/* conn.c */
void conn_accept(struct listener *listener);
void conn_serve(struct conn *conn, struct slice input, size_t *ret_used);
void conn_serve_buffered(struct conn *conn);
void conn_close(struct conn *conn);
void conn_flush_and_close(struct conn *conn);
void conn_read_start(struct conn *conn);
void conn_read_stop(struct conn *conn);
void conn_sweep(struct conn *conn, uint64_t now_ms);

/* output.c */
void conn_mark(struct conn *conn, uint64_t seq);
/** Write what may leave; @progress: durable() has grown. The connection may be closed by this. */
void conn_flush(struct conn *conn, bool progress);
bool conn_has_output(const struct conn *conn);

/* secure.c: TLS between socket and buffers */
void secure_begin(struct conn *conn);
void secure_end(struct conn *conn);
/** Bytes of the wire lie in net.read_bytes: append what they say to conn.in. False: no more comes,
 * and what there is to say about it is in the output. */
bool secure_take(struct conn *conn, size_t size);
/** Fill `sending` with what may leave. False: the connection is closed. */
bool secure_fill(struct conn *conn);
/** All of `sending` has been taken by the system. */
void secure_sent(struct conn *conn);
/** Drop the first @size bytes of what is released: they are encrypted. (output.c) */
void conn_drop_sent(struct conn *conn, size_t size);
/** The handshake has failed: count it, tell why. */
void secure_refused(struct conn *conn, const char *why);
/** Is there output of TLS itself? */
bool secure_has_output(const struct conn *conn);
uint64_t secure_handed(const struct conn *conn);

/* peer.c */
/** False: it is gone already. */
bool peer_take(struct conn *conn);
/** Count it; false when its address has too many already. */
bool peer_count(struct conn *conn);
void peer_forget(struct conn *conn);

/* net.c */
void net_wake_idle(struct net *net);
void net_conn_gone(struct net *net);

#endif
