/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's directory: who may have it, what lies in it, and what becomes of old segments. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"
#include "base/test.h"
#include "journal/file_private.h"
#include "journal/rig.h"

#define SEGMENT (UINT64_C(64) * 1024)

static bool there(const struct rig_dir *dir, const char *name) {
    return access(rig_file(dir, name).path, F_OK) == 0;
}

TEST(the_directory_is_made_for_its_owner_only) {
    struct rig_dir parent = rig_dir_make();
    struct rig_dir dir = rig_file(&parent, "jobs");
    struct journal *journal = rig_open(&dir, SEGMENT);
    struct stat info;
    CHECK_EQUAL(stat(dir.path, &info), 0);
    CHECK_EQUAL(info.st_mode & 0777, 0700);
    CHECK_EQUAL(stat(rig_segment(&dir, 1).path, &info), 0);
    CHECK_EQUAL(info.st_mode & 0777, 0600);
    journal_close(journal);
    rig_dir_remove(&dir);

    struct rig_dir deep = rig_file(&parent, "no/such/place");
    struct hob_error err;
    CHECK_EQUAL(rig_try_open(&deep, &journal, &err), HOB_CONFIG);
    CHECK(strstr(err.text, "no/such/place") != NULL);
    rig_dir_remove(&parent);
}

TEST(a_second_open_is_refused_and_told_who_has_it) {
    struct rig_dir dir = rig_dir_make();
    struct journal *journal = rig_open(&dir, SEGMENT);
    struct journal *second;
    struct hob_error err;
    CHECK_EQUAL(rig_try_open(&dir, &second, &err), HOB_CONFLICT);
    char holder[40];
    (void)snprintf(holder, sizeof holder, "process %ld ", (long)getpid());
    CHECK(strstr(err.text, holder) != NULL);
    CHECK(strstr(err.text, dir.path) != NULL);
    (void)rig_append_ok(journal, 100, 1); /* the holder is not disturbed */
    journal_close(journal);
    journal = rig_open(&dir, SEGMENT);
    journal_close(journal);
    rig_dir_remove(&dir);
}

TEST(a_directory_of_somebody_else_is_refused_and_left_alone) {
    struct rig_dir dir = rig_dir_make();
    rig_file_write(rig_file(&dir, "thesis.tex").path, "x", 1);
    struct journal *journal;
    struct hob_error err;
    CHECK_EQUAL(rig_try_open(&dir, &journal, &err), HOB_CONFIG);
    CHECK(strstr(err.text, "thesis.tex") != NULL);
    CHECK(!there(&dir, "LOCK"));
    CHECK_EQUAL(unlink(rig_file(&dir, "thesis.tex").path), 0);
    journal = rig_open(&dir, SEGMENT);
    journal_close(journal);
    /* a note that somebody put beside a journal does no harm */
    rig_file_write(rig_file(&dir, "README").path, "x", 1);
    journal = rig_open(&dir, SEGMENT);
    journal_close(journal);
    rig_dir_remove(&dir);
}

TEST(a_segment_size_out_of_bounds_is_refused) {
    struct rig_dir dir = rig_dir_make();
    const uint64_t sizes[] = {1, 64 * 1024 - 1, (UINT64_C(4) << 30) + 1};
    for (size_t i = 0; i < 3; i++) {
        struct journal_file_options options = {.path = dir.path, .segment_bytes = sizes[i]};
        struct journal *journal;
        struct hob_error err;
        CHECK_EQUAL(
            journal_file_open(&options, (struct journal_wake){0}, &journal, &err), HOB_CONFIG
        );
    }
    rig_dir_remove(&dir);
}

static bool file_is_gone(void *context) {
    const struct rig_dir *file = context;
    return access(file->path, F_OK) != 0;
}

TEST(trimmed_segments_become_two_spares_and_live_again) {
    struct rig_dir dir = rig_dir_make();
    struct journal *journal = rig_open(&dir, SEGMENT);
    uint64_t seq = 0;
    for (int i = 0; i < 60; i++) (void)rig_append_ok(journal, 10000, ++seq);
    struct journal_info info;
    journal_info(journal, &info);
    CHECK_EQUAL(info.last_segment, 10);
    CHECK_EQUAL(journal_trim(journal, info.last_segment, NULL), HOB_OK);
    struct rig_dir last_trimmed = rig_segment(&dir, 9);
    CHECK(rig_until(file_is_gone, &last_trimmed)); /* the oldest go first */
    CHECK(there(&dir, "spare.0"));
    CHECK(there(&dir, "spare.1"));
    CHECK(!there(&dir, "spare.2"));
    CHECK(!there(&dir, "00000000000000000001.seg"));
    CHECK(!there(&dir, "00000000000000000009.seg"));
    for (int i = 0; i < 6; i++) (void)rig_append_ok(journal, 10000, ++seq);
    CHECK(!there(&dir, "spare.0") || !there(&dir, "spare.1"));
    journal_close(journal);

    rig_file_write(rig_file(&dir, "spare.7").path, "old", 3);
    rig_file_write(rig_file(&dir, "spare.tmp").path, "half", 4);
    journal = rig_open(&dir, SEGMENT);
    CHECK(!there(&dir, "spare.7"));
    CHECK(!there(&dir, "spare.tmp"));
    journal_info(journal, &info);
    CHECK_EQUAL(info.stored_bytes, 3 * SEGMENT); /* two segments and a spare */
    CHECK_EQUAL(info.room_bytes, UINT64_MAX);
    journal_close(journal);
    rig_dir_remove(&dir);
}

static bool file_exists(void *context) {
    const struct rig_dir *file = context;
    return access(file->path, F_OK) == 0;
}

TEST(a_spare_is_made_before_it_is_needed) {
    struct rig_dir dir = rig_dir_make();
    struct journal *journal = rig_open(&dir, SEGMENT);
    for (uint64_t seq = 1; seq <= 5; seq++) (void)rig_append_ok(journal, 10000, seq);
    struct rig_dir spare = rig_file(&dir, "spare.0");
    CHECK(rig_until(file_exists, &spare));
    for (uint64_t seq = 6; seq <= 7; seq++) (void)rig_append_ok(journal, 10000, seq);
    struct journal_info info;
    journal_info(journal, &info);
    CHECK_EQUAL(info.last_segment, 2);
    CHECK(!there(&dir, "spare.0"));
    journal_close(journal);
    size_t size;
    char *bytes = rig_file_read(rig_segment(&dir, 2).path, &size);
    struct segment_header header;
    CHECK(segment_header_decode(bytes, &header));
    CHECK_EQUAL(header.flags, 0); /* it had no earlier life */
    free(bytes);
    rig_dir_remove(&dir);
}

TEST(frames_of_an_earlier_life_are_never_read) {
    struct rig_dir dir = rig_dir_make();
    /* All frames alike in size, so that old ones begin exactly where new ones will. */
    for (int round = 0; round < 6; round++) {
        struct journal *journal = rig_open(&dir, SEGMENT);
        struct journal_info info;
        journal_info(journal, &info);
        CHECK_EQUAL(info.seq, (uint64_t)round * 100);
        CHECK_EQUAL(info.cut_bytes, 0);
        for (int i = 0; i < 100; i++) {
            struct journal_info now;
            journal_info(journal, &now);
            (void)rig_append_ok(journal, 3000, now.seq + 1);
            if (now.last_segment > now.first_segment + 1) {
                CHECK_EQUAL(journal_trim(journal, now.last_segment - 1, NULL), HOB_OK);
            }
        }
        uint64_t count;
        struct hob_error err;
        CHECK_EQUAL(rig_read_all(journal, 3000, &count, &err), HOB_NOT_FOUND);
        CHECK(count >= 21);
        journal_close(journal);
    }
    rig_dir_remove(&dir);
}

struct place {
    struct rig_dir file;
    uint64_t offset;
};

static bool frame_exists(void *context) {
    const struct place *place = context;
    size_t size;
    char *bytes = rig_file_read(place->file.path, &size);
    bool exists = size > place->offset && memcmp(bytes + place->offset, "HOBJ", 4) == 0;
    free(bytes);
    return exists;
}

TEST(an_idle_journal_seals_itself) {
    struct rig_dir dir = rig_dir_make();
    struct journal *journal = rig_open(&dir, SEGMENT);
    uint64_t offset = address_offset(rig_append_ok(journal, 100, 1)) + frame_bytes(100);
    struct place place = {.file = rig_segment(&dir, 1), .offset = offset};
    CHECK(rig_until(frame_exists, &place));
    (void)rig_append_ok(journal, 100, 2);
    uint64_t count;
    struct hob_error err;
    CHECK_EQUAL(rig_read_all(journal, 100, &count, &err), HOB_NOT_FOUND);
    CHECK_EQUAL(count, 2);
    journal_close(journal);
    rig_dir_remove(&dir);
}

TEST(the_durability_may_change_from_open_to_open) {
    struct rig_dir dir = rig_dir_make();
    uint64_t seq = 0;
    for (int round = 0; round < 12; round++) {
        struct journal_file_options options = {
            .path = dir.path,
            .segment_bytes = SEGMENT * (1 + (uint64_t)round % 2),
            .no_sync = round % 3 == 1,
            .sync_interval_ns = round % 3 == 2 ? NS_PER_MS : 0,
        };
        struct journal *journal;
        struct hob_error err;
        CHECK_EQUAL(journal_file_open(&options, (struct journal_wake){0}, &journal, &err), HOB_OK);
        for (int i = 0; i < 10; i++) (void)rig_append_ok(journal, 3000, ++seq);
        uint64_t count;
        CHECK_EQUAL(rig_read_all(journal, 3000, &count, &err), HOB_NOT_FOUND);
        CHECK_EQUAL(count, seq);
        journal_close(journal);
    }
    rig_dir_remove(&dir);
}

TESTS(
    the_directory_is_made_for_its_owner_only,
    a_second_open_is_refused_and_told_who_has_it,
    a_directory_of_somebody_else_is_refused_and_left_alone,
    a_segment_size_out_of_bounds_is_refused,
    trimmed_segments_become_two_spares_and_live_again,
    a_spare_is_made_before_it_is_needed,
    frames_of_an_earlier_life_are_never_read,
    an_idle_journal_seals_itself,
    the_durability_may_change_from_open_to_open
)
