/* SPDX-License-Identifier: Apache-2.0 */
/* What would be fetched next: it is fetched, as far as the order goes, and everything is put back
 * as it was. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tests/sim/model.h"

/* The next available job of the queue; NULL: none. */
static struct model_job *best_of(struct model *model, struct model_queue *queue, const bool *lets) {
    struct model_job *best = NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = model->jobs[i];
        if (job->view.state != JOB_AVAILABLE || !lets[i]) continue;
        if (!slice_equal(job->view.queue, queue->view.name)) continue;
        if (best == NULL || model_runs_before(model, queue, &job->view, &best->view)) best = job;
    }
    return best;
}

uint32_t
model_next(struct model *model, struct model_queue *queue, uint32_t count_max, uint64_t *ret_ids) {
    size_t group_bytes = queue->group_count * sizeof *queue->groups;
    struct model_group *groups = malloc(group_bytes + 1);
    struct model_job **picked = calloc(count_max + 1, sizeof(struct model_job *));
    bool *lets = calloc(model->job_count + 1, sizeof(*lets)); /* of its valves, as they are now */
    hob_assert(lets != NULL);
    for (uint32_t i = 0; i < model->job_count; i++) {
        lets[i] = model_valves_let(model, &model->jobs[i]->view);
    }
    hob_assert(groups != NULL);
    hob_assert(picked != NULL);
    if (group_bytes > 0) memcpy(groups, queue->groups, group_bytes);
    uint64_t vtime = queue->group_vtime;
    uint32_t count = 0;
    while (count < count_max) {
        struct model_job *job = best_of(model, queue, lets);
        if (job == NULL) break;
        model_group_had_its_turn(model, queue, &job->view);
        job->view.state = JOB_RUNNING;
        picked[count] = job;
        ret_ids[count++] = job->view.id;
    }
    for (uint32_t i = 0; i < count; i++) picked[i]->view.state = JOB_AVAILABLE;
    if (group_bytes > 0) memcpy(queue->groups, groups, group_bytes);
    queue->group_vtime = vtime;
    free(groups);
    free(lets);
    free(picked);
    return count;
}
