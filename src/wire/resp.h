/* SPDX-License-Identifier: Apache-2.0 */
/* RESP, the Redis serialisation protocol, as a server speaks it: a parser of requests and writers
 * of replies. The client's half (replies read, requests written) is wire/resp_reply.h.
 *
 * A request is an array of bulk strings and nothing else: inline commands are refused, so that a
 * browser or a line sent by mistake is never taken for a command.
 *
 *     struct resp_parser parser;
 *     resp_parser_init(&parser, &mem, limits);
 *     for (;;) {                                    after each read
 *         switch (resp_parse(&parser, input, &request)) {
 *         case RESP_REQUEST:    serve request.args, then drop request.size_bytes from the front of
 *                               the input
 *         case RESP_NEED_MORE:  read on; parser.wanted_bytes says how large the input must become
 *                               for any progress
 *         case RESP_ERROR:      resp_put_error(out, slice_str(parser.error)), flush, close
 *         }
 *     }
 *     resp_parser_deinit(&parser);
 *
 * The input always begins with the first byte of the request that is being parsed. It may grow and
 * it may lie somewhere else at each call; what was scanned once is not scanned again, so a large
 * bulk costs nothing while it trickles in. */
#ifndef HOB_WIRE_RESP_H
#define HOB_WIRE_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/slice.h"

struct resp_limits {
    size_t args_max;          /* arguments of one request */
    size_t bulk_bytes_max;    /* of one argument */
    size_t request_bytes_max; /* of one request as it stands on the wire; below 4 GiB */
};

/* Room for the largest payload (8 MiB) beside its options, and for an atomic bulk of 16 MiB. */
#define RESP_LIMITS_DEFAULT            \
    ((struct resp_limits){             \
        .args_max = 1 << 20,           \
        .bulk_bytes_max = 9 << 20,     \
        .request_bytes_max = 17 << 20, \
    })

enum resp_result {
    RESP_NEED_MORE,
    RESP_REQUEST,
    RESP_ERROR, /* not RESP, or over a limit: the stream cannot be read any further */
};

/* Borrowed from the input and from the parser, until the next resp_parse() or until the input
 * moves. */
struct resp_request {
    const struct slice *args; /* at least one: args[0] is the command word */
    size_t args_count;
    size_t size_bytes; /* of the whole request: what the caller drops from the input */
};

struct resp_parser {
    struct resp_limits limits;
    struct mem *mem;
    const char *error; /* after RESP_ERROR: static text for the reply, without the leading '-' */
    /* After RESP_NEED_MORE: the input must be at least this large for progress. */
    size_t wanted_bytes;

    /* Private. Spans are offsets from the start of the request: the input may move between
     * calls. */
    struct resp_span *spans;
    struct slice *args;
    size_t args_capacity; /* of both arrays */
    size_t args_count;    /* complete so far */
    size_t args_wanted;   /* announced; 0 while the head of the request is not read yet */
    size_t at;            /* everything before is done */
    size_t bulk_size;
    bool in_bulk; /* the length is read, the bytes begin at `at` */
    bool done;    /* the last call gave a request; the next one begins anew */
};

/** A parser for one connection; @mem (borrowed, must outlive it) pays for its arrays. */
void resp_parser_init(struct resp_parser *parser, struct mem *mem, struct resp_limits limits);

/** Free the arrays; the parser may not be used again. */
void resp_parser_deinit(struct resp_parser *parser);

/**
 * Parse one request at the front of @input. After RESP_ERROR every further call answers RESP_ERROR.
 * The answer depends on the bytes only, never on how they were cut into reads.
 */
enum resp_result
resp_parse(struct resp_parser *parser, struct slice input, struct resp_request *ret_request);

/* Writers. They append to a buffer (base/buf.h: room is asked once, at the end). RESP3 types fall
 * back to what Redis sends to a RESP2 client. */
enum resp_version {
    RESP2 = 2,
    RESP3 = 3,
};

/** "+text"; CR and LF in @text become spaces. */
void resp_put_simple(struct buf *out, struct slice text);

/**
 * "-text"; by custom the first word is a code in capitals ("ERR …"). CR and LF in @text become
 * spaces.
 */
void resp_put_error(struct buf *out, struct slice text);

/** ":value" */
void resp_put_i64(struct buf *out, int64_t value);

/**
 * An integer; above INT64_MAX, which RESP integers cannot hold, a big number (RESP3) or a bulk of
 * digits.
 */
void resp_put_u64(struct buf *out, enum resp_version version, uint64_t value);

/** A bulk string: any bytes at all. */
void resp_put_bulk(struct buf *out, struct slice bytes);

/** A bulk string of decimal digits: how ids travel, safe for clients whose integers are doubles. */
void resp_put_bulk_u64(struct buf *out, uint64_t value);

/** A missing value. */
void resp_put_null(struct buf *out, enum resp_version version);

/** What RESP2 clients expect where an array is missing (a fetch that timed out). */
void resp_put_null_array(struct buf *out, enum resp_version version);

/* Headers: the caller then writes that many elements (for a map: twice as many, key and value in
 * turn). */
void resp_put_array(struct buf *out, size_t count);
void resp_put_map(struct buf *out, enum resp_version version, size_t pairs_count);
void resp_put_set(struct buf *out, enum resp_version version, size_t count);
void resp_put_push(struct buf *out, enum resp_version version, size_t count);

/** In RESP2 the integer 1 or 0. */
void resp_put_bool(struct buf *out, enum resp_version version, bool value);
/** In RESP2 a bulk of its text. */
void resp_put_double(struct buf *out, enum resp_version version, double value);

/** Text with a hint of exactly three letters, "txt" or "mkd"; a plain bulk in RESP2. */
void resp_put_verbatim(
    struct buf *out, enum resp_version version, const char *hint, struct slice text
);

#endif
