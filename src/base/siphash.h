/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4 (Aumasson and Bernstein, 2012), 64-bit: a keyed hash that nobody who does not know
 * the key can flood. */
#ifndef HOB_BASE_SIPHASH_H
#define HOB_BASE_SIPHASH_H

#include <stdint.h>

#include "base/slice.h"

struct siphash_key {
    uint64_t words[2];
};

/** The hash of @bytes under @key. */
uint64_t siphash(struct siphash_key key, struct slice bytes);

#endif
