/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/http_hosts.h"

#include <stdio.h>

#include "base/test.h"

static const struct siphash_key key = {.words = {1, 2}};

static const struct host_limits free_limits = {0};

static enum host_answer
ask(struct http_host *host, const struct host_limits *limits, hob_ns now_s, hob_ns *ret_wait_s) {
    hob_ns wait_ns = 0;
    enum host_answer answer = host_ask(host, limits, now_s * NS_PER_SECOND, &wait_ns);
    if (ret_wait_s != NULL) *ret_wait_s = wait_ns / NS_PER_SECOND;
    return answer;
}

static void
end(struct http_host *host, const struct host_limits *limits, enum host_end how, hob_ns now_s) {
    host_end(host, limits, how, now_s * NS_PER_SECOND);
}

TEST(a_host_is_its_name_and_its_port) {
    struct http_hosts hosts;
    hosts_init(&hosts, key);
    struct http_host *a = hosts_get(&hosts, "a", 443, 0);
    struct http_host *b = hosts_get(&hosts, "b", 443, 0);
    struct http_host *c = hosts_get(&hosts, "a", 80, 0);
    CHECK(a != b && a != c && b != c);
    CHECK(hosts_get(&hosts, "a", 443, 5) == a);
    CHECK(hosts_get(&hosts, "a", 80, 5) == c);
    hosts_deinit(&hosts);
}

TEST(past_the_limit_requests_wait_in_line_and_then_later) {
    struct http_hosts hosts;
    hosts_init(&hosts, key);
    struct host_limits limits = {.at_once = 2};
    struct http_host *host = hosts_get(&hosts, "a", 443, 0);
    CHECK_EQUAL(ask(host, &limits, 0, NULL), HOST_GO);
    CHECK_EQUAL(ask(host, &limits, 0, NULL), HOST_GO);
    struct link links[4];
    for (size_t i = 0; i < 4; i++) {
        CHECK_EQUAL(ask(host, &limits, 0, NULL), HOST_WAIT);
        host_line_enter(host, &links[i]);
    }
    hob_ns wait_s = 0;
    CHECK_EQUAL(ask(host, &limits, 0, &wait_s), HOST_LATER);
    CHECK_EQUAL(wait_s, 1);
    host_line_leave(host, &links[1]);
    CHECK_EQUAL(ask(host, &limits, 0, NULL), HOST_WAIT);
    end(host, &limits, HOST_WELL, 0);
    CHECK_EQUAL(ask(host, &limits, 0, NULL), HOST_GO);
    end(host, &limits, HOST_WELL, 0);
    end(host, &limits, HOST_WELL, 0);
    hosts_deinit(&hosts);
}

TEST(a_paused_host_is_left_alone_until_its_time) {
    struct http_hosts hosts;
    hosts_init(&hosts, key);
    struct http_host *host = hosts_get(&hosts, "a", 443, 0);
    host_pause(host, 10 * NS_PER_SECOND, 30 * NS_PER_SECOND);
    host_pause(host, 10 * NS_PER_SECOND, 5 * NS_PER_SECOND); /* the longer one holds */
    hob_ns wait_s = 0;
    CHECK_EQUAL(ask(host, &free_limits, 15, &wait_s), HOST_LATER);
    CHECK_EQUAL(wait_s, 25);
    CHECK_EQUAL(ask(host, &free_limits, 40, NULL), HOST_GO);
    end(host, &free_limits, HOST_WELL, 40);
    hosts_deinit(&hosts);
}

TEST(the_breaker_opens_after_failures_in_a_row_and_one_request_tries) {
    struct http_hosts hosts;
    hosts_init(&hosts, key);
    struct host_limits limits = {.breaker_failures = 3, .breaker_pause_ns = 10 * NS_PER_SECOND};
    struct http_host *host = hosts_get(&hosts, "a", 443, 0);
    static const enum host_end ends[] = {
        HOST_BADLY, HOST_BADLY, HOST_WELL, HOST_BADLY, HOST_UNKNOWN, HOST_BADLY};
    for (size_t i = 0; i < 6; i++) {
        CHECK_EQUAL(ask(host, &limits, 0, NULL), HOST_GO);
        end(host, &limits, ends[i], 0);
    }
    CHECK_EQUAL(ask(host, &limits, 0, NULL), HOST_GO);
    CHECK_EQUAL(ask(host, &limits, 0, NULL), HOST_GO);
    end(host, &limits, HOST_BADLY, 0); /* the third in a row */
    end(host, &limits, HOST_BADLY, 0); /* sent before it opened */
    hob_ns wait_s = 0;
    CHECK_EQUAL(ask(host, &limits, 4, &wait_s), HOST_LATER);
    CHECK_EQUAL(wait_s, 6);
    CHECK_EQUAL(ask(host, &limits, 10, NULL), HOST_GO); /* the one that tries */
    CHECK_EQUAL(ask(host, &limits, 10, &wait_s), HOST_LATER);
    CHECK_EQUAL(wait_s, 1);
    end(host, &limits, HOST_BADLY, 11);
    CHECK_EQUAL(ask(host, &limits, 11, &wait_s), HOST_LATER);
    CHECK_EQUAL(wait_s, 20); /* twice as long */
    CHECK_EQUAL(ask(host, &limits, 31, NULL), HOST_GO);
    end(host, &limits, HOST_WELL, 31);
    CHECK_EQUAL(ask(host, &limits, 31, NULL), HOST_GO);
    CHECK_EQUAL(ask(host, &limits, 31, NULL), HOST_GO);
    end(host, &limits, HOST_BADLY, 31);
    end(host, &limits, HOST_WELL, 31);
    hosts_deinit(&hosts);
}

TEST(the_pause_of_a_breaker_ends_at_five_minutes) {
    struct http_hosts hosts;
    hosts_init(&hosts, key);
    struct host_limits limits = {.breaker_failures = 1, .breaker_pause_ns = 100 * NS_PER_SECOND};
    struct http_host *host = hosts_get(&hosts, "a", 443, 0);
    hob_ns now_s = 0;
    static const hob_ns waits_s[] = {100, 200, 300, 300};
    for (size_t i = 0; i < 4; i++) {
        CHECK_EQUAL(ask(host, &limits, now_s, NULL), HOST_GO);
        end(host, &limits, HOST_BADLY, now_s);
        hob_ns wait_s = 0;
        CHECK_EQUAL(ask(host, &limits, now_s, &wait_s), HOST_LATER);
        CHECK_EQUAL(wait_s, waits_s[i]);
        now_s += wait_s;
    }
    hosts_deinit(&hosts);
}

TEST(without_a_breaker_failures_change_nothing) {
    struct http_hosts hosts;
    hosts_init(&hosts, key);
    struct http_host *host = hosts_get(&hosts, "a", 443, 0);
    for (size_t i = 0; i < 1000; i++) {
        CHECK_EQUAL(ask(host, &free_limits, 0, NULL), HOST_GO);
        end(host, &free_limits, HOST_BADLY, 0);
    }
    hosts_deinit(&hosts);
}

TEST(a_full_table_forgets_the_idle_hosts_and_no_others) {
    struct http_hosts hosts;
    hosts_init(&hosts, key);
    char name[20];
    for (unsigned i = 0; i < HOSTS_MAX; i++) {
        (void)snprintf(name, sizeof name, "h%u", i);
        struct http_host *host = hosts_get(&hosts, name, 443, 0);
        if (i % 100 == 0) CHECK_EQUAL(ask(host, &free_limits, 0, NULL), HOST_GO);
        if (i % 100 == 1) host_pause(host, 0, NS_PER_MINUTE);
    }
    struct http_host *busy = hosts_get(&hosts, "h500", 443, 0);
    struct http_host *paused = hosts_get(&hosts, "h501", 443, 0);
    CHECK(hosts_get(&hosts, "new", 443, 0) != NULL);
    CHECK_EQUAL(hosts.count, HOSTS_MAX / 50 + 1);
    CHECK(hosts_get(&hosts, "h500", 443, 0) == busy);
    CHECK(hosts_get(&hosts, "h501", 443, 0) == paused);
    CHECK_EQUAL(busy->under_way, 1);
    CHECK_EQUAL(hosts.count, HOSTS_MAX / 50 + 1);
    for (unsigned i = 0; i < HOSTS_MAX; i += 100) {
        (void)snprintf(name, sizeof name, "h%u", i);
        end(hosts_get(&hosts, name, 443, 0), &free_limits, HOST_WELL, 0);
    }
    hosts_deinit(&hosts);
}

TEST(when_all_hosts_are_in_use_there_is_no_room) {
    struct http_hosts hosts;
    hosts_init(&hosts, key);
    char name[20];
    for (unsigned i = 0; i < HOSTS_MAX; i++) {
        (void)snprintf(name, sizeof name, "h%u", i);
        host_pause(hosts_get(&hosts, name, 443, 0), 0, NS_PER_SECOND);
    }
    CHECK(hosts_get(&hosts, "new", 443, 0) == NULL);
    CHECK(hosts_get(&hosts, "new", 443, 2 * NS_PER_SECOND) != NULL);
    CHECK_EQUAL(hosts.count, 1);
    hosts_deinit(&hosts);
}

TESTS(
    a_host_is_its_name_and_its_port,
    past_the_limit_requests_wait_in_line_and_then_later,
    a_paused_host_is_left_alone_until_its_time,
    the_breaker_opens_after_failures_in_a_row_and_one_request_tries,
    the_pause_of_a_breaker_ends_at_five_minutes,
    without_a_breaker_failures_change_nothing,
    a_full_table_forgets_the_idle_hosts_and_no_others,
    when_all_hosts_are_in_use_there_is_no_room
)
