/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include "base/test.h"

static const char *const words[] = {"serve", "work", "push", "get", "wait", "logs", "queues"};

static const char *nearest(const char *typed) {
    return nearest_word(slice_str(typed), words, sizeof words / sizeof words[0]);
}

TEST(a_slip_finds_its_word) {
    CHECK_STR(nearest("psuh"), "push");
    CHECK_STR(nearest("srve"), "serve");
    CHECK_STR(nearest("queue"), "queues");
    CHECK_STR(nearest("log"), "logs");
    CHECK_STR(nearest("wiat"), "wait");
}

TEST(a_beginning_finds_its_word) {
    CHECK_STR(nearest("que"), "queues");
    CHECK_STR(nearest("wo"), "work");
}

TEST(a_word_that_is_like_none_finds_none) {
    CHECK(nearest("frobnicate") == NULL);
    CHECK(nearest("") == NULL);
    CHECK(nearest("zzz") == NULL);
    CHECK(nearest("0123456789012345678901234567890123456789") == NULL);
}

TESTS(a_slip_finds_its_word, a_beginning_finds_its_word, a_word_that_is_like_none_finds_none)
