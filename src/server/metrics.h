/* SPDX-License-Identifier: Apache-2.0 */
/* What /metrics tells (doc/guide/monitoring.md lists the names): counters and histograms that are
 * fed by events and requests as they come, and gauges that are read when somebody asks.
 *
 * Bounded: 1,000 queues, 200 pairs of queue and kind, 500 kinds of requests; what comes later is
 * counted under `~other`, which no queue or kind can be called. */
#ifndef HOB_SERVER_METRICS_H
#define HOB_SERVER_METRICS_H

#include "base/buf.h"
#include "base/index.h"
#include "base/siphash.h"
#include "dialect/host.h"
#include "engine/event.h"

enum {
    METRICS_QUEUES_MAX = 1000,
    METRICS_SERIES_MAX = 200,
    METRICS_REQUESTS_MAX = 500,
    METRICS_OPS_MAX = 200,
    METRICS_PENDING_MAX = 4096,
    METRICS_CODE_BYTES_MAX = 20,
    METRICS_RECENT = 256, /* rows that are found by the address of a name; a power of two */
    METRICS_CLASSES = 6,  /* of responses to webhooks: none, 1xx … 5xx */
    HISTOGRAM_BUCKETS_MAX = 16,
};

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS_MAX + 1]; /* by bucket; the last: above all */
    uint64_t count;
    hob_ns sum_ns;
};

/* Since this process started. */
struct metrics_queue {
    uint32_t name_size;
    char name[NAME_BYTES_MAX];
    uint64_t enqueued;
    uint64_t completed;
    uint64_t discarded;
    uint64_t cancelled;
    uint64_t retried;
    uint64_t failed[ERROR_CAUSE_COUNT];
};

struct metrics_series {
    uint32_t queue_size;
    uint32_t kind_size;
    char queue[NAME_BYTES_MAX];
    char kind[NAME_BYTES_MAX];
    struct histogram wait;
    struct histogram run;
    struct histogram total;
};

struct metrics_op {
    const char *protocol; /* static */
    struct slice op;      /* static */
    struct histogram time;
};

struct metrics_request {
    uint32_t op;
    uint32_t code_size;
    char code[METRICS_CODE_BYTES_MAX];
    uint64_t count;
};

/* Requests of a turn whose replies are not durable yet. */
struct metrics_pending {
    uint64_t seq; /* 0: the turn has not ended */
    hob_ns began_ns;
    uint32_t op;
    uint32_t count;
};

struct metrics {
    struct mem *mem;
    struct siphash_key key;
    struct metrics_queue *queues; /* [0] is `other` */
    uint32_t queue_count;
    uint32_t queue_recent[METRICS_RECENT]; /* by address of the name; a hint, 0: none */
    struct index queue_index;
    struct metrics_series *series; /* [0] is `other` */
    uint32_t series_count;
    uint32_t series_recent[METRICS_RECENT];
    struct index series_index;
    struct metrics_op *ops; /* [0] is `other` */
    uint32_t op_count;
    struct metrics_request *requests; /* [0] is `other` */
    uint32_t request_count;
    struct index request_index;
    struct metrics_pending *pending;
    uint32_t pending_count;
    hob_ns turn_began_ns;
    uint64_t webhooks[METRICS_CLASSES];
    hob_ns timer_lag_ns;
};

/** Empty. @key is secret: names come from outside. */
void metrics_init(struct metrics *metrics, struct mem *mem, struct siphash_key key);
void metrics_deinit(struct metrics *metrics);

/** Something happened to a job. */
void metrics_event(struct metrics *metrics, const struct event *event);

/** A turn begins at @now_ns; requests are served in it; its output waits for @seq; all up to @seq
 * is durable. */
void metrics_turn(struct metrics *metrics, hob_ns now_ns);
void metrics_served(
    struct metrics *metrics, const char *protocol, struct slice op, struct slice code
);
void metrics_turn_end(struct metrics *metrics, uint64_t seq);
void metrics_durable(struct metrics *metrics, uint64_t seq, hob_ns now_ns);

/** @span falls into a bucket: @bounds, ascending, say where each ends. */
void histogram_add(struct histogram *histogram, const hob_ns *bounds, size_t count, hob_ns span);

/* Bounds of the histograms. */
extern const hob_ns metrics_job_bounds[];
extern const size_t metrics_job_bound_count;
extern const hob_ns metrics_request_bounds[];
extern const size_t metrics_request_bound_count;

#endif
