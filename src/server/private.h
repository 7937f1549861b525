/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of server/ share. */
#ifndef HOB_SERVER_PRIVATE_H
#define HOB_SERVER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "dialect/session.h"
#include "net/list.h"
#include "net/net.h"
#include "server/audit.h"
#include "server/door.h"
#include "server/metrics.h"
#include "server/server.h"
#include "server/statistics.h"
#include "server/statistics_codec.h"
#include "server/story.h"
#include "server/timekeeper.h"
#include "space/space.h"

enum {
    BEAT_MS = 5000, /* how often a registered worker's connection says that it is alive */
    STOP_MS = 5000, /* for the last output to leave */
    HTTP_IDLE_MS = 75000,
    STRANGER_IDLE_MS = 10000,    /* between requests of who has shown no token */
    UNSERVED_STEPS_MAX = 100000, /* looks that a list of kinds without a worker takes */
    LIST_SCAN_MAX = 100000,      /* jobs that one page of a list looks at */
};

/* A lease that the bytes up to `position` tell of. */
struct told {
    uint64_t position;
    struct lease_ref lease;
};

struct client {
    struct server *server;
    struct conn *conn;
    struct session *session; /* NULL until the first byte has told the dialect */
    uint32_t slot;
    uint64_t serial;
    const struct access *own_access; /* NULL: what the door says */
    struct door_token *token;        /* that was shown; NULL: none */
    bool is_denied;                  /* told in the log once */
    bool is_held;                    /* counted in door.held */
    struct link worker;              /* in server.workers when the connection registered one */
    struct link subscriber;          /* in server.subscribers when its session hears events */
    struct told *told;
    uint32_t told_count;
    uint32_t told_capacity;
};

enum { SECRET_TEXT_MAX = 128 };

enum callbacks_state {
    CALLBACKS_OFF,
    CALLBACKS_RUNNING,
    CALLBACKS_RESTING, /* until it is started (again) */
    CALLBACKS_ENDING,  /* with the server */
};

/* The child process that delivers callbacks. */
struct callbacks {
    struct server *server;
    enum callbacks_state state;
    struct callbacks_options options;
    char secret[SECRET_TEXT_MAX]; /* of DATA/webhook-secret */
    uv_timer_t timer;
    uv_process_t process;
    uint64_t started_ms;
    uint64_t rest_ms; /* before the next start */
    bool is_open;
    bool changed; /* it was asked to end, to start again with other options */
};

/* The file of statistics, on its way to the disk. */
struct keep {
    uv_timer_t timer;
    struct statistics_saver saver;
    pthread_t thread;
    bool has_thread;
    atomic_bool is_written; /* said by the thread: `failed` is there */
    int failed;             /* 0 or an errno */
    bool is_failing;        /* told in the log once */
};

/* How many connections the process's limit of open files allows. */
struct descriptors {
    uint64_t limit;
    uint32_t fit;          /* connections; UINT32_MAX: any number */
    uint64_t told_refused; /* connections that were refused when it was told last */
    hob_ns told_ns;        /* until then it is not told again */
};

struct server {
    const struct server_options *options; /* `in_force` */
    struct server_options in_force;
    struct mem mem;
    struct host host;
    struct net *net;
    struct tls_context *tls; /* NULL: plain */
    struct space *space;
    struct door door;
    bool tokens_changed; /* in this turn: the door has not heard of it yet */
    struct audit audit;
    struct timekeeper timekeeper;
    uv_timer_t tick;
    hob_ns wall_ns;      /* at start */
    hob_ns monotonic_ns; /* at start */
    uv_timer_t due;      /* the next turn without input */
    hob_ns due_ns;       /* that it is set to; HOB_NEVER: it is not */
    uv_timer_t beat;
    uv_timer_t stop;
    uv_signal_t signals[2];
    uv_signal_t hangup;
    struct callbacks callbacks;
    struct client **clients; /* by slot; NULL: free */
    uint32_t client_capacity;
    uint32_t client_count;
    uint64_t serial; /* of the latest connection */
    struct link workers;
    struct link subscribers;
    struct lease_ref *returns; /* leases to release at the end of the turn */
    uint32_t return_count;
    uint32_t return_capacity;
    struct metrics metrics;
    struct statistics statistics;
    struct keep keep;
    struct story story;
    struct descriptors descriptors;
    char listen[512]; /* "listen=… listen=…" */
};

/* clock.c */
/** The time of the engine, also between two turns. */
hob_ns server_now(const struct server *server);
/** Begin with the clocks of the system. */
void server_clock_init(struct server *server);
/** The journal has come to @reached_ns: go on from there if the wall clock is behind it. */
void server_clock_reached(struct server *server, hob_ns reached_ns);
/** The time of the turn that begins. */
hob_ns server_clock_turn(struct server *server, struct clock_news *ret_news);
/** Tell people and, first of all in this turn, the engine. */
void server_clock_news(struct server *server, const struct clock_news *news);
/** The handle that turns at least once a second. */
void server_clock_open(struct server *server);
void server_clock_close(struct server *server);
/* End the process if the space has failed. */
void server_check(struct server *server);

/** What runs beside has ended: end the connections and the loop. */
void server_stop_now(struct server *server);

/* addresses.c */
const char *server_listen_at(const struct server_options *options, size_t at);
size_t server_listen_count(const struct server_options *options);
/** Are they addresses at all? Told before anything is opened. */
HOB_CHECK enum hob_status
server_addresses_read(const struct server_options *options, struct hob_error *err);
/** Say which addresses are open to anybody. */
void server_addresses_warn(const struct server_options *options, bool has_tokens);

/* descriptors.c */
/** Raise the limit and let in as many connections as fit; before the first one. */
void descriptors_open(struct server *server);
/** The limits of connections are other ones, or may be. */
void descriptors_limits_set(struct server *server);
/** Every few seconds: tell of connections that were refused. */
void descriptors_beat(struct server *server, hob_ns now_ns);

/* callback_secret.c */
/** The secret in DATA/webhook-secret, made when there is none. */
HOB_CHECK enum hob_status callback_secret_load(
    const char *data_path, char ret_secret[SECRET_TEXT_MAX], struct hob_error *err
);

/* callbacks.c */
/** Read or make DATA/webhook-secret, and be ready to start; there may be jobs already. */
HOB_CHECK enum hob_status callbacks_open(struct server *server, struct hob_error *err);
/** Close the handles, in any state. */
void callbacks_close(struct server *server);
/** Something has happened to a job. */
void callbacks_event(struct server *server, const struct event *event);
/** Go on with these options. */
void callbacks_reload(struct server *server, const struct callbacks_options *options);
/** Ask it to end. True: server_stop_now() is called when it has; false: it does not run. */
bool callbacks_end(struct server *server);

/* statistics_keep.c */
/** Go on with the statistics of before, if their file is good; before there is any event. */
void statistics_keep_load(struct server *server);
/** Write them every few minutes; no longer; a last time. */
void statistics_keep_open(struct server *server);
void statistics_keep_close(struct server *server);
void statistics_keep_end(struct server *server);

/* reload.c */
/** Set queues and limiters as the options say; in no turn. */
void server_settings_set(struct server *server);
/** From now on SIGHUP reloads. */
void server_reload_open(struct server *server);
void server_reload_close(struct server *server);

/* host.c */
extern const struct host_ops server_host_ops;
/** Release the leases that were given back in this turn. */
void server_returns_apply(struct server *server);

/* clients.c */
void *client_opened(void *context, struct conn *conn);
enum net_next client_input(void *context, struct conn *conn, struct slice input, size_t *ret_used);
void client_late(void *context, struct conn *conn);
void client_insecure(void *context, struct conn *conn, const char *why);
void client_closed(void *context, struct conn *conn);
/* sinks of the space */
void clients_answer(void *context, const struct answer *answer);
void clients_notice(void *context, const struct notice *notice);
void clients_event(void *context, const struct event *event);
/* How long it may say nothing between requests: as to who it is. */
void client_idle_set(struct client *client);
/* The token is revoked: whoever showed it is answered, and gone. */
void clients_shut_out(struct server *server, const struct door_token *token);
/* There are tokens now, or none any more: what the others may changes. */
void clients_rebase(struct server *server);
/* A word in the clear to who came without TLS. */
void client_plain(void *context, struct conn *conn, char first);
/* Each registered worker that is connected is alive. */
void clients_beat(struct server *server);
/* Answer what waits: the server stops. */
void clients_finish(struct server *server);

#endif
