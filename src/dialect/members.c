/* SPDX-License-Identifier: Apache-2.0 */
/* JSON members as options (dialect/option.h), wherever the JSON comes from: a body, or a text
 * inside of another protocol. What no option knows is refused: a slip of the pen must not be a job
 * without its delay. */
#include "dialect/members.h"

#include "base/base64.h"
#include "dialect/complain.h"
#include "engine/states.h"

/* A key as text: borrowed, but for the odd one with escapes. */
static struct slice key_text(struct host *host, struct slice key) {
    if (key.size == 0 || memchr(key.bytes, '\\', key.size) == NULL) return key;
    struct buf *scratch = &host->scratch;
    size_t at = scratch->size;
    if (!json_decode_key(key, scratch)) return key;
    return slice_of(scratch->bytes + at, scratch->size - at);
}

/* The value as the text that option_put reads; false when no option takes such a value. */
static bool value_text(struct host *host, struct json_value value, struct slice *ret_text) {
    switch (value.type) {
    case JSON_IS_STRING:
        return json_text(value, &host->scratch, ret_text);
    case JSON_IS_NUMBER:
    case JSON_IS_TRUE:
    case JSON_IS_FALSE:
        *ret_text = value.raw;
        return true;
    case JSON_IS_NULL:
    case JSON_IS_ARRAY:
    case JSON_IS_OBJECT:
        break;
    }
    return false;
}

/* An array of tags, or of limiters, as a text with commas between; in the scratch room. */
static bool list_text(
    struct host *host, enum option_type type, struct json_value value, struct slice *ret_text
) {
    struct buf *scratch = &host->scratch;
    struct json_walk walk = json_walk(value);
    struct json_value item;
    size_t at = scratch->size;
    while (json_next_item(&walk, &item)) {
        struct slice tag;
        if (item.type != JSON_IS_STRING) return false;
        if (scratch->size > at) (void)buf_put_char(scratch, ',');
        size_t before = scratch->size;
        if (!json_decode(item, scratch)) return false;
        tag = slice_of(scratch->bytes + before, scratch->size - before);
        /* One with a comma in it would become two. */
        bool is_one = type == OPTION_TAGS || memchr(tag.bytes, '=', tag.size) == NULL
                          ? name_is_valid(tag)
                          : memchr(tag.bytes, ',', tag.size) == NULL;
        if (!is_one) return false;
    }
    *ret_text = slice_of(scratch->bytes + at, scratch->size - at);
    return true;
}

/* The value as the text of this option; false when it takes no such value. */
static bool option_text(
    struct host *host, const struct option *option, struct json_value value, struct slice *ret_text
) {
    if (option->type == OPTION_JSON) {
        *ret_text = value.raw;
        return true;
    }
    bool is_list = option->type == OPTION_TAGS || option->type == OPTION_LIMITS;
    if (is_list && value.type == JSON_IS_ARRAY) {
        return list_text(host, option->type, value, ret_text);
    }
    return value_text(host, value, ret_text);
}

static const char *value_allowed(const struct option *option) {
    bool is_list = option->type == OPTION_TAGS || option->type == OPTION_LIMITS;
    return is_list ? "an array of names" : "a string or a number";
}

bool member_put(
    struct host *host,
    struct option_set set,
    struct slice key,
    struct json_value value,
    void *target
) {
    struct buf *complaint = &host->complaint;
    struct slice name = key_text(host, key);
    const struct option *option = option_by_member(set, name);
    struct slice text;
    bool good = false;
    if (option == NULL) {
        (void)option_unknown_member(set, name, complaint);
    } else if (value.type == JSON_IS_NULL) {
        return true;
    } else if (option_text(host, option, value, &text)) {
        good = option_put(option, option->member, text, host->now_ns, target, complaint);
    } else {
        (void)complain(complaint, option->member, value.raw, value_allowed(option));
    }
    return good;
}

static bool key_is(struct slice key, const char *name, struct slice ending) {
    struct slice first = slice_str(name);
    if (key.size != first.size + ending.size) return false;
    return memcmp(key.bytes, name, first.size) == 0 &&
           slice_equal(slice_of(key.bytes + first.size, ending.size), ending);
}

static bool from_base64(struct host *host, struct slice text, struct slice *ret_bytes) {
    struct buf *scratch = &host->scratch;
    size_t at = scratch->size;
    if (!base64_decode(text, scratch)) return false;
    *ret_bytes = slice_of(scratch->bytes + at, scratch->size - at);
    return true;
}

bool member_bytes(
    struct host *host,
    const char *name,
    struct slice key,
    struct json_value value,
    struct slice *ret_bytes,
    bool *ret_good
) {
    *ret_good = true;
    if (key_is(key, name, SLICE_NONE)) {
        *ret_bytes = value.raw;
        return true;
    }
    bool is_text = key_is(key, name, SLICE("_text"));
    bool is_base64 = key_is(key, name, SLICE("_base64"));
    if (!is_text && !is_base64) return false;
    struct buf *complaint = &host->complaint;
    struct slice text;
    if (!json_text(value, &host->scratch, &text)) {
        *ret_good = complain(complaint, is_text ? "…_text" : "…_base64", value.raw, "a string");
    } else if (is_text) {
        *ret_bytes = text;
    } else if (!from_base64(host, text, ret_bytes)) {
        *ret_good = complain(complaint, "…_base64", text, "base64 (RFC 4648, with padding)");
    }
    return true;
}
