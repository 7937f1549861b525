/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/http_config.h"

#include <stdio.h>

#include "base/test.h"
#include "worker/kinds.h"

/* The part of a kind, read; false: @ret_said is why not. */
static bool parse(const char *part, struct config **config, char said[500]) {
    static const char secrets[] = "secrets: {api: a, one: b, two: c}\n";
    char text[4096];
    struct config_report report = {0};
    (void)snprintf(text, sizeof text, "kinds: {hook: {http: {%s}}}\n%s", part, secrets);
    bool read =
        config_parse(slice_str(text), "w.yaml", "/etc/hob", worker_readers, config, &report) ==
        HOB_OK;
    if (!read) (void)snprintf(said, 500, "%s", report.findings[0].text);
    report_deinit(&report);
    return read;
}

static const struct http_config *settings_of(const struct config *config) {
    return config->worker.kinds[0].settings;
}

TEST(nothing_need_be_said) {
    struct config *config = NULL;
    char said[500];
    CHECK(parse("", &config, said));
    const struct http_config *http = settings_of(config);
    CHECK(config->worker.kinds[0].reader == &http_reader);
    CHECK(!http->has_url);
    CHECK(http->method == NULL);
    CHECK_EQUAL(http->timeout_ns, 30 * NS_PER_SECOND);
    CHECK_EQUAL(http->connect_timeout_ns, 5 * NS_PER_SECOND);
    CHECK_EQUAL(http->response_bytes_max, 64 * 1024);
    CHECK_EQUAL(http->guard.allow_count, 0);
    CHECK(!http->guard.http);
    CHECK_EQUAL(http->limits.at_once, 0);
    CHECK_EQUAL(http->limits.breaker_failures, 0);
    CHECK_EQUAL(http_rules_judge(&http->rules, 429), HTTP_RETRY);
    config_free(config);
}

TEST(all_that_can_be_said) {
    struct config *config = NULL;
    char said[500];
    const char *part =
        "url: \"https://h/{{id}}\", method: PATCH, headers: {X-A: \"Bearer {{secret.api}}\"},"
        "body: '{\"a\": {{a}}}', secret: [one, two], timeout: 1m, connect_timeout: 250ms,"
        "success: [200-204, 404], retry: 503, allow: [10.0.0.0/8, db:8080], plain_http: true,"
        "response_max: 1MiB, ca_file: ca.pem, host_max: 7, breaker: {failures: 5, pause: 2s}";
    bool read = parse(part, &config, said);
    if (!read) print_message("%s\n", said);
    CHECK(read);
    const struct http_config *http = settings_of(config);
    CHECK(http->has_url && http->url.has_fields && http->has_body);
    CHECK_STR(http->method, "PATCH");
    CHECK_STR(http->headers[0].name, "x-a");
    CHECK_EQUAL(http->secret_count, 2);
    CHECK_STR(http->secrets[1], "two");
    CHECK_EQUAL(http->timeout_ns, NS_PER_MINUTE);
    CHECK_EQUAL(http->connect_timeout_ns, 250 * NS_PER_MS);
    CHECK_EQUAL(http_rules_judge(&http->rules, 404), HTTP_SUCCESS);
    CHECK_EQUAL(http_rules_judge(&http->rules, 205), HTTP_PERMANENT);
    CHECK_EQUAL(http_rules_judge(&http->rules, 503), HTTP_RETRY);
    CHECK_EQUAL(http_rules_judge(&http->rules, 500), HTTP_PERMANENT);
    CHECK_EQUAL(http->guard.allow_count, 2);
    CHECK_EQUAL(http->guard.allow[1].port, 8080);
    CHECK(http->guard.http);
    CHECK_EQUAL(http->response_bytes_max, 1 << 20);
    CHECK_STR(http->ca_file, "/etc/hob/ca.pem");
    CHECK_EQUAL(http->limits.at_once, 7);
    CHECK_EQUAL(http->limits.breaker_failures, 5);
    CHECK_EQUAL(http->limits.breaker_pause_ns, 2 * NS_PER_SECOND);
    config_free(config);
}

TEST(what_is_wrong_is_said) {
    static const struct {
        const char *part;
        const char *said;
    } rows[] = {
        {"uri: x", "unknown key `uri`"},
        {"url: 'ftp://h'", "neither https nor http"},
        {"url: 'https://u:p@h'", "user name"},
        {"url: 'https://{{h}}/'", "in the host"},
        {"url: 'https://h/{{a b}}'", "is no field"},
        {"url: 'https://h/{{secret.x}}'", "only in a header"},
        {"method: get", "A to Z"},
        {"method: TRACE", "A to Z"},
        {"headers: {host: x}", "no header"},
        {"headers: {'a b': x}", "no header"},
        {"headers: [a]", ""},
        {"body: '{}'", "without `url`"},
        {"url: 'https://h', body: '{\"a\": }'", "no JSON"},
        {"url: 'https://h', body: '{\"a\": {{b}}'", "no JSON"},
        {"url: 'https://h', body: {a: 1}", "wanted: a text"},
        {"url: 'https://h', headers: {content-type: '{{t}}'}, body: x", "has no fields"},
        {"success: [200-199]", "`200-199` is no status"},
        {"success: 2xx", "is no status"},
        {"retry: []", ""},
        {"allow: ['10.0.0.0/33']", "`10.0.0.0/33` is none"},
        {"allow: ['http://h']", "is none"},
        {"plain_http: maybe", ""},
        {"response_max: 2MiB", "at most 1MiB"},
        {"timeout: 5", ""},
        {"host_max: 0", ""},
        {"breaker: {pause: 5s}", "failures"},
        {"secret: [a, b, c, d, e]", ""},
        {"secret: tow", "there is no secret `tow` below `secrets`; did you mean `two`?"},
        {"secrets: [one, tow]", "there is no secret `tow` below `secrets`; did you mean `two`?"},
        {"url: 'https://h', secrets: [one]", "with `url` no payload names secrets"},
        {"url: 'https://h', headers: {x-a: '{{secret.apo}}'}", "did you mean `api`?"},
        {"headers: {x-a: 'Bearer {{secret.api}}'}", "the header x-a holds a secret"},
        {"url: '{{to}}', headers: {x-a: '{{secret.api}}'}", "write a `url` with its host"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *config = NULL;
        char said[500] = "";
        bool read = parse(rows[i].part, &config, said);
        if (read || strstr(said, rows[i].said) == NULL) {
            print_message("%s: %s\n", rows[i].part, said);
        }
        CHECK(!read);
        CHECK(strstr(said, rows[i].said) != NULL);
    }
}

TEST(the_content_type_says_how_a_body_is_escaped) {
    struct config *config = NULL;
    char said[500];
    CHECK(parse(
        "url: 'https://h', headers: {Content-Type: text/plain}, body: '{{a}} {'", &config, said
    ));
    CHECK(settings_of(config)->has_body);
    config_free(config);
}

TESTS(
    nothing_need_be_said,
    all_that_can_be_said,
    what_is_wrong_is_said,
    the_content_type_says_how_a_body_is_escaped
)
