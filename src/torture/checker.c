/* SPDX-License-Identifier: Apache-2.0 */
/* Events are gathered into tables, and nothing is decided before the whole history is known; but
 * for what the server itself says (checker_server.c), which is judged in its order. */
#include "torture/checker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "torture/checker_private.h"

static const char *const wrong_names[] = {
    "lost",
    "duplicated",
    "out of order",
    "invented",
    "early",
    "damaged",
    "unfinished",
    "over limit",
    "not unique",
};
_Static_assert(sizeof wrong_names / sizeof wrong_names[0] == CHECKER_WRONG_COUNT, "all named");

const char *checker_wrong_name(enum checker_wrong wrong) {
    hob_assert(wrong < CHECKER_WRONG_COUNT);
    return wrong_names[wrong];
}

/* --- tables --- */

void table_grow(struct checker *checker, struct table *table, size_t count) {
    if (count > table->capacity) {
        size_t capacity = table->capacity == 0 ? 1024 : table->capacity;
        while (capacity < count) capacity *= 2;
        size_t old = table->capacity * table->row_bytes;
        table->rows = mem_resize(&checker->mem, table->rows, old, capacity * table->row_bytes);
        memset(table->rows + old, 0, capacity * table->row_bytes - old);
        table->capacity = capacity;
    }
    if (count > table->count) table->count = count;
}

void *table_add(struct checker *checker, struct table *table) {
    table_grow(checker, table, table->count + 1);
    return table_at(table, table->count - 1);
}

void table_sort(struct table *table, int (*compare)(const void *, const void *)) {
    if (table->count > 0) qsort(table->rows, table->count, table->row_bytes, compare);
}

static void table_free(struct checker *checker, struct table *table) {
    mem_free(&checker->mem, table->rows, table->capacity * table->row_bytes);
}

struct checker *checker_new(void) {
    struct checker *checker = calloc(1, sizeof *checker);
    hob_assert(checker != NULL);
    checker->pushes.row_bytes = sizeof(struct push);
    checker->deliveries.row_bytes = sizeof(struct delivery);
    checker->ends.row_bytes = sizeof(struct end);
    checker->founds.row_bytes = sizeof(struct found);
    checker->limits.row_bytes = sizeof(struct limit);
    checker->starts.row_bytes = sizeof(struct start);
    checker->lives.row_bytes = sizeof(struct life_of);
    checker->holders.row_bytes = sizeof(struct holders);
    checker->early.row_bytes = sizeof(struct sentence);
    return checker;
}

void checker_free(struct checker *checker) {
    if (checker == NULL) return;
    table_free(checker, &checker->pushes);
    table_free(checker, &checker->deliveries);
    table_free(checker, &checker->ends);
    table_free(checker, &checker->founds);
    table_free(checker, &checker->limits);
    table_free(checker, &checker->starts);
    table_free(checker, &checker->lives);
    table_free(checker, &checker->holders);
    table_free(checker, &checker->early);
    free(checker);
}

void wrong(struct checker *checker, enum checker_wrong what, const char *format, ...) {
    enum { EARLY_MAX = 1000 };
    struct sentence sentence = {.what = what};
    va_list args;
    va_start(args, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started above */
    (void)vsnprintf(sentence.text, sizeof sentence.text, format, args);
    va_end(args);
    checker->verdict.wrong[what]++;
    if (checker->tell != NULL) {
        checker->tell(checker->tell_context, what, sentence.text);
    } else if (checker->early.count < EARLY_MAX) {
        *(struct sentence *)table_add(checker, &checker->early) = sentence;
    }
}

struct push *push_at(const struct checker *checker, uint64_t key) {
    if (key >= checker->pushes.count) return NULL;
    struct push *push = table_at(&checker->pushes, key);
    return push->intended ? push : NULL;
}

/* --- gathering --- */

static void take_push(struct checker *checker, const struct history_event *event) {
    table_grow(checker, &checker->pushes, event->key + 1);
    struct push *push = table_at(&checker->pushes, event->key);
    if (push->intended) return; /* once more, under its key */
    push->intended = true;
    push->intended_at = event->at;
    push->queue = event->queue;
    push->priority = event->priority;
    push->delay_ms = event->delay_ms;
    push->ahead_ns = checker->ahead_ns;
    push->unique = event->unique;
    push->scope = event->scope;
    push->group = event->group;
    push->limiter = event->limiter;
    push->units = event->units;
    push->list = event->list;
}

static void push_twice(struct checker *checker, uint64_t key, uint64_t one, uint64_t other) {
    wrong(
        checker,
        CHECKER_DUPLICATED,
        "push %" PRIu64 " became the jobs %" PRIu64 " and %" PRIu64,
        key,
        one,
        other
    );
}

void push_is_job(struct checker *checker, uint64_t key, struct push *push, uint64_t id) {
    if (push->own_id == 0) push->own_id = id;
    if (push->own_id != id) {
        push_twice(checker, key, push->own_id, id);
        return;
    }
    /* Told that the job of another push would do, it was sent once more, later. */
    bool may_join = push->unique != 0 && push->is_duplicate;
    if (push->id != 0 && push->id != id && !may_join) push_twice(checker, key, push->id, id);
}

static void
take_push_answer(struct checker *checker, const struct history_event *event, enum push_answer is) {
    struct push *push = push_at(checker, event->key);
    if (push == NULL) {
        wrong(checker, CHECKER_INVENTED, "push %" PRIu64 " was answered, not made", event->key);
        return;
    }
    if (is == PUSH_OK && push->id != 0 && push->id != event->id) {
        push_twice(checker, event->key, push->id, event->id);
    }
    if (is == PUSH_OK) push->is_duplicate = event->duplicate != 0;
    if (is == PUSH_OK) push->id = event->id;
    /* Once unknown, a refusal of the second try says nothing of the first. */
    if (push->answer == PUSH_OK || (push->answer == PUSH_MAYBE && is == PUSH_NO)) return;
    push->answer = is;
    push->answered_at = event->at;
}

static void take_got(struct checker *checker, const struct history_event *event) {
    struct delivery *delivery = table_add(checker, &checker->deliveries);
    *delivery = (struct delivery){
        .id = event->id,
        .token = event->token,
        .key = event->key,
        .attempt = event->attempt,
        .releases = event->releases,
        .ahead_ns = checker->ahead_ns,
        .fetched_at = event->who < WHO_MAX ? checker->fetched_at[event->who] : event->at,
        .at = event->at,
    };
}

static void take_end(struct checker *checker, const struct history_event *event) {
    struct end *end = table_add(checker, &checker->ends);
    *end = (struct end){
        .id = event->id,
        .token = event->token,
        .verb = event->type,
        .answer = event->type,
        .intended_at = event->at,
        .ahead_ns = checker->ahead_ns,
        .delay_ms = event->delay_ms,
    };
}

/* The answer belongs to the oldest open end of that verb, job and token; it is near the end of the
 * table, for few are open at once. */
static void take_end_answer(
    struct checker *checker, const struct history_event *event, enum history_type verb
) {
    struct end *mine = NULL;
    size_t first = checker->ends.count > 100000 ? checker->ends.count - 100000 : 0;
    for (size_t at = checker->ends.count; at > first; at--) {
        struct end *end = table_at(&checker->ends, at - 1);
        if (end->id != event->id || end->token != event->token || end->verb != verb) continue;
        if (end->answer != end->verb) break;
        mine = end;
    }
    if (mine != NULL) mine->answer = event->type;
}

static void take_found(struct checker *checker, const struct history_event *event) {
    struct found *found = table_add(checker, &checker->founds);
    *found = (struct found){.id = event->id, .key = event->key, .done = event->done != 0};
}

void checker_take(struct checker *checker, const struct history_event *event) {
    switch (event->type) {
    case HISTORY_PUSH:
        take_push(checker, event);
        break;
    case HISTORY_PUSHED:
        take_push_answer(checker, event, PUSH_OK);
        break;
    case HISTORY_PUSH_REFUSED:
        take_push_answer(checker, event, PUSH_NO);
        break;
    case HISTORY_PUSH_UNKNOWN:
        take_push_answer(checker, event, PUSH_MAYBE);
        break;
    case HISTORY_FETCH:
        if (event->who < WHO_MAX) checker->fetched_at[event->who] = event->at;
        break;
    case HISTORY_GOT:
        take_got(checker, event);
        break;
    case HISTORY_ACK:
    case HISTORY_FAIL:
    case HISTORY_RELEASE:
        take_end(checker, event);
        break;
    case HISTORY_ACKED:
    case HISTORY_ACK_REFUSED:
    case HISTORY_ACK_UNKNOWN:
        take_end_answer(checker, event, HISTORY_ACK);
        break;
    case HISTORY_FAILED:
    case HISTORY_FAIL_REFUSED:
    case HISTORY_FAIL_UNKNOWN:
        take_end_answer(checker, event, HISTORY_FAIL);
        break;
    case HISTORY_RELEASED:
    case HISTORY_RELEASE_REFUSED:
    case HISTORY_RELEASE_UNKNOWN:
        take_end_answer(checker, event, HISTORY_RELEASE);
        break;
    case HISTORY_DAMAGED:
        wrong(checker, CHECKER_DAMAGED, "job %" PRIu64 " has other bytes", event->id);
        break;
    case HISTORY_FOUND:
        take_found(checker, event);
        break;
    case HISTORY_CENSUS:
        checker->verdict.census = true;
        break;
    case HISTORY_CLOCK:
        checker->ahead_ns += event->ahead_ms * NS_PER_MS;
        break;
    case HISTORY_MADE:
    case HISTORY_WAITS:
    case HISTORY_RUNS:
    case HISTORY_OVER:
    case HISTORY_LIMIT:
    case HISTORY_RESTART:
        take_server_event(checker, event);
        break;
    case HISTORY_NOTE:
    case HISTORY_TYPE_COUNT:
        break;
    }
}

void checker_judge(
    struct checker *checker,
    checker_tell_fn *tell,
    void *context,
    struct checker_verdict *ret_verdict
) {
    checker->tell = tell;
    checker->tell_context = context;
    for (size_t at = 0; tell != NULL && at < checker->early.count; at++) {
        const struct sentence *sentence = table_at(&checker->early, at);
        tell(context, sentence->what, sentence->text);
    }
    judge_jobs(checker);
    judge_pushes(checker);
    judge_rates(checker);
    *ret_verdict = checker->verdict;
}

bool checker_is_good(const struct checker_verdict *verdict) {
    for (size_t i = 0; i < CHECKER_WRONG_COUNT; i++) {
        if (verdict->wrong[i] > 0) return false;
    }
    return verdict->census;
}
