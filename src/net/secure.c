/* SPDX-License-Identifier: Apache-2.0 */
/* A connection with TLS. The loop moves bytes of the wire as it moves plain ones; here they become
 * plain ones and back.
 *
 *     socket ──read_bytes──> tls ──> conn.in
 *     conn.out [released] ──> tls ──> conn.sending ──> socket
 *
 * Output of TLS itself (handshake, tickets, alerts) depends on nothing durable and may leave at any
 * time; what is encrypted leaves in the order of its encryption, so nothing that is not released
 * may be encrypted. */
#include <stdlib.h>

#include "base/assert.h"
#include "net/private.h"

void secure_begin(struct conn *conn) {
    hob_assert(conn->secure == NULL);
    conn->form = CONN_TLS;
    conn->secure = calloc(1, sizeof *conn->secure);
    if (conn->secure == NULL) hob_panic(__FILE__, __LINE__, "out of memory");
    conn->secure->tls = tls_accept(conn->net->tls);
}

void secure_end(struct conn *conn) {
    if (conn->secure == NULL) return;
    tls_free(conn->secure->tls);
    free(conn->secure);
    conn->secure = NULL;
}

bool secure_take(struct conn *conn, size_t size) {
    bool was_up = tls_is_up(conn->secure->tls);
    struct slice wire = slice_of(conn->net->read_bytes, size);
    enum tls_result result = tls_take(conn->secure->tls, wire, &conn->in);
    if (!was_up && tls_is_up(conn->secure->tls)) conn->since_ms = uv_now(&conn->net->loop);
    if (result == TLS_FAILED && !tls_is_up(conn->secure->tls)) {
        secure_refused(conn, tls_why(conn->secure->tls));
    }
    if (result == TLS_FAILED) conn->secure->is_ended = true; /* an alert says it */
    return result == TLS_MORE;
}

void secure_refused(struct conn *conn, const char *why) {
    const struct net_handler *handler = &conn->net->options.handler;
    conn->net->handshakes_failed++;
    if (handler->insecure != NULL) handler->insecure(handler->context, conn, why);
}

bool secure_has_output(const struct conn *conn) {
    return conn->secure != NULL && tls_output_size(conn->secure->tls) > 0;
}

void secure_sent(struct conn *conn) {
    struct secure *secure = conn->secure;
    if (secure->record_count > 0) {
        secure->plain_sent = secure->records[secure->record_count - 1].plain_end;
    }
    secure->record_count = 0;
    buf_reset(&conn->sending);
}

/* Records are counted one by one, since a client can read a record when it has all of it. */
bool secure_fill(struct conn *conn) {
    hob_assert(!conn->is_writing);
    hob_assert(conn->secure->record_count == 0);
    tls_output(conn->secure->tls, &conn->sending);
    while (conn->released > 0 && conn->secure->record_count < TLS_RECORDS_MAX &&
           tls_is_up(conn->secure->tls)) {
        size_t size = conn->released;
        if (size > TLS_RECORD_BYTES_MAX) size = TLS_RECORD_BYTES_MAX;
        if (!tls_put(conn->secure->tls, slice_of(conn->out.bytes, size))) {
            conn_close(conn);
            return false;
        }
        conn_drop_sent(conn, size);
        tls_output(conn->secure->tls, &conn->sending);
        conn->secure->records[conn->secure->record_count++] = (struct tls_record){
            .wire_end = conn->sending.size,
            .plain_end = conn->out_base,
        };
    }
    return true;
}

uint64_t secure_handed(const struct conn *conn) {
    size_t left = conn->is_writing ? conn->uv.stream.write_queue_size : conn->sending.size;
    size_t taken = conn->sending.size - left;
    uint64_t handed = conn->secure->plain_sent;
    for (uint32_t i = 0; i < conn->secure->record_count; i++) {
        if (conn->secure->records[i].wire_end > taken) break;
        handed = conn->secure->records[i].plain_end;
    }
    return handed;
}
