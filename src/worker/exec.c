/* SPDX-License-Identifier: Apache-2.0 */
/* The executor `exec`: one program for each job, in a session and process group of its own.
 *
 *     descriptor   0          1         2            3                        4
 *     is           payload    result    log lines    "::progress 40 text"     reason of a failed
 *                  start
 *
 * The stages of a run, and what its one timer means in each:
 *
 *        start ──> RUNNING ──stop, timeout──> ASKED (SIGTERM) ──grace──> FORCED (SIGKILL)
 *                     └───────────┬───────────────┴───────────────────────────┘
 *              the main process ends; whoever holds its pipes open gets a second
 *                                 v
 *                             DRAINING ──pipes closed, or a second later──> done
 *
 * At the end the whole group gets SIGKILL: nothing that a job started outlives it, unless it made a
 * session of its own. Descriptors 0 to 3 are pipes, not sockets, so that /dev/stderr can be opened
 * by name. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/launch.h"
#include "worker/exec_config.h"
#include "worker/exec_env.h"
#include "worker/executor.h"
#include "worker/lines.h"
#include "worker/tail.h"

enum {
    READ_BYTES = 16 * 1024,
    LINE_BYTES_MAX = 8 * 1024,
    PROGRESS_LINE_BYTES_MAX = 1024,
    PROGRESS_TEXT_BYTES_MAX = 200,
    START_ERROR_BYTES_MAX = 500,
    DRAIN_MS = 1000,
};

enum { FD_STDIN, FD_RESULT, FD_LOG, FD_PROGRESS, FD_START_ERROR, FD_COUNT };
_Static_assert((int)FD_PROGRESS == (int)PROGRESS_FD, "what the environment says holds");

enum stage { UNSTARTED, RUNNING, ASKED, FORCED, DRAINING };

struct channel {
    uv_pipe_t pipe;
    struct run *run;
    bool open; /* the handle is with the loop */
    bool over; /* all was read */
};

struct run {
    uv_process_t process;
    uv_timer_t timer;
    struct channel channels[FD_COUNT];
    uv_write_t write;
    bool process_open;
    size_t handles_open;
    struct run_events events;
    enum stage stage;
    enum stop_why stopped;
    hob_ns timeout_ns;
    hob_ns grace_ns;
    int pid;
    int exit_code;
    int signal_number;
    struct buf payload;
    struct buf result;
    struct buf start_error;
    struct lines log;
    struct lines progress;
    struct tail tail;
    char bytes[READ_BYTES];
};

static void run_free(struct run *run) {
    buf_deinit(&run->payload);
    buf_deinit(&run->result);
    buf_deinit(&run->start_error);
    lines_deinit(&run->log);
    lines_deinit(&run->progress);
    tail_deinit(&run->tail);
    free(run);
}

static void on_handle_closed(uv_handle_t *handle) {
    struct run *run = handle->data;
    if (--run->handles_open == 0) run_free(run);
}

static void on_channel_closed(uv_handle_t *handle) {
    struct channel *channel = handle->data;
    struct run *run = channel->run;
    if (--run->handles_open == 0) run_free(run);
}

static void channel_close(struct channel *channel) {
    channel->over = true;
    if (!channel->open) return;
    channel->open = false;
    uv_close((uv_handle_t *)&channel->pipe, on_channel_closed);
}

/* A group that is gone already is what was wanted. */
static void group_kill(const struct run *run, int signal_number) {
    if (run->pid > 0) (void)uv_kill(-run->pid, signal_number);
}

static void run_done(struct run *run) {
    group_kill(run, SIGKILL);
    lines_flush(&run->log);
    lines_flush(&run->progress);
    struct run_end end = {
        .start_error = buf_slice(&run->start_error),
        .stopped = run->stopped,
        .exit_code = run->exit_code,
        .signal_number = run->signal_number,
        .result = buf_slice(&run->result),
        .result_too_large = run->result.overflowed,
        .tail = buf_slice(&run->tail.text),
        .timeout_ns = run->timeout_ns,
    };
    struct outcome outcome;
    outcome_judge(&end, &outcome);
    run->events.done(run->events.context, &outcome);
    for (size_t i = 0; i < FD_COUNT; i++) channel_close(&run->channels[i]);
    if (run->process_open) uv_close((uv_handle_t *)&run->process, on_handle_closed);
    uv_close((uv_handle_t *)&run->timer, on_handle_closed);
}

static void run_done_if_drained(struct run *run) {
    if (run->stage != DRAINING) return;
    for (size_t i = FD_RESULT; i < FD_COUNT; i++) {
        if (!run->channels[i].over) return;
    }
    run->stage = UNSTARTED; /* the timer has nothing to do any more */
    run_done(run);
}

static void exec_stop(struct run *run, enum stop_why why, hob_ns grace_ns);

static void on_timer(uv_timer_t *timer) {
    struct run *run = timer->data;
    switch (run->stage) {
    case RUNNING:
        exec_stop(run, STOP_TIMEOUT, run->grace_ns);
        break;
    case ASKED:
        run->stage = FORCED;
        group_kill(run, SIGKILL);
        break;
    case UNSTARTED:
    case DRAINING:
        run_done(run);
        break;
    case FORCED:
        break;
    }
}

static void timer_set(struct run *run, hob_ns span_ns) {
    uint64_t ms = (span_ns + NS_PER_MS - 1) / NS_PER_MS;
    uv_update_time(run->timer.loop);
    (void)uv_timer_start(&run->timer, on_timer, ms, 0);
}

static void exec_stop(struct run *run, enum stop_why why, hob_ns grace_ns) {
    /* Of a lease that is gone nothing can be told, whatever else was the matter before. */
    if (run->stopped == STOP_NOT || why == STOP_LOST) run->stopped = why;
    if (run->stage == UNSTARTED || run->stage == DRAINING || run->stage == FORCED) return;
    if (grace_ns == 0) {
        run->stage = FORCED;
        (void)uv_timer_stop(&run->timer);
        group_kill(run, SIGKILL);
        return;
    }
    uint64_t left_ms = run->stage == ASKED ? uv_timer_get_due_in(&run->timer) : UINT64_MAX;
    if (run->stage == RUNNING) group_kill(run, SIGTERM);
    run->stage = ASKED;
    if (grace_ns / NS_PER_MS < left_ms) timer_set(run, grace_ns);
}

static void on_exit_status(uv_process_t *process, int64_t status, int signal_number) {
    struct run *run = process->data;
    run->exit_code = (int)status;
    run->signal_number = signal_number;
    run->stage = DRAINING;
    channel_close(&run->channels[FD_STDIN]);
    timer_set(run, DRAIN_MS * NS_PER_MS);
    run_done_if_drained(run);
}

static void on_log_line(void *context, struct slice line) {
    struct run *run = context;
    tail_add(&run->tail, line);
    run->events.line(run->events.context, RUN_STDERR, line);
}

/* "::progress 40 half way" */
static bool progress_parse(struct slice line, uint64_t *ret_percent, struct slice *ret_text) {
    const struct slice word = SLICE("::progress ");
    if (line.size < word.size || memcmp(line.bytes, word.bytes, word.size) != 0) return false;
    struct slice rest = slice_of(line.bytes + word.size, line.size - word.size);
    const char *space = memchr(rest.bytes, ' ', rest.size);
    size_t size = space == NULL ? rest.size : (size_t)(space - rest.bytes);
    if (!text_u64(slice_of(rest.bytes, size), 0, 100, ret_percent)) return false;
    *ret_text = space == NULL ? SLICE_NONE : slice_of(space + 1, rest.size - size - 1);
    if (ret_text->size > PROGRESS_TEXT_BYTES_MAX) ret_text->size = PROGRESS_TEXT_BYTES_MAX;
    return true;
}

static void on_progress_line(void *context, struct slice line) {
    struct run *run = context;
    uint64_t percent = 0;
    struct slice text;
    if (progress_parse(line, &percent, &text)) {
        run->events.progress(run->events.context, (uint32_t)percent, text);
        return;
    }
    char note[160];
    if (line.size > 60) line.size = 60;
    (void)snprintf(
        note,
        sizeof note,
        "descriptor 3 takes lines such as `::progress 40 half way`, not `%.*s`",
        SLICE_ARG(line)
    );
    run->events.line(run->events.context, RUN_SYSTEM, slice_str(note));
}

static void on_allocate(uv_handle_t *handle, size_t size, uv_buf_t *ret_room) {
    (void)size;
    struct channel *channel = handle->data;
    *ret_room = uv_buf_init(channel->run->bytes, sizeof channel->run->bytes);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room) {
    (void)room;
    struct channel *channel = stream->data;
    struct run *run = channel->run;
    if (size == 0) return;
    if (size < 0) {
        channel_close(channel);
        run_done_if_drained(run);
        return;
    }
    struct slice bytes = slice_of(run->bytes, (size_t)size);
    switch (channel - run->channels) {
    case FD_RESULT:
        (void)buf_put_slice(&run->result, bytes); /* past the maximum it remembers */
        break;
    case FD_LOG:
        lines_feed(&run->log, bytes);
        break;
    case FD_PROGRESS:
        lines_feed(&run->progress, bytes);
        break;
    default:
        (void)buf_put_slice(&run->start_error, bytes);
        break;
    }
}

/* A program need not read its payload: that the pipe broke is no failure. */
static void on_written(uv_write_t *request, int code) {
    struct channel *channel = request->data;
    if (code != UV_ECANCELED) channel_close(channel);
}

static void payload_send(struct run *run) {
    struct channel *channel = &run->channels[FD_STDIN];
    if (run->payload.size == 0) {
        channel_close(channel);
        return;
    }
    uv_buf_t bytes = uv_buf_init(run->payload.bytes, (unsigned)run->payload.size);
    run->write.data = channel;
    int code = uv_write(&run->write, (uv_stream_t *)&channel->pipe, &bytes, 1, on_written);
    if (code != 0) channel_close(channel);
}

/* Both ends of each pipe: ours with the loop, the child's in @child_fds (-1: none). */
static int channels_open(struct run *run, uv_loop_t *loop, int child_fds[FD_COUNT]) {
    for (int i = 0; i < FD_COUNT; i++) {
        struct channel *channel = &run->channels[i];
        uv_file ends[2];
        bool from_us = i == FD_STDIN;
        int code = uv_pipe(ends, from_us ? 0 : UV_NONBLOCK_PIPE, from_us ? UV_NONBLOCK_PIPE : 0);
        if (code != 0) return code;
        child_fds[i] = ends[from_us ? 0 : 1];
        code = uv_pipe_init(loop, &channel->pipe, 0);
        hob_assert(code == 0);
        channel->pipe.data = channel;
        channel->run = run;
        channel->open = true;
        run->handles_open++;
        code = uv_pipe_open(&channel->pipe, ends[from_us ? 1 : 0]);
        if (code == 0 && !from_us) {
            code = uv_read_start((uv_stream_t *)&channel->pipe, on_allocate, on_read);
        }
        if (code != 0) return code;
    }
    return 0;
}

static int
process_start(struct run *run, uv_loop_t *loop, const struct run_job *job, const int *child_fds) {
    struct arena arena = {0};
    const struct exec_config *config = job->config->settings;
    const char *const *program = config->argv;
    size_t words = 0;
    while (program[words] != NULL) words++;
    char **argv = arena_alloc(&arena, (words + 5) * sizeof *argv);
    char fd[12];
    char parent[12];
    (void)snprintf(fd, sizeof fd, "%d", FD_START_ERROR);
    (void)snprintf(parent, sizeof parent, "%d", (int)uv_os_getpid());
    const char *const launch[] = {job->launcher, LAUNCH_WORD, fd, parent};
    for (size_t i = 0; i < 4; i++) argv[i] = arena_text(&arena, slice_str(launch[i]));
    for (size_t i = 0; i < words; i++) argv[4 + i] = arena_text(&arena, slice_str(program[i]));
    uv_stdio_container_t stdio[FD_COUNT];
    for (size_t i = 0; i < FD_COUNT; i++) {
        stdio[i] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = child_fds[i]};
    }
    uv_process_options_t options = {
        .exit_cb = on_exit_status,
        .file = job->launcher,
        .args = argv,
        .env = exec_env(&arena, job, clock_wall(), environ),
        .cwd = config->cwd,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = FD_COUNT,
        .stdio = stdio,
    };
    int code = uv_spawn(loop, &run->process, &options);
    arena_reset(&arena);
    return code;
}

static void start_failed(struct run *run, const struct run_job *job, int code) {
    const struct exec_config *config = job->config->settings;
    (void)buf_printf(
        &run->start_error,
        "%s in the folder %s: %s",
        config->argv[0],
        config->cwd,
        uv_strerror(code)
    );
    run->pid = 0;
    run->stage = UNSTARTED;
    timer_set(run, 0);
}

static struct run *exec_start(
    void *shared, uv_loop_t *loop, const struct run_job *job, const struct run_events *events
) {
    (void)shared;
    hob_assert(job->timeout_ns > 0);
    struct run *run = calloc(1, sizeof *run);
    hob_assert(run != NULL);
    run->events = *events;
    run->timeout_ns = job->timeout_ns;
    run->grace_ns = job->config->grace_ns;
    run->payload = buf_make(job->payload.size);
    run->result = buf_make(RESULT_BYTES_MAX);
    run->start_error = buf_make(START_ERROR_BYTES_MAX);
    run->tail = tail_make();
    lines_init(&run->log, LINE_BYTES_MAX, on_log_line, run);
    lines_init(&run->progress, PROGRESS_LINE_BYTES_MAX, on_progress_line, run);
    (void)buf_put_slice(&run->payload, job->payload);
    int code = uv_timer_init(loop, &run->timer);
    hob_assert(code == 0);
    run->timer.data = run;
    run->handles_open = 1;
    int child_fds[FD_COUNT] = {-1, -1, -1, -1, -1};
    code = channels_open(run, loop, child_fds);
    if (code == 0) {
        code = process_start(run, loop, job, child_fds);
        run->process_open = true; /* libuv made the handle, whatever became of the process */
        run->process.data = run;
        run->handles_open++;
    }
    for (size_t i = 0; i < FD_COUNT; i++) {
        if (child_fds[i] >= 0) (void)close(child_fds[i]);
    }
    if (code != 0) {
        start_failed(run, job, code);
        return run;
    }
    run->pid = run->process.pid;
    run->stage = RUNNING;
    timer_set(run, run->timeout_ns);
    payload_send(run);
    return run;
}

const struct executor executor_exec = {
    .name = "exec",
    .start = exec_start,
    .stop = exec_stop,
};
