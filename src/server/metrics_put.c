/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each family of metrics. The cost is one of rows, not of jobs: gauges come from
 * counts that the engine keeps. */
#include "server/metrics_put.h"

#include "base/assert.h"
#include "os/self.h"

enum { WORKERS_LISTED_MAX = 10000 };

static void head(struct buf *out, const char *name, const char *type, const char *help) {
    (void)buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void value(struct buf *out, const char *name, const char *labels, uint64_t number) {
    (void)buf_printf(out, "%s%s %llu\n", name, labels, (unsigned long long)number);
}

static void seconds(struct buf *out, const char *name, const char *labels, hob_ns span) {
    (void)buf_printf(
        out,
        "%s%s %llu.%09llu\n",
        name,
        labels,
        (unsigned long long)(span / NS_PER_SECOND),
        (unsigned long long)(span % NS_PER_SECOND)
    );
}

static void
one(struct buf *out, const char *name, const char *type, const char *help, uint64_t number) {
    head(out, name, type, help);
    value(out, name, "", number);
}

/* What is counted together; no name of a queue or kind can be this one. */
#define OTHER SLICE("~other")

static struct slice other_or(const char *bytes, uint32_t size, uint32_t at) {
    return at == 0 ? OTHER : slice_of(bytes, size);
}

/* NAME{queue="QUEUE",state="STATE"} NUMBER, for the many: no printf. @state may be NULL. */
static void queue_line(
    struct buf *out, const char *name, struct slice queue, const char *state, uint64_t number
) {
    (void)buf_put_str(out, name);
    (void)buf_put_str(out, "{queue=\"");
    (void)buf_put_slice(out, queue);
    if (state != NULL) {
        (void)buf_put_str(out, "\",state=\"");
        (void)buf_put_str(out, state);
    }
    (void)buf_put_str(out, "\"} ");
    (void)buf_put_u64(out, number);
    (void)buf_put_char(out, '\n');
}

/* Buckets of Prometheus are cumulative. @labels without braces, may be empty. */
static void put_histogram(
    struct buf *out,
    const char *name,
    const char *labels,
    const struct histogram *histogram,
    const hob_ns *bounds,
    size_t count
) {
    uint64_t sum = 0;
    const char *comma = *labels == '\0' ? "" : ",";
    for (size_t i = 0; i < count; i++) {
        sum += histogram->counts[i];
        (void)buf_printf(
            out,
            "%s_bucket{%s%sle=\"%.9g\"} %llu\n",
            name,
            labels,
            comma,
            (double)bounds[i] / (double)NS_PER_SECOND,
            (unsigned long long)sum
        );
    }
    unsigned long long all = (unsigned long long)histogram->count;
    (void)buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma, all);
    const char *open = *labels == '\0' ? "" : "{";
    const char *end = *labels == '\0' ? "" : "}";
    double sum_seconds = (double)histogram->sum_ns / (double)NS_PER_SECOND;
    (void)buf_printf(out, "%s_sum%s%s%s %.9f\n", name, open, labels, end, sum_seconds);
    (void)buf_printf(out, "%s_count%s%s%s %llu\n", name, open, labels, end, all);
}

/* --- jobs --- */

/* Counts by state; the queues behind the first thousand together. */
static void put_jobs(const struct engine *engine, struct buf *out) {
    struct engine_stats stats;
    struct queue_view queue;
    uint32_t at = 0;
    engine_stats(engine, &stats);
    head(out, "hob_jobs", "gauge", "Jobs that there are, by queue and state.");
    for (; at < METRICS_QUEUES_MAX && engine_queue_at(engine, at, &queue); at++) {
        for (enum job_state state = 0; state < JOB_STATE_COUNT; state++) {
            stats.counts[state] -= queue.counts[state];
            queue_line(out, "hob_jobs", queue.name, job_state_word(state), queue.counts[state]);
        }
    }
    bool more = engine_queue_at(engine, at, &queue);
    for (enum job_state state = 0; more && state < JOB_STATE_COUNT; state++) {
        queue_line(out, "hob_jobs", OTHER, job_state_word(state), stats.counts[state]);
    }
    one(out, "hob_queues", "gauge", "Queues that there are.", stats.queues);
}

static void put_queues(const struct server *server, struct buf *out) {
    const struct engine *engine = space_engine(server->space);
    hob_ns now_ns = server->host.now_ns;
    struct queue_view queue;
    head(
        out,
        "hob_queue_latency_seconds",
        "gauge",
        "Age of the oldest job that waits to be fetched; 0 when there is none."
    );
    for (uint32_t at = 0; at < METRICS_QUEUES_MAX && engine_queue_at(engine, at, &queue); at++) {
        bool waits = queue.oldest_ns != 0 && queue.oldest_ns < now_ns;
        (void)buf_printf(
            out,
            "hob_queue_latency_seconds{queue=\"%.*s\"} %.3f\n",
            SLICE_ARG(queue.name),
            waits ? (double)(now_ns - queue.oldest_ns) / (double)NS_PER_SECOND : 0.0
        );
    }
    head(out, "hob_queue_paused", "gauge", "Whether the queue is paused.");
    for (uint32_t at = 0; at < METRICS_QUEUES_MAX && engine_queue_at(engine, at, &queue); at++) {
        queue_line(out, "hob_queue_paused", queue.name, NULL, queue.paused);
    }
}

static void put_counters(const struct metrics *metrics, struct buf *out) {
    static const struct {
        const char *name;
        const char *help;
        size_t at;
    } counters[] = {
        {"hob_jobs_enqueued_total", "Jobs pushed.", offsetof(struct metrics_queue, enqueued)},
        {"hob_jobs_completed_total", "Jobs completed.", offsetof(struct metrics_queue, completed)},
        {"hob_jobs_retried_total",
         "Failed attempts after which another one was planned.",
         offsetof(struct metrics_queue, retried)},
        {"hob_jobs_discarded_total",
         "Jobs that failed for good.",
         offsetof(struct metrics_queue, discarded)},
        {"hob_jobs_cancelled_total", "Jobs cancelled.", offsetof(struct metrics_queue, cancelled)},
    };
    for (size_t i = 0; i < hob_countof(counters); i++) {
        head(out, counters[i].name, "counter", counters[i].help);
        for (uint32_t at = 0; at < metrics->queue_count; at++) {
            const struct metrics_queue *queue = &metrics->queues[at];
            uint64_t count = *(const uint64_t *)((const char *)queue + counters[i].at);
            if (at == 0 && count == 0) continue;
            struct slice name = other_or(queue->name, queue->name_size, at);
            queue_line(out, counters[i].name, name, NULL, count);
        }
    }
    head(out, "hob_jobs_failed_total", "counter", "Attempts that failed, by cause.");
    for (uint32_t at = 0; at < metrics->queue_count; at++) {
        const struct metrics_queue *queue = &metrics->queues[at];
        struct slice name = other_or(queue->name, queue->name_size, at);
        for (enum error_cause cause = 0; cause < ERROR_CAUSE_COUNT; cause++) {
            if (queue->failed[cause] == 0) continue;
            (void)buf_printf(
                out,
                "hob_jobs_failed_total{queue=\"%.*s\",cause=\"%s\"} %llu\n",
                SLICE_ARG(name),
                error_cause_word(cause),
                (unsigned long long)queue->failed[cause]
            );
        }
    }
}

static void put_times(const struct metrics *metrics, struct buf *out) {
    static const struct {
        const char *name;
        const char *help;
        size_t at;
    } times[] = {
        {"hob_job_wait_seconds",
         "From available to running, for each attempt.",
         offsetof(struct metrics_series, wait)},
        {"hob_job_run_seconds",
         "How long attempts ran, however they ended.",
         offsetof(struct metrics_series, run)},
        {"hob_job_total_seconds",
         "From the push to the end, of completed jobs.",
         offsetof(struct metrics_series, total)},
    };
    for (size_t i = 0; i < hob_countof(times); i++) {
        head(out, times[i].name, "histogram", times[i].help);
        for (uint32_t at = 0; at < metrics->series_count; at++) {
            const struct metrics_series *series = &metrics->series[at];
            const struct histogram *histogram =
                (const struct histogram *)((const char *)series + times[i].at);
            if (at == 0 && histogram->count == 0) continue;
            struct slice queue = other_or(series->queue, series->queue_size, at);
            struct slice kind = other_or(series->kind, series->kind_size, at);
            char labels[2 * NAME_BYTES_MAX + 32];
            (void)snprintf(
                labels,
                sizeof labels,
                "queue=\"%.*s\",kind=\"%.*s\"",
                SLICE_ARG(queue),
                SLICE_ARG(kind)
            );
            put_histogram(
                out, times[i].name, labels, histogram, metrics_job_bounds, metrics_job_bound_count
            );
        }
    }
}

/* --- workers and clients --- */

/* Only kinds that have such jobs get a line: an alert on `> 0` is over when the line is gone. */
static void put_unserved(struct server *server, struct buf *out) {
    struct unserved_list list;
    engine_unserved(space_engine(server->space), server->host.now_ns, UNSERVED_STEPS_MAX, &list);
    head(out, "hob_unserved_jobs", "gauge", "Available jobs whose kind no live worker runs.");
    uint64_t rest = list.available;
    for (uint32_t i = 0; i < list.count; i++) {
        const struct unserved_view *row = &list.rows[i];
        (void)buf_printf(
            out,
            "hob_unserved_jobs{queue=\"%.*s\",kind=\"%.*s\"",
            SLICE_ARG(row->queue),
            SLICE_ARG(row->kind)
        );
        if (row->cost > 0) {
            (void)buf_printf(out, ",needs=\"%.*s\",slots=\"%u\"", SLICE_ARG(row->needs), row->cost);
        }
        (void)buf_printf(out, "} %llu\n", (unsigned long long)row->available);
        rest -= row->available;
    }
    if (rest == 0) return;
    value(out, "hob_unserved_jobs", "{queue=\"~other\",kind=\"~other\"}", rest);
}

static void put_workers(struct server *server, struct buf *out) {
    const struct engine *engine = space_engine(server->space);
    uint64_t counts[2] = {0, 0};
    uint64_t slots[2] = {0, 0};
    struct worker_view worker;
    for (uint32_t at = 0; at < WORKERS_LISTED_MAX && engine_worker_at(engine, at, &worker); at++) {
        bool alive = worker.alive_until_ns > server->host.now_ns;
        counts[alive]++;
        slots[0] += worker.running;
        /* Who never said how many it has, has no number of free ones. */
        if (alive && worker.slots < WORKER_SLOTS_MAX && worker.slots > worker.running) {
            slots[1] += worker.slots - worker.running;
        }
    }
    head(out, "hob_workers", "gauge", "Workers that are known: alive, or silent.");
    value(out, "hob_workers", "{state=\"alive\"}", counts[1]);
    value(out, "hob_workers", "{state=\"silent\"}", counts[0]);
    head(out, "hob_worker_slots", "gauge", "Slots of the workers.");
    value(out, "hob_worker_slots", "{state=\"busy\"}", slots[0]);
    value(out, "hob_worker_slots", "{state=\"free\"}", slots[1]);
}

static void put_requests(const struct metrics *metrics, struct buf *out) {
    head(out, "hob_requests_total", "counter", "Requests served.");
    for (uint32_t at = 0; at < metrics->request_count; at++) {
        const struct metrics_request *row = &metrics->requests[at];
        if (at == 0 && row->count == 0) continue;
        const struct metrics_op *op = &metrics->ops[row->op];
        struct slice code = other_or(row->code, row->code_size, at);
        (void)buf_printf(
            out,
            "hob_requests_total{protocol=\"%s\",op=\"%.*s\",code=\"%.*s\"} %llu\n",
            op->protocol,
            SLICE_ARG(op->op),
            SLICE_ARG(code),
            (unsigned long long)row->count
        );
    }
    head(
        out,
        "hob_request_seconds",
        "histogram",
        "From the turn in which a request was answered until its answer was durable."
    );
    for (uint32_t at = 0; at < metrics->op_count; at++) {
        const struct metrics_op *op = &metrics->ops[at];
        if (op->time.count == 0) continue;
        char labels[160];
        (void)snprintf(
            labels, sizeof labels, "protocol=\"%s\",op=\"%.*s\"", op->protocol, SLICE_ARG(op->op)
        );
        put_histogram(
            out,
            "hob_request_seconds",
            labels,
            &op->time,
            metrics_request_bounds,
            metrics_request_bound_count
        );
    }
}

static void put_connections(struct server *server, struct buf *out) {
    uint64_t http = 0;
    uint64_t resp = 0;
    uint64_t fresh = 0; /* nothing has come yet that tells */
    for (uint32_t slot = 0; slot < server->client_capacity; slot++) {
        const struct client *client = server->clients[slot];
        if (client == NULL) continue;
        if (client->session == NULL) {
            fresh++;
        } else if (strcmp(client->session->dialect->name, "http") == 0) {
            http++;
        } else {
            resp++;
        }
    }
    head(out, "hob_connections", "gauge", "Connections that are open.");
    value(out, "hob_connections", "{protocol=\"http\"}", http);
    value(out, "hob_connections", "{protocol=\"resp\"}", resp);
    value(out, "hob_connections", "{protocol=\"unknown\"}", fresh);
    one(out, "hob_event_streams", "gauge", "Event streams that go on.", server->host.streams);
    one(out,
        "hob_event_streams_dropped_total",
        "counter",
        "Readers of events that were too slow.",
        server->host.streams_dropped);
    const uint64_t *webhooks = server->metrics.webhooks;
    static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    head(
        out,
        "hob_webhook_responses_total",
        "counter",
        "Responses to webhooks by class; none: no response came."
    );
    for (size_t i = 0; i < hob_countof(classes); i++) {
        char labels[32];
        (void)snprintf(labels, sizeof labels, "{class=\"%s\"}", classes[i]);
        value(out, "hob_webhook_responses_total", labels, webhooks[i]);
    }
}

/* Who was let in, and who was not. */
static void put_door(struct server *server, struct buf *out) {
    const struct door *door = &server->door;
    head(out, "hob_logins_total", "counter", "Tokens that were shown, right or wrong.");
    value(out, "hob_logins_total", "{result=\"ok\"}", door->logins);
    value(out, "hob_logins_total", "{result=\"refused\"}", door->refused);
    one(out,
        "hob_requests_denied_total",
        "counter",
        "Requests past what their token allows.",
        door->denied);
    one(out,
        "hob_connections_refused_total",
        "counter",
        "Connections that were turned away, being too many.",
        net_refused(server->net));
    one(out,
        "hob_tls_handshakes_failed_total",
        "counter",
        "TLS handshakes that failed.",
        net_handshakes_failed(server->net));
}

/* --- storage, memory, process --- */

static void put_storage(struct server *server, struct buf *out) {
    struct space_stats space;
    space_stats(server->space, &space);
    struct histogram sync = {.sum_ns = space.journal.sync_ns};
    hob_ns bounds[JOURNAL_SYNC_BUCKETS - 1];
    for (size_t i = 0; i < JOURNAL_SYNC_BUCKETS; i++) {
        bool is_last = i == JOURNAL_SYNC_BUCKETS - 1;
        if (!is_last) bounds[i] = JOURNAL_SYNC_FIRST_NS << i;
        sync.counts[is_last ? HISTOGRAM_BUCKETS_MAX : i] = space.journal.sync_counts[i];
        sync.count += space.journal.sync_counts[i];
    }
    head(out, "hob_log_fsync_seconds", "histogram", "How long syncs of the journal took.");
    put_histogram(out, "hob_log_fsync_seconds", "", &sync, bounds, JOURNAL_SYNC_BUCKETS - 1);
    one(out,
        "hob_log_written_bytes_total",
        "counter",
        "Bytes of all batches given to the journal.",
        space.batch_bytes);
    one(out, "hob_log_batches_total", "counter", "Batches given to the journal.", space.batches);
    head(out, "hob_store_bytes", "gauge", "Bytes on the disk, and of the bodies among them.");
    value(out, "hob_store_bytes", "{kind=\"journal\"}", space.journal.stored_bytes);
    value(out, "hob_store_bytes", "{kind=\"bodies\"}", space.body_bytes);
    one(out, "hob_store_full", "gauge", "Whether the disk is full: pushes are refused.", space.full
    );
    head(
        out, "hob_timer_lag_seconds", "gauge", "How late the latest turn began that time asked for."
    );
    seconds(out, "hob_timer_lag_seconds", "", server->metrics.timer_lag_ns);
    struct engine_stats engine;
    engine_stats(space_engine(server->space), &engine);
    one(out, "hob_memory_bytes", "gauge", "Memory of the engine.", engine.memory_bytes);
    one(out,
        "hob_memory_max_bytes",
        "gauge",
        "Its ceiling; pushes are refused from 80 % of it on.",
        engine.memory_max_bytes);
}

static void put_clock(const struct timekeeper *keeper, struct buf *out) {
    head(
        out,
        "hob_clock_jumps_total",
        "counter",
        "How often nobody could reach the server, or the wall clock was put forward, for over 5 s."
    );
    for (size_t i = 0; i < CLOCK_CAUSE_COUNT; i++) {
        char labels[32];
        (void
        )snprintf(labels, sizeof labels, "{cause=\"%s\"}", clock_cause_word((enum clock_cause)i));
        value(out, "hob_clock_jumps_total", labels, keeper->jumps[i]);
    }
    head(out, "hob_clock_jumped_seconds_total", "counter", "By all jumps together.");
    seconds(out, "hob_clock_jumped_seconds_total", "", keeper->jumped_ns);
    head(out, "hob_clock_last_jump_seconds", "gauge", "By the latest jump; 0: there was none.");
    seconds(out, "hob_clock_last_jump_seconds", "", keeper->last_jump.by_ns);
    head(out, "hob_clock_last_jump_timestamp_seconds", "gauge", "When that was, Unix time.");
    seconds(out, "hob_clock_last_jump_timestamp_seconds", "", keeper->last_jump_ns);
    int64_t ahead_ns = timekeeper_ahead(keeper);
    head(
        out,
        "hob_clock_ahead_seconds",
        "gauge",
        "By how much the time of jobs is ahead of the wall clock, which was put back."
    );
    (void)buf_put_str(out, ahead_ns < 0 ? "hob_clock_ahead_seconds -" : "hob_clock_ahead_seconds ");
    hob_ns size_ns = (hob_ns)(ahead_ns < 0 ? -ahead_ns : ahead_ns);
    (void)buf_printf(
        out,
        "%llu.%09llu\n",
        (unsigned long long)(size_ns / NS_PER_SECOND),
        (unsigned long long)(size_ns % NS_PER_SECOND)
    );
}

static void put_process(struct server *server, struct buf *out) {
    struct self_usage usage;
    self_usage(&usage);
    head(out, "process_cpu_seconds_total", "counter", "Processor time, user and system.");
    seconds(out, "process_cpu_seconds_total", "", usage.cpu_ns);
    one(out, "process_resident_memory_bytes", "gauge", "Resident memory.", usage.resident_bytes);
    one(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.", usage.virtual_bytes);
    one(out, "process_open_fds", "gauge", "Open file descriptors.", usage.open_files);
    one(out, "process_max_fds", "gauge", "How many there may be.", usage.max_files);
    head(out, "process_start_time_seconds", "gauge", "When it started, Unix time.");
    seconds(out, "process_start_time_seconds", "", server->wall_ns);
    head(out, "hob_build_info", "gauge", "Which Hob this is; always 1.");
    (void)buf_printf(out, "hob_build_info{version=\"%s\"} 1\n", server->options->version);
}

void metrics_put(struct server *server, struct buf *out) {
    put_jobs(space_engine(server->space), out);
    put_queues(server, out);
    put_counters(&server->metrics, out);
    put_times(&server->metrics, out);
    put_workers(server, out);
    put_unserved(server, out);
    put_requests(&server->metrics, out);
    put_connections(server, out);
    put_door(server, out);
    put_storage(server, out);
    put_clock(&server->timekeeper, out);
    put_process(server, out);
}
