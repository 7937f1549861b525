/* SPDX-License-Identifier: Apache-2.0 */
/* `hob work` as a process: the loop and the signals around one worker. */
#include <signal.h>

#include "base/assert.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/notify.h"
#include "os/self.h"
#include "worker/worker.h"

struct process {
    struct worker *worker;
    struct worker_reload reload;
    uv_signal_t signals[3];
    enum hob_status status;
    struct hob_error *err;
};

static void on_stop(uv_signal_t *handle, int number) {
    (void)number;
    const struct process *process = handle->data;
    if (process->worker == NULL) return;
    notify_stopping();
    worker_stop(process->worker);
}

static void on_reload(uv_signal_t *handle, int number) {
    (void)number;
    struct process *process = handle->data;
    struct worker_change change;
    if (process->worker == NULL) return;
    if (process->reload.call == NULL) {
        log_warn("this worker has no configuration to reload");
        return;
    }
    notify_reloading(clock_monotonic());
    if (process->reload.call(process->reload.context, &change)) {
        worker_change(process->worker, &change);
    }
    notify_ready("working");
}

static void on_ended(void *context, enum hob_status status, const struct hob_error *error) {
    struct process *process = context;
    process->worker = NULL;
    process->status = status;
    if (status != HOB_OK && process->err != NULL) *process->err = *error;
    for (size_t i = 0; i < hob_countof(process->signals); i++) {
        uv_close((uv_handle_t *)&process->signals[i], NULL);
    }
}

enum hob_status worker_run(const struct worker_options *options, struct hob_error *err) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    static const uv_signal_cb calls[] = {on_stop, on_stop, on_reload};
    struct process process = {.err = err, .reload = options->reload};
    _Static_assert(
        hob_countof(numbers) == hob_countof(process.signals), "each signal has its handle"
    );
    uv_loop_t loop;
    int code = uv_loop_init(&loop);
    hob_assert(code == 0);
    self_ignore_broken_pipes();
    (void)self_raise_files(); /* five pipes a job */
    for (size_t i = 0; i < hob_countof(numbers); i++) {
        code = uv_signal_init(&loop, &process.signals[i]);
        hob_assert(code == 0);
        process.signals[i].data = &process;
        code = uv_signal_start(&process.signals[i], calls[i], numbers[i]);
        hob_assert(code == 0);
    }
    struct worker_options own = *options;
    own.context = &process;
    own.ended = on_ended;
    process.worker = worker_start(&loop, &own);
    notify_ready("working");
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    code = uv_loop_close(&loop);
    hob_assert(code == 0);
    return process.status;
}
