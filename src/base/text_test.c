/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include "base/civil.h"
#include "base/test.h"

TEST(whole_numbers_are_strict) {
    uint64_t u = 7;
    int64_t i = 7;
    CHECK(text_u64(SLICE("0"), 0, 10, &u) && u == 0);
    CHECK(text_u64(SLICE("18446744073709551615"), 0, UINT64_MAX, &u) && u == UINT64_MAX);
    static const char *const bad[] = {
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "01",
        "00",
        "1x",
        "18446744073709551616",
        "99999999999999999999",
    };
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        CHECK(!text_u64(slice_str(bad[n]), 0, UINT64_MAX, &u));
    }
    CHECK(!text_u64(SLICE("11"), 0, 10, &u));
    CHECK(!text_u64(SLICE("1"), 2, 10, &u));
    CHECK_EQUAL(u, UINT64_MAX);
    CHECK(text_i64(SLICE("-9223372036854775808"), INT64_MIN, INT64_MAX, &i) && i == INT64_MIN);
    CHECK(text_i64(SLICE("9223372036854775807"), INT64_MIN, INT64_MAX, &i) && i == INT64_MAX);
    CHECK(!text_i64(SLICE("9223372036854775808"), INT64_MIN, INT64_MAX, &i));
    CHECK(!text_i64(SLICE("-9223372036854775809"), INT64_MIN, INT64_MAX, &i));
    CHECK(!text_i64(SLICE("--1"), INT64_MIN, INT64_MAX, &i));
    CHECK(!text_i64(SLICE("-"), INT64_MIN, INT64_MAX, &i));
    CHECK(!text_i64(SLICE("-5"), -4, 4, &i));
}

static hob_ns span_of(const char *text) {
    hob_ns span = HOB_NEVER;
    CHECK(text_duration(slice_str(text), NS_PER_SECOND, &span));
    return span;
}

TEST(spans_are_read) {
    CHECK_EQUAL(span_of("250ms"), 250 * NS_PER_MS);
    CHECK_EQUAL(span_of("30s"), 30 * NS_PER_SECOND);
    CHECK_EQUAL(span_of("5m"), 5 * NS_PER_MINUTE);
    CHECK_EQUAL(span_of("1h30m"), 90 * NS_PER_MINUTE);
    CHECK_EQUAL(span_of("7d"), 7 * NS_PER_DAY);
    CHECK_EQUAL(span_of("0"), 0);
    CHECK_EQUAL(span_of("15"), 15 * NS_PER_SECOND);
    CHECK_EQUAL(span_of("1d1h1m1s1ms1us1ns"), UINT64_C(90061001001001));
    static const char *const bad[] = {
        "",
        "s",
        "1x",
        "1.5s",
        "-1s",
        "1s ",
        " 1s",
        "1m1h",
        "1s1s",
        "1s1",
        "1S",
        "01s",
        "600y",
        "18446744073709551616ns",
        "213504d",
        "213503d24h",
        "18446744074",
    };
    hob_ns span = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!text_duration(slice_str(bad[i]), NS_PER_SECOND, &span));
    }
    CHECK(text_duration(SLICE("500"), NS_PER_MS, &span) && span == 500 * NS_PER_MS);
    CHECK(!text_duration(SLICE("500"), 0, &span));
    CHECK(text_duration(SLICE("0"), 0, &span) && span == 0);
}

TEST(spans_are_printed_as_they_are_read) {
    static const hob_ns spans[] = {
        0,
        1,
        NS_PER_SECOND,
        90 * NS_PER_MINUTE,
        7 * NS_PER_DAY,
        1500 * NS_PER_MS,
        HOB_NEVER - 1,
    };
    static const char *const texts[] = {
        "0s",
        "1ns",
        "1s",
        "1h30m",
        "7d",
        "1s500ms",
        "213503d23h34m33s709ms551us614ns",
    };
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        HOB_AUTO_BUF struct buf out = buf_make(100);
        CHECK(text_put_duration(&out, spans[i]));
        CHECK(slice_equal(buf_slice(&out), slice_str(texts[i])));
        CHECK_EQUAL(span_of(texts[i]), spans[i]);
    }
}

TEST(sizes_are_read_and_printed) {
    static const struct {
        const char *text;
        uint64_t bytes;
        const char *printed;
    } rows[] = {
        {"0", 0, "0B"},
        {"100", 100, "100B"},
        {"64KiB", 65536, "64KiB"},
        {"8MiB", 8 << 20, "8MiB"},
        {"1024MiB", 1 << 30, "1GiB"},
        {"64MB", 64000000, "62500KiB"},
        {"1TiB", UINT64_C(1) << 40, "1TiB"},
        {"5kB", 5000, "5000B"},
        {"1025B", 1025, "1025B"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        HOB_AUTO_BUF struct buf out = buf_make(100);
        uint64_t bytes = 1;
        CHECK(text_size(slice_str(rows[i].text), &bytes));
        CHECK_EQUAL(bytes, rows[i].bytes);
        CHECK(text_put_size(&out, bytes));
        CHECK(slice_equal(buf_slice(&out), slice_str(rows[i].printed)));
    }
    uint64_t bytes = 0;
    CHECK(!text_size(SLICE("1 MiB"), &bytes));
    CHECK(!text_size(SLICE("1mib"), &bytes));
    CHECK(!text_size(SLICE("1K"), &bytes));
    CHECK(!text_size(SLICE("MiB"), &bytes));
    CHECK(!text_size(SLICE("16777216TiB"), &bytes));
    CHECK(!text_size(SLICE("1KiB1B"), &bytes));
}

/* Each day of a month there and back; @day is its first. The first of the next one. */
static int64_t check_month(int32_t year, uint8_t month, int64_t day) {
    for (uint8_t n = 1; n <= civil_month_days(year, month); n++, day++) {
        struct civil_date date = civil_from_days(day);
        CHECK(date.year == year && date.month == month && date.day == n);
        CHECK(civil_to_days(date) == day);
    }
    return day;
}

TEST(dates_and_days_are_each_others_inverse) {
    CHECK_EQUAL(civil_to_days((struct civil_date){1970, 1, 1}), 0);
    CHECK_EQUAL(civil_to_days((struct civil_date){2000, 3, 1}), 11017);
    int64_t day = civil_to_days((struct civil_date){-400, 1, 1});
    for (int32_t year = -400; year < 2600; year++) {
        for (uint8_t month = 1; month <= 12; month++) day = check_month(year, month, day);
    }
}

TEST(times_are_read_as_rfc_3339) {
    static const struct {
        const char *text;
        hob_ns time;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-03-01T09:30:00Z", UINT64_C(1772357400) * NS_PER_SECOND},
        {"2026-03-01T10:30:00+01:00", UINT64_C(1772357400) * NS_PER_SECOND},
        {"2026-02-28T21:30:00-12:00", UINT64_C(1772357400) * NS_PER_SECOND},
        {"2026-03-01t09:30:00.25z", UINT64_C(1772357400250) * NS_PER_MS},
        {"2026-03-01 09:30:00.123456789Z", UINT64_C(1772357400123456789)},
        {"2016-12-31T23:59:60Z", UINT64_C(1483228800) * NS_PER_SECOND},
        {"2024-02-29T00:00:00Z", UINT64_C(1709164800) * NS_PER_SECOND},
    };
    hob_ns time = 1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(text_time(slice_str(rows[i].text), &time));
        CHECK_EQUAL(time, rows[i].time);
    }
    static const char *const bad[] = {
        "",
        "2026-03-01",
        "2026-03-01T09:30:00",
        "2026-03-01T09:30Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00Zx",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "9999-01-01T00:00:00Z",
        "26-01-01T00:00:00Z",
        " 2026-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!text_time(slice_str(bad[i]), &time));
    }
}

TEST(times_are_printed_as_they_are_read) {
    static const struct {
        hob_ns time;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {UINT64_C(1772357400250) * NS_PER_MS, "2026-03-01T09:30:00.250Z"},
        {UINT64_C(1772357400000001) * NS_PER_US, "2026-03-01T09:30:00.000001Z"},
        {UINT64_C(1772357400000000001), "2026-03-01T09:30:00.000000001Z"},
        {HOB_NEVER - 1, "2554-07-21T23:34:33.709551614Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        HOB_AUTO_BUF struct buf out = buf_make(100);
        CHECK(text_put_time(&out, rows[i].time));
        CHECK(slice_equal(buf_slice(&out), slice_str(rows[i].text)));
        hob_ns time = 0;
        CHECK(text_time(buf_slice(&out), &time));
        CHECK_EQUAL(time, rows[i].time);
    }
}

TESTS(
    whole_numbers_are_strict,
    spans_are_read,
    spans_are_printed_as_they_are_read,
    sizes_are_read_and_printed,
    dates_and_days_are_each_others_inverse,
    times_are_read_as_rfc_3339,
    times_are_printed_as_they_are_read
)
