/* SPDX-License-Identifier: Apache-2.0 */
/* Limits, signals and the end of the own process. */
#include "os/self.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

long self_id(void) {
    return (long)getpid();
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
