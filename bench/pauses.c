/* SPDX-License-Identifier: Apache-2.0 */
/* Processor time of the thread says how long its own work was, however busy the machine is; what
 * the wall clock shows beyond it was others' work. */
#include "pauses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/assert.h"

static hob_ns clock_ns(clockid_t clock) {
    struct timespec at;
    (void)clock_gettime(clock, &at);
    return (hob_ns)at.tv_sec * NS_PER_SECOND + (hob_ns)at.tv_nsec;
}

void pauses_init(struct pauses *pauses) {
    *pauses = (struct pauses){.spans = calloc(PAUSES_RING, sizeof *pauses->spans)};
    hob_assert(pauses->spans != NULL);
    memset(pauses->spans, 1, PAUSES_RING * sizeof *pauses->spans); /* no page fault later */
}

void pauses_deinit(struct pauses *pauses) {
    free(pauses->spans);
    *pauses = (struct pauses){0};
}

void pauses_begin(struct pauses *pauses) {
    struct rusage use;
    (void)getrusage(RUSAGE_THREAD, &use);
    pauses->now.faults = use.ru_minflt;
    pauses->now.put_aside = use.ru_nivcsw;
    pauses->now.wall_ns = clock_ns(CLOCK_MONOTONIC);
    pauses->now.own_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void worst_note(struct pauses *pauses, struct pause pause, const char *what) {
    if (pause.own_ns <= pauses->worst[PAUSES_WORST - 1].own_ns) return;
    (void)snprintf(pause.what, sizeof pause.what, "%s", what);
    size_t at = PAUSES_WORST - 1;
    for (; at > 0 && pauses->worst[at - 1].own_ns < pause.own_ns; at--) {
        pauses->worst[at] = pauses->worst[at - 1];
    }
    pauses->worst[at] = pause;
}

void pauses_end(struct pauses *pauses, const char *what) {
    struct pause pause = {
        .own_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - pauses->now.own_ns,
        .wall_ns = clock_ns(CLOCK_MONOTONIC) - pauses->now.wall_ns,
        .number = pauses->count,
    };
    struct rusage use;
    (void)getrusage(RUSAGE_THREAD, &use);
    pause.faults = use.ru_minflt - pauses->now.faults;
    pause.put_aside = use.ru_nivcsw - pauses->now.put_aside;
    pauses->spans[pauses->count++ % PAUSES_RING] = pause.own_ns;
    if (pause.own_ns > PAUSE_LIMIT_NS) pauses->over++;
    if (pauses->longest_wall_ns < pause.wall_ns) pauses->longest_wall_ns = pause.wall_ns;
    worst_note(pauses, pause, what);
}

static int span_compare(const void *a, const void *b) {
    hob_ns x = *(const hob_ns *)a;
    hob_ns y = *(const hob_ns *)b;
    return (x > y) - (x < y);
}

hob_ns pauses_share(struct pauses *pauses, double share) {
    size_t count = pauses->count < PAUSES_RING ? (size_t)pauses->count : PAUSES_RING;
    if (count == 0) return 0;
    qsort(pauses->spans, count, sizeof *pauses->spans, span_compare);
    return pauses->spans[(size_t)((double)(count - 1) * share)];
}

bool pauses_are_short(const struct pauses *pauses) {
    return pauses->over <= 1;
}

static double ms(hob_ns span) {
    return (double)span / 1e6;
}

void pauses_tell(struct pauses *pauses, const char *name, bool worst) {
    if (pauses->count == 0) return;
    (void)printf(
        "own work of %s: p50 %.3f ms, p99 %.3f ms, p99.99 %.3f ms, longest %.3f ms (wall %.3f ms); "
        "%llu of %llu over 5 ms\n",
        name,
        ms(pauses_share(pauses, 0.5)),
        ms(pauses_share(pauses, 0.99)),
        ms(pauses_share(pauses, 0.9999)),
        ms(pauses->worst[0].own_ns),
        ms(pauses->longest_wall_ns),
        (unsigned long long)pauses->over,
        (unsigned long long)pauses->count
    );
    for (size_t i = 0; worst && i < PAUSES_WORST && pauses->worst[i].own_ns > 0; i++) {
        const struct pause *pause = &pauses->worst[i];
        (void)printf(
            "    number %llu: own %.3f ms, wall %.3f ms, %ld page faults, put aside %ld times; "
            "%s\n",
            (unsigned long long)pause->number,
            ms(pause->own_ns),
            ms(pause->wall_ns),
            pause->faults,
            pause->put_aside,
            pause->what
        );
    }
}
