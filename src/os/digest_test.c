/* SPDX-License-Identifier: Apache-2.0 */
#include "os/digest.h"

#include "base/test.h"

/* FIPS 180-2, appendix B.1. */
TEST(the_digest_of_abc_is_that_of_the_standard) {
    static const unsigned char wanted[SHA256_BYTES] = {
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
        0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
        0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
    };
    char hash[SHA256_BYTES];
    digest_sha256(SLICE("abc"), hash);
    CHECK_BYTES(hash, wanted, sizeof hash);
    CHECK(digest_equal(hash, (const char *)wanted));
    hash[31] ^= 1;
    CHECK(!digest_equal(hash, (const char *)wanted));
}

TESTS(the_digest_of_abc_is_that_of_the_standard)
