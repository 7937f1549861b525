/* SPDX-License-Identifier: Apache-2.0 */
/* The server's own order, as its events tell it: what runs now, and who holds which unique key. A
 * lease counts from the event of its fetch to that of its end, so there is no doubt about what
 * overlaps. After a restart all is told anew, and judged anew: what was forgotten in the crash
 * shows where it runs again beside what was not.
 *
 *     limit     at each start: units that run, with this one, are not more than it allows
 *     rate      in no span s of the server's time more starts than burst + s * count / period
 *     unique    a job that is made meets no holder of its key; and of the scope `until over` there
 *               is one holder at most, always */
#include "torture/checker_private.h"

static bool limit_fits(const struct limit *limit, const struct push *push) {
    switch (limit->sort) {
    case HISTORY_OF_QUEUE:
        return push->queue == limit->name;
    case HISTORY_OF_GROUP:
        return push->group != 0 && push->queue == limit->queue && push->group == limit->name;
    case HISTORY_OF_LIMITER:
        return push->limiter != 0 && push->limiter == limit->name;
    }
    return false;
}

static uint64_t units_of(const struct limit *limit, const struct push *push) {
    if (limit->sort != HISTORY_OF_LIMITER) return 1;
    return push->units == 0 ? 1 : push->units;
}

static const char *sort_word(enum history_sort sort) {
    static const char *const words[] = {"queue", "group", "limiter"};
    return words[sort];
}

static void take_limit(struct checker *checker, const struct history_event *event) {
    if (event->sort > HISTORY_OF_LIMITER) return;
    for (size_t at = 0; at < checker->limits.count; at++) {
        struct limit *known = table_at(&checker->limits, at);
        if (known->sort != (enum history_sort)event->sort || known->name != event->name) continue;
        if (known->queue != event->queue) continue;
        known->concurrency = event->concurrency; /* what runs may be more; what starts counts */
        return;
    }
    struct limit *limit = table_add(checker, &checker->limits);
    *limit = (struct limit){
        .sort = (enum history_sort)event->sort,
        .queue = event->queue,
        .name = event->name,
        .concurrency = event->concurrency,
        .count = event->count,
        .period_ns = event->period_ms * NS_PER_MS,
        .burst = event->burst == 0 ? event->count : event->burst,
    };
    for (size_t id = 0; id < checker->lives.count; id++) {
        const struct life_of *job = table_at(&checker->lives, id);
        const struct push *push = job->life == LIFE_RUNS ? push_at(checker, job->key) : NULL;
        if (push != NULL && limit_fits(limit, push)) limit->running += units_of(limit, push);
    }
}

/* The job takes its units of every limit, or gives them back. */
static void
limits_move(struct checker *checker, const struct push *push, uint64_t id, bool begins) {
    for (size_t at = 0; at < checker->limits.count; at++) {
        struct limit *limit = table_at(&checker->limits, at);
        if (!limit_fits(limit, push)) continue;
        uint64_t units = units_of(limit, push);
        limit->running += begins ? units : 0 - units;
        if (!begins || checker->is_telling_anew) continue;
        if (limit->concurrency == 0 || limit->running <= limit->concurrency) continue;
        /* One job may ask for more than there is: then it runs alone. */
        if (limit->running == units) continue;
        wrong(
            checker,
            CHECKER_OVER_LIMIT,
            "job %" PRIu64 " runs, and with it %" PRIu64 " of %s %" PRIu64
            ", which allows %" PRIu64,
            id,
            limit->running,
            sort_word(limit->sort),
            limit->name,
            limit->concurrency
        );
    }
}

/* --- unique keys --- */

static bool holds(const struct push *push, enum life life) {
    if (push->unique == 0 || life == LIFE_NONE || life == LIFE_OVER) return false;
    if (push->scope == HISTORY_WHILE_WAITING) return life == LIFE_WAITS;
    if (push->scope == HISTORY_WHILE_RUNNING) return life == LIFE_RUNS;
    return true;
}

/* A job comes to hold its key, or no longer does. @is_new: it was just pushed. */
static void
holder_move(struct checker *checker, const struct push *push, uint64_t id, bool held, bool is_new) {
    table_grow(checker, &checker->holders, push->unique + 1);
    struct holders *holders = table_at(&checker->holders, push->unique);
    bool takes = !held && is_new;
    bool alone = push->scope == HISTORY_UNTIL_OVER;
    if (holders->count > 0 && (takes || (alone && !held)) && holders->one != id) {
        wrong(
            checker,
            CHECKER_NOT_UNIQUE,
            "jobs %" PRIu64 " and %" PRIu64 " hold the unique key %" PRIu64,
            holders->one,
            id,
            push->unique
        );
    }
}

static void unique_move(
    struct checker *checker, const struct push *push, uint64_t id, enum life from, enum life to
) {
    if (push->unique == 0) return;
    bool held = holds(push, from);
    bool is_held = holds(push, to);
    bool is_new = from == LIFE_NONE && to == LIFE_WAITS && !checker->is_telling_anew;
    if (is_new || (is_held && !held)) holder_move(checker, push, id, held, is_new);
    struct holders *holders = table_at(&checker->holders, push->unique);
    if (is_held && !held) {
        holders->count++;
        holders->one = id;
    } else if (held && !is_held) {
        holders->count--;
    }
}

/* --- events --- */

static void job_moves(struct checker *checker, const struct history_event *event, enum life to) {
    const struct push *push = push_at(checker, event->key);
    if (push == NULL) return; /* `invented`, if it comes out */
    table_grow(checker, &checker->lives, event->id + 1);
    struct life_of *job = table_at(&checker->lives, event->id);
    enum life from = job->life;
    if (from != LIFE_NONE) checker->is_telling_anew = false;
    job->key = event->key;
    job->life = to;
    if (to == LIFE_OVER) job->over_at = event->at;
    if (from == LIFE_RUNS) limits_move(checker, push, event->id, false);
    if (to == LIFE_RUNS) limits_move(checker, push, event->id, true);
    unique_move(checker, push, event->id, from, to);
}

static void take_start(struct checker *checker, const struct history_event *event) {
    struct start *start = table_add(checker, &checker->starts);
    *start = (struct start
    ){.token = event->token,
      .key = event->key,
      .id = event->id,
      .time_ns = event->time,
      .until_ns = event->until};
    job_moves(checker, event, LIFE_RUNS);
}

static void take_restart(struct checker *checker) {
    for (size_t id = 0; id < checker->lives.count; id++) {
        struct life_of *job = table_at(&checker->lives, id);
        if (job->life != LIFE_OVER) job->life = LIFE_NONE;
    }
    for (size_t at = 0; at < checker->limits.count; at++) {
        ((struct limit *)table_at(&checker->limits, at))->running = 0;
    }
    for (size_t key = 0; key < checker->holders.count; key++) {
        *(struct holders *)table_at(&checker->holders, key) = (struct holders){0};
    }
    checker->is_telling_anew = true;
}

void take_server_event(struct checker *checker, const struct history_event *event) {
    if (event->type == HISTORY_MADE) checker->is_telling_anew = false;
    if (event->type == HISTORY_MADE || event->type == HISTORY_WAITS) {
        job_moves(checker, event, LIFE_WAITS);
    } else if (event->type == HISTORY_RUNS) {
        take_start(checker, event);
    } else if (event->type == HISTORY_OVER) {
        job_moves(checker, event, LIFE_OVER);
    } else if (event->type == HISTORY_LIMIT) {
        take_limit(checker, event);
    } else if (event->type == HISTORY_RESTART) {
        take_restart(checker);
    }
}

/* --- rates --- */

static int compare_starts(const void *a_row, const void *b_row) {
    const struct start *a = a_row;
    const struct start *b = b_row;
    int order = compare_u64(a->token, b->token);
    return order != 0 ? order : compare_u64(a->time_ns, b->time_ns);
}

static void judge_rate(struct checker *checker, const struct limit *limit) {
    hob_ns step_ns = limit->period_ns / limit->count;
    uint64_t token = 0;
    hob_ns paid_back_ns = 0; /* when all that was given away is paid back */
    for (size_t at = 0; at < checker->starts.count; at++) {
        const struct start *start = table_at(&checker->starts, at);
        if (start->token == token && at > 0) continue; /* told anew */
        token = start->token;
        const struct push *push = push_at(checker, start->key);
        if (push == NULL || !limit_fits(limit, push)) continue;
        uint64_t units = units_of(limit, push);
        if (units > limit->burst) units = limit->burst;
        if (paid_back_ns < start->time_ns) paid_back_ns = start->time_ns;
        paid_back_ns += units * step_ns;
        if (paid_back_ns - start->time_ns <= limit->burst * step_ns) continue;
        wrong(
            checker,
            CHECKER_OVER_LIMIT,
            "job %" PRIu64 " started before the rate of %s %" PRIu64 " allows it",
            start->id,
            sort_word(limit->sort),
            limit->name
        );
    }
}

void judge_rates(struct checker *checker) {
    table_sort(&checker->starts, compare_starts);
    for (size_t at = 0; at < checker->starts.count; at++) {
        const struct start *start = table_at(&checker->starts, at);
        if (at == 0 || start->token != (start - 1)->token) checker->verdict.starts++;
    }
    for (size_t at = 0; at < checker->limits.count; at++) {
        const struct limit *limit = table_at(&checker->limits, at);
        if (limit->count > 0) judge_rate(checker, limit);
    }
}
