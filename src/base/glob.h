/* SPDX-License-Identifier: Apache-2.0 */
/* Globs: patterns in which * stands for any run of bytes, also an empty one, and ? for exactly one.
 * Every other byte stands for itself; there are no classes, no alternatives and no escape. */
#ifndef HOB_BASE_GLOB_H
#define HOB_BASE_GLOB_H

#include <stdbool.h>

#include "base/slice.h"

/** Does @pattern fit the whole of @text? At most pattern.size * text.size steps, no recursion. */
bool glob_fits(struct slice pattern, struct slice text);

/** Does one of @patterns, which have one space between them, fit? No patterns fit everything. */
bool glob_list_fits(struct slice patterns, struct slice text);

/** Is there a * or a ? in it? */
bool glob_has_wildcard(struct slice pattern);

#endif
