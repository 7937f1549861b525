/* SPDX-License-Identifier: Apache-2.0 */
/* The server as a process. Its first line of output says that it is ready and where it listens; its
 * log goes to a file beside the history. Settings of the machine do not reach it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "os/clock.h"
#include "torture/private.h"

enum { ENVIRONMENT_MAX = 512, TERM_EXIT = 0 };

static void on_closed(uv_handle_t *handle) {
    (void)handle;
}

static void on_exited(uv_process_t *process, int64_t code, int signal_number) {
    struct torture *torture = process->data;
    struct child *child = &torture->child;
    uv_close((uv_handle_t *)process, on_closed);
    child->process_open = false;
    if (child->out_open) uv_close((uv_handle_t *)&child->out, on_closed);
    child->out_open = false;
    child->state = CHILD_NONE;
    torture_child_ended(torture, code, signal_number);
}

/* "ready hob 0.1.0 listen=127.0.0.1:4620 pid=…" */
static bool port_of(const char *line, int *ret_port) {
    const char *at = strstr(line, "listen=127.0.0.1:");
    if (strncmp(line, "ready ", 6) != 0 || at == NULL) return false;
    at += sizeof "listen=127.0.0.1:" - 1;
    struct slice digits = slice_of(at, strcspn(at, " \n"));
    uint64_t port;
    if (!text_u64(digits, 1, 65535, &port)) return false;
    *ret_port = (int)port;
    return true;
}

static void line_is_whole(struct torture *torture) {
    struct child *child = &torture->child;
    if (child->state != CHILD_STARTING) return;
    if (!port_of(child->line, &torture->port)) {
        torture_fail(torture, "the server said `%s` instead of `ready …`", child->line);
        return;
    }
    child->state = CHILD_UP;
    hob_ns took = clock_monotonic() - child->started_at;
    if (took > torture->report->start_max_ns) torture->report->start_max_ns = took;
    torture_child_ready(torture);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *ret_buf) {
    (void)wanted;
    struct torture *torture = handle->data;
    struct child *child = &torture->child;
    *ret_buf = uv_buf_init(
        child->line + child->line_size, (unsigned)(sizeof child->line - 1 - child->line_size)
    );
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf) {
    (void)buf;
    struct torture *torture = stream->data;
    struct child *child = &torture->child;
    if (size < 0) {
        (void)uv_read_stop(stream);
        return;
    }
    child->line_size += (size_t)size;
    child->line[child->line_size] = '\0';
    if (strchr(child->line, '\n') == NULL) return;
    (void)uv_read_stop(stream);
    line_is_whole(torture);
}

/* The environment without what configures a server. */
static void environment_copy(char **to) {
    size_t count = 0;
    for (char **variable = environ; *variable != NULL && count + 1 < ENVIRONMENT_MAX; variable++) {
        if (strncmp(*variable, "HOB_", 4) != 0) to[count++] = *variable;
    }
    to[count] = NULL;
}

void child_start(struct torture *torture) {
    struct child *child = &torture->child;
    hob_assert(child->state == CHILD_NONE);
    char data[TORTURE_PATH_BYTES_MAX];
    char listen[32];
    char program[TORTURE_PATH_BYTES_MAX];
    const char *given = torture->options.program;
    (void)snprintf(data, sizeof data, "%s/data", torture->options.dir);
    (void)snprintf(listen, sizeof listen, "127.0.0.1:%d", torture->port);
    (void)snprintf(program, sizeof program, "%s", given == NULL ? "/proc/self/exe" : given);
    char *argv[] = {
        program,
        "serve",
        "--data",
        data,
        "--listen",
        listen,
        "--config",
        "/dev/null",
        "--callbacks",
        "off",
        NULL};
    char *environment[ENVIRONMENT_MAX];
    environment_copy(environment);
    int code = uv_pipe_init(&torture->loop, &child->out, 0);
    hob_assert(code == 0);
    child->out.data = torture;
    child->process.data = torture;
    child->line_size = 0;
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&child->out},
        {.flags = UV_INHERIT_FD, .data.fd = child->log_fd},
    };
    uv_process_options_t options = {
        .exit_cb = on_exited,
        .file = program,
        .args = argv,
        .env = environment,
        .stdio_count = (int)hob_countof(stdio),
        .stdio = stdio,
    };
    child->started_at = clock_monotonic();
    code = uv_spawn(&torture->loop, &child->process, &options);
    child->out_open = true;
    if (code != 0) {
        uv_close((uv_handle_t *)&child->process, on_closed);
        torture_fail(torture, "cannot start %s: %s", program, uv_strerror(code));
        return;
    }
    child->process_open = true;
    child->state = CHILD_STARTING;
    torture->report->starts++;
    record_note(torture, "started");
    (void)uv_read_start((uv_stream_t *)&child->out, on_alloc, on_read);
}

void child_kill(struct torture *torture) {
    struct child *child = &torture->child;
    if (child->state == CHILD_NONE || child->state == CHILD_ENDING) return;
    torture->report->kills++;
    if (child->state == CHILD_STARTING) torture->report->kills_starting++;
    child->state = CHILD_ENDING;
    record_note(torture, "killed");
    (void)uv_process_kill(&child->process, SIGKILL);
}

void child_freeze(struct torture *torture) {
    if (torture->child.state != CHILD_UP) return;
    torture->report->freezes++;
    torture->child.state = CHILD_FROZEN;
    record_note(torture, "frozen");
    (void)uv_process_kill(&torture->child.process, SIGSTOP);
}

void child_thaw(struct torture *torture) {
    if (torture->child.state != CHILD_FROZEN) return;
    torture->child.state = CHILD_UP;
    record_note(torture, "thawed");
    (void)uv_process_kill(&torture->child.process, SIGCONT);
}

void child_stop(struct torture *torture) {
    if (torture->child.state != CHILD_UP) return;
    torture->child.state = CHILD_ENDING;
    record_note(torture, "stopped");
    (void)uv_process_kill(&torture->child.process, SIGTERM);
}
