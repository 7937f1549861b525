/* SPDX-License-Identifier: Apache-2.0 */
/* A library that is put before the C library (LD_PRELOAD) and has one call fail, once:
 *
 *     FAULT_MALLOC=N   the Nth allocation of the process: no memory
 *     FAULT_SYNC=N     the Nth fdatasync: EIO, and what it covered is what the system makes of that
 *     FAULT_COUNTS=F   at a clean end the file F gets how many allocations and syncs there were
 *
 * The allocator below is glibc's own by its other names: dlsym() would allocate to find it. */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);               // NOLINT: the names are glibc's
extern void *__libc_calloc(size_t count, size_t size); // NOLINT
extern void *__libc_realloc(void *block, size_t size); // NOLINT

static atomic_ulong allocations;
static atomic_ulong syncs;
static unsigned long failing_allocation; /* 0: none */
static unsigned long failing_sync;

static unsigned long number_of(const char *variable) {
    const char *value = getenv(variable);
    return value == NULL ? 0 : strtoul(value, NULL, 10);
}

__attribute__((constructor)) static void begin(void) {
    failing_allocation = number_of("FAULT_MALLOC");
    failing_sync = number_of("FAULT_SYNC");
    atomic_store(&allocations, 0);
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FAULT_COUNTS");
    unsigned long count = atomic_load(&allocations);
    FILE *file = path == NULL ? NULL : fopen(path, "we");
    if (file == NULL) return;
    (void)fprintf(file, "%lu %lu\n", count, atomic_load(&syncs));
    (void)fclose(file);
}

static int fails(void) {
    unsigned long number = atomic_fetch_add(&allocations, 1) + 1;
    if (number != failing_allocation) return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) {
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    return fails() ? NULL : __libc_realloc(block, size);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    if (atomic_fetch_add(&syncs, 1) + 1 == failing_sync) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}
