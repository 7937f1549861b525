/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics as bytes, so that they outlive a restart. Pure.
 *
 *     "HOBSTAT1"
 *     cells    each: varint 1 + minutes after the cell before, row, bits of the counters that are
 *              not 0, those counters, wait_ns, run_ns; then a 0
 *     rows     varint n, then so many: varint of, name, minute, day, and four histograms (waits of
 *              the running day, of the one before, runs of both): varint max_ns, how many buckets
 *              are not 0, those as varint bucket (from the one before) and count
 *     varint   kept
 *     u32      CRC-32C of all before
 *
 * Counters and buckets are told by number: new ones come behind the old, and a reader leaves out
 * what it does not know. Cells of the past do not change, so they can be written in slices, while
 * the present goes on; the last slice takes what has come meanwhile, and the rows. */
#ifndef HOB_SERVER_STATISTICS_CODEC_H
#define HOB_SERVER_STATISTICS_CODEC_H

#include "server/statistics.h"

enum { STATISTICS_SAVED_BYTES_MAX = 64 * 1024 * 1024 };

struct statistics_saver {
    struct buf bytes;
    uint64_t next;   /* number of the cell that is written next */
    uint32_t minute; /* of the one before */
};

/** Begin to write. */
void statistics_save_begin(struct statistics_saver *saver, const struct statistics *statistics);

/** Write at most @cells_max cells (STATISTICS_ROWS_MAX or more), or all the rest and the end: true.
 * False: come back. What the saver has at the end is whole; its bytes are empty when they would be
 * more than the most. */
bool statistics_save_step(
    struct statistics_saver *saver, const struct statistics *statistics, uint32_t cells_max
);
void statistics_saver_deinit(struct statistics_saver *saver);

/**
 * Fill @statistics, which is empty, from what was saved; what lies after @now_ns, and what is older
 * than a series, is left out. False: the bytes are damaged, and it is empty as before.
 */
bool statistics_load(struct statistics *statistics, struct slice bytes, hob_ns now_ns);

#endif
