/* SPDX-License-Identifier: Apache-2.0 */
#include "base/glob.h"

#include "base/test.h"

static bool fits(const char *pattern, const char *text) {
    return glob_fits(slice_str(pattern), slice_str(text));
}

/* What a glob means, said again by a table: does the pattern from P on fit the text from T on? */
static bool means(const char *pattern, const char *text) {
    enum { SIZE_MAX_TRIED = 16 };
    bool fit[SIZE_MAX_TRIED][SIZE_MAX_TRIED] = {0};
    size_t pattern_size = strlen(pattern);
    size_t text_size = strlen(text);
    CHECK(pattern_size < SIZE_MAX_TRIED);
    CHECK(text_size < SIZE_MAX_TRIED);
    for (size_t p = pattern_size + 1; p-- > 0;) {
        for (size_t t = text_size + 1; t-- > 0;) {
            bool has_one = t < text_size;
            if (p == pattern_size) {
                fit[p][t] = !has_one;
            } else if (pattern[p] == '*') {
                fit[p][t] = fit[p + 1][t] || (has_one && fit[p][t + 1]);
            } else {
                fit[p][t] =
                    has_one && (pattern[p] == '?' || pattern[p] == text[t]) && fit[p + 1][t + 1];
            }
        }
    }
    return fit[0][0];
}

TEST(a_plain_pattern_is_the_text_itself) {
    CHECK(fits("mail", "mail"));
    CHECK(!fits("mail", "mai"));
    CHECK(!fits("mail", "mails"));
    CHECK(!fits("mail", "Mail"));
    CHECK(fits("", ""));
    CHECK(!fits("", "a"));
    CHECK(!fits("a", ""));
}

TEST(a_star_is_any_run_and_a_question_mark_one_byte) {
    CHECK(fits("*", ""));
    CHECK(fits("*", "mail.out"));
    CHECK(fits("mail.*", "mail."));
    CHECK(fits("mail.*", "mail.out.eu"));
    CHECK(!fits("mail.*", "mail"));
    CHECK(fits("*.eu", "mail.out.eu"));
    CHECK(fits("m*.*u", "mail.out.eu"));
    CHECK(!fits("m*.*x", "mail.out.eu"));
    CHECK(fits("mail-?", "mail-7"));
    CHECK(!fits("mail-?", "mail-"));
    CHECK(!fits("mail-?", "mail-77"));
    CHECK(fits("**a**", "bab"));
}

/* Every pattern and text of up to five letters. */
TEST(every_short_pattern_means_what_the_definition_says) {
    static const char letters[] = "ab*?";
    for (unsigned p = 0; p < 4 * 4 * 4 * 4 * 4; p++) {
        char pattern[6] = {
            letters[p % 4],
            letters[p / 4 % 4],
            letters[p / 16 % 4],
            letters[p / 64 % 4],
            letters[p / 256 % 4]};
        for (unsigned size = 0; size <= 5; size++) {
            for (unsigned t = 0; t < 1u << size; t++) {
                char text[6] = {0};
                for (unsigned i = 0; i < size; i++) text[i] = letters[t >> i & 1];
                CHECK_EQUAL(fits(pattern, text), means(pattern, text));
            }
        }
    }
}

/* Exponential matchers hang here. */
TEST(a_hostile_pattern_ends_soon) {
    char pattern[200];
    char text[200];
    for (size_t i = 0; i < sizeof pattern; i++) pattern[i] = i % 2 == 0 ? '*' : 'a';
    pattern[sizeof pattern - 1] = 'b';
    memset(text, 'a', sizeof text);
    CHECK(!glob_fits(slice_of(pattern, sizeof pattern), slice_of(text, sizeof text)));
}

TEST(wildcards_are_seen) {
    CHECK(glob_has_wildcard(SLICE("a*")));
    CHECK(glob_has_wildcard(SLICE("?")));
    CHECK(!glob_has_wildcard(SLICE("a.b-c")));
    CHECK(!glob_has_wildcard(SLICE_NONE));
}

TESTS(
    a_plain_pattern_is_the_text_itself,
    a_star_is_any_run_and_a_question_mark_one_byte,
    every_short_pattern_means_what_the_definition_says,
    a_hostile_pattern_ends_soon,
    wildcards_are_seen
)
