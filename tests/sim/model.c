/* SPDX-License-Identifier: Apache-2.0 */
/* The model's ground: memory, lookups, the one door between states, and answers that come late. It
 * decides nothing about which command does what; see model.h for the map. */
#include "tests/sim/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tests/sim/random.h"

/* Bytes of the model are never given back before its end: a run is short. */
enum { CHUNK_BYTES = 256 * 1024 };

struct model_chunk {
    struct model_chunk *next;
    size_t used;
    char bytes[CHUNK_BYTES];
};

struct model *model_new(void) {
    struct model *model = calloc(1, sizeof(*model));
    hob_assert(model != NULL);
    model->next_id = 1;
    model->next_token = 1;
    model->next_body = 1;
    model->next_ended = 1;
    return model;
}

void model_free(struct model *model) {
    if (model == NULL) return;
    for (uint32_t i = 0; i < model->job_count; i++) {
        free(model->jobs[i]->logs);
        free(model->jobs[i]);
    }
    model_restart(model);
    for (uint32_t i = 0; i < model->queue_count; i++) free(model->queues[i].groups);
    free(model->jobs);
    free(model->queues);
    free(model->workers);
    free(model->valves);
    free(model->keys);
    free(model->tokens);
    free(model->waits);
    free(model->bodies);
    free(model->lates);
    free(model->notices);
    while (model->chunks != NULL) {
        struct model_chunk *next = model->chunks->next;
        free(model->chunks);
        model->chunks = next;
    }
    free(model);
}

void *model_grow(void *array_pointer, uint32_t *count, uint32_t *capacity, size_t element_size) {
    char *array;
    memcpy(&array, array_pointer, sizeof(array));
    if (*count == *capacity) {
        *capacity = *capacity == 0 ? 16 : *capacity * 2;
        array = realloc(array, *capacity * element_size);
        hob_assert(array != NULL);
        memcpy(array_pointer, &array, sizeof(array));
    }
    void *element = array + (size_t)*count * element_size;
    memset(element, 0, element_size);
    (*count)++;
    return element;
}

struct slice model_copy(struct model *model, struct slice bytes) {
    if (bytes.size == 0) return SLICE_NONE;
    if (bytes.size > CHUNK_BYTES) {
        /* A chunk of its own, which is full. */
        struct model_chunk *chunk = malloc(sizeof(*chunk) - CHUNK_BYTES + bytes.size);
        hob_assert(chunk != NULL);
        chunk->next = model->chunks;
        chunk->used = CHUNK_BYTES;
        model->chunks = chunk;
        memcpy(chunk->bytes, bytes.bytes, bytes.size);
        return slice_of(chunk->bytes, bytes.size);
    }
    if (model->chunks == NULL || CHUNK_BYTES - model->chunks->used < bytes.size) {
        struct model_chunk *chunk = malloc(sizeof(*chunk));
        hob_assert(chunk != NULL);
        chunk->next = model->chunks;
        chunk->used = 0;
        model->chunks = chunk;
    }
    char *to = model->chunks->bytes + model->chunks->used;
    memcpy(to, bytes.bytes, bytes.size);
    model->chunks->used += bytes.size;
    return slice_of(to, bytes.size);
}

struct model_job *model_job(const struct model *model, uint64_t id) {
    for (uint32_t i = 0; i < model->job_count; i++) {
        if (model->jobs[i]->view.id == id) return model->jobs[i];
    }
    return NULL;
}

struct model_queue *model_queue(const struct model *model, struct slice name) {
    for (uint32_t i = 0; i < model->queue_count; i++) {
        if (slice_equal(model->queues[i].view.name, name)) return &model->queues[i];
    }
    return NULL;
}

struct model_worker *model_worker(const struct model *model, struct slice name) {
    for (uint32_t i = 0; i < model->worker_count; i++) {
        if (slice_equal(model->workers[i].view.name, name)) return &model->workers[i];
    }
    return NULL;
}

struct model_group *model_group(struct model *model, struct model_queue *queue, struct slice name) {
    for (uint32_t i = 0; i < queue->group_count; i++) {
        if (slice_equal(queue->groups[i].name, name)) return &queue->groups[i];
    }
    struct model_group *group = model_grow(
        &queue->groups, &queue->group_count, &queue->group_capacity, sizeof(*queue->groups)
    );
    group->name = model_copy(model, name);
    return group;
}

void model_group_wakes(
    struct model *model, struct model_queue *queue, const struct model_job *job
) {
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *other = &model->jobs[i]->view;
        bool is_peer = model->jobs[i] != job && other->state == JOB_AVAILABLE &&
                       slice_equal(other->queue, queue->view.name) &&
                       slice_equal(other->group, job->view.group);
        if (is_peer) return;
    }
    model_group(model, queue, job->view.group)->pass = queue->group_vtime + GROUP_STRIDE;
}

void model_queue_init(struct model_queue *queue) {
    queue->view.keep_completed_ns = KEEP_COMPLETED_DEFAULT_NS;
    queue->view.keep_completed_count = KEEP_COMPLETED_COUNT_DEFAULT;
    queue->view.keep_failed_ns = KEEP_FAILED_DEFAULT_NS;
    queue->view.keep_failed_count = KEEP_FAILED_COUNT_DEFAULT;
    queue->view.tier = QUEUE_TIER_DEFAULT;
    queue->view.weight = 1;
}

struct model_queue *model_queue_make(struct model *model, struct slice name) {
    struct model_queue *queue = model_queue(model, name);
    if (queue != NULL) return queue;
    queue = model_grow(
        &model->queues, &model->queue_count, &model->queue_capacity, sizeof(*model->queues)
    );
    model_queue_init(queue);
    queue->view.name = model_copy(model, name);
    return queue;
}

struct model_worker *model_worker_make(struct model *model, struct slice name) {
    struct model_worker *worker = model_worker(model, name);
    if (worker != NULL) return worker;
    worker = model_grow(
        &model->workers, &model->worker_count, &model->worker_capacity, sizeof(*model->workers)
    );
    worker->view.name = model_copy(model, name);
    worker->view.slots = WORKER_SLOTS_MAX;
    /* After a restart a worker's running jobs are there before the worker is. */
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        bool is_its = job->state == JOB_RUNNING && slice_equal(job->worker, name);
        worker->view.running += is_its ? model_cost(job) : 0;
    }
    return worker;
}

struct body_ref model_body_make(struct model *model, struct slice bytes) {
    if (bytes.size == 0) return (struct body_ref){.id = 0};
    struct model_body *body = model_grow(
        &model->bodies, &model->body_count, &model->body_capacity, sizeof(*model->bodies)
    );
    *body = (struct model_body){.hash = bytes_hash(bytes.bytes, bytes.size), .size = bytes.size};
    return (struct body_ref){.id = model->next_body++, .size = (uint32_t)bytes.size};
}

static void
move(struct model *model, struct model_job *job, enum job_state next, hob_ns run_at_ns) {
    struct job_view *view = &job->view;
    struct model_queue *queue = model_queue(model, view->queue);
    hob_assert(queue != NULL);
    if (view->state == JOB_RUNNING) {
        struct model_worker *worker = model_worker(model, view->worker);
        if (worker != NULL) worker->view.running -= model_cost(view);
        view->token = 0;
        view->lease_until_ns = 0;
    }
    if (next == JOB_AVAILABLE) model_group_wakes(model, queue, job);
    if (next == JOB_AVAILABLE && queue->view.counts[JOB_AVAILABLE] == 0) {
        /* It has slept: it may not claim the turns that it did not take. */
        model_queue_wakes(model, queue);
    }
    queue->view.counts[view->state]--;
    queue->view.counts[next]++;
    view->state = next;
    view->state_ns = model->now_ns;
    view->version++;
    view->run_at_ns = next == JOB_SCHEDULED || next == JOB_RETRYABLE ? run_at_ns : 0;
    job->ended = job_state_is_final(next) ? model->next_ended++ : 0;
    if (next == JOB_DISCARDED) queue->view.discarded++;
    if (job_state_is_final(next)) model_wake(model, job, false);
}

/* What has ended may have blocked another. */
static void unblock(struct model *model) {
    struct model_job *job = model_unique_freed(model);
    if (job == NULL) return;
    hob_ns run_at_ns = job->view.run_at_ns;
    move(model, job, run_at_ns > model->now_ns ? JOB_SCHEDULED : JOB_AVAILABLE, run_at_ns);
}

void model_move(struct model *model, struct model_job *job, enum job_state next, hob_ns run_at_ns) {
    move(model, job, next, run_at_ns);
    if (job_state_is_final(next)) unblock(model);
}

void model_delete(struct model *model, struct model_job *job) {
    if (job->view.state == JOB_RUNNING) {
        struct model_worker *worker = model_worker(model, job->view.worker);
        if (worker != NULL) worker->view.running -= model_cost(&job->view);
    }
    model_queue(model, job->view.queue)->view.counts[job->view.state]--;
    model_wake(model, job, true);
    uint32_t at = 0;
    while (model->jobs[at] != job) at++;
    model->job_count--;
    memmove(
        &model->jobs[at], &model->jobs[at + 1], (model->job_count - at) * sizeof(struct model_job *)
    );
    free(job->logs);
    free(job);
    unblock(model);
}

void model_error(struct model *model, struct model_job *job, struct job_error error) {
    struct job_view *view = &job->view;
    if (view->error_count == ERRORS_KEPT_MAX) {
        memmove(&view->errors[0], &view->errors[1], sizeof(error) * (ERRORS_KEPT_MAX - 1));
        view->error_count--;
    }
    error.at_ns = model->now_ns;
    error.attempt = view->attempt;
    view->errors[view->error_count++] = error;
    model_queue(model, view->queue)->view.failed++;
}

void model_notice(struct model *model, const struct model_job *job, enum error_cause cause) {
    hob_assert(job->view.state == JOB_RUNNING);
    struct notice *notice = model_grow(
        &model->notices, &model->notice_count, &model->notice_capacity, sizeof(*model->notices)
    );
    *notice = (struct notice
    ){.worker = job->view.worker, .id = job->view.id, .token = job->view.token, .cause = cause};
}

void model_answer_late(struct model *model, struct model_wait *wait, const struct answer *answer) {
    struct model_late *late =
        model_grow(&model->lates, &model->late_count, &model->late_capacity, sizeof(*model->lates));
    late->answer = *answer;
    late->answer.request = wait->request;
    if (answer->job_count > 0) {
        size_t bytes = answer->job_count * sizeof(uint64_t);
        late->jobs = malloc(bytes);
        hob_assert(late->jobs != NULL);
        memcpy(late->jobs, answer->jobs, bytes);
        late->answer.jobs = late->jobs;
    }
    free(wait->queues);
    model->wait_count--;
    size_t after = (size_t)(&model->waits[model->wait_count] - wait);
    memmove(wait, wait + 1, after * sizeof(*wait));
}

void model_wake(struct model *model, const struct model_job *job, bool gone) {
    uint32_t at = 0;
    while (at < model->wait_count) {
        struct model_wait *wait = &model->waits[at];
        if (wait->queue_count > 0 || wait->job_id != job->view.id) {
            at++;
            continue;
        }
        struct answer answer = {.code = gone ? ANSWER_NO_JOB : ANSWER_OK};
        if (!gone) {
            answer.state = job->view.state;
            answer.job_count = 1;
            answer.jobs = &job->view.id;
        }
        model_answer_late(model, wait, &answer);
    }
}

void model_outputs_reset(struct model *model) {
    for (uint32_t i = 0; i < model->late_count; i++) free(model->lates[i].jobs);
    model->late_count = 0;
    model->notice_count = 0;
}

void model_restart(struct model *model) {
    model_outputs_reset(model);
    model->grace_token = model->next_token;
    model->grace_until_ns = ns_add(model->now_ns, LEASE_DEFAULT_NS);
    for (uint32_t i = 0; i < model->wait_count; i++) free(model->waits[i].queues);
    for (uint32_t i = 0; i < model->worker_count; i++) free(model->workers[i].kinds);
    model->wait_count = 0;
    model->worker_count = 0;
    memset(model->vtimes, 0, sizeof model->vtimes);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->queue_count; i++) {
        const struct model_queue *queue = &model->queues[i];
        bool has_jobs = false;
        for (uint32_t k = 0; k < JOB_STATE_COUNT; k++) {
            has_jobs = has_jobs || queue->view.counts[k] > 0;
        }
        bool is_known =
            model->knows_queue != NULL && model->knows_queue(model->context, queue->view.name);
        if (queue->has_settings || has_jobs || is_known) {
            model->queues[kept++] = model->queues[i];
        } else {
            free(queue->groups);
        }
    }
    model->queue_count = kept;
    for (uint32_t i = 0; i < model->queue_count; i++) {
        struct model_queue *queue = &model->queues[i];
        queue->pass = 0;
        queue->group_vtime = 0;
        for (uint32_t k = 0; k < queue->group_count; k++) queue->groups[k].pass = GROUP_STRIDE;
        queue->view.pushed = 0;
        queue->view.completed = 0;
        queue->view.failed = 0;
        queue->view.discarded = 0;
    }
}

void model_bodies(
    const struct model *model,
    void (*visit)(void *context, const struct body_ref *body),
    void *context
) {
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct model_job *job = model->jobs[i];
        visit(context, &job->view.payload_body);
        visit(context, &job->view.result);
        visit(context, &job->view.checkpoint);
        for (uint32_t k = 0; k < job->view.error_count; k++) {
            visit(context, &job->view.errors[k].backtrace);
        }
        for (uint32_t k = 0; k < job->view.log_count; k++) visit(context, &job->logs[k]);
    }
}
