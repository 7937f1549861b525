/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/http_guard.h"

#include "base/test.h"

static const char *kind_of(const char *text) {
    struct guard_address address;
    CHECK(guard_address_parse(slice_str(text), &address));
    return guard_address_kind(&address);
}

static bool is_inside(const char *text) {
    return kind_of(text) != NULL;
}

TEST(each_inside_network_is_refused_from_its_first_to_its_last_address) {
    static const char *const inside[] = {
        "0.0.0.0",         "0.255.255.255",   "10.0.0.0",       "10.255.255.255",  "100.64.0.0",
        "100.127.255.255", "127.0.0.0",       "127.0.0.1",      "127.255.255.255", "169.254.0.0",
        "169.254.169.254", "169.254.255.255", "172.16.0.0",     "172.31.255.255",  "192.0.0.0",
        "192.0.0.255",     "192.0.2.0",       "192.0.2.255",    "192.88.99.1",     "192.168.0.0",
        "192.168.255.255", "198.18.0.0",      "198.19.255.255", "198.51.100.0",    "198.51.100.255",
        "203.0.113.0",     "203.0.113.255",   "224.0.0.0",      "239.255.255.255", "240.0.0.0",
        "255.255.255.254", "255.255.255.255",
    };
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) CHECK(is_inside(inside[i]));
    CHECK_STR(kind_of("127.0.0.1"), "loopback");
    CHECK_STR(kind_of("255.255.255.255"), "broadcast");
}

TEST(the_neighbours_of_the_inside_networks_are_public) {
    static const char *const outside[] = {
        "1.0.0.0",      "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
        "100.128.0.0",  "126.255.255.255", "128.0.0.0",       "169.253.255.255",
        "169.255.0.0",  "172.15.255.255",  "172.32.0.0",      "192.0.1.0",
        "192.0.3.0",    "192.88.98.255",   "192.88.100.0",    "192.167.255.255",
        "192.169.0.0",  "198.17.255.255",  "198.20.0.0",      "198.51.99.255",
        "198.51.101.0", "203.0.112.255",   "203.0.114.0",     "223.255.255.255",
        "8.8.8.8",      "2001:200::",      "2606:4700::1111", "2003::1",
        "2001:db7::1",  "2001:db9::",      "3ffe::1",         "2a00:1450::8a",
    };
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) CHECK(!is_inside(outside[i]));
}

TEST(inside_addresses_of_ipv6_are_refused) {
    static const char *const inside[] = {
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "100::1",
        "2001::1",
        "2001:0:53aa:64c::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002::1",
        "2002:7f00:1::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "64:ff9b:1::a00:1",
        "1fff::1",
        "200::1",
    };
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) CHECK(is_inside(inside[i]));
}

TEST(an_ipv4_address_inside_an_ipv6_one_is_looked_at_itself) {
    CHECK(is_inside("::ffff:127.0.0.1"));
    CHECK(is_inside("::ffff:a9fe:a9fe"));
    CHECK(!is_inside("::ffff:8.8.8.8"));
    CHECK(is_inside("64:ff9b::127.0.0.1"));
    CHECK(is_inside("64:ff9b::a00:1"));
    CHECK(!is_inside("64:ff9b::8.8.8.8"));
}

TEST(only_the_usual_text_of_an_address_is_read) {
    static const char *const no[] = {
        "",
        "127.1",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "2130706433",
        "127.0.0.1.",
        " 127.0.0.1",
        "127.0.0.1 ",
        "fe80::1%eth0",
        "[::1]",
        "::ffff:999.1.1.1",
        "1.2.3.4.5",
        "localhost",
    };
    struct guard_address address;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        CHECK(!guard_address_parse(slice_str(no[i]), &address));
    }
    CHECK(!guard_address_parse(slice_of("127.0.0.1\0x", 11), &address));
}

static const char *
ask(const char *allow, bool https, const char *host, uint16_t port, const char *address_text) {
    struct guard_entry entry;
    struct guard guard = {0};
    if (allow != NULL) {
        CHECK(guard_entry_parse(slice_str(allow), &entry));
        guard = (struct guard){.allow = &entry, .allow_count = 1};
    }
    struct guard_address address;
    CHECK(guard_address_parse(slice_str(address_text), &address));
    struct guard_target target = {.https = https, .host = slice_str(host), .port = port};
    return guard_refusal(&guard, &target, &address);
}

TEST(without_an_allow_list_only_https_to_public_addresses_passes) {
    CHECK(ask(NULL, true, "a.example", 443, "93.184.216.34") == NULL);
    CHECK(ask(NULL, true, "a.example", 8443, "93.184.216.34") != NULL);
    CHECK(ask(NULL, true, "a.example", 80, "93.184.216.34") != NULL);
    CHECK(ask(NULL, false, "a.example", 80, "93.184.216.34") != NULL);
    CHECK(ask(NULL, true, "a.example", 443, "127.0.0.1") != NULL);
    CHECK(ask(NULL, true, "a.example", 443, "::1") != NULL);
}

TEST(http_can_be_allowed_for_public_addresses_on_its_own_port) {
    const struct guard guard = {.http = true};
    struct guard_address address;
    CHECK(guard_address_parse(SLICE("93.184.216.34"), &address));
    struct guard_target target = {.host = SLICE("a.example"), .port = 80};
    CHECK(guard_refusal(&guard, &target, &address) == NULL);
    target.port = 8080;
    CHECK(guard_refusal(&guard, &target, &address) != NULL);
    CHECK(guard_address_parse(SLICE("10.0.0.1"), &address));
    target.port = 80;
    CHECK(guard_refusal(&guard, &target, &address) != NULL);
}

TEST(a_network_of_the_allow_list_opens_its_addresses) {
    CHECK(ask("127.0.0.1/32", false, "127.0.0.1", 9000, "127.0.0.1") == NULL);
    CHECK(ask("127.0.0.1/32", false, "127.0.0.1", 9000, "::ffff:127.0.0.1") == NULL);
    CHECK(ask("127.0.0.1/32", false, "127.0.0.2", 9000, "127.0.0.2") != NULL);
    CHECK(ask("10.0.0.0/8", true, "db", 443, "10.200.3.4") == NULL);
    CHECK(ask("10.0.0.0/8", true, "db", 444, "11.0.0.1") != NULL);
    CHECK(ask("10.16.0.0/12", true, "db", 443, "10.31.0.1") == NULL);
    CHECK(ask("10.16.0.0/12", true, "db", 443, "10.32.0.1") != NULL);
    CHECK(ask("fd00::/8", false, "x", 80, "fd12::1") == NULL);
    CHECK(ask("::1", false, "x", 80, "::1") == NULL);
    CHECK(ask("127.0.0.1:8080", false, "x", 8080, "127.0.0.1") == NULL);
    CHECK(ask("127.0.0.1:8080", false, "x", 8081, "127.0.0.1") != NULL);
    CHECK(ask("[::1]:8080", false, "x", 8080, "::1") == NULL);
    CHECK(ask("[::1]:8080", false, "x", 80, "::1") != NULL);
}

TEST(a_host_of_the_allow_list_is_meant_by_its_name) {
    CHECK(ask("internal.example:8080", false, "internal.example", 8080, "10.0.0.1") == NULL);
    CHECK(ask("internal.example:8080", false, "INTERNAL.Example.", 8080, "10.0.0.1") == NULL);
    CHECK(ask("Internal.Example.", false, "internal.example", 1, "10.0.0.1") == NULL);
    CHECK(ask("internal.example:8080", false, "internal.example", 80, "10.0.0.1") != NULL);
    CHECK(ask("internal.example", false, "x.internal.example", 80, "10.0.0.1") != NULL);
    CHECK(ask("internal.example", false, "internal.example.evil", 80, "10.0.0.1") != NULL);
    CHECK(ask("internal.example", false, "", 80, "10.0.0.1") != NULL);
}

TEST(what_is_no_entry_is_not_taken) {
    static const char *const no[] = {
        "",
        ":80",
        "/8",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "fd00::/129",
        "a/8",
        "a:0",
        "a:65536",
        "a:b",
        "a b",
        "a@b",
        "http://a",
        "[::1",
        "::1]",
        "[127.0.0.1]:80",
        "[]:80",
        "[fe80::1%25eth0]",
        "ä.example",
        "*",
        "*.example",
    };
    struct guard_entry entry;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        CHECK(!guard_entry_parse(slice_str(no[i]), &entry));
    }
}

TESTS(
    each_inside_network_is_refused_from_its_first_to_its_last_address,
    the_neighbours_of_the_inside_networks_are_public,
    inside_addresses_of_ipv6_are_refused,
    an_ipv4_address_inside_an_ipv6_one_is_looked_at_itself,
    only_the_usual_text_of_an_address_is_read,
    without_an_allow_list_only_https_to_public_addresses_passes,
    http_can_be_allowed_for_public_addresses_on_its_own_port,
    a_network_of_the_allow_list_opens_its_addresses,
    a_host_of_the_allow_list_is_meant_by_its_name,
    what_is_no_entry_is_not_taken
)
