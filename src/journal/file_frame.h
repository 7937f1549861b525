/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of the file journal: segment headers and frames, as pure functions over memory. Bytes
 * from a disk are never trusted: decoding answers a fault and never asserts. The tables of bytes
 * stand in file_frame.c. */
#ifndef HOB_JOURNAL_FILE_FRAME_H
#define HOB_JOURNAL_FILE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/time.h"

enum {
    /* What is written. Frozen since 1: all older ones are read too, 0 has the same bytes. */
    JOURNAL_FORMAT = 1,
    FRAME_HEADER_BYTES = 64,
    FRAME_ALIGN_BYTES = 8,
    SEGMENT_PAGE_BYTES = 4096,     /* the header page; frames begin behind it */
    SEGMENT_HEADER_BYTES = 96,     /* twice in the page: */
    SEGMENT_HEADER_COPY_AT = 2048, /* at 0 and here */
};

/* clang-format off */
/*        name             text */
#define FRAME_FAULTS(X)                                              \
    X(FRAME_GOOD, "nothing is wrong with it")                        \
    X(FRAME_NO_MAGIC, "no frame begins there")                       \
    X(FRAME_BAD_HEADER, "the checksum of the frame header is wrong") \
    X(FRAME_UNKNOWN, "the frame was written by a newer version")     \
    X(FRAME_CUT_SHORT, "the file ends inside the frame")             \
    X(FRAME_BAD_BODY, "the checksum of the frame body is wrong")     \
    X(FRAME_OUT_OF_ORDER, "the frame does not continue the one before it")
/* clang-format on */

enum frame_fault {
#define X(name, text) name,
    FRAME_FAULTS(X)
#undef X
        FRAME_FAULT_COUNT
};

/* DATA carries one batch. SEAL carries nothing: it says that the batch before it was synced, so
 * that rot of that batch cannot be taken for a write that a crash tore. */
enum frame_kind { FRAME_DATA = 1, FRAME_SEAL = 2 };

enum frame_flag {
    FRAME_RELAXED = 1u << 0 /* written without waiting for the sync of the frames before it */
};

struct frame {
    uint32_t body_bytes; /* without padding */
    uint32_t body_crc;   /* over the body with its padding */
    uint64_t seq;        /* of the batch; a seal has that of the batch before it */
    uint64_t first_pos;
    hob_ns time_ns;
    uint64_t durable_seq; /* the last batch known to be synced when this frame was made */
    uint64_t prev_chain;  /* chain of batch seq-1; a seal has that of batch seq */
    uint32_t effect_count;
    enum frame_kind kind;
    uint8_t flags;
};

enum segment_flag {
    SEGMENT_RECYCLED =
        1u << 0, /* was another segment before: bytes behind the last frame mean nothing */
    SEGMENT_RELAXED = 1u << 1 /* begun by a writer that does not sync each batch */
};

struct segment_header {
    uint32_t format;
    uint32_t segment;
    uint64_t identity;   /* of the journal; random */
    uint64_t first_seq;  /* of the first batch that goes in */
    uint64_t first_pos;  /* of its first effect */
    uint64_t prev_chain; /* chain of batch first_seq-1 */
    uint64_t capacity;   /* of the file, this page included */
    hob_ns created_ns;   /* engine time; 0 for the first segment */
    uint32_t flags;
};

/** What a frame with @body_bytes takes in the file. */
static inline uint64_t frame_bytes(uint64_t body_bytes) {
    return FRAME_HEADER_BYTES +
           (body_bytes + FRAME_ALIGN_BYTES - 1) / FRAME_ALIGN_BYTES * FRAME_ALIGN_BYTES;
}

/**
 * The seed of the header checksums of one segment: a frame of any other segment or journal fails
 * under it.
 */
uint32_t frame_seed(uint64_t identity, uint32_t segment);

/**
 * The seed under which the header at @from (FRAME_HEADER_BYTES) has the right checksum; there is
 * always exactly one, so the body must tell whether it is a frame at all.
 */
uint32_t frame_seed_solve(const char *from);

/** Checksum of a body and the zeros that pad it. */
uint32_t frame_body_crc(struct slice body);

/** Write the header to @to (FRAME_HEADER_BYTES). */
void frame_encode(const struct frame *frame, uint32_t seed, char *to);

/** Read a header from @from (FRAME_HEADER_BYTES); FRAME_GOOD, NO_MAGIC, BAD_HEADER or UNKNOWN. */
enum frame_fault frame_decode(const char *from, uint32_t seed, struct frame *ret_frame);

/** A static text for a fault. */
const char *frame_fault_text(enum frame_fault fault);

/** Write the header page to @to (SEGMENT_PAGE_BYTES): two copies and zeros. */
void segment_header_encode(const struct segment_header *header, char *to);

/**
 * Read a header page: its first good copy; false when neither is. A newer format is good; the
 * caller looks at it.
 */
bool segment_header_decode(const char *from, struct segment_header *ret_header);

#endif
