/* SPDX-License-Identifier: Apache-2.0 */
/* A thread of Hob's own, and a condition that can be waited for until a monotonic time. */
#ifndef HOB_OS_THREAD_H
#define HOB_OS_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#include "base/status.h"
#include "base/time.h"

/** Start a thread that takes no signals (they belong to the main thread). @name: at most 15 bytes.
 * Answers 0 or errno. */
HOB_CHECK int
thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *argument);

/** Wait for the end of a thread. */
void thread_join(pthread_t thread);

/** A condition whose times are clock_monotonic(). */
void condition_init(pthread_cond_t *condition);

/** Wait for @condition until @deadline (HOB_NEVER: for ever); false when the time is over. @lock is
 * held, as ever. */
bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, hob_ns deadline);

#endif
