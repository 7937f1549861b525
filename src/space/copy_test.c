/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of a journal with real jobs in it: whole, of a damaged one, and what the numbers of a copy
 * have to do with those of its original. */
#include "space/copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "base/test.h"
#include "journal/rig.h"
#include "space/space.h"

enum { JOBS = 60, LARGE_BYTES = 5000 };

struct rig {
    char from[64];
    char to[80];
    struct space *space;
    struct answer last;
    hob_ns now_ns;
    uint64_t damages;
    uint64_t jobs_told;
};

static void on_answer(void *context, const struct answer *answer) {
    struct rig *rig = context;
    rig->last = *answer;
}

static enum hob_status
space_at(struct rig *rig, const char *path, struct space **ret_space, struct hob_error *err) {
    struct journal_file_options file = {.path = path, .segment_bytes = 64 * 1024};
    struct journal *journal = NULL;
    struct space_recovery recovery;
    struct space_options options = {.sink = {.context = rig, .answer = on_answer}};
    enum hob_status status = journal_file_open(&file, (struct journal_wake){0}, &journal, err);
    if (status != HOB_OK) return status;
    return space_open(journal, &options, rig->now_ns, ret_space, &recovery, err);
}

static void turn(struct rig *rig, const struct command *command) {
    space_turn_begin(rig->space, rig->now_ns);
    space_apply(rig->space, command, &rig->last);
    (void)space_turn_end(rig->space);
    CHECK_EQUAL(space_flush(rig->space, NULL), HOB_OK);
    CHECK_EQUAL(rig->last.code, ANSWER_OK);
}

/* Jobs in several states, with payloads and results that are bodies and such that are not. */
static void rig_new(struct rig *rig) {
    *rig = (struct rig){.from = "/tmp/hob-copy-XXXXXX", .now_ns = NS_PER_DAY};
    CHECK(mkdtemp(rig->from) != NULL);
    (void)snprintf(rig->to, sizeof rig->to, "%s.copy", rig->from);
    CHECK_EQUAL(space_at(rig, rig->from, &rig->space, NULL), HOB_OK);
    static char large[LARGE_BYTES];
    memset(large, 'p', sizeof large);
    for (int i = 0; i < JOBS; i++) {
        struct command push = {.type = COMMAND_PUSH};
        push.push.queue = SLICE("mail");
        push.push.kind = SLICE("send");
        push.push.payload = slice_of(large, i % 2 == 0 ? sizeof large : 20);
        turn(rig, &push);
        if (i % 3 != 0) continue;
        struct slice queue = SLICE("mail");
        struct command fetch = {.type = COMMAND_FETCH};
        fetch.fetch =
            (struct fetch_command){.worker = SLICE("w"), .queues = &queue, .queue_count = 1};
        turn(rig, &fetch);
        uint64_t id = rig->last.jobs[0];
        struct job_view view;
        CHECK(engine_job(space_engine(rig->space), id, &view));
        if (i % 6 != 0) continue;
        struct command ack = {.type = COMMAND_ACK};
        ack.ack = (struct ack_command
        ){.lease = {.id = id, .token = view.token}, .result = slice_of(large, 700)};
        turn(rig, &ack);
    }
}

static void rig_end(struct rig *rig) {
    space_close(rig->space);
    rig_path_remove(rig->from);
    rig_path_remove(rig->to);
}

static void on_damage(void *context, const struct journal_find *find) {
    struct rig *rig = context;
    if (find->type == INSPECT_DAMAGE) rig->damages++;
}

static void on_job(void *context, uint64_t id, bool whole, const char *why) {
    (void)whole;
    struct rig *rig = context;
    CHECK(id > 0 && why != NULL);
    rig->jobs_told++;
}

static struct copy_options options_of(struct rig *rig, bool salvages) {
    return (struct copy_options){
        .from = rig->from,
        .to = rig->to,
        .salvages = salvages,
        .context = rig,
        .damage = on_damage,
        .job = on_job,
    };
}

/* The first segment, to be damaged. */
struct segment {
    char path[128];
    char *bytes;
    size_t size;
    size_t used;
};

static struct segment segment_read(const char *directory, const char *name) {
    struct segment segment = {0};
    (void)snprintf(segment.path, sizeof segment.path, "%s/%s", directory, name);
    FILE *file = fopen(segment.path, "rb");
    CHECK(file != NULL);
    segment.bytes = malloc(8u << 20);
    CHECK(segment.bytes != NULL);
    segment.size = fread(segment.bytes, 1, 8u << 20, file);
    (void)fclose(file);
    segment.used = segment.size;
    while (segment.used > 0 && segment.bytes[segment.used - 1] == 0) segment.used--;
    return segment;
}

static void segment_write(const struct segment *segment) {
    FILE *file = fopen(segment->path, "wb");
    CHECK(file != NULL);
    CHECK_EQUAL(fwrite(segment->bytes, 1, segment->size, file), segment->size);
    CHECK_EQUAL(fclose(file), 0);
}

TEST(a_copy_of_a_journal_at_work_has_its_jobs_and_numbers_far_behind) {
    struct rig rig;
    rig_new(&rig);
    struct engine_stats before;
    engine_stats(space_engine(rig.space), &before);
    struct copy_options options = options_of(&rig, false);
    struct copy_report report;
    struct hob_error err = {0};
    CHECK_EQUAL(journal_copy(&options, &report, &err), HOB_OK); /* the space is open */
    CHECK_EQUAL(report.jobs, JOBS);
    CHECK_EQUAL(report.damages, 0);
    struct space *copy = NULL;
    CHECK_EQUAL(space_at(&rig, rig.to, &copy, &err), HOB_OK);
    struct engine_stats after;
    engine_stats(space_engine(copy), &after);
    for (int state = 0; state < JOB_STATE_COUNT; state++) {
        CHECK_EQUAL(after.counts[state], before.counts[state]);
    }
    CHECK(after.next_id >= before.next_id + 1000000);
    engine_check(space_engine(copy));
    for (uint64_t id = 1; id <= JOBS; id++) {
        struct job_view view;
        struct job_view copied;
        CHECK(engine_job(space_engine(rig.space), id, &view));
        CHECK(engine_job(space_engine(copy), id, &copied));
        if (view.payload_body.id == 0) continue;
        HOB_AUTO_BUF struct buf body = buf_make(LARGE_BYTES);
        CHECK_EQUAL(space_body(copy, copied.payload_body.id, &body, NULL), HOB_OK);
        CHECK_EQUAL(body.size, LARGE_BYTES);
    }
    space_close(copy);
    struct copy_report checked;
    CHECK_EQUAL(journal_check(rig.to, &options, &checked, NULL, &err), HOB_OK);
    CHECK(checked.digest == report.digest);
    rig_end(&rig);
}

TEST(a_copy_has_another_identity) {
    struct rig rig;
    rig_new(&rig);
    struct copy_options options = options_of(&rig, false);
    struct copy_report report;
    CHECK_EQUAL(journal_copy(&options, &report, NULL), HOB_OK);
    struct journal_inspect *one = NULL;
    struct journal_inspect *other = NULL;
    CHECK_EQUAL(journal_inspect_open(rig.from, &one, NULL), HOB_OK);
    CHECK_EQUAL(journal_inspect_open(rig.to, &other, NULL), HOB_OK);
    CHECK(journal_inspect_identity(one) != journal_inspect_identity(other));
    CHECK(journal_inspect_holder(one) != 0);
    CHECK_EQUAL(journal_inspect_holder(other), 0);
    journal_inspect_close(one);
    journal_inspect_close(other);
    rig_end(&rig);
}

TEST(nothing_is_copied_over_something_or_from_nothing) {
    struct rig rig;
    rig_new(&rig);
    struct copy_options options = options_of(&rig, false);
    struct copy_report report;
    struct hob_error err = {0};
    CHECK_EQUAL(journal_copy(&options, &report, &err), HOB_OK);
    CHECK_EQUAL(journal_copy(&options, &report, &err), HOB_CONFLICT);
    CHECK(strstr(err.text, "not empty") != NULL);
    rig_path_remove(rig.to);
    options.from = "/tmp/hob-there-is-no-such-directory";
    CHECK_EQUAL(journal_copy(&options, &report, &err), HOB_NOT_FOUND);
    options = options_of(&rig, true);
    CHECK_EQUAL(journal_copy(&options, &report, &err), HOB_CONFLICT);
    CHECK(strstr(err.text, "open") != NULL);
    rig_end(&rig);
}

/* A hole at each place in turn: a strict copy refuses, a salvage always makes a journal that a
 * server starts on, with no job that was never pushed and each payload that it has as it was. */
TEST(whatever_is_lost_the_rest_is_salvaged) {
    struct rig rig;
    rig_new(&rig);
    space_close(rig.space);
    rig.space = NULL;
    enum { HOLE_BYTES = 300, STEP_BYTES = 2311 };
    struct segment segment = segment_read(rig.from, "00000000000000000002.seg");
    uint64_t saved = 0;
    uint64_t holes = 0;
    for (size_t at = 4096; at + HOLE_BYTES < segment.used; at += STEP_BYTES) {
        char kept[HOLE_BYTES];
        memcpy(kept, segment.bytes + at, HOLE_BYTES);
        memset(segment.bytes + at, 0, HOLE_BYTES);
        segment_write(&segment);
        struct copy_report report;
        struct hob_error err = {0};
        struct copy_options options = options_of(&rig, false);
        CHECK_EQUAL(journal_copy(&options, &report, &err), HOB_CORRUPT);
        rig.damages = 0;
        options = options_of(&rig, true);
        enum hob_status status = journal_copy(&options, &report, &err);
        if (status != HOB_OK) fail_msg("hole at %zu: %s", at, err.text);
        CHECK(rig.damages >= 1);
        CHECK(report.damages >= 1);
        CHECK(report.jobs + report.lost.jobs <= JOBS);
        saved += report.jobs;
        holes++;
        struct space *copy = NULL;
        CHECK_EQUAL(space_at(&rig, rig.to, &copy, &err), HOB_OK);
        engine_check(space_engine(copy));
        space_close(copy);
        rig_path_remove(rig.to);
        memcpy(segment.bytes + at, kept, HOLE_BYTES);
    }
    segment_write(&segment);
    CHECK(holes > 10);
    CHECK(saved > holes * (JOBS - 4)); /* a hole takes a batch or two, not the journal */
    free(segment.bytes);
    rig_end(&rig);
}

TEST(a_lost_segment_takes_its_jobs_and_no_others) {
    struct rig rig;
    rig_new(&rig);
    space_close(rig.space);
    rig.space = NULL;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/00000000000000000002.seg", rig.from);
    CHECK_EQUAL(unlink(path), 0);
    struct copy_options options = options_of(&rig, true);
    struct copy_report report;
    struct hob_error err = {0};
    CHECK_EQUAL(journal_copy(&options, &report, &err), HOB_OK);
    CHECK(report.batches_lost > 5 && report.jobs > 20 && report.jobs < JOBS);
    CHECK_EQUAL(report.jobs + report.lost.jobs + report.lost.unseen, JOBS);
    struct space *copy = NULL;
    CHECK_EQUAL(space_at(&rig, rig.to, &copy, &err), HOB_OK);
    engine_check(space_engine(copy));
    space_close(copy);
    rig_end(&rig);
}

TESTS(
    a_copy_of_a_journal_at_work_has_its_jobs_and_numbers_far_behind,
    a_copy_has_another_identity,
    nothing_is_copied_over_something_or_from_nothing,
    whatever_is_lost_the_rest_is_salvaged,
    a_lost_segment_takes_its_jobs_and_no_others
)
