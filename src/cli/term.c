/* SPDX-License-Identifier: Apache-2.0 */
/* Widths are those of the C library's wcwidth() in the locale C.UTF-8, whatever the user's locale
 * is: what Hob prints is UTF-8. */
#include "cli/term.h"

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/assert.h"
#include "base/text.h"
#include "base/utf8.h"

enum { COLUMNS_DEFAULT = 80, LINES_DEFAULT = 24, SIZE_MAX_SANE = 10000 };

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define ELLIPSIS    "\xE2\x80\xA6" /* U+2026 */

/* NULL: not set, or empty, which is the same. */
static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* https://no-color.org, https://bixense.com/clicolors */
static bool wants_color(const struct term *term, const char *choice) {
    if (choice != NULL && strcmp(choice, "always") == 0) return true;
    if (choice != NULL && strcmp(choice, "never") == 0) return false;
    if (variable("NO_COLOR") != NULL) return false;
    const char *force = variable("CLICOLOR_FORCE");
    if (force != NULL && strcmp(force, "0") != 0) return true;
    return term->out && term->smart;
}

static size_t size_from(const char *name, size_t fallback) {
    uint64_t size = 0;
    const char *value = variable(name);
    if (value == NULL || !text_u64(slice_str(value), 1, SIZE_MAX_SANE, &size)) return fallback;
    return (size_t)size;
}

void term_measure(struct term *term) {
    struct winsize size = {0};
    term->columns = 0;
    term->lines = 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        term->columns = size.ws_col;
        term->lines = size.ws_row;
    }
    if (term->columns == 0) term->columns = size_from("COLUMNS", COLUMNS_DEFAULT);
    if (term->lines == 0) term->lines = size_from("LINES", LINES_DEFAULT);
}

struct term term_look(const char *color) {
    if (uselocale((locale_t)0) == LC_GLOBAL_LOCALE) {
        locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
        if (utf8 != (locale_t)0) (void)uselocale(utf8);
    }
    const char *name = variable("TERM");
    struct term term = {
        .in = isatty(STDIN_FILENO) == 1,
        .out = isatty(STDOUT_FILENO) == 1,
        .err = isatty(STDERR_FILENO) == 1,
        .smart = name != NULL && strcmp(name, "dumb") != 0,
    };
    term.color = wants_color(&term, color);
    term_measure(&term);
    return term;
}

/* --- text --- */

/* One character at the front of @text: its size, and what it is; 0 of @size: not UTF-8. */
static size_t next_char(struct slice text, uint32_t *ret_point) {
    hob_assert(text.size > 0);
    const unsigned char *at = (const unsigned char *)text.bytes;
    size_t size = utf8_size(text.bytes, text.bytes + text.size);
    if (size == 0) return 0;
    static const unsigned char mask[UTF8_BYTES_MAX + 1] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t point = at[0] & mask[size];
    for (size_t i = 1; i < size; i++) point = point << 6 | (at[i] & 0x3Fu);
    *ret_point = point;
    return size;
}

static size_t char_width(uint32_t point) {
    int width = wcwidth((wchar_t)point);
    return width < 0 ? 0 : (size_t)width;
}

size_t term_fit(struct slice text, size_t columns, size_t *ret_columns) {
    size_t used = 0;
    size_t at = 0;
    while (at < text.size) {
        uint32_t point = 0;
        size_t size = next_char(slice_of(text.bytes + at, text.size - at), &point);
        size_t width = size == 0 ? 1 : char_width(point);
        if (used + width > columns) break;
        used += width;
        at += size == 0 ? 1 : size;
    }
    *ret_columns = used;
    return at;
}

size_t term_width(struct slice text) {
    size_t columns = 0;
    size_t fit = term_fit(text, SIZE_MAX, &columns);
    hob_assert(fit == text.size);
    return columns;
}

/* Control characters of both sets, and what changes the direction of what follows. */
static bool is_harmful(uint32_t point) {
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029 ||
           (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

void term_put_safe(struct buf *out, struct slice text, bool one_line) {
    for (size_t at = 0; at < text.size;) {
        uint32_t point = 0;
        size_t size = next_char(slice_of(text.bytes + at, text.size - at), &point);
        if (size != 0 && !is_harmful(point)) {
            (void)buf_put(out, text.bytes + at, size);
        } else if (point == '\n' && size != 0 && !one_line) {
            (void)buf_put_char(out, '\n');
        } else if (size != 0 && (point == '\t' || point == '\n' || point == '\r')) {
            (void)buf_put_char(out, ' ');
        } else {
            (void)buf_put_str(out, REPLACEMENT);
        }
        at += size == 0 ? 1 : size;
    }
}

void term_put_styled(
    struct buf *out, const struct term *term, enum term_style style, struct slice text
) {
    static const char *const codes[STYLE_COUNT] = {
        [STYLE_PLAIN] = NULL,
        [STYLE_BOLD] = "1",
        [STYLE_DIM] = "2",
        [STYLE_GOOD] = "32",
        [STYLE_BAD] = "31",
        [STYLE_WARN] = "33",
        [STYLE_BUSY] = "36",
        [STYLE_LATER] = "35",
    };
    if (!term->color || codes[style] == NULL) {
        (void)buf_put_slice(out, text);
        return;
    }
    (void)buf_printf(out, "\x1b[%sm", codes[style]);
    (void)buf_put_slice(out, text);
    (void)buf_put_str(out, "\x1b[0m");
}

static void put_spaces(struct buf *out, size_t count) {
    for (size_t i = 0; i < count; i++) (void)buf_put_char(out, ' ');
}

void term_put_padded(struct buf *out, struct slice text, size_t columns, bool to_the_right) {
    size_t used = 0;
    size_t fit = term_fit(text, columns, &used);
    bool cut = fit < text.size && columns > 0;
    if (cut) fit = term_fit(text, columns - 1, &used);
    if (cut) used++;
    if (to_the_right) put_spaces(out, columns - used);
    (void)buf_put(out, text.bytes, fit);
    if (cut) (void)buf_put_str(out, ELLIPSIS);
    if (!to_the_right) put_spaces(out, columns - used);
}

/* --- paragraphs --- */

struct filling {
    struct buf *out;
    size_t at; /* columns used in this line */
    size_t indent;
    size_t columns;
    bool fresh; /* no word in this line yet */
};

static void fill_word(struct filling *filling, struct slice word) {
    size_t width = term_width(word);
    if (!filling->fresh && filling->at + 1 + width > filling->columns) {
        (void)buf_put_char(filling->out, '\n');
        filling->at = 0;
        filling->fresh = true;
    }
    if (filling->fresh && filling->at < filling->indent) {
        put_spaces(filling->out, filling->indent - filling->at);
        filling->at = filling->indent;
    }
    if (!filling->fresh) {
        (void)buf_put_char(filling->out, ' ');
        filling->at++;
    }
    (void)buf_put_slice(filling->out, word);
    filling->at += width;
    filling->fresh = false;
}

static void fill_line(struct filling *filling, struct slice line) {
    size_t at = 0;
    while (at < line.size) {
        const char *space = memchr(line.bytes + at, ' ', line.size - at);
        size_t size = space == NULL ? line.size - at : (size_t)(space - line.bytes) - at;
        if (size > 0) fill_word(filling, slice_of(line.bytes + at, size));
        at += size + 1;
    }
}

static void end_line(struct filling *filling) {
    /* A word may have no width. */
    if (filling->at > 0 || !filling->fresh) (void)buf_put_char(filling->out, '\n');
    filling->at = 0;
    filling->fresh = true;
}

void term_put_filled(struct buf *out, const char *text, size_t at, size_t indent, size_t columns) {
    struct filling filling = {
        .out = out, .at = at, .indent = indent, .columns = columns, .fresh = true};
    while (*text != '\0') {
        const char *end = strchrnul(text, '\n');
        struct slice line = slice_of(text, (size_t)(end - text));
        if (line.size == 0 || strncmp(text, "  ", 2) == 0) {
            end_line(&filling);
            if (line.size > 0) put_spaces(out, indent);
            (void)buf_put_slice(out, line);
            (void)buf_put_char(out, '\n');
        } else {
            fill_line(&filling, line);
        }
        text = *end == '\0' ? end : end + 1;
    }
    end_line(&filling);
}
