/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 with the standard alphabet and padding (RFC 4648 section 4). Reading is strict: no line
 * breaks or other foreign characters, padding where it belongs, and no bits set that the padding
 * cuts off; so every byte string has one text. */
#ifndef HOB_BASE_BASE64_H
#define HOB_BASE_BASE64_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/** Append @bytes as text; false: no room (base/buf.h). */
bool base64_put(struct buf *out, struct slice bytes);

/** Append the bytes that @text stands for. False, with nothing appended: not base64, or no room. */
bool base64_decode(struct slice text, struct buf *out);

#endif
