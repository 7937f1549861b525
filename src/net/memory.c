/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing of Hob goes on without memory (base/mem.h), and what libuv leaves behind when it does is
 * tried by nobody. What is written is short and needs no memory itself; what was acknowledged is on
 * the disk. */
#include "net/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/assert.h"
#include "base/status.h"

static void *or_end(void *block, size_t size) {
    if (block != NULL || size == 0) return block;
    (void)fprintf(stderr, "hob: out of memory: the event loop wanted %zu bytes\n", size);
    _exit(status_exit_code(HOB_NO_MEMORY));
}

static void *loop_malloc(size_t size) {
    return or_end(malloc(size), size);
}

static void *loop_realloc(void *block, size_t size) {
    return or_end(realloc(block, size), size);
}

static void *loop_calloc(size_t count, size_t size) {
    return or_end(calloc(count, size), count * size);
}

void net_memory_init(void) {
    int code = uv_replace_allocator(loop_malloc, loop_realloc, loop_calloc, free);
    hob_assert(code == 0);
}
