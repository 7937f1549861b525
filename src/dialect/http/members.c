/* SPDX-License-Identifier: Apache-2.0 */
/* JSON members and query parameters as options (dialect/option.h). What no option knows is refused:
 * a slip of the pen must not be a job without its delay. */
#include "base/assert.h"
#include "base/base64.h"
#include "dialect/http/core.h"

/* A key as text: borrowed, but for the odd one with escapes. */
static struct slice key_text(struct http_session *session, struct slice key) {
    if (key.size == 0 || memchr(key.bytes, '\\', key.size) == NULL) return key;
    struct buf *scratch = &session->base.host->scratch;
    size_t at = scratch->size;
    if (!json_decode_key(key, scratch)) return key;
    return slice_of(scratch->bytes + at, scratch->size - at);
}

/* The value as the text that option_put reads; false when no option takes such a value. */
static bool
value_text(struct http_session *session, struct json_value value, struct slice *ret_text) {
    switch (value.type) {
    case JSON_IS_STRING:
        return json_text(value, &session->base.host->scratch, ret_text);
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

/* An array of tags as a text with commas between; in the scratch room. */
static bool
tags_text(struct http_session *session, struct json_value value, struct slice *ret_text) {
    struct buf *scratch = &session->base.host->scratch;
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
        if (!name_is_valid(tag)) return false;
    }
    *ret_text = slice_of(scratch->bytes + at, scratch->size - at);
    return true;
}

/* The value as the text of this option; false when it takes no such value. */
static bool option_text(
    struct http_session *session,
    const struct option *option,
    struct json_value value,
    struct slice *ret_text
) {
    if (option->type == OPTION_JSON) {
        *ret_text = value.raw;
        return true;
    }
    if (option->type == OPTION_TAGS && value.type == JSON_IS_ARRAY) {
        return tags_text(session, value, ret_text);
    }
    return value_text(session, value, ret_text);
}

static const char *value_allowed(const struct option *option) {
    return option->type == OPTION_TAGS ? "an array of names" : "a string or a number";
}

bool http_member(
    struct http_session *session,
    struct option_set set,
    struct slice key,
    struct json_value value,
    void *target
) {
    struct buf *complaint = &session->base.host->complaint;
    struct slice name = key_text(session, key);
    const struct option *option = option_by_member(set, name);
    struct slice text;
    bool good = false;
    if (option == NULL) {
        (void)option_unknown_member(set, name, complaint);
    } else if (value.type == JSON_IS_NULL) {
        return true;
    } else if (option_text(session, option, value, &text)) {
        good = option_put(option, option->member, text, target, complaint);
    } else {
        (void)complain(complaint, option->member, value.raw, value_allowed(option));
    }
    return good;
}

bool http_members(
    struct http_session *session, struct option_set set, struct json_value object, void *target
) {
    struct json_walk walk = json_walk(object);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        if (!http_member(session, set, key, value, target)) return false;
    }
    return true;
}

bool http_query(struct http_session *session, const struct call *call, void *target) {
    const struct option_set *set = http_shape_of(session->route)->params;
    struct option_set params = set == NULL ? (struct option_set){NULL, 0} : *set;
    return http_params(session, params, call->request, target);
}

bool http_fill(struct http_session *session, const struct call *call, void *target) {
    const struct option_set *set = http_shape_of(session->route)->members;
    hob_assert(set != NULL);
    return http_members(session, *set, call->json, target);
}

bool http_params(
    struct http_session *session,
    struct option_set set,
    const struct http_request *request,
    void *target
) {
    struct buf *complaint = &session->base.host->complaint;
    for (size_t i = 0; i < request->params_count; i++) {
        struct slice name = request->params[i].name;
        struct slice value = request->params[i].value;
        const struct option *option = option_by_member(set, name);
        if (option == NULL) return option_unknown_member(set, name, complaint);
        if (value.size == 0) continue;
        if (!option_put(option, option->member, value, target, complaint)) return false;
    }
    return true;
}

static bool key_is(struct slice key, const char *name, struct slice ending) {
    struct slice first = slice_str(name);
    if (key.size != first.size + ending.size) return false;
    return memcmp(key.bytes, name, first.size) == 0 &&
           slice_equal(slice_of(key.bytes + first.size, ending.size), ending);
}

static bool from_base64(struct http_session *session, struct slice text, struct slice *ret_bytes) {
    struct buf *scratch = &session->base.host->scratch;
    size_t at = scratch->size;
    if (!base64_decode(text, scratch)) return false;
    *ret_bytes = slice_of(scratch->bytes + at, scratch->size - at);
    return true;
}

bool http_bytes(
    struct http_session *session,
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
    struct buf *complaint = &session->base.host->complaint;
    struct slice text;
    if (!json_text(value, &session->base.host->scratch, &text)) {
        *ret_good = complain(complaint, is_text ? "…_text" : "…_base64", value.raw, "a string");
    } else if (is_text) {
        *ret_bytes = text;
    } else if (!from_base64(session, text, ret_bytes)) {
        *ret_good = complain(complaint, "…_base64", text, "base64 (RFC 4648, with padding)");
    }
    return true;
}

bool http_id(struct http_session *session, const struct call *call, uint64_t *ret_id) {
    return option_id("id", call->name, ret_id, &session->base.host->complaint);
}

bool http_queue_name(struct http_session *session, const struct call *call) {
    return option_name("queue", call->name, &session->base.host->complaint);
}

bool http_id_member(
    struct http_session *session, const char *name, struct json_value value, uint64_t *ret_id
) {
    struct slice text = value.raw;
    if (value.type == JSON_IS_STRING && !json_text(value, &session->base.host->scratch, &text)) {
        text = value.raw;
    }
    return option_id(name, text, ret_id, &session->base.host->complaint);
}

bool http_name_list(
    struct http_session *session,
    const char *name,
    struct json_value value,
    struct http_names names,
    uint32_t *ret_count
) {
    struct buf *complaint = &session->base.host->complaint;
    struct json_walk walk = json_walk(value);
    struct json_value item;
    uint32_t count = 0;
    bool all = true;
    while (all && json_next_item(&walk, &item)) {
        all = count < names.max;
        if (!all) break;
        if (!json_text(item, &session->base.host->scratch, &names.items[count])) {
            return complain(complaint, name, item.raw, "a string");
        }
        if (!option_name(name, names.items[count], complaint)) return false;
        count++;
    }
    *ret_count = count;
    if (value.type == JSON_IS_ARRAY && count > 0 && all) return true;
    return complain(complaint, name, value.raw, "an array of 1 to 256 names");
}

bool http_missing(struct http_session *session, const char *member) {
    struct buf *complaint = &session->base.host->complaint;
    buf_reset(complaint);
    (void)buf_put_str(complaint, member);
    (void)buf_put_str(complaint, ": it is missing");
    return false;
}
