/* SPDX-License-Identifier: Apache-2.0 */
/* A library that is put before the C library (LD_PRELOAD) and makes a program leak, so that it can
 * be shown that a soak finds it:
 *
 *     LEAK_MEMORY=N        each Nth free frees nothing
 *     LEAK_DESCRIPTOR=N    each Nth connection that is taken has a second descriptor, never closed
 *     LEAK_TIME=N          s seconds after the start an fdatasync takes N s^2 ns longer
 *
 * free() is glibc's own by its other name: dlsym() would allocate to find it. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

extern void __libc_free(void *block); // NOLINT: the name is glibc's

static atomic_ulong frees;
static atomic_ulong accepts;
static struct timespec began;
static unsigned long leaking_free; /* 0: none */
static unsigned long leaking_accept;
static unsigned long leaking_time_ns;

static unsigned long number_of(const char *variable) {
    const char *value = getenv(variable);
    return value == NULL ? 0 : strtoul(value, NULL, 10);
}

__attribute__((constructor)) static void begin(void) {
    leaking_free = number_of("LEAK_MEMORY");
    leaking_accept = number_of("LEAK_DESCRIPTOR");
    leaking_time_ns = number_of("LEAK_TIME");
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
}

void free(void *block) {
    if (block == NULL) return;
    if (leaking_free != 0 && (atomic_fetch_add(&frees, 1) + 1) % leaking_free == 0) return;
    __libc_free(block);
}

/* As the system has them; their headers declare other types for them, or none. */
int accept4(int fd, void *address, unsigned *size, int flags);
int fdatasync(int fd);

int accept4(int fd, void *address, unsigned *size, int flags) {
    static int (*real)(int, void *, unsigned *, int);
    if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "accept4");
    int taken = real(fd, address, size, flags);
    if (taken < 0 || leaking_accept == 0) return taken;
    if ((atomic_fetch_add(&accepts, 1) + 1) % leaking_accept == 0) (void)fcntl(taken, F_DUPFD, 100);
    return taken;
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    unsigned long age_s = (unsigned long)(now.tv_sec - began.tv_sec);
    unsigned long late_ns = leaking_time_ns * age_s * age_s;
    struct timespec late = {(time_t)(late_ns / 1000000000), (long)(late_ns % 1000000000)};
    (void)nanosleep(&late, NULL);
    return real(fd);
}
