/* SPDX-License-Identifier: Apache-2.0 */
/* What a dialect needs from whoever runs it: a server over a space, or a test over a fake. Through
 * this table, and through nothing else, a dialect acts and reads; so it is pure, and the bytes that
 * it answers depend only on the bytes that came and on what the host says.
 *
 * Everything here is called inside a turn, on the owner's thread. Views are borrowed until the next
 * `apply`. */
#ifndef HOB_DIALECT_HOST_H
#define HOB_DIALECT_HOST_H

#include "base/buf.h"
#include "base/mem.h"
#include "base/status.h"
#include "dialect/ring.h"
#include "dialect/statistics.h"
#include "engine/answer.h"
#include "engine/command.h"
#include "engine/explain.h"
#include "engine/view.h"

struct session;

enum {
    SECRET_HASH_BYTES = 32,
    SECRET_TEXT_BYTES = 47, /* "hob_" and 256 bits in base64url */
};

/* A new token: what its holder gets to see once, and what is kept. */
struct secret {
    char text[SECRET_TEXT_BYTES];
    char hash[SECRET_HASH_BYTES];
};

enum login {
    LOGIN_OK,
    LOGIN_UNKNOWN, /* there is no such token */
    LOGIN_LATER,   /* nor was there one the last times that this address tried */
};

enum {
    /* A reply that would be larger is refused, a fetch gives back what does not fit. */
    REPLY_BYTES_MAX = 32 * 1024 * 1024,
    /* Of answers that have not left, of one connection: no further request is served above it. */
    BACKLOG_BYTES_MAX = 4 * 1024 * 1024,
    /* The largest output buffer: a backlog that is nearly full, and a job whose 10 MiB of payload,
     * result and checkpoint are all escaped in JSON, six bytes for one. */
    OUT_BYTES_MAX = 80 * 1024 * 1024,
    COMPLAINT_BYTES_MAX = 1024,
    LIST_IDS_MAX = 1000, /* of one page */
};

struct host_list {
    struct slice queue; /* empty: any */
    struct slice kind;  /* empty: any */
    uint32_t states;    /* bits 1u << enum job_state; 0: any */
    struct job_marks marks;
    uint64_t before_id; /* 0: from the newest */
    uint32_t count_max; /* 1..LIST_IDS_MAX */
};

struct host_stats {
    struct engine_stats engine;
    hob_ns uptime_ns;
    int64_t clock_ahead_ms; /* of the wall clock; negative: behind it */
    uint64_t clock_jumps;
    hob_ns clock_jumped_ns; /* by all of them */
    uint32_t connections;
    uint64_t durable_seq;
    uint64_t turns;
    uint64_t batches;
    uint64_t batch_bytes;
    uint64_t stored_bytes; /* on the device */
    uint64_t bodies;
    uint64_t body_bytes;
    uint64_t cleaned_segments;
    uint64_t cleaned_bytes;
    uint64_t logins;         /* right tokens, once for each connection or change of it */
    uint64_t logins_refused; /* wrong tokens */
    uint64_t requests_denied;
    uint64_t connections_refused; /* too many of them */
    uint64_t handshakes_failed;   /* of TLS */
    bool full;
};

/* A request that was answered by an error. */
struct refusal {
    struct slice request_id; /* HTTP */
    struct slice method;     /* HTTP: GET; RESP: the command's word, as the table has it */
    struct slice path;       /* HTTP: without the query; its pattern when the answer came late */
    unsigned status;         /* HTTP; 0: RESP */
    struct slice code;
};

struct host_ops {
    void (*apply)(void *context, const struct command *command, struct answer *ret_answer);

    /* Reading: as the functions of engine/engine.h with these names. */
    bool (*job)(void *context, uint64_t id, struct job_view *ret_view);
    uint64_t (*find_ref)(void *context, struct slice ref);
    /** Ids from new to old; the cursor for the next page, 0 at the end. A page may be short, even
     * empty, before the end: a call looks at a bounded number of jobs. */
    uint64_t (*list
    )(void *context, const struct host_list *list, uint64_t *ret_ids, uint32_t *ret_count);
    bool (*queue)(void *context, struct slice name, struct queue_view *ret_view);
    bool (*queue_at)(void *context, uint32_t at, struct queue_view *ret_view);
    /** As engine_next. */
    uint32_t (*next)(void *context, struct slice queue, uint32_t count_max, uint64_t *ret_ids);
    /** As engine_kind_oldest. */
    hob_ns (*kind_oldest)(void *context, struct slice kind);
    /** As engine_valve and engine_valves. */
    bool (*valve)(void *context, const struct valve_name *name, struct valve_view *ret_view);
    uint32_t (*valves)(void *context, const struct valve_filter *filter, struct slice *ret_names);
    bool (*worker_at)(void *context, uint32_t at, struct worker_view *ret_view);
    void (*stats)(void *context, struct host_stats *ret_stats);
    /** What happened to the jobs of a queue or a kind; false, and zeros, when nothing did. The
     * series is borrowed until the next call. */
    bool (*statistics
    )(void *context, const struct statistics_asked *asked, struct statistics_view *ret_view);
    /** As engine_unserved, in so many steps as the host has time for. */
    void (*unserved)(void *context, struct unserved_list *ret_list);
    /** As engine_explain. */
    bool (*explain)(void *context, uint64_t id, struct explanation *ret_explanation);
    /** As engine_estimate. */
    hob_ns (*estimate)(void *context, uint64_t id);
    /** Append the bytes of a body to @out. */
    enum hob_status (*body
    )(void *context, uint64_t body_id, struct buf *out, struct hob_error *err);

    /** Tokens of the space: number @at (0-based); false past the last. */
    bool (*token_at)(void *context, uint32_t at, struct token_view *ret_view);
    /** Draw a new token. */
    void (*token_draw)(void *context, struct secret *ret_secret);
    /**
     * A token was shown: set session->access to what it allows.
     *
     * @name   of the token, "default", or nothing
     * @token  its text; nothing: back to what the connection may without one
     */
    enum login (*login
    )(void *context, struct session *session, struct slice name, struct slice token);
    /** A request was refused for what session->access lacks. */
    void (*denied)(void *context, struct session *session);
    /** Is @host, as an HTTP client calls this server ("NAME" or "NAME:PORT"), one of its names? */
    bool (*host_is_own)(void *context, struct session *session, struct slice host);
    /** Append the latest lines of the audit trail, oldest first, each with its end. */
    enum hob_status (*audit
    )(void *context, hob_ns since_ns, uint32_t count_max, struct buf *out, struct hob_error *err);

    /** The journal cannot keep up: serve no further request in this turn. */
    bool (*is_congested)(void *context);
    /** This lease is told by the bytes that @session has written so far; when they never leave, it
     * is given back. */
    void (*leased)(void *context, struct session *session, struct lease_ref lease);
    /** Nobody will be told of this lease: release it soon. Not done at once: the caller may be
     * inside an `apply`. */
    void (*give_back)(void *context, struct lease_ref lease);
    /** session->worker was set: while the connection is open this worker is alive. */
    void (*worker_registered)(void *context, struct session *session);
    /**
     * From now on @session hears every event of the engine, or none. Its dialect has an `event`.
     */
    void (*subscribe)(void *context, struct session *session, bool on);
    /** Append all figures, as Prometheus reads them. */
    void (*metrics)(void *context, struct buf *out);
    /** A request was answered: @protocol and @op are static, @code says how. */
    void (*served)(void *context, const char *protocol, struct slice op, struct slice code);
    /** And the answer is an error. */
    void (*refused)(void *context, struct session *session, const struct refusal *refusal);
};

struct host {
    const struct host_ops *ops;
    void *context;
    struct mem *mem;     /* for what sessions hold */
    const char *version; /* of the server, static */
    hob_ns now_ns;       /* of this turn */
    bool is_stopping;    /* not ready for new work */
    uint64_t epoch;      /* of this process: numbers of events are its own */

    /* Event streams that go on; while there are some, and for a while after, the ring keeps what
     * happens. */
    struct ring ring;
    uint32_t streams;
    uint64_t streams_dropped; /* readers that were too slow */
    hob_ns ring_until_ns;

    /* Room that all sessions share, since one request is served at a time. */
    struct buf complaint; /* why an argument was refused */
    struct buf scratch;   /* decoded strings, bodies on their way */
    struct buf on_done;   /* callbacks as a push takes them */
    struct buf reply;     /* a reply whose size must be known before it is written */

    /* And for a session that is told something from inside the request of another one, whose reply
     * may lie half-written in the room above: session_answer and session_event change them over. */
    struct buf inner_complaint;
    struct buf inner_scratch;
    struct buf inner_reply;
    bool is_inner;
};

/** Set up the shared room; the rest is the caller's. */
void host_init(struct host *host, const struct host_ops *ops, void *context, struct mem *mem);

/** Free the shared room. */
void host_deinit(struct host *host);

/** An event happened: for the ring. Before any session hears of it. */
void host_event(struct host *host, const struct event *event);

/** An event stream began, or ended. */
void host_stream_began(struct host *host);
void host_stream_ended(struct host *host);

/** Called every few seconds: forget what nobody comes back for. */
void host_beat(struct host *host);

/** Give back large rooms; between turns. */
void host_trim(struct host *host);

#endif
