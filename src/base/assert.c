/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the road for bugs: one line on stderr, then abort, so that a core dump shows the
 * place. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void hob_panic(const char *file, int line, const char *fact) {
    (void)fprintf(stderr, "hob: panic at %s:%d: %s\n", file, line, fact);
    abort();
}
