/* SPDX-License-Identifier: Apache-2.0 */
/* One buffer, oldest line first; each line is
 *
 *     0   8   time, ms
 *     8   4   size of the text
 *    12   1   stream (enum run_stream)
 *    13   …   text
 *
 *     | sent, not acknowledged | waits |            in native byte order: it never leaves memory */
#include "worker/joblog.h"

#include <stdio.h>

#include "base/assert.h"

enum { KEPT_BYTES_MAX = 1024 * 1024, HEAD_BYTES = 13, NOTE_ROOM_BYTES = 256 };

void joblog_init(struct joblog *log) {
    *log = (struct joblog){.lines = buf_make(KEPT_BYTES_MAX)};
}

void joblog_deinit(struct joblog *log) {
    buf_deinit(&log->lines);
}

static bool fits(const struct joblog *log, size_t size) {
    return log->lines.size + HEAD_BYTES + size <= KEPT_BYTES_MAX;
}

static void
line_put(struct joblog *log, uint64_t at_ms, enum run_stream stream, struct slice line) {
    uint32_t size = (uint32_t)line.size;
    char head[HEAD_BYTES];
    memcpy(head, &at_ms, 8);
    memcpy(head + 8, &size, 4);
    head[12] = (char)stream;
    (void)buf_put(&log->lines, head, sizeof head);
    (void)buf_put_slice(&log->lines, line);
    hob_assert(!log->lines.overflowed);
}

void joblog_add(struct joblog *log, uint64_t at_ms, enum run_stream stream, struct slice line) {
    hob_assert(line.size < KEPT_BYTES_MAX / 2);
    if (log->dropped > 0 && fits(log, line.size + NOTE_ROOM_BYTES)) {
        char note[NOTE_ROOM_BYTES - HEAD_BYTES];
        (void)snprintf(
            note,
            sizeof note,
            "%llu lines are missing here: more came than could be sent",
            (unsigned long long)log->dropped
        );
        line_put(log, at_ms, RUN_SYSTEM, slice_str(note));
        log->dropped = 0;
    }
    if (log->dropped > 0 || !fits(log, line.size)) {
        log->dropped++;
    } else {
        line_put(log, at_ms, stream, line);
    }
}

bool joblog_take(struct joblog *log, struct joblog_batch *ret_batch) {
    ret_batch->line_count = 0;
    size_t text_bytes = 0;
    size_t at = log->sent_bytes;
    while (at < log->lines.size && ret_batch->line_count < JOBLOG_BATCH_LINES_MAX) {
        const char *head = log->lines.bytes + at;
        uint64_t at_ms = 0;
        uint32_t size = 0;
        memcpy(&at_ms, head, 8);
        memcpy(&size, head + 8, 4);
        enum run_stream stream = (enum run_stream)head[12];
        if (ret_batch->line_count == 0) {
            ret_batch->at_ms = at_ms;
            ret_batch->stream = stream;
        }
        bool full = text_bytes + size > JOBLOG_BATCH_BYTES_MAX && ret_batch->line_count > 0;
        if (full || stream != ret_batch->stream) break;
        ret_batch->lines[ret_batch->line_count++] = slice_of(head + HEAD_BYTES, size);
        text_bytes += size;
        at += HEAD_BYTES + size;
    }
    ret_batch->size_bytes = at - log->sent_bytes;
    log->sent_bytes = at;
    return ret_batch->line_count > 0;
}

void joblog_acknowledge(struct joblog *log, size_t size_bytes) {
    hob_assert(size_bytes <= log->sent_bytes);
    buf_consume(&log->lines, size_bytes);
    log->sent_bytes -= size_bytes;
}

void joblog_rewind(struct joblog *log) {
    log->sent_bytes = 0;
}
