/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests. Beyond "the cutting changes nothing", what comes out must keep the promises of
 * wire/http.h: no line breaks in headers, a path that is UTF-8 without control characters and
 * without dot segments, exactly one Host in 1.1. */
#include "base/utf8.h"
#include "fuzz.h"
#include "wire/http.h"

static void check_no_controls(struct slice text) {
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = (uint8_t)text.bytes[i];
        FUZZ_CHECK(byte >= 0x20 || byte == '\t');
        FUZZ_CHECK(byte != 0x7f);
    }
}

static void check_headers(const struct http_request *request) {
    unsigned hosts = 0;
    for (size_t i = 0; i < request->headers_count; i++) {
        struct http_pair header = request->headers[i];
        FUZZ_CHECK(header.name.size > 0);
        check_no_controls(header.name);
        check_no_controls(header.value);
        FUZZ_CHECK(memchr(header.name.bytes, ':', header.name.size) == NULL);
        FUZZ_CHECK(memchr(header.name.bytes, ' ', header.name.size) == NULL);
        hosts += slice_equal_nocase(header.name, SLICE("host"));
    }
    FUZZ_CHECK(hosts <= 1 && hosts >= request->minor);
}

static void log_pairs(struct buf *log, const struct http_pair *pairs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        fuzz_log_slice(log, pairs[i].name);
        fuzz_log_slice(log, pairs[i].value);
    }
}

static void log_request(struct buf *log, const struct http_request *request) {
    fuzz_log_slice(log, request->method_text);
    fuzz_log_slice(log, request->target);
    fuzz_log_slice(log, request->path);
    for (size_t i = 0; i < request->segments_count; i++) {
        fuzz_log_slice(log, request->segments[i]);
        check_no_controls(request->segments[i]);
        FUZZ_CHECK(!slice_equal(request->segments[i], SLICE("..")));
    }
    log_pairs(log, request->params, request->params_count);
    log_pairs(log, request->headers, request->headers_count);
    fuzz_log_slice(log, request->body);
    buf_put_u64(log, request->minor * 2 + (request->keep_alive ? 1 : 0));
    buf_put_u64(log, request->size_bytes);
}

static size_t parse(struct fuzz_run *run, struct slice input) {
    struct http_parser *parser = run->parser;
    struct http_request request;
    switch (http_parse(parser, input, &request)) {
    case HTTP_NEED_MORE:
    case HTTP_CONTINUE:
        FUZZ_CHECK(http_wanted_bytes(parser) > input.size);
        return 0;
    case HTTP_ERROR:
        buf_put_u64(&run->log, http_error(parser).status);
        fuzz_log_slice(&run->log, slice_str(http_error(parser).text));
        run->broken = true;
        return 0;
    case HTTP_REQUEST_READY:
        break;
    }
    FUZZ_CHECK(utf8_valid(request.path));
    check_no_controls(request.path);
    check_headers(&request);
    log_request(&run->log, &request);
    return request.size_bytes;
}

static void run_stream(struct fuzz_run *run, struct slice stream, uint8_t cutting) {
    struct mem mem = {0};
    struct http_parser *parser =
        http_parser_new(&mem, (struct http_limits){.body_bytes_max = 1000});
    *run = (struct fuzz_run){.parser = parser, .parse = parse};
    run->log = buf_make(FUZZ_LOG_BYTES_MAX);
    fuzz_feed(run, stream, cutting);
    http_parser_free(parser);
    FUZZ_CHECK(mem.used_bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    struct fuzz_run whole;
    struct fuzz_run pieces;
    run_stream(&whole, input.stream, 0);
    run_stream(&pieces, input.stream, input.cutting);
    fuzz_check_same(&whole, &pieces);
    buf_deinit(&whole.log);
    buf_deinit(&pieces.log);
    return 0;
}
