/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics in time that is made up. */
#include "server/statistics.h"

#include "base/test.h"

static const struct siphash_key key = {.words = {1, 2}};
static const hob_ns start_ns = 20000 * NS_PER_DAY; /* midnight */

struct rig {
    struct mem mem;
    struct statistics statistics;
};

static void rig_init(struct rig *rig) {
    rig->mem = (struct mem){0};
    statistics_init(&rig->statistics, &rig->mem, key);
}

static void rig_deinit(struct rig *rig) {
    statistics_deinit(&rig->statistics);
    CHECK_EQUAL(rig->mem.used_bytes, 0);
}

static void push(struct rig *rig, const char *queue, const char *kind, hob_ns at_ns) {
    struct event event = {
        .type = EVENT_STATE,
        .is_new = true,
        .state = JOB_AVAILABLE,
        .queue = slice_str(queue),
        .kind = slice_str(kind),
        .at_ns = at_ns,
    };
    statistics_event(&rig->statistics, &event);
}

static void run(struct rig *rig, const char *queue, hob_ns at_ns, hob_ns ran_ns) {
    struct event event = {
        .type = EVENT_STATE,
        .from = JOB_AVAILABLE,
        .state = JOB_RUNNING,
        .queue = slice_str(queue),
        .kind = SLICE("k"),
        .at_ns = at_ns,
        .waited_ns = 3 * NS_PER_MS,
    };
    statistics_event(&rig->statistics, &event);
    event.from = JOB_RUNNING;
    event.state = JOB_COMPLETED;
    event.ran_ns = ran_ns;
    statistics_event(&rig->statistics, &event);
}

static struct statistics_view
ask(struct rig *rig, enum statistics_of of, const char *name, hob_ns now_ns) {
    struct statistics_asked asked = {.of = of, .name = slice_str(name), .series = true};
    struct statistics_view view;
    (void)statistics_read(&rig->statistics, &asked, now_ns, &view);
    return view;
}

TEST(a_job_is_counted_for_its_queue_its_kind_and_all) {
    struct rig rig;
    rig_init(&rig);
    push(&rig, "q", "k", start_ns);
    push(&rig, "r", "k", start_ns);
    run(&rig, "q", start_ns + NS_PER_SECOND, 2 * NS_PER_SECOND);
    struct event failed = {
        .type = EVENT_STATE,
        .from = JOB_RUNNING,
        .state = JOB_RETRYABLE,
        .queue = SLICE("q"),
        .kind = SLICE("k"),
        .at_ns = start_ns + NS_PER_MINUTE,
        .has_error = true,
        .cause = CAUSE_TIMEOUT,
    };
    statistics_event(&rig.statistics, &failed);
    hob_ns now = start_ns + NS_PER_MINUTE;
    struct statistics_view queue = ask(&rig, STATISTICS_QUEUE, "q", now);
    CHECK_EQUAL(queue.window.counts[COUNTED_PUSHED], 1);
    CHECK_EQUAL(queue.window.counts[COUNTED_STARTED], 1);
    CHECK_EQUAL(queue.window.counts[COUNTED_ENDED], 2);
    CHECK_EQUAL(queue.window.counts[COUNTED_COMPLETED], 1);
    CHECK_EQUAL(queue.window.counts[COUNTED_RETRIED], 1);
    CHECK_EQUAL(queue.window.counts[COUNTED_FAILED + CAUSE_TIMEOUT], 1);
    CHECK_EQUAL(statistics_failed(&queue.window), 1);
    CHECK_EQUAL(queue.window.wait_ns, 3 * NS_PER_MS);
    CHECK_EQUAL(queue.window.run_ns, 2 * NS_PER_SECOND);
    CHECK_EQUAL(queue.series_count, 2);
    CHECK_EQUAL(queue.series[0].at_ns, start_ns);
    CHECK_EQUAL(queue.series[1].sum.counts[COUNTED_RETRIED], 1);
    CHECK_EQUAL(ask(&rig, STATISTICS_KIND, "k", now).window.counts[COUNTED_PUSHED], 2);
    CHECK_EQUAL(ask(&rig, STATISTICS_ALL, "", now).window.counts[COUNTED_PUSHED], 2);
    CHECK_EQUAL(ask(&rig, STATISTICS_QUEUE, "r", now).window.counts[COUNTED_STARTED], 0);
    struct statistics_asked none = {.of = STATISTICS_KIND, .name = SLICE("q")};
    struct statistics_view view;
    CHECK(!statistics_read(&rig.statistics, &none, now, &view));
    rig_deinit(&rig);
}

TEST(rates_are_of_the_last_minute_and_hour) {
    struct rig rig;
    rig_init(&rig);
    for (int i = 0; i < 60; i++) push(&rig, "q", "k", start_ns);
    for (int i = 0; i < 5; i++) push(&rig, "q", "k", start_ns + NS_PER_MINUTE);
    struct statistics_view view =
        ask(&rig, STATISTICS_QUEUE, "q", start_ns + NS_PER_MINUTE + 15 * NS_PER_SECOND);
    CHECK_EQUAL(view.minute.counts[COUNTED_PUSHED], 45 + 5);
    CHECK_EQUAL(view.hour.counts[COUNTED_PUSHED], 65);
    view = ask(&rig, STATISTICS_QUEUE, "q", start_ns + NS_PER_HOUR + 45 * NS_PER_SECOND);
    CHECK_EQUAL(view.minute.counts[COUNTED_PUSHED], 0);
    CHECK_EQUAL(view.hour.counts[COUNTED_PUSHED], 15 + 5);
    rig_deinit(&rig);
}

TEST(a_bucket_is_within_five_percent_of_all_in_it) {
    uint32_t before = 0;
    for (uint64_t us = 1; us < UINT64_C(1) << TIMES_BITS_MAX; us += us / 37 + 1) {
        uint32_t bucket = statistics_bucket(us);
        CHECK(bucket >= before);
        CHECK(bucket < TIMES_BUCKETS);
        before = bucket;
        hob_ns middle = statistics_bucket_ns(bucket);
        hob_ns exact = us * NS_PER_US;
        hob_ns off = middle > exact ? middle - exact : exact - middle;
        CHECK(off * 20 <= exact);
    }
    CHECK_EQUAL(statistics_bucket(UINT64_MAX), TIMES_BUCKETS - 1);
}

TEST(quantiles_are_of_today_and_yesterday) {
    struct rig rig;
    rig_init(&rig);
    for (uint64_t i = 1; i <= 1000; i++) run(&rig, "q", start_ns, i * NS_PER_MS);
    hob_ns now = start_ns + 30 * NS_PER_HOUR;
    struct statistics_times times = ask(&rig, STATISTICS_QUEUE, "q", now).run;
    static const uint64_t wanted[] = {500, 900, 990, 999};
    CHECK_EQUAL(times.count, 1000);
    CHECK_EQUAL(times.max_ns, 1000 * NS_PER_MS);
    for (uint32_t i = 0; i < QUANTILE_COUNT; i++) {
        CHECK(times.quantiles_ns[i] >= wanted[i] * NS_PER_MS / 100 * 95);
        CHECK(times.quantiles_ns[i] <= wanted[i] * NS_PER_MS / 100 * 105);
    }
    run(&rig, "q", now, 5 * NS_PER_MS);
    CHECK_EQUAL(ask(&rig, STATISTICS_QUEUE, "q", now).run.count, 1001);
    CHECK_EQUAL(ask(&rig, STATISTICS_QUEUE, "q", now + NS_PER_DAY).run.count, 1);
    CHECK_EQUAL(ask(&rig, STATISTICS_QUEUE, "q", now + 3 * NS_PER_DAY).run.count, 0);
    rig_deinit(&rig);
}

TEST(a_series_reaches_back_three_days) {
    struct rig rig;
    rig_init(&rig);
    hob_ns now = start_ns;
    for (uint32_t i = 0; i < STATISTICS_MINUTES + 10; i++) {
        push(&rig, "q", "k", now);
        now += NS_PER_MINUTE;
    }
    now -= NS_PER_MINUTE;
    struct statistics_view view = ask(&rig, STATISTICS_QUEUE, "q", now);
    CHECK_EQUAL(view.series_count, STATISTICS_MINUTES);
    CHECK_EQUAL(view.window.counts[COUNTED_PUSHED], STATISTICS_MINUTES);
    CHECK_EQUAL(view.since_ns, start_ns + 10 * NS_PER_MINUTE);
    CHECK_EQUAL(rig.statistics.next - rig.statistics.first, 3 * STATISTICS_MINUTES);
    struct statistics_asked asked = {
        .of = STATISTICS_KIND, .name = SLICE("k"), .since_ns = now - 3 * NS_PER_MINUTE};
    CHECK(statistics_read(&rig.statistics, &asked, now, &view));
    CHECK_EQUAL(view.window.counts[COUNTED_PUSHED], 4);
    CHECK_EQUAL(view.hour.counts[COUNTED_PUSHED], 61);
    CHECK_EQUAL(view.series_count, 0);
    rig_deinit(&rig);
}

TEST(without_room_the_oldest_minute_goes_and_is_told) {
    struct rig rig;
    rig_init(&rig);
    rig.statistics.cells_max = 12; /* four minutes of all, a queue and a kind */
    for (uint64_t i = 0; i < 10; i++) push(&rig, "q", "k", start_ns + i * NS_PER_MINUTE);
    struct statistics_view view = ask(&rig, STATISTICS_QUEUE, "q", start_ns + 9 * NS_PER_MINUTE);
    CHECK_EQUAL(view.window.counts[COUNTED_PUSHED], 4);
    CHECK_EQUAL(view.since_ns, start_ns + 6 * NS_PER_MINUTE);
    CHECK_EQUAL(rig.statistics.capacity, 12);
    rig_deinit(&rig);
}

TEST(more_names_than_there_is_room_for_take_the_place_of_silent_ones) {
    struct rig rig;
    rig_init(&rig);
    char names[STATISTICS_NAMES_MAX + 2][8];
    for (uint32_t i = 0; i < STATISTICS_NAMES_MAX + 2; i++) {
        HOB_AUTO_BUF struct buf name = buf_make(8);
        (void)buf_printf(&name, "q%u%c", i, 0);
        memcpy(names[i], name.bytes, name.size);
    }
    for (uint32_t i = 0; i < STATISTICS_NAMES_MAX + 1; i++) push(&rig, names[i], "k", start_ns);
    hob_ns now = start_ns;
    CHECK_EQUAL(ask(&rig, STATISTICS_ALL, "", now).window.counts[COUNTED_PUSHED], 501);
    CHECK_EQUAL(
        ask(&rig, STATISTICS_QUEUE, names[STATISTICS_NAMES_MAX], now).window.counts[COUNTED_PUSHED],
        0
    );
    now += 4 * NS_PER_DAY;
    push(&rig, names[1], "k", now);
    push(&rig, names[STATISTICS_NAMES_MAX + 1], "k", now); /* instead of the first */
    CHECK_EQUAL(
        ask(&rig, STATISTICS_QUEUE, names[STATISTICS_NAMES_MAX + 1], now)
            .window.counts[COUNTED_PUSHED],
        1
    );
    CHECK_EQUAL(rig.statistics.row_count, 1 + STATISTICS_NAMES_MAX + 1);
    rig_deinit(&rig);
}

TEST(a_clock_that_goes_back_counts_in_the_newest_minute) {
    struct rig rig;
    rig_init(&rig);
    push(&rig, "q", "k", start_ns + NS_PER_HOUR);
    push(&rig, "q", "k", start_ns);
    struct statistics_view view = ask(&rig, STATISTICS_QUEUE, "q", start_ns + NS_PER_HOUR);
    CHECK_EQUAL(view.series_count, 1);
    CHECK_EQUAL(view.window.counts[COUNTED_PUSHED], 2);
    rig_deinit(&rig);
}

TESTS(
    a_job_is_counted_for_its_queue_its_kind_and_all,
    rates_are_of_the_last_minute_and_hour,
    a_bucket_is_within_five_percent_of_all_in_it,
    quantiles_are_of_today_and_yesterday,
    a_series_reaches_back_three_days,
    without_room_the_oldest_minute_goes_and_is_told,
    more_names_than_there_is_room_for_take_the_place_of_silent_ones,
    a_clock_that_goes_back_counts_in_the_newest_minute
)
