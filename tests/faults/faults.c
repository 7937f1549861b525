/* SPDX-License-Identifier: Apache-2.0 */
/* faults: the whole system under faults, in virtual time.
 *
 *     faults SEED [--history]       one run; its history when it fails or when asked
 *     faults --mass FROM COUNT      so many seeds, on all cores, each in a process of its own
 *     faults --each FROM COUNT      short runs of these seeds, crashed at each append and each file
 *                                   operation in turn
 *     faults --same FROM COUNT      each of these seeds twice: it must be the same run
 *
 * Exit code 0: all is well. A seed that fails is told with the line that runs it again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/text.h"
#include "os/self.h"
#include "tests/faults/world.h"

enum { CORES_MAX = 64, EACH_JOBS_MAX = 40, EACH_FILE_RUNS_MAX = 400, FAILED_TOLD_MAX = 20 };

struct job {
    struct run_options options;
    const char *again; /* how it is run again */
};

struct sum {
    uint64_t runs;
    uint64_t failed;
    uint64_t file_runs;
    uint64_t commands, appends, kills, restarts, unknown, failed_starts;
    uint64_t faults[FAULT_COUNT];
    uint64_t disk_crashes, power_cuts, flips, flips_refused, sync_failures;
    uint64_t freezes, jumps, deaths, doubled;
    uint64_t acknowledged, found, acks, delivered, redelivered;
    uint64_t wrong[CHECKER_WRONG_COUNT];
};

static void sum_add(struct sum *sum, const struct run_result *result) {
    sum->runs++;
    sum->failed += result->is_good ? 0 : 1;
    sum->file_runs += result->in_files ? 1 : 0;
    sum->commands += result->counts.commands;
    sum->kills += result->counts.kills;
    sum->restarts += result->counts.restarts;
    sum->failed_starts += result->counts.starts_failed;
    sum->unknown += result->counts.unknown_replies;
    sum->freezes += result->counts.freezes;
    sum->jumps += result->counts.jumps;
    sum->deaths += result->counts.worker_deaths;
    sum->doubled += result->counts.doubled;
    sum->appends += result->faults.appends;
    for (size_t i = 0; i < FAULT_COUNT; i++) sum->faults[i] += result->faults.faults[i];
    sum->disk_crashes += result->faults.disk_crashes;
    sum->power_cuts += result->faults.power_cuts;
    sum->flips += result->faults.flips;
    sum->flips_refused += result->faults.flips_refused;
    sum->sync_failures += result->faults.sync_failures;
    sum->acknowledged += result->verdict.acknowledged;
    sum->found += result->verdict.found;
    sum->acks += result->verdict.acks;
    sum->delivered += result->verdict.delivered;
    sum->redelivered += result->verdict.redelivered;
    for (size_t i = 0; i < CHECKER_WRONG_COUNT; i++) sum->wrong[i] += result->verdict.wrong[i];
}

static void sum_print(const struct sum *sum) {
    const uint64_t *faults = sum->faults;
    (void)printf(
        "%" PRIu64 " runs (%" PRIu64 " in files): %" PRIu64 " commands, %" PRIu64
        " appends, %" PRIu64 " pushes acknowledged, %" PRIu64 " acks, %" PRIu64
        " redeliveries that said so\n",
        sum->runs,
        sum->file_runs,
        sum->commands,
        sum->appends,
        sum->acknowledged,
        sum->acks,
        sum->redelivered
    );
    (void)printf(
        "%" PRIu64 " deaths of the server (%" PRIu64 " at an append, %" PRIu64
        " at a file operation, %" PRIu64 " with the power), %" PRIu64 " starts cut short; %" PRIu64
        " appends UNKNOWN, %" PRIu64 " FULL, %" PRIu64 " REFUSED, %" PRIu64 " FAILED, %" PRIu64
        " FENCED; %" PRIu64 " syncs failed, %" PRIu64 " bits flipped (%" PRIu64 " refused)\n",
        sum->kills,
        faults[FAULT_CRASH_BEFORE] + faults[FAULT_CRASH_AFTER],
        sum->disk_crashes,
        sum->power_cuts,
        sum->failed_starts,
        faults[FAULT_UNKNOWN_APPLIED] + faults[FAULT_UNKNOWN_LOST] + faults[FAULT_UNKNOWN_LATER],
        faults[FAULT_FULL],
        faults[FAULT_REFUSED],
        faults[FAULT_FAILED],
        faults[FAULT_FENCED],
        sum->sync_failures,
        sum->flips,
        sum->flips_refused
    );
    (void)printf(
        "%" PRIu64 " answers UNKNOWN to a client, %" PRIu64 " messages doubled, %" PRIu64
        " freezes, %" PRIu64 " jumps of the clock, %" PRIu64 " deaths of workers\n",
        sum->unknown,
        sum->doubled,
        sum->freezes,
        sum->jumps,
        sum->deaths
    );
    for (size_t i = 0; i < CHECKER_WRONG_COUNT; i++) {
        const char *name = checker_wrong_name((enum checker_wrong)i);
        (void)printf("%s%s %" PRIu64, i == 0 ? "" : ", ", name, sum->wrong[i]);
    }
    (void)printf("\n");
}

/* --- many runs, each in a process of its own --- */

struct child {
    pid_t process;
    int from;
    struct job job;
};

struct crew {
    struct child children[CORES_MAX];
    size_t size;
    size_t busy;
    struct sum sum;
    uint64_t told;
};

static void child_start(struct child *child, const struct job *job) {
    int ends[2];
    int failed = pipe(ends);
    hob_assert(failed == 0);
    (void)fflush(NULL);
    pid_t process = fork();
    hob_assert(process >= 0);
    if (process == 0) {
        struct run_result result;
        (void)close(ends[0]);
        run(&job->options, &result, NULL);
        bool is_told = write(ends[1], &result, sizeof result) == (ssize_t)sizeof result;
        _exit(is_told ? 0 : 1);
    }
    (void)close(ends[1]);
    *child = (struct child){.process = process, .from = ends[0], .job = *job};
}

static void again_print(const struct job *job, const char *why) {
    const struct run_options *options = &job->options;
    (void)printf("faults: seed %" PRIu64 " FAILED: %s\n", options->seed, why);
    (void)printf("faults: again: ./dev faults %" PRIu64, options->seed);
    if (options->crash_at != 0) {
        (void)printf(
            " --append %" PRIu64 " %s",
            options->crash_at,
            options->crash_as == FAULT_CRASH_AFTER ? "after" : "before"
        );
    }
    if (options->disk_crash_at != 0) (void)printf(" --file %" PRIu64, options->disk_crash_at);
    (void)printf("\n");
}

static void child_end(struct crew *crew, struct child *child) {
    struct run_result result = {.is_good = false};
    ssize_t got = read(child->from, &result, sizeof result);
    (void)close(child->from);
    if (got != (ssize_t)sizeof result) {
        result = (struct run_result){.failure = "its process ended: an assertion, or a signal"};
    }
    sum_add(&crew->sum, &result);
    if (!result.is_good && crew->told++ < FAILED_TOLD_MAX) again_print(&child->job, result.failure);
    child->process = 0;
    crew->busy--;
}

static void crew_wait(struct crew *crew) {
    int status;
    pid_t ended = wait(&status);
    hob_assert(ended > 0);
    for (size_t i = 0; i < crew->size; i++) {
        if (crew->children[i].process == ended) child_end(crew, &crew->children[i]);
    }
}

static void crew_do(struct crew *crew, const struct job *job) {
    if (crew->busy == crew->size) crew_wait(crew);
    for (size_t i = 0; i < crew->size; i++) {
        if (crew->children[i].process != 0) continue;
        child_start(&crew->children[i], job);
        crew->busy++;
        return;
    }
}

static struct crew crew_make(void) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1) cores = 1;
    return (struct crew){.size = cores > CORES_MAX ? CORES_MAX : (size_t)cores};
}

static int crew_end(struct crew *crew, uint64_t from, uint64_t count) {
    while (crew->busy > 0) crew_wait(crew);
    sum_print(&crew->sum);
    const struct sum *sum = &crew->sum;
    const uint64_t *faults = sum->faults;
    (void)printf(
        "%" PRIu64 " seeds from %" PRIu64 ": %" PRIu64 " runs, %" PRIu64 " appends, %" PRIu64
        " crashes, %" PRIu64 " UNKNOWNs; lost %" PRIu64 ", unflagged duplicates %" PRIu64 "\n",
        count,
        from,
        sum->runs,
        sum->appends,
        sum->kills + sum->failed_starts,
        sum->unknown + faults[FAULT_UNKNOWN_APPLIED] + faults[FAULT_UNKNOWN_LOST] +
            faults[FAULT_UNKNOWN_LATER],
        sum->wrong[CHECKER_LOST],
        sum->wrong[CHECKER_DUPLICATED]
    );
    (void)printf(
        "%" PRIu64 " passed, %" PRIu64 " failed, 0 skipped\n", sum->runs - sum->failed, sum->failed
    );
    return sum->failed == 0 ? 0 : 1;
}

static int mass(uint64_t from, uint64_t count) {
    struct crew crew = crew_make();
    for (uint64_t seed = from; seed < from + count; seed++) {
        crew_do(&crew, &(struct job){.options = {.seed = seed}});
    }
    return crew_end(&crew, from, count);
}

/* --- each append, each file operation --- */

static struct run_options short_options(uint64_t seed, bool in_files) {
    return (struct run_options
    ){.seed = seed, .jobs_max = EACH_JOBS_MAX, .quiet = true, .in_files = in_files};
}

static int each(uint64_t from, uint64_t count) {
    struct crew crew = crew_make();
    for (uint64_t seed = from; seed < from + count; seed++) {
        struct run_result whole;
        struct job job = {.options = short_options(seed, false)};
        run(&job.options, &whole, NULL);
        crew_do(&crew, &job);
        for (uint64_t at = 1; at <= whole.faults.appends; at++) {
            job.options.crash_at = at;
            job.options.crash_as = FAULT_CRASH_BEFORE;
            crew_do(&crew, &job);
            job.options.crash_as = FAULT_CRASH_AFTER;
            crew_do(&crew, &job);
        }
        job.options = short_options(seed, true);
        run(&job.options, &whole, NULL);
        uint64_t step = 1 + whole.faults.disk_calls / EACH_FILE_RUNS_MAX;
        for (uint64_t at = 1; at <= whole.faults.disk_calls; at += step) {
            job.options.disk_crash_at = at;
            crew_do(&crew, &job);
        }
    }
    return crew_end(&crew, from, count);
}

/* --- is a seed a run? --- */

static int same(uint64_t from, uint64_t count) {
    uint64_t failed = 0;
    for (uint64_t seed = from; seed < from + count; seed++) {
        struct run_result results[2];
        const struct run_options options = {.seed = seed};
        for (size_t i = 0; i < 2; i++) run(&options, &results[i], NULL);
        if (results[0].history_hash == results[1].history_hash) continue;
        (void)printf("faults: seed %" PRIu64 " was two different runs\n", seed);
        failed++;
    }
    (void)printf("%" PRIu64 " passed, %" PRIu64 " failed, 0 skipped\n", count - failed, failed);
    return failed == 0 ? 0 : 1;
}

/* --- one --- */

static int one(const struct run_options *asked, bool always) {
    struct run_options options = *asked;
    options.keeps_history = true;
    struct run_result result;
    struct buf history;
    run(&options, &result, &history);
    if (!result.is_good || always) (void)fwrite(history.bytes, 1, history.size, stdout);
    buf_deinit(&history);
    struct sum sum = {0};
    sum_add(&sum, &result);
    sum_print(&sum);
    struct job job = {.options = options};
    if (!result.is_good) again_print(&job, result.failure);
    (void)printf("history %016" PRIx64 "\n", result.history_hash);
    return result.is_good ? 0 : 1;
}

static uint64_t number(const char *text) {
    uint64_t value = 0;
    if (text == NULL || !text_u64(slice_str(text), 0, UINT64_MAX, &value)) {
        (void)fprintf(stderr, "faults: `%s` is no number\n", text == NULL ? "" : text);
        exit(2); /* NOLINT(concurrency-mt-unsafe): there is one thread */
    }
    return value;
}

int main(int argc, char **argv) {
    (void)self_raise_files(); /* the disk remembers each write with a descriptor of its own */
    if (argc < 2) {
        (void)fprintf(stderr, "faults: SEED [--history] | --mass, --each or --same FROM COUNT\n");
        return 2;
    }
    if (argc == 4 && strcmp(argv[1], "--mass") == 0) return mass(number(argv[2]), number(argv[3]));
    if (argc == 4 && strcmp(argv[1], "--each") == 0) return each(number(argv[2]), number(argv[3]));
    if (argc == 4 && strcmp(argv[1], "--same") == 0) return same(number(argv[2]), number(argv[3]));
    struct run_options options = {.seed = number(argv[1])};
    bool always = false;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--history") == 0) {
            always = true;
        } else if (strcmp(argv[i], "--append") == 0 && i + 2 < argc) {
            options = short_options(options.seed, false);
            options.crash_at = number(argv[++i]);
            bool after = strcmp(argv[++i], "after") == 0;
            options.crash_as = after ? FAULT_CRASH_AFTER : FAULT_CRASH_BEFORE;
        } else if (strcmp(argv[i], "--file") == 0 && i + 1 < argc) {
            options = short_options(options.seed, true);
            options.disk_crash_at = number(argv[++i]);
        } else {
            (void)fprintf(stderr, "faults: what is `%s`?\n", argv[i]);
            return 2;
        }
    }
    return one(&options, always);
}
