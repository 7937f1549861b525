/* SPDX-License-Identifier: Apache-2.0 */
/* Logs and search over HTTP; and what is told from inside the request of somebody else. */
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "dialect/http/http.h"
#include "dialect/resp/resp.h"
#include "dialect/rig.h"

#define BEGINS(text, wanted) CHECK(strncmp((text), (wanted), strlen(wanted)) == 0)
#define HOLDS(text, wanted)  CHECK(strstr((text), (wanted)) != NULL)
#define LACKS(text, wanted)  CHECK(strstr((text), (wanted)) == NULL)

/* A running job, number 1; its worker speaks RESP. */
static struct rig_client *begin(struct rig *rig, struct rig_client **ret_worker) {
    rig_init(rig);
    struct rig_client *worker = rig_connect(rig, 1, &dialect_resp);
    CHECK_STR(RESP(worker, "PUSH", "q", "k", "x"), ":1\r\n");
    BEGINS(RESP(worker, "FETCH", "w", "QUEUES", "q"), "*1\r\n");
    *ret_worker = worker;
    return rig_connect(rig, 0, &dialect_http);
}

TEST(a_log_is_read_on_behind_a_line) {
    struct rig rig;
    struct rig_client *worker;
    struct rig_client *client = begin(&rig, &worker);
    (void)RESP(worker, "LOG", "1", "1", "LINES", "one", "two");
    const char *text = rig_http(client, "GET", "/v1/jobs/1/logs", NULL);
    HOLDS(
        text,
        "{\"lines\":[{\"seq\":\"16384\",\"at\":\"2026-03-01T00:00:00Z\",\"attempt\":1,\"stream\":"
        "\"out\","
    );
    text = rig_http(client, "GET", "/v1/jobs/1/logs?after=16384", NULL);
    LACKS(text, "\"one\"");
    HOLDS(text, "\"text\":\"two\"}]}");
    HOLDS(rig_http(client, "GET", "/v1/jobs/1/logs?after=16385", NULL), "{\"lines\":[]}");
    BEGINS(rig_http(client, "GET", "/v1/jobs/1/logs?after=x", NULL), "HTTP/1.1 400");
    rig_deinit(&rig);
}

TEST(a_request_for_a_log_waits_for_lines_the_end_or_the_time) {
    struct rig rig;
    struct rig_client *worker;
    struct rig_client *client = begin(&rig, &worker);
    CHECK_STR(rig_http(client, "GET", "/v1/jobs/1/logs?wait=60s", NULL), "");
    CHECK_EQUAL(rig.subscribed, 1);
    (void)RESP(worker, "LOG", "1", "1", "LINES", "one");
    HOLDS(rig_text(client), "\"text\":\"one\"}]}");
    CHECK_EQUAL(rig.subscribed, 0);
    CHECK_EQUAL(client->next, SESSION_READ);
    (void)rig_http(client, "GET", "/v1/jobs/1/logs?wait=1s&after=16384", NULL);
    rig_advance(&rig, 2 * NS_PER_SECOND);
    HOLDS(rig_text(client), "{\"lines\":[]}");
    (void)rig_http(client, "GET", "/v1/jobs/1/logs?wait=60s&after=16384", NULL);
    CHECK_STR(RESP(worker, "ACK", "1", "1"), "+OK\r\n");
    HOLDS(rig_text(client), "{\"lines\":[]}");
    HOLDS(rig_http(client, "GET", "/v1/jobs/1/logs?wait=60s&after=16384", NULL), "{\"lines\":[]}");
    rig_deinit(&rig);
}

TEST(a_search_answers_lines_and_where_to_go_on) {
    struct rig rig;
    struct rig_client *worker;
    struct rig_client *client = begin(&rig, &worker);
    (void)RESP(worker, "LOG", "1", "1", "STREAM", "err", "LINES", "Boom 1", "boom 2");
    const char *text = rig_http(client, "GET", "/v1/logs?search=boom&limit=1", NULL);
    HOLDS(
        text,
        "{\"lines\":[{\"id\":\"1\",\"queue\":\"q\",\"kind\":\"k\",\"state\":\"running\","
        "\"attempt\":1,"
    );
    HOLDS(
        text,
        "\"place\":\"log\",\"stream\":\"err\",\"seq\":\"16385\",\"level\":\"info\",\"text\":\"boom "
        "2\"}],"
    );
    HOLDS(text, "\"next\":\"1.16385\",\"jobs\":1,");
    text = rig_http(client, "GET", "/v1/logs?search=boom&cursor=1.16385", NULL);
    HOLDS(text, "\"text\":\"Boom 1\"}],\"next\":null,");
    BEGINS(rig_http(client, "GET", "/v1/logs?cursor=a", NULL), "HTTP/1.1 400");
    BEGINS(rig_http(client, "GET", "/v1/logs?qeue=a", NULL), "HTTP/1.1 400");
    rig_deinit(&rig);
}

/* Cancelling many answers those who wait for one of them while its own response is half-written. */
TEST(an_answer_from_inside_a_request_leaves_its_response_alone) {
    struct rig rig;
    struct rig_client *worker;
    struct rig_client *client = begin(&rig, &worker);
    struct rig_client *waiting = rig_connect(&rig, 2, &dialect_http);
    (void)RESP(worker, "PUSH", "q", "k", "x");
    (void)RESP(worker, "PUSH", "q", "k", "x");
    CHECK_STR(rig_http(waiting, "GET", "/v1/jobs/2?wait=60s", NULL), "");
    const char *text = rig_http(client, "POST", "/v1/jobs/cancel", "{\"ids\":[1,2,3]}");
    HOLDS(
        text,
        "{\"jobs\":[{\"id\":\"1\",\"state\":\"cancelled\"},{\"id\":\"2\",\"state\":\"cancelled\"},"
    );
    HOLDS(text, "{\"id\":\"3\",\"state\":\"cancelled\"}],\"done\":3,");
    HOLDS(rig_text(waiting), "{\"id\":\"2\",\"queue\":\"q\"");
    rig_deinit(&rig);
}

TESTS(
    a_log_is_read_on_behind_a_line,
    a_request_for_a_log_waits_for_lines_the_end_or_the_time,
    a_search_answers_lines_and_where_to_go_on,
    an_answer_from_inside_a_request_leaves_its_response_alone
)
