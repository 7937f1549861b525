/* SPDX-License-Identifier: Apache-2.0 */
/* Responses. A header value that could end its line is never written: that is how responses are
 * split. */
#include "wire/http.h"

struct status_row {
    unsigned status;
    const char *text;
};

static const struct status_row statuses[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {425, "Too Early"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *http_status_text(unsigned status) {
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i].status == status) return statuses[i].text;
    }
    return "Unknown";
}

void http_put_status(struct buf *out, unsigned status, bool keep_alive) {
    buf_put_str(out, "HTTP/1.1 ");
    buf_put_u64(out, status);
    buf_put_char(out, ' ');
    buf_put_str(out, http_status_text(status));
    buf_put_str(out, keep_alive ? "\r\nConnection: keep-alive\r\n" : "\r\nConnection: close\r\n");
}

/* RFC 9110 section 5.6.2. */
static bool is_token(struct slice name) {
    for (size_t i = 0; i < name.size; i++) {
        char c = name.bytes[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && c != '-' && c != '_') return false;
    }
    return name.size > 0;
}

static bool is_value(struct slice value) {
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = (uint8_t)value.bytes[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
    }
    return true;
}

bool http_put_header(struct buf *out, const char *name, struct slice value) {
    if (!is_token(slice_str(name)) || !is_value(value)) return false;
    buf_put_str(out, name);
    buf_put_str(out, ": ");
    buf_put_slice(out, value);
    buf_put_str(out, "\r\n");
    return true;
}

void http_put_header_u64(struct buf *out, const char *name, uint64_t value) {
    buf_put_str(out, name);
    buf_put_str(out, ": ");
    buf_put_u64(out, value);
    buf_put_str(out, "\r\n");
}

void http_put_body(struct buf *out, struct slice body) {
    http_put_body_size(out, body.size);
    buf_put_slice(out, body);
}

void http_put_body_size(struct buf *out, size_t size) {
    http_put_header_u64(out, "Content-Length", size);
    buf_put_str(out, "\r\n");
}

void http_put_no_body(struct buf *out) {
    buf_put_str(out, "\r\n");
}

void http_put_stream(struct buf *out, unsigned minor) {
    buf_put_str(out, minor == 0 ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
}

static void put_hex(struct buf *out, size_t value) {
    char digits[2 * sizeof value];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value > 0);
    buf_put(out, digits + at, sizeof digits - at);
}

void http_put_chunk(struct buf *out, unsigned minor, struct slice bytes) {
    if (bytes.size == 0) return;
    if (minor == 0) {
        buf_put_slice(out, bytes);
        return;
    }
    put_hex(out, bytes.size);
    buf_put_str(out, "\r\n");
    buf_put_slice(out, bytes);
    buf_put_str(out, "\r\n");
}

void http_put_stream_end(struct buf *out, unsigned minor) {
    if (minor != 0) buf_put_str(out, "0\r\n\r\n");
}

void http_put_continue(struct buf *out) {
    buf_put_str(out, "HTTP/1.1 100 Continue\r\n\r\n");
}
