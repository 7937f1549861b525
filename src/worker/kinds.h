/* SPDX-License-Identifier: Apache-2.0 */
/* The executors of this worker: one row each in kinds.c. */
#ifndef HOB_WORKER_KINDS_H
#define HOB_WORKER_KINDS_H

#include "config/config.h"
#include "worker/executor.h"

/** Who runs jobs of this kind. */
const struct executor *kind_executor(const struct kind_config *kind);

/** How all of them read their parts of the configuration. */
extern const struct config_readers worker_readers;

#endif
