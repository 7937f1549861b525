/* SPDX-License-Identifier: Apache-2.0 */
/* The last step before a job's program runs: `hob exec-child ERROR_FD PARENT PROGRAM [ARG…]`, which
 * the worker starts and which becomes the program. People never type it. */
#ifndef HOB_OS_LAUNCH_H
#define HOB_OS_LAUNCH_H

#include <stdint.h>

/* The word that selects it on the command line of `hob`. */
#define LAUNCH_WORD "exec-child"

enum { LAUNCH_FAILED_EXIT = 127 };

/**
 * Harden this process: no new privileges, no core files, killed with its parent, and every
 * descriptor from @first_closed_fd on is closed by exec.
 *
 * Answers  0, or errno with @ret_what (static): what could not be done
 */
int launch_harden(uint64_t parent, unsigned first_closed_fd, const char **ret_what);

/**
 * Harden this process and become a program.
 *
 * @argc, @argv  the words behind LAUNCH_WORD: the descriptor that takes the reason when the program
 *               cannot be started, the process id of the worker, the program and its arguments
 *
 * Answers  only when it fails: LAUNCH_FAILED_EXIT
 */
int launch_main(int argc, char **argv);

#endif
