/* SPDX-License-Identifier: Apache-2.0 */
/* Added as on paper, digit by digit from the right; the sizes first, then the sign. */
#include "engine/decimal.h"

#include <string.h>

#include "base/assert.h"

enum { EXPONENT_MAX = 10000 }; /* no digit of such a number has a place, but of a zero */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* The exponent at the end of a number, at most EXPONENT_MAX in size, and where it begins. */
static int exponent_of(struct slice number, size_t *ret_end) {
    size_t at = 0;
    while (at < number.size && number.bytes[at] != 'e' && number.bytes[at] != 'E') at++;
    *ret_end = at;
    if (at == number.size) return 0;
    at++;
    bool negative = at < number.size && number.bytes[at] == '-';
    if (at < number.size && !is_digit(number.bytes[at])) at++;
    int exponent = 0;
    for (; at < number.size; at++) {
        exponent = exponent * 10 + (number.bytes[at] - '0');
        if (exponent > EXPONENT_MAX) exponent = EXPONENT_MAX;
    }
    return negative ? -exponent : exponent;
}

bool decimal_parse(struct slice number, struct decimal *ret_decimal) {
    struct decimal decimal = {.negative = number.size > 0 && number.bytes[0] == '-'};
    size_t end;
    int exponent = exponent_of(number, &end);
    size_t begin = decimal.negative ? 1 : 0;
    size_t point = begin;
    while (point < end && is_digit(number.bytes[point])) point++;
    /* Where the first digit of the text belongs. */
    int64_t place = (int64_t)DECIMAL_WHOLE - (int64_t)(point - begin) - exponent;
    for (size_t at = begin; at < end; at++) {
        if (!is_digit(number.bytes[at])) continue; /* the point */
        uint8_t digit = (uint8_t)(number.bytes[at] - '0');
        bool has_place = place >= 0 && place < DECIMAL_DIGITS;
        if (digit != 0 && !has_place) return false;
        if (has_place) decimal.digits[place] = digit;
        place++;
    }
    *ret_decimal = decimal;
    return true;
}

/* The sum of the sizes; false when it has no place. */
static bool add_sizes(const struct decimal *a, const struct decimal *b, struct decimal *sum) {
    unsigned carry = 0;
    for (size_t i = DECIMAL_DIGITS; i-- > 0;) {
        unsigned digit = carry + a->digits[i] + b->digits[i];
        sum->digits[i] = (uint8_t)(digit % 10);
        carry = digit / 10;
    }
    return carry == 0;
}

/* The size of @large without that of @small. */
static void
subtract_sizes(const struct decimal *large, const struct decimal *small, struct decimal *rest) {
    unsigned borrow = 0;
    for (size_t i = DECIMAL_DIGITS; i-- > 0;) {
        unsigned digit = 10u + large->digits[i] - small->digits[i] - borrow;
        rest->digits[i] = (uint8_t)(digit % 10);
        borrow = digit < 10 ? 1 : 0;
    }
    hob_assert(borrow == 0);
}

bool decimal_add(const struct decimal *a, const struct decimal *b, struct decimal *ret_sum) {
    struct decimal sum = {.negative = a->negative};
    if (a->negative == b->negative) {
        if (!add_sizes(a, b, &sum)) return false;
    } else if (memcmp(a->digits, b->digits, DECIMAL_DIGITS) >= 0) {
        subtract_sizes(a, b, &sum);
    } else {
        sum.negative = b->negative;
        subtract_sizes(b, a, &sum);
    }
    *ret_sum = sum;
    return true;
}

void decimal_put(struct buf *out, const struct decimal *decimal) {
    size_t first = 0;
    size_t end = DECIMAL_DIGITS;
    while (first < DECIMAL_WHOLE - 1 && decimal->digits[first] == 0) first++;
    while (end > DECIMAL_WHOLE && decimal->digits[end - 1] == 0) end--;
    bool is_zero = end - first == 1 && decimal->digits[first] == 0;
    if (decimal->negative && !is_zero) (void)buf_put_char(out, '-');
    for (size_t i = first; i < end; i++) {
        if (i == DECIMAL_WHOLE) (void)buf_put_char(out, '.');
        (void)buf_put_char(out, (char)('0' + decimal->digits[i]));
    }
}
