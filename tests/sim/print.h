/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and answers as a person reads them, one a line. */
#ifndef HOB_TEST_SIM_PRINT_H
#define HOB_TEST_SIM_PRINT_H

#include "base/buf.h"
#include "engine/answer.h"

/** Append a command, without its bytes. */
void print_command(const struct command *command, struct buf *out);

/** Append an answer. */
void print_answer(const struct answer *answer, struct buf *out);

#endif
