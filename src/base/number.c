/* SPDX-License-Identifier: Apache-2.0 */
/* printf and strtod are exact in glibc and musl, but they use the decimal point of the locale,
 * which an application that embeds this code may have set to a comma. So no point ever passes
 * through them: a number is printed as digits and an exponent, and read as an integer and an
 * exponent. */
#include "base/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum {
    SHORTEST_DIGITS_MAX = 17, /* always enough for a double */
    /* No double and no midpoint between two has more than 768 significant digits; further ones can
     * only say "above". */
    READ_DIGITS_MAX = 800,
};

/* Beyond any double, however many digits stand before it; far below overflow. */
#define EXPONENT_MAX INT64_C(100000000000000000)

struct decimal {
    char digits[SHORTEST_DIGITS_MAX];
    int digits_count;
    int exponent; /* of ten, of the first digit: 123 is "123" and 2 */
};

/* The first @count digits of |value|, correctly rounded, without trailing zeros. */
static struct decimal decimal_of(double value, int count) {
    char text[64];
    int size = snprintf(text, sizeof text, "%.*e", count - 1, fabs(value));
    hob_assert(size > 0 && (size_t)size < sizeof text);
    struct decimal decimal = {0};
    const char *p = text;
    for (; *p != 'e'; p++) {
        if (*p >= '0' && *p <= '9') decimal.digits[decimal.digits_count++] = *p;
    }
    decimal.exponent = (int)strtol(p + 1, NULL, 10);
    while (decimal.digits_count > 1 && decimal.digits[decimal.digits_count - 1] == '0') {
        decimal.digits_count--;
    }
    return decimal;
}

static double decimal_value(struct decimal decimal) {
    char text[64];
    int size = snprintf(
        text,
        sizeof text,
        "%.*se%d",
        decimal.digits_count,
        decimal.digits,
        decimal.exponent - (decimal.digits_count - 1)
    );
    hob_assert(size > 0 && (size_t)size < sizeof text);
    return strtod(text, NULL);
}

static char *put_digits(char *to, struct decimal decimal, int first, int end) {
    for (int i = first; i < end; i++, to++) {
        *to = '0';
        if (i < decimal.digits_count) *to = decimal.digits[i];
    }
    return to;
}

/* As ECMAScript's Number::toString does: plain between 1e-6 and 1e21, else with an exponent. */
static char *decimal_put(char *to, struct decimal decimal) {
    int exponent = decimal.exponent;
    if (exponent >= 0 && exponent < 21) {
        to = put_digits(to, decimal, 0, exponent + 1);
        if (decimal.digits_count <= exponent + 1) return to;
        *to++ = '.';
        return put_digits(to, decimal, exponent + 1, decimal.digits_count);
    }
    if (exponent < 0 && exponent > -7) {
        *to++ = '0';
        *to++ = '.';
        for (int i = -1; i > exponent; i--) *to++ = '0';
        return put_digits(to, decimal, 0, decimal.digits_count);
    }
    to = put_digits(to, decimal, 0, 1);
    if (decimal.digits_count > 1) {
        *to++ = '.';
        to = put_digits(to, decimal, 1, decimal.digits_count);
    }
    char text[16];
    int size = snprintf(text, sizeof text, "e%+d", exponent);
    hob_assert(size > 0 && (size_t)size < sizeof text);
    memcpy(to, text, (size_t)size);
    return to + size;
}

size_t number_print(char *to, double value) {
    char *at = to;
    if (isnan(value)) {
        memcpy(at, "nan", 3);
        return 3;
    }
    if (signbit(value) != 0) *at++ = '-';
    if (isinf(value)) {
        memcpy(at, "inf", 3);
        return (size_t)(at + 3 - to);
    }
    struct decimal decimal = {.digits = "0", .digits_count = 1};
    for (int count = 15; value != 0 && count <= SHORTEST_DIGITS_MAX; count++) {
        decimal = decimal_of(value, count);
        if (decimal_value(decimal) == fabs(value)) break;
    }
    at = decimal_put(at, decimal);
    hob_assert(at - to <= NUMBER_BYTES_MAX);
    return (size_t)(at - to);
}

/* What is read is collected as digits (leading zeros dropped) and an exponent. */
struct reading {
    char digits[READ_DIGITS_MAX + 32]; /* sign, digits, the sticky one, exponent, terminator */
    size_t digits_size;
    int64_t exponent;
    bool cut; /* a digit other than 0 was dropped at the end */
};

static void reading_add(struct reading *reading, char digit, bool fraction) {
    bool leading_zero = reading->digits_size == 0 && digit == '0';
    bool full = reading->digits_size == READ_DIGITS_MAX;
    if (full && digit != '0') reading->cut = true;
    if (!leading_zero && !full) reading->digits[reading->digits_size++] = digit;
    if (fraction && !full) reading->exponent--;
    if (!fraction && full) reading->exponent++;
}

static bool is_digit(const char *p, const char *end) {
    return p < end && *p >= '0' && *p <= '9';
}

/* "e+12" at the end of a number; NULL when malformed. */
static const char *read_exponent(struct reading *reading, const char *p, const char *end) {
    p++;
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (!is_digit(p, end)) return NULL;
    int64_t exponent = 0;
    for (; is_digit(p, end); p++) {
        if (exponent < EXPONENT_MAX) exponent = exponent * 10 + (*p - '0');
    }
    reading->exponent += negative ? -exponent : exponent;
    return p;
}

static double reading_value(struct reading *reading) {
    if (reading->digits_size == 0) return 0;
    if (reading->cut) {
        reading->digits[reading->digits_size++] = '1';
        reading->exponent--;
    }
    char *to = reading->digits + reading->digits_size;
    size_t room = sizeof reading->digits - reading->digits_size;
    int size = snprintf(to, room, "e%" PRId64, reading->exponent);
    hob_assert(size > 0 && (size_t)size < room);
    return strtod(reading->digits, NULL);
}

bool number_parse(struct slice text, double *ret_value) {
    const char *p = text.size == 0 ? "" : text.bytes;
    const char *end = p + text.size;
    struct reading reading;
    reading.digits_size = 0;
    reading.exponent = 0;
    reading.cut = false;
    bool negative = p < end && *p == '-';
    if (negative) p++;
    if (!is_digit(p, end)) return false;
    if (*p == '0' && is_digit(p + 1, end)) return false;
    for (; is_digit(p, end); p++) reading_add(&reading, *p, false);
    if (p < end && *p == '.') {
        p++;
        if (!is_digit(p, end)) return false;
        for (; is_digit(p, end); p++) reading_add(&reading, *p, true);
    }
    if (p < end && (*p == 'e' || *p == 'E')) p = read_exponent(&reading, p, end);
    if (p != end) return false;
    double value = reading_value(&reading);
    if (isinf(value)) return false;
    *ret_value = negative ? -value : value;
    return true;
}
