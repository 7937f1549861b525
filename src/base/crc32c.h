/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), as in RFC 3720 appendix B.4 and iSCSI. */
#ifndef HOB_BASE_CRC32C_H
#define HOB_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/**
 * Continue @crc (0 at the start, or any seed) over @size bytes. Uses SSE4.2 where the processor has
 * it.
 */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size);

/** The same by table only; for tests and for processors without the instruction. */
uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t size);

#endif
