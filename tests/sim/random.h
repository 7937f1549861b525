/* SPDX-License-Identifier: Apache-2.0 */
/* The one source of chance in the simulator: xorshift64* (Vigna, 2016), seeded by the number on the
 * command line, so that a seed is a whole run. */
#ifndef HOB_TEST_SIM_RANDOM_H
#define HOB_TEST_SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_u64(struct dice *dice) {
    uint64_t x = dice->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    dice->state = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

/* Seeds are small numbers close to each other: SplitMix64 spreads them over the whole word. */
static inline struct dice dice_of(uint64_t seed) {
    uint64_t z = seed + UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return (struct dice){.state = z == 0 ? 1 : z};
}

/* 0 .. below-1 */
static inline uint64_t dice_below(struct dice *dice, uint64_t below) {
    return (dice_u64(dice) >> 11) % below;
}

static inline uint64_t dice_between(struct dice *dice, uint64_t low, uint64_t high) {
    return low + dice_below(dice, high - low + 1);
}

static inline bool dice_percent(struct dice *dice, uint32_t percent) {
    return dice_below(dice, 100) < percent;
}

/* True once in @times. */
static inline bool dice_once_in(struct dice *dice, uint32_t times) {
    return dice_below(dice, times) == 0;
}

/* A number below @below whose magnitude, not value, is evenly spread: small ones are common. */
static inline uint64_t dice_small(struct dice *dice, uint64_t below) {
    uint64_t limit = below;
    while (limit > 2 && dice_once_in(dice, 2)) limit /= 4;
    return dice_below(dice, limit == 0 ? 1 : limit);
}

/* FNV-1a over words of eight bytes, to tell bytes apart without keeping them. */
static inline uint64_t bytes_hash(const char *bytes, size_t size) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    size_t at = 0;
    for (uint64_t word = 0; size - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, bytes + at, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
    }
    for (; at < size; at++) {
        hash = (hash ^ (uint8_t)bytes[at]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

#endif
