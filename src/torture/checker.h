/* SPDX-License-Identifier: Apache-2.0 */
/* Does a history keep what a queue promises? Jepsen's total-queue and more. It knows nothing of the
 * server: only what was asked, what was answered, what came out and what was there at the end.
 *
 *     checker = checker_new();
 *     checker_take(checker, &event) …           in the order of the history
 *     checker_judge(checker, tell, context, &verdict);
 *     checker_free(checker);
 *
 * A push counts as acknowledged when the answer was here, as refused when the server said no, and
 * as unknown when the connection went before: then it may be there or not, but at most once. The
 * server's own order is that of its lease tokens, which never repeat. */
#ifndef HOB_TORTURE_CHECKER_H
#define HOB_TORTURE_CHECKER_H

#include "torture/history.h"

struct checker;

enum checker_wrong {
    CHECKER_LOST,         /* acknowledged, and not there; or an acknowledged ack undone */
    CHECKER_DUPLICATED,   /* one push became two jobs; or a job came again and did not say so; or a
                             job was acknowledged twice, or with a stale token */
    CHECKER_OUT_OF_ORDER, /* a job left its queue while a better one waited */
    CHECKER_INVENTED,     /* nobody pushed it, or the push was refused */
    CHECKER_EARLY,        /* before its time */
    CHECKER_DAMAGED,      /* other bytes than were pushed */
    CHECKER_UNFINISHED,   /* there at the end, but not done */
    CHECKER_OVER_LIMIT,   /* more at once, or in a time, than a limit allows */
    CHECKER_NOT_UNIQUE,   /* two jobs of a unique key, where its scope allows one */
    CHECKER_WRONG_COUNT
};

struct checker_verdict {
    uint64_t acknowledged; /* pushes */
    uint64_t found;        /* of these, at the end */
    uint64_t refused;
    uint64_t unknown;   /* pushes */
    uint64_t recovered; /* of these, found */
    uint64_t joined;    /* acknowledged with the job of another push that had the unique key */
    uint64_t starts;    /* leases that the server told of */
    uint64_t delivered;
    uint64_t redelivered; /* of these, those that said so */
    uint64_t acks;        /* acknowledged ones */
    bool census;          /* the history has one: only then nothing lost means something */
    uint64_t wrong[CHECKER_WRONG_COUNT];
};

/** One sentence about one wrong thing. */
typedef void checker_tell_fn(void *context, enum checker_wrong wrong, const char *text);

/** An empty history. */
struct checker *checker_new(void);

/** Give it back; NULL is fine. */
void checker_free(struct checker *checker);

/** The next event. */
void checker_take(struct checker *checker, const struct history_event *event);

/** Judge what was taken; once. Each wrong thing is told, and counted. */
void checker_judge(
    struct checker *checker,
    checker_tell_fn *tell,
    void *context,
    struct checker_verdict *ret_verdict
);

/** Nothing is wrong, and there was a census to say so. */
bool checker_is_good(const struct checker_verdict *verdict);

/** "lost", "duplicated", … */
const char *checker_wrong_name(enum checker_wrong wrong);

#endif
