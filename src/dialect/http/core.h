/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this dialect share: the session, the table of routes, readers and printers. */
#ifndef HOB_DIALECT_HTTP_CORE_H
#define HOB_DIALECT_HTTP_CORE_H

#include "base/json.h"
#include "base/json_put.h"
#include "dialect/complain.h"
#include "dialect/fields.h"
#include "dialect/http/http.h"
#include "dialect/http/routes.h"
#include "dialect/option.h"
#include "wire/http.h"

/* What the request that waits is to be answered with. */
enum http_awaited { HTTP_AWAITED_JOBS, HTTP_AWAITED_JOB };

struct http_session {
    struct session base;
    struct http_parser *parser;
    bool is_closing;
    /* Of the request that is being answered. */
    bool keep_alive;
    bool is_head;
    bool is_answered; /* its response is written */
    size_t reply_at;  /* where it begins in base.out */
    enum http_awaited awaited;
    uint64_t awaited_id;
};

enum http_body {
    BODY_NONE, /* a body is ignored */
    BODY_JSON, /* a JSON object; none counts as {} */
    BODY_JOBS, /* a JSON object, or one a line (application/x-ndjson) */
};

/* A request on its way to the function of its route. */
struct call {
    const struct http_request *request;
    struct slice name;      /* the * of the path */
    struct json_value json; /* BODY_JSON, BODY_JOBS: the object */
    bool is_lines;          /* BODY_JOBS: json is not set, the body has lines */
};

typedef void http_run(struct http_session *session, const struct call *call);

struct http_route {
    enum http_method method;
    const char *path;
    http_run *run;
    enum scope scope;
    enum http_body body;
    const char *summary;
};

#define X(method, path, run, scope, body, summary) http_run run;
HTTP_ROUTES(X)
#undef X

extern const struct http_route http_routes[];
extern const size_t http_route_count;

/** Problem 401 or 403: the access of this session does not allow this. */
void http_deny(struct http_session *session);

/** Find the route of a request, check what all routes check, and run it. */
void http_dispatch(struct http_session *session, const struct http_request *request);

/* --- responses: exactly one for each request --- */

/** A problem (RFC 9457): @code is a word of doc/protocol/resp.md. */
void http_problem(
    struct http_session *session, unsigned status, const char *code, struct slice detail
);
/** The problem that an answer other than OK is. */
void http_answer_problem(struct http_session *session, const struct answer *answer);
/** 400 BADARG, with the complaint of the host. */
void http_refuse(struct http_session *session);
/** Write the head of a response by hand: then headers, then http_reply_body. */
void http_reply_head(struct http_session *session, unsigned status, const char *type);
void http_reply_body(struct http_session *session);
/** A response whose body is the host's `reply` room. */
void http_reply(struct http_session *session, unsigned status, const char *type);
/** The same as JSON. */
void http_reply_json(struct http_session *session, unsigned status);
/** {"state": …}, or the problem. */
void http_reply_state(struct http_session *session, const struct answer *answer);
/** 200 {}, or the problem. */
void http_reply_done(struct http_session *session, const struct answer *answer);

/** The start of a JSON body in the host's `reply` room. */
struct json_put http_json(struct http_session *session);
/** An object of fields. False: a body could not be read; the problem is the response. */
bool http_put_fields(
    struct http_session *session, struct json_put *put, const struct fields *fields
);
bool http_put_job(
    struct http_session *session,
    struct json_put *put,
    const struct job_view *job,
    enum job_detail detail
);
/** Respond with a job, or 404. */
void http_reply_job(struct http_session *session, uint64_t id);
/** Respond to a fetch. */
void http_reply_fetched(struct http_session *session, const struct answer *answer);

/* --- reading; all answer false with a complaint when something is not valid --- */

/** The members of a JSON object go where @set says. `null` counts as absent. */
bool http_member(
    struct http_session *session,
    struct option_set set,
    struct slice key,
    struct json_value value,
    void *target
);
bool http_members(
    struct http_session *session, struct option_set set, struct json_value object, void *target
);
/** The parameters of the query; one without value counts as absent. */
bool http_params(
    struct http_session *session,
    struct option_set set,
    const struct http_request *request,
    void *target
);
/** A member NAME (JSON, byte for byte), NAME_text or NAME_base64. True: it was one of them, and
 * *ret_good says whether it is valid. */
bool http_bytes(
    struct http_session *session,
    const char *name,
    struct slice key,
    struct json_value value,
    struct slice *ret_bytes,
    bool *ret_good
);
/** The job of the path. */
bool http_id(struct http_session *session, const struct call *call, uint64_t *ret_id);
/** The queue of the path. */
bool http_queue_name(struct http_session *session, const struct call *call);
/** Complain that a member is missing; answers false. */
bool http_missing(struct http_session *session, const char *member);

#endif
