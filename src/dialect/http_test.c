/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests over a real space in fake time. */
#include "dialect/http/http.h"

#include "base/test.h"
#include "dialect/rig.h"

#define BEGINS(text, wanted) CHECK(strncmp((text), (wanted), strlen(wanted)) == 0)
#define HOLDS(text, wanted)  CHECK(strstr((text), (wanted)) != NULL)

static void begin(struct rig *rig, struct rig_client **ret_client) {
    rig_init(rig);
    *ret_client = rig_connect(rig, 0, &dialect_http);
}

/* The status of a response. */
#define STATUS(text, wanted) BEGINS(text, "HTTP/1.1 " wanted)

TEST(a_job_goes_through_push_fetch_ack_and_get) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    const char *text = rig_http(
        client, "POST", "/v1/jobs", "{\"queue\":\"mail\",\"kind\":\"k\",\"payload\":{\"a\": [1]}}"
    );
    STATUS(text, "202");
    HOLDS(text, "Location: /v1/jobs/1\r\n");
    HOLDS(text, "{\"id\":\"1\",\"state\":\"available\",\"duplicate\":false}");
    text = rig_http(client, "POST", "/v1/fetch", "{\"worker\":\"w\",\"queues\":[\"mail\"]}");
    HOLDS(text, "\"token\":\"1\"");
    HOLDS(text, "\"payload\":{\"a\": [1]}");
    text = rig_http(client, "POST", "/v1/jobs/1/ack", "{\"token\":\"1\",\"result\":{\"b\": 2}}");
    HOLDS(text, "{\"state\":\"completed\"}");
    HOLDS(rig_http(client, "GET", "/v1/jobs/1", NULL), "\"result\":{\"b\": 2}");
    HOLDS(rig_http(client, "GET", "/v1/jobs/1/result", NULL), "\r\n\r\n{\"b\": 2}");
    rig_deinit(&rig);
}

TEST(bytes_that_are_no_json_are_shown_as_text_or_base64) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    (void)rig_http(
        client, "POST", "/v1/jobs", "{\"queue\":\"q\",\"kind\":\"k\",\"payload_text\":\"h\\u00e9\"}"
    );
    HOLDS(
        rig_http(client, "GET", "/v1/jobs/1", NULL),
        "\"payload\":\"h\xc3\xa9\",\"payload_encoding\":\"text\""
    );
    (void)rig_http(
        client, "POST", "/v1/jobs", "{\"queue\":\"q\",\"kind\":\"k\",\"payload_base64\":\"/wA=\"}"
    );
    HOLDS(
        rig_http(client, "GET", "/v1/jobs/2", NULL),
        "\"payload\":\"/wA=\",\"payload_encoding\":\"base64\""
    );
    HOLDS(
        rig_http(
            client, "POST", "/v1/jobs", "{\"queue\":\"q\",\"kind\":\"k\",\"payload_base64\":1}"
        ),
        "is not a string"
    );
    rig_deinit(&rig);
}

TEST(a_key_in_a_header_makes_a_push_repeatable) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    const struct slice request =
        SLICE("POST /v1/jobs HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
              "Idempotency-Key: a\r\nContent-Length: 24\r\n\r\n{\"queue\":\"q\",\"kind\":\"k\"}");
    rig_send(client, request);
    STATUS(rig_text(client), "202");
    rig_send(client, request);
    STATUS(rig_text(client), "200");
    HOLDS(rig_text(client), "\"id\":\"1\",\"state\":\"available\",\"duplicate\":true");
    rig_deinit(&rig);
}

TEST(a_wrong_member_is_named_with_what_is_allowed) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    const char *text =
        rig_http(client, "POST", "/v1/jobs", "{\"queue\":\"q\",\"kind\":\"k\",\"dely\":5}");
    STATUS(text, "400");
    HOLDS(text, "\"detail\":\"there is no member 'dely': do you mean delay?\"");
    HOLDS(text, "Content-Type: application/problem+json");
    text = rig_http(client, "POST", "/v1/jobs", "{\"queue\":\"q\"}");
    HOLDS(text, "\"detail\":\"kind: it is missing\"");
    text = rig_http(client, "POST", "/v1/jobs", "{\"queue\":\"q\",\"kind\":\"k\",\"priority\":-1}");
    HOLDS(text, "priority: '-1' is not a whole number from 0 to 4294967295");
    text = rig_http(client, "POST", "/v1/jobs", "{\"queue\":");
    HOLDS(text, "the body is no JSON");
    text = rig_http(client, "GET", "/v1/jobs?stat=x", NULL);
    HOLDS(text, "there is no member 'stat': do you mean state?");
    text = rig_http(client, "POST", "/v1/fetch", "{\"worker\":\"w\",\"queues\":\"q\"}");
    HOLDS(text, "queues: '\\\"q\\\"' is not an array");
    rig_deinit(&rig);
}

TEST(a_path_or_method_that_is_not_there_is_refused) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    STATUS(rig_http(client, "GET", "/v1/nope", NULL), "404");
    const char *text = rig_http(client, "PUT", "/v1/jobs/1", NULL);
    STATUS(text, "405");
    HOLDS(text, "Allow: GET, HEAD, PATCH, DELETE, OPTIONS\r\n");
    STATUS(rig_http(client, "GET", "/v1/jobs/77", NULL), "404");
    STATUS(rig_http(client, "GET", "/v1/jobs/x", NULL), "400");
    rig_deinit(&rig);
}

TEST(what_a_foreign_page_sends_is_refused) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    rig_send(
        client,
        SLICE(
            "POST /v1/jobs HTTP/1.1\r\nHost: h\r\nOrigin: http://evil\r\nContent-Length: 0\r\n\r\n"
        )
    );
    STATUS(rig_text(client), "403");
    rig_send(
        client,
        SLICE("POST /v1/jobs HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n"
              "Content-Length: 2\r\n\r\n{}")
    );
    STATUS(rig_text(client), "415");
    rig_send(client, SLICE("POST /v1/jobs HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"));
    STATUS(rig_text(client), "415");
    rig_send(
        client,
        SLICE("POST /v1/queues/q/pause HTTP/1.1\r\nHost: h:1\r\nOrigin: http://h:1\r\n"
              "Content-Length: 0\r\n\r\n")
    );
    STATUS(rig_text(client), "200");
    rig_deinit(&rig);
}

TEST(a_waiting_get_is_answered_when_the_job_is_final) {
    struct rig rig;
    struct rig_client *app;
    begin(&rig, &app);
    struct rig_client *worker = rig_connect(&rig, 1, &dialect_http);
    (void)rig_http(app, "POST", "/v1/jobs", "{\"queue\":\"q\",\"kind\":\"k\"}");
    CHECK_STR(rig_http(app, "GET", "/v1/jobs/1?wait=10s", NULL), "");
    (void)rig_http(worker, "POST", "/v1/fetch", "{\"worker\":\"w\",\"queues\":[\"q\"]}");
    (void)rig_http(worker, "POST", "/v1/jobs/1/ack", "{\"token\":1}");
    HOLDS(rig_text(app), "\"state\":\"completed\"");
    (void)rig_http(app, "POST", "/v1/jobs", "{\"queue\":\"q\",\"kind\":\"k\"}");
    CHECK_STR(rig_http(app, "GET", "/v1/jobs/2?wait=10s", NULL), "");
    rig_advance(&rig, 11 * NS_PER_SECOND);
    HOLDS(rig_text(app), "\"state\":\"available\"");
    rig_deinit(&rig);
}

TEST(lines_of_jobs_are_answered_by_a_line_each) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    rig_send(
        client,
        SLICE("POST /v1/jobs HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-ndjson\r\n"
              "Content-Length: 66\r\n\r\n{\"queue\":\"q\",\"kind\":\"k\"}\n\n"
              "{\"queue\":\"q\"}\nx\n{\"queue\":\"q\",\"kind\":\"k\"}")
    );
    STATUS(rig_text(client), "200");
    HOLDS(
        rig_text(client),
        "{\"id\":\"1\",\"state\":\"available\",\"duplicate\":false}\n"
        "{\"code\":\"BADARG\",\"detail\":\"kind: it is missing\"}\n"
        "{\"code\":\"BADARG\",\"detail\":\"the line is no JSON object: "
    );
    HOLDS(rig_text(client), "{\"id\":\"2\",\"state\":\"available\",\"duplicate\":false}\n");
    rig_deinit(&rig);
}

TEST(head_gives_the_head_of_get) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    const char *text = rig_http(client, "HEAD", "/livez", NULL);
    STATUS(text, "200");
    HOLDS(text, "Content-Length: 3\r\n\r\n");
    CHECK(strstr(text, "ok\n") == NULL);
    rig.host.is_stopping = true;
    STATUS(rig_http(client, "GET", "/readyz", NULL), "503");
    CHECK_EQUAL(client->next, SESSION_CLOSE);
    rig_deinit(&rig);
}

TEST(a_failure_is_shown_with_its_error_and_log) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    (void
    )rig_http(client, "POST", "/v1/jobs", "{\"queue\":\"q\",\"kind\":\"k\",\"attempt_max\":1}");
    (void)rig_http(client, "POST", "/v1/fetch", "{\"worker\":\"w\",\"queues\":[\"q\"]}");
    STATUS(
        rig_http(
            client,
            "POST",
            "/v1/jobs/1/log",
            "{\"token\":\"1\",\"lines\":[\"one\",{\"text\":\"two\",\"stream\":\"err\"}]}"
        ),
        "200"
    );
    HOLDS(
        rig_http(
            client,
            "POST",
            "/v1/jobs/1/fail",
            "{\"token\":\"1\",\"message\":\"oops\",\"what\":\"E\",\"backtrace\":\"at "
            "1\",\"code\":-2}"
        ),
        "{\"state\":\"discarded\"}"
    );
    HOLDS(
        rig_http(client, "GET", "/v1/jobs/1", NULL),
        "\"errors\":[{\"attempt\":1,\"cause\":\"failed\",\"code\":-2,\"at\":\"2026-03-01T00:00:"
        "00Z\","
        "\"what\":\"E\",\"text\":\"oops\",\"backtrace\":\"at 1\"}]"
    );
    HOLDS(
        rig_http(client, "GET", "/v1/jobs/1/logs", NULL),
        "\"attempt\":1,\"stream\":\"err\",\"level\":\"info\",\"text\":\"two\"}]}"
    );
    rig_deinit(&rig);
}

TESTS(
    a_job_goes_through_push_fetch_ack_and_get,
    bytes_that_are_no_json_are_shown_as_text_or_base64,
    a_key_in_a_header_makes_a_push_repeatable,
    a_wrong_member_is_named_with_what_is_allowed,
    a_path_or_method_that_is_not_there_is_refused,
    what_a_foreign_page_sends_is_refused,
    a_waiting_get_is_answered_when_the_job_is_final,
    lines_of_jobs_are_answered_by_a_line_each,
    head_gives_the_head_of_get,
    a_failure_is_shown_with_its_error_and_log
)
