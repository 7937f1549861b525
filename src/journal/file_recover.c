/* SPDX-License-Identifier: Apache-2.0 */
/* Open: what is on the disk after any end, and where the journal goes on.
 *
 * The frames of the last segment are followed until the first bytes that are no good frame, at
 * offset o. Then:
 *
 *   what is found                                                              what is done
 *   o holds a good frame that does not continue the chain, or of a newer version   refuse
 *   behind o lies a frame whose durable_seq says that the batch at o was synced     refuse
 *   more is damaged behind o than one batch can leave, and each batch was synced    refuse
 *   o stands before what the mark says was synced (file_mark.c)                     refuse
 *   anything else: a torn tail                                                      cut
 *
 * A refusal changes nothing and names the file, the byte and the commands that help.
 *
 * Good frames at the end that no later one proves to be synced are written and synced again before
 * they count (suspects_rewrite): a sync of theirs may have failed.
 *
 * A torn tail was never answered with JOURNAL_OK (or syncs were relaxed, and then its loss was
 * agreed to). What is cut is overwritten with zeros and synced before anything else happens, so it
 * cannot come back. Segments before the last one are checked when they are read (file_read.c): any
 * bad frame in them is a refusal.
 *
 * Not seen here: rot of the very last batch when no seal was written behind it, that is when the
 * process was killed within 200 ms of that batch; it looks like a torn one. And segments lost at
 * the lower end of the numbering: whoever deletes files by hand. At the upper end the mark tells
 * (file_mark.c). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "journal/file_private.h"
#include "journal/file_walk.h"
#include "os/entropy.h"

/* Files of the directory that are neither segments nor on the way to be. */
static bool is_owned(const char *name) {
    static const char *const names[] = {MARK_NAME, "LOCK", "lost+found"};
    for (size_t i = 0; i < hob_countof(names); i++) {
        if (strcmp(name, names[i]) == 0) return true;
    }
    return false;
}

static bool listing_visit(void *context, const char *name) {
    struct listing *listing = context;
    uint32_t number;
    if (segment_name_parse(name, &number)) {
        if (listing->count == listing->capacity) {
            listing->capacity = listing->capacity == 0 ? 64 : listing->capacity * 2;
            listing->segments =
                reallocarray(listing->segments, listing->capacity, sizeof *listing->segments);
            if (listing->segments == NULL) hob_panic(__FILE__, __LINE__, "out of memory");
        }
        listing->segments[listing->count++] = number;
    } else if (spare_name_parse(name, &number) && number < SPARES_SEEN_MAX) {
        listing->spares |= UINT32_C(1) << number;
    } else if (strcmp(name, SPARE_NEW_NAME) == 0) {
        listing->unfinished = true;
    } else if (strcmp(name, MARK_NEW_NAME) == 0) {
        listing->unfinished_mark = true;
    } else if (!is_owned(name)) {
        (void)snprintf(listing->foreign, sizeof listing->foreign, "%s", name);
    }
    return true;
}

static int number_compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void listing_deinit(struct listing *listing) {
    free(listing->segments);
    listing->segments = NULL;
}

enum hob_status
listing_read(struct journal_file *file, struct listing *listing, struct hob_error *err) {
    *listing = (struct listing){0};
    int failed = dir_list(file->dir, listing_visit, listing);
    if (failed != 0) {
        return fail_errno(err, HOB_DISK, failed, "cannot list the directory %s", file->path);
    }
    if (listing->count > 0) {
        qsort(listing->segments, listing->count, sizeof *listing->segments, number_compare);
    }
    return HOB_OK;
}

enum hob_status recover_refuse_foreign(struct journal_file *file, struct hob_error *err) {
    struct listing listing;
    enum hob_status status = listing_read(file, &listing, err);
    bool foreign = listing.count == 0 && listing.foreign[0] != '\0';
    listing_deinit(&listing);
    if (status != HOB_OK || !foreign) return status;
    return fail(
        err,
        HOB_CONFIG,
        "'%s' is not a journal's file: choose an empty directory or a new one, not %s",
        listing.foreign,
        file->path
    );
}

/* Spares hold nothing. Those above the number that is kept, and a new segment that was never
 * finished, go. */
static enum hob_status
spares_adopt(struct journal_file *file, const struct listing *listing, struct hob_error *err) {
    for (uint32_t slot = 0; slot < SPARES_SEEN_MAX; slot++) {
        if ((listing->spares >> slot & 1) == 0) continue;
        struct file_name name = spare_name(slot);
        int failed;
        if (slot < SPARE_SLOTS) {
            int fd = -1;
            uint64_t size = 0;
            failed = file_open(file->io, file->dir, name.text, O_RDONLY, &fd);
            if (failed == 0) failed = file_size(fd, &size);
            file_close(&fd);
            (void)atomic_fetch_add(&file->stored_bytes, size);
            spare_set(file, slot, SPARE_READY, size);
        } else {
            failed = file_unlink(file->io, file->dir, name.text);
        }
        if (failed != 0) {
            return fail_errno(err, HOB_DISK, failed, "cannot use %s in %s", name.text, file->path);
        }
    }
    int failed = listing->unfinished ? file_unlink(file->io, file->dir, SPARE_NEW_NAME) : 0;
    if (failed == 0 && listing->unfinished_mark) {
        failed = file_unlink(file->io, file->dir, MARK_NEW_NAME);
    }
    if (failed == 0) return HOB_OK;
    return fail_errno(err, HOB_DISK, failed, "cannot remove unfinished files in %s", file->path);
}

/* Overwrite what is cut. */
static enum hob_status
cut(struct journal_file *file, const struct walk *walk, uint64_t cut_end, struct hob_error *err) {
    uint64_t from = walk->scan.offset;
    if (cut_end > walk->size) cut_end = walk->size;
    if (cut_end <= from) return HOB_OK;
    uint64_t written;
    int failed = file_write_zeros(file->io, walk->scan.fd, from, cut_end - from, &written);
    if (failed == 0) failed = file_sync(file->io, walk->scan.fd);
    if (failed != 0) {
        return fail_errno(
            err,
            HOB_DISK,
            failed,
            "cannot cut the torn end of %s in %s",
            segment_name(walk->header.segment).text,
            file->path
        );
    }
    file->cut_bytes = cut_end - from;
    (void)snprintf(
        file->cut_note,
        sizeof file->cut_note,
        "%s, byte %llu: %llu bytes of an unfinished write; %s",
        segment_name(walk->header.segment).text,
        (unsigned long long)from,
        (unsigned long long)file->cut_bytes,
        frame_fault_text(walk->fault)
    );
    return HOB_OK;
}

/* The rules at the head of this file. */
static enum hob_status
tail_judge(struct journal_file *file, struct walk *walk, struct hob_error *err) {
    struct verdict verdict;
    int failed = walk_judge(walk, &verdict);
    if (failed != 0) return walk_read_failed(file, walk, failed, err);
    if (verdict.refuses) {
        return corrupt_at(file, err, walk->header.segment, walk->scan.offset, verdict.why);
    }
    return cut(file, walk, verdict.cut_end, err);
}

/* Write the frames again that nothing proves to be on the disk, as they are, and sync them. After a
 * failed sync the system takes its pages for clean: they are read back as they were meant, another
 * sync does nothing for them, and a power cut takes them away. What is told from here on must not
 * go away again. The bytes do not change, so a tear in this does no harm. */
static enum hob_status
suspects_rewrite(struct journal_file *file, struct walk *walk, struct hob_error *err) {
    uint64_t at = walk->suspect_offset;
    uint64_t end = walk->scan.offset;
    if (at == 0) return HOB_OK;
    int failed = 0;
    while (failed == 0 && at < end) {
        enum { PIECE_BYTES = 512 * 1024 };
        size_t size = end - at < PIECE_BYTES ? (size_t)(end - at) : PIECE_BYTES;
        const char *bytes;
        failed = scan_bytes(&walk->scan, at, size, &bytes);
        if (failed != 0 || bytes == NULL) return walk_read_failed(file, walk, failed, err);
        struct iovec part = file_part(bytes, size);
        uint64_t written;
        failed = file_write(file->io, walk->scan.fd, &part, 1, at, &written);
        at += size;
    }
    if (failed == 0) failed = file_sync(file->io, walk->scan.fd);
    if (failed == 0) return HOB_OK;
    return fail_errno(
        err,
        HOB_DISK,
        failed,
        "cannot write the end of %s in %s again",
        segment_name(walk->header.segment).text,
        file->path
    );
}

/* Is it the mark of this journal? The identity stands in the segments. */
static bool mark_is_ours(const struct journal_file *file, const struct mark *mark) {
    return mark->is_there && (file->identity == 0 || file->identity == mark->identity);
}

/* A last segment without a header: the crash hit its creation, unless frames of this journal lie in
 * it. */
static enum hob_status headerless_remove(
    struct journal_file *file,
    const struct mark *mark,
    struct listing *listing,
    struct hob_error *err
) {
    uint32_t segment = listing->segments[listing->count - 1];
    int fd;
    enum hob_status status = segment_open(file, segment, O_RDONLY, &fd, err);
    if (status != HOB_OK) return status;
    bool unborn = false;
    int failed = walk_headerless(file->identity, segment, fd, listing->count == 1, &unborn);
    if (failed != 0) {
        const struct walk walk = {.header = {.segment = segment}};
        return walk_read_failed(file, &walk, failed, err);
    }
    if (!unborn || (mark_is_ours(file, mark) && mark->segment >= segment)) {
        return corrupt_at(file, err, segment, 0, "both copies of the segment header are damaged");
    }
    failed = file_unlink(file->io, file->dir, segment_name(segment).text);
    if (failed == 0) failed = dir_sync(file->io, file->dir);
    if (failed != 0) {
        return fail_errno(
            err, HOB_DISK, failed, "cannot remove %s in %s", segment_name(segment).text, file->path
        );
    }
    listing->count--;
    return HOB_OK;
}

/* Sync a segment before anything of it is believed, read its header, and check it against the one
 * before it. */
static enum hob_status segment_inspect(
    struct journal_file *file,
    uint32_t segment,
    bool last,
    uint64_t *first_seq,
    struct hob_error *err
) {
    int fd = -1;
    enum hob_status status = segment_open(file, segment, O_RDWR, &fd, err);
    if (status != HOB_OK) return status;
    uint64_t size = 0;
    int failed = file_sync(file->io, fd);
    if (failed == 0) failed = file_size(fd, &size);
    if (failed != 0) {
        file_close(&fd);
        return fail_errno(
            err, HOB_DISK, failed, "cannot sync %s in %s", segment_name(segment).text, file->path
        );
    }
    if (last) file_forget_cache(fd);
    struct segment_header header;
    status = segment_header_read(file, segment, fd, &header, err);
    file_close(&fd);
    if (status != HOB_OK) return status;
    if (header.first_seq < *first_seq) {
        return corrupt_at(
            file, err, segment, 0, "the segment begins before the one that it follows"
        );
    }
    file->identity = header.identity;
    *first_seq = header.first_seq;
    (void)atomic_fetch_add(&file->stored_bytes, size);
    return HOB_OK;
}

static bool header_is_there(struct journal_file *file, uint32_t segment) {
    char page[SEGMENT_PAGE_BYTES] = {0};
    struct segment_header header;
    int fd = -1;
    size_t got;
    bool there = segment_open(file, segment, O_RDONLY, &fd, NULL) == HOB_OK &&
                 file_read(fd, 0, page, sizeof page, &got) == 0 &&
                 segment_header_decode(page, &header);
    file_close(&fd);
    return there;
}

static enum hob_status segments_inspect(
    struct journal_file *file,
    const struct mark *mark,
    struct listing *listing,
    struct hob_error *err
) {
    uint64_t first_seq = 1;
    for (size_t i = 0; i < listing->count; i++) {
        uint32_t segment = listing->segments[i];
        bool last = i + 1 == listing->count;
        if (i > 0 && segment != listing->segments[i - 1] + 1) {
            return corrupt_at(file, err, listing->segments[i - 1] + 1, 0, "the segment is missing");
        }
        struct hob_error error;
        enum hob_status status = segment_inspect(file, segment, last, &first_seq, &error);
        if (status == HOB_CORRUPT && last && !header_is_there(file, segment)) {
            return headerless_remove(file, mark, listing, err);
        }
        if (status != HOB_OK) {
            if (err != NULL) *err = error;
            return status;
        }
    }
    uint32_t last = listing->count == 0 ? 0 : listing->segments[listing->count - 1];
    if (mark_is_ours(file, mark) && last < mark->segment) {
        return corrupt_at(
            file, err, last + 1, 0, "the segment is missing: the file MARK says that it was there"
        );
    }
    return HOB_OK;
}

/* A journal that begins now. */
static enum hob_status journal_begin(struct journal_file *file, struct hob_error *err) {
    file->identity = entropy_u64();
    struct segment_header header = {
        .format = JOURNAL_FORMAT,
        .segment = 1,
        .identity = file->identity,
        .first_seq = 1,
        .first_pos = 1,
        .prev_chain = file->identity,
        .capacity = file->segment_bytes,
        .flags = file->relaxed ? SEGMENT_RELAXED : 0,
    };
    int fd;
    uint64_t filled;
    if (segment_create(file, header, 0, &fd, &filled, err) != JOURNAL_OK) return HOB_DISK;
    file_close(&fd);
    return HOB_OK;
}

/* The writer and the owner start where the walk ended. */
static void tail_adopt(struct journal_file *file, struct walk *walk) {
    file->writer = (struct writer){
        .fd = walk->scan.fd,
        .segment = walk->header.segment,
        .first_segment = file->first_segment,
        .capacity = walk->header.capacity,
        .end = walk->scan.offset,
        .filled = walk->size,
        .last = walk->end,
        .durable_seq = walk->end.seq,
        .time_ns = walk->time_ns,
        .dirty_at = HOB_NEVER,
        .sealed = walk->sealed,
    };
    walk->scan.fd = -1;
    file->tail = walk->end;
    file->tail_segment = walk->header.segment;
    file->tail_end = walk->scan.offset;
    if (walk->last_offset != 0) {
        file->tail_address = address_make(walk->header.segment, walk->last_offset);
    }
}

/* The last segment is still empty: the last batch is the last one of the segments before. */
static enum hob_status
last_batch_find(struct journal_file *file, struct walk *walk, struct hob_error *err) {
    uint32_t segment = file->tail_segment;
    while (file->tail_address == 0 && segment > file->first_segment) {
        segment--;
        enum hob_status status = walk_segment(file, segment, O_RDWR, walk, err);
        if (status != HOB_OK) return status;
        if (walk->end.seq != file->tail.seq || walk->end.chain != file->tail.chain) {
            return corrupt_at(file, err, segment, walk->scan.offset, frame_fault_text(walk->fault));
        }
        if (walk->last_offset != 0) file->tail_address = address_make(segment, walk->last_offset);
    }
    return HOB_OK;
}

enum hob_status recover(struct journal_file *file, struct hob_error *err) {
    struct listing listing;
    enum hob_status status = listing_read(file, &listing, err);
    if (status == HOB_OK) status = spares_adopt(file, &listing, err);
    if (status == HOB_OK) {
        int failed = dir_sync(file->io, file->dir);
        if (failed != 0) {
            status = fail_errno(err, HOB_DISK, failed, "cannot sync the directory %s", file->path);
        }
    }
    const struct mark mark = mark_read(file);
    if (status == HOB_OK) status = segments_inspect(file, &mark, &listing, err);
    if (status == HOB_OK && listing.count == 0) status = journal_begin(file, err);
    file->first_segment = listing.count == 0 ? 1 : listing.segments[0];
    uint32_t last = listing.count == 0 ? 1 : listing.segments[listing.count - 1];
    listing_deinit(&listing);
    if (status != HOB_OK) return status;
    struct walk walk = {.scan = scan_make()};
    if (mark_is_ours(file, &mark)) walk.marked_seq = mark.seq;
    status = walk_segment(file, last, O_RDWR, &walk, err);
    if (status == HOB_OK) status = tail_judge(file, &walk, err);
    if (status == HOB_OK) status = suspects_rewrite(file, &walk, err);
    if (status == HOB_OK) {
        tail_adopt(file, &walk);
        status = last_batch_find(file, &walk, err);
    }
    scan_deinit(&walk.scan);
    return status;
}
