/* SPDX-License-Identifier: Apache-2.0 */
/* The whole system in one process: a server (space, journal, output commit), clients that push,
 * workers, the network between them, and the clock, all in virtual time. One number, the seed, is
 * the whole run: nothing here asks the system for time or chance.
 *
 *     pushers ─┐                       ┌─ inbox ─> space ─> fault journal
 *              ├─ messages, in time ───┤            │
 *     workers ─┘   (late, doubled,     └─ held until durable, then on their way back
 *                   lost)
 *
 * A world is a queue of things to happen, by time and then by order of their making. What clients
 * and workers mean and are told, and what the server's own durable events say, is a history
 * (torture/history.h), which the checker of `hob torture` judges. */
#ifndef HOB_TEST_FAULTS_WORLD_H
#define HOB_TEST_FAULTS_WORLD_H

#include "base/buf.h"
#include "space/space.h"
#include "tests/faults/fault_journal.h"
#include "tests/sim/random.h"
#include "torture/checker.h"

enum {
    WHO_SERVER = 0,
    WHO_PUSHER = 1, /* and so on */
    WHO_WORKER = 100,
    QUEUES_MAX_HERE = 3,
    GROUPS_MAX_HERE = 3,
    LIMITERS_MAX_HERE = 2,
    FETCHED_MAX = 4,
    LIST_MAX = 4,
    HELD_JOBS_MAX = 16,
};

/* Likelihoods are of a thousand. */
struct swarm {
    bool in_files;
    uint32_t jobs;
    uint32_t pushers;
    uint32_t workers;
    uint32_t queues;
    uint32_t groups; /* of each queue */
    uint32_t limiters;
    uint32_t uniques; /* keys */
    uint32_t priorities;
    hob_ns safety_ns;
    uint64_t segment_bytes;
    /* pushes */
    uint32_t delayed;
    hob_ns delay_max_ns;
    uint32_t with_unique;
    uint32_t with_group;
    uint32_t with_limiter;
    uint32_t large; /* bodies */
    uint32_t gives_up;
    uint32_t with_list;  /* pushed with the next ones, all or none */
    hob_ns pause_max_ns; /* between two pushes of a client */
    /* workers */
    hob_ns run_max_ns;
    hob_ns lease_ns;
    uint32_t fails;
    uint32_t releases;
    uint32_t extends;
    uint32_t forgets; /* a job, without a word */
    uint32_t acks_late;
    uint32_t acks_again;
    /* network */
    hob_ns latency_ns;
    uint32_t doubled;
    uint32_t stuck;     /* a message takes seconds */
    uint32_t half_open; /* the server does not hear that a connection is gone */
    /* what the gremlin does, in turns of gremlin_ns */
    hob_ns gremlin_ns;
    uint32_t kills;
    uint32_t breaks;
    uint32_t freezes;
    uint32_t jumps;
    uint32_t deaths; /* of workers */
    uint32_t fills;
    uint32_t limit_changes;
    uint64_t memory_max_bytes; /* 0: none */
    hob_ns down_max_ns;
};

struct world;
typedef void happen_fn(struct world *world, void *subject, uint64_t number);

struct happening {
    hob_ns at;
    uint64_t order;
    happen_fn *call;
    void *subject;
    uint64_t number;
};

/* What is asked: a command, small enough to be copied. */
struct ask {
    enum command_type type;
    uint64_t number; /* of the asker; unique in a run */
    uint64_t key;    /* push */
    uint64_t id;
    uint64_t token;
    uint32_t count;
    hob_ns span_ns; /* lease, delay of a retry */
    hob_ns wait_ns;
    bool is_doubled; /* so a refusal may be that of the second one */
    char worker[24];
};

struct got {
    uint64_t id;
    uint64_t token;
    uint64_t key;
    uint64_t attempt;
    uint64_t releases;
    hob_ns lease_ns; /* still to run */
    bool is_whole;
};

struct reply {
    enum answer_code code;
    uint64_t id;
    uint64_t ids[LIST_MAX]; /* of a list */
    bool duplicate;
    hob_ns retry_ns;
    uint32_t job_count;
    struct got jobs[FETCHED_MAX];
};

/* One end of a connection. */
struct peer {
    uint32_t who;
    uint32_t link; /* number of the connection; what belongs to an older one is not heard */
    uint32_t life; /* of the server that it is connected to; 0: not connected */
    bool is_away;  /* its process is dead */
    struct ask asks[64];
    uint32_t ask_count;
    void *owner;
    void (*answered
    )(struct world *world, struct peer *peer, const struct ask *ask, const struct reply *reply);
    /* The connection went before the answer came. */
    void (*unknown)(struct world *world, struct peer *peer, const struct ask *ask);
    void (*connected)(struct world *world, struct peer *peer);
};

struct message {
    struct peer *peer;
    uint32_t link;
    uint32_t life;
    struct ask ask;
    struct reply reply;
    struct message *next;
    uint64_t request; /* while it waits in the engine */
    uint64_t seq;     /* held until this is durable */
    /* An entry of the history instead of a reply. */
    bool is_event;
    struct history_event event;
};

enum push_step { PUSH_TODO, PUSH_OPEN, PUSH_OVER };

struct push {
    uint64_t key;
    enum push_step step;
    hob_ns not_before_ns;
    uint32_t queue;
    uint32_t kind;
    uint32_t priority;
    uint64_t delay_ms;
    uint32_t unique;
    uint32_t scope;
    uint32_t group;
    uint32_t limiter;
    uint32_t units;
    uint32_t size;
    uint32_t
        list_count; /* it and so many of its client that follow are one list; 0: it is in one */
    uint64_t list;  /* key of the first of it; 0: none */
};

struct pusher {
    struct peer peer;
    uint64_t next; /* key of its next push; they are dealt in turns */
    uint32_t open;
    uint32_t left;
    bool is_due;
};

struct held_job {
    uint64_t id;
    uint64_t token;
    uint64_t serial;
    bool is_again; /* its ack was sent before, and its answer is not known */
};

struct worker {
    struct peer peer;
    uint32_t life;
    struct held_job held[HELD_JOBS_MAX];
    uint32_t held_count;
    bool fetches;
};

struct server {
    struct space *space;
    uint32_t life; /* grows with each start */
    bool is_up;
    bool is_frozen;
    hob_ns base_ns; /* its clock shows base + time since began */
    hob_ns began_ns;
    hob_ns jumped_ns; /* by which the next turn begins: nobody could reach it for so long */
    enum clock_cause jumped_cause;
    hob_ns shown_ns;   /* the latest time that was given to the space */
    int64_t skew_ns;   /* of the wall clock, as a start reads it */
    int64_t ahead_ns;  /* of the true time, as the history knows it */
    uint64_t told_seq; /* what was told to anybody rests on this */
    struct message *inbox;
    struct message **inbox_end;
    struct message *held;
    struct message **held_end;
    struct message *turn; /* made in this turn, without a seq yet */
    struct message **turn_end;
    struct message *waiting; /* fetches */
    uint64_t next_request;
    hob_ns run_at; /* when it runs next; HOB_NEVER */
    uint64_t run_order;
};

/* The concurrency of a queue: what was told to hold, and what was asked for since, in order. Each
 * of these may hold after a crash. */
struct queue_limit {
    uint32_t durable;
    struct {
        uint64_t serial;
        uint32_t concurrency;
    } asked[32];
    uint32_t asked_count;
};

struct counts {
    uint64_t commands;
    uint64_t steps;
    uint64_t restarts;
    uint64_t kills;
    uint64_t unknown_replies;
    uint64_t doubled;
    uint64_t jumps;
    uint64_t freezes;
    uint64_t worker_deaths;
    uint64_t starts_failed;
};

struct world {
    uint64_t seed;
    struct dice dice;
    struct swarm swarm;
    struct fault_plan plan;
    struct fault_store *store;
    struct server server;
    hob_ns now_ns;
    struct happening *happenings; /* a heap */
    size_t happening_count;
    size_t happening_capacity;
    uint64_t next_order;
    bool is_calm; /* the liveness phase */
    uint64_t next_number;
    struct push *pushes; /* by key, from 1 */
    uint64_t push_count; /* keys are below this */
    struct queue_limit queue_limits[QUEUES_MAX_HERE];
    struct pusher pushers[8];
    struct worker workers[8];
    struct checker *checker;
    struct buf history; /* its lines, when somebody wants them */
    bool keeps_history;
    uint64_t history_hash;
    struct counts counts;
    bool has_failed;
    char failure[400];
};

#define WORLD_START_NS (UINT64_C(1767229200) * NS_PER_SECOND)

/* --- world.c --- */

/** @call happens at @at, or now. */
void world_at(struct world *world, hob_ns at, happen_fn *call, void *subject, uint64_t number);
/** The next thing happens; false: there is none. */
bool world_step(struct world *world);
bool chance(struct world *world, uint32_t of_thousand);
/** A span up to @max, small ones as likely as large ones. */
hob_ns span_up_to(struct world *world, hob_ns max_ns);
/** To the history. */
void record(struct world *world, struct history_event event);
void record_note(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** The run is wrong; the first reason counts. */
void world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The payload of a push, and what it says in one that came back. */
void payload_make(const struct push *push, struct buf *out);
bool payload_read(const struct world *world, struct slice payload, uint64_t *ret_key);

/* --- swarm.c --- */

void swarm_draw(struct world *world);
/** The concurrency of a queue as its engine has it; it must be one that was set. */
void limits_look(struct world *world);
/** This was asked for; and this was told to hold. */
void limit_asked(struct world *world, uint64_t queue, uint64_t serial, uint32_t concurrency);
void limit_told(struct world *world, uint64_t queue, uint64_t serial, uint32_t concurrency);
/** Draw another concurrency for a queue. */
uint32_t limit_change_draw(struct world *world);

/** The limits of this run, as `limit` lines, and the commands that set them. */
void limits_set(struct world *world);

/* --- net.c --- */

/** Send; false: not connected, nothing was sent. */
bool peer_ask(struct world *world, struct peer *peer, struct ask *ask);
/** The connection ends here; what was asked is unknown; it connects again by itself. */
void peer_break(struct world *world, struct peer *peer);
/** As peer_break, but nobody is there to be told. */
void peer_die(struct world *world, struct peer *peer);
/** Connect soon. */
void peer_connect_soon(struct world *world, struct peer *peer);
/** The server has answered. Takes the message over. */
void reply_send(struct world *world, struct message *message);
/** All connections end: the server is gone. */
void net_server_gone(struct world *world);
/** Nothing arrives any more. */
void net_end(struct world *world);

/* --- server.c --- */

/** Start; when it cannot, it is tried again later. */
void server_start(struct world *world);
/** The process ends here. */
void server_kill(struct world *world, const char *why);
/** Somebody sets the concurrency of a queue, at the server's own door. */
void server_set_limit(struct world *world, uint32_t queue, uint32_t concurrency);
/** A message has arrived. Takes it over. */
void server_take(struct world *world, struct message *message);
/** A client's connection is gone, and the server hears of it. */
void server_forget(struct world *world, const struct peer *peer, uint32_t link);
void server_run_at(struct world *world, hob_ns at);
/** Stop cleanly, start again, and look at every job. */
void server_census(struct world *world);
hob_ns server_clock(const struct world *world);
void server_free(struct world *world);
/** The store asks for another process that writes first. */
void server_fence(void *context);

/* --- client.c, work.c --- */

void pushers_begin(struct world *world);
bool pushers_are_done(const struct world *world);
void workers_begin(struct world *world);
void worker_die(struct world *world, struct worker *worker);

/* --- gremlin.c --- */

void gremlin_begin(struct world *world);

/* --- run.c --- */

struct run_options {
    uint64_t seed;
    bool keeps_history;
    uint32_t jobs_max; /* 0: as drawn */
    bool quiet;        /* no faults but this one: */
    uint64_t crash_at; /* append */
    enum fault crash_as;
    uint64_t disk_crash_at; /* file operation */
    bool in_files;          /* with `quiet` */
    bool in_memory;
};

struct run_result {
    bool is_good;
    char failure[400];
    uint64_t history_hash;
    struct checker_verdict verdict;
    struct counts counts;
    struct fault_counts faults;
    bool in_files;
};

/** One run. @ret_history may be NULL; else the lines, to be freed by buf_deinit. */
void run(const struct run_options *options, struct run_result *ret_result, struct buf *ret_history);

#endif
