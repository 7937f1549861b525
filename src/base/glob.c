/* SPDX-License-Identifier: Apache-2.0 */
/* A star takes as little as it can. When what follows does not fit, only the latest star has to
 * take one byte more: what an earlier one could still take, the latest could take as well. So no
 * pattern costs more than its size times the size of the text, whatever a stranger writes. */
#include "base/glob.h"

#include <stdint.h>

bool glob_fits(struct slice pattern, struct slice text) {
    size_t at = 0;
    size_t in = 0;
    size_t star = SIZE_MAX; /* behind the latest star, and where its run began */
    size_t run = 0;
    while (in < text.size) {
        bool more = at < pattern.size;
        if (more && pattern.bytes[at] == '*') {
            star = ++at;
            run = in;
        } else if (more && (pattern.bytes[at] == '?' || pattern.bytes[at] == text.bytes[in])) {
            at++;
            in++;
        } else if (star != SIZE_MAX) {
            at = star;
            in = ++run;
        } else {
            return false;
        }
    }
    while (at < pattern.size && pattern.bytes[at] == '*') at++;
    return at == pattern.size;
}

bool glob_list_fits(struct slice patterns, struct slice text) {
    struct slice rest = patterns;
    if (rest.size == 0) return true;
    while (rest.size > 0) {
        const char *space = memchr(rest.bytes, ' ', rest.size);
        size_t size = space == NULL ? rest.size : (size_t)(space - rest.bytes);
        if (glob_fits(slice_of(rest.bytes, size), text)) return true;
        size_t step = space == NULL ? size : size + 1;
        rest = slice_of(rest.bytes + step, rest.size - step);
    }
    return false;
}

bool glob_has_wildcard(struct slice pattern) {
    for (size_t i = 0; i < pattern.size; i++) {
        if (pattern.bytes[i] == '*' || pattern.bytes[i] == '?') return true;
    }
    return false;
}
