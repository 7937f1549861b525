/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request, read by llhttp (the parser of Node.js). It gets the whole head at once and
 * is stopped behind it: the body is framed by wire/http.c, so llhttp never decides where a request
 * ends. It must be built in strict mode, which refuses what CVE-2023-30589 and its kin live on; the
 * holes that stay open even then (folded lines, a version-less request line ended by a bare LF:
 * llhttp issue 877; an empty header name) are closed here and by the scan in wire/http.c: what
 * llhttp calls a header must be exactly one line, and each line exactly one header. */
#include <llhttp.h>
#include <string.h>

#include "wire/http_parts.h"

struct glue {
    struct http_head *head;
    const char *base;
    bool in_value;
    bool complete;
    bool too_many;
};

/* A span may come in several pieces; since the head is in one place, they are neighbours. */
static void span_add(struct http_span *span, const char *base, const char *at, size_t size) {
    if (span->size == 0) span->offset = (uint32_t)(at - base);
    span->size = (uint32_t)(at + size - base) - span->offset;
}

static int on_url(llhttp_t *llhttp, const char *at, size_t size) {
    struct glue *glue = llhttp->data;
    span_add(&glue->head->target, glue->base, at, size);
    return 0;
}

static int on_header_field(llhttp_t *llhttp, const char *at, size_t size) {
    struct glue *glue = llhttp->data;
    struct http_head *head = glue->head;
    if (head->headers_count == 0 || glue->in_value) {
        if (head->headers_count == HTTP_HEADERS_MAX) {
            glue->too_many = true;
            return HPE_USER;
        }
        head->headers_count++;
        glue->in_value = false;
    }
    span_add(&head->headers[head->headers_count - 1].name, glue->base, at, size);
    return 0;
}

static int on_header_value(llhttp_t *llhttp, const char *at, size_t size) {
    struct glue *glue = llhttp->data;
    span_add(&glue->head->headers[glue->head->headers_count - 1].value, glue->base, at, size);
    glue->in_value = true;
    return 0;
}

static int on_header_value_complete(llhttp_t *llhttp) {
    struct glue *glue = llhttp->data;
    glue->in_value = true; /* an empty value may have had no bytes at all */
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp) {
    struct glue *glue = llhttp->data;
    glue->complete = true;
    glue->head->keep_alive = llhttp_should_keep_alive(llhttp) != 0;
    return HPE_PAUSED;
}

static enum http_method method_of(llhttp_t *llhttp) {
    switch (llhttp_get_method(llhttp)) {
    case HTTP_GET:
        return HTTP_METHOD_GET;
    case HTTP_HEAD:
        return HTTP_METHOD_HEAD;
    case HTTP_POST:
        return HTTP_METHOD_POST;
    case HTTP_PUT:
        return HTTP_METHOD_PUT;
    case HTTP_PATCH:
        return HTTP_METHOD_PATCH;
    case HTTP_DELETE:
        return HTTP_METHOD_DELETE;
    case HTTP_OPTIONS:
        return HTTP_METHOD_OPTIONS;
    default:
        return HTTP_METHOD_OTHER;
    }
}

/* RFC 9110 section 5.6.2. */
static bool is_token(struct slice name) {
    for (size_t i = 0; i < name.size; i++) {
        char c = name.bytes[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (letter || digit) continue;
        if (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL) return false;
    }
    return name.size > 0;
}

/* RFC 9110 section 5.5: white space around a value is no part of it. */
static struct http_span trimmed(struct http_span value, const char *base) {
    while (value.size > 0) {
        char last = base[value.offset + value.size - 1];
        if (last != ' ' && last != '\t') break;
        value.size--;
    }
    return value;
}

/* "METHOD target HTTP/1.x" with one space each; llhttp would take more. */
static bool check_request_line(struct slice bytes, const struct http_head *head) {
    size_t method_end = head->method_text.size;
    size_t target_end = (size_t)head->target.offset + head->target.size;
    size_t version_end = target_end + sizeof " HTTP/1.1" - 1;
    if (head->target.offset != method_end + 1) return false;
    return version_end < bytes.size && bytes.bytes[version_end] == '\r';
}

/* Lines and headers must agree, one to one. */
static bool check_lines(struct slice bytes, struct http_head *head) {
    size_t line = (size_t)((const char *)memchr(bytes.bytes, '\n', bytes.size) - bytes.bytes) + 1;
    for (size_t i = 0; i < head->headers_count; i++) {
        const char *lf = memchr(bytes.bytes + line, '\n', bytes.size - line);
        if (lf == NULL) return false;
        struct http_span name = head->headers[i].name;
        struct http_span value = head->headers[i].value;
        size_t name_end = (size_t)name.offset + name.size;
        size_t line_end = (size_t)(lf - bytes.bytes) - 1;
        if (name.offset != line || !is_token(http_span_slice(name, bytes.bytes))) return false;
        if (name_end >= line_end || bytes.bytes[name_end] != ':') return false;
        bool inside = value.offset > name_end && value.offset + value.size <= line_end;
        if (value.size > 0 && !inside) return false;
        head->headers[i].value = trimmed(value, bytes.bytes);
        line = line_end + 2;
    }
    return bytes.size - line == 2;
}

struct http_error http_head_parse(struct slice bytes, struct http_head *ret_head) {
    static const llhttp_settings_t settings = {
        .on_url = on_url,
        .on_header_field = on_header_field,
        .on_header_value = on_header_value,
        .on_header_value_complete = on_header_value_complete,
        .on_headers_complete = on_headers_complete,
    };
    struct glue glue = {.head = ret_head, .base = bytes.bytes};
    llhttp_t llhttp;
    *ret_head = (struct http_head){0};
    llhttp_init(&llhttp, HTTP_REQUEST, &settings);
    llhttp.data = &glue;
    enum llhttp_errno error = llhttp_execute(&llhttp, bytes.bytes, bytes.size);
    if (glue.too_many) return http_refuse(431, "too many headers");
    if (error == HPE_INVALID_VERSION) return http_refuse(505, "HTTP/1.0 and HTTP/1.1 only");
    if (error != HPE_PAUSED || !glue.complete) return http_refuse(400, "malformed request head");
    if (llhttp_get_http_major(&llhttp) != 1 || llhttp_get_http_minor(&llhttp) > 1) {
        return http_refuse(505, "HTTP/1.0 and HTTP/1.1 only");
    }
    if (llhttp_get_method(&llhttp) == HTTP_CONNECT) return http_refuse(501, "this is no proxy");
    ret_head->method = method_of(&llhttp);
    ret_head->minor = llhttp_get_http_minor(&llhttp);
    while (bytes.bytes[ret_head->method_text.size] != ' ') ret_head->method_text.size++;
    if (!check_request_line(bytes, ret_head)) return http_refuse(400, "malformed request line");
    if (!check_lines(bytes, ret_head)) return http_refuse(400, "malformed header");
    return HTTP_FINE;
}
