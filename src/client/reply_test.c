/* SPDX-License-Identifier: Apache-2.0 */
#include "client/reply.h"

#include "base/test.h"

struct rig {
    struct mem mem;
    struct resp_reply_parser parser;
    struct resp_reply reply;
};

static const struct resp_node *parse(struct rig *rig, const char *bytes) {
    *rig = (struct rig){0};
    resp_reply_parser_init(&rig->parser, &rig->mem, RESP_REPLY_LIMITS_DEFAULT);
    CHECK(resp_reply_parse(&rig->parser, slice_str(bytes), &rig->reply) == RESP_REPLY_READY);
    return rig->reply.nodes;
}

TEST(a_map_is_read_by_key) {
    struct rig rig;
    const struct resp_node *map =
        parse(&rig, "%4\r\n+id\r\n$2\r\n17\r\n+at\r\n:5\r\n+none\r\n_\r\n+list\r\n*1\r\n+x\r\n");
    CHECK(slice_equal(reply_text(map, "id"), SLICE("17")));
    CHECK_EQUAL(reply_u64(map, "id", 0), 17);
    CHECK_EQUAL(reply_u64(map, "at", 0), 5);
    CHECK(slice_equal(reply_text(map, "at"), SLICE("5")));
    CHECK(reply_get(map, "none") == NULL);
    CHECK_EQUAL(reply_u64(map, "none", 9), 9);
    CHECK_EQUAL(reply_u64(map, "absent", 9), 9);
    CHECK_EQUAL(reply_text(map, "list").size, 0);
    CHECK_EQUAL(reply_get(map, "list")->children_count, 1);
    resp_reply_parser_deinit(&rig.parser);
}

TEST(an_array_is_read_by_index) {
    struct rig rig;
    const struct resp_node *array = parse(&rig, "*3\r\n*2\r\n:1\r\n:2\r\n+b\r\n+c\r\n");
    CHECK_EQUAL(reply_item(array, 0)->children_count, 2);
    CHECK(slice_equal(reply_item(array, 2)->text, SLICE("c")));
    CHECK(reply_item(array, 3) == NULL);
    CHECK(reply_item(reply_item(array, 1), 0) == NULL);
    resp_reply_parser_deinit(&rig.parser);
}

TEST(an_error_word_becomes_a_status) {
    struct rig rig;
    struct hob_error err = {0};
    CHECK(reply_status(parse(&rig, "-NOJOB there is no such job\r\n"), &err) == HOB_NOT_FOUND);
    CHECK_STR(err.text, "NOJOB there is no such job");
    CHECK(reply_is_error(rig.reply.nodes, "NOJOB"));
    CHECK(!reply_is_error(rig.reply.nodes, "NO"));
    resp_reply_parser_deinit(&rig.parser);
    CHECK(reply_status(parse(&rig, "-STALE\r\n"), &err) == HOB_CONFLICT);
    resp_reply_parser_deinit(&rig.parser);
    CHECK(reply_status(parse(&rig, "-BADARG x\r\n"), &err) == HOB_USAGE);
    resp_reply_parser_deinit(&rig.parser);
    CHECK(reply_status(parse(&rig, "-WHATEVER x\r\n"), &err) == HOB_FAILED);
    resp_reply_parser_deinit(&rig.parser);
    CHECK(reply_status(parse(&rig, "+OK\r\n"), &err) == HOB_OK);
    resp_reply_parser_deinit(&rig.parser);
}

TESTS(a_map_is_read_by_key, an_array_is_read_by_index, an_error_word_becomes_a_status)
