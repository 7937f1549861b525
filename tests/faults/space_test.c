/* SPDX-License-Identifier: Apache-2.0 */
/* A space on a journal that is full: what it has put off goes on by itself, and closing it is no
 * accident. */
#include "space/space.h"

#include "base/assert.h"
#include "base/test.h"
#include "tests/faults/fault_journal.h"

static hob_ns now_ns;

static hob_ns now(void *context) {
    (void)context;
    return now_ns;
}

static void on_answer(void *context, const struct answer *answer) {
    (void)context;
    (void)answer;
}

static struct fault_store *store;

static struct space *open_space(void) {
    struct journal *journal = NULL;
    struct space *space = NULL;
    struct space_recovery recovery;
    struct space_options options = {.sink = {.answer = on_answer}};
    CHECK_EQUAL(fault_store_open(store, (struct journal_wake){0}, &journal, NULL), HOB_OK);
    CHECK_EQUAL(space_open(journal, &options, now_ns, &space, &recovery, NULL), HOB_OK);
    return space;
}

static uint64_t push(struct space *space, enum answer_code wanted) {
    struct command command = {
        .type = COMMAND_PUSH,
        .push = {.queue = SLICE("q"), .kind = SLICE("k"), .payload = SLICE("1")},
    };
    struct answer answer;
    space_turn_begin(space, now_ns);
    space_apply(space, &command, &answer);
    CHECK_EQUAL(answer.code, wanted);
    return space_turn_end(space);
}

static void turns(struct space *space) {
    for (int i = 0; i < 3; i++) {
        space_turn_begin(space, now_ns);
        (void)space_turn_end(space);
        (void)space_poll(space);
    }
}

/* The device is full, without any room, from just behind the push on. */
static uint64_t push_and_fill(struct space *space) {
    struct fault_plan plan = {.full_max_ns = NS_PER_SECOND};
    plan.odds[FAULT_FULL] = 1000000;
    now_ns = NS_PER_HOUR;
    fault_store_plan(store, &plan);
    uint64_t seq = push(space, ANSWER_OK);
    plan.odds[FAULT_FULL] = 0;
    fault_store_plan(store, &plan);
    turns(space);
    CHECK(space_durable(space) < seq);
    return seq;
}

static void store_begin(void) {
    /* a seed whose full device has no room at all */
    store = fault_store_new(&(struct fault_options){.seed = 3, .segment_bytes = 65536, .now = now});
}

TEST(what_a_full_journal_has_put_off_goes_on_by_itself) {
    store_begin();
    struct space *space = open_space();
    uint64_t seq = push_and_fill(space);
    (void)push(space, ANSWER_FULL);
    now_ns += 10 * NS_PER_SECOND;
    CHECK(space_due(space) <= now_ns);
    turns(space);
    CHECK(space_durable(space) >= seq);
    struct space_stats stats;
    space_stats(space, &stats);
    CHECK(!stats.full); /* nobody had to push to find out */
    (void)push(space, ANSWER_OK);
    space_close(space);
    fault_store_free(store);
}

TEST(a_space_on_a_full_journal_can_be_closed) {
    store_begin();
    struct space *space = open_space();
    (void)push_and_fill(space);
    CHECK_EQUAL(space_flush(space, NULL), HOB_DISK);
    space_close(space);
    fault_store_plan(store, NULL);
    space = open_space(); /* nothing of it was told to anybody, nothing of it is there */
    CHECK_EQUAL(space_durable(space), 0);
    space_close(space);
    fault_store_free(store);
}

TESTS(what_a_full_journal_has_put_off_goes_on_by_itself, a_space_on_a_full_journal_can_be_closed)
