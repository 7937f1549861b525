/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that is full, that refuses to sync, that writes in pieces: what the owner is told, and
 * what a restart finds. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/status.h"
#include "base/test.h"
#include "journal/file_private.h"
#include "journal/rig.h"
#include "journal/rig_disk.h"

#define SEGMENT (UINT64_C(64) * 1024)

struct fixture {
    struct rig_dir dir;
    struct rig_disk disk;
    struct journal *journal;
};

static void fixture_open(struct fixture *fixture) {
    struct journal_file_options options = {
        .path = fixture->dir.path,
        .segment_bytes = SEGMENT,
        .io = &fixture->disk.io,
    };
    struct hob_error err = {0};
    enum hob_status status =
        journal_file_open(&options, (struct journal_wake){0}, &fixture->journal, &err);
    if (status != HOB_OK) CHECK_STR(err.text, "");
}

static void fixture_init(struct fixture *fixture) {
    fixture->dir = rig_dir_make();
    rig_disk_init(&fixture->disk, 1);
    fixture_open(fixture);
}

static void fixture_deinit(struct fixture *fixture) {
    journal_close(fixture->journal);
    rig_disk_settle(&fixture->disk);
    rig_dir_remove(&fixture->dir);
}

static struct journal_done append(struct journal *journal, size_t size) {
    struct journal_info info;
    journal_info(journal, &info);
    char *bytes = malloc(size);
    hob_assert(bytes != NULL);
    rig_bytes(bytes, size, info.seq + 1);
    struct journal_batch batch = rig_next(journal, slice_of(bytes, size));
    struct journal_done done = rig_append(journal, &batch);
    free(bytes);
    return done;
}

static void check_all(struct journal *journal, size_t size, uint64_t wanted) {
    uint64_t count;
    struct hob_error err;
    CHECK_EQUAL(rig_read_all(journal, size, &count, &err), HOB_NOT_FOUND);
    CHECK_EQUAL(count, wanted);
}

TEST(a_full_disk_refuses_a_batch_until_there_is_space) {
    struct fixture fixture;
    fixture_init(&fixture);
    uint64_t seq = 0;
    /* The first segment is grown from the beginning. No second one gets all it needs. */
    for (uint64_t space = 0; space < UINT64_C(33) * 1024; space += 5000) {
        rig_disk_space(&fixture.disk, space);
        struct journal_done done = {.result = JOURNAL_OK};
        for (int i = 0; i < 12 && done.result == JOURNAL_OK; i++) {
            done = append(fixture.journal, 10000);
            if (done.result == JOURNAL_OK) seq++;
        }
        CHECK_EQUAL(done.result, JOURNAL_FULL);
        CHECK_EQUAL(done.error.status, HOB_DISK);
        CHECK(done.error.text[0] != '\0');
        struct journal_info info;
        journal_info(fixture.journal, &info);
        CHECK_EQUAL(info.seq, seq);
        CHECK(info.room_bytes < SEGMENT);
    }
    CHECK(seq >= 3);
    CHECK(seq <= 6);
    rig_disk_space(&fixture.disk, UINT64_MAX);
    for (; seq < 20; seq++) CHECK_EQUAL(append(fixture.journal, 10000).result, JOURNAL_OK);
    check_all(fixture.journal, 10000, seq);
    struct journal_info info;
    journal_info(fixture.journal, &info);
    CHECK_EQUAL(info.room_bytes, UINT64_MAX);
    journal_close(fixture.journal);
    fixture_open(&fixture);
    check_all(fixture.journal, 10000, seq);
    fixture_deinit(&fixture);
}

TEST(a_batch_that_found_no_space_is_not_there_after_a_restart) {
    for (uint64_t space = 0; space < 30000; space += 1111) {
        struct fixture fixture;
        fixture_init(&fixture);
        CHECK_EQUAL(append(fixture.journal, 10000).result, JOURNAL_OK);
        rig_disk_space(&fixture.disk, space);
        CHECK_EQUAL(append(fixture.journal, 70000).result, JOURNAL_FULL);
        struct rig_dir copy = rig_dir_make();
        rig_dir_copy(&fixture.dir, &copy);
        struct journal *journal = rig_open(&copy, SEGMENT);
        check_all(journal, 10000, 1);
        journal_close(journal);
        rig_dir_remove(&copy);
        CHECK_EQUAL(append(fixture.journal, 10000).result, JOURNAL_OK); /* a smaller one fits */
        fixture_deinit(&fixture);
    }
}

/* However much of its frame came to the disk, all of it and a part of the zeros behind it among
 * that: what was refused is not there after a restart, and another batch may stand in its place. */
TEST(a_batch_that_a_full_disk_refused_is_not_there_whatever_was_written_of_it) {
    enum { BYTES = 1000, HEADER = 64 };
    static const size_t torn_at[] = {
        0,
        1,
        HEADER - 1,
        HEADER,
        HEADER + 1,
        HEADER + BYTES - 1,
        HEADER + BYTES,
        HEADER + BYTES + 20};
    for (size_t i = 0; i < hob_countof(torn_at); i++) {
        struct fixture fixture;
        fixture_init(&fixture);
        CHECK_EQUAL(append(fixture.journal, BYTES).result, JOURNAL_OK);
        rig_disk_tear(&fixture.disk, torn_at[i]);
        CHECK_EQUAL(append(fixture.journal, BYTES).result, JOURNAL_FULL);
        struct rig_dir copy = rig_dir_make();
        rig_dir_copy(&fixture.dir, &copy);
        struct journal *journal = rig_open(&copy, SEGMENT);
        check_all(journal, BYTES, 1);
        journal_close(journal);
        rig_dir_remove(&copy);
        CHECK_EQUAL(append(fixture.journal, BYTES).result, JOURNAL_OK);
        check_all(fixture.journal, BYTES, 2);
        fixture_deinit(&fixture);
    }
}

static bool space_is_short(void *context) {
    struct journal_info info;
    journal_info(context, &info);
    return info.room_bytes != UINT64_MAX;
}

/* Wait until the writer has tried to prepare room and knows that the disk is full. */
static uint64_t room_when_short(struct journal *journal) {
    CHECK(rig_until(space_is_short, journal));
    struct journal_info info;
    journal_info(journal, &info);
    CHECK_EQUAL(journal_room(journal), info.room_bytes);
    return info.room_bytes;
}

TEST(the_room_that_is_told_is_there_when_the_disk_is_full) {
    struct fixture fixture;
    fixture_init(&fixture);
    rig_disk_space(&fixture.disk, 150000);
    uint64_t room = UINT64_MAX;
    uint64_t seq = 0;
    while (room == UINT64_MAX) {
        CHECK_EQUAL(append(fixture.journal, 1000).result, JOURNAL_OK);
        CHECK(++seq < 1000);
        struct journal_info info;
        journal_info(fixture.journal, &info);
        room = info.room_bytes;
    }
    /* a quarter of a segment is still there, and small batches get all of it */
    CHECK(room >= SEGMENT / 8);
    room -= 2 * frame_bytes(1000); /* what does not fit at the end of a segment and of a spare */
    for (uint64_t used = 0; used + frame_bytes(1000) <= room; used += frame_bytes(1000)) {
        CHECK_EQUAL(append(fixture.journal, 1000).result, JOURNAL_OK);
        seq++;
    }
    while (append(fixture.journal, 1000).result == JOURNAL_OK) seq++;
    CHECK(room_when_short(fixture.journal) < 2 * frame_bytes(1000));
    check_all(fixture.journal, 1000, seq);
    fixture_deinit(&fixture);
}

TEST(spares_serve_when_the_disk_is_full) {
    struct fixture fixture;
    fixture_init(&fixture);
    uint64_t seq = 0;
    for (; seq < 24; seq++) CHECK_EQUAL(append(fixture.journal, 10000).result, JOURNAL_OK);
    /* Two whole segments become spares, whatever smaller spare was made ahead. */
    CHECK_EQUAL(journal_trim(fixture.journal, 4, NULL), HOB_OK);
    rig_disk_space(&fixture.disk, 0);
    for (; seq < 36; seq++) CHECK_EQUAL(append(fixture.journal, 10000).result, JOURNAL_OK);
    CHECK_EQUAL(append(fixture.journal, 10000).result, JOURNAL_FULL);
    CHECK_EQUAL(journal_trim(fixture.journal, 5, NULL), HOB_OK);
    CHECK_EQUAL(append(fixture.journal, 10000).result, JOURNAL_OK);
    fixture_deinit(&fixture);
}

TEST(a_failed_sync_ends_all_appends) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_EQUAL(append(fixture.journal, 1000).result, JOURNAL_OK);
    rig_disk_fail_sync(&fixture.disk);
    struct journal_done done = append(fixture.journal, 1000);
    CHECK_EQUAL(done.result, JOURNAL_FAILED);
    CHECK_EQUAL(done.error.status, HOB_DISK);
    CHECK(done.error.text[0] != '\0');
    CHECK(!fixture.disk.sync_fails); /* from here on the disk would say yes */
    for (int i = 0; i < 3; i++) {
        struct journal_done again = append(fixture.journal, 1000);
        CHECK_EQUAL(again.result, JOURNAL_FAILED);
        CHECK_STR(again.error.text, done.error.text);
    }
    uint64_t calls = rig_disk_calls(&fixture.disk);
    journal_close(fixture.journal);
    CHECK_EQUAL(rig_disk_calls(&fixture.disk), calls); /* not even a seal */
    fixture_open(&fixture);
    uint64_t count;
    struct hob_error err;
    CHECK_EQUAL(rig_read_all(fixture.journal, 1000, &count, &err), HOB_NOT_FOUND);
    CHECK(count == 1 || count == 2); /* never acknowledged, but it may be there */
    fixture_deinit(&fixture);
}

/* A failed sync, a restart that finds the batch in memory all the same and tells it, a power cut:
 * what was told is still there. */
TEST(what_a_start_after_a_failed_sync_tells_outlives_a_power_cut) {
    uint64_t told_more = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rig_dir dir = rig_dir_make();
        struct rig_disk disk;
        rig_disk_init(&disk, seed);
        disk.forgets = true;
        struct journal_file_options options = {
            .path = dir.path, .segment_bytes = SEGMENT, .io = &disk.io};
        struct journal *journal;
        struct journal_wake wake = {0};
        CHECK_EQUAL(journal_file_open(&options, wake, &journal, NULL), HOB_OK);
        for (uint64_t i = 0; i < 1 + seed % 5; i++) {
            CHECK_EQUAL(append(journal, 1000).result, JOURNAL_OK);
        }
        rig_disk_fail_sync(&disk);
        CHECK_EQUAL(append(journal, 1000).result, JOURNAL_FAILED);
        journal_close(journal);
        CHECK_EQUAL(journal_file_open(&options, wake, &journal, NULL), HOB_OK);
        struct journal_info info;
        journal_info(journal, &info);
        CHECK(info.seq >= 1 + seed % 5);
        if (info.seq > 1 + seed % 5) told_more++;
        /* before anything else syncs the page */
        (void)pthread_mutex_lock(&disk.lock);
        disk.crash_at = disk.calls + 1;
        (void)pthread_mutex_unlock(&disk.lock);
        journal_close(journal);
        rig_disk_power_cut(&disk);
        journal = rig_open(&dir, SEGMENT);
        check_all(journal, 1000, info.seq);
        journal_close(journal);
        rig_dir_remove(&dir);
    }
    CHECK(told_more > 0);
}

TEST(a_failed_sync_between_appends_is_told_by_the_next) {
    struct rig_dir dir = rig_dir_make();
    struct rig_disk disk;
    rig_disk_init(&disk, 1);
    struct journal_file_options options = {
        .path = dir.path,
        .segment_bytes = SEGMENT,
        .io = &disk.io,
        .sync_interval_ns = NS_PER_MS,
    };
    struct journal *journal;
    CHECK_EQUAL(journal_file_open(&options, (struct journal_wake){0}, &journal, NULL), HOB_OK);
    rig_disk_fail_sync(&disk);
    struct journal_done done = {.result = JOURNAL_OK};
    for (int i = 0; i < 100000 && done.result == JOURNAL_OK; i++) done = append(journal, 10);
    CHECK_EQUAL(done.result, JOURNAL_FAILED);
    journal_close(journal);
    rig_disk_settle(&disk);
    rig_dir_remove(&dir);
}

TEST(writes_in_pieces_and_interruptions_change_nothing) {
    struct fixture fixture;
    fixture_init(&fixture);
    rig_disk_chop(&fixture.disk);
    uint64_t seq = 0;
    for (; seq < 40; seq++) CHECK_EQUAL(append(fixture.journal, 7777).result, JOURNAL_OK);
    check_all(fixture.journal, 7777, seq);
    journal_close(fixture.journal);
    fixture_open(&fixture);
    check_all(fixture.journal, 7777, seq);
    fixture_deinit(&fixture);
}

TEST(each_batch_costs_one_write_and_one_sync) {
    struct fixture fixture;
    fixture_init(&fixture);
    uint64_t calls = rig_disk_calls(&fixture.disk);
    for (int i = 0; i < 5; i++) CHECK_EQUAL(append(fixture.journal, 3000).result, JOURNAL_OK);
    uint64_t cost = rig_disk_calls(&fixture.disk) - calls;
    CHECK(cost >= 10);
    CHECK(cost <= 14); /* and some room, and a seal, should this thread have slept */
    fixture_deinit(&fixture);
}

TEST(the_owner_decides_whether_it_waits_for_the_sync) {
    for (int interval = 0; interval < 2; interval++) {
        struct rig_dir dir = rig_dir_make();
        struct rig_disk disk;
        rig_disk_init(&disk, 1);
        struct journal_file_options options = {
            .path = dir.path,
            .segment_bytes = SEGMENT,
            .io = &disk.io,
            .no_sync = interval == 0,
            .sync_interval_ns = interval == 1 ? NS_PER_HOUR : 0,
        };
        struct journal *journal;
        CHECK_EQUAL(journal_file_open(&options, (struct journal_wake){0}, &journal, NULL), HOB_OK);
        uint64_t syncs = rig_disk_syncs(&disk);
        for (int i = 0; i < 6; i++) CHECK_EQUAL(append(journal, 3000).result, JOURNAL_OK);
        CHECK_EQUAL(rig_disk_syncs(&disk), syncs);
        for (int i = 0; i < 20; i++) CHECK_EQUAL(append(journal, 3000).result, JOURNAL_OK);
        CHECK(rig_disk_syncs(&disk) > syncs); /* a segment is left synced */
        journal_close(journal);
        CHECK_EQUAL(disk.write_count, 0); /* a clean end is durable */
        rig_disk_settle(&disk);
        rig_dir_remove(&dir);
    }
}

TESTS(
    a_full_disk_refuses_a_batch_until_there_is_space,
    a_batch_that_found_no_space_is_not_there_after_a_restart,
    a_batch_that_a_full_disk_refused_is_not_there_whatever_was_written_of_it,
    the_room_that_is_told_is_there_when_the_disk_is_full,
    spares_serve_when_the_disk_is_full,
    a_failed_sync_ends_all_appends,
    what_a_start_after_a_failed_sync_tells_outlives_a_power_cut,
    a_failed_sync_between_appends_is_told_by_the_next,
    writes_in_pieces_and_interruptions_change_nothing,
    each_batch_costs_one_write_and_one_sync,
    the_owner_decides_whether_it_waits_for_the_sync
)
