/* SPDX-License-Identifier: Apache-2.0 */
/* Feeding the counters. Each thing that is counted finds its row by a hash of its names; row 0 of
 * each table takes what comes when the table is full. */
#include "server/metrics.h"

#include "base/assert.h"
#include "base/siphash.h"

const hob_ns metrics_job_bounds[] = {
    NS_PER_MS,
    5 * NS_PER_MS,
    25 * NS_PER_MS,
    100 * NS_PER_MS,
    500 * NS_PER_MS,
    NS_PER_SECOND,
    5 * NS_PER_SECOND,
    10 * NS_PER_SECOND,
    30 * NS_PER_SECOND,
    NS_PER_MINUTE,
    5 * NS_PER_MINUTE,
    15 * NS_PER_MINUTE,
    NS_PER_HOUR,
    6 * NS_PER_HOUR,
    24 * NS_PER_HOUR,
};
const size_t metrics_job_bound_count = hob_countof(metrics_job_bounds);
_Static_assert(hob_countof(metrics_job_bounds) <= HISTOGRAM_BUCKETS_MAX, "a histogram has room");

const hob_ns metrics_request_bounds[] = {
    NS_PER_MS / 10,
    NS_PER_MS / 4,
    NS_PER_MS / 2,
    NS_PER_MS,
    5 * NS_PER_MS / 2,
    5 * NS_PER_MS,
    10 * NS_PER_MS,
    25 * NS_PER_MS,
    50 * NS_PER_MS,
    100 * NS_PER_MS,
    250 * NS_PER_MS,
    500 * NS_PER_MS,
    NS_PER_SECOND,
    5 * NS_PER_SECOND,
};
const size_t metrics_request_bound_count = hob_countof(metrics_request_bounds);
_Static_assert(hob_countof(metrics_request_bounds) <= HISTOGRAM_BUCKETS_MAX, "there is room");

void histogram_add(struct histogram *histogram, const hob_ns *bounds, size_t count, hob_ns span) {
    size_t bucket = 0;
    while (bucket < count && span > bounds[bucket]) bucket++;
    histogram->counts[bucket == count ? HISTOGRAM_BUCKETS_MAX : bucket]++;
    histogram->count++;
    histogram->sum_ns = ns_add(histogram->sum_ns, span);
}

static void *table(struct metrics *metrics, size_t count, size_t each) {
    return mem_zero_alloc(metrics->mem, count * each);
}

void metrics_init(struct metrics *metrics, struct mem *mem, struct siphash_key key) {
    *metrics = (struct metrics){.mem = mem, .key = key};
    metrics->queues = table(metrics, METRICS_QUEUES_MAX + 1, sizeof *metrics->queues);
    metrics->series = table(metrics, METRICS_SERIES_MAX + 1, sizeof *metrics->series);
    metrics->ops = table(metrics, METRICS_OPS_MAX + 1, sizeof *metrics->ops);
    metrics->requests = table(metrics, METRICS_REQUESTS_MAX + 1, sizeof *metrics->requests);
    metrics->pending = table(metrics, METRICS_PENDING_MAX, sizeof *metrics->pending);
    metrics->queue_count = 1;
    metrics->series_count = 1;
    metrics->op_count = 1;
    metrics->request_count = 1;
    metrics->ops[0] = (struct metrics_op){.protocol = "other", .op = SLICE("other")};
}

void metrics_deinit(struct metrics *metrics) {
    struct mem *mem = metrics->mem;
    if (mem == NULL) return;
    mem_free(mem, metrics->queues, (METRICS_QUEUES_MAX + 1) * sizeof *metrics->queues);
    mem_free(mem, metrics->series, (METRICS_SERIES_MAX + 1) * sizeof *metrics->series);
    mem_free(mem, metrics->ops, (METRICS_OPS_MAX + 1) * sizeof *metrics->ops);
    mem_free(mem, metrics->requests, (METRICS_REQUESTS_MAX + 1) * sizeof *metrics->requests);
    mem_free(mem, metrics->pending, METRICS_PENDING_MAX * sizeof *metrics->pending);
    index_deinit(&metrics->queue_index, mem);
    index_deinit(&metrics->series_index, mem);
    index_deinit(&metrics->request_index, mem);
    metrics->mem = NULL;
}

/* --- jobs --- */

static bool queue_is(const void *context, uint32_t item, const void *key) {
    const struct metrics *metrics = context;
    const struct metrics_queue *queue = &metrics->queues[item];
    return slice_equal(slice_of(queue->name, queue->name_size), *(const struct slice *)key);
}

/* The engine holds each name once, so that its address nearly always tells which row is meant: most
 * events need no hash. An address may be used again; the name decides. */
static uint32_t *recent_at(uint32_t *recent, const char *name, const char *other) {
    uintptr_t mixed = (uintptr_t)name ^ ((uintptr_t)other << 3);
    return &recent[(mixed >> 4 ^ mixed >> 12) & (METRICS_RECENT - 1)];
}

static struct metrics_queue *queue_row(struct metrics *metrics, struct slice name) {
    uint32_t *recent = recent_at(metrics->queue_recent, name.bytes, NULL);
    if (*recent != 0 && queue_is(metrics, *recent, &name)) return &metrics->queues[*recent];
    uint64_t hash = siphash(metrics->key, name);
    uint32_t at = index_find(&metrics->queue_index, hash, queue_is, metrics, &name);
    *recent = at;
    if (at != 0) return &metrics->queues[at];
    if (metrics->queue_count > METRICS_QUEUES_MAX) return &metrics->queues[0];
    at = metrics->queue_count++;
    struct metrics_queue *row = &metrics->queues[at];
    hob_assert(name.size <= sizeof row->name);
    memcpy(row->name, name.bytes, name.size);
    row->name_size = (uint32_t)name.size;
    index_add(&metrics->queue_index, metrics->mem, hash, at);
    return row;
}

struct pair {
    struct slice queue;
    struct slice kind;
};

static bool series_is(const void *context, uint32_t item, const void *key) {
    const struct metrics *metrics = context;
    const struct metrics_series *row = &metrics->series[item];
    const struct pair *pair = key;
    return slice_equal(slice_of(row->queue, row->queue_size), pair->queue) &&
           slice_equal(slice_of(row->kind, row->kind_size), pair->kind);
}

static struct metrics_series *series_row(struct metrics *metrics, struct pair pair) {
    uint32_t *recent = recent_at(metrics->series_recent, pair.queue.bytes, pair.kind.bytes);
    if (*recent != 0 && series_is(metrics, *recent, &pair)) return &metrics->series[*recent];
    uint64_t hash =
        index_hash_pair(siphash(metrics->key, pair.queue), siphash(metrics->key, pair.kind));
    uint32_t at = index_find(&metrics->series_index, hash, series_is, metrics, &pair);
    *recent = at;
    if (at != 0) return &metrics->series[at];
    if (metrics->series_count > METRICS_SERIES_MAX) return &metrics->series[0];
    at = metrics->series_count++;
    struct metrics_series *row = &metrics->series[at];
    hob_assert(pair.queue.size <= sizeof row->queue);
    hob_assert(pair.kind.size <= sizeof row->kind);
    memcpy(row->queue, pair.queue.bytes, pair.queue.size);
    memcpy(row->kind, pair.kind.bytes, pair.kind.size);
    row->queue_size = (uint32_t)pair.queue.size;
    row->kind_size = (uint32_t)pair.kind.size;
    index_add(&metrics->series_index, metrics->mem, hash, at);
    return row;
}

/* The response to a webhook, as its job tells of it: done is 2xx, else the code of the error. */
static void count_webhook(struct metrics *metrics, const struct event *event) {
    if (!slice_equal(event->kind, SLICE("hob.webhook"))) return;
    if (event->state == JOB_COMPLETED) {
        metrics->webhooks[2]++;
    } else if (event->has_error) {
        int32_t hundreds = event->code / 100;
        bool is_status = hundreds >= 1 && hundreds <= 5;
        metrics->webhooks[is_status ? hundreds : 0]++;
    }
}

static void observe(struct histogram *histogram, hob_ns span) {
    histogram_add(histogram, metrics_job_bounds, metrics_job_bound_count, span);
}

void metrics_event(struct metrics *metrics, const struct event *event) {
    if (event->type != EVENT_STATE) return;
    struct metrics_queue *queue = queue_row(metrics, event->queue);
    if (event->is_new) queue->enqueued++;
    if (event->state == JOB_COMPLETED) queue->completed++;
    if (event->state == JOB_DISCARDED) queue->discarded++;
    if (event->state == JOB_CANCELLED) queue->cancelled++;
    if (event->state == JOB_RETRYABLE) queue->retried++;
    if (event->has_error) {
        hob_assert(event->cause < ERROR_CAUSE_COUNT);
        queue->failed[event->cause]++;
    }
    bool starts = event->state == JOB_RUNNING;
    bool ends = !event->is_new && event->from == JOB_RUNNING;
    if (!starts && !ends) return;
    struct metrics_series *series =
        series_row(metrics, (struct pair){.queue = event->queue, .kind = event->kind});
    if (starts) observe(&series->wait, event->waited_ns);
    if (ends) observe(&series->run, event->ran_ns);
    if (event->state == JOB_COMPLETED && event->at_ns >= event->created_ns) {
        observe(&series->total, event->at_ns - event->created_ns);
    }
    if (ends) count_webhook(metrics, event);
}

/* --- requests --- */

/* Operations are few, and their names are static: compared by their address. */
static uint32_t op_row(struct metrics *metrics, const char *protocol, struct slice op) {
    for (uint32_t at = 1; at < metrics->op_count; at++) {
        const struct metrics_op *row = &metrics->ops[at];
        if (row->op.bytes == op.bytes && row->protocol == protocol) return at;
    }
    if (metrics->op_count > METRICS_OPS_MAX) return 0;
    metrics->ops[metrics->op_count] = (struct metrics_op){.protocol = protocol, .op = op};
    return metrics->op_count++;
}

struct request_key {
    const char *protocol;
    struct slice op;
    struct slice code;
};

static bool request_is(const void *context, uint32_t item, const void *key) {
    const struct metrics *metrics = context;
    const struct metrics_request *row = &metrics->requests[item];
    const struct request_key *wanted = key;
    return metrics->ops[row->op].op.bytes == wanted->op.bytes &&
           metrics->ops[row->op].protocol == wanted->protocol &&
           slice_equal(slice_of(row->code, row->code_size), wanted->code);
}

static struct metrics_request *request_row(struct metrics *metrics, struct request_key key) {
    uint64_t code = 0;
    memcpy(&code, key.code.bytes, key.code.size < sizeof code ? key.code.size : sizeof code);
    uint64_t hash = index_hash_pair((uintptr_t)key.op.bytes, code);
    uint32_t at = index_find(&metrics->request_index, hash, request_is, metrics, &key);
    if (at != 0) return &metrics->requests[at];
    uint32_t op = op_row(metrics, key.protocol, key.op);
    bool is_full = op == 0 || metrics->request_count > METRICS_REQUESTS_MAX;
    if (is_full) return &metrics->requests[0];
    at = metrics->request_count++;
    struct metrics_request *row = &metrics->requests[at];
    *row = (struct metrics_request){.op = op, .code_size = (uint32_t)key.code.size};
    memcpy(row->code, key.code.bytes, key.code.size);
    index_add(&metrics->request_index, metrics->mem, hash, at);
    return row;
}

void metrics_turn(struct metrics *metrics, hob_ns now_ns) {
    metrics->turn_began_ns = now_ns;
}

void metrics_served(
    struct metrics *metrics, const char *protocol, struct slice op, struct slice code
) {
    if (code.size > METRICS_CODE_BYTES_MAX) code.size = METRICS_CODE_BYTES_MAX;
    struct request_key key = {.protocol = protocol, .op = op, .code = code};
    struct metrics_request *row = request_row(metrics, key);
    row->count++;
    hob_assert(metrics->pending != NULL);
    struct metrics_pending *last =
        metrics->pending_count == 0 ? NULL : &metrics->pending[metrics->pending_count - 1];
    if (last != NULL && last->seq == 0 && last->op == row->op) {
        last->count++;
    } else if (metrics->pending_count < METRICS_PENDING_MAX) {
        metrics->pending[metrics->pending_count++] = (struct metrics_pending){
            .began_ns = metrics->turn_began_ns,
            .op = row->op,
            .count = 1,
        };
    }
}

void metrics_turn_end(struct metrics *metrics, uint64_t seq) {
    hob_assert(metrics->pending != NULL);
    /* A sequence of 0 would look like a turn that goes on. */
    for (uint32_t i = metrics->pending_count; i-- > 0 && metrics->pending[i].seq == 0;) {
        metrics->pending[i].seq = seq + 1;
    }
}

void metrics_durable(struct metrics *metrics, uint64_t seq, hob_ns now_ns) {
    uint32_t done = 0;
    while (done < metrics->pending_count) {
        const struct metrics_pending *pending = &metrics->pending[done];
        if (pending->seq == 0 || pending->seq - 1 > seq) break;
        hob_ns span = now_ns > pending->began_ns ? now_ns - pending->began_ns : 0;
        struct histogram *time = &metrics->ops[pending->op].time;
        for (uint32_t i = 0; i < pending->count; i++) {
            histogram_add(time, metrics_request_bounds, metrics_request_bound_count, span);
        }
        done++;
    }
    if (done == 0) return;
    metrics->pending_count -= done;
    memmove(
        metrics->pending, metrics->pending + done, metrics->pending_count * sizeof *metrics->pending
    );
}
