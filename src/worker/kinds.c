/* SPDX-License-Identifier: Apache-2.0 */
/* To add an executor: its file, its reader, and a row in each of these two tables. */
#include "worker/kinds.h"

#include "base/assert.h"
#include "worker/exec_config.h"

static const struct executor *const executors[] = {
    &executor_exec,
};

static const struct kind_reader *const readers[] = {
    &exec_reader,
};

_Static_assert(hob_countof(executors) == hob_countof(readers), "each executor has its reader");

const struct config_readers worker_readers = {.items = readers, .count = hob_countof(readers)};

const struct executor *kind_executor(const struct kind_config *kind) {
    for (size_t i = 0; i < hob_countof(readers); i++) {
        if (readers[i] == kind->reader) return executors[i];
    }
    hob_panic(__FILE__, __LINE__, "a kind was read by nobody");
}
