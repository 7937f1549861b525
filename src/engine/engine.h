/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: all queue semantics in one single-threaded, pure state machine. Commands and time go
 * in, answers and effects come out. It reads no clock, opens no file, starts no thread and draws no
 * randomness.
 *
 *   apply    decides what a command means now and turns the decision into effects; each effect is
 *            given to the sink (which journals it) and then carried out by the very function that
 *            replay uses, so live state and replayed state cannot differ
 *   replay   carries out an effect that a journal holds, deciding nothing
 *   turn     does what time asks for: stage, rescue, prune, and the end of waits
 *
 * Volatile, never journaled and not part of the digest: waiting requests, registered workers and
 * their liveness, counters since start, the turn-taking between queues. Not thread-safe: one
 * owner. */
#ifndef HOB_ENGINE_ENGINE_H
#define HOB_ENGINE_ENGINE_H

#include "base/mem.h"
#include "base/siphash.h"
#include "base/status.h"
#include "engine/answer.h"
#include "engine/effect.h"
#include "engine/event.h"
#include "engine/explain.h"

struct engine;

/* Why a worker's lease ended without its doing. */
struct notice {
    struct slice worker;
    uint64_t id;
    uint64_t token;
    enum error_cause cause; /* CAUSE_PERSON, CAUSE_LOST, CAUSE_TIMEOUT */
};

struct engine_sink {
    void *context;
    void (*effect
    )(void *context, const struct effect *effect); /* to be journaled; borrowed for the call */
    void (*answer)(void *context, const struct answer *answer); /* to a request that was WAITING */
    void (*notice
    )(void *context, const struct notice *notice);      /* a lease was taken away; may be NULL */
    void (*body_drop)(void *context, uint64_t body_id); /* nobody refers to this body any more */
    /* Append the bytes of a body to @out; false: they cannot be had. May be NULL: event documents
     * then have no log. */
    bool (*body_read)(void *context, uint64_t body_id, struct buf *out);
    /* What time does next may be in another batch than what it did before; false: no more in this
     * turn. May be NULL. */
    bool (*step)(void *context);
    void (*event)(void *context, const struct event *event); /* see engine/event.h; may be NULL */
};

struct engine_options {
    struct engine_sink sink;
    struct siphash_key hash_key; /* random in production; never influences a result */
    uint64_t memory_max_bytes;   /* ceiling; 0: none. Pushes are refused at 80 % of it */
    bool keeps_digest;           /* for engine_digest_kept; costs two small hashes an effect */
};

/** A new, empty engine; owned by the caller. */
struct engine *engine_new(const struct engine_options *options);

/** Free an engine and all it holds. NULL is fine. No body is dropped by this. */
void engine_free(struct engine *engine);

/**
 * Carry out one command.
 *
 * @now_ns      this turn's time; a time before an earlier one is taken as that one
 * @ret_answer  always set. ANSWER_WAITING (fetch, wait) means that sink.answer gets the answer
 *              later, under the same request
 */
void engine_apply(
    struct engine *engine, hob_ns now_ns, const struct command *command, struct answer *ret_answer
);

/**
 * Do what is due by @now_ns: stage, rescue, prune, answers to waits that are over; also serves
 * waiting fetches. At most @budget jobs are moved. Call it at the end of each turn and when
 * engine_due() has come.
 *
 * Answers  when it wants to be called next: engine_due()
 */
hob_ns engine_turn(struct engine *engine, hob_ns now_ns, uint32_t budget);

/**
 * The time at which engine_turn has work: not later than it really has; 0 at once, HOB_NEVER
 * nothing pending.
 */
hob_ns engine_due(const struct engine *engine);

/* --- replay and cleaning --- */

/**
 * Carry out a journaled effect. Effects on jobs that are not known yet are skipped: their full
 * record comes later (engine_replay_end checks that it did).
 * Fails HOB_CORRUPT when the effect contradicts the state.
 */
HOB_CHECK enum hob_status
engine_replay(struct engine *engine, const struct effect *effect, struct hob_error *err);

/**
 * End of replay: every id that was mentioned must be defined or deleted (else HOB_CORRUPT); leases
 * get at least @grace_ns from @now_ns, also past a timeout or deadline, so that workers can come
 * back and tell what they have done. Calls @body with every body
 * that a job refers to (may be NULL).
 */
HOB_CHECK enum hob_status engine_replay_end(
    struct engine *engine,
    hob_ns now_ns,
    hob_ns grace_ns,
    void (*body)(void *context, uint64_t body_id),
    void *context,
    struct hob_error *err
);

/**
 * The batch (low 32 bits of its sequence) that effects from now on are written to; full records
 * remember it.
 */
void engine_home_set(struct engine *engine, uint32_t home);

/**
 * Cleaning: @effect was read from the batch @home that is about to go. If it is the latest full
 * record of its object, emit that object's full record again (to the sink). True when it did.
 * Bodies are not the engine's: false.
 */
bool engine_restate(struct engine *engine, const struct effect *effect, uint32_t home);

/**
 * So much memory the owner uses for what belongs to jobs (where bodies lie): it counts for the
 * ceiling.
 */
void engine_memory_outside(struct engine *engine, uint64_t bytes);

/** Emit the counters (ids, tokens) as a full record; once in each segment that is cleaned. */
void engine_restate_meta(struct engine *engine);

/* --- reading --- */

/** One job; false when there is none. */
bool engine_job(const struct engine *engine, uint64_t id, struct job_view *ret_view);

/** The newest job with this ref; 0 when there is none. Refs are not unique. */
uint64_t engine_find_ref(const struct engine *engine, struct slice ref);

struct job_filter {
    struct slice queue; /* empty: any */
    struct slice kind;  /* empty: any */
    uint32_t states;    /* bits 1u << enum job_state; 0: any */
    struct job_marks marks;
};

struct page_limits {
    uint64_t before_id; /* only ids below it; 0: from the newest */
    uint32_t scan_max;  /* jobs looked at */
    uint32_t id_max;    /* ids answered */
};

/**
 * Walk jobs from new to old.
 *
 * @ret_ids  room for limits.id_max; *ret_count of them are set
 * Answers   the cursor for the next call (its before_id), 0 at the end
 */
uint64_t engine_list(
    const struct engine *engine,
    const struct job_filter *filter,
    struct page_limits limits,
    uint64_t *ret_ids,
    uint32_t *ret_count
);

/** The queue with this name; false when there is none. */
bool engine_queue(const struct engine *engine, struct slice name, struct queue_view *ret_view);

/**
 * The jobs of a queue that would be fetched next, in order, by workers that run any kind, if
 * nothing else happened: by priority, turns of the groups, and place. Whether the queue is open is
 * not asked.
 *
 * @count_max  NEXT_COUNT_MAX at most
 * @ret_ids    room for so many
 *
 * Answers  how many there are; fewer than wait only when the walk took too many steps, as with
 *          groups that have hundreds of kinds and priorities each
 * Cost     O(log n) for each, and the kinds and priorities of its group
 */
uint32_t
engine_next(const struct engine *engine, struct slice name, uint32_t count_max, uint64_t *ret_ids);

/** Queues in order of their making: number @at (0-based); false past the last. */
bool engine_queue_at(const struct engine *engine, uint32_t at, struct queue_view *ret_view);

/**
 * Since when the oldest available job of a kind is there (its created_ns), over all queues; 0: none
 * is. A kind with very many priorities, groups and queues is looked at in part.
 */
hob_ns engine_kind_oldest(const struct engine *engine, struct slice kind);

/** What is known of a kind, group or limiter; false: there is none with this name. */
bool engine_valve(
    const struct engine *engine, const struct valve_name *name, struct valve_view *ret_view
);

/**
 * The names of kinds that are paused, of the groups of a queue or of all limiters, in the order of
 * bytes; how many. The names are borrowed until the next call that changes the engine. O(n) in how
 * many there are.
 */
uint32_t engine_valves(
    const struct engine *engine, const struct valve_filter *filter, struct slice *ret_names
);

/** Workers that are known: number @at (0-based); false past the last. */
bool engine_worker_at(const struct engine *engine, uint32_t at, struct worker_view *ret_view);

/**
 * Kinds with available jobs that no live worker runs, queue by queue in order of their making.
 *
 * A worker lives until its alive_until is over, and runs the kinds that it named, or any when it
 * named none. Which queues it fetches from is known only while it waits for them, so this is about
 * kinds alone: a kind that is served somewhere is not told of. Requests of callbacks are told of
 * only after UNSERVED_CALLBACK_NS: who delivers them is started by the first of them.
 *
 * @now_ns     the time, which may be past that of the latest turn
 * @steps_max  how many workers, kinds of theirs, queues, and kinds and priorities in them are
 *             looked at; past it the list is cut. When the workers alone use it up, it is empty
 * @ret_list   borrows names until the engine changes
 *
 * Cost  nothing until it is asked for; then at most @steps_max steps
 */
void engine_unserved(
    const struct engine *engine, hob_ns now_ns, uint32_t steps_max, struct unserved_list *ret_list
);

/**
 * How long until a job is expected to be over, its next attempt being its last: from how long
 * attempts of its queue ran lately, how fast jobs that wait there get their turn, and how many go
 * before it. A guess: all kinds of a queue are taken together, and workers as they were.
 *
 * @now_ns  the time, which may be past that of the latest turn
 *
 * Answers  0 when it is not known: the job is final or not there, nothing ran in its queue since
 *          the start, the queue is paused without an end
 * Cost     a bounded look, when it is asked for; a few sums at each end of an attempt
 */
hob_ns engine_estimate(const struct engine *engine, hob_ns now_ns, uint64_t id);

/**
 * Every gate between a waiting job and a worker, with what it says now. A job that runs or is final
 * has none.
 *
 * @now_ns           the time, which may be past that of the latest turn
 * @ret_explanation  borrows names until the engine changes
 *
 * Answers  false: there is no such job
 * Cost     a bounded look, when it is asked for: as that of a thousand fetches
 */
bool engine_explain(
    const struct engine *engine, hob_ns now_ns, uint64_t id, struct explanation *ret_explanation
);

/** Tokens in order of their making: number @at (0-based); false past the last. */
bool engine_token_at(const struct engine *engine, uint32_t at, struct token_view *ret_view);

/** Counts of everything, and memory. */
void engine_stats(const struct engine *engine, struct engine_stats *ret_stats);

/**
 * A hash over the whole durable state: equal states have equal digests, in any process. Walks
 * everything.
 */
uint64_t engine_digest(const struct engine *engine);

/**
 * The same number without a walk; only of an engine that was made with keeps_digest. Journals hold
 * it, and tests and the simulator ask after every command.
 */
uint64_t engine_digest_kept(const struct engine *engine);

/* Of the way from a state to its digest: digests of another version cannot be compared. */
enum { DIGEST_VERSION = 1 };

/** Jobs that replay has met and does not know yet: see engine_replay(). */
uint64_t engine_unknown_count(const struct engine *engine);

/**
 * Check every invariant by walking everything; panics on the first that does not hold. For tests
 * and --paranoid.
 */
void engine_check(const struct engine *engine);

/**
 * The wait before attempt number @attempt + 1, after @attempt failed: deterministic in job id and
 * attempt.
 */
hob_ns backoff_delay(const struct backoff *backoff, uint64_t job_id, uint32_t attempt);

#endif
