/* SPDX-License-Identifier: Apache-2.0 */
/* Doubling growth up to the maximum that the buffer was born with. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { BUF_FIRST_CAPACITY = 256 };

void buf_deinit(struct buf *buf) {
    free(buf->bytes);
    *buf = buf_make(buf->max);
}

char *buf_reserve(struct buf *buf, size_t size) {
    hob_assert(buf->size <= buf->capacity);
    if (size <= buf->capacity - buf->size) return buf->bytes + buf->size;
    if (buf->size > buf->max || size > buf->max - buf->size) {
        buf->overflowed = true;
        return NULL;
    }
    size_t capacity = buf->capacity == 0 ? BUF_FIRST_CAPACITY : buf->capacity;
    while (capacity - buf->size < size) capacity *= 2;
    if (capacity > buf->max) capacity = buf->max;
    char *bytes = realloc(buf->bytes, capacity);
    if (bytes == NULL) hob_panic(__FILE__, __LINE__, "out of memory");
    buf->bytes = bytes;
    buf->capacity = capacity;
    return buf->bytes + buf->size;
}

bool buf_put(struct buf *buf, const void *bytes, size_t size) {
    if (size == 0) return true;
    char *to = buf_reserve(buf, size);
    if (to == NULL) return false;
    memcpy(to, bytes, size);
    buf->size += size;
    return true;
}

bool buf_put_slice(struct buf *buf, struct slice slice) {
    return buf_put(buf, slice.bytes, slice.size);
}

bool buf_put_str(struct buf *buf, const char *text) {
    return buf_put(buf, text, strlen(text));
}

bool buf_put_char(struct buf *buf, char c) {
    return buf_put(buf, &c, 1);
}

bool buf_put_u64(struct buf *buf, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return buf_put(buf, digits + at, sizeof digits - at);
}

bool buf_put_i64(struct buf *buf, int64_t value) {
    if (value >= 0) return buf_put_u64(buf, (uint64_t)value);
    return buf_put_char(buf, '-') && buf_put_u64(buf, (uint64_t)0 - (uint64_t)value);
}

bool buf_printf(struct buf *buf, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    hob_assert(size >= 0);
    char *to = buf_reserve(buf, (size_t)size + 1);
    if (to == NULL) return false;
    va_start(arguments, format);
    (void)vsnprintf(to, (size_t)size + 1, format, arguments);
    va_end(arguments);
    buf->size += (size_t)size;
    return true;
}

void buf_consume(struct buf *buf, size_t size) {
    hob_assert(size <= buf->size);
    if (size == 0) return;
    buf->size -= size;
    memmove(buf->bytes, buf->bytes + size, buf->size);
}
