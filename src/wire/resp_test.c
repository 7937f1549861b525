/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/resp.h"

#include "base/test.h"

struct rig {
    struct mem mem;
    struct resp_parser parser;
    struct resp_request request;
};

static struct rig *rig_new(struct resp_limits limits) {
    static struct rig rig;
    rig = (struct rig){0};
    resp_parser_init(&rig.parser, &rig.mem, limits);
    return &rig;
}

static void rig_end(struct rig *rig) {
    resp_parser_deinit(&rig->parser);
    CHECK_EQUAL(rig->mem.used_bytes, 0);
}

#define PUSH "*4\r\n$4\r\nPUSH\r\n$4\r\nmail\r\n$7\r\nwelcome\r\n$2\r\n{}\r\n"

TEST(a_request_is_parsed_into_slices_of_the_input) {
    struct rig *rig = rig_new(RESP_LIMITS_DEFAULT);
    struct slice input = SLICE(PUSH "*1\r\n$4\r\nPING\r\n");
    CHECK(resp_parse(&rig->parser, input, &rig->request) == RESP_REQUEST);
    CHECK_EQUAL(rig->request.args_count, 4);
    CHECK(slice_equal(rig->request.args[0], SLICE("PUSH")));
    CHECK(slice_equal(rig->request.args[3], SLICE("{}")));
    CHECK(rig->request.args[0].bytes == input.bytes + 8);
    CHECK_EQUAL(rig->request.size_bytes, sizeof PUSH - 1);

    struct slice rest = slice_of(input.bytes + rig->request.size_bytes, 14);
    CHECK(resp_parse(&rig->parser, rest, &rig->request) == RESP_REQUEST);
    CHECK_EQUAL(rig->request.args_count, 1);
    CHECK(slice_equal(rig->request.args[0], SLICE("PING")));
    CHECK_EQUAL(rig->request.size_bytes, 14);
    rig_end(rig);
}

TEST(a_request_may_come_byte_by_byte_and_move_between_reads) {
    struct rig *rig = rig_new(RESP_LIMITS_DEFAULT);
    for (size_t size = 0; size < sizeof PUSH - 1; size++) {
        HOB_AUTO_BUF struct buf moved = buf_make(1000);
        CHECK(buf_put(&moved, PUSH, size));
        CHECK(resp_parse(&rig->parser, buf_slice(&moved), &rig->request) == RESP_NEED_MORE);
        CHECK(rig->parser.wanted_bytes > size);
        CHECK(rig->parser.wanted_bytes < sizeof PUSH);
    }
    CHECK(resp_parse(&rig->parser, SLICE(PUSH), &rig->request) == RESP_REQUEST);
    CHECK(slice_equal(rig->request.args[2], SLICE("welcome")));
    rig_end(rig);
}

TEST(a_large_bulk_tells_how_much_is_wanted) {
    struct rig *rig = rig_new(RESP_LIMITS_DEFAULT);
    struct slice input = SLICE("*2\r\n$4\r\nPUSH\r\n$1000000\r\nabc");
    CHECK(resp_parse(&rig->parser, input, &rig->request) == RESP_NEED_MORE);
    CHECK_EQUAL(rig->parser.wanted_bytes, 24 + 1000000 + 2);
    rig_end(rig);
}

TEST(bulks_are_binary_safe_and_may_be_empty) {
    struct rig *rig = rig_new(RESP_LIMITS_DEFAULT);
    struct slice input = SLICE("*2\r\n$0\r\n\r\n$4\r\n\r\n\0$\r\n");
    CHECK(resp_parse(&rig->parser, input, &rig->request) == RESP_REQUEST);
    CHECK_EQUAL(rig->request.args[0].size, 0);
    CHECK(slice_equal(rig->request.args[1], SLICE("\r\n\0$")));
    rig_end(rig);
}

static const char *error_of(struct slice input, struct resp_limits limits) {
    struct rig *rig = rig_new(limits);
    CHECK(resp_parse(&rig->parser, input, &rig->request) == RESP_ERROR);
    const char *error = rig->parser.error;
    CHECK(resp_parse(&rig->parser, SLICE(PUSH), &rig->request) == RESP_ERROR);
    CHECK(rig->parser.error == error);
    rig_end(rig);
    return error;
}

TEST(what_is_not_an_array_of_bulks_is_refused) {
    static const struct slice bad[] = {
        {"PING\r\n", 6},
        {"\r\n", 2},
        {"GET / HTTP/1.1\r\n", 16},
        {"*x\r\n", 4},
        {"*\r\n", 3},
        {"*-1\r\n", 5},
        {"*0\r\n", 4},
        {"*01\r\n", 5},
        {"*+1\r\n", 5},
        {"*1\n", 3},
        {"*1\r\r", 4},
        {"* 1\r\n", 5},
        {"*10000000000", 12},
        {"*99999999999", 12},
        {"*1\r\n:1\r\n", 8},
        {"*1\r\n*1\r\n", 8},
        {"*1\r\n$-1\r\n", 9},
        {"*1\r\n$1\r\nab", 10},
        {"*1\r\n$1\r\na\rx", 11},
        {"*1\r\n$1\r\na\n", 10},
        {"*1\r\n$00\r\n", 9},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(strncmp(error_of(bad[i], RESP_LIMITS_DEFAULT), "ERR Protocol error", 18) == 0);
    }
}

TEST(limits_hold_before_the_bytes_arrive) {
    struct resp_limits limits = {.args_max = 2, .bulk_bytes_max = 10, .request_bytes_max = 27};
    CHECK_STR(
        error_of(SLICE("*3\r\n"), limits), "ERR Protocol error: too many arguments in one request"
    );
    CHECK_STR(error_of(SLICE("*1\r\n$11\r\n"), limits), "ERR Protocol error: argument too large");
    CHECK_STR(
        error_of(SLICE("*2\r\n$10\r\n0123456789\r\n$1\r\n"), limits),
        "ERR Protocol error: request too large"
    );
}

TEST(the_arrays_grow_with_what_arrives_not_with_what_is_announced) {
    struct rig *rig = rig_new(RESP_LIMITS_DEFAULT);
    struct slice input = SLICE("*1000000\r\n$1\r\na\r\n");
    CHECK(resp_parse(&rig->parser, input, &rig->request) == RESP_NEED_MORE);
    CHECK(rig->mem.used_bytes < 1000);
    rig_end(rig);
}

TEST(many_arguments_are_parsed_and_their_memory_is_given_back) {
    struct rig *rig = rig_new(RESP_LIMITS_DEFAULT);
    HOB_AUTO_BUF struct buf input = buf_make(10 << 20);
    resp_put_array(&input, 100000);
    for (unsigned i = 0; i < 100000; i++) resp_put_bulk_u64(&input, i);
    CHECK(!input.overflowed);
    CHECK(resp_parse(&rig->parser, buf_slice(&input), &rig->request) == RESP_REQUEST);
    CHECK_EQUAL(rig->request.args_count, 100000);
    CHECK(slice_equal(rig->request.args[99999], SLICE("99999")));
    CHECK_EQUAL(rig->request.size_bytes, input.size);
    CHECK(resp_parse(&rig->parser, SLICE(""), &rig->request) == RESP_NEED_MORE);
    CHECK_EQUAL(rig->mem.used_bytes, 0);
    rig_end(rig);
}

#define CHECK_WRITES(wanted, ...)                           \
    do {                                                    \
        HOB_AUTO_BUF struct buf out = buf_make(1000);       \
        __VA_ARGS__;                                        \
        CHECK(slice_equal(buf_slice(&out), SLICE(wanted))); \
    } while (0)

TEST(replies_are_written_in_both_versions) {
    CHECK_WRITES("+OK\r\n", resp_put_simple(&out, SLICE("OK")));
    CHECK_WRITES("-ERR a  b\r\n", resp_put_error(&out, SLICE("ERR a\r\nb")));
    CHECK_WRITES(":0\r\n", resp_put_i64(&out, 0));
    CHECK_WRITES(":-9223372036854775808\r\n", resp_put_i64(&out, INT64_MIN));
    CHECK_WRITES(":9223372036854775807\r\n", resp_put_u64(&out, RESP2, INT64_MAX));
    CHECK_WRITES("(18446744073709551615\r\n", resp_put_u64(&out, RESP3, UINT64_MAX));
    CHECK_WRITES("$20\r\n18446744073709551615\r\n", resp_put_u64(&out, RESP2, UINT64_MAX));
    CHECK_WRITES("$2\r\n\r\n\r\n", resp_put_bulk(&out, SLICE("\r\n")));
    CHECK_WRITES("$2\r\n42\r\n", resp_put_bulk_u64(&out, 42));
    CHECK_WRITES("_\r\n", resp_put_null(&out, RESP3));
    CHECK_WRITES("$-1\r\n", resp_put_null(&out, RESP2));
    CHECK_WRITES("*-1\r\n", resp_put_null_array(&out, RESP2));
    CHECK_WRITES("*3\r\n", resp_put_array(&out, 3));
    CHECK_WRITES("%2\r\n", resp_put_map(&out, RESP3, 2));
    CHECK_WRITES("*4\r\n", resp_put_map(&out, RESP2, 2));
    CHECK_WRITES("~2\r\n", resp_put_set(&out, RESP3, 2));
    CHECK_WRITES(">2\r\n", resp_put_push(&out, RESP3, 2));
    CHECK_WRITES("*2\r\n", resp_put_push(&out, RESP2, 2));
    CHECK_WRITES("#t\r\n", resp_put_bool(&out, RESP3, true));
    CHECK_WRITES(":0\r\n", resp_put_bool(&out, RESP2, false));
    CHECK_WRITES(",0.1\r\n", resp_put_double(&out, RESP3, 0.1));
    CHECK_WRITES("$4\r\n-2.5\r\n", resp_put_double(&out, RESP2, -2.5));
    CHECK_WRITES("=6\r\ntxt:ok\r\n", resp_put_verbatim(&out, RESP3, "txt", SLICE("ok")));
    CHECK_WRITES("$2\r\nok\r\n", resp_put_verbatim(&out, RESP2, "txt", SLICE("ok")));
}

TEST(a_reply_that_does_not_fit_marks_the_buffer) {
    HOB_AUTO_BUF struct buf out = buf_make(10);
    resp_put_bulk(&out, SLICE("0123456789"));
    CHECK(out.overflowed);
}

TESTS(
    a_request_is_parsed_into_slices_of_the_input,
    a_request_may_come_byte_by_byte_and_move_between_reads,
    a_large_bulk_tells_how_much_is_wanted,
    bulks_are_binary_safe_and_may_be_empty,
    what_is_not_an_array_of_bulks_is_refused,
    limits_hold_before_the_bytes_arrive,
    the_arrays_grow_with_what_arrives_not_with_what_is_announced,
    many_arguments_are_parsed_and_their_memory_is_given_back,
    replies_are_written_in_both_versions,
    a_reply_that_does_not_fit_marks_the_buffer
)
