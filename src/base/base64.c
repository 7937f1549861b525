/* SPDX-License-Identifier: Apache-2.0 */
/* Three bytes are four characters of six bits each; what is left over at the end is padded with
 * '='. */
#include "base/base64.h"

#include <stddef.h>
#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { NOT_A_DIGIT = 64 };

static uint32_t digit_of(char c) {
    if (c >= 'A' && c <= 'Z') return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z') return (uint32_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9') return (uint32_t)(c - '0' + 52);
    if (c == '+') return 62;
    if (c == '/') return 63;
    return NOT_A_DIGIT;
}

bool base64_put(struct buf *out, struct slice bytes) {
    if (bytes.size == 0) return true;
    size_t groups = bytes.size / 3 + (bytes.size % 3 != 0);
    char *to = buf_reserve(out, groups * 4);
    if (to == NULL) return false;
    for (size_t i = 0; i < groups; i++, to += 4) {
        const uint8_t *from = (const uint8_t *)bytes.bytes + i * 3;
        size_t left = bytes.size - i * 3;
        uint32_t bits = (uint32_t)from[0] << 16;
        if (left > 1) bits |= (uint32_t)from[1] << 8;
        if (left > 2) bits |= from[2];
        to[0] = alphabet[bits >> 18];
        to[1] = alphabet[bits >> 12 & 63];
        to[2] = '=';
        to[3] = '=';
        if (left > 1) to[2] = alphabet[bits >> 6 & 63];
        if (left > 2) to[3] = alphabet[bits & 63];
    }
    out->size += groups * 4;
    return true;
}

/* One group of four characters, of which the last @padding are '='. */
static bool decode_group(const char *from, size_t padding, char *to) {
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t digit = i < 4 - padding ? digit_of(from[i]) : 0;
        if (digit == NOT_A_DIGIT) return false;
        bits = bits << 6 | digit;
    }
    if ((bits & ((1u << (8 * padding)) - 1)) != 0) return false;
    to[0] = (char)(bits >> 16);
    if (padding < 2) to[1] = (char)(bits >> 8);
    if (padding < 1) to[2] = (char)bits;
    return true;
}

bool base64_decode(struct slice text, struct buf *out) {
    if (text.size == 0) return true;
    if (text.size % 4 != 0) return false;
    size_t padding = 0;
    while (padding < 2 && text.bytes[text.size - 1 - padding] == '=') padding++;
    size_t size = text.size / 4 * 3 - padding;
    char *to = buf_reserve(out, size);
    if (to == NULL) return false;
    for (size_t at = 0; at < text.size; at += 4) {
        bool last = at + 4 == text.size;
        char *group = to + at / 4 * 3;
        if (!decode_group(text.bytes + at, last ? padding : 0, group)) return false;
    }
    out->size += size;
    return true;
}
