/* SPDX-License-Identifier: Apache-2.0 */
/* Events: what happened to a job or a queue, for those who look on (metrics, event streams, pushed
 * messages). An event is told live only, once for each change, and never in replay; it is made of
 * the effect that is journaled, so it leaves the server, as every reply, only when that effect is
 * durable.
 *
 * Everything in an event is borrowed for the call. When it is told the change has been carried out
 * and the job can be read, but for EVENT_DELETED, which is told while the job is still there. Who
 * hears it reads and writes output; it gives no command. */
#ifndef HOB_ENGINE_EVENT_H
#define HOB_ENGINE_EVENT_H

#include "engine/view.h"

/*        name            word        what happened */
#define EVENTS(X)                                                               \
    X(EVENT_STATE, "state", "a job was made, or is in another state now")       \
    X(EVENT_LOGGED, "log", "the running attempt has logged lines")              \
    X(EVENT_PROGRESS, "progress", "the worker said how far it is")              \
    X(EVENT_DELETED, "deleted", "the job goes: deleted, or kept long enough")   \
    X(EVENT_UPDATED, "updated", "a waiting job was changed, but not its state") \
    X(EVENT_QUEUE, "queue", "a queue was paused, resumed or set; id is 0 here")

enum event_type {
#define X(name, word, text) name,
    EVENTS(X)
#undef X
        EVENT_TYPE_COUNT
};

struct event {
    enum event_type type;
    uint64_t id;          /* of the job */
    bool is_new;          /* STATE: just pushed; there is no `from` */
    enum job_state from;  /* STATE: the state before */
    enum job_state state; /* now; DELETED: the last one */
    struct slice queue;
    struct slice kind;
    uint32_t attempt; /* started so far */
    uint32_t attempt_max;
    hob_ns at_ns;
    hob_ns created_ns;
    hob_ns waited_ns;    /* STATE to running: how long it was available */
    hob_ns ran_ns;       /* STATE from running: how long this attempt ran */
    struct slice worker; /* to or from running, LOGGED, PROGRESS: of the attempt */
    bool has_error;      /* STATE: an attempt failed or was lost; the three fields below count */
    enum error_cause cause;
    int32_t code;
    struct slice what;
    struct slice text;  /* of the error; PROGRESS: the worker's words */
    uint32_t percent;   /* PROGRESS */
    struct slice lines; /* LOGGED: encoded as engine/logline.h says */
    struct slice by;    /* STATE to cancelled, discarded by a person; QUEUE paused: who */
    struct slice why;   /* and why */
    bool paused;        /* QUEUE */
};

/** The word that users see for a type of event; static. */
const char *event_word(enum event_type type);

/** The type with this word (any case); false when there is none. */
bool event_parse(struct slice word, enum event_type *ret_type);

#endif
