/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching over many queues: globs, modes, waits, jobs that come together. */
#include <stdio.h>

#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/rig.h"

enum { PATTERNS_MAX = 4 };

static struct slice patterns[PATTERNS_MAX];

/* A fetch by w1; @queues with spaces between. */
static struct command fetch_of(const char *queues) {
    struct command fetch = {.type = COMMAND_FETCH, .request = 7};
    uint32_t count = 0;
    for (const char *at = queues; *at != '\0';) {
        size_t size = strcspn(at, " ");
        patterns[count++] = slice_of(at, size);
        at += size + (at[size] == ' ' ? 1 : 0);
    }
    fetch.fetch.worker = SLICE("w1");
    fetch.fetch.queues = patterns;
    fetch.fetch.queue_count = count;
    return fetch;
}

static uint64_t fetch(struct rig *rig, struct command command) {
    if (rig_do(rig, command) != ANSWER_OK) return 0;
    return rig->last.jobs[0];
}

static uint64_t push(struct rig *rig, const char *queue, const char *kind) {
    struct command command = push_of(queue);
    command.push.kind = slice_str(kind);
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
    return rig->last.id;
}

TEST(a_glob_finds_the_queues_that_it_fits_and_no_others) {
    struct rig *rig = rig_new();
    rig_push(rig, "files");
    rig_push(rig, "mail.slow");
    uint64_t wanted = rig_push(rig, "mail.fast");
    CHECK_EQUAL(fetch(rig, fetch_of("mail.* !mail.slow")), wanted);
    CHECK_EQUAL(fetch(rig, fetch_of("mail.* !mail.slow")), 0);
    CHECK(fetch(rig, fetch_of("mail.s?ow")) != 0);
    CHECK_EQUAL(rig_do(rig, fetch_of("!mail.slow")), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig_do(rig, fetch_of("mail. !")), ANSWER_BAD_ARGUMENT);
    rig_end(rig);
}

TEST(the_queues_of_hob_are_only_fitted_by_globs_that_say_so) {
    struct rig *rig = rig_new();
    uint64_t own = rig_push(rig, "hob.callbacks");
    CHECK_EQUAL(fetch(rig, fetch_of("*")), 0);
    CHECK_EQUAL(fetch(rig, fetch_of("h*")), 0);
    CHECK_EQUAL(fetch(rig, fetch_of("hob.*")), own);
    rig_end(rig);
}

TEST(a_waiting_fetch_sees_a_new_queue_at_once) {
    struct rig *rig = rig_new();
    struct command waiting = fetch_of("mail.* !mail.slow");
    waiting.fetch.wait_ns = NS_PER_SECOND;
    CHECK_EQUAL(rig_do(rig, waiting), ANSWER_WAITING);
    rig_push(rig, "mail.slow");
    rig_push(rig, "other");
    CHECK_EQUAL(rig->late_count, 0);
    uint64_t wanted = rig_push(rig, "mail.new");
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late_job[0], wanted);
    rig_end(rig);
}

TEST(globs_find_only_what_they_are_narrowed_to) {
    struct rig *rig = rig_new();
    rig_push(rig, "files");
    uint64_t wanted = rig_push(rig, "mail.a");
    struct command narrow = fetch_of("*");
    narrow.fetch.only = SLICE("letters mail.*");
    CHECK_EQUAL(fetch(rig, narrow), wanted);
    CHECK_EQUAL(fetch(rig, narrow), 0);
    rig_end(rig);
}

TEST(listed_globs_go_by_place_then_by_name) {
    struct rig *rig = rig_new();
    uint64_t third = rig_push(rig, "b.2");
    uint64_t second = rig_push(rig, "b.1");
    uint64_t first = rig_push(rig, "a.9");
    struct command listed = fetch_of("a.* b.*");
    listed.fetch.mode = FETCH_LISTED;
    listed.fetch.count = 9;
    CHECK_EQUAL(rig_do(rig, listed), ANSWER_OK);
    CHECK_EQUAL(rig->last.job_count, 3);
    CHECK_EQUAL(rig->last.jobs[0], first);
    CHECK_EQUAL(rig->last.jobs[1], second);
    CHECK_EQUAL(rig->last.jobs[2], third);
    rig_end(rig);
}

TEST(merged_globs_follow_what_each_queue_has_best) {
    struct rig *rig = rig_new();
    uint64_t a1 = rig_push(rig, "a");
    uint64_t b1 = rig_push(rig, "b");
    uint64_t a2 = rig_push(rig, "a");
    struct command merged = fetch_of("*");
    merged.fetch.mode = FETCH_MERGED;
    CHECK_EQUAL(fetch(rig, merged), a1);
    struct command urgent = push_of("b");
    urgent.push.has_priority = true;
    urgent.push.priority = 1;
    CHECK_EQUAL(rig_do(rig, urgent), ANSWER_OK);
    uint64_t b2 = rig->last.id;
    CHECK_EQUAL(fetch(rig, merged), b2);
    CHECK_EQUAL(fetch(rig, merged), b1);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, a2), ANSWER_OK);
    CHECK_EQUAL(fetch(rig, merged), 0);
    rig_end(rig);
}

TEST(weighted_globs_take_turns) {
    struct rig *rig = rig_new();
    uint64_t jobs[4];
    for (size_t i = 0; i < 4; i++) jobs[i] = rig_push(rig, i < 2 ? "a" : "b");
    struct command turns = fetch_of("*");
    turns.fetch.count = 4;
    CHECK_EQUAL(rig_do(rig, turns), ANSWER_OK);
    CHECK_EQUAL(rig->last.jobs[0], jobs[0]);
    CHECK_EQUAL(rig->last.jobs[1], jobs[2]);
    CHECK_EQUAL(rig->last.jobs[2], jobs[1]);
    CHECK_EQUAL(rig->last.jobs[3], jobs[3]);
    rig_end(rig);
}

static void share(struct rig *rig, const char *queue, uint32_t tier, uint32_t weight) {
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set.queue = slice_str(queue);
    set.queue_set.has_tier = set.queue_set.has_weight = true;
    set.queue_set.tier = tier;
    set.queue_set.weight = weight;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
}

/* By names and by a glob. */
static void check_shares(const char *queues) {
    struct rig *rig = rig_new();
    share(rig, "a", 10, 6);
    share(rig, "b", 10, 3);
    for (uint32_t i = 0; i < 300; i++) {
        static const char *const names[] = {"a", "b", "c"};
        rig_push(rig, names[i % 3]);
    }
    uint32_t counts[3] = {0};
    for (uint32_t i = 0; i < 100; i++) {
        uint64_t id = fetch(rig, fetch_of(queues));
        CHECK(id != 0);
        counts[(id - 1) % 3]++;
    }
    CHECK_EQUAL(counts[0], 60);
    CHECK_EQUAL(counts[1], 30);
    CHECK_EQUAL(counts[2], 10);
    rig_end(rig);
}

TEST(weights_share_out_the_turns_exactly) {
    check_shares("a b c");
    check_shares("?");
}

TEST(a_smaller_tier_goes_first_whatever_it_weighs) {
    struct rig *rig = rig_new();
    share(rig, "a", 10, 1000);
    share(rig, "z", 9, 1);
    uint64_t third = rig_push(rig, "a");
    uint64_t first = rig_push(rig, "z");
    uint64_t second = rig_push(rig, "z");
    struct command all = fetch_of("*");
    all.fetch.count = 3;
    CHECK_EQUAL(rig_do(rig, all), ANSWER_OK);
    CHECK_EQUAL(rig->last.jobs[0], first);
    CHECK_EQUAL(rig->last.jobs[1], second);
    CHECK_EQUAL(rig->last.jobs[2], third);
    rig_end(rig);
}

static void concurrency_set(struct rig *rig, const char *queue, uint32_t concurrency) {
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set.queue = slice_str(queue);
    set.queue_set.has_concurrency = true;
    set.queue_set.concurrency = concurrency;
    CHECK_EQUAL(rig_do(rig, set), ANSWER_OK);
}

TEST(a_queue_runs_no_more_at_once_than_its_concurrency) {
    struct rig *rig = rig_new();
    concurrency_set(rig, "a", 2);
    for (uint32_t i = 0; i < 5; i++) rig_push(rig, "a");
    struct command all = fetch_of("a");
    all.fetch.count = FETCH_COUNT_MAX;
    CHECK_EQUAL(rig_do(rig, all), ANSWER_OK);
    CHECK_EQUAL(rig->last.job_count, 2);
    uint64_t first = rig->last.jobs[0];
    CHECK_EQUAL(rig_do(rig, all), ANSWER_EMPTY);
    struct command waiting = fetch_of("?");
    waiting.fetch.wait_ns = NS_PER_MINUTE;
    CHECK_EQUAL(rig_do(rig, waiting), ANSWER_WAITING);
    CHECK_EQUAL(rig->late_count, 0);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, first)), ANSWER_OK);
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late_job[0], 3);
    /* Wider at once, and narrower ends nothing that runs. */
    CHECK_EQUAL(rig_do(rig, waiting), ANSWER_WAITING);
    concurrency_set(rig, "a", 3);
    CHECK_EQUAL(rig->late_job[1], 4);
    concurrency_set(rig, "a", 1);
    CHECK_EQUAL(fetch(rig, fetch_of("a")), 0);
    concurrency_set(rig, "a", 0);
    CHECK_EQUAL(fetch(rig, fetch_of("a")), 5);
    rig_end(rig);
}

TEST(jobs_of_the_same_kind_come_together) {
    struct rig *rig = rig_new();
    uint64_t first = push(rig, "a", "mail");
    push(rig, "a", "image");
    uint64_t second = push(rig, "a", "mail");
    push(rig, "b", "mail");
    struct command same = fetch_of("a b");
    same.fetch.same = FETCH_SAME_KIND;
    same.fetch.count = 9;
    CHECK_EQUAL(rig_do(rig, same), ANSWER_OK);
    CHECK_EQUAL(rig->last.job_count, 2);
    CHECK_EQUAL(rig->last.jobs[0], first);
    CHECK_EQUAL(rig->last.jobs[1], second);
    rig_end(rig);
}

static uint64_t push_of_group(struct rig *rig, const char *kind, const char *group) {
    struct command command = push_of("a");
    command.push.kind = slice_str(kind);
    command.push.group = slice_str(group);
    CHECK_EQUAL(rig_do(rig, command), ANSWER_OK);
    return rig->last.id;
}

TEST(jobs_of_the_same_group_come_together) {
    struct rig *rig = rig_new();
    uint64_t first = push_of_group(rig, "mail", "ann");
    uint64_t bob = push_of_group(rig, "mail", "bob");
    uint64_t none = push(rig, "a", "mail");
    uint64_t second = push_of_group(rig, "image", "ann");
    struct command urgent = push_of("a");
    urgent.push.group = SLICE("ann");
    urgent.push.has_priority = true;
    CHECK_EQUAL(rig_do(rig, urgent), ANSWER_OK);
    uint64_t third = rig->last.id;
    uint64_t other = push(rig, "a", "image");
    struct command same = fetch_of("a b");
    same.fetch.same = FETCH_SAME_GROUP;
    same.fetch.count = 9;
    CHECK_EQUAL(rig_do(rig, same), ANSWER_OK);
    CHECK_EQUAL(rig->last.job_count, 3);
    CHECK_EQUAL(rig->last.jobs[0], third);
    CHECK_EQUAL(rig->last.jobs[1], first);
    CHECK_EQUAL(rig->last.jobs[2], second);
    CHECK_EQUAL(rig_do(rig, same), ANSWER_OK);
    CHECK_EQUAL(rig->last.job_count, 1);
    CHECK_EQUAL(rig->last.jobs[0], bob);
    /* Jobs without a group are one. */
    CHECK_EQUAL(rig_do(rig, same), ANSWER_OK);
    CHECK_EQUAL(rig->last.job_count, 2);
    CHECK_EQUAL(rig->last.jobs[0], none);
    CHECK_EQUAL(rig->last.jobs[1], other);
    rig_end(rig);
}

static enum answer_code work(struct rig *rig, const char *name, uint32_t slots, const char *kind) {
    struct slice kinds = slice_str(kind);
    struct command set = {.type = COMMAND_WORKER_SET};
    set.worker_set.worker = slice_str(name);
    set.worker_set.slots = slots;
    set.worker_set.kinds = &kinds;
    set.worker_set.kind_count = 1;
    return rig_do(rig, set);
}

TEST(a_fetch_that_waits_takes_what_its_worker_learns_to_run) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(work(rig, "w1", 1, "mail"), ANSWER_OK);
    struct command waiting = fetch_of("a");
    waiting.fetch.wait_ns = NS_PER_SECOND;
    CHECK_EQUAL(rig_do(rig, waiting), ANSWER_WAITING);
    uint64_t wanted = push(rig, "a", "image");
    CHECK_EQUAL(rig->late_count, 0);
    CHECK_EQUAL(work(rig, "w1", 1, "image"), ANSWER_OK);
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late_job[0], wanted);
    rig_end(rig);
}

TEST(a_fetch_waits_on_when_its_worker_is_full_and_goes_on_when_it_is_not) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(work(rig, "w1", 1, "mail"), ANSWER_OK);
    struct command waiting = fetch_of("a*");
    waiting.fetch.wait_ns = 9 * NS_PER_SECOND;
    CHECK_EQUAL(rig_do(rig, waiting), ANSWER_WAITING);
    waiting.request = 8;
    CHECK_EQUAL(rig_do(rig, waiting), ANSWER_WAITING);
    uint64_t first = push(rig, "a1", "mail");
    uint64_t second = push(rig, "a2", "mail");
    CHECK_EQUAL(rig->late_count, 1);
    CHECK_EQUAL(rig->late_job[0], first);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, first)), ANSWER_OK);
    CHECK_EQUAL(rig->late_count, 2);
    CHECK_EQUAL(rig->late_job[1], second);
    rig_end(rig);
}

TESTS(
    a_glob_finds_the_queues_that_it_fits_and_no_others,
    the_queues_of_hob_are_only_fitted_by_globs_that_say_so,
    a_waiting_fetch_sees_a_new_queue_at_once,
    globs_find_only_what_they_are_narrowed_to,
    listed_globs_go_by_place_then_by_name,
    merged_globs_follow_what_each_queue_has_best,
    weighted_globs_take_turns,
    weights_share_out_the_turns_exactly,
    a_smaller_tier_goes_first_whatever_it_weighs,
    a_queue_runs_no_more_at_once_than_its_concurrency,
    jobs_of_the_same_kind_come_together,
    jobs_of_the_same_group_come_together,
    a_fetch_that_waits_takes_what_its_worker_learns_to_run,
    a_fetch_waits_on_when_its_worker_is_full_and_goes_on_when_it_is_not
)
