/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 as a server speaks it: a parser of requests (around llhttp in strict mode) and writers
 * of responses.
 *
 *     struct http_parser *parser = http_parser_new(&mem, limits);
 *     for (;;) {                                    after each read
 *         switch (http_parse(parser, input, &request)) {
 *         case HTTP_REQUEST_READY:  serve it, drop request.size_bytes from the front of the input,
 *                                   close unless keep_alive
 *         case HTTP_NEED_MORE:      read on; http_wanted_bytes() says how large the input must
 *                                   become for any progress
 *         case HTTP_CONTINUE:       the client waits before it sends the body: write "100 Continue"
 *                                   (http_put_continue), or answer already and close; the request
 *                                   is there, without its body. Comes once a request.
 *         case HTTP_ERROR:          answer http_error(), flush, close
 *         }
 *     }
 *     http_parser_free(parser);
 *
 * The input always begins with the first byte of the request that is being parsed. It may grow, and
 * lie somewhere else at each call. One request is given at a time; those behind it stay in the
 * input.
 *
 * What two readers of the same bytes could read differently is refused, with 400 unless said: a
 * version other than 1.0 and 1.1 (505); a bare CR or LF, any other control character, a folded
 * header line; Content-Length twice, with anything but digits, or beside Transfer-Encoding; a
 * transfer coding other than chunked (501), or any in HTTP/1.0; a missing or second Host in 1.1; a
 * target that is not a path (or "*" for OPTIONS); "%00" and other escaped control characters, bad
 * escapes, bad UTF-8, "." and ".." segments in the path; CONNECT (501); an expectation other than
 * 100-continue (417). Requests to upgrade are ignored, as RFC 9110 allows. Trailers after a chunked
 * body are checked and dropped. */
#ifndef HOB_WIRE_HTTP_H
#define HOB_WIRE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/slice.h"

enum {
    HTTP_HEADERS_MAX = 100,
    HTTP_PARAMS_MAX = 32,
    HTTP_SEGMENTS_MAX = 16,
    HTTP_HEAD_BYTES_MAX = 16 * 1024,
    HTTP_TARGET_BYTES_MAX = 8 * 1024,
};

struct http_limits {
    size_t body_bytes_max; /* below 4 GiB */
};

/* Room for an atomic bulk of 16 MiB. */
#define HTTP_LIMITS_DEFAULT ((struct http_limits){.body_bytes_max = 17 << 20})

/** How large the input of a connection must be able to grow: any head, with any body in chunks. */
size_t http_input_bytes_max(struct http_limits limits);

enum http_method {
    HTTP_METHOD_GET,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_POST,
    HTTP_METHOD_PUT,
    HTTP_METHOD_PATCH,
    HTTP_METHOD_DELETE,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_OTHER, /* a method that exists and that no route has */
};

struct http_pair {
    struct slice name;
    struct slice value;
};

/* Borrowed from the input and from the parser, until the next http_parse() or until the input
 * moves. */
struct http_request {
    enum http_method method;
    struct slice method_text;
    unsigned minor;      /* of HTTP/1.x: 0 or 1 */
    bool keep_alive;     /* the client can use the connection further */
    struct slice target; /* as sent: path and query */

    /* Decoded, as a whole; an escaped slash can no longer be told from a real one. */
    struct slice path;

    /* The path cut at its slashes, then decoded: "/v1/jobs/a%2Fb" is v1, jobs, a/b; "/" has none,
     * "/v1/" ends with "". */
    const struct slice *segments;
    size_t segments_count;

    /* The query "a=1&b=x+y", decoded, in order; a part without '=' has an empty value. */
    const struct http_pair *params;
    size_t params_count;

    const struct http_pair *headers;
    size_t headers_count;

    struct slice body; /* without its chunks, if it was sent in chunks */
    /* Of the whole request: what the caller drops from the input; 0 with HTTP_CONTINUE. */
    size_t size_bytes;
};

enum http_result {
    HTTP_NEED_MORE,
    HTTP_CONTINUE,
    HTTP_REQUEST_READY,
    HTTP_ERROR,
};

struct http_error {
    unsigned status;  /* of the response: 400, 413, … */
    const char *text; /* static */
};

struct http_parser;

/** A parser for one connection; @mem (borrowed, must outlive it) pays for it. Never NULL. */
struct http_parser *http_parser_new(struct mem *mem, struct http_limits limits);

/** NULL is fine. */
void http_parser_free(struct http_parser *parser);

/**
 * Parse one request at the front of @input. @ret_request is set on HTTP_REQUEST_READY and, but for
 * the body, on HTTP_CONTINUE. After HTTP_ERROR every further call answers HTTP_ERROR. The answer
 * depends on the bytes only, never on how they were cut into reads (HTTP_CONTINUE apart, which is
 * left out when the body is there already).
 */
enum http_result
http_parse(struct http_parser *parser, struct slice input, struct http_request *ret_request);

/** After HTTP_NEED_MORE or HTTP_CONTINUE: the input must be at least this large for progress. */
size_t http_wanted_bytes(const struct http_parser *parser);

/** After HTTP_ERROR: what to answer. */
struct http_error http_error(const struct http_parser *parser);

/** The first header with this name (any case); false when there is none. */
bool http_header(const struct http_request *request, struct slice name, struct slice *ret_value);

/** The first query parameter with this name; false when there is none. */
bool http_param(const struct http_request *request, struct slice name, struct slice *ret_value);

/* Writers. They append to a buffer (base/buf.h: room is asked once, at the end):
 *
 *     http_put_status(&out, 200, request.keep_alive);
 *     http_put_header(&out, "Content-Type", SLICE("application/json"));
 *     http_put_body(&out, body);
 *
 * or, in place of the body, a stream: http_put_stream, http_put_chunk …, http_put_stream_end. */

/**
 * The reason phrase of @status, static; "Unknown" for one that is not in the table of http_put.c.
 */
const char *http_status_text(unsigned status);

/** The status line and a Connection header. */
void http_put_status(struct buf *out, unsigned status, bool keep_alive);

/**
 * A header. False and nothing written when @value has control characters (CR and LF above all) or
 * @name is no token.
 */
bool http_put_header(struct buf *out, const char *name, struct slice value);
void http_put_header_u64(struct buf *out, const char *name, uint64_t value);

/** Content-Length, the end of the head, the body. */
void http_put_body(struct buf *out, struct slice body);

/** The same without the bytes: the answer to HEAD. */
void http_put_body_size(struct buf *out, size_t size);

/** The end of the head of a response that has no body (204, 304). */
void http_put_no_body(struct buf *out);

/** The end of the head of a response whose length is not known. In HTTP/1.0 (@minor 0) it ends with
 * the connection, so its status must be written with keep_alive false, and its chunks are the bare
 * bytes. */
void http_put_stream(struct buf *out, unsigned minor);
/** Nothing for an empty slice, which would end the stream. */
void http_put_chunk(struct buf *out, unsigned minor, struct slice bytes);
void http_put_stream_end(struct buf *out, unsigned minor);

/** "100 Continue", before the response proper. */
void http_put_continue(struct buf *out);

#endif
