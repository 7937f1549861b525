/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes of the system, for identities and secrets. The engine draws none: its seed is an
 * argument. */
#ifndef HOB_OS_ENTROPY_H
#define HOB_OS_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

/** Fill @bytes with @size random bytes fit for secrets. Panics when the system has none: nothing
 * safe can follow. */
void entropy_fill(void *bytes, size_t size);

/** A random number; never 0. */
uint64_t entropy_u64(void);

#endif
