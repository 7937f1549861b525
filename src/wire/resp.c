/* SPDX-License-Identifier: Apache-2.0 */
/* The request parser.
 *
 *     *4\r\n  $4\r\nPUSH\r\n  $4\r\nmail\r\n  $7\r\nwelcome\r\n  $2\r\n{}\r\n
 *
 * `at` only moves forward, over whole pieces: the head, the length of a bulk, a bulk with its CRLF.
 * A piece that is not all there yet leaves the parser where it is; a length line is at most 12
 * bytes, so looking at it again costs nothing, and a bulk is not looked at at all but measured.
 *
 * The arrays grow with the arguments that arrive, never with the number that is announced: eleven
 * bytes must not be able to ask for 24 MB. Offsets are 32 bits, which is why a request is smaller
 * than 4 GiB. */
#include "wire/resp.h"

#include <string.h>

#include "base/assert.h"

enum {
    LENGTH_DIGITS_MAX = 10,
    ARGS_FIRST = 16,
    ARGS_KEPT = 4096, /* larger arrays are given back when their request is done */
};

struct resp_span {
    uint32_t offset;
    uint32_t size;
};

void resp_parser_init(struct resp_parser *parser, struct mem *mem, struct resp_limits limits) {
    hob_assert(limits.request_bytes_max < UINT32_MAX);
    *parser = (struct resp_parser){.limits = limits, .mem = mem};
}

static void arrays_free(struct resp_parser *parser) {
    size_t capacity = parser->args_capacity;
    mem_free(parser->mem, parser->spans, capacity * sizeof *parser->spans);
    mem_free(parser->mem, parser->args, capacity * sizeof *parser->args);
    parser->spans = NULL;
    parser->args = NULL;
    parser->args_capacity = 0;
}

void resp_parser_deinit(struct resp_parser *parser) {
    arrays_free(parser);
}

static void arrays_grow(struct resp_parser *parser) {
    size_t old = parser->args_capacity;
    size_t capacity = old == 0 ? ARGS_FIRST : old * 2;
    struct mem *mem = parser->mem;
    size_t span = sizeof *parser->spans;
    size_t arg = sizeof *parser->args;
    parser->spans = mem_resize(mem, parser->spans, old * span, capacity * span);
    parser->args = mem_resize(mem, parser->args, old * arg, capacity * arg);
    parser->args_capacity = capacity;
}

static enum resp_result refuse(struct resp_parser *parser, const char *text) {
    parser->error = text;
    return RESP_ERROR;
}

static enum resp_result need(struct resp_parser *parser, size_t size_bytes) {
    parser->wanted_bytes = size_bytes;
    return RESP_NEED_MORE;
}

enum line {
    LINE_READ,
    LINE_PART, /* good so far, and not ended */
    LINE_BAD,
};

/* "digits CR LF" at @at; on LINE_READ @ret_next is past the LF. No sign and no leading zero: one
 * number, one spelling. */
static inline enum line
length_line(struct slice input, size_t at, uint64_t *ret_value, size_t *ret_next) {
    const char *p = input.bytes + at;
    const char *end = input.bytes + input.size;
    const char *first = p;
    uint64_t value = 0;
    while (p < end && *p >= '0' && *p <= '9') {
        if (p - first == LENGTH_DIGITS_MAX) return LINE_BAD;
        if (p - first == 1 && value == 0) return LINE_BAD;
        value = value * 10 + (uint64_t)(*p - '0');
        p++;
    }
    if (p == end) return LINE_PART;
    if (*p != '\r' || p == first) return LINE_BAD;
    if (p + 1 == end) return LINE_PART;
    if (p[1] != '\n') return LINE_BAD;
    *ret_value = value;
    *ret_next = (size_t)(p + 2 - input.bytes);
    return LINE_READ;
}

/* "*count\r\n" */
static enum resp_result parse_head(struct resp_parser *parser, struct slice input) {
    if (input.size == 0) return need(parser, 1);
    if (input.bytes[0] != '*') {
        return refuse(
            parser,
            "ERR Protocol error: a request is an array of bulk strings; "
            "inline commands are not accepted"
        );
    }
    uint64_t count = 0;
    size_t next = 0;
    enum line line = length_line(input, 1, &count, &next);
    if (line == LINE_PART) return need(parser, input.size + 1);
    if (line == LINE_BAD) return refuse(parser, "ERR Protocol error: invalid multibulk length");
    if (count == 0) return refuse(parser, "ERR Protocol error: empty request");
    if (count > parser->limits.args_max) {
        return refuse(parser, "ERR Protocol error: too many arguments in one request");
    }
    parser->args_wanted = (size_t)count;
    parser->at = next;
    return RESP_REQUEST;
}

/* "$size\r\n" */
static inline enum resp_result parse_bulk_size(struct resp_parser *parser, struct slice input) {
    if (parser->at == input.size) return need(parser, input.size + 1);
    if (input.bytes[parser->at] != '$') {
        return refuse(parser, "ERR Protocol error: expected '$' and a bulk string");
    }
    uint64_t size = 0;
    size_t next = 0;
    enum line line = length_line(input, parser->at + 1, &size, &next);
    if (line == LINE_PART) return need(parser, input.size + 1);
    if (line == LINE_BAD) return refuse(parser, "ERR Protocol error: invalid bulk length");
    if (size > parser->limits.bulk_bytes_max) {
        return refuse(parser, "ERR Protocol error: argument too large");
    }
    if (next + size + 2 > parser->limits.request_bytes_max) {
        return refuse(parser, "ERR Protocol error: request too large");
    }
    parser->bulk_size = (size_t)size;
    parser->at = next;
    parser->in_bulk = true;
    return RESP_REQUEST;
}

/* The bytes of a bulk and its CRLF. */
static inline enum resp_result parse_bulk(struct resp_parser *parser, struct slice input) {
    size_t end = parser->at + parser->bulk_size;
    bool bad_cr = input.size > end && input.bytes[end] != '\r';
    bool bad_lf = input.size > end + 1 && input.bytes[end + 1] != '\n';
    if (bad_cr || bad_lf) {
        return refuse(parser, "ERR Protocol error: bulk string does not end with CRLF");
    }
    if (input.size < end + 2) return need(parser, end + 2);
    if (parser->args_count == parser->args_capacity) arrays_grow(parser);
    parser->spans[parser->args_count++] = (struct resp_span){
        .offset = (uint32_t)parser->at,
        .size = (uint32_t)parser->bulk_size,
    };
    parser->at = end + 2;
    parser->in_bulk = false;
    return RESP_REQUEST;
}

static void begin_anew(struct resp_parser *parser) {
    if (parser->args_capacity > ARGS_KEPT) arrays_free(parser);
    parser->args_count = 0;
    parser->args_wanted = 0;
    parser->at = 0;
    parser->in_bulk = false;
    parser->done = false;
}

enum resp_result
resp_parse(struct resp_parser *parser, struct slice input, struct resp_request *ret_request) {
    if (parser->error != NULL) return RESP_ERROR;
    if (parser->done) begin_anew(parser);
    hob_assert(input.size >= parser->at);
    if (parser->args_wanted == 0) {
        enum resp_result result = parse_head(parser, input);
        if (result != RESP_REQUEST) return result;
    }
    while (parser->args_count < parser->args_wanted) {
        if (!parser->in_bulk) {
            enum resp_result result = parse_bulk_size(parser, input);
            if (result != RESP_REQUEST) return result;
        }
        enum resp_result result = parse_bulk(parser, input);
        if (result != RESP_REQUEST) return result;
    }
    for (size_t i = 0; i < parser->args_count; i++) {
        struct resp_span span = parser->spans[i];
        parser->args[i] = slice_of(input.bytes + span.offset, span.size);
    }
    *ret_request = (struct resp_request){
        .args = parser->args,
        .args_count = parser->args_count,
        .size_bytes = parser->at,
    };
    parser->done = true;
    return RESP_REQUEST;
}
