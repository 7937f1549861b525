/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal, if there is one: its size, whether it has colours, and how wide a text is on it. */
#ifndef HOB_CLI_TERM_H
#define HOB_CLI_TERM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct term {
    bool in;    /* stdin is a terminal */
    bool out;   /* stdout is a terminal */
    bool err;   /* stderr is one */
    bool smart; /* its cursor can be moved: not TERM=dumb */
    bool color; /* for stdout */
    size_t columns;
    size_t lines;
};

enum term_style {
    STYLE_PLAIN,
    STYLE_BOLD,
    STYLE_DIM,
    STYLE_GOOD,
    STYLE_BAD,
    STYLE_WARN,
    STYLE_BUSY,
    STYLE_LATER,
    STYLE_COUNT,
};

/**
 * Look at the terminal and the environment.
 *
 * @color  "always", "never", or anything else for: as the terminal, NO_COLOR, CLICOLOR_FORCE and
 *         TERM say
 */
struct term term_look(const char *color);

/** Its size as it is now, after a resize. */
void term_measure(struct term *term);

/** How many columns of a terminal @text takes: wide characters two, combining ones none. */
size_t term_width(struct slice text);

/** The bytes at the front of @text that fit into @columns; *ret_columns: what they take. */
size_t term_fit(struct slice text, size_t columns, size_t *ret_columns);

/**
 * Text of strangers, made harmless: what could move the cursor or speak to the terminal becomes
 * U+FFFD, and so do bytes that are not UTF-8. Tabs become spaces; line ends too if @one_line.
 */
void term_put_safe(struct buf *out, struct slice text, bool one_line);

/** Text in a style, when the terminal has colours. */
void term_put_styled(
    struct buf *out, const struct term *term, enum term_style style, struct slice text
);

/** @text cut to @columns (with … where it was cut), then spaces up to them. */
void term_put_padded(struct buf *out, struct slice text, size_t columns, bool to_the_right);

/** Fill paragraphs into lines of @columns, each indented by @indent. Lines that begin with two
 * spaces stay as they are. The first line is indented only by what is missing from @at. */
void term_put_filled(struct buf *out, const char *text, size_t at, size_t indent, size_t columns);

#endif
