/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that need no lease: push, what a person does to a job, queues, workers, wait, forget;
 * and the door through which every command comes. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/glob.h"
#include "tests/sim/model.h"

static struct model_key *find_key(const struct model *model, struct slice name, bool is_unique) {
    for (uint32_t i = 0; i < model->key_count; i++) {
        struct model_key *key = &model->keys[i];
        if (key->is_unique == is_unique && slice_equal(key->key, name)) return key;
    }
    return NULL;
}

const struct model_key *
model_key_held(const struct model *model, struct slice name, bool is_unique) {
    const struct model_key *key = name.size == 0 ? NULL : find_key(model, name, is_unique);
    return key != NULL && model->now_ns < key->until_ns ? key : NULL;
}

static hob_ns expires_at(const struct model *model, const struct push_command *push) {
    if (push->expires_ns != 0) return push->expires_ns;
    return push->expires_in_ns == 0 ? 0 : model->now_ns + push->expires_in_ns;
}

void model_key_set(
    struct model *model, struct slice name, bool is_unique, uint64_t id, hob_ns kept_ns
) {
    struct model_key *key = find_key(model, name, is_unique);
    if (key == NULL) {
        key = model_grow(&model->keys, &model->key_count, &model->key_capacity, sizeof(*key));
    }
    *key = (struct model_key){
        .key = model_copy(model, name),
        .id = id,
        .until_ns = ns_add(model->now_ns, kept_ns),
        .is_unique = is_unique,
    };
}

static hob_ns deadline_at(const struct model *model, const struct push_command *push) {
    if (push->deadline_ns != 0) return push->deadline_ns;
    return push->deadline_in_ns == 0 ? 0 : model->now_ns + push->deadline_in_ns;
}

/* A child has to be done when its parent has. */
static hob_ns deadline_of(const struct model *model, const struct push_command *push) {
    hob_ns own_ns = deadline_at(model, push);
    const struct model_job *parent = push->parent == 0 ? NULL : model_job(model, push->parent);
    hob_ns its_ns = parent == NULL ? 0 : parent->view.deadline_ns;
    return its_ns != 0 && (own_ns == 0 || its_ns < own_ns) ? its_ns : own_ns;
}

/* A push that adds no job: its key is known, or it is refused. */
static bool adds_nothing(
    struct model *model, const struct push_command *push, uint64_t parent, struct answer *answer
) {
    const struct model_key *key = model_key_held(model, push->key, false);
    if (key != NULL) {
        const struct model_job *first = model_job(model, key->id);
        answer->id = key->id;
        answer->duplicate = true;
        if (first != NULL) answer->state = first->view.state;
        return true;
    }
    if (model_unique_meets(model, push, answer)) return true;
    /* Callbacks are never refused. */
    if (parent == push->parent && model_length_refuses(model, push->queue, 0)) {
        answer->code = ANSWER_QUEUE_FULL;
        return true;
    }
    const struct model_job *pusher = model_job(model, push->parent);
    if (push->parent != 0 && (pusher == NULL || pusher->view.state != JOB_RUNNING)) {
        answer->code = pusher == NULL ? ANSWER_NO_JOB : ANSWER_WRONG_STATE;
        if (pusher != NULL) answer->state = pusher->view.state;
        return true;
    }
    return false;
}

static struct model_job *add_job(struct model *model) {
    struct model_job **slot = model_grow(
        &model->jobs, &model->job_count, &model->job_capacity, sizeof(struct model_job *)
    );
    *slot = calloc(1, sizeof(struct model_job));
    hob_assert(*slot != NULL);
    return *slot;
}

void model_push(
    struct model *model, const struct push_command *push, uint64_t parent, struct answer *answer
) {
    if (adds_nothing(model, push, parent, answer)) return;
    bool is_blocked = model_unique_blocks(model, push);
    struct push_command begun = *push;
    begun.payload = model_merge_begin(model, push);
    push = &begun;
    struct model_queue *queue = model_queue_make(model, push->queue);
    hob_ns now_ns = model->now_ns;
    hob_ns run_at_ns = push->run_at_ns != 0 ? push->run_at_ns : ns_add(now_ns, push->delay_ns);
    if (push->debounce_ns != 0) run_at_ns = model_debounce_until(model, push, now_ns);
    struct model_job *job = add_job(model);
    job->view = (struct job_view){
        .id = model->next_id++,
        .state = is_blocked ? JOB_BLOCKED : JOB_SCHEDULED,
        .queue = queue->view.name,
        .kind = model_copy(model, push->kind),
        .priority = push->has_priority ? push->priority : PRIORITY_DEFAULT,
        .attempt_max = push->attempt_max == 0 ? ATTEMPT_MAX_DEFAULT : push->attempt_max,
        .created_ns = now_ns,
        .state_ns = now_ns,
        .run_at_ns = run_at_ns,
        .timeout_ns = push->timeout_ns == 0 ? TIMEOUT_DEFAULT_NS : push->timeout_ns,
        .key = model_copy(model, push->key),
        .ref = model_copy(model, push->ref),
        .has_keep = push->has_keep,
        .keep_ns = push->has_keep ? push->keep_ns : 0,
        .headers = model_copy(model, push->headers),
        .tags = model_copy(model, push->tags),
        .content_type = model_copy(model, push->content_type),
        .on_done = model_copy(model, push->on_done),
        .group = model_copy(model, push->group),
        .front = push->front,
        .unique = model_copy(model, push->unique),
        .unique_scope = push->unique_scope,
        .unique_for_ns = push->unique_for_ns,
        .merged = push->merge == MERGE_NONE ? 0 : 1,
        .limiters = model_copy(model, push->limiters),
        .parent = parent,
        .expires_ns = expires_at(model, push),
        .deadline_ns = deadline_of(model, push),
        .margin_ns = push->margin_ns,
        .needs = model_copy(model, push->needs),
        .cost = push->cost > 1 ? push->cost : 0,
    };
    if (push->has_backoff) job->view.backoff = push->backoff;
    if (push->payload.size > PAYLOAD_INLINE_BYTES_MAX) {
        job->view.payload_body = model_body_make(model, push->payload);
    } else {
        job->view.payload = model_copy(model, push->payload);
    }
    if (push->merge != MERGE_NONE) job->text = model_copy(model, push->payload);
    if (push->key.size > 0) model_key_set(model, push->key, false, job->view.id, KEY_KEPT_NS);
    if (push->unique_scope == UNIQUE_TIME) {
        model_key_set(model, push->unique, true, job->view.id, push->unique_for_ns);
    }
    queue->view.pushed++;
    queue->view.counts[job->view.state]++;
    if (is_blocked && run_at_ns <= now_ns) job->view.run_at_ns = 0;
    if (!is_blocked && run_at_ns <= now_ns) model_move(model, job, JOB_AVAILABLE, 0);
    job->view.version = 1;
    answer->id = job->view.id;
    answer->state = job->view.state;
}

static void retry(struct model *model, struct model_job *job) {
    if (job->view.attempt_max < job->view.attempt + 1) {
        job->view.attempt_max = job->view.attempt + 1;
    }
    struct job_view *view = &job->view;
    if (view->expires_ns <= model->now_ns) view->expires_ns = 0;
    if (view->deadline_ns <= model->now_ns + view->margin_ns) view->deadline_ns = 0;
    job->view.by = SLICE_NONE;
    job->view.why = SLICE_NONE;
    job->view.result = (struct body_ref){.id = 0};
    model_move(model, job, JOB_AVAILABLE, 0);
}

static void end_by_person(
    struct model *model,
    struct model_job *job,
    enum job_state next,
    const struct control_command *why
) {
    job->view.by = model_copy(model, why->by);
    job->view.why = model_copy(model, why->why);
    model_move(model, job, next, 0);
    model_done(model, job, SLICE_NONE, true);
}

void model_control(struct model *model, const struct command *command, struct answer *answer) {
    const struct control_command *control = &command->cancel;
    struct model_job *job = model_job(model, control->id);
    if (job == NULL) {
        answer->code = ANSWER_NO_JOB;
        return;
    }
    enum job_state state = job->view.state;
    bool is_allowed = true;
    if (command->type == COMMAND_DELETE) {
        if (state == JOB_RUNNING) model_notice(model, job, CAUSE_PERSON);
        model_valve_unblock(model, &job->view);
        model_delete(model, job);
        return;
    }
    if (command->type == COMMAND_CANCEL) {
        is_allowed = !job_state_is_final(state);
        if (state == JOB_RUNNING) model_notice(model, job, CAUSE_PERSON);
        if (is_allowed) end_by_person(model, job, JOB_CANCELLED, control);
    } else if (command->type == COMMAND_DISCARD) {
        is_allowed = !job_state_is_final(state) && state != JOB_RUNNING;
        if (is_allowed) end_by_person(model, job, JOB_DISCARDED, control);
    } else {
        hob_assert(command->type == COMMAND_RETRY);
        is_allowed = state != JOB_RUNNING;
        if (model_unique_forbids_retry(model, job, answer)) return;
        if (is_allowed && state != JOB_AVAILABLE) {
            model_valve_unblock(model, &job->view);
            retry(model, job);
        }
    }
    answer->code = is_allowed ? ANSWER_OK : ANSWER_WRONG_STATE;
    answer->state = job->view.state;
}

/* Only a waiting job can be changed; what is not named stays. */
void model_update_job(
    struct model *model, struct model_job *job, const struct update_command *update
) {
    struct job_view *view = &job->view;
    const struct push_command *to = &update->to;
    /* It leaves its queue and comes to one, be it the same. */
    model_queue(model, view->queue)->view.counts[view->state]--;
    if (update->has.queue) view->queue = model_queue_make(model, to->queue)->view.name;
    if (update->has.payload) {
        bool is_body = to->payload.size > PAYLOAD_INLINE_BYTES_MAX;
        if (view->merged > 0) job->text = model_copy(model, to->payload);
        view->payload = is_body ? SLICE_NONE : model_copy(model, to->payload);
        view->payload_body = (struct body_ref){.id = 0};
        if (is_body) view->payload_body = model_body_make(model, to->payload);
    }
    if (update->has.priority) view->priority = to->priority;
    if (update->has.attempt_max) view->attempt_max = to->attempt_max;
    if (update->has.timeout) view->timeout_ns = to->timeout_ns;
    if (view->timeout_ns == 0) view->timeout_ns = TIMEOUT_DEFAULT_NS;
    if (update->has.keep) view->keep_ns = to->keep_ns;
    view->has_keep = view->has_keep || update->has.keep;
    if (update->has.backoff) view->backoff = to->backoff;
    if (update->has.tags) view->tags = model_copy(model, to->tags);
    if (update->has.headers) view->headers = model_copy(model, to->headers);
    if (update->has.content_type) view->content_type = model_copy(model, to->content_type);
    if (update->has.on_done) view->on_done = model_copy(model, to->on_done);
    if (update->has.expires) view->expires_ns = expires_at(model, to);
    if (update->has.group) view->group = model_copy(model, to->group);
    if (update->has.front) view->front = to->front;
    if (update->has.limiters) view->limiters = model_copy(model, to->limiters);
    if (update->has.deadline) view->deadline_ns = deadline_at(model, to);
    if (update->has.margin) view->margin_ns = to->margin_ns;
    if (update->has.needs) view->needs = model_copy(model, to->needs);
    if (update->has.cost) view->cost = to->cost > 1 ? to->cost : 0;
    view->version++;
    if (update->has.time) {
        hob_ns run_at_ns = to->run_at_ns != 0 ? to->run_at_ns : model->now_ns + to->delay_ns;
        enum job_state next = view->state == JOB_RETRYABLE ? JOB_RETRYABLE : JOB_SCHEDULED;
        if (run_at_ns <= model->now_ns) next = JOB_AVAILABLE;
        view->run_at_ns = next == JOB_AVAILABLE ? 0 : run_at_ns;
        if (view->state == JOB_BLOCKED) next = JOB_BLOCKED;
        if (next != view->state) view->state_ns = model->now_ns;
        view->state = next;
    }
    struct model_queue *queue = model_queue(model, view->queue);
    if (view->state == JOB_AVAILABLE) model_group_wakes(model, queue, job);
    bool wakes = view->state == JOB_AVAILABLE && queue->view.counts[JOB_AVAILABLE] == 0;
    if (wakes) model_queue_wakes(model, queue);
    queue->view.counts[view->state]++;
}

void model_update(struct model *model, const struct update_command *update, struct answer *answer) {
    struct model_job *job = model_job(model, update->id);
    if (job == NULL) {
        answer->code = ANSWER_NO_JOB;
        return;
    }
    answer->state = job->view.state;
    if (update->has_version && update->version != job->view.version) {
        answer->code = ANSWER_CHANGED;
    } else if (answer->state == JOB_RUNNING || job_state_is_final(answer->state)) {
        answer->code = ANSWER_WRONG_STATE;
    } else {
        model_update_job(model, job, update);
        answer->state = job->view.state;
    }
    answer->version = job->view.version;
}

/* Rates, aging and what holds for groups. False: refused. */
static bool queue_valves_set(struct queue_view *view, const struct queue_set_command *set) {
    struct group_rule *rule = &view->group_rule;
    if (set->has_order) view->order = set->order;
    if (set->has_aging) view->aging_ns = set->aging_ns;
    if (set->has_group_concurrency) rule->concurrency = set->group_concurrency;
    if (set->has_group_order) rule->order = set->group_order;
    if (view->aging_ns > AGING_MAX_NS || (view->aging_ns > 0 && view->order == QUEUE_LIFO)) {
        return false;
    }
    return rule->order < GROUP_ORDER_COUNT && rule->concurrency <= VALVE_CONCURRENCY_MAX &&
           model_rate_change(&view->rate, &set->rate) &&
           model_rate_change(&rule->rate, &set->group_rate);
}

static void
queue_set(struct model *model, const struct queue_set_command *set, struct answer *answer) {
    const struct model_queue *known = model_queue(model, set->queue);
    struct queue_view trial = {.order = QUEUE_FIFO};
    if (known != NULL) trial = known->view;
    if (!queue_valves_set(&trial, set)) {
        answer->code = ANSWER_BAD_ARGUMENT;
        return;
    }
    struct model_queue *queue = model_queue_make(model, set->queue);
    struct queue_view *view = &queue->view;
    queue->has_settings = true;
    (void)queue_valves_set(view, set);
    model_valves_forgive(model);
    if (set->has_keep_completed) {
        view->keep_completed_ns = set->keep_completed_ns;
        view->keep_completed_count = set->keep_completed_count;
    }
    if (set->has_keep_failed) {
        view->keep_failed_ns = set->keep_failed_ns;
        view->keep_failed_count = set->keep_failed_count;
    }
    if (set->has_weight) view->weight = set->weight;
    if (set->has_concurrency) view->concurrency = set->concurrency;
    if (set->has_length) view->length = set->length;
    if (set->has_on_full) view->on_full = set->on_full;
    if (set->has_tier && set->tier != view->tier) {
        view->tier = set->tier;
        queue->pass = model->vtimes[view->tier];
    }
}

static void queue_resume(struct queue_view *view) {
    view->paused = false;
    view->paused_until_ns = 0;
    view->paused_by = SLICE_NONE;
    view->paused_why = SLICE_NONE;
}

void model_queue_command(
    struct model *model, const struct command *command, struct answer *answer
) {
    if (command->type == COMMAND_QUEUE_SET) {
        queue_set(model, &command->queue_set, answer);
        return;
    }
    if (command->type == COMMAND_RESUME) {
        struct model_queue *queue = model_queue(model, command->resume.queue);
        if (queue == NULL) {
            answer->code = ANSWER_NO_QUEUE;
        } else {
            queue_resume(&queue->view);
        }
        return;
    }
    const struct pause_command *pause = &command->pause;
    struct model_queue *queue = model_queue_make(model, pause->queue);
    struct queue_view *view = &queue->view;
    queue->has_settings = true;
    view->paused = true;
    view->paused_until_ns = pause->until_ns;
    view->paused_by = model_copy(model, pause->by);
    view->paused_why = model_copy(model, pause->why);
}

static void worker_alive(struct model *model, struct model_worker *worker, hob_ns alive_ns) {
    hob_ns until_ns = ns_add(model->now_ns, alive_ns == 0 ? LEASE_DEFAULT_NS : alive_ns);
    if (worker->view.alive_until_ns < until_ns) worker->view.alive_until_ns = until_ns;
}

/* What it does not name ends now, if it had not ended before. */
static void worker_forsakes(struct model *model, const struct worker_beat_command *beat) {
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = model->jobs[i];
        const struct job_view *view = &job->view;
        if (view->state != JOB_RUNNING || !slice_equal(view->worker, beat->worker)) continue;
        bool is_named = false;
        for (uint32_t at = 0; at < beat->hold_count; at++) {
            const struct lease_ref *held = &beat->holds[at];
            if (held->id == view->id && held->token == view->token) is_named = true;
        }
        bool is_young = ns_add(view->started_ns, beat->young_ns) > model->now_ns;
        if (is_named || is_young || model_lease_end(model, job) <= model->now_ns) continue;
        if (glob_list_fits(beat->only, view->queue)) job->forsaken_ns = model->now_ns;
    }
}

static bool is_taken(const struct model *model, struct slice name) {
    const struct model_worker *worker = model_worker(model, name);
    if (worker != NULL && worker->view.alive_until_ns > model->now_ns) return true;
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *view = &model->jobs[i]->view;
        if (view->state == JOB_RUNNING && slice_equal(view->worker, name)) return true;
    }
    return false;
}

void model_worker_command(
    struct model *model, const struct command *command, struct answer *answer
) {
    if (command->type == COMMAND_WORKER_BEAT) {
        const struct worker_beat_command *beat = &command->worker_beat;
        worker_alive(model, model_worker_make(model, beat->worker), beat->alive_ns);
        if (beat->has_holds) worker_forsakes(model, beat);
        return;
    }
    const struct worker_set_command *set = &command->worker_set;
    if (set->fresh && is_taken(model, set->worker)) {
        answer->code = ANSWER_EXISTS;
        return;
    }
    struct model_worker *worker = model_worker_make(model, set->worker);
    worker->view.slots = set->slots == 0 ? WORKER_SLOTS_MAX : set->slots;
    worker->view.kind_count = set->kind_count;
    worker->view.labels = model_copy(model, set->labels);
    free(worker->kinds);
    worker->kinds = calloc(set->kind_count + 1, sizeof(struct slice));
    hob_assert(worker->kinds != NULL);
    for (uint32_t i = 0; i < set->kind_count; i++) {
        worker->kinds[i] = model_copy(model, set->kinds[i]);
    }
    worker_alive(model, worker, 0);
}

void model_wait_command(struct model *model, const struct command *command, struct answer *answer) {
    if (command->type == COMMAND_FORGET) {
        for (uint32_t i = 0; i < model->wait_count; i++) {
            if (model->waits[i].request != command->request) continue;
            struct answer nothing = {.code = ANSWER_EMPTY};
            model_answer_late(model, &model->waits[i], &nothing);
            model->late_count--; /* nobody is there to hear it */
            return;
        }
        return;
    }
    const struct wait_command *wait = &command->wait;
    struct model_job *job = model_job(model, wait->id);
    if (job == NULL) {
        answer->code = ANSWER_NO_JOB;
        return;
    }
    if (job_state_is_final(job->view.state) || wait->wait_ns == 0) {
        answer->state = job->view.state;
        model->fetched[0] = job->view.id;
        answer->jobs = model->fetched;
        answer->job_count = 1;
        return;
    }
    struct model_wait *waiting =
        model_grow(&model->waits, &model->wait_count, &model->wait_capacity, sizeof(*model->waits));
    waiting->request = command->request;
    waiting->end_ns = ns_add(model->now_ns, wait->wait_ns);
    waiting->job_id = wait->id;
    answer->code = ANSWER_WAITING;
}

void model_apply(
    struct model *model, hob_ns now_ns, const struct command *command, struct answer *ret_answer
) {
    if (model->now_ns < now_ns) model->now_ns = now_ns;
    *ret_answer = (struct answer){.code = ANSWER_OK, .request = command->request};
    if (!model_arguments_are_valid(model, command)) {
        ret_answer->code = ANSWER_BAD_ARGUMENT;
        return;
    }
    switch (command->type) {
    case COMMAND_PUSH:
        model_push(model, &command->push, command->push.parent, ret_answer);
        break;
    case COMMAND_PUSH_ALL:
        model_push_all(model, &command->push_all, ret_answer);
        break;
    case COMMAND_FETCH:
        model_fetch(model, command, ret_answer);
        break;
    case COMMAND_ACK:
    case COMMAND_FAIL:
    case COMMAND_RELEASE:
    case COMMAND_EXTEND:
    case COMMAND_CHECKPOINT:
    case COMMAND_LOG:
    case COMMAND_PROGRESS:
        model_lease_command(model, command, ret_answer);
        break;
    case COMMAND_CANCEL:
    case COMMAND_DISCARD:
    case COMMAND_RETRY:
    case COMMAND_DELETE:
        model_control(model, command, ret_answer);
        break;
    case COMMAND_UPDATE:
        model_update(model, &command->update, ret_answer);
        break;
    case COMMAND_PAUSE:
    case COMMAND_RESUME:
    case COMMAND_QUEUE_SET:
        model_queue_command(model, command, ret_answer);
        break;
    case COMMAND_VALVE_SET:
    case COMMAND_VALVE_PAUSE:
    case COMMAND_VALVE_RESUME:
    case COMMAND_GROUP_SKIP:
        model_valve_command(model, command, ret_answer);
        break;
    case COMMAND_WORKER_SET:
    case COMMAND_WORKER_BEAT:
        model_worker_command(model, command, ret_answer);
        break;
    case COMMAND_TOKEN_PUT:
    case COMMAND_TOKEN_DROP:
    case COMMAND_TOKEN_USE:
        model_token_command(model, command, ret_answer);
        break;
    case COMMAND_CLOCK_JUMP:
        model_clock_jump(model, &command->clock_jump);
        break;
    case COMMAND_WAIT:
    case COMMAND_FORGET:
        model_wait_command(model, command, ret_answer);
        break;
    case COMMAND_TYPE_COUNT:
        hob_panic(__FILE__, __LINE__, "a command");
    }
    /* What a fetch leaves to others is served with the next command or turn: its answer borrows. */
    if (command->type != COMMAND_FETCH) model_serve(model);
}
