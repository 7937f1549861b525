/* SPDX-License-Identifier: Apache-2.0 */
/* Counting, and answering what was counted. */
#include "server/statistics.h"

#include "base/assert.h"

enum { CELLS_FIRST = 1024, MINUTES_OF_DAY = 24 * 60, MINUTES_OF_HOUR = 60 };

static struct statistics_row *row_new(struct statistics *statistics, uint32_t at) {
    struct statistics_row *row = mem_zero_alloc(statistics->mem, sizeof *row);
    statistics->rows[at] = row;
    return row;
}

void statistics_init(struct statistics *statistics, struct mem *mem, struct siphash_key key) {
    *statistics = (struct statistics){
        .mem = mem,
        .key = key,
        .row_count = 1,
        .first = 1,
        .next = 1,
        .cells_max = STATISTICS_CELLS_MAX,
    };
    (void)row_new(statistics, 0);
}

void statistics_deinit(struct statistics *statistics) {
    struct mem *mem = statistics->mem;
    if (mem == NULL) return;
    for (uint32_t i = 0; i < statistics->row_count; i++) {
        mem_free(mem, statistics->rows[i], sizeof *statistics->rows[i]);
    }
    mem_free(mem, statistics->cells, statistics->capacity * sizeof *statistics->cells);
    mem_free(mem, statistics->series, STATISTICS_MINUTES * sizeof *statistics->series);
    index_deinit(&statistics->index, mem);
    statistics->mem = NULL;
}

/* --- rows --- */

struct row_key {
    enum statistics_of of;
    struct slice name;
};

static bool row_is(const void *context, uint32_t item, const void *key) {
    const struct statistics *statistics = context;
    const struct statistics_row *row = statistics->rows[item];
    const struct row_key *wanted = key;
    return row->of == wanted->of && slice_equal(slice_of(row->name, row->name_size), wanted->name);
}

/* The place of a row to which nothing has happened for as long as a series is; 0: there is none. */
static uint32_t row_silent(const struct statistics *statistics, enum statistics_of of) {
    for (uint32_t i = 1; i < statistics->row_count; i++) {
        const struct statistics_row *row = statistics->rows[i];
        if (row->of == of && row->minute + STATISTICS_MINUTES < statistics->minute) return i;
    }
    return 0;
}

static uint32_t row_make(struct statistics *statistics, const struct row_key *key, uint64_t hash) {
    uint32_t at = 0;
    if (statistics->names[key->of] < STATISTICS_NAMES_MAX) {
        at = statistics->row_count++;
        statistics->names[key->of]++;
        (void)row_new(statistics, at);
    } else {
        at = row_silent(statistics, key->of);
        if (at == 0) return 0;
        index_remove(&statistics->index, statistics->mem, statistics->rows[at]->hash, at);
    }
    struct statistics_row *row = statistics->rows[at];
    hob_assert(key->name.size <= sizeof row->name);
    *row = (struct statistics_row){
        .of = key->of,
        .at = at,
        .name_size = (uint32_t)key->name.size,
        .hash = hash,
        .minute = statistics->minute,
    };
    memcpy(row->name, key->name.bytes, key->name.size);
    index_add(&statistics->index, statistics->mem, hash, at);
    return at;
}

/* The engine holds each name once, so that its address nearly always tells which row is meant; an
 * address may be used again, and the name decides. */
struct statistics_row *
statistics_row(struct statistics *statistics, enum statistics_of of, struct slice name, bool make) {
    hob_assert(of < STATISTICS_OF_COUNT);
    if (of == STATISTICS_ALL) return statistics->rows[0];
    struct row_key key = {.of = of, .name = name};
    uintptr_t mixed = (uintptr_t)name.bytes >> 4;
    uint32_t *recent =
        &statistics->recent[(mixed ^ mixed >> 8 ^ (uintptr_t)of << 7) & (STATISTICS_RECENT - 1)];
    if (*recent != 0 && row_is(statistics, *recent, &key)) return statistics->rows[*recent];
    uint64_t hash = siphash(statistics->key, name) + of;
    uint32_t at = index_find(&statistics->index, hash, row_is, statistics, &key);
    if (at == 0 && make) at = row_make(statistics, &key, hash);
    if (at == 0) return NULL;
    *recent = at;
    return statistics->rows[at];
}

/* --- cells --- */

static struct statistics_cell *cell_at(const struct statistics *statistics, uint64_t number) {
    hob_assert(number >= statistics->first);
    hob_assert(number < statistics->next);
    return &statistics->cells[number % statistics->capacity];
}

/* Room for one more: larger, up to the most; then the oldest minute goes. */
static void cells_make_room(struct statistics *statistics) {
    uint64_t count = statistics->next - statistics->first;
    if (count < statistics->capacity) return;
    uint32_t capacity = statistics->capacity;
    if (capacity == statistics->cells_max) {
        uint32_t oldest = cell_at(statistics, statistics->first)->minute;
        while (statistics->first < statistics->next &&
               cell_at(statistics, statistics->first)->minute == oldest) {
            statistics->first++;
        }
        statistics->kept = oldest + 1;
        return;
    }
    uint32_t larger = capacity == 0 ? CELLS_FIRST : capacity * 2;
    if (larger > statistics->cells_max) larger = statistics->cells_max;
    size_t each = sizeof *statistics->cells;
    struct statistics_cell *cells = mem_alloc(statistics->mem, larger * each);
    for (uint64_t n = statistics->first; n < statistics->next; n++) {
        cells[n % larger] = *cell_at(statistics, n);
    }
    mem_free(statistics->mem, statistics->cells, capacity * each);
    statistics->cells = cells;
    statistics->capacity = larger;
}

/* What is older than a series goes as time goes on, so that the ring grows no further than it must.
 */
static void cells_expire(struct statistics *statistics) {
    while (statistics->first < statistics->next &&
           cell_at(statistics, statistics->first)->minute + STATISTICS_MINUTES <= statistics->minute
    ) {
        statistics->first++;
    }
}

struct statistics_cell *
statistics_cell(struct statistics *statistics, struct statistics_row *row, uint32_t minute) {
    hob_assert(minute >= statistics->minute);
    if (minute > statistics->minute) {
        statistics->minute = minute;
        cells_expire(statistics);
    }
    if (row->last >= statistics->first && row->minute == minute) {
        return cell_at(statistics, row->last);
    }
    cells_make_room(statistics);
    uint64_t number = statistics->next++;
    struct statistics_cell *cell = cell_at(statistics, number);
    *cell = (struct statistics_cell){.row = row->at, .minute = minute, .previous = row->last};
    row->last = number;
    row->minute = minute;
    return cell;
}

/* --- times --- */

uint32_t statistics_bucket(uint64_t us) {
    if (us < TIMES_STEPS) return (uint32_t)us;
    if (us >> TIMES_BITS_MAX != 0) return TIMES_BUCKETS - 1;
    uint32_t top = 63 - (uint32_t)__builtin_clzll(us); /* 4 and more */
    return TIMES_STEPS * (top - 3) + (uint32_t)(us >> (top - 4) & (TIMES_STEPS - 1));
}

hob_ns statistics_bucket_ns(uint32_t bucket) {
    hob_assert(bucket < TIMES_BUCKETS);
    if (bucket < TIMES_STEPS) return bucket * NS_PER_US;
    uint32_t shift = bucket / TIMES_STEPS - 1;
    uint64_t from = (uint64_t)(TIMES_STEPS + bucket % TIMES_STEPS) << shift;
    return from * NS_PER_US + (NS_PER_US << shift) / 2;
}

static void times_add(struct statistics_histogram *histogram, hob_ns span) {
    uint32_t *count = &histogram->counts[statistics_bucket(span / NS_PER_US)];
    if (*count < UINT32_MAX) (*count)++;
    histogram->count++;
    if (span > histogram->max_ns) histogram->max_ns = span;
}

/* A new day: the running one becomes the one before. */
static void times_turn(struct statistics_row *row, uint32_t day) {
    if (row->day == day) return;
    bool is_next = row->day + 1 == day;
    if (is_next) {
        row->wait[1] = row->wait[0];
        row->run[1] = row->run[0];
    } else {
        row->wait[1] = (struct statistics_histogram){.count = 0};
        row->run[1] = (struct statistics_histogram){.count = 0};
    }
    row->wait[0] = (struct statistics_histogram){.count = 0};
    row->run[0] = (struct statistics_histogram){.count = 0};
    row->day = day;
}

/* --- events --- */

/* What an event counts, made once for its three rows. */
struct step {
    uint32_t minute;
    uint32_t count;
    uint8_t counters[4];
    bool starts;
    bool ends;
    hob_ns waited_ns;
    hob_ns ran_ns;
};

static void step_add(struct step *step, uint32_t counter) {
    hob_assert(step->count < sizeof step->counters);
    hob_assert(counter < COUNTERS);
    step->counters[step->count++] = (uint8_t)counter;
}

static void
count(struct statistics *statistics, struct statistics_row *row, const struct step *step) {
    if (row == NULL) return;
    struct statistics_cell *cell = statistics_cell(statistics, row, step->minute);
    for (uint32_t i = 0; i < step->count; i++) cell->counts[step->counters[i]]++;
    if (!step->starts && !step->ends) return;
    times_turn(row, step->minute / MINUTES_OF_DAY);
    if (step->starts) {
        cell->wait_ns += step->waited_ns;
        times_add(&row->wait[0], step->waited_ns);
    } else {
        cell->run_ns += step->ran_ns;
        times_add(&row->run[0], step->ran_ns);
    }
}

void statistics_event(struct statistics *statistics, const struct event *event) {
    if (event->type != EVENT_STATE) return;
    uint32_t minute = (uint32_t)(event->at_ns / NS_PER_MINUTE);
    struct step step = {
        .minute = minute > statistics->minute ? minute : statistics->minute,
        .starts = event->state == JOB_RUNNING,
        .ends = !event->is_new && event->from == JOB_RUNNING && event->state != JOB_RUNNING,
        .waited_ns = event->waited_ns,
        .ran_ns = event->ran_ns,
    };
    if (event->is_new) step_add(&step, COUNTED_PUSHED);
    if (step.starts) step_add(&step, COUNTED_STARTED);
    if (step.ends) step_add(&step, COUNTED_ENDED);
    if (event->state == JOB_COMPLETED) step_add(&step, COUNTED_COMPLETED);
    if (event->state == JOB_RETRYABLE) step_add(&step, COUNTED_RETRIED);
    if (event->state == JOB_DISCARDED) step_add(&step, COUNTED_DISCARDED);
    if (event->state == JOB_CANCELLED) step_add(&step, COUNTED_CANCELLED);
    if (event->has_error) step_add(&step, COUNTED_FAILED + (uint32_t)event->cause);
    if (step.count == 0) return;
    count(statistics, statistics->rows[0], &step);
    count(statistics, statistics_row(statistics, STATISTICS_QUEUE, event->queue, true), &step);
    count(statistics, statistics_row(statistics, STATISTICS_KIND, event->kind, true), &step);
}

/* --- reading --- */

/* @part of @whole of a cell. */
static void sum_add(
    struct statistics_sum *sum, const struct statistics_cell *cell, uint64_t part, uint64_t whole
) {
    for (uint32_t i = 0; i < COUNTERS; i++) {
        sum->counts[i] += (cell->counts[i] * part + whole / 2) / whole;
    }
    sum->wait_ns += cell->wait_ns / whole * part;
    sum->run_ns += cell->run_ns / whole * part;
}

/* The last @minutes up to now: the running minute, those before it, and of the one in which they
 * began the share that is left. */
static void sum_recent(
    struct statistics_sum *sum, const struct statistics_cell *cell, hob_ns now_ns, uint32_t minutes
) {
    uint32_t now = (uint32_t)(now_ns / NS_PER_MINUTE);
    uint32_t age = now > cell->minute ? now - cell->minute : 0;
    enum { SECONDS = 60 };
    uint64_t gone = now_ns % NS_PER_MINUTE / NS_PER_SECOND;
    if (age < minutes) sum_add(sum, cell, 1, 1);
    if (age == minutes && gone < SECONDS) sum_add(sum, cell, SECONDS - gone, SECONDS);
}

/* The bucket in which the @part-th of @whole parts lies. */
static hob_ns quantile(const struct statistics_histogram *const both[2], uint64_t rank) {
    uint64_t seen = 0;
    for (uint32_t i = 0; i < TIMES_BUCKETS; i++) {
        seen += (uint64_t)both[0]->counts[i] + both[1]->counts[i];
        if (seen >= rank) return statistics_bucket_ns(i);
    }
    return 0;
}

static struct statistics_times
times_read(const struct statistics_histogram *running, const struct statistics_histogram *before) {
    static const uint32_t thousandths[] = {
        [QUANTILE_50] = 500, [QUANTILE_90] = 900, [QUANTILE_99] = 990, [QUANTILE_999] = 999};
    _Static_assert(hob_countof(thousandths) == QUANTILE_COUNT, "each has its part");
    const struct statistics_histogram *const both[2] = {running, before};
    struct statistics_times times = {
        .count = running->count + before->count,
        .max_ns = running->max_ns > before->max_ns ? running->max_ns : before->max_ns,
    };
    for (uint32_t i = 0; i < QUANTILE_COUNT && times.count > 0; i++) {
        uint64_t rank = (times.count * thousandths[i] + 999) / 1000;
        hob_ns at = quantile(both, rank);
        times.quantiles_ns[i] = at < times.max_ns ? at : times.max_ns;
    }
    return times;
}

static void
series_add(struct statistics *statistics, const struct statistics_cell *cell, uint32_t at) {
    hob_assert(at < STATISTICS_MINUTES);
    struct statistics_minute *minute = &statistics->series[STATISTICS_MINUTES - 1 - at];
    *minute = (struct statistics_minute){.at_ns = cell->minute * NS_PER_MINUTE};
    sum_add(&minute->sum, cell, 1, 1);
}

/* The first minute that a window may have: three days, or what there was room for. */
static uint32_t window_begin(const struct statistics *statistics, hob_ns since_ns, uint32_t now) {
    uint32_t begin = now >= STATISTICS_MINUTES ? now - STATISTICS_MINUTES + 1 : 0;
    uint64_t since = since_ns / NS_PER_MINUTE;
    if (since > now) since = now;
    if (since > begin) begin = (uint32_t)since;
    return statistics->kept > begin ? statistics->kept : begin;
}

bool statistics_read(
    struct statistics *statistics,
    const struct statistics_asked *asked,
    hob_ns now_ns,
    struct statistics_view *ret_view
) {
    uint32_t now = (uint32_t)(now_ns / NS_PER_MINUTE);
    uint32_t begin = window_begin(statistics, asked->since_ns, now);
    *ret_view = (struct statistics_view){.since_ns = begin * NS_PER_MINUTE};
    struct statistics_row *row = statistics_row(statistics, asked->of, asked->name, false);
    if (row == NULL) return false;
    times_turn(row, now / MINUTES_OF_DAY > row->day ? now / MINUTES_OF_DAY : row->day);
    ret_view->wait = times_read(&row->wait[0], &row->wait[1]);
    ret_view->run = times_read(&row->run[0], &row->run[1]);
    if (asked->series && statistics->series == NULL) {
        statistics->series =
            mem_alloc(statistics->mem, STATISTICS_MINUTES * sizeof *statistics->series);
    }
    uint64_t number = row->last;
    while (number >= statistics->first) {
        const struct statistics_cell *cell = cell_at(statistics, number);
        sum_recent(&ret_view->minute, cell, now_ns, 1);
        sum_recent(&ret_view->hour, cell, now_ns, MINUTES_OF_HOUR);
        bool is_inside = cell->minute >= begin;
        if (is_inside) sum_add(&ret_view->window, cell, 1, 1);
        if (is_inside && asked->series) series_add(statistics, cell, ret_view->series_count++);
        if (!is_inside && cell->minute + MINUTES_OF_HOUR < now) break;
        number = cell->previous;
    }
    if (asked->series) {
        ret_view->series = statistics->series + STATISTICS_MINUTES - ret_view->series_count;
    }
    return true;
}
