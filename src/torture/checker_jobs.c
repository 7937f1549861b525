/* SPDX-License-Identifier: Apache-2.0 */
/* What came out, and how attempts ended. Deliveries and ends are walked by job and then by token,
 * which is the server's own order. */
#include "torture/checker_private.h"
#include "torture/order.h"

static struct delivery *delivery_at(const struct checker *checker, size_t at) {
    return table_at(&checker->deliveries, at);
}

static struct end *end_at(const struct checker *checker, size_t at) {
    return table_at(&checker->ends, at);
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
            *ret_not_before = end->intended_at + end->delay_ms * NS_PER_MS + end->ahead_ns;
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
    push_is_job(checker, delivery->key, push, delivery->id);
    /* A server whose clock has run ahead meanwhile is right to come so much sooner. */
    hob_ns due = push->intended_at + push->delay_ms * NS_PER_MS;
    hob_ns ahead_ns = delivery->ahead_ns - push->ahead_ns;
    if (delivery->at + EARLY_TOLERANCE_NS + ahead_ns < due) {
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
    if (again->at + EARLY_TOLERANCE_NS + again->ahead_ns < not_before) {
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

static int compare_starts_of_jobs(const void *a_row, const void *b_row) {
    const struct start *a = a_row;
    const struct start *b = b_row;
    int order = compare_u64(a->id, b->id);
    return order != 0 ? order : compare_u64(a->token, b->token);
}

/* Did the worker itself mean to end this lease? */
static bool was_given_back(const struct checker *checker, const struct start *start) {
    size_t at = ends_from(checker, start->id, start->token);
    if (at == checker->ends.count) return false;
    const struct end *end = end_at(checker, at);
    return end->id == start->id && end->token == start->token;
}

/* A job is nobody else's before the end of its lease, but by its worker's own word. */
static void judge_leases(struct checker *checker) {
    table_sort(&checker->starts, compare_starts_of_jobs);
    for (size_t at = 1; at < checker->starts.count; at++) {
        const struct start *again = table_at(&checker->starts, at);
        const struct start *first = again - 1;
        if (first->id != again->id || first->token == again->token) continue;
        if (again->time_ns >= first->until_ns || was_given_back(checker, first)) continue;
        wrong(
            checker,
            CHECKER_EARLY,
            "job %" PRIu64 " was given away before the lease %" PRIu64 " ended",
            first->id,
            first->token
        );
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
        overtaker->queue >> 32
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
        /* Jobs with a limiter let others go by while it is closed. */
        if (push == NULL || push->delay_ms > 0 || push->limiter != 0) continue;
        if (delivery->attempt != 1 || delivery->releases > 0) continue;
        rows[count++] = (struct order_row){
            .queue = push->queue << 32 | push->group, /* groups take turns */
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

void judge_jobs(struct checker *checker) {
    table_sort(&checker->deliveries, compare_deliveries);
    table_sort(&checker->ends, compare_ends);
    judge_deliveries(checker);
    judge_ends(checker);
    judge_leases(checker);
    judge_order(checker);
}
