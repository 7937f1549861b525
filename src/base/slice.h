/* SPDX-License-Identifier: Apache-2.0 */
/* A slice is borrowed bytes: a place and a length, no owner, no terminator. */
#ifndef HOB_BASE_SLICE_H
#define HOB_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *bytes; /* may be NULL only when size is 0 */
    size_t size;
};

#define SLICE(literal) ((struct slice){.bytes = "" literal, .size = sizeof(literal) - 1})
#define SLICE_NONE     ((struct slice){.bytes = NULL, .size = 0})
/* For printf: "%.*s", SLICE_ARG(name). The slice must be shorter than 2 GiB. */
#define SLICE_ARG(slice) (int)(slice).size, (slice).bytes

static inline struct slice slice_of(const void *bytes, size_t size) {
    return (struct slice){.bytes = bytes, .size = size};
}

static inline struct slice slice_str(const char *text) {
    return (struct slice){.bytes = text, .size = text == NULL ? 0 : strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

/* By bytes; a beginning goes before what it begins. */
static inline bool slice_before(struct slice a, struct slice b) {
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.bytes, b.bytes, size);
    return order != 0 ? order < 0 : a.size < b.size;
}

/* ASCII letters compare without case: the rule of RESP command words and HTTP header names. */
static inline bool slice_equal_nocase(struct slice a, struct slice b) {
    if (a.size != b.size) return false;
    for (size_t i = 0; i < a.size; i++) {
        char x = a.bytes[i];
        char y = b.bytes[i];
        if (x >= 'A' && x <= 'Z') x = (char)(x + ('a' - 'A'));
        if (y >= 'A' && y <= 'Z') y = (char)(y + ('a' - 'A'));
        if (x != y) return false;
    }
    return true;
}

#endif
