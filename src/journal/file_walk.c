/* SPDX-License-Identifier: Apache-2.0 */
/* The two passes of recovery over the last segment: along the frames, checked one against the
 * other; then through everything behind the last good one, in steps of 8 where frames may begin,
 * for what can tell a torn write from rot. */
#include "journal/file_walk.h"

#include <errno.h>
#include <fcntl.h>

#include "base/assert.h"

enum hob_status walk_read_failed(
    struct journal_file *file, const struct walk *walk, int os_errno, struct hob_error *err
) {
    return fail_errno(
        err,
        HOB_DISK,
        os_errno,
        "cannot read %s in %s",
        segment_name(walk->header.segment).text,
        file->path
    );
}

/* Follow the frames of a segment to the first bad one. */
enum hob_status walk_segment(
    struct journal_file *file, uint32_t segment, struct walk *walk, struct hob_error *err
) {
    int fd = -1;
    enum hob_status status = segment_open(file, segment, O_RDWR, &fd, err);
    if (status == HOB_OK) status = segment_header_read(file, segment, fd, &walk->header, err);
    if (status != HOB_OK) {
        file_close(&fd);
        return status;
    }
    scan_start(&walk->scan, fd, frame_seed(file->identity, segment), UINT64_MAX);
    int failed = file_size(fd, &walk->size);
    walk->end = (struct chain_end){
        .seq = walk->header.first_seq - 1,
        .pos = walk->header.first_pos - 1,
        .chain = walk->header.prev_chain,
    };
    walk->last_offset = 0;
    walk->sealed = true;
    walk->relaxed = (walk->header.flags & SEGMENT_RELAXED) != 0;
    walk->time_ns = walk->header.created_ns;
    while (failed == 0) {
        uint64_t offset = walk->scan.offset;
        struct frame frame = {0};
        struct slice body;
        failed = scan_next(&walk->scan, &walk->end, &frame, &body, &walk->fault);
        if (failed != 0) break;
        if (walk->fault != FRAME_GOOD) {
            walk->bad = frame;
            return HOB_OK;
        }
        walk->sealed = frame.kind == FRAME_SEAL;
        walk->relaxed = (frame.flags & FRAME_RELAXED) != 0;
        walk->time_ns = frame.time_ns;
        if (frame.kind == FRAME_DATA) walk->last_offset = offset;
    }
    return walk_read_failed(file, walk, failed, err);
}

/* Look at @size bytes at @offset of the file; answers how far it got: a frame header is looked at
 * as a whole. */
static size_t survey_piece(
    const struct walk *walk, const char *bytes, size_t size, uint64_t offset, struct survey *survey
) {
    size_t i = 0;
    for (; i + FRAME_ALIGN_BYTES <= size; i += FRAME_ALIGN_BYTES) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        if (word == 0) continue;
        uint64_t at = offset + i;
        if (size - i < FRAME_HEADER_BYTES && walk->size - at >= FRAME_HEADER_BYTES) return i;
        survey->nonzero_end = at + FRAME_ALIGN_BYTES;
        if (size - i < FRAME_HEADER_BYTES || at == walk->scan.offset) continue;
        struct frame frame;
        enum frame_fault fault = frame_decode(bytes + i, walk->scan.seed, &frame);
        if (fault != FRAME_GOOD && fault != FRAME_UNKNOWN) continue;
        bool proof = fault == FRAME_UNKNOWN || frame.durable_seq > walk->end.seq;
        if (proof) survey->proof_offset = at;
        if (!proof) survey->frames_end = at + frame_bytes(frame.body_bytes);
    }
    for (; i < size; i++) {
        if (bytes[i] != 0) survey->nonzero_end = offset + i + 1;
    }
    return i;
}

/* Go through the rest of the file in steps of 8, where every frame begins. At most 1 segment of
 * memory speed. */
int walk_survey(struct walk *walk, struct survey *ret_survey) {
    enum { PIECE_BYTES = 512 * 1024 };
    struct survey *survey = ret_survey;
    *survey = (struct survey){0};
    uint64_t at = walk->scan.offset;
    while (at < walk->size && survey->proof_offset == 0) {
        uint64_t left = walk->size - at;
        size_t size = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        const char *bytes;
        int failed = scan_bytes(&walk->scan, at, size, &bytes);
        if (failed != 0) return failed;
        if (bytes == NULL) return EIO; /* the file became shorter under our lock */
        size_t seen = survey_piece(walk, bytes, size, at, survey);
        hob_assert(seen > 0);
        at += seen;
    }
    return 0;
}
