/* SPDX-License-Identifier: Apache-2.0 */
/* The optimal string alignment distance (edits and swaps of neighbours), on words of at most
 * WORD_BYTES_MAX; three rows of the table are enough. */
#include "base/nearest.h"

#include <string.h>

enum { WORD_BYTES_MAX = 31 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t distance(struct slice a, struct slice b) {
    size_t rows[3][WORD_BYTES_MAX + 1];
    for (size_t j = 0; j <= b.size; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t changed = above[j - 1] + (a.bytes[i - 1] != b.bytes[j - 1]);
            row[j] = least(changed, least(above[j], row[j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && a.bytes[i - 1] == b.bytes[j - 2] &&
                           a.bytes[i - 2] == b.bytes[j - 1];
            if (swapped) row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a.size % 3][b.size];
}

const char *nearest_word(struct slice typed, const char *const *words, size_t count) {
    if (typed.size == 0 || typed.size > WORD_BYTES_MAX) return NULL;
    const char *best = NULL;
    size_t best_distance = typed.size / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        struct slice word = slice_str(words[i]);
        if (word.size > WORD_BYTES_MAX) continue;
        size_t edits = distance(typed, word);
        bool begins = word.size > typed.size && typed.size >= 2 &&
                      memcmp(word.bytes, typed.bytes, typed.size) == 0;
        if (begins) edits = 1;
        if (edits < best_distance && edits < word.size) {
            best = words[i];
            best_distance = edits;
        }
    }
    return best;
}
