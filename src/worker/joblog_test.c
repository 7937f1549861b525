/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/joblog.h"

#include <stdio.h>

#include "base/test.h"

static struct joblog_batch batch;

static void add(struct joblog *log, uint64_t at_ms, const char *line) {
    joblog_add(log, at_ms, RUN_STDERR, slice_str(line));
}

TEST(lines_are_sent_in_batches_of_one_stream) {
    struct joblog log;
    joblog_init(&log);
    add(&log, 5, "one");
    add(&log, 6, "");
    joblog_add(&log, 7, RUN_SYSTEM, SLICE("note"));
    CHECK(joblog_take(&log, &batch));
    CHECK_EQUAL(batch.line_count, 2);
    CHECK_EQUAL(batch.at_ms, 5);
    CHECK(slice_equal(batch.lines[0], SLICE("one")));
    CHECK_EQUAL(batch.lines[1].size, 0);
    CHECK(joblog_take(&log, &batch));
    CHECK(batch.stream == RUN_SYSTEM);
    CHECK_EQUAL(batch.at_ms, 7);
    CHECK(!joblog_take(&log, &batch));
    joblog_deinit(&log);
}

TEST(a_lost_connection_costs_no_line) {
    struct joblog log;
    joblog_init(&log);
    add(&log, 1, "a");
    CHECK(joblog_take(&log, &batch));
    size_t first = batch.size_bytes;
    add(&log, 2, "b");
    CHECK(joblog_take(&log, &batch));
    joblog_acknowledge(&log, first);
    CHECK_EQUAL(joblog_unsent_bytes(&log), 0);
    joblog_rewind(&log);
    CHECK(joblog_take(&log, &batch));
    CHECK_EQUAL(batch.line_count, 1);
    CHECK(slice_equal(batch.lines[0], SLICE("b")));
    joblog_acknowledge(&log, batch.size_bytes);
    joblog_rewind(&log);
    CHECK(!joblog_take(&log, &batch));
    joblog_deinit(&log);
}

TEST(what_does_not_fit_is_counted_and_told) {
    static char long_line[8000];
    memset(long_line, 'x', sizeof long_line);
    struct joblog log;
    joblog_init(&log);
    for (int i = 0; i < 200; i++) {
        joblog_add(&log, 1, RUN_STDERR, slice_of(long_line, sizeof long_line));
    }
    size_t lines = 0;
    while (joblog_take(&log, &batch)) {
        lines += batch.line_count;
        CHECK(batch.line_count * sizeof long_line <= JOBLOG_BATCH_BYTES_MAX);
        joblog_acknowledge(&log, batch.size_bytes);
    }
    CHECK(lines > 100 && lines < 140);
    add(&log, 2, "again");
    CHECK(joblog_take(&log, &batch));
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "%zu lines are missing here", 200 - lines);
    CHECK(batch.stream == RUN_SYSTEM);
    CHECK(memcmp(batch.lines[0].bytes, wanted, strlen(wanted)) == 0);
    CHECK(joblog_take(&log, &batch));
    CHECK(slice_equal(batch.lines[0], SLICE("again")));
    joblog_deinit(&log);
}

TESTS(
    lines_are_sent_in_batches_of_one_stream,
    a_lost_connection_costs_no_line,
    what_does_not_fit_is_counted_and_told
)
