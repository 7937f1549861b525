/* SPDX-License-Identifier: Apache-2.0 */
#include "config/show.h"

#include "base/assert.h"
#include "base/json.h"
#include "base/test.h"

static enum hob_status read_any(struct yaml_read *read, yaml_node_t *node, void *into) {
    (void)read;
    (void)node;
    (void)into;
    return HOB_OK;
}

static const struct yaml_key part_keys[] = {
    {"url", read_any, true, "URL", "where to"},
    {"env", read_any, false, "{NAME: VALUE, …}", NULL},
    {"headers", read_any, false, NULL, NULL},
    {"body", read_any, false, NULL, NULL},
};

static enum hob_status
read_part(struct yaml_read *read, yaml_node_t *part, struct kind_config *kind) {
    kind->settings = kind;
    return yaml_read_map(read, part, "a kind", part_keys, hob_countof(part_keys), NULL);
}

static const struct kind_reader reader = {
    .key = "call", .keys = part_keys, .key_count = hob_countof(part_keys), .read = read_part};
static const struct kind_reader *const all[] = {&reader};
static const struct config_readers readers = {all, hob_countof(all)};

static const char *variable(const char *name) {
    return strcmp(name, "HOB_MEMORY") == 0 ? "1024MiB" : NULL;
}

static struct config *load(const char *text, const char *(*variables)(const char *name)) {
    const struct config_flag flags[] = {{SETTING_SERVER_SEGMENT, "1MiB"}};
    struct config_input input = {.readers = readers, .variable = variables, .flags = flags};
    if (variables != NULL) input.flag_count = 1;
    struct config *config = NULL;
    struct config_report report = {0};
    struct slice bytes = slice_str(text);
    if (config_load_bytes(&input, bytes, "h.yaml", "/etc", &config, &report) != HOB_OK) {
        CHECK_STR(report.findings[0].text, "");
    }
    report_deinit(&report);
    return config;
}

static const char text[] = "server:\n"
                           "  data: jobs\n"
                           "  listen: [127.0.0.1:0, 'unix:/run/a b']\n"
                           "worker: {queues: [a, b/c]}\n"
                           "queues: {mail: {order: lifo}}\n"
                           "kinds:\n"
                           "  x:\n"
                           "    call:\n"
                           "      url: https://example.org/a?b=c,d\n"
                           "      headers: {Authorization: Bearer x, accept: '*/*'}\n"
                           "      body: [1, -2, \"3\", true, 'yes', ~, {a: b c}]\n"
                           "secrets: {s: 'plain words'}\n";

TEST(what_is_in_force_is_shown_with_its_origin_and_without_secrets) {
    struct config *config = load(text, variable);
    HOB_AUTO_BUF struct buf out = buf_make(100000);
    config_show(config, true, &out);
    (void)buf_put_char(&out, '\0');
    const char *const wanted[] = {
        "server:\n  data: /etc/jobs                       # h.yaml:2:9\n",
        "\n  listen: [127.0.0.1:0, \"unix:/run/a b\"] # h.yaml:3:11\n",
        "\n  memory: 1GiB                          # HOB_MEMORY\n",
        "\n  segment: 1MiB                         # --segment\n",
        "\n  durability: always                    # default\n",
        "\n  # slots: is not set\n",
        "\n  mail: {order: lifo}                   # h.yaml:5:10\n",
        ("\n  x: {call: {url: \"https://example.org/a?b=c,d\", headers: {Authorization: "
         "\"(redacted)\", accept: \"*/*\"}, body: [1, -2, \"3\", true, \"yes\", ~, {a: b c}]}} "
         "# h.yaml:7:3\n"),
        "\n  s: \"(redacted)\"                       # h.yaml:12:11\n",
    };
    for (size_t i = 0; i < hob_countof(wanted); i++) {
        if (strstr(out.bytes, wanted[i]) == NULL) CHECK_STR(out.bytes, wanted[i]);
    }
    CHECK(strstr(out.bytes, "Bearer") == NULL);
    CHECK(strstr(out.bytes, "plain words") == NULL);
    config_free(config);
}

TEST(what_is_shown_reads_back_as_the_same) {
    struct config *config = load(
        "server: {data: a}\nworker: {name: '7', queues: [a, 'null']}\n"
        "kinds:\n  y:\n    call:\n      url: :u?\n      body:\n        - -x\n"
        "  x: {call: {url: u, body: [1, 'a: b', \"c\\n e\", '', 'x #y', \"[\", "
        "\"\\x80 \\N\\L\\P \\uFEFF \\uFFFE \\uFFFF \\uFFFD\"]}}\n",
        variable
    );
    HOB_AUTO_BUF struct buf first = buf_make(100000);
    HOB_AUTO_BUF struct buf second = buf_make(100000);
    config_show(config, false, &first);
    (void)buf_put_char(&first, '\0');
    struct config *again = load(first.bytes, NULL);
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        CHECK(value_equal(&config->values[i], &again->values[i]));
    }
    config_show(again, false, &second);
    (void)buf_put_char(&second, '\0');
    CHECK_STR(second.bytes, first.bytes);
    config_free(config);
    config_free(again);
}

TEST(the_reference_names_all_settings_and_keys) {
    HOB_AUTO_BUF struct buf out = buf_make(100000);
    config_reference(readers, &out);
    (void)buf_put_char(&out, '\0');
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        CHECK(strstr(out.bytes, settings[i].path) != NULL);
        CHECK(settings[i].help != NULL);
        CHECK(settings[i].value != NULL || settings[i].type == SETTING_TYPE_BOOL);
    }
    CHECK(strstr(out.bytes, "| `url` | `URL` | where to; required |\n") != NULL);
    CHECK(strstr(out.bytes, "`fifo\\|lifo`") != NULL);
}

TEST(the_schema_is_json) {
    HOB_AUTO_BUF struct buf out = buf_make(1000000);
    config_schema(readers, &out);
    CHECK(json_valid(buf_slice(&out)));
}

TESTS(
    what_is_in_force_is_shown_with_its_origin_and_without_secrets,
    what_is_shown_reads_back_as_the_same,
    the_reference_names_all_settings_and_keys,
    the_schema_is_json
)
