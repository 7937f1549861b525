/* SPDX-License-Identifier: Apache-2.0 */
/* The loop with real sockets on the loopback, and a handler that speaks lines:
 *
 *     text    the line comes back          !   it waits for a resume
 *     =N      N kilobytes come back        ?   it yields once
 *     .       the connection closes
 *
 * What is durable is what the test says. Nothing sleeps: the loop is turned until what is expected
 * has happened, or so often that it never will. */
#include "net/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/test.h"
#include "base/text.h"

enum { ROUNDS_MAX = 200000, KILO = 1024 };

struct rig {
    struct net *net;
    uint16_t port;
    uint64_t seq;     /* of the turn that ended last */
    uint64_t durable; /* what durable() says */
    bool follow;      /* durable() is always all */
    uint32_t turns;
    uint32_t lines;
    uint32_t opened;
    uint32_t closed;
    bool refuse_all;
    bool yielded;
    struct conn *waiting;
};

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

static void rig_init(struct rig *rig, struct net_options options) {
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

static void rig_deinit(struct rig *rig) {
    net_free(rig->net);
    CHECK_EQUAL(rig->opened, rig->closed);
}

static void turn_loop(struct rig *rig) {
    (void)uv_run(net_loop(rig->net), UV_RUN_NOWAIT);
}

/* --- the client's side --- */

static int client_open(struct rig *rig) {
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

static void client_send(int fd, const char *text) {
    CHECK_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Turn the loop until @size bytes have come. */
static void client_read(struct rig *rig, int fd, char *to, size_t size) {
    size_t got = 0;
    for (int round = 0; round < ROUNDS_MAX && got < size; round++) {
        turn_loop(rig);
        ssize_t read = recv(fd, to + got, size - got, MSG_DONTWAIT);
        if (read > 0) got += (size_t)read;
    }
    CHECK_EQUAL(got, size);
}

static void client_expect(struct rig *rig, int fd, const char *wanted) {
    char got[256] = {0};
    CHECK(strlen(wanted) < sizeof got);
    client_read(rig, fd, got, strlen(wanted));
    CHECK_STR(got, wanted);
}

static bool has_nothing(struct rig *rig, int fd) {
    for (int round = 0; round < 100; round++) turn_loop(rig);
    char byte = 0;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

/* Turn the loop until the server has closed. */
static void client_expect_end(struct rig *rig, int fd) {
    for (int round = 0; round < ROUNDS_MAX; round++) {
        turn_loop(rig);
        char byte = 0;
        ssize_t read = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (read == 0 || (read == -1 && errno == ECONNRESET)) return;
    }
    fail_msg("the connection stays open");
}

static void until_lines(struct rig *rig, uint32_t lines) {
    for (int round = 0; round < ROUNDS_MAX && rig->lines < lines; round++) turn_loop(rig);
    CHECK_EQUAL(rig->lines, lines);
}

static void until_closed(struct rig *rig, uint32_t closed) {
    for (int round = 0; round < ROUNDS_MAX && rig->closed < closed; round++) turn_loop(rig);
    CHECK_EQUAL(rig->closed, closed);
}

/* --- tests --- */

TEST(a_line_comes_back_whole_or_in_pieces) {
    struct rig rig;
    rig_init(&rig, (struct net_options){0});
    int fd = client_open(&rig);
    client_send(fd, "one\ntwo\nthr");
    client_expect(&rig, fd, "one\ntwo\n");
    client_send(fd, "ee\n");
    client_expect(&rig, fd, "three\n");
    (void)close(fd);
    until_closed(&rig, 1);
    rig_deinit(&rig);
}

TEST(output_is_held_until_its_turn_is_durable) {
    struct rig rig;
    rig_init(&rig, (struct net_options){0});
    rig.follow = false;
    int fd = client_open(&rig);
    client_send(fd, "one\n");
    until_lines(&rig, 1);
    CHECK(has_nothing(&rig, fd));
    uint64_t first = rig.seq;
    client_send(fd, "two\n");
    until_lines(&rig, 2);
    rig.durable = first;
    client_expect(&rig, fd, "one\n");
    CHECK(has_nothing(&rig, fd));
    rig.durable = rig.seq;
    client_expect(&rig, fd, "two\n");
    (void)close(fd);
    rig_deinit(&rig);
}

TEST(all_that_is_ready_is_served_in_one_turn) {
    struct rig rig;
    enum { CLIENTS = 20 };
    rig_init(&rig, (struct net_options){0});
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_open(&rig);
        client_send(fds[i], "hello\n");
        client_expect(&rig, fds[i], "hello\n");
    }
    for (int i = 0; i < CLIENTS; i++) client_send(fds[i], "again\n");
    uint32_t turns = rig.turns;
    for (int i = 0; i < CLIENTS; i++) client_expect(&rig, fds[i], "again\n");
    CHECK_EQUAL(rig.turns, turns + 1);
    for (int i = 0; i < CLIENTS; i++) (void)close(fds[i]);
    rig_deinit(&rig);
}

TEST(what_stands_behind_a_waiting_request_is_served_after_it) {
    struct rig rig;
    rig_init(&rig, (struct net_options){0});
    int fd = client_open(&rig);
    client_send(fd, "one\n!\ntwo\n");
    client_expect(&rig, fd, "one\n");
    CHECK(has_nothing(&rig, fd));
    CHECK(rig.waiting != NULL);
    net_turn(rig.net);
    (void)buf_put_str(conn_out(rig.waiting), "waited\n");
    conn_wrote(rig.waiting);
    conn_resume(rig.waiting);
    client_expect(&rig, fd, "waited\ntwo\n");
    (void)close(fd);
    rig_deinit(&rig);
}

TEST(a_client_that_goes_away_while_it_waits_is_noticed) {
    struct rig rig;
    rig_init(&rig, (struct net_options){0});
    int fd = client_open(&rig);
    client_send(fd, "!\nmore\n");
    until_lines(&rig, 1);
    (void)close(fd);
    until_closed(&rig, 1);
    CHECK_EQUAL(rig.lines, 1);
    rig_deinit(&rig);
}

TEST(output_larger_than_the_socket_takes_leaves_piece_by_piece) {
    struct rig rig;
    enum { KILOBYTES = 20000 };
    rig_init(&rig, (struct net_options){0});
    int fd = client_open(&rig);
    client_send(fd, "=20000\nend\n");
    until_lines(&rig, 2);
    char *got = malloc(KILOBYTES * KILO);
    hob_assert(got != NULL);
    client_read(&rig, fd, got, KILOBYTES * KILO);
    for (size_t i = 0; i < KILOBYTES * KILO; i++) CHECK(got[i] == 'x');
    free(got);
    client_expect(&rig, fd, "end\n");
    (void)close(fd);
    rig_deinit(&rig);
}

TEST(who_yields_is_served_again_when_there_is_progress) {
    struct rig rig;
    rig_init(&rig, (struct net_options){0});
    rig.follow = false;
    int fd = client_open(&rig);
    client_send(fd, "one\n?\ntwo\n");
    until_lines(&rig, 2);
    CHECK(has_nothing(&rig, fd));
    CHECK_EQUAL(rig.lines, 2);
    rig.follow = true;
    client_expect(&rig, fd, "one\ntwo\n");
    (void)close(fd);
    rig_deinit(&rig);
}

TEST(a_client_that_shuts_its_side_still_gets_its_replies) {
    struct rig rig;
    rig_init(&rig, (struct net_options){0});
    rig.follow = false;
    int fd = client_open(&rig);
    client_send(fd, "one\n?\ntwo\n");
    CHECK_EQUAL(shutdown(fd, SHUT_WR), 0);
    until_lines(&rig, 2);
    rig.follow = true;
    client_expect(&rig, fd, "one\ntwo\n");
    client_expect_end(&rig, fd);
    (void)close(fd);
    rig_deinit(&rig);
}

TEST(the_last_reply_leaves_before_the_connection_closes) {
    struct rig rig;
    rig_init(&rig, (struct net_options){0});
    int fd = client_open(&rig);
    client_send(fd, "one\n.\nunheard\n");
    client_expect(&rig, fd, "one\nbye\n");
    client_expect_end(&rig, fd);
    CHECK_EQUAL(rig.lines, 2);
    (void)close(fd);
    rig_deinit(&rig);
}

TEST(one_connection_too_many_is_closed) {
    struct rig rig;
    rig_init(&rig, (struct net_options){.connections_max = 1});
    int first = client_open(&rig);
    client_send(first, "one\n");
    client_expect(&rig, first, "one\n");
    int second = client_open(&rig);
    client_expect_end(&rig, second);
    client_send(first, "two\n");
    client_expect(&rig, first, "two\n");
    (void)close(first);
    (void)close(second);
    rig_deinit(&rig);
}

TEST(an_end_lets_output_leave_and_takes_no_more_input) {
    struct rig rig;
    rig_init(&rig, (struct net_options){0});
    rig.follow = false;
    int fd = client_open(&rig);
    client_send(fd, "one\n");
    until_lines(&rig, 1);
    net_end(rig.net);
    client_send(fd, "two\n");
    CHECK(has_nothing(&rig, fd));
    rig.follow = true;
    client_expect(&rig, fd, "one\n");
    client_expect_end(&rig, fd);
    CHECK_EQUAL(rig.lines, 1);
    (void)close(fd);
    rig_deinit(&rig);
}

TEST(a_port_that_is_taken_is_refused_with_its_address) {
    struct rig rig;
    rig_init(&rig, (struct net_options){0});
    char taken[64];
    (void)snprintf(taken, sizeof taken, "127.0.0.1:%u", rig.port);
    char address[NET_ADDRESS_BYTES_MAX];
    struct hob_error err = {0};
    CHECK_EQUAL(net_listen(rig.net, taken, address, &err), HOB_FAILED);
    CHECK(strstr(err.text, taken) == err.text);
    CHECK(strstr(err.text, "in use") != NULL);
    rig_deinit(&rig);
}

TEST(addresses_are_told_apart) {
    bool local = false;
    CHECK_EQUAL(net_address_is_local("127.0.0.1:4620", &local, NULL), HOB_OK);
    CHECK(local);
    CHECK_EQUAL(net_address_is_local("[::1]:0", &local, NULL), HOB_OK);
    CHECK(local);
    CHECK_EQUAL(net_address_is_local("unix:/tmp/x", &local, NULL), HOB_OK);
    CHECK(local);
    CHECK_EQUAL(net_address_is_local("0.0.0.0:4620", &local, NULL), HOB_OK);
    CHECK(!local);
    CHECK_EQUAL(net_address_is_local("[::]:4620", &local, NULL), HOB_OK);
    CHECK(!local);
    CHECK_EQUAL(net_address_is_local("127.0.0.1", &local, NULL), HOB_CONFIG);
    CHECK_EQUAL(net_address_is_local("::1:80", &local, NULL), HOB_CONFIG);
    CHECK_EQUAL(net_address_is_local("127.0.0.1:70000", &local, NULL), HOB_CONFIG);
}

TESTS(
    a_line_comes_back_whole_or_in_pieces,
    output_is_held_until_its_turn_is_durable,
    all_that_is_ready_is_served_in_one_turn,
    what_stands_behind_a_waiting_request_is_served_after_it,
    a_client_that_goes_away_while_it_waits_is_noticed,
    output_larger_than_the_socket_takes_leaves_piece_by_piece,
    who_yields_is_served_again_when_there_is_progress,
    a_client_that_shuts_its_side_still_gets_its_replies,
    the_last_reply_leaves_before_the_connection_closes,
    one_connection_too_many_is_closed,
    an_end_lets_output_leave_and_takes_no_more_input,
    a_port_that_is_taken_is_refused_with_its_address,
    addresses_are_told_apart
)
