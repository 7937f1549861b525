/* SPDX-License-Identifier: Apache-2.0 */
/* The file of statistics as a start reads it. The bytes lack their checksum, which is put behind
 * them, so that what lies before it is looked at. Whatever they say, they are read or refused; what
 * was read is written, and read again, as the same; and nothing is left of what was refused. */
#include <stdint.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/crc32c.h"
#include "server/statistics_codec.h"

/* In the last hour of 2026-11-26: what the corpus counts is of that day. */
#define NOW_NS (20783 * NS_PER_DAY + 23 * NS_PER_HOUR)

enum { CRC_BYTES = 4 };

static const struct siphash_key key = {.words = {1, 2}};

static void save(const struct statistics *statistics, struct statistics_saver *saver) {
    statistics_save_begin(saver, statistics);
    while (!statistics_save_step(saver, statistics, STATISTICS_ROWS_MAX)) {
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct mem mem = {0};
    struct statistics first;
    struct statistics second;
    statistics_init(&first, &mem, key);
    statistics_init(&second, &mem, key);
    size_t empty_bytes = mem.used_bytes;
    hob_assert(!statistics_load(&first, slice_of(bytes, 0), NOW_NS));
    HOB_AUTO_BUF struct buf file = buf_make(size + CRC_BYTES);
    (void)buf_put(&file, bytes, size);
    char sum[CRC_BYTES];
    put_u32le(sum, crc32c(0, bytes, size));
    (void)buf_put(&file, sum, sizeof sum);
    if (statistics_load(&first, buf_slice(&file), NOW_NS)) {
        struct statistics_saver once;
        struct statistics_saver twice;
        save(&first, &once);
        hob_assert(statistics_load(&second, buf_slice(&once.bytes), NOW_NS));
        save(&second, &twice);
        hob_assert(slice_equal(buf_slice(&once.bytes), buf_slice(&twice.bytes)));
        statistics_saver_deinit(&once);
        statistics_saver_deinit(&twice);
    } else {
        hob_assert(mem.used_bytes == empty_bytes);
    }
    statistics_deinit(&first);
    statistics_deinit(&second);
    hob_assert(mem.used_bytes == 0);
    return 0;
}
