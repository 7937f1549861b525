/* SPDX-License-Identifier: Apache-2.0 */
/* Which job runs next. In a queue: the smallest priority, then the group whose turn it is, then
 * fronts (the newest first), then the smallest id (FIFO) or the largest (LIFO), among the jobs that
 * the worker can take. Between queues: what the mode of the
 * fetch says, by one comparison over all queues that the fetch names. Jobs are picked one at a
 * time, so that each pick sees what the one before has changed. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/glob.h"
#include "tests/sim/model.h"

bool model_is_paused(const struct model *model, const struct queue_view *queue) {
    if (!queue->paused) return false;
    return queue->paused_until_ns == 0 || model->now_ns < queue->paused_until_ns;
}

bool model_runs_before(
    struct model *model,
    struct model_queue *queue,
    const struct job_view *a,
    const struct job_view *b
) {
    hob_ns aging_ns = queue->view.aging_ns;
    if (aging_ns == 0 && a->priority != b->priority) return a->priority < b->priority;
    uint64_t pass_a = model_group(model, queue, a->group)->pass;
    uint64_t pass_b = model_group(model, queue, b->group)->pass;
    if (pass_a != pass_b) return pass_a < pass_b;
    if (a->front != b->front) return a->front;
    if (aging_ns != 0 && !a->front) {
        __extension__ typedef __int128 wide;
        wide rank_a = (wide)a->created_ns + (wide)a->priority * aging_ns;
        wide rank_b = (wide)b->created_ns + (wide)b->priority * aging_ns;
        if (rank_a != rank_b) return rank_a < rank_b;
    }
    bool newest_first = a->front || queue->view.order == QUEUE_LIFO;
    return newest_first ? a->id > b->id : a->id < b->id;
}

/* A job of this group is picked: its next turn comes a round later, if there is anybody to take
 * turns with. */
void model_group_had_its_turn(
    struct model *model, struct model_queue *queue, const struct job_view *picked
) {
    bool is_alone = true;
    for (uint32_t i = 0; i < model->job_count && is_alone; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        if (job->state != JOB_AVAILABLE || !slice_equal(job->queue, picked->queue)) continue;
        is_alone = slice_equal(job->group, picked->group);
    }
    if (is_alone) return;
    struct model_group *group = model_group(model, queue, picked->group);
    if (queue->group_vtime < group->pass) queue->group_vtime = group->pass;
    uint32_t weight = model_group_weight(model, queue->view.name, picked->group);
    group->pass = queue->group_vtime + GROUP_STRIDE / weight;
}

uint32_t model_cost(const struct job_view *job) {
    return job->cost == 0 ? 1 : job->cost;
}

static bool list_has(struct slice list, const char *name, size_t size) {
    for (size_t at = 0; at < list.size;) {
        size_t end = at;
        while (end < list.size && list.bytes[end] != ',') end++;
        if (end - at == size && memcmp(list.bytes + at, name, size) == 0) return true;
        at = end + 1;
    }
    return false;
}

static bool has_labels(const struct model_worker *worker, struct slice needs) {
    for (size_t at = 0; at < needs.size;) {
        size_t end = at;
        while (end < needs.size && needs.bytes[end] != ',') end++;
        if (!list_has(worker->view.labels, needs.bytes + at, end - at)) return false;
        at = end + 1;
    }
    return true;
}

bool model_runs_kind(const struct model_worker *worker, const struct job_view *job) {
    for (uint32_t i = 0; i < worker->view.kind_count; i++) {
        if (slice_equal(worker->kinds[i], job->kind)) return true;
    }
    return worker->view.kind_count == 0;
}

bool model_can_take(const struct model_worker *worker, const struct job_view *job) {
    return model_cost(job) <= worker->view.slots && has_labels(worker, job->needs) &&
           model_runs_kind(worker, job);
}

static bool is_full(const struct model *model, const struct model_queue *queue) {
    if (queue->view.concurrency == 0) return false;
    uint32_t running = 0;
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        running += job->state == JOB_RUNNING && slice_equal(job->queue, queue->view.name) ? 1 : 0;
    }
    return running >= queue->view.concurrency;
}

bool model_queue_is_open(const struct model *model, const struct model_queue *queue) {
    return !model_is_paused(model, &queue->view) && !is_full(model, queue) &&
           model_rate_lets(model, &queue->view);
}

/* May this job come together with @first, which is of its queue? NULL: there is no first one. */
static bool
is_same(enum fetch_same same, const struct job_view *job, const struct model_job *first) {
    if (first == NULL || same == FETCH_SAME_NOTHING) return true;
    if (same == FETCH_SAME_KIND) return slice_equal(job->kind, first->view.kind);
    return slice_equal(job->group, first->view.group);
}

/* The job that a queue offers to a worker now; NULL: none. */
static struct model_job *offer(
    struct model *model,
    struct model_queue *queue,
    const struct model_worker *worker,
    enum fetch_same same,
    const struct model_job *first
) {
    if (!model_queue_is_open(model, queue)) return NULL;
    struct model_job *best = NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = model->jobs[i];
        if (job->view.state != JOB_AVAILABLE) continue;
        if (!slice_equal(job->view.queue, queue->view.name)) continue;
        if (!model_can_take(worker, &job->view)) continue;
        if (!is_same(same, &job->view, first)) continue;
        if (best != NULL && !model_runs_before(model, queue, &job->view, &best->view)) continue;
        if (model_valves_let(model, &job->view)) best = job;
    }
    /* What is overdue goes with the turn; until then it is in the way. */
    if (best != NULL && model_start_by(best) <= model->now_ns) return NULL;
    return best;
}

/* --- between queues --- */

static uint32_t tier_of(const struct model_queue *queue) {
    return queue->view.tier;
}

static uint32_t weight_of(const struct model_queue *queue) {
    return queue->view.weight;
}

void model_queue_wakes(struct model *model, struct model_queue *queue) {
    uint64_t vtime = model->vtimes[tier_of(queue)];
    if (queue->pass < vtime) queue->pass = vtime;
}

static bool begins(struct slice text, const char *start) {
    size_t size = strlen(start);
    return text.size >= size && memcmp(text.bytes, start, size) == 0;
}

/* The place in the list of the first pattern that fits this queue; the count of them: none, or it
 * is excluded. */
static uint32_t position_of(const struct model_wait *fetch, const struct model_queue *queue) {
    struct slice name = queue->view.name;
    uint32_t position = fetch->queue_count;
    for (uint32_t i = fetch->queue_count; i-- > 0;) {
        struct slice pattern = fetch->queues[i];
        bool excludes = pattern.bytes[0] == '!';
        if (excludes) {
            pattern = slice_of(pattern.bytes + 1, pattern.size - 1);
            if (glob_fits(pattern, name)) return fetch->queue_count;
            continue;
        }
        if (begins(name, "hob.") && !begins(pattern, "hob.")) continue;
        if (glob_fits(pattern, name)) position = i;
    }
    if (position == fetch->queue_count) return position;
    bool has_globs = false;
    for (uint32_t i = 0; i < fetch->queue_count; i++) {
        if (!name_is_valid(fetch->queues[i])) has_globs = true;
    }
    bool may = !has_globs || glob_list_fits(fetch->only, name);
    return may ? position : fetch->queue_count;
}

bool model_fetch_takes(const struct model_wait *fetch, const struct model_queue *queue) {
    return position_of(fetch, queue) < fetch->queue_count;
}

struct candidate {
    struct model_queue *queue;
    struct model_job *job;
    uint32_t position;
};

static bool beats(enum fetch_mode mode, const struct candidate *a, const struct candidate *b) {
    if (mode == FETCH_MERGED) {
        const struct job_view *job_a = &a->job->view;
        const struct job_view *job_b = &b->job->view;
        if (job_a->priority != job_b->priority) return job_a->priority < job_b->priority;
        return job_a->id < job_b->id;
    }
    if (mode == FETCH_WEIGHTED) {
        uint32_t tier_a = tier_of(a->queue);
        uint32_t tier_b = tier_of(b->queue);
        if (tier_a != tier_b) return tier_a < tier_b;
        if (a->queue->pass != b->queue->pass) return a->queue->pass < b->queue->pass;
    }
    if (a->position != b->position) return a->position < b->position;
    return slice_before(a->queue->view.name, b->queue->view.name);
}

/* The next job for a fetch; NULL: none. @first: the job that it must be the same as, or NULL. */
static struct model_job *pick(
    struct model *model,
    const struct model_wait *fetch,
    const struct model_worker *worker,
    const struct model_job *first
) {
    struct candidate best = {.job = NULL};
    for (uint32_t i = 0; i < model->queue_count; i++) {
        struct candidate next = {.queue = &model->queues[i]};
        if (first != NULL && !slice_equal(next.queue->view.name, first->view.queue)) continue;
        next.position = position_of(fetch, next.queue);
        if (next.position == fetch->queue_count) continue;
        next.job = offer(model, next.queue, worker, fetch->same, first);
        if (next.job == NULL) continue;
        if (best.job == NULL || beats(fetch->mode, &next, &best)) best = next;
    }
    /* Nothing overtakes a job that is too big for what is free. */
    uint32_t free = worker->view.slots - worker->view.running;
    if (best.job != NULL && model_cost(&best.job->view) > free) return NULL;
    if (best.job != NULL && fetch->mode == FETCH_WEIGHTED) {
        model->vtimes[tier_of(best.queue)] = best.queue->pass;
        best.queue->pass += (UINT64_C(1) << 20) / weight_of(best.queue);
    }
    if (best.job != NULL) model_group_had_its_turn(model, best.queue, &best.job->view);
    return best.job;
}

static void
run(struct model *model, struct model_job *job, struct model_worker *worker, hob_ns lease_ns) {
    model_valves_take(model, &job->view);
    model_move(model, job, JOB_RUNNING, 0);
    job->view.attempt++;
    job->view.token = model->next_token++;
    job->view.worker = worker->view.name;
    job->view.started_ns = model->now_ns;
    job->forsaken_ns = 0;
    job->view.lease_until_ns = ns_add(model->now_ns, lease_ns);
    worker->view.running += model_cost(&job->view);
    model_valves_hold(true); /* anew: what was found before is no longer so */
}

/* Lease as many jobs as the fetch may have now; answers their number, ids in model->fetched. */
static uint32_t
take_jobs(struct model *model, const struct model_wait *fetch, struct model_worker *worker) {
    uint32_t count = 0;
    const struct model_job *first = NULL;
    while (count < fetch->count && worker->view.running < worker->view.slots) {
        struct model_job *job = pick(model, fetch, worker, first);
        if (job == NULL) break;
        if (fetch->same != FETCH_SAME_NOTHING && first == NULL) first = job;
        run(model, job, worker, fetch->lease_ns);
        model->fetched[count++] = job->view.id;
    }
    return count;
}

static struct answer answer_of(const struct model *model, uint32_t count, hob_ns lease_ns) {
    return (struct answer){
        .code = ANSWER_OK,
        .lease_until_ns = ns_add(model->now_ns, lease_ns),
        .job_count = count,
        .jobs = model->fetched,
    };
}

static void wait_in_line(
    struct model *model, const struct model_wait *fetch, const struct fetch_command *asked
) {
    struct model_wait *wait =
        model_grow(&model->waits, &model->wait_count, &model->wait_capacity, sizeof(*model->waits));
    *wait = *fetch;
    wait->end_ns = ns_add(model->now_ns, asked->wait_ns);
    wait->queues = calloc(fetch->queue_count, sizeof(struct slice));
    hob_assert(wait->queues != NULL);
    wait->only = model_copy(model, fetch->only);
    for (uint32_t i = 0; i < fetch->queue_count; i++) {
        wait->queues[i] = model_copy(model, fetch->queues[i]);
    }
}

void model_fetch(struct model *model, const struct command *command, struct answer *answer) {
    const struct fetch_command *asked = &command->fetch;
    struct model_worker *worker = model_worker_make(model, asked->worker);
    struct model_wait fetch = {
        .request = command->request,
        .worker = worker->view.name,
        .queues = (struct slice *)asked->queues, /* only read, as long as it is this one */
        .queue_count = asked->queue_count,
        .count = asked->count == 0 ? 1 : asked->count,
        .mode = asked->mode,
        .same = asked->same,
        .only = asked->only,
        .lease_ns = asked->lease_ns == 0 ? LEASE_DEFAULT_NS : asked->lease_ns,
    };
    hob_ns alive_ns = ns_add(model->now_ns, fetch.lease_ns);
    if (worker->view.alive_until_ns < alive_ns) worker->view.alive_until_ns = alive_ns;
    if (worker->view.running >= worker->view.slots) {
        answer->code = ANSWER_NO_SLOT;
        return;
    }
    for (uint32_t i = 0; i < asked->queue_count && asked->wait_ns > 0; i++) {
        if (name_is_valid(asked->queues[i])) (void)model_queue_make(model, asked->queues[i]);
    }
    model_valves_hold(true);
    uint32_t count = take_jobs(model, &fetch, worker);
    model_valves_hold(false);
    if (count > 0) {
        *answer = answer_of(model, count, fetch.lease_ns);
        answer->request = command->request;
    } else if (asked->wait_ns == 0) {
        answer->code = ANSWER_EMPTY;
    } else {
        wait_in_line(model, &fetch, asked);
        answer->code = ANSWER_WAITING;
    }
}

static bool has_costs(const struct model *model) {
    for (uint32_t i = 0; i < model->job_count; i++) {
        if (model->jobs[i]->view.cost > 1) return true;
    }
    return false;
}

void model_serve(struct model *model) {
    uint32_t at = 0;
    model_valves_hold(true);
    while (at < model->wait_count) {
        struct model_wait *wait = &model->waits[at];
        struct model_worker *worker = model_worker(model, wait->worker);
        uint32_t count = wait->queue_count == 0 ? 0 : take_jobs(model, wait, worker);
        if (count == 0) {
            at++;
            continue;
        }
        struct answer answer = answer_of(model, count, wait->lease_ns);
        model_answer_late(model, wait, &answer);
        /* A large job that is gone may have stood in the way of an older fetch. */
        if (has_costs(model)) at = 0;
    }
    model_valves_hold(false);
}
