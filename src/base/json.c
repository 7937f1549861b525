/* SPDX-License-Identifier: Apache-2.0 */
/* The check of a whole document, without recursion: one bit for each level that is open says
 * whether it is an object. Walking what was checked is base/json_walk.c. */
#include "base/json.h"

#include <string.h>

#include "base/json_scan.h"
#include "base/utf8.h"

struct check {
    const char *begin;
    const char *at;
    const char *end;
    uint64_t objects; /* the lowest bit is the innermost level: 1 object, 0 array */
    unsigned depth;
    bool want_value; /* else a comma, a closing bracket, or the end */
    const char *error;
};

_Static_assert(JSON_DEPTH_MAX <= 64, "a level is a bit");

static bool refuse(struct check *check, const char *text) {
    check->error = text;
    return false;
}

static void skip_space(struct check *check) {
    while (check->at < check->end) {
        char c = *check->at;
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') break;
        check->at++;
    }
}

static bool next_is(const struct check *check, char c) {
    return check->at < check->end && *check->at == c;
}

static bool push(struct check *check, bool object) {
    if (check->depth == JSON_DEPTH_MAX) return refuse(check, "nested too deeply");
    check->objects = check->objects << 1 | (object ? 1 : 0);
    check->depth++;
    check->at++;
    return true;
}

static void pop(struct check *check) {
    check->objects >>= 1;
    check->depth--;
    check->at++;
}

/* Four hexadecimal digits at @at; UINT32_MAX when they are not. */
static uint32_t hex4(const char *at, const char *end) {
    if (end - at < 4) return UINT32_MAX;
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        uint32_t digit = 16;
        if (c >= '0' && c <= '9') digit = (uint32_t)(c - '0');
        if (c >= 'a' && c <= 'f') digit = (uint32_t)(c - 'a' + 10);
        if (c >= 'A' && c <= 'F') digit = (uint32_t)(c - 'A' + 10);
        if (digit == 16) return UINT32_MAX;
        value = value << 4 | digit;
    }
    return value;
}

/* At the backslash. */
static bool take_escape(struct check *check) {
    const char *p = check->at + 1;
    if (p == check->end) return refuse(check, "string not ended");
    if (*p != 'u') {
        if (*p == 0 || strchr("\"\\/bfnrt", *p) == NULL) return refuse(check, "unknown escape");
        check->at += 2;
        return true;
    }
    uint32_t unit = hex4(p + 1, check->end);
    if (unit == UINT32_MAX) return refuse(check, "\\u needs four hexadecimal digits");
    if (unit < 0xd800 || unit > 0xdfff) {
        check->at += 6;
        return true;
    }
    bool low_follows = check->end - check->at >= 12 && p[5] == '\\' && p[6] == 'u';
    uint32_t low = low_follows ? hex4(p + 7, check->end) : 0;
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
        return refuse(check, "half a surrogate pair");
    }
    check->at += 12;
    return true;
}

/* At the opening quote. */
static bool take_string(struct check *check) {
    check->at++;
    for (;;) {
        check->at = json_skip_plain(check->at, check->end);
        if (check->at == check->end) return refuse(check, "string not ended");
        uint8_t byte = (uint8_t)*check->at;
        if (byte == '"') {
            check->at++;
            return true;
        }
        if (byte == '\\') {
            if (!take_escape(check)) return false;
            continue;
        }
        if (byte < 0x20) return refuse(check, "control character in a string");
        size_t size = utf8_size(check->at, check->end);
        if (size == 0) return refuse(check, "not UTF-8");
        check->at += size;
    }
}

static bool take_digits(struct check *check) {
    const char *first = check->at;
    while (check->at < check->end && *check->at >= '0' && *check->at <= '9') check->at++;
    return check->at > first || refuse(check, "digit expected");
}

static bool take_number(struct check *check) {
    if (next_is(check, '-')) check->at++;
    if (next_is(check, '0')) {
        check->at++;
        if (check->at < check->end && *check->at >= '0' && *check->at <= '9') {
            return refuse(check, "leading zero");
        }
    } else if (!take_digits(check)) {
        return false;
    }
    if (next_is(check, '.')) {
        check->at++;
        if (!take_digits(check)) return false;
    }
    if (next_is(check, 'e') || next_is(check, 'E')) {
        check->at++;
        if (next_is(check, '-') || next_is(check, '+')) check->at++;
        if (!take_digits(check)) return false;
    }
    return true;
}

static bool take_word(struct check *check, struct slice word) {
    bool fits = (size_t)(check->end - check->at) >= word.size;
    if (!fits || memcmp(check->at, word.bytes, word.size) != 0) {
        return refuse(check, "value expected");
    }
    check->at += word.size;
    return true;
}

/* "key" : */
static bool take_key(struct check *check) {
    skip_space(check);
    if (!next_is(check, '"')) return refuse(check, "key expected");
    if (!take_string(check)) return false;
    skip_space(check);
    if (!next_is(check, ':')) return refuse(check, "':' expected");
    check->at++;
    return true;
}

/* An opening bracket, and the closing one when nothing is between them. */
static bool take_open(struct check *check, bool object) {
    if (!push(check, object)) return false;
    skip_space(check);
    if (next_is(check, object ? '}' : ']')) {
        pop(check);
        check->want_value = false;
        return true;
    }
    return !object || take_key(check);
}

static bool take_value(struct check *check) {
    if (check->at == check->end) return refuse(check, "value expected");
    char c = *check->at;
    if (c == '{' || c == '[') return take_open(check, c == '{');
    check->want_value = false;
    if (c == '"') return take_string(check);
    if (c == 't') return take_word(check, SLICE("true"));
    if (c == 'f') return take_word(check, SLICE("false"));
    if (c == 'n') return take_word(check, SLICE("null"));
    if (c == '-' || (c >= '0' && c <= '9')) return take_number(check);
    return refuse(check, "value expected");
}

static bool take_after_value(struct check *check) {
    bool object = (check->objects & 1) != 0;
    if (next_is(check, ',')) {
        check->at++;
        check->want_value = true;
        return !object || take_key(check);
    }
    if (!next_is(check, object ? '}' : ']')) {
        return refuse(check, object ? "',' or '}' expected" : "',' or ']' expected");
    }
    pop(check);
    return true;
}

static bool check_document(struct check *check) {
    while (check->want_value || check->depth > 0) {
        skip_space(check);
        bool fine = check->want_value ? take_value(check) : take_after_value(check);
        if (!fine) return false;
    }
    const char *end = check->at;
    skip_space(check);
    if (check->at < check->end) return refuse(check, "nothing may follow the value");
    check->end = end;
    return true;
}

static enum json_value_type type_of(char first) {
    switch (first) {
    case '{':
        return JSON_IS_OBJECT;
    case '[':
        return JSON_IS_ARRAY;
    case '"':
        return JSON_IS_STRING;
    case 't':
        return JSON_IS_TRUE;
    case 'f':
        return JSON_IS_FALSE;
    case 'n':
        return JSON_IS_NULL;
    default:
        return JSON_IS_NUMBER;
    }
}

bool json_parse(struct slice document, struct json_value *ret_value, struct json_error *ret_error) {
    const char *begin = document.size == 0 ? "" : document.bytes;
    struct check check = {
        .begin = begin,
        .at = begin,
        .end = begin + document.size,
        .want_value = true,
    };
    if (!check_document(&check)) {
        if (ret_error != NULL) {
            *ret_error = (struct json_error){
                .offset = (size_t)(check.at - begin),
                .text = check.error,
            };
        }
        return false;
    }
    const char *first = begin;
    while (*first == ' ' || *first == '\n' || *first == '\r' || *first == '\t') first++;
    ret_value->type = type_of(*first);
    ret_value->raw = slice_of(first, (size_t)(check.end - first));
    return true;
}

bool json_valid(struct slice document) {
    struct json_value value;
    return json_parse(document, &value, NULL);
}
