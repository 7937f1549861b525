/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: accepted, read and served, closed.
 *
 *     READING ──input──> READING     the rest, if any, waits in conn.in
 *        │  └──────────> WAITING     until conn_resume
 *        │  └──────────> YIELDED     until output has left
 *        └─────────────> FLUSHING ──all has left──> LINGERING ──end of input, or time──> CLOSED
 *
 * Every state can go to CLOSED at once, when the client is gone. While a connection is not served
 * it is read on for a while, so that its end is noticed. */
#include <stdlib.h>

#include "base/assert.h"
#include "net/private.h"

enum { KEEPALIVE_S = 60, BYTES_PER_MS = 16 };

static bool may_be_served(const struct conn *conn) {
    return conn->state == CONN_READING;
}

static void set_state(struct conn *conn, enum conn_state state) {
    conn->state = state;
    conn->since_ms = uv_now(&conn->net->loop);
}

void conn_serve(struct conn *conn, struct slice input, size_t *ret_used) {
    hob_assert(may_be_served(conn));
    const struct net_handler *handler = &conn->net->options.handler;
    net_turn(conn->net);
    size_t used = 0;
    enum net_next next = handler->input(handler->context, conn, input, &used);
    hob_assert(used <= input.size);
    *ret_used = used;
    /* `since` begins with the first byte of a request: bytes behind the last one, if there are. */
    if (used > 0 || conn->in.size == 0) conn->since_ms = uv_now(&conn->net->loop);
    switch (next) {
    case NET_READ:
        if (conn->is_ended) set_state(conn, CONN_FLUSHING);
        break;
    case NET_WAIT:
        set_state(conn, CONN_WAITING);
        break;
    case NET_YIELD:
        set_state(conn, CONN_YIELDED);
        break;
    case NET_CLOSE:
        set_state(conn, CONN_FLUSHING);
        break;
    }
    conn_wrote(conn);
}

/* Room is given back when it is large and empty. */
static void trim(struct buf *buf) {
    if (buf->size == 0 && buf->capacity > BUFFER_KEPT_BYTES) buf_deinit(buf);
}

void conn_serve_buffered(struct conn *conn) {
    if (conn->state != CONN_WAITING && conn->state != CONN_YIELDED) return;
    set_state(conn, CONN_READING);
    size_t used = 0;
    conn_serve(conn, buf_slice(&conn->in), &used);
    buf_consume(&conn->in, used);
    trim(&conn->in);
    if (conn->is_ended && conn->state == CONN_WAITING) {
        conn_close(conn);
    } else if (conn->in.size <= INPUT_AHEAD_BYTES_MAX || conn->state == CONN_READING) {
        conn_read_start(conn);
    }
}

void conn_resume(struct conn *conn) {
    if (conn->state != CONN_WAITING && conn->state != CONN_YIELDED) return;
    if (link_is_listed(&conn->resumed)) return;
    list_append(&conn->net->resumed, &conn->resumed);
    net_wake_idle(conn->net);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf) {
    (void)suggested;
    struct conn *conn = handle->data;
    if (conn->form != CONN_PLAIN || conn->in.size == 0 || conn->state >= CONN_FLUSHING) {
        *ret_buf = uv_buf_init(conn->net->read_bytes, READ_BYTES);
        return;
    }
    char *to = buf_reserve(&conn->in, READ_BYTES);
    if (to == NULL) {
        *ret_buf = uv_buf_init(NULL, 0);
        return;
    }
    size_t room = conn->in.capacity - conn->in.size;
    *ret_buf = uv_buf_init(to, (unsigned)room);
}

/* The bytes lie in the shared buffer: only what is left of them is copied. */
static void take_shared(struct conn *conn, size_t size) {
    struct slice input = slice_of(conn->net->read_bytes, size);
    size_t used = 0;
    if (may_be_served(conn)) conn_serve(conn, input, &used);
    if (conn->state < CONN_FLUSHING) (void)buf_put(&conn->in, input.bytes + used, size - used);
}

static void serve_appended(struct conn *conn) {
    if (!may_be_served(conn) || conn->in.size == 0) return;
    size_t used = 0;
    conn_serve(conn, buf_slice(&conn->in), &used);
    buf_consume(&conn->in, used);
    trim(&conn->in);
}

/* The client has said its last word. What it asked for before is still answered, unless that would
 * mean to wait: then it counts as gone, as in Redis. */
static void on_end(struct conn *conn, ssize_t status) {
    conn->is_ended = true;
    conn_read_stop(conn);
    bool gone = status != UV_EOF || conn->state == CONN_WAITING || conn->state == CONN_LINGERING;
    if (gone || (conn->state == CONN_READING && !conn_has_output(conn))) {
        conn_close(conn);
    } else if (conn->state != CONN_YIELDED) {
        conn_flush_and_close(conn);
    }
}

static void take_appended(struct conn *conn, size_t size) {
    conn->in.size += size;
    serve_appended(conn);
}

/* A word in the clear to who does not speak TLS; what it said is not looked at. */
static void refuse_plain(struct conn *conn, char first) {
    const struct net_handler *handler = &conn->net->options.handler;
    conn->form = CONN_PLAIN;
    net_turn(conn->net);
    if (handler->plain != NULL) handler->plain(handler->context, conn, first);
    conn_wrote(conn);
    conn_flush_and_close(conn);
}

static void take_secure(struct conn *conn, size_t size) {
    if (conn->form == CONN_TLS_FIRST) {
        char first = conn->net->read_bytes[0];
        if (first != TLS_FIRST_BYTE) {
            refuse_plain(conn, first);
            return;
        }
        secure_begin(conn);
    }
    bool more = secure_take(conn, size);
    serve_appended(conn);
    trim(&conn->in);
    if (conn->state == CONN_CLOSED) return;
    if (!more) on_end(conn, UV_EOF);
    if (conn->state != CONN_CLOSED && secure_has_output(conn)) conn_flush(conn, false);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf) {
    struct conn *conn = stream->data;
    if (size == 0) return;
    if (size < 0) {
        on_end(conn, size);
        return;
    }
    if (conn->state >= CONN_FLUSHING) return;
    if (conn->form != CONN_PLAIN) {
        take_secure(conn, (size_t)size);
    } else if (buf->base == conn->net->read_bytes) {
        take_shared(conn, (size_t)size);
    } else {
        take_appended(conn, (size_t)size);
    }
    if (conn->state == CONN_CLOSED) return;
    if (!may_be_served(conn) && conn->in.size > INPUT_AHEAD_BYTES_MAX) conn_read_stop(conn);
}

void conn_read_start(struct conn *conn) {
    if (conn->is_reading || conn->is_ended || conn->state == CONN_CLOSED) return;
    conn->is_reading = uv_read_start(&conn->uv.stream, on_alloc, on_read) == 0;
    if (!conn->is_reading) conn_close(conn);
}

void conn_read_stop(struct conn *conn) {
    if (!conn->is_reading) return;
    conn->is_reading = false;
    (void)uv_read_stop(&conn->uv.stream);
}

static void on_closed(uv_handle_t *handle) {
    struct conn *conn = handle->data;
    struct net *net = conn->net;
    buf_deinit(&conn->in);
    buf_deinit(&conn->out);
    buf_deinit(&conn->sending);
    secure_end(conn);
    free(conn);
    net_conn_gone(net);
}

void conn_close(struct conn *conn) {
    if (conn->state == CONN_CLOSED) return;
    set_state(conn, CONN_CLOSED);
    peer_forget(conn);
    link_remove(&conn->all);
    link_remove(&conn->dirty);
    link_remove(&conn->held);
    link_remove(&conn->resumed);
    if (conn->user != NULL) {
        const struct net_handler *handler = &conn->net->options.handler;
        net_turn(conn->net);
        handler->closed(handler->context, conn);
        conn->user = NULL;
    }
    uv_close(&conn->uv.handle, on_closed);
}

void conn_flush_and_close(struct conn *conn) {
    if (conn->state >= CONN_FLUSHING) return;
    set_state(conn, CONN_FLUSHING);
    if (!link_is_listed(&conn->held)) list_append(&conn->net->held, &conn->held);
    net_wake_idle(conn->net);
}

static struct conn *conn_new(struct listener *listener) {
    struct net *net = listener->net;
    struct conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL) hob_panic(__FILE__, __LINE__, "out of memory");
    conn->net = net;
    conn->in = buf_make(net->options.input_bytes_max + READ_BYTES);
    conn->out = buf_make(net->options.output_bytes_max);
    conn->sending = buf_make(net->options.output_bytes_max);
    link_init(&conn->all);
    link_init(&conn->dirty);
    link_init(&conn->held);
    link_init(&conn->resumed);
    if (listener->is_pipe) {
        (void)uv_pipe_init(&net->loop, &conn->uv.pipe, 0);
    } else {
        (void)uv_tcp_init(&net->loop, &conn->uv.tcp);
    }
    conn->uv.handle.data = conn;
    conn->write.data = conn;
    conn->shutdown.data = conn;
    list_append(&net->conns, &conn->all);
    net->conn_count++;
    return conn;
}

void conn_accept(struct listener *listener) {
    struct net *net = listener->net;
    struct conn *conn = conn_new(listener);
    if (uv_accept(&listener->uv.stream, &conn->uv.stream) != 0 || net->is_ending) {
        conn_close(conn);
        return;
    }
    conn->is_pipe = listener->is_pipe;
    if (net->conn_count > net->options.connections_max || !peer_take(conn) || !peer_count(conn)) {
        net->refused++;
        conn_close(conn);
        return;
    }
    conn->form = listener->has_tls ? CONN_TLS_FIRST : CONN_PLAIN;
    if (!listener->is_pipe) {
        (void)uv_tcp_nodelay(&conn->uv.tcp, 1);
        (void)uv_tcp_keepalive(&conn->uv.tcp, 1, KEEPALIVE_S);
    }
    set_state(conn, CONN_READING);
    conn->user = net->options.handler.opened(net->options.handler.context, conn);
    if (conn->user == NULL) {
        conn_close(conn);
    } else {
        conn_read_start(conn);
    }
}

void conn_end(struct conn *conn) {
    conn_flush_and_close(conn);
}

bool conn_is_secure(const struct conn *conn) {
    return conn->form == CONN_TLS;
}

/* No handshake, or one that does not come to its end. */
static bool is_stuck(const struct conn *conn, uint64_t now_ms) {
    if (conn->form == CONN_PLAIN || conn->state != CONN_READING) return false;
    if (conn->form == CONN_TLS && tls_is_up(conn->secure->tls)) return false;
    return now_ms - conn->since_ms > conn->net->options.handshake_ms;
}

struct conn *net_adopt(struct net *net, int fd) {
    struct listener none = {.net = net, .is_pipe = true};
    struct conn *conn = conn_new(&none);
    int code = uv_pipe_open(&conn->uv.pipe, fd);
    hob_assert(code == 0);
    conn->is_pipe = true;
    set_state(conn, CONN_READING);
    conn->user = net->options.handler.opened(net->options.handler.context, conn);
    if (conn->user == NULL) {
        conn_close(conn);
        return NULL;
    }
    conn_read_start(conn);
    return conn;
}

/* A request has begun and takes too long: longer for a large one. */
static bool is_late(const struct conn *conn, uint64_t now_ms) {
    if (conn->state != CONN_READING || conn->in.size == 0) return false;
    uint64_t allowed = conn->net->options.request_ms + conn->in.size / BYTES_PER_MS;
    return now_ms - conn->since_ms > allowed;
}

static bool is_idle(const struct conn *conn, uint64_t now_ms) {
    if (conn->idle_ms == 0 || conn->state != CONN_READING || conn->in.size > 0) return false;
    return !conn_has_output(conn) && now_ms - conn->since_ms > conn->idle_ms;
}

void conn_sweep(struct conn *conn, uint64_t now_ms) {
    const struct net_handler *handler = &conn->net->options.handler;
    if (is_late(conn, now_ms)) {
        net_turn(conn->net);
        handler->late(handler->context, conn);
        conn_wrote(conn);
        conn_flush_and_close(conn);
        return;
    }
    bool stalled = conn->is_writing && now_ms - conn->sent_ms > conn->net->options.stall_ms;
    bool lingered = conn->state == CONN_LINGERING && now_ms - conn->since_ms > LINGER_MS;
    bool stuck = is_stuck(conn, now_ms);
    if (stuck && conn->form == CONN_TLS) secure_refused(conn, "not done in time");
    if (stalled || lingered || stuck || is_idle(conn, now_ms)) {
        conn_close(conn);
    } else if (conn->hold_until_ms != 0 && conn->hold_until_ms <= now_ms) {
        conn->hold_until_ms = 0;
        conn_flush(conn, true);
    }
}

void *conn_user(const struct conn *conn) {
    return conn->user;
}

void conn_idle_limit(struct conn *conn, uint32_t idle_ms) {
    conn->idle_ms = idle_ms;
}
