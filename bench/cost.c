/* SPDX-License-Identifier: Apache-2.0 */
/* cost: what the engine alone spends on one push, one fetch and one ack, by how much waits. There
 * is no journal and no socket: effects are counted and dropped, time is an argument.
 *
 *     shape    so many waiting jobs, spread evenly over so many groups and queues
 *     round    BATCH pushes, then BATCH fetches of one job each, then BATCH acks, and after each of
 *              the three a turn; what waits afterwards is as much as before
 *     figure   the median of the rounds, in ns for one command
 *
 * What is done goes at once (`keep` 0), so that a shape stays as it is however long it is looked
 * at. With --flat a small and a large world of each shape live side by side and take rounds in
 * turn, so that whatever the machine does it does to both: the test of `./dev cost --flat`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/text.h"
#include "engine/engine.h"

enum {
    BATCH = 64,
    ROUNDS = 400,
    FLAT_ROUNDS = 60,
    FLAT_FACTOR = 12, /* caches make a large world dearer; what looks at every job is past 100 */
    STEPS = 3,
    NAME_ROOM = 32,
    TURN_BUDGET = 100000,
};

enum step { STEP_PUSH, STEP_FETCH, STEP_ACK };
static const char *const step_words[STEPS] = {"push", "fetch", "ack"};

struct shape {
    const char *name;
    uint32_t jobs;
    uint32_t groups;
    uint32_t queues;
    bool is_later;      /* the waiting ones wait for their time; a round runs others */
    bool is_stopped;    /* a limiter that is closed stops them; a round runs others */
    uint32_t customers; /* each with a limiter of one job at a time, below one of BATCH for all */
};

struct world {
    struct engine *engine;
    struct shape shape;
    hob_ns now_ns;
    uint64_t pushed; /* jobs so far: their number chooses queue and group */
    uint64_t effects;
    struct lease_ref leases[BATCH];
};

static hob_ns monotonic(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (hob_ns)now.tv_sec * NS_PER_SECOND + (hob_ns)now.tv_nsec;
}

static void world_effect(void *context, const struct effect *effect) {
    (void)effect;
    ((struct world *)context)->effects++;
}

static void world_answer(void *context, const struct answer *answer) {
    (void)context;
    (void)answer;
}

static void world_body_drop(void *context, uint64_t body_id) {
    (void)context;
    (void)body_id;
}

static void apply(struct world *world, const struct command *command, struct answer *answer) {
    world->now_ns += 1000;
    engine_apply(world->engine, world->now_ns, command, answer);
    if (answer->code == ANSWER_OK) return;
    const char *detail = answer->detail == NULL ? "" : answer->detail;
    (void
    )fprintf(stderr, "cost: %s: %s %s\n", world->shape.name, answer_word(answer->code), detail);
    _exit(1);
}

/* Spread by a multiplicative hash, so that neighbours in time are no neighbours in memory. */
static uint64_t spread(uint64_t number) {
    uint64_t mixed = number * UINT64_C(0x9E3779B97F4A7C15);
    return mixed >> 32;
}

/* @waits: it is one of those that are there all the time. */
static void push(struct world *world, bool waits) {
    char queue[NAME_ROOM];
    char group[NAME_ROOM];
    char limiters[NAME_ROOM];
    uint64_t at = spread(world->pushed++);
    (void)snprintf(queue, sizeof queue, "q%u", (unsigned)(at % world->shape.queues));
    (void)snprintf(group, sizeof group, "g%u", (unsigned)(at / 7 % world->shape.groups));
    struct command command = {.type = COMMAND_PUSH};
    command.push.queue = slice_str(queue);
    command.push.kind = SLICE("work");
    command.push.payload = SLICE("{\"to\":\"ann@example.com\"}");
    command.push.has_keep = true;
    if (world->shape.groups > 1) command.push.group = slice_str(group);
    if (waits && world->shape.is_later) command.push.delay_ns = NS_PER_HOUR + at % NS_PER_HOUR;
    if (waits && world->shape.is_stopped) command.push.limiters = SLICE("closed");
    if (world->shape.customers > 0) {
        unsigned customer = (unsigned)(at / 7 % world->shape.customers);
        (void)snprintf(limiters, sizeof limiters, "c%u,all", customer);
        command.push.limiters = slice_str(limiters);
    }
    struct answer answer;
    apply(world, &command, &answer);
}

static void fetch(struct world *world, uint32_t at) {
    struct slice pattern = world->shape.queues == 1 ? SLICE("q0") : SLICE("q*");
    struct command command = {.type = COMMAND_FETCH};
    command.fetch = (struct fetch_command
    ){.worker = SLICE("w"), .queues = &pattern, .queue_count = 1, .lease_ns = NS_PER_HOUR};
    struct answer answer;
    apply(world, &command, &answer);
    hob_assert(answer.job_count == 1);
    struct job_view view;
    bool is_there = engine_job(world->engine, answer.jobs[0], &view);
    hob_assert(is_there);
    world->leases[at] = (struct lease_ref){.id = view.id, .token = view.token};
}

static void ack(struct world *world, uint32_t at) {
    struct command command = {.type = COMMAND_ACK};
    command.ack.lease = world->leases[at];
    struct answer answer;
    apply(world, &command, &answer);
}

static void one_step(struct world *world, enum step step, uint32_t at) {
    switch (step) {
    case STEP_PUSH:
        push(world, false);
        break;
    case STEP_FETCH:
        fetch(world, at);
        break;
    case STEP_ACK:
        ack(world, at);
        break;
    }
}

/* ns for one command of each step. */
static void one_round(struct world *world, uint64_t ret_ns[STEPS]) {
    for (uint32_t step = 0; step < STEPS; step++) {
        hob_ns began_ns = monotonic();
        for (uint32_t i = 0; i < BATCH; i++) one_step(world, (enum step)step, i);
        (void)engine_turn(world->engine, world->now_ns, TURN_BUDGET);
        ret_ns[step] = (monotonic() - began_ns) / BATCH;
    }
}

static uint64_t memory_bytes(const struct world *world) {
    struct engine_stats stats;
    engine_stats(world->engine, &stats);
    return stats.memory_bytes;
}

static void limit(struct world *world, struct slice name, uint32_t concurrency) {
    struct command command = {.type = COMMAND_VALVE_SET};
    command.valve_set.valve = (struct valve_name){.sort = VALVE_LIMITER, .name = name};
    command.valve_set.has_concurrency = true;
    command.valve_set.concurrency = concurrency;
    struct answer answer;
    apply(world, &command, &answer);
}

static void close_limiter(struct world *world, struct slice name) {
    struct command command = {.type = COMMAND_VALVE_PAUSE};
    command.valve_pause.valve = (struct valve_name){.sort = VALVE_LIMITER, .name = name};
    struct answer answer;
    apply(world, &command, &answer);
}

/* A world of this shape; owned by the caller. */
static struct world *world_new(const struct shape *shape) {
    struct world *world = calloc(1, sizeof *world);
    hob_assert(world != NULL);
    world->shape = *shape;
    world->now_ns = 1700000000 * NS_PER_SECOND;
    struct engine_options options = {
        .sink =
            {
                .context = world,
                .effect = world_effect,
                .answer = world_answer,
                .body_drop = world_body_drop,
            },
        .hash_key = {{1, 2}},
        .keeps_digest = true, /* as a server does */
    };
    world->engine = engine_new(&options);
    if (shape->is_stopped) close_limiter(world, SLICE("closed"));
    if (shape->customers > 0) {
        limit(world, SLICE("c*"), 1);
        limit(world, SLICE("all"), BATCH);
    }
    for (uint32_t i = 0; i < shape->jobs; i++) {
        push(world, true);
        if (i % TURN_BUDGET == 0) (void)engine_turn(world->engine, world->now_ns, TURN_BUDGET);
    }
    return world;
}

static void world_free(struct world *world) {
    engine_free(world->engine);
    free(world);
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* The one that @percent of the samples do not exceed; sorts them. */
static uint64_t quantile(uint64_t *samples, uint32_t count, uint32_t percent) {
    qsort(samples, count, sizeof *samples, compare_numbers);
    return samples[(uint64_t)(count - 1) * percent / 100];
}

/* --- the table --- */

static void measure(const struct shape *shape) {
    static uint64_t samples[STEPS][ROUNDS];
    struct world *world = world_new(shape);
    uint64_t bytes = memory_bytes(world) / shape->jobs;
    uint64_t ns[STEPS];
    for (uint32_t i = 0; i < ROUNDS / 10; i++) one_round(world, ns);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        one_round(world, ns);
        for (uint32_t step = 0; step < STEPS; step++) samples[step][i] = ns[step];
    }
    (void)printf("%-12s %9u %8u %8u", shape->name, shape->jobs, shape->groups, shape->queues);
    for (uint32_t step = 0; step < STEPS; step++) {
        (void)printf(
            " %6llu %6llu",
            (unsigned long long)quantile(samples[step], ROUNDS, 50),
            (unsigned long long)quantile(samples[step], ROUNDS, 99)
        );
    }
    (void)printf(" %6llu\n", (unsigned long long)bytes);
    (void)fflush(stdout);
    world_free(world);
}

static void table(uint32_t jobs_max) {
    static const uint32_t counts[] = {1000, 100000, 1000000, 10000000};
    static const struct shape shapes[] = {
        {.name = "one queue", .groups = 1, .queues = 1},
        {.name = "groups", .groups = 100000, .queues = 1},
        {.name = "queues", .groups = 1, .queues = 100000},
        {.name = "later", .groups = 1, .queues = 1, .is_later = true},
        {.name = "stopped", .groups = 1, .queues = 1, .is_stopped = true},
        {.name = "limiters", .groups = 1, .queues = 1, .customers = 100000},
    };
    (void)printf(
        "ns for one command: median and 99th percentile of %d rounds of %d; bytes of "
        "memory for one job\n\n",
        ROUNDS,
        BATCH
    );
    (void)printf("%-12s %9s %8s %8s", "", "jobs", "groups", "queues");
    for (uint32_t step = 0; step < STEPS; step++) {
        (void)printf(" %6s %6s", step_words[step], "99 %");
    }
    (void)printf(" %6s\n", "bytes");
    for (size_t i = 0; i < hob_countof(shapes); i++) {
        for (size_t k = 0; k < hob_countof(counts) && counts[k] <= jobs_max; k++) {
            struct shape shape = shapes[i];
            shape.jobs = counts[k];
            if (shape.groups > shape.jobs) shape.groups = shape.jobs;
            if (shape.queues > shape.jobs) shape.queues = shape.jobs;
            if (shape.customers > shape.jobs) shape.customers = shape.jobs;
            measure(&shape);
        }
    }
}

/* --- is the line flat? --- */

static uint32_t flat_pair(const struct shape *small_shape, const struct shape *large_shape) {
    static uint64_t small_ns[STEPS][FLAT_ROUNDS];
    static uint64_t large_ns[STEPS][FLAT_ROUNDS];
    struct world *small = world_new(small_shape);
    struct world *large = world_new(large_shape);
    uint64_t ns[STEPS];
    for (uint32_t i = 0; i < FLAT_ROUNDS; i++) {
        one_round(small, ns);
        for (uint32_t step = 0; step < STEPS; step++) small_ns[step][i] = ns[step];
        one_round(large, ns);
        for (uint32_t step = 0; step < STEPS; step++) large_ns[step][i] = ns[step];
    }
    uint32_t failed = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        uint64_t small_median = quantile(small_ns[step], FLAT_ROUNDS, 50);
        uint64_t large_median = quantile(large_ns[step], FLAT_ROUNDS, 50);
        bool is_flat = large_median <= small_median * FLAT_FACTOR;
        failed += is_flat ? 0 : 1;
        (void)printf(
            "%s - %s of %s: %llu ns, %llu ns%s\n",
            is_flat ? "ok" : "not ok",
            step_words[step],
            large_shape->name,
            (unsigned long long)small_median,
            (unsigned long long)large_median,
            is_flat ? "" : ": it grows with what waits"
        );
    }
    world_free(large);
    world_free(small);
    return failed;
}

static int flat(void) {
    static const struct shape pairs[][2] = {
        {{.name = "1000 jobs", .jobs = 1000, .groups = 1, .queues = 1},
         {.name = "100000 jobs", .jobs = 100000, .groups = 1, .queues = 1}},
        {{.name = "10 groups", .jobs = 50000, .groups = 10, .queues = 1},
         {.name = "20000 groups", .jobs = 50000, .groups = 20000, .queues = 1}},
        {{.name = "10 queues", .jobs = 50000, .groups = 1, .queues = 10},
         {.name = "20000 queues", .jobs = 50000, .groups = 1, .queues = 20000}},
        {{.name = "1000 jobs for later", .jobs = 1000, .groups = 1, .queues = 1, .is_later = true},
         {.name = "100000 jobs for later",
          .jobs = 100000,
          .groups = 1,
          .queues = 1,
          .is_later = true}},
        {{.name = "1000 jobs stopped", .jobs = 1000, .groups = 1, .queues = 1, .is_stopped = true},
         {.name = "100000 jobs stopped",
          .jobs = 100000,
          .groups = 1,
          .queues = 1,
          .is_stopped = true}},
        {{.name = "200 limiters", .jobs = 50000, .groups = 1, .queues = 1, .customers = 200},
         {.name = "20000 limiters", .jobs = 50000, .groups = 1, .queues = 1, .customers = 20000}},
    };
    uint32_t failed = 0;
    for (size_t i = 0; i < hob_countof(pairs); i++) failed += flat_pair(&pairs[i][0], &pairs[i][1]);
    uint32_t count = STEPS * (uint32_t)hob_countof(pairs);
    (void)printf("%u passed, %u failed, 0 skipped\n", count - failed, failed);
    return failed == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    uint64_t jobs_max = 1000000;
    if (argc == 2 && strcmp(argv[1], "--flat") == 0) return flat();
    if (argc > 2 || (argc == 2 && !text_u64(slice_str(argv[1]), 1000, 100000000, &jobs_max))) {
        (void)fputs("cost [JOBS_MAX | --flat]\n", stderr);
        return 2;
    }
    table((uint32_t)jobs_max);
    return 0;
}
