/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from a pipe, cut into lines. A line comes without its line end ("\n" or "\r\n"); a line
 * that is longer than the limit comes in pieces, not cut inside a UTF-8 character. Bytes that are
 * not UTF-8 are kept as they are. */
#ifndef HOB_WORKER_LINES_H
#define HOB_WORKER_LINES_H

#include "base/buf.h"
#include "base/slice.h"

typedef void lines_fn(void *context, struct slice line);

struct lines {
    struct buf partial; /* the beginning of a line whose end has not come yet */
    size_t line_bytes_max;
    lines_fn *line;
    void *context;
};

/** Cut into lines of at most @line_bytes_max (≥ 8) bytes, each given to @line with @context. */
void lines_init(struct lines *lines, size_t line_bytes_max, lines_fn *line, void *context);

/** Free what it holds; a partial line is forgotten. */
void lines_deinit(struct lines *lines);

/** More bytes have come. */
void lines_feed(struct lines *lines, struct slice bytes);

/** No more bytes come: what is left is a line, too. */
void lines_flush(struct lines *lines);

#endif
