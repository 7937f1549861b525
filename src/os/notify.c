/* SPDX-License-Identifier: Apache-2.0 */
/* One datagram a message to the Unix socket that NOTIFY_SOCKET names; an `@` in front stands for
 * the zero byte of an abstract address. A message that cannot be sent is dropped: the service
 * manager has its own timeouts, and no job depends on it. */
#include "os/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void tell(const char *message) {
    const char *path = getenv("NOTIFY_SOCKET"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@')) return;
    size_t size = strlen(path);
    if (size < 2 || size >= sizeof to.sun_path) return;
    memcpy(to.sun_path, path, size);
    if (path[0] == '@') to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    socklen_t to_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    (void)sendto(fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&to, to_size);
    (void)close(fd);
}

void notify_ready(const char *text) {
    char message[200];
    (void)snprintf(message, sizeof message, "READY=1\nSTATUS=%s", text);
    tell(message);
}

void notify_reloading(hob_ns monotonic_ns) {
    char message[100];
    unsigned long long us = monotonic_ns / 1000;
    (void)snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%llu", us);
    tell(message);
}

void notify_stopping(void) {
    tell("STOPPING=1");
}
