/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines of one running job on their way to the server: gathered, sent in batches, and kept
 * until the server has them, so that a lost connection costs none. Bounded: when more come than can
 * be sent, the oldest that were not sent yet make room, since the last lines tell most; a line says
 * how many are missing there. */
#ifndef HOB_WORKER_JOBLOG_H
#define HOB_WORKER_JOBLOG_H

#include "base/buf.h"
#include "base/slice.h"
#include "worker/executor.h"

enum { JOBLOG_BATCH_LINES_MAX = 500, JOBLOG_BATCH_BYTES_MAX = 32 * 1024 };

/* Private. */
struct joblog {
    struct buf lines;  /* as joblog.c says */
    size_t sent_bytes; /* of its front: sent, not acknowledged */
    size_t note_bytes; /* of the note that is the first of what is unsent; 0: there is none */
    uint64_t dropped;  /* lines that this note tells of */
};

/* Lines of one stream that one request carries; borrowed until the log is changed. */
struct joblog_batch {
    uint64_t at_ms; /* of the first line */
    enum run_stream stream;
    size_t line_count;
    struct slice lines[JOBLOG_BATCH_LINES_MAX];
    size_t size_bytes; /* for joblog_acknowledge() */
};

/** An empty log; joblog_deinit() frees what it holds. */
void joblog_init(struct joblog *log);
void joblog_deinit(struct joblog *log);

/** One more line. Zero bytes in it are kept. */
void joblog_add(struct joblog *log, uint64_t at_ms, enum run_stream stream, struct slice line);

/** Bytes that wait to be sent. */
static inline size_t joblog_unsent_bytes(const struct joblog *log) {
    return log->lines.size - log->sent_bytes;
}

/**
 * The next lines to send, counted as sent now. False: there are none, or, unless @all is wanted,
 * enough are under way.
 */
bool joblog_take(struct joblog *log, bool all, struct joblog_batch *ret_batch);

/** The server has answered for the oldest sent batch. */
void joblog_acknowledge(struct joblog *log, size_t size_bytes);

/** The connection is gone: what was sent and not acknowledged is to be sent again. */
void joblog_rewind(struct joblog *log);

#endif
