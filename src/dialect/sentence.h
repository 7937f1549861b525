/* SPDX-License-Identifier: Apache-2.0 */
/* The sentence for an answer other than OK: the same in every dialect. */
#ifndef HOB_DIALECT_SENTENCE_H
#define HOB_DIALECT_SENTENCE_H

#include "base/buf.h"
#include "engine/answer.h"

/** Set @to to what @answer means here: which argument, which state, when to try again. */
void sentence_of_answer(struct buf *to, const struct answer *answer);

#endif
