/* SPDX-License-Identifier: Apache-2.0 */
/* Counters and histograms, fed by hand. */
#include "server/metrics.h"

#include "base/test.h"

static const struct siphash_key key = {.words = {1, 2}};

static struct event change(const char *queue, enum job_state from, enum job_state state) {
    return (struct event){
        .type = EVENT_STATE,
        .id = 1,
        .from = from,
        .state = state,
        .queue = slice_str(queue),
        .kind = SLICE("k"),
        .created_ns = NS_PER_SECOND,
        .at_ns = 3 * NS_PER_SECOND,
    };
}

TEST(a_job_is_counted_at_each_of_its_steps) {
    struct mem mem = {0};
    struct metrics metrics;
    metrics_init(&metrics, &mem, key);
    struct event event = change("q", JOB_AVAILABLE, JOB_AVAILABLE);
    event.is_new = true;
    metrics_event(&metrics, &event);
    event = change("q", JOB_AVAILABLE, JOB_RUNNING);
    event.waited_ns = 20 * NS_PER_MS;
    metrics_event(&metrics, &event);
    event = change("q", JOB_RUNNING, JOB_RETRYABLE);
    event.has_error = true;
    event.cause = CAUSE_TIMEOUT;
    event.ran_ns = 2 * NS_PER_SECOND;
    metrics_event(&metrics, &event);
    event = change("q", JOB_RUNNING, JOB_COMPLETED);
    metrics_event(&metrics, &event);
    CHECK_EQUAL(metrics.queue_count, 2);
    const struct metrics_queue *queue = &metrics.queues[1];
    CHECK_EQUAL(queue->enqueued, 1);
    CHECK_EQUAL(queue->retried, 1);
    CHECK_EQUAL(queue->completed, 1);
    CHECK_EQUAL(queue->failed[CAUSE_TIMEOUT], 1);
    const struct metrics_series *series = &metrics.series[1];
    CHECK_EQUAL(series->wait.count, 1);
    CHECK_EQUAL(series->wait.counts[2], 1); /* up to 25 ms */
    CHECK_EQUAL(series->run.count, 2);
    CHECK_EQUAL(series->run.counts[6], 1); /* up to 5 s */
    CHECK_EQUAL(series->total.sum_ns, 2 * NS_PER_SECOND);
    metrics_deinit(&metrics);
    CHECK_EQUAL(mem.used_bytes, 0);
}

TEST(more_names_than_there_is_room_for_are_counted_together) {
    struct mem mem = {0};
    struct metrics metrics;
    metrics_init(&metrics, &mem, key);
    for (int i = 0; i < METRICS_QUEUES_MAX + 7; i++) {
        HOB_AUTO_BUF struct buf name = buf_make(32);
        (void)buf_printf(&name, "queue-%d%c", i, 0);
        CHECK(name.bytes != NULL);
        struct event event = change(name.bytes, JOB_AVAILABLE, JOB_RUNNING);
        metrics_event(&metrics, &event);
        event = change(name.bytes, JOB_RUNNING, JOB_COMPLETED);
        metrics_event(&metrics, &event);
    }
    CHECK_EQUAL(metrics.queues[0].completed, 7);
    CHECK_EQUAL(metrics.queues[METRICS_QUEUES_MAX].completed, 1);
    CHECK_EQUAL(metrics.series[0].wait.count, METRICS_QUEUES_MAX + 7 - METRICS_SERIES_MAX);
    metrics_deinit(&metrics);
}

TEST(a_request_takes_until_its_answer_is_durable) {
    struct mem mem = {0};
    struct metrics metrics;
    metrics_init(&metrics, &mem, key);
    struct slice push = SLICE("PUSH");
    struct slice get = SLICE("GET");
    metrics_turn(&metrics, NS_PER_SECOND);
    for (int i = 0; i < 3; i++) metrics_served(&metrics, "resp", push, SLICE("OK"));
    metrics_served(&metrics, "resp", push, SLICE("BADARG"));
    metrics_turn_end(&metrics, 7);
    metrics_turn(&metrics, 2 * NS_PER_SECOND);
    metrics_served(&metrics, "resp", get, SLICE("OK"));
    metrics_durable(&metrics, 7, 2 * NS_PER_SECOND); /* the second turn goes on */
    CHECK_EQUAL(metrics.ops[1].time.count, 4);
    CHECK_EQUAL(metrics.ops[1].time.sum_ns, 4 * NS_PER_SECOND);
    CHECK_EQUAL(metrics.ops[2].time.count, 0);
    metrics_turn_end(&metrics, 8);
    metrics_durable(&metrics, 7, 3 * NS_PER_SECOND);
    CHECK_EQUAL(metrics.ops[2].time.count, 0);
    metrics_durable(&metrics, 8, 2 * NS_PER_SECOND + NS_PER_MS);
    CHECK_EQUAL(metrics.ops[2].time.sum_ns, NS_PER_MS);
    CHECK_EQUAL(metrics.pending_count, 0);
    CHECK_EQUAL(metrics.request_count, 4);
    CHECK_EQUAL(metrics.requests[1].count, 3);
    CHECK_EQUAL(metrics.requests[2].count, 1);
    metrics_deinit(&metrics);
}

TEST(responses_to_webhooks_are_counted_by_class) {
    struct mem mem = {0};
    struct metrics metrics;
    metrics_init(&metrics, &mem, key);
    static const int32_t codes[] = {503, 404, 7, 0};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct event event = change("hob.callbacks", JOB_RUNNING, JOB_RETRYABLE);
        event.kind = SLICE("hob.webhook");
        event.has_error = true;
        event.code = codes[i];
        metrics_event(&metrics, &event);
    }
    struct event event = change("hob.callbacks", JOB_RUNNING, JOB_COMPLETED);
    event.kind = SLICE("hob.webhook");
    metrics_event(&metrics, &event);
    static const uint64_t wanted[METRICS_CLASSES] = {2, 0, 1, 0, 1, 1};
    CHECK_BYTES(metrics.webhooks, wanted, sizeof wanted);
    metrics_deinit(&metrics);
}

TESTS(
    a_job_is_counted_at_each_of_its_steps,
    more_names_than_there_is_room_for_are_counted_together,
    a_request_takes_until_its_answer_is_durable,
    responses_to_webhooks_are_counted_by_class
)
