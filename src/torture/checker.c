/* SPDX-License-Identifier: Apache-2.0 */
/* Events are gathered into four tables, which are sorted by job and walked at the end:
 *
 *     keys        one entry a push that somebody intended
 *     deliveries  one entry a job that a worker got
 *     ends        each ack, fail and release with its answer
 *     founds      what lay there at the end
 *
 * Nothing is decided before the whole history is known. */
#include "torture/checker.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"
#include "torture/order.h"

enum { WHO_MAX = 1024 };
/* Two clocks of one machine may differ by so much. */
#define EARLY_TOLERANCE_NS (5 * NS_PER_MS)

enum push_answer { PUSH_OPEN, PUSH_OK, PUSH_NO, PUSH_MAYBE };

struct push {
    bool intended;
    enum push_answer answer;
    hob_ns intended_at; /* first */
    hob_ns answered_at;
    uint64_t id; /* 0: not known */
    uint64_t queue;
    uint64_t priority;
    uint64_t delay_ms;
};

struct delivery {
    uint64_t id;
    uint64_t token;
    uint64_t key;
    uint64_t attempt;
    uint64_t releases;
    hob_ns fetched_at; /* when the fetch was sent */
    hob_ns at;
};

struct end {
    uint64_t id;
    uint64_t token;
    enum history_type verb;   /* HISTORY_ACK, FAIL, RELEASE */
    enum history_type answer; /* of these the done, refused, unknown; the verb itself: none yet */
    hob_ns intended_at;
    uint64_t delay_ms;
};

struct found {
    uint64_t id;
    uint64_t key;
    bool done;
};

struct table {
    char *rows;
    size_t count;
    size_t capacity;
    size_t row_bytes;
};

struct checker {
    struct mem mem;
    struct table pushes; /* by key */
    struct table deliveries;
    struct table ends;
    struct table founds;
    hob_ns fetched_at[WHO_MAX];
    checker_tell_fn *tell;
    void *tell_context;
    struct checker_verdict verdict;
};

static const char *const wrong_names[] = {
    "lost", "duplicated", "out of order", "invented", "early", "damaged", "unfinished"};
_Static_assert(sizeof wrong_names / sizeof wrong_names[0] == CHECKER_WRONG_COUNT, "all named");

const char *checker_wrong_name(enum checker_wrong wrong) {
    hob_assert(wrong < CHECKER_WRONG_COUNT);
    return wrong_names[wrong];
}

/* --- tables --- */

/* Room for rows up to @count, the new ones zero. */
static void table_grow(struct checker *checker, struct table *table, size_t count) {
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

static void *table_add(struct checker *checker, struct table *table) {
    table_grow(checker, table, table->count + 1);
    return table->rows + (table->count - 1) * table->row_bytes;
}

static void table_free(struct checker *checker, struct table *table) {
    mem_free(&checker->mem, table->rows, table->capacity * table->row_bytes);
}

static struct push *push_at(const struct checker *checker, uint64_t key) {
    if (key >= checker->pushes.count) return NULL;
    struct push *push = (struct push *)(void *)checker->pushes.rows + key;
    return push->intended ? push : NULL;
}

static struct delivery *delivery_at(const struct checker *checker, size_t at) {
    return (struct delivery *)(void *)checker->deliveries.rows + at;
}

static struct end *end_at(const struct checker *checker, size_t at) {
    return (struct end *)(void *)checker->ends.rows + at;
}

static struct found *found_at(const struct checker *checker, size_t at) {
    return (struct found *)(void *)checker->founds.rows + at;
}

struct checker *checker_new(void) {
    struct checker *checker = calloc(1, sizeof *checker);
    hob_assert(checker != NULL);
    checker->pushes.row_bytes = sizeof(struct push);
    checker->deliveries.row_bytes = sizeof(struct delivery);
    checker->ends.row_bytes = sizeof(struct end);
    checker->founds.row_bytes = sizeof(struct found);
    return checker;
}

void checker_free(struct checker *checker) {
    if (checker == NULL) return;
    table_free(checker, &checker->pushes);
    table_free(checker, &checker->deliveries);
    table_free(checker, &checker->ends);
    table_free(checker, &checker->founds);
    free(checker);
}

static void wrong(struct checker *checker, enum checker_wrong what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void wrong(struct checker *checker, enum checker_wrong what, const char *format, ...) {
    char text[240];
    va_list args;
    va_start(args, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started above */
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    checker->verdict.wrong[what]++;
    if (checker->tell != NULL) checker->tell(checker->tell_context, what, text);
}

/* --- gathering --- */

static void take_push(struct checker *checker, const struct history_event *event) {
    table_grow(checker, &checker->pushes, event->key + 1);
    struct push *push = (struct push *)(void *)checker->pushes.rows + event->key;
    if (push->intended) return; /* once more, under its key */
    push->intended = true;
    push->intended_at = event->at;
    push->queue = event->queue;
    push->priority = event->priority;
    push->delay_ms = event->delay_ms;
}

static void
take_push_answer(struct checker *checker, const struct history_event *event, enum push_answer is) {
    struct push *push = push_at(checker, event->key);
    if (push == NULL) {
        wrong(checker, CHECKER_INVENTED, "push %" PRIu64 " was answered, not made", event->key);
        return;
    }
    if (is == PUSH_OK && push->id != 0 && push->id != event->id) {
        wrong(
            checker,
            CHECKER_DUPLICATED,
            "push %" PRIu64 " became the jobs %" PRIu64 " and %" PRIu64,
            event->key,
            push->id,
            event->id
        );
    }
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
        struct end *end = end_at(checker, at - 1);
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
    case HISTORY_NOTE:
    case HISTORY_TYPE_COUNT:
        break;
    }
}

/* --- judging --- */

static int compare_u64(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

static int compare_deliveries(const void *a_row, const void *b_row) {
    const struct delivery *a = a_row;
    const struct delivery *b = b_row;
    int order = compare_u64(a->id, b->id);
    return order != 0 ? order : compare_u64(a->token, b->token);
}

static int compare_ends(const void *a_row, const void *b_row) {
    const struct end *a = a_row;
    const struct end *b = b_row;
    int order = compare_u64(a->id, b->id);
    if (order == 0) order = compare_u64(a->token, b->token);
    return order != 0 ? order : compare_u64(a->intended_at, b->intended_at);
}

static int compare_founds(const void *a_row, const void *b_row) {
    const struct found *a = a_row;
    const struct found *b = b_row;
    return compare_u64(a->id, b->id);
}

/* The index of the first end with this job and a token of at least @token. */
static size_t ends_from(const struct checker *checker, uint64_t id, uint64_t token) {
    size_t low = 0;
    size_t high = checker->ends.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct end *end = end_at(checker, middle);
        bool before = end->id < id || (end->id == id && end->token < token);
        if (before) low = middle + 1;
        if (!before) high = middle;
    }
    return low;
}

/* Was the lease of this token given back by a release, or may it have been? And when could the job
 * come again at the earliest, because of a failure with a wait. */
static bool was_released(
    const struct checker *checker, const struct delivery *delivery, hob_ns *ret_not_before
) {
    bool released = false;
    *ret_not_before = 0;
    for (size_t at = ends_from(checker, delivery->id, delivery->token); at < checker->ends.count;
         at++) {
        const struct end *end = end_at(checker, at);
        if (end->id != delivery->id || end->token != delivery->token) break;
        if (end->verb == HISTORY_RELEASE && end->answer != HISTORY_RELEASE_REFUSED) released = true;
        if (end->answer == HISTORY_FAILED) {
            *ret_not_before = end->intended_at + end->delay_ms * NS_PER_MS;
        }
    }
    return released;
}

static void judge_delivery(struct checker *checker, const struct delivery *delivery) {
    struct push *push = push_at(checker, delivery->key);
    checker->verdict.delivered++;
    if (push == NULL || delivery->at < push->intended_at || push->answer == PUSH_NO) {
        wrong(
            checker,
            CHECKER_INVENTED,
            "job %" PRIu64 " came out, and push %" PRIu64 " was %s",
            delivery->id,
            delivery->key,
            push == NULL              ? "never made"
            : push->answer == PUSH_NO ? "refused"
                                      : "made later"
        );
        return;
    }
    if (push->id == 0) push->id = delivery->id;
    if (push->id != delivery->id) {
        wrong(
            checker,
            CHECKER_DUPLICATED,
            "push %" PRIu64 " became the jobs %" PRIu64 " and %" PRIu64,
            delivery->key,
            push->id,
            delivery->id
        );
    }
    hob_ns due = push->intended_at + push->delay_ms * NS_PER_MS;
    if (delivery->at + EARLY_TOLERANCE_NS < due) {
        wrong(
            checker,
            CHECKER_EARLY,
            "job %" PRIu64 " came %" PRIu64 " ms before its time",
            delivery->id,
            (due - delivery->at) / NS_PER_MS
        );
    }
}

/* Two deliveries of one job, one after the other. */
static void
judge_again(struct checker *checker, const struct delivery *first, const struct delivery *again) {
    hob_ns not_before;
    bool released = was_released(checker, first, &not_before);
    if (first->token == again->token) {
        wrong(checker, CHECKER_DUPLICATED, "token %" PRIu64 " was given twice", first->token);
    } else if (again->attempt <= first->attempt && !released) {
        wrong(
            checker,
            CHECKER_DUPLICATED,
            "job %" PRIu64 " came again as attempt %" PRIu64 " after attempt %" PRIu64,
            first->id,
            again->attempt,
            first->attempt
        );
    } else {
        checker->verdict.redelivered++;
    }
    if (again->at + EARLY_TOLERANCE_NS < not_before) {
        wrong(checker, CHECKER_EARLY, "job %" PRIu64 " came before its retry", first->id);
    }
}

static void judge_deliveries(struct checker *checker) {
    for (size_t at = 0; at < checker->deliveries.count; at++) {
        const struct delivery *delivery = delivery_at(checker, at);
        judge_delivery(checker, delivery);
        if (at == 0) continue;
        const struct delivery *before = delivery_at(checker, at - 1);
        if (before->id == delivery->id) judge_again(checker, before, delivery);
    }
}

/* An acknowledged ack ends the job: no other one, and no delivery by a later lease. */
static void judge_ack(struct checker *checker, const struct end *ack, const struct end *next_ack) {
    checker->verdict.acks++;
    if (next_ack != NULL) {
        wrong(
            checker,
            CHECKER_DUPLICATED,
            "job %" PRIu64 " was acknowledged with token %" PRIu64 " and with %" PRIu64,
            ack->id,
            ack->token,
            next_ack->token
        );
    }
    struct delivery wanted = {.id = ack->id, .token = ack->token + 1};
    size_t low = 0;
    size_t high = checker->deliveries.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool before = compare_deliveries(delivery_at(checker, middle), &wanted) < 0;
        if (before) low = middle + 1;
        if (!before) high = middle;
    }
    if (low == checker->deliveries.count) return;
    const struct delivery *later = delivery_at(checker, low);
    if (later->id != ack->id) return;
    bool stale = later->at < ack->intended_at;
    wrong(
        checker,
        CHECKER_DUPLICATED,
        "job %" PRIu64 " %s",
        ack->id,
        stale ? "was acknowledged with a stale token" : "came again after it was acknowledged"
    );
}

static void judge_ends(struct checker *checker) {
    const struct end *last = NULL;
    for (size_t at = checker->ends.count; at > 0; at--) {
        const struct end *end = end_at(checker, at - 1);
        if (end->answer != HISTORY_ACKED) continue;
        judge_ack(checker, end, last != NULL && last->id == end->id ? last : NULL);
        last = end;
    }
}

static struct found *found_of(const struct checker *checker, uint64_t id) {
    struct found wanted = {.id = id};
    if (checker->founds.count == 0) return NULL;
    return bsearch(
        &wanted, checker->founds.rows, checker->founds.count, sizeof wanted, compare_founds
    );
}

static void judge_found(struct checker *checker, const struct found *found) {
    struct push *push = push_at(checker, found->key);
    if (push == NULL || push->answer == PUSH_NO) {
        wrong(
            checker,
            CHECKER_INVENTED,
            "job %" PRIu64 " is there, and push %" PRIu64 " was %s",
            found->id,
            found->key,
            push == NULL ? "never made" : "refused"
        );
        return;
    }
    if (push->id == 0) push->id = found->id;
    if (push->id != found->id) {
        wrong(
            checker,
            CHECKER_DUPLICATED,
            "push %" PRIu64 " became the jobs %" PRIu64 " and %" PRIu64,
            found->key,
            push->id,
            found->id
        );
    }
    if (!found->done) {
        wrong(checker, CHECKER_UNFINISHED, "job %" PRIu64 " is there and not done", found->id);
    }
}

static void judge_push(struct checker *checker, uint64_t key, struct push *push) {
    struct checker_verdict *verdict = &checker->verdict;
    if (push->answer == PUSH_NO) verdict->refused++;
    bool maybe = push->answer == PUSH_MAYBE || push->answer == PUSH_OPEN;
    if (maybe) verdict->unknown++;
    const struct found *found = push->id == 0 ? NULL : found_of(checker, push->id);
    bool there = found != NULL && found->key == key;
    if (maybe && there) verdict->recovered++;
    if (push->answer != PUSH_OK) return;
    verdict->acknowledged++;
    if (there) verdict->found++;
    if (there || !verdict->census) return;
    wrong(checker, CHECKER_LOST, "push %" PRIu64 ", job %" PRIu64 ", is gone", key, push->id);
}

static void judge_pushes(struct checker *checker) {
    for (uint64_t key = 0; key < checker->pushes.count; key++) {
        struct push *push = push_at(checker, key);
        if (push != NULL) judge_push(checker, key, push);
    }
    for (size_t at = 0; checker->verdict.census && at < checker->ends.count; at++) {
        const struct end *end = end_at(checker, at);
        const struct found *found =
            end->answer == HISTORY_ACKED ? found_of(checker, end->id) : NULL;
        if (found != NULL && !found->done) {
            wrong(checker, CHECKER_LOST, "the ack of job %" PRIu64 " is undone", end->id);
        }
    }
}

static void
tell_order(void *context, const struct order_row *overtaker, const struct order_row *overtaken) {
    wrong(
        context,
        CHECKER_OUT_OF_ORDER,
        "job %" PRIu64 " overtook job %" PRIu64 " in queue %" PRIu64,
        overtaker->id,
        overtaken->id,
        overtaker->queue
    );
}

/* Only first attempts: what comes again has its place by when it came back. */
static void judge_order(struct checker *checker) {
    size_t size = (checker->deliveries.count + 1) * sizeof(struct order_row);
    struct order_row *rows = mem_alloc(&checker->mem, size);
    size_t count = 0;
    for (size_t at = 0; at < checker->deliveries.count; at++) {
        const struct delivery *delivery = delivery_at(checker, at);
        const struct push *push = push_at(checker, delivery->key);
        if (push == NULL || push->delay_ms > 0) continue;
        if (delivery->attempt != 1 || delivery->releases > 0) continue;
        rows[count++] = (struct order_row){
            .queue = push->queue,
            .priority = push->priority,
            .id = delivery->id,
            .token = delivery->token,
            .there_at = push->answer == PUSH_OK ? push->answered_at : HOB_NEVER,
            .fetched_at = delivery->fetched_at,
        };
    }
    order_judge(rows, count, tell_order, checker);
    mem_free(&checker->mem, rows, size);
}

static void table_sort(struct table *table, int (*compare)(const void *, const void *)) {
    if (table->count > 0) qsort(table->rows, table->count, table->row_bytes, compare);
}

void checker_judge(
    struct checker *checker,
    checker_tell_fn *tell,
    void *context,
    struct checker_verdict *ret_verdict
) {
    checker->tell = tell;
    checker->tell_context = context;
    table_sort(&checker->deliveries, compare_deliveries);
    table_sort(&checker->ends, compare_ends);
    table_sort(&checker->founds, compare_founds);
    judge_deliveries(checker);
    judge_ends(checker);
    for (size_t at = 0; at < checker->founds.count; at++) {
        const struct found *found = found_at(checker, at);
        judge_found(checker, found);
    }
    judge_pushes(checker);
    judge_order(checker);
    *ret_verdict = checker->verdict;
}

bool checker_is_good(const struct checker_verdict *verdict) {
    for (size_t i = 0; i < CHECKER_WRONG_COUNT; i++) {
        if (verdict->wrong[i] > 0) return false;
    }
    return verdict->census;
}
