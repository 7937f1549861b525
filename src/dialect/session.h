/* SPDX-License-Identifier: Apache-2.0 */
/* A dialect is a way to speak to Hob: a parser, a printer and a small session for each connection.
 * It decides nothing about jobs. To add one: a folder here, and a row where the server picks.
 *
 *     session = dialect->open(host)
 *     next = dialect->input(session, bytes, &used)      again with the rest, as `next` says
 *         SESSION_READ    a request is incomplete: come back with more bytes
 *         SESSION_WAIT    a request waits (FETCH WAIT …): come back after `answer`, or when
 *                         `resumes` is set after an `event`, a `beat` or `finish`: a response that
 *                         went on (an event stream) has ended
 *         SESSION_YIELD   no further request for now: come back when output has left, or the
 *                         journal has made progress
 *         SESSION_CLOSE   let the output leave, then close
 *     dialect->answer(session, answer)         to the request that waits; from inside an apply
 *     dialect->close(session)
 *
 * Requests of one connection are served strictly in order, one at a time: while one waits, those
 * behind it are not even looked at. So replies are in order, and a waiting FETCH holds up what is
 * pipelined behind it, as a blocking command does in Redis. */
#ifndef HOB_DIALECT_SESSION_H
#define HOB_DIALECT_SESSION_H

#include "dialect/access.h"
#include "dialect/host.h"
#include "engine/event.h"

/* A reply that told a worker of a lease may be on its way for so long: see worker_beat_command. */
#define HOLDS_GRACE_DEFAULT_NS (10 * NS_PER_SECOND)

enum session_next { SESSION_READ, SESSION_WAIT, SESSION_YIELD, SESSION_CLOSE };

struct dialect {
    const char *name;
    /** A new session; freed by `close`. Its `id` and `out` are set by the caller, before input. */
    struct session *(*open)(struct host *host);
    enum session_next (*input)(struct session *session, struct slice input, size_t *ret_used);
    /** The answer to the request that waits; never ANSWER_WAITING. */
    void (*answer)(struct session *session, const struct answer *answer);
    /** A lease of session->worker was taken away. */
    void (*lost)(struct session *session, struct lease_ref lease, enum error_cause cause);
    /** Something happened in the engine, to a session that subscribed; it sorts out for itself what
     * it tells. May unsubscribe this session; gives no command. NULL: it cannot subscribe. */
    void (*event)(struct session *session, const struct event *event);
    /** Called every few seconds for a session that subscribed. NULL: it does not care. */
    void (*beat)(struct session *session);
    /** A request was begun and not ended in time: a last word before the connection closes. */
    void (*late)(struct session *session);
    /** The server stops: answer the request that waits as if its time were over. */
    void (*finish)(struct session *session);
    void (*close)(struct session *session);
};

struct session {
    const struct dialect *dialect;
    struct host *host;
    struct buf *out;             /* replies are appended here */
    uint32_t id;                 /* of the connection; the high half of its request numbers */
    uint32_t requests;           /* numbers given so far; the low half */
    uint64_t waiting;            /* the request that waits, 0: none */
    uint64_t stale;              /* waits in the engine though it is answered, 0: none */
    uint64_t serial;             /* of the connection, never used again */
    bool resumes;                /* set by the dialect: what held up the input is over */
    bool is_subscribed;          /* set by session_subscribe */
    uint64_t events_missed;      /* since it subscribed: too much of its output had not left */
    const struct access *access; /* set by the caller; NULL: everything is allowed */
    enum scope scope;            /* of the request under way: its row's */
    struct slice op;             /* and the name of that row, static */
    uint32_t worker_size;
    char worker[NAME_BYTES_MAX]; /* registered by this connection; empty: none */
};

static inline struct slice session_worker(const struct session *session) {
    return slice_of(session->worker, session->worker_size);
}

/** Set up what all sessions have; for `open`. */
void session_init(struct session *session, const struct dialect *dialect, struct host *host);

/**
 * A request under @scope begins: remember it for all that it touches. False when the session's
 * access has nothing of the kind; then session_denied() tells why.
 */
bool session_begin(struct session *session, enum scope scope);

/** Why session_begin answered false, as ANSWER_LOGIN (show a token first) or ANSWER_FORBIDDEN; the
 * host is told. */
struct answer session_denied(struct session *session);

/** The answer to a request that names a queue which session_sees() does not. */
struct answer session_denied_queue(struct session *session);

/** May the request under way know of this group, or of kinds and limiters, which are of all queues?
 */
bool session_sees_valve(const struct session *session, const struct valve_name *valve);
/** May it touch this queue? */
bool session_sees(const struct session *session, struct slice queue);

/** Is there nothing to list: groups of a queue that is not there? Those that somebody has set stand
 * for themselves. */
bool session_has_no_groups(struct session *session, const struct valve_name *of, uint32_t listed);

struct valves_request;
/** Names of the kinds, groups of a queue or limiters that @of is one of, as they are asked for;
 * room for VALVES_LISTED_MAX. Whether they may be seen was asked before. */
uint32_t session_valves(
    struct session *session,
    const struct valve_name *of,
    const struct valves_request *request,
    struct slice *ret_names
);

/**
 * Apply a command under the next request number; when its answer comes later, `waiting` is set.
 * What touches a queue that the session's access does not reach is not applied: a named queue is
 * ANSWER_FORBIDDEN, and a job of such a queue is ANSWER_NO_JOB, as if it did not exist.
 */
void session_apply(struct session *session, struct command *command, struct answer *ret_answer);

/**
 * The request that waits is answered by something else than the engine: an event. What waits in the
 * engine is stale then; it is taken back by the next session_apply or session_forget, since an
 * event may give no command, and its answer finds nobody. The input goes on.
 */
void session_answered(struct session *session);

/** The request under way (session->op) was answered with @code. */
void session_served(struct session *session, struct slice code);

/** And that is an error. */
void session_refused(struct session *session, const struct refusal *refusal);

/** Drop the request that waits. */
void session_forget(struct session *session);

/** Hear the events of the engine from now on, or no longer; either may be said twice. */
void session_subscribe(struct session *session, bool on);

/** Give its answer to the request that waits, which waits no longer. For those who run sessions. */
void session_answer(struct session *session, const struct answer *answer);

/** Give an event to a session that subscribed. One whose output does not leave misses it, and
 * events_missed counts: a reader that is slow costs no memory. For those who run sessions. */
void session_event(struct session *session, const struct event *event);

/** Register @name (valid) for this connection. */
void session_worker_set(struct session *session, struct slice name);

/** The connection is not to be served further for now. */
bool session_must_yield(const struct session *session);

/**
 * How many of the jobs that a fetch has leased go into one reply, when one byte of theirs may
 * become @growth bytes on the wire; the rest is given back, since nobody would be told of it.
 */
uint32_t
session_jobs_that_fit(struct session *session, const struct answer *answer, uint32_t growth);

/** A job: false when it is gone, or of a queue that the request under way may not touch. */
bool session_job(struct session *session, uint64_t id, struct job_view *ret_view);

/** A job that is leased to this session: false when it is gone. */
bool session_leased_job(struct session *session, uint64_t id, struct job_view *ret_view);

/** As host_ops.list, without jobs of queues that the request may not touch. */
uint64_t session_list(
    struct session *session, const struct host_list *list, uint64_t *ret_ids, uint32_t *ret_count
);

/**
 * Walk the queues that the request may touch, in the order of their making.
 *
 * @at  the number of the first to look at; afterwards, of the next
 */
bool session_queue_next(struct session *session, uint32_t *at, struct queue_view *ret_view);

/* Statistics, and what waits and runs now. */
struct statistics_report {
    struct statistics_asked asked;
    struct statistics_view view;
    bool has_waiting; /* of a kind, and of a queue that is there */
    struct statistics_waiting waiting;
};

/** ANSWER_OK, or ANSWER_NO_QUEUE; whether the caller may see them was asked before. */
enum answer_code session_statistics(
    struct session *session,
    const struct statistics_asked *asked,
    struct statistics_report *ret_report
);

/** This job's lease is told by what was written so far. */
void session_leased(struct session *session, const struct job_view *view);

/** Give back the leases of jobs @from and later: their reply failed. */
void session_give_back(struct session *session, const struct answer *answer, uint32_t from);

#endif
