/* SPDX-License-Identifier: Apache-2.0 */
/* A space on the file journal for a benchmark, driven as the server drives it. */
#ifndef HOB_BENCH_ON_SPACE_H
#define HOB_BENCH_ON_SPACE_H

#include "space/space.h"

struct on_space {
    struct space *space;
    struct answer last; /* to the last command, or the last late one */
    hob_ns now_ns;
};

/** Say on stderr what went wrong with what, and end with 1. */
_Noreturn void fatal(const char *what, const char *text);

/** Open the space in the directory @path, which is made when missing; syncs are left to the system.
 */
void on_space_open(struct on_space *on, const char *path);

/** One command, in a turn; the answer is on->last. */
void on_space_apply(struct on_space *on, const struct command *command);

/** Behind a turn: what is too much to fly at once is waited for, as the server reads no further. */
void on_space_settle(struct on_space *on);

#endif
