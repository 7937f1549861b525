/* SPDX-License-Identifier: Apache-2.0 */
/* Unique keys inside the engine: who holds one (unique.c), and pushes that join the job that waits
 * for one (join.c). */
#ifndef HOB_ENGINE_UNIQUE_H
#define HOB_ENGINE_UNIQUE_H

#include "engine/core.h"

/* The job that holds @unique, or 0. */
uint32_t unique_holder(const struct engine *engine, struct slice unique);
/* Does a job of this scope hold its key in @state? */
bool unique_scope_holds(enum unique_scope scope, enum job_state state);
/* Does a push become a blocked job? Only asked when the push is not met. */
bool unique_blocks(const struct engine *engine, const struct push_command *push);
/* The job that a blocked one waits for. */
uint32_t unique_blocker(const struct engine *engine, const struct job *job);
/* What must hold of a blocked job. */
void unique_check(const struct engine *engine, const struct job *job, uint32_t handle);
/* The job has come to its state, or leaves it: job_enter and job_leave only. */
void unique_enter(struct engine *engine, uint32_t job);
void unique_leave(struct engine *engine, uint32_t job);
/* NULL when what a push says about its unique key is sound, else what is wrong with it. */
const char *unique_fault(const struct push_command *push);
/* Does the job wait, in the queue that is pushed to? */
bool may_be_changed_by(
    const struct engine *engine, const struct push_command *push, const struct job *job
);
/* Put a waiting job off, as the push that @update is made of asks for. */
void debounce(const struct engine *engine, const struct job *job, struct update_command *update);
/* join.c: NULL when what a push says about merging is sound, else what is wrong with it. */
const char *join_fault(const struct push_command *push);
/* A push with `merge` meets the holder of its key, whose handle may be 0: true when it is done. */
bool join_meets(
    struct engine *engine, const struct push_command *push, uint32_t handle, struct answer *answer
);
/* When a debounced job runs whose first push was at @created_ns, if no other push comes. */
hob_ns
debounce_until(const struct engine *engine, const struct push_command *push, hob_ns created_ns);
/* True when the unique key of a push is held: then the push is done, and this is its answer. */
bool unique_meets(struct engine *engine, const struct push_command *push, struct answer *answer);
/* True when a final job may not be retried, for another holds its key by now. */
bool unique_forbids_retry(
    const struct engine *engine, const struct job *job, struct answer *answer
);

#endif
