/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/joblog.h"

#include <stdio.h>
#include <stdlib.h>

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
    CHECK(joblog_take(&log, true, &batch));
    CHECK_EQUAL(batch.line_count, 2);
    CHECK_EQUAL(batch.at_ms, 5);
    CHECK(slice_equal(batch.lines[0], SLICE("one")));
    CHECK_EQUAL(batch.lines[1].size, 0);
    CHECK(joblog_take(&log, true, &batch));
    CHECK(batch.stream == RUN_SYSTEM);
    CHECK_EQUAL(batch.at_ms, 7);
    add(&log, 8, "then");
    add(&log, 1008, "much later");
    CHECK(joblog_take(&log, true, &batch));
    CHECK_EQUAL(batch.line_count, 1);
    CHECK(joblog_take(&log, true, &batch));
    CHECK_EQUAL(batch.at_ms, 1008);
    CHECK(!joblog_take(&log, true, &batch));
    joblog_deinit(&log);
}

TEST(a_lost_connection_costs_no_line) {
    struct joblog log;
    joblog_init(&log);
    add(&log, 1, "a");
    CHECK(joblog_take(&log, true, &batch));
    size_t first = batch.size_bytes;
    add(&log, 2, "b");
    CHECK(joblog_take(&log, true, &batch));
    joblog_acknowledge(&log, first);
    CHECK_EQUAL(joblog_unsent_bytes(&log), 0);
    joblog_rewind(&log);
    CHECK(joblog_take(&log, true, &batch));
    CHECK_EQUAL(batch.line_count, 1);
    CHECK(slice_equal(batch.lines[0], SLICE("b")));
    joblog_acknowledge(&log, batch.size_bytes);
    joblog_rewind(&log);
    CHECK(!joblog_take(&log, true, &batch));
    joblog_deinit(&log);
}

static char long_line[8000];

static struct slice numbered_line(int number) {
    memset(long_line, 'x', sizeof long_line);
    (void)snprintf(long_line, sizeof long_line, "%d ", number);
    return slice_of(long_line, sizeof long_line);
}

TEST(the_oldest_unsent_lines_make_room_and_their_number_is_told) {
    struct joblog log;
    joblog_init(&log);
    size_t told = 0;
    size_t kept = 0;
    long last = -1;
    for (int i = 0; i < 3000; i++) {
        joblog_add(&log, (uint64_t)i, RUN_STDERR, numbered_line(i));
        if (i == 5) CHECK(joblog_take(&log, false, &batch)); /* some of the first are under way */
    }
    joblog_rewind(&log);
    for (bool first = true; joblog_take(&log, true, &batch); first = false) {
        for (size_t i = 0; i < batch.line_count; i++) {
            long number = strtol(batch.lines[i].bytes, NULL, 10);
            if (batch.stream == RUN_SYSTEM) {
                told += (size_t)number;
            } else {
                CHECK(number > last); /* in order */
                last = number;
                kept++;
            }
        }
        if (first) CHECK(slice_equal(batch.lines[0], numbered_line(0)));
        CHECK(batch.line_count * sizeof long_line <= JOBLOG_BATCH_BYTES_MAX);
    }
    CHECK_EQUAL(last, 2999);
    CHECK_EQUAL(told + kept, 3000);
    CHECK(kept > 200);
    joblog_deinit(&log);
}

TEST(not_everything_is_under_way_at_once) {
    struct joblog log;
    joblog_init(&log);
    for (int i = 0; i < 100; i++) joblog_add(&log, 1, RUN_STDERR, numbered_line(i));
    size_t sent = 0;
    size_t first = 0;
    while (joblog_take(&log, false, &batch)) {
        if (sent == 0) first = batch.size_bytes;
        sent += batch.size_bytes;
    }
    CHECK(sent > 200000 && sent < 300000);
    joblog_acknowledge(&log, first);
    joblog_acknowledge(&log, sent - first);
    CHECK(joblog_take(&log, false, &batch));
    joblog_deinit(&log);
}

TESTS(
    lines_are_sent_in_batches_of_one_stream,
    a_lost_connection_costs_no_line,
    the_oldest_unsent_lines_make_room_and_their_number_is_told,
    not_everything_is_under_way_at_once
)
