/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and listeners. "HOST:PORT" and "[IPV6]:PORT" are TCP, "unix:PATH" is a socket in the
 * file system. A name is looked up once, and its first address is taken. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/assert.h"
#include "base/text.h"
#include "net/private.h"

enum { BACKLOG = 1024, HOST_BYTES_MAX = 108, UNIX_PREFIX = 5 };

struct address {
    bool is_pipe;
    char path[HOST_BYTES_MAX];
    char host[HOST_BYTES_MAX];
    struct sockaddr_storage socket;
};

static bool copy(struct slice from, char to[HOST_BYTES_MAX]) {
    if (from.size == 0 || from.size >= HOST_BYTES_MAX) return false;
    memcpy(to, from.bytes, from.size);
    to[from.size] = '\0';
    return true;
}

/* Cut at the last colon; an IPv6 host stands in brackets. */
static bool split(const char *text, char host[HOST_BYTES_MAX], uint16_t *port) {
    const char *colon = strrchr(text, ':');
    if (colon == NULL) return false;
    uint64_t number = 0;
    if (!text_u64(slice_str(colon + 1), 0, UINT16_MAX, &number)) return false;
    *port = (uint16_t)number;
    struct slice name = slice_of(text, (size_t)(colon - text));
    if (name.size > 2 && name.bytes[0] == '[' && name.bytes[name.size - 1] == ']') {
        name = slice_of(name.bytes + 1, name.size - 2);
    } else if (name.size > 0 && memchr(name.bytes, ':', name.size) != NULL) {
        return false;
    }
    return copy(name, host);
}

static bool lookup(const char *host, uint16_t port, struct sockaddr_storage *ret_socket) {
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)ret_socket) == 0) return true;
    if (uv_ip6_addr(host, port, (struct sockaddr_in6 *)ret_socket) == 0) return true;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, NULL, &hints, &found) != 0) return false;
    memcpy(ret_socket, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (ret_socket->ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)ret_socket)->sin6_port = htons(port);
    } else {
        ((struct sockaddr_in *)ret_socket)->sin_port = htons(port);
    }
    return true;
}

static enum hob_status parse(const char *text, struct address *ret_address, struct hob_error *err) {
    struct address address = {0};
    if (strncmp(text, "unix:", UNIX_PREFIX) == 0) {
        address.is_pipe = true;
        if (!copy(slice_str(text + UNIX_PREFIX), address.path)) {
            return fail(err, HOB_CONFIG, "%s: a path of 1 to 107 bytes must follow unix:", text);
        }
        *ret_address = address;
        return HOB_OK;
    }
    uint16_t port = 0;
    if (!split(text, address.host, &port)) {
        return fail(
            err,
            HOB_CONFIG,
            "%s is not an address: it is HOST:PORT, [IPV6]:PORT or unix:PATH, as 127.0.0.1:4620",
            text
        );
    }
    if (!lookup(address.host, port, &address.socket)) {
        return fail(err, HOB_CONFIG, "%s: there is no host %s", text, address.host);
    }
    *ret_address = address;
    return HOB_OK;
}

enum hob_status net_address_is_local(const char *text, bool *ret_local, struct hob_error *err) {
    struct address address = {0};
    enum hob_status status = parse(text, &address, err);
    if (status != HOB_OK) return status;
    if (address.is_pipe) {
        *ret_local = true;
    } else if (address.socket.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address.socket;
        *ret_local = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&address.socket;
        *ret_local = ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    return HOB_OK;
}

static void on_connection(uv_stream_t *stream, int status) {
    if (status == 0) conn_accept(stream->data);
}

static int start(struct listener *listener, const struct address *address) {
    uv_loop_t *loop = &listener->net->loop;
    int failed = 0;
    if (address->is_pipe) {
        (void)uv_pipe_init(loop, &listener->uv.pipe, 0);
        failed = uv_pipe_bind(&listener->uv.pipe, address->path);
        /* Who may write there is let in: owner and group. */
        if (failed == 0 && chmod(address->path, 0660) != 0) failed = -errno;
    } else {
        (void)uv_tcp_init(loop, &listener->uv.tcp);
        const struct sockaddr *socket = (const struct sockaddr *)&address->socket;
        failed = uv_tcp_bind(&listener->uv.tcp, socket, 0);
    }
    listener->uv.handle.data = listener;
    if (failed == 0) failed = uv_listen(&listener->uv.stream, BACKLOG, on_connection);
    return failed;
}

/* With the port that was really taken. */
static void print(
    const struct listener *listener, const struct address *address, char to[NET_ADDRESS_BYTES_MAX]
) {
    if (address->is_pipe) {
        (void)snprintf(to, NET_ADDRESS_BYTES_MAX, "unix:%s", address->path);
        return;
    }
    struct sockaddr_storage socket = {0};
    int size = sizeof socket;
    int failed = uv_tcp_getsockname(&listener->uv.tcp, (struct sockaddr *)&socket, &size);
    hob_assert(failed == 0);
    char host[HOST_BYTES_MAX] = {0};
    if (socket.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&socket;
        (void)uv_ip6_name(in6, host, sizeof host);
        (void)snprintf(to, NET_ADDRESS_BYTES_MAX, "[%s]:%u", host, ntohs(in6->sin6_port));
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&socket;
        (void)uv_ip4_name(in, host, sizeof host);
        (void)snprintf(to, NET_ADDRESS_BYTES_MAX, "%s:%u", host, ntohs(in->sin_port));
    }
}

static enum hob_status refused(const char *text, int failed, struct hob_error *err) {
    if (failed == UV_EADDRINUSE) {
        return fail(
            err,
            HOB_FAILED,
            "%s is in use by another process, perhaps another hob: stop it, or choose another "
            "address with --listen",
            text
        );
    }
    return fail(err, HOB_FAILED, "cannot listen on %s: %s", text, uv_strerror(failed));
}

enum hob_status net_listen(
    struct net *net,
    const char *text,
    char ret_address[NET_ADDRESS_BYTES_MAX],
    struct hob_error *err
) {
    struct address address = {0};
    enum hob_status status = parse(text, &address, err);
    if (status != HOB_OK) return status;
    if (net->listener_count == LISTENERS_MAX) {
        return fail(
            err, HOB_CONFIG, "%s: at most %d addresses can be listened on", text, LISTENERS_MAX
        );
    }
    struct listener *listener = &net->listeners[net->listener_count++];
    listener->net = net;
    listener->is_pipe = address.is_pipe;
    listener->has_tls = net->tls != NULL && !address.is_pipe;
    int failed = start(listener, &address);
    if (failed != 0) return refused(text, failed, err);
    print(listener, &address, ret_address);
    return HOB_OK;
}
