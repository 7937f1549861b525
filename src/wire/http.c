/* SPDX-License-Identifier: Apache-2.0 */
/* The request parser: where a request begins and ends.
 *
 *     scan the head (strict lines, bounded)
 *       └─> llhttp reads it whole
 *             └─> who frames the body? ─┬─ nobody: done
 *                                       ├─ Content-Length: wait until it is there
 *                                       └─ chunks: http_chunk.c
 *
 * The scan looks at each byte of the head once, however the reads cut it, and lets nothing through
 * but lines that end with CRLF and hold no control characters. All decisions are taken at byte
 * positions, in order, so that the answer does not depend on the cutting. */
#include "wire/http.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "wire/http_parts.h"

enum {
    /* The longest method, two spaces, the version, CRLF; the target itself is measured when it is
     * known. */
    REQUEST_LINE_BYTES_MAX = HTTP_TARGET_BYTES_MAX + 64,
};

enum phase {
    PHASE_HEAD,
    PHASE_BODY,
    PHASE_DONE, /* the last call gave a request; the next one begins anew */
};

struct http_parser {
    struct mem *mem;
    struct http_limits limits;
    struct http_error error;
    enum phase phase;
    size_t wanted_bytes;
    size_t at;         /* everything before is done */
    size_t line_start; /* of the line that is being scanned */
    size_t head_size;
    size_t length; /* Content-Length */
    bool chunked;
    bool continue_due;
    struct http_head head;
    struct http_target target;
    struct http_chunks chunks;
    struct http_pair headers[HTTP_HEADERS_MAX];
};

struct http_parser *http_parser_new(struct mem *mem, struct http_limits limits) {
    hob_assert(limits.body_bytes_max < UINT32_MAX);
    struct http_parser *parser = mem_zero_alloc(mem, sizeof *parser);
    parser->mem = mem;
    parser->limits = limits;
    parser->target.decoded = buf_make(HTTP_TARGET_BYTES_MAX + 1);
    parser->chunks.body = buf_make(limits.body_bytes_max);
    parser->chunks.raw_bytes_max = http_chunks_raw_max(limits.body_bytes_max);
    return parser;
}

void http_parser_free(struct http_parser *parser) {
    if (parser == NULL) return;
    buf_deinit(&parser->target.decoded);
    buf_deinit(&parser->chunks.body);
    mem_free(parser->mem, parser, sizeof *parser);
}

size_t http_wanted_bytes(const struct http_parser *parser) {
    return parser->wanted_bytes;
}

struct http_error http_error(const struct http_parser *parser) {
    return parser->error;
}

size_t http_input_bytes_max(struct http_limits limits) {
    return HTTP_HEAD_BYTES_MAX + http_chunks_raw_max(limits.body_bytes_max);
}

static enum http_result refuse(struct http_parser *parser, unsigned status, const char *text) {
    parser->error = http_refuse(status, text);
    return HTTP_ERROR;
}

static enum http_result need(struct http_parser *parser, size_t size_bytes) {
    parser->wanted_bytes = size_bytes;
    return HTTP_NEED_MORE;
}

/* Eight bytes at a time while they are printable ASCII. A borrow can only make a plain byte look
 * special. */
static size_t skip_plain(const char *bytes, size_t at, size_t end) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = UINT64_C(0x8080808080808080);
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof word);
        uint64_t special = (word - ones * 0x20) | ((word ^ (ones * 0x7f)) - ones) | word;
        if ((special & highs) != 0) break;
        at += 8;
    }
    return at;
}

/* At a byte that may not be plain. HTTP_REQUEST_READY: the head is complete; HTTP_CONTINUE: scan
 * on. */
static enum http_result scan_byte(struct http_parser *parser, struct slice input) {
    size_t at = parser->at;
    uint8_t byte = (uint8_t)input.bytes[at];
    bool space = byte == ' ' || byte == '\t';
    if (space && at == parser->line_start) {
        return refuse(parser, 400, "folded header line, or a line that begins with a space");
    }
    if ((byte >= 0x20 && byte != 0x7f) || byte == '\t') {
        parser->at = at + 1;
        return HTTP_CONTINUE;
    }
    if (byte == '\n') return refuse(parser, 400, "line ends with a bare LF");
    if (byte != '\r') return refuse(parser, 400, "control character in the head");
    if (at + 2 > HTTP_HEAD_BYTES_MAX) return refuse(parser, 431, "head too large");
    if (at + 1 == input.size) return need(parser, at + 2);
    if (input.bytes[at + 1] != '\n') return refuse(parser, 400, "bare CR");
    bool empty_line = at == parser->line_start;
    parser->at = at + 2;
    parser->line_start = parser->at;
    if (!empty_line) return HTTP_CONTINUE;
    if (at == 0) return refuse(parser, 400, "request line expected");
    parser->head_size = parser->at;
    return HTTP_REQUEST_READY;
}

static enum http_result scan_head(struct http_parser *parser, struct slice input) {
    for (;;) {
        bool first_line = parser->line_start == 0;
        size_t limit = first_line ? REQUEST_LINE_BYTES_MAX : HTTP_HEAD_BYTES_MAX;
        size_t end = input.size < limit ? input.size : limit;
        bool line_begins = parser->at == parser->line_start;
        if (!line_begins) parser->at = skip_plain(input.bytes, parser->at, end);
        if (parser->at >= limit) {
            if (first_line) return refuse(parser, 414, "URL too long");
            return refuse(parser, 431, "head too large");
        }
        if (parser->at == input.size) return need(parser, input.size + 1);
        enum http_result result = scan_byte(parser, input);
        if (result != HTTP_CONTINUE) return result;
    }
}

/* What the headers say about the body and the host. */
struct framing {
    unsigned lengths;
    unsigned codings;
    unsigned hosts;
    unsigned expectations;
    struct slice length;
    struct slice coding;
    struct slice host;
    struct slice expectation;
};

static void collect(struct slice value, unsigned *count, struct slice *last) {
    *last = value;
    (*count)++;
}

static struct framing framing_of(const struct http_head *head, const char *base) {
    struct framing found = {0};
    for (size_t i = 0; i < head->headers_count; i++) {
        struct slice name = http_span_slice(head->headers[i].name, base);
        struct slice value = http_span_slice(head->headers[i].value, base);
        if (slice_equal_nocase(name, SLICE("host"))) {
            collect(value, &found.hosts, &found.host);
        } else if (slice_equal_nocase(name, SLICE("content-length"))) {
            collect(value, &found.lengths, &found.length);
        } else if (slice_equal_nocase(name, SLICE("transfer-encoding"))) {
            collect(value, &found.codings, &found.coding);
        } else if (slice_equal_nocase(name, SLICE("expect"))) {
            collect(value, &found.expectations, &found.expectation);
        }
    }
    return found;
}

static struct http_error check_host(const struct http_head *head, const struct framing *framing) {
    if (framing->hosts > 1) return http_refuse(400, "more than one Host");
    if (framing->hosts == 0 && head->minor == 1) return http_refuse(400, "Host is missing");
    for (size_t i = 0; i < framing->host.size; i++) {
        char c = framing->host.bytes[i];
        bool name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool mark =
            c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']' || c == '%';
        if (!name && !mark) return http_refuse(400, "Host is not a host");
    }
    return HTTP_FINE;
}

static struct http_error frame_body(struct http_parser *parser, const struct framing *framing) {
    if (framing->lengths > 1) return http_refuse(400, "more than one Content-Length");
    if (framing->codings > 1) return http_refuse(400, "more than one Transfer-Encoding");
    if (framing->lengths + framing->codings > 1) {
        return http_refuse(400, "Content-Length beside Transfer-Encoding");
    }
    parser->chunked = framing->codings == 1;
    parser->length = 0;
    if (parser->chunked && parser->head.minor == 0) {
        return http_refuse(400, "Transfer-Encoding in HTTP/1.0");
    }
    if (parser->chunked && !slice_equal_nocase(framing->coding, SLICE("chunked"))) {
        return http_refuse(501, "transfer coding not supported");
    }
    if (framing->lengths == 1) {
        uint64_t length = 0;
        if (!text_u64(framing->length, 0, UINT64_MAX, &length)) {
            return http_refuse(400, "Content-Length is not a number");
        }
        if (length > parser->limits.body_bytes_max) return http_refuse(413, "body too large");
        parser->length = (size_t)length;
    }
    parser->continue_due = false;
    if (framing->expectations > 0 && parser->head.minor == 1) {
        bool known = slice_equal_nocase(framing->expectation, SLICE("100-continue"));
        if (framing->expectations > 1 || !known) return http_refuse(417, "unknown expectation");
        parser->continue_due = parser->chunked || parser->length > 0;
    }
    return HTTP_FINE;
}

static struct http_error read_head(struct http_parser *parser, struct slice input) {
    struct slice bytes = slice_of(input.bytes, parser->head_size);
    struct http_error error = http_head_parse(bytes, &parser->head);
    if (error.status != 0) return error;
    struct slice target = http_span_slice(parser->head.target, input.bytes);
    if (target.size > HTTP_TARGET_BYTES_MAX) return http_refuse(414, "URL too long");
    error = http_target_parse(&parser->target, target, parser->head.method);
    if (error.status != 0) return error;
    struct framing framing = framing_of(&parser->head, input.bytes);
    error = check_host(&parser->head, &framing);
    if (error.status != 0) return error;
    return frame_body(parser, &framing);
}

static void
fill_request(struct http_parser *parser, struct slice input, struct http_request *ret_request) {
    const struct http_head *head = &parser->head;
    for (size_t i = 0; i < head->headers_count; i++) {
        parser->headers[i] = (struct http_pair){
            .name = http_span_slice(head->headers[i].name, input.bytes),
            .value = http_span_slice(head->headers[i].value, input.bytes),
        };
    }
    *ret_request = (struct http_request){
        .method = head->method,
        .method_text = http_span_slice(head->method_text, input.bytes),
        .minor = head->minor,
        .keep_alive = head->keep_alive,
        .target = http_span_slice(head->target, input.bytes),
        .path = parser->target.path,
        .segments = parser->target.segments,
        .segments_count = parser->target.segments_count,
        .params = parser->target.params,
        .params_count = parser->target.params_count,
        .headers = parser->headers,
        .headers_count = head->headers_count,
    };
    /* "*" is not copied when it is parsed, and the input may have moved since. */
    if (parser->target.decoded.size == 0) ret_request->path = ret_request->target;
}

/* True when the body is complete: parser->at is then its end. */
static bool read_body(struct http_parser *parser, struct slice input) {
    if (!parser->chunked) {
        size_t end = parser->head_size + parser->length;
        parser->wanted_bytes = end;
        if (input.size >= end) parser->at = end;
        return input.size >= end;
    }
    size_t read = 0;
    size_t wanted = 0;
    struct slice rest = slice_of(input.bytes + parser->at, input.size - parser->at);
    parser->error = http_chunks_read(&parser->chunks, rest, &read, &wanted);
    parser->at += read;
    parser->wanted_bytes = parser->at + wanted;
    return parser->chunks.state == HTTP_CHUNK_DONE;
}

static void begin_anew(struct http_parser *parser) {
    parser->phase = PHASE_HEAD;
    parser->at = 0;
    parser->line_start = 0;
    http_chunks_reset(&parser->chunks);
}

enum http_result
http_parse(struct http_parser *parser, struct slice input, struct http_request *ret_request) {
    if (parser->error.status != 0) return HTTP_ERROR;
    if (parser->phase == PHASE_DONE) begin_anew(parser);
    hob_assert(input.size >= parser->at);
    if (parser->phase == PHASE_HEAD) {
        enum http_result result = scan_head(parser, input);
        if (result != HTTP_REQUEST_READY) return result;
        parser->error = read_head(parser, input);
        if (parser->error.status != 0) return HTTP_ERROR;
        parser->phase = PHASE_BODY;
    }
    bool complete = read_body(parser, input);
    if (parser->error.status != 0) return HTTP_ERROR;
    if (!complete && !parser->continue_due) return HTTP_NEED_MORE;
    fill_request(parser, input, ret_request);
    parser->continue_due = false;
    if (!complete) return HTTP_CONTINUE;
    parser->phase = PHASE_DONE;
    ret_request->size_bytes = parser->at;
    ret_request->body = parser->chunked ? buf_slice(&parser->chunks.body)
                                        : slice_of(input.bytes + parser->head_size, parser->length);
    return HTTP_REQUEST_READY;
}

bool http_header(const struct http_request *request, struct slice name, struct slice *ret_value) {
    for (size_t i = 0; i < request->headers_count; i++) {
        if (!slice_equal_nocase(request->headers[i].name, name)) continue;
        *ret_value = request->headers[i].value;
        return true;
    }
    return false;
}

bool http_param(const struct http_request *request, struct slice name, struct slice *ret_value) {
    for (size_t i = 0; i < request->params_count; i++) {
        if (!slice_equal(request->params[i].name, name)) continue;
        *ret_value = request->params[i].value;
        return true;
    }
    return false;
}
