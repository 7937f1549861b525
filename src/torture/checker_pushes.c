/* SPDX-License-Identifier: Apache-2.0 */
/* What was pushed, and what is there at the end: nothing that was acknowledged is missing, nothing
 * is there that nobody pushed, and no push became two jobs. */
#include <stdlib.h>

#include "torture/checker_private.h"

struct list {
    uint64_t pushes;
    uint64_t found;
};

static int compare_founds(const void *a_row, const void *b_row) {
    const struct found *a = a_row;
    const struct found *b = b_row;
    return compare_u64(a->id, b->id);
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
    push_is_job(checker, found->key, push, found->id);
    if (!found->done) {
        wrong(checker, CHECKER_UNFINISHED, "job %" PRIu64 " is there and not done", found->id);
    }
}

/* Was the push answered with the job of another one that has its unique key, rightly? */
static bool
has_joined(const struct checker *checker, const struct push *push, const struct found *found) {
    const struct push *other = push_at(checker, found->key);
    if (other == NULL || push->unique == 0 || other->unique != push->unique) return false;
    if (!push->is_duplicate) return false;
    if (found->id >= checker->lives.count) return true;
    /* A job that had ended before the push was made cannot do its work. */
    const struct life_of *life = table_at(&checker->lives, found->id);
    return life->over_at == 0 || life->over_at >= push->intended_at;
}

static void judge_push(struct checker *checker, uint64_t key, struct push *push) {
    struct checker_verdict *verdict = &checker->verdict;
    if (push->answer == PUSH_NO) verdict->refused++;
    bool maybe = push->answer == PUSH_MAYBE || push->answer == PUSH_OPEN;
    if (maybe) verdict->unknown++;
    uint64_t id = push->id != 0 ? push->id : push->own_id;
    const struct found *found = id == 0 ? NULL : found_of(checker, id);
    bool there = found != NULL && (found->key == key || has_joined(checker, push, found));
    if (maybe && there) verdict->recovered++;
    if (push->answer != PUSH_OK) return;
    verdict->acknowledged++;
    if (there) verdict->found++;
    if (there && found->key != key) verdict->joined++;
    if (there || !verdict->census) return;
    wrong(checker, CHECKER_LOST, "push %" PRIu64 ", job %" PRIu64 ", is gone", key, push->id);
}

/* Of a list that is pushed all or none, some are there and some are not. */
static void judge_lists(struct checker *checker) {
    struct table lists = {.row_bytes = sizeof(struct list)};
    for (uint64_t key = 0; key < checker->pushes.count; key++) {
        const struct push *push = push_at(checker, key);
        if (push == NULL || push->list == 0) continue;
        table_grow(checker, &lists, push->list + 1);
        struct list *list = table_at(&lists, push->list);
        const struct found *found = push->own_id == 0 ? NULL : found_of(checker, push->own_id);
        list->pushes++;
        if (found != NULL) list->found++;
    }
    for (uint64_t number = 1; checker->verdict.census && number < lists.count; number++) {
        const struct list *list = table_at(&lists, number);
        if (list->found == 0 || list->found == list->pushes) continue;
        wrong(
            checker,
            CHECKER_LOST,
            "list %" PRIu64 " was to be there as a whole: %" PRIu64 " of %" PRIu64 " are",
            number,
            list->found,
            list->pushes
        );
    }
    mem_free(&checker->mem, lists.rows, lists.capacity * lists.row_bytes);
}

void judge_pushes(struct checker *checker) {
    table_sort(&checker->founds, compare_founds);
    for (size_t at = 0; at < checker->founds.count; at++) {
        judge_found(checker, table_at(&checker->founds, at));
    }
    for (uint64_t key = 0; key < checker->pushes.count; key++) {
        struct push *push = push_at(checker, key);
        if (push != NULL) judge_push(checker, key, push);
    }
    for (size_t at = 0; checker->verdict.census && at < checker->ends.count; at++) {
        const struct end *end = table_at(&checker->ends, at);
        const struct found *found =
            end->answer == HISTORY_ACKED ? found_of(checker, end->id) : NULL;
        if (found != NULL && !found->done) {
            wrong(checker, CHECKER_LOST, "the ack of job %" PRIu64 " is undone", end->id);
        }
    }
    judge_lists(checker);
}
