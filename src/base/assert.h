/* SPDX-License-Identifier: Apache-2.0 */
/* A bug stops the process: assertions stay on in release builds. They are for impossible states,
 * never for bytes that came from outside; those become answers or failures (status.h). No side
 * effects inside an assertion. */
#ifndef HOB_BASE_ASSERT_H
#define HOB_BASE_ASSERT_H

#include <stddef.h>

#define hob_assert(fact)   ((fact) ? (void)0 : hob_panic(__FILE__, __LINE__, #fact))
#define hob_countof(array) (sizeof(array) / sizeof((array)[0]))

/** Print file, line and the fact that does not hold on stderr, and abort. */
_Noreturn void hob_panic(const char *file, int line, const char *fact);

#endif
