/* SPDX-License-Identifier: Apache-2.0 */
/* Counted memory. The engine and everything that a client can make grow allocates through a `struct
 * mem`, so that use is known exactly, a ceiling can be kept (engine/limits.h: pushes are refused
 * before memory runs out) and a test can make the Nth allocation fail. Sizes are given back at
 * free: no header per block.
 *
 * When the system itself has no memory left the process panics: the journal is durable, so a
 * restart loses nothing, while a half-applied command would. */
#ifndef HOB_BASE_MEM_H
#define HOB_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

struct mem {
    size_t used_bytes; /* by live blocks, as asked for */
    size_t used_max;   /* the highest used_bytes so far */
    uint64_t calls;    /* allocations so far */
};

/**
 * A block of @size bytes (> 0), not initialised; never NULL. Owned by the caller until mem_free.
 */
void *mem_alloc(struct mem *mem, size_t size);

/** As mem_alloc, filled with zero. */
void *mem_zero_alloc(struct mem *mem, size_t size);

/** Resize a block; @old may be NULL with @old_size 0. Never NULL; the old pointer is void. */
void *mem_resize(struct mem *mem, void *old, size_t old_size, size_t new_size);

/** Give a block back; NULL is fine. */
void mem_free(struct mem *mem, void *block, size_t size);

#define HOB_AUTO_FREE __attribute__((cleanup(mem_auto_free)))
/** For HOB_AUTO_FREE on a plain malloc'ed pointer. */
void mem_auto_free(void *pointer_to_pointer);

#endif
