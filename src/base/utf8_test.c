/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include "base/test.h"

TEST(every_code_point_is_written_and_read_back) {
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        if (point >= 0xd800 && point <= 0xdfff) continue;
        char bytes[UTF8_BYTES_MAX];
        size_t size = utf8_put(bytes, point);
        uint32_t again;
        if (utf8_get(bytes, bytes + size, &again) == size && again == point) continue;
        fail();
    }
}

TEST(what_is_not_well_formed_is_refused) {
    static const char *const bad[] = {
        "\x80",
        "\xbf",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xc2",
        "\xc2\x41",
        "\xe0\x80\xaf",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\xaf",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xfe",
        "\xff",
        "abcdefgh\xff",
        "abcdefg\xc3",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(!utf8_valid(slice_str(bad[i])));
    CHECK(utf8_valid(SLICE("")));
    CHECK(utf8_valid(SLICE_NONE));
    CHECK(utf8_valid(SLICE("abcdefghi\0\xf0\x9f\x98\x80")));
}

TESTS(every_code_point_is_written_and_read_back, what_is_not_well_formed_is_refused)
