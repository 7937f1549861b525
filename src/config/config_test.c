/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "base/assert.h"
#include "base/buf.h"
#include "base/test.h"

/* An executor of its own: whatever stands in its part is `speed: N`. */

static enum hob_status read_speed(struct yaml_read *read, yaml_node_t *node, void *into) {
    return yaml_read_u64(read, node, 1, 9, into);
}

static const struct yaml_key speed_keys[] = {{"speed", read_speed, true, NULL, NULL}};

static enum hob_status
read_part(struct yaml_read *read, yaml_node_t *part, struct kind_config *kind) {
    uint64_t *speed = arena_alloc(read->arena, sizeof *speed);
    kind->settings = speed;
    return yaml_read_map(read, part, "a kind", speed_keys, hob_countof(speed_keys), speed);
}

static const struct kind_reader whole_reader = {.read = read_part};
static const struct kind_reader fly_reader = {.key = "fly", .read = read_part};
static const struct kind_reader *const both[] = {&whole_reader, &fly_reader};
static const struct config_readers readers = {both, hob_countof(both)};

static enum hob_status
parse(const char *text, struct config *config, struct config_report *report) {
    return config_parse(slice_str(text), "w.yaml", "/etc/hob", readers, config, report);
}

/* All that is told of @text, one finding a line. */
static void check_refused(const char *text, const char *wanted) {
    struct config config;
    struct config_report report = {0};
    HOB_AUTO_BUF struct buf told = buf_make(10000);
    CHECK(parse(text, &config, &report) == HOB_CONFIG);
    for (size_t i = 0; i < report.count; i++) {
        const char *line = i == 0 ? "" : "\n";
        (void
        )buf_printf(&told, "%s%s: %s", line, report.findings[i].place, report.findings[i].text);
    }
    (void)buf_put_char(&told, '\0');
    CHECK_STR(told.bytes, wanted);
    report_deinit(&report);
}

TEST(a_full_configuration_is_read) {
    struct config config;
    struct config_report report = {0};
    const char *text = "worker:\n"
                       "  server: jobs:4620\n"
                       "  name: w-1\n"
                       "  queues: [mail, a/b]\n"
                       "  slots: 7\n"
                       "kinds:\n"
                       "  resize: {speed: 3}\n"
                       "  bird: {fly: {speed: 4}}\n";
    CHECK(parse(text, &config, &report) == HOB_OK);
    CHECK_STR(config.worker.server, "jobs:4620");
    CHECK_STR(config.worker.name, "w-1");
    CHECK_EQUAL(config.worker.queue_count, 2);
    CHECK_STR(config.worker.queues[1], "a/b");
    CHECK_EQUAL(config.worker.slots, 7);
    CHECK_EQUAL(config.worker.kind_count, 2);
    const struct kind_config *bird = config_kind(&config.worker, SLICE("bird"));
    CHECK(bird != NULL && bird->reader == &fly_reader);
    CHECK_EQUAL(*(const uint64_t *)bird->settings, 4);
    CHECK(config_kind(&config.worker, SLICE("resize"))->reader == &whole_reader);
    CHECK(config_kind(&config.worker, SLICE("fish")) == NULL);
    config_deinit(&config);
}

TEST(all_that_is_wrong_is_told_at_once) {
    check_refused(
        "worker: {slots: 0, slot: 3, queues: [-x]}\n"
        "kinds: {a: {sped: 3}, b: {speed: 3}, c: {fly: {speed: 10}}}\n",
        "w.yaml:1:17: wanted: a number from 1 to 1000\n"
        "w.yaml:1:20: unknown key `slot` in `worker`; did you mean `slots`?; allowed: server, "
        "name, "
        "queues, slots\n"
        "w.yaml:1:38: a name is 1 to 200 of A-Z a-z 0-9 - + / ; : . $ _ ( ), not beginning with "
        "-\n"
        "w.yaml:2:13: unknown key `sped` in a kind; did you mean `speed`?; allowed: speed\n"
        "w.yaml:2:12: a kind needs the key `speed`\n"
        "w.yaml:2:55: wanted: a number from 1 to 9"
    );
}

TEST(the_first_error_stands_for_all_where_there_is_room_for_one) {
    struct config config;
    struct config_report report = {0};
    struct hob_error err = {0};
    CHECK(report_status(&report, &err) == HOB_OK);
    CHECK(parse("worker: {slots: 0, name: -}\n", &config, &report) == HOB_CONFIG);
    CHECK(report_status(&report, &err) == HOB_CONFIG);
    CHECK_STR(
        err.text,
        "w.yaml:1:17: wanted: a number from 1 to 1000 (and 1 more: `hob config check` shows all)"
    );
    report_deinit(&report);
}

TEST(the_keys_of_a_worker_do_not_stand_at_the_top_any_more) {
    check_refused(
        "slots: 3\nkinds: {a: {speed: 1}}\n",
        "w.yaml:1:8: `slots` of a worker stands under `worker` now; write:  worker: {slots: …}"
    );
    check_refused(
        "queues: [mail]\n",
        "w.yaml:1:9: `queues` of a worker stands under `worker` now; write:  worker: {queues: …}"
    );
}

TEST(a_kind_has_one_executor) {
    check_refused(
        "kinds: {a: {fly: {speed: 1}, speed: 2}}\n",
        "w.yaml:1:12: beside `fly` there is no other key of a kind"
    );
    check_refused("kinds: {a: {speed: 1}, a: {speed: 2}}\n", "w.yaml:1:24: `a` is here twice");
    check_refused("kinds: [a]\n", "w.yaml:1:8: wanted: `NAME: …` lines, one for each kind");
    check_refused("kinds: {a: x}\n", "w.yaml:1:12: a kind is written as `key: value` lines");
}

TEST(an_empty_or_missing_file_is_told) {
    check_refused("", "w.yaml: the file is empty");
    struct config config;
    struct config_report report = {0};
    CHECK(config_load("/nonexistent/w.yaml", readers, &config, &report) == HOB_CONFIG);
    CHECK_STR(report.findings[0].place, "/nonexistent/w.yaml");
    CHECK_STR(report.findings[0].text, "cannot open it: No such file or directory");
    report_deinit(&report);
}

TESTS(
    a_full_configuration_is_read,
    all_that_is_wrong_is_told_at_once,
    the_first_error_stands_for_all_where_there_is_room_for_one,
    the_keys_of_a_worker_do_not_stand_at_the_top_any_more,
    a_kind_has_one_executor,
    an_empty_or_missing_file_is_told
)
