/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc32c.h"

#include "base/test.h"

/* RFC 3720 appendix B.4. */
TEST(the_check_values_of_the_rfc_hold) {
    char zeros[32] = {0};
    CHECK_EQUAL(crc32c(0, zeros, sizeof zeros), 0x8a9136aa);
    CHECK_EQUAL(crc32c(0, "123456789", 9), 0xe3069283);
}

TEST(table_and_instruction_agree_at_every_length_and_offset) {
    char bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 7 + 3);
    for (size_t from = 0; from < 9; from++) {
        for (size_t size = 0; size + from <= sizeof bytes; size++) {
            CHECK_EQUAL(crc32c(5, bytes + from, size), crc32c_by_table(5, bytes + from, size));
        }
    }
}

TEST(a_crc_can_be_continued) {
    uint32_t first = crc32c(0, "12345", 5);
    CHECK_EQUAL(crc32c(first, "6789", 4), 0xe3069283);
}

TESTS(
    the_check_values_of_the_rfc_hold,
    table_and_instruction_agree_at_every_length_and_offset,
    a_crc_can_be_continued
)
