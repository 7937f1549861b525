/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine answers. An answer is data: it is counted and sent to the client, never logged as
 * an error. */
#ifndef HOB_ENGINE_ANSWER_H
#define HOB_ENGINE_ANSWER_H

#include "engine/view.h"

/*        name                word (RESP, JSON `code`)   HTTP  text */
#define ANSWERS(X)                                                                         \
    X(ANSWER_OK, "OK", 200, "ok")                                                          \
    X(ANSWER_WAITING, "WAITING", 202, "the answer comes later")                            \
    X(ANSWER_EMPTY, "EMPTY", 204, "no job can be had now")                                 \
    X(ANSWER_NO_JOB,                                                                       \
      "NOJOB",                                                                             \
      404,                                                                                 \
      "there is no such job: it never was, or its time of keeping is over")                \
    X(ANSWER_NO_QUEUE, "NOQUEUE", 404, "there is no such queue")                           \
    X(ANSWER_UNKNOWN, "UNKNOWN", 404, "there is no kind, group or limiter with this name") \
    X(ANSWER_NO_TOKEN, "NOTOKEN", 404, "there is no token with this name")                 \
    X(ANSWER_EXISTS, "EXISTS", 409, "it exists already")                                   \
    X(ANSWER_CONFLICT, "CONFLICT", 409, "that would leave this server without a key")      \
    X(ANSWER_UNIQUE, "UNIQUE", 409, "another job holds this unique key")                   \
    X(ANSWER_CHANGED,                                                                      \
      "CHANGED",                                                                           \
      412,                                                                                 \
      "the job has changed since: this is not its version any more")                       \
    X(ANSWER_STALE,                                                                        \
      "STALE",                                                                             \
      409,                                                                                 \
      "this lease is no longer yours: the job was rescued, cancelled or finished")         \
    X(ANSWER_LEASE_OVER,                                                                   \
      "LEASEOVER",                                                                         \
      409,                                                                                 \
      "the lease is over: extend it, or let the worker beat, before it ends")              \
    X(ANSWER_WRONG_STATE, "STATE", 409, "the job is not in a state that allows this")      \
    X(ANSWER_NO_SLOT,                                                                      \
      "NOSLOT",                                                                            \
      409,                                                                                 \
      "the worker has no free slot: finish a job first, or register with more slots")      \
    X(ANSWER_LOGIN, "NOAUTH", 401, "show a token first: this server has tokens")           \
    X(ANSWER_FORBIDDEN, "NOPERM", 403, "this token does not allow that")                   \
    X(ANSWER_BAD_ARGUMENT, "BADARG", 400, "an argument is not valid")                      \
    X(ANSWER_TOO_LARGE, "TOOLARGE", 413, "larger than the limit")                          \
    X(ANSWER_LIMIT, "LIMIT", 429, "a limit of this server is reached")                     \
    X(ANSWER_QUEUE_FULL,                                                                   \
      "QUEUEFULL",                                                                         \
      429,                                                                                 \
      "as many jobs wait in this queue as its length allows; try again later")             \
    X(ANSWER_MEMORY,                                                                       \
      "MEMORY",                                                                            \
      503,                                                                                 \
      "memory is nearly used up: pushes are refused until jobs finish; try again later")   \
    X(ANSWER_FULL,                                                                         \
      "FULL",                                                                              \
      507,                                                                                 \
      "the disk is full: pushes are refused until there is space; other commands work")

enum answer_code {
#define X(name, word, http, text) name,
    ANSWERS(X)
#undef X
        ANSWER_CODE_COUNT
};

/* One of a list that was pushed. */
struct pushed {
    uint64_t id;
    enum job_state state;
    bool duplicate;
};

struct answer {
    enum answer_code code;
    uint64_t request;   /* of the command */
    const char *detail; /* static: which argument, which limit; NULL: none */
    uint64_t id;        /* push: the job, also when duplicate; UNIQUE: the holder of the key */
    bool duplicate;     /* push: the key was known or held, nothing was added */
    enum job_state
        state; /* push, fail, release, cancel …: the state now; WRONG_STATE: the state it is in */
    uint32_t version;      /* update: the version now */
    hob_ns retry_after_ns; /* MEMORY, FULL: when to try again */
    hob_ns lease_until_ns; /* extend, fetch */
    uint32_t job_count;    /* fetch: ids of the leased jobs; wait: 1 */
    const uint64_t *jobs;  /* borrowed until the next call that changes the engine */
    uint32_t item;         /* push_all: which of the list is the reason, from 1; 0: none of them */
    uint32_t pushed_count; /* push_all: all of the list, in its order, */
    const struct pushed *pushed; /* borrowed until the next push_all */
};

/** Static words of an answer code. */
const char *answer_word(enum answer_code code);
const char *answer_text(enum answer_code code);
unsigned answer_http_status(enum answer_code code);

#endif
