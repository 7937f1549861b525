/* SPDX-License-Identifier: Apache-2.0 */
/* A log is written once and read rarely, so its lines are packed bytes outside the engine's
 * memory. */
#include "engine/logline.h"

#include "base/assert.h"
#include "base/codec.h"

static const char *const stream_words[] = {
    [LOG_STDOUT] = "out", [LOG_STDERR] = "err", [LOG_SYSTEM] = "sys"};
static const char *const level_words[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
_Static_assert(hob_countof(stream_words) == LOG_STREAM_COUNT, "each stream has a word");
_Static_assert(hob_countof(level_words) == LOG_LEVEL_COUNT, "each level has a word");

bool log_line_put(struct buf *out, const struct log_line *line) {
    char *to = buf_reserve(out, 2 * VARINT_MAX_BYTES + 2 + line->text.size);
    if (to == NULL) return false;
    size_t size = varint_put(to, line->at_ns / NS_PER_MS);
    to[size++] = (char)line->stream;
    to[size++] = (char)line->level;
    size += varint_put(to + size, line->text.size);
    if (line->text.size > 0) memcpy(to + size, line->text.bytes, line->text.size);
    out->size += size + line->text.size;
    return true;
}

bool log_line_next(struct slice *entries, struct log_line *ret_line, bool *ret_bad) {
    *ret_bad = false;
    if (entries->size == 0) return false;
    struct reader reader = reader_of(*entries);
    uint64_t at_ms = read_varint(&reader);
    uint64_t stream = read_le(&reader, 1);
    uint64_t level = read_le(&reader, 1);
    struct slice text = read_string(&reader);
    if (reader.bad || stream >= LOG_STREAM_COUNT || level >= LOG_LEVEL_COUNT ||
        at_ms > HOB_NEVER / NS_PER_MS) {
        *ret_bad = true;
        return false;
    }
    *ret_line = (struct log_line){
        .at_ns = at_ms * NS_PER_MS,
        .stream = (enum log_stream)stream,
        .level = (enum log_level)level,
        .text = text,
    };
    *entries = slice_of(reader.at, reader_left(&reader));
    return true;
}

const char *log_stream_word(enum log_stream stream) {
    hob_assert(stream < LOG_STREAM_COUNT);
    return stream_words[stream];
}

const char *log_level_word(enum log_level level) {
    hob_assert(level < LOG_LEVEL_COUNT);
    return level_words[level];
}

bool log_stream_parse(struct slice word, enum log_stream *ret_stream) {
    for (unsigned i = 0; i < LOG_STREAM_COUNT; i++) {
        if (!slice_equal_nocase(slice_str(stream_words[i]), word)) continue;
        *ret_stream = (enum log_stream)i;
        return true;
    }
    return false;
}

bool log_level_parse(struct slice word, enum log_level *ret_level) {
    for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (!slice_equal_nocase(slice_str(level_words[i]), word)) continue;
        *ret_level = (enum log_level)i;
        return true;
    }
    return false;
}
