/* SPDX-License-Identifier: Apache-2.0 */
/* Why does this job not run? An explanation is a list of gates: each is one thing between the job
 * and a worker, with its live value, open or not. In the list they stand in the order in which a
 * job meets them: its own time first, then its queue, then who could run it, then its place in the
 * line.
 *
 * A new gate is a row here, a function in explain.c, and its sentence in dialect/gates.c. */
#ifndef HOB_ENGINE_EXPLAIN_H
#define HOB_ENGINE_EXPLAIN_H

#include "engine/view.h"

/*    NAME         word           what stands open, or shut */
#define GATES(X)                                                          \
    X(TIME, "time", "the time that the job waits for")                    \
    X(EXPIRY, "expiry", "until when it may start")                        \
    X(DEADLINE, "deadline", "until when it may start to be done in time") \
    X(UNIQUE, "unique", "the job that holds its unique key")              \
    X(PAUSE, "pause", "a pause")                                          \
    X(CONCURRENCY, "concurrency", "how many run at once")                 \
    X(RATE, "rate", "how many start in a time")                           \
    X(BLOCKED, "blocked", "a failed job that blocks its group")           \
    X(ORDER, "order", "jobs of its group, which run one after the other") \
    X(KIND, "kind", "live workers that run its kind")                     \
    X(NEEDS, "needs", "those of them that have its labels and slots")     \
    X(SLOT, "slot", "their free slots")                                   \
    X(FETCH, "fetch", "their fetches that wait for a job of its queue")   \
    X(TIER, "tier", "jobs of queues whose tier is smaller")               \
    X(LINE, "line", "jobs of its queue that go before it")

enum gate_type {
#define X(NAME, word, text) GATE_##NAME,
    GATES(X)
#undef X
        GATE_TYPE_COUNT
};

/* Of what it is: a gate of the same type may stand several times. */
enum gate_of { GATE_OF_JOB, GATE_OF_QUEUE, GATE_OF_KIND, GATE_OF_GROUP, GATE_OF_LIMITER };

/* What a field means is the gate's affair: see dialect/gates.c for each in words. */
struct gate {
    enum gate_type type;
    enum gate_of of;
    bool is_open;
    struct slice name; /* of the queue, kind, group, limiter */
    uint64_t count;    /* in use, before it; of a rate what may start now */
    uint64_t limit;    /* 0: none; of a rate its burst */
    uint64_t units;    /* that the job wants; 0: it is no matter of units */
    struct rate rate;
    uint64_t job;    /* whose end opens it; 0: none */
    bool is_least;   /* there may be more than `count` */
    hob_ns until_ns; /* 0: nobody knows */
    struct slice by; /* who shut it */
    struct slice why;
};

enum { GATES_MAX = 32 };

struct explanation {
    uint64_t id;
    enum job_state state;
    struct slice queue;
    struct slice kind;
    hob_ns start_ns; /* when it is expected to start; 0: nobody knows, or it does not wait */
    uint32_t gate_count;
    struct gate gates[GATES_MAX];
};

/** The word of a gate, and of what it is, static; empty for the job itself. */
const char *gate_word(enum gate_type type);
const char *gate_of_word(enum gate_of of);

/** The first gate that is shut, or NULL. */
const struct gate *explanation_shut(const struct explanation *explanation);

#endif
