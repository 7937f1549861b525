/* SPDX-License-Identifier: Apache-2.0 */
/* Each gate, shut and open, with what it says. */
#include "engine/explain.h"

#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/rig.h"

static struct explanation explanation;

/* The gate of this type of the job, or NULL. */
static const struct gate *gate_of(const struct rig *rig, uint64_t id, enum gate_type type) {
    CHECK(engine_explain(rig->engine, rig->now_ns, id, &explanation));
    for (uint32_t i = 0; i < explanation.gate_count; i++) {
        if (explanation.gates[i].type == type) return &explanation.gates[i];
    }
    return NULL;
}

static bool is_shut(const struct rig *rig, uint64_t id, enum gate_type type) {
    const struct gate *gate = gate_of(rig, id, type);
    return gate != NULL && !gate->is_open;
}

static void work(struct rig *rig, const char *worker, const char *kind, uint32_t slots) {
    struct slice kinds[] = {slice_str(kind)};
    struct command set = {.type = COMMAND_WORKER_SET};
    set.worker_set.worker = slice_str(worker);
    set.worker_set.slots = slots;
    set.worker_set.kinds = kinds;
    set.worker_set.kind_count = kinds[0].size > 0 ? 1 : 0;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
}

static enum answer_code
ask(struct rig *rig, const char *worker, const struct slice *queues, uint32_t count) {
    struct command fetch = {.type = COMMAND_FETCH, .request = ++rig->now_ns};
    fetch.fetch = (struct fetch_command){
        .worker = slice_str(worker),
        .queues = queues,
        .queue_count = count,
        .wait_ns = NS_PER_MINUTE,
    };
    return rig_do(rig, fetch);
}

TEST(nothing_is_in_the_way_of_a_job_that_a_worker_can_have_now) {
    struct rig *rig = rig_new();
    work(rig, "w1", "", 10);
    uint64_t id = rig_push(rig, "q");
    CHECK(engine_explain(rig->engine, rig->now_ns, id, &explanation));
    CHECK(explanation_shut(&explanation) == NULL);
    CHECK_EQUAL(explanation.id, id);
    CHECK_EQUAL(explanation.state, JOB_AVAILABLE);
    CHECK(slice_equal(explanation.queue, SLICE("q")));
    CHECK_EQUAL(gate_of(rig, id, GATE_LINE)->count, 0);
    CHECK_EQUAL(gate_of(rig, id, GATE_KIND)->count, 1);
    CHECK(gate_of(rig, id, GATE_PAUSE) == NULL);
    CHECK_EQUAL(rig_fetch(rig, "q"), id);
    rig_end(rig);
}

TEST(a_job_that_runs_or_is_final_has_no_gates_and_an_unknown_one_no_explanation) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "q");
    CHECK_EQUAL(rig_fetch(rig, "q"), id);
    CHECK(engine_explain(rig->engine, rig->now_ns, id, &explanation));
    CHECK_EQUAL(explanation.gate_count, 0);
    CHECK_EQUAL(explanation.state, JOB_RUNNING);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    CHECK(engine_explain(rig->engine, rig->now_ns, id, &explanation));
    CHECK_EQUAL(explanation.gate_count, 0);
    CHECK_EQUAL(explanation.state, JOB_COMPLETED);
    CHECK(!engine_explain(rig->engine, rig->now_ns, 4711, &explanation));
    rig_end(rig);
}

TEST(a_scheduled_job_waits_for_its_time_and_starts_then) {
    struct rig *rig = rig_new();
    work(rig, "w1", "", 10);
    struct command later = push_of("q");
    later.push.delay_ns = NS_PER_SECOND;
    later.push.expires_in_ns = NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, later), ANSWER_OK);
    uint64_t id = rig->last.id;
    hob_ns at_ns = rig->now_ns + NS_PER_SECOND;
    CHECK(is_shut(rig, id, GATE_TIME));
    CHECK_EQUAL(gate_of(rig, id, GATE_TIME)->until_ns, at_ns);
    CHECK_EQUAL(explanation.start_ns, at_ns);
    CHECK(gate_of(rig, id, GATE_LINE) == NULL);
    CHECK(!is_shut(rig, id, GATE_EXPIRY));
    CHECK_EQUAL(gate_of(rig, id, GATE_EXPIRY)->until_ns, rig->now_ns + NS_PER_MINUTE);
    CHECK(gate_of(rig, id, GATE_DEADLINE) == NULL);
    rig_advance(rig, NS_PER_SECOND);
    CHECK(gate_of(rig, id, GATE_TIME) == NULL);
    CHECK(gate_of(rig, id, GATE_LINE)->is_open);
    rig_end(rig);
}

TEST(a_deadline_says_until_when_the_job_may_start) {
    struct rig *rig = rig_new();
    struct command command = push_of("q");
    command.push.deadline_in_ns = NS_PER_HOUR;
    command.push.margin_ns = NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
    uint64_t id = rig->last.id;
    const struct gate *gate = gate_of(rig, id, GATE_DEADLINE);
    CHECK(gate->is_open);
    CHECK_EQUAL(gate->until_ns, rig->now_ns + NS_PER_HOUR - NS_PER_MINUTE);
    CHECK(gate_of(rig, id, GATE_EXPIRY) == NULL);
    rig_end(rig);
}

TEST(a_paused_queue_says_by_whom_until_when_and_why) {
    struct rig *rig = rig_new();
    work(rig, "w1", "", 10);
    uint64_t id = rig_push(rig, "q");
    struct command pause = {.type = COMMAND_PAUSE};
    pause.pause = (struct pause_command){
        .queue = SLICE("q"),
        .until_ns = rig->now_ns + NS_PER_HOUR,
        .by = SLICE("ann"),
        .why = SLICE("it leaks"),
    };
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    CHECK(is_shut(rig, id, GATE_PAUSE));
    const struct gate *gate = gate_of(rig, id, GATE_PAUSE);
    CHECK_EQUAL(gate->until_ns, pause.pause.until_ns);
    CHECK(slice_equal(gate->by, SLICE("ann")));
    CHECK(slice_equal(gate->why, SLICE("it leaks")));
    CHECK(slice_equal(gate->name, SLICE("q")));
    CHECK_EQUAL(explanation.start_ns, pause.pause.until_ns);
    rig_advance(rig, NS_PER_HOUR);
    CHECK(!is_shut(rig, id, GATE_PAUSE));
    rig_end(rig);
}

TEST(a_full_queue_says_how_many_run) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set =
        (struct queue_set_command){.queue = SLICE("q"), .has_concurrency = true, .concurrency = 1};
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    uint64_t first = rig_push(rig, "q");
    uint64_t second = rig_push(rig, "q");
    CHECK(!is_shut(rig, second, GATE_CONCURRENCY));
    CHECK_EQUAL(rig_fetch(rig, "q"), first);
    CHECK(is_shut(rig, second, GATE_CONCURRENCY));
    CHECK_EQUAL(gate_of(rig, second, GATE_CONCURRENCY)->count, 1);
    CHECK_EQUAL(gate_of(rig, second, GATE_CONCURRENCY)->limit, 1);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, first)), ANSWER_OK);
    CHECK(!is_shut(rig, second, GATE_CONCURRENCY));
    rig_end(rig);
}

TEST(a_kind_without_a_live_worker_has_no_start) {
    struct rig *rig = rig_new();
    uint64_t id = rig_push(rig, "q");
    CHECK(is_shut(rig, id, GATE_KIND));
    CHECK(slice_equal(gate_of(rig, id, GATE_KIND)->name, SLICE("work")));
    CHECK_EQUAL(explanation.start_ns, 0);
    work(rig, "other", "mail", 10);
    CHECK(is_shut(rig, id, GATE_KIND));
    work(rig, "w1", "work", 10);
    CHECK(!is_shut(rig, id, GATE_KIND));
    rig_advance(rig, NS_PER_DAY);
    CHECK(is_shut(rig, id, GATE_KIND));
    rig_end(rig);
}

TEST(workers_that_are_full_have_no_slot) {
    struct rig *rig = rig_new();
    work(rig, "w1", "work", 1);
    uint64_t first = rig_push(rig, "q");
    uint64_t second = rig_push(rig, "q");
    CHECK_EQUAL(rig_fetch(rig, "q"), first);
    CHECK(is_shut(rig, second, GATE_SLOT));
    CHECK_EQUAL(gate_of(rig, second, GATE_SLOT)->count, 1);
    CHECK_EQUAL(gate_of(rig, second, GATE_SLOT)->limit, 1);
    work(rig, "w1", "work", 2);
    CHECK(!is_shut(rig, second, GATE_SLOT));
    rig_end(rig);
}

TEST(a_queue_that_all_workers_exclude_waits_for_nobody) {
    struct rig *rig = rig_new();
    const struct slice others[] = {SLICE("*"), SLICE("!q")};
    const struct slice all = SLICE("*");
    work(rig, "w1", "work", 10);
    CHECK_EQUAL(ask(rig, "w1", others, 2), ANSWER_WAITING);
    uint64_t id = rig_push(rig, "q");
    CHECK(is_shut(rig, id, GATE_FETCH));
    CHECK(slice_equal(gate_of(rig, id, GATE_FETCH)->by, SLICE("w1")));
    /* A worker that does not wait may ask at any moment. */
    work(rig, "w2", "work", 10);
    CHECK(!is_shut(rig, id, GATE_FETCH));
    struct command pause = {.type = COMMAND_PAUSE, .pause = {.queue = SLICE("q")}};
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    CHECK_EQUAL(ask(rig, "w2", &all, 1), ANSWER_WAITING);
    CHECK(!is_shut(rig, id, GATE_FETCH));
    CHECK_EQUAL(gate_of(rig, id, GATE_FETCH)->count, 1);
    rig_end(rig);
}

TEST(work_of_a_smaller_tier_goes_first) {
    struct rig *rig = rig_new();
    work(rig, "w1", "work", 10);
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set = (struct queue_set_command){.queue = SLICE("vip"), .has_tier = true, .tier = 1};
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    uint64_t id = rig_push(rig, "q");
    CHECK(gate_of(rig, id, GATE_TIER) == NULL);
    uint64_t vip = rig_push(rig, "vip");
    (void)rig_push(rig, "vip");
    CHECK(is_shut(rig, id, GATE_TIER));
    CHECK_EQUAL(gate_of(rig, id, GATE_TIER)->count, 2);
    CHECK(slice_equal(gate_of(rig, id, GATE_TIER)->name, SLICE("vip")));
    CHECK(gate_of(rig, vip, GATE_TIER) == NULL);
    rig_end(rig);
}

TEST(the_place_in_the_line_is_exact_up_to_a_thousand) {
    struct rig *rig = rig_new();
    work(rig, "w1", "work", 10);
    uint64_t ids[NEXT_COUNT_MAX + 1];
    for (uint32_t i = 0; i < NEXT_COUNT_MAX + 1; i++) ids[i] = rig_push(rig, "q");
    CHECK_EQUAL(gate_of(rig, ids[7], GATE_LINE)->count, 7);
    CHECK(!gate_of(rig, ids[7], GATE_LINE)->is_least);
    CHECK_EQUAL(gate_of(rig, ids[999], GATE_LINE)->count, 999);
    CHECK_EQUAL(gate_of(rig, ids[1000], GATE_LINE)->count, 1000);
    CHECK(gate_of(rig, ids[1000], GATE_LINE)->is_least);
    rig_end(rig);
}

TEST(the_start_follows_the_pace_of_the_queue) {
    struct rig *rig = rig_new();
    work(rig, "w1", "work", 1);
    for (int i = 0; i < 30; i++) (void)rig_push(rig, "q");
    for (int i = 0; i < 10; i++) {
        uint64_t id = rig_fetch(rig, "q");
        rig_advance(rig, NS_PER_SECOND);
        CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    }
    uint64_t last = rig_push(rig, "q");
    CHECK_EQUAL(gate_of(rig, last, GATE_LINE)->count, 20);
    CHECK(explanation.start_ns >= rig->now_ns + 15 * NS_PER_SECOND);
    CHECK(explanation.start_ns <= rig->now_ns + 25 * NS_PER_SECOND);
    rig_end(rig);
}

TESTS(
    nothing_is_in_the_way_of_a_job_that_a_worker_can_have_now,
    a_job_that_runs_or_is_final_has_no_gates_and_an_unknown_one_no_explanation,
    a_scheduled_job_waits_for_its_time_and_starts_then,
    a_deadline_says_until_when_the_job_may_start,
    a_paused_queue_says_by_whom_until_when_and_why,
    a_full_queue_says_how_many_run,
    a_kind_without_a_live_worker_has_no_start,
    workers_that_are_full_have_no_slot,
    a_queue_that_all_workers_exclude_waits_for_nobody,
    work_of_a_smaller_tier_goes_first,
    the_place_in_the_line_is_exact_up_to_a_thousand,
    the_start_follows_the_pace_of_the_queue
)
