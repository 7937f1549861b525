/* SPDX-License-Identifier: Apache-2.0 */
/* Every byte of a small journal of three segments is flipped, and the journal is cut off at every
 * byte of its files. What is found must agree with what an open does: damage and a refusal, a torn
 * end and a cut, nothing and the whole journal. And nothing is ever found that was not written. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/status.h"
#include "base/test.h"
#include "journal/file_private.h"
#include "journal/inspect.h"
#include "journal/rig.h"

#define SEGMENT (UINT64_C(64) * 1024)
enum { SEGMENTS = 3, LARGE_BYTES = 60700, SMALL_BYTES = 150, BATCHES = 9 };

/* Three small batches in each segment, and one behind them that fills all but the last. */
static const size_t sizes[] = {
    SMALL_BYTES,
    SMALL_BYTES,
    LARGE_BYTES,
    SMALL_BYTES,
    SMALL_BYTES,
    LARGE_BYTES,
    SMALL_BYTES,
    SMALL_BYTES,
    SMALL_BYTES,
};
_Static_assert(hob_countof(sizes) == BATCHES, "a size each");

struct sample {
    struct rig_dir dir;
    char *bytes[SEGMENTS];
    size_t size[SEGMENTS];
    size_t used[SEGMENTS];               /* the bytes of headers and frames */
    bool interesting[SEGMENTS][SEGMENT]; /* not in the middle of a large body */
};

static void sample_mark(struct sample *sample, size_t segment, uint64_t at, size_t size) {
    size_t end = (size_t)(at + frame_bytes(size));
    for (size_t i = (size_t)at; i < end; i++) {
        bool edge = i < at + 200 || i + 100 > end;
        sample->interesting[segment][i] = edge || i % 53 == 0;
    }
    if (sample->used[segment] < end) sample->used[segment] = end;
}

static struct sample *sample_make(void) {
    struct sample *sample = calloc(1, sizeof *sample);
    hob_assert(sample != NULL);
    sample->dir = rig_dir_make();
    struct journal *journal = rig_open(&sample->dir, SEGMENT);
    for (size_t i = 0; i < BATCHES; i++) {
        uint64_t address = rig_append_ok(journal, sizes[i], i + 1);
        sample_mark(sample, address_segment(address) - 1, address_offset(address), sizes[i]);
    }
    struct journal_info info;
    journal_info(journal, &info);
    CHECK_EQUAL(info.last_segment, SEGMENTS);
    journal_close(journal);
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        sample->bytes[i] = rig_file_read(rig_segment(&sample->dir, i + 1).path, &sample->size[i]);
        for (size_t at = 0; at < SEGMENT_HEADER_BYTES; at++) {
            sample->interesting[i][at] = true;
            sample->interesting[i][SEGMENT_HEADER_COPY_AT + at] = true;
        }
    }
    return sample;
}

static void sample_free(struct sample *sample) {
    for (size_t i = 0; i < SEGMENTS; i++) free(sample->bytes[i]);
    rig_dir_remove(&sample->dir);
    free(sample);
}

static void sample_write(const struct sample *sample, uint32_t segment, size_t size) {
    rig_file_write(rig_segment(&sample->dir, segment + 1).path, sample->bytes[segment], size);
}

struct findings {
    uint64_t batches;
    uint64_t damages;
    uint64_t torn;
    uint64_t lost;
    bool lost_unknown;
};

/* Look, and check each batch that is found against what was written. */
static struct findings look(const struct sample *sample) {
    struct findings findings = {0};
    struct journal_inspect *inspect = NULL;
    struct hob_error err = {0};
    CHECK_EQUAL(journal_inspect_open(sample->dir.path, &inspect, &err), HOB_OK);
    struct journal_find find = {0};
    uint64_t last = 0;
    static char wanted[LARGE_BYTES];
    while (journal_inspect_next(inspect, &find, &err) == HOB_OK) {
        if (find.type == INSPECT_DAMAGE) {
            findings.damages++;
            CHECK(find.why != NULL);
            if (find.lost == UINT64_MAX) findings.lost_unknown = true;
            if (find.lost != UINT64_MAX) findings.lost += find.lost;
        }
        if (find.type == INSPECT_TORN && find.size > 0) findings.torn++;
        if (find.type != INSPECT_BATCH) continue;
        findings.batches++;
        CHECK(find.batch.seq > last && find.batch.seq <= BATCHES);
        last = find.batch.seq;
        if (last < 1 || last > BATCHES) break; /* told above */
        CHECK_EQUAL(find.batch.bytes.size, sizes[last - 1]);
        rig_bytes(wanted, find.batch.bytes.size, last);
        CHECK_BYTES(find.batch.bytes.bytes, wanted, find.batch.bytes.size);
    }
    journal_inspect_close(inspect);
    return findings;
}

/* How many batches an open and a full read give; false: one of them refuses. It may cut, so the
 * last segment is written again. */
static bool open_reads(const struct sample *sample, uint64_t *ret_count, bool *ret_cut) {
    struct journal *journal = NULL;
    struct hob_error err = {0};
    if (rig_try_open(&sample->dir, &journal, &err) != HOB_OK) {
        CHECK_EQUAL(err.status, HOB_CORRUPT);
        CHECK(strstr(err.text, ".seg, byte ") != NULL);
        CHECK(strstr(err.text, "hob journal check") != NULL);
        return false;
    }
    struct journal_info info;
    journal_info(journal, &info);
    *ret_cut = info.cut_bytes > 0;
    struct journal_cursor *cursor = NULL;
    struct journal_entry entry;
    *ret_count = 0;
    enum hob_status status = journal_read_open(journal, 0, &cursor, &err);
    while (status == HOB_OK) {
        status = journal_read_next(journal, cursor, &entry, &err);
        if (status == HOB_OK) ++*ret_count;
    }
    journal_read_close(journal, cursor);
    journal_close(journal);
    if (status == HOB_NOT_FOUND) return true;
    CHECK_EQUAL(status, HOB_CORRUPT);
    return false;
}

static void check_agreement(const struct sample *sample, struct findings found) {
    uint64_t count = 0;
    bool cut = false;
    bool opens = open_reads(sample, &count, &cut);
    CHECK_EQUAL(opens, found.damages == 0);
    if (!opens) return;
    CHECK_EQUAL(count, found.batches);
    CHECK_EQUAL(cut, found.torn > 0);
}

TEST(a_whole_journal_is_found_whole) {
    struct sample *sample = sample_make();
    struct findings found = look(sample);
    CHECK_EQUAL(found.batches, BATCHES);
    CHECK_EQUAL(found.damages, 0);
    CHECK_EQUAL(found.torn, 0);
    sample_free(sample);
}

TEST(no_flipped_byte_is_accepted_and_at_most_its_batch_is_lost) {
    struct sample *sample = sample_make();
    uint64_t flips = 0;
    for (uint32_t segment = 0; segment < SEGMENTS; segment++) {
        for (size_t at = 0; at < sample->used[segment]; at++) {
            if (!sample->interesting[segment][at]) continue;
            flips++;
            char *byte = &sample->bytes[segment][at];
            char mask = (char)(1 + at % 255);
            *byte = (char)(*byte ^ mask);
            sample_write(sample, segment, sample->size[segment]);
            struct findings found = look(sample);
            /* One copy of a header is enough; every other byte is missed. */
            bool header = at < SEGMENT_PAGE_BYTES;
            CHECK_EQUAL(found.damages, header ? 0 : 1);
            CHECK_EQUAL(found.batches, header ? BATCHES : BATCHES - 1);
            CHECK_EQUAL(found.lost, header ? 0 : 1);
            CHECK(!found.lost_unknown);
            if (flips % 7 == 0) check_agreement(sample, found);
            *byte = (char)(*byte ^ mask);
            sample_write(sample, segment, sample->size[segment]);
        }
    }
    CHECK(flips > 4000);
    sample_free(sample);
}

TEST(a_file_that_ends_at_any_byte_is_refused_or_cut) {
    struct sample *sample = sample_make();
    for (uint32_t segment = 0; segment < SEGMENTS; segment++) {
        for (size_t at = 0; at < sample->used[segment]; at++) {
            if (!sample->interesting[segment][at]) continue;
            sample_write(sample, segment, at);
            struct findings found = look(sample);
            if (at >= SEGMENT_PAGE_BYTES) CHECK(found.batches < BATCHES);
            check_agreement(sample, found);
            /* an open may have cut the last one */
            for (uint32_t each = 0; each < SEGMENTS; each++) {
                sample_write(sample, each, sample->size[each]);
            }
        }
    }
    sample_free(sample);
}

TEST(a_segment_without_its_header_page_keeps_its_batches) {
    struct sample *sample = sample_make();
    for (uint32_t segment = 0; segment < SEGMENTS; segment++) {
        char page[SEGMENT_PAGE_BYTES];
        memcpy(page, sample->bytes[segment], sizeof page);
        memset(sample->bytes[segment], 0, sizeof page);
        sample_write(sample, segment, sample->size[segment]);
        struct findings found = look(sample);
        CHECK_EQUAL(found.batches, BATCHES);
        CHECK_EQUAL(found.damages, 1);
        memcpy(sample->bytes[segment], page, sizeof page);
        sample_write(sample, segment, sample->size[segment]);
    }
    /* all of them: the seed of each is solved from a frame */
    for (uint32_t segment = 0; segment < SEGMENTS; segment++) {
        memset(sample->bytes[segment], 0, SEGMENT_PAGE_BYTES);
        sample_write(sample, segment, sample->size[segment]);
    }
    struct findings found = look(sample);
    CHECK_EQUAL(found.batches, BATCHES);
    CHECK(found.damages >= SEGMENTS);
    sample_free(sample);
}

TEST(a_missing_segment_is_told_with_what_it_held) {
    struct sample *sample = sample_make();
    CHECK_EQUAL(remove(rig_segment(&sample->dir, 2).path), 0);
    struct findings found = look(sample);
    CHECK_EQUAL(found.damages, 1);
    CHECK_EQUAL(found.batches, 6);
    CHECK_EQUAL(found.lost, 3);
    check_agreement(sample, found);
    sample_free(sample);
}

TEST(a_journal_that_is_written_meanwhile_is_read_to_where_it_was) {
    struct rig_dir dir = rig_dir_make();
    struct journal *journal = rig_open(&dir, SEGMENT);
    struct journal_inspect *inspect = NULL;
    struct journal_find find = {0};
    uint64_t appended = 0;
    uint64_t found = 0;
    (void)rig_append_ok(journal, 9000, ++appended);
    CHECK_EQUAL(journal_inspect_open(dir.path, &inspect, NULL), HOB_OK);
    CHECK(journal_inspect_holder(inspect) != 0);
    while (journal_inspect_next(inspect, &find, NULL) == HOB_OK) {
        CHECK(find.type == INSPECT_SEGMENT || find.type == INSPECT_BATCH);
        if (find.type != INSPECT_BATCH) continue;
        CHECK_EQUAL(find.batch.seq, ++found);
        if (appended < 100) (void)rig_append_ok(journal, 9000, ++appended);
    }
    CHECK_EQUAL(found, 100);
    journal_inspect_close(inspect);
    journal_close(journal);
    rig_dir_remove(&dir);
}

TEST(segments_that_are_cleaned_away_meanwhile_are_told) {
    struct rig_dir dir = rig_dir_make();
    struct journal *journal = rig_open(&dir, SEGMENT);
    struct journal_inspect *inspect = NULL;
    struct journal_find find = {0};
    uint64_t appended = 0;
    while (appended < 60) (void)rig_append_ok(journal, 9000, ++appended);
    CHECK_EQUAL(journal_inspect_open(dir.path, &inspect, NULL), HOB_OK);
    uint64_t last = 0;
    uint64_t restarts = 0;
    while (journal_inspect_next(inspect, &find, NULL) == HOB_OK) {
        CHECK(find.type != INSPECT_DAMAGE);
        if (find.type == INSPECT_RESTART) restarts++;
        if (find.type == INSPECT_RESTART) last = 0;
        if (find.type != INSPECT_BATCH) continue;
        if (last != 0) CHECK_EQUAL(find.batch.seq, last + 1);
        last = find.batch.seq;
        if (last != 3 && last != 31) continue;
        /* what was read and more goes, and its files are written again */
        CHECK_EQUAL(journal_trim(journal, find.segment + 2, NULL), HOB_OK);
        for (int i = 0; i < 30; i++) (void)rig_append_ok(journal, 9000, ++appended);
    }
    CHECK_EQUAL(last, appended);
    CHECK(restarts >= 1);
    journal_inspect_close(inspect);
    journal_close(journal);
    rig_dir_remove(&dir);
}

TESTS(
    a_whole_journal_is_found_whole,
    no_flipped_byte_is_accepted_and_at_most_its_batch_is_lost,
    a_file_that_ends_at_any_byte_is_refused_or_cut,
    a_segment_without_its_header_page_keeps_its_batches,
    a_missing_segment_is_told_with_what_it_held,
    a_journal_that_is_written_meanwhile_is_read_to_where_it_was,
    segments_that_are_cleaned_away_meanwhile_are_told
)
