/* SPDX-License-Identifier: Apache-2.0 */
/* The table of well-formed sequences in the Unicode standard (table 3-7): only the second byte has
 * ranges of its own, and these exclude the overlong forms, the surrogates and what lies above
 * U+10FFFF. */
#include "base/utf8.h"

#include "base/assert.h"

static bool is_tail(uint8_t byte) {
    return (byte & 0xc0) == 0x80;
}

static size_t size_of_three(uint8_t lead, uint8_t second, uint8_t third) {
    uint8_t low = lead == 0xe0 ? 0xa0 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high && is_tail(third) ? 3 : 0;
}

static size_t size_of_four(uint8_t lead, uint8_t second, uint8_t third, uint8_t fourth) {
    uint8_t low = lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high && is_tail(third) && is_tail(fourth) ? 4 : 0;
}

size_t utf8_size(const char *at, const char *end) {
    const uint8_t *p = (const uint8_t *)at;
    size_t left = (size_t)(end - at);
    if (left == 0) return 0;
    if (p[0] < 0x80) return 1;
    if (p[0] < 0xc2) return 0;
    if (p[0] < 0xe0) return left >= 2 && is_tail(p[1]) ? 2 : 0;
    if (p[0] < 0xf0) return left >= 3 ? size_of_three(p[0], p[1], p[2]) : 0;
    if (p[0] < 0xf5) return left >= 4 ? size_of_four(p[0], p[1], p[2], p[3]) : 0;
    return 0;
}

size_t utf8_get(const char *at, const char *end, uint32_t *ret_code_point) {
    static const uint8_t lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t size = utf8_size(at, end);
    uint32_t code_point = size == 0 ? 0 : (uint8_t)at[0] & lead_bits[size];
    for (size_t i = 1; i < size; i++) code_point = code_point << 6 | ((uint8_t)at[i] & 0x3f);
    *ret_code_point = code_point;
    return size;
}

size_t utf8_put(char *to, uint32_t code_point) {
    hob_assert(code_point <= 0x10ffff);
    hob_assert(code_point < 0xd800 || code_point > 0xdfff);
    if (code_point < 0x80) {
        to[0] = (char)code_point;
        return 1;
    }
    size_t size = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    to[0] = (char)(leads[size] | code_point);
    return size;
}

/* Eight bytes at a time while they are ASCII. */
static const char *skip_ascii(const char *at, const char *end) {
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0) break;
        at += 8;
    }
    return at;
}

bool utf8_valid(struct slice text) {
    const char *at = text.size == 0 ? "" : text.bytes;
    const char *end = at + text.size;
    while (at < end) {
        at = skip_ascii(at, end);
        if (at == end) break;
        size_t size = utf8_size(at, end);
        if (size == 0) return false;
        at += size;
    }
    return true;
}
