/* SPDX-License-Identifier: Apache-2.0 */
/* The longest push while so many jobs come that every table of the engine and the space grows: jobs
 * with a key, a ref, a unique key, a payload that is a body, a group, a limiter, a time.
 *
 *     bench/grow DIR [JOBS] [--check]
 *
 * Then days pass at once, and what waited for its time is due; then all are deleted, one by one, as
 * tables give memory back as well. --check ends with 1 when
 * more than one push, delete or turn took more than 5 ms of processor time, or, of the turns in
 * which much was due, one in a hundred. DIR is to be new. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "on_space.h"
#include "os/self.h"
#include "pauses.h"

enum { PUSHES_A_TURN = 20, PAYLOAD_BYTES = 300, NAME_BYTES = 24, SHAPES = 4 };

struct bench {
    struct on_space on;
    struct pauses pushes;
    struct pauses turns;
};

static void apply_any(struct bench *bench, const struct command *command, uint64_t number) {
    char what[PAUSES_WHAT_BYTES];
    (void)snprintf(what, sizeof what, "at job %llu", (unsigned long long)number);
    pauses_begin(&bench->pushes);
    on_space_apply(&bench->on, command);
    pauses_end(&bench->pushes, what);
}

static void apply(struct bench *bench, const struct command *command, uint64_t number) {
    apply_any(bench, command, number);
    if (bench->on.last.code != ANSWER_OK) fatal("a command", "was refused");
}

static void turn_end(struct bench *bench, uint64_t number) {
    char what[PAUSES_WHAT_BYTES];
    (void)snprintf(what, sizeof what, "end of the turn at job %llu", (unsigned long long)number);
    pauses_begin(&bench->turns);
    (void)space_turn_end(bench->on.space);
    pauses_end(&bench->turns, what);
    on_space_settle(&bench->on);
    bench->on.now_ns += NS_PER_MS;
}

/* The shapes take turns: one alone would leave the table of another as it is. */
static void push(struct bench *bench, uint64_t number) {
    static char payload[PAYLOAD_BYTES];
    memset(payload, 'g', sizeof payload);
    char name[NAME_BYTES];
    int size = snprintf(name, sizeof name, "n%llu", (unsigned long long)number);
    struct slice text = slice_of(name, (size_t)size);
    struct command push = {.type = COMMAND_PUSH};
    push.push.queue = SLICE("q");
    push.push.kind = SLICE("k");
    push.push.payload = slice_of(payload, sizeof payload);
    push.push.ref = text;
    push.push.unique = text;
    if (number % SHAPES == 0) push.push.key = text;
    if (number % SHAPES == 1) push.push.delay_ns = NS_PER_DAY + number % 1000 * NS_PER_SECOND;
    if (number % SHAPES == 2) push.push.expires_in_ns = NS_PER_DAY;
    if (number % (SHAPES * 16) == 3) push.push.group = text;
    apply(bench, &push, number);
}

static void fill(struct bench *bench, uint64_t jobs) {
    for (uint64_t number = 0; number < jobs;) {
        space_turn_begin(bench->on.space, bench->on.now_ns);
        for (int i = 0; i < PUSHES_A_TURN; i++) push(bench, number++);
        turn_end(bench, number);
    }
}

/* Two days later: what waits is due, what expires is discarded, keys are forgotten. */
static void pass(struct bench *bench) {
    bench->on.now_ns += 2 * NS_PER_DAY;
    uint64_t turns = 0;
    do {
        space_turn_begin(bench->on.space, bench->on.now_ns);
        turn_end(bench, turns++);
    } while (space_due(bench->on.space) <= bench->on.now_ns);
}

static void empty(struct bench *bench, uint64_t jobs) {
    for (uint64_t id = 1; id <= jobs;) {
        space_turn_begin(bench->on.space, bench->on.now_ns);
        for (int i = 0; i < PUSHES_A_TURN && id <= jobs; i++, id++) {
            struct command drop = {.type = COMMAND_DELETE};
            drop.delete.id = id;
            apply_any(bench, &drop, id);
        }
        turn_end(bench, id);
    }
}

static bool tell(struct bench *bench, const char *pushes, const char *turns) {
    bool good = pauses_are_short(&bench->pushes);
    good = good && (bench->pushes.count == 0 ? pauses_share(&bench->turns, 0.99) <= PAUSE_LIMIT_NS
                                             : pauses_are_short(&bench->turns));
    pauses_tell(&bench->pushes, pushes, true);
    pauses_tell(&bench->turns, turns, true);
    pauses_deinit(&bench->pushes);
    pauses_deinit(&bench->turns);
    return good;
}

static void stretches_init(struct bench *bench) {
    pauses_init(&bench->pushes);
    pauses_init(&bench->turns);
}

int main(int argc, char **argv) {
    bool checks = argc > 2 && strcmp(argv[argc - 1], "--check") == 0;
    if (checks) argc--;
    if (argc < 2) {
        (void)fprintf(stderr, "usage: grow DIR [JOBS] [--check]\n");
        return 2;
    }
    uint64_t jobs = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    jobs = (jobs + PUSHES_A_TURN - 1) / PUSHES_A_TURN * PUSHES_A_TURN;
    self_steady_memory(); /* as the server */
    struct bench bench = {.on.now_ns = NS_PER_DAY};
    on_space_open(&bench.on, argv[1]);
    stretches_init(&bench);
    fill(&bench, jobs);
    bool good = tell(&bench, "a push", "the end of its turn");
    stretches_init(&bench);
    pass(&bench);
    good = tell(&bench, "nothing", "a turn in which much is due") && good;
    stretches_init(&bench);
    empty(&bench, jobs);
    good = tell(&bench, "a delete", "the end of its turn") && good;
    space_close(bench.on.space);
    return checks && !good ? 1 : 0;
}
