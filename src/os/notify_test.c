/* SPDX-License-Identifier: Apache-2.0 */
#include "os/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/test.h"

/* Set NOTIFY_SOCKET, or with NULL unset it. No other thread runs in this test. */
static void point_at(const char *socket) {
    int rc = 0;
    if (socket == NULL) {
        rc = unsetenv("NOTIFY_SOCKET"); /* NOLINT(concurrency-mt-unsafe) */
    } else {
        rc = setenv("NOTIFY_SOCKET", socket, 1); /* NOLINT(concurrency-mt-unsafe) */
    }
    CHECK(rc == 0);
}

/* The next message at the socket, which must be there. */
static void check_told(int fd, const char *wanted) {
    char bytes[300] = {0};
    ssize_t size = recv(fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);
    CHECK(size > 0);
    CHECK_STR(bytes, wanted);
}

static void check_all(const char *variable, const struct sockaddr_un *address, socklen_t size) {
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK(bind(fd, (const struct sockaddr *)address, size) == 0);
    point_at(variable);
    notify_ready("serving");
    check_told(fd, "READY=1\nSTATUS=serving");
    notify_reloading(1234567 * NS_PER_MS);
    check_told(fd, "RELOADING=1\nMONOTONIC_USEC=1234567000");
    notify_stopping();
    check_told(fd, "STOPPING=1");
    point_at(NULL);
    notify_stopping();
    char byte = 0;
    CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) < 0);
    CHECK(close(fd) == 0);
}

TEST(a_socket_in_the_file_system_is_told) {
    char folder[] = "/tmp/hob-notify-XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
    check_all(address.sun_path, &address, sizeof address);
    CHECK(unlink(address.sun_path) == 0);
    CHECK(rmdir(folder) == 0);
}

TEST(an_abstract_socket_is_told) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char variable[60];
    (void)snprintf(variable, sizeof variable, "@hob-notify-%d", (int)getpid());
    memcpy(address.sun_path, variable, strlen(variable));
    address.sun_path[0] = '\0';
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(variable));
    check_all(variable, &address, size);
}

TEST(a_socket_that_is_not_there_does_no_harm) {
    point_at("/nonexistent/socket");
    notify_ready("serving");
    point_at("relative");
    notify_ready("serving");
}

TESTS(
    a_socket_in_the_file_system_is_told,
    an_abstract_socket_is_told,
    a_socket_that_is_not_there_does_no_harm
)
