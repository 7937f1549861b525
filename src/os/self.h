/* SPDX-License-Identifier: Apache-2.0 */
/* What a process asks of the system for itself. */
#ifndef HOB_OS_SELF_H
#define HOB_OS_SELF_H

#include <stdint.h>

/** The id of this process. */
long self_id(void);

struct self_usage {
    uint64_t cpu_ns; /* user and system */
    uint64_t resident_bytes;
    uint64_t virtual_bytes;
    uint64_t open_files;
    uint64_t max_files;
};

/** What this process uses now; what the system does not tell is 0. */
void self_usage(struct self_usage *ret_usage);

/** Allow as many open files as the hard limit says; answers how many that are. */
uint64_t self_raise_files(void);

/** Have writes to a closed pipe or socket fail instead of ending the process. */
void self_ignore_broken_pipes(void);

/**
 * Have the allocator do its work bit by bit, not much of it in one call now and then: for processes
 * that answer while they hold a lot. Call it before the first thread. Costs memory: what was freed
 * stays with the process, for its next use.
 */
void self_steady_memory(void);

/** End at once: no handlers, no flushing, nothing more is said to anybody. */
_Noreturn void self_exit_now(int code);

#endif
