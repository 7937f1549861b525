/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of the engine. What is past a limit is answered with its name and value, never cut
 * silently; the log is the one exception, and says so in the log itself. */
#ifndef HOB_ENGINE_LIMITS_H
#define HOB_ENGINE_LIMITS_H

#include "base/time.h"

enum {
    NAME_BYTES_MAX = 200,     /* queue, kind, worker */
    KEY_BYTES_MAX = 255,      /* idempotency key */
    REF_BYTES_MAX = 255,      /* foreign id */
    HEADERS_MAX = 32,         /* of one job, */
    HEADERS_BYTES_MAX = 4096, /* in this many bytes of JSON */
    TAGS_MAX = 16,            /* of one job, each a name, */
    TAGS_BYTES_MAX = 1024,    /* with the commas between them */
    CONTENT_TYPE_BYTES_MAX = 128,
    CALLBACKS_MAX = 8,       /* of one job */
    CALLBACKS_DEPTH_MAX = 4, /* callbacks of callbacks */
    JOBS_MAX = 133000000,    /* past it pushes are refused; */
    JOBS_RESERVED = 1217000, /* and so many more may come as callbacks */
    /* A full record: its texts, ten errors and the list of its log. */
    UPDATE_RECORD_BYTES_MAX = 16 * 1024 * 1024,
    ON_DONE_BYTES_MAX = 16 * 1024, /* of all callbacks of a job, as engine/callback.h keeps them */
    WHY_BYTES_MAX = 200,           /* reason and author of a pause, a cancel */
    PAYLOAD_BYTES_MAX = 8 * 1024 * 1024,
    PUSH_ALL_JOBS_MAX = 10000,             /* pushed all or none, */
    PUSH_ALL_BYTES_MAX = 16 * 1024 * 1024, /* in this many bytes of records */
    PAYLOAD_INLINE_BYTES_MAX = 256,        /* larger ones are bodies */
    RESULT_BYTES_MAX = 1024 * 1024,
    CHECKPOINT_BYTES_MAX = 1024 * 1024,
    ERROR_TEXT_BYTES_MAX = 1024, /* longer texts are cut, the whole stays in the log or backtrace */
    ERROR_WHAT_BYTES_MAX = 100,  /* class of an error */
    BACKTRACE_BYTES_MAX = 64 * 1024,
    ERRORS_KEPT_MAX = 10, /* per job, the latest */
    PROGRESS_TEXT_BYTES_MAX = 200,
    LOG_HEAD_BYTES_MAX = 64 * 1024,   /* per attempt: the first bytes, */
    LOG_TAIL_BYTES_MAX = 1024 * 1024, /* and the last */
    LOG_CHUNK_BYTES_MAX = 64 * 1024,  /* one LOG command */
    LOG_CHUNKS_MAX = 1024,            /* per attempt and part, so that memory is bounded too */
    QUEUES_MAX = 1000000,
    KINDS_MAX = 1000000,
    WORKERS_MAX = 100000,
    WORKER_KINDS_MAX = 256,
    WORKER_SLOTS_MAX = 100000,
    WORKER_HOLDS_MAX = WORKER_SLOTS_MAX,
    FETCH_QUEUES_MAX = 256, /* queues named by one fetch */
    FETCH_COUNT_MAX = 1000,
    NEXT_COUNT_MAX = 1000, /* jobs of a look at what is next */
    WATCHES_IDLE_MAX = 64, /* lists of globs that are remembered between fetches */
    SPOTS_MAX = 4000000,   /* queues that fit globs, over all lists of globs in use */
    QUEUE_TIER_MAX = 1000,
    QUEUE_TIER_DEFAULT = 10,
    QUEUE_WEIGHT_MAX = 1000,
    QUEUE_CONCURRENCY_MAX = 1000000,
    GROUP_WEIGHT_MAX = 1000,
    VALVE_CONCURRENCY_MAX = 1000000,
    RATE_COUNT_MAX = 1000000, /* jobs or units of a rate, and of its burst */
    JOB_LIMITERS_MAX = 4,     /* of one job, */
    LIMITERS_BYTES_MAX = 4 * (NAME_BYTES_MAX + 9),
    LIMITER_UNITS_MAX = 1000000, /* that a job takes of one */
    LIMITERS_MAX = 1000000,
    LIMITER_RULES_MAX = 1000,
    VALVES_LISTED_MAX = 1000, /* kinds, groups or limiters of one page */
    MERGE_MAX_DEFAULT = 1000, /* pushes that become one job */
    MERGE_MAX_MAX = 100000,
    MERGE_MEMBERS_MAX = 1000,     /* of an object that is summed */
    KEYS_MAX = 1000000,           /* remembered for a time; those that end first go first */
    QUEUE_LENGTH_MAX = 133000000, /* jobs that wait */
    ATTEMPT_MAX_MAX = 60000,
    ATTEMPT_MAX_DEFAULT = 25,
    RELEASES_FREE_MAX = 1000, /* releases that give their attempt back; later ones count */
    BACKOFF_LIST_MAX = 16,
    PRIORITY_DEFAULT = 1024,
    KEEP_COMPLETED_COUNT_DEFAULT = 100000, /* per queue */
    KEEP_FAILED_COUNT_DEFAULT = 100000,
    TOKENS_MAX = 1000,
    TOKEN_HASH_BYTES = 32, /* SHA-256 */
    TOKEN_GLOBS_MAX = 16,  /* of queues, of one token */
    TOKEN_QUEUES_BYTES_MAX = 2048,
};

#define LEASE_DEFAULT_NS   (15 * NS_PER_SECOND)
#define LEASE_MIN_NS       (1 * NS_PER_SECOND)
#define LEASE_MAX_NS       (24 * NS_PER_HOUR)
#define TIMEOUT_DEFAULT_NS (15 * NS_PER_MINUTE)
#define TIMEOUT_GRACE_NS \
    (30 * NS_PER_SECOND) /* the worker kills at the timeout, the engine this much later */
#define FETCH_WAIT_MAX_NS         (5 * NS_PER_MINUTE)
#define RESULT_WAIT_MAX_NS        (1 * NS_PER_HOUR)
#define KEY_KEPT_NS               (24 * NS_PER_HOUR)
#define KEEP_COMPLETED_DEFAULT_NS (24 * NS_PER_HOUR)
#define KEEP_FAILED_DEFAULT_NS    (90 * NS_PER_DAY)
#define BACKOFF_BASE_DEFAULT_NS   (2 * NS_PER_SECOND)
#define BACKOFF_MAX_DEFAULT_NS    (6 * NS_PER_HOUR)
/* So long requests of callbacks may wait for their first worker before that is told. */
#define UNSERVED_CALLBACK_NS (10 * NS_PER_SECOND)
/* When a token was used last is written down once in so long. */
#define TOKEN_USE_STEP_NS  (1 * NS_PER_HOUR)
#define RATE_PERIOD_MIN_NS (1 * NS_PER_MS)
#define AGING_MAX_NS       (30 * NS_PER_DAY)
#define DELAY_MAX_NS       (3650 * NS_PER_DAY)
#define CLOCK_JUMP_MAX_NS  (36500 * NS_PER_DAY)

#endif
