/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/resp_reply.h"

#include "base/test.h"
#include "wire/resp.h"

struct rig {
    struct mem mem;
    struct resp_reply_parser parser;
    struct resp_reply reply;
};

static struct rig *rig_new(struct resp_reply_limits limits) {
    static struct rig rig;
    rig = (struct rig){0};
    resp_reply_parser_init(&rig.parser, &rig.mem, limits);
    return &rig;
}

static void rig_end(struct rig *rig) {
    resp_reply_parser_deinit(&rig->parser);
    CHECK_EQUAL(rig->mem.used_bytes, 0);
}

/* The whole reply, fed byte by byte at changing places. */
static const struct resp_node *parsed(struct rig *rig, struct slice input) {
    for (size_t size = 0; size < input.size; size++) {
        HOB_AUTO_BUF struct buf moved = buf_make(10000);
        CHECK(buf_put(&moved, input.bytes, size));
        enum resp_reply_result result =
            resp_reply_parse(&rig->parser, buf_slice(&moved), &rig->reply);
        CHECK(result == RESP_REPLY_NEED_MORE);
        CHECK(rig->parser.wanted_bytes > size);
        CHECK(rig->parser.wanted_bytes <= input.size);
    }
    CHECK(resp_reply_parse(&rig->parser, input, &rig->reply) == RESP_REPLY_READY);
    CHECK_EQUAL(rig->reply.size_bytes, input.size);
    CHECK_EQUAL(rig->reply.nodes[0].tree_count, rig->reply.nodes_count);
    return rig->reply.nodes;
}

TEST(every_type_is_read) {
    struct rig *rig = rig_new(RESP_REPLY_LIMITS_DEFAULT);
    const struct resp_node *node = parsed(
        rig,
        SLICE("*15\r\n+OK\r\n-ERR no\r\n:-7\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n_\r\n#t\r\n,1.5\r\n"
              "(123456789012345678901\r\n!3\r\nbad\r\n=8\r\ntxt:text\r\n%1\r\n+k\r\n~1\r\n:+1\r\n"
              "*0\r\n,-inf\r\n")
    );
    CHECK(node->type == RESP_ARRAY);
    CHECK_EQUAL(node->children_count, 15);
    CHECK_EQUAL(rig->reply.nodes_count, 19);
    node = resp_first(node);
    CHECK(node->type == RESP_STRING && slice_equal(node->text, SLICE("OK")));
    node = resp_next(node);
    CHECK(node->type == RESP_FAILURE && slice_equal(node->text, SLICE("ERR no")));
    node = resp_next(node);
    CHECK(node->type == RESP_INTEGER && node->integer == -7);
    node = resp_next(node);
    CHECK(node->type == RESP_STRING && slice_equal(node->text, SLICE("a\r\n")));
    for (int i = 0; i < 3; i++) {
        node = resp_next(node);
        CHECK(node->type == RESP_NULL);
    }
    node = resp_next(node);
    CHECK(node->type == RESP_BOOLEAN && node->integer == 1);
    node = resp_next(node);
    CHECK(node->type == RESP_DOUBLE && node->number == 1.5);
    node = resp_next(node);
    CHECK(node->type == RESP_BIG_NUMBER && node->text.size == 21);
    node = resp_next(node);
    CHECK(node->type == RESP_FAILURE && slice_equal(node->text, SLICE("bad")));
    node = resp_next(node);
    CHECK(node->type == RESP_STRING && slice_equal(node->text, SLICE("text")));
    node = resp_next(node);
    CHECK(node->type == RESP_MAP && node->children_count == 2 && node->tree_count == 4);
    node = resp_next(node);
    CHECK(node->type == RESP_ARRAY && node->children_count == 0);
    node = resp_next(node);
    CHECK(node->type == RESP_DOUBLE && node->number < -1e308);
    rig_end(rig);
}

TEST(pushes_stand_between_replies) {
    struct rig *rig = rig_new(RESP_REPLY_LIMITS_DEFAULT);
    struct slice input = SLICE(">2\r\n+event\r\n:1\r\n:5\r\n");
    CHECK(resp_reply_parse(&rig->parser, input, &rig->reply) == RESP_REPLY_READY);
    CHECK(rig->reply.nodes[0].type == RESP_PUSH);
    CHECK_EQUAL(rig->reply.size_bytes, 16);
    input = slice_of(input.bytes + 16, 4);
    CHECK(resp_reply_parse(&rig->parser, input, &rig->reply) == RESP_REPLY_READY);
    CHECK(rig->reply.nodes[0].type == RESP_INTEGER);
    CHECK_EQUAL(rig->reply.nodes_count, 1);
    rig_end(rig);
}

TEST(attributes_are_skipped) {
    struct rig *rig = rig_new(RESP_REPLY_LIMITS_DEFAULT);
    const struct resp_node *node = parsed(
        rig,
        SLICE("|1\r\n+ttl\r\n%1\r\n+a\r\n*1\r\n:1\r\n*2\r\n:1\r\n|2\r\n+a\r\n:1\r\n+b\r\n:2\r\n|"
              "0\r\n:2\r\n")
    );
    CHECK(node->type == RESP_ARRAY);
    CHECK_EQUAL(rig->reply.nodes_count, 3);
    CHECK(node[2].integer == 2);
    rig_end(rig);
}

TEST(maps_are_looked_up_in_both_versions) {
    static const struct slice inputs[] = {
        {"%2\r\n+a\r\n*1\r\n:1\r\n$2\r\nid\r\n$2\r\n42\r\n", 39},
        {"*4\r\n+a\r\n*1\r\n:1\r\n$2\r\nid\r\n$2\r\n42\r\n", 39},
    };
    for (size_t i = 0; i < 2; i++) {
        struct rig *rig = rig_new(RESP_REPLY_LIMITS_DEFAULT);
        struct slice input = slice_of(inputs[i].bytes, strlen(inputs[i].bytes));
        const struct resp_node *id = resp_node_get(parsed(rig, input), SLICE("id"));
        uint64_t value = 0;
        CHECK(id != NULL && resp_node_u64(id, &value) && value == 42);
        CHECK(resp_node_get(rig->reply.nodes, SLICE("none")) == NULL);
        CHECK(resp_node_get(id, SLICE("id")) == NULL);
        rig_end(rig);
    }
}

static void check_broken(struct slice input, struct resp_reply_limits limits) {
    struct rig *rig = rig_new(limits);
    CHECK(resp_reply_parse(&rig->parser, input, &rig->reply) == RESP_REPLY_BROKEN);
    CHECK(rig->parser.error != NULL);
    CHECK(resp_reply_parse(&rig->parser, SLICE("+OK\r\n"), &rig->reply) == RESP_REPLY_BROKEN);
    rig_end(rig);
}

TEST(what_is_malformed_is_refused) {
    static const char *const bad[] = {
        "OK\r\n",
        "\r\n",
        "\n",
        "+OK\n",
        "+a\rb\r\n",
        ":\r\n",
        ":x\r\n",
        ":9223372036854775808\r\n",
        "$x\r\n",
        "$-2\r\n",
        "$1\r\nab\r",
        "$?\r\n",
        "*?\r\n",
        "*-2\r\n",
        "#x\r\n",
        "#\r\n",
        "_x\r\n",
        ",x\r\n",
        ",\r\n",
        "(\r\n",
        "(-\r\n",
        "(1x\r\n",
        "=3\r\ntxt\r\n",
        "=4\r\ntxt-\r\n",
        "*1\r\n>1\r\n:1\r\n",
        "%-1\r\n",
        "*99999999999999999999\r\n",
        "*1000000000\r\n",
        "$4294967295\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_broken(slice_str(bad[i]), RESP_REPLY_LIMITS_DEFAULT);
    }
}

TEST(limits_hold) {
    struct resp_reply_limits limits = {.nodes_max = 4, .reply_bytes_max = 30};
    check_broken(SLICE("*5\r\n"), limits);
    check_broken(SLICE("%3\r\n"), limits);
    check_broken(SLICE("*2\r\n*2\r\n:1\r\n:1\r\n:1\r\n"), limits);
    check_broken(SLICE("$25\r\n"), limits);
    HOB_AUTO_BUF struct buf deep = buf_make(1000);
    for (int i = 0; i <= RESP_DEPTH_MAX; i++) buf_put_str(&deep, "*1\r\n");
    check_broken(buf_slice(&deep), RESP_REPLY_LIMITS_DEFAULT);
    HOB_AUTO_BUF struct buf line = buf_make(100000);
    buf_put_char(&line, '+');
    for (int i = 0; i < 70000; i++) buf_put_char(&line, 'x');
    check_broken(buf_slice(&line), RESP_REPLY_LIMITS_DEFAULT);
}

TEST(requests_are_written_as_servers_read_them) {
    HOB_AUTO_BUF struct buf out = buf_make(1000);
    resp_put_request(&out, (struct slice[]){SLICE("GET"), SLICE("")}, 2);
    CHECK(slice_equal(buf_slice(&out), SLICE("*2\r\n$3\r\nGET\r\n$0\r\n\r\n")));
}

TESTS(
    every_type_is_read,
    pushes_stand_between_replies,
    attributes_are_skipped,
    maps_are_looked_up_in_both_versions,
    what_is_malformed_is_refused,
    limits_hold,
    requests_are_written_as_servers_read_them
)
