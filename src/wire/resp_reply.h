/* SPDX-License-Identifier: Apache-2.0 */
/* RESP as a client speaks it: requests written, replies of both versions read. A reply becomes a
 * flat array of nodes in the order of the bytes: an aggregate is followed by all that is in it.
 *
 *     "*2\r\n:1\r\n%1\r\n+k\r\n_\r\n"   ─>   ARRAY(2 inside) INTEGER MAP(2 inside) STRING NULL
 *
 *     struct resp_reply_parser parser;
 *     resp_reply_parser_init(&parser, &mem, limits);
 *     switch (resp_reply_parse(&parser, input, &reply)) {      after each read, until it wants more
 *     case RESP_REPLY_READY:      reply.nodes[0].type == RESP_PUSH: not an answer, sent unasked;
 *                                 drop reply.size_bytes from the front of the input
 *     case RESP_REPLY_NEED_MORE:  read on
 *     case RESP_REPLY_BROKEN:     parser.error says why; close
 *     }
 *
 * As with requests (wire/resp.h) the input begins with the first byte of the reply, may grow and
 * may move; what was scanned once is not scanned again. Attributes are checked and skipped; the
 * streamed types of RESP3, which no server sends, are refused. */
#ifndef HOB_WIRE_RESP_REPLY_H
#define HOB_WIRE_RESP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/slice.h"

enum { RESP_DEPTH_MAX = 32 };

enum resp_type {
    RESP_STRING,  /* simple, bulk or verbatim (without its hint) */
    RESP_FAILURE, /* simple or bulk error, without the '-' */
    RESP_INTEGER,
    RESP_BIG_NUMBER, /* its digits are in `text` */
    RESP_DOUBLE,
    RESP_BOOLEAN,
    RESP_NULL, /* of any of the three spellings */
    RESP_ARRAY,
    RESP_SET,
    RESP_MAP, /* key and value in turn */
    RESP_PUSH,
};

struct resp_node {
    enum resp_type type;
    uint32_t children_count; /* nodes directly inside; of a map twice its pairs */
    uint32_t tree_count;     /* this node and all inside; node + tree_count is its next sibling */
    uint32_t offset;         /* private: of the text in the input */
    struct slice text;       /* strings, failures: the bytes; numbers: as they were sent */
    int64_t integer;         /* integers; booleans: 0 or 1 */
    double number;           /* doubles */
};

struct resp_reply_limits {
    size_t nodes_max;       /* in one reply */
    size_t reply_bytes_max; /* below 4 GiB */
};

/* A fetch of a thousand jobs with the largest payloads is not read in one reply; everything
 * sensible is. */
#define RESP_REPLY_LIMITS_DEFAULT \
    ((struct resp_reply_limits){.nodes_max = 1 << 20, .reply_bytes_max = 64 << 20})

enum resp_reply_result {
    RESP_REPLY_NEED_MORE,
    RESP_REPLY_READY,
    RESP_REPLY_BROKEN, /* not RESP, or over a limit: the stream cannot be read any further */
};

/* Borrowed from the input and from the parser, until the next resp_reply_parse() or until the input
 * moves. */
struct resp_reply {
    const struct resp_node *nodes; /* nodes[0] is the reply, the rest lies inside */
    size_t nodes_count;
    size_t size_bytes; /* of the whole reply: what the caller drops from the input */
};

struct resp_reply_parser {
    struct resp_reply_limits limits;
    struct mem *mem;
    const char *error; /* after RESP_REPLY_BROKEN: static text */
    /* After RESP_REPLY_NEED_MORE: the input must be at least this large for progress. */
    size_t wanted_bytes;

    /* Private. */
    struct resp_node *nodes;
    size_t nodes_capacity;
    size_t nodes_count;
    struct resp_open { /* aggregates that are not complete */
        size_t node;
        size_t left; /* children still to come */
        bool attribute;
    } open[RESP_DEPTH_MAX];
    size_t depth;
    size_t at;      /* everything before is done */
    size_t scanned; /* no LF before, from `at` on */
    size_t bulk_size;
    char bulk_type; /* '$' '!' '=' while its bytes are awaited at `at`; 0: a line is next */
    bool done;      /* the last call gave a reply; the next one begins anew */
};

/** A parser for one connection; @mem (borrowed, must outlive it) pays for its array. */
void resp_reply_parser_init(
    struct resp_reply_parser *parser, struct mem *mem, struct resp_reply_limits limits
);

/** Free the array; the parser may not be used again. */
void resp_reply_parser_deinit(struct resp_reply_parser *parser);

/**
 * Parse one reply at the front of @input. After RESP_REPLY_BROKEN every further call answers so.
 * The answer depends on the bytes only, never on how they were cut into reads.
 */
enum resp_reply_result resp_reply_parse(
    struct resp_reply_parser *parser, struct slice input, struct resp_reply *ret_reply
);

/** The first node inside an aggregate that has any. */
static inline const struct resp_node *resp_first(const struct resp_node *node) {
    return node + 1;
}

/** The node behind @node and all that is inside it; the caller counts. */
static inline const struct resp_node *resp_next(const struct resp_node *node) {
    return node + node->tree_count;
}

/**
 * The value of a key in a map, or in the flat array that RESP2 has for one; NULL when there is
 * none.
 */
const struct resp_node *resp_node_get(const struct resp_node *map, struct slice key);

/**
 * A whole number, however it was sent: integer, big number, or a string of digits. False: it is
 * none.
 */
bool resp_node_u64(const struct resp_node *node, uint64_t *ret_value);

/** Append a request: an array of bulk strings. */
void resp_put_request(struct buf *out, const struct slice *args, size_t args_count);

#endif
