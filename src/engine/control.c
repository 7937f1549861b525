/* SPDX-License-Identifier: Apache-2.0 */
/* What people do to jobs and queues: cancel, discard, retry, delete, pause, resume, settings. */
#include "engine/unique.h"
#include "engine/valves.h"

static uint32_t
control_job(struct engine *engine, const struct control_command *control, struct answer *answer) {
    answer->id = control->id;
    if (control->by.size > WHY_BYTES_MAX || control->why.size > WHY_BYTES_MAX) {
        answer_set(answer, ANSWER_TOO_LARGE, "by and why are at most 200 bytes each");
        return 0;
    }
    uint32_t handle = job_find(engine, control->id);
    if (handle == 0) {
        answer_set(answer, ANSWER_NO_JOB, NULL);
        return 0;
    }
    answer->state = (enum job_state)job_at(engine, handle)->state;
    return handle;
}

/* The worker of a running job learns that its lease is gone. */
static void notice_lost(struct engine *engine, const struct job *job) {
    if (job->state != JOB_RUNNING || engine->sink.notice == NULL) return;
    const struct run *run = run_at(engine, job->run);
    struct notice notice = {
        .worker = text_slice(worker_at(engine, run->worker)->name),
        .id = job->id,
        .token = run->token,
        .cause = CAUSE_PERSON,
    };
    engine->sink.notice(engine->sink.context, &notice);
}

static void emit_ended(
    struct engine *engine,
    uint32_t handle,
    const struct control_command *control,
    enum job_state state
) {
    const struct job *job = job_at(engine, handle);
    uint32_t worker = job->state == JOB_RUNNING ? run_at(engine, job->run)->worker : 0;
    notice_lost(engine, job);
    struct effect ended = {
        .type = EFFECT_JOB_ENDED,
        .job_ended =
            {
                .id = control->id,
                .at_ns = engine->now_ns,
                .state = state,
                .by = control->by,
                .why = control->why,
            },
    };
    emit(engine, &ended);
    job_ended(engine, control->id, (struct ending){.by_person = true});
    if (worker != 0) worker_feed(engine, worker_at(engine, worker));
}

void apply_cancel(struct engine *engine, const struct command *command, struct answer *answer) {
    uint32_t handle = control_job(engine, &command->cancel, answer);
    if (handle == 0) return;
    if (job_state_is_final(answer->state)) {
        answer_set(answer, ANSWER_WRONG_STATE, "nothing is left to cancel; delete removes it");
        return;
    }
    emit_ended(engine, handle, &command->cancel, JOB_CANCELLED);
    answer->state = JOB_CANCELLED;
}

void apply_discard(struct engine *engine, const struct command *command, struct answer *answer) {
    uint32_t handle = control_job(engine, &command->discard, answer);
    if (handle == 0) return;
    if (answer->state == JOB_RUNNING || job_state_is_final(answer->state)) {
        const char *detail = answer->state == JOB_RUNNING
                                 ? "only a waiting job can be discarded; cancel stops it"
                                 : "nothing is left to discard; delete removes it";
        answer_set(answer, ANSWER_WRONG_STATE, detail);
        return;
    }
    emit_ended(engine, handle, &command->discard, JOB_DISCARDED);
    answer->state = JOB_DISCARDED;
}

void apply_retry(struct engine *engine, const struct command *command, struct answer *answer) {
    uint32_t handle = control_job(engine, &command->retry, answer);
    if (handle == 0 || answer->state == JOB_AVAILABLE) return;
    if (answer->state == JOB_RUNNING) {
        answer_set(answer, ANSWER_WRONG_STATE, "to start it anew, cancel it first");
        return;
    }
    const struct job *job = job_at(engine, handle);
    if (unique_forbids_retry(engine, job, answer)) return;
    uint32_t queue = job->queue;
    uint32_t attempt_max = job->attempt_max;
    if (attempt_max < job->attempt + 1u) attempt_max = job->attempt + 1u;
    if (attempt_max > ATTEMPT_MAX_MAX) {
        answer_set(answer, ANSWER_LIMIT, "attempts: 60000 at most; push the job anew");
        return;
    }
    struct effect retried = {
        .type = EFFECT_JOB_RETRIED,
        .job_retried = {.id = job->id, .at_ns = engine->now_ns, .attempt_max = attempt_max},
    };
    valve_unblock(engine, job);
    emit(engine, &retried);
    answer->state = JOB_AVAILABLE;
    queue_feed(engine, queue);
}

void apply_delete(struct engine *engine, const struct command *command, struct answer *answer) {
    uint32_t handle = control_job(engine, &command->delete, answer);
    if (handle == 0) return;
    const struct job *job = job_at(engine, handle);
    uint32_t worker = job->state == JOB_RUNNING ? run_at(engine, job->run)->worker : 0;
    notice_lost(engine, job);
    valve_unblock(engine, job);
    waiters_job_ended(engine, command->delete.id, ANSWER_NO_JOB, answer->state);
    struct effect deleted = {.type = EFFECT_JOB_DELETED, .job_deleted = {.id = command->delete.id}};
    emit(engine, &deleted);
    if (worker != 0) worker_feed(engine, worker_at(engine, worker));
}

static bool queue_name_is_bad(struct engine *engine, struct slice name, struct answer *answer) {
    if (!name_is_valid(name)) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "queue " NAME_RULE);
        return true;
    }
    if (queue_find(engine, name) != 0) return false;
    if (engine->queue_count >= QUEUES_MAX) {
        answer_set(answer, ANSWER_LIMIT, "queues: 1000000 at most");
        return true;
    }
    return memory_is_spent(engine, answer);
}

/* The settings of a queue as they are, for an effect that changes some. */
static struct effect queue_effect(struct engine *engine, struct slice name) {
    struct effect effect = {.type = EFFECT_QUEUE_PUT};
    queue_view_fill(engine, queue_at(engine, queue_need(engine, name)), &effect.queue_put.queue);
    return effect;
}

void apply_pause(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct pause_command *pause = &command->pause;
    if (queue_name_is_bad(engine, pause->queue, answer)) return;
    if (pause->by.size > WHY_BYTES_MAX || pause->why.size > WHY_BYTES_MAX) {
        answer_set(answer, ANSWER_TOO_LARGE, "by and why are at most 200 bytes each");
        return;
    }
    if (pause->until_ns != 0 && pause->until_ns <= engine->now_ns) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "until has passed already");
        return;
    }
    struct effect effect = queue_effect(engine, pause->queue);
    struct queue_view *view = &effect.queue_put.queue;
    view->paused = true;
    view->paused_until_ns = pause->until_ns;
    view->paused_by = pause->by;
    view->paused_why = pause->why;
    emit(engine, &effect);
    queue_changed(engine, queue_find(engine, pause->queue));
}

void queue_unpause(struct engine *engine, uint32_t handle) {
    struct effect effect = {.type = EFFECT_QUEUE_PUT};
    struct queue_view *view = &effect.queue_put.queue;
    queue_view_fill(engine, queue_at(engine, handle), view);
    view->paused = false;
    view->paused_until_ns = 0;
    view->paused_by = SLICE_NONE;
    view->paused_why = SLICE_NONE;
    emit(engine, &effect);
    queue_feed(engine, handle);
}

void apply_resume(struct engine *engine, const struct command *command, struct answer *answer) {
    uint32_t handle = queue_find(engine, command->resume.queue);
    if (handle == 0) {
        answer_set(answer, ANSWER_NO_QUEUE, NULL);
        return;
    }
    if (queue_at(engine, handle)->paused) queue_unpause(engine, handle);
}

/* The order, rate and rule for groups as @set makes them; NULL, or what is wrong. */
static const char *
queue_valves_change(const struct queue_set_command *set, struct queue_view *view) {
    if (set->has_order) view->order = set->order;
    if (set->has_aging) view->aging_ns = set->aging_ns;
    if (view->aging_ns > AGING_MAX_NS) return "aging is 0 (none) to 30 days";
    if (view->aging_ns > 0 && view->order != QUEUE_FIFO) return "only jobs of a fifo queue age";
    if (set->has_group_concurrency) view->group_rule.concurrency = set->group_concurrency;
    if (view->group_rule.concurrency > VALVE_CONCURRENCY_MAX) {
        return "group_concurrency is 0 (any number) to 1000000";
    }
    if (set->has_group_order) view->group_rule.order = set->group_order;
    if (view->group_rule.order >= GROUP_ORDER_COUNT) {
        return "group_order is loose, block, skip or park";
    }
    const char *fault = rate_change(&view->rate, &set->rate);
    return fault != NULL ? fault : rate_change(&view->group_rule.rate, &set->group_rate);
}

void apply_queue_set(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct queue_set_command *set = &command->queue_set;
    if (queue_name_is_bad(engine, set->queue, answer)) return;
    if (set->has_order && set->order >= QUEUE_ORDER_COUNT) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "order is fifo or lifo");
        return;
    }
    if (set->keep_completed_ns > DELAY_MAX_NS || set->keep_failed_ns > DELAY_MAX_NS) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "keep is longer than 3650 days");
        return;
    }
    if (set->has_tier && set->tier > QUEUE_TIER_MAX) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "tier is 0 to 1000");
        return;
    }
    if (set->has_weight && (set->weight < 1 || set->weight > QUEUE_WEIGHT_MAX)) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "weight is 1 to 1000");
        return;
    }
    if (set->has_concurrency && set->concurrency > QUEUE_CONCURRENCY_MAX) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "concurrency is 0 (no limit) to 1000000");
        return;
    }
    if (set->has_length && set->length > QUEUE_LENGTH_MAX) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "length is 0 (no limit) to 133000000");
        return;
    }
    if (set->has_on_full && set->on_full >= ON_FULL_COUNT) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "on_full is reject, drop_oldest or drop_newest");
        return;
    }
    struct queue_view trial = {.order = QUEUE_FIFO};
    uint32_t known = queue_find(engine, set->queue);
    if (known != 0) queue_view_fill(engine, queue_at(engine, known), &trial);
    const char *fault = queue_valves_change(set, &trial);
    if (fault != NULL) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, fault);
        return;
    }
    struct effect effect = queue_effect(engine, set->queue);
    struct queue_view *view = &effect.queue_put.queue;
    if (set->has_length) view->length = set->length;
    if (set->has_on_full) view->on_full = set->on_full;
    view->rate = trial.rate;
    view->tat_ns = rate_debt_ns(&trial.rate, view->tat_ns, engine->now_ns);
    view->group_rule = trial.group_rule;
    view->aging_ns = trial.aging_ns;
    if (set->has_concurrency) view->concurrency = set->concurrency;
    if (set->has_tier) view->tier = set->tier;
    if (set->has_weight) view->weight = set->weight;
    if (set->has_order) view->order = set->order;
    if (set->has_keep_completed) {
        view->keep_completed_ns = set->keep_completed_ns;
        view->keep_completed_count = set->keep_completed_count;
    }
    if (set->has_keep_failed) {
        view->keep_failed_ns = set->keep_failed_ns;
        view->keep_failed_count = set->keep_failed_count;
    }
    emit(engine, &effect);
    valves_forgive(engine);
    queue_feed(engine, queue_find(engine, set->queue));
}
