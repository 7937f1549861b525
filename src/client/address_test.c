/* SPDX-License-Identifier: Apache-2.0 */
#include "client/address.h"

#include "base/test.h"

static bool parse(const char *text, struct address *ret_address) {
    return address_parse(slice_str(text), ret_address);
}

TEST(a_host_without_a_port_gets_the_native_one) {
    struct address address;
    CHECK(parse("jobs.example", &address));
    CHECK_STR(address.host, "jobs.example");
    CHECK_STR(address.port, "4620");
    CHECK_STR(address.text, "jobs.example:4620");
}

TEST(host_and_port_and_a_scheme_are_taken) {
    struct address address;
    CHECK(parse("127.0.0.1:99", &address));
    CHECK_STR(address.text, "127.0.0.1:99");
    CHECK(parse("hob://localhost:65535", &address));
    CHECK_STR(address.host, "localhost");
    CHECK_STR(address.port, "65535");
}

TEST(ipv6_stands_in_brackets) {
    struct address address;
    CHECK(parse("[::1]:7", &address));
    CHECK_STR(address.host, "::1");
    CHECK_STR(address.text, "[::1]:7");
    CHECK(parse("[fe80::1%eth0]", &address));
    CHECK_STR(address.port, "4620");
    CHECK(!parse("::1", &address));
    CHECK(!parse("[::1", &address));
    CHECK(!parse("[::1]7", &address));
}

TEST(what_is_no_address_is_refused) {
    struct address address;
    static const char *const wrong[] = {
        "",
        ":",
        ":4620",
        "host:",
        "host:0",
        "host:65536",
        "host:1x",
        "a b",
        "user@host",
        "host/x",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) CHECK(!parse(wrong[i], &address));
    char longest[300];
    memset(longest, 'a', sizeof longest);
    CHECK(address_parse(slice_of(longest, 255), &address));
    CHECK(!address_parse(slice_of(longest, 256), &address));
}

TESTS(
    a_host_without_a_port_gets_the_native_one,
    host_and_port_and_a_scheme_are_taken,
    ipv6_stands_in_brackets,
    what_is_no_address_is_refused
)
