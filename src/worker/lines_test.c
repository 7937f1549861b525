/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/lines.h"

#include "base/test.h"

/* Lines as they came, each followed by '|'. */
static void line_note(void *context, struct slice line) {
    struct buf *seen = context;
    (void)buf_put_slice(seen, line);
    (void)buf_put_char(seen, '|');
}

static void check_seen(struct buf *seen, const char *wanted) {
    (void)buf_put_char(seen, '\0');
    CHECK_STR(seen->bytes, wanted);
    buf_reset(seen);
}

static void feed(struct lines *lines, const char *text) {
    lines_feed(lines, slice_str(text));
}

TEST(lines_come_without_their_ends) {
    HOB_AUTO_BUF struct buf seen = buf_make(1000);
    struct lines lines;
    lines_init(&lines, 100, line_note, &seen);
    feed(&lines, "one\ntwo\r\n\nthree\n");
    check_seen(&seen, "one|two||three|");
    lines_deinit(&lines);
}

TEST(a_line_may_come_byte_by_byte) {
    HOB_AUTO_BUF struct buf seen = buf_make(1000);
    struct lines lines;
    lines_init(&lines, 100, line_note, &seen);
    const char *text = "ab\r\ncd\n\nef";
    for (size_t i = 0; text[i] != '\0'; i++) lines_feed(&lines, slice_of(text + i, 1));
    check_seen(&seen, "ab|cd||");
    lines_flush(&lines);
    check_seen(&seen, "ef|");
    lines_flush(&lines);
    check_seen(&seen, "");
    lines_deinit(&lines);
}

TEST(a_long_line_comes_in_pieces) {
    HOB_AUTO_BUF struct buf seen = buf_make(1000);
    struct lines lines;
    lines_init(&lines, 8, line_note, &seen);
    feed(&lines, "0123456789abcdef\nx\n");
    check_seen(&seen, "01234567|89abcdef|x|");
    feed(&lines, "01234567\n");
    check_seen(&seen, "01234567|");
    lines_deinit(&lines);
}

TEST(a_piece_does_not_end_inside_a_character) {
    HOB_AUTO_BUF struct buf seen = buf_make(1000);
    struct lines lines;
    lines_init(&lines, 8, line_note, &seen);
    feed(&lines, "0123456\xe2\x82\xac!\n");
    check_seen(&seen, "0123456|\xe2\x82\xac!|");
    feed(&lines, "01234\xe2\x82\xacz\n");
    check_seen(&seen, "01234\xe2\x82\xac|z|");
    lines_deinit(&lines);
}

TEST(bytes_that_are_not_utf8_are_kept) {
    HOB_AUTO_BUF struct buf seen = buf_make(1000);
    struct lines lines;
    lines_init(&lines, 8, line_note, &seen);
    feed(&lines, "\xff\xfe\x80\n\x80\x80\x80\x80\x80\x80\x80\x80\x80\n");
    check_seen(&seen, "\xff\xfe\x80|\x80\x80\x80\x80\x80\x80\x80\x80|\x80|");
    lines_deinit(&lines);
}

TESTS(
    lines_come_without_their_ends,
    a_line_may_come_byte_by_byte,
    a_long_line_comes_in_pieces,
    a_piece_does_not_end_inside_a_character,
    bytes_that_are_not_utf8_are_kept
)
