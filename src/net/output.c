/* SPDX-License-Identifier: Apache-2.0 */
/* Output on its way: appended in a turn, marked with the turn's sequence, released when that is
 * durable, written.
 *
 *     out      [ released      | held: marks say until which sequence | written in this turn ]
 *     sending  [ what the socket did not take at once; owned by libuv until it is written    ]
 *
 * With TLS all that leaves goes through `sending`, encrypted, a few records at a time; out_base
 * counts what was encrypted, and conn_handed what of it the system has taken, record by record. */
#include "base/assert.h"
#include "net/private.h"

struct buf *conn_out(struct conn *conn) {
    return &conn->out;
}

void conn_wrote(struct conn *conn) {
    if (conn->state == CONN_CLOSED || link_is_listed(&conn->dirty)) return;
    if (conn->out.size > 0 || conn->state == CONN_FLUSHING || conn->state == CONN_YIELDED) {
        list_append(&conn->net->dirty, &conn->dirty);
    }
}

uint64_t conn_position(const struct conn *conn) {
    return conn->out_base + conn->out.size;
}

uint64_t conn_handed(const struct conn *conn) {
    if (conn->form == CONN_TLS) return secure_handed(conn);
    return conn->out_base - (conn->is_writing ? conn->uv.stream.write_queue_size : 0);
}

bool conn_has_output(const struct conn *conn) {
    return conn->is_writing || conn->out.size > 0 || secure_has_output(conn);
}

void conn_mark(struct conn *conn, uint64_t seq) {
    size_t end = conn->out.size;
    size_t marked = conn->mark_count == 0 ? conn->released : conn->marks[conn->mark_count - 1].end;
    if (end == marked) return;
    struct mark *last = conn->mark_count == 0 ? NULL : &conn->marks[conn->mark_count - 1];
    bool same = last != NULL && (last->seq == seq || conn->mark_count == MARKS_MAX);
    if (!same) last = &conn->marks[conn->mark_count++];
    *last = (struct mark){.end = end, .seq = seq};
}

void conn_hold(struct conn *conn, uint32_t hold_ms) {
    conn->hold_until_ms = uv_now(&conn->net->loop) + hold_ms;
}

/* The sweep comes back for it. */
static bool is_held_back(const struct conn *conn) {
    return conn->hold_until_ms > uv_now(&conn->net->loop) && !conn->net->is_ending;
}

static void release(struct conn *conn) {
    if (is_held_back(conn)) return;
    uint32_t done = 0;
    while (done < conn->mark_count && conn->marks[done].seq <= conn->net->durable) {
        conn->released = conn->marks[done].end;
        done++;
    }
    if (done == 0) return;
    conn->mark_count -= done;
    for (uint32_t i = 0; i < conn->mark_count; i++) conn->marks[i] = conn->marks[i + done];
}

/* The first @size bytes of out are gone. */
void conn_drop_sent(struct conn *conn, size_t size) {
    hob_assert(size <= conn->released);
    if (size == 0) return;
    conn->out_base += size;
    conn->released -= size;
    for (uint32_t i = 0; i < conn->mark_count; i++) conn->marks[i].end -= size;
    conn->sent_ms = uv_now(&conn->net->loop);
    buf_consume(&conn->out, size);
    if (conn->out.size == 0 && conn->out.capacity > BUFFER_KEPT_BYTES) buf_deinit(&conn->out);
}

static void on_written(uv_write_t *write, int status) {
    struct conn *conn = write->data;
    conn->is_writing = false;
    if (conn->form == CONN_TLS && status == 0) secure_sent(conn);
    buf_deinit(&conn->sending);
    if (conn->state == CONN_CLOSED) return;
    if (status != 0) {
        conn_close(conn);
    } else {
        conn->sent_ms = uv_now(&conn->net->loop);
        conn_flush(conn, true);
    }
}

/* The socket is full: libuv owns what is released until it has left. */
static void send_rest(struct conn *conn) {
    size_t size = conn->released;
    hob_assert(conn->sending.size == 0);
    if (size == conn->out.size) {
        struct buf empty = conn->sending;
        conn->sending = conn->out;
        conn->out = empty;
        conn->out_base += size;
        conn->released = 0;
        conn->sent_ms = uv_now(&conn->net->loop);
    } else {
        (void)buf_put(&conn->sending, conn->out.bytes, size);
        hob_assert(conn->sending.size == size);
        conn_drop_sent(conn, size);
    }
    uv_buf_t bytes = uv_buf_init(conn->sending.bytes, (unsigned)size);
    conn->is_writing = true;
    if (uv_write(&conn->write, &conn->uv.stream, &bytes, 1, on_written) != 0) {
        conn->is_writing = false;
        conn_close(conn);
    }
}

/* Encrypt what may leave, and write it: at once what the socket takes. False: it is closed. */
static bool send_secure(struct conn *conn) {
    while (!conn->is_writing) {
        size_t released = conn->released;
        if (!secure_fill(conn)) return false;
        if (released != conn->released) conn->sent_ms = uv_now(&conn->net->loop);
        if (conn->sending.size == 0) return true;
        uv_buf_t bytes = uv_buf_init(conn->sending.bytes, (unsigned)conn->sending.size);
        int sent = uv_try_write(&conn->uv.stream, &bytes, 1);
        if (sent < 0 && sent != UV_EAGAIN) {
            conn_close(conn);
            return false;
        }
        size_t taken = sent > 0 ? (size_t)sent : 0;
        if (taken == conn->sending.size) {
            secure_sent(conn);
            continue;
        }
        bytes = uv_buf_init(conn->sending.bytes + taken, (unsigned)(conn->sending.size - taken));
        conn->is_writing = true;
        if (uv_write(&conn->write, &conn->uv.stream, &bytes, 1, on_written) != 0) {
            conn->is_writing = false;
            conn_close(conn);
            return false;
        }
    }
    return true;
}

static void on_shutdown(uv_shutdown_t *shutdown, int status) {
    struct conn *conn = shutdown->data;
    if (status != 0) conn_close(conn);
}

/* All has left. */
static void linger(struct conn *conn) {
    conn->state = CONN_LINGERING;
    conn->since_ms = uv_now(&conn->net->loop);
    /* At the end there is no time to linger: the client has its replies, as far as TCP can tell. */
    bool at_once = conn->net->is_ending || !conn->is_reading;
    if (at_once || uv_shutdown(&conn->shutdown, &conn->uv.stream, on_shutdown) != 0) {
        conn_close(conn);
    }
}

void conn_flush(struct conn *conn, bool progress) {
    if (conn->state >= CONN_LINGERING) return;
    release(conn);
    if (conn->form == CONN_TLS) {
        bool had = !conn->is_writing && (conn->released > 0 || secure_has_output(conn));
        if (!send_secure(conn)) return;
        progress = progress || had;
    } else if (conn->released > 0 && !conn->is_writing) {
        uv_buf_t bytes = uv_buf_init(conn->out.bytes, (unsigned)conn->released);
        int sent = uv_try_write(&conn->uv.stream, &bytes, 1);
        if (sent < 0 && sent != UV_EAGAIN) {
            conn_close(conn);
            return;
        }
        if (sent > 0) conn_drop_sent(conn, (size_t)sent);
        if (conn->released > 0) send_rest(conn);
        if (conn->state == CONN_CLOSED) return;
        progress = true;
    }
    if (conn->state == CONN_FLUSHING && !conn_has_output(conn)) {
        if (conn->form == CONN_TLS && !conn->secure->is_ended) {
            conn->secure->is_ended = true;
            tls_end(conn->secure->tls);
            if (!send_secure(conn) || conn_has_output(conn)) return;
        }
        linger(conn);
        return;
    }
    /* Without progress it would only yield again, and the loop would never sleep. */
    if (conn->state == CONN_YIELDED && progress) {
        conn_resume(conn);
    } else if (conn->out.size > 0 || conn->state == CONN_YIELDED) {
        if (!link_is_listed(&conn->held)) list_append(&conn->net->held, &conn->held);
    }
}
