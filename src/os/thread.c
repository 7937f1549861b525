/* SPDX-License-Identifier: Apache-2.0 */
/* pthreads with signals blocked and monotonic time. */
#include "os/thread.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/assert.h"

int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *argument) {
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    int failed = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (failed != 0) return failed;
    failed = pthread_create(ret_thread, NULL, run, argument);
    int restored = pthread_sigmask(SIG_SETMASK, &before, NULL);
    hob_assert(restored == 0);
    if (failed == 0) (void)pthread_setname_np(*ret_thread, name); /* only for ps and gdb */
    return failed;
}

void thread_join(pthread_t thread) {
    int failed = pthread_join(thread, NULL);
    hob_assert(failed == 0);
}

void condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    hob_assert(failed == 0);
    failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    hob_assert(failed == 0);
    failed = pthread_cond_init(condition, &attributes);
    hob_assert(failed == 0);
    (void)pthread_condattr_destroy(&attributes);
}

bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, hob_ns deadline) {
    if (deadline == HOB_NEVER) {
        (void)pthread_cond_wait(condition, lock);
        return true;
    }
    struct timespec until = {
        .tv_sec = (time_t)(deadline / NS_PER_SECOND),
        .tv_nsec = (long)(deadline % NS_PER_SECOND),
    };
    return pthread_cond_timedwait(condition, lock, &until) != ETIMEDOUT;
}
