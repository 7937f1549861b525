/* SPDX-License-Identifier: Apache-2.0 */
/* What the holder of a lease may do to its job. The checks come in one order: is there such a job,
 * is it running under this token, does the lease still hold. */
#include "base/assert.h"
#include "tests/sim/model.h"

hob_ns model_lease_end(const struct model *model, const struct model_job *job) {
    if (job->forsaken_ns != 0) return job->forsaken_ns;
    const struct model_worker *worker = model_worker(model, job->view.worker);
    hob_ns alive_ns = worker == NULL ? 0 : worker->view.alive_until_ns;
    hob_ns lease_ns = job->view.lease_until_ns;
    hob_ns kill_ns = model_kill_at(job);
    if (lease_ns < alive_ns) lease_ns = alive_ns;
    hob_ns end_ns = lease_ns < kill_ns ? lease_ns : kill_ns;
    bool has_grace = job->view.token < model->grace_token && end_ns < model->grace_until_ns;
    return has_grace ? model->grace_until_ns : end_ns;
}

/* For so long nobody could reach the server. */
void model_clock_jump(struct model *model, const struct clock_jump_command *jump) {
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct job_view *view = &model->jobs[i]->view;
        if (view->state != JOB_RUNNING) continue;
        view->lease_until_ns = ns_add(view->lease_until_ns, jump->by_ns);
        view->started_ns = ns_add(view->started_ns, jump->by_ns);
    }
    if (model->grace_until_ns != 0) {
        model->grace_until_ns = ns_add(model->grace_until_ns, jump->by_ns);
    }
    for (uint32_t i = 0; i < model->worker_count; i++) {
        struct worker_view *worker = &model->workers[i].view;
        if (worker->alive_until_ns == 0) continue;
        worker->alive_until_ns = ns_add(worker->alive_until_ns, jump->by_ns);
    }
}

static void ack(struct model *model, struct model_job *job, struct slice result) {
    job->view.result = model_body_make(model, result);
    model_queue(model, job->view.queue)->view.completed++;
    model_move(model, job, JOB_COMPLETED, 0);
    model_done(model, job, result, false);
    if (job->view.has_keep && job->view.keep_ns == 0) model_delete(model, job);
}

static struct slice cut(struct slice bytes, size_t size_max) {
    return slice_of(bytes.bytes, bytes.size < size_max ? bytes.size : size_max);
}

static void
attempt_ended(struct model *model, struct model_job *job, const struct fail_command *fail) {
    struct job_view *view = &job->view;
    struct job_error error = {
        .cause = fail->cause,
        .code = fail->code,
        .what = model_copy(model, cut(fail->what, ERROR_WHAT_BYTES_MAX)),
        .text = model_copy(model, cut(fail->text, ERROR_TEXT_BYTES_MAX)),
        .backtrace = model_body_make(model, cut(fail->backtrace, BACKTRACE_BYTES_MAX)),
    };
    model_error(model, job, error);
    if (fail->permanent || view->attempt >= view->attempt_max) {
        model_move(model, job, JOB_DISCARDED, 0);
        model_done(model, job, SLICE_NONE, false);
        return;
    }
    hob_ns delay_ns = fail->has_retry_in ? fail->retry_in_ns
                                         : backoff_delay(&view->backoff, view->id, view->attempt);
    model_move(model, job, JOB_RETRYABLE, ns_add(model->now_ns, delay_ns));
    if (model_settle(model, job)) model_done(model, job, SLICE_NONE, false);
}

/* The first RELEASES_FREE_MAX releases of a job cost nothing. A later one is a failed attempt, or a
 * job that every worker gives back would go round for ever. */
static void release(struct model *model, struct model_job *job, hob_ns delay_ns) {
    struct job_view *view = &job->view;
    if (view->releases >= RELEASES_FREE_MAX) {
        struct fail_command fail = {
            .cause = CAUSE_RELEASED,
            .text = SLICE("released more than 1000 times: each further release counts"),
            .has_retry_in = true,
            .retry_in_ns = delay_ns,
        };
        attempt_ended(model, job, &fail);
        return;
    }
    view->releases++;
    view->attempt--;
    if (delay_ns == 0) {
        model_move(model, job, JOB_AVAILABLE, 0);
    } else {
        model_move(model, job, JOB_SCHEDULED, ns_add(model->now_ns, delay_ns));
    }
    if (model_settle(model, job)) model_done(model, job, SLICE_NONE, false);
}

static void extend(struct model *model, struct model_job *job, hob_ns lease_ns) {
    hob_ns until_ns = ns_add(model->now_ns, lease_ns == 0 ? LEASE_DEFAULT_NS : lease_ns);
    if (job->view.lease_until_ns < until_ns) job->view.lease_until_ns = until_ns;
}

/* The first LOG_HEAD_BYTES_MAX of an attempt stay; of what follows the last LOG_TAIL_BYTES_MAX do.
 * A chunk is whole on one side; once one did not fit into the head, all later ones are tail. */
static void log_add(struct model *model, struct model_job *job, struct slice entries) {
    struct job_view *view = &job->view;
    uint32_t head_bytes = 0;
    uint32_t head_count = 0;
    uint64_t tail_bytes = 0;
    uint32_t tail_count = 0;
    for (uint32_t i = 0; i < view->log_count; i++) {
        const struct body_ref *log = &job->logs[i];
        if (log->attempt != (uint16_t)view->attempt) continue;
        head_bytes += log->head != 0 ? log->size : 0;
        head_count += log->head != 0 ? 1 : 0;
        tail_bytes += log->head != 0 ? 0 : log->size;
        tail_count += log->head != 0 ? 0 : 1;
    }
    struct body_ref body = model_body_make(model, entries);
    model->bodies[body.id - 1].bytes = model_copy(model, entries);
    body.attempt = (uint16_t)view->attempt;
    body.head = tail_count == 0 && head_count < LOG_CHUNKS_MAX &&
                head_bytes + body.size <= LOG_HEAD_BYTES_MAX;
    uint32_t at = 0;
    while (body.head == 0 && at < view->log_count) {
        const struct body_ref *log = &job->logs[at];
        bool is_full = tail_bytes + body.size > LOG_TAIL_BYTES_MAX || tail_count == LOG_CHUNKS_MAX;
        if (!is_full) break;
        if (log->attempt != body.attempt || log->head != 0) {
            at++;
            continue;
        }
        tail_bytes -= log->size;
        tail_count--;
        view->log_lost_bytes += log->size;
        view->log_count--;
        for (uint32_t i = at; i < view->log_count; i++) job->logs[i] = job->logs[i + 1];
    }
    struct body_ref *slot =
        model_grow(&job->logs, &view->log_count, &job->log_capacity, sizeof(body));
    *slot = body;
    view->logs = job->logs;
}

void model_lease_command(
    struct model *model, const struct command *command, struct answer *answer
) {
    const struct lease_ref *lease = &command->ack.lease; /* first in each of these commands */
    struct model_job *job = model_job(model, lease->id);
    if (job == NULL) {
        answer->code = ANSWER_NO_JOB;
        return;
    }
    if (job->view.state != JOB_RUNNING || job->view.token != lease->token) {
        answer->code = ANSWER_STALE;
        return;
    }
    if (model->now_ns >= model_lease_end(model, job)) {
        answer->code = ANSWER_LEASE_OVER;
        return;
    }
    if (command->type == COMMAND_ACK) {
        answer->state = JOB_COMPLETED; /* the job may be gone after this */
        ack(model, job, command->ack.result);
        return;
    }
    if (command->type == COMMAND_FAIL) {
        model_limiter_rest(model, &job->view, command->fail.pause_ns);
        attempt_ended(model, job, &command->fail);
    } else if (command->type == COMMAND_RELEASE) {
        release(model, job, command->release.delay_ns);
    } else if (command->type == COMMAND_EXTEND) {
        extend(model, job, command->extend.lease_ns);
        answer->lease_until_ns = model_lease_end(model, job);
    } else if (command->type == COMMAND_CHECKPOINT) {
        job->view.checkpoint = model_body_make(model, command->checkpoint.bytes);
    } else if (command->type == COMMAND_LOG) {
        log_add(model, job, command->log.entries);
    } else {
        hob_assert(command->type == COMMAND_PROGRESS);
        job->view.percent = command->progress.percent;
        job->view.progress_text = model_copy(model, command->progress.text);
    }
    answer->state = job->view.state;
}
