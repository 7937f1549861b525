/* SPDX-License-Identifier: Apache-2.0 */
/* What the server's own events must keep: each rule is broken once, and kept once where it is
 * nearly broken. */
#include "base/test.h"
#include "torture/rig.h"

static uint64_t over_limit(const char *text) {
    return rig_judge(text).wrong[CHECKER_OVER_LIMIT];
}

static uint64_t not_unique(const char *text) {
    return rig_judge(text).wrong[CHECKER_NOT_UNIQUE];
}

#define PUSH(key, more) "1 1 push key=" key " queue=0 priority=5 delay_ms=0" more "\n"
#define MADE(n)         "5 0 made key=" n " id=" n "\n"
#define RUNS(n, time)   "6 0 runs key=" n " id=" n " token=" n " time=" time "\n"
#define OVER(n)         "7 0 over key=" n " id=" n "\n"
#define WAITS(n)        "7 0 waits key=" n " id=" n "\n"
#define RESTART         "8 0 restart\n"
#define THREE(more)     PUSH("1", more) PUSH("2", more) PUSH("3", more)

TEST(more_than_a_queue_allows_is_over_its_limit) {
#define LIMIT_2 "0 0 limit sort=0 name=0 concurrency=2\n" THREE("") RUNS("1", "1") RUNS("2", "2")
    CHECK_EQUAL(over_limit(LIMIT_2 RUNS("3", "3")), 1);
    CHECK_EQUAL(over_limit(LIMIT_2 OVER("1") RUNS("3", "3")), 0);
    CHECK_EQUAL(over_limit(LIMIT_2 WAITS("2") RUNS("3", "3")), 0);
}

TEST(what_runs_after_a_restart_counts_only_when_it_is_told_anew) {
    CHECK_EQUAL(
        over_limit(LIMIT_2 RESTART RUNS("1", "1") RUNS("2", "2") WAITS("3") RUNS("3", "3")), 1
    );
    CHECK_EQUAL(over_limit(LIMIT_2 RESTART RUNS("1", "1") WAITS("2") WAITS("3") RUNS("3", "3")), 0);
}

TEST(a_group_and_a_limiter_have_limits_of_their_own) {
#define GROUP_1 "0 0 limit sort=1 name=4 concurrency=1\n"
    CHECK_EQUAL(over_limit(GROUP_1 THREE(" group=4") RUNS("1", "1") RUNS("2", "2")), 1);
    CHECK_EQUAL(over_limit(GROUP_1 THREE(" group=5") RUNS("1", "1") RUNS("2", "2")), 0);
#define LIMITER_3 "0 0 limit sort=2 name=1 concurrency=3\n"
    CHECK_EQUAL(over_limit(LIMITER_3 THREE(" limiter=1 units=2") RUNS("1", "1") RUNS("2", "2")), 1);
    CHECK_EQUAL(over_limit(LIMITER_3 THREE(" limiter=1 units=1") RUNS("1", "1") RUNS("2", "2")), 0);
}

TEST(more_starts_than_burst_and_rate_allow_are_over_the_limit) {
#define RATE "0 0 limit sort=0 name=0 count=1 period_ms=1 burst=2\n" THREE("")
    CHECK_EQUAL(over_limit(RATE RUNS("1", "5") RUNS("2", "5") RUNS("3", "1000004")), 1);
    CHECK_EQUAL(over_limit(RATE RUNS("1", "5") RUNS("2", "5") RUNS("3", "1000005")), 0);
    /* told anew by a restart it is the same start */
    CHECK_EQUAL(over_limit(RATE RUNS("1", "5") RUNS("2", "5") RESTART RUNS("1", "5")), 0);
}

TEST(two_jobs_of_a_unique_key_are_one_too_many) {
#define UNIQUE THREE(" unique=7")
    CHECK_EQUAL(not_unique(UNIQUE MADE("1") MADE("2")), 1);
    CHECK_EQUAL(not_unique(UNIQUE MADE("1") RUNS("1", "1") MADE("2")), 1);
    CHECK_EQUAL(not_unique(UNIQUE MADE("1") RUNS("1", "1") OVER("1") MADE("2")), 0);
    CHECK_EQUAL(not_unique(UNIQUE MADE("1") RESTART WAITS("1") WAITS("2")), 1);
    CHECK_EQUAL(not_unique(UNIQUE MADE("1") RESTART WAITS("1") MADE("2")), 1);
    CHECK_EQUAL(not_unique(UNIQUE MADE("1") RESTART MADE("2")), 0);
}

TEST(a_smaller_scope_lets_in_what_comes_outside_of_it) {
#define WAITING THREE(" unique=7 scope=1") MADE("1")
    CHECK_EQUAL(not_unique(WAITING MADE("2")), 1);
    CHECK_EQUAL(not_unique(WAITING RUNS("1", "1") MADE("2")), 0);
    CHECK_EQUAL(not_unique(WAITING RUNS("1", "1") MADE("2") WAITS("1")), 0); /* it comes back */
#define RUNNING THREE(" unique=7 scope=2") MADE("1")
    CHECK_EQUAL(not_unique(RUNNING MADE("2")), 0);
    CHECK_EQUAL(not_unique(RUNNING RUNS("1", "1") MADE("2")), 1);
}

#define CENSUS "9 0 found key=1 id=1 done=1\n9 0 census\n"

TEST(a_push_may_be_answered_with_the_job_that_has_its_key) {
    const char *joined = PUSH("1", " unique=7") "2 1 pushed key=1 id=1\n" PUSH(
        "2", " unique=7"
    ) "3 1 pushed key=2 id=1 duplicate=1\n" CENSUS;
    struct checker_verdict verdict = rig_judge(joined);
    CHECK(checker_is_good(&verdict));
    CHECK_EQUAL(verdict.joined, 1);
    verdict = rig_judge(PUSH("1", " unique=7") "2 1 pushed key=1 id=1\n" PUSH(
        "2", " unique=8"
    ) "3 1 pushed key=2 id=1 duplicate=1\n" CENSUS);
    CHECK_EQUAL(verdict.wrong[CHECKER_LOST], 1);
}

TEST(a_push_that_joined_a_job_that_had_ended_is_lost) {
    struct checker_verdict verdict =
        rig_judge(PUSH("1", " unique=7") "2 1 pushed key=1 id=1\n" MADE("1")
                      OVER("1") "8 1 push key=2 queue=0 priority=5 delay_ms=0 unique=7\n"
                                "9 1 pushed key=2 id=1 duplicate=1\n" CENSUS);
    CHECK_EQUAL(verdict.wrong[CHECKER_LOST], 1);
}

#define DELAYED \
    "1000000 1 push key=1 queue=0 priority=5 delay_ms=60000\n2000000 1 pushed key=1 id=1\n"
#define GOT "30000000000 9 fetch\n30000000001 9 got key=1 id=1 token=1 attempt=1 releases=0\n"

TEST(a_server_whose_clock_runs_ahead_may_come_sooner) {
    CHECK_EQUAL(rig_judge(DELAYED GOT).wrong[CHECKER_EARLY], 1);
    CHECK_EQUAL(rig_judge(DELAYED "5000000 0 clock ahead_ms=29000\n" GOT).wrong[CHECKER_EARLY], 1);
    CHECK_EQUAL(rig_judge(DELAYED "5000000 0 clock ahead_ms=31000\n" GOT).wrong[CHECKER_EARLY], 0);
    CHECK_EQUAL(rig_judge("0 0 clock ahead_ms=31000\n" DELAYED GOT).wrong[CHECKER_EARLY], 1);
}

TEST(a_limit_that_is_changed_holds_for_what_starts_then) {
#define NOW(n) "6 0 limit sort=0 name=0 concurrency=" n "\n"
    CHECK_EQUAL(over_limit(LIMIT_2 NOW("1")), 0);
    CHECK_EQUAL(over_limit(LIMIT_2 NOW("1") OVER("1") RUNS("3", "3")), 1);
    CHECK_EQUAL(over_limit(LIMIT_2 NOW("3") RUNS("3", "3")), 0);
    /* what runs already is not too much, also when a restart tells it anew */
    CHECK_EQUAL(over_limit(LIMIT_2 NOW("1") RESTART RUNS("1", "1") RUNS("2", "2")), 0);
    /* a limit that comes later counts what runs */
    CHECK_EQUAL(over_limit(THREE("") RUNS("1", "1") NOW("1") RUNS("2", "2")), 1);
    CHECK_EQUAL(over_limit(LIMIT_2 "6 0 limit sort=0 name=0\n" RUNS("3", "3")), 0);
}

TEST(a_list_is_there_as_a_whole_or_not_at_all) {
#define LIST PUSH("1", " list=4") PUSH("2", " list=4")
    CHECK_EQUAL(rig_judge(LIST "9 0 census\n").wrong[CHECKER_LOST], 0);
    CHECK_EQUAL(rig_judge(LIST CENSUS).wrong[CHECKER_LOST], 1);
    CHECK_EQUAL(rig_judge(LIST "9 0 found key=2 id=2 done=1\n" CENSUS).wrong[CHECKER_LOST], 0);
}

TEST(a_lease_lasts_as_long_as_was_promised) {
#define LEASED     PUSH("1", "") "6 0 runs key=1 id=1 token=1 time=10 until=20\n"
#define NEXT(time) "7 0 runs key=1 id=1 token=2 time=" time " until=30\n"
    CHECK_EQUAL(rig_judge(LEASED NEXT("19")).wrong[CHECKER_EARLY], 1);
    CHECK_EQUAL(rig_judge(LEASED NEXT("20")).wrong[CHECKER_EARLY], 0);
    CHECK_EQUAL(rig_judge(LEASED "6 9 release id=1 token=1\n" NEXT("19")).wrong[CHECKER_EARLY], 0);
    CHECK_EQUAL(rig_judge(LEASED "6 9 release id=1 token=3\n" NEXT("19")).wrong[CHECKER_EARLY], 1);
}

TEST(what_is_zero_need_not_be_written) {
    struct history_event event;
    CHECK(history_parse(SLICE("1 1 push key=1 queue=0 priority=5 delay_ms=0 limiter=3"), &event));
    CHECK_EQUAL(event.limiter, 3);
    CHECK_EQUAL(event.group, 0);
    CHECK(!history_parse(SLICE("1 1 push key=1 queue=0 priority=5 delay_ms=0 token=3"), &event));
}

TESTS(
    more_than_a_queue_allows_is_over_its_limit,
    what_runs_after_a_restart_counts_only_when_it_is_told_anew,
    a_group_and_a_limiter_have_limits_of_their_own,
    more_starts_than_burst_and_rate_allow_are_over_the_limit,
    two_jobs_of_a_unique_key_are_one_too_many,
    a_smaller_scope_lets_in_what_comes_outside_of_it,
    a_push_may_be_answered_with_the_job_that_has_its_key,
    a_push_that_joined_a_job_that_had_ended_is_lost,
    a_server_whose_clock_runs_ahead_may_come_sooner,
    a_limit_that_is_changed_holds_for_what_starts_then,
    a_list_is_there_as_a_whole_or_not_at_all,
    a_lease_lasts_as_long_as_was_promised,
    what_is_zero_need_not_be_written
)
