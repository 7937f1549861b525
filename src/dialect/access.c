/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that decides. */
#include "dialect/access.h"

#include "base/assert.h"
#include "base/glob.h"
#include "engine/command.h"

/* What a token may is kept as these bits. */
_Static_assert(1u << SCOPE_PUSH == TOKEN_PUSH, "as in journals");
_Static_assert(1u << SCOPE_WORK == TOKEN_WORK, "as in journals");
_Static_assert(1u << SCOPE_READ == TOKEN_READ, "as in journals");
_Static_assert(1u << SCOPE_MANAGE == TOKEN_MANAGE, "as in journals");
_Static_assert(1u << SCOPE_ADMIN == TOKEN_ADMIN, "as in journals");
_Static_assert((int)ACCESS_GLOBS_MAX == (int)TOKEN_GLOBS_MAX, "all of them are looked at");

const struct access access_stranger = {.scopes = 0};

static const char *const words[] = {
    [SCOPE_NONE] = "none",
    [SCOPE_ANY] = "any",
#define X(NAME, word, text) [SCOPE_##NAME] = word,
    ACCESS_SCOPES(X)
#undef X
        [SCOPE_READ_ALL] = "read",
};
_Static_assert(hob_countof(words) == SCOPE_COUNT, "each scope has a word");

const char *scope_word(enum scope scope) {
    hob_assert(scope < SCOPE_COUNT);
    return words[scope];
}

enum scope scope_by_word(struct slice word) {
    for (enum scope scope = SCOPE_PUSH; scope <= SCOPE_ADMIN; scope++) {
        if (slice_equal(word, slice_str(words[scope]))) return scope;
    }
    return SCOPE_NONE;
}

/* An empty name is fitted by globs of stars only: they fit every name. */
bool access_is_for_all(const struct access *access) {
    return access == NULL || glob_list_fits(access->queues, SLICE_NONE);
}

bool access_has(const struct access *access, enum scope scope) {
    hob_assert(scope < SCOPE_COUNT);
    if (access == NULL || scope == SCOPE_NONE) return true;
    if (access->scopes == 0) return false;
    if (scope == SCOPE_ANY) return true;
    bool is_wide = scope == SCOPE_READ_ALL;
    if (is_wide && !access_is_for_all(access)) return false;
    uint32_t wanted = 1u << (is_wide ? SCOPE_READ : scope) | 1u << SCOPE_ADMIN;
    return (access->scopes & wanted) != 0;
}

bool access_allows(const struct access *access, enum scope scope, struct slice queue) {
    return access_has(access, scope) && (access == NULL || glob_list_fits(access->queues, queue));
}
