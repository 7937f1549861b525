/* SPDX-License-Identifier: Apache-2.0 */
/* Labels that jobs need, and slots that they take. The rig replays everything, and checks every
 * invariant. */
#include "engine/demands.h"

#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/explain.h"
#include "engine/rig.h"

static uint64_t push_asking(struct rig *rig, const char *needs, uint32_t cost) {
    struct command push = push_of("a");
    push.push.needs = slice_str(needs);
    push.push.cost = cost;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    return rig->last.id;
}

static enum answer_code
work(struct rig *rig, const char *name, uint32_t slots, const char *labels, const char *kind) {
    struct slice kinds = slice_str(kind);
    struct command set = {.type = COMMAND_WORKER_SET};
    set.worker_set = (struct worker_set_command){
        .worker = slice_str(name),
        .slots = slots,
        .labels = slice_str(labels),
        .kinds = &kinds,
        .kind_count = kinds.size > 0 ? 1 : 0,
    };
    return rig_do(rig, set);
}

static const struct slice queue_a = {.bytes = "a", .size = 1};

/* One job, or 0; with a request it waits, and 0 is that. */
static uint64_t fetch_by(struct rig *rig, const char *worker, uint64_t request) {
    struct command fetch = {.type = COMMAND_FETCH, .request = request};
    fetch.fetch = (struct fetch_command){
        .worker = slice_str(worker),
        .queues = &queue_a,
        .queue_count = 1,
        .wait_ns = request == 0 ? 0 : NS_PER_MINUTE,
    };
    return rig_do(rig, fetch) == ANSWER_OK ? rig->last.jobs[0] : 0;
}

TEST(a_job_goes_only_to_a_worker_with_all_labels_that_it_needs) {
    struct rig *rig = rig_new();
    uint64_t both = push_asking(rig, "gpu,eu", 1);
    uint64_t one = push_asking(rig, "eu", 1);
    uint64_t none = push_asking(rig, "", 1);
    CHECK_EQUAL(work(rig, "plain", 9, "", ""), ANSWER_OK);
    CHECK_EQUAL(work(rig, "eu", 9, "eu,ssd", "work"), ANSWER_OK);
    CHECK_EQUAL(work(rig, "all", 9, "eu,x,gpu", ""), ANSWER_OK);
    CHECK_EQUAL(fetch_by(rig, "plain", 0), none);
    CHECK_EQUAL(fetch_by(rig, "plain", 0), 0);
    CHECK_EQUAL(fetch_by(rig, "eu", 0), one);
    CHECK_EQUAL(fetch_by(rig, "eu", 0), 0);
    CHECK_EQUAL(fetch_by(rig, "all", 0), both);
    rig_end(rig);
}

TEST(a_waiting_fetch_takes_what_its_worker_has_the_label_for) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(work(rig, "plain", 9, "", ""), ANSWER_OK);
    CHECK_EQUAL(work(rig, "gpu", 9, "gpu", ""), ANSWER_OK);
    CHECK_EQUAL(fetch_by(rig, "plain", 7), 0);
    CHECK_EQUAL(fetch_by(rig, "gpu", 8), 0);
    uint64_t id = push_asking(rig, "gpu", 1);
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late[0].request, 8);
    uint64_t other = push_asking(rig, "gpu", 1);
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(work(rig, "plain", 9, "gpu", ""), ANSWER_OK); /* it learns */
    CHECK_EQUAL(rig->late_count, 2);
    CHECK_EQUAL(rig->late_job[0], id);
    CHECK_EQUAL(rig->late_job[1], other);
    rig_end(rig);
}

TEST(a_job_takes_as_many_slots_as_it_costs) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(work(rig, "w1", 5, "", ""), ANSWER_OK);
    uint64_t three = push_asking(rig, "", 3);
    (void)push_asking(rig, "", 2);
    (void)push_asking(rig, "", 1);
    CHECK_EQUAL(fetch_by(rig, "w1", 0), three);
    CHECK(fetch_by(rig, "w1", 0) != 0);
    CHECK_EQUAL(fetch_by(rig, "w1", 0), 0);
    CHECK_EQUAL(rig->last.code, ANSWER_NO_SLOT);
    struct worker_view worker;
    CHECK(engine_worker_at(rig->engine, 0, &worker));
    CHECK_EQUAL(worker.running, 5);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, three)), ANSWER_OK);
    CHECK(engine_worker_at(rig->engine, 0, &worker));
    CHECK_EQUAL(worker.running, 2);
    rig_end(rig);
}

TEST(nothing_overtakes_a_job_that_is_too_big_for_the_free_slots) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(work(rig, "w1", 4, "", ""), ANSWER_OK);
    uint64_t first = push_asking(rig, "", 2);
    CHECK_EQUAL(fetch_by(rig, "w1", 0), first);
    uint64_t big = push_asking(rig, "", 3);
    uint64_t small = push_asking(rig, "", 1);
    CHECK_EQUAL(fetch_by(rig, "w1", 0), 0);
    CHECK_EQUAL(rig->last.code, ANSWER_EMPTY);
    CHECK_EQUAL(fetch_by(rig, "w1", 7), 0);
    (void)push_asking(rig, "", 1);
    CHECK_EQUAL(rig->late_count, 0);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, first)), ANSWER_OK);
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late_job[0], big);
    CHECK_EQUAL(fetch_by(rig, "w1", 0), small);
    rig_end(rig);
}

TEST(a_worker_that_is_short_takes_what_is_smaller_and_more_urgent) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(work(rig, "w1", 4, "", ""), ANSWER_OK);
    CHECK_EQUAL(fetch_by(rig, "w1", 0) == 0, true);
    uint64_t first = push_asking(rig, "", 2);
    CHECK_EQUAL(fetch_by(rig, "w1", 0), first);
    (void)push_asking(rig, "", 3);
    CHECK_EQUAL(fetch_by(rig, "w1", 7), 0);
    struct command urgent = push_of("a");
    urgent.push.has_priority = true;
    urgent.push.priority = 1;
    urgent.push.cost = 2;
    CHECK_EQUAL(rig_do(rig, urgent), ANSWER_OK);
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late_job[0], rig->last.id);
    rig_end(rig);
}

TEST(another_worker_of_its_sort_with_room_takes_the_big_job) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(work(rig, "w1", 4, "", ""), ANSWER_OK);
    CHECK_EQUAL(work(rig, "w2", 4, "", ""), ANSWER_OK);
    CHECK(fetch_by(rig, "w1", 0) == 0);
    (void)push_asking(rig, "", 2);
    CHECK(fetch_by(rig, "w1", 0) != 0);
    CHECK_EQUAL(fetch_by(rig, "w1", 7), 0);
    CHECK_EQUAL(fetch_by(rig, "w2", 8), 0);
    uint64_t big = push_asking(rig, "", 4);
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late[0].request, 8);
    CHECK_EQUAL(rig->late_job[0], big);
    rig_end(rig);
}

TEST(what_is_larger_than_all_slots_of_a_worker_is_not_its_affair) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(work(rig, "w1", 2, "", ""), ANSWER_OK);
    uint64_t big = push_asking(rig, "", 3);
    uint64_t small = push_asking(rig, "", 1);
    CHECK_EQUAL(fetch_by(rig, "w1", 0), small);
    CHECK_EQUAL(fetch_by(rig, "w1", 0), 0);
    static struct explanation explanation;
    CHECK(engine_explain(rig->engine, rig->now_ns, big, &explanation));
    CHECK_EQUAL(explanation_shut(&explanation)->type, GATE_NEEDS);
    CHECK_EQUAL(explanation_shut(&explanation)->limit, 3);
    static struct unserved_list list;
    engine_unserved(rig->engine, rig->now_ns, 1000, &list);
    CHECK_EQUAL(list.count, 1);
    CHECK_EQUAL(list.rows[0].cost, 3);
    rig_end(rig);
}

TEST(an_update_changes_what_a_waiting_job_asks_for) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(work(rig, "w1", 2, "", ""), ANSWER_OK);
    uint64_t id = push_asking(rig, "gpu", 3);
    CHECK_EQUAL(fetch_by(rig, "w1", 7), 0);
    struct command update = {.type = COMMAND_UPDATE, .update = {.id = id}};
    update.update.has.needs = true;
    update.update.has.cost = true;
    update.update.to.cost = 1;
    CHECK_EQUAL(rig_do(rig, update), ANSWER_OK);
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig_job(rig, id).needs.size, 0);
    CHECK_EQUAL(rig_job(rig, id).cost, 0);
    rig_end(rig);
}

TEST(what_no_worker_can_be_is_refused) {
    struct rig *rig = rig_new();
    struct command push = push_of("a");
    push.push.cost = WORKER_SLOTS_MAX + 1;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    push.push.cost = WORKER_SLOTS_MAX;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    push.push.needs = SLICE("gpu,");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(work(rig, "w1", 1, "a b", ""), ANSWER_BAD_ARGUMENT);
    rig_end(rig);
}

/* More branches than one level of a heap has, and only the last one is for this worker. */
TEST(a_worker_finds_its_job_behind_many_that_it_cannot_run) {
    struct rig *rig = rig_new();
    char kind[8] = "k00";
    for (int i = 0; i < 60; i++) {
        kind[1] = (char)('0' + i / 10);
        kind[2] = (char)('0' + i % 10);
        struct command push = push_of("a");
        push.push.kind = slice_str(kind);
        push.push.needs = SLICE("gpu");
        CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    }
    uint64_t eu = push_asking(rig, "eu", 1);
    uint64_t plain = push_asking(rig, "", 1);
    CHECK_EQUAL(work(rig, "w1", 9, "eu", ""), ANSWER_OK);
    CHECK_EQUAL(fetch_by(rig, "w1", 0), eu);
    CHECK_EQUAL(fetch_by(rig, "w1", 0), plain);
    CHECK_EQUAL(fetch_by(rig, "w1", 0), 0);
    rig_end(rig);
}

TESTS(
    a_job_goes_only_to_a_worker_with_all_labels_that_it_needs,
    a_waiting_fetch_takes_what_its_worker_has_the_label_for,
    a_job_takes_as_many_slots_as_it_costs,
    nothing_overtakes_a_job_that_is_too_big_for_the_free_slots,
    a_worker_that_is_short_takes_what_is_smaller_and_more_urgent,
    another_worker_of_its_sort_with_room_takes_the_big_job,
    what_is_larger_than_all_slots_of_a_worker_is_not_its_affair,
    an_update_changes_what_a_waiting_job_asks_for,
    what_no_worker_can_be_is_refused,
    a_worker_finds_its_job_behind_many_that_it_cannot_run
)
