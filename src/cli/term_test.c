/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/term.h"

#include "base/test.h"

static const char *text(struct buf *out) {
    (void)buf_put_char(out, '\0');
    return out->bytes;
}

TEST(wide_characters_take_two_columns_and_combining_ones_none) {
    (void)term_look("never");
    CHECK_EQUAL(term_width(SLICE("abc")), 3);
    CHECK_EQUAL(term_width(SLICE("r\xC3\xA9sum\xC3\xA9")), 6);
    CHECK_EQUAL(term_width(SLICE("\xE6\x97\xA5\xE6\x9C\xAC")), 4); /* two ideographs */
    CHECK_EQUAL(term_width(SLICE("e\xCC\x81")), 1);                /* e, combining acute */
    CHECK_EQUAL(term_width(SLICE("\xFF")), 1);
}

static void check_padded(struct slice word, size_t columns, bool right, const char *wanted) {
    struct buf out = buf_make(1000);
    term_put_padded(&out, word, columns, right);
    CHECK_STR(text(&out), wanted);
    buf_deinit(&out);
}

TEST(a_cell_is_padded_or_cut_to_its_columns) {
    (void)term_look("never");
    check_padded(SLICE("ab"), 4, false, "ab  ");
    check_padded(SLICE("12"), 4, true, "  12");
    check_padded(SLICE("abcdef"), 4, false, "abc\xE2\x80\xA6");
    /* The second ideograph does not fit beside the ellipsis: a space takes its half. */
    check_padded(
        SLICE("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E"), 4, false, "\xE6\x97\xA5\xE2\x80\xA6 "
    );
}

static void check_safe(struct slice from, bool one_line, const char *wanted) {
    struct buf out = buf_make(1000);
    term_put_safe(&out, from, one_line);
    CHECK_STR(text(&out), wanted);
    buf_deinit(&out);
}

TEST(what_could_speak_to_the_terminal_is_taken_out) {
    check_safe(SLICE("plain \xC3\xA9"), true, "plain \xC3\xA9");
    check_safe(SLICE("\x1b[2Jx"), true, "\xEF\xBF\xBD[2Jx");
    check_safe(SLICE("\xC2\x9B"), true, "\xEF\xBF\xBD");     /* CSI in one character */
    check_safe(SLICE("\xE2\x80\xAE"), true, "\xEF\xBF\xBD"); /* right-to-left override */
    check_safe(SLICE("a\nb\tc\r"), true, "a b c ");
    check_safe(SLICE("a\nb"), false, "a\nb");
    check_safe(SLICE("\xFF\xC3"), true, "\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void check_filled(const char *from, size_t indent, size_t columns, const char *wanted) {
    struct buf out = buf_make(1000);
    term_put_filled(&out, from, 0, indent, columns);
    CHECK_STR(text(&out), wanted);
    buf_deinit(&out);
}

TEST(paragraphs_are_filled_and_tables_stay) {
    check_filled("one two three", 0, 8, "one two\nthree\n");
    check_filled("one two three", 2, 9, "  one two\n  three\n");
    check_filled("one\n\ntwo", 0, 80, "one\n\ntwo\n");
    check_filled("one\n  a   b\ntwo", 0, 80, "one\n  a   b\ntwo\n");
    check_filled("\xCC\x81", 0, 80, "\xCC\x81\n"); /* an accent alone has no width */
    check_filled("averyverylongword x", 0, 5, "averyverylongword\nx\n");
}

TEST(a_style_is_only_where_colour_is) {
    struct term term = {.color = false};
    struct buf out = buf_make(100);
    term_put_styled(&out, &term, STYLE_BAD, SLICE("x"));
    term.color = true;
    term_put_styled(&out, &term, STYLE_BAD, SLICE("y"));
    term_put_styled(&out, &term, STYLE_PLAIN, SLICE("z"));
    CHECK_STR(text(&out), "x\x1b[31my\x1b[0mz");
    buf_deinit(&out);
}

TESTS(
    wide_characters_take_two_columns_and_combining_ones_none,
    a_cell_is_padded_or_cut_to_its_columns,
    what_could_speak_to_the_terminal_is_taken_out,
    paragraphs_are_filled_and_tables_stay,
    a_style_is_only_where_colour_is
)
