/* SPDX-License-Identifier: Apache-2.0 */
/* A value is hashed as a tree, from its leaves up, so nothing is sorted or copied: the hash of an
 * object is made of the sum of its members' hashes, in which their order is lost, that of an array
 * of each item's in turn. The keys of the hash are constants, for the same payload must make the
 * same key after a restart and on another server. */
#include "dialect/uniqueby.h"

#include "base/assert.h"
#include "base/json.h"
#include "base/siphash.h"
#include "dialect/complain.h"
#include "engine/labels.h"

struct hash {
    uint64_t words[2];
};

static struct hash hash_bytes(struct slice bytes) {
    static const struct siphash_key keys[2] = {
        {.words = {0x686f622d756e6971, 0x75652d62792d3031}},
        {.words = {0x686f622d756e6972, 0x75652d62792d3032}},
    };
    return (struct hash){.words = {siphash(keys[0], bytes), siphash(keys[1], bytes)}};
}

/* One of two, and of what kind the two are. */
static struct hash hash_mix(char what, struct hash a, struct hash b) {
    uint64_t words[4] = {a.words[0], a.words[1], b.words[0], b.words[1]};
    char bytes[1 + sizeof words];
    bytes[0] = what;
    for (size_t i = 0; i < sizeof words; i++) bytes[1 + i] = (char)(words[i / 8] >> i % 8 * 8);
    return hash_bytes(slice_of(bytes, sizeof bytes));
}

static struct hash hash_sum(struct hash a, struct hash b) {
    return (struct hash){.words = {a.words[0] + b.words[0], a.words[1] + b.words[1]}};
}

/* A raw string, without its quotes, by what it says. */
static struct hash hash_text(struct slice raw) {
    if (raw.size == 0 || memchr(raw.bytes, '\\', raw.size) == NULL) return hash_bytes(raw);
    HOB_AUTO_BUF struct buf text = buf_make(raw.size);
    bool fits = json_decode_key(raw, &text);
    hob_assert(fits);
    return hash_bytes(buf_slice(&text));
}

static struct hash hash_leaf(struct json_value value) {
    static const struct hash nothing = {.words = {0, 0}};
    if (value.type == JSON_IS_STRING) {
        struct slice inside = slice_of(value.raw.bytes + 1, value.raw.size - 2);
        return hash_mix('s', hash_text(inside), nothing);
    }
    return hash_mix(value.type == JSON_IS_NUMBER ? 'n' : 'w', hash_bytes(value.raw), nothing);
}

/* An array or object that is being walked. */
struct level {
    struct json_walk walk;
    bool is_object;
    struct hash sum;
    struct hash key; /* of the member at hand */
};

static bool level_next(struct level *level, struct json_value *ret_value) {
    if (!level->is_object) return json_next_item(&level->walk, ret_value);
    struct slice key;
    if (!json_next_member(&level->walk, &key, ret_value)) return false;
    level->key = hash_text(key);
    return true;
}

static void level_add(struct level *level, struct hash hash) {
    if (level->is_object) {
        level->sum = hash_sum(level->sum, hash_mix('m', level->key, hash));
    } else {
        level->sum = hash_mix('i', level->sum, hash);
    }
}

static struct level level_of(struct json_value value) {
    return (struct level){.walk = json_walk(value), .is_object = value.type == JSON_IS_OBJECT};
}

static bool is_leaf(struct json_value value) {
    return value.type != JSON_IS_ARRAY && value.type != JSON_IS_OBJECT;
}

static struct hash hash_value(struct json_value value) {
    struct level levels[JSON_DEPTH_MAX + 1];
    uint32_t depth = 0;
    if (is_leaf(value)) return hash_leaf(value);
    levels[0] = level_of(value);
    for (;;) {
        struct json_value next;
        struct level *level = &levels[depth];
        if (!level_next(level, &next)) {
            struct hash hash = hash_mix(level->is_object ? 'o' : 'a', level->sum, (struct hash){0});
            if (depth == 0) return hash;
            level_add(&levels[--depth], hash);
        } else if (is_leaf(next)) {
            level_add(level, hash_leaf(next));
        } else {
            hob_assert(depth < JSON_DEPTH_MAX);
            levels[++depth] = level_of(next);
        }
    }
}

/* The value at a path as `user.id`. */
static bool value_at(struct json_value object, struct slice path, struct json_value *ret_value) {
    *ret_value = object;
    size_t begin = 0;
    for (size_t i = 0; i <= path.size; i++) {
        if (i < path.size && path.bytes[i] != '.') continue;
        struct json_value inner;
        struct slice name = slice_of(path.bytes + begin, i - begin);
        if (!json_get(*ret_value, name, &inner)) return false;
        *ret_value = inner;
        begin = i + 1;
    }
    return true;
}

static void put_hex(struct hash hash, char *to) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < UNIQUE_BY_HEX_BYTES; i++) {
        to[i] = digits[hash.words[i / 16] >> (60 - i % 16 * 4) & 15];
    }
}

static bool take_unique_by(struct host *host, struct push_request *request) {
    static const struct json_value null = {.type = JSON_IS_NULL, .raw = {"null", 4}};
    if (request->unique_by.size == 0) return true;
    struct buf *complaint = &host->complaint;
    struct slice members = request->unique_by;
    if (request->push.unique.size > 0) {
        return complain(complaint, "unique_by", members, "alone: there is a unique key already");
    }
    struct json_value payload;
    bool is_object =
        json_parse(request->push.payload, &payload, NULL) && payload.type == JSON_IS_OBJECT;
    if (!is_object) {
        return complain(complaint, "unique_by", members, "of a payload that is a JSON object");
    }
    struct hash hash = hash_mix('k', hash_bytes(request->push.kind), (struct hash){0});
    bool any = false;
    struct slice path;
    while (tag_next(&members, &path)) {
        struct json_value value = null;
        any = value_at(payload, path, &value) || any;
        hash = hash_mix('p', hash, hash_mix('v', hash_bytes(path), hash_value(value)));
    }
    if (!any) {
        return complain(
            complaint, "unique_by", request->unique_by, "in the payload: none of them is there"
        );
    }
    put_hex(hash, request->unique_hex);
    request->push.unique = slice_of(request->unique_hex, UNIQUE_BY_HEX_BYTES);
    return true;
}

static bool take_throttle(struct host *host, struct push_request *request) {
    struct push_command *push = &request->push;
    if (request->throttle_ns == 0) return true;
    if (push->unique.size == 0) {
        return complain(
            &host->complaint, "throttle", SLICE_NONE, "of a unique key: name it by unique"
        );
    }
    if (request->has_unique_scope || push->unique_for_ns != 0) {
        return complain(
            &host->complaint,
            "throttle",
            push->unique,
            "alone: it is the scope time, for so long; leave out unique_scope and unique_for"
        );
    }
    push->unique_scope = UNIQUE_TIME;
    push->unique_for_ns = request->throttle_ns;
    return true;
}

/* A job that runs already has not seen what this push says, so only one that waits is met. */
static bool take_debounce(struct host *host, struct push_request *request) {
    struct push_command *push = &request->push;
    struct buf *complaint = &host->complaint;
    if (push->debounce_ns == 0) return true;
    if (push->unique.size == 0) {
        return complain(complaint, "debounce", SLICE_NONE, "of a unique key: name it by unique");
    }
    if (request->has_unique_scope && push->unique_scope != UNIQUE_WAITING) {
        return complain(
            complaint, "debounce", push->unique, "with the scope waiting: leave out unique_scope"
        );
    }
    if (push->on_conflict != CONFLICT_EXISTING && push->on_conflict != CONFLICT_REPLACE) {
        return complain(
            complaint, "debounce", push->unique, "a replacing push: leave out on_conflict"
        );
    }
    push->unique_scope = UNIQUE_WAITING;
    push->on_conflict = CONFLICT_REPLACE;
    return true;
}

/* What is merged into a job that runs already would be lost, so only one that waits is met. */
static bool take_merge(struct host *host, struct push_request *request) {
    struct push_command *push = &request->push;
    struct buf *complaint = &host->complaint;
    if (push->merge == MERGE_NONE) return true;
    if (push->unique.size == 0) {
        return complain(complaint, "merge", SLICE_NONE, "of a unique key: name it by unique");
    }
    if (request->has_unique_scope && push->unique_scope != UNIQUE_WAITING) {
        return complain(
            complaint, "merge", push->unique, "with the scope waiting: leave out unique_scope"
        );
    }
    if (push->on_conflict != CONFLICT_EXISTING) {
        return complain(complaint, "merge", push->unique, "alone: leave out on_conflict");
    }
    push->unique_scope = UNIQUE_WAITING;
    return true;
}

bool unique_take(struct host *host, struct push_request *request) {
    return take_unique_by(host, request) && take_throttle(host, request) &&
           take_merge(host, request) && take_debounce(host, request);
}
