/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include "base/test.h"

TEST(the_vectors_of_rfc_4648_hold) {
    static const char *const rows[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xef\xbe\xfb",
         "/+++"
         "+w=="},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        HOB_AUTO_BUF struct buf text = buf_make(100);
        HOB_AUTO_BUF struct buf bytes = buf_make(100);
        CHECK(base64_put(&text, slice_str(rows[i][0])));
        CHECK(slice_equal(buf_slice(&text), slice_str(rows[i][1])));
        CHECK(base64_decode(slice_str(rows[i][1]), &bytes));
        CHECK(slice_equal(buf_slice(&bytes), slice_str(rows[i][0])));
    }
}

TEST(reading_is_strict) {
    static const char *const bad[] = {
        "Z",
        "Zg",
        "Zg=",
        "Zm9",
        "Zg==Zg==",
        "=m9v",
        "Z===",
        "====",
        "Zh==",
        "Zm9=",
        "Zm9v\n",
        "Zm 9",
        "Zm-_",
        "Zm\x80v",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        HOB_AUTO_BUF struct buf bytes = buf_make(100);
        CHECK(!base64_decode(slice_str(bad[i]), &bytes));
        CHECK_EQUAL(bytes.size, 0);
    }
}

TESTS(the_vectors_of_rfc_4648_hold, reading_is_strict)
