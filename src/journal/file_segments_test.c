/* SPDX-License-Identifier: Apache-2.0 */
/* Damage to a journal of several segments: frames, headers and whole files. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/status.h"
#include "base/test.h"
#include "journal/file_private.h"
#include "journal/rig.h"

#define SEGMENT (UINT64_C(64) * 1024)

/* A journal of several segments, closed. */
static struct rig_dir segments_make(uint64_t count) {
    struct rig_dir dir = rig_dir_make();
    struct journal *journal = rig_open(&dir, SEGMENT);
    for (uint64_t seq = 1; seq <= count; seq++) (void)rig_append_ok(journal, 20000, seq);
    journal_close(journal);
    return dir;
}

/* How the journal in @dir ends when it is opened and read. */
static enum hob_status read_status(const struct rig_dir *dir, struct hob_error *err) {
    struct journal *journal;
    enum hob_status status = rig_try_open(dir, &journal, err);
    if (status != HOB_OK) return status;
    uint64_t count;
    status = rig_read_all(journal, 20000, &count, err);
    journal_close(journal);
    return status;
}

TEST(a_bad_frame_in_an_earlier_segment_is_refused) {
    struct rig_dir dir = segments_make(8); /* three to a segment */
    struct hob_error err;
    CHECK_EQUAL(read_status(&dir, &err), HOB_NOT_FOUND);
    for (uint32_t segment = 1; segment <= 2; segment++) {
        size_t size;
        char *bytes = rig_file_read(rig_segment(&dir, segment).path, &size);
        for (size_t frame = 0; frame < 3; frame++) {
            for (size_t at = 0; at < 100; at += 33) {
                char *byte = bytes + SEGMENT_PAGE_BYTES + frame * frame_bytes(20000) + at;
                *byte = (char)(*byte ^ 1);
                rig_file_write(rig_segment(&dir, segment).path, bytes, size);
                *byte = (char)(*byte ^ 1);
                CHECK_EQUAL(read_status(&dir, &err), HOB_CORRUPT);
                char where[64];
                (void)snprintf(
                    where,
                    sizeof where,
                    "%u.seg, byte %zu:",
                    (unsigned)segment,
                    (size_t)(SEGMENT_PAGE_BYTES + frame * frame_bytes(20000))
                );
                CHECK(strstr(err.text, where) != NULL);
            }
        }
        rig_file_write(rig_segment(&dir, segment).path, bytes, size);
        free(bytes);
    }
    CHECK_EQUAL(read_status(&dir, &err), HOB_NOT_FOUND);
    rig_dir_remove(&dir);
}

TEST(a_missing_segment_is_refused) {
    struct rig_dir dir = segments_make(11);
    CHECK_EQUAL(unlink(rig_segment(&dir, 3).path), 0);
    struct hob_error err;
    CHECK_EQUAL(read_status(&dir, &err), HOB_CORRUPT);
    CHECK(strstr(err.text, "00000000000000000003.seg") != NULL);
    CHECK(strstr(err.text, "missing") != NULL);
    rig_dir_remove(&dir);
}

TEST(a_segment_of_another_journal_or_place_is_refused) {
    struct rig_dir dir = segments_make(8);
    struct rig_dir other = segments_make(8);
    struct hob_error err;
    size_t size;
    char *mine = rig_file_read(rig_segment(&dir, 3).path, &size);
    char *foreign = rig_file_read(rig_segment(&other, 3).path, &size);
    rig_file_write(rig_segment(&dir, 3).path, foreign, size);
    CHECK_EQUAL(read_status(&dir, &err), HOB_CORRUPT);
    CHECK(strstr(err.text, "another journal") != NULL);
    rig_file_write(rig_segment(&dir, 4).path, mine, size);
    rig_file_write(rig_segment(&dir, 3).path, mine, size);
    CHECK_EQUAL(read_status(&dir, &err), HOB_CORRUPT);
    CHECK(strstr(err.text, "renamed") != NULL);
    CHECK_EQUAL(access(rig_segment(&dir, 4).path, F_OK), 0); /* nothing was removed */
    free(mine);
    free(foreign);
    rig_dir_remove(&dir);
    rig_dir_remove(&other);
}

TEST(a_segment_that_was_never_finished_is_removed) {
    struct hob_error err;
    struct rig_dir dir = segments_make(8);
    char zeros[8192] = {0};
    const size_t sizes[] = {0, 1, 4096, 8192};
    for (size_t i = 0; i < 4; i++) {
        rig_file_write(rig_segment(&dir, 4).path, zeros, sizes[i]);
        CHECK_EQUAL(read_status(&dir, &err), HOB_NOT_FOUND);
        CHECK(access(rig_segment(&dir, 4).path, F_OK) != 0);
    }
    rig_dir_remove(&dir);
    /* the very first one */
    dir = rig_dir_make();
    rig_file_write(rig_segment(&dir, 1).path, zeros, 4096);
    CHECK_EQUAL(read_status(&dir, &err), HOB_NOT_FOUND);
    rig_dir_remove(&dir);
}

TEST(a_last_segment_without_header_is_refused_when_it_holds_frames) {
    struct rig_dir dir = segments_make(8);
    struct hob_error err;
    for (uint32_t segment = 1; segment <= 3; segment++) {
        size_t size;
        char *bytes = rig_file_read(rig_segment(&dir, segment).path, &size);
        char *damaged = malloc(size);
        hob_assert(damaged != NULL);
        memcpy(damaged, bytes, size);
        memset(damaged, 0, SEGMENT_PAGE_BYTES);
        rig_file_write(rig_segment(&dir, segment).path, damaged, size);
        CHECK_EQUAL(read_status(&dir, &err), HOB_CORRUPT);
        CHECK(strstr(err.text, "header") != NULL);
        rig_file_write(rig_segment(&dir, segment).path, bytes, size);
        free(damaged);
        free(bytes);
    }
    CHECK_EQUAL(read_status(&dir, &err), HOB_NOT_FOUND);
    rig_dir_remove(&dir);
    /* the only one */
    dir = segments_make(1);
    size_t size;
    char *bytes = rig_file_read(rig_segment(&dir, 1).path, &size);
    memset(bytes, 0, SEGMENT_PAGE_BYTES);
    rig_file_write(rig_segment(&dir, 1).path, bytes, size);
    free(bytes);
    CHECK_EQUAL(read_status(&dir, &err), HOB_CORRUPT);
    rig_dir_remove(&dir);
}

TEST(an_empty_last_segment_does_not_hide_the_last_batch) {
    struct rig_dir dir = segments_make(3);
    struct journal *journal = rig_open(&dir, SEGMENT);
    struct journal_batch batch = {0};
    char bytes[20000];
    rig_bytes(bytes, sizeof bytes, 4);
    batch = rig_next(journal, slice_of(bytes, sizeof bytes));
    struct journal_done done = rig_append(journal, &batch); /* opens segment 2 */
    CHECK_EQUAL(done.segment, 2);
    journal_close(journal);
    size_t size;
    char *file = rig_file_read(rig_segment(&dir, 2).path, &size);
    memset(file + SEGMENT_PAGE_BYTES, 0, size - SEGMENT_PAGE_BYTES);
    rig_file_write(rig_segment(&dir, 2).path, file, size);
    rig_unmark(&dir);
    free(file);

    journal = rig_open(&dir, SEGMENT);
    struct journal_info info;
    journal_info(journal, &info);
    CHECK_EQUAL(info.seq, 3);
    CHECK_EQUAL(info.last_segment, 2);
    CHECK_EQUAL(journal_trim(journal, 2, NULL), HOB_OK); /* would lose the last batch */
    journal_info(journal, &info);
    CHECK_EQUAL(info.first_segment, 1);
    CHECK_EQUAL(rig_append(journal, &batch).result, JOURNAL_OK);
    CHECK_EQUAL(journal_trim(journal, 2, NULL), HOB_OK);
    journal_info(journal, &info);
    CHECK_EQUAL(info.first_segment, 2);
    journal_close(journal);
    rig_dir_remove(&dir);
}

TESTS(
    a_bad_frame_in_an_earlier_segment_is_refused,
    a_missing_segment_is_refused,
    a_segment_of_another_journal_or_place_is_refused,
    a_segment_that_was_never_finished_is_removed,
    a_last_segment_without_header_is_refused_when_it_holds_frames,
    an_empty_last_segment_does_not_hide_the_last_batch
)
