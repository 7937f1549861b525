/* SPDX-License-Identifier: Apache-2.0 */
/* What keeping costs: a space over the file journal, with many live jobs, under a load that makes
 * garbage, as the server drives it.
 *
 *     bench/keep DIR [JOBS [MIB]] [--check]
 *
 * JOBS wait (default 1,000,000); then jobs with payloads of 1,000 bytes are pushed, run and
 * forgotten until MIB (default 2,048) were written. Told: the longest turn in processor time (the
 * loop's own work, cleaning among it), how far the disk was above twice what is alive, and how
 * long a start takes afterwards. --check ends with 1 when more than one turn took more than 5 ms,
 * or the disk went past 2 x live + 256 MiB. DIR is to be new; syncs are left to the system. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "on_space.h"
#include "os/self.h"
#include "pauses.h"

enum { CHURN_EACH = 20, FILL_EACH = 100, PAYLOAD_BYTES = 1000 };

#define MIB (UINT64_C(1) << 20)

struct bench {
    struct on_space on;
    uint64_t turns;
    struct pauses pauses; /* each turn of the churn is a stretch */
    uint64_t most_over;   /* bytes above 2 x live */
    uint64_t written;
};

static hob_ns wall_ns(void) {
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (hob_ns)at.tv_sec * NS_PER_SECOND + (hob_ns)at.tv_nsec;
}

static void apply(struct bench *bench, const struct command *command) {
    on_space_apply(&bench->on, command);
    if (bench->on.last.code != ANSWER_OK) fatal("a command", "was refused");
}

static void push(struct bench *bench, struct slice queue, struct slice payload) {
    struct command push = {.type = COMMAND_PUSH};
    push.push.queue = queue;
    push.push.kind = SLICE("k");
    push.push.payload = payload;
    apply(bench, &push);
}

static void look(struct bench *bench) {
    struct space_stats stats;
    struct engine_stats engine;
    space_stats(bench->on.space, &stats);
    engine_stats(space_engine(bench->on.space), &engine);
    uint64_t live = engine.live_bytes + stats.body_bytes;
    uint64_t over =
        stats.journal.stored_bytes > 2 * live ? stats.journal.stored_bytes - 2 * live : 0;
    if (bench->most_over < over) bench->most_over = over;
    bench->written = stats.batch_bytes;
}

/* The end of a turn, and what it did when it was long. */
static void turn_end(struct bench *bench) {
    struct space_stats before;
    space_stats(bench->on.space, &before);
    (void)space_turn_end(bench->on.space);
    struct space_stats after;
    space_stats(bench->on.space, &after);
    char what[PAUSES_WHAT_BYTES];
    (void)snprintf(
        what,
        sizeof what,
        "again %llu bytes, trimmed %llu, flown %llu KiB",
        (unsigned long long)(after.cleaned_bytes - before.cleaned_bytes),
        (unsigned long long)(after.cleaned_segments - before.cleaned_segments),
        (unsigned long long)(after.batch_bytes - before.batch_bytes) / 1024
    );
    pauses_end(&bench->pauses, what);
    on_space_settle(&bench->on);
    bench->turns++;
    bench->on.now_ns += NS_PER_MS;
    if (bench->turns % 16 == 0) look(bench);
}

static void fill(struct bench *bench, uint64_t jobs) {
    char payload[100];
    memset(payload, 'p', sizeof payload);
    for (uint64_t done = 0; done < jobs; done += FILL_EACH) {
        space_turn_begin(bench->on.space, bench->on.now_ns);
        for (int i = 0; i < FILL_EACH; i++) {
            push(bench, SLICE("live"), slice_of(payload, sizeof payload));
        }
        (void)space_turn_end(bench->on.space);
        on_space_settle(&bench->on);
        bench->on.now_ns += NS_PER_MS;
    }
}

static void churn_turn(struct bench *bench) {
    static char payload[PAYLOAD_BYTES];
    memset(payload, 'c', sizeof payload);
    uint64_t ids[CHURN_EACH];
    space_turn_begin(bench->on.space, bench->on.now_ns);
    pauses_begin(&bench->pauses);
    for (int i = 0; i < CHURN_EACH; i++) {
        push(bench, SLICE("churn"), slice_of(payload, sizeof payload));
        ids[i] = bench->on.last.id;
    }
    for (int i = 0; i < CHURN_EACH; i++) {
        struct slice queue = SLICE("churn");
        struct command fetch = {.type = COMMAND_FETCH};
        fetch.fetch =
            (struct fetch_command){.worker = SLICE("w"), .queues = &queue, .queue_count = 1};
        apply(bench, &fetch);
        struct job_view view;
        bool there = engine_job(space_engine(bench->on.space), ids[i], &view);
        hob_assert(there);
        struct command ack = {.type = COMMAND_ACK};
        ack.ack = (struct ack_command){.lease = {.id = ids[i], .token = view.token}};
        apply(bench, &ack);
    }
    struct command beat = {.type = COMMAND_WORKER_BEAT};
    beat.worker_beat.worker = SLICE("w");
    on_space_apply(&bench->on, &beat);
    turn_end(bench);
}

static void churn(struct bench *bench, uint64_t mib) {
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set = (struct queue_set_command){
        .queue = SLICE("churn"),
        .has_keep_completed = true,
        .keep_completed_ns = NS_PER_DAY,
        .keep_completed_count = 10,
    };
    space_turn_begin(bench->on.space, bench->on.now_ns);
    apply(bench, &set);
    (void)space_turn_end(bench->on.space);
    look(bench);
    uint64_t until = bench->written + mib * MIB;
    bench->most_over = 0;
    while (bench->written < until) churn_turn(bench);
}

static double ms(hob_ns span) {
    return (double)span / 1e6;
}

static int tell(struct bench *bench, const char *path, bool checks) {
    struct space_stats stats;
    space_stats(bench->on.space, &stats);
    (void)printf(
        "turns %llu, segments cleaned %llu, written again %.0f MiB\n",
        (unsigned long long)bench->turns,
        (unsigned long long)stats.cleaned_segments,
        (double)stats.cleaned_bytes / (double)MIB
    );
    pauses_tell(&bench->pauses, "a turn", !checks || bench->pauses.over > 0);
    (void)printf(
        "disk: %.0f MiB at the end, at most 2 x live + %.0f MiB\n",
        (double)stats.journal.stored_bytes / (double)MIB,
        (double)bench->most_over / (double)MIB
    );
    space_close(bench->on.space);
    hob_ns began_ns = wall_ns();
    on_space_open(&bench->on, path);
    struct engine_stats engine;
    engine_stats(space_engine(bench->on.space), &engine);
    (void)printf(
        "start with %llu jobs: %.0f ms\n", (unsigned long long)engine.jobs, ms(wall_ns() - began_ns)
    );
    space_close(bench->on.space);
    bool good = pauses_are_short(&bench->pauses) && bench->most_over <= 256 * MIB;
    return checks && !good ? 1 : 0;
}

int main(int argc, char **argv) {
    bool checks = argc > 2 && strcmp(argv[argc - 1], "--check") == 0;
    if (checks) argc--;
    if (argc < 2) {
        (void)fprintf(stderr, "usage: keep DIR [JOBS [MIB]] [--check]\n");
        return 2;
    }
    uint64_t jobs = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    uint64_t mib = argc > 3 ? strtoull(argv[3], NULL, 10) : 2048;
    self_steady_memory(); /* as the server */
    struct bench bench = {.on.now_ns = NS_PER_DAY};
    pauses_init(&bench.pauses);
    on_space_open(&bench.on, argv[1]);
    fill(&bench, jobs);
    churn(&bench, mib);
    int code = tell(&bench, argv[1], checks);
    pauses_deinit(&bench.pauses);
    return code;
}
