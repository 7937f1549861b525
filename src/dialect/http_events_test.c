/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams over a real space in fake time. */
#include "base/status.h" /* before cmocka, which has a fail() too */
#include "base/test.h"
#include "dialect/http/http.h"
#include "dialect/rig.h"

#define BEGINS(text, wanted) CHECK(strncmp((text), (wanted), strlen(wanted)) == 0)
#define HOLDS(text, wanted)  CHECK(strstr((text), (wanted)) != NULL)
#define LACKS(text, wanted)  CHECK(strstr((text), (wanted)) == NULL)
#define STATUS(text, wanted) BEGINS(text, "HTTP/1.1 " wanted)

struct scene {
    struct rig rig;
    struct rig_client *reader;
    struct rig_client *writer;
};

static struct scene *begin(void) {
    static struct scene scene;
    rig_init(&scene.rig);
    scene.reader = rig_connect(&scene.rig, 0, &dialect_http);
    scene.writer = rig_connect(&scene.rig, 1, &dialect_http);
    return &scene;
}

static void push(struct scene *scene, const char *queue) {
    HOB_AUTO_BUF struct buf body = buf_make(256);
    (void)buf_printf(&body, "{\"queue\":\"%s\",\"kind\":\"k\"}%c", queue, 0);
    STATUS(rig_http(scene->writer, "POST", "/v1/jobs", body.bytes), "202");
}

static void fetch(struct scene *scene) {
    (void)rig_http(scene->writer, "POST", "/v1/fetch", "{\"worker\":\"w\",\"queues\":[\"q\"]}");
}

/* What the reader has got so far. */
static const char *heard(struct scene *scene) {
    return rig_text(scene->reader);
}

static void look(struct scene *scene, const char *path, const char *last) {
    HOB_AUTO_BUF struct buf request = buf_make(1024);
    (void)buf_printf(&request, "GET %s HTTP/1.1\r\nHost: h\r\n", path);
    if (last != NULL) (void)buf_printf(&request, "Last-Event-ID: %s\r\n", last);
    (void)buf_put_str(&request, "\r\n");
    rig_send(scene->reader, buf_slice(&request));
}

TEST(who_looks_on_hears_of_each_change) {
    struct scene *scene = begin();
    look(scene, "/v1/events", NULL);
    STATUS(heard(scene), "200");
    HOLDS(heard(scene), "Content-Type: text/event-stream\r\n");
    HOLDS(heard(scene), "Transfer-Encoding: chunked\r\n");
    push(scene, "q");
    fetch(scene);
    HOLDS(
        heard(scene),
        "id: e-1\nevent: state\ndata: {\"type\":\"state\",\"id\":\"1\",\"queue\":\"q\""
    );
    HOLDS(heard(scene), "\"state\":\"available\"");
    HOLDS(heard(scene), "id: e-2\nevent: state\n");
    HOLDS(heard(scene), "\"from\":\"available\",\"state\":\"running\",\"attempt\":1");
    (void)rig_http(scene->writer, "POST", "/v1/jobs/1/log", "{\"token\":\"1\",\"lines\":[\"x\"]}");
    LACKS(heard(scene), "event: log"); /* only when asked for */
    rig_deinit(&scene->rig);
}

TEST(filters_leave_out_what_is_not_asked_for) {
    struct scene *scene = begin();
    look(scene, "/v1/events?queue=a&state=cancelled,discarded&type=state", NULL);
    push(scene, "a");
    push(scene, "b");
    (void)rig_http(scene->writer, "POST", "/v1/jobs/cancel", "{\"ids\":[1,2]}");
    (void)rig_http(scene->writer, "POST", "/v1/queues/a/pause", NULL);
    HOLDS(heard(scene), "\"id\":\"1\"");
    LACKS(heard(scene), "available\",\"attempt");
    LACKS(heard(scene), "\"id\":\"2\"");
    LACKS(heard(scene), "event: queue");
    rig_disconnect(scene->reader);
    scene->reader = rig_connect(&scene->rig, 0, &dialect_http);
    look(scene, "/v1/events?tag=t", NULL);
    (void)rig_http(
        scene->writer, "POST", "/v1/jobs", "{\"queue\":\"a\",\"kind\":\"k\",\"tags\":[\"s\",\"t\"]}"
    );
    push(scene, "a");
    HOLDS(heard(scene), "\"id\":\"3\"");
    LACKS(heard(scene), "\"id\":\"4\"");
    rig_deinit(&scene->rig);
}

TEST(a_bad_filter_is_refused) {
    struct scene *scene = begin();
    look(scene, "/v1/events?type=states", NULL);
    STATUS(heard(scene), "400");
    look(scene, "/v1/events?jobs=1", NULL);
    STATUS(heard(scene), "400");
    look(scene, "/v1/jobs/9/events", NULL);
    STATUS(heard(scene), "404");
    rig_deinit(&scene->rig);
}

TEST(the_stream_of_a_job_tells_all_and_ends_with_it) {
    struct scene *scene = begin();
    push(scene, "q");
    fetch(scene);
    (void
    )rig_http(scene->writer, "POST", "/v1/jobs/1/log", "{\"token\":\"1\",\"lines\":[\"one\"]}");
    look(scene, "/v1/jobs/1/events", NULL);
    HOLDS(heard(scene), "event: job\ndata: {\"id\":\"1\"");
    HOLDS(heard(scene), "event: log\ndata: {\"type\":\"log\"");
    HOLDS(heard(scene), "\"text\":\"one\"");
    (void
    )rig_http(scene->writer, "POST", "/v1/jobs/1/log", "{\"token\":\"1\",\"lines\":[\"two\"]}");
    (void)rig_http(
        scene->writer,
        "POST",
        "/v1/jobs/1/progress",
        "{\"token\":\"1\",\"percent\":40,\"text\":\"half\"}"
    );
    (void)rig_http(scene->writer, "POST", "/v1/jobs/1/ack", "{\"token\":\"1\"}");
    HOLDS(heard(scene), "\"text\":\"two\"");
    HOLDS(heard(scene), "\"percent\":40,\"text\":\"half\"");
    HOLDS(heard(scene), "\"from\":\"running\",\"state\":\"completed\"");
    HOLDS(heard(scene), "event: end\ndata: {\"state\":\"completed\"}\n\n\r\n0\r\n\r\n");
    look(scene, "/v1/jobs/1", NULL); /* the connection goes on */
    STATUS(heard(scene), "200");
    CHECK_EQUAL(scene->rig.host.streams, 0);
    rig_deinit(&scene->rig);
}

TEST(a_log_that_is_larger_than_a_reply_leaves_a_gap) {
    enum { LINES = 5000, ATTEMPTS = 6, PARTS = 16 };
    struct scene *scene = begin();
    push(scene, "q");
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
        fetch(scene);
        for (int part = 0; part < PARTS; part++) {
            HOB_AUTO_BUF struct buf body = buf_make(1 << 20);
            (void)buf_printf(&body, "{\"token\":\"%d\",\"lines\":[\"x\"", attempt);
            for (int line = 1; line < LINES; line++) (void)buf_put_str(&body, ",\"x\"");
            (void)buf_put(&body, "]}", 3);
            STATUS(rig_http(scene->writer, "POST", "/v1/jobs/1/log", body.bytes), "200");
        }
        if (attempt == ATTEMPTS) break;
        HOB_AUTO_BUF struct buf fault = buf_make(100);
        (void)buf_printf(&fault, "{\"token\":\"%d\",\"message\":\"m\"}%c", attempt, 0);
        STATUS(rig_http(scene->writer, "POST", "/v1/jobs/1/fail", fault.bytes), "200");
        STATUS(rig_http(scene->writer, "POST", "/v1/jobs/1/retry", NULL), "200");
    }
    look(scene, "/v1/jobs/1/events", NULL);
    HOLDS(heard(scene), "event: gap\ndata: {\"reason\":\"the log is larger than a reply");
    rig_deinit(&scene->rig);
}

TEST(the_stream_of_a_final_job_ends_at_once) {
    struct scene *scene = begin();
    push(scene, "q");
    look(scene, "/v1/events", NULL); /* so that the ring keeps what happens */
    (void)rig_http(scene->writer, "POST", "/v1/jobs/1/cancel", NULL);
    rig_disconnect(scene->reader);
    scene->reader = rig_connect(&scene->rig, 0, &dialect_http);
    look(scene, "/v1/jobs/1/events", NULL);
    HOLDS(heard(scene), "event: job\n");
    HOLDS(heard(scene), "event: end\ndata: {\"state\":\"cancelled\"}");
    look(scene, "/v1/jobs/1/events", "e-1");
    HOLDS(heard(scene), "id: e-2\nevent: state\n");
    LACKS(heard(scene), "event: job\n");
    HOLDS(heard(scene), "event: end\n");
    look(scene, "/v1/jobs/1/events", "e-2");
    STATUS(heard(scene), "204");
    rig_deinit(&scene->rig);
}

TEST(a_reader_who_comes_back_gets_what_it_missed) {
    struct scene *scene = begin();
    look(scene, "/v1/events", NULL);
    push(scene, "q");
    rig_disconnect(scene->reader);
    scene->reader = rig_connect(&scene->rig, 0, &dialect_http);
    push(scene, "q");
    push(scene, "q");
    look(scene, "/v1/events", "e-1");
    LACKS(heard(scene), "event: gap");
    LACKS(heard(scene), "id: e-1\n");
    HOLDS(heard(scene), "id: e-2\n");
    HOLDS(heard(scene), "id: e-3\n");
    push(scene, "q");
    HOLDS(heard(scene), "id: e-4\n");
    rig_deinit(&scene->rig);
}

TEST(a_gap_is_told_and_not_passed_over) {
    struct scene *scene = begin();
    look(scene, "/v1/events", "e-7"); /* a number that has not been */
    HOLDS(heard(scene), "event: gap\n");
    rig_disconnect(scene->reader);
    scene->reader = rig_connect(&scene->rig, 0, &dialect_http);
    look(scene, "/v1/events", "d-0"); /* of another process */
    HOLDS(heard(scene), "event: gap\n");
    rig_disconnect(scene->reader);
    scene->reader = rig_connect(&scene->rig, 0, &dialect_http);
    push(scene, "q");
    rig_advance(&scene->rig, 6 * NS_PER_MINUTE);
    rig_beat(&scene->rig); /* nobody came back in time: nothing is kept any more */
    push(scene, "q");
    look(scene, "/v1/events", "e-1");
    HOLDS(heard(scene), "event: gap\n");
    rig_deinit(&scene->rig);
}

TEST(a_quiet_stream_has_heartbeats) {
    struct scene *scene = begin();
    look(scene, "/v1/events", NULL);
    rig_beat(&scene->rig);
    HOLDS(heard(scene), "3\r\n:\n\n\r\n");
    rig_deinit(&scene->rig);
}

TEST(a_reader_who_is_too_slow_is_dropped_with_a_last_event) {
    struct scene *scene = begin();
    look(scene, "/v1/events?type=log", NULL);
    push(scene, "q");
    fetch(scene);
    HOB_AUTO_BUF struct buf body = buf_make(1 << 20);
    (void)buf_put_str(&body, "{\"token\":\"1\",\"lines\":[\"");
    for (int i = 0; i < 60000; i++) (void)buf_put_char(&body, 'x');
    (void)buf_put(&body, "\"]}", 4);
    for (int i = 0; i < 8; i++) (void)rig_http(scene->writer, "POST", "/v1/jobs/1/log", body.bytes);
    HOLDS(heard(scene), "event: dropped\n");
    HOLDS(heard(scene), "\r\n0\r\n\r\n");
    CHECK(scene->reader->out.size < 400000);
    CHECK_EQUAL(scene->rig.host.streams_dropped, 1);
    CHECK_EQUAL(scene->rig.host.streams, 0);
    rig_advance(&scene->rig, 1);
    CHECK_EQUAL(scene->reader->next, SESSION_CLOSE);
    rig_deinit(&scene->rig);
}

TEST(the_ring_is_bounded_and_stays_in_order) {
    struct scene *scene = begin();
    look(scene, "/v1/events?queue=none", NULL);
    for (int i = 0; i < 100; i++) {
        HOB_AUTO_BUF struct buf body = buf_make(1 << 20);
        for (int at = 0; at < 200; at++) {
            (void)buf_put_str(&body, "{\"queue\":\"q\",\"kind\":\"k\"}\n");
        }
        HOB_AUTO_BUF struct buf request = buf_make(1 << 20);
        (void)buf_printf(
            &request,
            "POST /v1/jobs HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-ndjson\r\n"
            "Content-Length: %zu\r\n\r\n",
            body.size
        );
        (void)buf_put_slice(&request, buf_slice(&body));
        rig_send(scene->writer, buf_slice(&request));
    }
    const struct ring *ring = &scene->rig.host.ring;
    CHECK_EQUAL(ring->number, 20000);
    CHECK_EQUAL(ring->first, 20000 - RING_EVENTS_MAX + 1);
    struct ring_event event;
    CHECK(!ring_at(ring, ring->first - 1, &event));
    for (uint64_t at = ring->first; at <= ring->number; at++) {
        CHECK(ring_at(ring, at, &event));
        CHECK_EQUAL(event.id, at);
        CHECK(slice_equal(event.queue, SLICE("q")));
    }
    rig_deinit(&scene->rig);
}

TEST(a_stream_is_refused_to_who_may_not_read_the_queue) {
    static const struct access access = {
        .scopes = 1u << SCOPE_READ,
        .queues = {.bytes = "own", .size = 3},
    };
    struct scene *scene = begin();
    scene->reader->session->access = &access;
    look(scene, "/v1/events?queue=other", NULL);
    STATUS(heard(scene), "403");
    look(scene, "/v1/events", NULL);
    push(scene, "other");
    push(scene, "own");
    LACKS(heard(scene), "\"id\":\"1\"");
    HOLDS(heard(scene), "\"id\":\"2\"");
    rig_deinit(&scene->rig);
}

TESTS(
    who_looks_on_hears_of_each_change,
    filters_leave_out_what_is_not_asked_for,
    a_bad_filter_is_refused,
    the_stream_of_a_job_tells_all_and_ends_with_it,
    a_log_that_is_larger_than_a_reply_leaves_a_gap,
    the_stream_of_a_final_job_ends_at_once,
    a_reader_who_comes_back_gets_what_it_missed,
    a_gap_is_told_and_not_passed_over,
    a_quiet_stream_has_heartbeats,
    a_reader_who_is_too_slow_is_dropped_with_a_last_event,
    the_ring_is_bounded_and_stays_in_order,
    a_stream_is_refused_to_who_may_not_read_the_queue
)
