/* SPDX-License-Identifier: Apache-2.0 */
/* Whole lines are given straight from the bytes that came; only a line that spans reads is
 * copied. */
#include "worker/lines.h"

#include "base/assert.h"
#include "base/utf8.h"

void lines_init(struct lines *lines, size_t line_bytes_max, lines_fn *line, void *context) {
    hob_assert(line_bytes_max >= (size_t)2 * UTF8_BYTES_MAX);
    *lines = (struct lines){
        .partial = buf_make(line_bytes_max),
        .line_bytes_max = line_bytes_max,
        .line = line,
        .context = context,
    };
}

void lines_deinit(struct lines *lines) {
    buf_deinit(&lines->partial);
}

static void line_give(struct lines *lines, struct slice line) {
    if (line.size > 0 && line.bytes[line.size - 1] == '\r') line.size--;
    lines->line(lines->context, line);
}

/* Where to cut a line that is too long: @size, or a little before when that is inside a
 * character. */
static size_t piece_size(const char *bytes, size_t size) {
    for (size_t back = 1; back < UTF8_BYTES_MAX; back++) {
        unsigned char c = (unsigned char)bytes[size - back];
        if ((c & 0xc0) == 0x80) continue;
        size_t wanted = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        return wanted > back ? size - back : size;
    }
    return size;
}

/* Append to the partial line, giving pieces whenever it is as long as a line may be. */
static void partial_put(struct lines *lines, struct slice bytes) {
    struct buf *partial = &lines->partial;
    while (bytes.size > 0) {
        if (partial->size == lines->line_bytes_max) {
            size_t size = piece_size(partial->bytes, partial->size);
            lines->line(lines->context, slice_of(partial->bytes, size));
            buf_consume(partial, size);
        }
        size_t room = lines->line_bytes_max - partial->size;
        size_t size = bytes.size < room ? bytes.size : room;
        bool fits = buf_put(partial, bytes.bytes, size);
        hob_assert(fits);
        bytes = slice_of(bytes.bytes + size, bytes.size - size);
    }
}

void lines_feed(struct lines *lines, struct slice bytes) {
    while (bytes.size > 0) {
        const char *end = memchr(bytes.bytes, '\n', bytes.size);
        size_t size = end == NULL ? bytes.size : (size_t)(end - bytes.bytes);
        struct slice line = slice_of(bytes.bytes, size);
        if (end != NULL && lines->partial.size == 0 && size <= lines->line_bytes_max) {
            line_give(lines, line);
        } else {
            partial_put(lines, line);
            if (end != NULL) {
                line_give(lines, buf_slice(&lines->partial));
                buf_reset(&lines->partial);
            }
        }
        size_t used = end == NULL ? size : size + 1;
        bytes = slice_of(bytes.bytes + used, bytes.size - used);
    }
}

void lines_flush(struct lines *lines) {
    if (lines->partial.size > 0) line_give(lines, buf_slice(&lines->partial));
    buf_reset(&lines->partial);
}
