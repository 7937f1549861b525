/* SPDX-License-Identifier: Apache-2.0 */
/* Is what the engine shows what the model says? Each function appends the differences it finds to a
 * report, one a line, and answers whether there was none. */
#ifndef HOB_TEST_SIM_COMPARE_H
#define HOB_TEST_SIM_COMPARE_H

#include "tests/sim/model.h"

/** The answers to one command. */
bool compare_answers(
    const struct command *command,
    const struct answer *wanted,
    const struct answer *got,
    struct buf *report
);

/** Late answers, in any order; those of one request must be equal. */
bool compare_lates(
    const struct model_late *wanted,
    uint32_t wanted_count,
    const struct model_late *got,
    uint32_t got_count,
    struct buf *report
);

/** Notices, in any order. */
bool compare_notices(
    const struct notice *wanted,
    uint32_t wanted_count,
    const struct notice *got,
    uint32_t got_count,
    struct buf *report
);

/** One job, there or not. */
bool compare_job(
    const struct model *model, const struct engine *engine, uint64_t id, struct buf *report
);

/** All jobs as a journal keeps them: without what workers do to their leases. */
bool compare_durable(const struct model *model, const struct engine *engine, struct buf *report);

/** All jobs, queues, workers, refs and numbers. */
bool compare_all(const struct model *model, const struct engine *engine, struct buf *report);

/** The list of jobs that pass a filter, in pages. */
bool compare_list(
    const struct model *model,
    const struct engine *engine,
    const struct job_filter *filter,
    uint32_t page,
    struct buf *report
);

/** What the engine explains of a job. */
bool compare_gates(
    struct model *model,
    const struct engine *engine,
    const struct model_job *job,
    struct buf *report
);

/** The jobs of each queue that would be fetched next, @count of them at most. */
bool compare_next(
    struct model *model, const struct engine *engine, uint32_t count, struct buf *report
);

#endif
