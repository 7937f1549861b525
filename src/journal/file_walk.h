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
    uint64_t size; /* of the file */
    struct chain_end end;
    uint64_t last_offset; /* of the last data frame; 0 when there is none */
    bool sealed;          /* the last frame is a seal, or there is no frame */
    bool relaxed;         /* the last good word about it: batches were not synced one by one */
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

/**
 * Follow the frames of a segment to the first bytes that are no good frame; walk->scan is made
 * before, and lives on.
 */
HOB_CHECK enum hob_status
walk_segment(struct journal_file *file, uint32_t segment, struct walk *walk, struct hob_error *err);

/** Look through the rest of the file, from walk->scan.offset on. Answers 0 or an errno. */
HOB_CHECK int walk_survey(struct walk *walk, struct survey *ret_survey);

/** Fail with HOB_DISK: the segment of the walk cannot be read. */
enum hob_status walk_read_failed(
    struct journal_file *file, const struct walk *walk, int os_errno, struct hob_error *err
);

#endif
