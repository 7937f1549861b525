/* SPDX-License-Identifier: Apache-2.0 */
/* What the end of a transfer means for its job, and the words for it.
 *
 *   refused by the guard             fail for good
 *   a status of `success`            ack, with the response as result
 *   the same, but it broke off       fail; it is tried again, since nobody knows what was lost
 *   a status of `retry`              fail; with Retry-After, again after that time
 *   any other status                 fail for good
 *   no status (connection, TLS, …)   fail; tried again */
#ifndef HOB_WORKER_HTTP_END_H
#define HOB_WORKER_HTTP_END_H

#include <curl/curl.h>

#include "worker/http_hosts.h"
#include "worker/http_response.h"
#include "worker/http_rules.h"
#include "worker/http_url.h"
#include "worker/outcome.h"

enum { HTTP_EXCERPT_BYTES = 500 };

/* What kind of failure it is, for `what` of an error. */
#define HTTP_WHAT_REQUEST "http.request" /* none could be made of this job */
#define HTTP_WHAT_REFUSED "http.refused" /* the guard */
#define HTTP_WHAT_LOOKUP  "http.lookup"
#define HTTP_WHAT_CONNECT "http.connect"  /* connection, TLS */
#define HTTP_WHAT_BROKEN  "http.response" /* no whole one came */
#define HTTP_WHAT_STATUS  "http.status"
#define HTTP_WHAT_TIMEOUT "http.timeout"

struct http_end {
    const struct http_response *response;
    const struct http_url *url;
    const struct http_rules *rules;
    const char *refusal; /* NULL: none */
    const char *permit;  /* the setting that could change that */
    CURLcode code;
    const char *error; /* of libcurl, may be empty */
    CURL *easy;
    hob_ns found_ns; /* how long the lookup took */
    hob_ns now_ns;   /* wall */
};

/** The outcome; @result holds what it refers to. */
enum host_end
http_end_judge(const struct http_end *end, struct outcome *ret_outcome, struct buf *result);

/** The outcome when it took longer than @timeout_ns. */
void http_end_timeout(
    const struct http_end *end, hob_ns timeout_ns, bool in_lookup, struct outcome *ret_outcome
);

/** The line of the log: status, address, how long what took. */
void http_end_put_line(const struct http_end *end, struct buf *line);

/** Why nothing was sent, and what (@permit) could change that. */
void http_end_put_refusal(
    struct buf *line,
    const struct http_url *url,
    const struct guard_address *address,
    const char *refusal,
    const char *permit
);

#endif
