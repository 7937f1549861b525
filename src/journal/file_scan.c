/* SPDX-License-Identifier: Apache-2.0 */
/* The window is read anew from where the walker stands whenever it does not hold what is wanted: at
 * most one frame's beginning is read twice per window. It grows to the largest frame and stays so
 * for the life of the scan. */
#include "journal/file_scan.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "os/file.h"

enum {
    SCAN_WINDOW_BYTES = 1024 * 1024,
    SCAN_WINDOW_BYTES_MAX = JOURNAL_BATCH_BYTES_MAX + 64 * 1024,
};

struct scan scan_make(void) {
    return (struct scan){.fd = -1, .window = buf_make(SCAN_WINDOW_BYTES_MAX)};
}

void scan_deinit(struct scan *scan) {
    file_close(&scan->fd);
    buf_deinit(&scan->window);
}

void scan_start(struct scan *scan, int fd, uint32_t seed, uint64_t limit) {
    file_close(&scan->fd);
    buf_reset(&scan->window);
    scan->fd = fd;
    scan->seed = seed;
    scan->offset = SEGMENT_PAGE_BYTES;
    scan->limit = limit;
    file_read_ahead(fd);
}

void scan_forget(struct scan *scan) {
    buf_reset(&scan->window);
}

int scan_bytes(struct scan *scan, uint64_t offset, size_t size, const char **ret_bytes) {
    *ret_bytes = NULL;
    if (offset > scan->limit || size > scan->limit - offset) return 0;
    uint64_t end = offset + size;
    if (offset < scan->window_at || end > scan->window_at + scan->window.size) {
        uint64_t wanted = size < SCAN_WINDOW_BYTES ? SCAN_WINDOW_BYTES : size;
        if (wanted > scan->limit - offset) wanted = scan->limit - offset;
        buf_reset(&scan->window);
        scan->window_at = offset;
        char *to = buf_reserve(&scan->window, (size_t)wanted);
        hob_assert(to != NULL); /* no frame is larger than the window may grow */
        size_t got;
        int failed = file_read(scan->fd, offset, to, (size_t)wanted, &got);
        if (failed != 0) return failed;
        scan->window.size = got;
        if (got < size) return 0;
    }
    *ret_bytes = scan->window.bytes + (offset - scan->window_at);
    return 0;
}

int scan_frame(
    struct scan *scan, struct frame *ret_frame, struct slice *ret_body, enum frame_fault *ret_fault
) {
    const char *bytes;
    int failed = scan_bytes(scan, scan->offset, FRAME_HEADER_BYTES, &bytes);
    if (failed != 0) return failed;
    *ret_fault = bytes == NULL ? FRAME_NO_MAGIC : frame_decode(bytes, scan->seed, ret_frame);
    if (*ret_fault != FRAME_GOOD) return 0;
    size_t size = (size_t)frame_bytes(ret_frame->body_bytes);
    failed = scan_bytes(scan, scan->offset, size, &bytes);
    if (failed != 0) return failed;
    if (bytes == NULL) {
        *ret_fault = FRAME_CUT_SHORT;
        return 0;
    }
    if (crc32c(0, bytes + FRAME_HEADER_BYTES, size - FRAME_HEADER_BYTES) != ret_frame->body_crc) {
        *ret_fault = FRAME_BAD_BODY;
        return 0;
    }
    *ret_body = slice_of(bytes + FRAME_HEADER_BYTES, ret_frame->body_bytes);
    return 0;
}

bool scan_warm(struct scan *scan, size_t bytes_max) {
    const char *bytes;
    int failed = scan_bytes(scan, scan->offset, FRAME_HEADER_BYTES, &bytes);
    if (failed != 0 || bytes == NULL) return true;
    struct frame frame;
    if (frame_decode(bytes, scan->seed, &frame) != FRAME_GOOD) return true;
    size_t size = (size_t)frame_bytes(frame.body_bytes);
    if (scan->offset + size <= scan->window_at + scan->window.size) return true;
    if (scan->window_at != scan->offset) {
        buf_reset(&scan->window);
        scan->window_at = scan->offset;
    }
    /* Room for all of it, and then piece by piece. */
    char *to = buf_reserve(&scan->window, size - scan->window.size);
    hob_assert(to != NULL); /* no frame is larger than the window may grow */
    size_t wanted = size - scan->window.size;
    size_t got = 0;
    failed = file_read(
        scan->fd,
        scan->offset + scan->window.size,
        to,
        wanted < bytes_max ? wanted : bytes_max,
        &got
    );
    scan->window.size += got;
    return failed != 0 || got == 0 || scan->window.size >= size;
}

struct journal_batch frame_batch(const struct frame *frame, struct slice body) {
    hob_assert(frame->kind == FRAME_DATA);
    struct journal_batch batch = {
        .seq = frame->seq,
        .first_pos = frame->first_pos,
        .effect_count = frame->effect_count,
        .time_ns = frame->time_ns,
        .prev_chain = frame->prev_chain,
        .bytes = body,
    };
    batch.chain = journal_chain(&batch);
    return batch;
}

static bool frame_continues(const struct frame *frame, const struct chain_end *end) {
    if (frame->prev_chain != end->chain) return false;
    if (frame->first_pos != end->pos + 1) return false;
    return frame->seq == (frame->kind == FRAME_SEAL ? end->seq : end->seq + 1);
}

int scan_next(
    struct scan *scan,
    struct chain_end *end,
    struct frame *ret_frame,
    struct slice *ret_body,
    enum frame_fault *ret_fault
) {
    int failed = scan_frame(scan, ret_frame, ret_body, ret_fault);
    if (failed != 0 || *ret_fault != FRAME_GOOD) return failed;
    if (!frame_continues(ret_frame, end)) {
        *ret_fault = FRAME_OUT_OF_ORDER;
        return 0;
    }
    scan->offset += frame_bytes(ret_frame->body_bytes);
    if (ret_frame->kind == FRAME_SEAL) return 0;
    struct journal_batch batch = frame_batch(ret_frame, *ret_body);
    end->seq = batch.seq;
    end->pos = batch.first_pos + batch.effect_count - 1;
    end->chain = batch.chain;
    return 0;
}
