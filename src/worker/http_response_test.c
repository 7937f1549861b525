/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/http_response.h"

#include "base/json.h"
#include "base/test.h"

static char text[3 << 20];

static bool line(struct http_response *response, const char *bytes) {
    return response_head_line(response, slice_str(bytes));
}

static bool body(struct http_response *response, const char *bytes) {
    return response_body(response, slice_str(bytes));
}

static const char *result(const struct http_response *response, size_t bytes_max) {
    HOB_AUTO_BUF struct buf out = buf_make(bytes_max);
    response_put(response, &out);
    CHECK(!out.overflowed);
    CHECK(json_valid(buf_slice(&out)));
    memcpy(text, out.bytes, out.size);
    text[out.size] = '\0';
    return text;
}

TEST(a_response_becomes_json) {
    struct http_response response;
    response_init(&response, 1000);
    CHECK(line(&response, "HTTP/1.1 201 Created\r\n"));
    CHECK(line(&response, "Content-Type: application/json\r\n"));
    CHECK(line(&response, "X-A:  b \r\n"));
    CHECK(line(&response, "\r\n"));
    CHECK(body(&response, "{\"a\":"));
    CHECK(body(&response, " 1}"));
    CHECK_EQUAL(response.status, 201);
    CHECK_STR(response.reason, "Created");
    CHECK_STR(
        result(&response, 1000),
        "{\"status\":201,\"headers\":{\"content-type\":\"application/"
        "json\",\"x-a\":\"b\"},\"body\":{\"a\": 1}}"
    );
    response_deinit(&response);
}

TEST(headers_of_one_name_are_joined_but_cookies_are_a_list) {
    struct http_response response;
    response_init(&response, 1000);
    static const char *const lines[] = {
        "HTTP/1.1 204\r\n",
        "Set-Cookie: a=1, b\r\n",
        "Via: x\r\n",
        "set-cookie: c=2\r\n",
        "VIA: y\r\n",
        " folded: z\r\n",
        ": no name\r\n",
        "no colon\r\n",
        "Empty:\r\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) CHECK(line(&response, lines[i]));
    CHECK_STR(
        result(&response, 1000),
        "{\"status\":204,\"headers\":{\"set-cookie\":[\"a=1, b\",\"c=2\"],\"via\":\"x, "
        "y\",\"empty\":\"\"}}"
    );
    struct slice value;
    CHECK(response_header(&response, "via", &value));
    CHECK(slice_equal(value, SLICE("x")));
    CHECK(!response_header(&response, "via2", &value));
    response_deinit(&response);
}

TEST(an_interim_response_is_forgotten_but_counts) {
    struct http_response response;
    response_init(&response, 1000);
    CHECK(line(&response, "HTTP/1.1 103 Early Hints\r\n"));
    CHECK(line(&response, "Link: </a>\r\n"));
    CHECK(line(&response, "HTTP/1.1 200 OK\r\n"));
    CHECK_STR(result(&response, 1000), "{\"status\":200,\"headers\":{}}");
    CHECK_EQUAL(response.header_bytes, 55);
    response_deinit(&response);
}

TEST(endless_headers_are_too_much) {
    struct http_response response;
    response_init(&response, 1000);
    CHECK(line(&response, "HTTP/1.1 200 OK\r\n"));
    size_t lines = 0;
    while (line(&response, "a: b\r\n")) lines++;
    CHECK_EQUAL(lines, RESPONSE_HEADERS_MAX);
    response_deinit(&response);
    response_init(&response, 1000);
    size_t heads = 0;
    while (line(&response, "HTTP/1.1 103 Early Hints\r\n")) heads++;
    CHECK(heads * 26 <= RESPONSE_HEADER_BYTES_MAX);
    response_deinit(&response);
}

TEST(a_long_body_is_cut_and_says_so) {
    struct http_response response;
    response_init(&response, 4);
    CHECK(line(&response, "HTTP/1.1 200 OK\r\n"));
    CHECK(body(&response, "1234"));
    CHECK_STR(result(&response, 1000), "{\"status\":200,\"headers\":{},\"body\":1234}");
    CHECK(!body(&response, "5"));
    CHECK_STR(
        result(&response, 1000),
        "{\"status\":200,\"headers\":{},\"body\":\"1234\",\"body_encoding\":\"text\",\"body_cut\":"
        "true}"
    );
    response_deinit(&response);
    response_init(&response, 4);
    CHECK(line(&response, "HTTP/1.1 200 OK\r\n"));
    CHECK(!body(&response, "abc\xc3\xa4")); /* in the middle of a character */
    CHECK_STR(
        result(&response, 1000),
        "{\"status\":200,\"headers\":{},\"body\":\"abc\",\"body_encoding\":\"text\",\"body_cut\":"
        "true}"
    );
    response_deinit(&response);
}

TEST(bytes_are_base64) {
    struct http_response response;
    response_init(&response, 1000);
    CHECK(line(&response, "HTTP/1.1 200 OK\r\n"));
    CHECK(response_body(&response, slice_of("\x00\xff\xfe", 3)));
    CHECK_STR(
        result(&response, 1000),
        "{\"status\":200,\"headers\":{},\"body\":\"AP/+\",\"body_encoding\":\"base64\"}"
    );
    response_deinit(&response);
}

TEST(a_result_that_grows_in_json_is_cut_until_it_fits) {
    struct http_response response;
    response_init(&response, 1 << 20);
    CHECK(line(&response, "HTTP/1.1 200 OK\r\n"));
    for (int i = 0; i < 1000000; i++) CHECK(body(&response, "\x01"));
    const char *json = result(&response, 1 << 20);
    CHECK(strlen(json) > 1 << 19);
    CHECK(strstr(json, "\"body_cut\":true") != NULL);
    response_deinit(&response);
}

TEST(a_status_line_of_nonsense_is_no_status) {
    static const char *const lines[] = {
        "HTTP/1.1\r\n",
        "HTTP/1.1 \r\n",
        "HTTP/1.1 2\r\n",
        "HTTP/1.1 abc\r\n",
        "HTTP/1.1 099 x\r\n"};
    struct http_response response;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        response_init(&response, 10);
        CHECK(line(&response, lines[i]));
        CHECK_EQUAL(response.status, 0);
        response_deinit(&response);
    }
}

TEST(an_excerpt_is_one_printable_line) {
    struct http_response response;
    response_init(&response, 1000);
    CHECK(body(&response, "  a\nb\x1b[31m\xc3\xa4 and more"));
    HOB_AUTO_BUF struct buf out = buf_make(100);
    response_put_excerpt(&response, &out, 12);
    CHECK(slice_equal(buf_slice(&out), SLICE("a b?[31m\xc3\xa4…")));
    response_deinit(&response);
}

TESTS(
    a_response_becomes_json,
    headers_of_one_name_are_joined_but_cookies_are_a_list,
    an_interim_response_is_forgotten_but_counts,
    endless_headers_are_too_much,
    a_long_body_is_cut_and_says_so,
    bytes_are_base64,
    a_result_that_grows_in_json_is_cut_until_it_fits,
    a_status_line_of_nonsense_is_no_status,
    an_excerpt_is_one_printable_line
)
