/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a worker share; worker.h is for everybody else.
 *
 *     worker.c      connections, registration, fetching, beats
 *     workend.c     the end
 *     workjob.c     one job from its lease to its settlement */
#ifndef HOB_WORKER_PRIVATE_H
#define HOB_WORKER_PRIVATE_H

#include "client/client.h"
#include "worker/executor.h"
#include "worker/joblog.h"
#include "worker/kinds.h"
#include "worker/worker.h"

enum {
    WORKER_NAME_BYTES_MAX = 200,
    WORKER_TICK_MS = 100, /* logs and progress go out this often */
    WORKER_BEAT_MS = 5000,
    JOB_PROGRESS_BYTES_MAX = 200,
};

struct workjob {
    struct worker *worker;
    struct workjob *next;
    struct workjob *previous;
    uint64_t id;
    char id_text[24];
    char token_text[24];
    char queue[201];
    char kind[201];
    uint32_t cost;     /* slots */
    char trace_id[33]; /* of its traceparent (W3C Trace Context); empty: none */
    uint32_t attempt;
    uint64_t started_ms;
    const struct kind_config *config; /* NULL: its kind is not known here */
    struct config *holds;             /* what `config` is of */
    const struct executor *executor;
    struct run *run; /* NULL: not running */
    struct joblog log;
    uint32_t percent;
    struct slice progress; /* in progress_bytes */
    char progress_bytes[JOB_PROGRESS_BYTES_MAX];
    bool progress_new;
    bool ended;    /* outcome is known */
    bool settling; /* it is told */
    bool settled;  /* the server has answered, or nothing is to be told */
    size_t open_requests;
    struct outcome outcome;
    struct buf result; /* what outcome.result refers to */
};

struct worker {
    uv_loop_t *loop;
    struct worker_options options;
    struct client *control;
    struct client *fetcher;
    uv_timer_t tick;
    uv_timer_t beat;
    uv_timer_t again; /* fetch again, after a refusal */
    uv_timer_t stopping;
    size_t timers_open;
    char name[WORKER_NAME_BYTES_MAX + 16];
    uint32_t names_tried;
    bool named;          /* this name is its own: it has registered under it */
    bool unsure;         /* a fetch was lost: jobs may be leased to it that it does not know */
    bool telling;        /* and what it holds is being told, so that it knows them all again */
    uint64_t fetched_ms; /* when the fetch under way was sent */
    struct workjob *jobs;
    uint32_t job_count;
    uint32_t slots_taken; /* by these jobs: some cost more than one */
    struct executors executors;
    bool registered;
    bool fetching;
    bool away_said;
    uint32_t stop_stage; /* 0: not asked to end; see worker_stop() */
    bool closing;
    enum hob_status status;
    struct hob_error error;
};

/** Start a job of a FETCH reply; one that cannot be run here is given back. */
void workjob_start(struct worker *worker, const struct resp_node *map);

/** Send what there is: logs, progress, the end. Called each tick and when the server is back. */
void workjob_tell(struct workjob *job);

/** Its lease is gone: stop it, tell nothing. */
void workjob_lose(struct workjob *job, const char *why);

/** Stop it for the end of the worker; @grace_ns 0: by force. */
void workjob_interrupt(struct workjob *job, hob_ns grace_ns);

/** Nothing more can be told about it: free it when it has ended. */
void workjob_abandon(struct workjob *job);

/** A job was freed: its slot is empty. */
void worker_slot_free(struct worker *worker);

/** Register for these kinds; @fn gets the reply, with the worker. */
void worker_kinds_tell(
    struct worker *worker, const char *const *kinds, size_t kind_count, client_reply_fn *fn
);

/** When it was asked to end and nothing is left to do: end. */
void worker_close_if_idle(struct worker *worker);

/** The server is gone for good: end, whatever could not be told. */
void worker_server_gone(struct worker *worker, const struct hob_error *why);

/** Begin the regular calls of workjob_tell(), if they are not under way. */
void worker_tick_start(struct worker *worker);

/* The fields of a log line that say which job. */
#define JOB_FIELDS(job)                                                                           \
    log_str("job", (job)->id_text), log_str("queue", (job)->queue), log_str("kind", (job)->kind), \
        log_u64("attempt", (job)->attempt), log_str("trace_id", (job)->trace_id)

#endif
