/* SPDX-License-Identifier: Apache-2.0 */
/* The target of a request: "/v1/jobs/42?wait=10s&tag=a+b". The path is cut at its slashes before it
 * is decoded, so that a queue named "a/b" can be one segment ("a%2Fb"). Everything is decoded once,
 * into one buffer, which has room for all of it from the start: decoded text is never longer than
 * its source, and so no slice moves. */
#include <string.h>

#include "base/utf8.h"
#include "wire/http_parts.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Append @raw decoded; in a query '+' is a space. */
static struct http_error
decode(struct buf *to, struct slice raw, bool query, struct slice *ret_decoded) {
    size_t before = to->size;
    for (size_t i = 0; i < raw.size; i++) {
        char c = raw.bytes[i];
        if (c == '%') {
            int high = i + 1 < raw.size ? hex_digit(raw.bytes[i + 1]) : -1;
            int low = i + 2 < raw.size ? hex_digit(raw.bytes[i + 2]) : -1;
            if (high < 0 || low < 0) return http_refuse(400, "bad % escape in the URL");
            c = (char)(high << 4 | low);
            i += 2;
            bool control = ((uint8_t)c < 0x20 || c == 0x7f) && !query;
            if (c == 0 || control) return http_refuse(400, "control character in the URL");
        } else if (query && c == '+') {
            c = ' ';
        }
        buf_put_char(to, c);
    }
    *ret_decoded = slice_of(to->bytes + before, to->size - before);
    if (!utf8_valid(*ret_decoded)) return http_refuse(400, "the URL is not UTF-8");
    return HTTP_FINE;
}

/* The part of *rest before @mark, or all of it; *rest moves behind the mark. False at the end. */
static bool cut(struct slice *rest, char mark, struct slice *ret_part) {
    if (rest->bytes == NULL) return false;
    const char *end = rest->size == 0 ? NULL : memchr(rest->bytes, mark, rest->size);
    if (end == NULL) {
        *ret_part = *rest;
        *rest = SLICE_NONE;
        return true;
    }
    size_t size = (size_t)(end - rest->bytes);
    *ret_part = slice_of(rest->bytes, size);
    *rest = slice_of(end + 1, rest->size - size - 1);
    return true;
}

/* @raw begins with '/'. */
static struct http_error parse_path(struct http_target *target, struct slice raw) {
    struct slice rest = slice_of(raw.bytes + 1, raw.size - 1);
    struct slice part;
    if (rest.size == 0) buf_put_char(&target->decoded, '/');
    while (raw.size > 1 && cut(&rest, '/', &part)) {
        if (target->segments_count == HTTP_SEGMENTS_MAX) {
            return http_refuse(400, "too many segments in the path");
        }
        struct slice segment;
        buf_put_char(&target->decoded, '/');
        struct http_error error = decode(&target->decoded, part, false, &segment);
        if (error.status != 0) return error;
        if (slice_equal(segment, SLICE(".")) || slice_equal(segment, SLICE(".."))) {
            return http_refuse(400, "'.' and '..' in the path");
        }
        target->segments[target->segments_count++] = segment;
    }
    target->path = buf_slice(&target->decoded);
    return HTTP_FINE;
}

static struct http_error parse_query(struct http_target *target, struct slice raw) {
    struct slice part;
    while (cut(&raw, '&', &part)) {
        if (part.size == 0) continue;
        if (target->params_count == HTTP_PARAMS_MAX) {
            return http_refuse(400, "too many query parameters");
        }
        struct http_pair *param = &target->params[target->params_count];
        struct slice name;
        (void)cut(&part, '=', &name);
        struct http_error error = decode(&target->decoded, name, true, &param->name);
        if (error.status != 0) return error;
        error = decode(&target->decoded, part, true, &param->value);
        if (error.status != 0) return error;
        target->params_count++;
    }
    return HTTP_FINE;
}

struct http_error
http_target_parse(struct http_target *target, struct slice raw, enum http_method method) {
    buf_reset(&target->decoded);
    (void)buf_reserve(&target->decoded, raw.size + 1);
    target->segments_count = 0;
    target->params_count = 0;
    if (method == HTTP_METHOD_OPTIONS && slice_equal(raw, SLICE("*"))) {
        target->path = raw;
        return HTTP_FINE;
    }
    if (raw.size == 0 || raw.bytes[0] != '/') return http_refuse(400, "the target is not a path");
    for (size_t i = 0; i < raw.size; i++) {
        uint8_t byte = (uint8_t)raw.bytes[i];
        if (byte <= 0x20 || byte >= 0x7f || byte == '#') {
            return http_refuse(400, "unexpected character in the URL");
        }
    }
    struct slice query = raw;
    struct slice path = raw;
    (void)cut(&query, '?', &path);
    struct http_error error = parse_path(target, path);
    if (error.status != 0) return error;
    return parse_query(target, query);
}
