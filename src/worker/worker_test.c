/* SPDX-License-Identifier: Apache-2.0 */
/* A worker against a server of a few lines on the same loop: it keeps what it was asked, answers by
 * a rule of the test, and gives the jobs of the test to the first fetches. This binary is its own
 * launcher. */
#include "worker/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "client/session.h"
#include "os/launch.h"
#include "worker/kinds.h"

enum { CONNS_MAX = 16, ARGS_MAX = 64 };

struct rig;

/* A request as the client writes them: an array of bulk strings. */
struct request {
    struct slice args[ARGS_MAX];
    size_t args_count;
    size_t size_bytes;
};

struct conn {
    struct rig *rig;
    uv_tcp_t tcp;
    struct buf input;
    bool open;
};

struct rig {
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_timer_t deadline;
    struct conn conns[CONNS_MAX];
    size_t conn_count;
    struct worker *worker;
    struct config *config;
    struct buf seen;     /* "WORKER w SLOTS 2 …|ACK 1 11 …|", without FETCH */
    const char *jobs[4]; /* their kinds; NULL: no more */
    size_t job_next;
    bool jobs_done;
    uint32_t slots; /* 0: one */
    enum hob_status status;
    struct hob_error error;
    /* Called for each request; true: it was answered, or never will be. */
    bool (*rule)(struct rig *rig, struct conn *conn, const struct request *request);
    size_t rule_calls;
};

/* "*3\r\n" or "$5\r\n" at *at; false: not all of it is here. */
static bool head_take(struct slice input, size_t *at, char mark, size_t *ret_number) {
    if (*at >= input.size) return false;
    const char *end = memchr(input.bytes + *at, '\n', input.size - *at);
    if (end == NULL) return false;
    CHECK(input.bytes[*at] == mark);
    *ret_number = strtoul(input.bytes + *at + 1, NULL, 10);
    *at = (size_t)(end - input.bytes) + 1;
    return true;
}

static bool request_parse(struct slice input, struct request *request) {
    size_t at = 0;
    if (!head_take(input, &at, '*', &request->args_count)) return false;
    CHECK(request->args_count <= ARGS_MAX);
    for (size_t i = 0; i < request->args_count; i++) {
        size_t size = 0;
        if (!head_take(input, &at, '$', &size) || input.size - at < size + 2) return false;
        request->args[i] = slice_of(input.bytes + at, size);
        at += size + 2;
    }
    request->size_bytes = at;
    return true;
}

static bool is(const struct request *request, const char *word) {
    return slice_equal(request->args[0], slice_str(word));
}

static void conn_send(struct conn *conn, struct slice bytes) {
    uv_buf_t out = uv_buf_init((char *)bytes.bytes, (unsigned)bytes.size);
    CHECK(uv_try_write((uv_stream_t *)&conn->tcp, &out, 1) == (int)bytes.size);
}

static void conn_say(struct conn *conn, const char *text) {
    conn_send(conn, slice_str(text));
}

static void conn_close(struct conn *conn) {
    if (!conn->open) return;
    conn->open = false;
    uv_close((uv_handle_t *)&conn->tcp, NULL);
}

static void conns_close(struct rig *rig) {
    for (size_t i = 0; i < rig->conn_count; i++) conn_close(&rig->conns[i]);
}

static void job_send(struct rig *rig, struct conn *conn) {
    HOB_AUTO_BUF struct buf out = buf_make(1 << 16);
    size_t at = rig->job_next++;
    (void)buf_printf(
        &out,
        "*1\r\n%%6\r\n+id\r\n+%zu\r\n+token\r\n+%zu\r\n+queue\r\n+default\r\n+kind\r\n+%s\r\n"
        "+attempt\r\n:1\r\n+payload\r\n+hello\r\n",
        at + 1,
        at + 11,
        rig->jobs[at]
    );
    conn_send(conn, buf_slice(&out));
}

static void note(struct rig *rig, const struct request *request) {
    for (size_t i = 0; i < request->args_count; i++) {
        if (i > 0) (void)buf_put_char(&rig->seen, ' ');
        (void)buf_put_slice(&rig->seen, request->args[i]);
    }
    (void)buf_put_char(&rig->seen, '|');
}

static void serve(struct rig *rig, struct conn *conn, const struct request *request) {
    if (is(request, "HELLO")) {
        conn_say(conn, "%1\r\n+server\r\n+hob\r\n");
        return;
    }
    if (!is(request, "FETCH")) note(rig, request);
    if (rig->rule != NULL && rig->rule(rig, conn, request)) return;
    if (!is(request, "FETCH")) {
        conn_say(conn, "+OK\r\n");
        return;
    }
    if (rig->jobs[rig->job_next] != NULL) {
        job_send(rig, conn);
    } else if (!rig->jobs_done) {
        rig->jobs_done = true; /* it waits; the worker needs no more */
        worker_stop(rig->worker);
    }
}

static void on_allocate(uv_handle_t *handle, size_t size, uv_buf_t *ret_room) {
    struct conn *conn = handle->data;
    char *room = buf_reserve(&conn->input, size);
    *ret_room = uv_buf_init(room, (unsigned)size);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room) {
    (void)room;
    struct conn *conn = stream->data;
    if (size < 0) {
        conn_close(conn);
        return;
    }
    conn->input.size += (size_t)size;
    struct request request;
    while (conn->open && request_parse(buf_slice(&conn->input), &request)) {
        serve(conn->rig, conn, &request);
        buf_consume(&conn->input, request.size_bytes);
    }
}

static void on_connection(uv_stream_t *listener, int code) {
    struct rig *rig = listener->data;
    CHECK(code == 0 && rig->conn_count < CONNS_MAX);
    struct conn *conn = &rig->conns[rig->conn_count++];
    conn->rig = rig;
    conn->open = true;
    conn->input = buf_make(1 << 20);
    CHECK(uv_tcp_init(&rig->loop, &conn->tcp) == 0);
    conn->tcp.data = conn;
    CHECK(uv_accept(listener, (uv_stream_t *)&conn->tcp) == 0);
    CHECK(uv_read_start((uv_stream_t *)&conn->tcp, on_allocate, on_read) == 0);
}

static void on_deadline(uv_timer_t *timer) {
    CHECK(uv_is_closing((uv_handle_t *)timer)); /* else the worker did not end in time */
}

static void on_ended(void *context, enum hob_status status, const struct hob_error *error) {
    struct rig *rig = context;
    rig->status = status;
    rig->error = *error;
    conns_close(rig);
    uv_close((uv_handle_t *)&rig->listener, NULL);
    uv_close((uv_handle_t *)&rig->deadline, NULL);
}

static void rig_run(struct rig *rig) {
    static const char config[] = "kinds:\n"
                                 "  echo: {run: [sh, -c, 'cat; echo one >&2; echo two >&2']}\n"
                                 "  hang: {run: [sh, -c, 'echo up >&2; sleep 100'], grace: 10s}\n";
    struct config_report report = {0};
    CHECK(
        config_parse(slice_str(config), "w.yaml", "/", worker_readers, &rig->config, &report) ==
        HOB_OK
    );
    rig->seen = buf_make(1 << 20);
    CHECK(uv_loop_init(&rig->loop) == 0);
    CHECK(uv_timer_init(&rig->loop, &rig->deadline) == 0);
    CHECK(uv_timer_start(&rig->deadline, on_deadline, 20000, 0) == 0);
    struct sockaddr_in place;
    CHECK(uv_ip4_addr("127.0.0.1", 0, &place) == 0);
    CHECK(uv_tcp_init(&rig->loop, &rig->listener) == 0);
    rig->listener.data = rig;
    CHECK(uv_tcp_bind(&rig->listener, (struct sockaddr *)&place, 0) == 0);
    CHECK(uv_listen((uv_stream_t *)&rig->listener, 8, on_connection) == 0);
    int place_size = sizeof place;
    CHECK(uv_tcp_getsockname(&rig->listener, (struct sockaddr *)&place, &place_size) == 0);
    struct worker_options options = {
        .config = &rig->config->worker,
        .name = "w",
        .slots = rig->slots == 0 ? 1 : rig->slots,
        .version = "0",
        .context = rig,
        .ended = on_ended};
    char address[32];
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", ntohs(place.sin_port));
    CHECK(address_parse(slice_str(address), &options.server));
    rig->worker = worker_start(&rig->loop, &options);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&rig->loop) == 0);
    for (size_t i = 0; i < rig->conn_count; i++) buf_deinit(&rig->conns[i].input);
    config_free(rig->config);
    (void)buf_put_char(&rig->seen, '\0');
}

static void check_seen(struct rig *rig, const char *wanted) {
    if (strstr(rig->seen.bytes, wanted) == NULL) CHECK_STR(rig->seen.bytes, wanted);
}

TEST(a_job_is_fetched_run_and_acknowledged_after_its_log) {
    static struct rig rig = {.jobs = {"echo", "echo"}};
    rig_run(&rig);
    CHECK(rig.status == HOB_OK);
    check_seen(&rig, "WORKER w FRESH SLOTS 1 KINDS 2 echo hang|");
    check_seen(&rig, "LINES one two|ACK 1 11 hello|");
    check_seen(&rig, "LINES one two|ACK 2 12 hello|");
    check_seen(&rig, "WORKER w SLOTS 1 KINDS 1 hob.none|");
    buf_deinit(&rig.seen);
}

/* The first ACK is not answered, and all connections break. */
static bool break_at_ack(struct rig *rig, struct conn *conn, const struct request *request) {
    (void)conn;
    if (!is(request, "ACK") || rig->rule_calls++ > 0) return false;
    conns_close(rig);
    return true;
}

TEST(an_end_is_told_again_when_the_server_is_back) {
    static struct rig rig = {.jobs = {"echo"}, .rule = break_at_ack};
    rig_run(&rig);
    CHECK(rig.status == HOB_OK);
    const char *first = strstr(rig.seen.bytes, "ACK 1 11 hello|");
    CHECK(first != NULL);
    if (first == NULL) return;
    CHECK(strstr(first + 1, "ACK 1 11 hello|") != NULL);
    CHECK(strstr(first, "WORKER w SLOTS") != NULL);
    buf_deinit(&rig.seen);
}

/* The second FETCH is not answered, while the job of the first one runs. */
static bool break_at_fetch(struct rig *rig, struct conn *conn, const struct request *request) {
    if (is(request, "ACK")) {
        worker_stop(rig->worker);
        worker_stop(rig->worker);
    }
    if (!is(request, "FETCH") || rig->rule_calls++ != 1) return false;
    conn_close(conn);
    return true;
}

TEST(after_a_fetch_without_answer_the_worker_says_what_it_holds_before_the_next) {
    static struct rig rig = {.jobs = {"hang", "echo"}, .slots = 2, .rule = break_at_fetch};
    rig_run(&rig);
    check_seen(&rig, "BEAT w GRACE 0 HOLDS 1 11|");
    const char *told = strstr(rig.seen.bytes, "BEAT w GRACE 0 HOLDS 1 11|");
    CHECK(told != NULL && strstr(told + 1, "ACK 2 12 hello|") != NULL);
    CHECK(told != NULL && strstr(told + sizeof "BEAT w GRACE 0", "GRACE 0") == NULL);
    buf_deinit(&rig.seen);
}

/* The name is another one's. */
static bool is_taken(struct rig *rig, struct conn *conn, const struct request *request) {
    if (!is(request, "WORKER") || rig->rule_calls++ > 1) return false;
    conn_say(conn, "-EXISTS a worker with this name is alive, or has jobs\r\n");
    return true;
}

TEST(a_worker_takes_a_name_that_nobody_has) {
    static struct rig rig = {.jobs = {"echo"}, .rule = is_taken};
    rig_run(&rig);
    CHECK(rig.status == HOB_OK);
    check_seen(&rig, "WORKER w FRESH SLOTS 1 KINDS 2 echo hang|WORKER w.2 FRESH SLOTS 1");
    check_seen(&rig, "WORKER w.3 FRESH SLOTS 1");
    check_seen(&rig, "ACK 1 11 hello|");
    buf_deinit(&rig.seen);
}

static bool lose_at_log(struct rig *rig, struct conn *conn, const struct request *request) {
    if (!is(request, "LOG") || rig->rule_calls++ > 0) return false;
    conn_say(conn, "+OK\r\n>4\r\n+lost\r\n+1\r\n+11\r\n+person\r\n");
    return true;
}

TEST(a_job_whose_lease_is_taken_away_is_stopped_and_not_told_of) {
    static struct rig rig = {.jobs = {"hang", "echo"}, .rule = lose_at_log};
    rig_run(&rig);
    check_seen(&rig, "LOG 1 11 STREAM err AT ");
    check_seen(&rig, "ACK 2 12 hello|");
    CHECK(strstr(rig.seen.bytes, "FAIL") == NULL);
    CHECK(strstr(rig.seen.bytes, "RELEASE") == NULL);
    buf_deinit(&rig.seen);
}

static bool stale_at_log(struct rig *rig, struct conn *conn, const struct request *request) {
    if (!is(request, "LOG") || rig->rule_calls++ > 0) return false;
    conn_say(conn, "-STALE this lease is no longer yours\r\n");
    return true;
}

TEST(a_stale_answer_stops_the_job_too) {
    static struct rig rig = {.jobs = {"hang", "echo"}, .rule = stale_at_log};
    rig_run(&rig);
    check_seen(&rig, "ACK 2 12 hello|");
    CHECK(strstr(rig.seen.bytes, "FAIL") == NULL);
    buf_deinit(&rig.seen);
}

static bool stop_at_log(struct rig *rig, struct conn *conn, const struct request *request) {
    (void)conn;
    if (!is(request, "LOG") || rig->rule_calls++ > 0) return false;
    worker_stop(rig->worker);
    worker_stop(rig->worker);
    return false;
}

TEST(a_worker_that_must_end_gives_its_jobs_back) {
    static struct rig rig = {.jobs = {"hang"}, .rule = stop_at_log};
    rig_run(&rig);
    CHECK(rig.status == HOB_OK);
    check_seen(&rig, "RELEASE 1 11|");
    buf_deinit(&rig.seen);
}

static bool refuse(struct rig *rig, struct conn *conn, const struct request *request) {
    (void)rig;
    if (!is(request, "WORKER")) return false;
    conn_say(conn, "-BADARG name: too long\r\n");
    return true;
}

TEST(a_worker_that_the_server_refuses_ends) {
    static struct rig rig = {.rule = refuse};
    rig_run(&rig);
    CHECK(rig.status == HOB_CONFIG);
    CHECK_STR(rig.error.text, "the server refuses this worker: BADARG name: too long");
    buf_deinit(&rig.seen);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_job_is_fetched_run_and_acknowledged_after_its_log),
    cmocka_unit_test(an_end_is_told_again_when_the_server_is_back),
    cmocka_unit_test(after_a_fetch_without_answer_the_worker_says_what_it_holds_before_the_next),
    cmocka_unit_test(a_worker_takes_a_name_that_nobody_has),
    cmocka_unit_test(a_job_whose_lease_is_taken_away_is_stopped_and_not_told_of),
    cmocka_unit_test(a_stale_answer_stops_the_job_too),
    cmocka_unit_test(a_worker_that_must_end_gives_its_jobs_back),
    cmocka_unit_test(a_worker_that_the_server_refuses_ends),
};

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], LAUNCH_WORD) == 0) return launch_main(argc - 2, argv + 2);
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
