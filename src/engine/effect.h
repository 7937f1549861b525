/* SPDX-License-Identifier: Apache-2.0 */
/* Effects: the small records of what has happened, which a journal holds and replay carries out.
 * One table; a full record (…_PUT) is the whole of an object and may come again at any time
 * (cleaning), the others change one that is known.
 *
 * Bytes of an effect: varint type, varint size of what follows, then its fields in the order of its
 * struct; numbers are varints, byte strings are varint size + bytes. Fields are only ever added at
 * the end: a reader that finds fewer bytes takes zero, one that finds more skips them. */
#ifndef HOB_ENGINE_EFFECT_H
#define HOB_ENGINE_EFFECT_H

#include "base/buf.h"
#include "base/mem.h"
#include "base/status.h"
#include "engine/view.h"

/*        NAME           number  member     what happened */
#define EFFECTS(X)                                                                 \
    X(META, 1, meta, "the counters, in full")                                      \
    X(BODY, 2, body, "bytes that jobs refer to by id")                             \
    X(JOB_PUT, 3, job_put, "a job, in full; also how push and update are told")    \
    X(JOB_RUN, 4, job_run, "leased to a worker: the next attempt starts")          \
    X(JOB_LEASE, 5, job_lease, "the lease ends later")                             \
    X(JOB_DONE, 6, job_done, "completed")                                          \
    X(JOB_FAILED, 7, job_failed, "an attempt failed: retryable or discarded")      \
    X(JOB_RELEASED, 8, job_released, "given back, or rescued")                     \
    X(JOB_STAGED, 9, job_staged, "its time has come, or nothing blocks it now")    \
    X(JOB_ENDED, 10, job_ended, "cancelled or discarded")                          \
    X(JOB_RETRIED, 11, job_retried, "made available again by a person")            \
    X(JOB_DELETED, 12, job_deleted, "gone")                                        \
    X(JOB_LOGGED, 13, job_logged, "the log grew by a body")                        \
    X(JOB_PROGRESS, 14, job_progress, "how far it is")                             \
    X(JOB_CHECKPOINT, 15, job_checkpoint, "what the next attempt shall receive")   \
    X(QUEUE_PUT, 16, queue_put, "the settings of a queue, in full")                \
    X(KEY_PUT, 17, key_put, "a key that is held for a time, in full")              \
    X(KEY_DROP, 18, key_drop, "such a key is forgotten")                           \
    X(VALVE_PUT, 30, valve_put, "what stops jobs of a kind, group, limiter: full") \
    X(VALVE_DROP, 31, valve_drop, "nothing is known of a valve any more")          \
    X(VALVE_TAKEN, 32, valve_taken, "its rate gave something away")                \
    X(TOKEN_PUT, 40, token_put, "a token, in full")                                \
    X(TOKEN_DROP, 41, token_drop, "a token is revoked")                            \
    X(DIGEST, 50, digest, "what the state was here, to be compared in replay")     \
    X(CLOCK_JUMPED, 51, clock_jumped, "running jobs are spared a span of time")

enum effect_type {
    EFFECT_NONE = 0,
#define X(NAME, number, member, text) EFFECT_##NAME = number,
    EFFECTS(X)
#undef X
};

struct meta_effect {
    uint64_t next_id;
    uint64_t next_token;
    uint64_t next_body;
    hob_ns now_ns;
};

struct body_effect {
    uint64_t id;
    uint32_t
        crc; /* CRC-32C of bytes: they are read back in pieces, past the checksum of their batch */
    struct slice bytes;
};

struct job_put_effect {
    struct job_view job;
};

struct job_run_effect {
    uint64_t id;
    uint64_t token;
    hob_ns at_ns;
    hob_ns lease_until_ns;
    struct slice worker;
};

struct job_lease_effect {
    uint64_t id;
    hob_ns lease_until_ns;
};

struct job_done_effect {
    uint64_t id;
    hob_ns at_ns;
    struct body_ref result;
};

struct job_failed_effect {
    uint64_t id;
    enum job_state state;   /* retryable or discarded */
    hob_ns run_at_ns;       /* retryable */
    struct job_error error; /* error.at_ns is when */
};

struct job_released_effect {
    uint64_t id;
    hob_ns at_ns;
    enum job_state state; /* available or scheduled */
    hob_ns run_at_ns;     /* scheduled */
    bool attempt_back;    /* the attempt does not count */
    bool rescued;         /* not the worker's doing: `error` tells */
    struct job_error error;
};

struct job_staged_effect {
    uint64_t id;
    hob_ns at_ns;
};

struct job_ended_effect {
    uint64_t id;
    hob_ns at_ns;
    enum job_state state; /* cancelled or discarded */
    struct slice by;
    struct slice why;
    bool has_error; /* not a person's doing: `error` tells */
    struct job_error error;
};

struct job_retried_effect {
    uint64_t id;
    hob_ns at_ns;
    uint32_t attempt_max;
};

struct job_deleted_effect {
    uint64_t id;
};

struct job_logged_effect {
    uint64_t id;
    struct body_ref body;
    uint32_t drop_count; /* chunks of this attempt's tail that make room, oldest first */
};

struct job_progress_effect {
    uint64_t id;
    uint32_t percent;
    struct slice text;
};

struct job_checkpoint_effect {
    uint64_t id;
    struct body_ref body;
};

struct queue_put_effect {
    struct queue_view queue; /* counts are not part of it */
};

struct key_put_effect {
    struct slice key;
    uint64_t id;
    hob_ns until_ns;
    bool is_unique; /* a unique key of the scope time; else an idempotency key */
};

struct key_drop_effect {
    struct slice key;
    bool is_unique;
};

struct valve_put_effect {
    struct valve_view valve; /* what holds and what is counted are not part of it */
};

struct valve_drop_effect {
    struct valve_name valve;
};

struct valve_taken_effect {
    struct valve_name valve; /* a queue too */
    hob_ns tat_ns;
};

struct token_put_effect {
    struct token_view token;
};

struct token_drop_effect {
    struct slice name;
};

/* Written by the space, for the space: the engine carries out nothing. */
struct digest_effect {
    uint64_t digest;         /* engine_digest_kept() at this place */
    uint32_t version;        /* DIGEST_VERSION of who wrote it */
    uint32_t oldest_segment; /* that the journal had then */
    uint64_t jobs;           /* that there were */
};

struct clock_jumped_effect {
    hob_ns at_ns;
    hob_ns by_ns;
    enum clock_cause cause;
};

struct effect {
    enum effect_type type;
    union {
        struct meta_effect meta;
        struct body_effect body;
        struct job_put_effect job_put;
        struct job_run_effect job_run;
        struct job_lease_effect job_lease;
        struct job_done_effect job_done;
        struct job_failed_effect job_failed;
        struct job_released_effect job_released;
        struct job_staged_effect job_staged;
        struct job_ended_effect job_ended;
        struct job_retried_effect job_retried;
        struct job_deleted_effect job_deleted;
        struct job_logged_effect job_logged;
        struct job_progress_effect job_progress;
        struct job_checkpoint_effect job_checkpoint;
        struct queue_put_effect queue_put;
        struct key_put_effect key_put;
        struct key_drop_effect key_drop;
        struct valve_put_effect valve_put;
        struct valve_drop_effect valve_drop;
        struct valve_taken_effect valve_taken;
        struct token_put_effect token_put;
        struct token_drop_effect token_drop;
        struct digest_effect digest;
        struct clock_jumped_effect clock_jumped;
    };
};

/* Room that decode needs for arrays it hands out. */
struct effect_scratch {
    struct mem mem;
    struct body_ref *logs;
    uint32_t log_capacity;
};

/** Append the bytes of @effect. False when @out is full. */
bool effect_encode(const struct effect *effect, struct buf *out);

/**
 * Decode the effect at the start of @bytes; slices point into @bytes, arrays into @scratch (which
 * grows; freed by effect_scratch_deinit).
 *
 * Answers  the number of bytes used
 * Fails    0 and @err HOB_CORRUPT: cut short, an unknown type, or a field out of range
 */
size_t effect_decode(
    struct slice bytes,
    struct effect_scratch *scratch,
    struct effect *ret_effect,
    struct hob_error *err
);

/** Free what decoding made; twice is safe. */
void effect_scratch_deinit(struct effect_scratch *scratch);

/** The job that an effect is about; 0 when it is not about one. */
uint64_t effect_job_id(const struct effect *effect);

#endif
