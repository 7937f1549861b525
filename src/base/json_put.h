/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, written into a buffer. Commas come by themselves; the caller sees to the rest:
 *
 *     struct json_put put = json_put_to(&out);
 *     json_put_object(&put);
 *     json_put_key(&put, "queue");
 *     json_put_text(&put, queue);
 *     json_put_key(&put, "payload");
 *     json_put_raw(&put, payload);
 *     json_put_object_end(&put);
 *
 * Room is asked once at the end (base/buf.h). Strings come out as UTF-8 whatever goes in: each byte
 * that is not part of a well-formed sequence becomes U+FFFD; who must not lose bytes asks
 * utf8_valid() first and sends base64. */
#ifndef HOB_BASE_JSON_PUT_H
#define HOB_BASE_JSON_PUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/time.h"

struct json_put {
    struct buf *out;
    bool comma; /* the next key or value is preceded by one */
};

static inline struct json_put json_put_to(struct buf *out) {
    return (struct json_put){.out = out};
}

/** "{": members follow, each a key and a value. */
void json_put_object(struct json_put *put);
/** "}" */
void json_put_object_end(struct json_put *put);
/** "[": values follow. */
void json_put_array(struct json_put *put);
/** "]" */
void json_put_array_end(struct json_put *put);

/** A member begins; its value is next. */
void json_put_key(struct json_put *put, const char *key);
void json_put_key_slice(struct json_put *put, struct slice key);

/* Values. */
void json_put_text(struct json_put *put, struct slice text);
void json_put_str(struct json_put *put, const char *text); /* NULL is null */
void json_put_u64(struct json_put *put, uint64_t value);
void json_put_i64(struct json_put *put, int64_t value);
/** Ids: a string of digits, since numbers above 2^53 do not survive JavaScript. */
void json_put_id(struct json_put *put, uint64_t id);
/** What JSON has no number for (infinity, nan) is null. */
void json_put_double(struct json_put *put, double value);
void json_put_bool(struct json_put *put, bool value);
void json_put_null(struct json_put *put);
/** Text that is JSON already, as it is. */
void json_put_raw(struct json_put *put, struct slice json);

/* Members as a whole. Those that have nothing to say, an empty text or an id or time of 0, are left
 * out. */
void json_member_text(struct json_put *put, const char *key, struct slice text);
void json_member_u64(struct json_put *put, const char *key, uint64_t value); /* 0 too */
void json_member_id(struct json_put *put, const char *key, uint64_t id);
/** RFC 3339, as exact as it is. */
void json_member_time(struct json_put *put, const char *key, hob_ns time_ns);
/** Text that is JSON already. */
void json_member_raw(struct json_put *put, const char *key, struct slice json);

/**
 * The value of the member @name, whose key was just put, when it may be any bytes: as they are when
 * they are a JSON text; else a string, and a member NAME_encoding behind it that says `text` (they
 * are UTF-8) or `base64`.
 */
void json_put_bytes(struct json_put *put, struct slice name, struct slice bytes);

/** Only the string, quoted and escaped, for those who write JSON by another way. */
void json_quote(struct buf *out, struct slice text);

#endif
