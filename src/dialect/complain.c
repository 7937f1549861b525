/* SPDX-License-Identifier: Apache-2.0 */
/* Quoting, and a small edit distance (Levenshtein, with one row) for "do you mean". Names are
 * short: what is longer than NEAR_BYTES_MAX is like none. */
#include "dialect/complain.h"

#include <string.h>

#include "base/assert.h"

enum { QUOTED_BYTES_MAX = 48, NEAR_BYTES_MAX = 32 };

void quote_given(struct buf *to, struct slice given) {
    static const char digits[] = "0123456789abcdef";
    size_t shown = given.size < QUOTED_BYTES_MAX ? given.size : QUOTED_BYTES_MAX;
    (void)buf_put_char(to, '\'');
    for (size_t i = 0; i < shown; i++) {
        unsigned char c = (unsigned char)given.bytes[i];
        if (c >= ' ' && c < 0x7f && c != '\\' && c != '\'') {
            (void)buf_put_char(to, (char)c);
            continue;
        }
        char escaped[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
        (void)buf_put(to, escaped, sizeof escaped);
    }
    (void)buf_put_char(to, '\'');
    if (shown < given.size) (void)buf_put_str(to, "…");
}

bool complain(struct buf *to, const char *name, struct slice given, const char *allowed) {
    buf_reset(to);
    (void)buf_put_str(to, name);
    (void)buf_put_str(to, ": ");
    quote_given(to, given);
    (void)buf_put_str(to, " is not ");
    (void)buf_put_str(to, allowed);
    return false;
}

static char lower(char c) {
    if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
    return c;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t distance(struct slice a, struct slice b) {
    hob_assert(a.size <= NEAR_BYTES_MAX);
    hob_assert(b.size <= NEAR_BYTES_MAX);
    size_t row[NEAR_BYTES_MAX + 1];
    for (size_t j = 0; j <= b.size; j++) row[j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t above = row[j];
            size_t change = diagonal + (lower(a.bytes[i - 1]) != lower(b.bytes[j - 1]));
            row[j] = smaller(change, smaller(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[b.size];
}

const char *nearest(
    struct slice given, const char *(*name_at)(const void *context, size_t at), const void *context
) {
    if (given.size == 0 || given.size > NEAR_BYTES_MAX) return NULL;
    const char *best = NULL;
    /* Two slips, and never more than half of the word: "LOG" is not like "GET". */
    size_t best_distance = smaller(2, given.size / 2) + 1;
    for (size_t at = 0;; at++) {
        const char *name = name_at(context, at);
        if (name == NULL) return best;
        struct slice other = slice_str(name);
        if (other.size > NEAR_BYTES_MAX) continue;
        size_t this_distance = distance(given, other);
        if (this_distance >= best_distance) continue;
        best = name;
        best_distance = this_distance;
    }
}
