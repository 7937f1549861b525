/* SPDX-License-Identifier: Apache-2.0 */
/* What a process asks of the system for itself. */
#ifndef HOB_OS_SELF_H
#define HOB_OS_SELF_H

#include <stdint.h>

/** The id of this process. */
long self_id(void);

/** Allow as many open files as the hard limit says; answers how many that are. */
uint64_t self_raise_files(void);

/** Have writes to a closed pipe or socket fail instead of ending the process. */
void self_ignore_broken_pipes(void);

/** End at once: no handlers, no flushing, nothing more is said to anybody. */
_Noreturn void self_exit_now(int code);

#endif
