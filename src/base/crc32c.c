/* SPDX-License-Identifier: Apache-2.0 */
/* Eight tables of 256 entries ("slicing by 8", Intel 2006) made at build time from the polynomial
 * by a constructor, and the crc32 instruction of SSE4.2 where there is one. Both give the same
 * value (crc32c_test.c). */
#include "base/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#    include <nmmintrin.h>
#endif

#include "base/codec.h"

static uint32_t tables[8][256];

__attribute__((constructor)) static void tables_init(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1)));
        tables[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++) {
        for (uint32_t k = 1; k < 8; k++) {
            tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 0xff];
        }
    }
}

uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t size) {
    const uint8_t *at = bytes;
    crc = ~crc;
    while (size >= 8) {
        uint64_t word = get_u64le((const char *)at) ^ crc;
        crc = 0;
        for (unsigned k = 0; k < 8; k++) crc ^= tables[7 - k][(word >> (8 * k)) & 0xff];
        at += 8;
        size -= 8;
    }
    while (size-- > 0) crc = (crc >> 8) ^ tables[0][(crc ^ *at++) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
crc32c_by_instruction(uint32_t crc, const void *bytes, size_t size) {
    const uint8_t *at = bytes;
    uint64_t value = ~crc;
    while (size >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        value = _mm_crc32_u64(value, word);
        at += 8;
        size -= 8;
    }
    uint32_t low = (uint32_t)value;
    while (size-- > 0) low = _mm_crc32_u8(low, *at++);
    return ~low;
}
#endif

uint32_t crc32c(uint32_t crc, const void *bytes, size_t size) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return crc32c_by_instruction(crc, bytes, size);
#endif
    return crc32c_by_table(crc, bytes, size);
}
