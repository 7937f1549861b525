/* SPDX-License-Identifier: Apache-2.0 */
/* Findings in the order in which they were found. Counted past the last place too, so that nobody
 * takes a list that was cut for the whole. */
#include "config/report.h"

#include <stdio.h>

enum { FINDING_BYTES_MAX = 400 };

static void
add(struct config_report *report,
    bool is_warning,
    const char *place,
    const char *format,
    va_list arguments) {
    char text[FINDING_BYTES_MAX];
    size_t *total = is_warning ? &report->warning_count : &report->error_count;
    *total += 1;
    if (report->count == FINDINGS_MAX) return;
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): the callers have started it */
    if (vsnprintf(text, sizeof text, format, arguments) < 0) text[0] = '\0';
    report->findings[report->count++] = (struct finding){
        .place = arena_text(&report->arena, slice_str(place)),
        .text = arena_text(&report->arena, slice_str(text)),
        .is_warning = is_warning,
    };
}

enum hob_status report_error_list(
    struct config_report *report, const char *place, const char *format, va_list arguments
) {
    add(report, false, place, format, arguments);
    return HOB_CONFIG;
}

enum hob_status
report_error(struct config_report *report, const char *place, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(report, false, place, format, arguments);
    va_end(arguments);
    return HOB_CONFIG;
}

void report_warn_list(
    struct config_report *report, const char *place, const char *format, va_list arguments
) {
    add(report, true, place, format, arguments);
}

void report_warn(struct config_report *report, const char *place, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(report, true, place, format, arguments);
    va_end(arguments);
}

enum hob_status report_status(const struct config_report *report, struct hob_error *err) {
    if (report->error_count == 0) return HOB_OK;
    const struct finding *first = NULL;
    for (size_t i = 0; i < report->count && first == NULL; i++) {
        if (!report->findings[i].is_warning) first = &report->findings[i];
    }
    if (first == NULL) return fail(err, HOB_CONFIG, "%zu errors", report->error_count);
    if (report->error_count == 1) return fail(err, HOB_CONFIG, "%s: %s", first->place, first->text);
    return fail(
        err,
        HOB_CONFIG,
        "%s: %s (and %zu more: `hob config check` shows all)",
        first->place,
        first->text,
        report->error_count - 1
    );
}

void report_deinit(struct config_report *report) {
    arena_reset(&report->arena);
    *report = (struct config_report){0};
}
