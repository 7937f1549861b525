/* SPDX-License-Identifier: Apache-2.0 */
/* The small values of base/text.h and base64: what is read, printed and read again is the same. */
#include "base/base64.h"
#include "base/number.h"
#include "base/text.h"
#include "fuzz.h"

static void check_times(struct slice text) {
    HOB_AUTO_BUF struct buf out = buf_make(1000);
    hob_ns read = 0;
    hob_ns again = 0;
    if (text_time(text, &read)) {
        FUZZ_CHECK(text_put_time(&out, read));
        FUZZ_CHECK(text_time(buf_slice(&out), &again));
        FUZZ_CHECK(again == read);
    }
    buf_reset(&out);
    if (text_duration(text, NS_PER_SECOND, &read) && read != HOB_NEVER) {
        FUZZ_CHECK(text_put_duration(&out, read));
        FUZZ_CHECK(text_duration(buf_slice(&out), 0, &again));
        FUZZ_CHECK(again == read);
    }
}

static void check_numbers(struct slice text) {
    HOB_AUTO_BUF struct buf out = buf_make(1000);
    uint64_t bytes = 0;
    uint64_t again = 0;
    if (text_size(text, &bytes)) {
        FUZZ_CHECK(text_put_size(&out, bytes));
        FUZZ_CHECK(text_size(buf_slice(&out), &again));
        FUZZ_CHECK(again == bytes);
    }
    buf_reset(&out);
    uint64_t whole = 0;
    if (text_u64(text, 0, UINT64_MAX, &whole)) {
        FUZZ_CHECK(buf_put_u64(&out, whole));
        FUZZ_CHECK(slice_equal(buf_slice(&out), text));
    }
    int64_t sign = 0;
    buf_reset(&out);
    if (text_i64(text, INT64_MIN, INT64_MAX, &sign) && !slice_equal(text, SLICE("-0"))) {
        FUZZ_CHECK(buf_put_i64(&out, sign));
        FUZZ_CHECK(slice_equal(buf_slice(&out), text));
    }
}

static void check_base64(struct slice text) {
    HOB_AUTO_BUF struct buf bytes = buf_make(text.size + 3);
    HOB_AUTO_BUF struct buf again = buf_make(text.size * 2 + 4);
    if (base64_decode(text, &bytes)) {
        FUZZ_CHECK(base64_put(&again, buf_slice(&bytes)));
        FUZZ_CHECK(slice_equal(buf_slice(&again), text));
    }
    buf_reset(&bytes);
    buf_reset(&again);
    FUZZ_CHECK(base64_put(&again, text));
    FUZZ_CHECK(base64_decode(buf_slice(&again), &bytes));
    FUZZ_CHECK(slice_equal(buf_slice(&bytes), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = malloc(size == 0 ? 1 : size);
    FUZZ_CHECK(copy != NULL);
    if (size > 0) memcpy(copy, data, size);
    struct slice text = slice_of(copy, size);
    check_times(text);
    check_numbers(text);
    check_base64(text);
    free(copy);
    return 0;
}
