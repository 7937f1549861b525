/* SPDX-License-Identifier: Apache-2.0 */
/* How many jobs may wait in a queue: all that are neither running nor final are counted each time,
 * and the one to drop is looked for among all. */
#include "tests/sim/model.h"

static bool waits_in(const struct model_job *job, struct slice queue) {
    enum job_state state = job->view.state;
    if (state == JOB_RUNNING || job_state_is_final(state)) return false;
    return slice_equal(job->view.queue, queue);
}

static uint32_t waiting(const struct model *model, struct slice queue) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->job_count; i++) {
        count += waits_in(model->jobs[i], queue) ? 1 : 0;
    }
    return count;
}

bool model_length_refuses(const struct model *model, struct slice name, uint32_t promised) {
    const struct model_queue *queue = model_queue(model, name);
    if (queue == NULL || queue->view.length == 0) return false;
    if (queue->view.on_full != FULL_REJECT) return false;
    return waiting(model, name) + promised >= queue->view.length;
}

/* Of the queues that have too many, and drop, the one whose name comes first. */
static struct model_queue *over(const struct model *model) {
    struct model_queue *first = NULL;
    for (uint32_t i = 0; i < model->queue_count; i++) {
        struct model_queue *queue = &model->queues[i];
        if (queue->view.length == 0 || queue->view.on_full == FULL_REJECT) continue;
        if (waiting(model, queue->view.name) <= queue->view.length) continue;
        if (first == NULL || slice_before(queue->view.name, first->view.name)) first = queue;
    }
    return first;
}

bool model_length_is_due(const struct model *model) {
    return over(model) != NULL;
}

/* Jobs are kept by id. */
static struct model_job *to_drop(const struct model *model, const struct model_queue *queue) {
    struct model_job *found = NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        if (!waits_in(model->jobs[i], queue->view.name)) continue;
        found = model->jobs[i];
        if (queue->view.on_full == FULL_DROP_OLDEST) break;
    }
    return found;
}

void model_length_drop(struct model *model) {
    struct model_queue *queue;
    while ((queue = over(model)) != NULL) {
        struct model_job *job = to_drop(model, queue);
        struct slice text = SLICE("more jobs waited in its queue than its length allows");
        model_error(model, job, (struct job_error){.cause = CAUSE_DROPPED, .text = text});
        queue->view.failed--; /* no attempt has */
        model_move(model, job, JOB_DISCARDED, 0);
        model_done(model, job, SLICE_NONE, false); /* may make queues: none is held over it */
    }
}
