/* SPDX-License-Identifier: Apache-2.0 */
/* Reading back: cursors over the chain, and pieces of single batches.
 *
 * A cursor reads only what has been answered, so it never races with the writer: those bytes do not
 * change any more. In every segment but the last the frames must lead exactly to what the header of
 * the next segment says; if they end earlier, something between was damaged, and the cursor refuses
 * to go on. */
#include <fcntl.h>
#include <stdlib.h>

#include "base/assert.h"
#include "journal/file_private.h"

struct journal_cursor {
    struct journal_file *file;
    struct scan scan;
    uint32_t segment;
    struct chain_end end;
};

static enum hob_status segment_enter(
    struct journal_cursor *cursor,
    uint32_t segment,
    struct segment_header *ret_header,
    int *ret_fd,
    struct hob_error *err
) {
    int fd = -1;
    enum hob_status status = segment_open(cursor->file, segment, O_RDONLY, &fd, err);
    if (status == HOB_OK) status = segment_header_read(cursor->file, segment, fd, ret_header, err);
    if (status != HOB_OK) {
        file_close(&fd);
        return status;
    }
    *ret_fd = fd;
    return HOB_OK;
}

static void
segment_begin(struct journal_cursor *cursor, const struct segment_header *header, int fd) {
    uint32_t seed = frame_seed(cursor->file->identity, header->segment);
    scan_start(&cursor->scan, fd, seed, UINT64_MAX);
    cursor->segment = header->segment;
    cursor->end = (struct chain_end){
        .seq = header->first_seq - 1,
        .pos = header->first_pos - 1,
        .chain = header->prev_chain,
    };
}

enum hob_status read_open(
    struct journal *journal,
    uint32_t segment,
    struct journal_cursor **ret_cursor,
    struct hob_error *err
) {
    struct journal_file *file = (struct journal_file *)journal;
    if (segment == 0) segment = file->first_segment;
    if (segment < file->first_segment || segment > file->tail_segment) {
        return fail(err, HOB_NOT_FOUND, "the journal has no segment %u", (unsigned)segment);
    }
    struct journal_cursor *cursor = calloc(1, sizeof *cursor);
    if (cursor == NULL) hob_panic(__FILE__, __LINE__, "out of memory");
    cursor->file = file;
    cursor->scan = scan_make();
    struct segment_header header;
    int fd;
    enum hob_status status = segment_enter(cursor, segment, &header, &fd, err);
    if (status != HOB_OK) {
        read_close(cursor);
        return status;
    }
    segment_begin(cursor, &header, fd);
    *ret_cursor = cursor;
    return HOB_OK;
}

/* Go on behind the last frame of a segment that is not the last one; @fault is why it has no
 * further frame. */
static enum hob_status
segment_leave(struct journal_cursor *cursor, enum frame_fault fault, struct hob_error *err) {
    struct segment_header header;
    int fd;
    enum hob_status status = segment_enter(cursor, cursor->segment + 1, &header, &fd, err);
    if (status == HOB_NOT_FOUND) {
        return corrupt_at(cursor->file, err, cursor->segment + 1, 0, "the segment is missing");
    }
    if (status != HOB_OK) return status;
    if (header.first_seq != cursor->end.seq + 1 || header.first_pos != cursor->end.pos + 1 ||
        header.prev_chain != cursor->end.chain) {
        file_close(&fd);
        return corrupt_at(
            cursor->file, err, cursor->segment, cursor->scan.offset, frame_fault_text(fault)
        );
    }
    segment_begin(cursor, &header, fd);
    return HOB_OK;
}

enum hob_status
read_next(struct journal_cursor *cursor, struct journal_entry *ret_entry, struct hob_error *err) {
    const struct journal_file *file = cursor->file;
    for (;;) {
        bool last = cursor->segment == file->tail_segment;
        hob_assert(cursor->segment <= file->tail_segment);
        cursor->scan.limit = last ? file->tail_end : UINT64_MAX;
        if (last && cursor->scan.offset >= file->tail_end) {
            return fail(err, HOB_NOT_FOUND, "the end of the journal");
        }
        uint64_t offset = cursor->scan.offset;
        struct frame frame;
        struct slice body;
        enum frame_fault fault;
        int failed = scan_next(&cursor->scan, &cursor->end, &frame, &body, &fault);
        if (failed != 0) {
            return fail_errno(
                err,
                HOB_DISK,
                failed,
                "cannot read %s, byte %llu",
                segment_name(cursor->segment).text,
                (unsigned long long)offset
            );
        }
        if (fault != FRAME_GOOD && last) {
            return corrupt_at(file, err, cursor->segment, offset, frame_fault_text(fault));
        }
        if (fault != FRAME_GOOD) {
            enum hob_status status = segment_leave(cursor, fault, err);
            if (status != HOB_OK) return status;
            continue;
        }
        if (frame.kind == FRAME_SEAL) continue;
        ret_entry->batch = (struct journal_batch){
            .seq = frame.seq,
            .first_pos = frame.first_pos,
            .effect_count = frame.effect_count,
            .time_ns = frame.time_ns,
            .prev_chain = frame.prev_chain,
            .chain = cursor->end.chain,
            .bytes = body,
        };
        ret_entry->address = address_make(cursor->segment, offset);
        ret_entry->segment = cursor->segment;
        ret_entry->offset = offset + FRAME_HEADER_BYTES;
        return HOB_OK;
    }
}

bool read_warm(struct journal_cursor *cursor, size_t bytes_max) {
    const struct journal_file *file = cursor->file;
    /* Behind the tail bytes may still change; at the end of a segment there is nothing to warm. */
    if (cursor->segment == file->tail_segment && cursor->scan.offset >= file->tail_end) return true;
    return scan_warm(&cursor->scan, bytes_max);
}

void read_close(struct journal_cursor *cursor) {
    scan_deinit(&cursor->scan);
    free(cursor);
}

/* The open file of a segment; the one that was used longest ago makes room. */
static enum hob_status
fetch_file(struct journal_file *file, uint32_t segment, int *ret_fd, struct hob_error *err) {
    struct fetch_file *oldest = &file->fetch_files[0];
    for (size_t i = 0; i < FETCH_FILES_MAX; i++) {
        struct fetch_file *each = &file->fetch_files[i];
        if (each->segment == segment) {
            each->used_at = ++file->fetch_tick;
            *ret_fd = each->fd;
            return HOB_OK;
        }
        if (each->used_at < oldest->used_at) oldest = each;
    }
    int fd;
    enum hob_status status = segment_open(file, segment, O_RDONLY, &fd, err);
    if (status != HOB_OK) return status;
    if (oldest->segment != 0) file_close(&oldest->fd);
    *oldest = (struct fetch_file){.segment = segment, .fd = fd, .used_at = ++file->fetch_tick};
    *ret_fd = fd;
    return HOB_OK;
}

enum hob_status fetch(
    struct journal *journal,
    uint64_t address,
    uint32_t offset,
    uint32_t size,
    char *ret_bytes,
    struct hob_error *err
) {
    struct journal_file *file = (struct journal_file *)journal;
    uint32_t segment = address_segment(address);
    if (segment < file->first_segment || segment > file->tail_segment) {
        return fail(
            err, HOB_NOT_FOUND, "the journal keeps no batch at %#llx", (unsigned long long)address
        );
    }
    int fd;
    enum hob_status status = fetch_file(file, segment, &fd, err);
    if (status != HOB_OK) return status;
    uint64_t at = address_offset(address) + FRAME_HEADER_BYTES + offset;
    size_t got;
    int failed = file_read(fd, at, ret_bytes, size, &got);
    if (failed != 0) {
        return fail_errno(
            err,
            HOB_DISK,
            failed,
            "cannot read %s, byte %llu",
            segment_name(segment).text,
            (unsigned long long)at
        );
    }
    if (got < size) return corrupt_at(file, err, segment, at, "the file ends inside a batch");
    return HOB_OK;
}

void fetch_forget(struct journal_file *file, uint32_t segment) {
    for (size_t i = 0; i < FETCH_FILES_MAX; i++) {
        struct fetch_file *each = &file->fetch_files[i];
        if (each->segment == 0 || (segment != 0 && each->segment != segment)) continue;
        file_close(&each->fd);
        *each = (struct fetch_file){0};
    }
}
