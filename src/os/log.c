/* SPDX-License-Identifier: Apache-2.0 */
/* A line is put together first and written by one call, so that lines of several processes on one
 * terminal do not mix. The only state is what log_set chose, and what stderr was found to be. */
#include "os/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"

static struct {
    bool is_set_up;
    bool has_format;
    bool to_journal;
    enum log_format format;
    enum log_severity lowest;
} state = {.lowest = SEVERITY_INFO};

/* JOURNAL_STREAM is "device:inode" of the socket that systemd gave; somebody may have sent stderr
 * elsewhere since (systemd.exec(5)). */
static bool stderr_is_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM"); /* NOLINT(concurrency-mt-unsafe): one thread */
    struct stat found;
    if (stream == NULL || fstat(STDERR_FILENO, &found) != 0) return false;
    char wanted[64];
    (void)snprintf(
        wanted,
        sizeof wanted,
        "%llu:%llu",
        (unsigned long long)found.st_dev,
        (unsigned long long)found.st_ino
    );
    return slice_equal(slice_str(wanted), slice_str(stream));
}

static void set_up(void) {
    if (state.is_set_up) return;
    state.is_set_up = true;
    state.to_journal = stderr_is_journal();
    if (!state.has_format) {
        state.format = isatty(STDERR_FILENO) == 1 ? LOG_FORMAT_TEXT : LOG_FORMAT_LOGFMT;
    }
}

bool log_set(const char *format, const char *level) {
    enum log_format chosen = state.format;
    enum log_severity lowest = state.lowest;
    if (format != NULL && !log_format_parse(slice_str(format), &chosen)) return false;
    if (level != NULL && !log_severity_parse(slice_str(level), &lowest)) return false;
    state.format = chosen;
    state.has_format = state.has_format || format != NULL;
    state.lowest = lowest;
    return true;
}

bool log_is_on(enum log_severity severity) {
    return severity >= state.lowest;
}

static uint32_t day_seconds(hob_ns at_ns) {
    time_t at = (time_t)(at_ns / NS_PER_SECOND);
    struct tm parts = {0};
    (void)localtime_r(&at, &parts);
    return (uint32_t)(parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec);
}

void log_write(enum log_severity severity, const char *what, const struct log_field *fields) {
    static const char *const priorities[SEVERITY_COUNT] = {
        [SEVERITY_DEBUG] = "<7>",
        [SEVERITY_INFO] = "<6>",
        [SEVERITY_WARN] = "<4>",
        [SEVERITY_ERROR] = "<3>",
    };
    if (!log_is_on(severity)) return;
    set_up();
    struct log_event event = {
        .at_ns = clock_wall(),
        .severity = severity,
        .what = what,
        .fields = fields,
    };
    if (state.format == LOG_FORMAT_TEXT) event.day_seconds = day_seconds(event.at_ns);
    HOB_AUTO_BUF struct buf line = buf_make(LOG_LINE_BYTES_MAX);
    if (state.to_journal) (void)buf_put_str(&line, priorities[severity]);
    logfmt_put(&line, state.format, &event);
    (void)fwrite(line.bytes, 1, line.size, stderr);
}
