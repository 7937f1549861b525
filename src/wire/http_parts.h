/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the HTTP request parser, for wire/http.c only: the head (llhttp), the target, the
 * chunked body. Places in the input are kept as offsets, since the input may move between reads. */
#ifndef HOB_WIRE_HTTP_PARTS_H
#define HOB_WIRE_HTTP_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "wire/http.h"

#define HTTP_FINE ((struct http_error){.status = 0})

static inline struct http_error http_refuse(unsigned status, const char *text) {
    return (struct http_error){.status = status, .text = text};
}

struct http_span {
    uint32_t offset;
    uint32_t size;
};

static inline struct slice http_span_slice(struct http_span span, const char *base) {
    return slice_of(base + span.offset, span.size);
}

struct http_head {
    enum http_method method;
    unsigned minor;
    bool keep_alive;
    struct http_span method_text;
    struct http_span target;
    struct {
        struct http_span name;
        struct http_span value;
    } headers[HTTP_HEADERS_MAX];
    size_t headers_count;
};

/** Parse a whole head, from the method to the empty line, whose lines all end with CRLF. */
struct http_error http_head_parse(struct slice bytes, struct http_head *ret_head);

struct http_target {
    struct buf decoded; /* what all the slices below point into */
    struct slice path;
    struct slice segments[HTTP_SEGMENTS_MAX];
    size_t segments_count;
    struct http_pair params[HTTP_PARAMS_MAX];
    size_t params_count;
};

/** Decode path and query of @raw into @target, whose memory is used again. */
struct http_error
http_target_parse(struct http_target *target, struct slice raw, enum http_method method);

enum http_chunk_state {
    HTTP_CHUNK_SIZE,    /* a size line is next */
    HTTP_CHUNK_DATA,    /* `left` bytes are next */
    HTTP_CHUNK_END,     /* the CRLF behind the data */
    HTTP_CHUNK_TRAILER, /* a trailer, or the empty line that ends the body */
    HTTP_CHUNK_DONE,
};

struct http_chunks {
    enum http_chunk_state state;
    uint64_t left;
    size_t raw_bytes; /* read so far */
    /* Of the body with its framing: many tiny chunks must not cost many times their weight. */
    size_t raw_bytes_max;
    struct buf body; /* its maximum is the limit of the body */
};

/** What a body of at most @body_bytes_max may weigh in chunks. */
size_t http_chunks_raw_max(size_t body_bytes_max);

/** Begin with a new body; memory that is not large is kept. */
void http_chunks_reset(struct http_chunks *chunks);

/**
 * Read on at the front of @input. @ret_read bytes are done with; @ret_wanted more than those are
 * needed for progress when the state is not HTTP_CHUNK_DONE afterwards.
 */
struct http_error http_chunks_read(
    struct http_chunks *chunks, struct slice input, size_t *ret_read, size_t *ret_wanted
);

#endif
