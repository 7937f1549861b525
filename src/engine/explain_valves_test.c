/* SPDX-License-Identifier: Apache-2.0 */
/* The gates of valves: rates, limits, pauses and order of queues, kinds, groups and limiters. */
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/explain.h"
#include "engine/rig.h"

static struct explanation explanation;

/* The gate of this type and owner of the job, or NULL. */
static const struct gate *
gate_of(const struct rig *rig, uint64_t id, enum gate_type type, enum gate_of of) {
    CHECK(engine_explain(rig->engine, rig->now_ns, id, &explanation));
    for (uint32_t i = 0; i < explanation.gate_count; i++) {
        const struct gate *gate = &explanation.gates[i];
        if (gate->type == type && gate->of == of) return gate;
    }
    return NULL;
}

static bool is_shut(const struct rig *rig, uint64_t id, enum gate_type type, enum gate_of of) {
    const struct gate *gate = gate_of(rig, id, type, of);
    return gate != NULL && !gate->is_open;
}

static uint64_t push(struct rig *rig, const char *group, const char *limiters) {
    struct command command = push_of("q");
    command.push.group = slice_str(group);
    command.push.limiters = slice_str(limiters);
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
    return rig->last.id;
}

static struct valve_name name_of(enum valve_sort sort, const char *name) {
    struct valve_name valve = {.sort = sort, .name = slice_str(name)};
    if (sort == VALVE_GROUP) valve.queue = SLICE("q");
    return valve;
}

static void pause(struct rig *rig, enum valve_sort sort, const char *name, hob_ns until_ns) {
    struct command command = {.type = COMMAND_VALVE_PAUSE};
    command.valve_pause = (struct valve_pause_command){
        .valve = name_of(sort, name),
        .until_ns = until_ns,
        .by = SLICE("ann"),
        .why = SLICE("it leaks"),
    };
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
}

static struct rate_set rate_of(uint32_t count, hob_ns period_ns) {
    return (struct rate_set){.has_rate = true, .count = count, .period_ns = period_ns};
}

static void work(struct rig *rig) {
    struct command set = {.type = COMMAND_WORKER_SET};
    set.worker_set.worker = SLICE("w1");
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
}

TEST(a_rate_says_how_many_may_start_and_then_when_the_next_one_may) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set.queue = SLICE("q");
    set.queue_set.rate = rate_of(2, 2 * NS_PER_SECOND);
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    work(rig);
    for (int i = 0; i < 2; i++) (void)push(rig, "", "");
    uint64_t id = push(rig, "", "");
    const struct gate *gate = gate_of(rig, id, GATE_RATE, GATE_OF_QUEUE);
    CHECK(gate->is_open);
    CHECK_EQUAL(gate->count, 2);
    CHECK_EQUAL(gate->limit, 2);
    CHECK_EQUAL(gate->rate.count, 2);
    CHECK_EQUAL(gate->units, 0);
    CHECK(rig_fetch(rig, "q") != 0);
    CHECK(rig_fetch(rig, "q") != 0);
    CHECK_EQUAL(rig_fetch(rig, "q"), 0);
    gate = gate_of(rig, id, GATE_RATE, GATE_OF_QUEUE);
    CHECK(!gate->is_open);
    CHECK_EQUAL(gate->count, 0);
    CHECK_EQUAL(gate->until_ns, rig->now_ns + NS_PER_SECOND);
    CHECK_EQUAL(explanation.start_ns, rig->now_ns + NS_PER_SECOND);
    rig_advance(rig, NS_PER_SECOND);
    CHECK(gate_of(rig, id, GATE_RATE, GATE_OF_QUEUE)->is_open);
    CHECK_EQUAL(rig_fetch(rig, "q"), id);
    rig_end(rig);
}

TEST(a_limiter_says_what_is_in_use_and_what_the_job_wants) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_VALVE_SET};
    set.valve_set.valve = name_of(VALVE_LIMITER, "api");
    set.valve_set.has_concurrency = true;
    set.valve_set.concurrency = 5;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    work(rig);
    uint64_t first = push(rig, "", "api=3");
    uint64_t second = push(rig, "", "api=3,other");
    CHECK(!is_shut(rig, second, GATE_CONCURRENCY, GATE_OF_LIMITER));
    CHECK_EQUAL(rig_fetch(rig, "q"), first);
    CHECK(is_shut(rig, second, GATE_CONCURRENCY, GATE_OF_LIMITER));
    const struct gate *gate = gate_of(rig, second, GATE_CONCURRENCY, GATE_OF_LIMITER);
    CHECK(slice_equal(gate->name, SLICE("api")));
    CHECK_EQUAL(gate->count, 3);
    CHECK_EQUAL(gate->limit, 5);
    CHECK_EQUAL(gate->units, 3);
    CHECK(gate_of(rig, second, GATE_LINE, GATE_OF_QUEUE) == NULL);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, first)), ANSWER_OK);
    CHECK(!is_shut(rig, second, GATE_CONCURRENCY, GATE_OF_LIMITER));
    rig_end(rig);
}

TEST(more_units_than_there_can_be_are_all_of_them) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_VALVE_SET};
    set.valve_set.valve = name_of(VALVE_LIMITER, "api");
    set.valve_set.has_concurrency = true;
    set.valve_set.concurrency = 2;
    set.valve_set.rate = rate_of(4, NS_PER_MINUTE);
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    uint64_t id = push(rig, "", "api=1000");
    CHECK(!is_shut(rig, id, GATE_CONCURRENCY, GATE_OF_LIMITER));
    CHECK(!is_shut(rig, id, GATE_RATE, GATE_OF_LIMITER));
    CHECK_EQUAL(rig_fetch(rig, "q"), id);
    rig_end(rig);
}

TEST(pauses_of_kind_group_and_limiter_are_told_apart) {
    struct rig *rig = rig_new();
    work(rig);
    uint64_t id = push(rig, "g", "api");
    hob_ns until_ns = rig->now_ns + NS_PER_HOUR;
    pause(rig, VALVE_KIND, "work", until_ns);
    CHECK(is_shut(rig, id, GATE_PAUSE, GATE_OF_KIND));
    CHECK(slice_equal(gate_of(rig, id, GATE_PAUSE, GATE_OF_KIND)->name, SLICE("work")));
    CHECK_EQUAL(explanation.start_ns, until_ns);
    pause(rig, VALVE_GROUP, "g", until_ns + NS_PER_HOUR);
    CHECK(is_shut(rig, id, GATE_PAUSE, GATE_OF_GROUP));
    CHECK_EQUAL(explanation.start_ns, until_ns + NS_PER_HOUR);
    CHECK(gate_of(rig, id, GATE_PAUSE, GATE_OF_LIMITER) == NULL);
    pause(rig, VALVE_LIMITER, "api", 0);
    const struct gate *gate = gate_of(rig, id, GATE_PAUSE, GATE_OF_LIMITER);
    CHECK(!gate->is_open);
    CHECK(slice_equal(gate->by, SLICE("ann")));
    CHECK(slice_equal(gate->why, SLICE("it leaks")));
    CHECK_EQUAL(explanation.start_ns, 0);
    CHECK(gate_of(rig, id, GATE_PAUSE, GATE_OF_QUEUE) == NULL);
    rig_advance(rig, 2 * NS_PER_HOUR);
    CHECK(!is_shut(rig, id, GATE_PAUSE, GATE_OF_KIND));
    rig_end(rig);
}

TEST(a_strict_group_names_the_job_that_blocks_it) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set.queue = SLICE("q");
    set.queue_set.has_group_order = true;
    set.queue_set.group_order = GROUP_BLOCK;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    uint64_t first = push(rig, "g", "");
    uint64_t second = push(rig, "g", "");
    CHECK(!is_shut(rig, second, GATE_ORDER, GATE_OF_GROUP));
    CHECK_EQUAL(rig_fetch(rig, "q"), first);
    CHECK(is_shut(rig, second, GATE_ORDER, GATE_OF_GROUP));
    CHECK_EQUAL(rig_fail(rig, rig_lease(rig, first)), ANSWER_OK);
    CHECK(is_shut(rig, second, GATE_ORDER, GATE_OF_GROUP));
    /* It waits for its own next attempt, and for nobody else. */
    CHECK(!is_shut(rig, first, GATE_ORDER, GATE_OF_GROUP));
    rig_advance(rig, NS_PER_MINUTE);
    CHECK_EQUAL(rig_fetch(rig, "q"), first);
    struct command fail = {.type = COMMAND_FAIL};
    fail.fail.lease = rig_lease(rig, first);
    fail.fail.permanent = true;
    CHECK_EQUAL(rig_do(rig, fail), ANSWER_OK);
    CHECK(is_shut(rig, second, GATE_BLOCKED, GATE_OF_GROUP));
    CHECK_EQUAL(gate_of(rig, second, GATE_BLOCKED, GATE_OF_GROUP)->job, first);
    CHECK_EQUAL(explanation.start_ns, 0);
    struct command skip = {.type = COMMAND_GROUP_SKIP};
    skip.group_skip.valve = name_of(VALVE_GROUP, "g");
    CHECK_EQUAL(rig_do(rig, skip), ANSWER_OK);
    CHECK(gate_of(rig, second, GATE_BLOCKED, GATE_OF_GROUP) == NULL);
    CHECK_EQUAL(rig_fetch(rig, "q"), second);
    rig_end(rig);
}

TESTS(
    a_rate_says_how_many_may_start_and_then_when_the_next_one_may,
    a_limiter_says_what_is_in_use_and_what_the_job_wants,
    more_units_than_there_can_be_are_all_of_them,
    pauses_of_kind_group_and_limiter_are_told_apart,
    a_strict_group_names_the_job_that_blocks_it
)
