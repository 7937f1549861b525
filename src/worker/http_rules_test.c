/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/http_rules.h"

#include "base/test.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110. */
#define EXAMPLE_S UINT64_C(784111777)

TEST(by_default_2xx_is_success_and_only_what_may_get_better_is_tried_again) {
    struct http_rules rules = http_rules_default();
    for (long status = 0; status < 1000; status++) {
        enum http_verdict wanted = HTTP_PERMANENT;
        if (status / 100 == 2) wanted = HTTP_SUCCESS;
        if (status / 100 == 5) wanted = HTTP_RETRY;
        if (status == 408 || status == 425 || status == 429) wanted = HTTP_RETRY;
        CHECK_EQUAL(http_rules_judge(&rules, status), wanted);
    }
}

TEST(sets_are_numbers_and_ranges) {
    struct status_set set = {0};
    CHECK(status_set_add(&set, SLICE("404")));
    CHECK(status_set_add(&set, SLICE("100-101")));
    CHECK(status_set_add(&set, SLICE("598-599")));
    CHECK(status_set_has(&set, 404));
    CHECK(!status_set_has(&set, 403));
    CHECK(!status_set_has(&set, 405));
    CHECK(status_set_has(&set, 100));
    CHECK(status_set_has(&set, 599));
    CHECK(!status_set_has(&set, 600));
    CHECK(!status_set_has(&set, 99));
    CHECK(!status_set_has(&set, -1));
}

TEST(what_is_no_status_is_not_taken) {
    static const char *const no[] = {
        "",
        "-",
        "99",
        "600",
        "0",
        "2xx",
        "200-",
        "-200",
        "299-200",
        "200-600",
        "200 - 299",
        "200-299-300",
    };
    struct status_set set = {0};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        CHECK(!status_set_add(&set, slice_str(no[i])));
    }
}

TEST(success_goes_before_retry) {
    struct http_rules rules = http_rules_default();
    CHECK(status_set_add(&rules.success, SLICE("503")));
    CHECK_EQUAL(http_rules_judge(&rules, 503), HTTP_SUCCESS);
}

static hob_ns after(const char *text, uint64_t now_s) {
    hob_ns wait_ns = HOB_NEVER;
    CHECK(retry_after_parse(slice_str(text), now_s * NS_PER_SECOND, &wait_ns));
    return wait_ns;
}

TEST(seconds_are_a_time_to_wait) {
    CHECK_EQUAL(after("0", 100), 0);
    CHECK_EQUAL(after("120", 100), 120 * NS_PER_SECOND);
    CHECK_EQUAL(after("007", 100), 7 * NS_PER_SECOND);
    CHECK_EQUAL(after("86401", 100), RETRY_AFTER_MAX_NS);
    CHECK_EQUAL(after("99999999999999999999999999", 100), RETRY_AFTER_MAX_NS);
}

TEST(dates_in_all_three_forms_are_a_time_to_wait_for) {
    CHECK_EQUAL(after("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE_S - 60), 60 * NS_PER_SECOND);
    CHECK_EQUAL(after("Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE_S - 60), 60 * NS_PER_SECOND);
    CHECK_EQUAL(after("Sun Nov  6 08:49:37 1994", EXAMPLE_S - 60), 60 * NS_PER_SECOND);
    CHECK_EQUAL(after("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE_S + 5), 0);
    CHECK_EQUAL(after("Fri, 31 Dec 2100 23:59:59 GMT", EXAMPLE_S), RETRY_AFTER_MAX_NS);
}

TEST(nonsense_is_no_retry_after) {
    static const char *const no[] = {
        "",
        " ",
        "soon",
        "-5",
        "1.5",
        "12s",
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT, and much more that is longer than every date of HTTP",
    };
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        hob_ns wait_ns = 77;
        CHECK(!retry_after_parse(slice_str(no[i]), EXAMPLE_S * NS_PER_SECOND, &wait_ns));
        CHECK_EQUAL(wait_ns, 77);
    }
}

TESTS(
    by_default_2xx_is_success_and_only_what_may_get_better_is_tried_again,
    sets_are_numbers_and_ranges,
    what_is_no_status_is_not_taken,
    success_goes_before_retry,
    seconds_are_a_time_to_wait,
    dates_in_all_three_forms_are_a_time_to_wait_for,
    nonsense_is_no_retry_after
)
