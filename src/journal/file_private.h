/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the file journal share. Nobody outside file*.c includes this.
 *
 *     owner's thread                                     writer thread
 *     file.c           append, poll, info                file_write.c     store, sync, seal
 *     file_read.c      cursors, fetch                    file_segment.c   a new segment
 *     file_spare.c     trim                              file_room.c      room ahead
 *     file_recover.c   open, before the thread starts
 *
 * Each field belongs to one of the two or stands under `lock`, as the struct says. A batch is
 * handed over by `mail`. */
#ifndef HOB_JOURNAL_FILE_PRIVATE_H
#define HOB_JOURNAL_FILE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "journal/file_frame.h"
#include "journal/file_scan.h"
#include "journal/journal.h"
#include "os/file.h"

enum {
    SPARE_SLOTS = 2,      /* recycled segments that are kept: spare.0, spare.1 */
    FETCH_FILES_MAX = 32, /* segments that stay open for journal_fetch */
};

#define MARK_NAME             "MARK"
#define MARK_NEW_NAME         "MARK.tmp"
#define SPARE_NEW_NAME        "spare.tmp" /* until it is ready */
#define SEGMENT_BYTES_DEFAULT (UINT64_C(64) << 20)
#define SEGMENT_BYTES_MIN     (UINT64_C(64) << 10)
#define SEGMENT_BYTES_MAX     (UINT64_C(4) << 30)
#define ZERO_FILL_BYTES       (UINT64_C(1) << 20)
#define ROOM_BYTES            (UINT64_C(16) << 20) /* kept ready ahead of the frames */
#define IDLE_SEAL_NS          (200 * NS_PER_MS)

enum mail {
    MAIL_NONE,
    MAIL_REQUEST, /* the writer has a batch to store */
    MAIL_ANSWER   /* the owner has an answer to take */
};

enum spare {
    SPARE_NONE,
    SPARE_READY,
    SPARE_BUSY /* the writer is making a segment of it */
};

struct fetch_file {
    uint32_t segment; /* 0: free */
    int fd;
    uint64_t used_at; /* tick of the last use: the oldest is closed first */
};

/* The segment that is being written. */
struct writer {
    int fd;
    uint32_t segment;
    uint64_t capacity;
    uint64_t end;    /* where the next frame goes */
    uint64_t filled; /* the file is this long: no write below it needs new space */
    struct chain_end last;
    uint64_t durable_seq;   /* last batch that was synced */
    uint32_t first_segment; /* the oldest whose file is still there */
    hob_ns time_ns;         /* of the last batch */
    hob_ns stored_at;       /* monotonic; when the last batch was written */
    hob_ns
        dirty_at; /* monotonic; since when something waits for a sync, HOB_NEVER if nothing does */
    bool room_tried; /* no space was found for more room since the last batch */
    bool sealed;     /* the last frame needs no seal: it is one, or there is none */
};

struct journal_file {
    struct journal journal;

    /* syncs; counted by the writer, read by anybody */
    _Atomic uint64_t sync_counts[JOURNAL_SYNC_BUCKETS];
    _Atomic uint64_t sync_ns;

    /* fixed by open */
    const struct file_io *io;
    struct journal_wake wake;
    char *path;
    int dir;
    int lock_fd;
    uint64_t identity;
    uint64_t segment_bytes;
    uint64_t room_wanted;
    bool no_sync;
    bool relaxed;  /* an append is answered before it is synced */
    bool by_steps; /* the owner does the writer's work: see journal_file_options */
    hob_ns sync_interval_ns;

    /* the owner's */
    struct chain_end tail; /* of the last batch that was answered */
    uint64_t tail_address;
    uint64_t tail_end; /* no frame behind this byte of tail_segment has been answered */
    uint32_t first_segment;
    uint32_t tail_segment;
    bool in_flight;
    uint64_t cut_bytes;
    char cut_note[200];
    struct fetch_file fetch_files[FETCH_FILES_MAX];
    uint64_t fetch_tick;

    /* the writer's */
    struct writer writer;
    bool thread_runs;
    pthread_t thread;

    /* shared */
    _Atomic uint64_t stored_bytes;
    _Atomic uint64_t room_here;  /* ready space in the segment that is being written */
    _Atomic bool space_is_short; /* the device did not give what was asked for */
    pthread_mutex_t lock;        /* for all below */
    pthread_cond_t request_there;
    pthread_cond_t answer_there;
    enum mail mail;
    uint32_t trim_before; /* the files of segments below it are to go */
    bool closing;
    struct journal_batch
        batch; /* written by the owner, read by the writer while mail is MAIL_REQUEST */
    struct journal_done done; /* the other way round while it is MAIL_ANSWER */
    bool failed;              /* for ever: the device did not keep what it was given */
    struct hob_error failure;
    enum spare spares[SPARE_SLOTS];
    uint64_t spare_bytes[SPARE_SLOTS]; /* size of the file while it is SPARE_READY */
};

struct file_name {
    char text[40];
};

/* --- file_mark.c --- */

struct mark {
    bool is_there;
    uint64_t identity;
    uint32_t segment; /* it was begun */
    uint64_t seq;     /* of a batch that was synced */
};

/** The mark in the directory; not there when it is damaged. */
struct mark mark_read(const struct journal_file *file);

/** Mark the segment and the last batch of the writer, which are durable. Failures change nothing.
 */
void mark_write(struct journal_file *file);

/* --- file_segment.c --- */

/** The name of the file of a segment. */
struct file_name segment_name(uint32_t segment);

/** The name of a spare. */
struct file_name spare_name(uint32_t slot);

/** Parse either name; false when @text is none. */
bool segment_name_parse(const char *text, uint32_t *ret_segment);
bool spare_name_parse(const char *text, uint32_t *ret_slot);

/** Open the file of a segment; HOB_NOT_FOUND when there is none. */
HOB_CHECK enum hob_status segment_open(
    struct journal_file *file, uint32_t segment, int flags, int *ret_fd, struct hob_error *err
);

/**
 * Read the header page of a segment and check that it belongs here. HOB_CORRUPT when no copy of it
 * is good.
 */
HOB_CHECK enum hob_status segment_header_read(
    struct journal_file *file,
    uint32_t segment,
    int fd,
    struct segment_header *ret_header,
    struct hob_error *err
);

/**
 * Extend with zeros up to @size; *filled tells how far it came, on failure too. Answers 0 or an
 * errno.
 */
HOB_CHECK int segment_fill(struct journal_file *file, int fd, uint64_t size, uint64_t *filled);

/**
 * Make the file of a new segment, from a spare if there is one, with room for a frame of
 * @frame_size bytes; durable when it returns. JOURNAL_FULL leaves nothing behind.
 */
HOB_CHECK enum journal_result segment_create(
    struct journal_file *file,
    struct segment_header header,
    uint64_t frame_size,
    int *ret_fd,
    uint64_t *ret_filled,
    struct hob_error *err
);

/** Remove the unfinished SPARE_NEW_NAME, open as *fd, which is closed; -1: there is none. */
void segment_abandon(struct journal_file *file, int *fd);

/** What an errno of a write means for an append: JOURNAL_FULL or JOURNAL_FAILED. */
enum journal_result write_result(int os_errno);

/** Fail with HOB_CORRUPT: which file, where, why, and what to do. */
enum hob_status corrupt_at(
    const struct journal_file *file,
    struct hob_error *err,
    uint32_t segment,
    uint64_t offset,
    const char *why
);

/* --- file_spare.c --- */

/** A spare for the writer to make a segment of, now SPARE_BUSY; SPARE_SLOTS when there is none. */
uint32_t spare_take(struct journal_file *file);

/** End being BUSY. */
void spare_set(struct journal_file *file, uint32_t slot, enum spare state, uint64_t size);

/**
 * Make an empty spare, unless trim filled all slots meanwhile; durable when it returns.
 * JOURNAL_FULL leaves nothing.
 */
HOB_CHECK enum journal_result spare_make(struct journal_file *file, struct hob_error *err);

/** Remove the oldest segment; on the writer thread. */
HOB_CHECK enum journal_result segment_remove(struct journal_file *file, struct hob_error *err);

/** journal_trim of the file journal: the writer does it. */
HOB_CHECK enum hob_status
segment_trim(struct journal *journal, uint32_t before_segment, struct hob_error *err);

/* --- file_recover.c --- */

enum { SPARES_SEEN_MAX = 32 };

/* What lies in the directory. */
struct listing {
    uint32_t *segments; /* owned; growing */
    size_t count;
    size_t capacity;
    uint32_t spares;      /* bit n: spare.n */
    bool unfinished;      /* spare.tmp */
    bool unfinished_mark; /* MARK.tmp */
    char foreign[64];
};

/** Look; to be freed by listing_deinit, also when it fails. */
HOB_CHECK enum hob_status
listing_read(struct journal_file *file, struct listing *listing, struct hob_error *err);
void listing_deinit(struct listing *listing);

/**
 * Bring the directory into order and find the tail; everything the writer and the owner start from.
 */
HOB_CHECK enum hob_status recover(struct journal_file *file, struct hob_error *err);

/** HOB_CONFIG when the directory holds files that are not a journal's and no journal. */
HOB_CHECK enum hob_status recover_refuse_foreign(struct journal_file *file, struct hob_error *err);

/* --- file_room.c --- */

/* What room_prepare may wait for. */
enum room_need {
    ROOM_ENOUGH,
    ROOM_LOW,   /* prepare some when there is time */
    ROOM_URGENT /* before the next batch */
};

/** How much the writer needs more room. The lock is held. */
enum room_need room_need(struct journal_file *file);

/**
 * One step towards more room; on the writer thread, without the lock. JOURNAL_FULL: none was found.
 */
HOB_CHECK enum journal_result room_prepare(struct journal_file *file, struct hob_error *err);

/** The end of the segment or its filled part has moved, or a batch found no space. */
void room_note(struct journal_file *file, enum journal_result result);

/** journal_info.room_bytes. */
uint64_t room_bytes(struct journal_file *file);

/** journal_ready(). */
uint64_t room_ready(struct journal_file *file);

/* --- file_write.c --- */

/** Sync the segment that is being written. On the writer thread. */
HOB_CHECK enum journal_result writer_sync(struct journal_file *file, struct hob_error *err);

/** Start the thread, from what recovery found. */
HOB_CHECK enum hob_status writer_start(struct journal_file *file, struct hob_error *err);

/** After the owner has asked for something: wake the writer, or by_steps do its work. The lock is
 * held. */
void writer_ask(struct journal_file *file);

/** Store what is in flight, sync, seal, and end the thread. */
void writer_stop(struct journal_file *file);

/* --- file_read.c --- */

/** The cursor of the file journal: journal_read_open, journal_read_next, journal_read_close. */
HOB_CHECK enum hob_status read_open(
    struct journal *journal,
    uint32_t segment,
    struct journal_cursor **ret_cursor,
    struct hob_error *err
);
HOB_CHECK enum hob_status
read_next(struct journal_cursor *cursor, struct journal_entry *ret_entry, struct hob_error *err);
bool read_warm(struct journal_cursor *cursor, size_t bytes_max);
void read_close(struct journal_cursor *cursor);

/** journal_fetch of the file journal. */
HOB_CHECK enum hob_status fetch(
    struct journal *journal,
    uint64_t address,
    uint32_t offset,
    uint32_t size,
    char *ret_bytes,
    struct hob_error *err
);

/** Close the file that fetch keeps of @segment; 0: of all. */
void fetch_forget(struct journal_file *file, uint32_t segment);

/** An address is where the frame begins, in units of 8 bytes. */
static inline uint64_t address_make(uint32_t segment, uint64_t offset) {
    return (uint64_t)segment << 32 | offset / FRAME_ALIGN_BYTES;
}

static inline uint32_t address_segment(uint64_t address) {
    return (uint32_t)(address >> 32);
}

static inline uint64_t address_offset(uint64_t address) {
    return (uint64_t)(uint32_t)address * FRAME_ALIGN_BYTES;
}

#endif
