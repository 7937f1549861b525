/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to jobs, by queue, by kind and for all, minute by minute for three days.
 *
 * A name has a row: two histograms of waits and of runs (the running UTC day and the one before)
 * and the chain of its cells. A cell is a minute in which something happened to it; cells of all
 * rows lie in one ring, in the order of time, each pointing at the one before of its row:
 *
 *     ring   … [q 12:00][k 12:00][q 12:01][r 12:01][k 12:01][q 12:02]
 *                  ^-------------------+  ^------------------------+
 *
 * The ring grows up to STATISTICS_CELLS_MAX. When it is full the oldest minute of all goes first,
 * and `kept` remembers that: whoever asks is told from when on was counted. When there are
 * STATISTICS_NAMES_MAX queues (or kinds), a new one takes the row of one to which nothing has
 * happened for three days; when there is none it is counted for all only.
 *
 * Pure: time comes with the events, and with who asks. */
#ifndef HOB_SERVER_STATISTICS_H
#define HOB_SERVER_STATISTICS_H

#include "base/buf.h"
#include "base/index.h"
#include "base/siphash.h"
#include "dialect/statistics.h"
#include "engine/event.h"
#include "engine/limits.h"

enum {
    STATISTICS_NAMES_MAX = 500, /* queues; and as many kinds */
    STATISTICS_ROWS_MAX = 2 * STATISTICS_NAMES_MAX + 1,
    STATISTICS_BYTES_MAX = 32 * 1024 * 1024, /* of all cells */
    STATISTICS_RECENT = 256,                 /* rows found by the address of a name */

    /* Times are counted in µs: one bucket each up to 16, then 16 for each power of two, so that
     * the middle of a bucket is within 3.2 % of all in it; up to 2^42 µs, 50 days. */
    TIMES_STEPS = 16,
    TIMES_BITS_MAX = 42,
    TIMES_BUCKETS = TIMES_STEPS * (TIMES_BITS_MAX - 3),
};

struct statistics_cell {
    uint32_t row;
    uint32_t minute;   /* since the epoch */
    uint64_t previous; /* number of the cell before of this row; one that is gone: none */
    uint32_t counts[COUNTERS];
    hob_ns wait_ns;
    hob_ns run_ns;
};

enum { STATISTICS_CELLS_MAX = STATISTICS_BYTES_MAX / sizeof(struct statistics_cell) };

struct statistics_histogram {
    uint32_t counts[TIMES_BUCKETS];
    uint64_t count;
    hob_ns max_ns;
};

struct statistics_row {
    enum statistics_of of;
    uint32_t at; /* its place among the rows */
    uint32_t name_size;
    char name[NAME_BYTES_MAX];
    uint64_t hash;
    uint64_t last;   /* number of its newest cell; 0: none */
    uint32_t minute; /* of that cell */
    uint32_t day;    /* of wait[0] and run[0] */
    struct statistics_histogram wait[2];
    struct statistics_histogram run[2];
};

struct statistics {
    struct mem *mem;
    struct siphash_key key;
    struct statistics_row *rows[STATISTICS_ROWS_MAX]; /* [0]: all */
    uint32_t row_count;
    uint32_t names[STATISTICS_OF_COUNT]; /* rows by what they are of */
    uint32_t recent[STATISTICS_RECENT];
    struct index index;
    struct statistics_cell *cells; /* number n is at n % capacity */
    uint32_t capacity;             /* a power of two, or the most there may be */
    uint64_t first;                /* number of the oldest cell; numbers begin at 1 */
    uint64_t next;                 /* number of the next one */
    uint32_t minute;               /* the newest seen: time does not go back here */
    uint32_t kept;                 /* the first minute of which all is here; 0: all */
    uint32_t cells_max;            /* STATISTICS_CELLS_MAX; tests set less */
    struct statistics_minute *series;
};

/** Empty. @key is secret: names come from outside. */
void statistics_init(struct statistics *statistics, struct mem *mem, struct siphash_key key);
void statistics_deinit(struct statistics *statistics);

/** Something happened to a job. */
void statistics_event(struct statistics *statistics, const struct event *event);

/** Answer what was asked; zeros for a name that is not there, and false. The series is borrowed
 * until the next call. */
bool statistics_read(
    struct statistics *statistics,
    const struct statistics_asked *asked,
    hob_ns now_ns,
    struct statistics_view *ret_view
);

/* --- for tests --- */

/** Which bucket counts @us; the middle of a bucket. */
uint32_t statistics_bucket(uint64_t us);
hob_ns statistics_bucket_ns(uint32_t bucket);

/** The row of a name; NULL: there is none and @make is false, or no room. */
struct statistics_row *
statistics_row(struct statistics *statistics, enum statistics_of of, struct slice name, bool make);

/** The cell of @row for @minute (not before the newest of all), made when it is not there. */
struct statistics_cell *
statistics_cell(struct statistics *statistics, struct statistics_row *row, uint32_t minute);

#endif
