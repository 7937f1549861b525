/* SPDX-License-Identifier: Apache-2.0 */
/* Room: space that is there before it is needed, filled with zeros, in the segment and in one spare
 * behind it.
 *
 *     segment  [frames ……………………|zeros …………|      not in the file yet]      spare.0 [zeros ………|
 *              ]
 *                                end        filled             capacity
 *                                 <- room ->                                        <- room ->
 *
 * It is made in steps while nobody waits, so that the sync of a batch finds its space allocated and
 * writes only data. And it is the reserve for a full disk: the step that finds no more space comes
 * while there still is room, from then on journal_info.room_bytes tells how much, and the owner can
 * keep it for what frees space. */
#include "base/assert.h"
#include "journal/file_private.h"

/* What a spare can take: all but its header page and a seal. */
static uint64_t spare_room(const struct journal_file *file) {
    const uint64_t taken = SEGMENT_PAGE_BYTES + FRAME_HEADER_BYTES;
    uint64_t room = 0;
    for (size_t slot = 0; slot < SPARE_SLOTS; slot++) {
        if (file->spares[slot] != SPARE_READY || file->spare_bytes[slot] <= taken) continue;
        room += file->spare_bytes[slot] - taken;
    }
    return room;
}

static bool spare_is_ready(const struct journal_file *file) {
    for (size_t slot = 0; slot < SPARE_SLOTS; slot++) {
        if (file->spares[slot] == SPARE_READY) return true;
    }
    return false;
}

/* As much room as is ever made ahead is there. */
static bool room_suffices(const struct journal_file *file, uint64_t room) {
    if (room >= file->room_wanted) return true;
    return file->writer.filled >= file->writer.capacity && spare_is_ready(file);
}

enum room_need room_need(struct journal_file *file) {
    if (file->failed || file->closing || file->writer.room_tried) return ROOM_ENOUGH;
    uint64_t room = atomic_load(&file->room_here) + spare_room(file);
    if (room_suffices(file, room)) {
        atomic_store(&file->space_is_short, false);
        return ROOM_ENOUGH;
    }
    return room < file->room_wanted / 2 ? ROOM_URGENT : ROOM_LOW;
}

/* More zeros at the end of the segment. */
static enum journal_result segment_extend(struct journal_file *file, struct hob_error *err) {
    struct writer *writer = &file->writer;
    uint64_t size = writer->filled + ZERO_FILL_BYTES;
    if (size > writer->capacity) size = writer->capacity;
    int failed = segment_fill(file, writer->fd, size, &writer->filled);
    if (failed != 0) {
        (void)fail_errno(
            err,
            HOB_DISK,
            failed,
            "cannot extend %s in %s",
            segment_name(writer->segment).text,
            file->path
        );
        return write_result(failed);
    }
    return file->relaxed ? JOURNAL_OK : writer_sync(file, err);
}

enum journal_result room_prepare(struct journal_file *file, struct hob_error *err) {
    const struct writer *writer = &file->writer;
    bool here = writer->filled < writer->capacity;
    enum journal_result result = here ? segment_extend(file, err) : spare_make(file, err);
    room_note(file, result);
    return result;
}

void room_note(struct journal_file *file, enum journal_result result) {
    struct writer *writer = &file->writer;
    uint64_t limit = writer->filled < writer->capacity ? writer->filled : writer->capacity;
    uint64_t taken = writer->end + FRAME_HEADER_BYTES;
    atomic_store(&file->room_here, limit > taken ? limit - taken : 0);
    /* Asked again after the next batch; the shortage is over when there is enough. */
    writer->room_tried = result == JOURNAL_FULL;
    if (result == JOURNAL_FULL) atomic_store(&file->space_is_short, true);
}

uint64_t room_bytes(struct journal_file *file) {
    return atomic_load(&file->space_is_short) ? room_ready(file) : UINT64_MAX;
}

uint64_t room_ready(struct journal_file *file) {
    (void)pthread_mutex_lock(&file->lock);
    uint64_t room = atomic_load(&file->room_here) + spare_room(file);
    (void)pthread_mutex_unlock(&file->lock);
    return room;
}
