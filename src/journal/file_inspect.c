/* SPDX-License-Identifier: Apache-2.0 */
/* The walk of recovery (file_walk.c), made to go on behind what is bad.
 *
 *     segment ──frames──> bad bytes ──┬─ the header of the next segment continues here ──> leave
 *                                     ├─ last segment, recovery would cut               ──> TORN
 *                                     └─ else: DAMAGE, up to the next whole frame behind it
 *
 * A frame that is found behind damage is believed by its own two checksums and by the seed of its
 * segment; what the chain says is then checked again from there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "journal/file_walk.h"
#include "journal/inspect.h"

struct journal_inspect {
    struct journal_file file; /* path, directory and identity; no thread, no lock */
    struct listing listing;
    size_t at;   /* in the listing: the segment that is walked, or the next one */
    bool inside; /* a segment is being walked */
    bool known;  /* walk.end says how far the chain was followed */
    bool told_missing;
    struct mark mark;
    struct walk walk;
    long holder;
    char why[200];
};

static enum hob_status
read_failed(struct journal_inspect *inspect, int failed, struct hob_error *err) {
    return walk_read_failed(&inspect->file, &inspect->walk, failed, err);
}

static uint32_t segment_at(const struct journal_inspect *inspect, size_t at) {
    return inspect->listing.segments[at];
}

static enum hob_status list_again(struct journal_inspect *inspect, struct hob_error *err) {
    listing_deinit(&inspect->listing);
    return listing_read(&inspect->file, &inspect->listing, err);
}

/* The header of a segment, with its file open; *ret_fd is -1 when there is none, *ret_why what is
 * wrong with the header. Answers 0 or an errno. */
static int header_look(
    struct journal_inspect *inspect,
    uint32_t segment,
    struct segment_header *ret_header,
    int *ret_fd,
    const char **ret_why
) {
    *ret_fd = -1;
    *ret_why = NULL;
    int fd;
    struct file_name name = segment_name(segment);
    int failed = file_open(inspect->file.io, inspect->file.dir, name.text, O_RDONLY, &fd);
    if (failed != 0) return failed == ENOENT ? 0 : failed;
    char page[SEGMENT_PAGE_BYTES] = {0};
    size_t got;
    failed = file_read(fd, 0, page, sizeof page, &got);
    if (failed != 0) {
        file_close(&fd);
        return failed;
    }
    *ret_fd = fd;
    uint64_t identity = inspect->file.identity;
    if (!segment_header_decode(page, ret_header)) {
        *ret_why = "both copies of the segment header are damaged";
    } else if (ret_header->segment != segment) {
        *ret_why = "the file was renamed: its header has another number";
    } else if (identity != 0 && ret_header->identity != identity) {
        *ret_why = "the segment belongs to another journal";
    }
    return 0;
}

static void find_damage(
    struct journal_find *find, uint32_t segment, uint64_t offset, uint64_t size, const char *why
) {
    *find = (struct journal_find){
        .type = INSPECT_DAMAGE,
        .segment = segment,
        .offset = offset,
        .size = size,
        .lost = UINT64_MAX,
        .why = why,
    };
}

/* --- behind damage --- */

/* Does the frame at @offset stand on its own, and behind what was read? Then the walk goes on with
 * it. Answers 0 or an errno. */
static int frame_adopt(struct walk *walk, uint64_t offset, bool known, bool *ret_adopted) {
    struct frame frame;
    struct slice body;
    enum frame_fault fault;
    *ret_adopted = false;
    walk->scan.offset = offset;
    int failed = scan_frame(&walk->scan, &frame, &body, &fault);
    if (failed != 0 || fault != FRAME_GOOD) return failed;
    uint64_t before = frame.kind == FRAME_SEAL ? frame.seq : frame.seq - 1;
    if (frame.seq == 0 || (known && before < walk->end.seq)) return 0;
    walk->end =
        (struct chain_end){.seq = before, .pos = frame.first_pos - 1, .chain = frame.prev_chain};
    *ret_adopted = true;
    return 0;
}

/* Look for the next whole frame from @offset on; *ret_found tells whether there is one in this
 * segment. Answers 0 or an errno. */
static int frame_seek(struct journal_inspect *inspect, uint64_t offset, bool *ret_found) {
    struct walk *walk = &inspect->walk;
    *ret_found = false;
    for (; offset + FRAME_HEADER_BYTES <= walk->size && !*ret_found; offset += FRAME_ALIGN_BYTES) {
        const char *bytes;
        int failed = scan_bytes(&walk->scan, offset, FRAME_HEADER_BYTES, &bytes);
        if (failed != 0) return failed;
        if (bytes == NULL) return 0;
        struct frame frame;
        if (frame_decode(bytes, walk->scan.seed, &frame) != FRAME_GOOD) continue;
        failed = frame_adopt(walk, offset, inspect->known, ret_found);
        if (failed != 0) return failed;
    }
    return 0;
}

/* Tell of the damage that begins at @from, and stand behind it. */
static enum hob_status damage_pass(
    struct journal_inspect *inspect,
    uint64_t from,
    const char *why,
    struct journal_find *ret_find,
    struct hob_error *err
) {
    struct walk *walk = &inspect->walk;
    uint64_t seq = walk->end.seq;
    bool known = inspect->known;
    bool found;
    (void)snprintf(inspect->why, sizeof inspect->why, "%s", why);
    int failed = frame_seek(inspect, from + FRAME_ALIGN_BYTES, &found);
    if (failed != 0) return read_failed(inspect, failed, err);
    uint64_t to = found ? walk->scan.offset : walk->size;
    find_damage(ret_find, walk->header.segment, from, to > from ? to - from : 0, inspect->why);
    if (found) {
        if (known) ret_find->lost = walk->end.seq - seq;
        inspect->known = true;
        return HOB_OK;
    }
    inspect->inside = false;
    inspect->at++;
    if (inspect->at >= inspect->listing.count) return HOB_OK;
    struct segment_header next;
    int fd;
    const char *fault;
    failed = header_look(inspect, segment_at(inspect, inspect->at), &next, &fd, &fault);
    bool told = known && fault == NULL && fd >= 0 && next.first_seq > seq;
    file_close(&fd);
    if (failed != 0) return read_failed(inspect, failed, err);
    if (told) ret_find->lost = next.first_seq - 1 - seq;
    return HOB_OK;
}

/* --- the end of a segment --- */

/* The server cleaned this segment away while it was read. */
static bool was_trimmed(const struct journal_inspect *inspect, uint32_t segment) {
    return inspect->holder != 0 && inspect->listing.count > 0 &&
           inspect->listing.segments[0] > segment;
}

static enum hob_status restart(struct journal_inspect *inspect, struct journal_find *ret_find) {
    inspect->inside = false;
    inspect->known = false;
    inspect->at = 0;
    *ret_find =
        (struct journal_find){.type = INSPECT_RESTART, .segment = inspect->listing.segments[0]};
    return HOB_OK;
}

/* A server at work writes while we look: what was bad may have become good, the last segment one
 * among others. True when there is something new at the place of the walk. */
static enum hob_status
look_again(struct journal_inspect *inspect, bool *ret_more, struct hob_error *err) {
    struct walk *walk = &inspect->walk;
    uint32_t segment = walk->header.segment;
    enum hob_status status = list_again(inspect, err);
    if (status != HOB_OK) return status;
    while (inspect->at > 0 && (inspect->at >= inspect->listing.count ||
                               inspect->listing.segments[inspect->at] > segment)) {
        inspect->at--;
    }
    uint64_t offset = walk->scan.offset;
    struct chain_end end = walk->end;
    scan_forget(&walk->scan);
    struct frame frame;
    struct slice body;
    int failed = file_size(walk->scan.fd, &walk->size);
    if (failed == 0) failed = walk_step(walk, &frame, &body);
    if (failed != 0) return read_failed(inspect, failed, err);
    *ret_more = walk->fault == FRAME_GOOD;
    walk->scan.offset = offset;
    walk->end = end;
    return HOB_OK;
}

/* What ended the frames of the last segment. HOB_FAILED: nothing to tell, the walk is over. */
static enum hob_status
last_leave(struct journal_inspect *inspect, struct journal_find *ret_find, struct hob_error *err) {
    struct walk *walk = &inspect->walk;
    struct verdict verdict;
    uint64_t from = walk->scan.offset;
    int failed = walk_judge(walk, &verdict);
    if (failed != 0) return read_failed(inspect, failed, err);
    if (verdict.refuses && inspect->holder != 0) {
        /* or the server has just written what was not there a moment ago */
        bool more = false;
        enum hob_status status = look_again(inspect, &more, err);
        if (status != HOB_OK || more) return status != HOB_OK ? status : HOB_FAILED;
    }
    if (verdict.refuses) return damage_pass(inspect, from, verdict.why, ret_find, err);
    inspect->inside = false;
    inspect->at++;
    /* Behind the frames of a server at work lies what it is writing just now. */
    if (verdict.cut_end <= from || inspect->holder != 0) return HOB_FAILED;
    *ret_find = (struct journal_find){
        .type = INSPECT_TORN,
        .segment = walk->header.segment,
        .offset = from,
        .size = verdict.cut_end - from,
        .why = frame_fault_text(walk->fault),
    };
    return HOB_OK;
}

/* The frames have ended; HOB_FAILED: nothing to tell. */
static enum hob_status segment_leave(
    struct journal_inspect *inspect, struct journal_find *ret_find, struct hob_error *err
) {
    struct walk *walk = &inspect->walk;
    if (inspect->holder != 0) {
        bool more = false;
        enum hob_status status = look_again(inspect, &more, err);
        if (status != HOB_OK) return status;
        if (was_trimmed(inspect, walk->header.segment)) return restart(inspect, ret_find);
        if (more) return HOB_FAILED;
    }
    if (inspect->at + 1 >= inspect->listing.count) return last_leave(inspect, ret_find, err);
    struct segment_header next = {0};
    int fd;
    const char *why;
    uint32_t following = segment_at(inspect, inspect->at + 1);
    int failed = header_look(inspect, following, &next, &fd, &why);
    bool is_there = fd >= 0;
    file_close(&fd);
    if (failed != 0) return read_failed(inspect, failed, err);
    bool good = is_there && why == NULL;
    bool continues = good && next.first_seq == walk->end.seq + 1 &&
                     next.first_pos == walk->end.pos + 1 && next.prev_chain == walk->end.chain;
    /* Without a header there, or with one of a segment further on, zeros are taken for the end. */
    bool unsure = !good || following != walk->header.segment + 1;
    if (continues || (unsure && walk->fault == FRAME_NO_MAGIC)) {
        inspect->inside = false;
        inspect->at++;
        return HOB_FAILED;
    }
    return damage_pass(inspect, walk->scan.offset, frame_fault_text(walk->fault), ret_find, err);
}

/* --- the beginning of a segment --- */

/* The header is bad. Frames are looked for all the same when the journal's identity is known. */
static enum hob_status enter_headerless(
    struct journal_inspect *inspect,
    int fd,
    const char *why,
    struct journal_find *ret_find,
    struct hob_error *err
) {
    struct walk *walk = &inspect->walk;
    uint32_t segment = segment_at(inspect, inspect->at);
    struct segment_header header = {
        .segment = segment,
        .first_seq = inspect->known ? walk->end.seq + 1 : 1,
        .first_pos = inspect->known ? walk->end.pos + 1 : 1,
        .prev_chain = walk->end.chain,
    };
    uint64_t size = 0;
    int failed = file_size(fd, &size);
    walk_begin(walk, inspect->file.identity, &header, fd, size);
    if (failed != 0) return read_failed(inspect, failed, err);
    inspect->inside = true;
    find_damage(ret_find, segment, 0, SEGMENT_PAGE_BYTES, why);
    if (inspect->known) {
        ret_find->lost = 0;
        return HOB_OK;
    }
    return damage_pass(inspect, SEGMENT_PAGE_BYTES - FRAME_ALIGN_BYTES, why, ret_find, err);
}

/* A last segment that a crash left while it was made. */
static enum hob_status
unborn_look(struct journal_inspect *inspect, bool *ret_unborn, struct hob_error *err) {
    *ret_unborn = false;
    uint32_t segment = segment_at(inspect, inspect->at);
    bool was_there = inspect->mark.is_there && inspect->mark.segment >= segment;
    if (was_there || inspect->at + 1 < inspect->listing.count) return HOB_OK;
    int fd;
    enum hob_status status = segment_open(&inspect->file, segment, O_RDONLY, &fd, err);
    if (status != HOB_OK) return status;
    bool only = inspect->listing.count == 1;
    int failed = walk_headerless(inspect->file.identity, segment, fd, only, ret_unborn);
    return failed == 0 ? HOB_OK : read_failed(inspect, failed, err);
}

static bool is_missing(const struct journal_inspect *inspect) {
    return inspect->at > 0 && !inspect->told_missing &&
           segment_at(inspect, inspect->at) != segment_at(inspect, inspect->at - 1) + 1;
}

/* The next segment; HOB_FAILED: nothing to tell yet. */
static enum hob_status segment_enter(
    struct journal_inspect *inspect, struct journal_find *ret_find, struct hob_error *err
) {
    uint32_t segment = segment_at(inspect, inspect->at);
    struct segment_header header = {0};
    int fd;
    const char *why;
    inspect->walk.header.segment = segment;
    int failed = header_look(inspect, segment, &header, &fd, &why);
    if (failed != 0) return read_failed(inspect, failed, err);
    if (fd < 0) {
        enum hob_status status = list_again(inspect, err);
        if (status != HOB_OK) return status;
        if (was_trimmed(inspect, segment)) return restart(inspect, ret_find);
        return fail(err, HOB_DISK, "%s is gone", segment_name(segment).text);
    }
    if (why == NULL && header.format > JOURNAL_FORMAT) {
        file_close(&fd);
        return fail(
            err,
            HOB_CONFIG,
            "%s in %s has format %u, written by a newer hob; this one knows %u: use the newer",
            segment_name(segment).text,
            inspect->file.path,
            (unsigned)header.format,
            (unsigned)JOURNAL_FORMAT
        );
    }
    if (is_missing(inspect)) {
        file_close(&fd);
        inspect->told_missing = true;
        find_damage(
            ret_find, segment_at(inspect, inspect->at - 1) + 1, 0, 0, "segments are missing"
        );
        bool counted = inspect->known && why == NULL && header.first_seq > inspect->walk.end.seq;
        if (counted) ret_find->lost = header.first_seq - 1 - inspect->walk.end.seq;
        inspect->known = false;
        return HOB_OK;
    }
    inspect->told_missing = false;
    if (why != NULL) {
        bool unborn;
        enum hob_status status = unborn_look(inspect, &unborn, err);
        if (status == HOB_OK && !unborn) {
            return enter_headerless(inspect, fd, why, ret_find, err);
        }
        file_close(&fd);
        if (status != HOB_OK) return status;
        inspect->at++;
        *ret_find = (struct journal_find){.type = INSPECT_TORN, .segment = segment, .why = why};
        return HOB_OK;
    }
    uint64_t size = 0;
    failed = file_size(fd, &size);
    walk_begin(&inspect->walk, inspect->file.identity, &header, fd, size);
    bool is_marked = inspect->mark.is_there && segment >= inspect->mark.segment;
    inspect->walk.marked_seq = is_marked ? inspect->mark.seq : 0;
    if (failed != 0) return read_failed(inspect, failed, err);
    inspect->inside = true;
    inspect->known = true;
    *ret_find =
        (struct journal_find){.type = INSPECT_SEGMENT, .segment = segment, .file_bytes = size};
    return HOB_OK;
}

/* Behind the last segment: the mark may know of one that is not there. HOB_NOT_FOUND: the end. */
static enum hob_status end_look(struct journal_inspect *inspect, struct journal_find *ret_find) {
    uint32_t last = segment_at(inspect, inspect->listing.count - 1);
    const struct mark *mark = &inspect->mark;
    if (!mark->is_there || mark->segment <= last || inspect->told_missing) return HOB_NOT_FOUND;
    inspect->told_missing = true;
    find_damage(ret_find, last + 1, 0, 0, "segments are missing: the file MARK names a later one");
    uint64_t seq = inspect->walk.end.seq;
    if (inspect->known && mark->seq >= seq) ret_find->lost = mark->seq - seq;
    return HOB_OK;
}

enum hob_status journal_inspect_next(
    struct journal_inspect *inspect, struct journal_find *ret_find, struct hob_error *err
) {
    struct walk *walk = &inspect->walk;
    for (;;) {
        if (!inspect->inside) {
            if (inspect->at >= inspect->listing.count) return end_look(inspect, ret_find);
            enum hob_status status = segment_enter(inspect, ret_find, err);
            if (status != HOB_FAILED) return status;
            continue;
        }
        uint64_t offset = walk->scan.offset;
        struct frame frame;
        struct slice body;
        int failed = walk_step(walk, &frame, &body);
        if (failed != 0) return read_failed(inspect, failed, err);
        if (walk->fault != FRAME_GOOD) {
            enum hob_status status = segment_leave(inspect, ret_find, err);
            if (status != HOB_FAILED) return status;
            continue;
        }
        if (frame.kind == FRAME_SEAL) continue;
        *ret_find = (struct journal_find){
            .type = INSPECT_BATCH,
            .segment = walk->header.segment,
            .offset = offset,
            .size = frame_bytes(frame.body_bytes),
            .batch = frame_batch(&frame, body),
        };
        return HOB_OK;
    }
}

/* No header is left. The seed of a segment can be had from a frame in it, and all that the identity
 * is needed for is to make seeds. Answers 0 or an errno. */
static int identity_solve(struct journal_inspect *inspect, uint32_t segment) {
    struct scan *scan = &inspect->walk.scan;
    struct file_name name = segment_name(segment);
    int fd;
    uint64_t size = 0;
    int failed = file_open(inspect->file.io, inspect->file.dir, name.text, O_RDONLY, &fd);
    if (failed != 0) return failed;
    scan_start(scan, fd, 0, UINT64_MAX);
    failed = file_size(fd, &size);
    while (failed == 0 && scan->offset + FRAME_HEADER_BYTES <= size) {
        const char *bytes;
        failed = scan_bytes(scan, scan->offset, FRAME_HEADER_BYTES, &bytes);
        if (failed != 0 || bytes == NULL) return failed;
        if (memcmp(bytes, "HOBJ", 4) == 0) {
            struct frame frame;
            struct slice body;
            enum frame_fault fault;
            scan->seed = frame_seed_solve(bytes);
            failed = scan_frame(scan, &frame, &body, &fault);
            if (failed != 0) return failed;
            if (fault == FRAME_GOOD && frame.kind == FRAME_DATA) {
                inspect->file.identity = scan->seed ^ segment;
                return 0;
            }
        }
        scan->offset += FRAME_ALIGN_BYTES;
    }
    return failed;
}

static enum hob_status inspect_start(struct journal_inspect *inspect, struct hob_error *err) {
    struct journal_file *file = &inspect->file;
    int failed = dir_open(file->path, false, &file->dir);
    if (failed != 0) {
        enum hob_status status = failed == ENOENT ? HOB_NOT_FOUND : HOB_DISK;
        return fail_errno(err, status, failed, "cannot open the directory %s", file->path);
    }
    inspect->holder = lock_holder(file->dir, "LOCK");
    enum hob_status status = listing_read(file, &inspect->listing, err);
    if (status != HOB_OK) return status;
    if (inspect->listing.count == 0) {
        return fail(err, HOB_NOT_FOUND, "there is no journal in %s", file->path);
    }
    for (size_t i = 0; i < inspect->listing.count && file->identity == 0; i++) {
        struct segment_header header = {0};
        int fd;
        const char *why;
        inspect->walk.header.segment = segment_at(inspect, i); /* for what cannot be read */
        failed = header_look(inspect, segment_at(inspect, i), &header, &fd, &why);
        if (failed != 0) return read_failed(inspect, failed, err);
        if (fd >= 0 && why == NULL) file->identity = header.identity;
        file_close(&fd);
    }
    for (size_t i = 0; i < inspect->listing.count && file->identity == 0; i++) {
        inspect->walk.header.segment = segment_at(inspect, i);
        failed = identity_solve(inspect, segment_at(inspect, i));
        if (failed != 0) return read_failed(inspect, failed, err);
    }
    inspect->mark = mark_read(file);
    if (inspect->mark.identity != file->identity) inspect->mark.is_there = false;
    return HOB_OK;
}

enum hob_status journal_inspect_open(
    const char *path, struct journal_inspect **ret_inspect, struct hob_error *err
) {
    struct journal_inspect *inspect = calloc(1, sizeof *inspect);
    if (inspect == NULL) hob_panic(__FILE__, __LINE__, "out of memory");
    inspect->file.io = &file_io_system;
    inspect->file.dir = -1;
    inspect->file.path = strdup(path);
    if (inspect->file.path == NULL) hob_panic(__FILE__, __LINE__, "out of memory");
    inspect->walk.scan = scan_make();
    enum hob_status status = inspect_start(inspect, err);
    if (status != HOB_OK) {
        dir_owner_tell(path, err);
        journal_inspect_close(inspect);
        return status;
    }
    *ret_inspect = inspect;
    return HOB_OK;
}

void journal_inspect_close(struct journal_inspect *inspect) {
    if (inspect == NULL) return;
    scan_deinit(&inspect->walk.scan);
    listing_deinit(&inspect->listing);
    file_close(&inspect->file.dir);
    free(inspect->file.path);
    free(inspect);
}

bool journal_inspect_owns(const char *name) {
    uint32_t number;
    return segment_name_parse(name, &number) || spare_name_parse(name, &number) ||
           strcmp(name, SPARE_NEW_NAME) == 0 || strcmp(name, MARK_NAME) == 0 ||
           strcmp(name, MARK_NEW_NAME) == 0 || strcmp(name, "LOCK") == 0;
}

uint64_t journal_inspect_identity(const struct journal_inspect *inspect) {
    return inspect->file.identity;
}

long journal_inspect_holder(const struct journal_inspect *inspect) {
    return inspect->holder;
}
