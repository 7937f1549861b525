/* SPDX-License-Identifier: Apache-2.0 */
/* The value of a setting: checked, in one spelling, with the place that it came from. */
#ifndef HOB_CONFIG_VALUE_H
#define HOB_CONFIG_VALUE_H

#include "base/arena.h"
#include "config/settings.h"

enum { VALUE_WORDS_MAX = 256 };

enum origin { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_VARIABLE, ORIGIN_FLAG };

struct value {
    enum origin origin;
    const char *place;        /* "hob.yaml:3:9", "HOB_DATA", "--data"; "default" */
    const char *const *words; /* spelled in one way, NULL behind the last */
    size_t count;             /* 0: not set */
    uint64_t number;          /* NUMBER, SPAN, SIZE, BOOL; CHOICE: which, from 0 */
};

struct value_reading {
    const char *folder; /* relative paths count from here; NULL: they stay as they are */
    struct arena *arena;
    const char *(*variable)(const char *name); /* as getenv; NULL: no environment */
    char why[400];                             /* what was wrong: what is wanted, of which item */
};

/**
 * Check @items against the setting and set words, count and number of *ret_value. False: it is not
 * valid, see reading->why.
 */
bool value_read(
    struct value_reading *reading,
    const struct setting *setting,
    const struct slice *items,
    size_t count,
    struct value *ret_value
);

/** As value_read, from a flag or variable: a list is separated by commas. */
bool value_read_text(
    struct value_reading *reading,
    const struct setting *setting,
    const char *text,
    struct value *ret_value
);

/** Do both say the same? */
bool value_equal(const struct value *a, const struct value *b);

#endif
