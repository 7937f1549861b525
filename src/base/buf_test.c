/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/test.h"

TEST(a_buffer_grows_to_its_maximum_and_no_further) {
    HOB_AUTO_BUF struct buf buf = buf_make(1000);
    for (int i = 0; i < 100; i++) CHECK(buf_put(&buf, "0123456789", 10));
    CHECK_EQUAL(buf.size, 1000);
    CHECK(!buf_put_char(&buf, 'x'));
    CHECK(buf.overflowed);
    CHECK_EQUAL(buf.size, 1000);
}

TEST(numbers_are_printed_in_decimal) {
    HOB_AUTO_BUF struct buf buf = buf_make(1000);
    CHECK(buf_put_u64(&buf, 0));
    CHECK(buf_put_char(&buf, ' '));
    CHECK(buf_put_u64(&buf, UINT64_MAX));
    CHECK(buf_put_char(&buf, ' '));
    CHECK(buf_put_i64(&buf, INT64_MIN));
    CHECK(buf_printf(&buf, " %d", 7));
    CHECK(slice_equal(buf_slice(&buf), SLICE("0 18446744073709551615 -9223372036854775808 7")));
}

TEST(consuming_moves_the_rest_to_the_front) {
    HOB_AUTO_BUF struct buf buf = buf_make(100);
    CHECK(buf_put_str(&buf, "head tail"));
    buf_consume(&buf, 5);
    CHECK(slice_equal(buf_slice(&buf), SLICE("tail")));
}

TESTS(
    a_buffer_grows_to_its_maximum_and_no_further,
    numbers_are_printed_in_decimal,
    consuming_moves_the_rest_to_the_front
)
