/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a job's log, one after the other, as every dialect reads them.
 *
 * Each line has a sequence number: it never changes, it grows from line to line over all attempts
 * of a job (and over all jobs of a space), and it has gaps. So "everything after N" is a place to
 * go on from, also after a restart. It is the id of the body that holds the line, and the line's
 * place in it:
 *
 *     seq = body id << 14 | line        a body of 64 KiB holds at most 2^14 lines of 4 bytes
 *
 * The walk uses the host's `scratch` room; so it is for requests, not for events. */
#ifndef HOB_DIALECT_LOGLINES_H
#define HOB_DIALECT_LOGLINES_H

#include "dialect/session.h"
#include "engine/logline.h"

enum { LOG_SEQ_LINE_BITS = 14 };

static inline uint64_t log_seq(uint64_t body_id, uint32_t line) {
    return body_id << LOG_SEQ_LINE_BITS | line;
}

/* Which lines are wanted. */
struct logs_request {
    uint64_t id;
    uint32_t attempt; /* 0: all */
    uint64_t after;   /* only lines with a larger sequence number */
    uint32_t count;   /* at most; 0: all */
    hob_ns wait_ns;   /* when there are none: for the next ones, or the job's end */
};

struct logged_line {
    struct log_line line;
    uint32_t attempt;
    uint64_t seq;
};

struct log_walk {
    struct host *host;
    const struct job_view *job; /* borrowed */
    struct logs_request wanted;
    uint32_t chunk; /* the next one */
    uint32_t line;  /* the next one of the chunk that is open */
    uint32_t given;
    struct body_ref open;
    struct slice entries; /* left of it */
    struct hob_error err; /* why the walk ended early; status HOB_OK: it did not */
};

/** Begin at the first line that is wanted. */
struct log_walk
log_walk_begin(struct session *session, const struct job_view *job, struct logs_request wanted);

/** The next line, borrowed until the next call; false at the end, or when err is set. */
bool log_walk_next(struct log_walk *walk, struct logged_line *ret_line);

#endif
