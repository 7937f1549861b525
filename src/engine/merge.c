/* SPDX-License-Identifier: Apache-2.0 */
/* Values are copied as they are written, so nothing that is not added up changes: not the digits of
 * a number, nor the escapes of a string. */
#include "engine/merge.h"

#include "base/assert.h"
#include "base/json.h"
#include "engine/decimal.h"
#include "engine/limits.h"

static bool is_summable_object(struct json_value object) {
    struct json_walk walk = json_walk(object);
    struct slice key;
    struct json_value value;
    struct decimal decimal;
    uint32_t count = 0;
    while (json_next_member(&walk, &key, &value)) {
        if (++count > MERGE_MEMBERS_MAX) return false;
        if (value.type == JSON_IS_NUMBER && !decimal_parse(value.raw, &decimal)) return false;
    }
    return true;
}

static bool is_summable(struct slice payload) {
    struct json_value value;
    struct decimal decimal;
    if (!json_parse(payload, &value, NULL)) return false;
    if (value.type == JSON_IS_NUMBER) return decimal_parse(value.raw, &decimal);
    return value.type == JSON_IS_OBJECT && is_summable_object(value);
}

const char *merge_payload_fault(enum merge merge, struct slice payload) {
    switch (merge) {
    case MERGE_NONE:
    case MERGE_LAST:
        return NULL;
    case MERGE_APPEND:
        return json_valid(payload) ? NULL : "merge append: the payload must be JSON";
    case MERGE_SUM:
        if (is_summable(payload)) return NULL;
        return "merge sum: the payload must be a number, or an object of at most 1000 members; a "
               "number has at most 40 digits before the point and 40 behind it";
    case MERGE_COUNT:
        break;
    }
    return "merge: no such way";
}

struct slice merge_begin(enum merge merge, struct slice payload, struct buf *scratch) {
    struct json_value value;
    if (merge != MERGE_APPEND) return payload;
    bool good = json_parse(payload, &value, NULL);
    hob_assert(good);
    if (value.type == JSON_IS_ARRAY) return payload;
    (void)buf_put_char(scratch, '[');
    (void)buf_put_slice(scratch, value.raw);
    (void)buf_put_char(scratch, ']');
    return buf_slice(scratch);
}

/* --- append --- */

static void put_item(struct buf *out, struct slice raw, uint64_t *count) {
    if ((*count)++ > 0) (void)buf_put_char(out, ',');
    (void)buf_put_slice(out, raw);
}

static void put_items(struct buf *out, struct json_value value, uint64_t *count) {
    if (value.type != JSON_IS_ARRAY) {
        put_item(out, value.raw, count);
        return;
    }
    struct json_walk walk = json_walk(value);
    struct json_value item;
    while (!out->overflowed && json_next_item(&walk, &item)) put_item(out, item.raw, count);
}

static void append(struct buf *out, struct json_value held, struct json_value given) {
    uint64_t count = 0;
    (void)buf_put_char(out, '[');
    put_items(out, held, &count);
    put_items(out, given, &count);
    (void)buf_put_char(out, ']');
}

/* --- sum --- */

/* The later value stays when they are not both numbers. False: too many digits. */
static bool put_sum(struct buf *out, struct json_value held, struct json_value given) {
    if (held.type != JSON_IS_NUMBER || given.type != JSON_IS_NUMBER) {
        (void)buf_put_slice(out, given.raw);
        return true;
    }
    struct decimal a;
    struct decimal b;
    struct decimal sum;
    if (!decimal_parse(held.raw, &a) || !decimal_parse(given.raw, &b)) return false;
    if (!decimal_add(&a, &b, &sum)) return false;
    decimal_put(out, &sum);
    return true;
}

/* The member of @object whose key is the raw @key. */
static bool member_of(struct json_value object, struct slice key, struct json_value *ret_value) {
    HOB_AUTO_BUF struct buf name = buf_make(key.size + 1);
    bool fits = json_decode_key(key, &name);
    hob_assert(fits);
    return json_get(object, buf_slice(&name), ret_value);
}

static void put_key(struct buf *out, struct slice key, uint32_t *count) {
    (void)buf_put_str(out, (*count)++ == 0 ? "{\"" : ",\"");
    (void)buf_put_slice(out, key);
    (void)buf_put_str(out, "\":");
}

static enum merge_result
sum_objects(struct buf *out, struct json_value held, struct json_value given) {
    uint32_t count = 0;
    struct slice key;
    struct json_value value;
    struct json_value other;
    struct json_walk walk = json_walk(held);
    while (json_next_member(&walk, &key, &value)) {
        put_key(out, key, &count);
        if (!member_of(given, key, &other)) {
            (void)buf_put_slice(out, value.raw);
        } else if (!put_sum(out, value, other)) {
            return MERGE_IMPOSSIBLE;
        }
    }
    walk = json_walk(given);
    while (json_next_member(&walk, &key, &value)) {
        if (member_of(held, key, &other)) continue;
        put_key(out, key, &count);
        (void)buf_put_slice(out, value.raw);
    }
    (void)buf_put_str(out, count == 0 ? "{}" : "}");
    return count > MERGE_MEMBERS_MAX ? MERGE_TOO_LARGE : MERGE_DONE;
}

static enum merge_result sum(struct buf *out, struct json_value held, struct json_value given) {
    if (held.type != given.type) return MERGE_IMPOSSIBLE;
    if (held.type == JSON_IS_NUMBER) {
        return put_sum(out, held, given) ? MERGE_DONE : MERGE_IMPOSSIBLE;
    }
    bool good = held.type == JSON_IS_OBJECT && is_summable_object(held);
    return good ? sum_objects(out, held, given) : MERGE_IMPOSSIBLE;
}

enum merge_result
merge_join(enum merge merge, struct slice held, struct slice given, struct buf *out) {
    hob_assert(merge == MERGE_APPEND || merge == MERGE_SUM || merge == MERGE_LAST);
    hob_assert(merge_payload_fault(merge, given) == NULL);
    if (merge == MERGE_LAST) {
        (void)buf_put_slice(out, given);
        return MERGE_DONE;
    }
    struct json_value first;
    struct json_value second;
    if (!json_parse(held, &first, NULL)) return MERGE_IMPOSSIBLE;
    bool good = json_parse(given, &second, NULL);
    hob_assert(good);
    enum merge_result result = MERGE_DONE;
    if (merge == MERGE_APPEND) {
        append(out, first, second);
    } else {
        result = sum(out, first, second);
    }
    return out->overflowed ? MERGE_TOO_LARGE : result;
}
