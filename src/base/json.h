/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, read in place (RFC 8259, strictly). A document is checked once, as a whole; then its values
 * are walked as slices of the same bytes: nothing is allocated, nothing is decoded that nobody asks
 * for, and a payload travels through untouched, since a value knows its own text. Writing JSON is
 * base/json_put.h.
 *
 *     struct json_value job, member;
 *     struct json_error error;
 *     if (!json_parse(body, &job, &error)) …                   error.text at error.offset
 *     struct json_walk walk = json_walk(job);
 *     struct slice key;
 *     while (json_next_member(&walk, &key, &member)) {
 *         if (json_key_is(key, SLICE("priority"))) ok = json_u64(member, &priority);
 *         else if (json_key_is(key, SLICE("payload"))) payload = member.raw;
 *     }
 *
 * What is refused beyond the grammar: nesting deeper than JSON_DEPTH_MAX, bytes that are not UTF-8,
 * and \u escapes that are half a surrogate pair; so every string can be decoded to UTF-8. Duplicate
 * keys are given in their order. */
#ifndef HOB_BASE_JSON_H
#define HOB_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum { JSON_DEPTH_MAX = 64 };

/* The names keep clear of jansson's, so that one file may include both. */
enum json_value_type {
    JSON_IS_NULL,
    JSON_IS_FALSE,
    JSON_IS_TRUE,
    JSON_IS_NUMBER,
    JSON_IS_STRING,
    JSON_IS_ARRAY,
    JSON_IS_OBJECT,
};

struct json_value {
    enum json_value_type type;
    struct slice raw; /* the text of the value without space around it; a string with its quotes */
};

struct json_error {
    size_t offset;
    const char *text; /* static */
};

/**
 * Check a whole document (one value, space around it) and give its value; false and @ret_error (may
 * be NULL).
 */
bool json_parse(struct slice document, struct json_value *ret_value, struct json_error *ret_error);

/** Whether @document is one JSON value and nothing else. */
bool json_valid(struct slice document);

/* A place in an array or object. Only values that come from json_parse() may be walked: they are
 * not checked again. */
struct json_walk {
    const char *at;
    const char *end;
};

/** Begin with the first item or member; a value that is neither array nor object has none. */
struct json_walk json_walk(struct json_value value);

/** The next item of an array; false at its end. */
bool json_next_item(struct json_walk *walk, struct json_value *ret_item);

/**
 * The next member of an object; false at its end. @ret_key is raw: without its quotes, escapes not
 * decoded.
 */
bool json_next_member(struct json_walk *walk, struct slice *ret_key, struct json_value *ret_value);

/** Compare a raw key with a name, decoding on the way. */
bool json_key_is(struct slice raw_key, struct slice name);

/** The first member of @object with this name. False: there is none, or @object is no object. */
bool json_get(struct json_value object, struct slice name, struct json_value *ret_value);

/**
 * Numbers. False: not a number, not whole (a fraction or an exponent in the text), or out of range.
 */
bool json_u64(struct json_value value, uint64_t *ret_number);
bool json_i64(struct json_value value, int64_t *ret_number);
/** The nearest double; false: not a number, or too large for one. */
bool json_double(struct json_value value, double *ret_number);
/** False: not a boolean. */
bool json_bool(struct json_value value, bool *ret_flag);

/**
 * Append the decoded string to @to. False: not a string, or no room for its raw size, which bounds
 * the decoded one.
 */
bool json_decode(struct json_value value, struct buf *to);

/** Append a raw key, decoded. False: no room. */
bool json_decode_key(struct slice raw_key, struct buf *to);

/**
 * The decoded string as a slice: borrowed from the document when nothing is escaped, else decoded
 * into @scratch. Further use of @scratch may move its bytes; reserve the size of the document in it
 * first, and every slice stays where it is.
 */
bool json_text(struct json_value value, struct buf *scratch, struct slice *ret_text);

#endif
