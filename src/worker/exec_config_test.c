/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/exec_config.h"

#include "base/assert.h"
#include "base/test.h"
#include "worker/kinds.h"

static enum hob_status
parse(const char *text, struct config **config, struct config_report *report) {
    return config_parse(slice_str(text), "w.yaml", "/etc/hob", worker_readers, config, report);
}

static void check_refused(const char *text, const char *place, const char *said) {
    struct config *config = NULL;
    struct config_report report = {0};
    CHECK(parse(text, &config, &report) == HOB_CONFIG);
    CHECK_STR(report.findings[0].place, place);
    if (strstr(report.findings[0].text, said) == NULL) CHECK_STR(report.findings[0].text, said);
    report_deinit(&report);
}

TEST(a_program_with_all_that_can_be_said_of_it) {
    struct config *config = NULL;
    struct config_report report = {0};
    const char *text = "kinds:\n"
                       "  resize:\n"
                       "    run: [./resize.sh, --width, \"640\", \"\"]\n"
                       "    timeout: 1m30s\n"
                       "    grace: 250ms\n"
                       "    cwd: sub\n"
                       "    env: {LANG: C, EMPTY: \"\"}\n";
    CHECK(parse(text, &config, &report) == HOB_OK);
    const struct kind_config *kind = config_kind(&config->worker, SLICE("resize"));
    hob_assert(kind != NULL);
    CHECK(kind->reader == &exec_reader);
    CHECK_EQUAL(kind->timeout_ns, 90 * NS_PER_SECOND);
    CHECK_EQUAL(kind->grace_ns, 250 * NS_PER_MS);
    const struct exec_config *exec = kind->settings;
    CHECK_STR(exec->argv[0], "/etc/hob/./resize.sh");
    CHECK_STR(exec->argv[2], "640");
    CHECK_STR(exec->argv[3], "");
    CHECK(exec->argv[4] == NULL);
    CHECK_STR(exec->cwd, "/etc/hob/sub");
    CHECK_STR(exec->env[0], "LANG=C");
    CHECK_STR(exec->env[1], "EMPTY=");
    CHECK(exec->env[2] == NULL);
    config_free(config);
}

TEST(what_is_not_said_has_its_default) {
    struct config *config = NULL;
    struct config_report report = {0};
    CHECK(parse("kinds: {send: {run: [sendmail]}}\n", &config, &report) == HOB_OK);
    const struct kind_config *kind = &config->worker.kinds[0];
    const struct exec_config *exec = kind->settings;
    CHECK_STR(exec->argv[0], "sendmail");
    CHECK_STR(exec->cwd, "/etc/hob");
    CHECK_EQUAL(kind->timeout_ns, 0);
    CHECK_EQUAL(kind->grace_ns, 10 * NS_PER_SECOND);
    config_free(config);
}

TEST(a_value_of_the_wrong_kind_is_refused_with_what_is_wanted) {
    check_refused("kinds: {a: {run: echo hi}}\n", "w.yaml:1:18", "never by a shell");
    check_refused("kinds: {a: {run: []}}\n", "w.yaml:1:18", "a list of 1 to 1024");
    check_refused("kinds: {a: {run: [\"\"]}}\n", "w.yaml:1:18", "no program");
    check_refused("kinds: {a: {run: [[x]]}}\n", "w.yaml:1:19", "the words of a command");
    check_refused("kinds: {a: {run: [x], timeout: 30}}\n", "w.yaml:1:32", "with its unit");
    check_refused("kinds: {a: {run: [x], timeout: 0s}}\n", "w.yaml:1:32", "more than 0");
    check_refused("kinds: {a: {run: [x], grace: 2h}}\n", "w.yaml:1:30", "at most 1h");
    check_refused("kinds: {a: {run: [x], env: {A=B: c}}}\n", "w.yaml:1:29", "no `=`");
    check_refused("kinds: {a: {run: [x], env: {HOB_ID: c}}}\n", "w.yaml:1:29", "HOB_");
    check_refused("kinds: {a: {run: [x], env: {A: b, A: c}}}\n", "w.yaml:1:35", "twice");
    check_refused("kinds: {a: {timeout: 3s}}\n", "w.yaml:1:12", "needs the key `run`");
}

TESTS(
    a_program_with_all_that_can_be_said_of_it,
    what_is_not_said_has_its_default,
    a_value_of_the_wrong_kind_is_refused_with_what_is_wanted
)
