/* SPDX-License-Identifier: Apache-2.0 */
/* The space setting of a target: see target.h. */
#ifndef HOB_TEST_SIM_SPACE_SIDE_H
#define HOB_TEST_SIM_SPACE_SIDE_H

#include "tests/sim/target.h"

struct space_side;

/** A new space on an empty journal; owned by the caller. */
struct space_side *space_side_new(const struct target_options *options);

/** Close it and remove its files. NULL is fine. */
void space_side_free(struct space_side *side);

/** As the target_… functions of the same names. */
void space_side_apply(
    struct space_side *side, hob_ns now_ns, const struct command *command, struct answer *ret_answer
);
void space_side_turn(struct space_side *side, hob_ns now_ns);
void space_side_restart(struct space_side *side, hob_ns now_ns);
const struct engine *space_side_engine(const struct space_side *side);
hob_ns space_side_due(const struct space_side *side);
bool space_side_has_body(struct space_side *side, uint64_t body_id, size_t size, uint64_t hash);
uint64_t space_side_body_count(const struct space_side *side);

#endif
