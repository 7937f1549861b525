/* SPDX-License-Identifier: Apache-2.0 */
/* The handler of lines, and clients that turn the loop while they wait for it. */
#include "net/rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "base/test.h"
#include "base/text.h"

static void *on_opened(void *context, struct conn *conn) {
    struct rig *rig = context;
    (void)conn;
    if (rig->refuse_all) return NULL;
    rig->opened++;
    return rig;
}
static enum net_next serve_line(struct rig *rig, struct conn *conn, struct slice line) {
    rig->lines++;
    struct buf *out = conn_out(conn);
    uint64_t kilobytes = 0;
    switch (line.size == 0 ? '\0' : line.bytes[0]) {
    case '!':
        rig->waiting = conn;
        return NET_WAIT;
    case '.':
        (void)buf_put_str(out, "bye\n");
        return NET_CLOSE;
    case '?':
        rig->yielded = true;
        return NET_YIELD;
    case '=':
        CHECK(text_u64(slice_of(line.bytes + 1, line.size - 1), 1, 1 << 16, &kilobytes));
        size_t size = (size_t)kilobytes * KILO;
        char *to = buf_reserve(out, size);
        hob_assert(to != NULL);
        memset(to, 'x', size);
        out->size += size;
        return NET_READ;
    default:
        (void)buf_put_slice(out, line);
        (void)buf_put_char(out, '\n');
        return NET_READ;
    }
}
static enum net_next
on_input(void *context, struct conn *conn, struct slice input, size_t *ret_used) {
    struct rig *rig = context;
    size_t used = 0;
    enum net_next next = NET_READ;
    while (next == NET_READ && used < input.size) {
        const char *begin = input.bytes + used;
        const char *end = memchr(begin, '\n', input.size - used);
        if (end == NULL) break;
        next = serve_line(rig, conn, slice_of(begin, (size_t)(end - begin)));
        used += (size_t)(end - begin) + 1;
    }
    *ret_used = used;
    return next;
}
static void on_late(void *context, struct conn *conn) {
    (void)context;
    (void)buf_put_str(conn_out(conn), "late\n");
}
static void on_closed(void *context, struct conn *conn) {
    struct rig *rig = context;
    rig->closed++;
    if (rig->waiting == conn) rig->waiting = NULL;
}
static void on_turn_begin(void *context) {
    struct rig *rig = context;
    rig->turns++;
}
static uint64_t on_turn_end(void *context) {
    struct rig *rig = context;
    return ++rig->seq;
}
static uint64_t on_durable(void *context) {
    struct rig *rig = context;
    if (rig->follow) rig->durable = rig->seq;
    return rig->durable;
}
void rig_init(struct rig *rig, struct net_options options) {
    *rig = (struct rig){.follow = true};
    options.handler = (struct net_handler){
        .context = rig,
        .opened = on_opened,
        .input = on_input,
        .late = on_late,
        .closed = on_closed,
        .turn_begin = on_turn_begin,
        .turn_end = on_turn_end,
        .durable = on_durable,
    };
    struct hob_error err = {0};
    CHECK_EQUAL(net_new(&options, &rig->net, &err), HOB_OK);
    char address[NET_ADDRESS_BYTES_MAX];
    CHECK_EQUAL(net_listen(rig->net, "127.0.0.1:0", address, &err), HOB_OK);
    uint64_t port = 0;
    CHECK(text_u64(slice_str(strrchr(address, ':') + 1), 1, UINT16_MAX, &port));
    rig->port = (uint16_t)port;
}
void rig_deinit(struct rig *rig) {
    net_free(rig->net);
    CHECK_EQUAL(rig->opened, rig->closed);
}
void turn_loop(struct rig *rig) {
    (void)uv_run(net_loop(rig->net), UV_RUN_NOWAIT);
} /* --- the client's side --- */
int client_open(struct rig *rig) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(rig->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    CHECK_EQUAL(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}
void client_send(int fd, const char *text) {
    CHECK_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}
void client_read(struct rig *rig, int fd, char *to, size_t size) {
    size_t got = 0;
    for (int round = 0; round < ROUNDS_MAX && got < size; round++) {
        turn_loop(rig);
        ssize_t read = recv(fd, to + got, size - got, MSG_DONTWAIT);
        if (read > 0) got += (size_t)read;
    }
    CHECK_EQUAL(got, size);
}
void client_expect(struct rig *rig, int fd, const char *wanted) {
    char got[256] = {0};
    CHECK(strlen(wanted) < sizeof got);
    client_read(rig, fd, got, strlen(wanted));
    CHECK_STR(got, wanted);
}
bool has_nothing(struct rig *rig, int fd) {
    for (int round = 0; round < 100; round++) turn_loop(rig);
    char byte = 0;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}
void client_expect_end(struct rig *rig, int fd) {
    for (int round = 0; round < ROUNDS_MAX; round++) {
        turn_loop(rig);
        char byte = 0;
        ssize_t read = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (read == 0 || (read == -1 && errno == ECONNRESET)) return;
    }
    fail_msg("the connection stays open");
}
void until_lines(struct rig *rig, uint32_t lines) {
    for (int round = 0; round < ROUNDS_MAX && rig->lines < lines; round++) turn_loop(rig);
    CHECK_EQUAL(rig->lines, lines);
}
void until_closed(struct rig *rig, uint32_t closed) {
    for (int round = 0; round < ROUNDS_MAX && rig->closed < closed; round++) turn_loop(rig);
    CHECK_EQUAL(rig->closed, closed);
}
