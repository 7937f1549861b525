/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a job and the moves between them: one table each.
 *
 *        push ──> scheduled ──stage──> available ──fetch──> running ──ack──> completed
 *          │ └──────────────────────────^  ^  ^  ^              │ │ └─fail──> retryable ──stage──>
 *          └──> blocked ──unblock──────────┘  │  │              │ │                  available
 *                 (or to scheduled)           │  └───release────┘ └─fail, none left──> discarded
 *                                             └── retry ── completed, discarded, cancelled
 *        cancel: any state that is not final ──> cancelled       discard: any waiting state ──>
 *        discarded      update: of a waiting job; its time may make it available or scheduled
 */
#ifndef HOB_ENGINE_STATES_H
#define HOB_ENGINE_STATES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/*        name             word */
#define JOB_STATES(X)             \
    X(JOB_SCHEDULED, "scheduled") \
    X(JOB_AVAILABLE, "available") \
    X(JOB_RUNNING, "running")     \
    X(JOB_RETRYABLE, "retryable") \
    X(JOB_COMPLETED, "completed") \
    X(JOB_DISCARDED, "discarded") \
    X(JOB_CANCELLED, "cancelled") \
    X(JOB_BLOCKED, "blocked")

enum job_state {
#define X(name, word) name,
    JOB_STATES(X)
#undef X
        JOB_STATE_COUNT
};

/* Why an attempt or a job ended otherwise than by ack. */
#define ERROR_CAUSES(X)                                                  \
    X(CAUSE_FAILED, "failed")     /* the worker said fail */             \
    X(CAUSE_EXIT, "exit")         /* a program ended with a code */      \
    X(CAUSE_SIGNAL, "signal")     /* a program was killed by a signal */ \
    X(CAUSE_TIMEOUT, "timeout")   /* it ran longer than it may */        \
    X(CAUSE_LOST, "lost")         /* worker gone or lease over */        \
    X(CAUSE_START, "start")       /* a program could not be started */   \
    X(CAUSE_RELEASED, "released") /* given back too often */             \
    X(CAUSE_PERSON, "person")     /* cancel or discard by a person */    \
    X(CAUSE_EXPIRED, "expired")   /* not started in time */              \
    X(CAUSE_DROPPED, "dropped")   /* more waited than its queue holds */ \
    X(CAUSE_DEADLINE, "deadline") /* no start left that would be in time */

enum error_cause {
#define X(name, word) name,
    ERROR_CAUSES(X)
#undef X
        ERROR_CAUSE_COUNT
};

/* Why engine time went on by more than the time in which the server was at work. */
#define CLOCK_CAUSES(X)                                              \
    X(CLOCK_STEP, "step")       /* the wall clock was put forward */ \
    X(CLOCK_SUSPEND, "suspend") /* the machine slept */              \
    X(CLOCK_FREEZE, "freeze")   /* the process was stopped, or held up */

enum clock_cause {
#define X(name, word) name,
    CLOCK_CAUSES(X)
#undef X
        CLOCK_CAUSE_COUNT
};

/** The word that users see for it; static. */
const char *clock_cause_word(enum clock_cause cause);

/** The word that users see for a state or a cause; static. */
const char *job_state_word(enum job_state state);
const char *error_cause_word(enum error_cause cause);

/** The state with this word; false when there is none. */
bool job_state_parse(struct slice word, enum job_state *ret_state);
bool error_cause_parse(struct slice word, enum error_cause *ret_cause);

/** completed, discarded and cancelled are final. */
static inline bool job_state_is_final(enum job_state state) {
    return state == JOB_COMPLETED || state == JOB_DISCARDED || state == JOB_CANCELLED;
}

/** May a job go from one state to the other? */
bool job_state_may_move(enum job_state from, enum job_state to);

/* Is it a name, a glob of names (* and ? in it), or one of these behind a '!'? */
bool pattern_is_valid(struct slice pattern);

#define PATTERN_RULE "must be a name, or a glob with * and ? in it, and may have a ! before it"

/* The rule of names, for messages: "queue " NAME_RULE. */
#define NAME_RULE "must be 1 to 200 bytes of A-Z a-z 0-9 - + / ; : . $ _ ( ), not beginning with -"

/**
 * Is @name what a queue, kind or worker may be called (design: 1..200 of A-Za-z0-9 - + / ; : . $ _
 * ( ), no leading -)?
 */
bool name_is_valid(struct slice name);

#endif
