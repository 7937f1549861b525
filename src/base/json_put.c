/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of bytes that need no escape are appended as they are; only what lies between them is looked
 * at one by one. */
#include "base/json_put.h"

#include <math.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/number.h"
#include "base/text.h"
#include "base/utf8.h"

static void begin_value(struct json_put *put) {
    if (put->comma) buf_put_char(put->out, ',');
    put->comma = true;
}

static void open_bracket(struct json_put *put, char bracket) {
    begin_value(put);
    buf_put_char(put->out, bracket);
    put->comma = false;
}

static void close_bracket(struct json_put *put, char bracket) {
    buf_put_char(put->out, bracket);
    put->comma = true;
}

void json_put_object(struct json_put *put) {
    open_bracket(put, '{');
}

void json_put_object_end(struct json_put *put) {
    close_bracket(put, '}');
}

void json_put_array(struct json_put *put) {
    open_bracket(put, '[');
}

void json_put_array_end(struct json_put *put) {
    close_bracket(put, ']');
}

void json_put_key(struct json_put *put, const char *key) {
    json_put_key_slice(put, slice_str(key));
}

void json_put_key_slice(struct json_put *put, struct slice key) {
    begin_value(put);
    json_quote(put->out, key);
    buf_put_char(put->out, ':');
    put->comma = false;
}

void json_put_text(struct json_put *put, struct slice text) {
    begin_value(put);
    json_quote(put->out, text);
}

void json_put_str(struct json_put *put, const char *text) {
    if (text == NULL) {
        json_put_null(put);
    } else {
        json_put_text(put, slice_str(text));
    }
}

void json_put_u64(struct json_put *put, uint64_t value) {
    begin_value(put);
    buf_put_u64(put->out, value);
}

void json_put_i64(struct json_put *put, int64_t value) {
    begin_value(put);
    buf_put_i64(put->out, value);
}

void json_put_id(struct json_put *put, uint64_t id) {
    begin_value(put);
    buf_put_char(put->out, '"');
    buf_put_u64(put->out, id);
    buf_put_char(put->out, '"');
}

void json_put_double(struct json_put *put, double value) {
    if (isfinite(value) == 0) {
        json_put_null(put);
        return;
    }
    char text[NUMBER_BYTES_MAX];
    json_put_raw(put, slice_of(text, number_print(text, value)));
}

void json_put_bool(struct json_put *put, bool value) {
    json_put_raw(put, value ? SLICE("true") : SLICE("false"));
}

void json_put_null(struct json_put *put) {
    json_put_raw(put, SLICE("null"));
}

void json_put_raw(struct json_put *put, struct slice json) {
    begin_value(put);
    buf_put_slice(put->out, json);
}

static void put_escape(struct buf *out, uint8_t byte) {
    static const char hex[] = "0123456789abcdef";
    static const char shorts[] = {
        ['"'] = '"',
        ['\\'] = '\\',
        ['\b'] = 'b',
        ['\f'] = 'f',
        ['\n'] = 'n',
        ['\r'] = 'r',
        ['\t'] = 't',
    };
    if (byte < sizeof shorts && shorts[byte] != 0) {
        buf_put(out, (char[]){'\\', shorts[byte]}, 2);
    } else {
        buf_put(out, (char[]){'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]}, 6);
    }
}

/* DEL is escaped too: it is legal, but nothing good comes of it on a terminal. */
static bool is_plain(uint8_t byte) {
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

void json_quote(struct buf *out, struct slice text) {
    const char *at = text.size == 0 ? "" : text.bytes;
    const char *end = at + text.size;
    const char *run = at; /* not appended yet */
    buf_put_char(out, '"');
    while (at < end) {
        if (is_plain((uint8_t)*at)) {
            at++;
            continue;
        }
        size_t size = utf8_size(at, end);
        if (size > 1) {
            at += size;
            continue;
        }
        buf_put(out, run, (size_t)(at - run));
        if (size == 1) {
            put_escape(out, (uint8_t)*at);
        } else {
            buf_put_str(out, "\xef\xbf\xbd");
        }
        run = ++at;
    }
    buf_put(out, run, (size_t)(at - run));
    buf_put_char(out, '"');
}

void json_put_bytes(struct json_put *put, struct slice name, struct slice bytes) {
    if (json_valid(bytes)) {
        json_put_raw(put, bytes);
        return;
    }
    bool is_text = utf8_valid(bytes);
    if (is_text) {
        json_put_text(put, bytes);
    } else {
        /* base64 has no character that JSON would escape. */
        (void)buf_put_char(put->out, '"');
        (void)base64_put(put->out, bytes);
        (void)buf_put_char(put->out, '"');
        put->comma = true;
    }
    enum { KEY_BYTES_MAX = 256 };
    HOB_AUTO_BUF struct buf key = buf_make(KEY_BYTES_MAX);
    (void)buf_put_slice(&key, name);
    (void)buf_put_str(&key, "_encoding");
    json_put_key_slice(put, buf_slice(&key));
    json_put_str(put, is_text ? "text" : "base64");
}

/* --- members --- */

enum { TIME_BYTES_MAX = 64 };

void json_member_text(struct json_put *put, const char *key, struct slice text) {
    if (text.size == 0) return;
    json_put_key(put, key);
    json_put_text(put, text);
}

void json_member_u64(struct json_put *put, const char *key, uint64_t value) {
    json_put_key(put, key);
    json_put_u64(put, value);
}

void json_member_id(struct json_put *put, const char *key, uint64_t id) {
    if (id == 0) return;
    json_put_key(put, key);
    json_put_id(put, id);
}

void json_member_time(struct json_put *put, const char *key, hob_ns time_ns) {
    if (time_ns == 0) return;
    HOB_AUTO_BUF struct buf text = buf_make(TIME_BYTES_MAX);
    (void)text_put_time(&text, time_ns);
    json_member_text(put, key, buf_slice(&text));
}

void json_member_raw(struct json_put *put, const char *key, struct slice json) {
    if (json.size == 0) return;
    json_put_key(put, key);
    json_put_raw(put, json);
}
