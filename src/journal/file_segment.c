/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a journal: how one is born, becomes a spare, and lives again.
 *
 *     spare.tmp ──rename──> 00…7.seg ──trim──> spare.N ──new header, rename──> 00…9.seg
 *     (zeros, header)                  └─────> gone, when there are spares enough
 *
 * A name appears in the directory only when the file behind it is durable: header and zeros are
 * synced, then it is renamed, then the directory is synced. Zeros are written ahead of the frames,
 * so that a sync in the steady state finds the space allocated and the size unchanged and has only
 * data to write; a recycled file has that from its first life.
 *
 * Done for a full disk: a switch to a new segment either has all the space that the frame needs or
 * leaves nothing behind, and trim turns old segments into spares first, so that the next switches
 * need no space. Not done: a reserve that only acks may use; every batch that fits is taken. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "journal/file_private.h"

static const char new_name[] = "spare.tmp";

struct file_name segment_name(uint32_t segment) {
    struct file_name name;
    (void)snprintf(name.text, sizeof name.text, "%020u.seg", (unsigned)segment);
    return name;
}

struct file_name spare_name(uint32_t slot) {
    struct file_name name;
    (void)snprintf(name.text, sizeof name.text, "spare.%u", (unsigned)slot);
    return name;
}

static bool digits_parse(const char *text, size_t size, uint32_t *ret_value) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
        if (value > UINT32_MAX) return false;
    }
    *ret_value = (uint32_t)value;
    return size > 0;
}

bool segment_name_parse(const char *text, uint32_t *ret_segment) {
    if (strlen(text) != 24 || strcmp(text + 20, ".seg") != 0) return false;
    return digits_parse(text, 20, ret_segment) && *ret_segment > 0;
}

bool spare_name_parse(const char *text, uint32_t *ret_slot) {
    if (strncmp(text, "spare.", 6) != 0) return false;
    return digits_parse(text + 6, strlen(text + 6), ret_slot);
}

enum journal_result write_result(int os_errno) {
    return os_errno == ENOSPC || os_errno == EDQUOT ? JOURNAL_FULL : JOURNAL_FAILED;
}

enum hob_status corrupt_at(
    const struct journal_file *file,
    struct hob_error *err,
    uint32_t segment,
    uint64_t offset,
    const char *why
) {
    return fail(
        err,
        HOB_CORRUPT,
        "%s, byte %llu: %s. Nothing was changed; see `hob journal check`, or restore a backup. In "
        "%s",
        segment_name(segment).text,
        (unsigned long long)offset,
        why,
        file->path
    );
}

enum hob_status segment_open(
    struct journal_file *file, uint32_t segment, int flags, int *ret_fd, struct hob_error *err
) {
    int failed = file_open(file->io, file->dir, segment_name(segment).text, flags, ret_fd);
    if (failed == 0) return HOB_OK;
    return fail_errno(
        err,
        failed == ENOENT ? HOB_NOT_FOUND : HOB_DISK,
        failed,
        "cannot open %s in %s",
        segment_name(segment).text,
        file->path
    );
}

enum hob_status segment_header_read(
    struct journal_file *file,
    uint32_t segment,
    int fd,
    struct segment_header *ret_header,
    struct hob_error *err
) {
    char page[SEGMENT_PAGE_BYTES] = {0};
    size_t got;
    int failed = file_read(fd, 0, page, sizeof page, &got);
    if (failed != 0) {
        return fail_errno(err, HOB_DISK, failed, "cannot read %s", segment_name(segment).text);
    }
    struct segment_header header;
    if (!segment_header_decode(page, &header)) {
        return corrupt_at(file, err, segment, 0, "both copies of the segment header are damaged");
    }
    if (header.format > JOURNAL_FORMAT) {
        return fail(
            err,
            HOB_CONFIG,
            "%s in %s has format %u, written by a newer hob; this one knows %u: use the newer",
            segment_name(segment).text,
            file->path,
            (unsigned)header.format,
            (unsigned)JOURNAL_FORMAT
        );
    }
    if (header.segment != segment) {
        return corrupt_at(
            file, err, segment, 0, "the file was renamed: its header has another number"
        );
    }
    if (file->identity != 0 && header.identity != file->identity) {
        return corrupt_at(file, err, segment, 0, "the segment belongs to another journal");
    }
    *ret_header = header;
    return HOB_OK;
}

int segment_fill(struct journal_file *file, int fd, uint64_t size, uint64_t *filled) {
    if (size <= *filled) return 0;
    uint64_t written;
    int failed = file_write_zeros(file->io, fd, *filled, size - *filled, &written);
    *filled += written;
    (void)atomic_fetch_add(&file->stored_bytes, written);
    return failed;
}

/* A slot for the writer, SPARE_SLOTS when there is none. */
static uint32_t spare_take(struct journal_file *file) {
    (void)pthread_mutex_lock(&file->lock);
    uint32_t slot = 0;
    while (slot < SPARE_SLOTS && file->spares[slot] != SPARE_READY) slot++;
    if (slot < SPARE_SLOTS) file->spares[slot] = SPARE_BUSY;
    (void)pthread_mutex_unlock(&file->lock);
    return slot;
}

static void spare_set(struct journal_file *file, uint32_t slot, enum spare state) {
    (void)pthread_mutex_lock(&file->lock);
    file->spares[slot] = state;
    (void)pthread_mutex_unlock(&file->lock);
}

/* Give the file its size, its zeros and its header; all synced. Answers 0 or an errno. */
static int segment_prepare(
    struct journal_file *file,
    int fd,
    struct segment_header *header,
    uint64_t frame_size,
    uint64_t *ret_filled
) {
    uint64_t filled;
    int failed = file_size(fd, &filled);
    if (failed != 0) return failed;
    if (filled > header->capacity) {
        failed = file_truncate(file->io, fd, header->capacity);
        if (failed != 0) return failed;
        (void)atomic_fetch_sub(&file->stored_bytes, filled - header->capacity);
        filled = header->capacity;
    }
    if (filled > SEGMENT_PAGE_BYTES) header->flags |= SEGMENT_RECYCLED;
    uint64_t ahead =
        SEGMENT_PAGE_BYTES + (frame_size > ZERO_FILL_BYTES ? frame_size : ZERO_FILL_BYTES);
    if (ahead > header->capacity) ahead = header->capacity;
    failed = segment_fill(file, fd, ahead, &filled);
    if (failed != 0) return failed;
    char page[SEGMENT_PAGE_BYTES];
    segment_header_encode(header, page);
    struct iovec part = {.iov_base = page, .iov_len = sizeof page};
    uint64_t written;
    failed = file_write(file->io, fd, &part, 1, 0, &written);
    if (failed != 0) return failed;
    failed = file_sync(file->io, fd);
    if (failed != 0) return failed;
    *ret_filled = filled;
    return 0;
}

/* Undo a new file that could not be made. It had no name that matters, so nothing depends on the
 * unlink. */
static void segment_abandon(struct journal_file *file, int fd) {
    uint64_t size = 0;
    if (file_size(fd, &size) == 0 && file_unlink(file->io, file->dir, new_name) == 0) {
        (void)atomic_fetch_sub(&file->stored_bytes, size);
    }
}

enum journal_result segment_create(
    struct journal_file *file,
    struct segment_header header,
    uint64_t frame_size,
    int *ret_fd,
    uint64_t *ret_filled,
    struct hob_error *err
) {
    hob_assert(header.capacity >= SEGMENT_PAGE_BYTES + frame_size + FRAME_HEADER_BYTES);
    struct file_name to = segment_name(header.segment);
    uint32_t slot = spare_take(file);
    bool recycled = slot < SPARE_SLOTS;
    struct file_name from = spare_name(slot);
    if (!recycled) (void)snprintf(from.text, sizeof from.text, "%s", new_name);
    int fd = -1;
    int flags = recycled ? O_RDWR : O_RDWR | O_CREAT | O_TRUNC;
    int failed = file_open(file->io, file->dir, from.text, flags, &fd);
    if (failed == 0) failed = segment_prepare(file, fd, &header, frame_size, ret_filled);
    if (failed == 0) failed = file_rename(file->io, file->dir, from.text, to.text);
    if (failed != 0) {
        if (recycled) {
            spare_set(file, slot, SPARE_READY);
        } else if (fd >= 0) {
            segment_abandon(file, fd);
        }
        file_close(&fd);
        (void)fail_errno(err, HOB_DISK, failed, "cannot make %s in %s", to.text, file->path);
        return write_result(failed);
    }
    if (recycled) spare_set(file, slot, SPARE_NONE);
    failed = dir_sync(file->io, file->dir);
    if (failed != 0) {
        file_close(&fd);
        (void)fail_errno(err, HOB_DISK, failed, "cannot sync the directory %s", file->path);
        return JOURNAL_FAILED;
    }
    *ret_fd = fd;
    return JOURNAL_OK;
}

/* The slot that a segment may become a spare in; SPARE_SLOTS when there are enough. Only trim fills
 * a slot, so a free one stays free until it does. */
static uint32_t spare_slot_free(struct journal_file *file) {
    (void)pthread_mutex_lock(&file->lock);
    uint32_t slot = 0;
    while (slot < SPARE_SLOTS && file->spares[slot] != SPARE_NONE) slot++;
    (void)pthread_mutex_unlock(&file->lock);
    return slot;
}

/* One at a time, oldest first, the directory synced after each: a power cut never leaves a hole in
 * the numbering. */
static enum hob_status
segment_remove(struct journal_file *file, uint32_t segment, struct hob_error *err) {
    struct file_name name = segment_name(segment);
    uint32_t slot = spare_slot_free(file);
    int fd = -1;
    uint64_t size = 0;
    int failed = file_open(file->io, file->dir, name.text, O_RDONLY, &fd);
    if (failed == 0) failed = file_size(fd, &size);
    file_close(&fd);
    if (failed == 0 && slot < SPARE_SLOTS) {
        failed = file_rename(file->io, file->dir, name.text, spare_name(slot).text);
    } else if (failed == 0) {
        failed = file_unlink(file->io, file->dir, name.text);
        if (failed == 0) (void)atomic_fetch_sub(&file->stored_bytes, size);
    }
    if (failed == 0) failed = dir_sync(file->io, file->dir);
    if (failed != 0) {
        return fail_errno(err, HOB_DISK, failed, "cannot remove %s in %s", name.text, file->path);
    }
    if (slot < SPARE_SLOTS) spare_set(file, slot, SPARE_READY);
    fetch_forget(file, segment);
    return HOB_OK;
}

/* What replaces the trimmed batches may be answered but not yet synced when syncing is relaxed.
 * Every earlier segment was synced when the writer left it. */
static enum hob_status tail_sync(struct journal_file *file, struct hob_error *err) {
    int fd = -1;
    enum hob_status status = segment_open(file, file->tail_segment, O_RDWR, &fd, err);
    if (status != HOB_OK) return status;
    int failed = file_sync(file->io, fd);
    file_close(&fd);
    if (failed == 0) return HOB_OK;
    return fail_errno(
        err, HOB_DISK, failed, "cannot sync %s", segment_name(file->tail_segment).text
    );
}

enum hob_status
segment_trim(struct journal *journal, uint32_t before_segment, struct hob_error *err) {
    struct journal_file *file = (struct journal_file *)journal;
    uint32_t before_max = file->tail_segment;
    /* After a restart the last batch may lie in the segment before an empty one; it stays
     * readable. */
    if (file->tail_address != 0) before_max = address_segment(file->tail_address);
    if (before_segment > before_max) before_segment = before_max;
    if (before_segment <= file->first_segment) return HOB_OK;
    enum hob_status status = file->relaxed ? tail_sync(file, err) : HOB_OK;
    while (status == HOB_OK && file->first_segment < before_segment) {
        status = segment_remove(file, file->first_segment, err);
        if (status == HOB_OK) file->first_segment++;
    }
    return status;
}
