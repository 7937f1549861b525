/* SPDX-License-Identifier: Apache-2.0 */
/* Doubles as text, exactly, in both directions and whatever the locale of the process is: a printed
 * number reads back as the same bits, and a read number is the double nearest to the text. Whole
 * numbers are base/text.h. */
#ifndef HOB_BASE_NUMBER_H
#define HOB_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum { NUMBER_BYTES_MAX = 32 };

/**
 * Write a short decimal that reads back as @value: "1", "0.1", "-2.5", "1e+30"; also "inf", "-inf"
 * and "nan", which JSON does not have. Returns the bytes written to @to (room for NUMBER_BYTES_MAX,
 * not terminated).
 */
size_t number_print(char *to, double value);

/**
 * Read a number in the grammar of JSON (RFC 8259 section 6), the whole of @text. False when it is
 * none, or too large for a double; too small a number is 0.
 */
bool number_parse(struct slice text, double *ret_value);

#endif
