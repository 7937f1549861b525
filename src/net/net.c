/* SPDX-License-Identifier: Apache-2.0 */
/* The loop and its turns. The check hook runs when poll is done with all that was ready: it serves
 * who was resumed meanwhile, ends the turn, and lets output leave. The idle hook does nothing; that
 * it is active keeps poll from sleeping. */
#include "net/net.h"

#include <stdlib.h>

#include "base/assert.h"
#include "net/private.h"
#include "os/entropy.h"

enum { SWEEP_MS = 1000 };

void net_turn(struct net *net) {
    if (net->in_turn) return;
    net->in_turn = true;
    net_wake_idle(net); /* begun before poll, it must still end soon */
    net->options.handler.turn_begin(net->options.handler.context);
}

void net_again(struct net *net) {
    net->again = true;
    net_wake_idle(net);
}

static void on_idle(uv_idle_t *idle) {
    (void)idle;
}

void net_wake_idle(struct net *net) {
    if (!net->is_closed) (void)uv_idle_start(&net->idle, on_idle);
}

/* Those that are resumed while this runs are served in the next iteration. */
static void serve_resumed(struct net *net) {
    struct link list;
    list_move(&list, &net->resumed);
    while (link_is_listed(&list)) {
        struct conn *conn = LINKED(list.next, struct conn, resumed);
        link_remove(&conn->resumed);
        conn_serve_buffered(conn);
    }
}

static void end_turn(struct net *net) {
    uint64_t seq = net->options.handler.turn_end(net->options.handler.context);
    net->in_turn = false;
    while (link_is_listed(&net->dirty)) {
        struct conn *conn = LINKED(net->dirty.next, struct conn, dirty);
        link_remove(&conn->dirty);
        conn_mark(conn, seq);
        if (!link_is_listed(&conn->held)) list_append(&net->held, &conn->held);
    }
}

static void flush_held(struct net *net, bool progress) {
    struct link list;
    list_move(&list, &net->held);
    while (link_is_listed(&list)) {
        struct conn *conn = LINKED(list.next, struct conn, held);
        link_remove(&conn->held);
        conn_flush(conn, progress);
    }
}

static void on_check(uv_check_t *check) {
    struct net *net = check->data;
    if (net->again) net_turn(net);
    net->again = false;
    serve_resumed(net);
    if (net->in_turn) end_turn(net);
    uint64_t durable = net->options.handler.durable(net->options.handler.context);
    bool progress = durable > net->durable;
    net->durable = durable;
    flush_held(net, progress);
    bool busy = net->in_turn || net->again || link_is_listed(&net->resumed);
    if (!busy && !net->is_closed) (void)uv_idle_stop(&net->idle);
}

static void on_wake(uv_async_t *wake) {
    (void)wake; /* to come out of poll was all */
}

static void on_sweep(uv_timer_t *timer) {
    struct net *net = timer->data;
    uint64_t now_ms = uv_now(&net->loop);
    struct link *at = net->conns.next;
    while (at != &net->conns) {
        struct conn *conn = LINKED(at, struct conn, all);
        at = at->next;
        conn_sweep(conn, now_ms);
    }
}

static void set_defaults(struct net_options *options) {
    if (options->connections_max == 0) options->connections_max = 10000;
    if (options->input_bytes_max == 0) options->input_bytes_max = 18 << 20;
    if (options->output_bytes_max == 0) options->output_bytes_max = 80 << 20;
    if (options->request_ms == 0) options->request_ms = 30000;
    if (options->stall_ms == 0) options->stall_ms = 60000;
    if (options->handshake_ms == 0) options->handshake_ms = 10000;
    if (options->per_address_max == 0) options->per_address_max = 1000;
}

void net_limits_set(
    struct net *net, uint32_t connections_max, uint32_t per_address_max, uint32_t request_ms
) {
    net->options.connections_max = connections_max;
    net->options.per_address_max = per_address_max;
    net->options.request_ms = request_ms;
    set_defaults(&net->options);
}

enum hob_status
net_new(const struct net_options *options, struct net **ret_net, struct hob_error *err) {
    struct net *net = calloc(1, sizeof *net);
    if (net == NULL) return fail(err, HOB_NO_MEMORY, "no memory for the event loop");
    int failed = uv_loop_init(&net->loop);
    if (failed != 0) {
        free(net);
        return fail(err, HOB_FAILED, "cannot make an event loop: %s", uv_strerror(failed));
    }
    net->options = *options;
    net->peer_key = (struct siphash_key){.words = {entropy_u64(), entropy_u64()}};
    set_defaults(&net->options);
    link_init(&net->conns);
    link_init(&net->dirty);
    link_init(&net->held);
    link_init(&net->resumed);
    (void)uv_check_init(&net->loop, &net->check);
    (void)uv_idle_init(&net->loop, &net->idle);
    (void)uv_timer_init(&net->loop, &net->sweep);
    failed = uv_async_init(&net->loop, &net->wake, on_wake);
    hob_assert(failed == 0);
    net->check.data = net;
    net->sweep.data = net;
    (void)uv_check_start(&net->check, on_check);
    (void)uv_timer_start(&net->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    *ret_net = net;
    return HOB_OK;
}

uv_loop_t *net_loop(struct net *net) {
    return &net->loop;
}

void net_run(struct net *net) {
    (void)uv_run(&net->loop, UV_RUN_DEFAULT);
    if (net->in_turn) end_turn(net); /* the last connection closed after the last check */
}

void net_wake(struct net *net) {
    (void)uv_async_send(&net->wake);
}

uint32_t net_connections(const struct net *net) {
    return net->conn_count;
}

uint64_t net_refused(const struct net *net) {
    return net->refused;
}

uint64_t net_handshakes_failed(const struct net *net) {
    return net->handshakes_failed;
}

void net_tls_set(struct net *net, struct tls_context *context) {
    net->tls = context;
}

void net_listen_end(struct net *net) {
    for (uint32_t i = 0; i < net->listener_count; i++) {
        uv_handle_t *handle = &net->listeners[i].uv.handle;
        if (!uv_is_closing(handle)) uv_close(handle, NULL);
    }
}

/* Nothing is left to wait for: the loop runs empty. */
static void close_hooks(struct net *net) {
    if (net->is_closed) return;
    net->is_closed = true;
    net_listen_end(net);
    uv_close((uv_handle_t *)&net->check, NULL);
    uv_close((uv_handle_t *)&net->idle, NULL);
    uv_close((uv_handle_t *)&net->wake, NULL);
    uv_close((uv_handle_t *)&net->sweep, NULL);
}

void net_conn_gone(struct net *net) {
    hob_assert(net->conn_count > 0);
    net->conn_count--;
    if (net->is_ending && net->conn_count == 0) uv_stop(&net->loop);
}

void net_end(struct net *net) {
    net_listen_end(net);
    net->is_ending = true;
    struct link *at = net->conns.next;
    while (at != &net->conns) {
        struct conn *conn = LINKED(at, struct conn, all);
        at = at->next;
        if (conn->state == CONN_LINGERING) {
            conn_close(conn);
        } else {
            conn_flush_and_close(conn);
        }
    }
    if (net->conn_count == 0) uv_stop(&net->loop);
}

void net_abort(struct net *net) {
    net_listen_end(net);
    net->is_ending = true;
    while (link_is_listed(&net->conns)) conn_close(LINKED(net->conns.next, struct conn, all));
    if (net->conn_count == 0) uv_stop(&net->loop);
}

void net_free(struct net *net) {
    if (net == NULL) return;
    net_abort(net);
    close_hooks(net);
    /* uv_stop() may still be in force; then the first run does nothing. */
    while (uv_run(&net->loop, UV_RUN_DEFAULT) != 0) {
    }
    int open = uv_loop_close(&net->loop);
    hob_assert(open == 0); /* else a handle of the caller is open */
    free(net);
}
