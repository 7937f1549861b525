/* SPDX-License-Identifier: Apache-2.0 */
/* What HTTP offers beside the life of one job: negotiation, preferences, tags, pages, many at
 * once. */
#include "base/status.h" /* before cmocka, which has a fail() too */
#include "base/test.h"
#include "dialect/http/http.h"
#include "dialect/resp/resp.h"
#include "dialect/rig.h"

#define BEGINS(text, wanted) CHECK(strncmp((text), (wanted), strlen(wanted)) == 0)
#define HOLDS(text, wanted)  CHECK(strstr((text), (wanted)) != NULL)
#define LACKS(text, wanted)  CHECK(strstr((text), (wanted)) == NULL)
#define STATUS(text, wanted) BEGINS(text, "HTTP/1.1 " wanted)

struct scene {
    struct rig rig;
    struct rig_client *client;
};

static struct scene *begin(void) {
    static struct scene scene;
    rig_init(&scene.rig);
    scene.client = rig_connect(&scene.rig, 0, &dialect_http);
    return &scene;
}

static void end(struct scene *scene) {
    rig_deinit(&scene->rig);
}

/* A request with headers of its own, each with its line end. */
static const char *
ask(struct rig_client *client, const char *line, const char *headers, const char *body) {
    HOB_AUTO_BUF struct buf request = buf_make(1 << 20);
    CHECK(headers != NULL);
    (void)buf_printf(
        &request,
        "%s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n%s",
        line,
        headers,
        strlen(body),
        body
    );
    rig_send(client, buf_slice(&request));
    return rig_text(client);
}

#define JSON_TYPE  "Content-Type: application/json\r\n"
#define LINES_TYPE "Content-Type: application/x-ndjson\r\n"
#define JOB        "{\"queue\":\"q\",\"kind\":\"k\"}"

static const char *push(struct rig_client *client) {
    return rig_http(client, "POST", "/v1/jobs", JOB);
}

TEST(a_refused_request_is_told_to_the_host_without_its_query) {
    struct scene *scene = begin();
    struct buf *refused = &scene->rig.refused;
    (void)ask(scene->client, "GET /v1/jobs/7?secret=1", "", "");
    CHECK(slice_equal(buf_slice(refused), SLICE("GET /v1/jobs/7 400 BADARG")));
    (void)ask(scene->client, "GET /v1/jobs/7", "", "");
    CHECK(slice_equal(buf_slice(refused), SLICE("GET /v1/jobs/7 404 NOJOB")));
    (void)ask(scene->client, "POST /v1/jobs", JSON_TYPE, "{");
    CHECK(slice_equal(buf_slice(refused), SLICE("POST /v1/jobs 400 BADARG")));
    buf_reset(refused);
    (void)push(scene->client);
    CHECK_EQUAL(refused->size, 0);
    (void)RESP(rig_connect(&scene->rig, 1, &dialect_resp), "ACK", "1", "1");
    CHECK(slice_equal(buf_slice(refused), SLICE("ACK STALE")));
    end(scene);
}

TEST(a_push_is_accepted_and_says_where_and_when_the_result_is_found) {
    struct scene *scene = begin();
    const char *text = push(scene->client);
    STATUS(text, "202");
    HOLDS(text, "Location: /v1/jobs/1\r\n");
    HOLDS(text, "Retry-After: ");
    text = rig_http(
        scene->client, "POST", "/v1/jobs", "{\"queue\":\"q\",\"kind\":\"k\",\"delay\":\"90s\"}"
    );
    HOLDS(text, "Retry-After: 91\r\n");
    end(scene);
}

TEST(a_push_that_prefers_to_wait_gets_the_whole_job) {
    struct scene *scene = begin();
    struct rig_client *worker = rig_connect(&scene->rig, 1, &dialect_http);
    const char *text = ask(scene->client, "POST /v1/jobs", JSON_TYPE "Prefer: wait=10\r\n", JOB);
    CHECK(text[0] == '\0');
    (void)rig_http(worker, "POST", "/v1/fetch", "{\"worker\":\"w\",\"queues\":[\"q\"]}");
    (void)rig_http(worker, "POST", "/v1/jobs/1/ack", "{\"token\":\"1\",\"result\":7}");
    text = rig_text(scene->client);
    STATUS(text, "200");
    HOLDS(text, "Preference-Applied: wait=10\r\n");
    HOLDS(text, "Content-Location: /v1/jobs/1\r\n");
    HOLDS(text, "\"result\":7");
    LACKS(text, "Retry-After");
    end(scene);
}

TEST(a_push_whose_wait_ends_first_is_still_only_accepted) {
    struct scene *scene = begin();
    (void)ask(scene->client, "POST /v1/jobs", JSON_TYPE "prefer: foo, wait=2; x=1\r\n", JOB);
    rig_advance(&scene->rig, 2 * NS_PER_SECOND);
    const char *text = rig_text(scene->client);
    STATUS(text, "202");
    HOLDS(text, "\"state\":\"available\"");
    HOLDS(text, "Retry-After: ");
    end(scene);
}

TEST(a_client_may_prefer_a_minimal_or_a_whole_answer) {
    struct scene *scene = begin();
    const char *text =
        ask(scene->client, "POST /v1/jobs", JSON_TYPE "Prefer: return=minimal\r\n", JOB);
    STATUS(text, "202");
    HOLDS(text, "Preference-Applied: return=minimal\r\n");
    HOLDS(text, "Location: /v1/jobs/1\r\n");
    HOLDS(text, "Content-Length: 0\r\n");
    text = ask(scene->client, "POST /v1/jobs", JSON_TYPE "Prefer: return=representation\r\n", JOB);
    HOLDS(text, "Preference-Applied: return=representation\r\n");
    HOLDS(text, "\"attempt_max\":25");
    end(scene);
}

TEST(a_request_id_comes_back_and_an_odd_one_is_replaced) {
    struct scene *scene = begin();
    const char *text = ask(scene->client, "GET /v1/jobs/5", "X-Request-Id: abc-1.2/3\r\n", "");
    STATUS(text, "404");
    HOLDS(text, "X-Request-Id: abc-1.2/3\r\n");
    HOLDS(text, "\"request_id\":\"abc-1.2/3\"");
    text = ask(scene->client, "GET /v1/jobs/5", "X-Request-Id: a b\r\n", "");
    HOLDS(text, "X-Request-Id: ");
    LACKS(text, "a b");
    end(scene);
}

TEST(a_problem_has_a_page) {
    struct scene *scene = begin();
    HOLDS(rig_http(scene->client, "GET", "/v1/jobs/5", NULL), "\"type\":\"/problems/NOJOB\"");
    const char *text = rig_http(scene->client, "GET", "/problems/NOJOB", NULL);
    STATUS(text, "200");
    HOLDS(text, "\"status\":404");
    STATUS(rig_http(scene->client, "GET", "/problems/OK", NULL), "404");
    HOLDS(rig_http(scene->client, "GET", "/problems", NULL), "\"code\":\"ACCEPT\"");
    end(scene);
}

TEST(accept_chooses_the_media_type) {
    struct scene *scene = begin();
    (void)push(scene->client);
    (void)push(scene->client);
    const char *text = ask(scene->client, "GET /v1/jobs", "Accept: application/x-ndjson\r\n", "");
    HOLDS(text, "Content-Type: application/x-ndjson\r\n");
    HOLDS(text, "\r\n\r\n{\"id\":\"2\"");
    HOLDS(text, "}\n{\"id\":\"1\"");
    text = ask(scene->client, "GET /v1/jobs", "Accept: text/html, */*;q=0.1\r\n", "");
    HOLDS(text, "Content-Type: application/json\r\n");
    text = ask(
        scene->client, "GET /v1/jobs", "Accept: application/json;q=0.2, application/*;q=0.3\r\n", ""
    );
    HOLDS(text, "Content-Type: application/x-ndjson\r\n");
    text = ask(scene->client, "GET /v1/jobs", "Accept: text/html\r\n", "");
    STATUS(text, "406");
    HOLDS(text, "application/json application/x-ndjson");
    text = ask(scene->client, "GET /v1/jobs/1/payload", "Accept: text/html\r\n", "");
    STATUS(text, "200"); /* the bytes tell their own type */
    end(scene);
}

TEST(options_and_allow_come_from_the_table) {
    struct scene *scene = begin();
    const char *text = rig_http(scene->client, "OPTIONS", "/v1/jobs", NULL);
    STATUS(text, "204");
    HOLDS(text, "Allow: GET, HEAD, POST, OPTIONS\r\n");
    STATUS(rig_http(scene->client, "OPTIONS", "/v1/nope", NULL), "404");
    STATUS(rig_http(scene->client, "OPTIONS", "*", NULL), "204");
    text = rig_http(scene->client, "GET", "/v1/jobs/cancel", NULL);
    STATUS(text, "405"); /* the path without a star goes before the one with it */
    HOLDS(text, "Allow: POST, OPTIONS\r\n");
    HOLDS(text, "\"code\":\"METHOD\"");
    end(scene);
}

TEST(a_body_with_a_coding_or_of_another_type_is_refused) {
    struct scene *scene = begin();
    STATUS(ask(scene->client, "POST /v1/jobs", JSON_TYPE "Content-Encoding: gzip\r\n", JOB), "415");
    STATUS(ask(scene->client, "POST /v1/jobs/ack", JSON_TYPE, "{}"), "415");
    STATUS(ask(scene->client, "POST /v1/jobs/1/cancel", LINES_TYPE, "{}"), "415");
    end(scene);
}

TEST(a_parameter_that_a_path_does_not_know_is_refused) {
    struct scene *scene = begin();
    STATUS(rig_http(scene->client, "POST", "/v1/jobs?wait=1", JOB), "400");
    HOLDS(rig_http(scene->client, "GET", "/v1/jobs?stat=running", NULL), "do you mean state?");
    STATUS(rig_http(scene->client, "GET", "/readyz?verbose", NULL), "200");
    end(scene);
}

/* The value of a header of a response, up to its line end. */
static void take_header(const char *text, const char *name, char *value, size_t size) {
    const char *at = strstr(text, name);
    if (at == NULL) at = ""; /* then the value is empty, and fits nothing */
    at += *at == '\0' ? 0 : strlen(name) + 2;
    size_t length = strcspn(at, "\r");
    CHECK(length < size);
    memcpy(value, at, length);
    value[length] = '\0';
}

TEST(a_job_that_the_client_has_already_is_not_sent_again) {
    struct scene *scene = begin();
    (void)push(scene->client);
    char tag[64];
    take_header(rig_http(scene->client, "GET", "/v1/jobs/1", NULL), "ETag", tag, sizeof tag);
    HOB_AUTO_BUF struct buf header_text = buf_make(256);
    (void)buf_printf(&header_text, "If-None-Match: \"x\", W/%s\r\n%c", tag, 0);
    const char *header = header_text.bytes;
    CHECK(header != NULL);
    const char *text = ask(scene->client, "GET /v1/jobs/1", header, "");
    STATUS(text, "304");
    HOLDS(text, tag);
    LACKS(text, "\"queue\"");
    (void)rig_http(scene->client, "POST", "/v1/fetch", "{\"worker\":\"w\",\"queues\":[\"q\"]}");
    (void)rig_http(scene->client, "POST", "/v1/jobs/1/progress", "{\"token\":\"1\",\"percent\":5}");
    STATUS(ask(scene->client, "GET /v1/jobs/1", header, ""), "200");
    end(scene);
}

TEST(pages_follow_each_other_by_their_links) {
    struct scene *scene = begin();
    for (int i = 0; i < 5; i++) (void)push(scene->client);
    const char *text =
        rig_http(scene->client, "GET", "/v1/jobs?limit=2&kind=k&before=9&state=available", NULL);
    HOLDS(text, "{\"id\":\"5\"");
    HOLDS(text, "\"next\":\"c1.4\"");
    HOLDS(text, "Link: </v1/jobs?limit=2&kind=k&state=available&cursor=c1.4>; rel=\"next\"\r\n");
    text = rig_http(scene->client, "GET", "/v1/jobs?limit=2&cursor=c1.4", NULL);
    HOLDS(text, "\"jobs\":[{\"id\":\"3\"");
    text = rig_http(scene->client, "GET", "/v1/jobs?limit=2&cursor=c1.2", NULL);
    LACKS(text, "Link: ");
    HOLDS(text, "\"next\":null");
    STATUS(rig_http(scene->client, "GET", "/v1/jobs?cursor=4", NULL), "400");
    text = rig_http(scene->client, "GET", "/v1/queues?limit=1", NULL);
    HOLDS(text, "\"next\":null");
    end(scene);
}

TEST(many_jobs_are_finished_with_a_line_each) {
    struct scene *scene = begin();
    for (int i = 0; i < 3; i++) (void)push(scene->client);
    (void)rig_http(
        scene->client, "POST", "/v1/fetch", "{\"worker\":\"w\",\"queues\":[\"q\"],\"count\":3}"
    );
    const char *text =
        ask(scene->client,
            "POST /v1/jobs/ack",
            LINES_TYPE,
            "{\"id\":\"1\",\"token\":\"1\",\"result\":{\"a\":1}}\n"
            "\n"
            "{\"id\":2,\"token\":\"9\"}\n"
            "{\"id\":\"2\"}\n"
            "nonsense\n");
    STATUS(text, "200");
    HOLDS(text, "\r\n\r\n{\"id\":\"1\",\"state\":\"completed\"}\n{\"id\":\"2\",\"code\":\"STALE\"");
    HOLDS(text, "token: it is missing");
    HOLDS(text, "the line is no JSON object");
    text =
        ask(scene->client,
            "POST /v1/jobs/fail",
            LINES_TYPE,
            "{\"id\":\"2\",\"token\":\"2\",\"message\":\"no\",\"permanent\":true}");
    HOLDS(text, "\r\n\r\n{\"id\":\"2\",\"state\":\"discarded\"}\n");
    end(scene);
}

TEST(many_jobs_are_cancelled_by_their_ids) {
    struct scene *scene = begin();
    for (int i = 0; i < 3; i++) (void)push(scene->client);
    const char *text =
        rig_http(scene->client, "POST", "/v1/jobs/cancel", "{\"ids\":[\"1\",3,77],\"by\":\"me\"}");
    HOLDS(text, "[{\"id\":\"1\",\"state\":\"cancelled\"},{\"id\":\"3\",\"state\":\"cancelled\"},");
    HOLDS(text, "{\"id\":\"77\",\"code\":\"NOJOB\"");
    HOLDS(text, "\"done\":2,\"refused\":1,\"next\":null}");
    HOLDS(rig_http(scene->client, "GET", "/v1/jobs/3", NULL), "\"by\":\"me\"");
    STATUS(rig_http(scene->client, "POST", "/v1/jobs/cancel", "{\"ids\":[]}"), "400");
    STATUS(rig_http(scene->client, "POST", "/v1/jobs/cancel", "{\"ids\":[0]}"), "400");
    STATUS(rig_http(scene->client, "POST", "/v1/jobs/cancel", "{}"), "400");
    end(scene);
}

TEST(many_jobs_are_treated_by_a_filter_and_a_cursor) {
    struct scene *scene = begin();
    for (int i = 0; i < 5; i++) (void)push(scene->client);
    const char *text = rig_http(
        scene->client,
        "POST",
        "/v1/jobs/discard",
        "{\"filter\":{\"queue\":\"q\",\"state\":\"available\"},\"limit\":2,\"dry_run\":true}"
    );
    HOLDS(text, "\"done\":2,\"refused\":0,\"next\":\"c1.4\"");
    HOLDS(rig_http(scene->client, "GET", "/v1/jobs/5", NULL), "\"state\":\"available\"");
    text = rig_http(
        scene->client,
        "POST",
        "/v1/jobs/discard",
        "{\"filter\":{\"queue\":\"q\"},\"limit\":2,\"cursor\":\"c1.4\"}"
    );
    HOLDS(text, "[{\"id\":\"3\",\"state\":\"discarded\"},{\"id\":\"2\",\"state\":\"discarded\"}]");
    text =
        rig_http(scene->client, "POST", "/v1/jobs/retry", "{\"filter\":{\"state\":\"discarded\"}}");
    HOLDS(text, "\"done\":2,\"refused\":0,\"next\":null");
    STATUS(rig_http(scene->client, "POST", "/v1/jobs/delete", "{\"filter\":{}}"), "400");
    text = rig_http(scene->client, "POST", "/v1/jobs/delete", "{\"filter\":{},\"all\":true}");
    HOLDS(text, "\"done\":5,\"refused\":0,\"next\":null");
    end(scene);
}

TEST(a_worker_registers_and_beats) {
    struct scene *scene = begin();
    const char *text =
        rig_http(scene->client, "PUT", "/v1/workers/w-1", "{\"slots\":2,\"kinds\":[\"a\",\"b\"]}");
    STATUS(text, "200");
    HOLDS(text, "\"name\":\"w-1\",\"slots\":2,\"running\":0,\"kinds\":2");
    text = rig_http(scene->client, "POST", "/v1/workers/w-1/beat", "{\"alive\":\"60s\"}");
    HOLDS(text, "\"alive_until\":\"2026-03-01T00:01:00Z\"");
    STATUS(rig_http(scene->client, "GET", "/v1/workers/nobody", NULL), "404");
    STATUS(rig_http(scene->client, "PUT", "/v1/workers/w-1", "{\"kinds\":[]}"), "400");
    end(scene);
}

TEST(a_beat_keeps_the_leases_of_its_worker) {
    struct scene *scene = begin();
    (void)push(scene->client);
    (void)rig_http(scene->client, "POST", "/v1/fetch", "{\"worker\":\"w\",\"queues\":[\"q\"]}");
    for (int i = 0; i < 5; i++) {
        rig_advance(&scene->rig, 10 * NS_PER_SECOND);
        (void)rig_http(scene->client, "POST", "/v1/workers/w/beat", NULL);
    }
    HOLDS(rig_http(scene->client, "GET", "/v1/jobs/1", NULL), "\"state\":\"running\"");
    rig_advance(&scene->rig, 20 * NS_PER_SECOND);
    LACKS(rig_http(scene->client, "GET", "/v1/jobs/1", NULL), "\"state\":\"running\"");
    end(scene);
}

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

TEST(the_trace_context_of_a_push_becomes_headers_of_the_job) {
    struct scene *scene = begin();
    static const struct {
        const char *headers;
        const char *body;
        const char *wanted; /* of the job */
    } cases[] = {
        {"traceparent: " PARENT "\r\nTraceState: a=1, b@c=x y\r\ntracestate: d=2\r\n",
         JOB,
         "\"headers\":{\"traceparent\":\"" PARENT "\",\"tracestate\":\"a=1, b@c=x y,d=2\"}"},
        {"traceparent: " PARENT "\r\n",
         "{\"queue\":\"q\",\"kind\":\"k\",\"headers\":{\"x\":\"\\u0041\"}}",
         "\"headers\":{\"traceparent\":\"" PARENT "\",\"x\":\"\\u0041\"}"},
        {"traceparent: " PARENT "\r\ntracestate: A=1\r\n",
         JOB,
         "\"headers\":{\"traceparent\":\"" PARENT "\"}"},
        {"traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01\r\n", JOB, NULL},
        {"traceparent: " PARENT "\r\ntraceparent: " PARENT "\r\n", JOB, NULL},
        {"tracestate: a=1\r\n", JOB, NULL},
        {"", JOB, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        HOB_AUTO_BUF struct buf headers = buf_make(1024);
        (void)buf_printf(&headers, JSON_TYPE "%s%c", cases[i].headers, 0);
        STATUS(ask(scene->client, "POST /v1/jobs", headers.bytes, cases[i].body), "202");
        HOB_AUTO_BUF struct buf path = buf_make(64);
        (void)buf_printf(&path, "/v1/jobs/%zu%c", i + 1, 0);
        const char *text = rig_http(scene->client, "GET", path.bytes, NULL);
        if (cases[i].wanted == NULL) {
            LACKS(text, "\"headers\"");
        } else {
            HOLDS(text, cases[i].wanted);
        }
    }
    end(scene);
}

TEST(a_job_keeps_a_trace_of_its_own) {
    struct scene *scene = begin();
    const char *other = "{\"queue\":\"q\",\"kind\":\"k\",\"headers\":{\"traceparent\":"
                        "\"00-11111111111111111111111111111111-2222222222222222-00\"}}";
    (void)ask(
        scene->client,
        "POST /v1/jobs",
        JSON_TYPE "traceparent: " PARENT "\r\ntracestate: a=1\r\n",
        other
    );
    const char *text = rig_http(scene->client, "GET", "/v1/jobs/1", NULL);
    HOLDS(text, "{\"traceparent\":\"00-11111111111111111111111111111111-2222222222222222-00\"}");
    end(scene);
}

TEST(a_token_is_made_shown_and_revoked) {
    struct scene *scene = begin();
    const char *text = rig_http(
        scene->client, "POST", "/v1/tokens", "{\"name\":\"a/b\",\"scopes\":[\"admin\",\"push\"]}"
    );
    STATUS(text, "201");
    HOLDS(text, "Location: /v1/tokens/a%2Fb\r\n");
    HOLDS(text, "{\"name\":\"a/b\",\"token\":\"hob_");
    HOLDS(text, "\"scopes\":[\"push\",\"admin\"],\"queues\":[],\"created_at\":\"2026-");
    text = rig_http(
        scene->client,
        "POST",
        "/v1/tokens",
        "{\"name\":\"c\",\"scopes\":[\"read\"],\"queues\":[\"m.*\",\"x?\"],\"expires_in\":\"1h\"}"
    );
    HOLDS(text, "\"queues\":[\"m.*\",\"x?\"]");
    HOLDS(text, "\"expires_at\":\"2026-03-01T01:00:00Z\"");
    text = rig_http(scene->client, "GET", "/v1/tokens", NULL);
    HOLDS(text, "{\"tokens\":[{\"name\":\"a/b\",\"scopes\"");
    HOLDS(text, "\"}]}\n");
    STATUS(rig_http(scene->client, "GET", "/v1/tokens/a%2Fb", NULL), "200");
    HOLDS(rig_http(scene->client, "DELETE", "/v1/tokens/a%2Fb", NULL), "\"code\":\"CONFLICT\"");
    STATUS(rig_http(scene->client, "DELETE", "/v1/tokens/c", NULL), "204");
    STATUS(rig_http(scene->client, "DELETE", "/v1/tokens/c", NULL), "404");
    STATUS(rig_http(scene->client, "DELETE", "/v1/tokens/a%2Fb?force=true", NULL), "204");
    HOLDS(rig_http(scene->client, "GET", "/v1/tokens", NULL), "{\"tokens\":[]}\n");
    end(scene);
}

TEST(the_trail_is_an_object_or_lines) {
    struct scene *scene = begin();
    HOLDS(
        rig_http(scene->client, "GET", "/v1/audit", NULL),
        "\r\n\r\n{\"lines\":[{\"what\":\"pause\"}]}\n"
    );
    const char *text = ask(scene->client, "GET /v1/audit", "Accept: application/x-ndjson\r\n", "");
    HOLDS(text, "\r\n\r\n{\"what\":\"pause\"}\n");
    STATUS(rig_http(scene->client, "GET", "/v1/audit?limit=10001", NULL), "400");
    end(scene);
}

TEST(small_pages_say_what_this_is) {
    struct scene *scene = begin();
    HOLDS(rig_http(scene->client, "GET", "/version", NULL), "\"version\":\"0.0.0\"");
    HOLDS(rig_http(scene->client, "GET", "/robots.txt", NULL), "Disallow: /");
    STATUS(rig_http(scene->client, "GET", "/healthz", NULL), "200");
    end(scene);
}

TESTS(
    a_refused_request_is_told_to_the_host_without_its_query,
    a_push_is_accepted_and_says_where_and_when_the_result_is_found,
    a_push_that_prefers_to_wait_gets_the_whole_job,
    a_push_whose_wait_ends_first_is_still_only_accepted,
    a_client_may_prefer_a_minimal_or_a_whole_answer,
    a_request_id_comes_back_and_an_odd_one_is_replaced,
    a_problem_has_a_page,
    accept_chooses_the_media_type,
    options_and_allow_come_from_the_table,
    a_body_with_a_coding_or_of_another_type_is_refused,
    a_parameter_that_a_path_does_not_know_is_refused,
    a_job_that_the_client_has_already_is_not_sent_again,
    pages_follow_each_other_by_their_links,
    many_jobs_are_finished_with_a_line_each,
    many_jobs_are_cancelled_by_their_ids,
    many_jobs_are_treated_by_a_filter_and_a_cursor,
    a_worker_registers_and_beats,
    a_beat_keeps_the_leases_of_its_worker,
    the_trace_context_of_a_push_becomes_headers_of_the_job,
    a_job_keeps_a_trace_of_its_own,
    a_token_is_made_shown_and_revoked,
    the_trail_is_an_object_or_lines,
    small_pages_say_what_this_is
)
