/* SPDX-License-Identifier: Apache-2.0 */
/* A session against a server of a few lines on a thread of its own: for each request it sends the
 * next of its replies, and hangs up after the last. */
#include "client/session.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "wire/resp.h"

#define GREETING "%2\r\n+server\r\n+hob\r\n+proto\r\n:3\r\n"

struct fake {
    int listener;
    pthread_t thread;
    const char *const *replies; /* NULL at the end */
    size_t requests;
    char address[32];
};

static bool request_read(int fd, struct buf *input, struct resp_parser *parser, size_t *consume) {
    struct resp_request request;
    buf_consume(input, *consume);
    *consume = 0;
    while (input->size == 0 || resp_parse(parser, buf_slice(input), &request) == RESP_NEED_MORE) {
        char bytes[4096];
        ssize_t size = read(fd, bytes, sizeof bytes);
        if (size <= 0) return false;
        (void)buf_put(input, bytes, (size_t)size);
    }
    *consume = request.size_bytes;
    return true;
}

static void *fake_main(void *context) {
    struct fake *fake = context;
    int fd = accept(fake->listener, NULL, NULL);
    struct mem mem = {0};
    struct resp_parser parser;
    resp_parser_init(&parser, &mem, RESP_LIMITS_DEFAULT);
    struct buf input = buf_make(1 << 20);
    size_t consume = 0;
    for (size_t i = 0; fake->replies[i] != NULL; i++) {
        if (!request_read(fd, &input, &parser, &consume)) break;
        fake->requests++;
        const char *reply = fake->replies[i];
        if (write(fd, reply, strlen(reply)) < 0) break;
    }
    resp_parser_deinit(&parser);
    buf_deinit(&input);
    (void)close(fd);
    return NULL;
}

static int port_bind(char *ret_address, size_t size) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK(bind(fd, (struct sockaddr *)&place, sizeof place) == 0);
    socklen_t place_size = sizeof place;
    CHECK(getsockname(fd, (struct sockaddr *)&place, &place_size) == 0);
    (void)snprintf(ret_address, size, "127.0.0.1:%u", ntohs(place.sin_port));
    return fd;
}

static void fake_start(struct fake *fake, const char *const *replies) {
    *fake = (struct fake){.replies = replies};
    fake->listener = port_bind(fake->address, sizeof fake->address);
    CHECK(listen(fake->listener, 1) == 0);
    CHECK(pthread_create(&fake->thread, NULL, fake_main, fake) == 0);
}

static void fake_join(struct fake *fake) {
    CHECK(pthread_join(fake->thread, NULL) == 0);
    (void)close(fake->listener);
}

static const struct slice ask[] = {{"GET", 3}, {"1", 1}};

TEST(a_call_gives_its_reply_and_keeps_it) {
    static const char *const replies[] = {
        GREETING, "%1\r\n+state\r\n+running\r\n", ">1\r\n+news\r\n:7\r\n", NULL};
    struct fake fake;
    struct session *session = NULL;
    const struct resp_node *reply = NULL;
    fake_start(&fake, replies);
    CHECK(session_open(fake.address, &session, NULL) == HOB_OK);
    CHECK(session_call(session, ask, 2, 0, &reply, NULL) == HOB_OK);
    CHECK(slice_equal(reply_text(reply, "state"), SLICE("running")));
    CHECK(session_call(session, ask, 2, 0, &reply, NULL) == HOB_OK);
    CHECK_EQUAL(reply->integer, 7); /* the push before it is no reply */
    session_close(session);
    fake_join(&fake);
    CHECK_EQUAL(fake.requests, 3);
}

TEST(an_error_of_the_server_is_a_failure_with_its_text) {
    static const char *const replies[] = {GREETING, "-NOJOB there is no such job\r\n", NULL};
    struct fake fake;
    struct session *session = NULL;
    struct hob_error err = {0};
    fake_start(&fake, replies);
    CHECK(session_open(fake.address, &session, &err) == HOB_OK);
    CHECK(session_call(session, ask, 2, 0, NULL, &err) == HOB_NOT_FOUND);
    CHECK_STR(err.text, "NOJOB there is no such job");
    session_close(session);
    fake_join(&fake);
}

static void reply_count(void *context, const struct resp_node *node, struct slice raw) {
    int64_t *seen = context;
    CHECK(node == NULL || raw.size > 0);
    if (node == NULL) {
        seen[1]++;
    } else {
        CHECK(node->integer == seen[0]); /* in order */
        seen[0]++;
    }
}

TEST(many_requests_may_be_open_and_the_lost_ones_are_told) {
    static const char *const replies[] = {GREETING, ":0\r\n", ":1\r\n", ":2\r\n", NULL};
    struct fake fake;
    struct session *session = NULL;
    struct hob_error err = {0};
    int64_t seen[2] = {0};
    fake_start(&fake, replies);
    CHECK(session_open(fake.address, &session, &err) == HOB_OK);
    for (int i = 0; i < 40; i++) session_send(session, ask, 2, reply_count, seen);
    CHECK(session_drain(session, 0, 0, &err) == HOB_UNREACHABLE);
    CHECK_EQUAL(seen[0], 3);
    CHECK_EQUAL(seen[1], 37);
    CHECK(session_call(session, ask, 2, 0, NULL, &err) == HOB_UNREACHABLE);
    session_close(session);
    fake_join(&fake);
}

TEST(where_nobody_listens_the_error_says_what_to_do) {
    char address[32];
    char wanted[128];
    struct hob_error err = {0};
    struct session *session = NULL;
    int fd = port_bind(address, sizeof address);
    CHECK(session_open(address, &session, &err) == HOB_UNREACHABLE);
    (void)snprintf(
        wanted,
        sizeof wanted,
        "no server at %s (connection refused). Start one: hob serve --data DIR",
        address
    );
    CHECK_STR(err.text, wanted);
    (void)close(fd);
    CHECK(session_open("no address", &session, &err) == HOB_USAGE);
}

TEST(another_server_is_no_hob) {
    static const char *const redis[] = {"%1\r\n+server\r\n+redis\r\n", NULL};
    static const char *const old[] = {"-ERR unknown command\r\n", NULL};
    static const char *const http[] = {"HTTP/1.1 400 Bad Request\r\n\r\n", NULL};
    static const char *const *const all[] = {redis, old, http};
    static const char *const said[] = {"`redis`", "`ERR unknown command`", "does not answer as"};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct fake fake;
        struct session *session = NULL;
        struct hob_error err = {0};
        fake_start(&fake, all[i]);
        CHECK(session_open(fake.address, &session, &err) == HOB_UNREACHABLE);
        if (strstr(err.text, said[i]) == NULL) CHECK_STR(err.text, said[i]);
        fake_join(&fake);
    }
}

TESTS(
    a_call_gives_its_reply_and_keeps_it,
    an_error_of_the_server_is_a_failure_with_its_text,
    many_requests_may_be_open_and_the_lost_ones_are_told,
    where_nobody_listens_the_error_says_what_to_do,
    another_server_is_no_hob
)
