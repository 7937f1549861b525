/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what to which queues. An access is a set of scopes and a list of globs of queues; it
 * allows each of its scopes on each queue that one of the globs fits.
 *
 * Every row of the tables of commands and routes names the scope that it takes; a session remembers
 * it for the request under way, and session_apply, session_job and their like ask access_allows for
 * every queue that the request really touches. So a new command without a thought of its own is
 * refused too much, never too little. */
#ifndef HOB_DIALECT_ACCESS_H
#define HOB_DIALECT_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/*    NAME      word       what it allows */
#define ACCESS_SCOPES(X)                                                    \
    X(PUSH, "push", "add jobs")                                             \
    X(WORK, "work", "fetch jobs and say how they went")                     \
    X(READ, "read", "see jobs, queues, results and logs")                   \
    X(MANAGE, "manage", "cancel, retry and delete jobs; pause, set queues") \
    X(ADMIN, "admin", "tokens and the audit trail; every other scope as well")

enum scope {
    SCOPE_NONE, /* health, PING, HELLO, AUTH: for everybody */
    SCOPE_ANY,  /* for everybody who has a token, whatever it allows */
#define X(NAME, word, text) SCOPE_##NAME,
    ACCESS_SCOPES(X)
#undef X
        SCOPE_READ_ALL, /* what tells of all queues at once: read, and no glob narrower than * */
    SCOPE_COUNT
};

enum { ACCESS_GLOBS_MAX = 16 };

struct access {
    struct slice name;   /* of the token, for the audit trail */
    uint32_t scopes;     /* bits 1u << enum scope, of the named ones; 0: a stranger */
    struct slice queues; /* globs with one space between them; empty: every queue */
};

/** The access of who has shown nothing: SCOPE_NONE only. */
extern const struct access access_stranger;

/** NULL is whom nothing is refused: a server without tokens, its owner. */
static inline bool access_is_stranger(const struct access *access) {
    return access != NULL && access->scopes == 0;
}

/** Does it have this scope, for some queue at least? */
bool access_has(const struct access *access, enum scope scope);

/** May @scope be used on @queue? */
bool access_allows(const struct access *access, enum scope scope, struct slice queue);

/** Is no queue out of its reach? */
bool access_is_for_all(const struct access *access);

/** Word of a scope that a token can have; "none", "any" and "read" of the others. */
const char *scope_word(enum scope scope);

/** The scope that a token can have by this word; SCOPE_NONE when there is none. */
enum scope scope_by_word(struct slice word);

#endif
