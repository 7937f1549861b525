/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a program: one line an event on stderr (base/logfmt.h says how it looks). Only
 * programs log; libraries answer and fail.
 *
 *     log_info("job done", log_u64("job", id), log_text("kind", kind), log_ms("dur_ms", took_ns));
 *
 * As text on a terminal and as logfmt elsewhere, from level info on, unless log_set says otherwise.
 * When stderr is the socket of systemd's journal, each line begins with its priority, "<6>". */
#ifndef HOB_OS_LOG_H
#define HOB_OS_LOG_H

#include "base/logfmt.h"

/**
 * Choose format and lowest level by their words: each a word, or NULL to leave it as it is. Before
 * the first event. False when a word is not known; then nothing has changed.
 */
bool log_set(const char *format, const char *level);

/** Whether events of this severity are written: to save the work of those that are not. */
bool log_is_on(enum log_severity severity);

/** Write one line; @fields end with LOG_END. */
void log_write(enum log_severity severity, const char *what, const struct log_field *fields);

/* The fields follow the event, none is fine. In small letters, since they are used as functions. */
/* NOLINTBEGIN(readability-identifier-naming) */
#define LOG_FIELDS(...)      ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ) LOG_END})
#define log_debug(what, ...) log_write(SEVERITY_DEBUG, (what), LOG_FIELDS(__VA_ARGS__))
#define log_info(what, ...)  log_write(SEVERITY_INFO, (what), LOG_FIELDS(__VA_ARGS__))
#define log_warn(what, ...)  log_write(SEVERITY_WARN, (what), LOG_FIELDS(__VA_ARGS__))
#define log_error(what, ...) log_write(SEVERITY_ERROR, (what), LOG_FIELDS(__VA_ARGS__))
/* NOLINTEND(readability-identifier-naming) */

#endif
