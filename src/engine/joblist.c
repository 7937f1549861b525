/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of jobs through links in the job itself: of a lane, of what a worker runs, or of finished
 * jobs that are kept.
 * Anything leaves from anywhere in O(1), without memory of its own. */
#include "engine/core.h"

void job_list_append(struct engine *engine, struct job_list *list, uint32_t handle) {
    struct job *job = job_at(engine, handle);
    job->previous = list->last;
    job->next = 0;
    if (list->last == 0) {
        list->first = handle;
    } else {
        job_at(engine, list->last)->next = handle;
    }
    list->last = handle;
    list->count++;
}

void job_list_remove(struct engine *engine, struct job_list *list, uint32_t handle) {
    struct job *job = job_at(engine, handle);
    hob_assert(list->count > 0);
    hob_assert(job->previous != 0 || list->first == handle);
    if (job->previous == 0) {
        list->first = job->next;
    } else {
        job_at(engine, job->previous)->next = job->next;
    }
    if (job->next == 0) {
        list->last = job->previous;
    } else {
        job_at(engine, job->next)->previous = job->previous;
    }
    job->previous = 0;
    job->next = 0;
    list->count--;
}
