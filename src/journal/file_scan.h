/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over the frames of one segment file through a window of memory: one big read for many
 * small frames. Recovery and cursors use it. It checks each frame by itself; the walker knows which
 * frame ought to come. */
#ifndef HOB_JOURNAL_FILE_SCAN_H
#define HOB_JOURNAL_FILE_SCAN_H

#include "base/buf.h"
#include "base/status.h"
#include "journal/file_frame.h"
#include "journal/journal.h"

struct scan {
    int fd;            /* owned */
    uint32_t seed;     /* of the segment's header checksums */
    uint64_t offset;   /* where the next frame begins */
    uint64_t limit;    /* the file beyond is not read */
    struct buf window; /* the bytes of the file from window_at on */
    uint64_t window_at;
};

/** A scan of nothing, to be pointed at a file with scan_start. */
struct scan scan_make(void);

/** Free the window and close the file. Twice is safe. */
void scan_deinit(struct scan *scan);

/** Begin with the first frame of a segment; takes @fd over, closes the file before. */
void scan_start(struct scan *scan, int fd, uint32_t seed, uint64_t limit);

/**
 * Read the frame at scan->offset and check its header and body, but do not step over it. Answers 0
 * or an errno of the read; with 0, *ret_fault tells what is wrong with the frame, FRAME_GOOD when
 * nothing is.
 *
 * @ret_frame  set when the header is good, so for CUT_SHORT and BAD_BODY too
 * @ret_body   set for FRAME_GOOD; borrowed until the next call
 */
HOB_CHECK int scan_frame(
    struct scan *scan, struct frame *ret_frame, struct slice *ret_body, enum frame_fault *ret_fault
);

/**
 * Read @bytes_max more of the frame at scan->offset into the window; true when it is there, or when
 * it cannot be: scan_frame tells why.
 */
bool scan_warm(struct scan *scan, size_t bytes_max);

/* How far the chain has been followed: what the next frame must continue. */
struct chain_end {
    uint64_t seq;
    uint64_t pos;
    uint64_t chain;
};

/**
 * As scan_frame; a good frame must continue @end (else FRAME_OUT_OF_ORDER), which then moves over
 * it, and so does the scan.
 */
HOB_CHECK int scan_next(
    struct scan *scan,
    struct chain_end *end,
    struct frame *ret_frame,
    struct slice *ret_body,
    enum frame_fault *ret_fault
);

/** The batch that a data frame holds; its chain is computed, not stored. */
struct journal_batch frame_batch(const struct frame *frame, struct slice body);

/** Forget what was read ahead: the file may have changed. */
void scan_forget(struct scan *scan);

/**
 * Bytes at @offset; *ret_bytes is NULL when the file (or the limit) ends before @size of them.
 * Answers 0 or an errno.
 */
HOB_CHECK int scan_bytes(struct scan *scan, uint64_t offset, size_t size, const char **ret_bytes);

#endif
