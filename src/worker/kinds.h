/* SPDX-License-Identifier: Apache-2.0 */
/* The executors of this worker: one row each in kinds.c. */
#ifndef HOB_WORKER_KINDS_H
#define HOB_WORKER_KINDS_H

#include "config/config.h"
#include "worker/executor.h"

enum { EXECUTOR_COUNT = 2 };

/* What the runs of each executor share, in one worker; opened by the first run that needs it. */
struct executors {
    uv_loop_t *loop;
    const char *version;
    void *shared[EXECUTOR_COUNT];
};

/** No run is left. */
void executors_close(struct executors *executors);

/** Who runs jobs of this kind; @ret_shared is what start() gets. */
const struct executor *
kind_executor(struct executors *executors, const struct kind_config *kind, void **ret_shared);

/** How all of them read their parts of the configuration. */
extern const struct config_readers worker_readers;

#endif
