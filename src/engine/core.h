/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the engine: its objects and the doors through which they change. Only src/engine/
 * includes this.
 *
 *   job      the hot record, 96 bytes, in a pool; what few jobs have lies in a `side`, what running
 *            needs in a `run`
 *   queue    settings, counts, its timers, its retention lists, its ready jobs
 *   unique   the jobs that hold a unique key: see unique.c
 *   ready    queue > branch (one kind, then one limiter after the other) > lane (one priority and
 *            group) > jobs: see ready.c and branches.c
 *   valve     what may stop the jobs of a kind, group or limiter: see valves.c
 *   waiter   a fetch that waits for a job, or a wait for a job's end; volatile
 *   watch    what fetches of one sort look at together: see watch.h; volatile
 *
 * Two rules keep replay equal to live: durable state changes only in carry.c, which apply and
 * replay both use, and nothing that decides looks at the order inside an index. */
#ifndef HOB_ENGINE_CORE_H
#define HOB_ENGINE_CORE_H

#include "base/assert.h"
#include "base/heap.h"
#include "base/idmap.h"
#include "base/index.h"
#include "base/pool.h"
#include "engine/document.h"
#include "engine/engine.h"
#include "engine/length.h"
#include "engine/pushall.h"

enum {
    JOB_IN_RETURNED = 1u << 0, /* available, and in its lane's heap instead of its list */
    JOB_FRONT = 1u << 1,       /* goes before all others of its line */
};

struct text {
    char *bytes;
    uint32_t size;
};

struct job {
    uint64_t id;
    hob_ns created_ns;
    hob_ns state_ns;
    hob_ns run_at_ns;
    union {
        char *bytes;      /* payload_size <= PAYLOAD_INLINE_BYTES_MAX */
        uint64_t body_id; /* larger */
    } payload;
    uint32_t payload_size;
    uint32_t priority;
    uint32_t queue;
    uint32_t kind;
    uint32_t group;    /* always one: that without a name is a group too */
    uint32_t limits;   /* its limiters; 0: none */
    uint32_t demand;   /* what it asks of a worker; 0: one slot */
    uint32_t side;     /* 0: none */
    uint32_t run;      /* 0: never ran */
    uint32_t lane;     /* available: where it stands */
    uint32_t previous; /* available: list of the lane; running: of the worker; final: retention */
    uint32_t next;
    uint32_t
        /* in a heap: its place. Timers and lists never hold a job at once, but a heap and `lane`
         * do */
        heap_at;
    uint32_t home; /* batch of the latest full record */
    uint32_t version;
    uint16_t attempt;
    uint16_t attempt_max;
    uint8_t state;
    uint8_t flags;
};
_Static_assert(sizeof(struct job) <= 128, "the hot record of a job stays small");

/* What a job carries for others, and where it belongs. */
struct labels {
    struct text headers;
    struct text tags;
    struct text content_type;
    struct text on_done;
    uint64_t parent;
    struct text unique;
    uint8_t unique_scope;
    hob_ns unique_for_ns;
    uint32_t merged;
    uint32_t unique_next; /* jobs that hold this key: the oldest, then others in no order */
    uint32_t unique_previous;
};

/* Until when a job may start; see term.c. */
struct term {
    hob_ns expires_ns;  /* 0: never */
    hob_ns deadline_ns; /* 0: none */
    hob_ns margin_ns;
    uint32_t heap_at;
};

struct side {
    struct text key;
    struct text ref;
    struct text by;
    struct text why;
    struct text progress_text;
    uint32_t ref_next; /* jobs with the same ref; the first is the newest, the others in no order */
    uint32_t ref_previous;
    hob_ns timeout_ns; /* 0: the default */
    hob_ns keep_ns;
    bool has_keep;
    uint8_t error_count;
    uint32_t percent;
    uint32_t releases;
    struct backoff *backoff; /* NULL: the default */
    struct labels *labels;   /* NULL: none */
    struct term *term;       /* NULL: it may start at any time */
    struct body_ref result;
    struct body_ref checkpoint;
    struct job_error *errors; /* room for ERRORS_KEPT_MAX; texts are owned */
    struct body_ref *logs;
    uint32_t log_count;
    uint32_t log_capacity;
    uint64_t log_lost_bytes;
};

struct run {
    uint64_t token;
    hob_ns started_ns;
    hob_ns lease_until_ns;
    hob_ns forsaken_ns; /* its worker said then that it does not hold it; 0: no. Volatile */
    uint32_t worker;
    uint32_t held_at; /* the number of the latest such word that named it */
};

struct job_list {
    uint32_t first;
    uint32_t last;
    uint32_t count;
};

struct kind {
    struct text name;
    uint32_t users; /* jobs and workers that name it; freed at 0 */
    uint32_t valve;
    uint32_t branch_first;
    bool is_served; /* a mark of engine_unserved, false outside of it */
};

/* Jobs of a queue that take turns with those of other groups. */
struct group {
    struct text name; /* empty: jobs that name no group */
    uint32_t queue;
    uint32_t users;     /* jobs that are in it, and its valve when that is kept; freed at 0 */
    uint32_t available; /* jobs that wait for a worker */
    uint32_t running;
    uint32_t held; /* jobs that have started and wait for their time again */
    uint32_t valve;
    uint32_t lane_first;
    uint32_t queue_next; /* groups of the same queue */
    uint32_t queue_previous;
    uint64_t pass; /* whose is smallest is next; volatile */
};

struct lane {
    uint32_t branch;
    uint32_t priority;
    uint32_t group;
    uint32_t group_next; /* lanes of the same group */
    uint32_t group_previous;
    uint32_t kind_next; /* lanes of the same queue and kind */
    uint32_t kind_previous;
    uint64_t pass;         /* of the group, as the heaps know it */
    struct job_list fresh; /* ascending ids */
    struct heap
        /* jobs whose id is below fresh.last when they come, and fronts; by place */
        returned;
    uint32_t heap_at; /* HEAP_NOWHERE while it is stopped */
    bool is_stopped;  /* by its group */
};

/* Jobs of one queue and kind; below it, those of them that share a limiter, and so on. */
struct branch {
    uint32_t queue;
    uint32_t kind;
    uint32_t demand;  /* 0: none */
    uint32_t top;     /* the branch of the queue, kind and demand; its own handle: this one */
    uint32_t parent;  /* 0: of the queue */
    uint32_t limiter; /* 0: none */
    uint32_t units;
    uint32_t users;       /* lanes and branches of it, stopped ones too; freed at 0 */
    struct heap lanes;    /* those that may start: by priority, then as lane_before says */
    struct heap branches; /* in the same order of their best jobs */
    uint32_t heap_at;     /* HEAP_NOWHERE while it is stopped, or nothing in it may start */
    bool is_stopped;      /* by its kind or limiter */
    uint32_t valve_next;  /* branches of the same kind or limiter */
    uint32_t valve_previous;
    uint32_t lane_first; /* of a top: all its lanes */
    uint32_t queue_next; /* of a top: those of the same queue */
    uint32_t queue_previous;
    uint32_t plain;        /* of a top with a demand: the top of its queue and kind without */
    uint32_t demand_first; /* of a top without: those with a demand, by the next two */
    uint32_t demand_next;
    uint32_t demand_previous;
};

/* What a queue has done lately; volatile, see estimate.c. */
struct figures {
    hob_ns run_ns;   /* of so many attempts together */
    hob_ns busy_ns;  /* between so many ends, while jobs waited */
    hob_ns ended_ns; /* the latest end; 0: nothing waited then */
    uint32_t runs;
    uint32_t ends;
};

struct queue {
    struct text name;
    uint32_t number; /* 0-based, in order of making */
    enum queue_order order;
    bool paused;
    bool is_set;   /* has settings that a full record must tell */
    bool unsorted; /* replay: a retention list is not in order of time */
    hob_ns paused_until_ns;
    struct text paused_by;
    struct text paused_why;
    hob_ns keep_completed_ns;
    hob_ns keep_failed_ns;
    uint32_t keep_completed_count;
    uint32_t keep_failed_count;
    uint32_t tier;        /* of weighted fetches: smaller first */
    uint32_t weight;      /* turns among the queues of a tier */
    uint32_t concurrency; /* running at most; 0: no limit */
    uint32_t length;      /* waiting at most; 0: no limit. See length.c */
    enum on_full on_full;
    bool has_line;
    struct heap line;  /* of a queue that drops: waiting jobs, and some that do no more */
    uint32_t over_at;  /* place in engine->over */
    uint32_t promised; /* while a list of pushes is looked at: jobs that it adds here */
    uint32_t counts[JOB_STATE_COUNT];
    uint32_t home;
    struct group_rule group_rule; /* of groups that have no settings of their own */
    hob_ns aging_ns;              /* a step of priority weighs so much time; 0: more than any */
    uint32_t valve;               /* of its rate; 0: it has none */
    struct heap branches;         /* by priority, then pass and place of the best job */
    uint32_t branch_first;        /* all of them, stopped ones too */
    uint32_t group_first;
    uint32_t group_count; /* groups that have available jobs */
    uint64_t group_vtime; /* pass of the group picked last; volatile */
    struct heap timers;   /* jobs by when something is due */
    uint32_t due_at;      /* place in engine->due */
    struct job_list completed;
    struct job_list failed;
    uint32_t spot_first; /* in the watches that look at it: see watch.h */
    uint64_t pass;
    uint64_t pushed;
    uint64_t completed_total;
    uint64_t failed_total;
    uint64_t discarded_total;
    struct figures figures;
};

struct worker {
    struct text name;
    uint32_t number;
    uint32_t slots;
    uint32_t running;      /* slots that its jobs take */
    uint32_t users;        /* runs that name it */
    uint32_t holds_told;   /* how often it said what it holds; no run has a larger held_at */
    struct job_list held;  /* its running jobs */
    uint32_t waiter_first; /* its waiting fetches */
    uint32_t parked;       /* those of them that are out of their line for want of slots */
    uint32_t skill;        /* 0: not looked up yet */
    uint32_t *kinds;       /* handles; NULL: any */
    uint32_t kind_count;
    struct text labels; /* commas between */
    hob_ns alive_until_ns;
};

/* What is remembered for a time: an idempotency key, or a unique key of the scope time. */
struct key {
    bool is_unique;
    struct text name;
    uint64_t id;
    hob_ns until_ns;
    uint32_t heap_at;
    uint32_t home;
};

struct token {
    struct text name;
    struct text queues;
    struct text by;
    char hash[TOKEN_HASH_BYTES];
    uint32_t scopes;
    uint32_t home;
    hob_ns created_ns;
    hob_ns expires_ns;
    hob_ns used_ns;
};

/* What a fetch chooses from. */
struct fetch {
    uint32_t worker;
    uint32_t count;
    enum fetch_mode mode;
    enum fetch_same same;
    hob_ns lease_ns;
    uint32_t watch;         /* 0: the queues */
    const uint32_t *queues; /* in the order given, each once */
    uint32_t queue_count;
};

struct waiter {
    uint64_t request;
    uint64_t seq; /* order of arrival */
    hob_ns until_ns;
    uint32_t deadline_at;
    uint32_t next; /* same worker, or same job */
    uint32_t previous;
    uint64_t job_id; /* a wait for this job's end; 0: a fetch */
    struct fetch fetch;
    uint32_t line_at; /* a fetch: place in the line of its watch; HEAP_NOWHERE: parked */
    bool is_short;    /* the place is among the short ones */
};

struct engine {
    struct engine_sink sink;
    struct mem mem;
    struct siphash_key hash_key;
    uint64_t memory_max_bytes;
    hob_ns now_ns;
    uint64_t next_id;
    uint64_t next_token;
    uint64_t next_body;
    uint32_t home;
    bool replaying;
    struct slice logging;   /* the lines of the log command that is being carried out */
    uint64_t outside_bytes; /* that the owner uses for its bodies */
    uint64_t inline_bytes;  /* payloads and texts of jobs, for live_bytes */
    uint64_t state_counts[JOB_STATE_COUNT];

    struct pool jobs;
    struct pool sides;
    struct pool runs;
    struct pool kinds;
    struct pool queues;
    struct pool workers;
    struct pool keys;
    struct pool lanes;
    struct pool branches;
    struct pool groups;
    struct pool valves;
    struct pool limiters;
    struct pool limits;
    struct pool demands;
    struct pool waiters;
    struct pool skills;
    struct pool watches;
    struct pool spots;

    struct idmap job_ids;
    struct index refs;
    struct index uniques; /* the oldest job of each unique key that is held */
    struct index blocked; /* the blocked job of a unique key */
    uint32_t freed;       /* the blocked job that the effect at hand frees; 0: none */
    struct index kind_names;
    struct index queue_names;
    struct index worker_names;
    struct index key_names;
    struct index branch_keys;
    struct index lane_keys;
    struct index group_names;
    struct index limiter_names;
    struct index limits_texts;
    struct index demand_keys;
    struct index waiter_requests;
    struct index job_waiters; /* first waiter of a job's end */
    struct index skill_keys;
    struct index watch_keys;

    uint32_t *queue_list; /* handles by number */
    uint32_t queue_count;
    uint32_t queue_capacity;
    uint32_t *worker_list;
    uint32_t worker_count;
    uint32_t worker_capacity;

    struct token *tokens; /* in order of their making; few, and looked up by name only to change */
    uint32_t token_count;
    uint32_t token_capacity;

    struct heap due;     /* queues by their earliest timer, retention or end of pause */
    struct heap opening; /* valves by when time changes something about them */
    uint32_t kept_first;
    uint32_t limiter_first;
    uint32_t *rules; /* limiters that are globs: rules for others; the most exact first */
    uint32_t rule_count;
    uint32_t rule_capacity;
    struct heap terms;     /* waiting jobs by until when they may start */
    struct heap over;      /* queues that have to drop a job, by name */
    struct heap key_due;   /* keys by the end of their time */
    struct heap deadlines; /* waiters by the end of their patience */
    struct heap hungry;    /* watches that may serve a waiter, by the waiter's seq */
    uint32_t glob_watch_first;
    uint32_t idle_first; /* watches without waiters */
    uint32_t idle_last;
    uint32_t idle_count;
    uint64_t next_seq;
    uint32_t waiting_fetches;
    uint64_t vtimes[QUEUE_TIER_MAX + 1]; /* by tier: pass of the queue picked last */

    uint64_t grace_token;  /* leases below were given out before the restart, */
    hob_ns grace_until_ns; /* and are not over before this */

    struct idmap unknown;    /* replay: ids that were mentioned before their full record */
    uint64_t callbacks_lost; /* since start: there was no place for another job */
    uint64_t *picked;        /* ids of the latest fetch, for its answer */
    struct pushed *pushed;   /* the latest list that was pushed, for its answer */
    uint32_t pushed_capacity;

    bool keeps_digest;
    uint64_t digest; /* the sum of the hashes of all objects; see digest.c */
    struct buf digest_scratch;
};

/* --- at hand --- */

static inline struct job *job_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->jobs, handle);
}
static inline struct side *side_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->sides, handle);
}
static inline struct run *run_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->runs, handle);
}
static inline struct queue *queue_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->queues, handle);
}
static inline struct kind *kind_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->kinds, handle);
}
static inline struct group *group_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->groups, handle);
}
static inline struct lane *lane_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->lanes, handle);
}
static inline struct branch *branch_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->branches, handle);
}
static inline struct worker *worker_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->workers, handle);
}
static inline struct waiter *waiter_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->waiters, handle);
}
static inline struct slice text_slice(struct text text) {
    return slice_of(text.bytes, text.size);
}
static inline uint32_t job_find(const struct engine *engine, uint64_t id) {
    return idmap_get(&engine->job_ids, id);
}

/* --- text.c: owned strings --- */

struct text text_new(struct engine *engine, struct slice slice);
void text_free(struct engine *engine, struct text *text);
/* Replace @text by @slice, which may be empty. */
void text_set(struct engine *engine, struct text *text, struct slice slice);

/* --- names.c: things found by name; `need` makes what is missing --- */

uint32_t queue_find(const struct engine *engine, struct slice name);
uint32_t queue_need(struct engine *engine, struct slice name);
uint32_t kind_find(const struct engine *engine, struct slice name);
uint32_t kind_use(struct engine *engine, struct slice name);
void kind_unuse(struct engine *engine, uint32_t kind);
uint32_t worker_find(const struct engine *engine, struct slice name);
uint32_t worker_need(struct engine *engine, struct slice name);
/* Nobody uses it any more: no run names it, no fetch of it waits. */
void worker_forget(struct engine *engine, uint32_t worker);
/* Idempotency keys and unique keys are two sets of names. */
struct key_name {
    struct slice name;
    bool is_unique;
};
/* The key of that name, its time over or not; 0: there is none. */
uint32_t key_find(const struct engine *engine, struct key_name name);
/* Remember a key; one that is there already is told again by cleaning. */
void key_put(struct engine *engine, const struct key_put_effect *put);
/* Its full record; the name is borrowed. */
struct key_put_effect key_put_of(const struct key *key);
void key_drop(struct engine *engine, uint32_t key);
void names_free(struct engine *engine);

/* --- joblist.c: intrusive lists of jobs; a job is in one at most --- */

void job_list_append(struct engine *engine, struct job_list *list, uint32_t job);
void job_list_remove(struct engine *engine, struct job_list *list, uint32_t job);

/* --- ready.c: which job is next --- */

void ready_add(struct engine *engine, uint32_t job);
void ready_remove(struct engine *engine, uint32_t job);
/* The next job of @queue for @worker (0: for anybody), or 0. */
uint32_t ready_best(const struct engine *engine, uint32_t queue, uint32_t worker);
/* The next job of @group for @worker, or 0. Costs as much as a turn of the group. */
uint32_t ready_best_of_group(const struct engine *engine, uint32_t group, uint32_t worker);
/* The oldest available job of @queue, or 0; a queue with very many lanes is looked at in part. */
uint32_t ready_oldest(const struct engine *engine, uint32_t queue);
/* About how many available jobs of its queue go before @job, which waits; all of them when there
 * are more than @lanes_max priorities and kinds. */
uint64_t ready_before_count(const struct engine *engine, const struct job *job, uint32_t lanes_max);
/* How many jobs a branch holds, and since when the one that has waited longest does. Each lane
 * takes one of *@steps; false when they were not enough. */
bool ready_measure(
    const struct engine *engine,
    const struct branch *branch,
    uint32_t *steps,
    uint64_t *ret_count,
    hob_ns *ret_since_ns
);
/* Is @job where its lane says? For engine_check. */
bool ready_holds(const struct engine *engine, const struct job *job, uint32_t handle);
/* Does something stop this available job, but for its queue? */
bool ready_is_stopped(const struct engine *engine, const struct job *job);
/* The order of the queue changes to this. */
void ready_reorder(struct engine *engine, uint32_t queue, enum queue_order order, hob_ns aging_ns);

/* --- order.c: which of two jobs goes first --- */

/* Does @a go before @b when both are the best of their kind in one queue? */
bool ready_before(const struct engine *engine, uint32_t a, uint32_t b);
/* The same, of jobs whose groups have these passes. */
bool ready_before_by(
    const struct engine *engine,
    const struct job *a,
    uint64_t pass_a,
    const struct job *b,
    uint64_t pass_b
);
/* What comes before the pass in the order of its queue; the smaller one goes first. */
uint64_t ready_key(const struct engine *engine, const struct job *job);
/* Whose best job is first: the best that may start in this branch, which has one. */
uint32_t branch_best(const struct engine *engine, const struct branch *branch);
uint32_t lane_best(const struct engine *engine, const struct lane *lane);
bool branch_has_offer(const struct branch *branch);
/* The place of a job in its lane: the smaller one goes first. */
uint64_t job_place(const struct job *job, bool newest);
bool lane_is_newest_first(const struct engine *engine, const struct lane *lane);

/* --- branches.c: lanes and branches in their heaps --- */

/* The branch of a queue and kind; 0: it has no available job. */
uint32_t branch_find(const struct engine *engine, uint32_t queue, uint32_t kind);
/* The lane for a job, made if need be. */
uint32_t lane_need(struct engine *engine, const struct job *job);
/* It stands in the heaps from now on, if nothing stops it; its first job is there. */
void lane_begin(struct engine *engine, uint32_t lane);
/* It leaves the heaps, its last job still there. */
void lane_end(struct engine *engine, uint32_t lane);
/* It is empty, and in no heap any more. */
void lane_drop(struct engine *engine, uint32_t lane);
/* The best job of the lane, or its turn, may have changed. */
void lane_fix(struct engine *engine, const struct lane *lane);
/* Something stops the lane or branch now, or nothing does. True: it left its heap or came back. */
bool lane_stop(struct engine *engine, uint32_t lane, bool is_stopped);
bool branch_stop(struct engine *engine, uint32_t branch, bool is_stopped);
/* The pass of the group of these lanes has grown. */
void lanes_group_moved(struct engine *engine, uint32_t group);

/* --- groups.c: turns within a queue --- */

uint32_t group_find(const struct engine *engine, uint32_t queue, struct slice name);
uint32_t group_use(struct engine *engine, uint32_t queue, struct slice name);
void group_unuse(struct engine *engine, uint32_t group);
/* A job of this group waits for a worker, or does so no more. */
void group_job_comes(struct engine *engine, uint32_t group);
void group_job_goes(struct engine *engine, uint32_t group);
/* By how much a turn moves its pass on. */
uint64_t group_stride(const struct engine *engine, const struct group *group);
/* A job of this group has been chosen, and is still there. */
void group_had_its_turn(struct engine *engine, uint32_t group);

/* --- timers.c: what is due when --- */

void timer_set(struct engine *engine, uint32_t job, hob_ns when_ns);
void timer_clear(struct engine *engine, uint32_t job);
/* Something that queue_due depends on has changed. */
void queue_touch(struct engine *engine, uint32_t queue);
hob_ns queue_due(const struct engine *engine, const struct queue *queue);
/* When the lease of a running job is over, seen from now. */
hob_ns job_over_ns(const struct engine *engine, const struct job *job);
bool queue_is_paused(const struct engine *engine, const struct queue *queue);

/* --- term.c: until when a job may start --- */

bool view_needs_term(const struct job_view *view);
void term_make(struct engine *engine, struct side *side, const struct job_view *view);
void term_free(struct engine *engine, struct side *side);
/* The job has come to its state, or is about to leave it. */
void term_enter(struct engine *engine, uint32_t job);
void term_leave(struct engine *engine, uint32_t job);
/* Forget the limits that are over: a person wants it to run. */
void term_lift(struct engine *engine, struct job *job, hob_ns now_ns);
/* Until when it may start, as it is; HOB_NEVER: no limit. */
hob_ns job_start_by(const struct engine *engine, const struct job *job);
/* May it not start any more? */
bool job_is_overdue(const struct engine *engine, const struct job *job);
/* When what is pushed expires, and its deadline; 0: none. */
hob_ns push_expires(const struct engine *engine, const struct push_command *push);
hob_ns push_deadline(const struct engine *engine, const struct push_command *push);
/* The deadline of a child: its own, or that of its parent when this is earlier. */
hob_ns deadline_inherit(const struct engine *engine, uint64_t parent, hob_ns own_ns);
/* Is the time of some waiting job over? Then term_end discards the first one. */
bool term_is_due(const struct engine *engine);
void term_end(struct engine *engine);
/* The job waits again; when its next start would come too late it is discarded at once. */
bool term_settle(struct engine *engine, uint64_t id);
/* Its two parts: when it expires, and its deadline less the margin; HOB_NEVER: none. */
hob_ns term_expires_ns(const struct engine *engine, const struct job *job);
hob_ns term_latest_ns(const struct engine *engine, const struct job *job);
/* At most so long may an attempt run that started then, by the deadline. */
hob_ns term_left(const struct engine *engine, const struct job *job, hob_ns started_ns);
void term_check(const struct engine *engine, const struct job *job, uint32_t handle);

/* --- job.c: the making, moving and unmaking of a job --- */

/* A job as @view tells it, in the structures of its state. @view->id must be new. */
uint32_t job_make(struct engine *engine, const struct job_view *view);
/* Take the job out of everything. @drop_bodies: nobody refers to its bodies any more. */
void job_unmake(struct engine *engine, uint32_t job, bool drop_bodies);
/* The one door between states. `run_at_ns` and the lease must be set before. */
void job_move(struct engine *engine, uint32_t job, enum job_state state, hob_ns at_ns);
struct side *job_side(struct engine *engine, struct job *job);
/* When the attempt that runs is ended though its worker lives: timeout or deadline, and grace. */
hob_ns job_hard_ns(const struct engine *engine, const struct job *job);
/* Forget a body that this job refers to. */
void body_forget(struct engine *engine, struct body_ref *body);
void job_error_add(struct engine *engine, struct job *job, const struct job_error *error);
void job_list_resort(struct engine *engine, struct queue *queue);

/* --- refs.c: jobs by their foreign id; the job has a side with a ref --- */

void ref_add(struct engine *engine, uint32_t job);
void ref_remove(struct engine *engine, uint32_t job);

/* --- carry.c: effects become state --- */

/* Give the effect to the sink and carry it out. */
void emit(struct engine *engine, const struct effect *effect);
HOB_CHECK enum hob_status
carry(struct engine *engine, const struct effect *effect, struct hob_error *err);
/* event.c: what others are told of an effect. The first half is taken before it is carried out
 * (false: nobody is told of such an effect), the second after. */
bool event_begin(
    const struct engine *engine, const struct effect *effect, struct event *event, uint32_t *ret_job
);
void event_end(
    const struct engine *engine, const struct effect *effect, uint32_t job, struct event *event
);
/* A new body with @bytes; .id 0 when they are empty. */
struct body_ref emit_body(struct engine *engine, struct slice bytes);

/* --- estimate.c --- */

/* When a waiting job is expected to start; 0: it is not known. */
hob_ns estimate_start(const struct engine *engine, const struct job *job, hob_ns now_ns);

/* An attempt is about to end, done or failed. */
void figures_ended(struct engine *engine, uint64_t id);

/* --- tokens.c --- */

bool carry_token_put(struct engine *engine, const struct token_put_effect *put);
bool carry_token_drop(struct engine *engine, const struct token_drop_effect *drop);
bool restate_token(struct engine *engine, struct slice name, uint32_t home);
void token_view_fill(const struct token *token, struct token_view *ret_view);
void tokens_free(struct engine *engine);

/* --- one function for each command --- */

#define X(NAME, member, text)                                                       \
    void apply_##member(                                                            \
        struct engine *engine, const struct command *command, struct answer *answer \
    );
ENGINE_COMMANDS(X)
#undef X

/* workers.c: the job runs from now on. */
void worker_hold(struct engine *engine, uint32_t job);
/* And is no longer: its slots are free. */
void worker_release(struct engine *engine, uint32_t job);
/* workers.c: the worker with this name, made if need be; 0 and an answer when it may not be. */
uint32_t worker_greet(struct engine *engine, struct slice name, struct answer *answer);
/* push.c: the first fault of what is to be pushed, or NULL. */
const char *push_fault(const struct push_command *push);
/* There is no place for another job, or its parent is not what it must be; @answer says it. */
bool push_is_refused(
    const struct engine *engine, const struct push_command *push, struct answer *answer
);
/* The job of a key that is remembered, idempotency or unique, answers a push: then it is done. */
bool push_is_met(struct engine *engine, const struct push_command *push, struct answer *answer);
/* @key leads to job @id from now on. */
void emit_key(struct engine *engine, struct key_name name, uint64_t id, hob_ns kept_ns);
/* The job of a key whose time is not over; 0: it is not held. */
uint64_t key_remembers(const struct engine *engine, struct key_name name);
/* update.c: what an update changes in the view of a job; a large payload is told as a body. */
void update_view(struct engine *engine, const struct update_command *update, struct job_view *view);
/* The job is from now on as in @view: one full record, with the next version. */
void update_tell(struct engine *engine, struct job_view *view, struct answer *answer);
/* Change a waiting job; its record is told again. */
void update_emit(
    struct engine *engine,
    uint32_t job,
    const struct update_command *update,
    struct slice kind,
    struct answer *answer
);
/* memory.c: pushes are refused; */
bool memory_is_short(const struct engine *engine);
/* even what is small and stays is refused: then MEMORY is the answer. */
bool memory_is_spent(const struct engine *engine, struct answer *answer);
uint64_t memory_used(const struct engine *engine);
/* When it shall run; 0: now. */
hob_ns push_run_at(const struct engine *engine, const struct push_command *push);
void push_emit(
    struct engine *engine, const struct push_command *push, uint64_t parent, struct answer *answer
);
/* ended.c: the job is final now: callbacks, and an answer to those who wait for it. */
void job_ended(struct engine *engine, uint64_t id, struct ending ending);
/* NULL when these callbacks may be pushed with a job, else what is wrong with them. */
const char *on_done_fault(struct slice on_done);
/* control.c: the pause of a queue ends. */
void queue_unpause(struct engine *engine, uint32_t queue);
/* BAD_ARGUMENT and other answers that name an argument or a limit. */
void answer_set(struct answer *answer, enum answer_code code, const char *detail);
/* The running job of a lease, or 0 and an answer that says why not. */
uint32_t lease_job(struct engine *engine, struct lease_ref lease, struct answer *answer);

/* --- wait.c: those who wait --- */

/* Stand in line: for the queues of a fetch, or for the end of a job. */
void waiter_add(struct engine *engine, uint32_t waiter);
void waiter_free(struct engine *engine, uint32_t waiter);
/* The job is final or gone: tell those who wait for it. */
void waiters_job_ended(
    struct engine *engine, uint64_t id, enum answer_code code, enum job_state state
);
/* A slot of @worker became free. */
void worker_feed(struct engine *engine, struct worker *worker);
/* What a worker can run has changed: its waiting fetches look at other watches. */
void worker_rehome(struct engine *engine, uint32_t worker);
/* Serve all that can be served. */
void waiters_serve(struct engine *engine);
/* End the waits that are over. */
void waiters_expire(struct engine *engine);
/* --- fetch.c --- */

/* Lease up to @fetch->count jobs to its worker now; how many. Their ids are in engine->picked. */
uint32_t fetch_now(struct engine *engine, const struct fetch *fetch);
/* The next job of @queue for @worker, or 0. */
uint32_t queue_offer(struct engine *engine, uint32_t worker, uint32_t queue);
/* A queue that had no available job gets one: it may not claim the turns that it did not take. */
void queue_wakes(struct engine *engine, struct queue *queue);
uint32_t queue_tier(const struct queue *queue);
/* May a job of it start now? */
bool queue_is_open(const struct engine *engine, const struct queue *queue);
/* Another tier has another time: the queue starts there as one that wakes up. */
void queue_tier_set(struct engine *engine, struct queue *queue, uint32_t tier);

/* --- watch.c --- */

/* Queue @queue may have gained a job for somebody, or a better one: a job came, a valve opened,
 * settings changed. Whoever waits for it is looked for. */
void queue_feed(struct engine *engine, uint32_t queue);
/* Its best job may be another, though nobody can have gained one. */
void queue_changed(struct engine *engine, uint32_t queue);
/* Does a pattern of a fetch, which excludes nothing, fit this queue? Queues of Hob's own are only
 * fitted by patterns that begin as they do. */
bool queue_fits(struct slice pattern, struct slice name);

/* digest.c: around the carrying out of @effect */
void digest_init(struct engine *engine, bool keeps);
void digest_free(struct engine *engine);
void digest_before(struct engine *engine, const struct effect *effect);
void digest_after(struct engine *engine, const struct effect *effect);

/* view.c */
void job_view_fill(const struct engine *engine, const struct job *job, struct job_view *ret_view);
void queue_view_fill(
    const struct engine *engine, const struct queue *queue, struct queue_view *ret_view
);

#endif
