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

static const char callbacks[] =
    "{\"success\":[{\"url\":\"https://example.org/a?b=c\",\"secret\":\"shop\","
    "\"headers\":{\"x-tenant\":\"42\"}},"
    "{\"push\":{\"queue\":\"next\",\"kind\":\"follow\",\"payload\":{\"a\": 1},\"delay\":\"5s\","
    "\"on_done\":{\"finished\":{\"push\":{\"queue\":\"last\",\"kind\":\"k\"}}}}}],"
    "\"failure\":{\"push\":{\"queue\":\"sorry\",\"kind\":\"apologize\"}}}";

static const char callbacks_shown[] =
    "{\"success\":[{\"url\":\"https://example.org/a?b=c\",\"secret\":\"shop\","
    "\"headers\":{\"content-type\":\"application/cloudevents+json\",\"x-tenant\":\"42\"}},"
    "{\"push\":{\"queue\":\"next\",\"kind\":\"follow\",\"payload\":{\"a\": 1},\"delay\":5000,"
    "\"on_done\":{\"finished\":[{\"push\":{\"queue\":\"last\",\"kind\":\"k\"}}]}}}],"
    "\"failure\":[{\"push\":{\"queue\":\"sorry\",\"kind\":\"apologize\"}}]}";

static void finish_by_resp(struct rig_client *resp, const char *queue) {
    HOLDS(RESP(resp, "FETCH", "w", "QUEUES", queue), "*1\r\n*6\r\n");
}

TEST(callbacks_are_pushed_shown_and_made_at_the_end) {
    struct rig rig;
    struct rig_client *http;
    struct rig_client *resp;
    begin(&rig, &http, &resp);
    CHECK_STR(RESP(resp, "PUSH", "mail", "k", "x", "ONDONE", callbacks), ":1\r\n");
    HOLDS(RESP(resp, "GET", "1"), callbacks_shown);
    HOLDS(rig_http(http, "GET", "/v1/jobs/1", NULL), callbacks_shown);
    finish_by_resp(resp, "mail");
    CHECK_STR(RESP(resp, "ACK", "1", "1", "{\"ok\": true}"), "+OK\r\n");
    const char *text = rig_http(http, "GET", "/v1/jobs/2", NULL);
    HOLDS(text, "\"queue\":\"hob.callbacks\",\"kind\":\"hob.webhook\"");
    HOLDS(text, "\"parent\":\"1\"");
    HOLDS(text, "\"payload\":{\"method\":\"POST\",\"url\":\"https://example.org/a?b=c\"");
    HOLDS(text, "\"body\":{\"specversion\":\"1.0\",\"id\":\"1-3\"");
    HOLDS(text, "\"result\":{\"ok\": true}");
    HOLDS(text, "\"attempt_max\":10");
    HOLDS(text, "\"backoff\":\"list:5s,5m,30m,2h,5h,10h,14h,20h,1d\"");
    text = rig_http(http, "GET", "/v1/jobs/3", NULL);
    HOLDS(text, "\"queue\":\"next\",\"kind\":\"follow\",\"state\":\"scheduled\"");
    HOLDS(text, "\"on_done\":{\"finished\":[");
    HOLDS(rig_http(http, "GET", "/v1/jobs/4", NULL), "404 Not Found");
    rig_advance(&rig, 5 * NS_PER_SECOND);
    finish_by_resp(resp, "next");
    CHECK_STR(RESP(resp, "ACK", "3", "2"), "+OK\r\n");
    text = rig_http(http, "GET", "/v1/jobs/4", NULL);
    HOLDS(text, "\"parent\":\"3\"");
    HOLDS(text, "\"payload\":{\"specversion\":\"1.0\"");
    rig_deinit(&rig);
}

TEST(callbacks_that_are_not_sound_are_refused_and_say_why) {
    struct rig rig;
    struct rig_client *http;
    struct rig_client *resp;
    begin(&rig, &http, &resp);
    static const char *const bad[][2] = {
        {"[]", "on_done: "},
        {"{\"shuccess\":{\"url\":\"http://a\"}}", "'shuccess' is not an object with success"},
        {"{\"success\":{}}", "on_done: '{}' is not"},
        {"{\"success\":\"http://a\"}", "on_done: "},
        {"{\"success\":[[]]}", "on_done: "},
        {"{\"success\":{\"url\":\"ftp://a\"}}", "an http:// or https:// URL"},
        {"{\"success\":{\"url\":\"http://\"}}", "an http:// or https:// URL"},
        {"{\"success\":{\"url\":\"http://a b\"}}", "an http:// or https:// URL"},
        {"{\"success\":{\"url\":\"http://a\",\"push\":{}}}", "on_done: "},
        {"{\"success\":{\"url\":\"http://a\",\"sercet\":\"x\"}}", "do you mean secret?"},
        {"{\"success\":{\"url\":\"http://a\",\"headers\":{\"a\":1}}}", "a value is a string"},
        {"{\"success\":{\"push\":{\"queue\":\"q\"}}}", "queue and kind"},
        {"{\"success\":{\"push\":{\"queue\":\"q\",\"kind\":\"k\",\"dealy\":1}}}", "delay?"},
        {"{\"success\":{\"push\":[]}}", "on_done: "},
        {"{\"success\":{\"push\":{\"queue\":\"q\",\"kind\":\"k\",\"on_done\":[]}}}", "on_done: "},
    };
    HOB_AUTO_BUF struct buf body = buf_make(4096);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        buf_reset(&body);
        (void)buf_printf(&body, "{\"queue\":\"q\",\"kind\":\"k\",\"on_done\":%s}%c", bad[i][0], 0);
        const char *text = rig_http(http, "POST", "/v1/jobs", body.bytes);
        HOLDS(text, "400 Bad Request");
        HOLDS(text, bad[i][1]);
        HOLDS(RESP(resp, "PUSH", "q", "k", "x", "ONDONE", bad[i][0]), bad[i][1]);
    }
    /* Deeper than 4, and larger than 16 KiB. */
    buf_reset(&body);
    for (int i = 0; i < 5; i++) {
        (void
        )buf_put_str(&body, "{\"success\":{\"push\":{\"queue\":\"q\",\"kind\":\"k\",\"on_done\":");
    }
    (void)buf_put_str(&body, "{}");
    for (int i = 0; i < 5; i++) (void)buf_put_str(&body, "}}}");
    (void)buf_put(&body, "", 1);
    HOLDS(RESP(resp, "PUSH", "q", "k", "x", "ONDONE", body.bytes), "nested at most 4 deep");
    HOB_AUTO_BUF struct buf large = buf_make(20000);
    (void
    )buf_put_str(&large, "{\"success\":{\"push\":{\"queue\":\"q\",\"kind\":\"k\",\"payload\":\"");
    while (large.size < 17000) (void)buf_put_char(&large, 'x');
    (void)buf_put(&large, "\"}}}", 5);
    HOLDS(RESP(resp, "PUSH", "q", "k", "x", "ONDONE", large.bytes), "at most 16 KiB");
    HOLDS(RESP(resp, "GET", "1"), "$-1\r\n"); /* nothing was pushed */
    rig_deinit(&rig);
}

TEST(a_token_cannot_reach_by_a_callback_what_it_cannot_push) {
    struct rig rig;
    struct rig_client *http;
    struct rig_client *resp;
    begin(&rig, &http, &resp);
    static const struct access access = {
        .name = {"shop", 4},
        .scopes = 1u << SCOPE_PUSH,
        .queues = {"shop.*", 6},
    };
    resp->session->access = &access;
    HOLDS(
        RESP(
            resp,
            "PUSH",
            "shop.a",
            "k",
            "x",
            "ONDONE",
            "{\"success\":{\"push\":{\"queue\":\"bank\",\"kind\":\"k\"}}}"
        ),
        "the queue is not among those it is for"
    );
    HOLDS(
        RESP(
            resp,
            "PUSH",
            "shop.a",
            "k",
            "x",
            "ONDONE",
            ("{\"success\":{\"push\":{\"queue\":\"shop.b\",\"kind\":\"k\",\"on_done\":"
             "{\"success\":{\"push\":{\"queue\":\"bank\",\"kind\":\"k\"}}}}}}")
        ),
        "the queue is not among those it is for"
    );
    CHECK_STR(
        RESP(
            resp,
            "PUSH",
            "shop.a",
            "k",
            "x",
            "ONDONE",
            ("{\"success\":[{\"push\":{\"queue\":\"shop.b\",\"kind\":\"k\"}},"
             "{\"url\":\"https://example.org\"}]}")
        ),
        ":1\r\n"
    );
    rig_deinit(&rig);
}

TEST(a_waiting_job_is_updated_by_both_and_only_at_its_version) {
    struct rig rig;
    struct rig_client *http;
    struct rig_client *resp;
    begin(&rig, &http, &resp);
    CHECK_STR(RESP(resp, "PUSH", "mail", "k", "x"), ":1\r\n");
    CHECK_STR(RESP(resp, "UPDATE", "1", "PRIORITY", "7", "TAGS", "a,b"), ":2\r\n");
    HOLDS(RESP(resp, "UPDATE", "1", "IFVERSION", "1", "PRIORITY", "9"), "-CHANGED");
    CHECK_STR(RESP(resp, "UPDATE", "1", "IFVERSION", "2", "DELAY", "1h"), ":3\r\n");
    HOLDS(RESP(resp, "UPDATE", "9", "PRIORITY", "9"), "-NOJOB");
    HOLDS(RESP(resp, "UPDATE", "1", "KIND", "x"), "-BADARG there is no option 'KIND'");
    const char *text = rig_http(
        http,
        "PATCH",
        "/v1/jobs/1",
        "{\"payload\":{\"n\": 2},\"delay\":0,\"on_done\":"
        "{\"success\":{\"push\":{\"queue\":\"q\",\"kind\":\"k\"}}}}"
    );
    HOLDS(text, "200 OK");
    HOLDS(text, "ETag: \"4-");
    HOLDS(text, "\"payload\":{\"n\": 2}");
    HOLDS(text, "\"state\":\"available\",\"priority\":7");
    HOLDS(text, "\"on_done\":{\"success\":[{\"push\":");
    HOLDS(rig_http(http, "PATCH", "/v1/jobs/1", "{}"), "name at least one field to change");
    HOLDS(rig_http(http, "PATCH", "/v1/jobs/1", "{\"kind\":\"x\"}"), "400 Bad Request");
    static const char stale[] =
        "PATCH /v1/jobs/1 HTTP/1.1\r\nHost: h\r\nIf-Match: \"3-ab\"\r\n"
        "Content-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"priority\":1}";
    rig_send(http, slice_str(stale));
    HOLDS(rig_text(http), "412 Precondition Failed");
    HOLDS(rig_text(http), "\"code\":\"CHANGED\"");
    static const char current[] =
        "PATCH /v1/jobs/1 HTTP/1.1\r\nHost: h\r\nIf-Match: \"4-ab\"\r\n"
        "Content-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"priority\":1}";
    rig_send(http, slice_str(current));
    HOLDS(rig_text(http), "\"version\":5");
    finish_by_resp(resp, "mail");
    HOLDS(rig_http(http, "PATCH", "/v1/jobs/1", "{\"priority\":1}"), "409 Conflict");
    rig_deinit(&rig);
}

TEST(lists_are_narrowed_by_tag_key_ref_parent_and_time) {
    struct rig rig;
    struct rig_client *http;
    struct rig_client *resp;
    begin(&rig, &http, &resp);
    static const char done[] = "{\"finished\":{\"push\":{\"queue\":\"next\",\"kind\":\"k\"}}}";
    (void)RESP(resp, "PUSH", "q", "k", "1", "TAGS", "a,b", "KEY", "key", "ONDONE", done);
    rig_advance(&rig, NS_PER_MINUTE);
    (void)RESP(resp, "PUSH", "q", "k", "2", "TAGS", "b", "REF", "ref");
    (void)RESP(resp, "CANCEL", "1");
    static const char *const asked[][2] = {
        {"tag=a", "1"},
        {"tag=b", "2"},
        {"key=key", "1"},
        {"ref=ref", "2"},
        {"parent=1", "3"},
        {"until=2026-03-01T00:00:30Z", "1"},
        {"since=2026-03-01T00:00:30Z&queue=q", "2"},
        {"since=30s&queue=q", "2"},
        {"until=30s", "1"},
    };
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        HOB_AUTO_BUF struct buf path = buf_make(200);
        HOB_AUTO_BUF struct buf wanted = buf_make(200);
        (void)buf_printf(&path, "/v1/jobs?%s%c", asked[i][0], 0);
        (void)buf_printf(&wanted, "{\"jobs\":[{\"id\":\"%s\"%c", asked[i][1], 0);
        HOLDS(rig_http(http, "GET", path.bytes, NULL), wanted.bytes);
    }
    HOLDS(rig_http(http, "GET", "/v1/jobs?tag=c", NULL), "{\"jobs\":[]");
    HOLDS(rig_http(http, "GET", "/v1/jobs?until=100000d", NULL), "{\"jobs\":[]");
    HOLDS(
        rig_http(http, "GET", "/v1/jobs?since=soon", NULL),
        "since: 'soon' is not a time: ms since 1970, RFC 3339 as 2026-03-01T09:30:00Z, or how long "
        "ago, as 30s or 1h30m"
    );
    HOLDS(rig_http(http, "GET", "/v1/jobs?parent=2", NULL), "{\"jobs\":[]");
    HOLDS(RESP(resp, "LS", "PARENT", "1"), "*2\r\n$1\r\n0\r\n*1\r\n");
    rig_deinit(&rig);
}

TESTS(
    lists_are_narrowed_by_tag_key_ref_parent_and_time,
    a_waiting_job_is_updated_by_both_and_only_at_its_version,
    callbacks_are_pushed_shown_and_made_at_the_end,
    callbacks_that_are_not_sound_are_refused_and_say_why,
    a_token_cannot_reach_by_a_callback_what_it_cannot_push,
    labels_pushed_by_resp_are_shown_by_both,
    labels_pushed_by_http_may_be_arrays_and_objects,
    labels_that_are_not_sound_are_refused_with_their_name
)
