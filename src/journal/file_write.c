/* SPDX-License-Identifier: Apache-2.0 */
/* The writer thread: takes one batch, stores it as one frame, syncs, answers.
 *
 *     owner                 mail              writer
 *     append ──────────> REQUEST ──────────> pwrite, fdatasync
 *     poll   <────────── ANSWER  <────────── wake.call()
 *
 * One batch is in flight, so only one frame can be torn by a crash: that is what recovery relies
 * on. The frame goes out in whole pages (zeros behind it, which the next frame overwrites): in a
 * recycled file a page that is written in part would have to be read first.
 *
 * What may go wrong:
 *   no space (ENOSPC, EDQUOT) while nothing of the batch is synced   JOURNAL_FULL; the end stays
 *   where it was, a header that
 *                                                                    got out is wiped, later
 *                                                                    appends try again
 *   any other failure of a write, every failure of a sync            JOURNAL_FAILED, now and for
 *   every later append: after a
 *                                                                    failed sync the system forgets
 *                                                                    the pages, so a second sync
 *                                                                    that succeeds proves nothing
 *
 * In idle time it seals (see FRAME_SEAL), and it syncs what waits when syncs are made at
 * intervals. */
#include <errno.h>
#include <fcntl.h>

#include "base/assert.h"
#include "journal/file_private.h"
#include "os/clock.h"
#include "os/thread.h"

enum { PAGE_BYTES = 4096 };

static void count_sync(struct journal_file *file, hob_ns span) {
    size_t bucket = 0;
    while (bucket < JOURNAL_SYNC_BUCKETS - 1 && span > JOURNAL_SYNC_FIRST_NS << bucket) bucket++;
    (void)atomic_fetch_add(&file->sync_counts[bucket], 1);
    (void)atomic_fetch_add(&file->sync_ns, span);
}

enum journal_result writer_sync(struct journal_file *file, struct hob_error *err) {
    struct writer *writer = &file->writer;
    hob_ns began_ns = clock_monotonic();
    int failed = file_sync(file->io, writer->fd);
    count_sync(file, clock_monotonic() - began_ns);
    if (failed != 0) {
        (void)fail_errno(
            err,
            HOB_DISK,
            failed,
            "cannot sync %s in %s",
            segment_name(writer->segment).text,
            file->path
        );
        return JOURNAL_FAILED;
    }
    writer->durable_seq = writer->last.seq;
    writer->dirty_at = HOB_NEVER;
    return JOURNAL_OK;
}

/* Space for a frame that ends at @end. Filling ahead may find the disk full where the frame itself
 * still fits. */
static int space_make(struct journal_file *file, uint64_t end) {
    struct writer *writer = &file->writer;
    if (end <= writer->filled) return 0;
    uint64_t ahead = writer->filled + ZERO_FILL_BYTES;
    if (ahead < end) ahead = end;
    if (ahead > writer->capacity) ahead = writer->capacity;
    int failed = segment_fill(file, writer->fd, ahead, &writer->filled);
    return end <= writer->filled ? 0 : failed;
}

/* A frame that was not finished must not be read as one, whatever is written behind it later. The
 * bytes were just written, so this needs no space; should it fail all the same, the checksum of the
 * body still refuses the frame. */
static void frame_wipe(struct journal_file *file) {
    uint64_t written;
    int failed =
        file_write_zeros(file->io, file->writer.fd, file->writer.end, FRAME_HEADER_BYTES, &written);
    (void)failed;
}

/* Write one frame at the end of the segment, which has room for it; not synced here. */
static enum journal_result frame_write(
    struct journal_file *file, const struct frame *frame, struct slice body, struct hob_error *err
) {
    static const char zeros[PAGE_BYTES + FRAME_ALIGN_BYTES];
    struct writer *writer = &file->writer;
    uint64_t end = writer->end + frame_bytes(body.size);
    uint64_t page_end = (end + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    if (page_end > writer->capacity) page_end = end;
    hob_assert(page_end <= writer->capacity);
    int failed = space_make(file, page_end);
    if (failed != 0 && end <= writer->filled) { /* the last bytes of a full disk */
        page_end = end;
        failed = 0;
    }
    uint64_t written = 0;
    if (failed == 0) {
        char header[FRAME_HEADER_BYTES];
        frame_encode(frame, frame_seed(file->identity, writer->segment), header);
        uint64_t used = FRAME_HEADER_BYTES + body.size;
        struct iovec parts[] = {
            file_part(header, sizeof header),
            file_part(body.bytes, body.size),
            file_part(zeros, page_end - writer->end - used),
        };
        failed = file_write(file->io, writer->fd, parts, hob_countof(parts), writer->end, &written);
    }
    if (failed != 0) {
        if (written > 0) frame_wipe(file);
        (void)fail_errno(
            err,
            HOB_DISK,
            failed,
            "cannot write %s in %s",
            segment_name(writer->segment).text,
            file->path
        );
        return write_result(failed);
    }
    writer->end = end;
    return JOURNAL_OK;
}

static bool frame_fits(const struct writer *writer, uint64_t frame_size) {
    /* A seal must always fit behind the last batch. */
    return writer->end + frame_size + FRAME_HEADER_BYTES <= writer->capacity;
}

/* Say that everything so far is on the disk. Without room (only a marked segment can be that full)
 * nothing is said. */
static enum journal_result seal(struct journal_file *file, struct hob_error *err) {
    struct writer *writer = &file->writer;
    hob_assert(writer->durable_seq == writer->last.seq);
    writer->sealed = true; /* also when it fails for space: it is tried once per batch */
    if (writer->end + FRAME_HEADER_BYTES > writer->capacity) return JOURNAL_OK;
    struct frame frame = {
        .seq = writer->last.seq,
        .first_pos = writer->last.pos + 1,
        .time_ns = writer->time_ns,
        .durable_seq = writer->durable_seq,
        .prev_chain = writer->last.chain,
        .kind = FRAME_SEAL,
        .flags = file->relaxed ? FRAME_RELAXED : 0,
    };
    enum journal_result result = frame_write(file, &frame, SLICE_NONE, err);
    if (result == JOURNAL_FULL) return JOURNAL_OK;
    return result == JOURNAL_OK ? writer_sync(file, err) : result;
}

/* Leave the segment for a new one in which @frame_size bytes fit. */
static enum journal_result segment_switch(
    struct journal_file *file, uint64_t frame_size, hob_ns time_ns, struct hob_error *err
) {
    struct writer *writer = &file->writer;
    if (writer->dirty_at != HOB_NEVER) {
        enum journal_result synced = writer_sync(file, err);
        if (synced != JOURNAL_OK) return synced;
    }
    uint64_t needed = SEGMENT_PAGE_BYTES + frame_size + FRAME_HEADER_BYTES;
    needed = (needed + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    struct segment_header header = {
        .format = JOURNAL_FORMAT,
        .segment = writer->segment + 1,
        .identity = file->identity,
        .first_seq = writer->last.seq + 1,
        .first_pos = writer->last.pos + 1,
        .prev_chain = writer->last.chain,
        .capacity = needed > file->segment_bytes ? needed : file->segment_bytes,
        .created_ns = time_ns,
        .flags = file->relaxed ? SEGMENT_RELAXED : 0,
    };
    int fd;
    uint64_t filled;
    enum journal_result result = segment_create(file, header, frame_size, &fd, &filled, err);
    if (result != JOURNAL_OK) return result;
    file_close(&writer->fd);
    writer->fd = fd;
    writer->segment = header.segment;
    writer->capacity = header.capacity;
    writer->end = SEGMENT_PAGE_BYTES;
    writer->filled = filled;
    writer->sealed = true;
    /* Where syncs are relaxed, nothing says that the segment is on the disk. */
    if (!file->relaxed) mark_write(file);
    return JOURNAL_OK;
}

static enum journal_result batch_store(
    struct journal_file *file, const struct journal_batch *batch, struct journal_done *done
) {
    struct writer *writer = &file->writer;
    hob_assert(batch->seq == writer->last.seq + 1);
    hob_assert(batch->prev_chain == writer->last.chain);
    hob_assert(batch->chain == journal_chain(batch));
    uint64_t size = frame_bytes(batch->bytes.size);
    if (!frame_fits(writer, size)) {
        enum journal_result switched = segment_switch(file, size, batch->time_ns, &done->error);
        if (switched != JOURNAL_OK) return switched;
    }
    struct frame frame = {
        .body_bytes = (uint32_t)batch->bytes.size,
        .body_crc = frame_body_crc(batch->bytes),
        .seq = batch->seq,
        .first_pos = batch->first_pos,
        .time_ns = batch->time_ns,
        .durable_seq = writer->durable_seq,
        .prev_chain = batch->prev_chain,
        .effect_count = batch->effect_count,
        .kind = FRAME_DATA,
        .flags = file->relaxed ? FRAME_RELAXED : 0,
    };
    done->address = address_make(writer->segment, writer->end);
    done->segment = writer->segment;
    enum journal_result result = frame_write(file, &frame, batch->bytes, &done->error);
    if (result != JOURNAL_OK) return result;
    writer->last = (struct chain_end){
        .seq = batch->seq,
        .pos = batch->first_pos + batch->effect_count - 1,
        .chain = batch->chain,
    };
    writer->time_ns = batch->time_ns;
    writer->sealed = false;
    writer->stored_at = clock_monotonic();
    if (writer->dirty_at == HOB_NEVER) writer->dirty_at = writer->stored_at;
    return file->relaxed ? JOURNAL_OK : writer_sync(file, &done->error);
}

/* Remember a failure for good. Called with the lock held. */
static void failure_note(struct journal_file *file, const struct hob_error *error) {
    if (file->failed) return;
    file->failed = true;
    file->failure = *error;
}

/* Answer the batch in `mail`. Called with the lock held, and returns so. */
static void request_serve(struct journal_file *file) {
    struct journal_done done = {.result = JOURNAL_FAILED, .seq = file->batch.seq};
    if (file->failed) {
        done.error = file->failure;
    } else {
        struct journal_batch batch = file->batch;
        (void)pthread_mutex_unlock(&file->lock);
        done.result = batch_store(file, &batch, &done);
        room_note(file, done.result);
        (void)pthread_mutex_lock(&file->lock);
        if (done.result == JOURNAL_FAILED) failure_note(file, &done.error);
    }
    file->done = done;
    file->mail = MAIL_ANSWER;
    (void)pthread_cond_signal(&file->answer_there);
    (void)pthread_mutex_unlock(&file->lock);
    if (file->wake.call != NULL) file->wake.call(file->wake.context);
    (void)pthread_mutex_lock(&file->lock);
}

/* When idle work is due: the sync of what waits, then the seal. */
static hob_ns idle_deadline(const struct journal_file *file) {
    const struct writer *writer = &file->writer;
    if (file->failed || file->no_sync) return HOB_NEVER;
    if (writer->dirty_at != HOB_NEVER) return ns_add(writer->dirty_at, file->sync_interval_ns);
    return writer->sealed ? HOB_NEVER : ns_add(writer->stored_at, IDLE_SEAL_NS);
}

/* Called with the lock held, and returns so. */
static void idle_serve(struct journal_file *file) {
    struct hob_error error;
    (void)pthread_mutex_unlock(&file->lock);
    bool dirty = file->writer.dirty_at != HOB_NEVER;
    enum journal_result result = dirty ? writer_sync(file, &error) : seal(file, &error);
    (void)pthread_mutex_lock(&file->lock);
    if (result != JOURNAL_OK) failure_note(file, &error);
}

/* Called with the lock held, and returns so. */
static void room_serve(struct journal_file *file) {
    struct hob_error error;
    (void)pthread_mutex_unlock(&file->lock);
    enum journal_result result = room_prepare(file, &error);
    (void)pthread_mutex_lock(&file->lock);
    if (result == JOURNAL_FAILED) failure_note(file, &error);
}

/* Called with the lock held, and returns so. */
static void trim_serve(struct journal_file *file) {
    struct hob_error error;
    (void)pthread_mutex_unlock(&file->lock);
    enum journal_result result = segment_remove(file, &error);
    (void)pthread_mutex_lock(&file->lock);
    if (result != JOURNAL_OK) failure_note(file, &error);
}

/* Do one thing that is to be done; false: nothing is. Called with the lock held, and returns so. */
static bool writer_step(struct journal_file *file, hob_ns deadline) {
    enum room_need need = room_need(file);
    /* Under steady load there is always a request when the interval is over: the sync goes
     * first. */
    bool due = deadline != HOB_NEVER && clock_monotonic() >= deadline;
    bool trims = !file->failed && file->trim_before > file->writer.first_segment;
    if (due) {
        idle_serve(file);
    } else if (trims) {
        trim_serve(file);
    } else if (need == ROOM_URGENT || (need == ROOM_LOW && file->mail != MAIL_REQUEST)) {
        room_serve(file);
    } else if (file->mail == MAIL_REQUEST) {
        request_serve(file);
    } else {
        return false;
    }
    return true;
}

static void *writer_main(void *argument) {
    struct journal_file *file = argument;
    (void)pthread_mutex_lock(&file->lock);
    for (;;) {
        hob_ns deadline = idle_deadline(file);
        if (writer_step(file, deadline)) continue;
        if (file->closing) break;
        (void)condition_wait(&file->request_there, &file->lock, deadline);
    }
    (void)pthread_mutex_unlock(&file->lock);
    return NULL;
}

void writer_ask(struct journal_file *file) {
    if (!file->by_steps) {
        (void)pthread_cond_signal(&file->request_there);
        return;
    }
    while (writer_step(file, HOB_NEVER)) continue;
}

/* A writer that does not sync each batch says so on the disk before its first one: recovery then
 * knows that what comes behind may be torn in more than one place. */
static enum journal_result relaxed_mark(struct journal_file *file, struct hob_error *err) {
    const struct writer *writer = &file->writer;
    /* A segment without room for the mark and a seal takes no batch either: the next one is marked
     * in its header. */
    if (writer->end + (uint64_t)2 * FRAME_HEADER_BYTES > writer->capacity) return JOURNAL_OK;
    return seal(file, err);
}

enum hob_status writer_start(struct journal_file *file, struct hob_error *err) {
    if (file->relaxed) {
        enum journal_result marked = relaxed_mark(file, err);
        if (marked != JOURNAL_OK) return HOB_DISK;
    }
    room_note(file, JOURNAL_OK);
    if (file->by_steps) return HOB_OK;
    int failed = thread_start(&file->thread, "hob-journal", writer_main, file);
    if (failed != 0) {
        return fail_errno(err, HOB_FAILED, failed, "cannot start the journal's thread");
    }
    file->thread_runs = true;
    return HOB_OK;
}

void writer_stop(struct journal_file *file) {
    if (!file->thread_runs && !file->by_steps) return;
    if (file->thread_runs) {
        (void)pthread_mutex_lock(&file->lock);
        file->closing = true;
        (void)pthread_cond_signal(&file->request_there);
        (void)pthread_mutex_unlock(&file->lock);
        thread_join(file->thread);
        file->thread_runs = false;
    }
    if (file->failed) return;
    /* A clean end is on the disk and says so, even where syncs are relaxed. There is nobody left to
     * tell of a failure; the next open finds what there is. */
    enum journal_result result = JOURNAL_OK;
    if (file->writer.dirty_at != HOB_NEVER) result = writer_sync(file, NULL);
    if (result == JOURNAL_OK && !file->writer.sealed) result = seal(file, NULL);
    if (result == JOURNAL_OK) mark_write(file);
}
