/* SPDX-License-Identifier: Apache-2.0 */
/* The signals are blocked but in the pause itself, so none can come between asking and waiting. */
#include "cli/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t stopped;
static volatile sig_atomic_t resized;

static void on_stop(int number) {
    (void)number;
    stopped = 1;
}

static void on_resize(int number) {
    (void)number;
    resized = 1;
}

void interrupt_begin(void) {
    struct sigaction stop = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    struct sigaction resize = {.sa_handler = on_resize};
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGTERM, &stop, NULL);
    (void)sigaction(SIGWINCH, &resize, NULL);
}

bool interrupt_came(void) {
    return stopped != 0;
}

bool interrupt_resized(void) {
    bool was = resized != 0;
    resized = 0;
    return was;
}

/* Wait for @ready (may be NULL), the time (NULL: none) or a signal of ours. */
static void await(struct pollfd *ready, const struct timespec *time) {
    sigset_t ours;
    sigset_t before;
    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGINT);
    (void)sigaddset(&ours, SIGTERM);
    (void)sigaddset(&ours, SIGWINCH);
    if (pthread_sigmask(SIG_BLOCK, &ours, &before) != 0) return;
    if (stopped == 0) (void)ppoll(ready, ready == NULL ? 0 : 1, time, &before);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void interrupt_pause(hob_ns span) {
    const struct timespec time = {
        .tv_sec = (time_t)(span / NS_PER_SECOND), .tv_nsec = (long)(span % NS_PER_SECOND)};
    if (resized == 0) await(NULL, &time);
}

bool interrupt_await_input(int fd) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (stopped == 0 && ready.revents == 0) await(&ready, NULL);
    return stopped == 0;
}
