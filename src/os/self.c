/* SPDX-License-Identifier: Apache-2.0 */
/* Limits, signals and the end of the own process. */
#include "os/self.h"

#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

long self_id(void) {
    return (long)getpid();
}

static uint64_t timeval_ns(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

static uint64_t count_files(void) {
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL) return 0;
    uint64_t count = 0;
    /* One thread reads this stream. */
    while (readdir(dir) != NULL) count++; // NOLINT(concurrency-mt-unsafe)
    (void)closedir(dir);
    return count > 3 ? count - 3 : 0; /* . and .. and the folder itself */
}

void self_usage(struct self_usage *ret_usage) {
    *ret_usage = (struct self_usage){.open_files = count_files()};
    struct rusage usage = {0};
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        ret_usage->cpu_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
    }
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) ret_usage->max_files = limit.rlim_cur;
    unsigned long pages = 0;
    unsigned long resident = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm == NULL) return;
    char line[128] = "";
    if (fgets(line, sizeof line, statm) != NULL) {
        char *end = line;
        pages = strtoul(line, &end, 10);
        resident = strtoul(end, NULL, 10);
    }
    (void)fclose(statm);
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    ret_usage->virtual_bytes = pages * page_bytes;
    ret_usage->resident_bytes = resident * page_bytes;
}

uint64_t self_raise_files(void) {
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : soft;
}

void self_ignore_broken_pipes(void) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

void self_exit_now(int code) {
    _exit(code);
}

/* With glibc's defaults a million small blocks that were freed are put together in one go, at the
 * next large allocation (90 ms), and 300 MB that became free at the end of the heap are given back
 * in one call. Large blocks are mapped, so that growing them moves pages and copies nothing. Called
 * while there is no thread yet. */
void self_steady_memory(void) {
#ifdef __GLIBC__
    enum { MAPPED_FROM_BYTES = 1024 * 1024, KEPT_BYTES = 0x7fffffff };
    (void)mallopt(M_MXFAST, 0);                         /* NOLINT(concurrency-mt-unsafe) */
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);        /* NOLINT(concurrency-mt-unsafe) */
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_FROM_BYTES); /* NOLINT(concurrency-mt-unsafe) */
#endif
}
