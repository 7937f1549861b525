/* SPDX-License-Identifier: Apache-2.0 */
/* The decoders of the file journal: whatever lies on the disk, they answer. What they take must be
 * what encoding gives back, and a walk over any file ends. The input is the frames of a segment
 * file; its first byte says whether checksums are mended, so that the fields behind them are
 * reached too. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/crc32c.h"
#include "fuzz.h"
#include "journal/file_frame.h"
#include "journal/file_scan.h"

#define SEED UINT32_C(0x5eed)

enum {
    FRAME_FORMAT_AT = 62,      /* in a frame header; fields before it, nothing behind it */
    SEGMENT_FIELDS_BYTES = 68, /* of a segment header; zeros behind them */
};

/* Give the frame at @at, if it fits, the checksums that it ought to have. */
static size_t mend_frame(char *bytes, size_t size, size_t at) {
    if (size - at < FRAME_HEADER_BYTES) return size;
    char *header = bytes + at;
    uint64_t body = get_u32le(header + 8) % 512;
    memcpy(header, "HOBJ", 4);
    put_u32le(header + 8, (uint32_t)body);
    uint64_t whole = frame_bytes(body);
    if (whole <= size - at) {
        put_u32le(header + 12, crc32c(0, header + FRAME_HEADER_BYTES, whole - FRAME_HEADER_BYTES));
    }
    put_u32le(header + 4, crc32c(SEED, header + 8, FRAME_HEADER_BYTES - 8));
    return whole <= size - at ? at + (size_t)whole : size;
}

/* The fields come back as they were; the format, and so the checksum, is what is written today,
 * although an older one may have been read. */
static void check_frame(const char *bytes) {
    struct frame frame;
    if (frame_decode(bytes, SEED, &frame) != FRAME_GOOD) return;
    char again[FRAME_HEADER_BYTES];
    frame_encode(&frame, SEED, again);
    FUZZ_CHECK(memcmp(bytes + 8, again + 8, FRAME_FORMAT_AT - 8) == 0);
    FUZZ_CHECK(get_u16le(bytes + FRAME_FORMAT_AT) <= get_u16le(again + FRAME_FORMAT_AT));
    FUZZ_CHECK(frame_decode(again, SEED, &frame) == FRAME_GOOD);
}

static void check_segment_header(const char *bytes, size_t size, bool mended) {
    char page[SEGMENT_PAGE_BYTES] = {0};
    memcpy(page, bytes, size < sizeof page ? size : sizeof page);
    if (mended) {
        memcpy(page, "HOBS", 4);
        put_u32le(page + 4, crc32c(0, page + 8, SEGMENT_HEADER_BYTES - 8));
    }
    struct segment_header header;
    if (!segment_header_decode(page, &header)) return;
    char again[SEGMENT_PAGE_BYTES];
    segment_header_encode(&header, again);
    struct segment_header twice;
    FUZZ_CHECK(segment_header_decode(again, &twice));
    char once_more[SEGMENT_PAGE_BYTES];
    segment_header_encode(&twice, once_more);
    FUZZ_CHECK(memcmp(again, once_more, sizeof again) == 0);
    if (mended) FUZZ_CHECK(memcmp(page + 8, again + 8, SEGMENT_FIELDS_BYTES - 8) == 0);
}

/* Walk over the bytes as the frames of a segment file. */
static void check_walk(const char *bytes, size_t size) {
    int fd = memfd_create("segment", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0);
    ssize_t put = pwrite(fd, bytes, size, SEGMENT_PAGE_BYTES);
    FUZZ_CHECK(put == (ssize_t)size);
    struct scan scan = scan_make();
    scan_start(&scan, fd, SEED, UINT64_MAX);
    struct chain_end end = {0};
    enum frame_fault fault = FRAME_GOOD;
    while (fault == FRAME_GOOD) {
        uint64_t before = scan.offset;
        struct frame frame;
        struct slice body;
        int failed = scan_next(&scan, &end, &frame, &body, &fault);
        FUZZ_CHECK(failed == 0);
        FUZZ_CHECK((scan.offset > before) == (fault == FRAME_GOOD));
        FUZZ_CHECK(scan.offset <= SEGMENT_PAGE_BYTES + size);
    }
    scan_deinit(&scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    if (size == 0) return 0;
    bool mended = input[0] % 2 == 1;
    size--;
    char *bytes = malloc(size + 1);
    FUZZ_CHECK(bytes != NULL);
    memcpy(bytes, input + 1, size);
    check_segment_header(bytes, size, mended);
    for (size_t at = 0; mended && at < size;) at = mend_frame(bytes, size, at);
    if (size >= FRAME_HEADER_BYTES) check_frame(bytes);
    check_walk(bytes, size);
    free(bytes);
    return 0;
}
