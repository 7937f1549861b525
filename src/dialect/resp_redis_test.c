/* SPDX-License-Identifier: Apache-2.0 */
/* What Redis clients send beside Hob's own commands, and what they must get; subscriptions and
 * MULTI. */
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "dialect/resp/channel.h"
#include "dialect/resp/resp.h"
#include "dialect/rig.h"

#define BEGINS(text, wanted) CHECK(strncmp((text), (wanted), strlen(wanted)) == 0)
#define HOLDS(text, wanted)  CHECK(strstr((text), (wanted)) != NULL)
#define LACKS(text, wanted)  CHECK(strstr((text), (wanted)) == NULL)

static void begin(struct rig *rig, struct rig_client **ret_client) {
    rig_init(rig);
    *ret_client = rig_connect(rig, 0, &dialect_resp);
}

static size_t count_of(const char *text, const char *part) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) count++;
    return count;
}

/* --- on connect --- */

TEST(a_client_gives_its_name_and_library_and_is_told_of_them) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    CHECK_STR(RESP(client, "CLIENT", "GETNAME"), "$-1\r\n");
    CHECK_STR(RESP(client, "CLIENT", "SETNAME", "app-1"), "+OK\r\n");
    CHECK_STR(RESP(client, "client", "setinfo", "LIB-NAME", "redis-py"), "+OK\r\n");
    CHECK_STR(RESP(client, "CLIENT", "SETINFO", "lib-ver", "5.0.1"), "+OK\r\n");
    CHECK_STR(RESP(client, "CLIENT", "GETNAME"), "$5\r\napp-1\r\n");
    HOLDS(RESP(client, "CLIENT", "INFO"), " name=app-1 flags=N db=0 sub=0 multi=-1 ");
    HOLDS(RESP(client, "CLIENT", "LIST"), " resp=2 lib-name=redis-py lib-ver=5.0.1\n");
    BEGINS(RESP(client, "CLIENT", "SETNAME", "a b"), "-BADARG name: 'a b' is not at most 64 bytes");
    BEGINS(RESP(client, "CLIENT", "SETINFO", "LIB-COLOUR", "x"), "-ERR CLIENT SETINFO knows");
    BEGINS(
        RESP(client, "CLIENT", "SETNAMES", "x"),
        "-ERR CLIENT has no 'SETNAMES': do you mean SETNAME?"
    );
    BEGINS(RESP(client, "CLIENT", "REPLY", "OFF"), "-ERR replies cannot be turned off");
    CHECK_STR(RESP(client, "CLIENT", "REPLY", "ON"), "+OK\r\n");
    CHECK_STR(RESP(client, "CLIENT", "NO-EVICT", "on"), "+OK\r\n");
    BEGINS(RESP(client, "CLIENT", "TRACKING", "ON"), "-ERR there are no keys to track");
    CHECK_STR(RESP(client, "CLIENT", "TRACKING", "OFF"), "+OK\r\n");
    BEGINS(RESP(client, "CLIENT", "KILL", "ID", "3"), "-ERR Hob does not offer this");
    rig_deinit(&rig);
}

TEST(hello_sets_version_and_name_and_reset_takes_them_back) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    BEGINS(RESP(client, "HELLO", "3", "SETNAME", "app"), "%7\r\n$6\r\nserver\r\n$3\r\nhob\r\n");
    HOLDS(RESP(client, "CLIENT", "GETNAME"), "app");
    CHECK_STR(RESP(client, "RESULT", "9"), "_\r\n");
    BEGINS(RESP(client, "HELLO", "4"), "-NOPROTO ");
    BEGINS(RESP(client, "HELLO", "3", "NAME", "x"), "-ERR HELLO takes");
    CHECK_STR(RESP(client, "RESET"), "+RESET\r\n");
    CHECK_STR(RESP(client, "CLIENT", "GETNAME"), "$-1\r\n");
    rig_deinit(&rig);
}

TEST(the_table_is_told_in_the_forms_of_redis) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    CHECK_STR(
        RESP(client, "COMMAND", "INFO", "ack", "nosuch"),
        "*2\r\n*10\r\n$3\r\nack\r\n:-3\r\n*1\r\n+write\r\n:0\r\n:0\r\n:0\r\n*0\r\n*0\r\n*0\r\n*"
        "0\r\n*-1\r\n"
    );
    HOLDS(RESP(client, "COMMAND", "DOCS", "PING"), "$7\r\nsummary\r\n");
    BEGINS(RESP(client, "COMMAND", "LIST"), "*");
    BEGINS(RESP(client, "COMMAND", "COUNT"), ":");
    BEGINS(RESP(client, "COMMAND", "GETKEYS", "GET", "1"), "-ERR The command has no key");
    BEGINS(RESP(client, "COMMAND"), "*");
    rig_deinit(&rig);
}

TEST(info_config_and_time_have_what_clients_parse) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    HOLDS(RESP(client, "INFO"), "\r\nloading:0\r\n");
    HOLDS(RESP(client, "INFO"), "# Server\r\nserver_name:hob\r\n");
    const char *info = RESP(client, "INFO", "replication");
    HOLDS(info, "# Replication\r\nrole:master\r\n");
    LACKS(info, "# Server");
    HOLDS(RESP(client, "INFO", "everything"), "cluster_enabled:0\r\n");
    CHECK_STR(RESP(client, "INFO", "nosuch"), "$0\r\n\r\n");
    CHECK_STR(
        RESP(client, "CONFIG", "GET", "data*", "*-read-only"),
        "*6\r\n$9\r\ndatabases\r\n$1\r\n1\r\n$17\r\nreplica-read-only\r\n$2\r\nno\r\n"
        "$15\r\nslave-read-only\r\n$2\r\nno\r\n"
    );
    CHECK_STR(RESP(client, "CONFIG", "GET", "nosuch"), "*0\r\n");
    BEGINS(
        RESP(client, "CONFIG", "SET", "save", ""), "-ERR settings of the server are in its file"
    );
    CHECK_STR(RESP(client, "TIME"), "*2\r\n$10\r\n1772323200\r\n$1\r\n0\r\n");
    rig_deinit(&rig);
}

TEST(commands_of_redis_that_hob_has_not_are_refused_with_a_reason) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    BEGINS(RESP(client, "SET", "a", "b"), "-ERR Hob holds jobs, not keys: PUSH adds one");
    BEGINS(RESP(client, "blpop", "a", "0"), "-ERR Hob holds jobs, not keys");
    BEGINS(RESP(client, "EVAL", "x", "0"), "-ERR Hob runs no scripts");
    BEGINS(RESP(client, "CLUSTER", "INFO"), "-ERR This instance has cluster support disabled");
    BEGINS(RESP(client, "WATCH", "a"), "-ERR there are no keys to watch");
    BEGINS(RESP(client, "MONITOR"), "-ERR not offered");
    BEGINS(RESP(client, "PUBLISH", "a", "b"), "-ERR only Hob publishes");
    rig_deinit(&rig);
}

TEST(empty_lines_between_requests_are_nothing) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    rig_send(client, SLICE("*1\r\n$4\r\nPING\r\n\r\n\r\n*1\r\n$4\r\nPING\r\n\r"));
    CHECK_STR(rig_text(client), "+PONG\r\n+PONG\r\n");
    rig_send(client, SLICE("\n*1\r\n$4\r\nPING\r\n\r\n"));
    CHECK_STR(rig_text(client), "+PONG\r\n");
    CHECK_EQUAL(client->in.size, 0); /* nothing that would look like a request begun */
    rig_deinit(&rig);
}

TEST(an_option_that_comes_twice_is_refused) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    CHECK_STR(
        RESP(client, "PUSH", "q", "k", "", "PRIORITY", "1", "priority", "2"),
        "-BADARG PRIORITY: given twice\r\n"
    );
    BEGINS(RESP(client, "LS", "STATE", "available", "STATE", "running"), "*2\r\n");
    rig_deinit(&rig);
}

/* --- MULTI --- */

TEST(a_block_is_kept_and_run_in_one_go) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    struct rig_client *other = rig_connect(&rig, 1, &dialect_resp);
    CHECK_STR(RESP(client, "MULTI"), "+OK\r\n");
    CHECK_STR(RESP(client, "PUSH", "q", "k", "1"), "+QUEUED\r\n");
    CHECK_STR(RESP(client, "PUSH", "q", "bad kind", "2"), "+QUEUED\r\n");
    CHECK_STR(RESP(client, "WAIT", "1", "60000"), "+QUEUED\r\n");
    HOLDS(RESP(client, "CLIENT", "INFO"), "QUEUED");
    CHECK_STR(RESP(other, "GET", "1"), "$-1\r\n");
    const char *done = RESP(client, "EXEC");
    BEGINS(done, "*4\r\n:1\r\n-BADARG kind: ");
    HOLDS(done, "$9\r\navailable\r\n");
    HOLDS(done, " multi=-1 ");
    CHECK_EQUAL(client->next, SESSION_READ);
    BEGINS(RESP(client, "EXEC"), "-ERR EXEC without MULTI");
    rig_deinit(&rig);
}

TEST(a_block_with_a_wrong_command_does_nothing) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    (void)RESP(client, "MULTI");
    (void)RESP(client, "PUSH", "q", "k", "1");
    BEGINS(RESP(client, "PUSH", "q"), "-ERR wrong number of arguments");
    BEGINS(RESP(client, "EXEC"), "-EXECABORT ");
    CHECK_STR(RESP(client, "GET", "1"), "$-1\r\n");
    (void)RESP(client, "MULTI");
    BEGINS(RESP(client, "MULTI"), "-ERR MULTI calls can not be nested");
    BEGINS(RESP(client, "FETCH", "w", "QUEUES", "q"), "-ERR FETCH is not allowed");
    BEGINS(RESP(client, "EXEC"), "-EXECABORT ");
    (void)RESP(client, "MULTI");
    (void)RESP(client, "PUSH", "q", "k", "1");
    CHECK_STR(RESP(client, "DISCARD"), "+OK\r\n");
    CHECK_STR(RESP(client, "GET", "1"), "$-1\r\n");
    BEGINS(RESP(client, "DISCARD"), "-ERR wrong number of arguments: DISCARD id");
    rig_deinit(&rig);
}

TEST(a_block_is_bounded) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    (void)RESP(client, "MULTI");
    for (int i = 0; i < 1000; i++) CHECK_STR(RESP(client, "PING"), "+QUEUED\r\n");
    BEGINS(RESP(client, "PING"), "-ERR there are at most 1000 commands");
    BEGINS(RESP(client, "EXEC"), "-EXECABORT ");
    rig_deinit(&rig);
}

/* --- subscriptions --- */

TEST(a_job_that_is_over_is_told_on_its_channels) {
    struct rig rig;
    struct rig_client *app;
    begin(&rig, &app);
    struct rig_client *ear = rig_connect(&rig, 1, &dialect_resp);
    CHECK_STR(
        RESP(ear, "SUBSCRIBE", "hob:queue:mail", "hob:kind:other"),
        "*3\r\n$9\r\nsubscribe\r\n$14\r\nhob:queue:mail\r\n:1\r\n"
        "*3\r\n$9\r\nsubscribe\r\n$14\r\nhob:kind:other\r\n:2\r\n"
    );
    (void)RESP(app, "PUSH", "mail", "welcome", "x");
    (void)RESP(app, "FETCH", "w", "QUEUES", "mail");
    LACKS(rig_text(ear), "message"); /* what is not over is no news here */
    (void)RESP(app, "ACK", "1", "1");
    const char *told = rig_text(ear);
    HOLDS(told, ":2\r\n*3\r\n$7\r\nmessage\r\n$14\r\nhob:queue:mail\r\n$");
    HOLDS(
        told,
        "{\"type\":\"state\",\"id\":\"1\",\"queue\":\"mail\",\"kind\":\"welcome\",\"from\":"
        "\"running\","
    );
    HOLDS(
        told,
        "\"state\":\"completed\",\"attempt\":1,\"at\":\"2026-03-01T00:00:00Z\",\"worker\":\"w\"}"
    );
    CHECK_EQUAL(count_of(told, "message"), 1);
    rig_deinit(&rig);
}

TEST(a_failure_says_why) {
    struct rig rig;
    struct rig_client *app;
    begin(&rig, &app);
    struct rig_client *ear = rig_connect(&rig, 1, &dialect_resp);
    (void)RESP(ear, "SUBSCRIBE", "hob:finished");
    (void)RESP(app, "PUSH", "q", "k", "x", "ATTEMPTS", "1");
    (void)RESP(app, "FETCH", "w", "QUEUES", "q");
    (void)RESP(app, "FAIL", "1", "1", "no such address", "CODE", "3");
    HOLDS(rig_text(ear), "\"state\":\"discarded\"");
    HOLDS(rig_text(ear), "\"code\":3,\"text\":\"no such address\"}");
    rig_deinit(&rig);
}

TEST(one_job_is_followed_to_its_end_and_beyond) {
    struct rig rig;
    struct rig_client *app;
    begin(&rig, &app);
    struct rig_client *ear = rig_connect(&rig, 1, &dialect_resp);
    (void)RESP(app, "PUSH", "q", "k", "x");
    (void)RESP(ear, "SUBSCRIBE", "hob:job:1");
    (void)RESP(app, "FETCH", "w", "QUEUES", "q");
    (void)RESP(app, "PROGRESS", "1", "1", "40", "halfway");
    (void)RESP(app, "ACK", "1", "1");
    const char *told = rig_text(ear);
    CHECK_EQUAL(count_of(told, "$9\r\nhob:job:1\r\n"), 4); /* the confirmation, and three */
    HOLDS(told, "\"state\":\"running\"");
    HOLDS(told, "\"percent\":40,\"text\":\"halfway\"}");
    HOLDS(told, "\"state\":\"completed\"");
    /* Who comes late is told at once, instead of never. */
    struct rig_client *late = rig_connect(&rig, 2, &dialect_resp);
    HOLDS(RESP(late, "SUBSCRIBE", "hob:job:1"), ":1\r\n*3\r\n$7\r\nmessage\r\n$9\r\nhob:job:1\r\n");
    HOLDS(rig_text(late), "\"state\":\"completed\"");
    (void)RESP(app, "DELETE", "1");
    HOLDS(rig_text(ear), "{\"type\":\"deleted\",\"id\":\"1\"");
    struct rig_client *later = rig_connect(&rig, 3, &dialect_resp);
    HOLDS(RESP(later, "SUBSCRIBE", "hob:job:1"), "{\"type\":\"deleted\",\"id\":\"1\"}");
    LACKS(RESP(later, "SUBSCRIBE", "hob:job:2"), "deleted"); /* it may be made yet */
    rig_deinit(&rig);
}

TEST(a_pattern_hears_each_channel_that_it_fits) {
    struct rig rig;
    struct rig_client *app;
    begin(&rig, &app);
    struct rig_client *ear = rig_connect(&rig, 1, &dialect_resp);
    CHECK_STR(
        RESP(ear, "PSUBSCRIBE", "hob:[qk]*"), "*3\r\n$10\r\npsubscribe\r\n$9\r\nhob:[qk]*\r\n:1\r\n"
    );
    (void)RESP(app, "PUSH", "q", "k", "x");
    (void)RESP(app, "CANCEL", "1", "BY", "ann", "WHY", "wrong");
    const char *told = rig_text(ear);
    CHECK_EQUAL(count_of(told, "*4\r\n$8\r\npmessage\r\n$9\r\nhob:[qk]*\r\n"), 2);
    HOLDS(told, "\r\n$11\r\nhob:queue:q\r\n");
    HOLDS(told, "\r\n$10\r\nhob:kind:k\r\n");
    HOLDS(told, "\"state\":\"cancelled\"");
    HOLDS(told, "\"by\":\"ann\",\"why\":\"wrong\"}");
    rig_deinit(&rig);
}

TEST(a_channel_that_is_none_is_refused_and_one_of_a_library_is_quiet) {
    struct rig rig;
    struct rig_client *ear;
    begin(&rig, &ear);
    BEGINS(
        RESP(ear, "SUBSCRIBE", "hob:finished", "hob:jobs:1"),
        "-BADARG there is no channel 'hob:jobs:1'"
    );
    BEGINS(RESP(ear, "SUBSCRIBE", "hob:job:x"), "-BADARG ");
    BEGINS(RESP(ear, "SUBSCRIBE", "hob:queue:"), "-BADARG ");
    BEGINS(RESP(ear, "SUBSCRIBE", "news"), "-BADARG ");
    CHECK_EQUAL(rig.subscribed, 0);
    BEGINS(RESP(ear, "SUBSCRIBE", "__Booksleeve_MasterChanged"), "*3\r\n$9\r\nsubscribe\r\n");
    CHECK_EQUAL(rig.subscribed, 0);
    rig_deinit(&rig);
}

TEST(a_resp2_connection_that_listens_serves_little_else) {
    struct rig rig;
    struct rig_client *ear;
    begin(&rig, &ear);
    (void)RESP(ear, "SUBSCRIBE", "hob:finished");
    BEGINS(RESP(ear, "GET", "1"), "-ERR only (P)SUBSCRIBE, (P)UNSUBSCRIBE, PING, RESET and QUIT");
    CHECK_STR(RESP(ear, "PING"), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    CHECK_STR(RESP(ear, "PING", "x"), "*2\r\n$4\r\npong\r\n$1\r\nx\r\n");
    CHECK_STR(
        RESP(ear, "UNSUBSCRIBE", "hob:none"), "*3\r\n$11\r\nunsubscribe\r\n$8\r\nhob:none\r\n:1\r\n"
    );
    CHECK_STR(
        RESP(ear, "UNSUBSCRIBE"), "*3\r\n$11\r\nunsubscribe\r\n$12\r\nhob:finished\r\n:0\r\n"
    );
    CHECK_EQUAL(rig.subscribed, 0);
    CHECK_STR(RESP(ear, "UNSUBSCRIBE"), "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
    CHECK_STR(RESP(ear, "PING"), "+PONG\r\n");
    (void)RESP(ear, "PSUBSCRIBE", "*");
    CHECK_STR(RESP(ear, "RESET"), "+RESET\r\n");
    CHECK_EQUAL(rig.subscribed, 0);
    CHECK_STR(RESP(ear, "PING"), "+PONG\r\n");
    rig_deinit(&rig);
}

TEST(on_resp3_messages_stand_behind_the_reply_that_caused_them) {
    struct rig rig;
    struct rig_client *client;
    begin(&rig, &client);
    (void)RESP(client, "HELLO", "3");
    CHECK_STR(
        RESP(client, "SUBSCRIBE", "hob:events"),
        ">3\r\n$9\r\nsubscribe\r\n$10\r\nhob:events\r\n:1\r\n"
    );
    const char *told = RESP(client, "MPUSH", "2", "q", "k", "1", "0", "q", "k", "2", "0");
    BEGINS(told, "*2\r\n:1\r\n:2\r\n>3\r\n$7\r\nmessage\r\n$10\r\nhob:events\r\n");
    CHECK_EQUAL(count_of(told, ">3\r\n"), 2);
    (void)RESP(client, "MULTI");
    (void)RESP(client, "CANCEL", "1");
    (void)RESP(client, "CANCEL", "2");
    BEGINS(RESP(client, "EXEC"), "*2\r\n+cancelled\r\n+cancelled\r\n>3\r\n");
    rig_deinit(&rig);
}

TEST(a_slow_reader_is_told_how_much_it_may_have_missed) {
    struct rig rig;
    struct rig_client *app;
    begin(&rig, &app);
    struct rig_client *ear = rig_connect(&rig, 1, &dialect_resp);
    (void)RESP(ear, "SUBSCRIBE", "hob:queue:q");
    ear->session->events_missed = 7; /* as session_event counts */
    (void)RESP(app, "PUSH", "q", "k", "x");
    (void)RESP(app, "CANCEL", "1");
    HOLDS(rig_text(ear), "$28\r\n{\"type\":\"missed\",\"events\":7}\r\n*3\r\n");
    HOLDS(rig_text(ear), "\"state\":\"cancelled\"");
    (void)RESP(app, "PUSH", "q", "k", "x");
    (void)RESP(app, "CANCEL", "2");
    CHECK_EQUAL(count_of(rig_text(ear), "missed"), 1);
    rig_deinit(&rig);
}

TEST(subscriptions_are_bounded) {
    struct rig rig;
    struct rig_client *ear;
    begin(&rig, &ear);
    char name[32];
    for (int i = 1; i <= 1000; i++) {
        HOB_AUTO_BUF struct buf text = buf_make(sizeof name);
        (void)buf_put_str(&text, "hob:job:");
        (void)buf_put_u64(&text, (uint64_t)i);
        (void)buf_put_char(&text, '\0');
        memcpy(name, text.bytes, text.size);
        BEGINS(RESP(ear, "SUBSCRIBE", name), "*3\r\n");
    }
    BEGINS(RESP(ear, "SUBSCRIBE", "hob:events"), "-LIMIT a connection has at most 1000");
    rig_deinit(&rig);
}

/* --- the globs of Redis --- */

TEST(patterns_fit_as_in_redis) {
    static const struct {
        const char *pattern;
        const char *text;
        bool fits;
    } cases[] = {
        {"*", "", true},
        {"", "", true},
        {"", "a", false},
        {"a*c", "abbc", true},
        {"a*c", "abbd", false},
        {"*b*", "aabaa", true},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"h[ae]llo", "hello", true},
        {"h[ae]llo", "hillo", false},
        {"h[^e]llo", "hallo", true},
        {"h[^e]llo", "hello", false},
        {"h[a-b]llo", "hbllo", true},
        {"h[b-a]llo", "hallo", true},
        {"a\\*", "a*", true},
        {"a\\*", "ab", false},
        {"[\\]]", "]", true},
        {"a[", "a", false},
        {"[ab", "b", true},
        {"a\\", "a\\", true},
        {"**a**", "xxaxx", true},
        {"*aab", "aaaab", true},
        {"*[0-9]", "hob:job:17", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool fits = channel_pattern_fits(slice_str(cases[i].pattern), slice_str(cases[i].text));
        CHECK_EQUAL(fits, cases[i].fits);
    }
}

TESTS(
    a_client_gives_its_name_and_library_and_is_told_of_them,
    hello_sets_version_and_name_and_reset_takes_them_back,
    the_table_is_told_in_the_forms_of_redis,
    info_config_and_time_have_what_clients_parse,
    commands_of_redis_that_hob_has_not_are_refused_with_a_reason,
    empty_lines_between_requests_are_nothing,
    an_option_that_comes_twice_is_refused,
    a_block_is_kept_and_run_in_one_go,
    a_block_with_a_wrong_command_does_nothing,
    a_block_is_bounded,
    a_job_that_is_over_is_told_on_its_channels,
    a_failure_says_why,
    one_job_is_followed_to_its_end_and_beyond,
    a_pattern_hears_each_channel_that_it_fits,
    a_channel_that_is_none_is_refused_and_one_of_a_library_is_quiet,
    a_resp2_connection_that_listens_serves_little_else,
    on_resp3_messages_stand_behind_the_reply_that_caused_them,
    a_slow_reader_is_told_how_much_it_may_have_missed,
    subscriptions_are_bounded,
    patterns_fit_as_in_redis
)
