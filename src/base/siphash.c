/* SPDX-License-Identifier: Apache-2.0 */
/* As the paper's reference code: two rounds a word, four at the end. */
#include "base/siphash.h"

#include "base/codec.h"

static uint64_t rotate(uint64_t value, unsigned bits) {
    return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4]) {
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word) {
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

uint64_t siphash(struct siphash_key key, struct slice bytes) {
    uint64_t v[4] = {
        key.words[0] ^ 0x736f6d6570736575u,
        key.words[1] ^ 0x646f72616e646f6du,
        key.words[0] ^ 0x6c7967656e657261u,
        key.words[1] ^ 0x7465646279746573u,
    };
    size_t at = 0;
    for (; bytes.size - at >= 8; at += 8) sip_word(v, get_u64le(bytes.bytes + at));
    uint64_t last = (uint64_t)bytes.size << 56;
    if (at < bytes.size) last |= get_le(bytes.bytes + at, (unsigned)(bytes.size - at));
    sip_word(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
