/* SPDX-License-Identifier: Apache-2.0 */
/* What was written down is what is read, and nothing else is. */
#include "server/statistics_codec.h"

#include "base/codec.h"
#include "base/crc32c.h"
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

static uint32_t dice = 1;

static uint32_t roll(uint32_t below) {
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % below;
}

static const char *const queues[] = {"mail", "report", "sms", "a.very-long/name"};
static const char *const kinds[] = {"send", "print"};

static void event(struct rig *rig, hob_ns at_ns) {
    static const enum job_state ends[] = {
        JOB_COMPLETED, JOB_RETRYABLE, JOB_DISCARDED, JOB_CANCELLED};
    struct event event = {
        .type = EVENT_STATE,
        .is_new = roll(3) == 0,
        .state = roll(2) == 0 ? JOB_RUNNING : ends[roll(4)],
        .queue = slice_str(queues[roll(4)]),
        .kind = slice_str(kinds[roll(2)]),
        .at_ns = at_ns,
        .waited_ns = (hob_ns)roll(1000000) * roll(1000000),
        .ran_ns = (hob_ns)roll(1000000) * roll(1000000),
        .has_error = roll(4) == 0,
        .cause = (enum error_cause)roll(ERROR_CAUSE_COUNT),
    };
    if (!event.is_new && event.state != JOB_RUNNING) event.from = JOB_RUNNING;
    statistics_event(&rig->statistics, &event);
}

/* So many minutes of a few events each; when they end. */
static hob_ns fill(struct rig *rig, uint32_t minutes) {
    hob_ns now_ns = start_ns;
    for (uint32_t i = 0; i < minutes; i++, now_ns += NS_PER_MINUTE) {
        for (uint32_t k = roll(6); k > 0; k--) event(rig, now_ns);
    }
    return now_ns;
}

static void save(const struct rig *rig, struct statistics_saver *saver) {
    statistics_save_begin(saver, &rig->statistics);
    while (!statistics_save_step(saver, &rig->statistics, STATISTICS_ROWS_MAX)) {
    }
    CHECK(saver->bytes.size > 0);
}

static void check_same(struct rig *a, struct rig *b, hob_ns now_ns) {
    for (enum statistics_of of = 0; of < STATISTICS_OF_COUNT; of++) {
        const char *const *names = of == STATISTICS_KIND ? kinds : queues;
        uint32_t count = of == STATISTICS_ALL ? 1 : of == STATISTICS_KIND ? 2 : 4;
        for (uint32_t i = 0; i < count; i++) {
            struct slice name = of == STATISTICS_ALL ? SLICE_NONE : slice_str(names[i]);
            struct statistics_asked asked = {.of = of, .name = name, .series = true};
            struct statistics_view wanted;
            struct statistics_view got;
            CHECK(statistics_read(&a->statistics, &asked, now_ns, &wanted));
            CHECK(statistics_read(&b->statistics, &asked, now_ns, &got));
            CHECK_EQUAL(got.series_count, wanted.series_count);
            size_t bytes = wanted.series_count * sizeof *wanted.series;
            CHECK(memcmp(got.series, wanted.series, bytes) == 0);
            CHECK(memcmp(&got.window, &wanted.window, sizeof got.window) == 0);
            CHECK(memcmp(&got.wait, &wanted.wait, sizeof got.wait) == 0);
            CHECK(memcmp(&got.run, &wanted.run, sizeof got.run) == 0);
            CHECK_EQUAL(got.since_ns, wanted.since_ns);
        }
    }
}

TEST(what_was_saved_is_loaded_and_goes_on) {
    struct rig before;
    struct rig after;
    struct statistics_saver saver;
    rig_init(&before);
    rig_init(&after);
    hob_ns now_ns = fill(&before, 3000);
    save(&before, &saver);
    CHECK(statistics_load(&after.statistics, buf_slice(&saver.bytes), now_ns));
    check_same(&before, &after, now_ns);
    for (int i = 0; i < 500; i++) {
        now_ns += roll(100) * NS_PER_SECOND;
        uint32_t same = dice;
        event(&before, now_ns);
        dice = same;
        event(&after, now_ns);
    }
    check_same(&before, &after, now_ns);
    statistics_saver_deinit(&saver);
    rig_deinit(&before);
    rig_deinit(&after);
}

TEST(what_happens_between_two_slices_is_in_the_last_one) {
    struct rig before;
    struct rig after;
    struct statistics_saver saver;
    rig_init(&before);
    rig_init(&after);
    hob_ns now_ns = fill(&before, 4000);
    uint32_t slices = 1;
    statistics_save_begin(&saver, &before.statistics);
    while (!statistics_save_step(&saver, &before.statistics, STATISTICS_ROWS_MAX)) {
        event(&before, now_ns);
        now_ns += NS_PER_MINUTE / 2;
        slices++;
    }
    CHECK(slices > 5);
    CHECK(statistics_load(&after.statistics, buf_slice(&saver.bytes), now_ns));
    check_same(&before, &after, now_ns);
    statistics_saver_deinit(&saver);
    rig_deinit(&before);
    rig_deinit(&after);
}

TEST(what_is_too_old_or_yet_to_come_is_left_out) {
    struct rig before;
    struct rig after;
    struct statistics_saver saver;
    rig_init(&before);
    hob_ns now_ns = fill(&before, 1000);
    save(&before, &saver);
    rig_init(&after);
    CHECK(statistics_load(&after.statistics, buf_slice(&saver.bytes), now_ns + 3 * NS_PER_DAY));
    CHECK_EQUAL(after.statistics.next, after.statistics.first);
    rig_deinit(&after);
    rig_init(&after);
    CHECK(statistics_load(&after.statistics, buf_slice(&saver.bytes), start_ns + NS_PER_HOUR));
    CHECK_EQUAL(after.statistics.minute * NS_PER_MINUTE <= start_ns + NS_PER_HOUR, true);
    CHECK(after.statistics.next > after.statistics.first);
    event(&after, start_ns + NS_PER_HOUR);
    statistics_saver_deinit(&saver);
    rig_deinit(&before);
    rig_deinit(&after);
}

TEST(damage_is_found_and_leaves_nothing_behind) {
    struct rig before;
    struct rig after;
    struct statistics_saver saver;
    rig_init(&before);
    rig_init(&after);
    hob_ns now_ns = fill(&before, 20);
    save(&before, &saver);
    struct slice whole = buf_slice(&saver.bytes);
    for (size_t size = 0; size < whole.size; size++) {
        CHECK(!statistics_load(&after.statistics, slice_of(whole.bytes, size), now_ns));
    }
    for (size_t i = 0; i < whole.size; i++) {
        saver.bytes.bytes[i] ^= 0x10;
        CHECK(!statistics_load(&after.statistics, whole, now_ns));
        saver.bytes.bytes[i] ^= 0x10;
    }
    CHECK_EQUAL(after.statistics.row_count, 1);
    CHECK(statistics_load(&after.statistics, whole, now_ns));
    statistics_saver_deinit(&saver);
    rig_deinit(&before);
    rig_deinit(&after);
}

/* Bytes with a right sum that nobody wrote: they are loaded or not, and nothing breaks. */
TEST(nonsense_leads_nowhere) {
    struct rig before;
    struct statistics_saver saver;
    rig_init(&before);
    hob_ns now_ns = fill(&before, 30);
    save(&before, &saver);
    size_t size = saver.bytes.size - 4;
    for (int i = 0; i < 20000; i++) {
        struct rig after;
        rig_init(&after);
        size_t at = 8 + roll((uint32_t)size - 8);
        char old = saver.bytes.bytes[at];
        saver.bytes.bytes[at] = (char)roll(256);
        put_u32le(saver.bytes.bytes + size, crc32c(0, saver.bytes.bytes, size));
        if (statistics_load(&after.statistics, buf_slice(&saver.bytes), now_ns)) {
            event(&after, now_ns);
            struct statistics_asked asked = {.of = STATISTICS_ALL, .series = true};
            struct statistics_view view;
            (void)statistics_read(&after.statistics, &asked, now_ns, &view);
        }
        saver.bytes.bytes[at] = old;
        rig_deinit(&after);
    }
    statistics_saver_deinit(&saver);
    rig_deinit(&before);
}

TESTS(
    what_was_saved_is_loaded_and_goes_on,
    what_happens_between_two_slices_is_in_the_last_one,
    what_is_too_old_or_yet_to_come_is_left_out,
    damage_is_found_and_leaves_nothing_behind,
    nonsense_leads_nowhere
)
