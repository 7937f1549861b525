/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers, exact: 0.1 and 0.2 are 0.3. So a sum is the same on every machine, whatever the
 * order of its terms, and the engine needs no floating point. */
#ifndef HOB_ENGINE_DECIMAL_H
#define HOB_ENGINE_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum { DECIMAL_WHOLE = 40, DECIMAL_FRACTION = 40, DECIMAL_DIGITS = 80 };

/* The digit before the point is digits[DECIMAL_WHOLE - 1]. */
struct decimal {
    bool negative;
    uint8_t digits[DECIMAL_DIGITS];
};

/** Read a number in the grammar of JSON. False: it has a digit that there is no place for. */
bool decimal_parse(struct slice number, struct decimal *ret_decimal);

/** False: the sum has more than DECIMAL_WHOLE digits before the point. */
bool decimal_add(const struct decimal *a, const struct decimal *b, struct decimal *ret_sum);

/** Append it, as short as it can be written without an exponent. */
void decimal_put(struct buf *out, const struct decimal *decimal);

#endif
