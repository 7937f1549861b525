/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/http.h"

#include "base/test.h"

static struct mem test_mem;

/* Feed the whole of @input; byte by byte the answer must be the same. The caller frees the
 * parser. */
static enum http_result
feed(struct slice input, struct http_parser **ret_parser, struct http_request *ret_request) {
    struct http_limits limits = {.body_bytes_max = 100};
    struct http_parser *slow = http_parser_new(&test_mem, limits);
    enum http_result slowly = HTTP_NEED_MORE;
    for (size_t size = 0; size <= input.size; size++) {
        HOB_AUTO_BUF struct buf moved = buf_make(100000);
        CHECK(buf_put(&moved, input.bytes, size));
        slowly = http_parse(slow, buf_slice(&moved), ret_request);
        if (slowly == HTTP_ERROR || slowly == HTTP_REQUEST_READY) break;
        CHECK(http_wanted_bytes(slow) > size);
        slowly = HTTP_NEED_MORE;
    }
    struct http_parser *parser = http_parser_new(&test_mem, limits);
    enum http_result result = http_parse(parser, input, ret_request);
    CHECK((result == HTTP_CONTINUE ? HTTP_NEED_MORE : result) == slowly);
    CHECK_EQUAL(http_error(parser).status, http_error(slow).status);
    http_parser_free(slow);
    *ret_parser = parser;
    return result;
}

static unsigned status_of(struct slice input) {
    struct http_parser *parser = NULL;
    struct http_request request;
    enum http_result result = feed(input, &parser, &request);
    unsigned status = result == HTTP_ERROR ? http_error(parser).status : 0;
    if (result == HTTP_ERROR) CHECK(http_error(parser).text != NULL);
    http_parser_free(parser);
    CHECK_EQUAL(test_mem.used_bytes, 0);
    if (result == HTTP_REQUEST_READY) return 200;
    return status;
}

#define STATUS(text) status_of(SLICE(text))
#define GET          "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST         "POST / HTTP/1.1\r\nHost: a\r\n"

TEST(a_request_is_taken_apart) {
    struct http_parser *parser = NULL;
    struct http_request request;
    struct slice input =
        SLICE("POST /v1/jobs/a%2Fb/%C3%A4?wait=10s&tag=a+b%26&flag&&=x HTTP/1.1\r\n"
              "Host: localhost:4620\r\nX-Empty:\r\nContent-Type: \t application/json \t\r\n"
              "content-length: 4\r\n\r\n{..}GET");
    CHECK(feed(input, &parser, &request) == HTTP_REQUEST_READY);
    CHECK(request.method == HTTP_METHOD_POST);
    CHECK(slice_equal(request.method_text, SLICE("POST")));
    CHECK_EQUAL(request.minor, 1);
    CHECK(request.keep_alive);
    CHECK(slice_equal(request.path, SLICE("/v1/jobs/a/b/\xc3\xa4")));
    CHECK_EQUAL(request.segments_count, 4);
    CHECK(slice_equal(request.segments[2], SLICE("a/b")));
    CHECK_EQUAL(request.params_count, 4);
    struct slice value;
    CHECK(http_param(&request, SLICE("tag"), &value) && slice_equal(value, SLICE("a b&")));
    CHECK(http_param(&request, SLICE("flag"), &value) && value.size == 0);
    CHECK(!http_param(&request, SLICE("none"), &value));
    CHECK_EQUAL(request.headers_count, 4);
    CHECK(http_header(&request, SLICE("content-type"), &value));
    CHECK(slice_equal(value, SLICE("application/json")));
    CHECK(http_header(&request, SLICE("x-empty"), &value) && value.size == 0);
    CHECK(!http_header(&request, SLICE("none"), &value));
    CHECK(slice_equal(request.body, SLICE("{..}")));
    CHECK_EQUAL(request.size_bytes, input.size - 3);
    http_parser_free(parser);
}

TEST(requests_behind_one_another_are_given_one_at_a_time) {
    struct http_parser *parser = http_parser_new(&test_mem, HTTP_LIMITS_DEFAULT);
    struct http_request request;
    struct slice input =
        SLICE("PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
              "GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK(http_parse(parser, input, &request) == HTTP_REQUEST_READY);
    CHECK(slice_equal(request.body, SLICE("ab")));
    CHECK(request.keep_alive);
    size_t first = request.size_bytes;
    input = slice_of(input.bytes + first, input.size - first);
    CHECK(http_parse(parser, input, &request) == HTTP_REQUEST_READY);
    CHECK(slice_equal(request.path, SLICE("/b")));
    CHECK_EQUAL(request.body.size, 0);
    CHECK(!request.keep_alive);
    CHECK_EQUAL(request.size_bytes, input.size);
    http_parser_free(parser);
}

TEST(keep_alive_follows_version_and_header) {
    static const struct {
        struct slice input;
        bool keep_alive;
    } rows[] = {
        {{GET "\r\n", sizeof GET + 1}, true},
        {{"GET / HTTP/1.0\r\n\r\n", 18}, false},
        {{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 42}, true},
        {{GET "Connection: x, Close\r\n\r\n", sizeof GET + 23}, false},
        {{GET "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", sizeof GET + 36}, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_parser *parser = NULL;
        struct http_request request;
        CHECK(feed(rows[i].input, &parser, &request) == HTTP_REQUEST_READY);
        CHECK(request.keep_alive == rows[i].keep_alive);
        CHECK_EQUAL(request.size_bytes, rows[i].input.size);
        http_parser_free(parser);
    }
}

TEST(an_expectation_is_reported_once_and_only_without_the_body) {
    struct http_parser *parser = http_parser_new(&test_mem, HTTP_LIMITS_DEFAULT);
    struct http_request request;
    const char text[] = POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab";
    CHECK(http_parse(parser, slice_of(text, sizeof text - 3), &request) == HTTP_CONTINUE);
    CHECK(request.method == HTTP_METHOD_POST);
    CHECK_EQUAL(request.size_bytes, 0);
    CHECK(http_parse(parser, slice_of(text, sizeof text - 2), &request) == HTTP_NEED_MORE);
    CHECK(http_parse(parser, slice_of(text, sizeof text - 1), &request) == HTTP_REQUEST_READY);
    CHECK(http_parse(parser, slice_of(text, sizeof text - 1), &request) == HTTP_REQUEST_READY);
    CHECK(slice_equal(request.body, SLICE("ab")));
    http_parser_free(parser);
    CHECK_EQUAL(STATUS(POST "Expect: 200-ok\r\nContent-Length: 2\r\n\r\n"), 417);
    CHECK_EQUAL(STATUS("POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\na"), 200);
}

TEST(what_two_readers_could_read_differently_is_refused) {
    CHECK_EQUAL(STATUS(GET "\r\n"), 200);
    CHECK_EQUAL(STATUS("GET / HTTP/1.1\nHost: a\n\n"), 400);
    CHECK_EQUAL(STATUS("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400);
    CHECK_EQUAL(STATUS(GET "X: a\rb\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS(GET "X: a\r\n b\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS(GET "X: a\r\n\tb\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS(GET " X: a\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS(GET "X : a\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS(GET ": a\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS(GET "X: a\r\n: b\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS(GET "X\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS(GET "X\xc3\xa4: a\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS(GET "X: a\0b\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS(GET "X: \x7f\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS("\r\n" GET "\r\n"), 400);
    CHECK_EQUAL(STATUS("\x16\x03\x01"), 400);
    CHECK_EQUAL(STATUS("GET /\r\n\r\n"), 505);
    CHECK_EQUAL(STATUS("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
    CHECK_EQUAL(STATUS("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505);
    CHECK_EQUAL(STATUS("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), 505);
    CHECK_EQUAL(STATUS("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS("get / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS("GET / HTTP/1.1\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS(GET "Host: a\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
}

TEST(the_length_of_a_body_is_never_in_doubt) {
    CHECK_EQUAL(STATUS(POST "Content-Length: 1\r\n\r\na"), 200);
    CHECK_EQUAL(STATUS(POST "Content-Length: 2\r\n\r\na"), 0);
    CHECK_EQUAL(STATUS(POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"), 400);
    CHECK_EQUAL(STATUS(POST "Content-Length: 1, 1\r\n\r\na"), 400);
    CHECK_EQUAL(STATUS(POST "Content-Length: +1\r\n\r\na"), 400);
    CHECK_EQUAL(STATUS(POST "Content-Length: 1 1\r\n\r\na"), 400);
    CHECK_EQUAL(STATUS(POST "Content-Length: 0x1\r\n\r\na"), 400);
    CHECK_EQUAL(STATUS(POST "Content-Length: \r\n\r\na"), 400);
    CHECK_EQUAL(STATUS(POST "Content-Length: 99999999999999999999\r\n\r\na"), 400);
    CHECK_EQUAL(STATUS(POST "Content-Length: 101\r\n\r\n"), 413);
    CHECK_EQUAL(
        STATUS(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400
    );
    CHECK_EQUAL(
        STATUS(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), 400
    );
    CHECK_EQUAL(STATUS(POST "Transfer-Encoding: gzip\r\n\r\n"), 501);
    CHECK_EQUAL(STATUS(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501);
    CHECK_EQUAL(STATUS(POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"), 400);
    CHECK_EQUAL(STATUS("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
}

#define CHUNKED(body) STATUS(POST "Transfer-Encoding: chunked\r\n\r\n" body)

TEST(chunks_are_joined_and_their_framing_is_strict) {
    CHECK_EQUAL(CHUNKED("0\r\n\r\n"), 200);
    CHECK_EQUAL(CHUNKED("A;x=\"y\"\r\n0123456789\r\n00\r\nSum: 1\r\n\r\n"), 200);
    CHECK_EQUAL(CHUNKED("1\r\na\r\n"), 0);
    CHECK_EQUAL(CHUNKED("1\na\r\n0\r\n\r\n"), 400);
    CHECK_EQUAL(CHUNKED("1\r\nab\r\n0\r\n\r\n"), 400);
    CHECK_EQUAL(CHUNKED("1\r\na\n0\r\n\r\n"), 400);
    CHECK_EQUAL(CHUNKED("0x1\r\na\r\n0\r\n\r\n"), 400);
    CHECK_EQUAL(CHUNKED("-1\r\na\r\n0\r\n\r\n"), 400);
    CHECK_EQUAL(CHUNKED("1 \r\na\r\n0\r\n\r\n"), 400);
    CHECK_EQUAL(CHUNKED("\r\n0\r\n\r\n"), 400);
    CHECK_EQUAL(CHUNKED("1;a\rb\r\na\r\n0\r\n\r\n"), 400);
    CHECK_EQUAL(CHUNKED("000000001\r\na\r\n0\r\n\r\n"), 400);
    CHECK_EQUAL(CHUNKED("FFFFFFFF\r\n"), 413);
    CHECK_EQUAL(CHUNKED("65\r\n"), 413);
    CHECK_EQUAL(CHUNKED("0\r\n folded: 1\r\n\r\n"), 400);
    CHECK_EQUAL(CHUNKED("0\r\nno colon\r\n\r\n"), 400);
    CHECK_EQUAL(CHUNKED("0\r\n\n"), 400);
}

TEST(the_target_is_decoded_safely) {
    static const char *const bad[] = {
        "/%00",
        "/%0a",
        "/%",
        "/%1",
        "/%zz",
        "/%C3",
        "/%ff",
        "/..",
        "/a/%2e%2e/b",
        "/.",
        "http://a/b",
        "*",
        "a",
        "/#x",
        "/\xc3\xa4",
        "/?a=%00",
        "/?a=%f",
        "/?%ff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        HOB_AUTO_BUF struct buf text = buf_make(1000);
        CHECK(buf_printf(&text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", bad[i]));
        CHECK_EQUAL(status_of(buf_slice(&text)), 400);
    }
    CHECK_EQUAL(STATUS("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    CHECK_EQUAL(STATUS("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
}

static unsigned status_of_repeated(const char *head, const char *part, int count) {
    HOB_AUTO_BUF struct buf text = buf_make(100000);
    buf_put_str(&text, head);
    for (int i = 0; i < count; i++) buf_put_str(&text, part);
    buf_put_str(&text, strstr(head, "HTTP/1.1") == NULL ? " HTTP/1.1\r\nHost: a\r\n\r\n" : "\r\n");
    return status_of(buf_slice(&text));
}

TEST(heads_are_bounded) {
    CHECK_EQUAL(status_of_repeated(GET, "X: y\r\n", HTTP_HEADERS_MAX - 1), 200);
    CHECK_EQUAL(status_of_repeated(GET, "X: y\r\n", HTTP_HEADERS_MAX), 431);
    CHECK_EQUAL(status_of_repeated(GET, "X: 0123456789abcdef\r\n", 1000), 431);
    CHECK_EQUAL(status_of_repeated("GET /", "x", HTTP_TARGET_BYTES_MAX - 1), 200);
    CHECK_EQUAL(status_of_repeated("GET /", "x", HTTP_TARGET_BYTES_MAX), 414);
    CHECK_EQUAL(status_of_repeated("GET /", "x", 2 * HTTP_TARGET_BYTES_MAX), 414);
    CHECK_EQUAL(status_of_repeated("GET /", "x/", HTTP_SEGMENTS_MAX), 400);
    CHECK_EQUAL(status_of_repeated("GET /?", "x&", HTTP_PARAMS_MAX + 1), 400);
}

TEST(responses_are_written) {
    HOB_AUTO_BUF struct buf out = buf_make(1000);
    http_put_status(&out, 202, true);
    CHECK(http_put_header(&out, "Location", SLICE("/v1/jobs/1")));
    CHECK(!http_put_header(&out, "X", SLICE("a\r\nSet-Cookie: b")));
    CHECK(!http_put_header(&out, "X: y", SLICE("a")));
    http_put_header_u64(&out, "Retry-After", 3);
    http_put_body(&out, SLICE("{}"));
    CHECK(slice_equal(
        buf_slice(&out),
        SLICE("HTTP/1.1 202 Accepted\r\nConnection: keep-alive\r\nLocation: /v1/jobs/1\r\n"
              "Retry-After: 3\r\nContent-Length: 2\r\n\r\n{}")
    ));
}

TEST(streams_are_chunked_in_1_1_and_bare_in_1_0) {
    HOB_AUTO_BUF struct buf out = buf_make(1000);
    http_put_stream(&out, 1);
    http_put_chunk(&out, 1, SLICE("0123456789abcdefg"));
    http_put_chunk(&out, 1, SLICE(""));
    http_put_stream_end(&out, 1);
    CHECK(slice_equal(
        buf_slice(&out),
        SLICE("Transfer-Encoding: chunked\r\n\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n")
    ));
    buf_reset(&out);
    http_put_stream(&out, 0);
    http_put_chunk(&out, 0, SLICE("ab"));
    http_put_stream_end(&out, 0);
    CHECK(slice_equal(buf_slice(&out), SLICE("\r\nab")));
}

TESTS(
    a_request_is_taken_apart,
    requests_behind_one_another_are_given_one_at_a_time,
    keep_alive_follows_version_and_header,
    an_expectation_is_reported_once_and_only_without_the_body,
    what_two_readers_could_read_differently_is_refused,
    the_length_of_a_body_is_never_in_doubt,
    chunks_are_joined_and_their_framing_is_strict,
    the_target_is_decoded_safely,
    heads_are_bounded,
    responses_are_written,
    streams_are_chunked_in_1_1_and_bare_in_1_0
)
