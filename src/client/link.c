/* SPDX-License-Identifier: Apache-2.0 */
/* Look up, connect, read into one buffer, write from two: one is with the system while the other
 * fills, so a burst of requests costs few writes. Every address of a name is tried in turn. */
#include "client/link.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

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
    uv_tcp_t tcp;
    uv_getaddrinfo_t lookup;
    uv_connect_t connect;
    uv_write_t write;
    struct addrinfo *found; /* of the lookup; freed at the end */
    struct addrinfo *next;  /* to be tried when the current one fails */
    struct buf input;
    struct buf output;  /* filling */
    struct buf sending; /* with the system */
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
    struct mem mem = link->mem;
    mem_free(&mem, link, sizeof *link);
}

static void on_closed(uv_handle_t *handle) {
    struct link *link = handle->data;
    link->tcp_open = false;
    link_free_if_done(link);
}

static void tcp_close(struct link *link) {
    if (link->tcp_open && !uv_is_closing((uv_handle_t *)&link->tcp)) {
        uv_close((uv_handle_t *)&link->tcp, on_closed);
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
    char *room = buf_reserve(&link->input, READ_BYTES);
    *ret_room = room == NULL ? uv_buf_init(NULL, 0) : uv_buf_init(room, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room) {
    (void)room;
    struct link *link = stream->data;
    if (link->closed || size == 0) return;
    if (size > 0) {
        link->input.size += (size_t)size;
        link->events.received(link->events.context);
        return;
    }
    struct hob_error why;
    (void)uv_read_stop(stream);
    const char *text = size == UV_EOF ? "it was closed" : uv_strerror((int)size);
    (void)fail(&why, HOB_UNREACHABLE, "the connection to %s is lost: %s", link->address.text, text);
    link_end(link, &why);
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

static void on_connect(uv_connect_t *request, int code) {
    struct link *link = request->data;
    if (link->closed || code == UV_ECANCELED) return;
    if (code != 0 && link->next != NULL) {
        uv_close((uv_handle_t *)&link->tcp, on_closed_retry);
        return;
    }
    if (code == 0) code = uv_read_start((uv_stream_t *)&link->tcp, on_allocate, on_read);
    if (code != 0) {
        connect_failed(link, code);
        return;
    }
    (void)uv_tcp_nodelay(&link->tcp, 1);
    link->events.connected(link->events.context);
}

static void connect_next(struct link *link) {
    const struct addrinfo *address = link->next;
    link->next = address->ai_next;
    int code = uv_tcp_init(link->loop, &link->tcp);
    hob_assert(code == 0);
    link->tcp.data = link;
    link->tcp_open = true;
    link->connect.data = link;
    code = uv_tcp_connect(&link->connect, &link->tcp, address->ai_addr, on_connect);
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

struct link *
link_open(uv_loop_t *loop, const struct address *address, const struct link_events *events) {
    struct mem mem = {0};
    struct link *link = mem_zero_alloc(&mem, sizeof *link);
    link->mem = mem;
    link->loop = loop;
    link->events = *events;
    link->address = *address;
    link->input = buf_make(INPUT_BYTES_MAX);
    link->output = buf_make(OUTPUT_BYTES_MAX);
    link->sending = buf_make(OUTPUT_BYTES_MAX);
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

void link_send(struct link *link) {
    if (link->writing || link->closed || link->output.size == 0) return;
    hob_assert(!link->output.overflowed);
    struct buf filled = link->output;
    link->output = link->sending;
    link->sending = filled;
    uv_buf_t bytes = uv_buf_init(filled.bytes, (unsigned)filled.size);
    link->write.data = link;
    link->writing = true;
    int code = uv_write(&link->write, (uv_stream_t *)&link->tcp, &bytes, 1, on_written);
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
