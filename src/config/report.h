/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a configuration, all of it: where, and what to do. Errors refuse the
 * configuration; warnings do not. */
#ifndef HOB_CONFIG_REPORT_H
#define HOB_CONFIG_REPORT_H

#include <stdarg.h>

#include "base/arena.h"
#include "base/status.h"

enum { FINDINGS_MAX = 100 };

struct finding {
    const char *place; /* "hob.yaml:4:7", "HOB_SLOTS", "--slots" */
    const char *text;
    bool is_warning;
};

/* Zero is an empty one. */
struct config_report {
    struct arena arena; /* of the texts */
    struct finding findings[FINDINGS_MAX];
    size_t count;
    size_t error_count;   /* all of them, */
    size_t warning_count; /* also those beyond FINDINGS_MAX */
};

/** Note an error; answers HOB_CONFIG. */
enum hob_status
report_error(struct config_report *report, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The same with a list of arguments. */
enum hob_status report_error_list(
    struct config_report *report, const char *place, const char *format, va_list arguments
) __attribute__((format(printf, 3, 0)));

/** Note a warning. */
void report_warn(struct config_report *report, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The same with a list of arguments. */
void report_warn_list(
    struct config_report *report, const char *place, const char *format, va_list arguments
) __attribute__((format(printf, 3, 0)));

/** HOB_OK, or HOB_CONFIG with the first error, and how many there are beside it, in @err. */
HOB_CHECK enum hob_status report_status(const struct config_report *report, struct hob_error *err);

/** Free the texts; the report is an empty one. */
void report_deinit(struct config_report *report);

#endif
