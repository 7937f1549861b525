/* SPDX-License-Identifier: Apache-2.0 */
/* The two passes of recovery over the last segment: along the frames, checked one against the
 * other; then through everything behind the last good one, in steps of 8 where frames may begin,
 * for what can tell a torn write from rot. */
#include "journal/file_walk.h"

#include <errno.h>
#include <stdio.h>

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

void walk_begin(
    struct walk *walk, uint64_t identity, const struct segment_header *header, int fd, uint64_t size
) {
    scan_start(&walk->scan, fd, frame_seed(identity, header->segment), UINT64_MAX);
    walk->header = *header;
    walk->size = size;
    walk->end = (struct chain_end){
        .seq = header->first_seq - 1,
        .pos = header->first_pos - 1,
        .chain = header->prev_chain,
    };
    walk->last_offset = 0;
    walk->suspect_offset = 0;
    walk->sealed = true;
    walk->relaxed = (header->flags & SEGMENT_RELAXED) != 0;
    walk->time_ns = header->created_ns;
    walk->fault = FRAME_GOOD;
}

int walk_step(struct walk *walk, struct frame *ret_frame, struct slice *ret_body) {
    uint64_t offset = walk->scan.offset;
    uint64_t seq_before = walk->end.seq;
    *ret_frame = (struct frame){0};
    int failed = scan_next(&walk->scan, &walk->end, ret_frame, ret_body, &walk->fault);
    if (failed != 0) return failed;
    if (walk->fault != FRAME_GOOD) {
        walk->bad = *ret_frame;
        return 0;
    }
    walk->sealed = ret_frame->kind == FRAME_SEAL;
    walk->relaxed = (ret_frame->flags & FRAME_RELAXED) != 0;
    walk->time_ns = ret_frame->time_ns;
    if (ret_frame->durable_seq >= seq_before) walk->suspect_offset = 0;
    if (ret_frame->kind != FRAME_DATA) return 0;
    walk->last_offset = offset;
    if (walk->suspect_offset == 0) walk->suspect_offset = offset;
    return 0;
}

enum hob_status walk_segment(
    struct journal_file *file, uint32_t segment, int flags, struct walk *walk, struct hob_error *err
) {
    int fd = -1;
    struct segment_header header = {0};
    enum hob_status status = segment_open(file, segment, flags, &fd, err);
    if (status == HOB_OK) status = segment_header_read(file, segment, fd, &header, err);
    if (status != HOB_OK) {
        file_close(&fd);
        return status;
    }
    uint64_t size = 0;
    int failed = file_size(fd, &size);
    walk_begin(walk, file->identity, &header, fd, size);
    while (failed == 0) {
        struct frame frame;
        struct slice body;
        failed = walk_step(walk, &frame, &body);
        if (failed == 0 && walk->fault != FRAME_GOOD) return HOB_OK;
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

static void refuse(struct verdict *verdict, const char *why) {
    verdict->refuses = true;
    (void)snprintf(verdict->why, sizeof verdict->why, "%s", why);
}

int walk_judge(struct walk *walk, struct verdict *ret_verdict) {
    struct verdict *verdict = ret_verdict;
    *verdict = (struct verdict){0};
    if (walk->fault == FRAME_OUT_OF_ORDER || walk->fault == FRAME_UNKNOWN) {
        refuse(verdict, frame_fault_text(walk->fault));
        return 0;
    }
    if (walk->end.seq < walk->marked_seq) {
        verdict->refuses = true;
        (void)snprintf(
            verdict->why,
            sizeof verdict->why,
            "%s, and the file MARK says that %llu batches more were synced",
            walk->size <= walk->scan.offset ? "the file ends" : "no frame begins there",
            (unsigned long long)(walk->marked_seq - walk->end.seq)
        );
        return 0;
    }
    struct survey survey;
    int failed = walk_survey(walk, &survey);
    if (failed != 0) return failed;
    if (survey.proof_offset != 0) {
        verdict->refuses = true;
        (void)snprintf(
            verdict->why,
            sizeof verdict->why,
            "%s, but a later one, at byte %llu, proves that it was there",
            frame_fault_text(walk->fault),
            (unsigned long long)survey.proof_offset
        );
        return 0;
    }
    uint64_t offset = walk->scan.offset;
    uint64_t cut_end = survey.frames_end;
    bool recycled = (walk->header.flags & SEGMENT_RECYCLED) != 0;
    bool relaxed = walk->relaxed || survey.frames_end != 0;
    if (!recycled && survey.nonzero_end > cut_end) cut_end = survey.nonzero_end;
    if (!recycled && !relaxed && cut_end > offset + frame_bytes(JOURNAL_BATCH_BYTES_MAX)) {
        refuse(verdict, "more bytes are damaged than a crash can leave");
        return 0;
    }
    /* With a good header the torn frame is known by its length, in a recycled file too. */
    if (walk->fault == FRAME_BAD_BODY || walk->fault == FRAME_CUT_SHORT) {
        uint64_t torn_end = offset + frame_bytes(walk->bad.body_bytes);
        if (torn_end > cut_end) cut_end = torn_end;
    }
    verdict->cut_end = cut_end > walk->size ? walk->size : cut_end;
    return 0;
}

int walk_headerless(uint64_t identity, uint32_t segment, int fd, bool only, bool *ret_unborn) {
    struct walk walk = {.scan = scan_make()};
    scan_start(&walk.scan, fd, frame_seed(identity, segment), UINT64_MAX);
    walk.header.segment = segment;
    struct survey survey = {0};
    int failed = file_size(fd, &walk.size);
    if (failed == 0) {
        walk.scan.offset = 0;
        failed = walk_survey(&walk, &survey);
    }
    scan_deinit(&walk.scan);
    /* A journal whose only segment is damaged has no identity to try its frames with. */
    bool found = survey.proof_offset != 0 || survey.frames_end != 0;
    *ret_unborn = !found && !(only && (segment != 1 || survey.nonzero_end != 0));
    return failed;
}
