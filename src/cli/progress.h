/* SPDX-License-Identifier: Apache-2.0 */
/* How far long work is, on stderr: from its second second on, with rate and time left, in one line
 * that is written over on a terminal, and as a line every ten seconds elsewhere. */
#ifndef HOB_CLI_PROGRESS_H
#define HOB_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct progress {
    const char *what; /* "jobs pushed" */
    uint64_t total;   /* 0: not known */
    bool over;        /* stderr is a terminal whose line can be written over */
    hob_ns begun;
    hob_ns next; /* not told before */
    bool told;   /* a line stands there unended */
};

/** Begin to measure. @over: the line can be written over. */
struct progress progress_begin(const char *what, uint64_t total, bool over);

/** Tell that @done are done, if it is time to. */
void progress_tell(struct progress *progress, uint64_t done);

/** Take the unended line away, so that something else can be told. */
void progress_clear(struct progress *progress);

#endif
