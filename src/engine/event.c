/* SPDX-License-Identifier: Apache-2.0 */
/* An event is the effect that was journaled, seen from outside. What only the state before knows
 * (where a job came from, how long it waited or ran) is taken before the effect is carried out, the
 * rest after. With nobody to listen nothing of this runs. */
#include "engine/event.h"

#include "engine/core.h"

static const char *const words[] = {
#define X(name, word, text) [name] = word,
    EVENTS(X)
#undef X
};
_Static_assert(hob_countof(words) == EVENT_TYPE_COUNT, "each type of event has a word");

const char *event_word(enum event_type type) {
    hob_assert(type < EVENT_TYPE_COUNT);
    return words[type];
}

bool event_parse(struct slice word, enum event_type *ret_type) {
    for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++) {
        if (!slice_equal_nocase(slice_str(words[type]), word)) continue;
        *ret_type = type;
        return true;
    }
    return false;
}

/* False when this effect is nothing that others are told. */
static bool type_of(const struct effect *effect, enum event_type *ret_type) {
    switch (effect->type) {
    case EFFECT_JOB_PUT:
    case EFFECT_JOB_RUN:
    case EFFECT_JOB_DONE:
    case EFFECT_JOB_FAILED:
    case EFFECT_JOB_RELEASED:
    case EFFECT_JOB_STAGED:
    case EFFECT_JOB_ENDED:
    case EFFECT_JOB_RETRIED:
        *ret_type = EVENT_STATE;
        return true;
    case EFFECT_JOB_DELETED:
        *ret_type = EVENT_DELETED;
        return true;
    case EFFECT_JOB_LOGGED:
        *ret_type = EVENT_LOGGED;
        return true;
    case EFFECT_JOB_PROGRESS:
        *ret_type = EVENT_PROGRESS;
        return true;
    case EFFECT_QUEUE_PUT:
        *ret_type = EVENT_QUEUE;
        return true;
    case EFFECT_NONE:
    case EFFECT_META:
    case EFFECT_BODY:
    case EFFECT_JOB_LEASE:
    case EFFECT_JOB_CHECKPOINT:
    case EFFECT_KEY_PUT:
    case EFFECT_KEY_DROP:
    case EFFECT_VALVE_PUT:
    case EFFECT_VALVE_DROP:
    case EFFECT_VALVE_TAKEN:
    case EFFECT_TOKEN_PUT:
    case EFFECT_TOKEN_DROP:
    case EFFECT_DIGEST:
    case EFFECT_CLOCK_JUMPED:
        break;
    }
    return false;
}

static void fill_job(const struct engine *engine, const struct job *job, struct event *event) {
    event->state = (enum job_state)job->state;
    event->queue = text_slice(queue_at(engine, job->queue)->name);
    event->kind = text_slice(kind_at(engine, job->kind)->name);
    event->attempt = job->attempt;
    event->attempt_max = job->attempt_max;
    event->created_ns = job->created_ns;
    bool is_running = job->state == JOB_RUNNING || event->from == JOB_RUNNING;
    if (is_running && job->run != 0) {
        event->worker = text_slice(worker_at(engine, run_at(engine, job->run)->worker)->name);
    }
}

static hob_ns since(const struct engine *engine, hob_ns then_ns) {
    return engine->now_ns > then_ns ? engine->now_ns - then_ns : 0;
}

bool event_begin(
    const struct engine *engine, const struct effect *effect, struct event *event, uint32_t *ret_job
) {
    enum event_type type;
    if (!type_of(effect, &type)) return false;
    memset(event, 0, sizeof *event);
    event->type = type;
    event->id = effect_job_id(effect);
    event->at_ns = engine->now_ns;
    uint32_t handle = job_find(engine, event->id);
    event->is_new = effect->type == EFFECT_JOB_PUT && handle == 0;
    if (type == EVENT_QUEUE || event->is_new) return true;
    const struct job *job = job_at(engine, handle);
    event->from = (enum job_state)job->state;
    if (effect->type == EFFECT_JOB_PUT && effect->job_put.job.state == event->from) {
        event->type = EVENT_UPDATED;
        return true;
    }
    /* A job that is told again, whole, is made anew: its handle does not hold. */
    if (effect->type != EFFECT_JOB_PUT) *ret_job = handle;
    if (type == EVENT_DELETED) fill_job(engine, job, event);
    if (type != EVENT_STATE) return true;
    if (effect->type == EFFECT_JOB_RUN) event->waited_ns = since(engine, job->state_ns);
    if (job->state == JOB_RUNNING) {
        event->ran_ns = since(engine, run_at(engine, job->run)->started_ns);
    }
    return true;
}

static void fill_error(const struct job_error *error, struct event *event) {
    event->has_error = true;
    event->cause = error->cause;
    event->code = error->code;
    event->what = error->what;
    event->text = error->text;
}

static void fill_queue(const struct queue_view *queue, struct event *event) {
    event->queue = queue->name;
    event->paused = queue->paused;
    event->by = queue->paused_by;
    event->why = queue->paused_why;
}

static void fill_effect(const struct effect *effect, struct event *event) {
    switch (effect->type) {
    case EFFECT_JOB_FAILED:
        fill_error(&effect->job_failed.error, event);
        return;
    case EFFECT_JOB_RELEASED:
        if (effect->job_released.rescued) fill_error(&effect->job_released.error, event);
        return;
    case EFFECT_JOB_ENDED:
        event->by = effect->job_ended.by;
        event->why = effect->job_ended.why;
        if (effect->job_ended.has_error) fill_error(&effect->job_ended.error, event);
        return;
    case EFFECT_JOB_PROGRESS:
        event->percent = effect->job_progress.percent;
        event->text = effect->job_progress.text;
        return;
    case EFFECT_QUEUE_PUT:
        fill_queue(&effect->queue_put.queue, event);
        return;
    case EFFECT_NONE:
    case EFFECT_META:
    case EFFECT_BODY:
    case EFFECT_JOB_PUT:
    case EFFECT_JOB_RUN:
    case EFFECT_JOB_LEASE:
    case EFFECT_JOB_DONE:
    case EFFECT_JOB_STAGED:
    case EFFECT_JOB_RETRIED:
    case EFFECT_JOB_DELETED:
    case EFFECT_JOB_LOGGED:
    case EFFECT_JOB_CHECKPOINT:
    case EFFECT_KEY_PUT:
    case EFFECT_KEY_DROP:
    case EFFECT_VALVE_PUT:
    case EFFECT_VALVE_DROP:
    case EFFECT_VALVE_TAKEN:
    case EFFECT_TOKEN_PUT:
    case EFFECT_TOKEN_DROP:
    case EFFECT_DIGEST:
    case EFFECT_CLOCK_JUMPED:
        return;
    }
}

void event_end(
    const struct engine *engine, const struct effect *effect, uint32_t job, struct event *event
) {
    fill_effect(effect, event);
    if (event->type == EVENT_LOGGED) event->lines = engine->logging;
    if (event->type == EVENT_QUEUE || event->type == EVENT_DELETED) return;
    if (job == 0) job = job_find(engine, event->id);
    fill_job(engine, job_at(engine, job), event);
}
