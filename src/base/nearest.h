/* SPDX-License-Identifier: Apache-2.0 */
/* Which known word somebody meant: for "unknown key `tiemout`; did you mean `timeout`?". */
#ifndef HOB_BASE_NEAREST_H
#define HOB_BASE_NEAREST_H

#include <stddef.h>

#include "base/slice.h"

/**
 * The word of @words that is most like @typed, or NULL when none is like it: up to a third of the
 * letters may be wrong, missing, added or swapped. A word that @typed begins counts as like it.
 */
const char *nearest_word(struct slice typed, const char *const *words, size_t count);

#endif
