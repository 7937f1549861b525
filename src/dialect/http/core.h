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
#include "dialect/loglines.h"
#include "dialect/option.h"
#include "wire/http.h"

enum {
    CURSOR_BYTES_MAX = 40,
    TRACE_BYTES_MAX = 8 * 1024, /* of the headers of a job, in the making */
    REQUEST_ID_BYTES_MAX = 64,  /* of X-Request-Id; a longer one is replaced */
    NONE_MATCH_BYTES_MAX = 256, /* of If-None-Match; a longer one matches nothing */
};

/* What the request that waits is to be answered with. */
enum http_awaited { HTTP_AWAITED_JOBS, HTTP_AWAITED_JOB, HTTP_AWAITED_PUSHED, HTTP_AWAITED_LOGS };

enum http_op {
#define X(method, path, run, scope, body, summary) HTTP_OP_##run,
    HTTP_ROUTES(X)
#undef X
        HTTP_OP_COUNT
};

/* What a client prefers (RFC 7240), of what this server knows. */
enum http_return { RETURN_DEFAULT, RETURN_MINIMAL, RETURN_REPRESENTATION };

struct http_prefer {
    bool has_wait;
    hob_ns wait_ns;
    enum http_return returns;
};

struct http_stream;

struct http_session {
    struct session base;
    struct http_parser *parser;
    struct http_stream *stream; /* a response that goes on: server-sent events; NULL: none */
    bool is_closing;
    /* Of the request that is being answered. */
    const struct http_request *request; /* NULL: it is read no more, or was never understood */
    const struct http_route *route;     /* NULL: none was found */
    bool keep_alive;
    bool is_head;
    bool is_answered;  /* its response is written */
    bool waited_for;   /* the preference `wait` was applied */
    bool returned_for; /* the preference `return` was applied */
    unsigned minor;    /* of HTTP/1.x */
    unsigned status;   /* of the response */
    const char *code;  /* of the problem that it is, static; NULL: it is none */
    uint64_t served;   /* requests, to name them */
    size_t reply_at;   /* where it begins in base.out */
    struct slice type; /* of the media types that the route offers, the one that fits best */
    struct http_prefer prefer;
    uint32_t request_id_size;
    char request_id[REQUEST_ID_BYTES_MAX];
    uint32_t none_match_size;
    char none_match[NONE_MATCH_BYTES_MAX];
    enum http_awaited awaited;
    uint64_t awaited_id;
    bool awaited_duplicate;
    struct logs_request logs; /* HTTP_AWAITED_LOGS */
};

enum http_body {
    BODY_NONE,  /* a body is ignored */
    BODY_JSON,  /* a JSON object; none counts as {} */
    BODY_JOBS,  /* a JSON object, or one a line (application/x-ndjson) */
    BODY_LINES, /* JSON objects, one a line */
};

/* A request on its way to the function of its route. */
struct call {
    const struct http_request *request;
    struct slice name;      /* the * of the path, the last one */
    struct slice owner;     /* the one before it */
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
    const char *name; /* of `run` */
    const char *summary;
};

/* What a route takes and answers beside its row: read by the dispatcher, by the function of the
 * route and by the OpenAPI document, so that these cannot differ. */
enum { HTTP_ANSWERS_MAX = 4 };

struct http_shape {
    const struct option_set *params;  /* of the query; NULL: none */
    const struct option_set *members; /* of the body; NULL: none that are options */
    const char *extra;   /* further members, by the names of openapi.c, with spaces between */
    const char *headers; /* of the request, by the names of openapi.c */
    const char *gives;   /* headers of the response, by the names of openapi.c */
    const char *offers;  /* media types, the default first; NULL: the bytes tell their own */
    struct {
        uint16_t status;
        const char *schema; /* of openapi.c; NULL: no body, or no JSON */
    } answers[HTTP_ANSWERS_MAX];
};

/* Options that only one file of this dialect reads. */
extern const struct option_set http_extend_options;
extern const struct option_set http_release_options;
extern const struct option_set http_progress_options;
extern const struct option_set http_many_options;
extern const struct option_set http_worker_options;
extern const struct option_set http_beat_options;
extern const struct option_set http_wait_options;
extern const struct option_set http_rows_options;
extern const struct option_set http_next_options;
extern const struct option_set http_events_options;
extern const struct option_set http_job_events_options;
extern const struct option_set http_health_options;
extern const struct option_set http_token_options;
extern const struct option_set http_revoke_options;
extern const struct option_set http_audit_options;

/** The shape of a route. */
const struct http_shape *http_shape_of(const struct http_route *route);

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
/** The same without the end of its head: then headers, then http_reply_body. */
void http_problem_begin(
    struct http_session *session, unsigned status, const char *code, struct slice detail
);
/** 404 NOJOB */
void http_no_job(struct http_session *session);
/** The problem that an answer other than OK is. */
void http_answer_problem(struct http_session *session, const struct answer *answer);
/** 400 BADARG, with the complaint of the host. */
void http_refuse(struct http_session *session);
/** The status line, and the headers that every response has; then headers, then
 * http_put_no_body() and is_answered, or http_reply_body. */
void http_head(struct http_session *session, unsigned status);
/** Write the head of a response by hand: then headers, then http_reply_body. */
void http_reply_head(struct http_session *session, unsigned status, const char *type);
void http_reply_body(struct http_session *session);
/** A response whose body is the host's `reply` room. */
void http_reply(struct http_session *session, unsigned status, const char *type);
/** The same as JSON. */
void http_reply_json(struct http_session *session, unsigned status);
/** 400 BADARG, with the complaint of the host, about one of a list of which nothing was done. */
void http_refuse_item(struct http_session *session, uint32_t item);
/** {"state": …}, or the problem. */
void http_reply_state(struct http_session *session, const struct answer *answer);
/** 200 {}, or the problem. */
void http_reply_done(struct http_session *session, const struct answer *answer);

/** Whole seconds, rounded up: for Retry-After. */
static inline uint64_t http_seconds(hob_ns span) {
    return ns_add(span, NS_PER_SECOND - 1) / NS_PER_SECOND;
}

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
/** Respond with a job, or 404; 304 when the client has it already. */
void http_reply_job(struct http_session *session, uint64_t id);
/** Respond to a push whose client waited for the end of the job. */
void http_reply_pushed(struct http_session *session, uint64_t id, bool duplicate);
/** A header whose value is the path of a job. */
void http_put_location(struct http_session *session, const char *header, uint64_t id);
/** Retry-After: when to ask for the result of a job that is not final. */
void http_put_estimate(struct http_session *session, uint64_t id);
/** The JSON in `reply` with its ETag, or 304 when the client has it already. @waits_for: the job is
 * not final, and Retry-After tells when it may be; 0: nothing of that. */
void http_reply_tagged(struct http_session *session, uint64_t version, uint64_t waits_for);
/** Respond without a body. */
void http_reply_empty(struct http_session *session, unsigned status);
/** Respond to a fetch. */
void http_reply_fetched(struct http_session *session, const struct answer *answer);

/* --- headers of a request --- */

/** X-Request-Id, Prefer, If-None-Match are remembered for the response. */
void http_take_headers(struct http_session *session, const struct http_request *request);
/** Choose of the media types of the route; false when none fits Accept. */
bool http_negotiate(struct http_session *session, const struct http_request *request);
/** Does If-None-Match name @tag (with its quotes)? */
bool http_has_tag(const struct http_session *session, struct slice tag);
/** Was this media type chosen? */
bool http_is_type(const struct http_session *session, struct slice type);
/** Of @offers (media types with spaces between) the one that @accept likes best; empty: none. */
struct slice http_best_type(struct slice accept, const char *offers);

/** The trace context of a push becomes headers of its job, unless these have one. */
void http_take_trace(
    struct http_session *session, const struct http_request *request, struct slice *headers
);

/* --- streams (events.c) --- */

/** The response to the request under way is whole. */
void http_end(struct http_session *session);
/* For the table of the dialect. */
void http_event(struct session *base, const struct event *event);

/** Respond to a request for a log that has waited (logs.c). */
void http_reply_logs(struct http_session *session);
/** Something happened while one waits. */
void http_logs_event(struct http_session *session, const struct event *event);
void http_beat(struct session *base);
/** The server stops: a last event. */
void http_stream_finish(struct http_session *session);
/** The connection is gone. */
void http_stream_close(struct http_session *session);

/* --- many in one request --- */

/** The members of a job to be pushed. */
bool http_take_push(
    struct http_session *session, struct json_value object, struct push_request *request
);
/** {"id", "state", "duplicate"} */
void http_put_pushed(struct json_put *put, const struct pushed *pushed);
/** Push the lines of a body: bulk.c. */
void http_push_lines(struct http_session *session, const struct call *call);

/** Serve one object of the body, and put its answer. */
typedef void
http_line(struct http_session *session, struct json_value object, struct json_put *put);
/** Serve a body of lines, answered by a line each. */
void http_lines(struct http_session *session, const struct call *call, http_line *serve);
/** The next line of a body that is not blank; false at its end. */
bool http_line_next(struct slice *rest, struct slice *ret_line);
/** A line that is an object; false with a complaint. */
bool http_line_parse(
    struct http_session *session, struct slice line, struct json_value *ret_object
);
/** {"code", "detail"}: this one was not done. */
void http_put_refused(struct json_put *put, const char *code, struct slice detail);
/** The same for an answer other than OK, with the id that it is about (0: none). */
void http_put_refusal(
    struct http_session *session, struct json_put *put, uint64_t id, const struct answer *answer
);

/* --- pages --- */

/** A page on its way: an object with an array, or lines. */
struct http_page {
    const struct http_request *request;
    struct json_put put;
    bool is_lines;
};
/** Begin one; @name: of the array. */
struct http_page
http_page_begin(struct http_session *session, const struct call *call, const char *name);
/** A row was put. */
void http_page_row_end(struct http_page *page);
/** @next: of @parameter, in text; empty at the end. */
void http_page_end(
    struct http_session *session, struct http_page *page, const char *parameter, struct slice next
);

/** The value of `next`: the cursor, or null for 0. */
void http_put_next(struct json_put *put, uint64_t before_id);

/** The cursor that a client sends back; and from it the id. */
void http_put_cursor(struct buf *out, uint64_t before_id);
bool http_cursor_id(struct http_session *session, struct slice cursor, uint64_t *ret_before_id);
/** What a list asks of the host; false with a complaint. */
bool http_take_list(
    struct http_session *session, const struct list_request *request, struct host_list *ret_list
);

/* --- reading; all answer false with a complaint when something is not valid --- */

/** The parameters of the query, or the members of the body, as the shape of the route says. */
bool http_query(struct http_session *session, const struct call *call, void *target);
bool http_fill(struct http_session *session, const struct call *call, void *target);
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
/** An id as a member: a string of digits, or a number. */
bool http_id_member(
    struct http_session *session, const char *name, struct json_value value, uint64_t *ret_id
);
/* @is_good: what each of them must be. */
struct http_names {
    struct slice *items;
    uint32_t max;
    bool (*is_good)(const char *name, struct slice given, struct buf *complaint);
};
/** An array of 1 to names.max names. */
bool http_name_list(
    struct http_session *session,
    const char *name,
    struct json_value value,
    struct http_names names,
    uint32_t *ret_count
);
/** Complain that a member is missing; answers false. */
bool http_missing(struct http_session *session, const char *member);

#endif
