/* SPDX-License-Identifier: Apache-2.0 */
#include "config/yaml_read.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/test.h"

struct values {
    bool flag;
    uint64_t number;
    hob_ns span;
    struct slice text;
};

static enum hob_status read_flag(struct yaml_read *read, yaml_node_t *node, void *into) {
    return yaml_read_bool(read, node, &((struct values *)into)->flag);
}

static enum hob_status read_number(struct yaml_read *read, yaml_node_t *node, void *into) {
    return yaml_read_u64(read, node, 1, 100, &((struct values *)into)->number);
}

static enum hob_status read_span(struct yaml_read *read, yaml_node_t *node, void *into) {
    return yaml_read_span(read, node, NS_PER_HOUR, &((struct values *)into)->span);
}

static enum hob_status read_text(struct yaml_read *read, yaml_node_t *node, void *into) {
    return yaml_read_text(read, node, "some text", &((struct values *)into)->text);
}

static const struct yaml_key keys[] = {
    {.name = "flag", .read = read_flag},
    {.name = "number", .read = read_number},
    {.name = "span", .read = read_span},
    {.name = "text", .read = read_text},
};

/* The finding that @text gets; "" when it is taken. */
static void check(struct slice text, const char *wanted, struct values *values) {
    struct arena arena = {0};
    struct config_report report = {0};
    struct yaml_read read = {.name = "x", .folder = "/", .arena = &arena, .report = &report};
    HOB_AUTO_BUF struct buf told = buf_make(1000);
    if (yaml_read_open(&read, text) == HOB_OK) {
        yaml_node_t *root = yaml_read_root(&read);
        CHECK(root != NULL);
        (void)!yaml_read_map(&read, root, "it", keys, hob_countof(keys), values);
        yaml_read_close(&read);
    }
    CHECK(report.count <= 1);
    if (report.count == 1) {
        (void)buf_printf(&told, "%s: %s", report.findings[0].place, report.findings[0].text);
    }
    (void)buf_put_char(&told, '\0');
    CHECK_STR(told.bytes, wanted);
    report_deinit(&report);
    arena_reset(&arena);
}

static void check_text(const char *text, const char *wanted) {
    struct values values = {0};
    check(slice_str(text), wanted, &values);
}

TEST(values_have_the_types_of_the_core_schema) {
    struct values values = {0};
    check(SLICE("{flag: true, number: 7, span: 1m30s, text: no}"), "", &values);
    CHECK(values.flag);
    CHECK_EQUAL(values.number, 7);
    CHECK_EQUAL(values.span, 90 * NS_PER_SECOND);
    check(SLICE("{\"flag\": false, \"number\": 8, \"text\": \"\"}"), "", &values);
    CHECK(!values.flag);
    CHECK_EQUAL(values.number, 8);
}

TEST(what_only_looks_like_a_value_is_refused) {
    check_text("flag: yes\n", "x:1:7: wanted: true or false, without quotes");
    check_text("flag: on\n", "x:1:7: wanted: true or false, without quotes");
    check_text("flag: \"true\"\n", "x:1:7: wanted: true or false, without quotes");
    check_text("number: \"7\"\n", "x:1:9: wanted: a number from 1 to 100, without quotes");
    check_text("number: 0x7\n", "x:1:9: wanted: a number from 1 to 100");
    check_text("number: 1_0\n", "x:1:9: wanted: a number from 1 to 100");
    check_text("number: 101\n", "x:1:9: wanted: a number from 1 to 100");
    check_text(
        "span: 30\n",
        "x:1:7: wanted: a span of time with its unit, like 250ms, 30s, 5m, 2h; more than 0, at "
        "most 1h"
    );
    check_text("text:\n", "x:1:6: nothing is here; wanted: some text");
    check_text("text: ~\n", "x:1:7: nothing is here; wanted: some text");
    check_text("text: [a]\n", "x:1:7: wanted: some text");
    check_text("text: \"a\\0b\"\n", "x:1:7: a zero byte is not allowed here");
}

TEST(a_key_stands_once_and_is_known) {
    check_text("text: a\ntext: b\n", "x:2:1: `text` is here twice");
    check_text("[a]: b\n", "x:1:1: a key is a word");
    check_text("- a\n", "x:1:1: it is written as `key: value` lines");
    check_text(
        "txet: a\n",
        "x:1:1: unknown key `txet` in it; did you mean `text`?; allowed: flag, number, span, text"
    );
}

TEST(of_yaml_there_is_what_a_configuration_needs) {
    check_text(
        "text: &a b\n", "x:1:7: anchors and aliases are not taken: write the value where it belongs"
    );
    check_text(
        "text: *a\n", "x:1:7: anchors and aliases are not taken: write the value where it belongs"
    );
    check_text("text: !!str b\n", "x:1:7: tags are not taken: tag:yaml.org,2002:str");
    check_text("text: a\n---\ntext: b\n", "x:2:1: only one document is allowed");
    check_text("\ttext: a\n", "x:1:1: not YAML: a tab; indent with spaces");
    check_text(
        "text: @a\n",
        "x:1:7: not YAML: found character that cannot start any token while "
        "scanning for the next token"
    );
}

TEST(bytes_that_are_no_text_are_refused) {
    struct values values = {0};
    check(SLICE("text: a\xff\n"), "x:1:1: not YAML: invalid leading UTF-8 octet", &values);
}

TEST(depth_and_number_of_values_are_bounded) {
    char deep[200] = "text: ";
    memset(deep + 6, '[', 40);
    memset(deep + 46, ']', 40);
    check_text(deep, "x:1:38: nested deeper than 32 levels");
    HOB_AUTO_BUF struct buf many = buf_make(YAML_BYTES_MAX);
    (void)buf_put_str(&many, "text: [");
    for (int i = 0; i < 60000; i++) (void)buf_put_str(&many, "a,");
    (void)buf_put_str(&many, "]\n");
    struct values values = {0};
    check(buf_slice(&many), "x:1:100002: more than 50,000 values are no configuration", &values);
    static char large[YAML_BYTES_MAX + 1];
    memset(large, '#', sizeof large);
    check(slice_of(large, sizeof large), "x: more than 1 MiB is no configuration", &values);
}

TESTS(
    values_have_the_types_of_the_core_schema,
    what_only_looks_like_a_value_is_refused,
    a_key_stands_once_and_is_known,
    of_yaml_there_is_what_a_configuration_needs,
    bytes_that_are_no_text_are_refused,
    depth_and_number_of_values_are_bounded
)
