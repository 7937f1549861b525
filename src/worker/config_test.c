/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/config.h"

#include "base/test.h"

static enum hob_status
parse(const char *text, struct worker_config *config, struct hob_error *err) {
    return config_parse(slice_str(text), "w.yaml", "/etc/hob", config, err);
}

static void check_refused(const char *text, const char *place, const char *said) {
    struct worker_config config;
    struct hob_error err = {0};
    CHECK(parse(text, &config, &err) == HOB_CONFIG);
    if (strncmp(err.text, place, strlen(place)) != 0) CHECK_STR(err.text, place);
    if (strstr(err.text, said) == NULL) CHECK_STR(err.text, said);
}

TEST(a_full_configuration_is_read) {
    struct worker_config config;
    struct hob_error err = {0};
    const char *text = "server: jobs:4620\n"
                       "name: w-1\n"
                       "queues: [mail, a/b]\n"
                       "slots: 7\n"
                       "kinds:\n"
                       "  resize:\n"
                       "    run: [./resize.sh, --width, \"640\", \"\"]\n"
                       "    timeout: 1m30s\n"
                       "    grace: 250ms\n"
                       "    cwd: sub\n"
                       "    env: {LANG: C, EMPTY: \"\"}\n"
                       "  send: {run: [sendmail]}\n";
    CHECK(parse(text, &config, &err) == HOB_OK);
    CHECK_STR(config.server, "jobs:4620");
    CHECK_STR(config.name, "w-1");
    CHECK_EQUAL(config.queue_count, 2);
    CHECK_STR(config.queues[1], "a/b");
    CHECK_EQUAL(config.slots, 7);
    CHECK_EQUAL(config.kind_count, 2);
    const struct kind_config *kind = config_kind(&config, SLICE("resize"));
    CHECK(kind != NULL);
    if (kind == NULL) return;
    CHECK_STR(kind->argv[0], "/etc/hob/./resize.sh");
    CHECK_STR(kind->argv[2], "640");
    CHECK_STR(kind->argv[3], "");
    CHECK(kind->argv[4] == NULL);
    CHECK_EQUAL(kind->timeout_ns, 90 * NS_PER_SECOND);
    CHECK_EQUAL(kind->grace_ns, 250 * NS_PER_MS);
    CHECK_STR(kind->cwd, "/etc/hob/sub");
    CHECK_STR(kind->env[0], "LANG=C");
    CHECK_STR(kind->env[1], "EMPTY=");
    CHECK(kind->env[2] == NULL);
    config_deinit(&config);
}

TEST(what_is_not_said_has_its_default) {
    struct worker_config config;
    struct hob_error err = {0};
    CHECK(parse("kinds: {send: {run: [sendmail]}}\n", &config, &err) == HOB_OK);
    CHECK(config.server == NULL);
    CHECK(config.name == NULL);
    CHECK_EQUAL(config.slots, 0);
    CHECK_EQUAL(config.queue_count, 1);
    CHECK_STR(config.queues[0], "default");
    CHECK_STR(config.kinds[0].argv[0], "sendmail");
    CHECK_STR(config.kinds[0].cwd, "/etc/hob");
    CHECK_EQUAL(config.kinds[0].timeout_ns, 0);
    CHECK_EQUAL(config.kinds[0].grace_ns, 10 * NS_PER_SECOND);
    CHECK(config_kind(&config, SLICE("other")) == NULL);
    config_deinit(&config);
}

TEST(an_unknown_key_is_refused_with_the_one_that_was_meant) {
    const char *text = "kinds:\n  a:\n    run: [x]\n    tiemout: 3s\n";
    check_refused(text, "w.yaml:4:5: ", "did you mean `timeout`?");
    check_refused("slot: 3\nkinds: {a: {run: [x]}}\n", "w.yaml:1:1: ", "did you mean `slots`?");
    check_refused("zzzzzz: 3\n", "w.yaml:1:1: ", "allowed: server, name, queues, slots, kinds");
}

TEST(a_value_of_the_wrong_kind_is_refused_with_what_is_wanted) {
    check_refused("kinds: {a: {run: echo hi}}\n", "w.yaml:1:18: ", "never by a shell");
    check_refused("kinds: {a: {run: []}}\n", "w.yaml:1:18: ", "1 to 1024 words");
    check_refused("kinds: {a: {run: [[x]]}}\n", "w.yaml:1:19: ", "a word of the command");
    check_refused("kinds: {a: {run: [x], timeout: 30}}\n", "w.yaml:1:32: ", "with its unit");
    check_refused("kinds: {a: {run: [x], timeout: 0s}}\n", "w.yaml:1:32: ", "duration");
    check_refused("slots: 0\n", "w.yaml:1:8: ", "1 to 1000");
    check_refused("slots: [1]\n", "w.yaml:1:8: ", "1 to 1000");
    check_refused("queues: mail\n", "w.yaml:1:9: ", "[mail, default]");
    check_refused("queues: [-x]\n", "w.yaml:1:10: ", "a name is");
    check_refused("kinds: [a]\n", "w.yaml:1:8: ", "run: [program");
    check_refused("kinds: {a: {run: [x], env: {A=B: c}}}\n", "w.yaml:1:29: ", "no `=`");
    check_refused("kinds: {a: {run: [x], env: {HOB_ID: c}}}\n", "w.yaml:1:29: ", "HOB_");
    check_refused("- a\n", "w.yaml:1:1: ", "key: value");
}

TEST(what_is_missing_or_twice_is_refused) {
    check_refused("", "w.yaml: ", "empty");
    check_refused("slots: 2\n", "w.yaml:1:1: ", "needs the key `kinds`");
    check_refused("kinds: {a: {timeout: 3s}}\n", "w.yaml:1:12: ", "needs the key `run`");
    check_refused("slots: 2\nslots: 3\n", "w.yaml:2:1: ", "twice");
    check_refused("kinds: {a: {run: [x]}, a: {run: [x]}}\n", "w.yaml:1:24: ", "twice");
    check_refused("kinds: {}\n", "w.yaml:1:8: ", "1 to 256");
    check_refused("kinds: {a: {run: [x]}}\n---\na: b\n", "w.yaml:3:1: ", "one document");
}

TEST(what_is_not_yaml_is_refused_with_its_place) {
    check_refused("kinds: {a: [\n", "w.yaml:", "not YAML");
    check_refused("\tkinds: x\n", "w.yaml:1:1: ", "not YAML");
    check_refused("a: *nobody\n", "w.yaml:1:4: ", "not YAML");
}

TEST(a_missing_file_is_told) {
    struct worker_config config;
    struct hob_error err = {0};
    CHECK(config_load("/nonexistent/w.yaml", &config, &err) == HOB_CONFIG);
    CHECK_STR(err.text, "cannot open /nonexistent/w.yaml: No such file or directory");
}

TESTS(
    a_full_configuration_is_read,
    what_is_not_said_has_its_default,
    an_unknown_key_is_refused_with_the_one_that_was_meant,
    a_value_of_the_wrong_kind_is_refused_with_what_is_wanted,
    what_is_missing_or_twice_is_refused,
    what_is_not_yaml_is_refused_with_its_place,
    a_missing_file_is_told
)
