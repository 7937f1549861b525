/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a job's log, packed into the bytes of one LOG command: for each line
 *
 *     varint  time, ms since the Unix epoch
 *     u8      stream (enum log_stream)
 *     u8      level (enum log_level)
 *     varint  size, then the text without its line end
 */
#ifndef HOB_ENGINE_LOGLINE_H
#define HOB_ENGINE_LOGLINE_H

#include "base/buf.h"
#include "base/time.h"

enum log_stream { LOG_STDOUT, LOG_STDERR, LOG_SYSTEM, LOG_STREAM_COUNT };
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_COUNT };

struct log_line {
    hob_ns at_ns; /* whole milliseconds are kept */
    enum log_stream stream;
    enum log_level level;
    struct slice text;
};

/** Append one line. False when @out is full. */
bool log_line_put(struct buf *out, const struct log_line *line);

/**
 * Take the first line off @entries: false at the end, or at bytes that are no line (then *ret_bad
 * is true).
 */
bool log_line_next(struct slice *entries, struct log_line *ret_line, bool *ret_bad);

/** Words: out, err, sys; debug, info, warn, error. */
const char *log_stream_word(enum log_stream stream);
const char *log_level_word(enum log_level level);
bool log_stream_parse(struct slice word, enum log_stream *ret_stream);
bool log_level_parse(struct slice word, enum log_level *ret_level);

#endif
