/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this dialect share: the session, the table, and the printers. */
#ifndef HOB_DIALECT_RESP_CORE_H
#define HOB_DIALECT_RESP_CORE_H

#include "dialect/complain.h"
#include "dialect/fields.h"
#include "dialect/loglines.h"
#include "dialect/option.h"
#include "dialect/resp/commands.h"
#include "dialect/resp/resp.h"
#include "wire/resp.h"

enum { RESP_LABEL_BYTES_MAX = 64 };

/* What a client says about itself: its name, its library. */
struct resp_label {
    uint32_t size;
    char bytes[RESP_LABEL_BYTES_MAX];
};

struct subscription;

/* What the request that waits is to be answered with. */
enum resp_awaited { RESP_AWAITED_JOBS, RESP_AWAITED_JOB, RESP_AWAITED_LOGS };

struct resp_session {
    struct session base;
    struct resp_parser parser;
    enum resp_version version;
    bool is_closing;
    size_t reply_at; /* where the reply of the current request begins in base.out */
    enum resp_awaited awaited;
    enum job_form form;  /* RESP_AWAITED_JOBS */
    uint64_t awaited_id; /* RESP_AWAITED_JOB */
    struct resp_label name;
    struct resp_label library;
    struct resp_label library_version;

    /* logs.c */
    struct logs_request logs; /* RESP_AWAITED_LOGS */

    /* subscribe.c */
    struct subscription *subscriptions;
    uint32_t subscription_count;
    uint32_t subscription_capacity;
    uint64_t missed_told; /* of base.events_missed */
    bool in_request;      /* what is pushed waits in `pushes` for the end of the reply */
    struct buf pushes;

    /* multi.c */
    bool in_multi;
    bool multi_broken; /* a command was refused: EXEC does nothing */
    bool in_exec;      /* nothing waits */
    uint32_t multi_count;
    struct buf multi; /* the requests, as they came */
};

/* The arguments behind the command word. */
struct args {
    const struct slice *at;
    size_t count;
};

typedef void resp_run(struct resp_session *session, struct args args);

struct resp_command {
    struct slice name;
    resp_run *run;
    enum scope scope;
    size_t min;
    size_t max;
    const char *usage;
    const char *summary;
};

enum { ANY_COUNT = INT32_MAX };

#define X(name, run, scope, min, max, usage, summary) resp_run run;
RESP_COMMANDS(X)
#undef X

extern const struct resp_command resp_commands[];
extern const size_t resp_command_count;

/** The row of a command word, any case; NULL when there is none. */
const struct resp_command *resp_command_find(struct slice name);

/** Run one request, or keep it for EXEC. @bytes: the request as it came. */
void resp_serve(
    struct resp_session *session, const struct resp_request *request, struct slice bytes
);

/** Why there is no command @word that Redis has; NULL when it is not known there either. */
const char *resp_foreign_why(struct slice word);

/** Reply that there is no such command; that it has no such number of arguments. */
void resp_unknown(struct resp_session *session, struct slice name);
void resp_wrong_count(struct resp_session *session, const struct resp_command *command);

/** As host_ops.login; false: the error is the reply. */
bool resp_login(struct resp_session *session, struct slice name, struct slice token);

/** As session_begin; the error is the reply. */
bool resp_begin(struct resp_session *session, enum scope scope);

static inline struct buf *resp_out(struct resp_session *session) {
    return session->base.out;
}

/* Commands whose first argument chooses what they do (client.c). */
struct resp_subcommand {
    const char *word;
    size_t min; /* of the arguments behind it */
    size_t max;
    resp_run *run;
};

struct resp_subcommands {
    const struct resp_subcommand *at;
    size_t count;
};

/** Run the row of the first argument; a word that has none is the error. */
void resp_run_subcommand(
    struct resp_session *session, const char *command, struct resp_subcommands all, struct args args
);

/** Set a label; false: the error is the reply. */
bool resp_label_set(
    struct resp_session *session, struct resp_label *label, const char *what, struct slice text
);

/* --- subscriptions (subscribe.c) --- */

/** In RESP2, with subscriptions: only some commands are served. */
bool resp_is_listening(const struct resp_session *session);
void resp_unsubscribe_all(struct resp_session *session);
/** A request is served: pushes wait until its reply is written. */
void resp_pushes_begin(struct resp_session *session);
void resp_pushes_end(struct resp_session *session);
/** Begin a push message of @count elements, outside of any reply. */
struct buf *resp_push_begin(struct resp_session *session, size_t count);
void resp_event(struct session *base, const struct event *event);

/** Hear events or no longer, as subscriptions and a LOGS that waits want. */
void resp_listen(struct resp_session *session);

/* --- a LOGS that waits (logs.c) --- */

bool resp_follows(const struct resp_session *session);
/** The job is over, or the time: answer with what there is. */
void resp_logs_over(struct resp_session *session);
/** Lines were logged while it waits. */
void resp_logs_event(struct resp_session *session, const struct event *event);

/* --- MULTI (multi.c) --- */

void resp_multi_queue(
    struct resp_session *session, const struct resp_command *command, struct slice request
);
void resp_multi_discard(struct resp_session *session);
void resp_multi_forget(struct resp_session *session);

/* --- replies --- */

/** "-WORD text" */
void resp_error(struct resp_session *session, const char *word, struct slice text);
/** "-BADARG", with the complaint of the host. */
void resp_refuse(struct resp_session *session);
/** The error that an answer other than OK is. */
void resp_answer_error(struct resp_session *session, const struct answer *answer);
/** "+OK", or the error. */
void resp_answer_ok(struct resp_session *session, const struct answer *answer);
/** "+state", or the error. */
void resp_answer_state(struct resp_session *session, const struct answer *answer);
/** Throw away what the current request has written and reply with this error. */
void resp_abandon(struct resp_session *session, const char *word, struct slice text);

/** A bulk. */
void resp_put_str(struct resp_session *session, const char *text);
void resp_null(struct resp_session *session);

/** A map of fields. False: a body could not be read, and the error is the reply (resp_abandon). */
bool resp_put_fields(struct resp_session *session, const struct fields *fields);
/** The job as a map, or null when it is gone. */
bool resp_put_job(struct resp_session *session, uint64_t id, enum job_detail detail);
/** The bytes of a body as a bulk. False as resp_put_fields. */
bool resp_put_body(struct resp_session *session, struct body_ref body);

/** The answer to a fetch. */
void resp_put_fetched(
    struct resp_session *session, const struct answer *answer, enum job_form form
);

/* --- arguments; all answer false when the reply is an error already --- */

/** Options from argument @from on: words in any order, each but flags with its value. */
bool resp_options(
    struct resp_session *session, struct option_set set, struct args args, size_t from, void *target
);
/** As resp_options, up to the word @stop; *ret_at is behind it. An error when it is not there. */
bool resp_options_until(
    struct resp_session *session,
    struct option_set set,
    struct args args,
    size_t *at,
    const char *stop,
    void *target
);
bool resp_id(struct resp_session *session, const char *name, struct slice given, uint64_t *ret_id);
bool resp_u64(
    struct resp_session *session,
    const char *name,
    struct slice given,
    uint64_t max,
    uint64_t *ret_value
);
bool resp_span(
    struct resp_session *session, const char *name, struct slice given, hob_ns max, hob_ns *ret_span
);
bool resp_name(struct resp_session *session, const char *name, struct slice given);
/** id and token at args.at[from]. */
bool resp_lease(
    struct resp_session *session, struct args args, size_t from, struct lease_ref *ret_lease
);

#endif
