/* SPDX-License-Identifier: Apache-2.0 */
/* Telling what went wrong, on stderr. */
#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"

int cli_fail(enum hob_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fflush(stdout);
    (void)fprintf(stderr, "hob: ");
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\n");
    va_end(arguments);
    return status_exit_code(status);
}

int cli_usage(const struct cli *cli, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "hob: ");
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\nTry: hob help %s\n", cli->command->name);
    va_end(arguments);
    return status_exit_code(HOB_USAGE);
}
