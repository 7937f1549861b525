/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that are pushed all or none: the part of core.h for pushall.c, and what it asks of push.c
 * and unique.c. */
#ifndef HOB_ENGINE_PUSHALL_H
#define HOB_ENGINE_PUSHALL_H

#include "engine/answer.h"

struct engine;

/* The latest list that was pushed is forgotten. */
void pushed_free(struct engine *engine);

/* --- push.c --- */

/* The answer of a push that is at fault by itself; an OK one is left alone. */
void push_check(const struct push_command *push, struct answer *answer);
/* True when a push names a parent that may not have children now. */
bool push_parent_is_refused(
    const struct engine *engine, const struct push_command *push, struct answer *answer
);
/* As push_is_met, of a push that is not refused and changes no other job. */
bool push_is_existing(
    struct engine *engine, const struct push_command *push, struct answer *answer
);
/* Of the texts that push_emit writes. */
uint64_t push_text_bytes(const struct push_command *push);

/* --- unique.c --- */

/* The id of the job that a unique key is held for; 0: nothing holds it. */
uint64_t unique_held_by(const struct engine *engine, struct slice unique);
/* May this push change a job that is there already? */
bool unique_may_change(const struct push_command *push);
/* When the unique key of a push is held, the holder is its answer, and nothing is changed. */
bool unique_is_existing(
    struct engine *engine, const struct push_command *push, struct answer *answer
);

#endif
