/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the event loop. libuv aborts without a word where it cannot do without; so it gets an
 * allocator that says what failed and ends the process. */
#ifndef HOB_NET_MEMORY_H
#define HOB_NET_MEMORY_H

/** Before anything else of libuv in this process. */
void net_memory_init(void);

#endif
