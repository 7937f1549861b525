/* SPDX-License-Identifier: Apache-2.0 */
/* What every dialect does in the same way: numbers for requests, leases that fit in a reply, and
 * the room that sessions share. */
#include "dialect/session.h"

#include "base/assert.h"
#include "dialect/option.h"
#include "engine/callback.h"

#define NOBODY UINT64_MAX /* the id of no job */

/* How long a reader of events may be away. */
#define RING_KEPT_NS (5 * NS_PER_MINUTE)

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
        .on_done = buf_make(ON_DONE_BYTES_MAX),
        .reply = buf_make(SCRATCH_BYTES_MAX),
        .inner_complaint = buf_make(COMPLAINT_BYTES_MAX),
        .inner_scratch = buf_make(SCRATCH_BYTES_MAX),
        .inner_reply = buf_make(SCRATCH_BYTES_MAX),
        .ring = ring_make(mem),
    };
}

void host_deinit(struct host *host) {
    buf_deinit(&host->complaint);
    buf_deinit(&host->scratch);
    buf_deinit(&host->on_done);
    buf_deinit(&host->reply);
    buf_deinit(&host->inner_complaint);
    buf_deinit(&host->inner_scratch);
    buf_deinit(&host->inner_reply);
    ring_deinit(&host->ring);
}

void host_event(struct host *host, const struct event *event) {
    ring_put(&host->ring, event);
}

void host_stream_began(struct host *host) {
    host->streams++;
    ring_open(&host->ring);
}

void host_stream_ended(struct host *host) {
    hob_assert(host->streams > 0);
    host->streams--;
    host->ring_until_ns = ns_add(host->now_ns, RING_KEPT_NS);
}

void host_beat(struct host *host) {
    if (host->streams == 0 && host->now_ns >= host->ring_until_ns) ring_close(&host->ring);
}

void host_trim(struct host *host) {
    if (host->scratch.capacity > SCRATCH_KEPT_BYTES) buf_deinit(&host->scratch);
    if (host->reply.capacity > SCRATCH_KEPT_BYTES) buf_deinit(&host->reply);
    if (host->inner_scratch.capacity > SCRATCH_KEPT_BYTES) buf_deinit(&host->inner_scratch);
    if (host->inner_reply.capacity > SCRATCH_KEPT_BYTES) buf_deinit(&host->inner_reply);
}

void session_init(struct session *session, const struct dialect *dialect, struct host *host) {
    *session = (struct session){.dialect = dialect, .host = host};
}

/* --- who may touch what --- */

bool session_begin(struct session *session, enum scope scope) {
    session->scope = scope;
    return access_has(session->access, scope);
}

struct answer session_denied(struct session *session) {
    static const char *const needs[] = {
        [SCOPE_NONE] = NULL,
        [SCOPE_ANY] = NULL,
#define X(NAME, word, text) [SCOPE_##NAME] = "it needs the scope " word,
        ACCESS_SCOPES(X)
#undef X
            [SCOPE_READ_ALL] = "it needs the scope read, and that on every queue",
    };
    _Static_assert(hob_countof(needs) == SCOPE_COUNT, "each scope is explained");
    session->host->ops->denied(session->host->context, session);
    if (access_is_stranger(session->access)) return (struct answer){.code = ANSWER_LOGIN};
    return (struct answer){.code = ANSWER_FORBIDDEN, .detail = needs[session->scope]};
}

struct answer session_denied_queue(struct session *session) {
    session->host->ops->denied(session->host->context, session);
    return (struct answer
    ){.code = ANSWER_FORBIDDEN, .detail = "the queue is not among those it is for"};
}

bool session_sees(const struct session *session, struct slice queue) {
    return access_allows(session->access, session->scope, queue);
}

bool session_sees_valve(const struct session *session, const struct valve_name *valve) {
    if (valve->sort == VALVE_GROUP) return session_sees(session, valve->queue);
    return access_is_for_all(session->access);
}

/* What a command touches. */
struct touched {
    uint64_t job_id;            /* 0: no job */
    const struct slice *queues; /* by name */
    uint32_t queue_count;
};

/* Kinds and limiters are of all queues: who may touch them may touch every queue. */
static struct touched touched_valve(const struct valve_name *valve) {
    static const struct slice every = {.bytes = "*", .size = 1};
    const struct slice *queue = valve->sort == VALVE_GROUP ? &valve->queue : &every;
    return (struct touched){.queues = queue, .queue_count = 1};
}

static struct touched touched_by(const struct command *command) {
    switch (command->type) {
    case COMMAND_PUSH:
        return (struct touched){.queues = &command->push.queue, .queue_count = 1};
    case COMMAND_FETCH:
        return (struct touched
        ){.queues = command->fetch.queues, .queue_count = command->fetch.queue_count};
    case COMMAND_PAUSE:
        return (struct touched){.queues = &command->pause.queue, .queue_count = 1};
    case COMMAND_RESUME:
        return (struct touched){.queues = &command->resume.queue, .queue_count = 1};
    case COMMAND_QUEUE_SET:
        return (struct touched){.queues = &command->queue_set.queue, .queue_count = 1};
    case COMMAND_VALVE_SET:
        return touched_valve(&command->valve_set.valve);
    case COMMAND_VALVE_PAUSE:
        return touched_valve(&command->valve_pause.valve);
    case COMMAND_VALVE_RESUME:
        return touched_valve(&command->valve_resume.valve);
    case COMMAND_GROUP_SKIP:
        return touched_valve(&command->group_skip.valve);
    case COMMAND_ACK:
        return (struct touched){.job_id = command->ack.lease.id};
    case COMMAND_FAIL:
        return (struct touched){.job_id = command->fail.lease.id};
    case COMMAND_RELEASE:
        return (struct touched){.job_id = command->release.lease.id};
    case COMMAND_EXTEND:
        return (struct touched){.job_id = command->extend.lease.id};
    case COMMAND_CHECKPOINT:
        return (struct touched){.job_id = command->checkpoint.lease.id};
    case COMMAND_LOG:
        return (struct touched){.job_id = command->log.lease.id};
    case COMMAND_PROGRESS:
        return (struct touched){.job_id = command->progress.lease.id};
    case COMMAND_CANCEL:
        return (struct touched){.job_id = command->cancel.id};
    case COMMAND_DISCARD:
        return (struct touched){.job_id = command->discard.id};
    case COMMAND_RETRY:
        return (struct touched){.job_id = command->retry.id};
    case COMMAND_DELETE:
        return (struct touched){.job_id = command->delete.id};
    case COMMAND_UPDATE:
        return (struct touched){
            .job_id = command->update.id,
            .queues = &command->update.to.queue,
            .queue_count = command->update.has.queue ? 1 : 0,
        };
    case COMMAND_WAIT:
        return (struct touched){.job_id = command->wait.id};
    case COMMAND_PUSH_ALL: /* see all_are_seen */
    case COMMAND_WORKER_SET:
    case COMMAND_WORKER_BEAT:
    case COMMAND_TOKEN_PUT:
    case COMMAND_TOKEN_DROP:
    case COMMAND_TOKEN_USE:
    case COMMAND_FORGET:
    case COMMAND_CLOCK_JUMP:
    case COMMAND_TYPE_COUNT:
        break;
    }
    return (struct touched){.job_id = 0};
}

/* Who pushes a job pushes its callbacks too, and theirs. Requests are everybody's: their queue runs
 * nothing else. */
static bool callbacks_are_seen(const struct session *session, struct slice on_done) {
    struct slice rests[CALLBACKS_DEPTH_MAX] = {on_done};
    uint32_t depth = 0;
    for (;;) {
        struct callback callback;
        bool bad = false;
        if (!callback_next(&rests[depth], &callback, &bad)) {
            if (bad) return false;
            if (depth == 0) return true;
            depth--;
            continue;
        }
        bool is_request = callback.payload == CALLBACK_REQUEST;
        if (!is_request && !session_sees(session, callback.push.queue)) return false;
        if (callback.push.on_done.size == 0) continue;
        if (depth + 1 == CALLBACKS_DEPTH_MAX) return false;
        rests[++depth] = callback.push.on_done;
    }
}

/* Each of a list is a push of its own. */
static bool
all_are_seen(struct session *session, const struct push_all_command *all, struct answer *no) {
    for (uint32_t i = 0; i < all->count; i++) {
        const struct push_command *push = &all->pushes[i];
        if (session_sees(session, push->queue) && callbacks_are_seen(session, push->on_done)) {
            continue;
        }
        *no = session_denied_queue(session);
        no->item = i + 1;
        return false;
    }
    return true;
}

static bool may_apply(struct session *session, const struct command *command, struct answer *no) {
    if (access_is_for_all(session->access)) return true;
    if (command->type == COMMAND_PUSH_ALL) return all_are_seen(session, &command->push_all, no);
    struct touched touched = touched_by(command);
    for (uint32_t i = 0; i < touched.queue_count; i++) {
        /* A glob of a fetch finds what the access is for: see narrow. */
        if (command->type == COMMAND_FETCH && !name_is_valid(touched.queues[i])) continue;
        if (session_sees(session, touched.queues[i])) continue;
        *no = session_denied_queue(session);
        return false;
    }
    struct slice on_done = SLICE_NONE;
    if (command->type == COMMAND_PUSH) on_done = command->push.on_done;
    if (command->type == COMMAND_UPDATE) on_done = command->update.to.on_done;
    if (!callbacks_are_seen(session, on_done)) {
        *no = session_denied_queue(session);
        return false;
    }
    struct job_view job;
    if (touched.job_id == 0 || session_job(session, touched.job_id, &job)) return true;
    *no = (struct answer){.code = ANSWER_NO_JOB};
    return false;
}

/* Globs of a fetch stand for those queues only that the session may see; what a worker holds, too.
 * Limiters are of all queues: who is not may pause none. */
static void narrow(const struct session *session, struct command *command) {
    if (access_is_for_all(session->access)) return;
    if (command->type == COMMAND_FETCH) command->fetch.only = session->access->queues;
    if (command->type == COMMAND_FAIL) command->fail.pause_ns = 0;
    if (command->type == COMMAND_WORKER_BEAT) command->worker_beat.only = session->access->queues;
}

/* A parent of a queue that the request may not touch is one that does not exist; the engine says so
 * when it comes to it. Of a list, in a copy: NULL when it needs none. */
static bool is_foreign(struct session *session, uint64_t parent) {
    struct job_view job;
    return parent != 0 && !session_job(session, parent, &job);
}

static struct push_command *
parents_narrow(struct session *session, struct command *command, size_t *ret_bytes) {
    if (access_is_for_all(session->access)) return NULL;
    if (command->type == COMMAND_PUSH && is_foreign(session, command->push.parent)) {
        command->push.parent = NOBODY;
    }
    if (command->type != COMMAND_PUSH_ALL) return NULL;
    struct push_all_command *all = &command->push_all;
    struct push_command *copy = NULL;
    for (uint32_t i = 0; i < all->count; i++) {
        if (!is_foreign(session, all->pushes[i].parent)) continue;
        if (copy == NULL) {
            *ret_bytes = all->count * sizeof *copy;
            copy = mem_alloc(session->host->mem, *ret_bytes);
            memcpy(copy, all->pushes, *ret_bytes);
            all->pushes = copy;
        }
        copy[i].parent = NOBODY;
    }
    return copy;
}

static void forget(struct session *session, uint64_t *request) {
    if (*request == 0) return;
    struct command forget = {.type = COMMAND_FORGET, .request = *request};
    struct answer answer;
    session->host->ops->apply(session->host->context, &forget, &answer);
    *request = 0;
}

void session_apply(struct session *session, struct command *command, struct answer *ret_answer) {
    hob_assert(session->waiting == 0);
    hob_assert(access_has(session->access, session->scope));
    forget(session, &session->stale);
    if (!may_apply(session, command, ret_answer)) return;
    narrow(session, command);
    size_t bytes = 0;
    struct push_command *copy = parents_narrow(session, command, &bytes);
    session->requests++;
    command->request = (uint64_t)session->id << 32 | session->requests;
    session->host->ops->apply(session->host->context, command, ret_answer);
    mem_free(session->host->mem, copy, bytes);
    if (ret_answer->code == ANSWER_WAITING) session->waiting = command->request;
}

bool session_has_no_groups(struct session *session, const struct valve_name *of, uint32_t listed) {
    struct queue_view queue;
    if (of->sort != VALVE_GROUP || listed > 0) return false;
    return !session->host->ops->queue(session->host->context, of->queue, &queue);
}

uint32_t session_valves(
    struct session *session,
    const struct valve_name *of,
    const struct valves_request *request,
    struct slice *ret_names
) {
    struct valve_filter filter = {
        .sort = of->sort,
        .queue = of->queue,
        .after = request->after,
        .stopped = request->stopped,
        .count_max = request->count,
    };
    return session->host->ops->valves(session->host->context, &filter, ret_names);
}

void session_served(struct session *session, struct slice code) {
    const struct host *host = session->host;
    host->ops->served(host->context, session->dialect->name, session->op, code);
}

void session_refused(struct session *session, const struct refusal *refusal) {
    session->host->ops->refused(session->host->context, session, refusal);
}

void session_answered(struct session *session) {
    hob_assert(session->waiting != 0);
    hob_assert(session->stale == 0);
    session->stale = session->waiting;
    session->waiting = 0;
    session->resumes = true;
}

void session_forget(struct session *session) {
    forget(session, &session->waiting);
    forget(session, &session->stale);
}

void session_subscribe(struct session *session, bool on) {
    if (session->is_subscribed == on) return;
    hob_assert(session->dialect->event != NULL);
    session->is_subscribed = on;
    if (on) session->events_missed = 0;
    session->host->ops->subscribe(session->host->context, session, on);
}

static void swap(struct buf *a, struct buf *b) {
    struct buf kept = *a;
    *a = *b;
    *b = kept;
}

/* Nothing that is told from inside a request tells others in its turn, so one more set is
 * enough. */
static void change_rooms(struct host *host) {
    swap(&host->complaint, &host->inner_complaint);
    swap(&host->scratch, &host->inner_scratch);
    swap(&host->reply, &host->inner_reply);
    host->is_inner = !host->is_inner;
}

void session_answer(struct session *session, const struct answer *answer) {
    hob_assert(!session->host->is_inner);
    session->waiting = 0;
    change_rooms(session->host);
    session->dialect->answer(session, answer);
    change_rooms(session->host);
}

void session_event(struct session *session, const struct event *event) {
    hob_assert(session->is_subscribed);
    if (session->out->size > BACKLOG_BYTES_MAX) {
        session->events_missed++;
        return;
    }
    hob_assert(!session->host->is_inner);
    change_rooms(session->host);
    session->dialect->event(session, event);
    change_rooms(session->host);
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

bool session_leased_job(struct session *session, uint64_t id, struct job_view *ret_view) {
    return session->host->ops->job(session->host->context, id, ret_view);
}

bool session_job(struct session *session, uint64_t id, struct job_view *ret_view) {
    return session_leased_job(session, id, ret_view) && session_sees(session, ret_view->queue);
}

uint64_t session_list(
    struct session *session, const struct host_list *list, uint64_t *ret_ids, uint32_t *ret_count
) {
    struct host *host = session->host;
    uint32_t count = 0;
    uint64_t cursor = host->ops->list(host->context, list, ret_ids, &count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct job_view job;
        if (session_job(session, ret_ids[i], &job)) ret_ids[kept++] = ret_ids[i];
    }
    *ret_count = kept;
    return cursor;
}

bool session_queue_next(struct session *session, uint32_t *at, struct queue_view *ret_view) {
    struct host *host = session->host;
    while (host->ops->queue_at(host->context, *at, ret_view)) {
        ++*at;
        if (session_sees(session, ret_view->name)) return true;
    }
    return false;
}

static size_t job_bytes(struct session *session, uint64_t id) {
    struct job_view view;
    if (!session_leased_job(session, id, &view)) return 0;
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
        if (!session_leased_job(session, answer->jobs[i], &view)) continue;
        struct lease_ref lease = {.id = view.id, .token = view.token};
        session->host->ops->give_back(session->host->context, lease);
    }
}
