/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the checker; only checker*.c include this.
 *
 *     checker.c          gathers, and says in which order is judged
 *     checker_pushes.c   pushes and what was there at the end: lost, invented, made twice
 *     checker_jobs.c     deliveries and ends of attempts: flags, tokens, times, order
 *     checker_server.c   the server's own order: limits, rates, uniqueness */
#ifndef HOB_TORTURE_CHECKER_PRIVATE_H
#define HOB_TORTURE_CHECKER_PRIVATE_H

#include <inttypes.h>

#include "base/mem.h"
#include "torture/checker.h"

enum { WHO_MAX = 1024 };
/* Two clocks of one machine may differ by so much. */
#define EARLY_TOLERANCE_NS (5 * NS_PER_MS)

enum push_answer { PUSH_OPEN, PUSH_OK, PUSH_NO, PUSH_MAYBE };

struct push {
    bool intended;
    enum push_answer answer;
    bool is_duplicate;  /* so it was answered */
    hob_ns intended_at; /* first */
    hob_ns answered_at;
    hob_ns ahead_ns; /* of the server's clock, when it was intended */
    uint64_t id;     /* that it was answered with; 0: none */
    uint64_t own_id; /* the job with its payload; 0: not known */
    uint64_t queue;
    uint64_t priority;
    uint64_t delay_ms;
    uint64_t unique;
    uint64_t scope;
    uint64_t group;
    uint64_t limiter;
    uint64_t units;
    uint64_t list; /* 0: pushed alone */
};

struct delivery {
    uint64_t id;
    uint64_t token;
    uint64_t key;
    uint64_t attempt;
    uint64_t releases;
    hob_ns fetched_at; /* when the fetch was sent */
    hob_ns at;
    hob_ns ahead_ns;
};

struct end {
    uint64_t id;
    uint64_t token;
    enum history_type verb;   /* HISTORY_ACK, FAIL, RELEASE */
    enum history_type answer; /* of these the done, refused, unknown; the verb itself: none yet */
    hob_ns intended_at;
    hob_ns ahead_ns;
    uint64_t delay_ms;
};

struct found {
    uint64_t id;
    uint64_t key;
    bool done;
};

struct limit {
    enum history_sort sort;
    uint64_t queue; /* of a group */
    uint64_t name;
    uint64_t concurrency;
    uint64_t count;
    hob_ns period_ns;
    uint64_t burst;
    uint64_t running; /* units, now */
};

/* A lease begins, as the server says. */
struct start {
    uint64_t token;
    uint64_t key;
    uint64_t id;
    hob_ns time_ns;  /* by its clock */
    hob_ns until_ns; /* so long it was promised; 0: not known */
};

enum life { LIFE_NONE, LIFE_WAITS, LIFE_RUNS, LIFE_OVER };

/* A job as the server's events tell of it; by id. */
struct life_of {
    enum life life;
    uint64_t key;
    hob_ns over_at; /* when it was told that it is over; 0: it was not */
};

/* Jobs that hold a unique key; by the number of the key. */
struct holders {
    uint64_t count;
    uint64_t one; /* of them, the latest */
};

struct table {
    char *rows;
    size_t count;
    size_t capacity;
    size_t row_bytes;
};

struct sentence {
    enum checker_wrong what;
    char text[240];
};

struct checker {
    struct mem mem;
    struct table pushes; /* by key */
    struct table deliveries;
    struct table ends;
    struct table founds;
    struct table limits;
    struct table starts;
    struct table lives;   /* by id */
    struct table holders; /* by unique key */
    hob_ns fetched_at[WHO_MAX];
    hob_ns ahead_ns;      /* the sum of all that the server's clock has run ahead */
    bool is_telling_anew; /* the server has started again, and tells what there is */
    checker_tell_fn *tell;
    void *tell_context;
    struct checker_verdict verdict;
    struct table early; /* sentences about what was wrong before there was somebody to tell */
};

/* --- checker.c --- */

/** Room for rows up to @count, the new ones zero. */
void table_grow(struct checker *checker, struct table *table, size_t count);

/** One more row, zero. */
void *table_add(struct checker *checker, struct table *table);

/** The row at @at, which is there. */
static inline void *table_at(const struct table *table, size_t at) {
    return table->rows + at * table->row_bytes;
}

/** Sort the rows. */
void table_sort(struct table *table, int (*compare)(const void *, const void *));

/** The push with this key, if it was made. */
struct push *push_at(const struct checker *checker, uint64_t key);

/** A job with the payload of this push is there: the second one is one too many. */
void push_is_job(struct checker *checker, uint64_t key, struct push *push, uint64_t id);

/** Count what is wrong, and tell it. */
void wrong(struct checker *checker, enum checker_wrong what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline int compare_u64(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

/* --- checker_jobs.c --- */

void judge_jobs(struct checker *checker);

/* --- checker_pushes.c --- */

void judge_pushes(struct checker *checker);

/* --- checker_server.c --- */

/** An event of the server, in its order. */
void take_server_event(struct checker *checker, const struct history_event *event);
void judge_rates(struct checker *checker);

#endif
