/* SPDX-License-Identifier: Apache-2.0 */
/* One event of a program's log as one line: what happened, and typed fields that say to what.
 *
 *     struct log_field fields[] = {log_u64("job", 17), log_text("kind", kind), LOG_END};
 *     logfmt_put(&line, LOG_FORMAT_LOGFMT, &event);
 *
 *         logfmt   time=2026-03-01T09:30:00.250Z level=info msg="job done" job=17 kind=resize
 *         json     {"time":"2026-03-01T09:30:00.250Z","level":"info","msg":"job done","job":17,…}
 *         text     09:30:00 info  job done job=17 kind=resize
 *
 * Whatever a field's text holds, it stays inside its value: one event is one line, no value looks
 * like a second key, and nothing reaches a terminal as a control sequence. Control characters (C0,
 * DEL, C1), line and paragraph separators and those that turn the direction of writing are written
 * as \uXXXX, bytes that are not UTF-8 as U+FFFD; long values are cut and end in "…". */
#ifndef HOB_BASE_LOGFMT_H
#define HOB_BASE_LOGFMT_H

#include "base/buf.h"
#include "base/slice.h"
#include "base/time.h"

enum log_severity { SEVERITY_DEBUG, SEVERITY_INFO, SEVERITY_WARN, SEVERITY_ERROR, SEVERITY_COUNT };

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON, LOG_FORMAT_COUNT };

enum { LOG_VALUE_BYTES_MAX = 512, LOG_LINE_BYTES_MAX = 16 * 1024 };

enum log_field_type { LOG_FIELD_END, LOG_FIELD_U64, LOG_FIELD_I64, LOG_FIELD_TEXT };

struct log_field {
    const char *name; /* a-z and _ */
    enum log_field_type type;
    uint64_t number; /* signed ones too */
    struct slice text;
};

/* The last of an array of fields. A field that has nothing to say is left out: log_text of nothing
 * is no field. */
#define LOG_END ((struct log_field){.type = LOG_FIELD_END})

static inline struct log_field log_u64(const char *name, uint64_t number) {
    return (struct log_field){.name = name, .type = LOG_FIELD_U64, .number = number};
}

static inline struct log_field log_i64(const char *name, int64_t number) {
    return (struct log_field){.name = name, .type = LOG_FIELD_I64, .number = (uint64_t)number};
}

static inline struct log_field log_text(const char *name, struct slice text) {
    return (struct log_field){.name = name, .type = LOG_FIELD_TEXT, .text = text};
}

static inline struct log_field log_str(const char *name, const char *text) {
    return log_text(name, text == NULL ? SLICE_NONE : slice_str(text));
}

/** A span as whole milliseconds; by custom the name ends in _ms. */
static inline struct log_field log_ms(const char *name, hob_ns span) {
    return log_u64(name, span / NS_PER_MS);
}

struct log_event {
    hob_ns at_ns;
    uint32_t day_seconds; /* time of day where this program is, for LOG_FORMAT_TEXT */
    enum log_severity severity;
    const char *what;
    const struct log_field *fields; /* LOG_END is the last */
};

/** Append one line, with its end. */
void logfmt_put(struct buf *out, enum log_format format, const struct log_event *event);

/** debug, info, warn, error; text, logfmt, json. The parsers compare exactly. */
const char *log_severity_word(enum log_severity severity);
bool log_severity_parse(struct slice word, enum log_severity *ret_severity);
bool log_format_parse(struct slice word, enum log_format *ret_format);

#endif
