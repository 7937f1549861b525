/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/http_template.h"

#include "base/test.h"

static bool secret(const void *secrets, struct slice name, struct slice *ret_text) {
    (void)secrets;
    if (!slice_equal(name, SLICE("api"))) return false;
    *ret_text = SLICE("s3cret");
    return true;
}

static char problem[TEMPLATE_WHY_BYTES_MAX];
static char filled[4096];

/* The text filled in; NULL: `problem` says why not. */
static const char *fill(enum template_place place, const char *text, const char *payload) {
    struct arena arena = {0};
    struct template template;
    const char *result = NULL;
    struct template_values values = {
        .payload = slice_str(payload),
        .id = SLICE("42"),
        .queue = SLICE("mail"),
        .kind = SLICE("email.send"),
        .attempt = 2,
        .attempt_max = 25,
        .secret = secret,
    };
    HOB_AUTO_BUF struct buf out = buf_make(sizeof filled - 1);
    if (template_parse(slice_str(text), place, &arena, &template, problem) &&
        template_put(&template, &values, &out, problem)) {
        if (out.size > 0) memcpy(filled, out.bytes, out.size);
        filled[out.size] = '\0';
        result = filled;
    }
    arena_reset(&arena);
    return result;
}

static void
refused(enum template_place place, const char *text, const char *payload, const char *why) {
    CHECK(fill(place, text, payload) == NULL);
    CHECK(strstr(problem, why) != NULL);
}

TEST(text_without_fields_stays_as_it_is) {
    CHECK_STR(fill(TEMPLATE_TEXT, "", "{}"), "");
    CHECK_STR(fill(TEMPLATE_TEXT, "a { b } }} c", "no json"), "a { b } }} c");
}

TEST(fields_are_found_by_their_path) {
    const char *payload = "{\"a\":{\"b\":[10,{\"c\":\"x\"}]},\"t\":true,\"n\":-1.50,\"e\":\"\"}";
    CHECK_STR(
        fill(TEMPLATE_TEXT, "{{a.b.1.c}}-{{ a.b.0 }}-{{t}}-{{n}}-{{e}}", payload),
        "x-10-true--1.50-"
    );
    CHECK_STR(fill(TEMPLATE_TEXT, "{{payload.t}}", payload), "true");
}

TEST(a_field_that_is_missing_or_no_text_is_a_clear_failure) {
    refused(TEMPLATE_TEXT, "{{a.b}}", "{\"a\":{}}", "no field `a.b`");
    refused(TEMPLATE_TEXT, "{{a.0}}", "{\"a\":[]}", "no field `a.0`");
    refused(TEMPLATE_TEXT, "{{a.x}}", "{\"a\":[1]}", "no field `a.x`");
    refused(TEMPLATE_TEXT, "{{a.b}}", "{\"a\":5}", "no field `a.b`");
    refused(TEMPLATE_TEXT, "{{a}}", "not json", "not JSON");
    refused(TEMPLATE_TEXT, "{{a}}", "", "not JSON");
    refused(TEMPLATE_TEXT, "{{a}}", "{\"a\":null}", "is null");
    refused(TEMPLATE_URL, "https://h/{{a}}", "{\"a\":{}}", "is an object");
    refused(TEMPLATE_HEADER, "{{a}}", "{\"a\":[1]}", "is a list");
    refused(TEMPLATE_JSON, "\"{{a}}\"", "{\"a\":{}}", "is an object");
}

TEST(the_job_has_fields_too) {
    CHECK_STR(
        fill(
            TEMPLATE_TEXT,
            "{{job.id}} {{job.attempt}}/{{job.attempt_max}} {{job.queue}} {{job.kind}}",
            "x"
        ),
        "42 2/25 mail email.send"
    );
    CHECK_STR(fill(TEMPLATE_TEXT, "{{payload.job.id}}", "{\"job\":{\"id\":7}}"), "7");
    refused(TEMPLATE_TEXT, "{{job.token}}", "{}", "not `token`");
    refused(TEMPLATE_TEXT, "{{job}}", "{}", "of a job there are");
}

TEST(in_a_url_a_field_is_one_piece_of_path_or_query) {
    const char *payload = "{\"x\":\"a/b?c=d&e#f %\\u00e4\\n@:\",\"u\":\"https://h/p\"}";
    CHECK_STR(
        fill(TEMPLATE_URL, "https://h/p/{{x}}?q={{x}}", payload),
        "https://h/p/a%2Fb%3Fc%3Dd%26e%23f%20%25%C3%A4%0A%40%3A?q="
        "a%2Fb%3Fc%3Dd%26e%23f%20%25%C3%A4%0A%40%3A"
    );
    CHECK_STR(fill(TEMPLATE_URL, "https://h?{{x}}", "{\"x\":\"-._~aZ9\"}"), "https://h?-._~aZ9");
    CHECK_STR(fill(TEMPLATE_URL, "https://h/{{x}}", "{\"x\":\"\\u0000\"}"), "https://h/%00");
}

TEST(a_url_may_begin_with_a_field_but_has_none_in_its_host) {
    CHECK_STR(fill(TEMPLATE_URL, "{{u}}", "{\"u\":\"https://h/p?q\"}"), "https://h/p?q");
    CHECK_STR(
        fill(TEMPLATE_URL, "{{u}}/x/{{v}}", "{\"u\":\"https://h\",\"v\":\"/\"}"), "https://h/x/%2F"
    );
    refused(TEMPLATE_URL, "https://{{h}}/", "{\"h\":\"x\"}", "in the host");
    refused(TEMPLATE_URL, "https://h.{{h}}", "{\"h\":\"x\"}", "in the host");
    refused(TEMPLATE_URL, "https://h:{{p}}/", "{\"p\":1}", "in the host");
    refused(TEMPLATE_URL, "http{{s}}://h/", "{\"s\":\"s\"}", "in the host");
}

TEST(a_header_takes_no_line_breaks) {
    CHECK_STR(fill(TEMPLATE_HEADER, "a {{x}}", "{\"x\":\"\\u00e4\\t\\\"\"}"), "a \xc3\xa4\t\"");
    refused(TEMPLATE_HEADER, "a {{x}}", "{\"x\":\"1\\r\\nEvil: yes\"}", "control character");
    refused(TEMPLATE_HEADER, "a {{x}}", "{\"x\":\"1\\nEvil: yes\"}", "control character");
    refused(TEMPLATE_HEADER, "a {{x}}", "{\"x\":\"\\u0000\"}", "control character");
    refused(TEMPLATE_HEADER, "a {{x}}", "{\"x\":\"\\u007f\"}", "control character");
}

TEST(in_json_a_field_between_quotes_is_text_and_elsewhere_a_value) {
    const char *payload =
        "{\"s\":\"q\\\"\\\\\\n\\u0001\\u00e4\",\"o\":{\"k\":[1]},\"n\":1e3,\"z\":null}";
    CHECK_STR(
        fill(
            TEMPLATE_JSON,
            "{\"a\":\"-{{s}}-\",\"b\":{{o}},\"c\":\"{{n}}\",\"d\":{{n}},\"e\":{{s}},\"f\":{{z}}}",
            payload
        ),
        "{\"a\":\"-q\\\"\\\\\\n\\u0001\xc3\xa4-\",\"b\":{\"k\":[1]},\"c\":\"1e3\",\"d\":1e3,"
        "\"e\":\"q\\\"\\\\\\n\\u0001\\u00e4\",\"f\":null}"
    );
    CHECK_STR(fill(TEMPLATE_JSON, "{\"a\\\"{{n}}\":{{payload.n}}}", payload), "{\"a\\\"1e3\":1e3}");
    CHECK_STR(
        fill(TEMPLATE_JSON, "[{{payload}},{{job.id}},{{job.attempt}}]", "[1]"), "[[1],\"42\",2]"
    );
    refused(TEMPLATE_JSON, "\"\\{{n}}\"", payload, "backslash");
    for (const char *at = "{\"s\":\"{{s}}\"}"; at != NULL; at = NULL) {
        CHECK(json_valid(slice_str(fill(TEMPLATE_JSON, at, payload))));
    }
}

TEST(forms_and_xml_are_escaped_in_their_way) {
    CHECK_STR(fill(TEMPLATE_FORM, "a={{x}}&b=1", "{\"x\":\"1&b=2 +\"}"), "a=1%26b%3D2%20%2B&b=1");
    CHECK_STR(
        fill(TEMPLATE_XML, "<a b='{{x}}'>{{x}}</a>", "{\"x\":\"<'&\\\">\"}"),
        "<a b='&lt;&#39;&amp;&quot;&gt;'>&lt;&#39;&amp;&quot;&gt;</a>"
    );
    refused(TEMPLATE_XML, "{{x}}", "{\"x\":\"\\u0000\"}", "control character");
}

TEST(secrets_stand_only_in_headers) {
    CHECK_STR(fill(TEMPLATE_HEADER, "Bearer {{secret.api}}", "{}"), "Bearer s3cret");
    refused(TEMPLATE_HEADER, "Bearer {{secret.other}}", "{}", "no secret `other`");
    refused(TEMPLATE_HEADER, "Bearer {{secret}}", "{}", "which secret");
    refused(TEMPLATE_URL, "https://h/{{secret.api}}", "{}", "only in a header");
    refused(TEMPLATE_JSON, "\"{{secret.api}}\"", "{}", "only in a header");
}

TEST(what_is_no_field_is_refused_when_it_is_read) {
    static const char *const no[] = {
        "{{}}",
        "{{ }}",
        "{{a b}}",
        "{{.a}}",
        "{{a.}}",
        "{{a..b}}",
        "{{{a}}}",
        "{{\"a\"}}",
        "{{a\n}}",
    };
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        refused(TEMPLATE_TEXT, no[i], "{}", "is no field");
    }
    refused(TEMPLATE_TEXT, "{{a", "{}", "without }}");
    refused(TEMPLATE_TEXT, "{{a}", "{}", "without }}");
    HOB_AUTO_BUF struct buf many = buf_make(100000);
    for (size_t i = 0; i <= TEMPLATE_FIELDS_MAX; i++) (void)buf_put_str(&many, ".{{a}}");
    (void)buf_put_char(&many, '\0');
    refused(TEMPLATE_TEXT, many.bytes, "{}", "more than 200 fields");
}

TEST(what_grows_too_long_is_a_failure) {
    HOB_AUTO_BUF struct buf payload = buf_make(10000);
    (void)buf_put_str(&payload, "{\"a\":\"");
    for (size_t i = 0; i < 5000; i++) (void)buf_put_char(&payload, 'x');
    (void)buf_put_str(&payload, "\"}");
    (void)buf_put_char(&payload, '\0');
    refused(TEMPLATE_TEXT, "{{a}}", payload.bytes, "too long");
}

TESTS(
    text_without_fields_stays_as_it_is,
    fields_are_found_by_their_path,
    a_field_that_is_missing_or_no_text_is_a_clear_failure,
    the_job_has_fields_too,
    in_a_url_a_field_is_one_piece_of_path_or_query,
    a_url_may_begin_with_a_field_but_has_none_in_its_host,
    a_header_takes_no_line_breaks,
    in_json_a_field_between_quotes_is_text_and_elsewhere_a_value,
    forms_and_xml_are_escaped_in_their_way,
    secrets_stand_only_in_headers,
    what_is_no_field_is_refused_when_it_is_read,
    what_grows_too_long_is_a_failure
)
