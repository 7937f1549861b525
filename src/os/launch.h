/* SPDX-License-Identifier: Apache-2.0 */
/* The last step before a job's program runs: `hob exec-child ERROR_FD PARENT PROGRAM [ARG…]`, which
 * the worker starts and which becomes the program. People never type it. */
#ifndef HOB_OS_LAUNCH_H
#define HOB_OS_LAUNCH_H

/* The word that selects it on the command line of `hob`. */
#define LAUNCH_WORD "exec-child"

enum { LAUNCH_FAILED_EXIT = 127 };

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
