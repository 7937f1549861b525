/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a worker, by worker_stop() or by time:
 *
 *     stage 1  no more fetches; what runs may finish                     25 s at most, then
 *     stage 2  SIGTERM to what runs; what ends now is given back         a few seconds, then
 *     stage 3  SIGKILL to what runs                                      a few seconds, then
 *     stage 4  it ends, whatever could not be told: those leases run out
 *
 * and at once when no job is left and no fetch is open. */
#include <stdlib.h>

#include "base/assert.h"
#include "os/log.h"
#include "worker/private.h"

enum {
    QUIET_MS = 200,
    STOP_WAIT_MS = 25000,
    STOP_GRACE_MS = 3000,
    STOP_TELL_MS = 3000,
};

static void stop_stage_set(struct worker *worker, uint32_t stage);

/* What a worker that ends registers for, so that a fetch of its own that still waits gets
 * nothing. */
static const char *const kind_none = "hob.none";

static void on_timer_closed(uv_handle_t *handle) {
    struct worker *worker = handle->data;
    if (--worker->timers_open > 0) return;
    void (*ended)(void *, enum hob_status, const struct hob_error *) = worker->options.ended;
    ended(worker->options.context, worker->status, &worker->error);
    config_free(worker->options.config->config);
    free(worker);
}

static void worker_close(struct worker *worker) {
    if (worker->closing) return;
    worker->closing = true;
    client_close(worker->fetcher);
    client_close(worker->control);
    executors_close(&worker->executors);
    uv_timer_t *timers[] = {&worker->tick, &worker->beat, &worker->again, &worker->stopping};
    for (size_t i = 0; i < hob_countof(timers); i++) {
        uv_close((uv_handle_t *)timers[i], on_timer_closed);
    }
}

void worker_close_if_idle(struct worker *worker) {
    if (worker->stop_stage > 0 && worker->job_count == 0 && !worker->fetching) {
        worker_close(worker);
    }
}

/* What runs has been killed by now, but the server does not answer. */
static void worker_abandon(struct worker *worker) {
    worker->status = fail(
        &worker->error,
        HOB_UNREACHABLE,
        "%u jobs could not be settled with the server at %s: their leases run out, and then other "
        "workers get them",
        worker->job_count,
        worker->options.server.text
    );
    client_drop(worker->fetcher, "the worker ends");
    client_drop(worker->control, "the worker ends");
    struct workjob *next = NULL;
    for (struct workjob *job = worker->jobs; job != NULL; job = next) {
        next = job->next;
        workjob_abandon(job);
    }
    worker_close_if_idle(worker);
}

static void interrupt_all(struct worker *worker, hob_ns grace_ns) {
    struct workjob *next = NULL;
    for (struct workjob *job = worker->jobs; job != NULL; job = next) {
        next = job->next;
        workjob_interrupt(job, grace_ns);
    }
}

/* What was leased before the server took `hob.none` has been sent by now; the connection that
 * fetches can go. */
static void on_quiet_over(uv_timer_t *timer) {
    struct worker *worker = timer->data;
    if (worker->fetching) client_drop(worker->fetcher, "the worker ends");
}

static void on_quiet(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct worker *worker = context;
    if (node != NULL) (void)uv_timer_start(&worker->again, on_quiet_over, QUIET_MS, 0);
}

static void worker_quiet(struct worker *worker) {
    if (worker->registered) worker_kinds_tell(worker, &kind_none, 1, on_quiet);
    worker->registered = false;
}

static void on_stopping(uv_timer_t *timer) {
    struct worker *worker = timer->data;
    stop_stage_set(worker, worker->stop_stage + 1);
}

static uint64_t stop_wait_ms(const struct worker *worker) {
    return worker->options.stop_wait_ms == 0 ? STOP_WAIT_MS : worker->options.stop_wait_ms;
}

static void stop_stage_set(struct worker *worker, uint32_t stage) {
    uint64_t wait_ms[] = {0, stop_wait_ms(worker), STOP_GRACE_MS, STOP_TELL_MS};
    worker->stop_stage = stage;
    if (stage >= hob_countof(wait_ms)) {
        worker_abandon(worker);
        return;
    }
    (void)uv_timer_start(&worker->stopping, on_stopping, wait_ms[stage], 0);
    if (stage == 1) worker_quiet(worker);
    if (stage == 2) interrupt_all(worker, STOP_GRACE_MS * NS_PER_MS);
    if (stage == 3) interrupt_all(worker, 0);
}

void worker_stop(struct worker *worker) {
    if (worker->closing) return;
    uv_update_time(worker->loop);
    if (worker->stop_stage == 0) {
        log_info(
            "stopping", log_u64("jobs", worker->job_count), log_u64("wait_ms", stop_wait_ms(worker))
        );
        stop_stage_set(worker, 1);
    } else if (worker->stop_stage < 3) {
        log_warn("stopping at once", log_u64("jobs", worker->job_count));
        stop_stage_set(worker, 3);
    }
    worker_close_if_idle(worker);
}

void worker_server_gone(struct worker *worker, const struct hob_error *why) {
    if (worker->closing || worker->status != HOB_OK) return;
    bool stopping = worker->stop_stage > 0;
    if (!stopping) worker->status = fail(&worker->error, HOB_UNREACHABLE, "%s", why->text);
    if (worker->stop_stage < 3) stop_stage_set(worker, 3);
    worker_close_if_idle(worker);
}
