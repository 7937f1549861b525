/* SPDX-License-Identifier: Apache-2.0 */
/* What time does. The order inside one turn: what has not started in time
 * is discarded, what is due is staged, leases that are over are
 * rescued, what queues have no room for is dropped, waiting fetches are served, waits that are over
 * are answered, and at last what is kept too long or is too many is pruned. A fetch whose wait ends
 * in this very turn still gets what there is. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/model.h"

hob_ns model_start_by(const struct model_job *job) {
    const struct job_view *view = &job->view;
    if (view->state == JOB_RUNNING || job_state_is_final(view->state)) return HOB_NEVER;
    hob_ns by_ns = HOB_NEVER;
    if (view->deadline_ns != 0) {
        by_ns = view->deadline_ns > view->margin_ns ? view->deadline_ns - view->margin_ns : 0;
    }
    bool may_expire = view->expires_ns != 0 && view->started_ns == 0;
    return may_expire && view->expires_ns < by_ns ? view->expires_ns : by_ns;
}

static void discard_late(struct model *model, struct model_job *job) {
    struct slice expired = SLICE("it had not started when its time was over");
    struct slice late = SLICE("it could not start in time for its deadline");
    bool has_expired = job->view.started_ns == 0 && job->view.expires_ns == model_start_by(job);
    struct job_error error = {
        .cause = has_expired ? CAUSE_EXPIRED : CAUSE_DEADLINE,
        .text = has_expired ? expired : late,
    };
    model_error(model, job, error);
    model_queue(model, job->view.queue)->view.failed--; /* no attempt has */
    model_move(model, job, JOB_DISCARDED, 0);
}

bool model_settle(struct model *model, struct model_job *job) {
    hob_ns start_ns = job->view.run_at_ns > model->now_ns ? job->view.run_at_ns : model->now_ns;
    if (model_start_by(job) > start_ns) return false;
    discard_late(model, job);
    return true;
}

hob_ns model_kill_at(const struct model_job *job) {
    const struct job_view *view = &job->view;
    hob_ns end_ns = ns_add(view->started_ns, view->timeout_ns);
    if (view->deadline_ns != 0 && view->deadline_ns < end_ns) end_ns = view->deadline_ns;
    return ns_add(end_ns, TIMEOUT_GRACE_NS);
}

/* The job that is overdue for longest; NULL: none is. */
static struct model_job *overdue(const struct model *model) {
    struct model_job *first = NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = model->jobs[i];
        if (model_start_by(job) > model->now_ns) continue;
        if (first == NULL || model_start_by(job) < model_start_by(first)) first = job;
    }
    return first;
}

static void expire(struct model *model) {
    struct model_job *job;
    while ((job = overdue(model)) != NULL) {
        discard_late(model, job);
        model_done(model, job, SLICE_NONE, false);
    }
}

static void stage(struct model *model) {
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = model->jobs[i];
        bool waits = job->view.state == JOB_SCHEDULED || job->view.state == JOB_RETRYABLE;
        if (waits && job->view.run_at_ns <= model->now_ns) model_move(model, job, JOB_AVAILABLE, 0);
    }
}

struct ended {
    uint64_t id;
    uint64_t order;
};

static int ended_compare(const void *a, const void *b) {
    const struct ended *first = a;
    const struct ended *second = b;
    if (first->order != second->order) return first->order < second->order ? -1 : 1;
    return first->id < second->id ? -1 : first->id > second->id;
}

/* Callbacks of what this turn has ended. */
static void rescued_done(struct model *model, struct ended *ended, uint32_t count) {
    uint64_t from = model->next_id;
    for (uint32_t i = 0; i < count; i++) {
        ended[i].order = model->first_child == NULL
                             ? ended[i].id
                             : model->first_child(model->context, ended[i].id, from);
    }
    if (count > 1) qsort(ended, count, sizeof *ended, ended_compare);
    for (uint32_t i = 0; i < count; i++) {
        model_done(model, model_job(model, ended[i].id), SLICE_NONE, false);
    }
}

static void rescue(struct model *model) {
    struct ended *ended = NULL;
    uint32_t count = 0;
    uint32_t capacity = 0;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = model->jobs[i];
        struct job_view *view = &job->view;
        if (view->state != JOB_RUNNING) continue;
        if (model->now_ns < model_lease_end(model, job)) continue;
        hob_ns kill_ns = model_kill_at(job);
        enum error_cause cause = model->now_ns >= kill_ns ? CAUSE_TIMEOUT : CAUSE_LOST;
        model_notice(model, job, cause);
        /* Documents tell it, so it is part of what is promised. */
        struct slice text =
            SLICE("the lease ended without a word from the worker: it is gone or hangs");
        if (job->forsaken_ns != 0) text = SLICE("its worker says that it does not hold this job");
        if (cause == CAUSE_TIMEOUT) {
            text = SLICE("ran past its timeout and its worker did not end it");
        }
        model_error(model, job, (struct job_error){.cause = cause, .text = text});
        bool is_last = view->attempt >= view->attempt_max;
        model_move(model, job, is_last ? JOB_DISCARDED : JOB_AVAILABLE, 0);
        if (!is_last && !model_settle(model, job)) continue;
        model_valve_block(model, view);
        if (view->on_done.size == 0) continue;
        struct ended *one = model_grow(&ended, &count, &capacity, sizeof *ended);
        one->id = view->id;
    }
    rescued_done(model, ended, count);
    free(ended);
}

static void waits_end(struct model *model) {
    uint32_t at = 0;
    while (at < model->wait_count) {
        struct model_wait *wait = &model->waits[at];
        if (model->now_ns < wait->end_ns) {
            at++;
            continue;
        }
        struct answer answer = {.code = ANSWER_EMPTY};
        if (wait->queue_count == 0) {
            const struct model_job *job = model_job(model, wait->job_id);
            answer.code = ANSWER_OK;
            answer.state = job->view.state;
            answer.job_count = 1;
            answer.jobs = &job->view.id;
        }
        model_answer_late(model, wait, &answer);
    }
}

static bool is_completed(const struct model_job *job) {
    return job->view.state == JOB_COMPLETED;
}

hob_ns model_keep_end(const struct model *model, const struct model_job *job) {
    const struct queue_view *queue = &model_queue(model, job->view.queue)->view;
    hob_ns keep_ns = is_completed(job) ? queue->keep_completed_ns : queue->keep_failed_ns;
    return ns_add(job->view.state_ns, job->view.has_keep ? job->view.keep_ns : keep_ns);
}

/* Did @a end before @b? */
static bool
ended_before(const struct model *model, const struct model_job *a, const struct model_job *b) {
    if (a->view.state_ns != b->view.state_ns) return a->view.state_ns < b->view.state_ns;
    bool a_is_pruned = model->is_pruned != NULL && model->is_pruned(model->context, a->view.id);
    bool b_is_pruned = model->is_pruned != NULL && model->is_pruned(model->context, b->view.id);
    if (a_is_pruned != b_is_pruned) return a_is_pruned;
    return a->ended < b->ended;
}

/* One of too many: there are at least as many newer ones in its list as the queue keeps. */
static bool is_one_too_many(const struct model *model, const struct model_job *job) {
    if (job->view.has_keep) return false;
    const struct queue_view *queue = &model_queue(model, job->view.queue)->view;
    uint32_t kept = is_completed(job) ? queue->keep_completed_count : queue->keep_failed_count;
    uint32_t counted = is_completed(job)
                           ? queue->counts[JOB_COMPLETED]
                           : queue->counts[JOB_DISCARDED] + queue->counts[JOB_CANCELLED];
    if (counted <= kept) return false; /* what nearly always holds: no need to look at the jobs */
    uint32_t newer = 0;
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct model_job *other = model->jobs[i];
        if (other->ended == 0 || other == job || other->view.has_keep) continue;
        if (is_completed(other) != is_completed(job)) continue;
        if (!slice_equal(other->view.queue, job->view.queue)) continue;
        newer += ended_before(model, other, job) ? 0 : 1;
    }
    return newer >= kept;
}

static void prune(struct model *model) {
    uint32_t at = 0;
    while (at < model->job_count) {
        struct model_job *job = model->jobs[at];
        bool is_old = job->ended != 0 && model->now_ns >= model_keep_end(model, job);
        if (is_old || (job->ended != 0 && is_one_too_many(model, job))) {
            model_delete(model, job);
        } else {
            at++;
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->key_count; i++) {
        if (model->now_ns < model->keys[i].until_ns) model->keys[kept++] = model->keys[i];
    }
    model->key_count = kept;
}

bool model_has_ended_pause(const struct model *model, hob_ns now_ns) {
    if (model_valves_move(model, now_ns)) return true;
    for (uint32_t i = 0; i < model->queue_count; i++) {
        const struct queue_view *queue = &model->queues[i].view;
        bool has_end = queue->paused && queue->paused_until_ns != 0;
        if (has_end && queue->paused_until_ns <= now_ns) return true;
    }
    return false;
}

static void pauses_end(struct model *model) {
    for (uint32_t i = 0; i < model->queue_count; i++) {
        struct queue_view *queue = &model->queues[i].view;
        if (!queue->paused || model_is_paused(model, queue)) continue;
        queue->paused = false;
        queue->paused_until_ns = 0;
        queue->paused_by = SLICE_NONE;
        queue->paused_why = SLICE_NONE;
    }
}

void model_turn(struct model *model, hob_ns now_ns) {
    if (model->now_ns < now_ns) model->now_ns = now_ns;
    pauses_end(model);
    model_valves_turn(model);
    expire(model);
    stage(model);
    rescue(model);
    model_length_drop(model);
    model_serve(model);
    waits_end(model);
    prune(model);
}

static hob_ns earlier(hob_ns a, hob_ns b) {
    return a < b ? a : b;
}

hob_ns model_due(const struct model *model) {
    hob_ns due_ns = model_length_is_due(model) ? model->now_ns : model_valves_due(model);
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct model_job *job = model->jobs[i];
        due_ns = earlier(due_ns, model_start_by(job));
        bool waits = job->view.run_at_ns != 0 && job->view.state != JOB_BLOCKED;
        if (waits) due_ns = earlier(due_ns, job->view.run_at_ns);
        if (job->view.state == JOB_RUNNING) due_ns = earlier(due_ns, model_lease_end(model, job));
        if (job->ended != 0) due_ns = earlier(due_ns, model_keep_end(model, job));
    }
    for (uint32_t i = 0; i < model->wait_count; i++) {
        due_ns = earlier(due_ns, model->waits[i].end_ns);
    }
    return due_ns;
}
