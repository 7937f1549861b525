/* SPDX-License-Identifier: Apache-2.0 */
/* One table of statuses; filling an error never allocates, so it works when memory is what
 * failed. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static const struct {
    int exit_code;
    const char *text;
} statuses[] = {
#define X(name, exit_code, text) [name] = {exit_code, text},
    HOB_STATUSES(X)
#undef X
};
_Static_assert(hob_countof(statuses) == HOB_STATUS_COUNT, "each status has a row");

int status_exit_code(enum hob_status status) {
    hob_assert(status < HOB_STATUS_COUNT);
    return statuses[status].exit_code;
}

const char *status_text(enum hob_status status) {
    hob_assert(status < HOB_STATUS_COUNT);
    return statuses[status].text;
}

static void error_format(struct hob_error *error, const char *format, va_list arguments) {
    int size = vsnprintf(error->text, sizeof error->text, format, arguments);
    if (size < 0) error->text[0] = '\0';
}

enum hob_status fail(struct hob_error *error, enum hob_status status, const char *format, ...) {
    if (error == NULL) return status;
    error->status = status;
    error->os_errno = 0;
    va_list arguments;
    va_start(arguments, format);
    error_format(error, format, arguments);
    va_end(arguments);
    return status;
}

enum hob_status
fail_errno(struct hob_error *error, enum hob_status status, int os_errno, const char *format, ...) {
    if (error == NULL) return status;
    error->status = status;
    error->os_errno = os_errno;
    va_list arguments;
    va_start(arguments, format);
    error_format(error, format, arguments);
    va_end(arguments);
    size_t used = strlen(error->text);
    const char *name = strerrordesc_np(os_errno);
    (void)snprintf(
        error->text + used, sizeof error->text - used, ": %s", name == NULL ? "unknown error" : name
    );
    return status;
}
