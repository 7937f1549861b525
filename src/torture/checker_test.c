/* SPDX-License-Identifier: Apache-2.0 */
/* Each promise is broken once, in a history that keeps all the others. */
#include "torture/checker.h"

#include "base/test.h"
#include "torture/rig.h"

static void only(const struct checker_verdict *verdict, enum checker_wrong wrong, uint64_t count) {
    for (size_t i = 0; i < CHECKER_WRONG_COUNT; i++) {
        CHECK_EQUAL(verdict->wrong[i], i == wrong ? count : 0);
    }
    CHECK(!checker_is_good(verdict));
}

#define PUSH_1  "100 1 push key=1 queue=0 priority=5 delay_ms=0\n200 1 pushed key=1 id=10\n"
#define PUSH_2  "210 1 push key=2 queue=0 priority=5 delay_ms=0\n220 1 pushed key=2 id=11\n"
#define GOT_1   "300 9 fetch\n310 9 got key=1 id=10 token=70 attempt=1 releases=0\n"
#define ACK_1   "400 9 ack id=10 token=70\n410 9 acked id=10 token=70\n"
#define FOUND_1 "900 0 found key=1 id=10 done=1\n"
#define CENSUS  "999 0 census\n"
#define WHOLE_1 PUSH_1 GOT_1 ACK_1
#define AGAIN(token, attempt) \
    "500 9 fetch\n510 9 got key=1 id=10 token=" token " attempt=" attempt " releases=0\n"

TEST(a_whole_history_is_good) {
    struct checker_verdict verdict = rig_judge(WHOLE_1 FOUND_1 CENSUS);
    CHECK(checker_is_good(&verdict));
    CHECK_EQUAL(verdict.acknowledged, 1);
    CHECK_EQUAL(verdict.found, 1);
    CHECK_EQUAL(verdict.acks, 1);
}

TEST(without_a_census_nothing_is_good) {
    struct checker_verdict verdict = rig_judge(WHOLE_1);
    CHECK_EQUAL(verdict.wrong[CHECKER_LOST], 0);
    CHECK(!checker_is_good(&verdict));
}

TEST(an_acknowledged_push_that_is_gone_is_lost) {
    struct checker_verdict verdict = rig_judge(PUSH_1 CENSUS);
    only(&verdict, CHECKER_LOST, 1);
}

TEST(an_acknowledged_ack_that_is_undone_is_lost) {
    struct checker_verdict verdict = rig_judge(WHOLE_1 "900 0 found key=1 id=10 done=0\n" CENSUS);
    CHECK_EQUAL(verdict.wrong[CHECKER_LOST], 1);
    CHECK_EQUAL(verdict.wrong[CHECKER_UNFINISHED], 1);
}

TEST(an_unknown_push_may_be_there_or_not) {
    const char *gone =
        "1 1 push key=1 queue=0 priority=5 delay_ms=0\n2 1 push-unknown key=1\n" CENSUS;
    struct checker_verdict verdict = rig_judge(gone);
    CHECK(checker_is_good(&verdict));
    CHECK_EQUAL(verdict.unknown, 1);
    verdict = rig_judge(
        "1 1 push key=1 queue=0 priority=5 delay_ms=0\n2 1 push-unknown key=1\n" FOUND_1 CENSUS
    );
    CHECK(checker_is_good(&verdict));
    CHECK_EQUAL(verdict.recovered, 1);
}

TEST(one_push_that_becomes_two_jobs_is_duplicated) {
    struct checker_verdict verdict =
        rig_judge(PUSH_1 "250 1 push key=1 queue=0 priority=5 delay_ms=0\n"
                         "260 1 pushed key=1 id=12\n"
                         "900 0 found key=1 id=12 done=1\n" CENSUS);
    only(&verdict, CHECKER_DUPLICATED, 1);
    verdict = rig_judge(WHOLE_1 FOUND_1 "900 0 found key=1 id=12 done=1\n" CENSUS);
    only(&verdict, CHECKER_DUPLICATED, 1);
}

TEST(a_redelivery_says_so_by_its_attempt) {
    struct checker_verdict verdict =
        rig_judge(PUSH_1 GOT_1 AGAIN("71", "2") "600 9 ack id=10 token=71\n"
                                                "610 9 acked id=10 token=71\n" FOUND_1 CENSUS);
    CHECK(checker_is_good(&verdict));
    CHECK_EQUAL(verdict.redelivered, 1);
    verdict = rig_judge(PUSH_1 GOT_1 AGAIN("71", "1") FOUND_1 CENSUS);
    only(&verdict, CHECKER_DUPLICATED, 1);
}

TEST(after_a_release_the_attempt_may_stay) {
    struct checker_verdict verdict = rig_judge(
        PUSH_1 GOT_1
        "320 9 release id=10 token=70\n330 9 release-unknown id=10 token=70\n" AGAIN("71", "1")
            FOUND_1 CENSUS
    );
    CHECK(checker_is_good(&verdict));
    verdict = rig_judge(PUSH_1 GOT_1 "320 9 release id=10 token=70\n"
                                     "330 9 release-refused id=10 token=70\n" AGAIN("71", "1")
                                         FOUND_1 CENSUS);
    only(&verdict, CHECKER_DUPLICATED, 1);
}

TEST(nothing_comes_after_its_ack_and_no_stale_ack_is_taken) {
    struct checker_verdict verdict = rig_judge(WHOLE_1 AGAIN("71", "2") FOUND_1 CENSUS);
    only(&verdict, CHECKER_DUPLICATED, 1);
    verdict =
        rig_judge(PUSH_1 GOT_1 AGAIN("71", "2") "600 9 ack id=10 token=70\n"
                                                "610 9 acked id=10 token=70\n" FOUND_1 CENSUS);
    only(&verdict, CHECKER_DUPLICATED, 1);
}

TEST(a_job_is_acknowledged_once) {
    struct checker_verdict verdict =
        rig_judge(WHOLE_1 "420 9 ack id=10 token=70\n430 9 acked id=10 token=70\n" FOUND_1 CENSUS);
    only(&verdict, CHECKER_DUPLICATED, 1);
}

TEST(what_nobody_pushed_is_invented) {
    struct checker_verdict verdict =
        rig_judge(WHOLE_1 FOUND_1 "900 0 found key=7 id=12 done=1\n" CENSUS);
    only(&verdict, CHECKER_INVENTED, 1);
    verdict = rig_judge(
        "1 1 push key=1 queue=0 priority=5 delay_ms=0\n2 1 push-refused key=1\n" FOUND_1 CENSUS
    );
    only(&verdict, CHECKER_INVENTED, 1);
}

TEST(nothing_comes_before_its_time) {
    struct checker_verdict verdict = rig_judge(
        "1000 1 push key=1 queue=0 priority=5 delay_ms=200\n1100 1 pushed key=1 id=10\n"
        "5000 9 fetch\n100000000 9 got key=1 id=10 token=70 attempt=1 releases=0\n" FOUND_1 CENSUS
    );
    only(&verdict, CHECKER_EARLY, 1);
    verdict =
        rig_judge(PUSH_1 GOT_1 "320 9 fail id=10 token=70 delay_ms=900\n"
                               "330 9 failed id=10 token=70\n" AGAIN("71", "2") FOUND_1 CENSUS);
    only(&verdict, CHECKER_EARLY, 1);
}

TEST(other_bytes_are_damage) {
    struct checker_verdict verdict =
        rig_judge(PUSH_1 GOT_1 "311 9 damaged id=10\n" ACK_1 FOUND_1 CENSUS);
    only(&verdict, CHECKER_DAMAGED, 1);
}

#define GOT(key, id, token) \
    "300 9 fetch\n310 9 got key=" key " id=" id " token=" token " attempt=1 releases=0\n"
#define FOUND_2 "900 0 found key=2 id=11 done=1\n"

TEST(the_older_job_of_a_priority_comes_first) {
    struct checker_verdict verdict =
        rig_judge(PUSH_1 PUSH_2 GOT("1", "10", "70") GOT("2", "11", "71") FOUND_1 FOUND_2 CENSUS);
    CHECK(checker_is_good(&verdict));
    verdict =
        rig_judge(PUSH_1 PUSH_2 GOT("2", "11", "70") GOT("1", "10", "71") FOUND_1 FOUND_2 CENSUS);
    only(&verdict, CHECKER_OUT_OF_ORDER, 1);
}

TEST(the_smaller_priority_comes_first_when_it_was_there) {
#define URGENT(at) at "0 1 push key=2 queue=0 priority=1 delay_ms=0\n" at "5 1 pushed key=2 id=11\n"
    const char *there =
        PUSH_1 URGENT("22") GOT("1", "10", "70") GOT("2", "11", "71") FOUND_1 FOUND_2 CENSUS;
    struct checker_verdict verdict = rig_judge(there);
    only(&verdict, CHECKER_OUT_OF_ORDER, 1);
    const char *later = PUSH_1 GOT("1", "10", "70")
        URGENT("32") "500 9 fetch\n"
                     "510 9 got key=2 id=11 token=71 attempt=1 releases=0\n" FOUND_1 FOUND_2 CENSUS;
    verdict = rig_judge(later);
    CHECK(checker_is_good(&verdict));
}

TEST(lines_that_are_none_are_told) {
    struct history_event event;
    CHECK(!history_parse(SLICE("1 1 push key=1"), &event));
    CHECK(!history_parse(SLICE("1 1 jump key=1"), &event));
    CHECK(!history_parse(SLICE("1 1 pushed key=1 id=x"), &event));
    CHECK(!history_parse(SLICE("1 1 pushed key=1 id=2 more"), &event));
    CHECK(!history_parse(SLICE(""), &event));
    CHECK(history_parse(SLICE("1 0 note killed it"), &event));
    CHECK_EQUAL(event.type, HISTORY_NOTE);
}

TEST(what_is_put_reads_back) {
    HOB_AUTO_BUF struct buf out = buf_make(HISTORY_LINE_BYTES_MAX);
    struct history_event event = {
        .type = HISTORY_GOT, .who = 3, .at = 7, .key = 1, .id = 2, .token = 3, .attempt = 4};
    history_put(&out, &event, NULL);
    CHECK_BYTES(out.bytes, "7 3 got key=1 id=2 token=3 attempt=4 releases=0\n", out.size);
    struct history_event back;
    CHECK(history_parse(slice_of(out.bytes, out.size - 1), &back));
    CHECK_EQUAL(back.token, 3);
    CHECK_EQUAL(back.attempt, 4);
}

TESTS(
    a_whole_history_is_good,
    without_a_census_nothing_is_good,
    an_acknowledged_push_that_is_gone_is_lost,
    an_acknowledged_ack_that_is_undone_is_lost,
    an_unknown_push_may_be_there_or_not,
    one_push_that_becomes_two_jobs_is_duplicated,
    a_redelivery_says_so_by_its_attempt,
    after_a_release_the_attempt_may_stay,
    nothing_comes_after_its_ack_and_no_stale_ack_is_taken,
    a_job_is_acknowledged_once,
    what_nobody_pushed_is_invented,
    nothing_comes_before_its_time,
    other_bytes_are_damage,
    the_older_job_of_a_priority_comes_first,
    the_smaller_priority_comes_first_when_it_was_there,
    lines_that_are_none_are_told,
    what_is_put_reads_back
)
