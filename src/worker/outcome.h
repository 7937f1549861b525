/* SPDX-License-Identifier: Apache-2.0 */
/* What the end of a run means for its job. One pure function: how a program ended goes in, what is
 * told to the server comes out. */
#ifndef HOB_WORKER_OUTCOME_H
#define HOB_WORKER_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/time.h"

enum {
    EXIT_DISCARD = 65, /* sysexits.h EX_DATAERR: the job can never succeed */
    EXIT_LATER = 75,   /* sysexits.h EX_TEMPFAIL: not now, and the attempt does not count */
    OUTCOME_TEXT_BYTES_MAX = 1024,
    RESULT_BYTES_MAX = 1024 * 1024,
};

#define LATER_DELAY_NS (5 * NS_PER_SECOND)

/* Why a run was stopped by the worker. */
enum stop_why {
    STOP_NOT,      /* it ended by itself */
    STOP_TIMEOUT,  /* it ran too long */
    STOP_LOST,     /* the lease was taken away: cancelled, or another worker has the job */
    STOP_SHUTDOWN, /* the worker ends */
};

/* How a run ended. */
struct run_end {
    struct slice start_error; /* not empty: the program never ran, for this reason */
    enum stop_why stopped;
    int exit_code;
    int signal_number; /* 0: it exited */
    struct slice result;
    bool result_too_large;
    struct slice tail; /* the last lines on stderr */
    hob_ns timeout_ns;
};

enum outcome_verdict {
    OUTCOME_ACK,
    OUTCOME_FAIL,
    OUTCOME_RELEASE,
    OUTCOME_DROP, /* the job is no longer ours: nothing is told */
};

struct outcome {
    enum outcome_verdict verdict;
    struct slice result;               /* ACK; borrowed from the run_end */
    const char *cause;                 /* FAIL: exit, signal, timeout, start, failed */
    const char *what;                  /* FAIL: the class of the error; NULL: not said */
    int code;                          /* FAIL: exit code, signal number, HTTP status; 0: none */
    bool permanent;                    /* FAIL: no further attempt */
    bool has_retry_in;                 /* FAIL: the next attempt is after retry_in_ns, */
    hob_ns retry_in_ns;                /* whatever the backoff of the job says */
    hob_ns pause_ns;                   /* FAIL: the job's first limiter rests so long; 0: not */
    hob_ns delay_ns;                   /* RELEASE */
    char text[OUTCOME_TEXT_BYTES_MAX]; /* FAIL: what is shown as the error */
};

/** Judge the end of a run. */
void outcome_judge(const struct run_end *end, struct outcome *ret_outcome);

#endif
