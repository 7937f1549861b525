/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, strictly (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef HOB_BASE_UTF8_H
#define HOB_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { UTF8_BYTES_MAX = 4 };

/** The size of the well-formed sequence at @at (before @end), 1 to 4; 0 when there is none. */
size_t utf8_size(const char *at, const char *end);

/** The code point at @at, whose size is returned; 0, and @ret_code_point 0, when there is none. */
size_t utf8_get(const char *at, const char *end, uint32_t *ret_code_point);

/**
 * Write one code point (not a surrogate, at most 0x10FFFF); returns its size. Room for
 * UTF8_BYTES_MAX.
 */
size_t utf8_put(char *to, uint32_t code_point);

/** Whether the whole of @text is UTF-8. */
bool utf8_valid(struct slice text);

#endif
