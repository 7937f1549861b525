/* SPDX-License-Identifier: Apache-2.0 */
/* One function for those who refuse with a reason, so that refusing is one line. */
#include "worker/why.h"

#include <stdarg.h>
#include <stdio.h>

bool why_not(char *to, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started above */
    int printed = vsnprintf(to, size, format, arguments);
    va_end(arguments);
    if (printed < 0) to[0] = '\0';
    return false;
}
