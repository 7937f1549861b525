/* SPDX-License-Identifier: Apache-2.0 */
/* The state that a journal tells, without a journal behind it: for tools that check, copy and mend
 * one. It is fed batches in their order; nothing of it is ever decided.
 *
 *     replica_new -> replica_batch* -> [replica_mend] -> [replica_leap] -> replica_end -> free
 *
 * Strict (no `kept`): the first effect that cannot be carried out is HOB_CORRUPT, as recovery has
 * it. With `kept` such an effect is left out, and all others are gathered there. */
#ifndef HOB_SPACE_REPLICA_H
#define HOB_SPACE_REPLICA_H

#include "engine/engine.h"
#include "journal/journal.h"
#include "space/digests.h"

/* Effects that are to be written: one batch. */
struct replica_out {
    struct buf bytes;
    uint32_t count;
    hob_ns time_ns;
};

struct replica_lost {
    uint64_t effects; /* left out: they contradict what is left before them */
    uint64_t jobs;    /* gone: their record or their payload is */
    uint64_t pieces;  /* results, logs, checkpoints, backtraces that jobs have no more */
    uint64_t unseen;  /* ids that were given out where batches are missing: jobs, or gone since */
    bool unseen_more; /* no push came behind what is missing: there may be more */
};

/* Told of each job that replica_mend() drops (@whole) or changes. */
struct replica_tell {
    void *context;
    void (*job)(void *context, uint64_t id, bool whole, const char *why);
};

struct replica;

/** Empty; owned by the caller. */
struct replica *replica_new(void);

/** NULL is fine. */
void replica_free(struct replica *replica);

/**
 * Carry out a batch. @kept NULL: strictly.
 *
 * @digests  compares those of the batch, which fails HOB_CORRUPT when one differs; none is gathered
 *           in @kept, since they name segments of this journal
 */
HOB_CHECK enum hob_status replica_batch(
    struct replica *replica,
    const struct journal_batch *batch,
    struct replica_out *kept,
    struct digests *digests,
    struct hob_error *err
);

/** Batches are missing before the next one. */
void replica_skips(struct replica *replica);

/** Gather the digest of the state as it is now, for a journal whose oldest segment is its first. */
void replica_digest(struct replica *replica, struct replica_out *kept);

/**
 * Make whole what lost batches left in pieces: jobs without a record or a payload go, what else is
 * missing of a job is forgotten. The effects of it are carried out and gathered in @kept. False
 * when all is whole; true when @kept is to be written first, and this to be called again.
 */
bool replica_mend(
    struct replica *replica, struct replica_out *kept, const struct replica_tell *tell
);

/**
 * Let the counters leap, so that no number that the original may give out after this is ever given
 * out by the copy: its ids, tokens and bodies stay apart.
 */
void replica_leap(struct replica *replica, struct replica_out *kept);

/** What was lost so far. */
struct replica_lost replica_lost(const struct replica *replica);

/** Check that it is whole, as the end of recovery does. */
HOB_CHECK enum hob_status replica_end(struct replica *replica, struct hob_error *err);

/** For reading, after replica_end(). */
const struct engine *replica_engine(const struct replica *replica);

#endif
