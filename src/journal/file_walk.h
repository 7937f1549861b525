/* SPDX-License-Identifier: Apache-2.0 */
/* What recovery looks at: the good frames of one segment, and what lies behind them. */
#ifndef HOB_JOURNAL_FILE_WALK_H
#define HOB_JOURNAL_FILE_WALK_H

#include "journal/file_private.h"
#include "journal/file_scan.h"

/* What the walk over one segment found. */
struct walk {
    struct scan scan;
    struct segment_header header;
    uint64_t size;       /* of the file */
    uint64_t marked_seq; /* this batch was synced, says the mark; 0: there is none */
    struct chain_end end;
    uint64_t last_offset; /* of the last data frame; 0 when there is none */
    /* The first data frame of which no later frame says that it was synced; 0: there is none. */
    uint64_t suspect_offset;
    bool sealed;  /* the last frame is a seal, or there is no frame */
    bool relaxed; /* the last good word about it: batches were not synced one by one */
    hob_ns time_ns;
    enum frame_fault fault; /* of the first bytes that are no good frame, at scan.offset */
    struct frame bad;       /* header of the bad frame, when the fault is in its body */
};

/* What lies behind the first bad frame. */
struct survey {
    uint64_t proof_offset; /* a frame that says that the batch at o was synced; 0: none */
    uint64_t frames_end;   /* end of the last frame that is not proof; 0: none */
    uint64_t nonzero_end;  /* behind the last byte that is not zero */
};

/** Begin with the first frame of a segment; walk->scan is made before, and takes @fd over. */
void walk_begin(
    struct walk *walk, uint64_t identity, const struct segment_header *header, int fd, uint64_t size
);

/**
 * Step over the next frame, or set walk->fault: the scan then stands before what is no good frame.
 * Answers 0 or an errno of the read.
 */
HOB_CHECK int walk_step(struct walk *walk, struct frame *ret_frame, struct slice *ret_body);

/**
 * Follow the frames of a segment to the first bytes that are no good frame; walk->scan is made
 * before, and lives on.
 */
HOB_CHECK enum hob_status walk_segment(
    struct journal_file *file,
    uint32_t segment,
    int flags, /* of open(2) */
    struct walk *walk,
    struct hob_error *err
);

/* What recovery does about the bytes that are no good frame. */
struct verdict {
    bool refuses;
    char why[160]; /* it refuses: what is wrong */
    uint64_t
        cut_end; /* else: from walk->scan.offset to here is zeroed; nothing when not behind it */
};

/**
 * The rules of recovery (head of file_recover.c) for the end that @walk came to in the last
 * segment. Answers 0 or an errno of a read.
 */
HOB_CHECK int walk_judge(struct walk *walk, struct verdict *ret_verdict);

/**
 * For a last segment whose header page is damaged: is it what a crash leaves of a segment that was
 * being made (no frame of it was ever written)? Answers 0 or an errno of a read.
 *
 * @fd    taken over
 * @only  it is the journal's only segment
 */
HOB_CHECK int
walk_headerless(uint64_t identity, uint32_t segment, int fd, bool only, bool *ret_unborn);

/** Look through the rest of the file, from walk->scan.offset on. Answers 0 or an errno. */
HOB_CHECK int walk_survey(struct walk *walk, struct survey *ret_survey);

/** Fail with HOB_DISK: the segment of the walk cannot be read. */
enum hob_status walk_read_failed(
    struct journal_file *file, const struct walk *walk, int os_errno, struct hob_error *err
);

#endif
