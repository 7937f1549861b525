/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a kind whose jobs are HTTP requests:
 *
 *     charge:
 *       http:
 *         method: POST                       # the default; GET has no body unless one is given
 *         url: https://api.example.com/customers/{{customer.id}}/charges
 *         headers: {authorization: "Bearer {{secret.billing}}"}
 *         body: '{"amount": {{amount}}, "text": "{{text}}"}'     # default: the payload
 *         success: [200-299, 409]            # the default is 200-299
 *         timeout: 10s
 *
 * Without `url` the payload is the whole request (worker/http_request.h). */
#ifndef HOB_WORKER_HTTP_CONFIG_H
#define HOB_WORKER_HTTP_CONFIG_H

#include "config/kind.h"
#include "worker/http_guard.h"
#include "worker/http_hosts.h"
#include "worker/http_rules.h"
#include "worker/http_sign.h"
#include "worker/http_template.h"

enum {
    HTTP_METHOD_BYTES_MAX = 20,
    HTTP_HEADERS_MAX = 100,
    HTTP_RESPONSE_BYTES_DEFAULT = 64 * 1024,
    HTTP_RESPONSE_BYTES_MAX = 1024 * 1024,
};

#define HTTP_TIMEOUT_DEFAULT_NS         (30 * NS_PER_SECOND)
#define HTTP_CONNECT_TIMEOUT_DEFAULT_NS (5 * NS_PER_SECOND)
#define HTTP_TIMEOUT_MAX_NS             NS_PER_DAY

struct http_header_config {
    const char *name; /* lower case */
    struct template value;
};

struct http_config {
    const char *method; /* NULL: not said */
    bool has_url;       /* else the payload is the request */
    struct template url;
    const struct http_header_config *headers;
    size_t header_count;
    bool has_body;
    struct template body;
    const char *const *secrets; /* names; signatures by each */
    size_t secret_count;
    const char *const *granted; /* names that a payload may sign with, beside `secrets` */
    size_t granted_count;
    hob_ns timeout_ns;
    hob_ns connect_timeout_ns;
    struct http_rules rules;
    struct guard guard;
    struct host_limits limits;
    size_t response_bytes_max; /* of the body */
    const char *ca_file;       /* NULL: the system's */
};

/** A method that is sent: letters A to Z, and neither CONNECT nor TRACE. */
bool http_method_is_valid(struct slice method);

/** A header that a job or a kind may set: a token, and none that the request itself decides. */
bool http_header_is_valid(struct slice name);

extern const struct kind_reader http_reader;

#endif
