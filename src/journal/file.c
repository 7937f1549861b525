/* SPDX-License-Identifier: Apache-2.0 */
/* The journal in a directory of segment files: open, the owner's side of an append, close.
 *
 *     DIR/LOCK                       flock and the id of the process that holds it
 *     DIR/00000000000000000007.seg   segments, numbered without a gap (file_segment.c), full of
 *                                    frames (file_frame.c)
 *     DIR/spare.0, spare.1           trimmed segments, to be used again
 *
 * Open syncs every segment and the directory before it believes a byte of them: what a crashed
 * process has written may be readable from memory and not be on the disk, and must not be acted on
 * until it is. The last segment is then read from the device itself: after a failed sync the memory
 * holds bytes that the disk never took.
 *
 * Not here: encryption, a second copy, network file systems (their locks and syncs promise
 * less). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "journal/file_private.h"
#include "os/thread.h"

static void file_free(struct journal_file *file) {
    fetch_forget(file, 0);
    file_close(&file->writer.fd);
    file_close(&file->dir);
    file_close(&file->lock_fd); /* last: from here on another may open the journal */
    (void)pthread_cond_destroy(&file->request_there);
    (void)pthread_cond_destroy(&file->answer_there);
    (void)pthread_mutex_destroy(&file->lock);
    free(file->path);
    free(file);
}

static void file_journal_close(struct journal *journal) {
    struct journal_file *file = (struct journal_file *)journal;
    writer_stop(file);
    file_free(file);
}

static void file_info(struct journal *journal, struct journal_info *ret_info) {
    struct journal_file *file = (struct journal_file *)journal;
    *ret_info = (struct journal_info){
        .seq = file->tail.seq,
        .pos = file->tail.pos,
        .chain = file->tail.chain,
        .first_segment = file->first_segment,
        .last_segment = file->tail_segment,
        .segment_bytes = file->segment_bytes,
        .stored_bytes = atomic_load(&file->stored_bytes),
        .room_bytes = room_bytes(file),
        .cut_bytes = file->cut_bytes,
    };
    for (size_t i = 0; i < JOURNAL_SYNC_BUCKETS; i++) {
        ret_info->sync_counts[i] = atomic_load(&file->sync_counts[i]);
    }
    ret_info->sync_ns = atomic_load(&file->sync_ns);
    _Static_assert(sizeof ret_info->cut_note == sizeof file->cut_note, "copied as a whole");
    memcpy(ret_info->cut_note, file->cut_note, sizeof ret_info->cut_note);
}

static uint64_t file_room(struct journal *journal) {
    return room_bytes((struct journal_file *)journal);
}

static uint64_t file_ready(struct journal *journal) {
    return room_ready((struct journal_file *)journal);
}

/* An answer that needs no disk. */
static void answer(struct journal_file *file, const struct journal_done *done) {
    (void)pthread_mutex_lock(&file->lock);
    file->done = *done;
    file->mail = MAIL_ANSWER;
    (void)pthread_mutex_unlock(&file->lock);
    if (file->wake.call != NULL) file->wake.call(file->wake.context);
}

static void file_append(struct journal *journal, const struct journal_batch *batch) {
    struct journal_file *file = (struct journal_file *)journal;
    hob_assert(!file->in_flight);
    file->in_flight = true;
    const struct chain_end *tail = &file->tail;
    bool next = batch->seq == tail->seq + 1 && batch->prev_chain == tail->chain &&
                batch->first_pos == tail->pos + 1;
    if (next) {
        (void)pthread_mutex_lock(&file->lock);
        hob_assert(file->mail == MAIL_NONE);
        file->batch = *batch;
        file->mail = MAIL_REQUEST;
        writer_ask(file);
        (void)pthread_mutex_unlock(&file->lock);
        return;
    }
    struct journal_done done = {.result = JOURNAL_FENCED, .seq = batch->seq};
    if (batch->seq == tail->seq && batch->chain == tail->chain) {
        done.result = JOURNAL_OK;
        done.address = file->tail_address;
        done.segment = address_segment(file->tail_address);
    } else {
        (void)fail(
            &done.error,
            HOB_CONFLICT,
            "batch %llu does not continue the journal, which ends with %llu",
            (unsigned long long)batch->seq,
            (unsigned long long)tail->seq
        );
    }
    answer(file, &done);
}

/* The owner's view moves with the answer, on the owner's thread. */
static void answer_take(struct journal_file *file, struct journal_done *ret_done) {
    hob_assert(file->in_flight);
    file->in_flight = false;
    file->mail = MAIL_NONE;
    *ret_done = file->done;
    if (file->done.result != JOURNAL_OK || file->done.seq == file->tail.seq) return;
    const struct journal_batch *batch = &file->batch;
    hob_assert(batch->seq == file->done.seq);
    file->tail = (struct chain_end){
        .seq = batch->seq,
        .pos = batch->first_pos + batch->effect_count - 1,
        .chain = batch->chain,
    };
    file->tail_address = file->done.address;
    file->tail_segment = file->done.segment;
    file->tail_end = address_offset(file->done.address) + frame_bytes(batch->bytes.size);
}

static bool file_poll(struct journal *journal, struct journal_done *ret_done) {
    struct journal_file *file = (struct journal_file *)journal;
    (void)pthread_mutex_lock(&file->lock);
    bool there = file->mail == MAIL_ANSWER;
    if (there) answer_take(file, ret_done);
    (void)pthread_mutex_unlock(&file->lock);
    return there;
}

static enum hob_status file_wait(struct journal *journal, struct journal_done *ret_done) {
    struct journal_file *file = (struct journal_file *)journal;
    if (!file->in_flight) return HOB_FAILED;
    (void)pthread_mutex_lock(&file->lock);
    while (file->mail != MAIL_ANSWER) {
        (void)condition_wait(&file->answer_there, &file->lock, HOB_NEVER);
    }
    answer_take(file, ret_done);
    (void)pthread_mutex_unlock(&file->lock);
    return HOB_OK;
}

static enum hob_status
file_tail(struct journal *journal, uint64_t *ret_chain, struct hob_error *err) {
    (void)err; /* the directory is locked: nobody else can have appended */
    *ret_chain = ((struct journal_file *)journal)->tail.chain;
    return HOB_OK;
}

static const struct journal_ops file_ops = {
    .close = file_journal_close,
    .info = file_info,
    .room = file_room,
    .ready = file_ready,
    .append = file_append,
    .poll = file_poll,
    .wait = file_wait,
    .read_open = read_open,
    .read_next = read_next,
    .read_warm = read_warm,
    .read_close = read_close,
    .fetch = fetch,
    .trim = segment_trim,
    .tail = file_tail,
};

static struct journal_file *
file_new(const struct journal_file_options *options, struct journal_wake wake) {
    struct journal_file *file = calloc(1, sizeof *file);
    char *path = strdup(options->path);
    if (file == NULL || path == NULL) hob_panic(__FILE__, __LINE__, "out of memory");
    uint64_t bytes = options->segment_bytes == 0 ? SEGMENT_BYTES_DEFAULT : options->segment_bytes;
    file->journal.ops = &file_ops;
    file->io = options->io == NULL ? &file_io_system : options->io;
    file->wake = wake;
    file->path = path;
    file->dir = -1;
    file->lock_fd = -1;
    file->segment_bytes = bytes / SEGMENT_PAGE_BYTES * SEGMENT_PAGE_BYTES;
    file->room_wanted = ROOM_BYTES < bytes / 2 ? ROOM_BYTES : bytes / 2;
    file->no_sync = options->no_sync;
    file->by_steps = options->by_steps;
    file->sync_interval_ns = options->sync_interval_ns;
    file->relaxed = options->no_sync || options->sync_interval_ns > 0;
    file->writer.fd = -1;
    file->writer.dirty_at = HOB_NEVER;
    int failed = pthread_mutex_init(&file->lock, NULL);
    hob_assert(failed == 0);
    condition_init(&file->request_there);
    condition_init(&file->answer_there);
    return file;
}

static enum hob_status directory_lock(struct journal_file *file, struct hob_error *err) {
    long holder = 0;
    int failed = lock_take(file->dir, "LOCK", &file->lock_fd, &holder);
    if (failed == 0) return HOB_OK;
    if (failed != EWOULDBLOCK) {
        return fail_errno(err, HOB_DISK, failed, "cannot lock the journal %s", file->path);
    }
    return fail(
        err,
        HOB_CONFLICT,
        "process %ld has this journal open: end it first, or choose another directory than %s",
        holder,
        file->path
    );
}

static enum hob_status file_start(struct journal_file *file, struct hob_error *err) {
    int failed = dir_open(file->path, true, &file->dir);
    if (failed != 0) {
        return fail_errno(err, HOB_CONFIG, failed, "cannot open the directory %s", file->path);
    }
    /* Before the lock: a directory that is not ours stays as it is. */
    enum hob_status status = recover_refuse_foreign(file, err);
    if (status == HOB_OK) status = directory_lock(file, err);
    if (status == HOB_OK) status = recover(file, err);
    if (status == HOB_OK) status = writer_start(file, err);
    return status;
}

enum hob_status journal_file_open(
    const struct journal_file_options *options,
    struct journal_wake wake,
    struct journal **ret_journal,
    struct hob_error *err
) {
    uint64_t bytes = options->segment_bytes;
    if (bytes != 0 && (bytes < SEGMENT_BYTES_MIN || bytes > SEGMENT_BYTES_MAX)) {
        return fail(
            err,
            HOB_CONFIG,
            "a segment of %llu bytes: it must have 64 KiB to 4 GiB",
            (unsigned long long)bytes
        );
    }
    struct journal_file *file = file_new(options, wake);
    enum hob_status status = file_start(file, err);
    if (status != HOB_OK) {
        dir_owner_tell(options->path, err);
        file_free(file);
        return status;
    }
    *ret_journal = &file->journal;
    return HOB_OK;
}
