/* SPDX-License-Identifier: Apache-2.0 */
/* RESP requests over a real space in fake time: what goes in, and the bytes that come out. */
#include "dialect/resp/resp.h"

#include "base/test.h"
#include "dialect/rig.h"

#define BEGINS(text, wanted) CHECK(strncmp((text), (wanted), strlen(wanted)) == 0)
#define HOLDS(text, wanted)  CHECK(strstr((text), (wanted)) != NULL)

static void begin(struct rig *rig, struct rig_client **ret_client) {
    rig_init(rig);
    *ret_client = rig_connect(rig, 0, &dialect_resp);
}

TEST(a_job_goes_through_push_fetch_ack_and_get) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    CHECK_STR(RESP(client, "PUSH", "mail", "welcome", "{}"), ":1\r\n");
    CHECK_STR(
        RESP(client, "fetch", "w1", "QUEUES", "mail"),
        "*1\r\n*6\r\n$1\r\n1\r\n$1\r\n1\r\n$4\r\nmail\r\n$7\r\nwelcome\r\n:1\r\n$2\r\n{}\r\n"
    );
    CHECK_EQUAL(rig.leased, 1);
    CHECK_STR(RESP(client, "ACK", "1", "1", "done"), "+OK\r\n");
    HOLDS(RESP(client, "GET", "1"), "$5\r\nstate\r\n$9\r\ncompleted\r\n");
    CHECK_STR(RESP(client, "RESULT", "1"), "$4\r\ndone\r\n");
    CHECK_STR(RESP(client, "PAYLOAD", "1"), "$2\r\n{}\r\n");
    rig_deinit(&rig);
}

TEST(a_duplicate_answers_the_first_id) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    CHECK_STR(RESP(client, "PUSH", "q", "k", "", "KEY", "a"), ":1\r\n");
    CHECK_STR(RESP(client, "PUSH", "q", "k", "", "KEY", "a"), ":1\r\n");
    HOLDS(RESP(client, "PUSH", "q", "k", "", "KEY", "a", "VERBOSE"), "$9\r\nduplicate\r\n:1\r\n");
    CHECK_STR(RESP(client, "PUSH", "q", "k", "", "KEY", "b"), ":2\r\n");
    rig_deinit(&rig);
}

TEST(a_wrong_argument_is_named_with_what_is_allowed) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    CHECK_STR(
        RESP(client, "PUSH", "q", "k", "", "PRIORITY", "high"),
        "-BADARG PRIORITY: 'high' is not a whole number from 0 to 4294967295\r\n"
    );
    CHECK_STR(
        RESP(client, "PUSH", "q", "k", "", "PRIORTY", "1"),
        "-BADARG there is no option 'PRIORTY': do you mean PRIORITY?\r\n"
    );
    BEGINS(RESP(client, "PUSH", "a b", "k", ""), "-BADARG queue: 'a b' is not a name: ");
    BEGINS(RESP(client, "PUSH", "q\r\n", "k", ""), "-BADARG queue: 'q\\x0d\\x0a' is not");
    CHECK_STR(RESP(client, "PUSH", "q", "k", "", "KEY"), "-BADARG KEY: its value is missing\r\n");
    CHECK_STR(RESP(client, "PUSHH"), "-ERR there is no command 'PUSHH': do you mean PUSH?\r\n");
    BEGINS(RESP(client, "ACK", "1"), "-ERR wrong number of arguments: ACK id token [result]");
    BEGINS(RESP(client, "FETCH", "w", "COUNT", "2"), "-BADARG QUEUES and what belongs to it");
    BEGINS(
        RESP(client, "FETCH", "w", "MODE", "best", "QUEUES", "q"),
        "-BADARG MODE: 'best' is not one of weighted listed merged"
    );
    BEGINS(RESP(client, "GET", "0"), "-BADARG id: '0' is not an id");
    rig_deinit(&rig);
}

TEST(a_waiting_fetch_is_answered_by_a_push_of_another_client) {
    struct rig rig;
    struct rig_client *worker;
    begin(&rig, &worker);
    struct rig_client *app = rig_connect(&rig, 1, &dialect_resp);
    CHECK_STR(RESP(worker, "FETCH", "w1", "WAIT", "10s", "QUEUES", "mail"), "");
    CHECK_EQUAL(worker->next, SESSION_WAIT);
    CHECK_STR(RESP(app, "PUSH", "mail", "k", "x"), ":1\r\n");
    BEGINS(rig_text(worker), "*1\r\n*6\r\n$1\r\n1\r\n");
    rig_deinit(&rig);
}

TEST(what_is_pipelined_behind_a_waiting_fetch_waits_for_its_turn) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    (void)RESP(client, "FETCH", "w1", "WAIT", "10s", "QUEUES", "mail");
    CHECK_STR(RESP(client, "PING"), "");
    rig_advance(&rig, 11 * NS_PER_SECOND);
    CHECK_STR(rig_text(client), "*0\r\n+PONG\r\n");
    rig_deinit(&rig);
}

TEST(a_waiting_fetch_of_a_client_that_is_gone_leases_nothing) {
    struct rig rig;
    struct rig_client *worker;
    begin(&rig, &worker);
    struct rig_client *app = rig_connect(&rig, 1, &dialect_resp);
    (void)RESP(worker, "FETCH", "w1", "WAIT", "10s", "QUEUES", "mail");
    rig_disconnect(worker);
    CHECK_STR(RESP(app, "PUSH", "mail", "k", "x"), ":1\r\n");
    HOLDS(RESP(app, "GET", "1"), "$9\r\navailable\r\n");
    rig_deinit(&rig);
}

TEST(get_wait_answers_when_the_job_is_final) {
    struct rig rig;
    struct rig_client *worker;
    begin(&rig, &worker);
    struct rig_client *app = rig_connect(&rig, 1, &dialect_resp);
    (void)RESP(app, "PUSH", "mail", "k", "x");
    CHECK_STR(RESP(app, "GET", "1", "WAIT", "60000"), "");
    (void)RESP(worker, "FETCH", "w1", "QUEUES", "mail");
    CHECK_STR(RESP(worker, "ACK", "1", "1"), "+OK\r\n");
    HOLDS(rig_text(app), "$9\r\ncompleted\r\n");
    CHECK_STR(RESP(app, "WAIT", "77", "10"), "$-1\r\n");
    rig_deinit(&rig);
}

TEST(many_jobs_are_pushed_and_finished_in_one_request) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    CHECK_STR(
        RESP(
            client,
            "MPUSH",
            "3",
            "q",
            "k",
            "1",
            "0",
            "q",
            "bad kind",
            "2",
            "0",
            "q",
            "k",
            "3",
            "2",
            "PRIORITY",
            "1"
        ),
        "*3\r\n:1\r\n-BADARG kind: 'bad kind' is not a name: 1 to 200 of A-Z a-z 0-9 - + / ; : . $ "
        "_ ( ), and not - at first\r\n:2\r\n"
    );
    BEGINS(
        RESP(client, "MPUSH", "2", "q", "k", "1", "0", "q", "k", "2", "9"),
        "-ERR wrong number of arguments: nothing was pushed"
    );
    (void)RESP(client, "FETCH", "w", "COUNT", "10", "QUEUES", "q");
    CHECK_EQUAL(rig.leased, 2);
    BEGINS(RESP(client, "MACK", "2", "1", "1", "99"), "*2\r\n+OK\r\n-STALE ");
    CHECK_STR(RESP(client, "MFAIL", "oops", "1", "2"), "*1\r\n+retryable\r\n");
    rig_deinit(&rig);
}

TEST(log_lines_come_back_with_their_attempt_and_stream) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    (void)RESP(client, "PUSH", "q", "k", "1");
    (void)RESP(client, "FETCH", "w", "QUEUES", "q");
    CHECK_STR(
        RESP(client, "LOG", "1", "1", "STREAM", "err", "LEVEL", "warn", "LINES", "one", "two"),
        "+OK\r\n"
    );
    CHECK_STR(
        RESP(client, "LOGS", "1"),
        "*2\r\n"
        "*6\r\n:1772323200000\r\n:1\r\n$3\r\nerr\r\n$4\r\nwarn\r\n$3\r\none\r\n$5\r\n16384\r\n"
        "*6\r\n:1772323200000\r\n:1\r\n$3\r\nerr\r\n$4\r\nwarn\r\n$3\r\ntwo\r\n$5\r\n16385\r\n"
    );
    CHECK_STR(RESP(client, "LOGS", "1", "ATTEMPT", "2"), "*0\r\n");
    BEGINS(RESP(client, "LOGS", "9"), "-NOJOB ");
    rig_deinit(&rig);
}

TEST(a_worker_on_resp3_is_told_of_a_lost_lease) {
    struct rig rig;
    struct rig_client *worker;
    begin(&rig, &worker);
    struct rig_client *app = rig_connect(&rig, 1, &dialect_resp);
    BEGINS(RESP(worker, "HELLO", "3"), "%7\r\n");
    CHECK_STR(RESP(worker, "WORKER", "w1", "SLOTS", "2", "KINDS", "1", "k"), "+OK\r\n");
    (void)RESP(app, "PUSH", "q", "k", "1");
    (void)RESP(worker, "FETCH", "w1", "QUEUES", "q");
    CHECK_STR(RESP(app, "CANCEL", "1", "BY", "me", "WHY", "no need"), "+cancelled\r\n");
    BEGINS(rig_text(worker), "*1\r\n"); /* of the fetch, then: */
    HOLDS(rig_text(worker), ">4\r\n$4\r\nlost\r\n$1\r\n1\r\n$1\r\n1\r\n$6\r\nperson\r\n");
    rig_deinit(&rig);
}

TEST(jobs_that_do_not_fit_in_a_reply_are_given_back) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    enum { PAYLOAD = 7 << 20, JOBS = 6 };
    char *payload = test_malloc(PAYLOAD + 1);
    memset(payload, 'x', PAYLOAD);
    payload[PAYLOAD] = '\0';
    for (int i = 0; i < JOBS; i++) (void)RESP(client, "PUSH", "q", "k", payload);
    test_free(payload);
    BEGINS(RESP(client, "FETCH", "w", "COUNT", "6", "QUEUES", "q"), "*4\r\n");
    CHECK_EQUAL(rig.leased, 4);
    HOLDS(RESP(client, "GET", "6"), "$9\r\navailable\r\n");
    rig_deinit(&rig);
}

TEST(lists_come_in_pages) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    for (int i = 0; i < 5; i++) (void)RESP(client, "PUSH", "q", "k", "1");
    const char *page = RESP(client, "LS", "COUNT", "2", "STATE", "available");
    BEGINS(page, "*2\r\n$1\r\n4\r\n*2\r\n");
    page = RESP(client, "LS", "BEFORE", "2", "QUEUE", "q");
    BEGINS(page, "*2\r\n$1\r\n0\r\n*1\r\n");
    BEGINS(
        RESP(client, "LS", "STATE", "ready"),
        "-BADARG STATE: 'ready' is not one of scheduled available running"
    );
    BEGINS(RESP(client, "QUEUES"), "*1\r\n");
    BEGINS(RESP(client, "QUEUES", "FROM", "1"), "*0\r\n");
    rig_deinit(&rig);
}

TEST(a_job_in_the_wrong_state_is_answered_with_what_to_do) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    (void)RESP(client, "PUSH", "q", "k", "1");
    (void)RESP(client, "PUSH", "q", "k", "2");
    (void)RESP(client, "FETCH", "w", "QUEUES", "q");
    (void)RESP(client, "CANCEL", "2");
    BEGINS(
        RESP(client, "CANCEL", "2"),
        "-STATE the job is cancelled: nothing is left to cancel; delete removes it\r\n"
    );
    BEGINS(
        RESP(client, "DISCARD", "2"),
        "-STATE the job is cancelled: nothing is left to discard; delete removes it\r\n"
    );
    BEGINS(
        RESP(client, "DISCARD", "1"),
        "-STATE the job is running: only a waiting job can be discarded; cancel stops it\r\n"
    );
    BEGINS(
        RESP(client, "RETRY", "1"),
        "-STATE the job is running: to start it anew, cancel it first\r\n"
    );
    BEGINS(
        RESP(client, "UPDATE", "1", "PRIORITY", "1"),
        "-STATE the job is running: only a waiting job can be updated; push another one\r\n"
    );
    rig_deinit(&rig);
}

TEST(a_queue_is_paused_shown_and_resumed) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    (void)RESP(client, "PUSH", "q", "k", "1");
    CHECK_STR(RESP(client, "PAUSE", "q", "FOR", "1m", "WHY", "deploy"), "+OK\r\n");
    HOLDS(RESP(client, "QUEUE", "q"), "$10\r\npaused_why\r\n$6\r\ndeploy\r\n");
    CHECK_STR(RESP(client, "FETCH", "w", "QUEUES", "q"), "*0\r\n");
    CHECK_STR(RESP(client, "RESUME", "q"), "+OK\r\n");
    BEGINS(RESP(client, "FETCH", "w", "QUEUES", "q"), "*1\r\n");
    CHECK_STR(
        RESP(client, "QUEUE", "q", "ORDER", "lifo", "KEEP", "1h", "5", "KEEPFAILED", "2h", "6"),
        "+OK\r\n"
    );
    HOLDS(RESP(client, "QUEUE", "q"), "$20\r\nkeep_completed_count\r\n:5\r\n");
    CHECK_STR(RESP(client, "QUEUE", "q", "TIER", "0", "WEIGHT", "6"), "+OK\r\n");
    HOLDS(RESP(client, "QUEUE", "q"), "$4\r\ntier\r\n:0\r\n$6\r\nweight\r\n:6\r\n");
    BEGINS(RESP(client, "QUEUE", "q", "TIER", "1001"), "-BADARG ");
    BEGINS(RESP(client, "QUEUE", "q", "WEIGHT", "0"), "-BADARG ");
    BEGINS(RESP(client, "QUEUE", "none"), "-NOQUEUE ");
    rig_deinit(&rig);
}

TEST(a_malformed_request_is_answered_and_ends_the_connection) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    rig_send(client, SLICE("*1\r\n$4\r\nPING\r\n*1\r\nPING\r\n"));
    BEGINS(rig_text(client), "+PONG\r\n-ERR Protocol error");
    CHECK_EQUAL(client->next, SESSION_CLOSE);
    rig_deinit(&rig);
}

TEST(nothing_is_served_while_the_journal_is_congested) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    rig.congested = true;
    CHECK_STR(RESP(client, "PUSH", "q", "k", "1"), "");
    CHECK_EQUAL(client->next, SESSION_YIELD);
    rig.congested = false;
    CHECK_STR(RESP(client, "PING"), ":1\r\n+PONG\r\n");
    rig_deinit(&rig);
}

TEST(a_stop_answers_what_waits) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    (void)RESP(client, "FETCH", "w", "WAIT", "60s", "QUEUES", "q");
    space_turn_begin(rig.space, rig.now_ns);
    client->session->dialect->finish(client->session);
    (void)space_turn_end(rig.space);
    CHECK_STR(rig_text(client), "*0\r\n");
    rig_deinit(&rig);
}

TESTS(
    a_job_goes_through_push_fetch_ack_and_get,
    a_duplicate_answers_the_first_id,
    a_wrong_argument_is_named_with_what_is_allowed,
    a_waiting_fetch_is_answered_by_a_push_of_another_client,
    what_is_pipelined_behind_a_waiting_fetch_waits_for_its_turn,
    a_waiting_fetch_of_a_client_that_is_gone_leases_nothing,
    get_wait_answers_when_the_job_is_final,
    many_jobs_are_pushed_and_finished_in_one_request,
    log_lines_come_back_with_their_attempt_and_stream,
    a_worker_on_resp3_is_told_of_a_lost_lease,
    jobs_that_do_not_fit_in_a_reply_are_given_back,
    lists_come_in_pages,
    a_job_in_the_wrong_state_is_answered_with_what_to_do,
    a_queue_is_paused_shown_and_resumed,
    a_malformed_request_is_answered_and_ends_the_connection,
    nothing_is_served_while_the_journal_is_congested,
    a_stop_answers_what_waits
)
