/* SPDX-License-Identifier: Apache-2.0 */
/* Text of strangers on its way to a terminal: whatever comes in, what goes out is UTF-8 without
 * anything that a terminal obeys, and cells have exactly the width that they were given. */
#include "base/utf8.h"
#include "cli/term.h"
#include "fuzz.h"

/* No control character of either set: those of C1 are two bytes in UTF-8, 0xC2 and one below
 * 0xA0. */
static void check_harmless(struct slice text, bool one_line) {
    FUZZ_CHECK(utf8_valid(text));
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        FUZZ_CHECK(byte >= 0x20 || (byte == '\n' && !one_line));
        FUZZ_CHECK(byte != 0x7F);
        FUZZ_CHECK(byte != 0xC2 || (unsigned char)text.bytes[i + 1] >= 0xA0);
    }
}

static void check_cell(struct slice text, size_t columns, bool to_the_right) {
    HOB_AUTO_BUF struct buf cell = buf_make(1 << 20);
    term_put_padded(&cell, text, columns, to_the_right);
    FUZZ_CHECK(term_width(buf_slice(&cell)) == columns);
    size_t used = 0;
    size_t fit = term_fit(text, columns, &used);
    FUZZ_CHECK(fit <= text.size && used <= columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    bool one_line = (input.cutting & 1) != 0;
    (void)term_look("never");
    HOB_AUTO_BUF struct buf safe = buf_make(1 << 20);
    term_put_safe(&safe, input.stream, one_line);
    check_harmless(buf_slice(&safe), one_line);
    check_cell(buf_slice(&safe), input.cutting, one_line);

    HOB_AUTO_BUF struct buf filled = buf_make(1 << 22);
    (void)buf_put_char(&safe, '\0');
    term_put_filled(&filled, safe.bytes, 0, input.cutting % 8, 10 + input.cutting % 90);
    FUZZ_CHECK(!filled.overflowed);
    FUZZ_CHECK(filled.size == 0 || filled.bytes[filled.size - 1] == '\n');
    return 0;
}
