/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of journal.h as tests: a single chain, read back as written, safe repetition, fences,
 * segments. Nothing here knows files; damage and crashes are tested beside each implementation. */
#include "journal_conform.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/test.h"
#include "journal/rig.h"

#define SEGMENT (UINT64_C(64) * 1024)

static const struct journal_subject *subject;

static struct journal *open_new(uint64_t segment_bytes) {
    return subject->open_new(segment_bytes, (struct journal_wake){0});
}

static struct journal_info info_of(struct journal *journal) {
    struct journal_info info;
    journal_info(journal, &info);
    CHECK_EQUAL(journal_room(journal), info.room_bytes);
    return info;
}

static void append_many(struct journal *journal, uint64_t count, size_t size) {
    for (uint64_t i = 0; i < count; i++) {
        (void)rig_append_ok(journal, size, info_of(journal).seq + 1);
    }
}

static void check_count(struct journal *journal, uint64_t count, size_t size) {
    uint64_t got;
    struct hob_error err;
    CHECK_EQUAL(rig_read_all(journal, size, &got, &err), HOB_NOT_FOUND);
    CHECK_EQUAL(got, count);
}

TEST(a_new_journal_is_empty_and_has_an_identity) {
    struct journal *journal = open_new(SEGMENT);
    struct journal_info info = info_of(journal);
    CHECK_EQUAL(info.seq, 0);
    CHECK_EQUAL(info.pos, 0);
    CHECK(info.chain != 0);
    CHECK_EQUAL(info.first_segment, 1);
    CHECK_EQUAL(info.last_segment, 1);
    check_count(journal, 0, 1);
    struct journal_done done;
    CHECK(!journal_poll(journal, &done));
    CHECK_EQUAL(journal_wait(journal, &done), HOB_FAILED);
    journal_close(journal);
    journal = open_new(SEGMENT);
    CHECK(info_of(journal).chain != info.chain);
    journal_close(journal);
}

TEST(batches_are_read_back_in_order_as_they_were_appended) {
    struct journal *journal = open_new(SEGMENT);
    struct journal_batch sent[50];
    uint64_t addresses[50];
    char bytes[50][1000];
    for (size_t i = 0; i < 50; i++) {
        rig_bytes(bytes[i], sizeof bytes[i], i);
        sent[i] = rig_next(journal, slice_of(bytes[i], 1 + i * 20));
        struct journal_done done = rig_append(journal, &sent[i]);
        CHECK_EQUAL(done.result, JOURNAL_OK);
        addresses[i] = done.address;
    }
    struct journal_cursor *cursor;
    CHECK_EQUAL(journal_read_open(journal, 0, &cursor, NULL), HOB_OK);
    for (size_t i = 0; i < 50; i++) {
        struct journal_entry entry;
        CHECK_EQUAL(journal_read_next(journal, cursor, &entry, NULL), HOB_OK);
        CHECK_EQUAL(entry.address, addresses[i]);
        CHECK_EQUAL(entry.batch.seq, sent[i].seq);
        CHECK_EQUAL(entry.batch.first_pos, sent[i].first_pos);
        CHECK_EQUAL(entry.batch.effect_count, sent[i].effect_count);
        CHECK_EQUAL(entry.batch.time_ns, sent[i].time_ns);
        CHECK_EQUAL(entry.batch.prev_chain, sent[i].prev_chain);
        CHECK_EQUAL(entry.batch.chain, sent[i].chain);
        CHECK(slice_equal(entry.batch.bytes, sent[i].bytes));
    }
    struct journal_entry entry;
    CHECK_EQUAL(journal_read_next(journal, cursor, &entry, NULL), HOB_NOT_FOUND);
    journal_read_close(journal, cursor);
    uint64_t chain;
    CHECK_EQUAL(journal_tail(journal, &chain, NULL), HOB_OK);
    CHECK_EQUAL(chain, sent[49].chain);
    CHECK_EQUAL(info_of(journal).chain, chain);
    journal_close(journal);
}

TEST(the_last_batch_may_be_appended_again_and_is_stored_once) {
    struct journal *journal = open_new(SEGMENT);
    append_many(journal, 3, 500);
    struct journal_batch batch = rig_next(journal, SLICE("the same effects"));
    struct journal_done first = rig_append(journal, &batch);
    struct journal_done second = rig_append(journal, &batch);
    CHECK_EQUAL(first.result, JOURNAL_OK);
    CHECK_EQUAL(second.result, JOURNAL_OK);
    CHECK_EQUAL(second.address, first.address);
    CHECK_EQUAL(second.segment, first.segment);
    CHECK_EQUAL(info_of(journal).seq, 4);
    batch = rig_next(journal, SLICE("other effects"));
    CHECK_EQUAL(rig_append(journal, &batch).result, JOURNAL_OK);
    CHECK_EQUAL(info_of(journal).seq, 5);
    journal_close(journal);
}

TEST(a_batch_that_does_not_continue_the_chain_is_fenced) {
    struct journal *journal = open_new(SEGMENT);
    append_many(journal, 2, 500);
    struct journal_batch good = rig_next(journal, SLICE("effects"));

    struct journal_batch bad = good;
    bad.prev_chain ^= 1;
    bad.chain = journal_chain(&bad);
    CHECK_EQUAL(rig_append(journal, &bad).result, JOURNAL_FENCED);
    bad = good;
    bad.seq += 1;
    bad.chain = journal_chain(&bad);
    CHECK_EQUAL(rig_append(journal, &bad).result, JOURNAL_FENCED);
    bad = good;
    bad.first_pos += 1;
    bad.chain = journal_chain(&bad);
    struct journal_done done = rig_append(journal, &bad);
    CHECK_EQUAL(done.result, JOURNAL_FENCED);
    CHECK_EQUAL(done.error.status, HOB_CONFLICT);
    CHECK(done.error.text[0] != '\0');
    /* the place of the last batch, but not the last batch */
    bad = good;
    bad.seq -= 1;
    bad.chain = journal_chain(&bad);
    CHECK_EQUAL(rig_append(journal, &bad).result, JOURNAL_FENCED);

    CHECK_EQUAL(rig_append(journal, &good).result, JOURNAL_OK);
    CHECK_EQUAL(info_of(journal).seq, 3);
    journal_close(journal);
}

TEST(a_cursor_goes_on_when_batches_are_appended) {
    struct journal *journal = open_new(SEGMENT);
    append_many(journal, 1, 700);
    struct journal_cursor *cursor;
    CHECK_EQUAL(journal_read_open(journal, 0, &cursor, NULL), HOB_OK);
    char wanted[700];
    /* far enough to leave the first segment twice */
    for (uint64_t seq = 1; seq <= 250; seq++) {
        struct journal_entry entry;
        CHECK_EQUAL(journal_read_next(journal, cursor, &entry, NULL), HOB_OK);
        CHECK_EQUAL(entry.batch.seq, seq);
        rig_bytes(wanted, sizeof wanted, seq);
        CHECK(slice_equal(entry.batch.bytes, slice_of(wanted, sizeof wanted)));
        CHECK_EQUAL(journal_read_next(journal, cursor, &entry, NULL), HOB_NOT_FOUND);
        append_many(journal, 1, 700);
    }
    CHECK(info_of(journal).last_segment >= 3);
    journal_read_close(journal, cursor);
    journal_close(journal);
}

TEST(a_full_segment_is_followed_by_a_new_one) {
    struct journal *journal = open_new(SEGMENT);
    append_many(journal, 40, 10000);
    struct journal_info info = info_of(journal);
    CHECK_EQUAL(info.first_segment, 1);
    CHECK(info.last_segment >= 7);
    CHECK(info.stored_bytes >= 400000);
    check_count(journal, 40, 10000);
    struct journal_cursor *cursor;
    CHECK_EQUAL(journal_read_open(journal, 3, &cursor, NULL), HOB_OK);
    struct journal_entry entry;
    CHECK_EQUAL(journal_read_next(journal, cursor, &entry, NULL), HOB_OK);
    CHECK_EQUAL(entry.segment, 3);
    CHECK(entry.batch.seq > 6);
    journal_read_close(journal, cursor);
    CHECK_EQUAL(journal_read_open(journal, info.last_segment + 1, &cursor, NULL), HOB_NOT_FOUND);
    journal_close(journal);
}

struct shrinking {
    struct journal *journal;
    uint64_t before;
};

static bool stores_less(void *context) {
    const struct shrinking *shrinking = context;
    return info_of(shrinking->journal).stored_bytes < shrinking->before;
}

TEST(trimmed_segments_are_gone_and_the_last_one_stays) {
    struct journal *journal = open_new(SEGMENT);
    uint64_t address = rig_append_ok(journal, 10000, 1);
    append_many(journal, 60, 10000);
    struct journal_info before = info_of(journal);
    CHECK_EQUAL(journal_trim(journal, 4, NULL), HOB_OK);
    struct journal_info after = info_of(journal);
    CHECK_EQUAL(after.first_segment, 4);
    CHECK_EQUAL(after.last_segment, before.last_segment);
    CHECK_EQUAL(after.seq, before.seq);
    struct shrinking shrinking = {journal, before.stored_bytes};
    CHECK(rig_until(stores_less, &shrinking)); /* a little later */
    char byte;
    CHECK_EQUAL(journal_fetch(journal, address, 0, 1, &byte, NULL), HOB_NOT_FOUND);
    struct journal_cursor *cursor;
    CHECK_EQUAL(journal_read_open(journal, 3, &cursor, NULL), HOB_NOT_FOUND);
    CHECK_EQUAL(journal_read_open(journal, 0, &cursor, NULL), HOB_OK);
    struct journal_entry entry;
    CHECK_EQUAL(journal_read_next(journal, cursor, &entry, NULL), HOB_OK);
    CHECK_EQUAL(entry.segment, 4);
    journal_read_close(journal, cursor);
    CHECK_EQUAL(journal_trim(journal, 2, NULL), HOB_OK); /* nothing is left there */
    CHECK_EQUAL(journal_trim(journal, 1000, NULL), HOB_OK);
    after = info_of(journal);
    CHECK_EQUAL(after.first_segment, after.last_segment);
    append_many(journal, 60, 10000); /* into what was trimmed */
    CHECK_EQUAL(info_of(journal).seq, 121);
    journal_close(journal);
}

TEST(pieces_of_a_batch_can_be_fetched) {
    struct journal *journal = open_new(SEGMENT);
    uint64_t addresses[100];
    for (size_t i = 0; i < 100; i++) addresses[i] = rig_append_ok(journal, 5001, i + 1);
    char wanted[5001];
    char got[5001];
    for (size_t i = 100; i-- > 0;) {
        rig_bytes(wanted, sizeof wanted, i + 1);
        uint32_t offset = (uint32_t)(i * 50);
        uint32_t size = 5001 - offset;
        CHECK_EQUAL(journal_fetch(journal, addresses[i], offset, size, got, NULL), HOB_OK);
        CHECK_BYTES(got, wanted + offset, size);
        CHECK_EQUAL(journal_fetch(journal, addresses[i], 5000, 1, got, NULL), HOB_OK);
        CHECK_BYTES(got, wanted + 5000, 1);
    }
    CHECK_EQUAL(journal_fetch(journal, UINT64_C(99) << 32, 0, 1, got, NULL), HOB_NOT_FOUND);
    journal_close(journal);
}

TEST(the_largest_batch_is_taken_in_segments_that_are_smaller) {
    struct journal *journal = open_new(SEGMENT);
    append_many(journal, 2, 100);
    size_t size = JOURNAL_BATCH_BYTES_MAX;
    char *bytes = malloc(size);
    hob_assert(bytes != NULL);
    rig_bytes(bytes, size, 3);
    struct journal_batch batch = rig_next(journal, slice_of(bytes, size));
    struct journal_done done = rig_append(journal, &batch);
    CHECK_EQUAL(done.result, JOURNAL_OK);
    append_many(journal, 2, 100);
    struct journal_cursor *cursor;
    CHECK_EQUAL(journal_read_open(journal, done.segment, &cursor, NULL), HOB_OK);
    struct journal_entry entry;
    do {
        CHECK_EQUAL(journal_read_next(journal, cursor, &entry, NULL), HOB_OK);
    } while (entry.batch.seq < 3);
    CHECK_EQUAL(entry.batch.bytes.size, size);
    CHECK_BYTES(entry.batch.bytes.bytes, bytes, size);
    CHECK_EQUAL(journal_read_next(journal, cursor, &entry, NULL), HOB_OK);
    CHECK_EQUAL(entry.batch.seq, 4);
    journal_read_close(journal, cursor);
    char piece[1000];
    CHECK_EQUAL(
        journal_fetch(journal, done.address, (uint32_t)size - 1000, 1000, piece, NULL), HOB_OK
    );
    CHECK_BYTES(piece, bytes + size - 1000, 1000);
    free(bytes);
    journal_close(journal);
}

TEST(a_journal_that_is_opened_again_goes_on) {
    if (!subject->keeps) skip();
    struct journal *journal = open_new(SEGMENT);
    uint64_t count = 0;
    for (int round = 0; round < 10; round++) {
        append_many(journal, 7, 3000);
        count += 7;
        struct journal_info before = info_of(journal);
        struct journal_batch batch = rig_next(journal, SLICE("x"));
        journal_close(journal);
        journal = subject->open_again(SEGMENT, (struct journal_wake){0});
        struct journal_info after = info_of(journal);
        CHECK_EQUAL(after.seq, before.seq);
        CHECK_EQUAL(after.pos, before.pos);
        CHECK_EQUAL(after.chain, before.chain);
        CHECK_EQUAL(after.first_segment, before.first_segment);
        CHECK_EQUAL(after.last_segment, before.last_segment);
        CHECK_EQUAL(after.cut_bytes, 0);
        CHECK_EQUAL(rig_next(journal, SLICE("x")).chain, batch.chain);
        check_count(journal, count, 3000);
    }
    journal_close(journal);
}

TEST(the_last_batch_may_be_appended_again_after_a_restart) {
    if (!subject->keeps) skip();
    struct journal *journal = open_new(SEGMENT);
    append_many(journal, 9, 1000);
    struct journal_batch batch = rig_next(journal, SLICE("effects"));
    struct journal_done first = rig_append(journal, &batch);
    journal_close(journal);
    journal = subject->open_again(SEGMENT, (struct journal_wake){0});
    struct journal_done second = rig_append(journal, &batch);
    CHECK_EQUAL(second.result, JOURNAL_OK);
    CHECK_EQUAL(second.address, first.address);
    CHECK_EQUAL(info_of(journal).seq, 10);
    journal_close(journal);
}

static void count_wakes(void *context) {
    (void)atomic_fetch_add((_Atomic int *)context, 1);
}

TEST(each_answer_wakes_the_owner_and_is_given_once) {
    _Atomic int wakes = 0;
    struct journal *journal =
        subject->open_new(SEGMENT, (struct journal_wake){.call = count_wakes, .context = &wakes});
    for (int i = 0; i < 20; i++) {
        struct journal_batch batch = rig_next(journal, SLICE("effects"));
        journal_append(journal, &batch);
        struct journal_done done;
        while (!journal_poll(journal, &done)) continue;
        CHECK_EQUAL(done.result, JOURNAL_OK);
        CHECK(!journal_poll(journal, &done));
    }
    struct journal_batch batch = rig_next(journal, SLICE("still in flight"));
    journal_append(journal, &batch);
    journal_close(journal); /* waits for it */
    CHECK_EQUAL(atomic_load(&wakes), 21);
    if (!subject->keeps) return;
    journal = subject->open_again(SEGMENT, (struct journal_wake){0});
    CHECK_EQUAL(info_of(journal).seq, 21);
    journal_close(journal);
}

TEST(each_result_has_a_text) {
    for (int i = 0; i < JOURNAL_RESULT_COUNT; i++) {
        CHECK(strlen(journal_result_text((enum journal_result)i)) > 0);
    }
}

int journal_conform(const struct journal_subject *which) {
    subject = which;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_journal_is_empty_and_has_an_identity),
        cmocka_unit_test(batches_are_read_back_in_order_as_they_were_appended),
        cmocka_unit_test(the_last_batch_may_be_appended_again_and_is_stored_once),
        cmocka_unit_test(a_batch_that_does_not_continue_the_chain_is_fenced),
        cmocka_unit_test(a_cursor_goes_on_when_batches_are_appended),
        cmocka_unit_test(a_full_segment_is_followed_by_a_new_one),
        cmocka_unit_test(trimmed_segments_are_gone_and_the_last_one_stays),
        cmocka_unit_test(pieces_of_a_batch_can_be_fetched),
        cmocka_unit_test(the_largest_batch_is_taken_in_segments_that_are_smaller),
        cmocka_unit_test(a_journal_that_is_opened_again_goes_on),
        cmocka_unit_test(the_last_batch_may_be_appended_again_after_a_restart),
        cmocka_unit_test(each_answer_wakes_the_owner_and_is_given_once),
        cmocka_unit_test(each_result_has_a_text),
    };
    int failed = cmocka_run_group_tests_name(subject->name, tests, NULL, NULL);
    subject->clean();
    return failed == 0 ? 0 : 1;
}
