/* SPDX-License-Identifier: Apache-2.0 */
/* Look up, connect, read into one buffer, write from two: one is with the system while the other
 * fills, so a burst of requests costs few writes. Every address of a name is tried in turn. With
 * TLS a link counts as connected when the handshake is done. */
#include "client/link.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "net/tls.h"

enum {
    READ_BYTES = 64 * 1024,
    INPUT_BYTES_MAX = 80 * 1024 * 1024,   /* above the largest reply that the parser takes */
    OUTPUT_BYTES_MAX = 256 * 1024 * 1024, /* users bound what is open; past this it is a bug */
};

struct link {
    struct mem mem; /* pays for this very block */
    struct link_events events;
    struct address address;
    uv_loop_t *loop;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    uv_getaddrinfo_t lookup;
    uv_connect_t connect;
    uv_write_t write;
    struct addrinfo *found; /* of the lookup; freed at the end */
    struct addrinfo *next;  /* to be tried when the current one fails */
    struct buf input;
    struct buf output;  /* filling */
    struct buf sending; /* with the system */
    struct buf wire;    /* with TLS: as received */
    struct tls_context *context;
    struct tls *tls;
    bool is_up; /* connected was told */
    bool tcp_open;
    bool looking_up;
    bool writing;
    bool closed; /* by the user */
};

/* The last of: lookup, handle, user. */
static void link_free_if_done(struct link *link) {
    if (!link->closed || link->looking_up || link->tcp_open) return;
    if (link->found != NULL) uv_freeaddrinfo(link->found);
    buf_deinit(&link->input);
    buf_deinit(&link->output);
    buf_deinit(&link->sending);
    buf_deinit(&link->wire);
    tls_free(link->tls);
    tls_context_free(link->context);
    struct mem mem = link->mem;
    mem_free(&mem, link, sizeof *link);
}

static void on_closed(uv_handle_t *handle) {
    struct link *link = handle->data;
    link->tcp_open = false;
    link_free_if_done(link);
}

static void tcp_close(struct link *link) {
    if (link->tcp_open && !uv_is_closing(&link->uv.handle)) {
        uv_close(&link->uv.handle, on_closed);
    }
}

static void link_end(struct link *link, const struct hob_error *why) {
    if (!link->closed) link->events.ended(link->events.context, why);
}

static void connect_failed(struct link *link, int code) {
    struct hob_error why;
    const char *hint = "Is the address right, and is the server up?";
    if (code == UV_ECONNREFUSED) hint = "Start one: hob serve --data DIR";
    (void)fail(
        &why,
        HOB_UNREACHABLE,
        "no server at %s (%s). %s",
        link->address.text,
        uv_strerror(code),
        hint
    );
    link_end(link, &why);
}

static void on_allocate(uv_handle_t *handle, size_t size, uv_buf_t *ret_room) {
    (void)size;
    struct link *link = handle->data;
    struct buf *to = link->tls != NULL ? &link->wire : &link->input;
    char *room = buf_reserve(to, READ_BYTES);
    *ret_room = room == NULL ? uv_buf_init(NULL, 0) : uv_buf_init(room, READ_BYTES);
}

static void connected(struct link *link) {
    link->is_up = true;
    link->events.connected(link->events.context);
}

static void tls_failed(struct link *link) {
    struct hob_error why;
    (void)uv_read_stop(&link->uv.stream);
    (void)fail(&why, HOB_UNREACHABLE, "no TLS with %s: %s", link->address.text, tls_why(link->tls));
    link_end(link, &why);
}

static void read_end(struct link *link, const char *text) {
    struct hob_error why;
    (void)uv_read_stop(&link->uv.stream);
    (void)fail(&why, HOB_UNREACHABLE, "the connection to %s is lost: %s", link->address.text, text);
    link_end(link, &why);
}

static void read_secure(struct link *link) {
    enum tls_result result = tls_take(link->tls, buf_slice(&link->wire), &link->input);
    buf_reset(&link->wire);
    link_send(link);
    if (!link->is_up && tls_is_up(link->tls)) connected(link);
    if (link->input.size > 0 && !link->closed) link->events.received(link->events.context);
    if (link->closed) return;
    if (result == TLS_FAILED) tls_failed(link);
    if (result == TLS_CLOSED) read_end(link, "it was closed");
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room) {
    (void)room;
    struct link *link = stream->data;
    if (link->closed || size == 0) return;
    if (size > 0 && link->tls != NULL) {
        link->wire.size += (size_t)size;
        read_secure(link);
    } else if (size > 0) {
        link->input.size += (size_t)size;
        link->events.received(link->events.context);
    } else {
        read_end(link, size == UV_EOF ? "it was closed" : uv_strerror((int)size));
    }
}

static void connect_next(struct link *link);

/* A handle whose connect failed cannot be used for another address. */
static void on_closed_retry(uv_handle_t *handle) {
    struct link *link = handle->data;
    link->tcp_open = false;
    if (link->closed) {
        link_free_if_done(link);
    } else {
        connect_next(link);
    }
}

static void secure_begin(struct link *link) {
    const struct address *address = &link->address;
    struct hob_error why;
    if (tls_client_new(
            address->ca_path, address->cert_path, address->key_path, &link->context, &why
        ) != HOB_OK) {
        link_end(link, &why);
        return;
    }
    link->tls = tls_connect(link->context, address->host);
    link_send(link);
}

static void on_connect(uv_connect_t *request, int code) {
    struct link *link = request->data;
    if (link->closed || code == UV_ECANCELED) return;
    if (code != 0 && link->next != NULL) {
        uv_close(&link->uv.handle, on_closed_retry);
        return;
    }
    if (code == 0) code = uv_read_start(&link->uv.stream, on_allocate, on_read);
    if (code != 0) {
        connect_failed(link, code);
        return;
    }
    if (!link->address.is_pipe) (void)uv_tcp_nodelay(&link->uv.tcp, 1);
    if (link->address.tls) {
        secure_begin(link);
    } else {
        connected(link);
    }
}

static void connect_next(struct link *link) {
    const struct addrinfo *address = link->next;
    link->next = address->ai_next;
    int code = uv_tcp_init(link->loop, &link->uv.tcp);
    hob_assert(code == 0);
    link->uv.handle.data = link;
    link->tcp_open = true;
    link->connect.data = link;
    code = uv_tcp_connect(&link->connect, &link->uv.tcp, address->ai_addr, on_connect);
    if (code != 0) connect_failed(link, code);
}

static void on_found(uv_getaddrinfo_t *request, int code, struct addrinfo *found) {
    struct link *link = request->data;
    link->looking_up = false;
    link->found = found;
    if (link->closed) {
        link_free_if_done(link);
    } else if (code != 0) {
        struct hob_error why;
        (void)fail(
            &why,
            HOB_UNREACHABLE,
            "cannot look up the host `%s` (%s). Check --server, or HOB_SERVER",
            link->address.host,
            uv_strerror(code)
        );
        link_end(link, &why);
    } else {
        link->next = found;
        connect_next(link);
    }
}

/* Sockets in the file system are connected to from the loop too, so that events come from it. */
static void on_pipe_connect(uv_connect_t *request, int code) {
    struct link *link = request->data;
    if (link->closed || code == UV_ECANCELED) return;
    if (code == 0) code = uv_read_start(&link->uv.stream, on_allocate, on_read);
    if (code != 0) {
        connect_failed(link, code);
    } else {
        connected(link);
    }
}

static void connect_pipe(struct link *link) {
    int code = uv_pipe_init(link->loop, &link->uv.pipe, 0);
    hob_assert(code == 0);
    link->uv.handle.data = link;
    link->tcp_open = true;
    link->connect.data = link;
    uv_pipe_connect(&link->connect, &link->uv.pipe, link->address.host, on_pipe_connect);
}

static struct link *
link_new(uv_loop_t *loop, const struct address *address, const struct link_events *events) {
    struct mem mem = {0};
    struct link *link = mem_zero_alloc(&mem, sizeof *link);
    link->mem = mem;
    link->loop = loop;
    link->events = *events;
    link->address = *address;
    link->input = buf_make(INPUT_BYTES_MAX);
    link->output = buf_make(OUTPUT_BYTES_MAX);
    link->sending = buf_make(OUTPUT_BYTES_MAX);
    link->wire = buf_make(INPUT_BYTES_MAX);
    return link;
}

struct link *link_adopt(
    uv_loop_t *loop, int fd, const struct address *address, const struct link_events *events
) {
    struct link *link = link_new(loop, address, events);
    int code = uv_pipe_init(loop, &link->uv.pipe, 0);
    hob_assert(code == 0);
    link->uv.handle.data = link;
    link->tcp_open = true;
    link->is_up = true;
    code = uv_pipe_open(&link->uv.pipe, fd);
    hob_assert(code == 0);
    code = uv_read_start(&link->uv.stream, on_allocate, on_read);
    hob_assert(code == 0);
    return link;
}

struct link *
link_open(uv_loop_t *loop, const struct address *address, const struct link_events *events) {
    struct link *link = link_new(loop, address, events);
    if (address->is_pipe) {
        connect_pipe(link);
        return link;
    }
    link->lookup.data = link;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int code = uv_getaddrinfo(
        loop, &link->lookup, on_found, link->address.host, link->address.port, &hints
    );
    hob_assert(code == 0);
    link->looking_up = true;
    return link;
}

struct buf *link_input(struct link *link) {
    return &link->input;
}

struct buf *link_output(struct link *link) {
    return &link->output;
}

static void on_written(uv_write_t *request, int code) {
    struct link *link = request->data;
    link->writing = false;
    buf_reset(&link->sending);
    /* A failed write is followed by a failed read, which tells. */
    if (code == 0 && !link->closed) link_send(link);
}

/* What is to be sent, as records; before the handshake is done only what it needs. */
static void seal(struct link *link) {
    tls_output(link->tls, &link->sending);
    size_t at = 0;
    while (link->is_up && at < link->output.size) {
        size_t size = link->output.size - at;
        if (size > TLS_RECORD_BYTES_MAX) size = TLS_RECORD_BYTES_MAX;
        if (!tls_put(link->tls, slice_of(link->output.bytes + at, size))) break; /* reading tells */
        at += size;
        tls_output(link->tls, &link->sending);
    }
    buf_consume(&link->output, at);
}

void link_send(struct link *link) {
    if (link->writing || link->closed) return;
    hob_assert(!link->output.overflowed);
    if (link->tls != NULL) {
        seal(link);
    } else {
        struct buf filled = link->output;
        link->output = link->sending;
        link->sending = filled;
    }
    if (link->sending.size == 0) return;
    uv_buf_t bytes = uv_buf_init(link->sending.bytes, (unsigned)link->sending.size);
    link->write.data = link;
    link->writing = true;
    int code = uv_write(&link->write, &link->uv.stream, &bytes, 1, on_written);
    if (code != 0) link->writing = false; /* the reading side tells */
}

size_t link_unsent_bytes(const struct link *link) {
    return link->output.size + link->sending.size;
}

void link_close(struct link *link) {
    hob_assert(!link->closed);
    link->closed = true;
    if (link->looking_up) (void)uv_cancel((uv_req_t *)&link->lookup);
    tcp_close(link);
    link_free_if_done(link);
}
