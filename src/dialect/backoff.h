/* SPDX-License-Identifier: Apache-2.0 */
/* How backoffs are written, in every dialect and in both directions:
 *
 *     exponential[:base[:max]]    fixed:delay    sidekiq    list:d1,d2,…
 *
 * where each span is a number of ms or has units ("30s"). */
#ifndef HOB_DIALECT_BACKOFF_H
#define HOB_DIALECT_BACKOFF_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "engine/command.h"

#define BACKOFF_ALLOWED                                                             \
    "a backoff: exponential[:base[:max]], fixed:delay, sidekiq, or list:d1,d2,… " \
    "with at most 16 spans as 500ms or 30s"

/** False when @spec is no backoff; *ret_backoff is then untouched. */
bool backoff_parse(struct slice spec, struct backoff *ret_backoff);

/** Append the spec of @backoff; reads back as the same. */
void backoff_put(struct buf *out, const struct backoff *backoff);

#endif
