/* SPDX-License-Identifier: Apache-2.0 */
/* The writers of wire/resp.h. A header ("$123\r\n") is put together on the stack and appended at
 * once. */
#include "base/assert.h"
#include "base/number.h"
#include "wire/resp.h"

enum { HEADER_BYTES_MAX = 1 + 20 + 2 };

static void put_header(struct buf *out, char type, uint64_t value) {
    char header[HEADER_BYTES_MAX];
    size_t at = sizeof header;
    header[--at] = '\n';
    header[--at] = '\r';
    do {
        header[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    header[--at] = type;
    buf_put(out, header + at, sizeof header - at);
}

/* A line cannot hold line breaks; a text that came from a user must not be able to forge a second
 * reply. */
static void put_line(struct buf *out, char type, struct slice text) {
    char *to = buf_reserve(out, text.size + 3);
    if (to == NULL) return;
    *to++ = type;
    for (size_t i = 0; i < text.size; i++) {
        bool line_break = text.bytes[i] == '\r' || text.bytes[i] == '\n';
        *to = text.bytes[i];
        if (line_break) *to = ' ';
        to++;
    }
    *to++ = '\r';
    *to = '\n';
    out->size += text.size + 3;
}

void resp_put_simple(struct buf *out, struct slice text) {
    put_line(out, '+', text);
}

void resp_put_error(struct buf *out, struct slice text) {
    put_line(out, '-', text);
}

void resp_put_i64(struct buf *out, int64_t value) {
    if (value >= 0) {
        put_header(out, ':', (uint64_t)value);
        return;
    }
    buf_put_char(out, ':');
    buf_put_i64(out, value);
    buf_put_str(out, "\r\n");
}

void resp_put_u64(struct buf *out, enum resp_version version, uint64_t value) {
    if (value <= INT64_MAX) {
        put_header(out, ':', value);
    } else if (version == RESP3) {
        put_header(out, '(', value);
    } else {
        resp_put_bulk_u64(out, value);
    }
}

void resp_put_bulk(struct buf *out, struct slice bytes) {
    put_header(out, '$', bytes.size);
    buf_put_slice(out, bytes);
    buf_put_str(out, "\r\n");
}

void resp_put_bulk_u64(struct buf *out, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    resp_put_bulk(out, slice_of(digits + at, sizeof digits - at));
}

void resp_put_null(struct buf *out, enum resp_version version) {
    buf_put_str(out, version == RESP3 ? "_\r\n" : "$-1\r\n");
}

void resp_put_null_array(struct buf *out, enum resp_version version) {
    buf_put_str(out, version == RESP3 ? "_\r\n" : "*-1\r\n");
}

void resp_put_array(struct buf *out, size_t count) {
    put_header(out, '*', count);
}

void resp_put_map(struct buf *out, enum resp_version version, size_t pairs_count) {
    if (version == RESP3) {
        put_header(out, '%', pairs_count);
    } else {
        put_header(out, '*', pairs_count * 2);
    }
}

void resp_put_set(struct buf *out, enum resp_version version, size_t count) {
    put_header(out, version == RESP3 ? '~' : '*', count);
}

void resp_put_push(struct buf *out, enum resp_version version, size_t count) {
    put_header(out, version == RESP3 ? '>' : '*', count);
}

void resp_put_bool(struct buf *out, enum resp_version version, bool value) {
    if (version == RESP3) {
        buf_put_str(out, value ? "#t\r\n" : "#f\r\n");
    } else {
        buf_put_str(out, value ? ":1\r\n" : ":0\r\n");
    }
}

void resp_put_double(struct buf *out, enum resp_version version, double value) {
    char text[NUMBER_BYTES_MAX];
    size_t size = number_print(text, value);
    if (version == RESP3) {
        put_line(out, ',', slice_of(text, size));
    } else {
        resp_put_bulk(out, slice_of(text, size));
    }
}

void resp_put_verbatim(
    struct buf *out, enum resp_version version, const char *hint, struct slice text
) {
    if (version == RESP2) {
        resp_put_bulk(out, text);
        return;
    }
    struct slice letters = slice_str(hint);
    hob_assert(letters.size == 3);
    put_header(out, '=', text.size + 4);
    buf_put_slice(out, letters);
    buf_put_char(out, ':');
    buf_put_slice(out, text);
    buf_put_str(out, "\r\n");
}
