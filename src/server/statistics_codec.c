/* SPDX-License-Identifier: Apache-2.0 */
/* Writing statistics down, and reading them again. What is read is looked at as if it came from a
 * stranger, though its checksum is right: nothing in it can lead out of a table. */
#include "server/statistics_codec.h"

#include "base/assert.h"
#include "base/codec.h"
#include "base/crc32c.h"

#define MARK "HOBSTAT1"

enum { MARK_BYTES = 8, CRC_BYTES = 4, HISTOGRAMS = 4, MINUTES_OF_DAY = 24 * 60 };
_Static_assert(COUNTERS <= 60, "the bits of a cell fit into a varint");

/* --- writing --- */

static void put(struct buf *out, uint64_t value) {
    char bytes[VARINT_MAX_BYTES];
    (void)buf_put(out, bytes, varint_put(bytes, value));
}

static const struct statistics_cell *cell_at(const struct statistics *statistics, uint64_t number) {
    return &statistics->cells[number % statistics->capacity];
}

static void put_cell(struct statistics_saver *saver, const struct statistics_cell *cell) {
    struct buf *out = &saver->bytes;
    uint64_t bits = 0;
    for (uint32_t i = 0; i < COUNTERS; i++) bits |= (uint64_t)(cell->counts[i] != 0) << i;
    put(out, 1 + (uint64_t)(cell->minute - saver->minute));
    put(out, cell->row);
    put(out, bits);
    for (uint32_t i = 0; i < COUNTERS; i++) {
        if (cell->counts[i] != 0) put(out, cell->counts[i]);
    }
    put(out, cell->wait_ns);
    put(out, cell->run_ns);
    saver->minute = cell->minute;
}

static void put_histogram(struct buf *out, const struct statistics_histogram *histogram) {
    uint32_t filled = 0;
    for (uint32_t i = 0; i < TIMES_BUCKETS; i++) filled += histogram->counts[i] != 0 ? 1 : 0;
    put(out, histogram->max_ns);
    put(out, filled);
    uint32_t before = 0;
    for (uint32_t i = 0; i < TIMES_BUCKETS; i++) {
        if (histogram->counts[i] == 0) continue;
        put(out, i - before);
        put(out, histogram->counts[i]);
        before = i;
    }
}

static void put_row(struct buf *out, const struct statistics_row *row) {
    put(out, row->of);
    put(out, row->name_size);
    (void)buf_put(out, row->name, row->name_size);
    put(out, row->minute);
    put(out, row->day);
    const struct statistics_histogram *const histograms[HISTOGRAMS] = {
        &row->wait[0], &row->wait[1], &row->run[0], &row->run[1]};
    for (size_t i = 0; i < HISTOGRAMS; i++) put_histogram(out, histograms[i]);
}

void statistics_save_begin(struct statistics_saver *saver, const struct statistics *statistics) {
    *saver = (struct statistics_saver
    ){.bytes = buf_make(STATISTICS_SAVED_BYTES_MAX), .next = statistics->first};
    (void)buf_put_str(&saver->bytes, MARK);
}

static void put_end(struct buf *out, const struct statistics *statistics) {
    put(out, 0);
    put(out, statistics->row_count);
    for (uint32_t i = 0; i < statistics->row_count; i++) put_row(out, statistics->rows[i]);
    put(out, statistics->kept);
    char crc[CRC_BYTES];
    put_u32le(crc, crc32c(0, out->bytes, out->size));
    if (!buf_put(out, crc, sizeof crc) || out->overflowed) buf_reset(out);
}

bool statistics_save_step(
    struct statistics_saver *saver, const struct statistics *statistics, uint32_t cells_max
) {
    hob_assert(cells_max >= STATISTICS_ROWS_MAX);
    if (saver->next < statistics->first) saver->next = statistics->first;
    bool is_last = statistics->next - saver->next <= cells_max;
    for (uint32_t i = 0; i < cells_max && saver->next < statistics->next; i++, saver->next++) {
        const struct statistics_cell *cell = cell_at(statistics, saver->next);
        /* The running minute still changes: it belongs to the last slice. */
        if (!is_last && cell->minute == statistics->minute) break;
        put_cell(saver, cell);
    }
    if (!is_last) return false;
    put_end(&saver->bytes, statistics);
    return true;
}

void statistics_saver_deinit(struct statistics_saver *saver) {
    buf_deinit(&saver->bytes);
}

/* --- reading --- */

/* Where the rows of the file are here; 0 is that of all, and what has no place is nowhere. */
struct places {
    uint32_t count;
    uint32_t at[STATISTICS_ROWS_MAX];
};

#define NOWHERE UINT32_MAX

static void read_histogram(struct reader *from, struct statistics_histogram *to) {
    to->max_ns = read_varint(from);
    uint64_t filled = read_varint(from);
    uint64_t bucket = 0;
    for (uint64_t i = 0; i < filled && !from->bad; i++) {
        bucket += read_varint(from);
        uint64_t count = read_varint(from);
        if (bucket >= TIMES_BUCKETS || count > UINT32_MAX) {
            from->bad = true;
            return;
        }
        to->counts[bucket] = (uint32_t)count;
        to->count += count;
    }
}

static uint32_t least(uint64_t a, uint64_t b) {
    return (uint32_t)(a < b ? a : b);
}

static uint32_t read_row(struct reader *from, struct statistics *statistics, uint32_t now) {
    uint64_t of = read_varint(from);
    struct slice name = read_string(from);
    uint64_t minute = read_varint(from);
    uint64_t day = read_varint(from);
    bool is_all = of == STATISTICS_ALL && name.size == 0;
    from->bad = from->bad || of >= STATISTICS_OF_COUNT || minute > UINT32_MAX || day > UINT32_MAX ||
                (!is_all && !name_is_valid(name)) || (of == STATISTICS_ALL && !is_all);
    if (from->bad) return NOWHERE;
    struct statistics_row *row = statistics_row(statistics, (enum statistics_of)of, name, true);
    if (row == NULL) return NOWHERE;
    row->minute = least(minute, now);
    row->day = least(day, now / MINUTES_OF_DAY);
    struct statistics_histogram *const histograms[HISTOGRAMS] = {
        &row->wait[0], &row->wait[1], &row->run[0], &row->run[1]};
    for (size_t i = 0; i < HISTOGRAMS; i++) {
        *histograms[i] = (struct statistics_histogram){.count = 0};
        read_histogram(from, histograms[i]);
    }
    return row->at;
}

struct saved_cell {
    uint64_t minute;
    uint64_t row;
    uint64_t counts[COUNTERS];
    hob_ns wait_ns;
    hob_ns run_ns;
};

/* The next cell; false at their end, or when the bytes are bad. */
static bool read_cell(struct reader *from, struct saved_cell *cell) {
    uint64_t step = read_varint(from);
    if (from->bad || step == 0) return false;
    cell->minute = ns_add(cell->minute, step - 1);
    cell->row = read_varint(from);
    uint64_t bits = read_varint(from);
    for (uint32_t i = 0; i < 64; i++) {
        uint64_t count = (bits >> i & 1) != 0 ? read_varint(from) : 0;
        if (i < COUNTERS) cell->counts[i] = count <= UINT32_MAX ? count : UINT32_MAX;
    }
    cell->wait_ns = read_varint(from);
    cell->run_ns = read_varint(from);
    from->bad = from->bad || cell->minute > UINT32_MAX || cell->row >= STATISTICS_ROWS_MAX;
    return !from->bad;
}

static void
keep_cell(struct statistics *statistics, const struct saved_cell *saved, uint32_t place) {
    struct statistics_row *row = statistics->rows[place];
    struct statistics_cell *cell = statistics_cell(statistics, row, (uint32_t)saved->minute);
    for (uint32_t i = 0; i < COUNTERS; i++) cell->counts[i] = (uint32_t)saved->counts[i];
    cell->wait_ns = saved->wait_ns;
    cell->run_ns = saved->run_ns;
}

static void read_all(struct reader *from, struct statistics *statistics, uint32_t now) {
    struct reader cells = *from;
    struct saved_cell cell = {.minute = 0};
    struct places places = {.count = 0};
    while (read_cell(from, &cell)) {
    }
    uint64_t rows = read_varint(from);
    from->bad = from->bad || rows == 0 || rows > STATISTICS_ROWS_MAX;
    while (places.count < rows && !from->bad) {
        places.at[places.count++] = read_row(from, statistics, now);
    }
    uint64_t kept = read_varint(from);
    from->bad = from->bad || kept > UINT32_MAX || reader_left(from) != 0;
    if (from->bad) return;
    cell = (struct saved_cell){.minute = 0};
    while (read_cell(&cells, &cell)) {
        bool is_now = cell.minute <= now && cell.minute + STATISTICS_MINUTES > now;
        uint32_t place = cell.row < places.count ? places.at[cell.row] : NOWHERE;
        if (is_now && place != NOWHERE) keep_cell(statistics, &cell, place);
    }
    if (statistics->kept < kept) statistics->kept = (uint32_t)kept;
}

bool statistics_load(struct statistics *statistics, struct slice bytes, hob_ns now_ns) {
    hob_assert(statistics->next == statistics->first);
    if (bytes.size < MARK_BYTES + CRC_BYTES) return false;
    size_t size = bytes.size - CRC_BYTES;
    if (memcmp(bytes.bytes, MARK, MARK_BYTES) != 0) return false;
    if (crc32c(0, bytes.bytes, size) != get_u32le(bytes.bytes + size)) return false;
    struct reader from = reader_of(slice_of(bytes.bytes + MARK_BYTES, size - MARK_BYTES));
    read_all(&from, statistics, (uint32_t)(now_ns / NS_PER_MINUTE));
    if (!from.bad) return true;
    struct mem *mem = statistics->mem;
    struct siphash_key key = statistics->key;
    statistics_deinit(statistics);
    statistics_init(statistics, mem, key);
    return false;
}
