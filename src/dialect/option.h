/* SPDX-License-Identifier: Apache-2.0 */
/* Options of requests: one row each, for every dialect. A row says how the option is called in
 * RESP and in JSON, what it may be, and where its value goes in the command; so adding an option to
 * a command is one row. Values arrive as text. */
#ifndef HOB_DIALECT_OPTION_H
#define HOB_DIALECT_OPTION_H

#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"
#include "engine/command.h"
#include "engine/logline.h"
#include "engine/view.h"

enum option_type {
    OPTION_FLAG,    /* bool; RESP: the word alone */
    OPTION_TEXT,    /* struct slice of min..max bytes */
    OPTION_NAME,    /* struct slice: a valid name of a queue, kind or worker */
    OPTION_U32,     /* uint32_t, min..max */
    OPTION_U64,     /* uint64_t, min..max */
    OPTION_I32,     /* int32_t */
    OPTION_SPAN,    /* hob_ns, min..max: a number of ms, or with units */
    OPTION_TIME,    /* hob_ns: unix ms, or RFC 3339 */
    OPTION_PAST,    /* hob_ns: as OPTION_TIME, or a span with its unit: so long ago */
    OPTION_WORD,    /* an enum or uint32_t: the place of the text in `words` */
    OPTION_STATES,  /* uint32_t: bits of job states; may come again */
    OPTION_BACKOFF, /* struct backoff */
    OPTION_TAGS,    /* struct slice: names with commas between; JSON: also an array */
    OPTION_RATE,    /* struct rate_set: `N/SPAN`, or none */
    OPTION_LIMITS,  /* struct slice: limiters, `name` or `name=units`; JSON: also an array */
    OPTION_JSON,    /* struct slice: a JSON text; in JSON the value itself */
};

enum { OPTION_NO_HAS = UINT16_MAX };

struct option {
    const char *word;   /* RESP, in capitals; NULL: not an option there */
    const char *member; /* JSON; NULL: not there */
    enum option_type type;
    uint16_t at;     /* offset of the value in the target */
    uint16_t has_at; /* offset of a bool that is set with it; OPTION_NO_HAS: none */
    uint64_t min;
    uint64_t max;
    const char *const *words; /* OPTION_WORD; NULL at the end */
};

/* The options of one kind of request. */
struct option_set {
    const struct option *options;
    size_t count;
};

/**
 * Set the value of @option in @target from text; slices in it are borrowed from @given.
 * False, with @complaint telling why under @name, when it is not valid.
 *
 * @now_ns  what "an hour ago" is counted from
 */
bool option_put(
    const struct option *option,
    const char *name,
    struct slice given,
    hob_ns now_ns,
    void *target,
    struct buf *complaint
);

/** The option with this RESP word (any case) or JSON member; NULL when there is none. */
const struct option *option_by_word(struct option_set set, struct slice word);
const struct option *option_by_member(struct option_set set, struct slice member);

/** Complain about a word or member that no option has: what is meant, what there is. */
bool option_unknown_word(struct option_set set, struct slice given, struct buf *complaint);
bool option_unknown_member(struct option_set set, struct slice given, struct buf *complaint);

/* Single arguments, in the same words. */
bool option_name(const char *name, struct slice given, struct buf *complaint);
/** A name, a glob, or one of these behind a '!'. */
bool option_pattern(const char *name, struct slice given, struct buf *complaint);
bool option_u64(
    const char *name, struct slice given, uint64_t max, uint64_t *ret_value, struct buf *complaint
);
bool option_span(
    const char *name, struct slice given, hob_ns max, hob_ns *ret_span, struct buf *complaint
);
/** A time that is over: "1h" is an hour before @now_ns. */
bool option_past(
    const char *name, struct slice given, hob_ns now_ns, hob_ns *ret_at, struct buf *complaint
);
/** A job id: 1 or more. */
bool option_id(const char *name, struct slice given, uint64_t *ret_id, struct buf *complaint);

/* --- the tables, and the targets that they fill --- */

enum { UNIQUE_BY_HEX_BYTES = 32 };

struct push_request {
    struct push_command push;
    struct slice on_done; /* JSON; on_done_parse makes push.on_done of it */
    bool verbose;
    struct slice unique_by; /* members of the payload; unique_take makes push.unique of them */
    char unique_hex[UNIQUE_BY_HEX_BYTES]; /* the key that it makes */
    bool has_unique_scope;
    hob_ns throttle_ns; /* another word for the scope time and how long; 0: not said */
};

/* RESP: what a name is the name of. */
struct valve_request {
    bool is_kind;
    bool is_limiter;
    struct slice queue; /* of a group */
};

struct update_request {
    struct update_command update;
    struct slice on_done; /* as of a push */
    bool no_front;        /* RESP: what JSON says as "front": false */
};

enum job_form { JOB_ARRAY, JOB_MAP };

struct fetch_request {
    struct fetch_command fetch;
    enum job_form form;
};

struct pause_request {
    struct pause_command pause;
    hob_ns for_ns;
    struct valve_request valve; /* RESP: not a queue */
};

/* Groups and limiters, and kinds that are paused. */
struct valves_request {
    struct slice after; /* names behind this one */
    uint32_t count;
    bool stopped; /* only those that are paused or blocked */
};

struct list_request {
    struct slice queue;
    struct slice kind;
    uint32_t states;
    struct job_marks marks;
    uint64_t before_id;
    uint32_t count;
    struct slice cursor; /* HTTP: of the next page */
};

struct statistics_request {
    struct slice queue;
    struct slice kind;
    bool all;
    bool series;
    hob_ns since_ns;
};

struct queue_request {
    struct queue_set_command set;
    /* Halves of set.has_keep_completed and set.has_keep_failed. */
    bool has_keep_completed_ns;
    bool has_keep_completed_count;
    bool has_keep_failed_ns;
    bool has_keep_failed_count;
};

/** Both halves of what is kept of a queue go together: one that was not given is that of @now. */
void queue_request_end(struct queue_request *request, const struct queue_view *now);

/** The word of a scope. */
const char *unique_scope_word(enum unique_scope scope);
/** The word of what happens in a full queue. */
const char *on_full_word(enum on_full on_full);

/** The word of an order of groups. */
const char *group_order_word(enum group_order order);
/** Append "100/1m" of a rate that there is. */
void rate_put(struct buf *to, const struct rate *rate);

extern const struct option_set push_options;       /* struct push_request */
extern const struct option_set update_options;     /* struct update_request */
extern const struct option_set fetch_options;      /* struct fetch_request */
extern const struct option_set fail_options;       /* struct fail_command */
extern const struct option_set control_options;    /* struct control_command */
extern const struct option_set pause_options;      /* struct pause_request */
extern const struct option_set list_options;       /* struct list_request */
extern const struct option_set line_options;       /* struct log_line */
extern const struct option_set logs_options;       /* struct logs_request */
extern const struct option_set search_options;     /* struct search_request */
extern const struct option_set queue_options;      /* struct queue_request */
extern const struct option_set limiter_options;    /* struct valve_set_command */
extern const struct option_set group_options;      /* struct valve_set_command */
extern const struct option_set valve_options;      /* struct valve_request */
extern const struct option_set valves_options;     /* struct valves_request */
extern const struct option_set statistics_options; /* struct statistics_request */

#endif
