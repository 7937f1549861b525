/* SPDX-License-Identifier: Apache-2.0 */
/* What is missing at the end of a journal that was closed, or of segments that had begun, is no
 * torn write: the start refuses it, and the tools tell the same. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"
#include "base/test.h"
#include "journal/file_private.h"
#include "journal/inspect.h"
#include "journal/rig.h"

#define SEGMENT (UINT64_C(64) * 1024)
enum { BODY_BYTES = 20000, BATCHES = 7, SEGMENTS = 3 };

static struct rig_dir make(void) {
    struct rig_dir dir = rig_dir_make();
    struct journal *journal = rig_open(&dir, SEGMENT);
    for (uint64_t seq = 1; seq <= BATCHES; seq++) (void)rig_append_ok(journal, BODY_BYTES, seq);
    struct journal_info info;
    journal_info(journal, &info);
    CHECK_EQUAL(info.last_segment, SEGMENTS);
    journal_close(journal);
    return dir;
}

/* How many places the tools call damaged; they must tell nothing torn. */
static uint64_t damages(const struct rig_dir *dir) {
    struct journal_inspect *inspect = NULL;
    struct journal_find find;
    uint64_t count = 0;
    CHECK_EQUAL(journal_inspect_open(dir->path, &inspect, NULL), HOB_OK);
    enum hob_status status;
    while ((status = journal_inspect_next(inspect, &find, NULL)) == HOB_OK) {
        CHECK(find.type != INSPECT_TORN);
        count += find.type == INSPECT_DAMAGE ? 1 : 0;
    }
    CHECK_EQUAL(status, HOB_NOT_FOUND);
    journal_inspect_close(inspect);
    return count;
}

static void check_refused(const struct rig_dir *dir, const char *words) {
    struct journal *journal = NULL;
    struct hob_error err = {0};
    CHECK_EQUAL(rig_try_open(dir, &journal, &err), HOB_CORRUPT);
    if (strstr(err.text, words) == NULL) CHECK_STR(err.text, words);
    CHECK(strstr(err.text, "MARK") != NULL || strstr(err.text, "header") != NULL);
    CHECK(strstr(err.text, dir->path) != NULL);
}

static uint64_t count_of(const struct rig_dir *dir) {
    struct journal *journal = rig_open(dir, SEGMENT);
    uint64_t count = 0;
    CHECK_EQUAL(rig_read_all(journal, BODY_BYTES, &count, NULL), HOB_NOT_FOUND);
    journal_close(journal);
    return count;
}

static void shorten(const struct rig_dir *dir, uint32_t segment, uint64_t size) {
    CHECK_EQUAL(truncate(rig_segment(dir, segment).path, (off_t)size), 0);
}

TEST(a_closed_journal_that_became_short_is_refused) {
    static const uint64_t sizes[] = {
        SEGMENT_PAGE_BYTES,
        SEGMENT_PAGE_BYTES + 8,
        SEGMENT_PAGE_BYTES + FRAME_HEADER_BYTES,
        SEGMENT_PAGE_BYTES + BODY_BYTES,
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct rig_dir dir = make();
        shorten(&dir, SEGMENTS, sizes[i]);
        check_refused(&dir, "00000000000000000003.seg, byte ");
        CHECK_EQUAL(damages(&dir), 1);
        rig_unmark(&dir); /* as a crash could have left it */
        CHECK_EQUAL(count_of(&dir), BATCHES - 1);
        rig_dir_remove(&dir);
    }
}

TEST(a_segment_that_had_begun_is_missed) {
    struct rig_dir dir = make();
    shorten(&dir, SEGMENTS, 0);
    check_refused(&dir, "00000000000000000003.seg, byte 0: ");
    CHECK_EQUAL(damages(&dir), 1);
    CHECK_EQUAL(unlink(rig_segment(&dir, SEGMENTS).path), 0);
    check_refused(&dir, "00000000000000000003.seg, byte 0: the segment is missing");
    CHECK_EQUAL(damages(&dir), 1);
    CHECK_EQUAL(unlink(rig_segment(&dir, 2).path), 0);
    CHECK_EQUAL(unlink(rig_segment(&dir, 1).path), 0);
    check_refused(&dir, "00000000000000000001.seg, byte 0: the segment is missing");
    rig_dir_remove(&dir);
}

/* The mark of a segment's beginning, as a kill leaves it: more may follow, not less. */
TEST(more_than_the_mark_says_is_right) {
    struct rig_dir dir = make();
    struct rig_dir copy = rig_dir_make();
    struct journal *journal = rig_open(&dir, SEGMENT);
    for (uint64_t seq = BATCHES + 1; seq <= BATCHES + 2; seq++) {
        (void)rig_append_ok(journal, BODY_BYTES, seq);
    }
    rig_dir_copy(&dir, &copy);
    size_t size;
    char *mark = rig_file_read(rig_file(&dir, "MARK").path, &size);
    rig_file_write(rig_file(&copy, "MARK").path, mark, size);
    free(mark);
    journal_close(journal);
    CHECK_EQUAL(damages(&copy), 0);
    CHECK_EQUAL(count_of(&copy), BATCHES + 2);
    rig_dir_remove(&copy);
    rig_dir_remove(&dir);
}

TEST(a_mark_that_is_damaged_or_of_another_journal_says_nothing) {
    struct rig_dir dir = make();
    struct rig_dir other = make();
    size_t size;
    char *mark = rig_file_read(rig_file(&dir, "MARK").path, &size);
    shorten(&dir, SEGMENTS, SEGMENT_PAGE_BYTES);
    for (size_t at = 0; at + 1 < size; at++) {
        mark[at] = (char)(mark[at] ^ 0x04);
        rig_file_write(rig_file(&dir, "MARK").path, mark, size);
        mark[at] = (char)(mark[at] ^ 0x04);
        CHECK_EQUAL(count_of(&dir), BATCHES - 1);
    }
    rig_file_write(rig_file(&dir, "MARK").path, "", 0);
    CHECK_EQUAL(count_of(&dir), BATCHES - 1);
    rig_file_write(rig_file(&other, "MARK").path, mark, size);
    shorten(&other, SEGMENTS, SEGMENT_PAGE_BYTES);
    CHECK_EQUAL(damages(&other), 0);
    CHECK_EQUAL(count_of(&other), BATCHES - 1);
    free(mark);
    rig_dir_remove(&other);
    rig_dir_remove(&dir);
}

TESTS(
    a_closed_journal_that_became_short_is_refused,
    a_segment_that_had_begun_is_missed,
    more_than_the_mark_says_is_right,
    a_mark_that_is_damaged_or_of_another_journal_says_nothing
)
