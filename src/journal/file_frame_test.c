/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/file_frame.h"

#include "base/codec.h"
#include "base/crc32c.h"
#include "base/status.h"
#include "base/test.h"
#include "journal/journal.h"

static struct frame frame_some(void) {
    return (struct frame){
        .body_bytes = 12345,
        .body_crc = 0x11223344,
        .seq = 7,
        .first_pos = 1000,
        .time_ns = UINT64_C(0x0102030405060708),
        .durable_seq = 6,
        .prev_chain = UINT64_C(0xfedcba9876543210),
        .effect_count = 99,
        .kind = FRAME_DATA,
        .flags = FRAME_RELAXED,
    };
}

TEST(a_frame_header_is_read_back_as_written) {
    char bytes[FRAME_HEADER_BYTES];
    struct frame wanted = frame_some();
    frame_encode(&wanted, 42, bytes);
    struct frame got;
    CHECK_EQUAL(frame_decode(bytes, 42, &got), FRAME_GOOD);
    CHECK_EQUAL(got.body_bytes, wanted.body_bytes);
    CHECK_EQUAL(got.body_crc, wanted.body_crc);
    CHECK_EQUAL(got.seq, wanted.seq);
    CHECK_EQUAL(got.first_pos, wanted.first_pos);
    CHECK_EQUAL(got.time_ns, wanted.time_ns);
    CHECK_EQUAL(got.durable_seq, wanted.durable_seq);
    CHECK_EQUAL(got.prev_chain, wanted.prev_chain);
    CHECK_EQUAL(got.effect_count, wanted.effect_count);
    CHECK_EQUAL(got.kind, wanted.kind);
    CHECK_EQUAL(got.flags, wanted.flags);
}

TEST(the_bytes_of_a_frame_stand_where_the_table_says) {
    char bytes[FRAME_HEADER_BYTES];
    struct frame frame = frame_some();
    frame_encode(&frame, 42, bytes);
    CHECK_BYTES(bytes, "HOBJ", 4);
    CHECK_EQUAL(get_u32le(bytes + 4), crc32c(42, bytes + 8, 56));
    CHECK_EQUAL(get_u32le(bytes + 8), 12345);
    CHECK_EQUAL(get_u32le(bytes + 12), 0x11223344);
    CHECK_EQUAL(get_u64le(bytes + 16), 7);
    CHECK_EQUAL(get_u64le(bytes + 24), 1000);
    CHECK_EQUAL(get_u64le(bytes + 32), UINT64_C(0x0102030405060708));
    CHECK_EQUAL(get_u64le(bytes + 40), 6);
    CHECK_EQUAL(get_u64le(bytes + 48), UINT64_C(0xfedcba9876543210));
    CHECK_EQUAL(get_u32le(bytes + 56), 99);
    CHECK_BYTES(bytes + 60, "\1\1\1\0", 4); /* kind, flags, format 1 */
}

TEST(every_flipped_bit_of_a_header_is_seen) {
    char bytes[FRAME_HEADER_BYTES];
    struct frame frame = frame_some();
    frame_encode(&frame, 42, bytes);
    for (unsigned bit = 0; bit < FRAME_HEADER_BYTES * 8; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        CHECK(frame_decode(bytes, 42, &frame) != FRAME_GOOD);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
    }
}

TEST(a_frame_of_another_segment_or_journal_is_refused) {
    char bytes[FRAME_HEADER_BYTES];
    struct frame frame = frame_some();
    const uint64_t identity = UINT64_C(0x123456789abcdef0);
    frame_encode(&frame, frame_seed(identity, 3), bytes);
    CHECK_EQUAL(frame_decode(bytes, frame_seed(identity, 3), &frame), FRAME_GOOD);
    for (uint32_t segment = 4; segment < 10000; segment++) {
        CHECK_EQUAL(frame_decode(bytes, frame_seed(identity, segment), &frame), FRAME_BAD_HEADER);
    }
    CHECK_EQUAL(frame_decode(bytes, frame_seed(identity ^ 1, 3), &frame), FRAME_BAD_HEADER);
}

/* Set one byte and make the checksum right again. */
static enum frame_fault decode_with(size_t at, char value) {
    char bytes[FRAME_HEADER_BYTES];
    struct frame frame = frame_some();
    frame_encode(&frame, 42, bytes);
    bytes[at] = value;
    put_u32le(bytes + 4, crc32c(42, bytes + 8, FRAME_HEADER_BYTES - 8));
    return frame_decode(bytes, 42, &frame);
}

TEST(words_of_a_newer_version_are_told_from_damage) {
    CHECK_EQUAL(decode_with(61, 0), FRAME_GOOD);
    CHECK_EQUAL(decode_with(60, 3), FRAME_UNKNOWN);
    CHECK_EQUAL(decode_with(60, 0), FRAME_UNKNOWN);
    CHECK_EQUAL(decode_with(60, FRAME_SEAL), FRAME_UNKNOWN); /* a seal has no body */
    CHECK_EQUAL(decode_with(61, 2), FRAME_UNKNOWN);
    CHECK_EQUAL(decode_with(62, 0), FRAME_GOOD); /* an older version */
    CHECK_EQUAL(decode_with(62, 2), FRAME_UNKNOWN);
    CHECK_EQUAL(decode_with(11, 1), FRAME_GOOD);
    CHECK_EQUAL(decode_with(11, 2), FRAME_UNKNOWN); /* larger than any batch */
    for (int i = 0; i < FRAME_FAULT_COUNT; i++) {
        CHECK(strlen(frame_fault_text((enum frame_fault)i)) > 0);
    }
}

TEST(a_body_is_padded_to_8_bytes) {
    CHECK_EQUAL(frame_bytes(0), 64);
    CHECK_EQUAL(frame_bytes(1), 72);
    CHECK_EQUAL(frame_bytes(8), 72);
    CHECK_EQUAL(frame_bytes(9), 80);
    CHECK_EQUAL(frame_body_crc(SLICE("12345")), crc32c(0, "12345\0\0\0", 8));
    CHECK_EQUAL(frame_body_crc(SLICE("12345678")), crc32c(0, "12345678", 8));
}

TEST(a_segment_header_survives_the_loss_of_either_copy) {
    const struct segment_header wanted = {
        .segment = 17,
        .identity = UINT64_C(0x1122334455667788),
        .first_seq = 5,
        .first_pos = 50,
        .prev_chain = 500,
        .capacity = 65536,
        .created_ns = 5000,
        .flags = SEGMENT_RECYCLED,
    };
    char page[SEGMENT_PAGE_BYTES];
    segment_header_encode(&wanted, page);
    for (size_t at = 0; at < SEGMENT_HEADER_BYTES; at++) {
        for (size_t copy = 0; copy < 2; copy++) {
            char *byte = page + copy * SEGMENT_HEADER_COPY_AT + at;
            *byte = (char)(*byte ^ 0x40);
            struct segment_header got;
            CHECK(segment_header_decode(page, &got));
            CHECK_EQUAL(got.segment, wanted.segment);
            CHECK_EQUAL(got.identity, wanted.identity);
            CHECK_EQUAL(got.first_seq, wanted.first_seq);
            CHECK_EQUAL(got.first_pos, wanted.first_pos);
            CHECK_EQUAL(got.prev_chain, wanted.prev_chain);
            CHECK_EQUAL(got.capacity, wanted.capacity);
            CHECK_EQUAL(got.created_ns, wanted.created_ns);
            CHECK_EQUAL(got.flags, wanted.flags);
            *byte = (char)(*byte ^ 0x40);
        }
    }
    page[8] = 1;
    page[SEGMENT_HEADER_COPY_AT + 8] = 1;
    struct segment_header got;
    CHECK(!segment_header_decode(page, &got));
}

TEST(the_seed_of_a_header_can_be_solved) {
    struct frame frame = {.seq = 7, .first_pos = 9, .kind = FRAME_SEAL, .prev_chain = 0x1234};
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t seed = i * UINT32_C(0x9e3779b1);
        char header[FRAME_HEADER_BYTES];
        frame.time_ns = i;
        frame_encode(&frame, seed, header);
        CHECK_EQUAL(frame_seed_solve(header), seed);
    }
}

TESTS(
    the_seed_of_a_header_can_be_solved,
    a_frame_header_is_read_back_as_written,
    the_bytes_of_a_frame_stand_where_the_table_says,
    every_flipped_bit_of_a_header_is_seen,
    a_frame_of_another_segment_or_journal_is_refused,
    words_of_a_newer_version_are_told_from_damage,
    a_body_is_padded_to_8_bytes,
    a_segment_header_survives_the_loss_of_either_copy
)
