/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds without a worker: who counts as one, and what bounds the look. */
#include <stdio.h>

#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/callback.h"
#include "engine/rig.h"

enum { STEPS = 1000 };

static struct unserved_list list;

static const struct unserved_view *look(const struct rig *rig) {
    engine_unserved(rig->engine, rig->now_ns, STEPS, &list);
    return list.rows;
}

static uint64_t push(struct rig *rig, const char *queue, const char *kind) {
    struct command command = push_of(queue);
    command.push.kind = slice_str(kind);
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
    return rig->last.id;
}

static void work(struct rig *rig, const char *worker, const struct slice *kinds, uint32_t count) {
    struct command set = {.type = COMMAND_WORKER_SET};
    set.worker_set.worker = slice_str(worker);
    set.worker_set.kinds = kinds;
    set.worker_set.kind_count = count;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
}

TEST(a_kind_that_no_live_worker_runs_is_told_with_its_jobs_and_its_oldest) {
    struct rig *rig = rig_new();
    const struct slice mail = SLICE("mail");
    work(rig, "w1", &mail, 1);
    hob_ns first_ns = rig->now_ns;
    push(rig, "q", "report");
    rig_advance(rig, 2 * NS_PER_SECOND);
    push(rig, "q", "report");
    push(rig, "q", "mail");
    push(rig, "other", "report");
    const struct unserved_view *rows = look(rig);
    CHECK_EQUAL(list.count, 2);
    CHECK_EQUAL(list.available, 3);
    CHECK(!list.is_cut);
    CHECK(slice_equal(rows[0].kind, SLICE("report")));
    CHECK(slice_equal(rows[0].queue, SLICE("q")));
    CHECK_EQUAL(rows[0].available, 2);
    CHECK_EQUAL(rows[0].since_ns, first_ns);
    CHECK(slice_equal(rows[1].queue, SLICE("other")));
    CHECK_EQUAL(rows[1].available, 1);
    rig_end(rig);
}

TEST(a_worker_that_names_no_kind_runs_all_of_them_while_it_lives) {
    struct rig *rig = rig_new();
    push(rig, "q", "report");
    look(rig);
    CHECK_EQUAL(list.count, 1);
    work(rig, "w1", NULL, 0);
    look(rig);
    CHECK_EQUAL(list.count, 0);
    rig->now_ns += LEASE_DEFAULT_NS - 1; /* there is no turn: the time is told with the question */
    look(rig);
    CHECK_EQUAL(list.count, 0);
    rig->now_ns += 1;
    look(rig);
    CHECK_EQUAL(list.count, 1);
    rig_end(rig);
}

TEST(a_worker_that_changes_its_kinds_no_longer_serves_the_old_ones) {
    struct rig *rig = rig_new();
    const struct slice kinds[] = {SLICE("report"), SLICE("mail")};
    push(rig, "q", "report");
    push(rig, "q", "mail");
    work(rig, "w1", kinds, 2);
    look(rig);
    CHECK_EQUAL(list.count, 0);
    work(rig, "w1", &kinds[1], 1);
    const struct unserved_view *rows = look(rig);
    CHECK_EQUAL(list.count, 1);
    CHECK(slice_equal(rows[0].kind, SLICE("report")));
    rig_end(rig);
}

TEST(a_job_that_waits_for_its_time_waits_for_no_worker) {
    struct rig *rig = rig_new();
    struct command later = push_of("q");
    later.push.delay_ns = 10 * NS_PER_SECOND;
    CHECK_EQUAL(rig_do(rig, later), ANSWER_OK);
    look(rig);
    CHECK_EQUAL(list.count, 0);
    rig_advance(rig, 10 * NS_PER_SECOND);
    look(rig);
    CHECK_EQUAL(list.count, 1);
    rig_end(rig);
}

TEST(requests_of_callbacks_wait_a_while_before_they_are_told_of) {
    struct rig *rig = rig_new();
    push(rig, CALLBACK_QUEUE, CALLBACK_KIND);
    rig_advance(rig, UNSERVED_CALLBACK_NS - 1);
    look(rig);
    CHECK_EQUAL(list.count, 0);
    rig_advance(rig, 1);
    look(rig);
    CHECK_EQUAL(list.count, 1);
    rig_end(rig);
}

TEST(past_its_steps_or_rows_the_list_is_cut_and_says_so) {
    struct rig *rig = rig_new();
    for (int i = 0; i < UNSERVED_ROWS_MAX + 20; i++) {
        char kind[16];
        (void)snprintf(kind, sizeof kind, "k%d", i);
        push(rig, "q", kind);
    }
    look(rig);
    CHECK_EQUAL(list.count, UNSERVED_ROWS_MAX);
    CHECK_EQUAL(list.available, UNSERVED_ROWS_MAX + 20);
    CHECK(list.is_cut);
    /* A queue is a step, a kind two: itself, and its one priority. */
    engine_unserved(rig->engine, rig->now_ns, 1 + 2 * 10, &list);
    CHECK_EQUAL(list.count, 10);
    CHECK(list.is_cut);
    rig_end(rig);
}

TEST(workers_that_use_up_the_steps_leave_no_list_and_no_marks) {
    struct rig *rig = rig_new();
    const struct slice kinds[] = {SLICE("a"), SLICE("b"), SLICE("report")};
    work(rig, "w1", kinds, 2);
    work(rig, "w2", &kinds[2], 1);
    push(rig, "q", "a");
    engine_unserved(rig->engine, rig->now_ns, 3, &list);
    CHECK_EQUAL(list.count, 0);
    CHECK(list.is_cut);
    rig_advance(rig, LEASE_DEFAULT_NS);
    look(rig);
    CHECK_EQUAL(list.count, 1);
    CHECK(!list.is_cut);
    rig_end(rig);
}

TESTS(
    a_kind_that_no_live_worker_runs_is_told_with_its_jobs_and_its_oldest,
    a_worker_that_names_no_kind_runs_all_of_them_while_it_lives,
    a_worker_that_changes_its_kinds_no_longer_serves_the_old_ones,
    a_job_that_waits_for_its_time_waits_for_no_worker,
    requests_of_callbacks_wait_a_while_before_they_are_told_of,
    past_its_steps_or_rows_the_list_is_cut_and_says_so,
    workers_that_use_up_the_steps_leave_no_list_and_no_marks
)
