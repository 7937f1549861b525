/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of a job's program: the worker's own, what the configuration adds, and what a
 * program may want to know about its job:
 *
 *     HOB_JOB_ID  HOB_QUEUE  HOB_KIND       which job
 *     HOB_ATTEMPT  HOB_ATTEMPT_MAX          this is attempt 2 of at most 25
 *     HOB_DEADLINE                          it is stopped at this time, Unix seconds
 *     HOB_PROGRESS_FD                       write "::progress 40 half way" lines there
 *     TRACEPARENT  TRACESTATE               of its headers, when it has them (W3C Trace Context)
 *     HOB_SERVER  HOB_TOKEN                 to talk to the server about the job: EXTEND,
 *                 CHECKPOINT */
#ifndef HOB_WORKER_EXEC_ENV_H
#define HOB_WORKER_EXEC_ENV_H

#include "base/arena.h"
#include "worker/executor.h"

enum { PROGRESS_FD = 3 };

/**
 * The environment as exec takes it, from @arena.
 *
 * @inherited  NAME=value, NULL at the end; whatever is said elsewhere goes before it
 */
char **
exec_env(struct arena *arena, const struct run_job *job, hob_ns now_ns, char *const *inherited);

#endif
