/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a document that json_parse() has checked: ends are found by brackets and quotes alone. A
 * place that the grammar does not allow is a bug of the caller, who walks something that was never
 * checked. */
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/number.h"
#include "base/text.h"
#include "base/utf8.h"

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    return at;
}

/* From the opening quote to past the closing one. */
static const char *skip_string(const char *at, const char *end) {
    at++;
    while (at < end) {
        at = json_skip_plain(at, end);
        if (at == end) break;
        if (*at == '"') return at + 1;
        at += *at == '\\' ? 2 : 1;
    }
    hob_panic(__FILE__, __LINE__, "a checked string has an end");
}

static const char *skip_brackets(const char *at, const char *end) {
    static const short steps[256] = {['{'] = 1, ['['] = 1, ['}'] = -1, [']'] = -1, ['"'] = 2};
    int depth = 0;
    while (at < end) {
        int step = steps[(uint8_t)*at];
        if (step == 2) {
            at = skip_string(at, end);
            continue;
        }
        at++;
        depth += step;
        if (step < 0 && depth == 0) return at;
    }
    hob_panic(__FILE__, __LINE__, "checked brackets are closed");
}

/* A number or a word: up to what can follow a value. */
static const char *skip_word(const char *at, const char *end) {
    while (at < end && *at != ',' && *at != '}' && *at != ']' && *at > ' ') at++;
    return at;
}

static struct json_value value_at(const char *at, const char *end) {
    hob_assert(at < end);
    struct json_value value = {.raw.bytes = at};
    const char *after = NULL;
    switch (*at) {
    case '{':
        value.type = JSON_IS_OBJECT;
        after = skip_brackets(at, end);
        break;
    case '[':
        value.type = JSON_IS_ARRAY;
        after = skip_brackets(at, end);
        break;
    case '"':
        value.type = JSON_IS_STRING;
        after = skip_string(at, end);
        break;
    default:
        value.type = *at == 't'   ? JSON_IS_TRUE
                     : *at == 'f' ? JSON_IS_FALSE
                     : *at == 'n' ? JSON_IS_NULL
                                  : JSON_IS_NUMBER;
        after = skip_word(at, end);
        break;
    }
    value.raw.size = (size_t)(after - at);
    return value;
}

struct json_walk json_walk(struct json_value value) {
    if (value.type != JSON_IS_ARRAY && value.type != JSON_IS_OBJECT) return (struct json_walk){0};
    hob_assert(value.raw.size >= 2);
    return (struct json_walk){
        .at = value.raw.bytes + 1,
        .end = value.raw.bytes + value.raw.size - 1,
    };
}

/* Past spaces and the comma before the next element; false at the end. */
static bool walk_on(struct json_walk *walk) {
    walk->at = skip_space(walk->at, walk->end);
    if (walk->at == walk->end) return false;
    if (*walk->at == ',') walk->at = skip_space(walk->at + 1, walk->end);
    return true;
}

bool json_next_item(struct json_walk *walk, struct json_value *ret_item) {
    if (!walk_on(walk)) return false;
    *ret_item = value_at(walk->at, walk->end);
    walk->at += ret_item->raw.size;
    return true;
}

bool json_next_member(struct json_walk *walk, struct slice *ret_key, struct json_value *ret_value) {
    if (!walk_on(walk)) return false;
    hob_assert(*walk->at == '"');
    const char *key = walk->at + 1;
    const char *after_key = skip_string(walk->at, walk->end);
    *ret_key = slice_of(key, (size_t)(after_key - 1 - key));
    const char *colon = skip_space(after_key, walk->end);
    hob_assert(colon < walk->end);
    hob_assert(*colon == ':');
    *ret_value = value_at(skip_space(colon + 1, walk->end), walk->end);
    walk->at = ret_value->raw.bytes + ret_value->raw.size;
    return true;
}

bool json_get(struct json_value object, struct slice name, struct json_value *ret_value) {
    if (object.type != JSON_IS_OBJECT) return false;
    struct json_walk walk = json_walk(object);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        if (!json_key_is(key, name)) continue;
        *ret_value = value;
        return true;
    }
    return false;
}

bool json_u64(struct json_value value, uint64_t *ret_number) {
    return value.type == JSON_IS_NUMBER && text_u64(value.raw, 0, UINT64_MAX, ret_number);
}

bool json_i64(struct json_value value, int64_t *ret_number) {
    return value.type == JSON_IS_NUMBER && text_i64(value.raw, INT64_MIN, INT64_MAX, ret_number);
}

bool json_double(struct json_value value, double *ret_number) {
    return value.type == JSON_IS_NUMBER && number_parse(value.raw, ret_number);
}

bool json_bool(struct json_value value, bool *ret_flag) {
    if (value.type != JSON_IS_TRUE && value.type != JSON_IS_FALSE) return false;
    *ret_flag = value.type == JSON_IS_TRUE;
    return true;
}

static uint32_t hex4(const char *at) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

/* One escape at the backslash *@at, which moves past it. Returns the size written to @to. */
static size_t decode_escape(const char **at, const char *end, char *to) {
    const char *p = *at;
    hob_assert(end - p >= 2);
    if (p[1] != 'u') {
        *at = p + 2;
        switch (p[1]) {
        case 'b':
            to[0] = '\b';
            break;
        case 'f':
            to[0] = '\f';
            break;
        case 'n':
            to[0] = '\n';
            break;
        case 'r':
            to[0] = '\r';
            break;
        case 't':
            to[0] = '\t';
            break;
        default:
            to[0] = p[1]; /* quote, backslash, slash */
            break;
        }
        return 1;
    }
    hob_assert(end - p >= 6);
    uint32_t unit = hex4(p + 2);
    *at = p + 6;
    if (unit < 0xd800 || unit > 0xdfff) return utf8_put(to, unit);
    hob_assert(end - p >= 12);
    uint32_t low = hex4(p + 8);
    *at = p + 12;
    return utf8_put(to, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
}

bool json_key_is(struct slice raw_key, struct slice name) {
    if (raw_key.size == 0 || memchr(raw_key.bytes, '\\', raw_key.size) == NULL) {
        return slice_equal(raw_key, name);
    }
    const char *at = raw_key.bytes;
    const char *end = at + raw_key.size;
    size_t done = 0;
    while (at < end) {
        char decoded[UTF8_BYTES_MAX];
        size_t size = 1;
        if (*at == '\\') {
            size = decode_escape(&at, end, decoded);
        } else {
            decoded[0] = *at++;
        }
        if (name.size - done < size || memcmp(name.bytes + done, decoded, size) != 0) return false;
        done += size;
    }
    return done == name.size;
}

bool json_decode_key(struct slice raw, struct buf *to) {
    if (raw.size == 0) return true;
    char *begin = buf_reserve(to, raw.size);
    if (begin == NULL) return false;
    char *out = begin;
    const char *at = raw.bytes;
    const char *end = at + raw.size;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        const char *run_end = escape == NULL ? end : escape;
        memcpy(out, at, (size_t)(run_end - at));
        out += run_end - at;
        at = run_end;
        if (at < end) out += decode_escape(&at, end, out);
    }
    to->size += (size_t)(out - begin);
    return true;
}

/* Without the quotes. */
static struct slice inside(struct json_value string) {
    hob_assert(string.raw.size >= 2);
    return slice_of(string.raw.bytes + 1, string.raw.size - 2);
}

bool json_decode(struct json_value value, struct buf *to) {
    return value.type == JSON_IS_STRING && json_decode_key(inside(value), to);
}

bool json_text(struct json_value value, struct buf *scratch, struct slice *ret_text) {
    if (value.type != JSON_IS_STRING) return false;
    struct slice raw = inside(value);
    if (raw.size == 0 || memchr(raw.bytes, '\\', raw.size) == NULL) {
        *ret_text = raw;
        return true;
    }
    size_t before = scratch->size;
    if (!json_decode_key(raw, scratch)) return false;
    *ret_text = slice_of(scratch->bytes + before, scratch->size - before);
    return true;
}
