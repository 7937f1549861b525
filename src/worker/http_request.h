/* SPDX-License-Identifier: Apache-2.0 */
/* The request of one job, from the part of its kind and its payload. When the kind names a URL, its
 * templates are filled in; else the payload is the request:
 *
 *     {"method": "POST", "url": "https://…", "headers": {"name": "value", …},
 *      "body": …,              a string as it is, all else as JSON
 *      "body_base64": "…",     instead of body, for bytes
 *      "secret": "NAME",       sign with this secret, which the kind must grant; or a list
 *      "timeout": "10s"}       at most that of the kind
 *
 * Only url is needed. The method is POST, or GET when there is no body. Added to each request
 * unless they are set: content-type, user-agent, traceparent and tracestate of the job,
 * hob-deadline when it has one (Unix seconds), and an idempotency-key that is the same for all
 * attempts. With a secret come webhook-id (the same), webhook-timestamp and webhook-signature. */
#ifndef HOB_WORKER_HTTP_REQUEST_H
#define HOB_WORKER_HTTP_REQUEST_H

#include "base/arena.h"
#include "worker/http_config.h"
#include "worker/http_url.h"

enum {
    HTTP_BODY_BYTES_MAX = 16 * 1024 * 1024,
    HTTP_HEADER_BYTES_MAX = 32 * 1024, /* all of a request */
    REQUEST_WHY_BYTES_MAX = 300,
};

struct http_header {
    struct slice name;
    struct slice value;
};

struct http_request {
    const char *method;
    struct http_url url;
    struct http_header headers[HTTP_HEADERS_MAX + 16];
    size_t header_count;
    bool has_body;
    struct slice body;
    bool is_signed;
    hob_ns timeout_ns;
    struct arena arena; /* of texts */
};

/* What a request is made of, beside the part of the kind. */
struct http_source {
    struct template_values values;
    uint64_t created_ms;  /* of the job; makes its key one of its own among servers */
    uint64_t deadline_ms; /* of the job, Unix time; 0: none */
    hob_ns now_ns;
    struct slice job_headers; /* a JSON object of strings, or nothing */
    const char *version;
    bool is_callback; /* of the server's own runner: the settings have other names */
};

/**
 * Make a request. False: the job can never succeed as it is, and @ret_why says why; then there is
 * nothing to free.
 */
bool http_request_make(
    const struct http_config *config,
    const struct http_source *source,
    struct http_request *ret_request,
    char ret_why[REQUEST_WHY_BYTES_MAX]
);

/** Free all that belongs to it. */
void http_request_deinit(struct http_request *request);

#endif
