/* SPDX-License-Identifier: Apache-2.0 */
/* LOGS and SEARCH over RESP: sequence numbers, following, pages of what was found. */
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "dialect/loglines.h"
#include "dialect/resp/resp.h"
#include "dialect/rig.h"
#include "dialect/search.h"

#define BEGINS(text, wanted) CHECK(strncmp((text), (wanted), strlen(wanted)) == 0)
#define HOLDS(text, wanted)  CHECK(strstr((text), (wanted)) != NULL)
#define LACKS(text, wanted)  CHECK(strstr((text), (wanted)) == NULL)

/* A running job, number 1 of kind `k` in queue `q`, whose token is 1. */
static struct rig_client *begin(struct rig *rig) {
    rig_init(rig);
    struct rig_client *client = rig_connect(rig, 0, &dialect_resp);
    CHECK_STR(RESP(client, "PUSH", "q", "k", "x"), ":1\r\n");
    BEGINS(RESP(client, "FETCH", "w", "QUEUES", "q"), "*1\r\n");
    return client;
}

static size_t count_of(const char *text, const char *part) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) count++;
    return count;
}

/* --- LOGS --- */

TEST(every_line_has_a_number_that_stays_and_one_reads_on_behind_it) {
    struct rig rig;
    struct rig_client *client = begin(&rig);
    (void)RESP(client, "LOG", "1", "1", "LINES", "a", "b");
    (void)RESP(client, "LOG", "1", "1", "LINES", "c");
    const char *all = RESP(client, "LOGS", "1");
    BEGINS(all, "*3\r\n");
    HOLDS(all, "$1\r\na\r\n$5\r\n16384\r\n");
    HOLDS(all, "$1\r\nb\r\n$5\r\n16385\r\n");
    HOLDS(all, "$1\r\nc\r\n$5\r\n32768\r\n");
    const char *rest = RESP(client, "LOGS", "1", "AFTER", "16384");
    BEGINS(rest, "*2\r\n");
    HOLDS(rest, "$1\r\nb\r\n");
    HOLDS(RESP(client, "LOGS", "1", "AFTER", "16384", "COUNT", "1"), "$5\r\n16385\r\n");
    CHECK_STR(RESP(client, "LOGS", "1", "AFTER", "32768"), "*0\r\n");
    BEGINS(RESP(client, "LOGS", "1", "AFTER", "x"), "-BADARG AFTER: ");
    BEGINS(
        RESP(client, "LOGS", "1", "AFTR", "1"), "-BADARG there is no option 'AFTR': do you mean"
    );
    rig_deinit(&rig);
}

TEST(lines_answer_who_waits_for_them) {
    struct rig rig;
    struct rig_client *worker = begin(&rig);
    struct rig_client *reader = rig_connect(&rig, 1, &dialect_resp);
    CHECK_STR(RESP(reader, "LOGS", "1", "WAIT", "60s"), "");
    CHECK_EQUAL(reader->next, SESSION_WAIT);
    CHECK_EQUAL(rig.subscribed, 1);
    (void)RESP(worker, "PROGRESS", "1", "1", "5");
    CHECK_STR(rig_text(reader), "");
    (void)RESP(worker, "LOG", "1", "1", "LINES", "a", "b");
    BEGINS(rig_text(reader), "*2\r\n*6\r\n");
    HOLDS(rig_text(reader), "$1\r\nb\r\n$5\r\n16385\r\n");
    CHECK_EQUAL(rig.subscribed, 0);
    /* The next request is served, and the one that was waiting in the engine bothers nobody. */
    CHECK_STR(RESP(reader, "PING"), "+PONG\r\n");
    CHECK_STR(RESP(reader, "LOGS", "1", "AFTER", "16385", "WAIT", "60s"), "");
    (void)RESP(worker, "LOG", "1", "1", "LINES", "c");
    HOLDS(rig_text(reader), "$1\r\nc\r\n$5\r\n32768\r\n");
    rig_advance(&rig, 61 * NS_PER_SECOND);
    CHECK_STR(rig_text(reader), "");
    rig_deinit(&rig);
}

TEST(the_end_of_the_job_or_of_the_time_answers_too) {
    struct rig rig;
    struct rig_client *worker = begin(&rig);
    struct rig_client *reader = rig_connect(&rig, 1, &dialect_resp);
    (void)RESP(reader, "LOGS", "1", "WAIT", "1000");
    rig_advance(&rig, 2 * NS_PER_SECOND);
    CHECK_STR(rig_text(reader), "*0\r\n");
    CHECK_EQUAL(rig.subscribed, 0);
    (void)RESP(reader, "LOGS", "1", "WAIT", "60s");
    CHECK_STR(RESP(worker, "ACK", "1", "1"), "+OK\r\n");
    CHECK_STR(rig_text(reader), "*0\r\n");
    CHECK_STR(
        RESP(reader, "LOGS", "1", "WAIT", "60s"), "*0\r\n"
    ); /* it is over: nothing will come */
    rig_deinit(&rig);
}

TEST(who_waits_may_go_away_and_the_server_may_stop) {
    struct rig rig;
    struct rig_client *worker = begin(&rig);
    struct rig_client *reader = rig_connect(&rig, 1, &dialect_resp);
    (void)RESP(reader, "LOGS", "1", "WAIT", "60s");
    (void)RESP(worker, "LOG", "1", "1", "LINES", "a");
    rig_disconnect(reader); /* with a stale wait */
    reader = rig_connect(&rig, 1, &dialect_resp);
    (void)RESP(reader, "LOGS", "1", "AFTER", "99999", "WAIT", "60s");
    rig_disconnect(reader); /* with a live one */
    CHECK_EQUAL(rig.subscribed, 0);
    reader = rig_connect(&rig, 1, &dialect_resp);
    (void)RESP(reader, "LOGS", "1", "AFTER", "99999", "WAIT", "60s");
    (void)RESP(worker, "LOG", "1", "1", "LINES", "b");
    CHECK_STR(rig_text(reader), ""); /* not behind 99999 */
    CHECK_STR(RESP(worker, "ACK", "1", "1"), "+OK\r\n");
    CHECK_STR(rig_text(reader), "*0\r\n");
    rig_deinit(&rig);
}

/* --- SEARCH --- */

TEST(a_search_goes_from_new_to_old_over_lines_errors_and_backtraces) {
    struct rig rig;
    struct rig_client *client = begin(&rig);
    (void)RESP(
        client, "LOG", "1", "1", "STREAM", "err", "LINES", "connect", "Timeout one", "timeOUT two"
    );
    (void)RESP(
        client,
        "FAIL",
        "1",
        "1",
        "a TIMEOUT it was",
        "BACKTRACE",
        "at f\nby g: timeout\nat h",
        "PERMANENT"
    );
    (void)RESP(client, "PUSH", "q", "other", "x");
    (void)RESP(client, "FETCH", "w", "QUEUES", "q");
    (void
    )RESP(client, "FAIL", "2", "2", "no", "BACKTRACE", "at f\nby g: timeout 9\nat h", "PERMANENT");
    const char *found = RESP(client, "SEARCH", "TEXT", "timeout");
    BEGINS(found, "*4\r\n$1\r\n0\r\n*4\r\n");
    const char *first = strstr(found, "$14\r\nby g: timeout 9\r\n");
    const char *second = strstr(found, "$16\r\na TIMEOUT it was\r\n");
    const char *third = strstr(found, "$11\r\ntimeOUT two\r\n");
    const char *fourth = strstr(found, "$11\r\nTimeout one\r\n");
    CHECK(first == NULL); /* 15 bytes: the size is told */
    first = strstr(found, "by g: timeout 9\r\n");
    CHECK(first != NULL && second > first && third > second && fourth > third);
    HOLDS(found, "$5\r\nplace\r\n$9\r\nbacktrace\r\n");
    HOLDS(found, "$3\r\nseq\r\n$5\r\n16386\r\n");
    HOLDS(RESP(client, "SEARCH", "TEXT", "timeout", "KIND", "other"), "*4\r\n$1\r\n0\r\n*1\r\n");
    HOLDS(RESP(client, "SEARCH", "TEXT", "timeout", "LEVEL", "error"), "*4\r\n$1\r\n0\r\n*2\r\n");
    HOLDS(RESP(client, "SEARCH", "TEXT", "timeout", "STATE", "running"), "*4\r\n$1\r\n0\r\n*0\r\n");
    HOLDS(RESP(client, "SEARCH", "TEXT", "nothing like it"), "*4\r\n$1\r\n0\r\n*0\r\n");
    rig_deinit(&rig);
}

TEST(a_search_keeps_to_its_time) {
    struct rig rig;
    struct rig_client *client = begin(&rig);
    (void)RESP(client, "LOG", "1", "1", "AT", "1772323200000", "LINES", "early");
    rig_advance(&rig, 10 * NS_PER_SECOND);
    (void)RESP(client, "LOG", "1", "1", "LINES", "late");
    const char *found = RESP(client, "SEARCH", "SINCE", "2026-03-01T00:00:05Z");
    HOLDS(found, "late");
    LACKS(found, "early");
    found = RESP(client, "SEARCH", "UNTIL", "2026-03-01T00:00:05Z");
    HOLDS(found, "early");
    LACKS(found, "late");
    rig_deinit(&rig);
}

/* The cursor of a page: between its head and the next line end. */
static void take_cursor(const char *page, char *cursor, size_t size) {
    const char *at = strchr(page + 4, '\n') + 1;
    size_t length = (size_t)(strchr(at, '\r') - at);
    CHECK(length < size);
    memcpy(cursor, at, length);
    cursor[length] = '\0';
}

TEST(pages_of_a_search_join_without_gap_or_repetition) {
    struct rig rig;
    struct rig_client *client = begin(&rig);
    (void)RESP(client, "ACK", "1", "1");
    for (int job = 2; job <= 6; job++) {
        char id[2] = {(char)('0' + job), '\0'};
        (void)RESP(client, "PUSH", "q", "k", "x");
        (void)RESP(client, "FETCH", "w", "QUEUES", "q");
        (void)RESP(client, "LOG", id, id, "LINES", "hit", "miss", "hit", "hit");
        (void)RESP(client, "LOG", id, id, "LINES", "hit", "hit");
        (void)RESP(client, "FAIL", id, id, "hit", "PERMANENT");
    }
    for (int size = 1; size <= 7; size++) {
        const char count[2] = {(char)('0' + size), '\0'};
        char cursor[64] = "7";
        size_t found = 0;
        size_t pages = 0;
        while (strcmp(cursor, "0") != 0) {
            const char *page =
                RESP(client, "SEARCH", "TEXT", "HIT", "COUNT", count, "BEFORE", cursor);
            found += count_of(page, "$4\r\ntext\r\n$3\r\nhit\r\n");
            take_cursor(page, cursor, sizeof cursor);
            CHECK(++pages < 100);
        }
        CHECK_EQUAL(found, 5 * 6);
    }
    BEGINS(RESP(client, "SEARCH", "BEFORE", "x"), "-BADARG cursor: 'x' is not a cursor");
    BEGINS(RESP(client, "SEARCH", "BEFORE", "5."), "-BADARG cursor: ");
    rig_deinit(&rig);
}

TEST(a_part_is_found_whatever_the_case_of_its_letters) {
    CHECK(search_holds(SLICE("abc"), SLICE("")));
    CHECK(search_holds(SLICE("abc"), SLICE("BC")));
    CHECK(search_holds(SLICE("aab"), SLICE("ab")));
    CHECK(search_holds(SLICE("abacabab"), SLICE("ABAB")));
    CHECK(search_holds(SLICE("aabaabaaab"), SLICE("aabaaab")));
    CHECK(!search_holds(SLICE("aabaabaabaa"), SLICE("aabaaab")));
    CHECK(!search_holds(SLICE("abc"), SLICE("abcd")));
    CHECK(!search_holds(SLICE("abc"), SLICE("ac")));
    CHECK(!search_holds(SLICE("{"), SLICE("[")));
    CHECK(search_holds(SLICE("Straße"), SLICE("aße")));
}

TESTS(
    every_line_has_a_number_that_stays_and_one_reads_on_behind_it,
    lines_answer_who_waits_for_them,
    the_end_of_the_job_or_of_the_time_answers_too,
    who_waits_may_go_away_and_the_server_may_stop,
    a_search_goes_from_new_to_old_over_lines_errors_and_backtraces,
    a_search_keeps_to_its_time,
    pages_of_a_search_join_without_gap_or_repetition,
    a_part_is_found_whatever_the_case_of_its_letters
)
