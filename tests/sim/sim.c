/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator: engine and model side by side on the same random commands and the same random
 * time.
 *
 *     sim SEED [COMMANDS]                 one run, by its seed
 *     sim --seeds FROM COUNT [COMMANDS]   many runs, each in a process of its own
 *     sim --trace SEED [COMMANDS]         one run, each command told
 *
 * Compared are each answer, each late answer and notice, the jobs that a command has touched, and,
 * often, everything. A difference ends the run with the seed, the command, both answers and the
 * line that shows it again. One of the two is wrong then; doc/design says which. */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/run.h"

/* Under a sanitizer a run of the default length takes seconds. */
enum { COMMANDS_DEFAULT = 3000, SECONDS_MAX = 600, MALLOC_KEPT_BYTES = 1 << 30 };

static bool parse_number(const char *text, uint64_t *ret_number) {
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-') return false;
    *ret_number = number;
    return true;
}

static uint64_t seed_running;

/* An assertion of the engine has failed, or it does not come back: the seed must be told in any
 * case. */
static void on_end(int signal_number) {
    char text[120];
    int size = snprintf(
        text,
        sizeof(text),
        "seed %llu: %s at command %llu; again: sim %llu\n",
        (unsigned long long)seed_running,
        signal_number == SIGALRM ? "no end" : "panic",
        (unsigned long long)run_command_number(),
        (unsigned long long)seed_running
    );
    ssize_t written = write(STDERR_FILENO, text, (size_t)size);
    (void)written;
    if (signal_number == SIGALRM) _exit(1);
}

static int run_here(uint64_t seed, uint64_t commands, bool trace) {
    struct sigaction action = {.sa_handler = on_end, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGABRT, &action, NULL);
    (void)sigaction(SIGALRM, &action, NULL);
    (void)alarm(SECONDS_MAX);
    /* Tapes are megabytes, made and freed all the time: given back to the system, most of a run
     * would be page faults. There is no thread yet. */
    (void)mallopt(M_MMAP_THRESHOLD, MALLOC_KEPT_BYTES); /* NOLINT(concurrency-mt-unsafe) */
    (void)mallopt(M_TRIM_THRESHOLD, MALLOC_KEPT_BYTES); /* NOLINT(concurrency-mt-unsafe) */
    seed_running = seed;
    return run_seed(seed, commands, trace) ? 0 : 1;
}

/* A process for each seed, so that one panic does not hide the seeds after it. */
static bool run_apart(uint64_t seed, uint64_t commands) {
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) _exit(run_here(seed, commands, false));
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0) {
        (void)fprintf(stderr, "sim: cannot start a process: %s\n", strerrordesc_np(errno));
        return false;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int run_many(uint64_t from, uint64_t count, uint64_t commands) {
    uint64_t failed = 0;
    for (uint64_t seed = from; seed < from + count; seed++) {
        if (!run_apart(seed, commands)) failed++;
    }
    (void)printf(
        "%llu passed, %llu failed\n",
        (unsigned long long)(count - failed),
        (unsigned long long)failed
    );
    return failed == 0 ? 0 : 1;
}

static int usage(void) {
    (void)fprintf(
        stderr,
        "usage: sim [--trace] SEED [COMMANDS]\n"
        "       sim --seeds FROM COUNT [COMMANDS]\n"
    );
    return 2;
}

int main(int argc, char **argv) {
    bool many = argc > 1 && strcmp(argv[1], "--seeds") == 0;
    bool trace = argc > 1 && strcmp(argv[1], "--trace") == 0;
    uint64_t numbers[3] = {0, 0, 0};
    int first = many || trace ? 2 : 1;
    int needed = many ? 2 : 1;
    int given = argc - first;
    if (given < needed || given > needed + 1) return usage();
    for (int i = 0; i < given; i++) {
        if (!parse_number(argv[first + i], &numbers[i])) return usage();
    }
    if (given == needed) numbers[needed] = COMMANDS_DEFAULT;
    if (many) return run_many(numbers[0], numbers[1], numbers[2]);
    int code = run_here(numbers[0], numbers[1], trace);
    if (code == 0) (void)printf("seed %s passed\n", argv[first]);
    return code;
}
