/* SPDX-License-Identifier: Apache-2.0 */
/* A chunked body (RFC 9112 section 7.1), by our own hand: chunk framing is where request smuggling
 * lives, and this is short enough to be read in one sitting.
 *
 *     1a;name=value CR LF   26 bytes CR LF   …   0 CR LF   trailer: value CR LF   CR LF
 *
 * A line counts only when it is there as a whole, and a line that is not ended within its limit is
 * refused; so what is decided never depends on how the bytes were cut into reads. */
#include <string.h>

#include "wire/http_parts.h"

enum {
    SIZE_DIGITS_MAX = 8,
    SIZE_LINE_BYTES_MAX = 256 + SIZE_DIGITS_MAX + 2, /* extensions: 256 bytes */
    TRAILER_LINE_BYTES_MAX = 1024,
    RAW_SLACK_BYTES = 64 * 1024,
    BODY_KEPT_BYTES =
        64 * 1024, /* more memory than this is not kept from one request to the next */
};

size_t http_chunks_raw_max(size_t body_bytes_max) {
    return body_bytes_max + body_bytes_max / 8 + RAW_SLACK_BYTES;
}

void http_chunks_reset(struct http_chunks *chunks) {
    if (chunks->body.capacity > BODY_KEPT_BYTES) buf_deinit(&chunks->body);
    buf_reset(&chunks->body);
    chunks->state = HTTP_CHUNK_SIZE;
    chunks->left = 0;
    chunks->raw_bytes = 0;
}

/* A line without its CRLF. False with *ret_error.status 0: not ended yet. */
static bool take_line(
    struct slice input, size_t bytes_max, struct slice *ret_line, struct http_error *ret_error
) {
    size_t window = input.size < bytes_max ? input.size : bytes_max;
    const char *lf = window == 0 ? NULL : memchr(input.bytes, '\n', window);
    if (lf == NULL) {
        *ret_error = window < bytes_max ? HTTP_FINE : http_refuse(400, "chunk line too long");
        return false;
    }
    size_t size = (size_t)(lf - input.bytes);
    for (size_t i = 0; i + 1 < size; i++) {
        uint8_t byte = (uint8_t)input.bytes[i];
        if ((byte >= 0x20 && byte != 0x7f) || byte == '\t') continue;
        *ret_error = http_refuse(400, "control character in a chunk line");
        return false;
    }
    if (size == 0 || lf[-1] != '\r') {
        *ret_error = http_refuse(400, "chunk line does not end with CRLF");
        return false;
    }
    *ret_line = slice_of(input.bytes, size - 1);
    return true;
}

static struct http_error begin_chunk(struct http_chunks *chunks, struct slice line) {
    uint64_t size = 0;
    size_t digits = 0;
    for (; digits < line.size; digits++) {
        char c = line.bytes[digits];
        unsigned digit = 16;
        if (c >= '0' && c <= '9') digit = (unsigned)(c - '0');
        if (c >= 'a' && c <= 'f') digit = (unsigned)(c - 'a' + 10);
        if (c >= 'A' && c <= 'F') digit = (unsigned)(c - 'A' + 10);
        if (digit == 16) break;
        if (digits == SIZE_DIGITS_MAX) return http_refuse(400, "bad chunk size");
        size = size << 4 | digit;
    }
    if (digits == 0) return http_refuse(400, "bad chunk size");
    if (digits < line.size && line.bytes[digits] != ';') return http_refuse(400, "bad chunk size");
    if (size > chunks->body.max - chunks->body.size) return http_refuse(413, "body too large");
    chunks->left = size;
    chunks->state = size == 0 ? HTTP_CHUNK_TRAILER : HTTP_CHUNK_DATA;
    return HTTP_FINE;
}

static struct http_error check_trailer(struct http_chunks *chunks, struct slice line) {
    if (line.size == 0) {
        chunks->state = HTTP_CHUNK_DONE;
        return HTTP_FINE;
    }
    const char *colon = memchr(line.bytes, ':', line.size);
    bool folded = line.bytes[0] == ' ' || line.bytes[0] == '\t';
    if (colon == NULL || colon == line.bytes || folded) return http_refuse(400, "bad trailer");
    return HTTP_FINE;
}

/* One piece at the front of @input; 0 read: it is not there yet. */
static struct http_error
read_piece(struct http_chunks *chunks, struct slice input, size_t *ret_read, size_t *ret_wanted) {
    struct http_error error = HTTP_FINE;
    struct slice line;
    *ret_read = 0;
    *ret_wanted = input.size + 1;
    if (chunks->state == HTTP_CHUNK_DATA) {
        size_t size = input.size < chunks->left ? input.size : (size_t)chunks->left;
        buf_put(&chunks->body, input.bytes, size);
        chunks->left -= size;
        if (chunks->left == 0) chunks->state = HTTP_CHUNK_END;
        *ret_read = size;
        *ret_wanted = (size_t)chunks->left + 2;
        return HTTP_FINE;
    }
    if (chunks->state == HTTP_CHUNK_END) {
        if (input.size < 2) return HTTP_FINE;
        if (memcmp(input.bytes, "\r\n", 2) != 0) return http_refuse(400, "chunk without its end");
        chunks->state = HTTP_CHUNK_SIZE;
        *ret_read = 2;
        return HTTP_FINE;
    }
    bool size_line = chunks->state == HTTP_CHUNK_SIZE;
    size_t bytes_max = size_line ? SIZE_LINE_BYTES_MAX : TRAILER_LINE_BYTES_MAX;
    if (!take_line(input, bytes_max, &line, &error)) return error;
    *ret_read = line.size + 2;
    return size_line ? begin_chunk(chunks, line) : check_trailer(chunks, line);
}

struct http_error http_chunks_read(
    struct http_chunks *chunks, struct slice input, size_t *ret_read, size_t *ret_wanted
) {
    *ret_read = 0;
    while (chunks->state != HTTP_CHUNK_DONE) {
        struct slice rest = slice_of(input.bytes + *ret_read, input.size - *ret_read);
        size_t read = 0;
        struct http_error error = read_piece(chunks, rest, &read, ret_wanted);
        if (error.status != 0) return error;
        if (read == 0) break;
        *ret_read += read;
        chunks->raw_bytes += read;
        if (chunks->raw_bytes > chunks->raw_bytes_max) {
            return http_refuse(413, "body too large with its chunk lines");
        }
    }
    return HTTP_FINE;
}
