/* SPDX-License-Identifier: Apache-2.0 */
/* Failures of the world (disk, network, memory, corrupt bytes) travel as a status and, where
 * somebody will read it, an error with a text. Answers of the engine are not failures: see
 * engine/answer.h. Context is added once per layer. */
#ifndef HOB_BASE_STATUS_H
#define HOB_BASE_STATUS_H

#include <stdbool.h>

#define HOB_CHECK __attribute__((warn_unused_result))

/* clang-format off */
/*        name            exit  text */
#define HOB_STATUSES(X)                                         \
    X(HOB_OK,             0,    "ok")                           \
    X(HOB_FAILED,         1,    "failed")                       \
    X(HOB_USAGE,          2,    "wrong usage")                  \
    X(HOB_NOT_FOUND,      3,    "not found")                    \
    X(HOB_UNREACHABLE,    4,    "server not reachable")         \
    X(HOB_NOT_ALLOWED,    5,    "not allowed")                  \
    X(HOB_TIMED_OUT,      6,    "timed out")                    \
    X(HOB_CONFLICT,       7,    "conflict")                     \
    X(HOB_CORRUPT,        65,   "corrupt data")                 \
    X(HOB_NO_MEMORY,      71,   "out of memory")                \
    X(HOB_DISK,           74,   "disk failure")                 \
    X(HOB_LATER,          75,   "not now: try later")           \
    X(HOB_CONFIG,         78,   "configuration error")
/* clang-format on */

enum hob_status {
#define X(name, exit_code, text) name,
    HOB_STATUSES(X)
#undef X
        HOB_STATUS_COUNT
};

struct hob_error {
    enum hob_status status;
    int os_errno; /* 0 when no system call failed */
    char text[240];
};

/** The process exit code that tells of @status. */
int status_exit_code(enum hob_status status);

/** A short English text for @status, static. */
const char *status_text(enum hob_status status);

/**
 * Fill @error (which may be NULL) and give @status back, so that a caller writes
 * `return fail(err, …);`. The text says what is wrong, where, and what to do; longer texts are cut.
 */
enum hob_status fail(struct hob_error *error, enum hob_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** As fail(), for a system call that set errno: the text gets ": " and the name of the error. */
enum hob_status
fail_errno(struct hob_error *error, enum hob_status status, int os_errno, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
