/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of HTTP routes. In a path, * is a segment that the function gets as `name`; a path
 * without * goes before one with it. A path is found first, then its method, so that 405, Allow and
 * OPTIONS come from the table. HEAD goes where GET goes. What a route takes and answers stands in
 * shapes.c, a row for each; the OpenAPI document is made of both.
 *
 * The scope is what a caller needs (dialect/access.h); what the request touches is checked by
 * session_apply, session_job and their like.
 *
 *    method  path                     function           scope     body
 *      what it does */
#ifndef HOB_DIALECT_HTTP_ROUTES_H
#define HOB_DIALECT_HTTP_ROUTES_H

/* clang-format off */
#define HTTP_ROUTES(X)                                                                             \
    X(POST,   "/v1/jobs",              http_push,         PUSH,     BODY_JOBS,                     \
      "add a job, or one a line")                                                                  \
    X(GET,    "/v1/jobs",              http_jobs,         READ,     BODY_NONE,                     \
      "list jobs, from new to old")                                                                \
    X(POST,   "/v1/jobs/ack",          http_ack_many,     WORK,     BODY_LINES,                    \
      "ack, one a line")                                                                           \
    X(POST,   "/v1/jobs/fail",         http_fail_many,    WORK,     BODY_LINES,                    \
      "fail, one a line")                                                                          \
    X(POST,   "/v1/jobs/cancel",       http_cancel_many,  MANAGE,   BODY_JSON,                     \
      "stop many jobs")                                                                            \
    X(POST,   "/v1/jobs/discard",      http_discard_many, MANAGE,   BODY_JSON,                     \
      "end many waiting jobs")                                                                     \
    X(POST,   "/v1/jobs/retry",        http_retry_many,   MANAGE,   BODY_JSON,                     \
      "make many available")                                                                       \
    X(POST,   "/v1/jobs/delete",       http_delete_many,  MANAGE,   BODY_JSON,                     \
      "remove many jobs")                                                                          \
    X(GET,    "/v1/jobs/*",            http_job,          READ,     BODY_NONE,                     \
      "show a job, or wait for it")                                                                \
    X(PATCH,  "/v1/jobs/*",            http_update,       MANAGE,   BODY_JSON,                     \
      "change fields of a waiting job; If-Match: only if it is unchanged")                         \
    X(DELETE, "/v1/jobs/*",            http_delete,       MANAGE,   BODY_NONE,                     \
      "remove a job")                                                                              \
    X(GET,    "/v1/jobs/*/result",     http_result,       READ,     BODY_NONE,                     \
      "the bytes of the result")                                                                   \
    X(GET,    "/v1/jobs/*/payload",    http_payload,      READ,     BODY_NONE,                     \
      "the bytes of the payload")                                                                  \
    X(GET,    "/v1/jobs/*/explain",    http_explain,      READ,     BODY_NONE,                     \
      "why a job does not run: every gate between it and a worker")                                \
    X(GET,    "/v1/jobs/*/logs",       http_logs,         READ,     BODY_NONE,                     \
      "the lines of the log")                                                                      \
    X(GET,    "/v1/logs",              http_search,       READ,     BODY_NONE,                     \
      "search what jobs said")                                                                     \
    X(POST,   "/v1/jobs/*/ack",        http_ack,          WORK,     BODY_JSON,                     \
      "finish a leased job")                                                                       \
    X(POST,   "/v1/jobs/*/fail",       http_fail,         WORK,     BODY_JSON,                     \
      "end an attempt")                                                                            \
    X(POST,   "/v1/jobs/*/release",    http_release,      WORK,     BODY_JSON,                     \
      "give a leased job back")                                                                    \
    X(POST,   "/v1/jobs/*/extend",     http_extend,       WORK,     BODY_JSON,                     \
      "lengthen a lease")                                                                          \
    X(POST,   "/v1/jobs/*/checkpoint", http_checkpoint,   WORK,     BODY_JSON,                     \
      "save for the next attempt")                                                                 \
    X(POST,   "/v1/jobs/*/progress",   http_progress,     WORK,     BODY_JSON,                     \
      "say how far a job is")                                                                      \
    X(POST,   "/v1/jobs/*/log",        http_log,          WORK,     BODY_JSON,                     \
      "add lines to the log")                                                                      \
    X(POST,   "/v1/jobs/*/cancel",     http_cancel,       MANAGE,   BODY_JSON,                     \
      "stop a job")                                                                                \
    X(POST,   "/v1/jobs/*/discard",    http_discard,      MANAGE,   BODY_JSON,                     \
      "end a waiting job")                                                                         \
    X(POST,   "/v1/jobs/*/retry",      http_retry,        MANAGE,   BODY_JSON,                     \
      "make a job available now")                                                                  \
    X(POST,   "/v1/fetch",             http_fetch,        WORK,     BODY_JSON,                     \
      "lease the next jobs")                                                                       \
    X(GET,    "/v1/queues",            http_queues,       READ,     BODY_NONE,                     \
      "show all queues")                                                                           \
    X(GET,    "/v1/queues/*",          http_queue,        READ,     BODY_NONE,                     \
      "show a queue")                                                                              \
    X(PATCH,  "/v1/queues/*",          http_queue_set,    MANAGE,   BODY_JSON,                     \
      "change its settings")                                                                       \
    X(POST,   "/v1/queues/*/pause",    http_pause,        MANAGE,   BODY_JSON,                     \
      "stop fetching from it")                                                                     \
    X(POST,   "/v1/queues/*/resume",   http_resume,       MANAGE,   BODY_JSON,                     \
      "go on fetching from it")                                                                    \
    X(GET,    "/v1/workers",           http_workers,      READ_ALL, BODY_NONE,                     \
      "show all workers")                                                                          \
    X(GET,    "/v1/workers/*",         http_worker,       READ_ALL, BODY_NONE,                     \
      "show a worker")                                                                             \
    X(PUT,    "/v1/workers/*",         http_worker_set,   WORK,     BODY_JSON,                     \
      "register a worker")                                                                         \
    X(POST,   "/v1/workers/*/beat",    http_worker_beat,  WORK,     BODY_JSON,                     \
      "its leases stay")                                                                           \
    X(GET,    "/v1/jobs/*/events",     http_job_events,   READ,     BODY_NONE,                     \
      "what happens to a job, until it is final")                                                  \
    X(GET,    "/v1/events",            http_events,       READ,     BODY_NONE,                     \
      "what happens, as it happens")                                                               \
    X(GET,    "/v1/stats",             http_stats,        READ_ALL, BODY_NONE,                     \
      "figures of this server")                                                                    \
    X(GET,    "/v1/stats/all",         http_all_stats,    READ_ALL, BODY_NONE,                     \
      "what happened to all jobs")                                                                 \
    X(GET,    "/v1/queues/*/stats",    http_queue_stats,  READ,     BODY_NONE,                     \
      "what happened to the jobs of a queue")                                                      \
    X(GET,    "/v1/kinds/*/stats",     http_kind_stats,   READ_ALL, BODY_NONE,                     \
      "what happened to the jobs of a kind")                                                       \
    X(GET,    "/v1/queues/*/next",     http_queue_next,   READ,     BODY_NONE,                     \
      "its jobs that would be fetched next, in order")                                             \
    X(GET,    "/v1/queues/*/groups",   http_groups,       READ,     BODY_NONE,                     \
      "show its groups, or those that are paused or blocked")                                      \
    X(GET,    "/v1/queues/*/groups/*", http_group,        READ,     BODY_NONE,                     \
      "show a group of a queue")                                                                   \
    X(PATCH,  "/v1/queues/*/groups/*", http_group_set,    MANAGE,   BODY_JSON,                     \
      "change its weight and limits")                                                              \
    X(POST,   "/v1/queues/*/groups/*/pause", http_group_pause, MANAGE, BODY_JSON,                  \
      "let none of its jobs start")                                                                \
    X(POST,   "/v1/queues/*/groups/*/resume", http_group_resume, MANAGE, BODY_JSON,                \
      "let them start again")                                                                      \
    X(POST,   "/v1/queues/*/groups/*/skip", http_group_skip, MANAGE, BODY_JSON,                    \
      "go on after the job that blocks it")                                                        \
    X(GET,    "/v1/kinds",             http_kinds,        READ_ALL, BODY_NONE,                     \
      "show the kinds that are paused")                                                            \
    X(GET,    "/v1/kinds/*",           http_kind,         READ_ALL, BODY_NONE,                     \
      "show whether a kind is paused")                                                             \
    X(POST,   "/v1/kinds/*/pause",     http_kind_pause,   MANAGE,   BODY_JSON,                     \
      "let none of its jobs start, in any queue")                                                  \
    X(POST,   "/v1/kinds/*/resume",    http_kind_resume,  MANAGE,   BODY_JSON,                     \
      "let them start again")                                                                      \
    X(GET,    "/v1/limiters",          http_limiters,     READ_ALL, BODY_NONE,                     \
      "show all limiters and rules")                                                               \
    X(GET,    "/v1/limiters/*",        http_limiter,      READ_ALL, BODY_NONE,                     \
      "show a limiter")                                                                            \
    X(PATCH,  "/v1/limiters/*",        http_limiter_set,  MANAGE,   BODY_JSON,                     \
      "change its limits; a name with a * in it is a rule for others")                             \
    X(POST,   "/v1/limiters/*/pause",  http_limiter_pause, MANAGE,  BODY_JSON,                     \
      "let none of its jobs start")                                                                \
    X(POST,   "/v1/limiters/*/resume", http_limiter_resume, MANAGE, BODY_JSON,                     \
      "let them start again")                                                                      \
    X(GET,    "/v1/tokens",            http_tokens,       ADMIN,    BODY_NONE,                     \
      "show all tokens, without what they are")                                                    \
    X(POST,   "/v1/tokens",            http_token_create, ADMIN,    BODY_JSON,                     \
      "make a token: it is told once")                                                             \
    X(GET,    "/v1/tokens/*",          http_token,        ADMIN,    BODY_NONE,                     \
      "show a token, without what it is")                                                          \
    X(DELETE, "/v1/tokens/*",          http_token_revoke, ADMIN,    BODY_NONE,                     \
      "revoke a token")                                                                            \
    X(GET,    "/v1/audit",             http_audit,        ADMIN,    BODY_NONE,                     \
      "who did what: the latest lines, oldest first")                                              \
    X(GET,    "/livez",                http_livez,        NONE,     BODY_NONE,                     \
      "does it run?")                                                                              \
    X(GET,    "/readyz",               http_readyz,       NONE,     BODY_NONE,                     \
      "does it take jobs?")                                                                        \
    X(GET,    "/healthz",              http_healthz,      NONE,     BODY_NONE,                     \
      "the same as /readyz")                                                                       \
    X(GET,    "/metrics",              http_metrics,      READ_ALL, BODY_NONE,                     \
      "figures for Prometheus")                                                                    \
    X(GET,    "/version",              http_version,      ANY,      BODY_NONE,                     \
      "which server is this?")                                                                     \
    X(GET,    "/openapi.json",         http_openapi,      ANY,      BODY_NONE,                     \
      "this interface, as OpenAPI 3.1")                                                            \
    X(GET,    "/robots.txt",           http_robots,       NONE,     BODY_NONE,                     \
      "nothing for search engines")                                                                \
    X(GET,    "/problems",             http_problem_list, NONE,     BODY_NONE,                     \
      "what can go wrong")                                                                         \
    X(GET,    "/problems/*",           http_problem_page, NONE,     BODY_NONE,                     \
      "what a problem means")
/* clang-format on */

#endif
