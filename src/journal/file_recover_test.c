/* SPDX-License-Identifier: Apache-2.0 */
/* Damage: every byte of a small journal is flipped, every prefix of its last frame is left. The
 * answer is always one of three: all of it, all but a torn tail, or a refusal that says where. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/status.h"
#include "base/test.h"
#include "journal/file_private.h"
#include "journal/rig.h"

#define SEGMENT (UINT64_C(64) * 1024)
enum { BODY_BYTES = 150 };

/* A journal of @count batches in a directory, and its first segment as bytes. With @clean it was
 * closed, and so sealed; without, it is as a kill leaves it. */
struct sample {
    struct rig_dir dir;
    char *bytes;
    size_t size;
    uint64_t last_at; /* offset of the last batch's frame */
    uint64_t end;     /* behind it */
};

static struct sample sample_make(uint64_t count, bool clean) {
    struct sample sample = {.dir = rig_dir_make()};
    struct journal *journal = rig_open(&sample.dir, SEGMENT);
    for (uint64_t seq = 1; seq <= count; seq++) {
        sample.last_at = address_offset(rig_append_ok(journal, BODY_BYTES, seq));
    }
    sample.end = sample.last_at + frame_bytes(BODY_BYTES);
    journal_close(journal);
    sample.bytes = rig_file_read(rig_segment(&sample.dir, 1).path, &sample.size);
    CHECK_BYTES(sample.bytes + sample.end, "HOBJ", 4);
    if (!clean) memset(sample.bytes + sample.end, 0, FRAME_HEADER_BYTES);
    return sample;
}

static void sample_free(struct sample *sample) {
    free(sample->bytes);
    rig_dir_remove(&sample->dir);
}

/* Open the sample's directory with @bytes as its segment and read what is there. */
struct outcome {
    enum hob_status status; /* HOB_OK: it opened and could be read to the end */
    uint64_t count;
    struct journal_info info;
    struct hob_error err;
};

static struct outcome sample_try(const struct sample *sample, const char *bytes, size_t size) {
    struct outcome outcome = {0};
    rig_file_write(rig_segment(&sample->dir, 1).path, bytes, size);
    rig_unmark(&sample->dir);
    struct journal *journal;
    outcome.status = rig_try_open(&sample->dir, &journal, &outcome.err);
    if (outcome.status != HOB_OK) return outcome;
    journal_info(journal, &outcome.info);
    outcome.status = rig_read_all(journal, BODY_BYTES, &outcome.count, &outcome.err);
    if (outcome.status == HOB_NOT_FOUND) outcome.status = HOB_OK;
    if (outcome.status == HOB_OK) {
        /* it goes on from there */
        CHECK_EQUAL(outcome.info.seq, outcome.count);
        (void)rig_append_ok(journal, BODY_BYTES, outcome.count + 1);
    }
    journal_close(journal);
    if (outcome.status != HOB_OK) return outcome;
    journal = rig_open(&sample->dir, SEGMENT);
    uint64_t count;
    CHECK_EQUAL(rig_read_all(journal, BODY_BYTES, &count, NULL), HOB_NOT_FOUND);
    CHECK_EQUAL(count, outcome.count + 1);
    journal_close(journal);
    return outcome;
}

TEST(a_tail_torn_at_any_byte_is_cut_and_told) {
    struct sample sample = sample_make(4, false);
    char *torn = malloc(sample.size);
    hob_assert(torn != NULL);
    for (uint64_t at = sample.last_at; at <= sample.end; at++) {
        /* once the bytes behind the tear are zeros, once the file ends there */
        for (int shortened = 0; shortened < 2; shortened++) {
            memcpy(torn, sample.bytes, sample.size);
            memset(torn + at, 0, sample.size - at);
            struct outcome outcome = sample_try(&sample, torn, shortened ? at : sample.size);
            CHECK_EQUAL(outcome.status, HOB_OK);
            /* padding and the last bytes may be zeros of themselves */
            bool complete =
                memcmp(torn, sample.bytes, sample.end) == 0 && (!shortened || at == sample.end);
            CHECK_EQUAL(outcome.count, complete ? 4 : 3);
            bool something = !complete && at > sample.last_at;
            CHECK_EQUAL(outcome.info.cut_bytes > 0, something);
            CHECK_EQUAL(strlen(outcome.info.cut_note) > 0, something);
        }
    }
    free(torn);
    sample_free(&sample);
}

TEST(a_tail_whose_sectors_are_mixed_up_is_cut) {
    struct sample sample = sample_make(4, false);
    char *torn = malloc(sample.size);
    hob_assert(torn != NULL);
    for (uint64_t at = sample.last_at; at + 16 < sample.end; at += 16) {
        memcpy(torn, sample.bytes, sample.size);
        memset(torn + at, 0, 16);
        if (memcmp(torn, sample.bytes, sample.size) == 0) continue;
        struct outcome outcome = sample_try(&sample, torn, sample.size);
        CHECK_EQUAL(outcome.status, HOB_OK);
        CHECK_EQUAL(outcome.count, 3);
        CHECK(outcome.info.cut_bytes > 0);
    }
    free(torn);
    sample_free(&sample);
}

TEST(no_flipped_byte_of_a_closed_journal_is_accepted) {
    struct sample sample = sample_make(4, true);
    for (uint64_t at = 0; at < sample.end + FRAME_HEADER_BYTES; at++) {
        if (at == SEGMENT_HEADER_BYTES) at = SEGMENT_HEADER_COPY_AT;
        if (at == SEGMENT_HEADER_COPY_AT + SEGMENT_HEADER_BYTES) at = SEGMENT_PAGE_BYTES;
        char mask = (char)(1 + at % 255);
        sample.bytes[at] = (char)(sample.bytes[at] ^ mask);
        struct outcome outcome = sample_try(&sample, sample.bytes, sample.size);
        sample.bytes[at] = (char)(sample.bytes[at] ^ mask);
        if (at >= SEGMENT_PAGE_BYTES && at < sample.end) {
            CHECK_EQUAL(outcome.status, HOB_CORRUPT);
            CHECK(strstr(outcome.err.text, "00000000000000000001.seg, byte ") != NULL);
            CHECK(strstr(outcome.err.text, "restore a backup") != NULL);
        } else { /* one copy of the header is enough; a seal carries nothing */
            CHECK_EQUAL(outcome.status, HOB_OK);
            CHECK_EQUAL(outcome.count, 4);
            CHECK_EQUAL(outcome.info.cut_bytes > 0, at >= sample.end);
        }
    }
    sample_free(&sample);
}

TEST(a_flipped_byte_of_a_killed_journal_is_refused_or_cut) {
    struct sample sample = sample_make(4, false);
    for (uint64_t at = SEGMENT_PAGE_BYTES; at < sample.end; at++) {
        sample.bytes[at] = (char)(sample.bytes[at] ^ 0x10);
        struct outcome outcome = sample_try(&sample, sample.bytes, sample.size);
        sample.bytes[at] = (char)(sample.bytes[at] ^ 0x10);
        /* the last frame has no witness behind it; the others have */
        if (at < sample.last_at) {
            CHECK_EQUAL(outcome.status, HOB_CORRUPT);
        } else {
            CHECK_EQUAL(outcome.status, HOB_OK);
            CHECK_EQUAL(outcome.count, 3);
            CHECK(outcome.info.cut_bytes > 0);
        }
    }
    sample_free(&sample);
}

TEST(more_damage_than_one_batch_can_leave_is_refused) {
    struct rig_dir dir = rig_dir_make();
    struct journal *journal = rig_open(&dir, 0);
    (void)rig_append_ok(journal, BODY_BYTES, 1);
    journal_close(journal);
    size_t size;
    char *bytes = rig_file_read(rig_segment(&dir, 1).path, &size);
    size_t grown = (size_t)32 << 20;
    bytes = realloc(bytes, grown);
    hob_assert(bytes != NULL);
    memset(bytes + size, 0, grown - size);
    size_t end = SEGMENT_PAGE_BYTES + (size_t)frame_bytes(BODY_BYTES) + FRAME_HEADER_BYTES;
    memset(bytes + end + 64, 'x', (size_t)17 << 20);
    rig_file_write(rig_segment(&dir, 1).path, bytes, grown);
    journal = rig_open(&dir, 0);
    struct journal_info info;
    journal_info(journal, &info);
    CHECK_EQUAL(info.seq, 1);
    CHECK_EQUAL(info.cut_bytes, ((size_t)17 << 20) + 64);
    journal_close(journal);

    memset(bytes + end, 'x', (size_t)18 << 20);
    rig_file_write(rig_segment(&dir, 1).path, bytes, grown);
    struct hob_error err;
    CHECK_EQUAL(rig_try_open(&dir, &journal, &err), HOB_CORRUPT);
    CHECK(strstr(err.text, "than a crash can leave") != NULL);
    free(bytes);
    rig_dir_remove(&dir);
}

/* Open with syncs at long intervals: nothing is known to be durable. */
static struct journal *open_relaxed(const struct rig_dir *dir, uint64_t segment_bytes) {
    struct journal_file_options options = {
        .path = dir->path,
        .segment_bytes = segment_bytes,
        .sync_interval_ns = NS_PER_HOUR,
    };
    struct journal *journal;
    struct hob_error err;
    CHECK_EQUAL(journal_file_open(&options, (struct journal_wake){0}, &journal, &err), HOB_OK);
    return journal;
}

TEST(more_damage_is_cut_when_syncs_were_relaxed) {
    struct sample sample = sample_make(1, true);
    struct rig_dir killed = rig_dir_make();
    struct journal *journal = open_relaxed(&sample.dir, SEGMENT);
    rig_dir_copy(&sample.dir, &killed);
    journal_close(journal);
    size_t size;
    char *bytes = rig_file_read(rig_segment(&killed, 1).path, &size);
    size_t grown = (size_t)20 << 20;
    bytes = realloc(bytes, grown);
    hob_assert(bytes != NULL);
    size_t end = (size_t)sample.end + (size_t)2 * FRAME_HEADER_BYTES;
    CHECK_BYTES(bytes + end - FRAME_HEADER_BYTES, "HOBJ", 4); /* the writer said what it is */
    memset(bytes + end, 'x', grown - end);
    rig_file_write(rig_segment(&killed, 1).path, bytes, grown);
    free(bytes);
    struct hob_error err;
    CHECK_EQUAL(rig_try_open(&killed, &journal, &err), HOB_OK);
    struct journal_info info;
    journal_info(journal, &info);
    CHECK_EQUAL(info.seq, 1);
    CHECK_EQUAL(info.cut_bytes, grown - end);
    journal_close(journal);
    rig_dir_remove(&killed);
    sample_free(&sample);
}

TEST(what_was_cut_never_comes_back) {
    struct rig_dir dir = rig_dir_make();
    struct rig_dir killed = rig_dir_make();
    struct rig_dir again = rig_dir_make();
    struct journal *journal = open_relaxed(&dir, SEGMENT);
    uint64_t second_at = 0;
    for (uint64_t seq = 1; seq <= 5; seq++) {
        uint64_t address = rig_append_ok(journal, BODY_BYTES, seq);
        if (seq == 2) second_at = address_offset(address);
    }
    rig_dir_copy(&dir, &killed);
    journal_close(journal);
    /* the second batch was lost, those behind it were not */
    size_t size;
    char *bytes = rig_file_read(rig_segment(&killed, 1).path, &size);
    memset(bytes + second_at + 80, 0, 40);
    rig_file_write(rig_segment(&killed, 1).path, bytes, size);
    free(bytes);
    journal = rig_open(&killed, SEGMENT);
    struct journal_info info;
    journal_info(journal, &info);
    CHECK_EQUAL(info.seq, 1);
    CHECK_EQUAL(info.cut_bytes, 4 * frame_bytes(BODY_BYTES));
    /* another batch of the same size takes its place: the old third one lies right behind it */
    (void)rig_append_ok(journal, BODY_BYTES, 1234);
    rig_dir_copy(&killed, &again);
    journal_close(journal);
    journal = rig_open(&again, SEGMENT);
    journal_info(journal, &info);
    CHECK_EQUAL(info.seq, 2);
    CHECK_EQUAL(info.cut_bytes, 0);
    journal_close(journal);
    rig_dir_remove(&dir);
    rig_dir_remove(&killed);
    rig_dir_remove(&again);
}

/* Two copies of one journal have gone different ways: a whole frame of one, at its place, with its
 * numbers and the right checksums, does not continue the other. Only the chain tells. */
TEST(a_frame_of_another_history_is_refused) {
    struct sample sample = sample_make(2, true);
    struct rig_dir other = rig_dir_make();
    rig_dir_copy(&sample.dir, &other);
    struct journal *journal = rig_open(&sample.dir, SEGMENT);
    (void)rig_append_ok(journal, BODY_BYTES, 3);
    uint64_t at = address_offset(rig_append_ok(journal, BODY_BYTES, 4));
    journal_close(journal);
    journal = rig_open(&other, SEGMENT);
    (void)rig_append_ok(journal, BODY_BYTES, 33); /* here the ways part */
    CHECK_EQUAL(address_offset(rig_append_ok(journal, BODY_BYTES, 4)), at);
    journal_close(journal);
    size_t size;
    size_t other_size;
    char *bytes = rig_file_read(rig_segment(&sample.dir, 1).path, &size);
    char *others = rig_file_read(rig_segment(&other, 1).path, &other_size);
    memcpy(bytes + at, others + at, (size_t)frame_bytes(BODY_BYTES));
    rig_file_write(rig_segment(&sample.dir, 1).path, bytes, size);
    struct hob_error err;
    CHECK_EQUAL(rig_try_open(&sample.dir, &journal, &err), HOB_CORRUPT);
    CHECK(strstr(err.text, "does not continue") != NULL);
    free(bytes);
    free(others);
    rig_dir_remove(&other);
    sample_free(&sample);
}

TEST(a_newer_format_is_refused_and_not_cut) {
    struct sample sample = sample_make(2, true);
    struct segment_header header;
    CHECK(segment_header_decode(sample.bytes, &header));
    struct segment_header newer = header;
    newer.format = 7;
    segment_header_encode(&newer, sample.bytes);
    struct outcome outcome = sample_try(&sample, sample.bytes, sample.size);
    CHECK_EQUAL(outcome.status, HOB_CONFIG);
    CHECK(strstr(outcome.err.text, "format 7") != NULL);
    segment_header_encode(&header, sample.bytes);

    /* a seal with a flag that this version does not know, in the place of the seal */
    uint32_t seed = frame_seed(header.identity, 1);
    struct frame frame;
    CHECK_EQUAL(frame_decode(sample.bytes + sample.end, seed, &frame), FRAME_GOOD);
    frame.flags = 0x80;
    frame_encode(&frame, seed, sample.bytes + sample.end);
    outcome = sample_try(&sample, sample.bytes, sample.size);
    CHECK_EQUAL(outcome.status, HOB_CORRUPT);
    CHECK(strstr(outcome.err.text, "newer version") != NULL);
    sample_free(&sample);
}

TESTS(
    a_tail_torn_at_any_byte_is_cut_and_told,
    a_tail_whose_sectors_are_mixed_up_is_cut,
    no_flipped_byte_of_a_closed_journal_is_accepted,
    a_flipped_byte_of_a_killed_journal_is_refused_or_cut,
    more_damage_than_one_batch_can_leave_is_refused,
    more_damage_is_cut_when_syncs_were_relaxed,
    what_was_cut_never_comes_back,
    a_frame_of_another_history_is_refused,
    a_newer_format_is_refused_and_not_cut
)
