/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics as fields: the same for every dialect. Times that are measured are in µs, since most
 * waits are less than a ms. */
#include "dialect/statistics.h"

#include "base/assert.h"
#include "dialect/fields.h"
#include "dialect/session.h"

static void add_counts(struct fields *fields, const struct statistics_sum *sum) {
    static const char *const counters[] = {
#define X(name, word) [name] = word,
        STATISTICS_COUNTERS(X)
#undef X
#define X(name, word) [COUNTED_FAILED + name] = "failed_" word,
            ERROR_CAUSES(X)
#undef X
    };
    _Static_assert(hob_countof(counters) == COUNTERS, "each counter has a name");
    for (uint32_t i = 0; i < COUNTED_FAILED; i++) {
        fields_add_number(fields, counters[i], sum->counts[i]);
    }
    fields_add_number(fields, "failed", statistics_failed(sum));
    for (uint32_t i = COUNTED_FAILED; i < COUNTERS; i++) {
        fields_add_number(fields, counters[i], sum->counts[i]);
    }
}

/* Of all that started, and of all attempts that ended; absent when there were none. */
static void add_means(struct fields *fields, const struct statistics_sum *sum) {
    uint64_t started = sum->counts[COUNTED_STARTED];
    uint64_t ended = sum->counts[COUNTED_ENDED];
    if (started > 0) fields_add_number(fields, "wait_mean_us", sum->wait_ns / started / NS_PER_US);
    if (ended > 0) fields_add_number(fields, "run_mean_us", sum->run_ns / ended / NS_PER_US);
}

static void add_times(
    struct fields *fields,
    const struct statistics_times *times,
    const char *const names[QUANTILE_COUNT + 2]
) {
    fields_add_number(fields, names[0], times->count);
    for (uint32_t i = 0; i < QUANTILE_COUNT && times->count > 0; i++) {
        fields_add_number(fields, names[1 + i], times->quantiles_ns[i] / NS_PER_US);
    }
    if (times->count > 0) {
        fields_add_number(fields, names[QUANTILE_COUNT + 1], times->max_ns / NS_PER_US);
    }
}

static void add_rates(struct fields *fields, const struct statistics_view *view) {
    fields_add_number(fields, "pushed_minute", view->minute.counts[COUNTED_PUSHED]);
    fields_add_number(fields, "completed_minute", view->minute.counts[COUNTED_COMPLETED]);
    fields_add_number(fields, "failed_minute", statistics_failed(&view->minute));
    fields_add_number(fields, "pushed_hour", view->hour.counts[COUNTED_PUSHED]);
    fields_add_number(fields, "completed_hour", view->hour.counts[COUNTED_COMPLETED]);
    fields_add_number(fields, "failed_hour", statistics_failed(&view->hour));
}

static void add_age(struct fields *fields, hob_ns now_ns, hob_ns oldest_ns) {
    bool is_there = oldest_ns != 0 && now_ns > oldest_ns;
    fields_add_u64(fields, "oldest_age_ms", FIELD_SPAN, is_there ? now_ns - oldest_ns : 0);
}

void fields_of_statistics(
    struct fields *fields,
    const struct statistics_asked *asked,
    const struct statistics_waiting *waiting,
    hob_ns now_ns,
    const struct statistics_view *view
) {
    static const char *const waits[] = {
        "wait_count", "wait_p50_us", "wait_p90_us", "wait_p99_us", "wait_p999_us", "wait_max_us"};
    static const char *const runs[] = {
        "run_count", "run_p50_us", "run_p90_us", "run_p99_us", "run_p999_us", "run_max_us"};
    static const char *const words[] = {NULL, "queue", "kind"};
    if (asked->of != STATISTICS_ALL) {
        fields_add(fields, words[asked->of], FIELD_TEXT)->text = asked->name;
    }
    fields_add_u64(fields, "since_at", FIELD_TIME, view->since_ns);
    fields_add_u64(fields, "now", FIELD_TIME, now_ns);
    if (asked->of == STATISTICS_QUEUE && waiting != NULL) {
        fields_add_number(fields, "available", waiting->available);
        fields_add_number(fields, "running", waiting->running);
    }
    if (waiting != NULL) add_age(fields, now_ns, waiting->oldest_ns);
    add_counts(fields, &view->window);
    add_means(fields, &view->window);
    add_rates(fields, view);
    add_times(fields, &view->wait, waits);
    add_times(fields, &view->run, runs);
    if (asked->series) fields_add(fields, "series", FIELD_MINUTES)->statistics = view;
}

void fields_of_minute(struct fields *fields, const struct statistics_minute *minute) {
    fields_add_u64(fields, "at", FIELD_TIME, minute->at_ns);
    add_counts(fields, &minute->sum);
    add_means(fields, &minute->sum);
}

enum answer_code session_statistics(
    struct session *session,
    const struct statistics_asked *asked,
    struct statistics_report *ret_report
) {
    struct host *host = session->host;
    *ret_report = (struct statistics_report){.asked = *asked};
    bool is_there = host->ops->statistics(host->context, &ret_report->asked, &ret_report->view);
    struct statistics_waiting *waiting = &ret_report->waiting;
    if (asked->of == STATISTICS_ALL) return ANSWER_OK;
    if (asked->of == STATISTICS_KIND) {
        ret_report->has_waiting = true;
        waiting->oldest_ns = host->ops->kind_oldest(host->context, asked->name);
        return ANSWER_OK;
    }
    struct queue_view queue;
    ret_report->has_waiting = host->ops->queue(host->context, asked->name, &queue);
    if (!ret_report->has_waiting) return is_there ? ANSWER_OK : ANSWER_NO_QUEUE;
    waiting->available = queue.counts[JOB_AVAILABLE];
    waiting->running = queue.counts[JOB_RUNNING];
    waiting->oldest_ns = queue.oldest_ns;
    return ANSWER_OK;
}

void fields_of_report(
    struct fields *fields, const struct host *host, const struct statistics_report *report
) {
    const struct statistics_waiting *waiting = report->has_waiting ? &report->waiting : NULL;
    fields_of_statistics(fields, &report->asked, waiting, host->now_ns, &report->view);
}
