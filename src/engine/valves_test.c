/* SPDX-License-Identifier: Apache-2.0 */
/* What stops jobs that wait: rates to the nanosecond, limits that many queues share, groups that
 * stop at a failure, pauses. */
#include "engine/valves.h"

#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/rig.h"

static uint64_t push(struct rig *rig, const char *queue, const char *group, const char *limiters) {
    struct command command = push_of(queue);
    command.push.group = slice_str(group);
    command.push.limiters = slice_str(limiters);
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
    return rig->last.id;
}

static uint32_t fetch_all(struct rig *rig, const char *queue) {
    static struct slice name;
    name = slice_str(queue);
    struct command fetch = {.type = COMMAND_FETCH};
    fetch.fetch.worker = SLICE("w1");
    fetch.fetch.queues = &name;
    fetch.fetch.queue_count = 1;
    fetch.fetch.count = FETCH_COUNT_MAX;
    return rig_do(rig, fetch) == ANSWER_OK ? rig->last.job_count : 0;
}

static struct rate_set rate_of(uint32_t count, hob_ns period_ns, uint32_t burst) {
    return (struct rate_set){
        .has_rate = true,
        .count = count,
        .period_ns = period_ns,
        .has_burst = burst > 0,
        .burst = burst,
    };
}

static struct valve_name limiter(const char *name) {
    return (struct valve_name){.sort = VALVE_LIMITER, .name = slice_str(name)};
}

static struct valve_name group(const char *queue, const char *name) {
    return (struct valve_name
    ){.sort = VALVE_GROUP, .queue = slice_str(queue), .name = slice_str(name)};
}

static enum answer_code limit(struct rig *rig, struct valve_name valve, uint32_t concurrency) {
    struct command set = {.type = COMMAND_VALVE_SET};
    set.valve_set.valve = valve;
    set.valve_set.has_concurrency = true;
    set.valve_set.concurrency = concurrency;
    return rig_do(rig, set);
}

static enum answer_code pace(struct rig *rig, struct valve_name valve, struct rate_set rate) {
    struct command set = {.type = COMMAND_VALVE_SET};
    set.valve_set.valve = valve;
    set.valve_set.rate = rate;
    return rig_do(rig, set);
}

static void order_groups(struct rig *rig, const char *queue, enum group_order order) {
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set.queue = slice_str(queue);
    set.queue_set.has_group_order = true;
    set.queue_set.group_order = order;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
}

static enum answer_code fail_for_good(struct rig *rig, uint64_t id) {
    struct command command = {.type = COMMAND_FAIL};
    command.fail.lease = rig_lease(rig, id);
    command.fail.permanent = true;
    return rig_do(rig, command);
}

static struct valve_view view_of(struct rig *rig, struct valve_name valve) {
    struct valve_view view = {.sort = valve.sort};
    CHECK(engine_valve(rig->engine, &valve, &view));
    return view;
}

TEST(a_rate_gives_a_burst_and_then_one_job_a_step_to_the_nanosecond) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set.queue = SLICE("a");
    set.queue_set.rate = rate_of(3, NS_PER_SECOND, 2); /* a step: 333,333,334 ns */
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    for (uint32_t i = 0; i < 9; i++) rig_push(rig, "a");
    CHECK_EQUAL(fetch_all(rig, "a"), 2);
    CHECK_EQUAL(engine_due(rig->engine), rig->now_ns + 333333334);
    rig_advance(rig, 333333333);
    CHECK_EQUAL(fetch_all(rig, "a"), 0);
    rig_advance(rig, 1);
    CHECK_EQUAL(fetch_all(rig, "a"), 1);
    rig_advance(rig, NS_PER_HOUR); /* a rest gives the burst back, and no more */
    CHECK_EQUAL(fetch_all(rig, "a"), 2);
    rig_end(rig);
}

TEST(a_slower_rate_that_becomes_a_faster_one_forgives_what_is_owed) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(pace(rig, limiter("api"), rate_of(1, NS_PER_HOUR, 0)), ANSWER_OK);
    for (uint32_t i = 0; i < 4; i++) push(rig, "a", "", "api");
    CHECK_EQUAL(fetch_all(rig, "a"), 1);
    CHECK_EQUAL(pace(rig, limiter("api"), rate_of(1, NS_PER_SECOND, 0)), ANSWER_OK);
    CHECK_EQUAL(fetch_all(rig, "a"), 0); /* there is no second burst */
    rig_advance(rig, NS_PER_SECOND);
    CHECK_EQUAL(fetch_all(rig, "a"), 1);
    CHECK_EQUAL(pace(rig, limiter("api"), rate_of(0, 0, 1)), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(pace(rig, limiter("api"), rate_of(0, 0, 0)), ANSWER_OK);
    CHECK_EQUAL(fetch_all(rig, "a"), 2);
    rig_end(rig);
}

TEST(a_limiter_counts_the_units_of_jobs_of_all_queues) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(limit(rig, limiter("api"), 3), ANSWER_OK);
    uint64_t first = push(rig, "a", "", "api=2");
    push(rig, "b", "", "api=2");
    uint64_t small = push(rig, "b", "", "disk,api");
    uint64_t free = push(rig, "b", "", "disk");
    CHECK_EQUAL(rig_fetch(rig, "a"), first);
    CHECK_EQUAL(rig_fetch(rig, "b"), small); /* there is room for one unit, not for two */
    CHECK_EQUAL(rig_fetch(rig, "b"), free);
    CHECK_EQUAL(rig_fetch(rig, "b"), 0);
    struct valve_view view = view_of(rig, limiter("api"));
    CHECK_EQUAL(view.running, 3);
    CHECK_EQUAL(view.waiting, 1);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, small)), ANSWER_OK);
    CHECK_EQUAL(rig_fetch(rig, "b"), 0);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, first)), ANSWER_OK);
    CHECK(rig_fetch(rig, "b") != 0);
    rig_end(rig);
}

TEST(a_job_that_wants_more_than_there_ever_is_gets_all_of_it) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(limit(rig, limiter("api"), 2), ANSWER_OK);
    uint64_t small = push(rig, "a", "", "api");
    uint64_t large = push(rig, "a", "", "api=5");
    CHECK_EQUAL(rig_fetch(rig, "a"), small);
    CHECK_EQUAL(rig_fetch(rig, "a"), 0);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, small)), ANSWER_OK);
    CHECK_EQUAL(rig_fetch(rig, "a"), large);
    rig_end(rig);
}

TEST(a_rule_holds_for_each_limiter_that_it_fits_and_that_has_no_own) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(limit(rig, limiter("tenant-*"), 1), ANSWER_OK);
    for (uint32_t i = 0; i < 2; i++) {
        push(rig, "a", "", "tenant-1");
        push(rig, "a", "", "tenant-2");
        push(rig, "a", "", "other");
    }
    CHECK_EQUAL(fetch_all(rig, "a"), 4);
    CHECK_EQUAL(limit(rig, limiter("tenant-2"), 0), ANSWER_OK);
    CHECK_EQUAL(fetch_all(rig, "a"), 1);
    struct command reset = {.type = COMMAND_VALVE_SET};
    reset.valve_set.valve = limiter("tenant-*");
    reset.valve_set.reset = true;
    CHECK_EQUAL(rig_do(rig, reset), ANSWER_OK);
    CHECK_EQUAL(fetch_all(rig, "a"), 1);
    rig_end(rig);
}

TEST(a_waiting_fetch_gets_the_job_when_its_limiter_opens) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(pace(rig, limiter("api"), rate_of(1, NS_PER_MINUTE, 0)), ANSWER_OK);
    uint64_t first = push(rig, "a", "", "api");
    uint64_t second = push(rig, "a", "", "api");
    CHECK_EQUAL(rig_fetch(rig, "a"), first);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, first)), ANSWER_OK);
    struct slice queue = SLICE("a");
    struct command fetch = {.type = COMMAND_FETCH, .request = 5};
    fetch.fetch.worker = SLICE("w2");
    fetch.fetch.queues = &queue;
    fetch.fetch.queue_count = 1;
    fetch.fetch.wait_ns = 5 * NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, fetch), ANSWER_WAITING);
    rig_advance(rig, NS_PER_MINUTE - 1);
    CHECK_EQUAL(rig->late_count, 0);
    rig_advance(rig, 1);
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late_job[0], second);
    rig_end(rig);
}

TEST(a_paused_limiter_opens_by_itself_at_its_time) {
    struct rig *rig = rig_new();
    uint64_t job = push(rig, "a", "", "api");
    struct command pause = {.type = COMMAND_VALVE_PAUSE};
    pause.valve_pause.valve = limiter("api");
    pause.valve_pause.until_ns = rig->now_ns + 30 * NS_PER_SECOND;
    pause.valve_pause.by = SLICE("w1");
    pause.valve_pause.why = SLICE("429");
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    CHECK_EQUAL(rig_fetch(rig, "a"), 0);
    CHECK(slice_equal(view_of(rig, limiter("api")).paused_why, SLICE("429")));
    rig_advance(rig, 30 * NS_PER_SECOND);
    CHECK(!view_of(rig, limiter("api")).paused);
    CHECK_EQUAL(rig_fetch(rig, "a"), job);
    pause.valve_pause.valve = limiter("a*");
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_BAD_ARGUMENT); /* a rule has no jobs */
    rig_end(rig);
}

TEST(a_kind_is_paused_in_all_queues) {
    struct rig *rig = rig_new();
    rig_push(rig, "a");
    struct command other = push_of("a");
    other.push.kind = SLICE("other");
    CHECK_EQUAL(rig_do(rig, other), ANSWER_OK);
    uint64_t free = rig->last.id;
    struct command pause = {.type = COMMAND_VALVE_PAUSE};
    pause.valve_pause.valve = (struct valve_name){.sort = VALVE_KIND, .name = SLICE("work")};
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    rig_push(rig, "b");
    CHECK_EQUAL(rig_fetch(rig, "a"), free);
    CHECK_EQUAL(rig_fetch(rig, "a"), 0);
    CHECK_EQUAL(rig_fetch(rig, "b"), 0);
    struct command resume = {.type = COMMAND_VALVE_RESUME};
    resume.valve_resume.valve = pause.valve_pause.valve;
    CHECK_EQUAL(rig_do(rig, resume), ANSWER_OK);
    CHECK(rig_fetch(rig, "b") != 0);
    resume.valve_resume.valve.name = SLICE("nobody");
    CHECK_EQUAL(rig_do(rig, resume), ANSWER_UNKNOWN);
    rig_end(rig);
}

TEST(the_limit_of_groups_holds_for_each_but_not_for_jobs_without_one) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set.queue = SLICE("a");
    set.queue_set.has_group_concurrency = true;
    set.queue_set.group_concurrency = 2;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    for (uint32_t i = 0; i < 4; i++) {
        push(rig, "a", "x", "");
        push(rig, "a", "y", "");
        push(rig, "a", "", "");
    }
    CHECK_EQUAL(limit(rig, group("a", "y"), 1), ANSWER_OK);
    CHECK_EQUAL(fetch_all(rig, "a"), 2 + 1 + 4);
    CHECK_EQUAL(view_of(rig, group("a", "x")).running, 2);
    rig_end(rig);
}

TEST(a_group_of_weight_3_has_three_turns_to_one) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_VALVE_SET};
    set.valve_set.valve = group("a", "x");
    set.valve_set.has_weight = true;
    set.valve_set.weight = 3;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    for (uint32_t i = 0; i < 40; i++) {
        push(rig, "a", "x", "");
        push(rig, "a", "y", "");
    }
    uint32_t turns = 0;
    for (uint32_t i = 0; i < 40; i++) {
        struct job_view job = rig_job(rig, rig_fetch(rig, "a"));
        turns += slice_equal(job.group, SLICE("x")) ? 1 : 0;
    }
    CHECK_EQUAL(turns, 30);
    rig_end(rig);
}

TEST(a_strict_group_runs_one_job_and_waits_for_its_retry) {
    struct rig *rig = rig_new();
    order_groups(rig, "a", GROUP_SKIP);
    uint64_t first = push(rig, "a", "x", "");
    uint64_t second = push(rig, "a", "x", "");
    uint64_t other = push(rig, "a", "y", "");
    CHECK_EQUAL(rig_fetch(rig, "a"), first);
    CHECK_EQUAL(rig_fetch(rig, "a"), other);
    CHECK_EQUAL(rig_fetch(rig, "a"), 0);
    CHECK_EQUAL(rig_fail(rig, rig_lease(rig, first)), ANSWER_OK); /* it will be tried again */
    CHECK_EQUAL(rig_fetch(rig, "a"), 0);
    order_groups(rig, "a", GROUP_PARK);
    CHECK_EQUAL(rig_fetch(rig, "a"), second);
    order_groups(rig, "a", GROUP_SKIP);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, second)), ANSWER_OK);
    rig_advance(rig, NS_PER_HOUR);
    CHECK_EQUAL(rig_fetch(rig, "a"), first);
    rig_end(rig);
}

TEST(a_group_stops_at_a_job_that_failed_until_a_person_goes_on) {
    struct rig *rig = rig_new();
    order_groups(rig, "a", GROUP_BLOCK);
    uint64_t first = push(rig, "a", "x", "");
    uint64_t second = push(rig, "a", "x", "");
    CHECK_EQUAL(rig_fetch(rig, "a"), first);
    CHECK_EQUAL(fail_for_good(rig, first), ANSWER_OK);
    CHECK_EQUAL(rig_fetch(rig, "a"), 0);
    CHECK_EQUAL(view_of(rig, group("a", "x")).blocked_by, first);
    struct command skip = {.type = COMMAND_GROUP_SKIP};
    skip.group_skip.valve = group("a", "x");
    CHECK_EQUAL(rig_do(rig, skip), ANSWER_OK);
    CHECK_EQUAL(rig->last.id, first);
    CHECK_EQUAL(rig_fetch(rig, "a"), second);
    CHECK_EQUAL(fail_for_good(rig, second), ANSWER_OK);
    uint64_t third = push(rig, "a", "x", "");
    CHECK_EQUAL(rig_fetch(rig, "a"), 0);
    CHECK_EQUAL(rig_control(rig, COMMAND_RETRY, second), ANSWER_OK); /* that goes on, too */
    CHECK_EQUAL(rig_fetch(rig, "a"), second);
    CHECK_EQUAL(fail_for_good(rig, second), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, second), ANSWER_OK);
    CHECK_EQUAL(rig_fetch(rig, "a"), third);
    rig_end(rig);
}

TEST(jobs_that_age_pass_those_of_a_better_priority) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set.queue = SLICE("a");
    set.queue_set.has_aging = true;
    set.queue_set.aging_ns = NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    struct command low = push_of("a");
    low.push.has_priority = true;
    low.push.priority = PRIORITY_DEFAULT + 2;
    CHECK_EQUAL(rig_do(rig, low), ANSWER_OK);
    uint64_t old = rig->last.id;
    rig_advance(rig, 2 * NS_PER_MINUTE - 1);
    uint64_t before = rig_push(rig, "a");
    rig_advance(rig, 2);
    uint64_t after = rig_push(rig, "a");
    CHECK_EQUAL(rig_fetch(rig, "a"), before);
    CHECK_EQUAL(rig_fetch(rig, "a"), old);
    CHECK_EQUAL(rig_fetch(rig, "a"), after);
    set.queue_set.has_order = true;
    set.queue_set.order = QUEUE_LIFO;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_BAD_ARGUMENT);
    rig_end(rig);
}

TEST(what_a_rule_gave_away_is_forgotten_when_it_is_paid_back_and_nobody_uses_it) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(pace(rig, limiter("*"), rate_of(1, NS_PER_MINUTE, 0)), ANSWER_OK);
    push(rig, "a", "", "once");
    uint64_t id = rig_fetch(rig, "a");
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, id), ANSWER_OK);
    struct valve_name once = limiter("once");
    struct valve_view view;
    CHECK(engine_valve(rig->engine, &once, &view)); /* its debt is remembered */
    rig_advance(rig, NS_PER_MINUTE);
    CHECK(!engine_valve(rig->engine, &once, &view));
    rig_end(rig);
}

TEST(limiters_that_make_no_sense_are_refused) {
    struct rig *rig = rig_new();
    const char *const bad[] = {",", "a,a", "a,b,c,d,e", "a=0", "a=1000001", "a b", "=1", "a,"};
    for (size_t i = 0; i < hob_countof(bad); i++) {
        struct command command = push_of("a");
        command.push.limiters = slice_str(bad[i]);
        CHECK_EQUAL(rig_do(rig, command), ANSWER_BAD_ARGUMENT);
    }
    CHECK_EQUAL(limit(rig, limiter("!a*"), 1), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(limit(rig, group("a", ""), 1), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(
        limit(rig, (struct valve_name){.sort = VALVE_KIND, .name = SLICE("work")}, 1),
        ANSWER_BAD_ARGUMENT
    );
    rig_end(rig);
}

/* The record of a debt stands to be dropped when that is paid back. A job that comes before then
 * waits for less: for the first unit. */
TEST(a_debt_that_nobody_waits_for_opens_in_time_for_the_next_job) {
    struct rig *rig = rig_new();
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set.queue = SLICE("q");
    set.queue_set.group_rate = rate_of(2, 2 * NS_PER_SECOND, 2);
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
    uint64_t ids[] = {push(rig, "q", "g", ""), push(rig, "q", "g", "")};
    CHECK_EQUAL(fetch_all(rig, "q"), 2);
    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(rig_ack(rig, rig_lease(rig, ids[i])), ANSWER_OK);
        CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, ids[i]), ANSWER_OK);
    }
    struct command forget = {.type = COMMAND_VALVE_SET};
    forget.valve_set.valve = group("q", "g");
    forget.valve_set.reset = true;
    CHECK_EQUAL(rig_do(rig, forget), ANSWER_OK);
    uint64_t id = push(rig, "q", "g", "");
    struct slice name = SLICE("q");
    struct command fetch = {.type = COMMAND_FETCH};
    fetch.fetch = (struct fetch_command
    ){.worker = SLICE("w1"), .queues = &name, .queue_count = 1, .wait_ns = NS_PER_MINUTE};
    CHECK_EQUAL(rig_do(rig, fetch), ANSWER_WAITING);
    CHECK(engine_due(rig->engine) <= rig->now_ns + NS_PER_SECOND);
    rig_advance(rig, NS_PER_SECOND);
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late_job[0], id);
    rig_end(rig);
}

static enum answer_code fail_and_rest(struct rig *rig, uint64_t id, hob_ns pause_ns) {
    struct command fail = {.type = COMMAND_FAIL};
    fail.fail.lease = rig_lease(rig, id);
    fail.fail.pause_ns = pause_ns;
    return rig_do(rig, fail);
}

TEST(a_job_that_is_told_to_come_later_pauses_its_first_limiter_for_all) {
    struct rig *rig = rig_new();
    uint64_t id = push(rig, "q", "", "api,other");
    uint64_t plain = push(rig, "q", "", "");
    CHECK_EQUAL(fetch_all(rig, "q"), 2);
    CHECK_EQUAL(fail_and_rest(rig, plain, NS_PER_MINUTE), ANSWER_OK);
    CHECK_EQUAL(fail_and_rest(rig, id, DELAY_MAX_NS + 1), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(fail_and_rest(rig, id, NS_PER_MINUTE), ANSWER_OK);
    struct valve_view view = view_of(rig, limiter("api"));
    CHECK(view.paused);
    CHECK_EQUAL(view.paused_until_ns, rig->now_ns + NS_PER_MINUTE);
    CHECK(slice_equal(view.paused_by, SLICE("w1")));
    CHECK(!view_of(rig, limiter("other")).paused);
    (void)push(rig, "r", "", "api");
    CHECK_EQUAL(fetch_all(rig, "r"), 0);
    rig_advance(rig, NS_PER_MINUTE);
    CHECK_EQUAL(fetch_all(rig, "r"), 1);
    rig_end(rig);
}

TEST(a_longer_pause_of_a_limiter_stays) {
    struct rig *rig = rig_new();
    uint64_t id = push(rig, "q", "", "api=3");
    CHECK_EQUAL(fetch_all(rig, "q"), 1);
    struct command pause = {.type = COMMAND_VALVE_PAUSE};
    pause.valve_pause.valve = limiter("api");
    pause.valve_pause.by = SLICE("ann");
    CHECK_EQUAL(rig_do(rig, pause), ANSWER_OK);
    CHECK_EQUAL(fail_and_rest(rig, id, NS_PER_MINUTE), ANSWER_OK);
    struct valve_view view = view_of(rig, limiter("api"));
    CHECK_EQUAL(view.paused_until_ns, 0);
    CHECK(slice_equal(view.paused_by, SLICE("ann")));
    rig_end(rig);
}

TESTS(
    a_rate_gives_a_burst_and_then_one_job_a_step_to_the_nanosecond,
    a_slower_rate_that_becomes_a_faster_one_forgives_what_is_owed,
    a_limiter_counts_the_units_of_jobs_of_all_queues,
    a_job_that_wants_more_than_there_ever_is_gets_all_of_it,
    a_rule_holds_for_each_limiter_that_it_fits_and_that_has_no_own,
    a_waiting_fetch_gets_the_job_when_its_limiter_opens,
    a_paused_limiter_opens_by_itself_at_its_time,
    a_kind_is_paused_in_all_queues,
    the_limit_of_groups_holds_for_each_but_not_for_jobs_without_one,
    a_group_of_weight_3_has_three_turns_to_one,
    a_strict_group_runs_one_job_and_waits_for_its_retry,
    a_group_stops_at_a_job_that_failed_until_a_person_goes_on,
    jobs_that_age_pass_those_of_a_better_priority,
    what_a_rule_gave_away_is_forgotten_when_it_is_paid_back_and_nobody_uses_it,
    limiters_that_make_no_sense_are_refused,
    a_debt_that_nobody_waits_for_opens_in_time_for_the_next_job,
    a_job_that_is_told_to_come_later_pauses_its_first_limiter_for_all,
    a_longer_pause_of_a_limiter_stays
)
