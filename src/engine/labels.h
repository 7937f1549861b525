/* SPDX-License-Identifier: Apache-2.0 */
/* What a job carries for others than the queue: headers, tags, the type of its payload. The engine
 * keeps them, checks their form and inherits the trace context; it decides nothing by them. */
#ifndef HOB_ENGINE_LABELS_H
#define HOB_ENGINE_LABELS_H

#include <stdbool.h>

#include "base/slice.h"

/* Each answers NULL when the text is sound (the empty one is), else what is wrong with it. */

/**
 * Headers: a JSON object of strings, at most HEADERS_MAX of them in HEADERS_BYTES_MAX; names are
 * tokens (RFC 9110) and come once, values have no control characters. A `traceparent` has the form
 * of W3C Trace Context.
 */
const char *headers_fault(struct slice headers);

/** Tags: 1 to TAGS_MAX names with commas between. */
const char *tags_fault(struct slice tags);

/** The type of a payload: visible ASCII and spaces, such as `text/plain; charset=utf-8`. */
const char *content_type_fault(struct slice type);

/** The first tag of @rest, which loses it; false at the end. */
bool tag_next(struct slice *rest, struct slice *ret_tag);

/** Is @tag one of @tags? */
bool tags_have(struct slice tags, struct slice tag);

/** The value of a header as JSON, with its quotes; empty when there is none. @headers is sound. */
struct slice header_raw(struct slice headers, struct slice name);

/** NULL when jobs may name these limiters, `name` or `name=units` with commas between; else what is
 * wrong with them. */
const char *limits_fault(struct slice limiters);

#endif
