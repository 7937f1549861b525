/* SPDX-License-Identifier: Apache-2.0 */
/* Phases, and the fate of the server: one timer that ends each of its lives. What is drawn is when
 * and how; a server that ends without having been killed ends the run. */
#include "torture/torture.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "os/clock.h"
#include "os/file.h"
#include "torture/private.h"

enum {
    LIFE_MS_MAX = 800,
    FREEZE_MS_MAX = 700,
    BIRTH_MS_MAX = 40, /* for kills before it is ready */
    READ_BYTES = 256 * 1024,
};

#define START_NS_MAX (120 * NS_PER_SECOND)
#define STOP_NS_MAX  (60 * NS_PER_SECOND)

void torture_fail(struct torture *torture, const char *format, ...) {
    if (torture->failed != HOB_OK) return;
    char text[200];
    va_list args;
    va_start(args, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started above */
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *dir = torture->options.dir;
    torture->failed = fail(torture->err, HOB_FAILED, "%s (see %s/server.log)", text, dir);
    child_thaw(torture);
    child_kill(torture);
    uv_stop(&torture->loop);
}

struct client *torture_connect(struct torture *torture, const struct client_events *events) {
    struct client_options options = {.loop = &torture->loop, .events = *events};
    char text[32];
    int size = snprintf(text, sizeof text, "127.0.0.1:%d", torture->port);
    bool parsed = address_parse(slice_of(text, (size_t)size), &options.address);
    hob_assert(parsed);
    return client_open(&options);
}

static bool is_running(const struct torture *torture) {
    return torture->phase == PHASE_RUN;
}

/* --- fate --- */

static void on_fate(uv_timer_t *timer) {
    struct torture *torture = timer->data;
    switch (torture->child.state) {
    case CHILD_UP:
        if (!is_running(torture)) return;
        if (torture_draw(torture, 10) < 7) {
            child_kill(torture);
            return;
        }
        child_freeze(torture);
        (void)uv_timer_start(timer, on_fate, 5 + torture_draw(torture, FREEZE_MS_MAX), 0);
        return;
    case CHILD_FROZEN:
        if (is_running(torture) && torture_draw(torture, 4) == 0) {
            child_kill(torture);
            return;
        }
        child_thaw(torture);
        (void)uv_timer_start(timer, on_fate, 5 + torture_draw(torture, LIFE_MS_MAX), 0);
        return;
    case CHILD_STARTING:
        if (is_running(torture)) child_kill(torture);
        return;
    case CHILD_NONE:
        child_start(torture);
        if (torture->child.state != CHILD_STARTING || !is_running(torture)) return;
        if (torture->report->starts > 1 && torture_draw(torture, 8) == 0) {
            (void)uv_timer_start(timer, on_fate, torture_draw(torture, BIRTH_MS_MAX), 0);
        }
        return;
    case CHILD_ENDING:
        return;
    }
}

void torture_child_ready(struct torture *torture) {
    for (size_t i = 0; i < torture->options.pushers; i++) pusher_connect(&torture->pushers[i]);
    for (size_t i = 0; i < torture->options.workers; i++) hand_connect(&torture->hands[i]);
    control_connect(torture);
    if (!is_running(torture)) {
        (void)uv_timer_stop(&torture->fate);
        return;
    }
    /* Short lives are as frequent as long ones. */
    uint64_t life_ms = 5 + torture_draw(torture, 1 + torture_draw(torture, LIFE_MS_MAX));
    (void)uv_timer_start(&torture->fate, on_fate, life_ms, 0);
}

void torture_child_ended(struct torture *torture, int64_t code, int signal_number) {
    bool killed = signal_number == 9;
    if (torture->failed != HOB_OK) return;
    if (torture->phase == PHASE_STOP) {
        if (killed || signal_number != 0 || code != 0) {
            torture_fail(torture, "the server did not stop in order: exit %d", (int)code);
        }
        uv_stop(&torture->loop);
        return;
    }
    if (!killed) {
        torture_fail(
            torture, "the server ended by itself: exit %d, signal %d", (int)code, signal_number
        );
        return;
    }
    (void)uv_timer_start(&torture->fate, on_fate, torture_draw(torture, 20), 0);
}

/* --- phases --- */

static void phase_begin(struct torture *torture, enum phase phase) {
    torture->phase = phase;
    torture->phase_at = clock_monotonic();
}

/* Clients that lost a server which lives come back. */
static void reconnect(struct torture *torture) {
    if (torture->child.state != CHILD_UP) return;
    for (size_t i = 0; i < torture->options.pushers; i++) pusher_connect(&torture->pushers[i]);
    for (size_t i = 0; i < torture->options.workers; i++) hand_connect(&torture->hands[i]);
    control_connect(torture);
}

static void on_tick(uv_timer_t *timer) {
    struct torture *torture = timer->data;
    hob_ns now = clock_monotonic();
    if (is_running(torture) && now - torture->began_at > torture->options.time_ns) {
        phase_begin(torture, PHASE_DRAIN);
        record_note(torture, "draining");
    }
    enum child_state state = torture->child.state;
    if (state == CHILD_STARTING && now - torture->child.started_at > START_NS_MAX) {
        torture_fail(torture, "the server was not ready in two minutes");
        return;
    }
    if (state != CHILD_UP) return;
    reconnect(torture);
    for (size_t i = 0; i < torture->options.pushers; i++) pusher_tick(&torture->pushers[i]);
    for (size_t i = 0; i < torture->options.workers; i++) hand_tick(&torture->hands[i]);
    control_tick(torture);
}

static void close_all(struct torture *torture) {
    for (size_t i = 0; i < TORTURE_HANDS_MAX; i++) {
        client_close(torture->pushers[i].client);
        client_close(torture->hands[i].client);
    }
    client_close(torture->control);
    uv_close((uv_handle_t *)&torture->tick, NULL);
    uv_close((uv_handle_t *)&torture->fate, NULL);
    (void
    )uv_run(&torture->loop, UV_RUN_DEFAULT); /* until the server has ended, and all is closed */
    int code = uv_loop_close(&torture->loop);
    hob_assert(code == 0);
    file_close(&torture->history_fd);
    file_close(&torture->child.log_fd);
}

static void prepare(struct torture *torture) {
    int code = uv_loop_init(&torture->loop);
    hob_assert(code == 0);
    (void)uv_timer_init(&torture->loop, &torture->tick);
    (void)uv_timer_init(&torture->loop, &torture->fate);
    torture->tick.data = torture;
    torture->fate.data = torture;
    for (size_t i = 0; i < TORTURE_HANDS_MAX; i++) {
        torture->pushers[i] = (struct pusher){.torture = torture, .who = (uint32_t)i + 1};
        torture->hands[i] = (struct hand){.torture = torture, .who = (uint32_t)i + 101};
    }
    torture->random = torture->options.seed;
    torture->began_at = clock_monotonic();
}

static void run(struct torture *torture) {
    phase_begin(torture, PHASE_RUN);
    (void)uv_timer_start(&torture->tick, on_tick, TICK_MS, TICK_MS);
    (void)uv_timer_start(&torture->fate, on_fate, 0, 0);
    (void)uv_run(&torture->loop, UV_RUN_DEFAULT);
    close_all(torture);
}

enum hob_status torture_run(
    const struct torture_options *options,
    checker_tell_fn *tell,
    void *context,
    struct torture_report *ret_report,
    struct hob_error *err
) {
    struct torture *torture = calloc(1, sizeof *torture);
    hob_assert(torture != NULL);
    struct torture_report report = {0};
    torture->options = *options;
    torture->report = &report;
    torture->err = err;
    torture->history_fd = -1;
    torture->child.log_fd = -1;
    enum hob_status status = record_open(torture, err);
    if (status == HOB_OK) {
        prepare(torture);
        run(torture);
        status = torture->failed;
    }
    free(torture);
    char path[TORTURE_PATH_BYTES_MAX];
    (void)snprintf(path, sizeof path, "%s/history", options->dir);
    if (status == HOB_OK) status = torture_check(path, tell, context, &report.verdict, err);
    if (status == HOB_OK) *ret_report = report;
    return status;
}

/* --- judging a file --- */

/* All whole lines of @input go to @checker; the rest stays. False: a line is none. */
static bool lines_take(struct checker *checker, struct buf *input, uint64_t *number) {
    size_t at = 0;
    for (;;) {
        const char *start = input->bytes + at;
        const char *end = at == input->size ? NULL : memchr(start, '\n', input->size - at);
        if (end == NULL) break;
        struct history_event event;
        (*number)++;
        if (!history_parse(slice_of(start, (size_t)(end - start)), &event)) return false;
        checker_take(checker, &event);
        at = (size_t)(end - input->bytes) + 1;
    }
    buf_consume(input, at);
    return true;
}

static enum hob_status
file_take(struct checker *checker, int fd, const char *path, struct hob_error *err) {
    HOB_AUTO_BUF struct buf input = buf_make(4 * READ_BYTES);
    uint64_t offset = 0;
    uint64_t number = 0;
    for (;;) {
        char *room = buf_reserve(&input, READ_BYTES);
        if (room == NULL) return fail(err, HOB_CORRUPT, "%s: a line is endless", path);
        size_t size;
        int failed = file_read(fd, offset, room, READ_BYTES, &size);
        if (failed != 0) return fail_errno(err, HOB_DISK, failed, "cannot read %s", path);
        if (size == 0) return HOB_OK; /* a torn last line was never followed by its request */
        input.size += size;
        offset += size;
        if (lines_take(checker, &input, &number)) continue;
        return fail(
            err,
            HOB_CORRUPT,
            "%s, line %llu: not a line of a history",
            path,
            (unsigned long long)number
        );
    }
}

enum hob_status torture_check(
    const char *path,
    checker_tell_fn *tell,
    void *context,
    struct checker_verdict *ret_verdict,
    struct hob_error *err
) {
    int fd = -1;
    int failed = file_open(&file_io_system, AT_FDCWD, path, O_RDONLY, &fd);
    if (failed != 0) return fail_errno(err, HOB_NOT_FOUND, failed, "cannot open %s", path);
    struct checker *checker = checker_new();
    enum hob_status status = file_take(checker, fd, path, err);
    if (status == HOB_OK) checker_judge(checker, tell, context, ret_verdict);
    checker_free(checker);
    file_close(&fd);
    return status;
}
