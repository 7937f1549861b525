/* SPDX-License-Identifier: Apache-2.0 */
/* Turns, output commit, flow control and the ends of connections, over real sockets. */
#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/test.h"
#include "net/rig.h"

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

TEST(what_is_held_back_delays_nobody_else_and_not_the_end) {
    struct rig rig;
    rig_init(&rig, (struct net_options){0});
    int fd = client_open(&rig);
    int other = client_open(&rig);
    client_send(fd, "!\n");
    until_lines(&rig, 1);
    net_turn(rig.net);
    conn_hold(rig.waiting, 60000);
    (void)buf_put_str(conn_out(rig.waiting), "late\n");
    conn_wrote(rig.waiting);
    CHECK(has_nothing(&rig, fd));
    client_send(other, "now\n");
    client_expect(&rig, other, "now\n");
    CHECK(has_nothing(&rig, fd));
    net_end(rig.net);
    client_expect(&rig, fd, "late\n");
    client_expect_end(&rig, fd);
    (void)close(fd);
    (void)close(other);
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
    what_is_held_back_delays_nobody_else_and_not_the_end,
    a_port_that_is_taken_is_refused_with_its_address,
    addresses_are_told_apart
)
