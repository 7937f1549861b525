/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: fetches jobs of the kinds it knows, as many at once as it has slots, has each run by an
 * executor, and tells the server how it went.
 *
 * Two connections: one fetches, and waits for jobs; the other carries all the rest, so that nothing
 * queues behind a waiting fetch. A job holds its slot until the server has taken its end, so what
 * has to be told while the server is away stays bounded.
 *
 * When the fetching connection breaks, its last fetch may have leased jobs that never arrived.
 * They must not be kept alive by the beats of this worker; so it tells which jobs it holds, in each
 * beat, and fetches no more after a lost fetch until it has: the others are run again at once. For
 * that its name must be its own: where another worker of this name is alive, which may be its own
 * former life, it is NAME.2, NAME.3 …
 *
 * Logs about itself go to stderr, one line each. */
#ifndef HOB_WORKER_WORKER_H
#define HOB_WORKER_WORKER_H

#include <uv.h>

#include "base/status.h"
#include "client/address.h"
#include "config/config.h"

struct worker;

/* Texts and configuration are borrowed and outlive the worker. */
/* What a worker can change while it runs: kinds, queues, slots. */
struct worker_change {
    const struct worker_config *config;
    uint32_t slots;
};

/* Asked when a SIGHUP came: read the configuration again. False: nothing changes. */
struct worker_reload {
    void *context;
    bool (*call)(void *context, struct worker_change *ret_change);
};

struct worker_options {
    const struct worker_config *config; /* read with worker_readers (worker/kinds.h) */
    struct address server;
    int control_fd; /* sockets that are connected to the server already; 0: it connects itself. */
    int fetch_fd;   /* With them it ends when the server is gone */
    uint32_t stop_wait_ms; /* how long its end waits for what runs; 0: 25 s */
    const char *name;
    uint32_t slots;
    const char *version;  /* of this program, for those it talks to */
    const char *launcher; /* the binary that knows LAUNCH_WORD (os/launch.h); NULL: this one */
    void *context;
    struct worker_reload reload; /* for worker_run() */
    /* The last call: the worker has ended and is freed. HOB_OK: as it was asked to. */
    void (*ended)(void *context, enum hob_status status, const struct hob_error *error);
};

/** Start on @loop. Never fails: a server that is away is waited for. */
struct worker *worker_start(uv_loop_t *loop, const struct worker_options *options);

/**
 * From now on run jobs as @change says: what it refers to is held as long as it is needed, and jobs
 * that run keep what they began with. The fetch that waits is the last one for the old queues.
 * While the worker ends nothing changes.
 */
void worker_change(struct worker *worker, const struct worker_change *change);

/**
 * End: fetch no more; wait for what runs, at most 25 s; then stop it and give its jobs back. Asked
 * a second time: stop it by force at once.
 */
void worker_stop(struct worker *worker);

/**
 * All of `hob work`: a loop of its own, until SIGTERM or SIGINT ask it to end.
 *
 * Fails  HOB_CONFIG: the server does not take this worker; HOB_UNREACHABLE: the server was away at
 *        the end, and the ends of some jobs could not be told
 */
HOB_CHECK enum hob_status worker_run(const struct worker_options *options, struct hob_error *err);

#endif
