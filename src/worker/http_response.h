/* SPDX-License-Identifier: Apache-2.0 */
/* A response as it comes in, bounded whatever the other side sends, and as the result of its job:
 *
 *     {"status": 200, "headers": {"content-type": "application/json", …}, "body": {…}}
 *
 * A body that is JSON is JSON, other text is a string, with "body_encoding": "text" beside it, and
 * bytes are base64, with "body_encoding": "base64". "body_cut": true says that there was more. */
#ifndef HOB_WORKER_HTTP_RESPONSE_H
#define HOB_WORKER_HTTP_RESPONSE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

enum { RESPONSE_HEADER_BYTES_MAX = 64 * 1024, RESPONSE_HEADERS_MAX = 200 };

struct http_response {
    long status;         /* 0: none has come */
    char reason[64];     /* what stands behind the status, printable */
    struct buf headers;  /* "name: value\n" each, names in lower case */
    size_t header_bytes; /* all that came, also of 1xx responses and trailers */
    size_t header_count;
    struct buf body;
    bool body_cut;
};

/** Nothing has come yet; of the body up to @body_bytes_max are kept. */
void response_init(struct http_response *response, size_t body_bytes_max);
/** Free what has come. */
void response_deinit(struct http_response *response);

/** One line of the head: a status line begins a new head. False: it is too much. */
bool response_head_line(struct http_response *response, struct slice line);

/** Some of the body. False: it has been cut here, and no more is wanted. */
bool response_body(struct http_response *response, struct slice bytes);

/** The value of the first header @name (lower case); false: there is none. */
bool response_header(
    const struct http_response *response, const char *name, struct slice *ret_value
);

/** Append the result; the body is cut further when it would not fit. */
void response_put(const struct http_response *response, struct buf *out);

/** Append the first bytes of the body as one printable line. */
void response_put_excerpt(const struct http_response *response, struct buf *out, size_t bytes_max);

#endif
