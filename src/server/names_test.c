/* SPDX-License-Identifier: Apache-2.0 */
#include "server/names.h"

#include "base/test.h"

static bool holds(const char *host) {
    static const char *const hosts[] = {"jobs.example"};
    static const char *const listen[] = {"box.local:4620", "unix:/run/hob.sock"};
    static const struct server_options options = {
        .hosts = hosts, .host_count = 1, .listen = listen, .listen_count = 2};
    return names_hold(&options, slice_str(host));
}

TEST(ip_addresses_and_localhost_are_always_ours) {
    CHECK(holds("127.0.0.1"));
    CHECK(holds("127.0.0.1:4620"));
    CHECK(holds("192.0.2.7:1"));
    CHECK(holds("[::1]"));
    CHECK(holds("[2001:db8::1]:65535"));
    CHECK(holds("localhost"));
    CHECK(holds("LocalHost.:80"));
    CHECK(holds("a.b.localhost"));
}

TEST(names_are_ours_when_somebody_said_so) {
    CHECK(holds("jobs.example"));
    CHECK(holds("JOBS.example.:443"));
    CHECK(holds("box.local"));
    CHECK(!holds("example"));
    CHECK(!holds("x.jobs.example"));
    CHECK(!holds("jobs.example.evil"));
    CHECK(!holds("evillocalhost"));
    CHECK(!holds("localhost.evil"));
    CHECK(!holds("127.0.0.1.evil"));
}

TEST(what_looks_like_an_address_only_to_some_is_none) {
    static const char *const hosts[] = {
        "",
        ":",
        ":80",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:+1",
        "127.0.0.1:1:2",
        "[::1",
        "::1]",
        "[]",
        "[::1]x",
        "localhost:80:80",
        ".",
        "..",
        "::1",
        "[::1%eth0]",
        "[::1%.evil.example]",
    };
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) CHECK(!holds(hosts[i]));
}

TEST(a_star_means_any_name) {
    static const char *const any[] = {"*"};
    static const struct server_options options = {.hosts = any, .host_count = 1};
    CHECK(names_hold(&options, SLICE("evil.example")));
}

TESTS(
    ip_addresses_and_localhost_are_always_ours,
    names_are_ours_when_somebody_said_so,
    what_looks_like_an_address_only_to_some_is_none,
    a_star_means_any_name
)
