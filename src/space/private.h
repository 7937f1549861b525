/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a space; only src/space/ includes this. */
#ifndef HOB_SPACE_PRIVATE_H
#define HOB_SPACE_PRIVATE_H

#include "base/assert.h"
#include "space/bodies.h"
#include "space/digests.h"
#include "space/space.h"

enum {
    /* A batch this large takes no further command: its checksums are made in one go. */
    BATCH_ROLL_BYTES = 2 * 1024 * 1024,
    BATCHES_WAITING_MAX = 6, /* more than this: congested */
    /* What a batch may hold when a list comes that is pushed all or none: they fit together. */
    BATCH_LIST_BYTES = JOURNAL_BATCH_BYTES_MAX - PUSH_ALL_BYTES_MAX - 64 * 1024,
    READY_ASKED_BYTES = 64 * 1024, /* less waits without asking */
    TURN_BUDGET = 500, /* jobs that time moves in one turn; as many as it has effects, if more */
    /* Of room in the journal that pushes leave to other verbs: the largest end of a job, with its
     * result and eight callbacks that tell of it, is below 7 MiB. */
    RESERVE_BYTES = 8 * 1024 * 1024,
    /* A turn's slice of cleaning is no smaller than this: */
    CLEAN_EFFECTS_MAX = 1000,      /* looked at */
    CLEAN_BYTES_MAX = 256 * 1024,  /* written again */
    CLEAN_READ_BYTES = 512 * 1024, /* read; also the piece in which a large batch is */
    /* And so many times what the turn itself has written, at least and at most. */
    CLEAN_PACE = 2,
    CLEAN_PACE_MAX = 16,
    CLEAN_LEFT_MAX = 32,       /* segments that wait until what replaces them is durable */
    DIGEST_BYTES = 256 * 1024, /* of effects between two digests, which are 30 bytes each */
};
#define FULL_RETRY_NS     (250 * NS_PER_MS)
#define CLEAN_INTERVAL_NS (5 * NS_PER_MS) /* between slices while nothing else happens */
#define SLACK_DEFAULT     (UINT64_C(256) * 1024 * 1024)
#define RESTART_GRACE_NS  (15 * NS_PER_SECOND)
#define DIGEST_AFTER_NS   (10 * NS_PER_SECOND) /* of a change: its digest, at the latest */

struct batch {
    struct batch *next;
    struct journal_batch head; /* bytes and chain are set when it flies */
    struct buf bytes;
    uint64_t *bodies; /* ids of the bodies in it */
    uint32_t body_count;
    uint32_t body_capacity;
};

struct cleaning {
    uint32_t segment;              /* being read */
    struct journal_cursor *cursor; /* NULL: none is */
    struct journal_entry entry;    /* the batch being looked through; bytes.size 0: none */
    size_t entry_at;
    /* The oldest segments, read to their ends: each may go when this sequence is durable. */
    uint64_t left_durable_at[CLEAN_LEFT_MAX];
    uint32_t left_count;
    uint64_t effects_before; /* space->effects and space->bytes at the end of the slice before */
    uint64_t bytes_before;
};

struct space {
    struct space_sink sink;
    struct engine *engine;
    struct journal *journal;
    struct bodies bodies;
    struct effect_scratch scratch;
    struct batch *flying;  /* given to the journal, or NULL */
    struct batch *sealed;  /* full ones that wait, oldest first */
    struct batch *filling; /* never NULL */
    struct batch *spare;
    uint32_t sealed_count;
    uint64_t chain;
    uint64_t durable;
    hob_ns now_ns;
    hob_ns retry_ns; /* the journal was full: when to try again; 0: it was not */
    uint64_t slack_bytes;
    uint32_t turn_jobs_max;
    uint64_t effects;      /* added to batches so far; */
    uint64_t turn_effects; /* when the turn began */
    uint64_t bytes;
    bool in_turn;
    bool recovering;
    bool full;
    struct cleaning cleaning;
    uint64_t undigested;    /* bytes of effects since the last digest */
    hob_ns undigested_ns;   /* since when there are any */
    bool digest_wanted;     /* a trim has made the last one useless */
    struct digests digests; /* that recovery has seen */
    struct hob_error failure;
    struct space_stats stats;
};

/* batch.c */
struct batch *batch_take(struct space *space);
void batch_give(struct space *space, struct batch *batch);
void batch_free(struct batch *batch);
void batch_add(struct space *space, const struct effect *effect);
/* Seal the filling batch and start another. */
void batch_roll(struct space *space);
/* Give the next batch to the journal if none is there. */
void batch_fly(struct space *space);
struct batch *batch_find(const struct space *space, uint64_t seq);

/* digest.c: the state's digest goes into the filling batch, when it is time for one. */
void digest_when_due(struct space *space);
void digest_at_end(struct space *space);
/* When it will be: HOB_NEVER when nothing has changed. */
hob_ns digest_due(const struct space *space);

/* clean.c: one slice of cleaning; true while there is more to do soon. */
void clean_slice(struct space *space);
bool clean_is_due(const struct space *space);

/* recover.c */
HOB_CHECK enum hob_status space_recover(
    struct space *space, hob_ns now_ns, struct space_recovery *ret, struct hob_error *err
);

#endif
