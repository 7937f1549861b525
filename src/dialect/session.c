/* SPDX-License-Identifier: Apache-2.0 */
/* What every dialect does in the same way: numbers for requests, leases that fit in a reply, and
 * the room that sessions share. */
#include "dialect/session.h"

#include "base/assert.h"

enum {
    SCRATCH_BYTES_MAX = 64 * 1024 * 1024,
    SCRATCH_KEPT_BYTES = 1024 * 1024,
    JOB_BYTES_AROUND = 2048, /* fields beside payload and checkpoint, roughly and at most */
    JOB_BYTES_MAX = PAYLOAD_BYTES_MAX + CHECKPOINT_BYTES_MAX + JOB_BYTES_AROUND,
};

void host_init(struct host *host, const struct host_ops *ops, void *context, struct mem *mem) {
    hob_assert(ops != NULL);
    *host = (struct host){
        .ops = ops,
        .context = context,
        .mem = mem,
        .version = "0",
        .complaint = buf_make(COMPLAINT_BYTES_MAX),
        .scratch = buf_make(SCRATCH_BYTES_MAX),
        .reply = buf_make(SCRATCH_BYTES_MAX),
    };
}

void host_deinit(struct host *host) {
    buf_deinit(&host->complaint);
    buf_deinit(&host->scratch);
    buf_deinit(&host->reply);
}

void host_trim(struct host *host) {
    if (host->scratch.capacity > SCRATCH_KEPT_BYTES) buf_deinit(&host->scratch);
    if (host->reply.capacity > SCRATCH_KEPT_BYTES) buf_deinit(&host->reply);
}

void session_init(struct session *session, const struct dialect *dialect, struct host *host) {
    *session = (struct session){.dialect = dialect, .host = host};
}

void session_apply(struct session *session, struct command *command, struct answer *ret_answer) {
    hob_assert(session->waiting == 0);
    session->requests++;
    command->request = (uint64_t)session->id << 32 | session->requests;
    session->host->ops->apply(session->host->context, command, ret_answer);
    if (ret_answer->code == ANSWER_WAITING) session->waiting = command->request;
}

void session_forget(struct session *session) {
    if (session->waiting == 0) return;
    struct command forget = {.type = COMMAND_FORGET, .request = session->waiting};
    struct answer answer;
    session->host->ops->apply(session->host->context, &forget, &answer);
    session->waiting = 0;
}

void session_subscribe(struct session *session, bool on) {
    if (session->is_subscribed == on) return;
    hob_assert(session->dialect->event != NULL);
    session->is_subscribed = on;
    if (on) session->events_missed = 0;
    session->host->ops->subscribe(session->host->context, session, on);
}

void session_event(struct session *session, const struct event *event) {
    hob_assert(session->is_subscribed);
    if (session->out->size > BACKLOG_BYTES_MAX) {
        session->events_missed++;
        return;
    }
    session->dialect->event(session, event);
}

void session_worker_set(struct session *session, struct slice name) {
    hob_assert(name.size > 0);
    hob_assert(name.size <= sizeof session->worker);
    memcpy(session->worker, name.bytes, name.size);
    session->worker_size = (uint32_t)name.size;
    session->host->ops->worker_registered(session->host->context, session);
}

bool session_must_yield(const struct session *session) {
    const struct host *host = session->host;
    return session->out->size > BACKLOG_BYTES_MAX || host->ops->is_congested(host->context);
}

bool session_job(struct session *session, uint64_t id, struct job_view *ret_view) {
    return session->host->ops->job(session->host->context, id, ret_view);
}

static size_t job_bytes(struct session *session, uint64_t id) {
    struct job_view view;
    if (!session_job(session, id, &view)) return 0;
    size_t payload = view.payload_body.id != 0 ? view.payload_body.size : view.payload.size;
    return payload + view.checkpoint.size + JOB_BYTES_AROUND;
}

uint32_t
session_jobs_that_fit(struct session *session, const struct answer *answer, uint32_t growth) {
    /* The usual answer is short and need not be measured. */
    if ((size_t)answer->job_count * growth * JOB_BYTES_MAX <= REPLY_BYTES_MAX) {
        return answer->job_count;
    }
    size_t bytes = 0;
    uint32_t fit = 0;
    while (fit < answer->job_count) {
        bytes += growth * job_bytes(session, answer->jobs[fit]);
        if (fit > 0 && bytes > REPLY_BYTES_MAX) break;
        fit++;
    }
    session_give_back(session, answer, fit);
    return fit;
}

void session_leased(struct session *session, const struct job_view *view) {
    struct lease_ref lease = {.id = view->id, .token = view->token};
    session->host->ops->leased(session->host->context, session, lease);
}

void session_give_back(struct session *session, const struct answer *answer, uint32_t from) {
    for (uint32_t i = from; i < answer->job_count; i++) {
        struct job_view view;
        if (!session_job(session, answer->jobs[i], &view)) continue;
        struct lease_ref lease = {.id = view.id, .token = view.token};
        session->host->ops->give_back(session->host->context, lease);
    }
}
