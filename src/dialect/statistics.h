/* SPDX-License-Identifier: Apache-2.0 */
/* What has happened to the jobs of one queue, of one kind, or to all of them, as a dialect shows
 * it: counts over a window, histograms of waits and runs, and the series of its minutes. Who keeps
 * it is server/statistics.h. */
#ifndef HOB_DIALECT_STATISTICS_H
#define HOB_DIALECT_STATISTICS_H

#include "base/slice.h"
#include "base/time.h"
#include "engine/view.h"

enum {
    STATISTICS_MINUTES = 3 * 24 * 60, /* that a series reaches back */
};

enum statistics_of {
    STATISTICS_ALL,
    STATISTICS_QUEUE,
    STATISTICS_KIND,
    STATISTICS_OF_COUNT,
};

/* What is counted; failed attempts stand behind these, one counter for each cause. */
#define STATISTICS_COUNTERS(X)        \
    X(COUNTED_PUSHED, "pushed")       \
    X(COUNTED_STARTED, "started")     \
    X(COUNTED_ENDED, "ended")         \
    X(COUNTED_COMPLETED, "completed") \
    X(COUNTED_RETRIED, "retried")     \
    X(COUNTED_DISCARDED, "discarded") \
    X(COUNTED_CANCELLED, "cancelled")

enum statistics_counter {
#define X(name, word) name,
    STATISTICS_COUNTERS(X)
#undef X
        COUNTED_FAILED, /* the first cause */
    COUNTERS = COUNTED_FAILED + ERROR_CAUSE_COUNT
};

struct statistics_sum {
    uint64_t counts[COUNTERS];
    hob_ns wait_ns; /* of all that started */
    hob_ns run_ns;  /* of all attempts that ended */
};

/* Of a minute in which something happened. */
struct statistics_minute {
    hob_ns at_ns; /* its beginning */
    struct statistics_sum sum;
};

enum statistics_quantile { QUANTILE_50, QUANTILE_90, QUANTILE_99, QUANTILE_999, QUANTILE_COUNT };

/* Times of the running day and the one before (UTC). */
struct statistics_times {
    uint64_t count;
    hob_ns quantiles_ns[QUANTILE_COUNT]; /* within 5 % */
    hob_ns max_ns;                       /* exact */
};

struct statistics_asked {
    enum statistics_of of;
    struct slice name; /* ALL: empty */
    hob_ns since_ns;   /* 0: all that is kept */
    bool series;
};

/* What waits and runs now, beside statistics. */
struct statistics_waiting {
    uint64_t available; /* of a queue, as the next */
    uint64_t running;
    hob_ns oldest_ns; /* created_ns of an oldest available job, 0: none */
};

struct statistics_view {
    hob_ns since_ns; /* from when on was really counted */
    struct statistics_sum window;
    struct statistics_sum minute; /* the last 60 s, the last hour: what is left of the minute in */
    struct statistics_sum hour;   /* which they began counts by its share */
    struct statistics_times wait;
    struct statistics_times run;
    const struct statistics_minute *series; /* old to new; minutes without anything are left out */
    uint32_t series_count;
};

/** The sum of all causes. */
static inline uint64_t statistics_failed(const struct statistics_sum *sum) {
    uint64_t failed = 0;
    for (uint32_t i = COUNTED_FAILED; i < COUNTERS; i++) failed += sum->counts[i];
    return failed;
}

#endif
