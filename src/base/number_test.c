/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"

static struct slice printed(double value) {
    static char text[NUMBER_BYTES_MAX];
    return slice_of(text, number_print(text, value));
}

TEST(numbers_are_printed_short) {
    CHECK(slice_equal(printed(0), SLICE("0")));
    CHECK(slice_equal(printed(-0.0), SLICE("-0")));
    CHECK(slice_equal(printed(1), SLICE("1")));
    CHECK(slice_equal(printed(-2.5), SLICE("-2.5")));
    CHECK(slice_equal(printed(0.1), SLICE("0.1")));
    CHECK(slice_equal(printed(100), SLICE("100")));
    CHECK(slice_equal(printed(123456.789), SLICE("123456.789")));
    CHECK(slice_equal(printed(0.000001), SLICE("0.000001")));
    CHECK(slice_equal(printed(1e-7), SLICE("1e-7")));
    CHECK(slice_equal(printed(1e20), SLICE("100000000000000000000")));
    CHECK(slice_equal(printed(1e21), SLICE("1e+21")));
    CHECK(slice_equal(printed(1.0 / 0.0), SLICE("inf")));
    CHECK(slice_equal(printed(-1.0 / 0.0), SLICE("-inf")));
    CHECK(slice_equal(printed(0.0 / 0.0), SLICE("nan")));
}

TEST(what_is_printed_reads_back_as_the_same_bits) {
    uint64_t bits = 0x9e3779b97f4a7c15;
    for (int i = 0; i < 100000; i++) {
        bits = bits * UINT64_C(6364136223846793005) + 1442695040888963407;
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!(value - value == 0)) continue; /* infinity, nan */
        double back = 0;
        CHECK(number_parse(printed(value), &back));
        uint64_t again;
        memcpy(&again, &back, sizeof again);
        CHECK(again == bits);
    }
}

static double read_number(const char *text) {
    double value = 0;
    CHECK(number_parse(slice_str(text), &value));
    return value;
}

TEST(numbers_are_read_as_the_nearest_double) {
    static const char *const texts[] = {
        "0",
        "1",
        "1.5",
        "0.1",
        "1e0",
        "1E+2",
        "1e-2",
        "123456789012345678901234567890",
        "5e-324",
        "2.2250738585072011e-308",
        "1.7976931348623157e308",
        "9007199254740993",
        "0.30000000000000004",
        "9007199254740993.00000000000000000000000000000000000000000000000001",
        "1e-400",
        "1e-99999999999999999999999999",
        "0e99999999999999999999999999",
        "0e999999999",
        "1000000000000000000000000000000000000000000e-42",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        double wanted = strtod(texts[i], NULL);
        double got = read_number(texts[i]);
        uint64_t wanted_bits;
        uint64_t got_bits;
        memcpy(&wanted_bits, &wanted, sizeof wanted_bits);
        memcpy(&got_bits, &got, sizeof got_bits);
        CHECK(wanted_bits == got_bits);
    }
}

TEST(digits_past_any_precision_still_decide_the_rounding) {
    /* 2^53 + 1 lies exactly between two doubles; a 1 far behind the point lifts it above. */
    static char text[3000];
    int size = snprintf(text, sizeof text, "9007199254740993.");
    memset(text + size, '0', 2000);
    text[size + 2000] = 0;
    CHECK(read_number(text) == 9007199254740992.0);
    text[size + 1999] = '1';
    CHECK(read_number(text) == 9007199254740994.0);
    memset(text, '0', 2500);
    memcpy(text, "0.", 2);
    memcpy(text + 2000, "1e1999", 7);
    CHECK(read_number(text) == 1.0);
}

TEST(what_is_no_number_is_refused) {
    static const char *const bad[] = {
        "",
        "-",
        "+1",
        ".5",
        "1.",
        "01",
        "-01",
        "1e",
        "1e+",
        "1,5",
        " 1",
        "1 ",
        "inf",
        "nan",
        "0x1",
        "1e400",
        "1.e1",
    };
    double value = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!number_parse(slice_str(bad[i]), &value));
    }
}

TEST(the_locale_changes_nothing) {
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a test has one thread */
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL) skip();
    CHECK(slice_equal(printed(1.5), SLICE("1.5")));
    CHECK(read_number("1.5") == 1.5);
}

TESTS(
    numbers_are_printed_short,
    what_is_printed_reads_back_as_the_same_bits,
    numbers_are_read_as_the_nearest_double,
    digits_past_any_precision_still_decide_the_rounding,
    what_is_no_number_is_refused,
    the_locale_changes_nothing
)
