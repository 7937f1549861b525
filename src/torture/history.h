/* SPDX-License-Identifier: Apache-2.0 */
/* What clients and workers meant to do and what they were answered, as lines of a file: who wants
 * to know whether a queue keeps its word asks this, not the queue.
 *
 *     1730468 3 push key=17 queue=1 priority=1024 delay_ms=0      before it is sent
 *     1731022 3 pushed key=17 id=42                                when the answer is here
 *
 * The first word is the time in ns of one clock, the second who speaks, the third what; then the
 * fields of that word, all whole numbers, in their order. What is intended is written before it is
 * sent, so a history that ends anywhere is true. */
#ifndef HOB_TORTURE_HISTORY_H
#define HOB_TORTURE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/time.h"

enum { HISTORY_LINE_BYTES_MAX = 600 };

/* The fields of a word, as bits. */
#define HISTORY_FIELDS(X) \
    X(key)                \
    X(id)                 \
    X(token)              \
    X(queue)              \
    X(priority)           \
    X(delay_ms)           \
    X(attempt)            \
    X(releases)           \
    X(done)               \
    X(unique)             \
    X(scope)              \
    X(group)              \
    X(limiter)            \
    X(units)              \
    X(duplicate)          \
    X(sort)               \
    X(name)               \
    X(concurrency)        \
    X(count)              \
    X(period_ms)          \
    X(burst)              \
    X(time)               \
    X(until)              \
    X(ahead_ms)           \
    X(list)

enum history_field {
#define X(name) HISTORY_FIELD_##name,
    HISTORY_FIELDS(X)
#undef X
        HISTORY_FIELD_COUNT
};

/* clang-format off */
/* Of each verb: intended, done, refused (certainly not applied), unknown (the connection went).
 * `damaged`: its bytes are not those that were pushed; `found`: it was there at the end; `census`:
 * all that was there has been found; `note`: free text about the server.
 *
 * What only those tell who also hear the server's events, in its own order, when they are durable:
 * `made`, `waits`, `runs`, `over`: the state that a job is in now; `limit`: what holds from here
 * on; `restart`: the server was away, and what has not ended is told anew; `clock`: from here on
 * its clock runs so much further ahead of ours.
 *
 * The fields behind the first mask must be there, those behind the second are there when they are
 * not 0. */
/*        name             word               fields                   more */
#define HISTORY_TYPES(X)                                                              \
    X(HISTORY_PUSH,             "push",            OF_PUSH, MORE_OF_PUSH) \
    X(HISTORY_PUSHED,           "pushed",          F(key) | F(id), F(duplicate)) \
    X(HISTORY_PUSH_REFUSED,     "push-refused",    F(key), 0u) \
    X(HISTORY_PUSH_UNKNOWN,     "push-unknown",    F(key), 0u) \
    X(HISTORY_FETCH,            "fetch",           0u, 0u) \
    X(HISTORY_GOT,              "got",             OF_JOB, 0u) \
    X(HISTORY_ACK,              "ack",             OF_END, 0u) \
    X(HISTORY_ACKED,            "acked",           OF_END, 0u) \
    X(HISTORY_ACK_REFUSED,      "ack-refused",     OF_END, 0u) \
    X(HISTORY_ACK_UNKNOWN,      "ack-unknown",     OF_END, 0u) \
    X(HISTORY_FAIL,             "fail",            OF_END | F(delay_ms), 0u) \
    X(HISTORY_FAILED,           "failed",          OF_END, 0u) \
    X(HISTORY_FAIL_REFUSED,     "fail-refused",    OF_END, 0u) \
    X(HISTORY_FAIL_UNKNOWN,     "fail-unknown",    OF_END, 0u) \
    X(HISTORY_RELEASE,          "release",         OF_END, 0u) \
    X(HISTORY_RELEASED,         "released",        OF_END, 0u) \
    X(HISTORY_RELEASE_REFUSED,  "release-refused", OF_END, 0u) \
    X(HISTORY_RELEASE_UNKNOWN,  "release-unknown", OF_END, 0u) \
    X(HISTORY_DAMAGED,          "damaged",         F(id), 0u) \
    X(HISTORY_FOUND,            "found",           F(key) | F(id) | F(done), 0u) \
    X(HISTORY_CENSUS,           "census",          0u, 0u) \
    X(HISTORY_NOTE,             "note",            0u, 0u) \
    X(HISTORY_MADE,             "made",            F(key) | F(id), 0u) \
    X(HISTORY_WAITS,            "waits",           F(key) | F(id), 0u) \
    X(HISTORY_RUNS,             "runs",            F(key) | F(id) | F(token) | F(time), F(until)) \
    X(HISTORY_OVER,             "over",            F(key) | F(id), 0u) \
    X(HISTORY_LIMIT,            "limit",           F(sort) | F(name), OF_LIMIT) \
    X(HISTORY_RESTART,          "restart",         0u, 0u) \
    X(HISTORY_CLOCK,            "clock",           F(ahead_ms), 0u)
/* clang-format on */

enum history_type {
#define X(name, word, fields, more) name,
    HISTORY_TYPES(X)
#undef X
        HISTORY_TYPE_COUNT
};

struct history_event {
    enum history_type type;
    uint32_t who;
    hob_ns at;
    uint64_t key;
    uint64_t id;
    uint64_t token;
    uint64_t queue;
    uint64_t priority;
    uint64_t delay_ms;
    uint64_t attempt;
    uint64_t releases;
    uint64_t done;
    uint64_t unique; /* number of the key; 0: none */
    uint64_t scope;  /* enum history_scope */
    uint64_t group;  /* number in its queue; 0: none */
    uint64_t limiter;
    uint64_t units;
    uint64_t duplicate;   /* pushed: the server said that the job was there */
    uint64_t sort;        /* enum history_sort */
    uint64_t name;        /* number of the queue, group or limiter */
    uint64_t concurrency; /* 0: no limit */
    uint64_t count;       /* of a rate, in a period; 0: none */
    uint64_t period_ms;
    uint64_t burst;
    uint64_t time;  /* by the server's clock, in ns */
    uint64_t until; /* by it, too: so long the lease was promised */
    uint64_t ahead_ms;
    uint64_t list; /* number of the list that it is pushed in, all or none; 0: alone */
};

/* What a limit is about. Of a group, `queue` is the queue that it belongs to. */
enum history_sort { HISTORY_OF_QUEUE, HISTORY_OF_GROUP, HISTORY_OF_LIMITER };

/* In which states a job holds its unique key. */
enum history_scope { HISTORY_UNTIL_OVER, HISTORY_WHILE_WAITING, HISTORY_WHILE_RUNNING };

/** Append the line, with its end. @note is the text of a HISTORY_NOTE, else NULL. */
void history_put(struct buf *out, const struct history_event *event, const char *note);

/** Read a line, given without its end. False: it is none; @ret_event is then undefined. */
bool history_parse(struct slice line, struct history_event *ret_event);

#endif
