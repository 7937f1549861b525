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

enum { HISTORY_LINE_BYTES_MAX = 400 };

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
    X(done)

enum history_field {
#define X(name) HISTORY_FIELD_##name,
    HISTORY_FIELDS(X)
#undef X
        HISTORY_FIELD_COUNT
};

/* clang-format off */
/* Of each verb: intended, done, refused (certainly not applied), unknown (the connection went).
 * `damaged`: its bytes are not those that were pushed; `found`: it was there at the end; `census`:
 * all that was there has been found; `note`: free text about the server. */
/*        name             word               fields */
#define HISTORY_TYPES(X)                                                              \
    X(HISTORY_PUSH,             "push",            OF_PUSH) \
    X(HISTORY_PUSHED,           "pushed",          F(key) | F(id)) \
    X(HISTORY_PUSH_REFUSED,     "push-refused",    F(key)) \
    X(HISTORY_PUSH_UNKNOWN,     "push-unknown",    F(key)) \
    X(HISTORY_FETCH,            "fetch",           0u) \
    X(HISTORY_GOT,              "got",             OF_JOB) \
    X(HISTORY_ACK,              "ack",             OF_END) \
    X(HISTORY_ACKED,            "acked",           OF_END) \
    X(HISTORY_ACK_REFUSED,      "ack-refused",     OF_END) \
    X(HISTORY_ACK_UNKNOWN,      "ack-unknown",     OF_END) \
    X(HISTORY_FAIL,             "fail",            OF_END | F(delay_ms)) \
    X(HISTORY_FAILED,           "failed",          OF_END) \
    X(HISTORY_FAIL_REFUSED,     "fail-refused",    OF_END) \
    X(HISTORY_FAIL_UNKNOWN,     "fail-unknown",    OF_END) \
    X(HISTORY_RELEASE,          "release",         OF_END) \
    X(HISTORY_RELEASED,         "released",        OF_END) \
    X(HISTORY_RELEASE_REFUSED,  "release-refused", OF_END) \
    X(HISTORY_RELEASE_UNKNOWN,  "release-unknown", OF_END) \
    X(HISTORY_DAMAGED,          "damaged",         F(id)) \
    X(HISTORY_FOUND,            "found",           F(key) | F(id) | F(done)) \
    X(HISTORY_CENSUS,           "census",          0u) \
    X(HISTORY_NOTE,             "note",            0u)
/* clang-format on */

enum history_type {
#define X(name, word, fields) name,
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
};

/** Append the line, with its end. @note is the text of a HISTORY_NOTE, else NULL. */
void history_put(struct buf *out, const struct history_event *event, const char *note);

/** Read a line, given without its end. False: it is none; @ret_event is then undefined. */
bool history_parse(struct slice line, struct history_event *ret_event);

#endif
