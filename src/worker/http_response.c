/* SPDX-License-Identifier: Apache-2.0 */
/* Header lines are kept as they came, names in lower case; the result joins those of one name as
 * RFC 9110 section 5.3 allows, but for set-cookie, which becomes a list. */
#include "worker/http_response.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/base64.h"
#include "base/json_put.h"
#include "base/text.h"
#include "base/utf8.h"

void response_init(struct http_response *response, size_t body_bytes_max) {
    *response = (struct http_response){
        .headers = buf_make(RESPONSE_HEADER_BYTES_MAX),
        .body = buf_make(body_bytes_max),
    };
}

void response_deinit(struct http_response *response) {
    buf_deinit(&response->headers);
    buf_deinit(&response->body);
}

static struct slice trim(struct slice text) {
    while (text.size > 0 && (unsigned char)text.bytes[0] <= ' ') {
        text = slice_of(text.bytes + 1, text.size - 1);
    }
    while (text.size > 0 && (unsigned char)text.bytes[text.size - 1] <= ' ') text.size--;
    return text;
}

/* "HTTP/1.1 200 OK" */
static void status_line(struct http_response *response, struct slice line) {
    response->status = 0;
    response->header_count = 0;
    response->reason[0] = '\0';
    buf_reset(&response->headers);
    line = trim(line);
    const char *space = memchr(line.bytes, ' ', line.size);
    if (space == NULL) return;
    size_t head = (size_t)(space - line.bytes) + 1;
    struct slice rest = slice_of(line.bytes + head, line.size - head);
    uint64_t status = 0;
    if (rest.size < 3 || !text_u64(slice_of(rest.bytes, 3), 100, 999, &status)) return;
    response->status = (long)status;
    rest = trim(slice_of(rest.bytes + 3, rest.size - 3));
    size_t size = 0;
    for (size_t i = 0; i < rest.size && size < sizeof response->reason - 1; i++) {
        char c = rest.bytes[i];
        if (c < ' ' || c > '~') c = '?';
        response->reason[size++] = c;
    }
    response->reason[size] = '\0';
}

bool response_head_line(struct http_response *response, struct slice line) {
    const struct slice version = SLICE("HTTP/");
    response->header_bytes += line.size;
    if (response->header_bytes > RESPONSE_HEADER_BYTES_MAX) return false;
    if (line.size >= version.size && memcmp(line.bytes, version.bytes, version.size) == 0) {
        status_line(response, line);
        return true;
    }
    const char *colon = line.size == 0 ? NULL : memchr(line.bytes, ':', line.size);
    if (colon == NULL || (unsigned char)line.bytes[0] <= ' ') return true; /* folded: left out */
    if (++response->header_count > RESPONSE_HEADERS_MAX) return false;
    struct slice name = trim(slice_of(line.bytes, (size_t)(colon - line.bytes)));
    if (name.size == 0) return true;
    size_t head = (size_t)(colon - line.bytes) + 1;
    struct slice value = trim(slice_of(line.bytes + head, line.size - head));
    for (size_t i = 0; i < name.size; i++) {
        char c = name.bytes[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        (void)buf_put_char(&response->headers, c);
    }
    (void)buf_put_str(&response->headers, ": ");
    (void)buf_put_slice(&response->headers, value);
    (void)buf_put_char(&response->headers, '\n');
    return !response->headers.overflowed;
}

bool response_body(struct http_response *response, struct slice bytes) {
    size_t room = response->body.max - response->body.size;
    if (bytes.size <= room) return buf_put_slice(&response->body, bytes);
    (void)buf_put(&response->body, bytes.bytes, room);
    response->body_cut = true;
    return false;
}

/* The header at the front of @rest, which loses it. */
static bool header_next(struct slice *rest, struct slice *ret_name, struct slice *ret_value) {
    if (rest->size == 0) return false;
    const char *end = memchr(rest->bytes, '\n', rest->size);
    hob_assert(end != NULL);
    size_t size = (size_t)(end - rest->bytes);
    const char *mark = memmem(rest->bytes, size, ": ", 2);
    hob_assert(mark != NULL);
    size_t name_size = (size_t)(mark - rest->bytes);
    *ret_name = slice_of(rest->bytes, name_size);
    *ret_value = slice_of(mark + 2, size - name_size - 2);
    *rest = slice_of(end + 1, rest->size - size - 1);
    return true;
}

bool response_header(
    const struct http_response *response, const char *name, struct slice *ret_value
) {
    struct slice rest = buf_slice(&response->headers);
    struct slice at;
    struct slice value;
    while (header_next(&rest, &at, &value)) {
        if (!slice_equal(at, slice_str(name))) continue;
        *ret_value = value;
        return true;
    }
    return false;
}

static bool name_came_before(struct slice all, struct slice name) {
    struct slice at;
    struct slice value;
    struct slice rest = slice_of(all.bytes, (size_t)(name.bytes - all.bytes));
    while (header_next(&rest, &at, &value)) {
        if (slice_equal(at, name)) return true;
    }
    return false;
}

static void
header_put(struct json_put *put, struct slice name, struct slice value, struct slice rest) {
    bool is_list = slice_equal(name, SLICE("set-cookie"));
    HOB_AUTO_BUF struct buf joined = buf_make(RESPONSE_HEADER_BYTES_MAX * 2);
    struct slice at;
    struct slice more;
    json_put_key_slice(put, name);
    if (is_list) {
        json_put_array(put);
        json_put_text(put, value);
    }
    (void)buf_put_slice(&joined, value);
    while (header_next(&rest, &at, &more)) {
        if (!slice_equal(at, name)) continue;
        if (is_list) {
            json_put_text(put, more);
        } else {
            (void)buf_put_str(&joined, ", ");
            (void)buf_put_slice(&joined, more);
        }
    }
    if (is_list) {
        json_put_array_end(put);
    } else {
        json_put_text(put, buf_slice(&joined));
    }
}

/* What was cut is no JSON any more, even if it looks like it. */
static void body_put(struct json_put *put, struct slice body, bool cut) {
    json_put_key(put, "body");
    if (!cut) {
        json_put_bytes(put, SLICE("body"), body);
        return;
    }
    bool is_text = utf8_valid(body);
    if (is_text) {
        json_put_text(put, body);
    } else {
        HOB_AUTO_BUF struct buf text = buf_make(body.size * 2 + 4);
        (void)base64_put(&text, body);
        json_put_text(put, buf_slice(&text));
    }
    json_put_key(put, "body_encoding");
    json_put_str(put, is_text ? "text" : "base64");
}

static void
put_all(const struct http_response *response, struct slice body, bool cut, struct buf *out) {
    struct json_put put = json_put_to(out);
    struct slice all = buf_slice(&response->headers);
    struct slice rest = all;
    struct slice name;
    struct slice value;
    json_put_object(&put);
    json_put_key(&put, "status");
    json_put_u64(&put, (uint64_t)response->status);
    json_put_key(&put, "headers");
    json_put_object(&put);
    while (header_next(&rest, &name, &value)) {
        if (!name_came_before(all, name)) header_put(&put, name, value, rest);
    }
    json_put_object_end(&put);
    if (body.size > 0) body_put(&put, body, cut);
    if (cut) {
        json_put_key(&put, "body_cut");
        json_put_bool(&put, true);
    }
    json_put_object_end(&put);
}

/* A cut in the middle of a character would make bytes of a text. */
static struct slice whole_characters(struct slice body) {
    for (size_t back = 0; back < 4 && back < body.size; back++) {
        struct slice shorter = slice_of(body.bytes, body.size - back);
        if (utf8_valid(shorter)) return shorter;
    }
    return body;
}

void response_put(const struct http_response *response, struct buf *out) {
    struct slice body = buf_slice(&response->body);
    bool cut = response->body_cut;
    size_t begin = out->size;
    if (cut) body = whole_characters(body);
    put_all(response, body, cut, out);
    while (out->overflowed && body.size > 0) {
        out->overflowed = false;
        out->size = begin;
        body = whole_characters(slice_of(body.bytes, body.size / 2));
        cut = true;
        put_all(response, body, cut, out);
    }
}

void response_put_excerpt(const struct http_response *response, struct buf *out, size_t bytes_max) {
    struct slice body = buf_slice(&response->body);
    bool cut = body.size > bytes_max || response->body_cut;
    if (body.size > bytes_max) body.size = bytes_max;
    body = trim(whole_characters(body));
    bool text = utf8_valid(body);
    for (size_t i = 0; i < body.size; i++) {
        unsigned char c = (unsigned char)body.bytes[i];
        bool shown = c >= ' ' && c != 0x7f && (c < 0x80 || text);
        bool space = c == '\n' || c == '\t';
        if (!shown) c = space ? ' ' : '?';
        (void)buf_put_char(out, (char)c);
    }
    if (cut && body.size > 0) (void)buf_put_str(out, "…");
}
