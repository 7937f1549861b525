/* SPDX-License-Identifier: Apache-2.0 */
/* Parsers that walk a slice with a cursor. Every sum and product is checked: nothing wraps. */
#include "base/text.h"

#include <stddef.h>

#include "base/civil.h"

struct cursor {
    const char *at;
    const char *end;
};

static struct cursor cursor_of(struct slice text) {
    const char *at = text.size == 0 ? "" : text.bytes;
    return (struct cursor){.at = at, .end = at + text.size};
}

static bool take_char(struct cursor *cursor, char c) {
    if (cursor->at == cursor->end || *cursor->at != c) return false;
    cursor->at++;
    return true;
}

/* At least one digit, no leading zero, at most 64 bits. */
static bool take_u64(struct cursor *cursor, uint64_t *ret_value) {
    const char *first = cursor->at;
    uint64_t value = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        uint64_t digit = (uint64_t)(*cursor->at - '0');
        if (cursor->at - first == 1 && value == 0) return false;
        if (value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
        cursor->at++;
    }
    *ret_value = value;
    return cursor->at > first;
}

bool text_u64(struct slice text, uint64_t min, uint64_t max, uint64_t *ret_value) {
    struct cursor cursor = cursor_of(text);
    uint64_t value = 0;
    if (!take_u64(&cursor, &value) || cursor.at != cursor.end) return false;
    if (value < min || value > max) return false;
    *ret_value = value;
    return true;
}

bool text_i64(struct slice text, int64_t min, int64_t max, int64_t *ret_value) {
    struct cursor cursor = cursor_of(text);
    bool negative = take_char(&cursor, '-');
    uint64_t size = 0;
    if (!take_u64(&cursor, &size) || cursor.at != cursor.end) return false;
    if (size > (uint64_t)INT64_MAX + (negative ? 1 : 0)) return false;
    int64_t value = negative ? (int64_t)(0 - size) : (int64_t)size;
    if (value < min || value > max) return false;
    *ret_value = value;
    return true;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit span_units[] = {
    {"d", NS_PER_DAY},
    {"h", NS_PER_HOUR},
    {"m", NS_PER_MINUTE},
    {"s", NS_PER_SECOND},
    {"ms", NS_PER_MS},
    {"us", NS_PER_US},
    {"ns", 1},
};

enum { SPAN_UNITS = sizeof span_units / sizeof span_units[0] };

/* Letters up to a digit or the end. */
static struct slice take_unit(struct cursor *cursor) {
    const char *first = cursor->at;
    while (cursor->at < cursor->end && (*cursor->at < '0' || *cursor->at > '9')) cursor->at++;
    return slice_of(first, (size_t)(cursor->at - first));
}

static bool add_product(uint64_t *sum, uint64_t value, uint64_t factor) {
    uint64_t product;
    return !__builtin_mul_overflow(value, factor, &product) &&
           !__builtin_add_overflow(*sum, product, sum);
}

bool text_duration(struct slice text, hob_ns unit, hob_ns *ret_span) {
    struct cursor cursor = cursor_of(text);
    uint64_t plain = 0;
    if (text_u64(text, 0, UINT64_MAX, &plain)) {
        uint64_t span = 0;
        if (unit == 0 && plain != 0) return false;
        if (!add_product(&span, plain, unit)) return false;
        *ret_span = span;
        return true;
    }
    uint64_t span = 0;
    size_t next = 0; /* units before were used */
    do {
        uint64_t value = 0;
        if (!take_u64(&cursor, &value)) return false;
        struct slice name = take_unit(&cursor);
        while (next < SPAN_UNITS && !slice_equal(name, slice_str(span_units[next].name))) next++;
        if (next == SPAN_UNITS) return false;
        if (!add_product(&span, value, span_units[next].factor)) return false;
        next++;
    } while (cursor.at < cursor.end);
    *ret_span = span;
    return true;
}

bool text_put_duration(struct buf *out, hob_ns span) {
    if (span == HOB_NEVER) return buf_put_str(out, "never");
    if (span == 0) return buf_put_str(out, "0s");
    bool fits = true;
    for (size_t i = 0; i < SPAN_UNITS; i++) {
        uint64_t count = span / span_units[i].factor;
        span %= span_units[i].factor;
        if (count == 0) continue;
        fits = buf_put_u64(out, count) && buf_put_str(out, span_units[i].name) && fits;
    }
    return fits;
}

static const struct unit size_units[] = {
    {"TiB", UINT64_C(1) << 40},
    {"GiB", UINT64_C(1) << 30},
    {"MiB", UINT64_C(1) << 20},
    {"KiB", UINT64_C(1) << 10},
    {"B", 1},
    {"TB", UINT64_C(1000000000000)},
    {"GB", UINT64_C(1000000000)},
    {"MB", UINT64_C(1000000)},
    {"kB", UINT64_C(1000)},
    {"", 1},
};

bool text_size(struct slice text, uint64_t *ret_bytes) {
    struct cursor cursor = cursor_of(text);
    uint64_t value = 0;
    uint64_t bytes = 0;
    if (!take_u64(&cursor, &value)) return false;
    struct slice name = take_unit(&cursor);
    if (cursor.at != cursor.end) return false;
    for (size_t i = 0; i < sizeof size_units / sizeof size_units[0]; i++) {
        if (!slice_equal(name, slice_str(size_units[i].name))) continue;
        if (!add_product(&bytes, value, size_units[i].factor)) return false;
        *ret_bytes = bytes;
        return true;
    }
    return false;
}

bool text_put_size(struct buf *out, uint64_t bytes) {
    size_t i = 0;
    while (bytes == 0 ? size_units[i].factor != 1 : bytes % size_units[i].factor != 0) i++;
    return buf_put_u64(out, bytes / size_units[i].factor) && buf_put_str(out, size_units[i].name);
}

/* Exactly @count digits. */
static bool take_digits(struct cursor *cursor, unsigned count, unsigned max, unsigned *ret_value) {
    unsigned value = 0;
    for (unsigned i = 0; i < count; i++) {
        if (cursor->at == cursor->end || *cursor->at < '0' || *cursor->at > '9') return false;
        value = value * 10 + (unsigned)(*cursor->at++ - '0');
    }
    *ret_value = value;
    return value <= max;
}

static bool take_date(struct cursor *cursor, int64_t *ret_days) {
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    bool fine = take_digits(cursor, 4, 9999, &year) && take_char(cursor, '-') &&
                take_digits(cursor, 2, 12, &month) && take_char(cursor, '-') &&
                take_digits(cursor, 2, 31, &day);
    if (!fine || month == 0 || day == 0) return false;
    struct civil_date date = {(int32_t)year, (uint8_t)month, (uint8_t)day};
    if (day > civil_month_days(date.year, date.month)) return false;
    *ret_days = civil_to_days(date);
    return true;
}

static bool take_clock(struct cursor *cursor, int64_t *ret_seconds) {
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
    bool fine = take_digits(cursor, 2, 23, &hour) && take_char(cursor, ':') &&
                take_digits(cursor, 2, 59, &minute) && take_char(cursor, ':') &&
                take_digits(cursor, 2, 60, &second);
    *ret_seconds = (int64_t)hour * 3600 + (int64_t)minute * 60 + (int64_t)second;
    return fine;
}

/* ".25", or nothing. */
static bool take_fraction(struct cursor *cursor, uint64_t *ret_ns) {
    *ret_ns = 0;
    if (!take_char(cursor, '.')) return true;
    uint64_t digit_ns = NS_PER_SECOND;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        digit_ns /= 10;
        if (digit_ns == 0) return false;
        *ret_ns += digit_ns * (uint64_t)(*cursor->at++ - '0');
    }
    return digit_ns < NS_PER_SECOND;
}

/* "Z", "+01:00": seconds east of Greenwich. */
static bool take_zone(struct cursor *cursor, int64_t *ret_seconds) {
    *ret_seconds = 0;
    if (take_char(cursor, 'Z') || take_char(cursor, 'z')) return true;
    bool west = take_char(cursor, '-');
    if (!west && !take_char(cursor, '+')) return false;
    unsigned hours = 0;
    unsigned minutes = 0;
    bool fine = take_digits(cursor, 2, 23, &hours) && take_char(cursor, ':') &&
                take_digits(cursor, 2, 59, &minutes);
    int64_t seconds = (int64_t)hours * 3600 + (int64_t)minutes * 60;
    *ret_seconds = west ? -seconds : seconds;
    return fine;
}

bool text_time(struct slice text, hob_ns *ret_time) {
    struct cursor cursor = cursor_of(text);
    int64_t days = 0;
    int64_t clock = 0;
    int64_t zone = 0;
    uint64_t fraction = 0;
    if (!take_date(&cursor, &days)) return false;
    if (!take_char(&cursor, 'T') && !take_char(&cursor, 't') && !take_char(&cursor, ' ')) {
        return false;
    }
    if (!take_clock(&cursor, &clock) || !take_fraction(&cursor, &fraction)) return false;
    if (!take_zone(&cursor, &zone) || cursor.at != cursor.end) return false;
    int64_t seconds = days * 86400 + clock - zone;
    uint64_t time = fraction;
    if (seconds < 0 || !add_product(&time, (uint64_t)seconds, NS_PER_SECOND)) return false;
    if (time == HOB_NEVER) return false;
    *ret_time = time;
    return true;
}

static bool put_fraction(struct buf *out, uint64_t ns) {
    if (ns == 0) return true;
    if (ns % NS_PER_MS == 0) return buf_printf(out, ".%03u", (unsigned)(ns / NS_PER_MS));
    if (ns % NS_PER_US == 0) return buf_printf(out, ".%06u", (unsigned)(ns / NS_PER_US));
    return buf_printf(out, ".%09u", (unsigned)ns);
}

bool text_put_time(struct buf *out, hob_ns time) {
    if (time == HOB_NEVER) return buf_put_str(out, "never");
    uint64_t seconds = time / NS_PER_SECOND;
    struct civil_date date = civil_from_days((int64_t)(seconds / 86400));
    unsigned clock = (unsigned)(seconds % 86400);
    bool fits = buf_printf(
        out,
        "%04d-%02u-%02uT%02u:%02u:%02u",
        (int)date.year,
        date.month,
        date.day,
        clock / 3600,
        clock / 60 % 60,
        clock % 60
    );
    return put_fraction(out, time % NS_PER_SECOND) && buf_put_char(out, 'Z') && fits;
}
