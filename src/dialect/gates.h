/* SPDX-License-Identifier: Apache-2.0 */
/* Why a job does not run, as it is told: fields, and a sentence for each gate. */
#ifndef HOB_DIALECT_GATES_H
#define HOB_DIALECT_GATES_H

#include "dialect/fields.h"
#include "dialect/session.h"

/**
 * The explanation of a job that the request under way may see; false when there is none. Names that
 * this session may not hear of are left out.
 */
bool session_explain(struct session *session, uint64_t id, struct explanation *ret_explanation);

/** Append what this gate says, without capital and full stop. */
void gate_put(struct buf *to, const struct gate *gate);

#endif
