/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of the engine. A command is borrowed for the call; slices in it too. Zero in a
 * field that has a default means the default. `request` is the asker's own number: it comes back in
 * answers that arrive later (fetch, wait). */
#ifndef HOB_ENGINE_COMMAND_H
#define HOB_ENGINE_COMMAND_H

#include "base/slice.h"
#include "base/time.h"
#include "engine/limits.h"
#include "engine/states.h"

/*        NAME        member      what it does */
#define ENGINE_COMMANDS(X)                                                       \
    X(PUSH, push, "add a job to a queue")                                        \
    X(FETCH, fetch, "lease the next jobs to a worker, waiting for one if asked") \
    X(ACK, ack, "finish a leased job")                                           \
    X(FAIL, fail, "end an attempt: retry later or discard")                      \
    X(RELEASE, release, "give a leased job back without counting the attempt")   \
    X(EXTEND, extend, "lengthen a lease")                                        \
    X(CHECKPOINT, checkpoint, "save what the next attempt shall receive")        \
    X(LOG, log, "add lines to the log of the running attempt")                   \
    X(PROGRESS, progress, "say how far a running job is")                        \
    X(CANCEL, cancel, "stop a job that is not final")                            \
    X(DISCARD, discard, "end a waiting job as failed")                           \
    X(RETRY, retry, "make a final or waiting job available now")                 \
    X(DELETE, delete, "remove a job and everything it holds")                    \
    X(UPDATE, update, "change fields of a waiting job")                          \
    X(PAUSE, pause, "stop fetching from a queue")                                \
    X(RESUME, resume, "go on fetching from a queue")                             \
    X(QUEUE_SET, queue_set, "change the settings of a queue")                    \
    X(VALVE_SET, valve_set, "change the limits of a group or limiter")           \
    X(VALVE_PAUSE, valve_pause, "stop the jobs of a kind, group or limiter")     \
    X(VALVE_RESUME, valve_resume, "let these jobs start again")                  \
    X(GROUP_SKIP, group_skip, "go on after the job that blocks a group")         \
    X(WORKER_SET, worker_set, "register a worker")                               \
    X(WORKER_BEAT, worker_beat, "a worker is alive: its leases stay")            \
    X(WAIT, wait, "wait until a job is final")                                   \
    X(TOKEN_PUT, token_put, "make a token")                                      \
    X(TOKEN_DROP, token_drop, "revoke a token")                                  \
    X(TOKEN_USE, token_use, "a token was used")                                  \
    X(PUSH_ALL, push_all, "add several jobs, all of them or none")               \
    X(FORGET, forget, "the asker is gone: drop its waiting request")             \
    X(CLOCK_JUMP, clock_jump, "nobody could reach the server for a while")

enum command_type {
#define X(NAME, member, text) COMMAND_##NAME,
    ENGINE_COMMANDS(X)
#undef X
        COMMAND_TYPE_COUNT
};

enum backoff_type {
    BACKOFF_EXPONENTIAL, /* min(max, base * 2^(n-1)) * jitter in [1/2, 1] */
    BACKOFF_FIXED,       /* base */
    BACKOFF_SIDEKIQ,     /* n^4 + 15 s + jitter in [0, 10 (n + 1)) s */
    BACKOFF_LIST,        /* delays[n-1], the last one again and again */
    BACKOFF_TYPE_COUNT
};

struct backoff {
    enum backoff_type type;
    hob_ns base_ns; /* exponential, fixed; 0: 2 s */
    hob_ns max_ns;  /* exponential; 0: 6 h */
    uint32_t delay_count;
    hob_ns delays_ns[BACKOFF_LIST_MAX];
};

/* In which states a job holds its unique key. The numbers stand in journals. */
enum unique_scope {
    UNIQUE_DONE,    /* until it is final */
    UNIQUE_WAITING, /* while it waits: scheduled, available, retryable, blocked */
    UNIQUE_RUNNING,
    UNIQUE_TIME, /* for a time from the push on, whatever becomes of the job */
    UNIQUE_SCOPE_COUNT
};

/* What a push does when its unique key is held. */
enum on_conflict {
    CONFLICT_EXISTING, /* answers with the holder, as a duplicate */
    CONFLICT_REJECT,
    CONFLICT_REPLACE, /* a waiting holder of the same queue takes what the push says */
    CONFLICT_LATEST,  /* the same; while the holder runs, one more waits for its end: blocked */
    ON_CONFLICT_COUNT
};

/* How a push joins the job that waits for its unique key. */
enum merge { MERGE_NONE, MERGE_APPEND, MERGE_SUM, MERGE_LAST, MERGE_COUNT };

struct push_command {
    struct slice queue;
    struct slice kind;
    struct slice payload;
    struct slice key; /* idempotency; empty: none */
    struct slice ref; /* foreign id; empty: none */
    bool has_priority;
    uint32_t priority;    /* smaller first */
    hob_ns run_at_ns;     /* 0 or past: now */
    hob_ns delay_ns;      /* added to now; used when run_at_ns is 0 */
    uint32_t attempt_max; /* 0: 25 */
    hob_ns timeout_ns;    /* of one attempt; 0: 15 min */
    bool has_keep;
    hob_ns keep_ns; /* how long a final job stays; 0 with has_keep: not at all once completed */
    bool has_backoff;
    struct backoff backoff;
    struct slice headers;      /* a JSON object of strings; see engine/labels.h */
    struct slice tags;         /* names with commas between */
    struct slice content_type; /* of the payload; empty: not said */
    struct slice on_done;      /* what follows its end: see engine/callback.h */
    hob_ns expires_ns;         /* discarded when it has not started by then; 0: see the next */
    hob_ns expires_in_ns;      /* the same, from now; 0: never */
    struct slice group;        /* takes turns with the other groups of its queue; empty: none */
    bool front;                /* before all others of its priority and group */
    struct slice unique;       /* at most one job holds this key; empty: none. engine/unique.c */
    enum unique_scope unique_scope;
    enum on_conflict on_conflict;
    hob_ns unique_for_ns; /* the scope time: how long it holds */
    hob_ns debounce_ns;   /* runs so long after the last push that replaced it; 0: not so */
    hob_ns max_wait_ns;   /* but no later than this after the first one; 0: however late */
    enum merge merge;
    uint32_t merge_max;    /* so many pushes make the job run at once; 0: MERGE_MAX_DEFAULT */
    struct slice limiters; /* `name` or `name=units`, commas between; at most 4 */
    hob_ns deadline_ns;    /* must be done by then; 0: see the next */
    hob_ns deadline_in_ns; /* the same, from now; 0: none */
    hob_ns margin_ns;      /* it starts at least so long before its deadline */
    uint64_t parent;       /* the running job that pushes it; 0: none */
    struct slice needs;    /* labels, commas between: only a worker that has them all runs it */
    uint32_t cost;         /* slots of its worker that it takes; 0: one */
};

/* All of them, or none: see engine/pushall.c. */
struct push_all_command {
    const struct push_command *pushes;
    uint32_t count; /* 1..PUSH_ALL_JOBS_MAX */
};

/* Which fields an update changes. */
struct update_fields {
    bool queue;
    bool payload;
    bool priority;
    bool time; /* run_at_ns, delay_ns */
    bool attempt_max;
    bool timeout;
    bool keep;
    bool backoff;
    bool tags;
    bool headers;
    bool content_type;
    bool on_done;
    bool expires;
    bool group;
    bool front;
    bool limiters;
    bool deadline;
    bool margin;
    bool needs;
    bool cost;
};

struct update_command {
    uint64_t id;
    bool has_version;
    uint32_t version; /* that the job must have */
    struct update_fields has;
    struct push_command to; /* the values of these fields, as for a push */
};

enum fetch_mode {
    FETCH_WEIGHTED, /* the default: turns between the named queues that have work */
    FETCH_LISTED,   /* strictly in the order given */
    FETCH_MERGED,   /* smallest priority, then smallest id, over all of them */
    FETCH_MODE_COUNT
};

/* Which jobs may come together. */
enum fetch_same {
    FETCH_SAME_NOTHING,
    FETCH_SAME_KIND,  /* of one queue and one kind: those of the first */
    FETCH_SAME_GROUP, /* of one queue and one group; jobs without a group are one */
    FETCH_SAME_COUNT
};

struct fetch_command {
    struct slice worker;        /* an unknown name is registered with default slots and any kind */
    const struct slice *queues; /* names, globs, and either with a '!' before it to exclude */
    uint32_t queue_count;       /* 1..FETCH_QUEUES_MAX */
    struct slice only;          /* globs with one space between them that a queue must fit too */
    uint32_t count;             /* jobs wanted at most; 0: 1 */
    enum fetch_mode mode;
    enum fetch_same same;
    hob_ns wait_ns;  /* 0: answer at once */
    hob_ns lease_ns; /* 0: 15 s */
};

/* The right to a running job: both must match. */
struct lease_ref {
    uint64_t id;
    uint64_t token;
};

struct ack_command {
    struct lease_ref lease;
    struct slice result;
};

struct fail_command {
    struct lease_ref lease;
    struct slice what; /* class of the error, for grouping; may be empty */
    struct slice text; /* cut at ERROR_TEXT_BYTES_MAX */
    struct slice backtrace;
    enum error_cause cause;
    int32_t code;   /* exit code or signal number */
    bool permanent; /* no further attempt */
    bool has_retry_in;
    hob_ns retry_in_ns; /* instead of the backoff */
    hob_ns pause_ns;    /* its first limiter is paused at least so long; 0, or without one: not */
};

struct release_command {
    struct lease_ref lease;
    hob_ns delay_ns; /* 0: available at once */
};

struct extend_command {
    struct lease_ref lease;
    hob_ns lease_ns; /* from now; 0: 15 s */
};

struct checkpoint_command {
    struct lease_ref lease;
    struct slice bytes; /* empty: forget the checkpoint */
};

struct log_command {
    struct lease_ref lease;
    struct slice entries; /* encoded as engine/logline.h says, 1..LOG_CHUNK_BYTES_MAX */
};

struct progress_command {
    struct lease_ref lease;
    uint32_t percent; /* 0..100 */
    struct slice text;
};

/* cancel, discard, retry, delete */
struct control_command {
    uint64_t id;
    struct slice by;  /* who, for the record; may be empty */
    struct slice why; /* may be empty */
};

struct pause_command {
    struct slice queue;
    hob_ns until_ns; /* 0: until somebody resumes */
    struct slice by;
    struct slice why;
};

struct resume_command {
    struct slice queue;
};

#define QUEUE_OWN_PREFIX "hob."

enum queue_order { QUEUE_FIFO, QUEUE_LIFO, QUEUE_ORDER_COUNT };

/* What happens when more jobs would wait in a queue than its length allows. The numbers stand in
 * journals. */
enum on_full {
    FULL_REJECT,      /* a push is refused */
    FULL_DROP_OLDEST, /* the waiting job with the smallest id is discarded */
    FULL_DROP_NEWEST, /* that with the largest */
    ON_FULL_COUNT
};

/* So many in a period, evenly, and up to a burst at once after a rest; count 0: any number. */
struct rate {
    uint32_t count;
    uint32_t burst; /* 0: count */
    hob_ns period_ns;
};

/* What is changed about a rate. */
struct rate_set {
    bool has_rate;
    uint32_t count; /* 0: no rate */
    hob_ns period_ns;
    bool has_burst;
    uint32_t burst; /* 0: the count */
};

/* The jobs of one group: any order, or one after the other. Then, when one fails for good: */
enum group_order {
    GROUP_LOOSE,
    GROUP_BLOCK, /* the group stops until a person looks after that job */
    GROUP_SKIP,  /* it goes on */
    GROUP_PARK,  /* it goes on, even while that job waits for another attempt */
    GROUP_ORDER_COUNT
};

struct queue_set_command {
    struct slice queue;
    bool has_order;
    enum queue_order order;
    bool has_keep_completed;
    hob_ns keep_completed_ns;
    uint32_t keep_completed_count;
    bool has_keep_failed;
    hob_ns keep_failed_ns;
    uint32_t keep_failed_count;
    bool has_tier;
    uint32_t tier; /* 0..QUEUE_TIER_MAX */
    bool has_weight;
    uint32_t weight; /* 1..QUEUE_WEIGHT_MAX */
    bool has_concurrency;
    uint32_t concurrency; /* 0: none .. QUEUE_CONCURRENCY_MAX */
    bool has_length;
    uint32_t length; /* waiting jobs; 0: no limit .. QUEUE_LENGTH_MAX */
    bool has_on_full;
    enum on_full on_full;
    bool has_aging;
    hob_ns aging_ns; /* a step of priority weighs so much time; 0: more than any. Only fifo */
    struct rate_set rate;
    bool has_group_concurrency; /* of each group without settings of its own */
    uint32_t group_concurrency;
    bool has_group_order;
    enum group_order group_order;
    struct rate_set group_rate;
};

/* What a valve is about; the numbers stand in journals. */
enum valve_sort { VALVE_QUEUE, VALVE_KIND, VALVE_GROUP, VALVE_LIMITER, VALVE_SORT_COUNT };

struct valve_name {
    enum valve_sort sort; /* a queue has commands of its own */
    struct slice queue;   /* of a group */
    struct slice name;
};

struct valve_set_command {
    struct valve_name valve; /* a group or limiter */
    bool reset;              /* forget what was set before */
    bool has_weight;         /* of a group: turns */
    uint32_t weight;
    bool has_concurrency;
    uint32_t concurrency; /* running at most, in units of a limiter; 0: any number */
    struct rate_set rate;
};

struct valve_pause_command {
    struct valve_name valve; /* a kind, group or limiter */
    hob_ns until_ns;         /* 0: until somebody resumes */
    struct slice by;
    struct slice why;
};

struct valve_resume_command {
    struct valve_name valve;
};

struct group_skip_command {
    struct valve_name valve;
};

struct worker_set_command {
    struct slice worker;
    uint32_t slots; /* 0: WORKER_SLOTS_MAX */
    const struct slice *kinds;
    uint32_t kind_count; /* 0: any kind */
    struct slice labels; /* commas between */
    bool fresh;          /* only when no worker with this name is alive, or still has leases */
};

struct worker_beat_command {
    struct slice worker;
    hob_ns alive_ns; /* its leases hold at least this long from now; 0: 15 s */
    /* What it holds: all its other leases end now, but for those that are younger than this. A
     * lease that is named and is not its own is nothing. */
    bool has_holds;
    const struct lease_ref *holds;
    uint32_t hold_count; /* 0..WORKER_HOLDS_MAX */
    hob_ns young_ns;     /* their replies may be on the way */
    struct slice only;   /* globs with one space between: only in these queues; empty: in all */
};

struct wait_command {
    uint64_t id;
    hob_ns wait_ns; /* 0: only look */
};

/* What a token allows, as bits. The numbers stand in journals. */
enum token_scope {
    TOKEN_PUSH = 1u << 2,
    TOKEN_WORK = 1u << 3,
    TOKEN_READ = 1u << 4,
    TOKEN_MANAGE = 1u << 5,
    TOKEN_ADMIN = 1u << 6,
    TOKEN_SCOPES = TOKEN_PUSH | TOKEN_WORK | TOKEN_READ | TOKEN_MANAGE | TOKEN_ADMIN,
};

struct token_put_command {
    struct slice name;
    struct slice hash;   /* SHA-256 of the token, TOKEN_HASH_BYTES */
    uint32_t scopes;     /* enum token_scope */
    struct slice queues; /* globs with one space between them; empty: every queue */
    hob_ns expires_ns;   /* 0: never */
    struct slice by;
};

struct token_drop_command {
    struct slice name;
    bool force; /* even the last one that can make others */
};

struct token_use_command {
    struct slice name;
};

/* The server's own; comes before all others of its time. */
struct clock_jump_command {
    hob_ns by_ns;
    enum clock_cause cause;
};

struct command {
    enum command_type type;
    uint64_t request;
    union {
        struct push_command push;
        struct push_all_command push_all;
        struct fetch_command fetch;
        struct ack_command ack;
        struct fail_command fail;
        struct release_command release;
        struct extend_command extend;
        struct checkpoint_command checkpoint;
        struct log_command log;
        struct progress_command progress;
        struct control_command cancel;
        struct control_command discard;
        struct control_command retry;
        struct control_command delete;
        struct update_command update;
        struct pause_command pause;
        struct resume_command resume;
        struct queue_set_command queue_set;
        struct valve_set_command valve_set;
        struct valve_pause_command valve_pause;
        struct valve_resume_command valve_resume;
        struct group_skip_command group_skip;
        struct worker_set_command worker_set;
        struct worker_beat_command worker_beat;
        struct wait_command wait;
        struct token_put_command token_put;
        struct token_drop_command token_drop;
        struct token_use_command token_use;
        struct clock_jump_command clock_jump;
    };
};

#endif
