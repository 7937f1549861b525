/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes: a small history is stopped at each of its calls to the disk, by a kill and by a power
 * cut that leaves any legal part of what was not synced. Whatever is left must open, hold every
 * batch that was answered with JOURNAL_OK, hold none that was never appended, and go on. A crash
 * during that recovery is one more crash. */
#include <stdlib.h>

#include "base/status.h"
#include "base/test.h"
#include "journal/rig.h"
#include "journal/rig_disk.h"

#define SEGMENT (UINT64_C(64) * 1024)
enum { BODY_BYTES = 9000, HISTORY_BATCHES = 28 };

enum crash { CRASH_KILL, CRASH_POWER };

struct history {
    struct rig_dir dir;
    uint64_t answered;  /* last batch that was answered with JOURNAL_OK */
    uint64_t attempted; /* last batch that was appended */
    hob_ns sync_interval_ns;
};

static struct journal *
open_on(const struct history *history, const struct rig_disk *disk, struct hob_error *err) {
    struct journal_file_options options = {
        .path = history->dir.path,
        .segment_bytes = SEGMENT,
        .sync_interval_ns = history->sync_interval_ns,
        .io = &disk->io,
    };
    struct journal *journal = NULL;
    *err = (struct hob_error){0};
    enum hob_status status = journal_file_open(&options, (struct journal_wake){0}, &journal, err);
    CHECK_EQUAL(status == HOB_OK, journal != NULL);
    return journal;
}

/* Append up to batch @last, trimming behind; false when the disk died. */
static bool history_go_on(struct history *history, struct journal *journal, uint64_t last) {
    char bytes[BODY_BYTES];
    for (;;) {
        struct journal_info info;
        journal_info(journal, &info);
        if (info.seq >= last) return true;
        rig_bytes(bytes, sizeof bytes, info.seq + 1);
        struct journal_batch batch = rig_next(journal, slice_of(bytes, sizeof bytes));
        history->attempted = batch.seq;
        struct journal_done done = rig_append(journal, &batch);
        if (done.result != JOURNAL_OK) {
            CHECK_EQUAL(done.result, JOURNAL_FAILED);
            return false;
        }
        history->answered = batch.seq;
        if (done.segment < info.first_segment + 2) continue;
        if (journal_trim(journal, done.segment - 1, NULL) != HOB_OK) return false;
    }
}

/* What is left of the history: all that was answered, nothing that was not appended. */
static void history_check(struct history *history, struct journal *journal) {
    struct journal_info info;
    journal_info(journal, &info);
    if (history->sync_interval_ns == 0) CHECK(info.seq >= history->answered);
    CHECK(info.seq <= history->attempted);
    uint64_t count;
    struct hob_error err = {0};
    enum hob_status status = rig_read_all(journal, BODY_BYTES, &count, &err);
    if (status == HOB_DISK) return; /* it died while it was read */
    if (status != HOB_NOT_FOUND) CHECK_STR(err.text, "");
    CHECK(count <= info.seq);
    if (info.first_segment == 1) CHECK_EQUAL(count, info.seq);
    /* trim keeps a whole segment before the last one */
    if (info.first_segment > 1) CHECK(count >= 6 || history->sync_interval_ns > 0);
    history->answered = info.seq;
    history->attempted = info.seq;
}

static void disk_end(struct rig_disk *disk, enum crash crash) {
    if (crash == CRASH_POWER) {
        rig_disk_power_cut(disk);
    } else {
        rig_disk_settle(disk);
    }
}

/* One life: open, check, go on to batch @last, dying at call @crash_at. True when it did not get
 * that far. */
static bool
life(struct history *history, uint64_t last, uint64_t crash_at, enum crash crash, uint64_t seed) {
    struct rig_disk disk;
    rig_disk_init(&disk, seed);
    disk.crash_at = crash_at;
    struct hob_error err;
    struct journal *journal = open_on(history, &disk, &err);
    /* A dead disk is the only reason not to open. */
    if (journal == NULL && disk.calls < crash_at) CHECK_STR(err.text, "");
    if (journal == NULL && err.status == HOB_CORRUPT) CHECK_STR(err.text, "");
    bool survived = false;
    if (journal != NULL) {
        history_check(history, journal);
        survived = history_go_on(history, journal, last);
        journal_close(journal);
    }
    survived = survived && disk.calls < crash_at;
    disk_end(&disk, crash);
    return survived;
}

static void crash_everywhere(enum crash crash, hob_ns sync_interval_ns, uint64_t seed) {
    for (uint64_t crash_at = 1;; crash_at++) {
        struct history history = {.dir = rig_dir_make(), .sync_interval_ns = sync_interval_ns};
        uint64_t lot = seed * 100000 + crash_at;
        bool survived = life(&history, HISTORY_BATCHES, crash_at, crash, lot);
        /* it dies again soon, perhaps in the recovery, and again later */
        (void)life(&history, HISTORY_BATCHES, 1 + lot % 17, crash, lot + 1);
        (void)life(&history, UINT64_C(2) * HISTORY_BATCHES, 30 + lot % 50, crash, lot + 2);
        CHECK(life(&history, UINT64_C(2) * HISTORY_BATCHES, UINT64_MAX, crash, lot + 3));
        CHECK(life(&history, UINT64_C(2) * HISTORY_BATCHES, UINT64_MAX, crash, lot + 4));
        CHECK_EQUAL(history.answered, UINT64_C(2) * HISTORY_BATCHES);
        rig_dir_remove(&history.dir);
        if (survived) break;
    }
}

TEST(a_kill_at_any_call_loses_nothing) {
    crash_everywhere(CRASH_KILL, 0, 1);
}

TEST(a_power_cut_at_any_call_loses_nothing) {
    for (uint64_t seed = 1; seed <= 2; seed++) crash_everywhere(CRASH_POWER, 0, seed);
}

TEST(a_power_cut_loses_only_a_tail_when_syncs_are_relaxed) {
    for (uint64_t seed = 1; seed <= 2; seed++) crash_everywhere(CRASH_POWER, NS_PER_HOUR, seed);
}

TESTS(
    a_kill_at_any_call_loses_nothing,
    a_power_cut_at_any_call_loses_nothing,
    a_power_cut_loses_only_a_tail_when_syncs_are_relaxed
)
