/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads that become one: what a push says joins what the waiting job of its unique key says.
 *
 *     append   arrays one behind the other; what is no array is one item. The first push already
 *              makes an array, so a handler always gets one
 *     sum      two numbers; or two objects, member by member: numbers are added, of other values
 *              the later one stays
 *     last     the later one */
#ifndef HOB_ENGINE_MERGE_H
#define HOB_ENGINE_MERGE_H

#include "base/buf.h"
#include "engine/command.h"

enum merge_result { MERGE_DONE, MERGE_TOO_LARGE, MERGE_IMPOSSIBLE };

/** NULL when a payload can be merged so, else what is wrong with it. */
const char *merge_payload_fault(enum merge merge, struct slice payload);

/** The payload of the first push: @payload itself, or made in @scratch. */
struct slice merge_begin(enum merge merge, struct slice payload, struct buf *scratch);

/**
 * Put into @out (empty, of the size that a payload may have) what @held and @given are together.
 * MERGE_IMPOSSIBLE: they are not of one sort, or a sum has too many digits.
 */
enum merge_result
merge_join(enum merge merge, struct slice held, struct slice given, struct buf *out);

#endif
