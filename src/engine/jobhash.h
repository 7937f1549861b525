/* SPDX-License-Identifier: Apache-2.0 */
/* The hash of a job for the digest of the state: see jobhash.c. */
#ifndef HOB_ENGINE_JOBHASH_H
#define HOB_ENGINE_JOBHASH_H

#include "engine/core.h"

enum { JOB_PART_FIXED = 1u << 0, JOB_PART_HOT = 1u << 1, JOB_PART_LOGS = 1u << 2 };
enum { JOB_PARTS = JOB_PART_FIXED | JOB_PART_HOT | JOB_PART_LOGS };

/** The sum of the parts of a job that are asked for. */
uint64_t job_hash(const struct engine *engine, const struct job *job, unsigned parts);

/** The sum of the hot parts of all running jobs; jump.c. */
uint64_t running_hash(struct engine *engine);

/** Carry out a jump of the clock; jump.c. */
bool carry_clock_jumped(struct engine *engine, const struct clock_jumped_effect *jumped);

#endif
