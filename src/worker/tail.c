/* SPDX-License-Identifier: Apache-2.0 */
/* A buffer from whose front whole lines are dropped. */
#include "worker/tail.h"

#include "base/assert.h"

void tail_add(struct tail *tail, struct slice line) {
    struct buf *text = &tail->text;
    if (line.size > TAIL_BYTES_MAX - 1) line.size = TAIL_BYTES_MAX - 1;
    (void)buf_put_slice(text, line);
    (void)buf_put_char(text, '\n');
    hob_assert(!text->overflowed);
    while (text->size > TAIL_BYTES_MAX) {
        const char *end = memchr(text->bytes, '\n', text->size);
        hob_assert(end != NULL);
        buf_consume(text, (size_t)(end - text->bytes) + 1);
    }
}
