/* SPDX-License-Identifier: Apache-2.0 */
/* libuv runs no code of ours between fork and exec, so the worker starts this binary again, and
 * this code sets what a process can only set for itself, then calls exec:
 *
 *   no_new_privs     a setuid program in a job gains nothing
 *   RLIMIT_CORE 0    no dump with a job's data is left on disk
 *   PDEATHSIG KILL   a worker that is killed takes its jobs' main processes along: their leases
 *                    end, and another worker will run the jobs again
 *   close-on-exec    for every descriptor but 0 to 3
 *
 * Session and process group are new already (UV_PROCESS_DETACHED). When exec fails, the reason goes
 * to a descriptor of its own, so that it is never mistaken for a program that ends with 127. */
#include "os/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/slice.h"
#include "base/text.h"

enum { FIRST_CLOSED_FD = 4 };

static int give_up(int error_fd, const char *what, int os_errno) {
    const char *text = strerrordesc_np(os_errno);
    (void)dprintf(error_fd, "%s: %s", what, text == NULL ? "unknown error" : text);
    return LAUNCH_FAILED_EXIT;
}

int launch_harden(uint64_t parent, unsigned first_closed_fd, const char **ret_what) {
    *ret_what = "cannot mark descriptors to be closed";
    if (close_range(first_closed_fd, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return errno;
    *ret_what = "cannot give up new privileges";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    struct rlimit no_core = {0};
    *ret_what = "cannot limit cores";
    if (setrlimit(RLIMIT_CORE, &no_core) != 0) return errno;
    *ret_what = "cannot ask to end with the parent";
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return errno;
    /* It may have died before it could be asked for its signal. */
    *ret_what = "the parent is gone";
    return (uint64_t)getppid() == parent ? 0 : ESRCH;
}

int launch_main(int argc, char **argv) {
    uint64_t error_fd = 0;
    uint64_t parent = 0;
    if (argc < 3 || !text_u64(slice_str(argv[0]), FIRST_CLOSED_FD, INT32_MAX, &error_fd) ||
        !text_u64(slice_str(argv[1]), 1, INT32_MAX, &parent)) {
        (void)fprintf(stderr, "hob: %s is for the worker's own use\n", LAUNCH_WORD);
        return LAUNCH_FAILED_EXIT;
    }
    int fd = (int)error_fd;
    const char *what = NULL;
    int os_errno = launch_harden(parent, FIRST_CLOSED_FD, &what);
    if (os_errno != 0) return give_up(fd, what, os_errno);
    (void)execvp(argv[2], argv + 2);
    return give_up(fd, argv[2], errno);
}
