/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "cli/print.h"

static const char *text(struct buf *out) {
    (void)buf_put_char(out, '\0');
    return out->bytes;
}

static void check_when(hob_ns at, hob_ns now, const char *wanted) {
    struct buf out = buf_make(100);
    cli_put_when(&out, at, now);
    CHECK_STR(text(&out), wanted);
    buf_deinit(&out);
}

TEST(a_time_is_told_from_now) {
    hob_ns now = 20000 * NS_PER_DAY;
    check_when(now, now, "now");
    check_when(now - 999 * NS_PER_MS, now, "now");
    check_when(now - 3 * NS_PER_SECOND, now, "3 s ago");
    check_when(now - 3 * NS_PER_MINUTE - 59 * NS_PER_SECOND, now, "3 min ago");
    check_when(now - NS_PER_DAY, now, "1 day ago");
    check_when(now + 2 * NS_PER_HOUR, now, "in 2 h");
    check_when(now - 31 * NS_PER_DAY, now, "2024-09-03");
    check_when(HOB_NEVER, now, "never");
}

static void check_span(hob_ns span, const char *wanted) {
    struct buf out = buf_make(100);
    cli_put_span(&out, span);
    CHECK_STR(text(&out), wanted);
    buf_deinit(&out);
}

TEST(a_span_is_told_in_its_two_largest_units) {
    check_span(0, "0 ms");
    check_span(1500 * NS_PER_MS, "1 s");
    check_span(NS_PER_HOUR + 5 * NS_PER_MINUTE + 3 * NS_PER_SECOND, "1 h 5 min");
    check_span(2 * NS_PER_DAY + NS_PER_HOUR, "2 days 1 h");
    check_span(2 * NS_PER_DAY + NS_PER_MINUTE, "2 days");
}

TEST(thousands_are_divided) {
    static const struct {
        uint64_t count;
        const char *wanted;
    } rows[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {1234567, "1,234,567"}};
    for (size_t i = 0; i < hob_countof(rows); i++) {
        struct buf out = buf_make(100);
        cli_put_count(&out, rows[i].count);
        CHECK_STR(text(&out), rows[i].wanted);
        buf_deinit(&out);
    }
}

TEST(bytes_are_told_in_a_unit_that_fits) {
    static const struct {
        uint64_t bytes;
        const char *wanted;
    } rows[] = {{7, "7 B"}, {1536, "1.5 KiB"}, {64 << 20, "64 MiB"}, {UINT64_MAX, "16384 PiB"}};
    for (size_t i = 0; i < hob_countof(rows); i++) {
        struct buf out = buf_make(100);
        cli_put_bytes(&out, rows[i].bytes);
        CHECK_STR(text(&out), rows[i].wanted);
        buf_deinit(&out);
    }
}

TESTS(
    a_time_is_told_from_now,
    a_span_is_told_in_its_two_largest_units,
    thousands_are_divided,
    bytes_are_told_in_a_unit_that_fits
)
