/* SPDX-License-Identifier: Apache-2.0 */
/* What readers see of the engine's objects. Views are filled on demand; every slice and pointer in
 * them is borrowed until the next call that changes the engine. */
#ifndef HOB_ENGINE_VIEW_H
#define HOB_ENGINE_VIEW_H

#include "engine/command.h"

/* Bytes outside the engine: the space knows where they lie. id 0: none. */
struct body_ref {
    uint64_t id;
    uint32_t size;
    uint16_t attempt; /* log chunks: of which attempt */
    uint16_t head;    /* log chunks: 1 while the first LOG_HEAD_BYTES_MAX of the attempt fill */
};

struct job_error {
    uint32_t attempt;
    enum error_cause cause;
    int32_t code;
    hob_ns at_ns;
    struct slice what;
    struct slice text;
    struct body_ref backtrace;
};

struct job_view {
    uint64_t id;
    enum job_state state;
    struct slice queue;
    struct slice kind;
    uint32_t priority;
    uint32_t attempt; /* started so far */
    uint32_t attempt_max;
    uint32_t releases;
    hob_ns created_ns;
    hob_ns state_ns;       /* since when it is in this state */
    hob_ns run_at_ns;      /* scheduled and retryable: when it becomes available; else 0 */
    hob_ns started_ns;     /* of the latest attempt, 0: never */
    hob_ns lease_until_ns; /* running */
    hob_ns timeout_ns;
    uint64_t token;       /* running: of the lease */
    struct slice worker;  /* of the latest attempt */
    struct slice payload; /* when it is inline (payload_body.id == 0) */
    struct body_ref payload_body;
    struct slice key;
    struct slice ref;
    struct backoff backoff;
    bool has_keep;
    hob_ns keep_ns;
    uint32_t percent;
    struct slice progress_text;
    struct slice by;  /* cancel, discard: who */
    struct slice why; /* and why */
    struct body_ref result;
    struct body_ref checkpoint;
    struct job_error errors[ERRORS_KEPT_MAX];
    uint32_t error_count;
    const struct body_ref *logs; /* in order of time */
    uint32_t log_count;
    uint64_t log_lost_bytes; /* between head and tail of some attempt */
    struct slice headers;
    struct slice tags;
    struct slice content_type;
    struct slice on_done;
    uint64_t parent;    /* the job whose end made this one; 0: none */
    uint32_t version;   /* 1 at the push; grows with each update and each new state */
    hob_ns expires_ns;  /* discarded when it has never started by then; 0: never */
    struct slice group; /* empty: none */
    bool front;
    struct slice unique; /* empty: none */
    enum unique_scope unique_scope;
    hob_ns unique_for_ns;  /* the scope time: from the push on */
    uint32_t merged;       /* so many pushes are in it; 0: it is not merged */
    struct slice limiters; /* `name` or `name=units`, commas between */
    hob_ns deadline_ns;    /* discarded when it cannot start margin_ns before it; 0: none */
    hob_ns margin_ns;
    struct slice needs; /* labels of a worker that may run it, commas between; empty: none */
    uint32_t cost;      /* slots that it takes, when more than one */
};

/* Which jobs are listed, beside their queue, kind and state; empty or 0: any. */
struct job_marks {
    struct slice tag;
    struct slice key;
    struct slice ref;
    uint64_t parent;
    hob_ns since_ns; /* created then or later */
    hob_ns until_ns; /* created before */
};

/* For the groups of a queue that have no settings of their own. */
struct group_rule {
    uint32_t concurrency; /* running at most; 0: any number */
    struct rate rate;
    enum group_order order;
};

/* What people have set about a group or limiter; what they have not is its rule's. */
struct valve_settings {
    bool has_weight;
    bool has_concurrency;
    bool has_rate;
    uint32_t weight;
    uint32_t concurrency;
    struct rate rate;
};

/* A kind, group or limiter and what stops its jobs; a limiter with a * in its name is a rule for
 * others. */
struct valve_view {
    enum valve_sort sort;
    struct slice queue; /* of a group */
    struct slice name;
    struct valve_settings own;
    uint32_t concurrency; /* what holds: own, or by the rule; 0: any number */
    struct rate rate;
    hob_ns tat_ns; /* when its rate has paid back what it gave; 0: it has */
    bool paused;
    hob_ns paused_until_ns; /* 0: until somebody resumes */
    struct slice paused_by;
    struct slice paused_why;
    uint64_t blocked_by; /* the job whose failure stopped a group; 0: none */
    uint32_t running;    /* units of a limiter, jobs of a group */
    uint32_t waiting;    /* available jobs */
    uint32_t held;       /* jobs of a group between two of their attempts */
    hob_ns opens_ns;     /* when its rate lets the next one start; 0: now, or it has none */
};

/* Which kinds, groups or limiters are listed. */
struct valve_filter {
    enum valve_sort sort;
    struct slice queue; /* of the groups */
    struct slice after; /* only names behind this one */
    bool stopped;       /* only those that are paused, or blocked by a job */
    uint32_t count_max; /* VALVES_LISTED_MAX at most */
};

struct queue_view {
    struct slice name;
    enum queue_order order;
    bool paused;
    hob_ns paused_until_ns; /* 0: until somebody resumes */
    struct slice paused_by;
    struct slice paused_why;
    uint32_t counts[JOB_STATE_COUNT];
    hob_ns oldest_ns; /* created_ns of an oldest available job, 0: none */
    hob_ns keep_completed_ns;
    uint32_t keep_completed_count;
    hob_ns keep_failed_ns;
    uint32_t keep_failed_count;
    uint32_t tier;
    uint32_t weight;
    uint32_t concurrency; /* running at most; 0: no limit */
    uint32_t length;      /* waiting at most; 0: no limit */
    enum on_full on_full;
    hob_ns aging_ns;
    struct rate rate;
    hob_ns tat_ns;
    hob_ns opens_ns; /* when its rate lets the next job start; 0: now, or it has none */
    struct group_rule group_rule;
    uint64_t pushed; /* since this process started */
    uint64_t completed;
    uint64_t failed; /* attempts */
    uint64_t discarded;
};

struct worker_view {
    struct slice name;
    uint32_t slots;
    uint32_t running;    /* slots that its jobs take */
    uint32_t kind_count; /* 0: any */
    struct slice labels; /* commas between */
    hob_ns alive_until_ns;
};

enum { UNSERVED_ROWS_MAX = 100 };

/* Available jobs of one queue and kind that no live worker runs. */
struct unserved_view {
    struct slice queue;
    struct slice kind;
    uint64_t available;
    hob_ns since_ns;    /* since when the one that has waited longest is available */
    struct slice needs; /* labels that they ask for */
    uint32_t cost;      /* and slots; 0: one */
};

struct unserved_list {
    struct unserved_view rows[UNSERVED_ROWS_MAX];
    uint32_t count;
    uint64_t available; /* of all that were seen, also of those without a row */
    bool is_cut;        /* there may be more: rows or steps were used up */
};

struct token_view {
    struct slice name;
    struct slice hash;
    uint32_t scopes; /* enum token_scope */
    struct slice queues;
    struct slice by;
    hob_ns created_ns;
    hob_ns expires_ns; /* 0: never */
    hob_ns used_ns;    /* to the hour; 0: never */
};

struct engine_stats {
    uint64_t counts[JOB_STATE_COUNT];
    uint64_t jobs;
    uint32_t queues;
    uint32_t kinds;
    uint32_t workers;
    uint32_t keys;
    uint32_t tokens;
    uint32_t waiting_fetches;
    uint64_t next_id;
    uint64_t memory_bytes;
    uint64_t memory_max_bytes; /* the ceiling */
    uint64_t live_bytes;       /* what a journal of only full records would hold, bodies included */
};

#endif
