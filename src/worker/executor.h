/* SPDX-License-Identifier: Apache-2.0 */
/* An executor runs jobs of some kinds in its own way; `exec` starts a program for each. The worker
 * knows executors by this table only.
 *
 * The life of a run: start() gives it; then come lines and progress, and once, as the last call,
 * done(). Between start() and done() stop() may be called. The run frees itself after done(). No
 * event comes from inside start() or stop(). */
#ifndef HOB_WORKER_EXECUTOR_H
#define HOB_WORKER_EXECUTOR_H

#include <uv.h>

#include "config/config.h"
#include "worker/outcome.h"

struct run;

/* What a run needs to know. Borrowed for the call of start(), but @config: it outlives the run. */
struct run_job {
    struct slice headers; /* a JSON object of strings, or nothing */
    uint64_t created_ms;
    const struct config *whole; /* configuration, with its secrets */
    struct slice id;
    struct slice token;
    struct slice queue;
    struct slice kind;
    struct slice payload;
    uint32_t attempt;
    uint32_t attempt_max;
    hob_ns timeout_ns;    /* > 0; no longer than until the deadline */
    uint64_t deadline_ms; /* of the job, Unix time; 0: none */
    const char *server;   /* address, for programs that talk to it themselves */
    const char *launcher; /* path of the binary that knows LAUNCH_WORD */
    bool is_callback;     /* run by the server's own process, as `callbacks:` says */
    const struct kind_config *config;
};

enum run_stream {
    RUN_STDERR, /* what the program wrote */
    RUN_SYSTEM, /* what the executor has to say about it */
};

struct run_events {
    void *context;
    void (*line)(void *context, enum run_stream stream, struct slice line);
    void (*progress)(void *context, uint32_t percent, struct slice text);
    void (*done)(void *context, const struct outcome *outcome);
};

struct executor {
    const char *name;
    /* What all its runs in a worker share, opened for the first one and closed when no run is
     * left; the loop frees it. NULL: they share nothing. */
    void *(*open)(uv_loop_t *loop, const char *version);
    void (*close)(void *shared);
    struct run *(*start
    )(void *shared, uv_loop_t *loop, const struct run_job *job, const struct run_events *events);
    /* End the run, with @grace_ns between asking and forcing; 0: by force at once. May be called
     * again with a shorter grace; the first reason stays. */
    void (*stop)(struct run *run, enum stop_why why, hob_ns grace_ns);
};

extern const struct executor executor_exec;
extern const struct executor executor_http;

#endif
