/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/http_url.h"

#include "base/test.h"

static char problem[URL_WHY_BYTES_MAX];
static char shown[1000];

/* The target of a URL as "https host port", or NULL. */
static const char *target(const char *text) {
    struct http_url url;
    if (!http_url_parse(slice_str(text), false, &url, problem)) return NULL;
    HOB_AUTO_BUF struct buf out = buf_make(sizeof shown);
    (void)buf_printf(
        &out,
        "%s %s %u%s",
        url.https ? "https" : "http",
        url.host,
        url.port,
        url.has_address ? " address" : ""
    );
    (void)buf_put_char(&out, '\0');
    memcpy(shown, out.bytes, out.size);
    http_url_deinit(&url);
    return shown;
}

static bool reaches_inside(const char *text) {
    struct http_url url;
    if (!http_url_parse(slice_str(text), false, &url, problem)) return false;
    bool inside = url.has_address && guard_address_kind(&url.address) != NULL;
    http_url_deinit(&url);
    return inside;
}

TEST(scheme_host_and_port_are_found) {
    CHECK_STR(target("https://Example.COM/x?y#z"), "https example.com 443");
    CHECK_STR(target("HTTP://a.example:8080"), "http a.example 8080");
    CHECK_STR(target("https://a_b.example./"), "https a_b.example. 443");
    CHECK_STR(target("https://[2606:4700::1111]:444/"), "https 2606:4700::1111 444 address");
    CHECK_STR(target("https://93.184.216.34/"), "https 93.184.216.34 443 address");
}

TEST(numbers_in_any_notation_are_the_address_that_they_stand_for) {
    static const char *const inside[] = {
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://017700000001/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.0.1/",
        "http://0/",
        "http://%31%32%37.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::]/",
        "http://[0:0:0:0:0:ffff:7f00:1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://[64:ff9b::7f00:1]/",
        "http://3232235777/",
    };
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) CHECK(reaches_inside(inside[i]));
}

TEST(what_could_be_read_in_two_ways_is_refused) {
    static const char *const no[] = {
        "",
        "a.example",
        "//a.example/",
        "/path",
        "https:",
        "https://",
        "https:///path",
        "https:/a.example/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "javascript:alert(1)",
        "https://user@a.example/",
        "https://user:pw@a.example/",
        "https://a.example@b.example/",
        "https://a.example:443@b.example/",
        "https://@a.example/",
        "https://a.example\\@b.example/",
        "https://a.example\\.b.example/",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:http/",
        "https://a.example:-1/",
        "https://a.example:80:80/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::1",
        "https://::1/",
        "https://[127.0.0.1]/",
        "https://[a.example]/",
        "https://[v1.x]/",
        "https://a.example/\r\nHost: b.example",
        "https://a.example\r\n/",
        "https://a.example/a b",
        "https://a.example/\x7f",
        "https://a.example/\t",
        " https://a.example/",
        "https://a.example/ ",
        "https://\xc3\xa4.example/",
        "https://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/",
        "https://a%00.example/",
        "https://a%2f.example/",
        "https://a%20b.example/",
        "https://a*.example/",
        "https://a.example%0d%0aX/",
        "https://a.example%40b.example/",
        "https://a!b/",
        "https://a,b/",
    };
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        const char *got = target(no[i]);
        if (got != NULL) print_message("%s was read as %s\n", no[i], got);
        CHECK(got == NULL);
    }
    CHECK(target("https://user:pw@a.example/") == NULL);
    CHECK(strstr(problem, "user name") != NULL);
}

TEST(a_url_that_is_too_long_is_refused) {
    HOB_AUTO_BUF struct buf text = buf_make(URL_BYTES_MAX + 10);
    (void)buf_put_str(&text, "https://a.example/");
    while (text.size < URL_BYTES_MAX) (void)buf_put_char(&text, 'x');
    struct http_url url;
    CHECK(http_url_parse(buf_slice(&text), false, &url, problem));
    http_url_deinit(&url);
    (void)buf_put_char(&text, 'x');
    CHECK(!http_url_parse(buf_slice(&text), false, &url, problem));
}

TEST(fields_cannot_climb_out_of_their_path) {
    static const char *const no[] = {
        "https://h/a/../b",
        "https://h/..",
        "https://h/a/.",
        "https://h/a/%2e%2E/b",
        "https://h/.%2e/",
        "https://h/%2e",
    };
    static const char *const yes[] = {
        "https://h",
        "https://h/",
        "https://h/a..b/...",
        "https://h/.a",
        "https://h/a?x=/../",
        "https://h/%2e%2e%2e",
    };
    struct http_url url;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        CHECK(!http_url_parse(slice_str(no[i]), true, &url, problem));
    }
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        CHECK(http_url_parse(slice_str(yes[i]), true, &url, problem));
        http_url_deinit(&url);
    }
}

static const char *show(const char *text) {
    struct http_url url;
    CHECK(http_url_parse(slice_str(text), false, &url, problem));
    HOB_AUTO_BUF struct buf out = buf_make(sizeof shown);
    http_url_put_shown(&out, &url);
    (void)buf_put_char(&out, '\0');
    memcpy(shown, out.bytes, out.size);
    http_url_deinit(&url);
    return shown;
}

TEST(the_log_does_not_see_the_query) {
    CHECK_STR(show("https://h/p?token=secret#x"), "https://h/p?…");
    CHECK_STR(show("https://H:444"), "https://h:444/");
    CHECK_STR(show("http://[::1]:81/a/../b"), "http://[::1]:81/a/../b");
}

TESTS(
    scheme_host_and_port_are_found,
    numbers_in_any_notation_are_the_address_that_they_stand_for,
    what_could_be_read_in_two_ways_is_refused,
    a_url_that_is_too_long_is_refused,
    fields_cannot_climb_out_of_their_path,
    the_log_does_not_see_the_query
)
