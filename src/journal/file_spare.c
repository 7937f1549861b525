/* SPDX-License-Identifier: Apache-2.0 */
/* Spares: files that wait to become segments, in two slots, spare.0 and spare.1.
 *
 *            trim, room_prepare                   segment_create
 *     NONE ────────> BUSY ────────> READY ────────> BUSY ────────> NONE
 *
 * All of it is the writer's: it fills slots from trimmed segments, fills one when none is ready,
 * and takes them; while it works on the file of a slot the slot is BUSY. A trimmed segment has all
 * its space and replaces a smaller spare; with both slots full of whole ones it goes. */
#include <errno.h>
#include <fcntl.h>

#include "base/assert.h"
#include "journal/file_private.h"

/* Make the first slot in state @from, and with less than @below bytes, BUSY; SPARE_SLOTS when there
 * is none. */
static uint32_t slot_claim(struct journal_file *file, enum spare from, uint64_t below) {
    (void)pthread_mutex_lock(&file->lock);
    uint32_t slot = 0;
    while (slot < SPARE_SLOTS && (file->spares[slot] != from || file->spare_bytes[slot] >= below)) {
        slot++;
    }
    if (slot < SPARE_SLOTS) file->spares[slot] = SPARE_BUSY;
    (void)pthread_mutex_unlock(&file->lock);
    return slot;
}

uint32_t spare_take(struct journal_file *file) {
    return slot_claim(file, SPARE_READY, UINT64_MAX);
}

void spare_set(struct journal_file *file, uint32_t slot, enum spare state, uint64_t size) {
    (void)pthread_mutex_lock(&file->lock);
    file->spares[slot] = state;
    file->spare_bytes[slot] = size;
    (void)pthread_mutex_unlock(&file->lock);
}

enum journal_result spare_make(struct journal_file *file, struct hob_error *err) {
    uint64_t filled = 0;
    int fd = -1;
    int failed = file_open(file->io, file->dir, SPARE_NEW_NAME, O_RDWR | O_CREAT | O_TRUNC, &fd);
    uint64_t size = SEGMENT_PAGE_BYTES + FRAME_HEADER_BYTES + file->room_wanted;
    if (failed == 0) failed = segment_fill(file, fd, size, &filled);
    if (failed == 0 && !file->relaxed) failed = file_sync(file->io, fd);
    /* Only now: while the zeros were written, trim may have found better ones. */
    uint32_t slot = failed == 0 ? slot_claim(file, SPARE_NONE, UINT64_MAX) : SPARE_SLOTS;
    if (slot < SPARE_SLOTS) {
        failed = file_rename(file->io, file->dir, SPARE_NEW_NAME, spare_name(slot).text);
        if (failed == 0) failed = dir_sync(file->io, file->dir);
        spare_set(file, slot, failed == 0 ? SPARE_READY : SPARE_NONE, filled);
        if (failed == 0) file_close(&fd);
    }
    segment_abandon(file, &fd);
    if (failed == 0) return JOURNAL_OK;
    (void)fail_errno(err, HOB_DISK, failed, "cannot make a spare in %s", file->path);
    return write_result(failed);
}

/* Turn the file of a segment into the spare of @slot, in place of what was there. */
static int segment_spare(
    struct journal_file *file, uint32_t segment, uint32_t slot, uint64_t size, uint64_t replaced
) {
    int failed =
        file_rename(file->io, file->dir, segment_name(segment).text, spare_name(slot).text);
    if (failed != 0) {
        spare_set(file, slot, replaced > 0 ? SPARE_READY : SPARE_NONE, replaced);
        return failed;
    }
    (void)atomic_fetch_sub(&file->stored_bytes, replaced);
    failed = dir_sync(file->io, file->dir);
    /* Not READY before the directory is synced: it would be used while its old name may return. */
    spare_set(file, slot, failed == 0 ? SPARE_READY : SPARE_NONE, size);
    return failed;
}

static int segment_unlink(struct journal_file *file, uint32_t segment, uint64_t size) {
    int failed = file_unlink(file->io, file->dir, segment_name(segment).text);
    if (failed != 0) return failed;
    (void)atomic_fetch_sub(&file->stored_bytes, size);
    return dir_sync(file->io, file->dir);
}

/* One at a time, oldest first, the directory synced after each: a power cut never leaves a hole in
 * the numbering. */
enum journal_result segment_remove(struct journal_file *file, struct hob_error *err) {
    struct writer *writer = &file->writer;
    /* What replaces the trimmed batches may be answered but not yet synced when syncing is relaxed.
     * Every earlier segment was synced when the writer left it. */
    if (writer->dirty_at != HOB_NEVER) {
        enum journal_result synced = writer_sync(file, err);
        if (synced != JOURNAL_OK) return synced;
    }
    uint32_t segment = writer->first_segment;
    int fd = -1;
    uint64_t size = 0;
    int failed = file_open(file->io, file->dir, segment_name(segment).text, O_RDONLY, &fd);
    if (failed == 0) failed = file_size(fd, &size);
    file_close(&fd);
    if (failed == 0) {
        uint32_t slot = slot_claim(file, SPARE_NONE, UINT64_MAX);
        if (slot == SPARE_SLOTS) slot = slot_claim(file, SPARE_READY, size);
        /* The slot is ours: nobody else changes its size. */
        failed = slot == SPARE_SLOTS
                     ? segment_unlink(file, segment, size)
                     : segment_spare(file, segment, slot, size, file->spare_bytes[slot]);
    }
    if (failed != 0) {
        (void)fail_errno(
            err, HOB_DISK, failed, "cannot remove %s in %s", segment_name(segment).text, file->path
        );
        return JOURNAL_FAILED;
    }
    writer->first_segment++;
    return JOURNAL_OK;
}

/* For the owner the segments are gone at once. Their files go when the writer comes to it: giving
 * back 64 MiB takes the system milliseconds, and so does the sync of a directory. */
enum hob_status
segment_trim(struct journal *journal, uint32_t before_segment, struct hob_error *err) {
    struct journal_file *file = (struct journal_file *)journal;
    (void)err; /* a failure is told by the next append */
    uint32_t before_max = file->tail_segment;
    /* After a restart the last batch may lie in the segment before an empty one; it stays
     * readable. */
    if (file->tail_address != 0) before_max = address_segment(file->tail_address);
    if (before_segment > before_max) before_segment = before_max;
    if (before_segment <= file->first_segment) return HOB_OK;
    for (; file->first_segment < before_segment; file->first_segment++) {
        fetch_forget(file, file->first_segment);
    }
    (void)pthread_mutex_lock(&file->lock);
    file->trim_before = before_segment;
    writer_ask(file);
    (void)pthread_mutex_unlock(&file->lock);
    return HOB_OK;
}
