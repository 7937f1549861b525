/* SPDX-License-Identifier: Apache-2.0 */
/* Why a request is refused, in words that help: which argument, what was given, what is allowed,
 * and what was probably meant. What was given comes from outside: it is cut and escaped. */
#ifndef HOB_DIALECT_COMPLAIN_H
#define HOB_DIALECT_COMPLAIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/** Append @given between single quotes, cut at 48 bytes ("…" says so), other than printable ASCII
 * escaped. */
void quote_given(struct buf *to, struct slice given);

/** Set @to to "NAME: 'given' is not ALLOWED". Answers false, for `return complain(…)`. */
bool complain(struct buf *to, const char *name, struct slice given, const char *allowed);

/**
 * Of the names that @name_at gives for 0, 1, … (NULL at the end) the one most like @given, compared
 * without case; NULL when none is near.
 */
const char *nearest(
    struct slice given, const char *(*name_at)(const void *context, size_t at), const void *context
);

#endif
