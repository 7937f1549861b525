/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loop of base/json.c and base/json_walk.c, for these two only. */
#ifndef HOB_BASE_JSON_SCAN_H
#define HOB_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline bool json_is_plain(uint8_t byte) {
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* Eight bytes at a time while none of them is a quote, a backslash, a control character or not
 * ASCII: the usual tests for "some byte is zero" and "some byte is below 0x20", whose false alarms
 * only end the fast loop early. */
static inline const char *json_skip_plain(const char *at, const char *end) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = UINT64_C(0x8080808080808080);
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        uint64_t quote = word ^ (ones * '"');
        uint64_t backslash = word ^ (ones * '\\');
        uint64_t special = (quote - ones) | (backslash - ones) | (word - ones * 0x20) | word;
        if ((special & highs) != 0) break;
        at += 8;
    }
    while (at < end && json_is_plain((uint8_t)*at)) at++;
    return at;
}

#endif
