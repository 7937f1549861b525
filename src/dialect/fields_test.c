/* SPDX-License-Identifier: Apache-2.0 */
/* What a job carries is pushed and shown in both dialects, each in its own form. */
#include "dialect/fields.h"

#include "base/test.h"
#include "dialect/http/http.h"
#include "dialect/resp/resp.h"
#include "dialect/rig.h"

#define HOLDS(text, part) CHECK(strstr((text), (part)) != NULL)

static void begin(struct rig *rig, struct rig_client **ret_http, struct rig_client **ret_resp) {
    rig_init(rig);
    *ret_http = rig_connect(rig, 0, &dialect_http);
    *ret_resp = rig_connect(rig, 1, &dialect_resp);
}

static const char traceparent[] =
    "{\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}";

TEST(labels_pushed_by_resp_are_shown_by_both) {
    struct rig rig;
    struct rig_client *http;
    struct rig_client *resp;
    begin(&rig, &http, &resp);
    const char *text = RESP(
        resp,
        "PUSH",
        "mail",
        "k",
        "x",
        "TAGS",
        "urgent,eu",
        "HEADERS",
        traceparent,
        "TYPE",
        "text/plain"
    );
    CHECK_STR(text, ":1\r\n");
    text = RESP(resp, "GET", "1");
    HOLDS(text, "$4\r\ntags\r\n*2\r\n$6\r\nurgent\r\n$2\r\neu\r\n");
    HOLDS(text, "$12\r\ncontent_type\r\n$10\r\ntext/plain\r\n");
    HOLDS(text, "$7\r\nheaders\r\n$73\r\n{\"traceparent\"");
    HOLDS(text, "$7\r\nversion\r\n:1\r\n");
    text = rig_http(http, "GET", "/v1/jobs/1", NULL);
    HOLDS(text, "\"tags\":[\"urgent\",\"eu\"]");
    HOLDS(text, "\"content_type\":\"text/plain\"");
    HOLDS(text, "\"headers\":{\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-");
    HOLDS(text, "\"version\":1");
    rig_deinit(&rig);
}

TEST(labels_pushed_by_http_may_be_arrays_and_objects) {
    struct rig rig;
    struct rig_client *http;
    struct rig_client *resp;
    begin(&rig, &http, &resp);
    const char *text = rig_http(
        http,
        "POST",
        "/v1/jobs",
        "{\"queue\":\"q\",\"kind\":\"k\",\"tags\":[\"a\",\"b:\\u0031\"],\"headers\":{\"x\": \"y\"},"
        "\"content_type\":\"image/png\"}"
    );
    HOLDS(text, "202 Accepted");
    text = rig_http(http, "GET", "/v1/jobs/1", NULL);
    HOLDS(
        text, "\"tags\":[\"a\",\"b:1\"],\"content_type\":\"image/png\",\"headers\":{\"x\": \"y\"}"
    );
    text = rig_http(
        http,
        "POST",
        "/v1/jobs",
        "{\"queue\":\"q\",\"kind\":\"k\",\"tags\":\"a,c\",\"headers\":null}"
    );
    HOLDS(text, "202 Accepted");
    HOLDS(rig_http(http, "GET", "/v1/jobs/2", NULL), "\"tags\":[\"a\",\"c\"]");
    rig_deinit(&rig);
}

TEST(labels_that_are_not_sound_are_refused_with_their_name) {
    struct rig rig;
    struct rig_client *http;
    struct rig_client *resp;
    begin(&rig, &http, &resp);
    static const char *const bad[][2] = {
        {"{\"queue\":\"q\",\"kind\":\"k\",\"tags\":[\"a,b\"]}", "tags: "},
        {"{\"queue\":\"q\",\"kind\":\"k\",\"tags\":[1]}", "tags: "},
        {"{\"queue\":\"q\",\"kind\":\"k\",\"tags\":\"a b\"}", "tags: "},
        {"{\"queue\":\"q\",\"kind\":\"k\",\"headers\":[]}", "headers: "},
        {"{\"queue\":\"q\",\"kind\":\"k\",\"headers\":{\"a\":1}}", "headers: a value is a string"},
        {"{\"queue\":\"q\",\"kind\":\"k\",\"headers\":{\"traceparent\":\"x\"}}", "traceparent"},
        {"{\"queue\":\"q\",\"kind\":\"k\",\"content_type\":\"\"}", "content_type: "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *text = rig_http(http, "POST", "/v1/jobs", bad[i][0]);
        HOLDS(text, "400 Bad Request");
        HOLDS(text, bad[i][1]);
    }
    HOLDS(RESP(resp, "PUSH", "q", "k", "x", "TAGS", "a,"), "-BADARG TAGS: ");
    HOLDS(RESP(resp, "PUSH", "q", "k", "x", "HEADERS", "{"), "-BADARG HEADERS: '{' is not JSON");
    rig_deinit(&rig);
}

TESTS(
    labels_pushed_by_resp_are_shown_by_both,
    labels_pushed_by_http_may_be_arrays_and_objects,
    labels_that_are_not_sound_are_refused_with_their_name
)
