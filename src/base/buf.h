/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer, born with its maximum. Writers append without checking each call: a buffer
 * that would have to grow past its maximum stays as it is and remembers `overflowed`, which is
 * asked once at the end. */
#ifndef HOB_BASE_BUF_H
#define HOB_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf {
    char *bytes;
    size_t size;
    size_t capacity;
    size_t max;
    bool overflowed;
};

/** An empty buffer that may grow to @max_bytes; allocates nothing yet. */
static inline struct buf buf_make(size_t max_bytes) {
    return (struct buf){.max = max_bytes};
}

/** Free the bytes; the buffer can be used again, with the same maximum. Twice is safe. */
void buf_deinit(struct buf *buf);

/** Forget the contents, keep the memory. */
static inline void buf_reset(struct buf *buf) {
    buf->size = 0;
    buf->overflowed = false;
}

/** Room for @size more bytes at buf->bytes + buf->size; NULL (and overflowed) past the maximum. */
char *buf_reserve(struct buf *buf, size_t size);

/** Append; false (and overflowed) past the maximum. */
bool buf_put(struct buf *buf, const void *bytes, size_t size);
bool buf_put_slice(struct buf *buf, struct slice slice);
bool buf_put_str(struct buf *buf, const char *text);
bool buf_put_char(struct buf *buf, char c);
bool buf_put_u64(struct buf *buf, uint64_t value); /* decimal */
bool buf_put_i64(struct buf *buf, int64_t value);  /* decimal */
bool buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Drop the first @size bytes (at most buf->size) and move the rest to the front. */
void buf_consume(struct buf *buf, size_t size);

static inline struct slice buf_slice(const struct buf *buf) {
    return (struct slice){.bytes = buf->bytes, .size = buf->size};
}

#define HOB_AUTO_BUF __attribute__((cleanup(buf_deinit)))

#endif
