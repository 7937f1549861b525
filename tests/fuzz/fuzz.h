/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets share. A parser of a stream must answer the same however the bytes are cut
 * into reads: a target writes what its parser says into a log, once for the whole input and once
 * for the input in pieces, and the logs must be equal. Each read is put into a block of its own of
 * exactly its size, so that a stale pointer or a byte too far is seen. */
#ifndef HOB_TEST_FUZZ_FUZZ_H
#define HOB_TEST_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/slice.h"

/** What libFuzzer calls with each input; each target has its own. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(fact) hob_assert(fact)

/* The first byte of an input decides how the rest is cut: 0 not at all, 1 byte by byte, else at
 * random. */
struct fuzz_input {
    struct slice stream;
    uint8_t cutting;
};

static inline struct fuzz_input fuzz_input(const uint8_t *data, size_t size) {
    if (size == 0) return (struct fuzz_input){.stream = SLICE("")};
    return (struct fuzz_input){.stream = slice_of(data + 1, size - 1), .cutting = data[0]};
}

/* How many bytes the next read brings. */
static inline size_t fuzz_read_size(uint8_t cutting, uint32_t *state, size_t left) {
    if (cutting == 0) return left;
    *state = *state * 1664525 + 1013904223;
    size_t size = cutting == 1 ? 1 : 1 + (*state >> 16) % cutting;
    return size < left ? size : left;
}

/* One run of a parser over a stream: parse() is called with what is there of the current message
 * and says how many bytes it consumed (0: it needs more) and whether it can go on. */
struct fuzz_run {
    void *parser;
    struct buf log;
    bool broken;
    size_t (*parse)(struct fuzz_run *run, struct slice input);
};

static inline void fuzz_feed(struct fuzz_run *run, struct slice stream, uint8_t cutting) {
    uint32_t state = cutting;
    size_t start = 0; /* of the current message */
    size_t have = 0;
    do {
        have += fuzz_read_size(cutting, &state, stream.size - have);
        size_t consumed = 1;
        while (consumed > 0 && !run->broken) {
            size_t size = have - start;
            char *copy = malloc(size == 0 ? 1 : size);
            FUZZ_CHECK(copy != NULL);
            memcpy(copy, stream.bytes + start, size);
            consumed = run->parse(run, slice_of(copy, size));
            FUZZ_CHECK(consumed <= size);
            start += consumed;
            free(copy);
        }
    } while (have < stream.size && !run->broken);
}

static inline void fuzz_log_slice(struct buf *log, struct slice slice) {
    buf_put_u64(log, slice.size);
    buf_put_char(log, ':');
    buf_put_slice(log, slice);
    buf_put_char(log, '\n');
}

static inline void fuzz_check_same(const struct fuzz_run *a, const struct fuzz_run *b) {
    FUZZ_CHECK(!a->log.overflowed);
    FUZZ_CHECK(a->broken == b->broken);
    FUZZ_CHECK(slice_equal(buf_slice(&a->log), buf_slice(&b->log)));
}

enum { FUZZ_LOG_BYTES_MAX = 256 << 20 };

#endif
