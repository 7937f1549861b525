/* SPDX-License-Identifier: Apache-2.0 */
/* malloc with a counter. A panic on exhaustion keeps every caller free of half-done states (see
 * mem.h). */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

void *mem_alloc(struct mem *mem, size_t size) {
    return mem_resize(mem, NULL, 0, size);
}

void *mem_zero_alloc(struct mem *mem, size_t size) {
    void *block = mem_alloc(mem, size);
    memset(block, 0, size);
    return block;
}

void *mem_resize(struct mem *mem, void *old, size_t old_size, size_t new_size) {
    hob_assert(new_size > 0);
    hob_assert(mem->used_bytes >= old_size);
    void *block = realloc(old, new_size);
    if (block == NULL) hob_panic(__FILE__, __LINE__, "out of memory");
    mem->used_bytes += new_size - old_size;
    if (mem->used_bytes > mem->used_max) mem->used_max = mem->used_bytes;
    mem->calls++;
    return block;
}

void mem_free(struct mem *mem, void *block, size_t size) {
    if (block == NULL) return;
    hob_assert(mem->used_bytes >= size);
    mem->used_bytes -= size;
    free(block);
}

void mem_auto_free(void *pointer_to_pointer) {
    free(*(void **)pointer_to_pointer);
}
