/* SPDX-License-Identifier: Apache-2.0 */
/* The format of the file journal, version 1. All numbers are little-endian, all frames begin at a
 * multiple of 8.
 *
 * A segment file:
 *
 *     0     header page: the segment header at 0 and again at 2048, else zeros
 *     4096  frame, frame, frame, … without gaps, up to the first bytes that are no frame
 *
 * A segment header (96 bytes):
 *
 *     0 u32 magic 'HOBS'     4 u32 crc  CRC32C of bytes 8..95
 *     8 u32 format           12 u32 segment, the number in the name of the file
 *    16 u64 identity         24 u64 first_seq
 *    32 u64 first_pos        40 u64 prev_chain
 *    48 u64 capacity         56 u64 created_ns
 *    64 u32 flags            68 zeros
 *
 * A frame:
 *
 *     0 u32 magic 'HOBJ'     4 u32 header_crc  CRC32C of bytes 8..63, seeded with identity ^
 *     segment
 *     8 u32 body_bytes       12 u32 body_crc   CRC32C of the body with its padding
 *    16 u64 seq              24 u64 first_pos
 *    32 u64 time_ns          40 u64 durable_seq
 *    48 u64 prev_chain       56 u32 effect_count
 *    60 u8 kind  61 u8 flags  62 u16 format
 *    64 body: the effects of one batch, zeros up to a multiple of 8
 *
 * The header has a checksum of its own so that the length can be trusted before the body is read.
 * Its seed makes frames that a recycled file still holds from its earlier life fail: CRC is linear,
 * so two seeds never agree on the same bytes. What ties a frame to its place is prev_chain, the
 * XXH3-64 of the whole history before it.
 *
 * The bytes of version 0, from before the format was frozen, are the same but for the number. A
 * journal that an older version began is gone on with by frames of this one, in the same segment;
 * the older version then refuses it as written by a newer one, and cuts nothing.
 *
 * The frame keeps durable_seq, not a position: it must tell "the batch before was synced" for
 * batches without effects too. */
#include "journal/file_frame.h"

#include "base/assert.h"
#include "base/codec.h"
#include "base/crc32c.h"
#include "journal/journal.h"

#define FRAME_MAGIC   UINT32_C(0x4a424f48) /* "HOBJ" */
#define SEGMENT_MAGIC UINT32_C(0x53424f48) /* "HOBS" */

static const char *const fault_texts[] = {
#define X(name, text) [name] = (text),
    FRAME_FAULTS(X)
#undef X
};
_Static_assert(hob_countof(fault_texts) == FRAME_FAULT_COUNT, "each fault has a text");

const char *frame_fault_text(enum frame_fault fault) {
    hob_assert(fault < FRAME_FAULT_COUNT);
    return fault_texts[fault];
}

uint32_t frame_seed(uint64_t identity, uint32_t segment) {
    uint64_t mixed = identity ^ segment;
    return (uint32_t)mixed ^ (uint32_t)(mixed >> 32);
}

/* A CRC is linear: each bit of the seed flips its own set of bits of the checksum, whatever the
 * bytes are. So 32 equations with 32 unknowns, solved by elimination. */
uint32_t frame_seed_solve(const char *from) {
    enum { BITS = 32 };
    const char *bytes = from + 8;
    const size_t size = FRAME_HEADER_BYTES - 8;
    uint32_t zero = crc32c(0, bytes, size);
    uint32_t wanted = get_u32le(from + 4) ^ zero;
    uint32_t effect[BITS]; /* what a set of seed bits does to the checksum */
    uint32_t bits[BITS];   /* that set */
    for (size_t i = 0; i < BITS; i++) {
        bits[i] = UINT32_C(1) << i;
        effect[i] = crc32c(bits[i], bytes, size) ^ zero;
    }
    uint32_t seed = 0;
    for (size_t column = 0; column < BITS; column++) {
        uint32_t mask = UINT32_C(1) << column;
        size_t pivot = column;
        while (pivot < BITS && (effect[pivot] & mask) == 0) pivot++;
        hob_assert(pivot < BITS); /* the map has an inverse */
        uint32_t pivot_effect = effect[pivot];
        uint32_t pivot_bits = bits[pivot];
        effect[pivot] = effect[column];
        bits[pivot] = bits[column];
        effect[column] = pivot_effect;
        bits[column] = pivot_bits;
        for (size_t i = column + 1; i < BITS; i++) {
            if ((effect[i] & mask) == 0) continue;
            effect[i] ^= pivot_effect;
            bits[i] ^= pivot_bits;
        }
        if ((wanted & mask) == 0) continue;
        wanted ^= pivot_effect;
        seed ^= pivot_bits;
    }
    hob_assert(wanted == 0);
    return seed;
}

uint32_t frame_body_crc(struct slice body) {
    static const char zeros[FRAME_ALIGN_BYTES];
    size_t padding = (size_t)(frame_bytes(body.size) - FRAME_HEADER_BYTES - body.size);
    return crc32c(crc32c(0, body.bytes, body.size), zeros, padding);
}

void frame_encode(const struct frame *frame, uint32_t seed, char *to) {
    hob_assert(frame->kind == FRAME_DATA || frame->kind == FRAME_SEAL);
    hob_assert(frame->body_bytes <= JOURNAL_BATCH_BYTES_MAX);
    put_u32le(to, FRAME_MAGIC);
    put_u32le(to + 8, frame->body_bytes);
    put_u32le(to + 12, frame->body_crc);
    put_u64le(to + 16, frame->seq);
    put_u64le(to + 24, frame->first_pos);
    put_u64le(to + 32, frame->time_ns);
    put_u64le(to + 40, frame->durable_seq);
    put_u64le(to + 48, frame->prev_chain);
    put_u32le(to + 56, frame->effect_count);
    to[60] = (char)frame->kind;
    to[61] = (char)frame->flags;
    put_u16le(to + 62, JOURNAL_FORMAT);
    put_u32le(to + 4, crc32c(seed, to + 8, FRAME_HEADER_BYTES - 8));
}

enum frame_fault frame_decode(const char *from, uint32_t seed, struct frame *ret_frame) {
    if (get_u32le(from) != FRAME_MAGIC) return FRAME_NO_MAGIC;
    if (get_u32le(from + 4) != crc32c(seed, from + 8, FRAME_HEADER_BYTES - 8)) {
        return FRAME_BAD_HEADER;
    }
    struct frame frame = {
        .body_bytes = get_u32le(from + 8),
        .body_crc = get_u32le(from + 12),
        .seq = get_u64le(from + 16),
        .first_pos = get_u64le(from + 24),
        .time_ns = get_u64le(from + 32),
        .durable_seq = get_u64le(from + 40),
        .prev_chain = get_u64le(from + 48),
        .effect_count = get_u32le(from + 56),
        .kind = (enum frame_kind)(uint8_t)from[60],
        .flags = (uint8_t)from[61],
    };
    /* The checksum is right, so these bytes were meant: not rot, but words that this version does
     * not know. */
    bool known = (frame.kind == FRAME_DATA && frame.body_bytes > 0) ||
                 (frame.kind == FRAME_SEAL && frame.body_bytes == 0);
    if (!known || (frame.flags & ~(unsigned)FRAME_RELAXED) != 0) return FRAME_UNKNOWN;
    if (get_u16le(from + 62) > JOURNAL_FORMAT) return FRAME_UNKNOWN;
    if (frame.body_bytes > JOURNAL_BATCH_BYTES_MAX) return FRAME_UNKNOWN;
    *ret_frame = frame;
    return FRAME_GOOD;
}

void segment_header_encode(const struct segment_header *header, char *to) {
    memset(to, 0, SEGMENT_PAGE_BYTES);
    put_u32le(to, SEGMENT_MAGIC);
    put_u32le(to + 8, header->format);
    put_u32le(to + 12, header->segment);
    put_u64le(to + 16, header->identity);
    put_u64le(to + 24, header->first_seq);
    put_u64le(to + 32, header->first_pos);
    put_u64le(to + 40, header->prev_chain);
    put_u64le(to + 48, header->capacity);
    put_u64le(to + 56, header->created_ns);
    put_u32le(to + 64, header->flags);
    put_u32le(to + 4, crc32c(0, to + 8, SEGMENT_HEADER_BYTES - 8));
    memcpy(to + SEGMENT_HEADER_COPY_AT, to, SEGMENT_HEADER_BYTES);
}

static bool header_copy_decode(const char *from, struct segment_header *ret_header) {
    if (get_u32le(from) != SEGMENT_MAGIC) return false;
    if (get_u32le(from + 4) != crc32c(0, from + 8, SEGMENT_HEADER_BYTES - 8)) return false;
    *ret_header = (struct segment_header){
        .format = get_u32le(from + 8),
        .segment = get_u32le(from + 12),
        .identity = get_u64le(from + 16),
        .first_seq = get_u64le(from + 24),
        .first_pos = get_u64le(from + 32),
        .prev_chain = get_u64le(from + 40),
        .capacity = get_u64le(from + 48),
        .created_ns = get_u64le(from + 56),
        .flags = get_u32le(from + 64),
    };
    return true;
}

bool segment_header_decode(const char *from, struct segment_header *ret_header) {
    return header_copy_decode(from, ret_header) ||
           header_copy_decode(from + SEGMENT_HEADER_COPY_AT, ret_header);
}
