/* SPDX-License-Identifier: Apache-2.0 */
/* To add an executor: its file, its reader, and a row in each of these two tables. */
#include "worker/kinds.h"

#include "base/assert.h"
#include "worker/exec_config.h"
#include "worker/http_config.h"

static const struct executor *const all[] = {
    &executor_exec,
    &executor_http,
};

static const struct kind_reader *const readers[] = {
    &exec_reader,
    &http_reader,
};

_Static_assert(hob_countof(all) == EXECUTOR_COUNT, "all of them are counted");
_Static_assert(hob_countof(all) == hob_countof(readers), "each executor has its reader");

const struct config_readers worker_readers = {.items = readers, .count = hob_countof(readers)};

void executors_close(struct executors *executors) {
    for (size_t i = 0; i < hob_countof(all); i++) {
        if (executors->shared[i] != NULL) all[i]->close(executors->shared[i]);
        executors->shared[i] = NULL;
    }
}

const struct executor *
kind_executor(struct executors *executors, const struct kind_config *kind, void **ret_shared) {
    for (size_t i = 0; i < hob_countof(readers); i++) {
        if (readers[i] != kind->reader) continue;
        if (executors->shared[i] == NULL && all[i]->open != NULL) {
            executors->shared[i] = all[i]->open(executors->loop, executors->version);
        }
        *ret_shared = executors->shared[i];
        return all[i];
    }
    hob_panic(__FILE__, __LINE__, "a kind was read by nobody");
}
