/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign text comes in three steps: it is cut, quoted as JSON quotes (so that quotes, backslashes
 * and C0 controls are escaped and the bytes are UTF-8), and then swept once more for what JSON
 * allows and a terminal or a reader of lines does not. A value without any of it stands bare. */
#include "base/logfmt.h"

#include "base/assert.h"
#include "base/json_put.h"
#include "base/text.h"

static const char *const severity_words[] = {
    [SEVERITY_DEBUG] = "debug",
    [SEVERITY_INFO] = "info",
    [SEVERITY_WARN] = "warn",
    [SEVERITY_ERROR] = "error",
};
static const char *const format_words[] = {
    [LOG_FORMAT_TEXT] = "text", [LOG_FORMAT_LOGFMT] = "logfmt", [LOG_FORMAT_JSON] = "json"};
_Static_assert(hob_countof(severity_words) == SEVERITY_COUNT, "each severity has a word");
_Static_assert(hob_countof(format_words) == LOG_FORMAT_COUNT, "each format has a word");

const char *log_severity_word(enum log_severity severity) {
    hob_assert(severity < SEVERITY_COUNT);
    return severity_words[severity];
}

bool log_severity_parse(struct slice word, enum log_severity *ret_severity) {
    for (unsigned i = 0; i < SEVERITY_COUNT; i++) {
        if (!slice_equal(slice_str(severity_words[i]), word)) continue;
        *ret_severity = (enum log_severity)i;
        return true;
    }
    return false;
}

bool log_format_parse(struct slice word, enum log_format *ret_format) {
    for (unsigned i = 0; i < LOG_FORMAT_COUNT; i++) {
        if (!slice_equal(slice_str(format_words[i]), word)) continue;
        *ret_format = (enum log_format)i;
        return true;
    }
    return false;
}

/* The code point at the front of well-formed UTF-8, when it is one that must not be shown: DEL, C1,
 * U+2028..U+202E (separators, direction), U+2066..U+2069 (direction); else 0. Its size is set. */
static unsigned hidden_at(const unsigned char *at, size_t left, size_t *ret_size) {
    if (at[0] == 0x7f) {
        *ret_size = 1;
        return 0x7f;
    }
    if (left >= 2 && at[0] == 0xc2 && at[1] < 0xa0) {
        *ret_size = 2;
        return at[1];
    }
    if (left < 3 || at[0] != 0xe2) return 0;
    *ret_size = 3;
    if (at[1] == 0x80 && at[2] >= 0xa8 && at[2] <= 0xae) return 0x2000u + at[2] - 0x80;
    if (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9) return 0x2040u + at[2] - 0x80;
    return 0;
}

static void put_escaped(struct buf *out, unsigned point) {
    static const char digits[] = "0123456789abcdef";
    (void)buf_put_str(out, "\\u");
    for (int shift = 12; shift >= 0; shift -= 4) {
        (void)buf_put_char(out, digits[point >> shift & 15]);
    }
}

static void put_quoted(struct buf *out, struct slice text) {
    HOB_AUTO_BUF struct buf quoted = buf_make((size_t)LOG_VALUE_BYTES_MAX * 6 + 16);
    bool cut = text.size > LOG_VALUE_BYTES_MAX;
    if (cut) {
        text.size = LOG_VALUE_BYTES_MAX;
        /* Not inside a character. */
        while (text.size > 0 && ((unsigned char)text.bytes[text.size] & 0xc0) == 0x80) text.size--;
    }
    json_quote(&quoted, text);
    if (cut) {
        quoted.size--;
        (void)buf_put_str(&quoted, "…\"");
    }
    size_t from = 0;
    size_t at = 0;
    while (at < quoted.size) {
        size_t size = 1;
        unsigned point =
            hidden_at((const unsigned char *)quoted.bytes + at, quoted.size - at, &size);
        if (point == 0) {
            at++;
            continue;
        }
        (void)buf_put_slice(out, slice_of(quoted.bytes + from, at - from));
        put_escaped(out, point);
        at += size;
        from = at;
    }
    (void)buf_put_slice(out, slice_of(quoted.bytes + from, quoted.size - from));
}

static bool is_bare(struct slice text) {
    if (text.size == 0 || text.size > LOG_VALUE_BYTES_MAX) return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.bytes[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\') return false;
    }
    return true;
}

static void put_value(struct buf *out, const struct log_field *field, bool json) {
    switch (field->type) {
    case LOG_FIELD_U64:
        (void)buf_put_u64(out, field->number);
        return;
    case LOG_FIELD_I64:
        (void)buf_put_i64(out, (int64_t)field->number);
        return;
    case LOG_FIELD_TEXT:
        if (json || !is_bare(field->text)) {
            put_quoted(out, field->text);
        } else {
            (void)buf_put_slice(out, field->text);
        }
        return;
    case LOG_FIELD_END:
        break;
    }
    hob_assert(false && "the end has no value");
}

static void put_json(struct buf *out, const struct log_event *event) {
    (void)buf_put_str(out, "{\"time\":\"");
    (void)text_put_time(out, event->at_ns / NS_PER_MS * NS_PER_MS);
    (void)buf_put_str(out, "\",\"level\":\"");
    (void)buf_put_str(out, log_severity_word(event->severity));
    (void)buf_put_str(out, "\",\"msg\":");
    put_quoted(out, slice_str(event->what));
    for (const struct log_field *field = event->fields; field->type != LOG_FIELD_END; field++) {
        if (field->type == LOG_FIELD_TEXT && field->text.size == 0) continue;
        (void)buf_put_str(out, ",\"");
        (void)buf_put_str(out, field->name);
        (void)buf_put_str(out, "\":");
        put_value(out, field, true);
    }
    (void)buf_put_char(out, '}');
}

static void put_two(struct buf *out, uint32_t number) {
    (void)buf_put_char(out, (char)('0' + number / 10 % 10));
    (void)buf_put_char(out, (char)('0' + number % 10));
}

static void put_text_head(struct buf *out, const struct log_event *event) {
    const char *word = log_severity_word(event->severity);
    put_two(out, event->day_seconds / 3600);
    (void)buf_put_char(out, ':');
    put_two(out, event->day_seconds / 60 % 60);
    (void)buf_put_char(out, ':');
    put_two(out, event->day_seconds % 60);
    (void)buf_put_char(out, ' ');
    (void)buf_put_str(out, word);
    for (size_t i = strlen(word); i < 6; i++) (void)buf_put_char(out, ' ');
    (void)buf_put_str(out, event->what);
}

static void put_logfmt_head(struct buf *out, const struct log_event *event) {
    (void)buf_put_str(out, "time=");
    (void)text_put_time(out, event->at_ns / NS_PER_MS * NS_PER_MS);
    (void)buf_put_str(out, " level=");
    (void)buf_put_str(out, log_severity_word(event->severity));
    (void)buf_put_str(out, " msg=");
    put_quoted(out, slice_str(event->what));
}

void logfmt_put(struct buf *out, enum log_format format, const struct log_event *event) {
    hob_assert(format < LOG_FORMAT_COUNT);
    if (format == LOG_FORMAT_JSON) {
        put_json(out, event);
        (void)buf_put_char(out, '\n');
        return;
    }
    if (format == LOG_FORMAT_TEXT) {
        put_text_head(out, event);
    } else {
        put_logfmt_head(out, event);
    }
    for (const struct log_field *field = event->fields; field->type != LOG_FIELD_END; field++) {
        if (field->type == LOG_FIELD_TEXT && field->text.size == 0) continue;
        (void)buf_put_char(out, ' ');
        (void)buf_put_str(out, field->name);
        (void)buf_put_char(out, '=');
        put_value(out, field, false);
    }
    (void)buf_put_char(out, '\n');
}
