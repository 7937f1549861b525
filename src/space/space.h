/* SPDX-License-Identifier: Apache-2.0 */
/* A space is the unit of consistency: one engine and one journal. It makes turns into batches,
 * holds back replies until what they depend on is durable (output commit), knows where bodies lie,
 * cleans the oldest segment, and recovers.
 *
 *     space_turn_begin(now)                    all sockets that are ready are served in one turn
 *       space_apply(command) …                 effects gather in the filling batch
 *     seq = space_turn_end()                   replies of the turn may leave when space_durable()
 *                                              >= seq
 *     space_poll()                             called after journal wake; starts the next append;
 *                                              says what became durable
 *
 * One batch is in flight, one is filling; when the filling one is large space_is_congested() asks
 * to read no further commands. After a journal failure the space is dead (space_failure): the
 * engine ran ahead of the journal, so nothing that it says may be told to anybody; the process ends
 * and recovers from the journal. */
#ifndef HOB_SPACE_SPACE_H
#define HOB_SPACE_SPACE_H

#include "engine/engine.h"
#include "journal/journal.h"

struct space;

struct space_sink {
    void *context;
    void (*answer
    )(void *context, const struct answer *answer); /* in a turn: to a request that was WAITING */
    void (*notice)(void *context, const struct notice *notice); /* in a turn; may be NULL */
    void (*event)(void *context, const struct event *event);    /* in a turn; may be NULL */
};

struct space_options {
    struct space_sink sink;
    struct siphash_key hash_key;
    uint64_t memory_max_bytes; /* ceiling of the engine; 0: none */
    uint64_t slack_bytes;      /* the disk stays below 2 x live + this; 0: 256 MiB */
    /* Jobs that time moves in one turn, before those who wait are served; 0: 500. */
    uint32_t turn_jobs_max;
};

struct space_recovery {
    uint64_t batches;
    uint64_t effects;
    uint64_t bytes;
    uint64_t jobs;
    uint64_t digests;  /* that were read: what the state was when they were written */
    uint64_t compared; /* of them: those that could be compared, and were the same */
    uint64_t cut_bytes;
    char cut_note[200];
};

/**
 * Recover a space from its journal. Takes @journal over: closed with the space, also when this
 * fails. Fails as the journal's reading does, and HOB_CORRUPT when effects contradict each other
 * or a digest in the journal, of the state that there was, is not that of the state here. */
HOB_CHECK enum hob_status space_open(
    struct journal *journal,
    const struct space_options *options,
    hob_ns now_ns,
    struct space **ret_space,
    struct space_recovery *ret_recovery,
    struct hob_error *err
);

/**
 * Wait until everything is durable and close. NULL is fine.
 */
void space_close(struct space *space);

/** The time that has been reached: of the last turn, of the journal. No turn is before it. */
hob_ns space_now(const struct space *space);

/** Begin a turn at @now_ns. */
void space_turn_begin(struct space *space, hob_ns now_ns);

/**
 * One command, within a turn. As engine_apply, and ANSWER_FULL for pushes while the disk is full.
 */
void space_apply(struct space *space, const struct command *command, struct answer *ret_answer);

/**
 * End the turn: time's own work is done, cleaning gets its slice, the batch goes to the journal if
 * none is in flight.
 *
 * Answers  the sequence that replies of this turn must wait for: they may leave when
 *          space_durable() is not less
 */
uint64_t space_turn_end(struct space *space);

/** All batches up to this sequence are durable. */
uint64_t space_durable(const struct space *space);

/**
 * Take the journal's answer if it is there and start the next append. True when space_durable()
 * grew.
 */
bool space_poll(struct space *space);

/** Block until everything that was applied is durable or the space has failed. */
HOB_CHECK enum hob_status space_flush(struct space *space, struct hob_error *err);

/** When the next turn has work without any command; 0: at once, HOB_NEVER: never. */
hob_ns space_due(const struct space *space);

/** Ask for no more commands until space_poll() has made progress. */
bool space_is_congested(const struct space *space);

/** The failure that killed the space, or NULL while it lives. */
const struct hob_error *space_failure(const struct space *space);

/** For reading: views, lists, stats. */
const struct engine *space_engine(const struct space *space);

/**
 * Append the bytes of a body to @out; checked against their checksum. May block on the disk.
 * Fails HOB_NOT_FOUND, HOB_CORRUPT, HOB_DISK, HOB_FAILED when @out is full.
 */
HOB_CHECK enum hob_status
space_body(struct space *space, uint64_t body_id, struct buf *out, struct hob_error *err);

struct space_stats {
    struct journal_info journal;
    uint64_t bodies;
    uint64_t body_bytes;
    uint64_t turns;
    uint64_t batches;
    uint64_t batch_bytes; /* in all batches so far */
    uint64_t digests;     /* written */
    uint64_t cleaned_segments;
    uint64_t cleaned_bytes; /* written again by cleaning */
    bool full;
};

/** Figures of the space and its journal. */
void space_stats(const struct space *space, struct space_stats *ret_stats);

#endif
