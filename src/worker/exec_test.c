/* SPDX-License-Identifier: Apache-2.0 */
/* Real programs through the executor. This binary is its own launcher: started with LAUNCH_WORD it
 * is what `hob exec-child` is. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "os/launch.h"
#include "worker/exec_config.h"
#include "worker/executor.h"

static const char *const env_none[] = {NULL};

struct rig {
    uv_loop_t loop;
    struct run *run;
    struct buf log;
    struct buf result;
    struct outcome outcome;
    size_t done_count;
    uint32_t percent;
    char progress[64];
    const char *stop_at; /* this line makes the rig stop the run */
    enum stop_why stop_why;
    hob_ns stop_grace_ns;
};

static void on_line(void *context, enum run_stream stream, struct slice line) {
    struct rig *rig = context;
    if (stream == RUN_SYSTEM) (void)buf_put_str(&rig->log, "sys:");
    (void)buf_put_slice(&rig->log, line);
    (void)buf_put_char(&rig->log, '|');
    if (rig->stop_at != NULL && slice_equal(line, slice_str(rig->stop_at))) {
        executor_exec.stop(rig->run, rig->stop_why, rig->stop_grace_ns);
    }
}

static void on_progress(void *context, uint32_t percent, struct slice text) {
    struct rig *rig = context;
    rig->percent = percent;
    (void)snprintf(rig->progress, sizeof rig->progress, "%.*s", SLICE_ARG(text));
}

static void on_done(void *context, const struct outcome *outcome) {
    struct rig *rig = context;
    rig->done_count++;
    rig->outcome = *outcome;
    (void)buf_put_slice(&rig->result, outcome->result);
    rig->outcome.result = SLICE_NONE;
}

static char self[4096];

static void rig_run_config(struct rig *rig, const struct exec_config *exec, struct run_job job) {
    struct kind_config config = {.settings = exec, .grace_ns = 10 * NS_PER_SECOND};
    rig->log = buf_make(1 << 20);
    rig->result = buf_make(2 << 20);
    CHECK(uv_loop_init(&rig->loop) == 0);
    struct run_events events = {
        .context = rig, .line = on_line, .progress = on_progress, .done = on_done};
    job.id = SLICE("7");
    job.token = SLICE("99");
    job.queue = SLICE("mail");
    job.kind = SLICE("send");
    job.attempt = 2;
    job.attempt_max = 25;
    job.server = "127.0.0.1:4620";
    job.launcher = self;
    job.config = &config;
    if (job.timeout_ns == 0) job.timeout_ns = NS_PER_MINUTE;
    rig->run = executor_exec.start(NULL, &rig->loop, &job, &events);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&rig->loop) == 0);
    CHECK_EQUAL(rig->done_count, 1);
    (void)buf_put_char(&rig->log, '\0');
    (void)buf_put_char(&rig->result, '\0');
}

static void rig_run(struct rig *rig, const char *script, struct run_job job) {
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct exec_config config = {.argv = argv, .env = env_none, .cwd = "/"};
    rig_run_config(rig, &config, job);
}

static void rig_deinit(struct rig *rig) {
    buf_deinit(&rig->log);
    buf_deinit(&rig->result);
}

TEST(payload_in_result_out_and_lines_beside) {
    struct rig rig = {0};
    const char *script = "cat; echo one >&2; echo two >/dev/stderr; printf three >&2";
    rig_run(&rig, script, (struct run_job){.payload = SLICE("{\"a\":1}")});
    CHECK(rig.outcome.verdict == OUTCOME_ACK);
    CHECK_STR(rig.result.bytes, "{\"a\":1}");
    CHECK_STR(rig.log.bytes, "one|two|three|");
    rig_deinit(&rig);
}

TEST(a_program_goes_on_with_the_trace_of_its_job) {
    struct rig rig = {0};
    struct run_job job = {
        .headers = SLICE("{\"tracestate\":\"a=\\u0062\",\"x\":\"y\",\"traceparent\":\"00-1\"}")};
    const char *script = "printf '%s|%s|%s' \"$TRACEPARENT\" \"$TRACESTATE\" \"$x\"";
    rig_run(&rig, script, job);
    CHECK_STR(rig.result.bytes, "00-1|a=b|");
    rig_deinit(&rig);
    rig = (struct rig){0};
    rig_run(&rig, "printf '%s' \"${TRACEPARENT-none}\"", (struct run_job){.timeout_ns = 0});
    CHECK_STR(rig.result.bytes, "none");
    rig_deinit(&rig);
}

TEST(a_program_need_not_read_its_payload) {
    static char large[4 << 20];
    memset(large, 'x', sizeof large);
    struct rig rig = {0};
    rig_run(&rig, "echo fine", (struct run_job){.payload = slice_of(large, sizeof large)});
    CHECK(rig.outcome.verdict == OUTCOME_ACK);
    CHECK_STR(rig.result.bytes, "fine\n");
    rig_deinit(&rig);
    rig = (struct rig){0};
    rig_run(&rig, "wc -c", (struct run_job){.payload = slice_of(large, sizeof large)});
    CHECK_STR(rig.result.bytes, "4194304\n");
    rig_deinit(&rig);
}

TEST(the_environment_tells_of_the_job) {
    struct rig rig = {0};
    const char *const argv[] = {
        "sh",
        "-c",
        "echo $HOB_JOB_ID $HOB_TOKEN $HOB_QUEUE $HOB_KIND $HOB_ATTEMPT/$HOB_ATTEMPT_MAX "
        "$HOB_SERVER $LANG $HOB_PROGRESS_FD; [ $HOB_DEADLINE -gt 1700000000 ] && pwd",
        NULL,
    };
    const char *const env[] = {"LANG=xx", NULL};
    struct exec_config config = {.argv = argv, .env = env, .cwd = "/usr"};
    rig_run_config(&rig, &config, (struct run_job){0});
    CHECK_STR(rig.result.bytes, "7 99 mail send 2/25 127.0.0.1:4620 xx 3\n/usr\n");
    rig_deinit(&rig);
}

TEST(progress_comes_from_descriptor_3) {
    struct rig rig = {0};
    rig_run(&rig, "echo '::progress 40 half way' >&3; echo nonsense >&3", (struct run_job){0});
    CHECK_EQUAL(rig.percent, 40);
    CHECK_STR(rig.progress, "half way");
    CHECK(strncmp(rig.log.bytes, "sys:descriptor 3 takes", 22) == 0);
    rig_deinit(&rig);
}

TEST(an_exit_code_fails_with_the_last_lines) {
    struct rig rig = {0};
    rig_run(&rig, "echo what went wrong >&2; exit 3", (struct run_job){0});
    CHECK(rig.outcome.verdict == OUTCOME_FAIL);
    CHECK_EQUAL(rig.outcome.code, 3);
    CHECK_STR(rig.outcome.text, "what went wrong");
    rig_deinit(&rig);
}

TEST(a_signal_is_told_apart_from_an_exit) {
    struct rig rig = {0};
    rig_run(&rig, "kill -SEGV $$", (struct run_job){0});
    CHECK_STR(rig.outcome.cause, "signal");
    CHECK_EQUAL(rig.outcome.code, SIGSEGV);
    rig_deinit(&rig);
}

TEST(a_program_that_is_not_there_is_told_with_its_path) {
    struct rig rig = {0};
    const char *const argv[] = {"/nonexistent/program", NULL};
    struct exec_config config = {.argv = argv, .env = env_none, .cwd = "/"};
    rig_run_config(&rig, &config, (struct run_job){0});
    CHECK_STR(rig.outcome.cause, "start");
    CHECK_STR(rig.outcome.text, "cannot start /nonexistent/program: No such file or directory");
    rig_deinit(&rig);
    rig = (struct rig){0};
    config.cwd = "/nonexistent";
    rig_run_config(&rig, &config, (struct run_job){0});
    CHECK_STR(rig.outcome.cause, "start");
    CHECK(strstr(rig.outcome.text, "in the folder /nonexistent") != NULL);
    rig_deinit(&rig);
    rig = (struct rig){0};
    rig_run(&rig, "exit 127", (struct run_job){0});
    CHECK_STR(rig.outcome.cause, "exit");
    rig_deinit(&rig);
}

TEST(a_timeout_ends_the_whole_group) {
    struct rig rig = {0};
    const char *script = "sleep 100 & echo begun >&2; wait";
    rig_run(&rig, script, (struct run_job){.timeout_ns = 50 * NS_PER_MS});
    CHECK_STR(rig.outcome.cause, "timeout");
    CHECK_STR(rig.outcome.text, "stopped: it ran longer than 50ms\nbegun");
    rig_deinit(&rig);
}

TEST(what_ignores_the_request_is_forced_after_the_grace) {
    struct rig rig = {.stop_at = "begun", .stop_why = STOP_LOST, .stop_grace_ns = 20 * NS_PER_MS};
    rig_run(
        &rig, "trap '' TERM; echo begun >&2; while :; do sleep 0.01; done", (struct run_job){0}
    );
    CHECK(rig.outcome.verdict == OUTCOME_DROP);
    rig_deinit(&rig);
}

TEST(a_shutdown_by_force_releases) {
    struct rig rig = {.stop_at = "begun", .stop_why = STOP_SHUTDOWN};
    rig_run(&rig, "echo begun >&2; sleep 100", (struct run_job){0});
    CHECK(rig.outcome.verdict == OUTCOME_RELEASE);
    rig_deinit(&rig);
}

TEST(a_grandchild_that_holds_the_pipes_does_not_hang_the_job) {
    struct rig rig = {0};
    rig_run(&rig, "sleep 100 & echo $!", (struct run_job){0});
    CHECK(rig.outcome.verdict == OUTCOME_ACK);
    long pid = strtol(rig.result.bytes, NULL, 10);
    CHECK(pid > 1);
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    if (fd >= 0) { /* else it is gone already */
        struct pollfd ended = {.fd = fd, .events = POLLIN};
        CHECK(poll(&ended, 1, 5000) == 1);
        (void)close(fd);
    }
    rig_deinit(&rig);
}

TEST(too_large_a_result_fails) {
    struct rig rig = {0};
    rig_run(&rig, "head -c 1048577 /dev/zero", (struct run_job){0});
    CHECK(rig.outcome.verdict == OUTCOME_FAIL);
    CHECK(strstr(rig.outcome.text, "1 MiB") != NULL);
    rig_deinit(&rig);
    rig = (struct rig){0};
    rig_run(&rig, "head -c 1048576 /dev/zero", (struct run_job){0});
    CHECK(rig.outcome.verdict == OUTCOME_ACK);
    rig_deinit(&rig);
}

TEST(the_program_is_hardened_and_inherits_nothing) {
    struct rig rig = {0};
    rig_run(
        &rig,
        "grep NoNewPrivs /proc/self/status; ulimit -c; ls /proc/self/fd; "
        "ps -o sid= -o pgid= -p $$ | awk -v p=$$ '{print ($1 == p && $2 == p)}'",
        (struct run_job){0}
    );
    /* Descriptor 4 is the folder that ls lists. */
    CHECK_STR(rig.result.bytes, "NoNewPrivs:\t1\n0\n0\n1\n2\n3\n4\n1\n");
    rig_deinit(&rig);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(payload_in_result_out_and_lines_beside),
    cmocka_unit_test(a_program_goes_on_with_the_trace_of_its_job),
    cmocka_unit_test(a_program_need_not_read_its_payload),
    cmocka_unit_test(the_environment_tells_of_the_job),
    cmocka_unit_test(progress_comes_from_descriptor_3),
    cmocka_unit_test(an_exit_code_fails_with_the_last_lines),
    cmocka_unit_test(a_signal_is_told_apart_from_an_exit),
    cmocka_unit_test(a_program_that_is_not_there_is_told_with_its_path),
    cmocka_unit_test(a_timeout_ends_the_whole_group),
    cmocka_unit_test(what_ignores_the_request_is_forced_after_the_grace),
    cmocka_unit_test(a_shutdown_by_force_releases),
    cmocka_unit_test(a_grandchild_that_holds_the_pipes_does_not_hang_the_job),
    cmocka_unit_test(too_large_a_result_fails),
    cmocka_unit_test(the_program_is_hardened_and_inherits_nothing),
};

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], LAUNCH_WORD) == 0) return launch_main(argc - 2, argv + 2);
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    size_t size = sizeof self;
    if (uv_exepath(self, &size) != 0) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
