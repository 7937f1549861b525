/* SPDX-License-Identifier: Apache-2.0 */
/* A journal is the one durable thing of a space: a chain of batches of effects. It does not know
 * what an effect means.
 *
 *   batch      the effects of one or more turns, made durable together: all of it or nothing
 *   chain      a 64-bit XXH3 over the previous batch's chain and this batch; an append says which
 *              chain it continues, so a second writer of the same space can never slip in between
 *              (it gets JOURNAL_FENCED)
 *   segment    a run of batches that is trimmed as one; numbered from 1, growing. Batches lie in
 *              order.
 *   address    where the journal keeps a batch; opaque to everybody else, never 0, dies with its
 *              segment
 *
 * All of it is asynchronous with one append in flight: journal_append starts it, `wake` (given at
 * open) is called, from any thread, when journal_poll has something to say, and journal_poll is
 * called on the owner's thread. So the same space works on a file with a writer thread, in memory,
 * on a simulated faulty disk, and on a database.
 *
 * Life:  open -> read from the oldest segment to the tail (recovery) -> append* -> close.
 * Each implementation passes the same suite: tests/conform/journal. */
#ifndef HOB_JOURNAL_JOURNAL_H
#define HOB_JOURNAL_JOURNAL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"
#include "base/time.h"

/* clang-format off */
/*        name               text */
#define JOURNAL_RESULTS(X)                                                                   \
    X(JOURNAL_OK,       "durable")                                                      \
    X(JOURNAL_REFUSED,  "not applied")                                                  \
    X(JOURNAL_FENCED,   "another writer owns this journal; throw the engine away")      \
    X(JOURNAL_UNKNOWN,  "may or may not be durable; append the identical batch again")  \
    X(JOURNAL_FULL,     "no space; not applied")                                        \
    X(JOURNAL_CORRUPT,  "the stored bytes are not what was written")                    \
    X(JOURNAL_FAILED,   "the device failed; stop now, only a restart knows what is durable")
/* clang-format on */

enum journal_result {
#define X(name, text) name,
    JOURNAL_RESULTS(X)
#undef X
        JOURNAL_RESULT_COUNT
};

/* A frame with its header and the largest batch of effects: an atomic bulk of 16 MiB and what
 * belongs to it. */
enum { JOURNAL_BATCH_BYTES_MAX = 17 * 1024 * 1024 };

struct journal_batch {
    uint64_t seq;       /* 1 for the first batch of a journal, then dense */
    uint64_t first_pos; /* position of the first effect: 1, then dense over all effects */
    uint32_t effect_count;
    hob_ns time_ns;      /* engine time of the batch */
    uint64_t prev_chain; /* chain of batch seq-1; journal_info.chain for the first one after open */
    uint64_t chain;      /* journal_chain() of this batch */
    struct slice bytes;  /* encoded effects; borrowed until the append is answered */
};

/**
 * The chain value of a batch: XXH3-64 over prev_chain, seq, first_pos, effect_count, time_ns and
 * bytes.
 */
uint64_t journal_chain(const struct journal_batch *batch);

/* Syncs by how long they took: bucket i counts those of at most FIRST << i, the last one all that
 * took longer. */
enum { JOURNAL_SYNC_BUCKETS = 16 };
#define JOURNAL_SYNC_FIRST_NS UINT64_C(64000)

struct journal_info {
    uint64_t seq;           /* of the last batch, 0 in a new journal */
    uint64_t pos;           /* of the last effect, 0 in a new journal */
    uint64_t chain;         /* to continue; the identity of the journal in a new one */
    uint32_t first_segment; /* oldest segment that is still there */
    uint32_t last_segment;  /* the one being written */
    uint64_t segment_bytes; /* capacity of a segment */
    uint64_t stored_bytes;  /* space used on the device by segments and spares */
    /* What can still be appended now that the device gives no more space (less what is left over at
     * the end of a segment); UINT64_MAX as long as it gives. An owner keeps some of it for the
     * batches that free space. */
    uint64_t room_bytes;
    uint64_t sync_counts[JOURNAL_SYNC_BUCKETS]; /* since it was opened */
    hob_ns sync_ns;                             /* of all of them */
    uint64_t cut_bytes; /* a torn tail that recovery dropped: never acknowledged */
    char cut_note[200]; /* "" or: file, offset and why */
};

/* What a journal_append came to. */
struct journal_done {
    enum journal_result result;
    uint64_t seq;
    uint64_t address;
    uint32_t segment;
    struct hob_error error; /* filled when result is not JOURNAL_OK */
};

/* A batch while it is read back. */
struct journal_entry {
    struct journal_batch batch; /* bytes are borrowed until the next call on the cursor */
    uint64_t address;
    uint32_t segment;
    uint64_t offset; /* of the first effect in the segment's file; 0 when there is none */
};

struct journal;
struct journal_cursor;

/* @call may be NULL. It may come before journal_append returns, and from another thread. */
struct journal_wake {
    void (*call)(void *context); /* journal_poll has something */
    void *context;
};

/* clang-format off */
struct journal_ops {
    void (*close)(struct journal *journal);
    void (*info)(struct journal *journal, struct journal_info *ret_info);
    uint64_t (*room)(struct journal *journal);
    uint64_t (*ready)(struct journal *journal);
    void (*append)(struct journal *journal, const struct journal_batch *batch);
    bool (*poll)(struct journal *journal, struct journal_done *ret_done);
    enum hob_status (*wait)(struct journal *journal, struct journal_done *ret_done);
    enum hob_status (*read_open)(
        struct journal *journal,
        uint32_t segment,
        struct journal_cursor **ret_cursor,
        struct hob_error *err
    );
    enum hob_status (*read_next)(
        struct journal_cursor *cursor, struct journal_entry *ret_entry, struct hob_error *err
    );
    bool (*read_warm)(struct journal_cursor *cursor, size_t bytes_max);
    void (*read_close)(struct journal_cursor *cursor);
    enum hob_status (*fetch)(
        struct journal *journal,
        uint64_t address,
        uint32_t offset,
        uint32_t size,
        char *ret_bytes,
        struct hob_error *err
    );
    enum hob_status (*trim)(
        struct journal *journal, uint32_t before_segment, struct hob_error *err
    );
    enum hob_status (*tail)(struct journal *journal, uint64_t *ret_chain, struct hob_error *err);
};
/* clang-format on */

/* Implementations put this first in their own struct. */
struct journal {
    const struct journal_ops *ops;
};

/** Close after the append in flight has ended; frees @journal. NULL is fine. */
void journal_close(struct journal *journal);

/** What is there, without I/O. */
void journal_info(struct journal *journal, struct journal_info *ret_info);

/** journal_info.room_bytes alone: asked before each push. */
uint64_t journal_room(struct journal *journal);

/**
 * Bytes that can be appended without asking the device for space, whether it gives more or not (but
 * for what is left over at the end of a segment): who lets no more than that wait is never
 * surprised by a full one. UINT64_MAX where nothing can be full.
 */
uint64_t journal_ready(struct journal *journal);

/**
 * Start making @batch durable. At most one append may be in flight. The batch must continue the
 * chain (seq and prev_chain); one that does not is answered with JOURNAL_FENCED. An identical batch
 * may be appended again after JOURNAL_UNKNOWN: when it had been stored the answer is JOURNAL_OK and
 * nothing is stored twice.
 *
 * @batch  bytes.size 1..JOURNAL_BATCH_BYTES_MAX; bytes stay borrowed until the answer
 */
void journal_append(struct journal *journal, const struct journal_batch *batch);

/** The answer to the append in flight if it is there: true and *ret_done. Never blocks. */
bool journal_poll(struct journal *journal, struct journal_done *ret_done);

/**
 * As journal_poll, but blocks until the answer is there; for recovery, tools and tests. Fails when
 * nothing is in flight.
 */
HOB_CHECK enum hob_status journal_wait(struct journal *journal, struct journal_done *ret_done);

/**
 * Read batches in order from the first one of @segment (0: the oldest) up to the tail at the time
 * of each call. A cursor survives appends; it must not be used for segments that are trimmed
 * meanwhile.
 */
HOB_CHECK enum hob_status journal_read_open(
    struct journal *journal,
    uint32_t segment,
    struct journal_cursor **ret_cursor,
    struct hob_error *err
);

/**
 * The next batch. HOB_OK, HOB_NOT_FOUND at the tail (may be called again later), HOB_CORRUPT or
 * HOB_DISK.
 */
HOB_CHECK enum hob_status journal_read_next(
    struct journal *journal,
    struct journal_cursor *cursor,
    struct journal_entry *ret_entry,
    struct hob_error *err
);

/**
 * Bring at most about @bytes_max more of the next batch into memory; false: there is more of it to
 * come. For a reader that may not be away for as long as it takes to read all of a large one.
 * journal_read_next does not need it, and tells what went wrong here.
 */
bool journal_read_warm(struct journal *journal, struct journal_cursor *cursor, size_t bytes_max);

/** NULL is fine. */
void journal_read_close(struct journal *journal, struct journal_cursor *cursor);

/**
 * Copy @size bytes at @offset of the stored batch at @address into @ret_bytes (room for @size). Not
 * verified here: what is fetched carries its own checksum. Blocks on the device.
 */
HOB_CHECK enum hob_status journal_fetch(
    struct journal *journal,
    uint64_t address,
    uint32_t offset,
    uint32_t size,
    char *ret_bytes,
    struct hob_error *err
);

/**
 * Give up all segments numbered below @before_segment. Call it only when everything in them that
 * still matters has been appended again and that append was answered JOURNAL_OK. Never removes the
 * segment being written. Their space may come back a little later; when that fails, the next append
 * tells it.
 */
HOB_CHECK enum hob_status
journal_trim(struct journal *journal, uint32_t before_segment, struct hob_error *err);

/**
 * The chain at the durable tail, as the store has it now (a database asks; a locked file knows).
 */
HOB_CHECK enum hob_status
journal_tail(struct journal *journal, uint64_t *ret_chain, struct hob_error *err);

/** A static text for a result. */
const char *journal_result_text(enum journal_result result);

/* --- implementations --- */

/** A journal in memory: durable as long as the process. @segment_bytes 0 means 64 MiB. */
HOB_CHECK enum hob_status journal_memory_open(
    uint64_t segment_bytes,
    struct journal_wake wake,
    struct journal **ret_journal,
    struct hob_error *err
);

struct journal_file_options {
    const char *path;       /* directory; made (0700) when missing; locked while open */
    uint64_t segment_bytes; /* 0: 64 MiB; at least 64 KiB */
    /* --durability none: syncs only when it leaves a segment and when it closes, so a power cut may
     * lose batches of the last segment, never of one before. A kill loses nothing. */
    bool no_sync;
    hob_ns sync_interval_ns;  /* --durability interval: > 0 answers at once and syncs this often */
    const struct file_io *io; /* NULL: the system (os/file.h); tests count, refuse and undo calls */
    /* No thread: append and trim return when all of their work is done, so that the calls of a run
     * are the same each time. It seals only when it closes. For simulators. */
    bool by_steps;
};

/**
 * Open or create a journal in a directory. Syncs every file before it reads (see the head of
 * file.c), finds the tail, cuts a torn one (journal_info.cut_bytes says so).
 * Fails: HOB_CONFLICT another process holds the directory (text names its pid), HOB_CORRUPT (file,
 * offset, what helps), HOB_CONFIG the directory holds something else, HOB_DISK.
 */
HOB_CHECK enum hob_status journal_file_open(
    const struct journal_file_options *options,
    struct journal_wake wake,
    struct journal **ret_journal,
    struct hob_error *err
);

#endif
