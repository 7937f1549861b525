/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads that become one, and the job that they become. */
#include "engine/merge.h"

#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/rig.h"

/* --- texts --- */

static bool joins(enum merge merge, const char *held, const char *given, const char *wanted) {
    HOB_AUTO_BUF struct buf out = buf_make(1000);
    enum merge_result result = merge_join(merge, slice_str(held), slice_str(given), &out);
    if (wanted == NULL) return result == MERGE_IMPOSSIBLE;
    return result == MERGE_DONE && slice_equal(buf_slice(&out), slice_str(wanted));
}

TEST(arrays_are_put_one_behind_the_other) {
    CHECK(joins(MERGE_APPEND, "[1, 2]", "[3 ,\"x\"]", "[1,2,3,\"x\"]"));
    CHECK(joins(MERGE_APPEND, "[]", "[]", "[]"));
    CHECK(joins(MERGE_APPEND, "[]", " {\"a\": [1]} ", "[{\"a\": [1]}]"));
    CHECK(joins(MERGE_APPEND, "[[1]]", "[[2]]", "[[1],[2]]"));
    CHECK(joins(MERGE_APPEND, "not JSON", "1", NULL));
}

TEST(a_first_value_is_made_an_array) {
    HOB_AUTO_BUF struct buf scratch = buf_make(100);
    CHECK(slice_equal(merge_begin(MERGE_APPEND, SLICE(" 7 "), &scratch), SLICE("[7]")));
    CHECK(slice_equal(merge_begin(MERGE_APPEND, SLICE("[ 7 ]"), &scratch), SLICE("[ 7 ]")));
    CHECK(slice_equal(merge_begin(MERGE_SUM, SLICE("7"), &scratch), SLICE("7")));
}

TEST(numbers_are_added_exactly) {
    CHECK(joins(MERGE_SUM, "1", "2", "3"));
    CHECK(joins(MERGE_SUM, "0.1", "0.2", "0.3"));
    CHECK(joins(MERGE_SUM, "1.5e3", "-1.25E-2", "1499.9875"));
    CHECK(joins(MERGE_SUM, "5", "-5.0", "0"));
    CHECK(joins(MERGE_SUM, "-3", "1", "-2"));
    CHECK(joins(MERGE_SUM, "9223372036854775807", "1", "9223372036854775808"));
    CHECK(joins(MERGE_SUM, "99999999999999999999.99", "0.01", "100000000000000000000"));
    CHECK(joins(MERGE_SUM, "5e39", "5e39", NULL));
    CHECK(joins(MERGE_SUM, "0e99999999", "-0", "0"));
}

TEST(objects_are_added_member_by_member) {
    CHECK(joins(MERGE_SUM, "{\"a\":1,\"b\":2}", "{\"b\":3,\"c\":4}", "{\"a\":1,\"b\":5,\"c\":4}"));
    CHECK(joins(MERGE_SUM, "{}", "{}", "{}"));
    CHECK(joins(
        MERGE_SUM, "{\"a\":1,\"t\":\"x\"}", "{\"\\u0061\":1,\"t\":\"y\"}", "{\"a\":2,\"t\":\"y\"}"
    ));
    CHECK(joins(MERGE_SUM, "{\"a\":1}", "1", NULL));
    CHECK(joins(MERGE_SUM, "[1]", "1", NULL));
}

TEST(what_cannot_be_merged_is_told_at_the_push) {
    CHECK(merge_payload_fault(MERGE_APPEND, SLICE("x")) != NULL);
    CHECK(merge_payload_fault(MERGE_SUM, SLICE("\"x\"")) != NULL);
    CHECK(merge_payload_fault(MERGE_SUM, SLICE("1e40")) != NULL);
    CHECK(merge_payload_fault(MERGE_SUM, SLICE("1e-41")) != NULL);
    CHECK(merge_payload_fault(MERGE_SUM, SLICE("{\"a\":1e400}")) != NULL);
    CHECK(merge_payload_fault(MERGE_SUM, SLICE("1e39")) == NULL);
    CHECK(merge_payload_fault(MERGE_LAST, SLICE("x")) == NULL);
}

/* --- jobs --- */

static struct command merged(enum merge merge, const char *payload, uint32_t max) {
    struct command push = push_of("mail");
    push.push.payload = slice_str(payload);
    push.push.unique = SLICE("user-7");
    push.push.unique_scope = UNIQUE_WAITING;
    push.push.merge = merge;
    push.push.merge_max = max;
    push.push.delay_ns = NS_PER_MINUTE;
    return push;
}

static uint64_t push_merged(struct rig *rig, enum merge merge, const char *payload, uint32_t max) {
    return rig_do(rig, merged(merge, payload, max)) == ANSWER_OK ? rig->last.id : 0;
}

TEST(pushes_become_one_job) {
    struct rig *rig = rig_new();
    uint64_t id = push_merged(rig, MERGE_APPEND, "1", 0);
    CHECK(!rig->last.duplicate);
    CHECK_EQUAL(push_merged(rig, MERGE_APPEND, "[2,3]", 0), id);
    CHECK(rig->last.duplicate);
    CHECK(slice_equal(rig_job(rig, id).payload, SLICE("[1,2,3]")));
    CHECK_EQUAL(rig_job(rig, id).merged, 2);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_SCHEDULED);
    rig_advance(rig, NS_PER_MINUTE);
    CHECK_EQUAL(push_merged(rig, MERGE_APPEND, "4", 0), id);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK(push_merged(rig, MERGE_APPEND, "5", 0) != id);
    rig_end(rig);
}

TEST(a_full_job_runs_at_once_and_the_next_push_makes_another) {
    struct rig *rig = rig_new();
    uint64_t id = push_merged(rig, MERGE_SUM, "{\"n\":1}", 3);
    CHECK_EQUAL(push_merged(rig, MERGE_SUM, "{\"n\":1}", 3), id);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_SCHEDULED);
    CHECK_EQUAL(push_merged(rig, MERGE_SUM, "{\"n\":1}", 3), id);
    CHECK_EQUAL(rig->last.state, JOB_AVAILABLE);
    CHECK(slice_equal(rig_job(rig, id).payload, SLICE("{\"n\":3}")));
    uint64_t next = push_merged(rig, MERGE_SUM, "{\"n\":1}", 3);
    CHECK(next != 0 && next != id);
    CHECK_EQUAL(rig_job(rig, next).state, JOB_SCHEDULED);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    rig_end(rig);
}

TEST(large_payloads_are_merged_too) {
    struct rig *rig = rig_new();
    char text[402];
    memset(text, '7', sizeof text);
    text[401] = '\0';
    text[0] = '"';
    text[400] = '"';
    uint64_t id = push_merged(rig, MERGE_APPEND, text, 0);
    CHECK_EQUAL(push_merged(rig, MERGE_APPEND, "1", 0), id);
    CHECK_EQUAL(rig_job(rig, id).payload_body.size, 401 + 4);
    CHECK_EQUAL(push_merged(rig, MERGE_LAST, "1", 0), id);
    CHECK(slice_equal(rig_job(rig, id).payload, SLICE("1")));
    rig_end(rig);
}

TEST(a_push_that_cannot_be_merged_is_refused) {
    struct rig *rig = rig_new();
    uint64_t id = push_merged(rig, MERGE_SUM, "1", 0);
    CHECK_EQUAL(rig_do(rig, merged(MERGE_SUM, "{}", 0)), ANSWER_UNIQUE);
    CHECK_EQUAL(rig->last.id, id);
    struct command other = merged(MERGE_SUM, "1", 0);
    other.push.kind = SLICE("other");
    CHECK_EQUAL(rig_do(rig, other), ANSWER_UNIQUE);
    other = merged(MERGE_SUM, "1", 0);
    other.push.queue = SLICE("elsewhere");
    CHECK_EQUAL(rig_do(rig, other), ANSWER_UNIQUE);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, id), ANSWER_OK);
    struct command plain = merged(MERGE_NONE, "1", 0);
    CHECK_EQUAL(rig_do(rig, plain), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, merged(MERGE_SUM, "1", 0)), ANSWER_UNIQUE);
    rig_end(rig);
}

TEST(a_merge_can_be_debounced) {
    struct rig *rig = rig_new();
    struct command push = merged(MERGE_APPEND, "1", 3);
    push.push.delay_ns = 0;
    push.push.debounce_ns = NS_PER_SECOND;
    push.push.on_conflict = CONFLICT_REPLACE;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    rig_advance(rig, NS_PER_SECOND / 2);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, id).run_at_ns, rig->now_ns + NS_PER_SECOND);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig->last.state, JOB_AVAILABLE);
    CHECK(slice_equal(rig_job(rig, id).payload, SLICE("[1,1,1]")));
    rig_end(rig);
}

TEST(the_same_push_again_is_merged_once) {
    struct rig *rig = rig_new();
    uint64_t id = push_merged(rig, MERGE_SUM, "1", 0);
    struct command push = merged(MERGE_SUM, "2", 0);
    push.push.key = SLICE("again");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, id);
    CHECK(slice_equal(rig_job(rig, id).payload, SLICE("3")));
    rig_end(rig);
}

TEST(a_merge_with_another_scope_answer_or_bound_is_refused) {
    struct rig *rig = rig_new();
    struct command push = merged(MERGE_SUM, "1", 1);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    push = merged(MERGE_SUM, "1", MERGE_MAX_MAX + 1);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    push = merged(MERGE_NONE, "1", 2);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    push = merged(MERGE_SUM, "1", 0);
    push.push.unique_scope = UNIQUE_DONE;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    push = merged(MERGE_SUM, "1", 0);
    push.push.on_conflict = CONFLICT_REJECT;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig_do(rig, merged(MERGE_SUM, "x", 0)), ANSWER_BAD_ARGUMENT);
    rig_end(rig);
}

TESTS(
    arrays_are_put_one_behind_the_other,
    a_first_value_is_made_an_array,
    numbers_are_added_exactly,
    objects_are_added_member_by_member,
    what_cannot_be_merged_is_told_at_the_push,
    pushes_become_one_job,
    a_full_job_runs_at_once_and_the_next_push_makes_another,
    large_payloads_are_merged_too,
    a_push_that_cannot_be_merged_is_refused,
    a_merge_can_be_debounced,
    the_same_push_again_is_merged_once,
    a_merge_with_another_scope_answer_or_bound_is_refused
)
