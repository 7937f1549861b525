/* SPDX-License-Identifier: Apache-2.0 */
/* Segment files: their names, their header pages, and how a new one is made.
 *
 *     spare.tmp ──rename──> 00…7.seg ──trim──> spare.N ──new header, rename──> 00…9.seg
 *     (zeros, header)                  └─────> gone, when there are spares enough
 *
 * A segment's name appears in the directory only when the file behind it is durable: header and
 * zeros are synced, then it is renamed, then the directory is synced. A switch to a new segment
 * either has all the space that its first frame needs or leaves nothing behind. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "journal/file_private.h"

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
        "%s, byte %llu: %s. Nothing was changed: `hob journal check`, then restore a backup or "
        "`hob journal salvage` %s",
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

/* A spare from trim still has the header of its earlier life; one that was made ahead is all
 * zeros. */
static int header_page_exists(int fd, bool *ret_exists) {
    char page[SEGMENT_PAGE_BYTES] = {0};
    struct segment_header header;
    size_t got;
    int failed = file_read(fd, 0, page, sizeof page, &got);
    *ret_exists = failed == 0 && segment_header_decode(page, &header);
    return failed;
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
    bool recycled;
    failed = header_page_exists(fd, &recycled);
    if (failed != 0) return failed;
    if (recycled) header->flags |= SEGMENT_RECYCLED;
    uint64_t needed = SEGMENT_PAGE_BYTES + frame_size + FRAME_HEADER_BYTES;
    uint64_t wanted = SEGMENT_PAGE_BYTES + file->room_wanted + FRAME_HEADER_BYTES;
    if (filled == 0 && needed < wanted) needed = wanted;
    hob_assert(needed <= header->capacity);
    failed = segment_fill(file, fd, needed, &filled);
    if (failed != 0) return failed;
    char page[SEGMENT_PAGE_BYTES];
    segment_header_encode(header, page);
    struct iovec part = file_part(page, sizeof page);
    uint64_t written;
    failed = file_write(file->io, fd, &part, 1, 0, &written);
    if (failed != 0) return failed;
    failed = file_sync(file->io, fd);
    if (failed != 0) return failed;
    *ret_filled = filled;
    return 0;
}

void segment_abandon(struct journal_file *file, int *fd) {
    uint64_t size = 0;
    if (*fd < 0) return;
    if (file_size(*fd, &size) == 0 && file_unlink(file->io, file->dir, SPARE_NEW_NAME) == 0) {
        (void)atomic_fetch_sub(&file->stored_bytes, size);
    }
    file_close(fd);
}

/* Open the file that becomes a segment: a spare (its slot is then ours) or a new one. */
static int segment_source(
    struct journal_file *file, uint32_t *ret_slot, struct file_name *ret_name, int *ret_fd
) {
    uint32_t slot = spare_take(file);
    *ret_slot = slot;
    *ret_name = spare_name(slot);
    if (slot < SPARE_SLOTS) {
        return file_open(file->io, file->dir, ret_name->text, O_RDWR, ret_fd);
    }
    (void)snprintf(ret_name->text, sizeof ret_name->text, SPARE_NEW_NAME);
    return file_open(file->io, file->dir, ret_name->text, O_RDWR | O_CREAT | O_TRUNC, ret_fd);
}

enum journal_result segment_create(
    struct journal_file *file,
    struct segment_header header,
    uint64_t frame_size,
    int *ret_fd,
    uint64_t *ret_filled,
    struct hob_error *err
) {
    struct file_name to = segment_name(header.segment);
    struct file_name from;
    uint32_t slot;
    int fd = -1;
    int failed = segment_source(file, &slot, &from, &fd);
    if (failed == 0) failed = segment_prepare(file, fd, &header, frame_size, ret_filled);
    if (failed == 0) failed = file_rename(file->io, file->dir, from.text, to.text);
    if (failed != 0) {
        if (slot < SPARE_SLOTS) {
            uint64_t size = 0;
            if (fd >= 0 && file_size(fd, &size) != 0) size = 0;
            spare_set(file, slot, SPARE_READY, size);
            file_close(&fd);
        } else {
            segment_abandon(file, &fd);
        }
        (void)fail_errno(err, HOB_DISK, failed, "cannot make %s in %s", to.text, file->path);
        return write_result(failed);
    }
    if (slot < SPARE_SLOTS) spare_set(file, slot, SPARE_NONE, 0);
    failed = dir_sync(file->io, file->dir);
    if (failed != 0) {
        file_close(&fd);
        (void)fail_errno(err, HOB_DISK, failed, "cannot sync the directory %s", file->path);
        return JOURNAL_FAILED;
    }
    *ret_fd = fd;
    return JOURNAL_OK;
}
