/* SPDX-License-Identifier: Apache-2.0 */
/* The reply parser. Everything is a line; some lines announce bytes that follow ($ ! =), some
 * announce children (* ~ % > |). Aggregates that are not complete yet stand on a stack of fixed
 * depth. A value that completes may complete the aggregate around it, and so on outwards; when the
 * stack is empty the reply is there.
 *
 * An attribute is parsed like a map, then its nodes are dropped; it is not a child of what it
 * stands in. */
#include "wire/resp_reply.h"

#include <string.h>

#include "base/assert.h"
#include "base/number.h"
#include "base/text.h"
#include "wire/resp.h"

enum {
    LINE_BYTES_MAX = 64 * 1024,
    NODES_FIRST = 16,
    NODES_KEPT = 4096, /* a larger array is given back when its reply is done */
};

void resp_reply_parser_init(
    struct resp_reply_parser *parser, struct mem *mem, struct resp_reply_limits limits
) {
    hob_assert(limits.nodes_max < UINT32_MAX);
    hob_assert(limits.reply_bytes_max < UINT32_MAX);
    *parser = (struct resp_reply_parser){.limits = limits, .mem = mem};
}

static void nodes_free(struct resp_reply_parser *parser) {
    mem_free(parser->mem, parser->nodes, parser->nodes_capacity * sizeof *parser->nodes);
    parser->nodes = NULL;
    parser->nodes_capacity = 0;
}

void resp_reply_parser_deinit(struct resp_reply_parser *parser) {
    nodes_free(parser);
}

static enum resp_reply_result refuse(struct resp_reply_parser *parser, const char *text) {
    parser->error = text;
    return RESP_REPLY_BROKEN;
}

static enum resp_reply_result need(struct resp_reply_parser *parser, size_t size_bytes) {
    parser->wanted_bytes = size_bytes;
    return RESP_REPLY_NEED_MORE;
}

static bool add_node(struct resp_reply_parser *parser, struct resp_node node) {
    if (parser->nodes_count == parser->limits.nodes_max) return false;
    if (parser->nodes_count == parser->nodes_capacity) {
        size_t old = parser->nodes_capacity;
        size_t capacity = old == 0 ? NODES_FIRST : old * 2;
        size_t size = sizeof *parser->nodes;
        parser->nodes = mem_resize(parser->mem, parser->nodes, old * size, capacity * size);
        parser->nodes_capacity = capacity;
    }
    node.tree_count = 1;
    parser->nodes[parser->nodes_count++] = node;
    return true;
}

/* A value is complete: so may be what it stands in. True when that was the whole reply. */
static bool close_complete(struct resp_reply_parser *parser) {
    while (parser->depth > 0) {
        struct resp_open *open = &parser->open[parser->depth - 1];
        if (--open->left > 0) return false;
        parser->depth--;
        if (open->attribute) {
            parser->nodes_count = open->node;
            return false; /* the value that it belongs to comes next */
        }
        parser->nodes[open->node].tree_count = (uint32_t)(parser->nodes_count - open->node);
    }
    return true;
}

/* A value without children. */
static enum resp_reply_result add_value(struct resp_reply_parser *parser, struct resp_node node) {
    if (!add_node(parser, node)) return refuse(parser, "too many values in one reply");
    return close_complete(parser) ? RESP_REPLY_READY : RESP_REPLY_NEED_MORE;
}

/* Results of the functions below: RESP_REPLY_NEED_MORE here means that parsing goes on. */

static enum resp_reply_result
open_aggregate(struct resp_reply_parser *parser, char type, struct slice line) {
    if (type == '*' && slice_equal(line, SLICE("-1"))) {
        return add_value(parser, (struct resp_node){.type = RESP_NULL});
    }
    bool pairs = type == '%' || type == '|';
    uint64_t count = 0;
    if (!text_u64(line, 0, UINT64_MAX, &count)) return refuse(parser, "invalid count");
    size_t count_max = pairs ? parser->limits.nodes_max / 2 : parser->limits.nodes_max;
    if (count > count_max) return refuse(parser, "too many values in one reply");
    if (pairs) count *= 2;
    if (type == '>' && parser->depth > 0) return refuse(parser, "push inside another value");
    if (type == '|' && count == 0) return RESP_REPLY_NEED_MORE;
    struct resp_node node = {.children_count = (uint32_t)count};
    node.type = type == '~' ? RESP_SET : type == '>' ? RESP_PUSH : pairs ? RESP_MAP : RESP_ARRAY;
    if (count == 0) return add_value(parser, node);
    if (parser->depth == RESP_DEPTH_MAX) return refuse(parser, "nested too deeply");
    parser->open[parser->depth++] = (struct resp_open){
        .node = parser->nodes_count,
        .left = (size_t)count,
        .attribute = type == '|',
    };
    if (!add_node(parser, node)) return refuse(parser, "too many values in one reply");
    return RESP_REPLY_NEED_MORE;
}

static enum resp_reply_result
begin_bulk(struct resp_reply_parser *parser, char type, struct slice line) {
    if (type == '$' && slice_equal(line, SLICE("-1"))) {
        return add_value(parser, (struct resp_node){.type = RESP_NULL});
    }
    uint64_t size = 0;
    if (!text_u64(line, 0, UINT32_MAX, &size)) return refuse(parser, "invalid bulk length");
    if (parser->at + size + 2 > parser->limits.reply_bytes_max) {
        return refuse(parser, "reply too large");
    }
    parser->bulk_type = type;
    parser->bulk_size = (size_t)size;
    return RESP_REPLY_NEED_MORE;
}

static bool read_double(struct slice line, double *ret_value) {
    if (slice_equal(line, SLICE("inf"))) {
        *ret_value = __builtin_inf();
    } else if (slice_equal(line, SLICE("-inf"))) {
        *ret_value = -__builtin_inf();
    } else if (slice_equal(line, SLICE("nan")) || slice_equal(line, SLICE("-nan"))) {
        *ret_value = __builtin_nan("");
    } else {
        return number_parse(line, ret_value);
    }
    return true;
}

static bool is_big_number(struct slice line) {
    size_t at = line.size > 0 && (line.bytes[0] == '-' || line.bytes[0] == '+') ? 1 : 0;
    if (at == line.size) return false;
    for (; at < line.size; at++) {
        if (line.bytes[at] < '0' || line.bytes[at] > '9') return false;
    }
    return true;
}

/* The types that are a line and no more. */
static enum resp_reply_result
add_line(struct resp_reply_parser *parser, char type, struct slice line, size_t offset) {
    struct resp_node node = {.offset = (uint32_t)offset, .text = line};
    bool fine = true;
    switch (type) {
    case '+':
        node.type = RESP_STRING;
        break;
    case '-':
        node.type = RESP_FAILURE;
        break;
    case ':':
        node.type = RESP_INTEGER;
        if (line.size > 1 && line.bytes[0] == '+') line = slice_of(line.bytes + 1, line.size - 1);
        fine = text_i64(line, INT64_MIN, INT64_MAX, &node.integer);
        break;
    case '(':
        node.type = RESP_BIG_NUMBER;
        fine = is_big_number(line);
        break;
    case ',':
        node.type = RESP_DOUBLE;
        fine = read_double(line, &node.number);
        break;
    case '#':
        node.type = RESP_BOOLEAN;
        node.integer = line.size == 1 && line.bytes[0] == 't';
        fine = node.integer == 1 || slice_equal(line, SLICE("f"));
        break;
    case '_':
        node.type = RESP_NULL;
        fine = line.size == 0;
        break;
    default:
        return refuse(parser, "unknown type of reply");
    }
    return fine ? add_value(parser, node) : refuse(parser, "malformed value");
}

static enum resp_reply_result parse_line(struct resp_reply_parser *parser, struct slice input) {
    size_t window_end = parser->at + LINE_BYTES_MAX;
    size_t end = input.size < window_end ? input.size : window_end;
    const char *lf = NULL;
    size_t from = parser->scanned > parser->at ? parser->scanned : parser->at;
    if (from < end) lf = memchr(input.bytes + from, '\n', end - from);
    if (lf == NULL) {
        parser->scanned = end;
        if (end == window_end) return refuse(parser, "line too long");
        return need(parser, input.size + 1);
    }
    size_t start = parser->at + 1;
    size_t line_end = (size_t)(lf - input.bytes) - 1;
    if (lf == input.bytes + parser->at || line_end < start || input.bytes[line_end] != '\r') {
        return refuse(parser, "line does not end with CRLF");
    }
    char type = input.bytes[parser->at];
    struct slice line = slice_of(input.bytes + start, line_end - start);
    if (line.size > 0 && memchr(line.bytes, '\r', line.size) != NULL) {
        return refuse(parser, "bare CR in a line");
    }
    parser->at = line_end + 2;
    if (parser->at > parser->limits.reply_bytes_max) return refuse(parser, "reply too large");
    parser->wanted_bytes = 0;
    if (memchr("*~%>|", type, 5) != NULL) return open_aggregate(parser, type, line);
    if (memchr("$!=", type, 3) != NULL) return begin_bulk(parser, type, line);
    return add_line(parser, type, line, start);
}

static enum resp_reply_result parse_bulk(struct resp_reply_parser *parser, struct slice input) {
    size_t start = parser->at;
    size_t end = start + parser->bulk_size;
    if (input.size < end + 2) return need(parser, end + 2);
    if (input.bytes[end] != '\r' || input.bytes[end + 1] != '\n') {
        return refuse(parser, "bulk string does not end with CRLF");
    }
    if (parser->bulk_type == '=') {
        bool hint = parser->bulk_size >= 4 && input.bytes[start + 3] == ':';
        if (!hint) return refuse(parser, "malformed verbatim string");
        start += 4;
    }
    struct resp_node node = {
        .type = parser->bulk_type == '!' ? RESP_FAILURE : RESP_STRING,
        .offset = (uint32_t)start,
        .text = slice_of(input.bytes + start, end - start),
    };
    parser->bulk_type = 0;
    parser->at = end + 2;
    parser->wanted_bytes = 0;
    return add_value(parser, node);
}

static void begin_anew(struct resp_reply_parser *parser) {
    if (parser->nodes_capacity > NODES_KEPT) nodes_free(parser);
    parser->nodes_count = 0;
    parser->at = 0;
    parser->scanned = 0;
    parser->done = false;
}

enum resp_reply_result resp_reply_parse(
    struct resp_reply_parser *parser, struct slice input, struct resp_reply *ret_reply
) {
    if (parser->error != NULL) return RESP_REPLY_BROKEN;
    if (parser->done) begin_anew(parser);
    hob_assert(input.size >= parser->at);
    enum resp_reply_result result = RESP_REPLY_NEED_MORE;
    do {
        parser->wanted_bytes = 0;
        result = parser->bulk_type == 0 ? parse_line(parser, input) : parse_bulk(parser, input);
    } while (result == RESP_REPLY_NEED_MORE && parser->wanted_bytes == 0);
    if (result != RESP_REPLY_READY) return result;
    for (size_t i = 0; i < parser->nodes_count; i++) {
        struct resp_node *node = &parser->nodes[i];
        if (node->text.bytes != NULL) node->text.bytes = input.bytes + node->offset;
    }
    *ret_reply = (struct resp_reply){
        .nodes = parser->nodes,
        .nodes_count = parser->nodes_count,
        .size_bytes = parser->at,
    };
    parser->done = true;
    return RESP_REPLY_READY;
}

const struct resp_node *resp_node_get(const struct resp_node *map, struct slice key) {
    if (map->type != RESP_MAP && map->type != RESP_ARRAY) return NULL;
    const struct resp_node *node = resp_first(map);
    for (uint32_t i = 0; i + 1 < map->children_count; i += 2) {
        const struct resp_node *value = resp_next(node);
        if (node->type == RESP_STRING && slice_equal(node->text, key)) return value;
        node = resp_next(value);
    }
    return NULL;
}

bool resp_node_u64(const struct resp_node *node, uint64_t *ret_value) {
    bool digits =
        node->type == RESP_INTEGER || node->type == RESP_BIG_NUMBER || node->type == RESP_STRING;
    return digits && text_u64(node->text, 0, UINT64_MAX, ret_value);
}

void resp_put_request(struct buf *out, const struct slice *args, size_t args_count) {
    resp_put_array(out, args_count);
    for (size_t i = 0; i < args_count; i++) resp_put_bulk(out, args[i]);
}
