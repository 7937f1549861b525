/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on disk and on the wire, written and read field by field: little-endian, varints as in
 * LEB128 (7 bits a byte, low first, at most 10 bytes). A reader never reads past its end: it turns
 * `bad` and yields zeros, which is asked once. */
#ifndef HOB_BASE_CODEC_H
#define HOB_BASE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"

enum { VARINT_MAX_BYTES = 10 };

static inline void put_u16le(char *to, uint16_t value) {
    for (unsigned i = 0; i < 2; i++) to[i] = (char)(value >> (8 * i));
}

static inline void put_u32le(char *to, uint32_t value) {
    for (unsigned i = 0; i < 4; i++) to[i] = (char)(value >> (8 * i));
}

static inline void put_u64le(char *to, uint64_t value) {
    for (unsigned i = 0; i < 8; i++) to[i] = (char)(value >> (8 * i));
}

static inline uint64_t get_le(const char *from, unsigned size_bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < size_bytes; i++) value |= (uint64_t)(uint8_t)from[i] << (8 * i);
    return value;
}

static inline uint16_t get_u16le(const char *from) {
    return (uint16_t)get_le(from, 2);
}

static inline uint32_t get_u32le(const char *from) {
    return (uint32_t)get_le(from, 4);
}

static inline uint64_t get_u64le(const char *from) {
    return get_le(from, 8);
}

/** Write a varint at @to (room for VARINT_MAX_BYTES); the number of bytes written. */
static inline size_t varint_put(char *to, uint64_t value) {
    size_t size = 0;
    while (value >= 0x80) {
        to[size++] = (char)(value | 0x80);
        value >>= 7;
    }
    to[size++] = (char)value;
    return size;
}

struct reader {
    const char *at;
    const char *end;
    bool bad; /* a read went past the end, or a varint was longer than 64 bits */
};

static inline struct reader reader_of(struct slice bytes) {
    return (struct reader){.at = bytes.bytes, .end = bytes.bytes + bytes.size};
}

static inline size_t reader_left(const struct reader *reader) {
    return (size_t)(reader->end - reader->at);
}

static inline uint64_t read_le(struct reader *reader, unsigned size_bytes) {
    if (reader_left(reader) < size_bytes) {
        reader->bad = true;
        reader->at = reader->end;
        return 0;
    }
    uint64_t value = get_le(reader->at, size_bytes);
    reader->at += size_bytes;
    return value;
}

static inline uint64_t read_varint(struct reader *reader) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = (uint8_t)read_le(reader, 1);
        if (reader->bad) return 0;
        if (shift == 63 && byte > 1) break; /* past 64 bits */
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return value;
    }
    reader->bad = true;
    reader->at = reader->end;
    return 0;
}

static inline struct slice read_bytes(struct reader *reader, uint64_t size) {
    if (reader_left(reader) < size) {
        reader->bad = true;
        reader->at = reader->end;
        return SLICE_NONE;
    }
    struct slice bytes = {.bytes = reader->at, .size = (size_t)size};
    reader->at += size;
    return bytes;
}

/* A byte string: varint length, then the bytes. */
static inline struct slice read_string(struct reader *reader) {
    return read_bytes(reader, read_varint(reader));
}

#endif
