/* SPDX-License-Identifier: Apache-2.0 */
/* A space over the file journal and over memory: what was acknowledged is there after a restart,
 * bodies come back whole, and cleaning keeps the journal small without changing the state. */
#include "space/space.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/status.h"
#include "base/test.h"

enum { SEGMENT_BYTES = 256 * 1024 };

struct rig {
    struct space *space;
    char path[64];
    hob_ns now_ns;
    struct answer last;
    struct space_recovery recovery;
};

static void ignore_wake(void *context) {
    (void)context;
}

static void ignore_answer(void *context, const struct answer *answer) {
    (void)context;
    (void)answer;
}

static void rig_open(struct rig *rig) {
    struct hob_error err = {0};
    struct journal *journal = NULL;
    struct journal_wake wake = {.call = ignore_wake};
    struct journal_file_options options = {
        .path = rig->path, .segment_bytes = SEGMENT_BYTES, .no_sync = true};
    if (journal_file_open(&options, wake, &journal, &err) != HOB_OK) fail_msg("%s", err.text);
    struct space_options space_options = {
        .sink = {.answer = ignore_answer}, .slack_bytes = 2 * SEGMENT_BYTES};
    enum hob_status status =
        space_open(journal, &space_options, rig->now_ns, &rig->space, &rig->recovery, &err);
    if (status != HOB_OK) fail_msg("%s", err.text);
}

static void rig_new(struct rig *rig) {
    *rig = (struct rig){.path = "/tmp/hob-space-XXXXXX", .now_ns = NS_PER_DAY};
    CHECK(mkdtemp(rig->path) != NULL);
    rig_open(rig);
}

static void rig_end(struct rig *rig) {
    space_close(rig->space);
    char command[128];
    (void)snprintf(command, sizeof command, "%s", rig->path);
    char *argv[] = {(char *)"rm", (char *)"-rf", command, NULL};
    if (fork() == 0) {
        (void)execvp("rm", argv);
        _exit(1);
    }
}

static void rig_turn(struct rig *rig, const struct command *command) {
    space_turn_begin(rig->space, rig->now_ns);
    space_apply(rig->space, command, &rig->last);
    (void)space_turn_end(rig->space);
    CHECK_EQUAL(space_flush(rig->space, NULL), HOB_OK);
}

static uint64_t rig_push(struct rig *rig, struct slice payload) {
    struct command push = {.type = COMMAND_PUSH};
    push.push =
        (struct push_command){.queue = SLICE("mail"), .kind = SLICE("send"), .payload = payload};
    rig_turn(rig, &push);
    CHECK_EQUAL(rig->last.code, ANSWER_OK);
    return rig->last.id;
}

static uint64_t rig_fetch(struct rig *rig) {
    struct slice queue = SLICE("mail");
    struct command fetch = {.type = COMMAND_FETCH};
    fetch.fetch = (struct fetch_command){.worker = SLICE("w"), .queues = &queue, .queue_count = 1};
    rig_turn(rig, &fetch);
    CHECK_EQUAL(rig->last.code, ANSWER_OK);
    return rig->last.jobs[0];
}

static void rig_ack(struct rig *rig, uint64_t id, struct slice result) {
    struct job_view view;
    CHECK(engine_job(space_engine(rig->space), id, &view));
    struct command ack = {.type = COMMAND_ACK};
    ack.ack = (struct ack_command){.lease = {.id = id, .token = view.token}, .result = result};
    rig_turn(rig, &ack);
    CHECK_EQUAL(rig->last.code, ANSWER_OK);
}

static void check_body(struct rig *rig, uint64_t body, char fill, size_t size) {
    HOB_AUTO_BUF struct buf out = buf_make(16u * 1024 * 1024);
    struct hob_error err = {0};
    if (space_body(rig->space, body, &out, &err) != HOB_OK) fail_msg("%s", err.text);
    CHECK_EQUAL(out.size, size);
    for (size_t i = 0; i < size; i++) CHECK(out.bytes[i] == fill);
}

TEST(a_restart_finds_jobs_results_and_large_payloads) {
    struct rig rig;
    rig_new(&rig);
    static char large[300000];
    memset(large, 'p', sizeof large);
    uint64_t first = rig_push(&rig, slice_of(large, sizeof large));
    uint64_t second = rig_push(&rig, SLICE("small"));
    CHECK_EQUAL(rig_fetch(&rig), first);
    rig_ack(&rig, first, SLICE("rrrr"));
    uint64_t digest = engine_digest(space_engine(rig.space));
    space_close(rig.space);
    rig_open(&rig);
    CHECK(engine_digest(space_engine(rig.space)) == digest);
    struct job_view view;
    CHECK(engine_job(space_engine(rig.space), first, &view));
    CHECK_EQUAL(view.state, JOB_COMPLETED);
    check_body(&rig, view.payload_body.id, 'p', sizeof large);
    check_body(&rig, view.result.id, 'r', 4);
    CHECK(engine_job(space_engine(rig.space), second, &view));
    CHECK_EQUAL(view.state, JOB_AVAILABLE);
    rig_end(&rig);
}

TEST(a_body_is_readable_before_it_is_durable) {
    struct rig rig;
    rig_new(&rig);
    static char large[1000];
    memset(large, 'q', sizeof large);
    struct command push = {.type = COMMAND_PUSH};
    push.push = (struct push_command
    ){.queue = SLICE("mail"), .kind = SLICE("send"), .payload = slice_of(large, sizeof large)};
    space_turn_begin(rig.space, rig.now_ns);
    space_apply(rig.space, &push, &rig.last);
    struct job_view view;
    CHECK(engine_job(space_engine(rig.space), rig.last.id, &view));
    check_body(&rig, view.payload_body.id, 'q', sizeof large);
    uint64_t seq = space_turn_end(rig.space);
    CHECK_EQUAL(space_flush(rig.space, NULL), HOB_OK);
    CHECK(space_durable(rig.space) >= seq);
    check_body(&rig, view.payload_body.id, 'q', sizeof large);
    rig_end(&rig);
}

TEST(cleaning_keeps_the_journal_small_and_the_state_as_it_is) {
    struct rig rig;
    rig_new(&rig);
    static char large[20000];
    memset(large, 'k', sizeof large);
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set = (struct queue_set_command){
        .queue = SLICE("mail"),
        .has_keep_completed = true,
        .keep_completed_ns = NS_PER_DAY,
        .keep_completed_count = 3,
    };
    rig_turn(&rig, &set);
    uint64_t survivor = rig_push(&rig, slice_of(large, sizeof large));
    CHECK_EQUAL(rig_fetch(&rig), survivor);
    struct space_stats stats;
    for (int i = 0; i < 600; i++) {
        uint64_t id = rig_push(&rig, slice_of(large, sizeof large));
        CHECK_EQUAL(rig_fetch(&rig), id);
        rig_ack(&rig, id, SLICE("done"));
        struct command beat = {.type = COMMAND_WORKER_BEAT};
        beat.worker_beat.worker = SLICE("w");
        rig_turn(&rig, &beat);
        space_stats(rig.space, &stats);
        CHECK(stats.journal.last_segment - stats.journal.first_segment < 8);
    }
    CHECK(stats.cleaned_segments > 10);
    CHECK(stats.bodies < 20);
    struct job_view view;
    CHECK(engine_job(space_engine(rig.space), survivor, &view));
    check_body(&rig, view.payload_body.id, 'k', sizeof large);
    uint64_t digest = engine_digest(space_engine(rig.space));
    space_close(rig.space);
    rig_open(&rig);
    CHECK(engine_digest(space_engine(rig.space)) == digest);
    engine_check(space_engine(rig.space));
    check_body(&rig, view.payload_body.id, 'k', sizeof large);
    rig_end(&rig);
}

/* Time is as the journal says; an hour or a year, and a wall clock at 1970. */
TEST(a_restart_with_a_clock_behind_goes_on_where_time_was) {
    static const hob_ns behinds[] = {NS_PER_HOUR, 365 * NS_PER_DAY, 1100 * NS_PER_DAY};
    struct rig rig;
    rig_new(&rig);
    for (size_t i = 0; i < hob_countof(behinds); i++) {
        rig.now_ns = 1100 * NS_PER_DAY + i * NS_PER_HOUR;
        hob_ns reached_ns = rig.now_ns;
        uint64_t id = rig_push(&rig, SLICE("small"));
        space_close(rig.space);
        rig.now_ns -= behinds[i];
        rig_open(&rig);
        CHECK_EQUAL(space_now(rig.space), reached_ns);
        uint64_t next = rig_push(&rig, SLICE("small"));
        struct job_view view;
        CHECK(next > id);
        CHECK(engine_job(space_engine(rig.space), next, &view));
        CHECK_EQUAL(view.created_ns, reached_ns);
    }
    rig_end(&rig);
}

/* While the server was down the job's timeout went by; its worker comes back and tells the end. */
TEST(after_an_outage_the_end_of_a_job_may_be_told) {
    struct rig rig;
    rig_new(&rig);
    for (int acks = 0; acks < 2; acks++) {
        struct command push = {.type = COMMAND_PUSH};
        push.push.queue = SLICE("mail");
        push.push.kind = SLICE("send");
        push.push.timeout_ns = NS_PER_MINUTE;
        rig_turn(&rig, &push);
        uint64_t id = rig_fetch(&rig);
        space_close(rig.space);
        rig.now_ns += NS_PER_HOUR;
        rig_open(&rig);
        rig.now_ns += 15 * NS_PER_SECOND - (acks == 0 ? 1 : 0);
        space_turn_begin(rig.space, rig.now_ns);
        (void)space_turn_end(rig.space);
        struct job_view view;
        CHECK(engine_job(space_engine(rig.space), id, &view));
        CHECK_EQUAL(view.state, acks == 0 ? JOB_RUNNING : JOB_AVAILABLE);
        if (acks == 0) rig_ack(&rig, id, SLICE("late"));
    }
    rig_end(&rig);
}

TESTS(
    a_restart_with_a_clock_behind_goes_on_where_time_was,
    after_an_outage_the_end_of_a_job_may_be_told,
    a_restart_finds_jobs_results_and_large_payloads,
    a_body_is_readable_before_it_is_durable,
    cleaning_keeps_the_journal_small_and_the_state_as_it_is
)
