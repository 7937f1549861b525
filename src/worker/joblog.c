/* SPDX-License-Identifier: Apache-2.0 */
/* One buffer, oldest line first; each line is
 *
 *     0   8   time, ms
 *     8   4   size of the text
 *    12   1   stream (enum run_stream)
 *    13   …   text
 *
 *     | sent, not acknowledged | note of what was dropped | waits |
 *
 * in native byte order: it never leaves memory. */
#include "worker/joblog.h"

#include <stdio.h>

#include "base/assert.h"

enum {
    KEPT_BYTES_MAX = 2 * 1024 * 1024,
    SENT_BYTES_MAX = 256 * 1024, /* under way at once */
    DROP_BYTES = 256 * 1024,     /* at once, so that dropping costs little for each line */
    BATCH_SPAN_MS = 100,         /* lines of one batch are told with one time */
    HEAD_BYTES = 13,
    LINE_BYTES_MAX = 64 * 1024,
};
_Static_assert(
    (int)KEPT_BYTES_MAX > SENT_BYTES_MAX + JOBLOG_BATCH_BYTES_MAX + DROP_BYTES + LINE_BYTES_MAX,
    "there is always something to drop"
);

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

static size_t line_size(const struct joblog *log, size_t at) {
    uint32_t size = 0;
    memcpy(&size, log->lines.bytes + at + 8, 4);
    return HEAD_BYTES + size;
}

/* Replace the oldest unsent lines by a note, or by a new one the note that is there already. */
static void make_room(struct joblog *log, uint64_t at_ms) {
    size_t from = log->sent_bytes;
    size_t to = from + log->note_bytes;
    while (to < log->lines.size && to - from < DROP_BYTES) {
        to += line_size(log, to);
        log->dropped++;
    }
    struct buf rest = buf_make(KEPT_BYTES_MAX);
    (void)buf_put(&rest, log->lines.bytes + to, log->lines.size - to);
    log->lines.size = from;
    char note[100];
    (void)snprintf(
        note,
        sizeof note,
        "%llu lines are missing here: more came than could be sent",
        (unsigned long long)log->dropped
    );
    line_put(log, at_ms, RUN_SYSTEM, slice_str(note));
    log->note_bytes = log->lines.size - from;
    (void)buf_put_slice(&log->lines, buf_slice(&rest));
    buf_deinit(&rest);
}

void joblog_add(struct joblog *log, uint64_t at_ms, enum run_stream stream, struct slice line) {
    hob_assert(line.size <= LINE_BYTES_MAX);
    if (!fits(log, line.size)) make_room(log, at_ms);
    /* No room even so: more than may be under way was sent when the job ended. */
    if (fits(log, line.size)) line_put(log, at_ms, stream, line);
}

bool joblog_take(struct joblog *log, bool all, struct joblog_batch *ret_batch) {
    ret_batch->line_count = 0;
    if (!all && log->sent_bytes >= SENT_BYTES_MAX) return false;
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
        bool later = at_ms > ret_batch->at_ms + BATCH_SPAN_MS;
        if (full || later || stream != ret_batch->stream) break;
        ret_batch->lines[ret_batch->line_count++] = slice_of(head + HEAD_BYTES, size);
        text_bytes += size;
        at += HEAD_BYTES + size;
    }
    ret_batch->size_bytes = at - log->sent_bytes;
    log->sent_bytes = at;
    if (ret_batch->line_count > 0) {
        log->note_bytes = 0; /* what is dropped from now on is behind it */
        log->dropped = 0;
    }
    return ret_batch->line_count > 0;
}

void joblog_acknowledge(struct joblog *log, size_t size_bytes) {
    hob_assert(size_bytes <= log->sent_bytes);
    buf_consume(&log->lines, size_bytes);
    log->sent_bytes -= size_bytes;
}

void joblog_rewind(struct joblog *log) {
    log->sent_bytes = 0;
    log->note_bytes = 0;
    log->dropped = 0;
}
