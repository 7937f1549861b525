/* SPDX-License-Identifier: Apache-2.0 */
/* Lines as they come, written into a buffer instead of stderr. */
#include "server/story.h"

#include "base/test.h"
#include "os/log.h"

static struct {
    struct story story;
    struct buf lines;
} rig;

/* LEVEL, then the line without its time. */
static void
write_line(enum log_severity severity, const char *what, const struct log_field *fields) {
    HOB_AUTO_BUF struct buf line = buf_make(LOG_LINE_BYTES_MAX);
    struct log_event event = {.severity = severity, .what = what, .fields = fields};
    logfmt_put(&line, LOG_FORMAT_LOGFMT, &event);
    struct slice rest = buf_slice(&line);
    const char *level = memmem(rest.bytes, rest.size, "level=", 6);
    CHECK(level != NULL);
    (void)buf_put(&rig.lines, level, rest.size - (size_t)(level - rest.bytes));
}

static void begin(const char *level) {
    CHECK(log_set(NULL, level));
    rig.lines = buf_make(1024 * 1024);
    story_init(&rig.story, write_line);
}

/* All lines since the last time are @wanted. */
static void check_lines(const char *wanted) {
    (void)buf_put_char(&rig.lines, '\0');
    CHECK_STR(rig.lines.bytes, wanted);
    buf_reset(&rig.lines);
}

static void end(void) {
    buf_deinit(&rig.lines);
    CHECK(log_set(NULL, "info"));
}

static size_t count_lines(void) {
    size_t count = 0;
    for (size_t i = 0; i < rig.lines.size; i++) count += rig.lines.bytes[i] == '\n' ? 1 : 0;
    return count;
}

static struct event failed(uint64_t id, enum error_cause cause, enum job_state state) {
    return (struct event){
        .type = EVENT_STATE,
        .id = id,
        .from = JOB_RUNNING,
        .state = state,
        .queue = SLICE("mail"),
        .kind = SLICE("welcome"),
        .attempt = 2,
        .attempt_max = 5,
        .at_ns = 100 * NS_PER_SECOND,
        .ran_ns = 1500 * NS_PER_MS,
        .worker = SLICE("w1"),
        .has_error = true,
        .cause = cause,
        .text = SLICE("no\nway"),
    };
}

static void tell(struct event event) {
    story_event(&rig.story, &event, 0);
}

TEST(a_job_that_is_discarded_is_told_with_its_error_as_one_line) {
    begin("info");
    struct event event = failed(7, CAUSE_EXIT, JOB_DISCARDED);
    event.code = 3;
    tell(event);
    check_lines("level=warn msg=\"job discarded\" job=7 queue=mail kind=welcome attempt=2 "
                "attempt_max=5 worker=w1 dur_ms=1500 state=discarded cause=exit "
                "error=\"no\\nway\" code=3\n");
    end();
}

TEST(a_callback_that_is_given_up_names_the_job_it_is_of) {
    begin("info");
    struct event event = failed(8, CAUSE_FAILED, JOB_DISCARDED);
    event.kind = SLICE("hob.webhook");
    CHECK(story_wants_parent(&event));
    story_event(&rig.story, &event, 7);
    check_lines("level=warn msg=\"callback given up\" job=8 queue=mail kind=hob.webhook attempt=2 "
                "attempt_max=5 worker=w1 dur_ms=1500 state=discarded cause=failed "
                "error=\"no\\nway\" parent=7\n");
    event.state = JOB_RETRYABLE;
    CHECK(!story_wants_parent(&event));
    end();
}

TEST(a_worker_that_goes_away_is_told_once_with_all_its_leases) {
    begin("info");
    tell(failed(1, CAUSE_LOST, JOB_AVAILABLE));
    tell(failed(2, CAUSE_LOST, JOB_AVAILABLE));
    struct event other = failed(3, CAUSE_LOST, JOB_DISCARDED);
    other.worker = SLICE("w2");
    tell(other);
    story_turn_end(&rig.story, 100 * NS_PER_SECOND);
    story_turn_end(&rig.story, 101 * NS_PER_SECOND);
#define LOST(id, what, worker, state)                                           \
    "level=warn msg=\"" what "\" job=" id " queue=mail kind=welcome attempt=2 " \
    "attempt_max=5 worker=" worker " dur_ms=1500 state=" state " cause=lost "   \
    "error=\"no\\nway\"\n"
#define AWAY "level=warn msg=\"a worker went away with leases, or hangs\" "
    check_lines(LOST("1", "attempt lost", "w1", "available")
                    LOST("2", "attempt lost", "w1", "available") AWAY
                "worker=w1 jobs=2\n" LOST("3", "job discarded", "w2", "discarded") AWAY
                "worker=w2 jobs=1\n");
    end();
}

TEST(what_is_usual_is_told_at_level_debug_only) {
    struct event fails = failed(1, CAUSE_EXIT, JOB_RETRYABLE);
    struct event starts = {.type = EVENT_STATE, .id = 2, .state = JOB_RUNNING, .attempt = 1};
    begin("info");
    tell(fails);
    tell(starts);
    check_lines("");
    end();
    begin("debug");
    tell(starts);
    starts.is_new = true;
    starts.state = JOB_AVAILABLE;
    tell(starts);
    check_lines("level=debug msg=\"job changed its state\" job=2 attempt=1 from=scheduled "
                "state=running\n"
                "level=debug msg=\"job pushed\" job=2 attempt=1 state=available\n");
    end();
}

TEST(a_flood_of_failures_is_cut_and_says_so) {
    begin("info");
    for (uint64_t id = 1; id <= 1000; id++) tell(failed(id, CAUSE_TIMEOUT, JOB_RETRYABLE));
    CHECK_EQUAL(count_lines(), STORY_JOBS_MAX);
    buf_reset(&rig.lines);
    story_beat(&rig.story, 100 * NS_PER_SECOND + NS_PER_MS);
    check_lines(""); /* the second is not over */
    story_beat(&rig.story, 101 * NS_PER_SECOND);
    check_lines("level=warn msg=\"log lines were left out\" about=jobs count=900\n");
    story_beat(&rig.story, 105 * NS_PER_SECOND);
    check_lines("");
    struct event later = failed(5, CAUSE_TIMEOUT, JOB_RETRYABLE);
    later.at_ns = 110 * NS_PER_SECOND;
    tell(later);
    CHECK_EQUAL(count_lines(), 1);
    end();
}

TEST(what_people_do_is_told_with_who_and_why) {
    begin("info");
    struct story_person person = {.token = SLICE("ops"), .peer = "10.0.0.7:51234"};
    struct command pause = {
        .type = COMMAND_PAUSE,
        .pause =
            {
                .queue = SLICE("mail"),
                .until_ns = UINT64_C(1772357400) * NS_PER_SECOND,
                .by = SLICE("ann"),
                .why = SLICE("provider is down"),
            },
    };
    story_command(&rig.story, 1, &pause, NULL, person);
    struct command retry = {.type = COMMAND_RETRY, .retry = {.id = 7, .by = SLICE("bob")}};
    struct job_view job = {.queue = SLICE("mail"), .kind = SLICE("welcome")};
    story_command(&rig.story, 1, &retry, &job, person);
    struct command push = {.type = COMMAND_PUSH};
    story_command(&rig.story, 1, &push, NULL, person);
    check_lines("level=info msg=\"queue paused\" queue=mail until=2026-03-01T09:30:00Z by=ann "
                "why=\"provider is down\" who=ops peer=10.0.0.7:51234\n"
                "level=info msg=\"job retried\" job=7 queue=mail kind=welcome by=bob who=ops "
                "peer=10.0.0.7:51234\n");
    end();
}

TEST(refused_pushes_are_one_line_in_ten_seconds_for_each_reason) {
    begin("info");
    hob_ns now_ns = 50 * NS_PER_SECOND;
    for (int i = 0; i < 500; i++) {
        story_push_refused(&rig.story, now_ns, ANSWER_MEMORY, SLICE("mail"));
    }
    story_push_refused(&rig.story, now_ns, ANSWER_FULL, SLICE("big"));
#define MEMORY "level=warn msg=\"pushes are refused: memory is nearly used up\" "
    check_lines(MEMORY "count=1 queue=mail\n"
                       "level=warn msg=\"pushes are refused: the disk is full\" count=1 "
                       "queue=big\n");
    story_beat(&rig.story, now_ns + 9 * NS_PER_SECOND);
    check_lines("");
    story_beat(&rig.story, now_ns + 10 * NS_PER_SECOND);
    check_lines(MEMORY "count=499\n");
    story_push_taken(&rig.story);
    story_push_refused(&rig.story, now_ns + 11 * NS_PER_SECOND, ANSWER_MEMORY, SLICE("mail"));
    story_beat(&rig.story, now_ns + 20 * NS_PER_SECOND);
    check_lines(MEMORY "count=1\n"
                       "level=warn msg=\"pushes are taken again: there is space on the disk\" "
                       "refused=1\n");
    story_beat(&rig.story, now_ns + 30 * NS_PER_SECOND); /* is it over? Nobody knows */
    check_lines("");
    story_push_taken(&rig.story);
    story_beat(&rig.story, now_ns + 30 * NS_PER_SECOND);
    check_lines("level=warn msg=\"pushes are taken again: there is memory\" refused=501\n");
    story_beat(&rig.story, now_ns + 50 * NS_PER_SECOND);
    check_lines("");
    end();
}

TEST(refused_requests_are_told_without_arguments_and_not_without_end) {
    begin("info");
    struct refusal refusal = {
        .request_id = SLICE("abc-1"),
        .method = SLICE("POST"),
        .path = SLICE("/v1/jobs"),
        .status = 400,
        .code = SLICE("BADARG"),
    };
    story_refusal(&rig.story, NS_PER_SECOND, &refusal, "10.0.0.7:1");
    check_lines("level=info msg=\"request refused\" request_id=abc-1 method=POST path=/v1/jobs "
                "status=400 code=BADARG peer=10.0.0.7:1\n");
    for (int i = 0; i < 100; i++) story_refusal(&rig.story, NS_PER_SECOND, &refusal, "x");
    CHECK_EQUAL(count_lines(), STORY_REFUSED_MAX - 1);
    buf_reset(&rig.lines);
    refusal.status = 404;
    CHECK(!story_wants_refusal(&refusal));
    story_refusal(&rig.story, NS_PER_SECOND, &refusal, "x");
    story_beat(&rig.story, 2 * NS_PER_SECOND);
    check_lines("level=warn msg=\"log lines were left out\" about=\"refused requests\" count=81\n");
    end();
    begin("debug");
    struct refusal command = {.method = SLICE("ACK"), .code = SLICE("STALE")};
    story_refusal(&rig.story, NS_PER_SECOND, &command, "x");
    check_lines("level=debug msg=\"command refused\" command=ACK code=STALE peer=x\n");
    end();
}

TESTS(
    a_job_that_is_discarded_is_told_with_its_error_as_one_line,
    a_callback_that_is_given_up_names_the_job_it_is_of,
    a_worker_that_goes_away_is_told_once_with_all_its_leases,
    what_is_usual_is_told_at_level_debug_only,
    a_flood_of_failures_is_cut_and_says_so,
    what_people_do_is_told_with_who_and_why,
    refused_pushes_are_one_line_in_ten_seconds_for_each_reason,
    refused_requests_are_told_without_arguments_and_not_without_end
)
