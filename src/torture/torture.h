/* SPDX-License-Identifier: Apache-2.0 */
/* Kill a server again and again while clients push and workers work, and find out what became of
 * everything that it acknowledged.
 *
 *     run      pushers and workers talk to `hob serve` on loopback; at drawn moments it is killed
 *              (kill -9) and started again, or frozen (SIGSTOP) for a while
 *     drain    no more pushes and kills; the workers go on until nothing waits
 *     census   one more kill; then every job that is there is looked at
 *
 * All that is intended and answered goes to a history (torture/history.h) in the directory before
 * it is sent, and the verdict is that of the checker (torture/checker.h) on this file: what is
 * concluded can be concluded again from it. The draws come from the seed; what the machine makes of
 * them does not. */
#ifndef HOB_TORTURE_TORTURE_H
#define HOB_TORTURE_TORTURE_H

#include "base/status.h"
#include "torture/checker.h"

enum { TORTURE_PATH_BYTES_MAX = 1024, TORTURE_HANDS_MAX = 64 };

struct torture_options {
    const char *dir;     /* made when missing; else it must be empty */
    const char *program; /* started instead of this very binary; NULL: this one */
    hob_ns time_ns;      /* of the run; drain and census come on top */
    uint64_t seed;
    uint32_t pushers; /* 1 .. TORTURE_HANDS_MAX */
    uint32_t workers;
    uint32_t push_rate; /* pushes a second at most, all together */
};

struct torture_report {
    struct checker_verdict verdict;
    uint64_t starts;
    uint64_t kills;
    uint64_t kills_starting; /* of these, before it was ready */
    uint64_t freezes;
    uint64_t retried;    /* pushes without an answer that were sent again under their key */
    hob_ns start_max_ns; /* the slowest start, until it was ready */
};

/**
 * Run it all. Wrong things are told as the checker finds them.
 *
 * Fails  HOB_USAGE: the directory is not empty; HOB_FAILED: the server ended by itself or did not
 *        start; HOB_DISK: the history cannot be written
 */
HOB_CHECK enum hob_status torture_run(
    const struct torture_options *options,
    checker_tell_fn *tell,
    void *context,
    struct torture_report *ret_report,
    struct hob_error *err
);

/** Judge the history in a file once more. */
HOB_CHECK enum hob_status torture_check(
    const char *path,
    checker_tell_fn *tell,
    void *context,
    struct checker_verdict *ret_verdict,
    struct hob_error *err
);

#endif
