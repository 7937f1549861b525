/* SPDX-License-Identifier: Apache-2.0 */
/* The model: the same queue as src/engine, written a second time in the plainest way there is:
 * arrays and linear scans, no effects, no journal, nothing shared with the engine but the words of
 * its headers and backoff_delay(). It is the specification that a machine can read: where engine
 * and model differ one of the two is wrong.
 *
 *   model.c         memory, lookups, moves between states, argument checks
 *   model_push.c    push, cancel, discard, retry, delete, queues, workers, wait, forget
 *   model_unique.c  unique keys
 *   model_fetch.c   which job runs next; waiting fetches
 *   model_next.c    which jobs would be next
 *   model_lease.c   what the holder of a lease may do
 *   model_done.c    what follows the end of a job
 *   model_time.c    what time does: stage, rescue, prune, the end of waits
 *   model_all.c     lists that are pushed all or none
 *   model_length.c  how many jobs may wait in a queue
 *   model_token.c   tokens
 *   model_valve.c    what stops jobs that wait: pauses, limits and rates
 *   model_limits.c  which arguments are within their limits
 *
 * Everything is open to the simulator, which reads the model to make commands that mean
 * something. */
#ifndef HOB_TEST_SIM_MODEL_H
#define HOB_TEST_SIM_MODEL_H

#include "base/mem.h"
#include "engine/answer.h"
#include "engine/engine.h"

struct model_job {
    struct job_view view; /* slices are the model's own */
    uint64_t ended;       /* order in which jobs became final; 0: not final */
    struct body_ref *logs;
    uint32_t log_capacity;
    hob_ns forsaken_ns; /* its worker said then that it does not hold it; 0: no */
    struct slice text;  /* of one that is merged: its payload, inline or not */
};

/* Whose turn it is within a queue; kept when nothing waits, but then its pass says nothing. */
struct model_group {
    struct slice name;
    uint64_t pass;
};

struct model_queue {
    struct queue_view view;
    struct model_group *groups;
    uint32_t group_count;
    uint32_t group_capacity;
    uint64_t group_vtime; /* pass of the group that was picked last */
    uint64_t pass;        /* turn-taking of weighted fetches */
    bool has_settings;    /* somebody has set or paused it: a restart knows it even without jobs */
};

/* What people have set about a kind, group or limiter, and what its rate gave away. */
struct model_valve {
    struct valve_view view; /* what holds and what is counted is not in it */
};

struct model_worker {
    struct worker_view view;
    struct slice *kinds;
};

struct model_key {
    struct slice key;
    uint64_t id;
    hob_ns until_ns;
    bool is_unique; /* else an idempotency key */
};

struct model_body {
    uint64_t hash;
    size_t size;
    struct slice bytes; /* of a log chunk: documents tell of them */
};

/* A waiting request, in order of arrival: a fetch (queue_count > 0) or a wait for a job. */
struct model_wait {
    uint64_t request;
    hob_ns end_ns;
    uint64_t job_id;
    struct slice worker;
    struct slice *queues;
    uint32_t queue_count;
    uint32_t count;
    enum fetch_mode mode;
    enum fetch_same same;
    struct slice only; /* globs that what a glob finds must fit too */
    hob_ns lease_ns;
};

/* An answer to a request that was waiting; it owns its jobs. */
struct model_late {
    struct answer answer;
    uint64_t *jobs;
};

enum { MODEL_LIST_MAX = 64 };

#define GROUP_STRIDE (UINT64_C(1) << 20)

struct model_chunk;

struct model {
    hob_ns now_ns;
    uint64_t grace_token;  /* leases below were given out before the restart, */
    hob_ns grace_until_ns; /* and are not over before this */
    uint64_t next_id;
    uint64_t next_token;
    uint64_t next_body;
    uint64_t next_ended;
    uint64_t vtimes[QUEUE_TIER_MAX + 1]; /* by tier: pass of the queue picked last */

    struct model_job **jobs; /* by id, gone ones left out */
    uint32_t job_count;
    uint32_t job_capacity;
    struct model_queue *queues; /* in order of their making */
    uint32_t queue_count;
    uint32_t queue_capacity;
    struct model_worker *workers;
    uint32_t worker_count;
    uint32_t worker_capacity;
    struct model_valve *valves;
    uint32_t valve_count;
    uint32_t valve_capacity;
    struct model_key *keys;
    uint32_t key_count;
    uint32_t key_capacity;
    struct token_view *tokens; /* in order of their making */
    uint32_t token_count;
    uint32_t token_capacity;
    struct model_wait *waits;
    uint32_t wait_count;
    uint32_t wait_capacity;
    struct model_body *bodies; /* by id - 1 */
    uint32_t body_count;
    uint32_t body_capacity;

    /* Outputs since the simulator last emptied them. */
    struct model_late *lates;
    uint32_t late_count;
    uint32_t late_capacity;
    struct notice *notices;
    uint32_t notice_count;
    uint32_t notice_capacity;

    /* Jobs that ended in the same ns have no order that a document promises: when one of them has
     * to be pruned, it is the one that the engine has pruned. NULL: the one that ended first. */
    bool (*is_pruned)(void *context, uint64_t id);
    /* After a restart a queue without jobs and settings is known as long as the journal happens to
     * hold a job of it. NULL: it is not known. */
    bool (*knows_queue)(void *context, struct slice name);
    /* What time ends in one turn it ends in no promised order: the first job that the end of
     * @parent has made, of ids from @from on; UINT64_MAX: none. NULL: by id of the parent. */
    uint64_t (*first_child)(void *context, uint64_t parent, uint64_t from);
    void *context;
    bool reads_bodies; /* documents have a log */

    uint64_t fetched[FETCH_COUNT_MAX]; /* what answer.jobs points to */
    struct pushed pushed[MODEL_LIST_MAX];
    struct model_chunk *chunks; /* bytes that live as long as the model */
};

/** A new, empty model; owned by the caller. */
struct model *model_new(void);

/** Free a model. NULL is fine. */
void model_free(struct model *model);

/** As engine_apply. answer.jobs is borrowed until the next call that changes the model. */
void model_apply(
    struct model *model, hob_ns now_ns, const struct command *command, struct answer *ret_answer
);

/** As engine_turn with a budget that never ends. */
void model_turn(struct model *model, hob_ns now_ns);

/** Forget late answers and notices: they were compared. */
void model_outputs_reset(struct model *model);

/** What a restart forgets: waiting requests, workers, turn-taking, counters since start, and
 * perhaps queues that have neither jobs nor settings. */
void model_restart(struct model *model);

/** The earliest time at which model_turn would do something; HOB_NEVER: none. */
hob_ns model_due(const struct model *model);

/** When the lease of a running job is over. */
hob_ns model_lease_end(const struct model *model, const struct model_job *job);
void model_clock_jump(struct model *model, const struct clock_jump_command *jump);

/** When a final job is pruned for its age. */
hob_ns model_keep_end(const struct model *model, const struct model_job *job);

/** Is the queue paused at the model's time? */
bool model_is_paused(const struct model *model, const struct queue_view *queue);

/** Is there a pause that is over at @now_ns and that no turn has ended yet? */
bool model_has_ended_pause(const struct model *model, hob_ns now_ns);

/** Until when a waiting job may start, as it is; HOB_NEVER: no limit. */
hob_ns model_start_by(const struct model_job *job);

/** Does the queue refuse a push, because as many jobs wait, with @promised others, as may? */
bool model_length_refuses(const struct model *model, struct slice queue, uint32_t promised);

/** Must some queue drop a job, as soon as there is a turn? */
bool model_length_is_due(const struct model *model);

/** Drop what queues have no room for. */
void model_length_drop(struct model *model);

/** Discard a waiting job whose next start comes too late; true when it did. Its callbacks are the
 * caller's. */
bool model_settle(struct model *model, struct model_job *job);

/** When a running job has run for too long. */
hob_ns model_kill_at(const struct model_job *job);

/** A queue that had no available job gets one: its pass is not behind its tier's time. */
void model_queue_wakes(struct model *model, struct model_queue *queue);

/** As engine_next, of a queue that is there. */
uint32_t
model_next(struct model *model, struct model_queue *queue, uint32_t count_max, uint64_t *ret_ids);

/** Lookups; NULL when there is none. */
struct model_job *model_job(const struct model *model, uint64_t id);
struct model_queue *model_queue(const struct model *model, struct slice name);
struct model_worker *model_worker(const struct model *model, struct slice name);

/** Call @visit for each body that some job refers to. */
void model_bodies(
    const struct model *model,
    void (*visit)(void *context, const struct body_ref *body),
    void *context
);

/* --- between the model's own files --- */

/** One more element at the end of an array: a pointer to it, zeroed. */
void *model_grow(void *array_pointer, uint32_t *count, uint32_t *capacity, size_t element_size);

/** A copy of @bytes that lives as long as the model. */
struct slice model_copy(struct model *model, struct slice bytes);

/** Give a queue the settings of a new one. */
void model_queue_init(struct model_queue *queue);

/** The group of a queue with this name, which may be empty; made when there is none. */
struct model_group *model_group(struct model *model, struct model_queue *queue, struct slice name);

/** @job comes to the available jobs: when none of its group was among them, the group begins at the
 * end of the round. */
void model_group_wakes(struct model *model, struct model_queue *queue, const struct model_job *job);

/** Slots that a job takes. */
uint32_t model_cost(const struct job_view *job);

/** Does this worker run the kind of the job? */
bool model_runs_kind(const struct model_worker *worker, const struct job_view *job);

/** Can this worker run the job, by its kinds, labels and all of its slots? */
bool model_can_take(const struct model_worker *worker, const struct job_view *job);

/** May a job of the queue start now, whatever else the job waits for? */
bool model_queue_is_open(const struct model *model, const struct model_queue *queue);

/** Does a fetch take jobs of this queue? */
bool model_fetch_takes(const struct model_wait *fetch, const struct model_queue *queue);

/** In one queue, would @a be fetched before @b? */
bool model_runs_before(
    struct model *model,
    struct model_queue *queue,
    const struct job_view *a,
    const struct job_view *b
);

/** A job of this group is picked: its next turn comes a round later, if there is anybody to take
 * turns with. */
void model_group_had_its_turn(
    struct model *model, struct model_queue *queue, const struct job_view *picked
);

/** The queue with this name, made with default settings when there is none. */
struct model_queue *model_queue_make(struct model *model, struct slice name);

/** The worker with this name, registered with any kind and all slots when it is unknown. */
struct model_worker *model_worker_make(struct model *model, struct slice name);

/** A new body of these bytes; no body for no bytes. */
struct body_ref model_body_make(struct model *model, struct slice bytes);

/** Put a job into a state; the one door. @run_at_ns counts for scheduled and retryable. */
void model_move(struct model *model, struct model_job *job, enum job_state next, hob_ns run_at_ns);

/** Remove a job; @state_told is what its waiters hear: OK with its state, or NO_JOB. */
void model_delete(struct model *model, struct model_job *job);

/** Add to the last ERRORS_KEPT_MAX errors of a job. */
void model_error(struct model *model, struct model_job *job, struct job_error error);

/** A lease is taken from its worker: tell it. Called before the move. */
void model_notice(struct model *model, const struct model_job *job, enum error_cause cause);

/** Answer a waiting request and drop it; @wait is not valid any more. */
void model_answer_late(struct model *model, struct model_wait *wait, const struct answer *answer);

/** Answer the waits for a job, which is final or gone. */
void model_wake(struct model *model, const struct model_job *job, bool gone);

/** The job has ended: push its callbacks. */
void model_done(
    struct model *model, const struct model_job *job, struct slice result, bool by_person
);

/** model_valve.c: may this job start, as far as its kind, group and limiters go? And its queue? */
bool model_valves_let(const struct model *model, const struct job_view *job);
/* What stands between a job and its start, but for its queue. */
struct model_way {
    struct valve_view valves[2 + JOB_LIMITERS_MAX];
    uint64_t units[2 + JOB_LIMITERS_MAX];
    uint32_t count;
};
/** Its kind, group and limiters, as they hold and are used now, and the units that it wants. */
void model_valves_of(
    const struct model *model, const struct job_view *job, struct model_way *ret_way
);
/** When so many units may start, if none do before; 0 or past: now. */
hob_ns model_rate_opens(const struct rate *rate, hob_ns tat_ns, uint64_t units);
/** Nothing changes until this is said with false: what is found about valves may be remembered. */
void model_valves_hold(bool still);
bool model_rate_lets(const struct model *model, const struct queue_view *queue);
uint32_t model_group_weight(const struct model *model, struct slice queue, struct slice group);
/** Are these names, with units perhaps, four at most and each once? */
bool model_limiters_are_valid(struct slice limiters);
/** It starts: what rates give away. */
void model_valves_take(struct model *model, const struct job_view *job);
/** False: the settings are refused. */
bool model_rate_change(struct rate *rate, const struct rate_set *set);
/** Rates have changed: no debt is larger than the whole burst. */
void model_valves_forgive(struct model *model);
void model_valve_command(struct model *model, const struct command *command, struct answer *answer);
/** A job of a group that stops at failures was discarded; a person looked after it. */
void model_valve_block(struct model *model, const struct job_view *job);

/** The first limiter of this job is paused for so long, unless it is for longer; 0: it is not. */
void model_limiter_rest(struct model *model, const struct job_view *job, hob_ns pause_ns);
void model_valve_unblock(struct model *model, const struct job_view *job);
/** The end of pauses; whether time until @now_ns opens anything; when it does for a job. */
void model_valves_turn(struct model *model);
bool model_valves_move(const struct model *model, hob_ns now_ns);
hob_ns model_valves_due(const struct model *model);
/** What is known of a valve, by number; false: there are no more. */
bool model_valve_view(const struct model *model, uint32_t at, struct valve_view *ret_view);

/** Serve waiting fetches as long as one of them can have a job. */
void model_serve(struct model *model);

/** The key leads to this job for its time. */
void model_key_set(
    struct model *model, struct slice name, bool is_unique, uint64_t id, hob_ns kept_ns
);
/* The key when its time is not over, or NULL. */
const struct model_key *
model_key_held(const struct model *model, struct slice name, bool is_unique);

/** Change a waiting job. */
void model_update_job(
    struct model *model, struct model_job *job, const struct update_command *update
);

/** Is the unique key of the push held? Then this is its answer. */
/* A blocked job that nothing blocks any more, or NULL. */
struct model_job *model_unique_freed(const struct model *model);
/* Does the push become a blocked job? */
bool model_unique_blocks(const struct model *model, const struct push_command *push);
bool model_unique_meets(
    struct model *model, const struct push_command *push, struct answer *answer
);

/** Is the unique key of a final job held by another, so that it may not be retried? */
/* When a debounced job runs that was made at @created_ns, if no other push comes. */
hob_ns
model_debounce_until(const struct model *model, const struct push_command *push, hob_ns created_ns);
/* --- model_merge.c --- */
/* A push that merges meets the holder of its key; NULL: its job is gone. */
void model_join(
    struct model *model,
    const struct push_command *push,
    struct model_job *holder,
    struct answer *answer
);
/* The payload of the first of pushes that are merged. */
struct slice model_merge_begin(struct model *model, const struct push_command *push);
bool model_unique_forbids_retry(
    const struct model *model, const struct model_job *job, struct answer *answer
);

/** The id of the job that a unique key is held for; 0: it is not held. */
uint64_t model_unique_held_by(const struct model *model, struct slice unique);

/** The oldest job that holds this unique key; NULL: none. */
struct model_job *model_unique_holder(const struct model *model, struct slice unique);

/** Commands, by file; the arguments of the command are valid. */
void model_push(
    struct model *model, const struct push_command *push, uint64_t parent, struct answer *answer
);
void model_push_all(struct model *model, const struct push_all_command *all, struct answer *answer);
void model_update(struct model *model, const struct update_command *update, struct answer *answer);
void model_control(struct model *model, const struct command *command, struct answer *answer);
void model_queue_command(struct model *model, const struct command *command, struct answer *answer);
void model_worker_command(
    struct model *model, const struct command *command, struct answer *answer
);
void model_wait_command(struct model *model, const struct command *command, struct answer *answer);
void model_token_command(struct model *model, const struct command *command, struct answer *answer);
void model_fetch(struct model *model, const struct command *command, struct answer *answer);
void model_lease_command(struct model *model, const struct command *command, struct answer *answer);

/** Are the arguments within their limits? Looks at no state but the time. */
bool model_arguments_are_valid(const struct model *model, const struct command *command);

#endif
