/* SPDX-License-Identifier: Apache-2.0 */
/* A line is put together first and written by one call, so that lines of several processes on one
 * terminal do not mix. There is no state: whether stderr is a terminal is asked each time. */
#include "os/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "os/clock.h"

enum { LINE_BYTES_MAX = 4096, FIELDS_BYTES_MAX = 3072 };

static void put_time_of_day(struct buf *line) {
    time_t now = (time_t)(clock_wall() / NS_PER_SECOND);
    struct tm parts = {0};
    (void)localtime_r(&now, &parts);
    (void)buf_printf(line, "%02d:%02d:%02d", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

static void
write_line(const char *level, const char *event, const char *fields, va_list arguments) {
    char text[FIELDS_BYTES_MAX];
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): the callers have started it */
    if (vsnprintf(text, sizeof text, fields, arguments) < 0) text[0] = '\0';
    HOB_AUTO_BUF struct buf line = buf_make(LINE_BYTES_MAX);
    if (isatty(STDERR_FILENO) == 1) {
        put_time_of_day(&line);
        (void)buf_printf(&line, " %-5s %s", level, event);
    } else {
        (void)buf_put_str(&line, "time=");
        (void)text_put_time(&line, clock_wall() / NS_PER_MS * NS_PER_MS);
        (void)buf_printf(&line, " level=%s msg=\"%s\"", level, event);
    }
    if (text[0] != '\0') (void)buf_printf(&line, " %s", text);
    (void)buf_put_char(&line, '\n');
    (void)fwrite(line.bytes, 1, line.size, stderr);
}

void log_info(const char *event, const char *fields, ...) {
    va_list arguments;
    va_start(arguments, fields);
    write_line("info", event, fields, arguments);
    va_end(arguments);
}

void log_warn(const char *event, const char *fields, ...) {
    va_list arguments;
    va_start(arguments, fields);
    write_line("warn", event, fields, arguments);
    va_end(arguments);
}

void log_error(const char *event, const char *fields, ...) {
    va_list arguments;
    va_start(arguments, fields);
    write_line("error", event, fields, arguments);
    va_end(arguments);
}
