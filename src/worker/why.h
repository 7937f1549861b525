/* SPDX-License-Identifier: Apache-2.0 */
/* Why something is not so, as a text for people. */
#ifndef HOB_WORKER_WHY_H
#define HOB_WORKER_WHY_H

#include <stdbool.h>
#include <stddef.h>

/** Print the reason to @to, cut at @size; answers false, for `return why_not(…);`. */
bool why_not(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
