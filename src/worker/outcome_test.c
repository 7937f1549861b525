/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/outcome.h"

#include <signal.h>

#include "base/test.h"

static struct outcome judge(struct run_end end) {
    struct outcome outcome;
    outcome_judge(&end, &outcome);
    return outcome;
}

TEST(exit_0_is_an_ack_with_the_output) {
    struct outcome outcome = judge((struct run_end){.result = SLICE("42"), .tail = SLICE("x\n")});
    CHECK(outcome.verdict == OUTCOME_ACK);
    CHECK(slice_equal(outcome.result, SLICE("42")));
}

TEST(exit_75_is_a_release_with_a_delay) {
    struct outcome outcome = judge((struct run_end){.exit_code = 75});
    CHECK(outcome.verdict == OUTCOME_RELEASE);
    CHECK_EQUAL(outcome.delay_ns, 5 * NS_PER_SECOND);
}

TEST(exit_65_fails_for_good) {
    struct outcome outcome = judge((struct run_end){.exit_code = 65, .tail = SLICE("bad data\n")});
    CHECK(outcome.verdict == OUTCOME_FAIL);
    CHECK(outcome.permanent);
    CHECK_EQUAL(outcome.code, 65);
    CHECK_STR(outcome.cause, "exit");
    CHECK_STR(outcome.text, "bad data");
}

TEST(another_exit_fails_with_the_last_lines) {
    struct outcome outcome = judge((struct run_end){.exit_code = 3, .tail = SLICE("a\nb\n")});
    CHECK(outcome.verdict == OUTCOME_FAIL);
    CHECK(!outcome.permanent);
    CHECK_EQUAL(outcome.code, 3);
    CHECK_STR(outcome.text, "a\nb");
    CHECK_STR(judge((struct run_end){.exit_code = 3}).text, "exit code 3, nothing on stderr");
}

TEST(a_signal_fails_and_has_its_name) {
    struct outcome outcome = judge((struct run_end){.signal_number = SIGSEGV});
    CHECK_STR(outcome.cause, "signal");
    CHECK_EQUAL(outcome.code, SIGSEGV);
    CHECK_STR(outcome.text, "killed by signal 11 (SIGSEGV)");
}

TEST(a_timeout_fails_even_when_the_program_then_exits_with_0) {
    struct outcome outcome = judge((struct run_end
    ){.stopped = STOP_TIMEOUT, .timeout_ns = 90 * NS_PER_SECOND, .tail = SLICE("slow\n")});
    CHECK(outcome.verdict == OUTCOME_FAIL);
    CHECK_STR(outcome.cause, "timeout");
    CHECK_STR(outcome.text, "stopped: it ran longer than 1m30s\nslow");
}

TEST(a_program_that_cannot_start_fails_and_may_be_tried_again) {
    struct outcome outcome =
        judge((struct run_end){.start_error = SLICE("/x/y: No such file"), .exit_code = 127});
    CHECK_STR(outcome.cause, "start");
    CHECK(!outcome.permanent);
    CHECK_STR(outcome.text, "cannot start /x/y: No such file");
}

TEST(an_interrupted_job_is_released_at_once) {
    struct outcome outcome =
        judge((struct run_end){.stopped = STOP_SHUTDOWN, .signal_number = SIGTERM});
    CHECK(outcome.verdict == OUTCOME_RELEASE);
    CHECK_EQUAL(outcome.delay_ns, 0);
}

TEST(of_a_lost_lease_nothing_is_told) {
    CHECK(judge((struct run_end){.stopped = STOP_LOST, .exit_code = 1}).verdict == OUTCOME_DROP);
}

TEST(a_result_that_is_too_large_fails) {
    struct outcome outcome = judge((struct run_end){.result_too_large = true});
    CHECK(outcome.verdict == OUTCOME_FAIL);
    CHECK_STR(outcome.cause, "failed");
    CHECK(strstr(outcome.text, "1 MiB") != NULL);
}

TEST(a_long_text_is_cut) {
    static char long_text[3000];
    memset(long_text, 'x', sizeof long_text);
    struct outcome outcome =
        judge((struct run_end){.exit_code = 1, .tail = slice_of(long_text, sizeof long_text)});
    CHECK_EQUAL(strlen(outcome.text), OUTCOME_TEXT_BYTES_MAX - 1);
}

TESTS(
    exit_0_is_an_ack_with_the_output,
    exit_75_is_a_release_with_a_delay,
    exit_65_fails_for_good,
    another_exit_fails_with_the_last_lines,
    a_signal_fails_and_has_its_name,
    a_timeout_fails_even_when_the_program_then_exits_with_0,
    a_program_that_cannot_start_fails_and_may_be_tried_again,
    an_interrupted_job_is_released_at_once,
    of_a_lost_lease_nothing_is_told,
    a_result_that_is_too_large_fails,
    a_long_text_is_cut
)
