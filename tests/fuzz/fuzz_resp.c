/* SPDX-License-Identifier: Apache-2.0 */
/* RESP: the request parser and the reply parser over the same bytes. What a request parser accepts
 * has one spelling only, so writing its arguments gives the bytes back. */
#include "fuzz.h"
#include "wire/resp.h"
#include "wire/resp_reply.h"

static size_t parse_request(struct fuzz_run *run, struct slice input) {
    struct resp_parser *parser = run->parser;
    struct resp_request request;
    switch (resp_parse(parser, input, &request)) {
    case RESP_NEED_MORE:
        FUZZ_CHECK(parser->wanted_bytes > input.size);
        return 0;
    case RESP_ERROR:
        fuzz_log_slice(&run->log, slice_str(parser->error));
        run->broken = true;
        return 0;
    case RESP_REQUEST:
        break;
    }
    HOB_AUTO_BUF struct buf again = buf_make(FUZZ_LOG_BYTES_MAX);
    resp_put_request(&again, request.args, request.args_count);
    FUZZ_CHECK(slice_equal(buf_slice(&again), slice_of(input.bytes, request.size_bytes)));
    fuzz_log_slice(&run->log, buf_slice(&again));
    return request.size_bytes;
}

static void log_node(struct buf *log, const struct resp_node *node) {
    buf_put_u64(log, (uint64_t)node->type);
    buf_put_char(log, ' ');
    buf_put_u64(log, node->children_count);
    buf_put_char(log, ' ');
    buf_put_u64(log, node->tree_count);
    buf_put_char(log, ' ');
    buf_put_i64(log, node->integer);
    buf_put_char(log, ' ');
    buf_put(log, &node->number, sizeof node->number);
    fuzz_log_slice(log, node->text);
}

static bool is_aggregate(const struct resp_node *node) {
    return node->type == RESP_ARRAY || node->type == RESP_SET || node->type == RESP_MAP ||
           node->type == RESP_PUSH;
}

static size_t parse_reply(struct fuzz_run *run, struct slice input) {
    struct resp_reply_parser *parser = run->parser;
    struct resp_reply reply;
    switch (resp_reply_parse(parser, input, &reply)) {
    case RESP_REPLY_NEED_MORE:
        FUZZ_CHECK(parser->wanted_bytes > input.size);
        return 0;
    case RESP_REPLY_BROKEN:
        fuzz_log_slice(&run->log, slice_str(parser->error));
        run->broken = true;
        return 0;
    case RESP_REPLY_READY:
        break;
    }
    FUZZ_CHECK(reply.nodes[0].tree_count == reply.nodes_count);
    for (size_t i = 0; i < reply.nodes_count; i++) {
        const struct resp_node *node = &reply.nodes[i];
        log_node(&run->log, node);
        FUZZ_CHECK(is_aggregate(node) || node->tree_count == 1);
        const struct resp_node *child = resp_first(node);
        for (uint32_t n = 0; n < node->children_count; n++) child = resp_next(child);
        FUZZ_CHECK(child == node + node->tree_count);
        (void)resp_node_get(node, SLICE("id"));
    }
    return reply.size_bytes;
}

static void run_requests(struct fuzz_run *run, struct slice stream, uint8_t cutting) {
    struct mem mem = {0};
    struct resp_parser parser;
    struct resp_limits limits = {
        .args_max = 100, .bulk_bytes_max = 1000, .request_bytes_max = 2000};
    resp_parser_init(&parser, &mem, limits);
    *run = (struct fuzz_run){.parser = &parser, .parse = parse_request};
    run->log = buf_make(FUZZ_LOG_BYTES_MAX);
    fuzz_feed(run, stream, cutting);
    resp_parser_deinit(&parser);
    FUZZ_CHECK(mem.used_bytes == 0);
}

static void run_replies(struct fuzz_run *run, struct slice stream, uint8_t cutting) {
    struct mem mem = {0};
    struct resp_reply_parser parser;
    struct resp_reply_limits limits = {.nodes_max = 100, .reply_bytes_max = 2000};
    resp_reply_parser_init(&parser, &mem, limits);
    *run = (struct fuzz_run){.parser = &parser, .parse = parse_reply};
    run->log = buf_make(FUZZ_LOG_BYTES_MAX);
    fuzz_feed(run, stream, cutting);
    resp_reply_parser_deinit(&parser);
    FUZZ_CHECK(mem.used_bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    struct fuzz_run whole;
    struct fuzz_run pieces;
    run_requests(&whole, input.stream, 0);
    run_requests(&pieces, input.stream, input.cutting);
    fuzz_check_same(&whole, &pieces);
    buf_deinit(&whole.log);
    buf_deinit(&pieces.log);
    run_replies(&whole, input.stream, 0);
    run_replies(&pieces, input.stream, input.cutting);
    fuzz_check_same(&whole, &pieces);
    buf_deinit(&whole.log);
    buf_deinit(&pieces.log);
    return 0;
}
