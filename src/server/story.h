/* SPDX-License-Identifier: Apache-2.0 */
/* What the server's log tells of jobs, queues and requests: lines with the id of the job
 * (os/log.h), made of events, of what people do, and of requests that were refused.
 *
 *     warn   a job was discarded, an attempt was lost or timed out, a callback was given up, a
 *            worker went away with leases, pushes are refused
 *     info   what people did to jobs, queues and tokens; HTTP requests that were refused
 *     debug  every change of state; requests for what is not there; commands that were refused
 *
 * A flood of failures does not become a flood of lines: of each sort there are so many in a second
 * and then one line that says how many were left out. Lines at level debug are all written; who
 * asks for them wants them. A line is written when the thing happens, so a moment before it is
 * durable: when the journal fails the last line says so, and what was told just before may not be
 * found again. */
#ifndef HOB_SERVER_STORY_H
#define HOB_SERVER_STORY_H

#include "base/logfmt.h"
#include "dialect/host.h"
#include "engine/answer.h"
#include "engine/command.h"
#include "engine/event.h"

enum {
    STORY_JOBS_MAX = 100,     /* lines of a second about jobs and queues */
    STORY_REFUSED_MAX = 20,   /* and about requests that were refused */
    STORY_PUSHES_SECONDS = 10 /* between two lines that say that pushes are refused */
};

/* So many lines in a second. */
struct story_limit {
    hob_ns began_ns;
    uint32_t count;
    uint64_t left_out;
};

/* Pushes that were refused for one reason. */
struct story_pushes {
    bool is_told;
    hob_ns told_ns;
    uint64_t refused; /* since then */
    hob_ns last_ns;   /* when the last one was */
    uint64_t all;     /* refused since the first line */
    bool is_taken;    /* one was taken since */
};

struct story {
    void (*write)(enum log_severity severity, const char *what, const struct log_field *fields);
    struct story_limit jobs;
    struct story_limit requests;
    struct story_pushes memory;
    struct story_pushes disk;
    /* The worker whose leases are being taken back in this turn. */
    uint64_t lost;
    uint32_t worker_size;
    char worker[NAME_BYTES_MAX];
};

/* Who did something. */
struct story_person {
    struct slice token; /* or "owner", "anybody" */
    const char *peer;
};

/** Lines go to @write: log_write. */
void story_init(
    struct story *story,
    void (*write)(enum log_severity severity, const char *what, const struct log_field *fields)
);

/** Something happened to a job. @parent is the job that it is a callback of; 0: none. */
void story_event(struct story *story, const struct event *event, uint64_t parent);

/** Does story_event tell of the parent? */
bool story_wants_parent(const struct event *event);

/** The job that a command of a person is about; 0: none. */
uint64_t story_job(const struct command *command);

/** A person did something, and it was done. @job is what it was done to; NULL: no job. */
void story_command(
    struct story *story,
    hob_ns now_ns,
    const struct command *command,
    const struct job_view *job,
    struct story_person person
);

/** A push was answered with @code: memory or disk are full. */
void story_push_refused(
    struct story *story, hob_ns now_ns, enum answer_code code, struct slice queue
);

/** A push was taken: when none is refused for a while, that is told. */
void story_push_taken(struct story *story);

/** Would a line about this refusal be written, the limit aside? */
bool story_wants_refusal(const struct refusal *refusal);

/** A request was refused. */
void story_refusal(
    struct story *story, hob_ns now_ns, const struct refusal *refusal, const char *peer
);

/** The turn is over: no more leases of one worker come. */
void story_turn_end(struct story *story, hob_ns now_ns);

/** Called every few seconds: tell what was left out. */
void story_beat(struct story *story, hob_ns now_ns);

#endif
