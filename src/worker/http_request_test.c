/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/http_request.h"

#include "base/test.h"

static bool secret(const void *secrets, struct slice name, struct slice *ret_text) {
    (void)secrets;
    *ret_text = SLICE("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    if (slice_equal(name, SLICE("word"))) *ret_text = SLICE("plain");
    return !slice_equal(name, SLICE("none"));
}

static char problem[REQUEST_WHY_BYTES_MAX];

static const char *const granted[] = {"a", "b", "none", "word"};

static bool make(
    const struct http_config *config, const char *payload, uint32_t attempt, struct http_request *to
) {
    struct http_config whole = {
        .granted = granted, .granted_count = sizeof granted / sizeof *granted};
    if (config != NULL) whole = *config;
    if (whole.timeout_ns == 0) whole.timeout_ns = 30 * NS_PER_SECOND;
    struct http_source source = {
        .values =
            {
                .payload = slice_str(payload),
                .id = SLICE("42"),
                .queue = SLICE("mail"),
                .kind = SLICE("hook"),
                .attempt = attempt,
                .attempt_max = 5,
                .secret = secret,
            },
        .created_ms = 0x18f,
        .deadline_ms = 1614265390500,
        .now_ns = 1614265330 * NS_PER_SECOND,
        .job_headers =
            SLICE("{\"traceparent\":\"00-ab-cd-01\",\"other\":\"x\",\"tracestate\":\"a\\nb\"}"),
        .version = "1.2",
    };
    return http_request_make(&whole, &source, to, problem);
}

static const char *header(const struct http_request *request, const char *name) {
    static char text[2000];
    for (size_t i = 0; i < request->header_count; i++) {
        struct slice value = request->headers[i].value;
        if (!slice_equal(request->headers[i].name, slice_str(name))) continue;
        memcpy(text, value.bytes, value.size);
        text[value.size] = '\0';
        return text;
    }
    return NULL;
}

static bool body_is(const struct http_request *request, const char *text) {
    return request->has_body && slice_equal(request->body, slice_str(text));
}

TEST(a_payload_can_be_the_whole_request) {
    struct http_request request;
    CHECK(make(
        NULL,
        "{\"method\":\"PUT\",\"url\":\"https://h/p?q\",\"headers\":{\"X-A\":\" "
        "b\"},\"body\":{\"a\": 1},"
        "\"timeout\":\"2s\"}",
        1,
        &request
    ));
    CHECK_STR(request.method, "PUT");
    CHECK_STR(request.url.host, "h");
    CHECK(body_is(&request, "{\"a\": 1}"));
    CHECK_STR(header(&request, "X-A"), "b");
    CHECK_STR(header(&request, "content-type"), "application/json");
    CHECK_STR(header(&request, "user-agent"), "hob/1.2");
    CHECK_STR(header(&request, "traceparent"), "00-ab-cd-01");
    CHECK(header(&request, "tracestate") == NULL); /* with a line break it is none */
    CHECK(header(&request, "other") == NULL);
    CHECK_STR(header(&request, "hob-deadline"), "1614265390");
    CHECK_STR(header(&request, "idempotency-key"), "job_42_18f");
    CHECK(!request.is_signed);
    CHECK_EQUAL(request.timeout_ns, 2 * NS_PER_SECOND);
    http_request_deinit(&request);
}

TEST(the_least_request_is_a_get) {
    struct http_request request;
    CHECK(make(NULL, "{\"url\":\"https://h\"}", 1, &request));
    CHECK_STR(request.method, "GET");
    CHECK(!request.has_body);
    http_request_deinit(&request);
    CHECK(make(NULL, "{\"url\":\"https://h\",\"method\":\"POST\"}", 1, &request));
    CHECK(body_is(&request, ""));
    http_request_deinit(&request);
}

TEST(a_body_is_text_json_or_bytes) {
    struct http_request request;
    CHECK(make(NULL, "{\"url\":\"https://h\",\"body\":\"a\\n\\u00e4\"}", 1, &request));
    CHECK(body_is(&request, "a\n\xc3\xa4"));
    CHECK_STR(request.method, "POST");
    CHECK_STR(header(&request, "content-type"), "text/plain; charset=utf-8");
    http_request_deinit(&request);
    CHECK(make(NULL, "{\"url\":\"https://h\",\"body_base64\":\"AP8=\"}", 1, &request));
    CHECK(slice_equal(request.body, slice_of("\x00\xff", 2)));
    CHECK_STR(header(&request, "content-type"), "application/octet-stream");
    http_request_deinit(&request);
    CHECK(make(
        NULL,
        "{\"url\":\"https://h\",\"headers\":{\"Content-Type\":\"a/b\"},\"body\":[]}",
        1,
        &request
    ));
    CHECK_STR(header(&request, "Content-Type"), "a/b");
    CHECK(header(&request, "content-type") == NULL);
    http_request_deinit(&request);
}

TEST(what_is_no_request_is_refused_with_a_reason) {
    static const struct {
        const char *payload;
        const char *why;
    } rows[] = {
        {"", "not the JSON of a request"},
        {"[]", "not the JSON of a request"},
        {"{}", "no `url`"},
        {"{\"url\":5}", "`url` is no string"},
        {"{\"url\":\"\"}", "the URL is empty"},
        {"{\"url\":\"ftp://h\"}", "neither https nor http"},
        {"{\"url\":\"https://a:b@h\"}", "user name"},
        {"{\"url\":\"https://h\",\"URL\":\"https://i\"}", "a member `URL`"},
        {"{\"url\":\"https://h\",\"url\":\"https://i\"}", "there twice"},
        {"{\"url\":\"https://h\",\"method\":\"get\"}", "`method` is written in A to Z"},
        {"{\"url\":\"https://h\",\"method\":\"CONNECT\"}", "not CONNECT"},
        {"{\"url\":\"https://h\",\"method\":\"A B\"}", "`method`"},
        {"{\"url\":\"https://h\",\"headers\":[]}", "no object of strings"},
        {"{\"url\":\"https://h\",\"headers\":{\"a\":1}}", "no string"},
        {"{\"url\":\"https://h\",\"headers\":{\"a\":\"x\\r\\nb: c\"}}", "line break"},
        {"{\"url\":\"https://h\",\"headers\":{\"a\":\"x\\ny\"}}", "line break"},
        {"{\"url\":\"https://h\",\"headers\":{\"a\\r\\nb\":\"x\"}}", "is no header"},
        {"{\"url\":\"https://h\",\"headers\":{\"a:b\":\"x\"}}", "is no header"},
        {"{\"url\":\"https://h\",\"headers\":{\"\":\"x\"}}", "is no header"},
        {"{\"url\":\"https://h\",\"headers\":{\"HOST\":\"x\"}}", "is no header"},
        {"{\"url\":\"https://h\",\"headers\":{\"Transfer-Encoding\":\"chunked\"}}", "is no header"},
        {"{\"url\":\"https://h\",\"headers\":{\"Content-Length\":\"5\"}}", "is no header"},
        {"{\"url\":\"https://h\",\"headers\":{\"Proxy-Authorization\":\"x\"}}", "is no header"},
        {"{\"url\":\"https://h\",\"headers\":{\"webhook-signature\":\"x\"}}", "is no header"},
        {"{\"url\":\"https://h\",\"body\":1,\"body_base64\":\"\"}", "both body"},
        {"{\"url\":\"https://h\",\"body_base64\":\"?\"}", "no base64"},
        {"{\"url\":\"https://h\",\"secret\":7}", "the name of a secret"},
        {"{\"url\":\"https://h\",\"secret\":\"none\"}", "no secret `none`"},
        {"{\"url\":\"https://h\",\"secret\":\"word\"}", "none for signatures"},
        {"{\"url\":\"https://h\",\"secret\":[\"a\",\"a\",\"a\",\"a\",\"a\"]}", "more than 4"},
        {"{\"url\":\"https://h\",\"timeout\":5}", "a span"},
        {"{\"url\":\"https://h\",\"timeout\":\"0s\"}", "a span"},
    };
    struct http_request request;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(!make(NULL, rows[i].payload, 1, &request));
        if (strstr(problem, rows[i].why) == NULL) {
            print_message("%s: %s\n", rows[i].payload, problem);
        }
        CHECK(strstr(problem, rows[i].why) != NULL);
    }
}

TEST(headers_are_bounded) {
    HOB_AUTO_BUF struct buf payload = buf_make(200000);
    (void)buf_put_str(&payload, "{\"url\":\"https://h\",\"headers\":{");
    for (int i = 0; i < 200; i++) {
        (void)buf_printf(&payload, "%s\"x%d\":\"\"", i == 0 ? "" : ",", i);
    }
    (void)buf_put_str(&payload, "}}");
    (void)buf_put_char(&payload, '\0');
    struct http_request request;
    CHECK(!make(NULL, payload.bytes, 1, &request));
    CHECK(strstr(problem, "more than 100 headers") != NULL);
    buf_reset(&payload);
    (void)buf_put_str(&payload, "{\"url\":\"https://h\",\"headers\":{\"x\":\"");
    for (int i = 0; i < HTTP_HEADER_BYTES_MAX; i++) (void)buf_put_char(&payload, 'y');
    (void)buf_put_str(&payload, "\"}}");
    (void)buf_put_char(&payload, '\0');
    CHECK(!make(NULL, payload.bytes, 1, &request));
    CHECK(strstr(problem, "larger than 32 KiB") != NULL);
}

TEST(a_secret_signs_and_the_id_stays_the_same_for_all_attempts) {
    struct http_request first;
    struct http_request second;
    const char *payload = "{\"url\":\"https://h\",\"secret\":[\"a\",\"b\"],\"body\":{}}";
    CHECK(make(NULL, payload, 1, &first));
    CHECK(make(NULL, payload, 2, &second));
    CHECK(first.is_signed);
    CHECK_STR(header(&first, "webhook-id"), "job_42_18f");
    CHECK_STR(header(&second, "webhook-id"), "job_42_18f");
    CHECK_STR(header(&first, "idempotency-key"), "job_42_18f");
    CHECK_STR(header(&first, "webhook-timestamp"), "1614265330");
    const char *signature = header(&first, "webhook-signature");
    CHECK(strncmp(signature, "v1,", 3) == 0);
    CHECK(strstr(signature, " v1,") != NULL);
    http_request_deinit(&first);
    http_request_deinit(&second);
    CHECK(make(
        NULL,
        "{\"url\":\"https://h\",\"secret\":\"a\",\"headers\":{\"webhook-id\":\"evt_1\"}}",
        1,
        &first
    ));
    CHECK_STR(header(&first, "webhook-id"), "evt_1");
    CHECK_STR(header(&first, "idempotency-key"), "evt_1");
    http_request_deinit(&first);
}

TEST(an_id_that_is_signed_cannot_pass_for_a_time_and_a_body) {
    struct http_request request;
    CHECK(!make(
        NULL,
        "{\"url\":\"https://h\",\"secret\":\"a\",\"headers\":{\"webhook-id\":\"e.99.x\"}}",
        1,
        &request
    ));
    CHECK(strstr(problem, "webhook-id of a request that is signed takes no dots") != NULL);
    CHECK(make(NULL, "{\"url\":\"https://h\",\"headers\":{\"webhook-id\":\"e.99\"}}", 1, &request));
    http_request_deinit(&request);
}

TEST(a_payload_signs_only_with_what_its_kind_grants) {
    static const char *const own[] = {"shop"};
    struct http_request request;
    struct http_config config = {0};
    CHECK(!make(&config, "{\"url\":\"https://h\",\"secret\":\"a\"}", 1, &request));
    CHECK(strstr(problem, "with a secret `a` here: `secrets` of the kind") != NULL);
    config.secrets = own;
    config.secret_count = 1;
    CHECK(!make(&config, "{\"url\":\"https://h\",\"secret\":[\"shop\",\"a\"]}", 1, &request));
    CHECK(make(&config, "{\"url\":\"https://h\",\"secret\":\"shop\"}", 1, &request));
    CHECK(request.is_signed);
    http_request_deinit(&request);
    CHECK(make(&config, "{\"url\":\"https://h\"}", 1, &request));
    CHECK(request.is_signed); /* by the kind's own, as ever */
    http_request_deinit(&request);
    config.granted = granted;
    config.granted_count = sizeof granted / sizeof *granted;
    CHECK(make(&config, "{\"url\":\"https://h\",\"secret\":[\"b\",\"shop\"]}", 1, &request));
    http_request_deinit(&request);
    CHECK(!make(&config, "{\"url\":\"https://h\",\"secret\":\"c\"}", 1, &request));
}

static struct template template_of(
    struct arena *arena, enum template_place place, const char *text
) {
    struct template template;
    CHECK(template_parse(slice_str(text), place, arena, &template, problem));
    return template;
}

TEST(a_kind_with_a_url_fills_its_templates) {
    struct arena arena = {0};
    const struct http_header_config headers[] = {
        {.name = "x-id", .value = template_of(&arena, TEMPLATE_HEADER, "{{id}}")},
    };
    struct http_config config = {
        .has_url = true,
        .url = template_of(&arena, TEMPLATE_URL, "https://h/u/{{id}}"),
        .headers = headers,
        .header_count = 1,
        .has_body = true,
        .body = template_of(&arena, TEMPLATE_JSON, "{\"n\":{{n}}}"),
    };
    struct http_request request;
    CHECK(make(&config, "{\"id\":\"a b\",\"n\":[1]}", 1, &request));
    CHECK_STR(request.method, "POST");
    CHECK(body_is(&request, "{\"n\":[1]}"));
    CHECK_STR(header(&request, "x-id"), "a b");
    HOB_AUTO_BUF struct buf shown = buf_make(1000);
    http_url_put_shown(&shown, &request.url);
    CHECK(slice_equal(buf_slice(&shown), SLICE("https://h/u/a%20b")));
    http_request_deinit(&request);
    CHECK(!make(&config, "{\"id\":\"..\",\"n\":1}", 1, &request));
    CHECK(strstr(problem, "has . or .. in its path") != NULL);
    CHECK(!make(&config, "{\"id\":\"a\\nb\",\"n\":1}", 1, &request));
    CHECK(strstr(problem, "x-id") != NULL);
    CHECK(!make(&config, "{\"id\":\"a\"}", 1, &request));
    CHECK(strstr(problem, "the body: the payload has no field `n`") != NULL);
    config.has_body = false;
    CHECK(make(&config, "{\"id\":\"a\"}", 1, &request));
    CHECK(body_is(&request, "{\"id\":\"a\"}"));
    http_request_deinit(&request);
    config.method = "GET";
    CHECK(make(&config, "{\"id\":\"a\"}", 1, &request));
    CHECK(!request.has_body);
    http_request_deinit(&request);
    arena_reset(&arena);
}

TESTS(
    a_payload_can_be_the_whole_request,
    the_least_request_is_a_get,
    a_body_is_text_json_or_bytes,
    what_is_no_request_is_refused_with_a_reason,
    headers_are_bounded,
    a_secret_signs_and_the_id_stays_the_same_for_all_attempts,
    an_id_that_is_signed_cannot_pass_for_a_time_and_a_body,
    a_payload_signs_only_with_what_its_kind_grants,
    a_kind_with_a_url_fills_its_templates
)
