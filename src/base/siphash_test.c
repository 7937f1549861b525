/* SPDX-License-Identifier: Apache-2.0 */
#include "base/siphash.h"

#include "base/test.h"

/* Appendix A of the paper: key 00..0f, message 00..0e. */
TEST(the_test_vector_of_the_paper_holds) {
    struct siphash_key key = {{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}};
    char message[15];
    for (size_t i = 0; i < sizeof message; i++) message[i] = (char)i;
    CHECK(siphash(key, slice_of(message, sizeof message)) == 0xa129ca6149be45e5u);
    CHECK(siphash(key, SLICE_NONE) == 0x726fdb47dd0e0e31u);
}

TESTS(the_test_vector_of_the_paper_holds)
