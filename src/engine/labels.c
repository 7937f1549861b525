/* SPDX-License-Identifier: Apache-2.0 */
/* Headers stay the JSON text that was pushed: every reader shows them as JSON, and nobody asks for
 * one of them often enough to pay for another form. */
#include "engine/labels.h"

#include "base/assert.h"
#include "base/json.h"
#include "engine/limits.h"
#include "engine/states.h"

enum { TRACEPARENT_BYTES = 55, HEADER_NAME_BYTES_MAX = 100 };

static bool is_token(struct slice name) {
    if (name.size == 0 || name.size > HEADER_NAME_BYTES_MAX) return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.bytes[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) return false;
    }
    return true;
}

static bool has_controls(struct slice text) {
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if (c < ' ' || c == 0x7f) return true;
    }
    return false;
}

static bool is_hex(const char *at, size_t size) {
    for (size_t i = 0; i < size; i++) {
        bool good = (at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f');
        if (!good) return false;
    }
    return true;
}

static bool is_zero(const char *at, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (at[i] != '0') return false;
    }
    return true;
}

/* version "-" trace-id "-" parent-id "-" flags; a later version may say more behind another dash
 * (W3C Trace Context, 3.2). */
static bool is_traceparent(struct slice text) {
    if (text.size < TRACEPARENT_BYTES) return false;
    const char *at = text.bytes;
    if (text.size > TRACEPARENT_BYTES && (is_zero(at, 2) || at[TRACEPARENT_BYTES] != '-')) {
        return false;
    }
    return is_hex(at, 2) && !(at[0] == 'f' && at[1] == 'f') && at[2] == '-' && is_hex(at + 3, 32) &&
           !is_zero(at + 3, 32) && at[35] == '-' && is_hex(at + 36, 16) && !is_zero(at + 36, 16) &&
           at[52] == '-' && is_hex(at + 53, 2);
}

static const char *header_fault(struct slice key, struct json_value value) {
    if (!is_token(key)) {
        return "headers: a name is 1 to 100 letters, digits or ! # $ % & ' * + - . ^ _ ` | ~";
    }
    HOB_AUTO_BUF struct buf scratch = buf_make(HEADERS_BYTES_MAX);
    struct slice text;
    if (!json_text(value, &scratch, &text)) return "headers: a value is a string";
    if (has_controls(text)) return "headers: a value has no control characters";
    if (slice_equal(key, SLICE("traceparent")) && !is_traceparent(text)) {
        return "headers: traceparent is not as W3C Trace Context has it: "
               "00-(32 hex digits)-(16 hex digits)-(2 hex digits)";
    }
    return NULL;
}

/* Does an earlier member of @object have this key? Keys are tokens, so raw ones are decoded
 * ones. */
static bool is_second(struct json_value object, struct slice key) {
    struct json_walk walk = json_walk(object);
    struct json_value value;
    struct slice other;
    while (json_next_member(&walk, &other, &value) && other.bytes != key.bytes) {
        if (slice_equal(other, key)) return true;
    }
    return false;
}

const char *headers_fault(struct slice headers) {
    if (headers.size == 0) return NULL;
    if (headers.size > HEADERS_BYTES_MAX) return "headers: more than 4096 bytes of JSON";
    struct json_value object;
    if (!json_parse(headers, &object, NULL) || object.type != JSON_IS_OBJECT) {
        return "headers: a JSON object of strings, such as {\"traceparent\": \"00-…\"}";
    }
    struct json_walk walk = json_walk(object);
    struct json_value value;
    struct slice key;
    for (uint32_t count = 0; json_next_member(&walk, &key, &value); count++) {
        if (count == HEADERS_MAX) return "headers: more than 32";
        const char *fault = header_fault(key, value);
        if (fault != NULL) return fault;
        if (is_second(object, key)) return "headers: a name comes twice";
    }
    return NULL;
}

bool tag_next(struct slice *rest, struct slice *ret_tag) {
    if (rest->size == 0) return false;
    const char *comma = memchr(rest->bytes, ',', rest->size);
    size_t size = comma == NULL ? rest->size : (size_t)(comma - rest->bytes);
    size_t step = comma == NULL ? size : size + 1;
    *ret_tag = slice_of(rest->bytes, size);
    *rest = slice_of(rest->bytes + step, rest->size - step);
    return true;
}

const char *tags_fault(struct slice tags) {
    if (tags.size == 0) return NULL;
    if (tags.size > TAGS_BYTES_MAX) return "tags: more than 1024 bytes";
    if (tags.bytes[tags.size - 1] == ',') return "tags: a comma with nothing behind it";
    struct slice tag;
    for (uint32_t count = 0; tag_next(&tags, &tag); count++) {
        if (count == TAGS_MAX) return "tags: more than 16";
        if (!name_is_valid(tag)) return "tags: a tag " NAME_RULE;
    }
    return NULL;
}

bool tags_have(struct slice tags, struct slice tag) {
    struct slice each;
    while (tag_next(&tags, &each)) {
        if (slice_equal(each, tag)) return true;
    }
    return false;
}

const char *content_type_fault(struct slice type) {
    if (type.size > CONTENT_TYPE_BYTES_MAX) return "content type: more than 128 bytes";
    for (size_t i = 0; i < type.size; i++) {
        if (type.bytes[i] < ' ' || type.bytes[i] > '~') {
            return "content type: visible ASCII, such as text/plain; charset=utf-8";
        }
    }
    return NULL;
}

struct slice header_raw(struct slice headers, struct slice name) {
    struct json_value object;
    struct json_value value;
    if (headers.size == 0 || !json_parse(headers, &object, NULL)) return SLICE_NONE;
    return json_get(object, name, &value) ? value.raw : SLICE_NONE;
}
