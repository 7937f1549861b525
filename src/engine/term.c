/* SPDX-License-Identifier: Apache-2.0 */
/* Until when a job may start: until it expires, which counts before its first start, and until its
 * deadline less a margin, which counts before every start. A waiting job with such a time stands in
 * one heap of the engine, beside whatever else its state asks for: an available job is in its lane
 * and here. When its time comes the turn discards it, whether somebody fetches or not, in a paused
 * queue too. One whose next attempt is due only after that is discarded at once.
 *
 * A deadline also bounds the run: no attempt may run beyond it.
 *
 * The turn may come late, by its budget or because a command was first. So a job whose time is over
 * is never started: while it is the next one of its queue for some worker, the queue offers that
 * worker nothing. */
#include "engine/core.h"

static struct term *term_of(const struct engine *engine, const struct job *job) {
    return job->side == 0 ? NULL : side_at(engine, job->side)->term;
}

static bool term_before(void *context, uint32_t a, uint32_t b) {
    return job_at(context, a)->id < job_at(context, b)->id;
}

static void term_moved(void *context, uint32_t item, uint32_t at) {
    term_of(context, job_at(context, item))->heap_at = at;
}

static const struct heap_rules term_rules = {.before = term_before, .moved = term_moved};

bool view_needs_term(const struct job_view *view) {
    return view->expires_ns != 0 || view->deadline_ns != 0 || view->margin_ns != 0;
}

void term_make(struct engine *engine, struct side *side, const struct job_view *view) {
    if (!view_needs_term(view)) return;
    side->term = mem_alloc(&engine->mem, sizeof *side->term);
    *side->term = (struct term){
        .expires_ns = view->expires_ns,
        .deadline_ns = view->deadline_ns,
        .margin_ns = view->margin_ns,
        .heap_at = HEAP_NOWHERE,
    };
}

void term_free(struct engine *engine, struct side *side) {
    mem_free(&engine->mem, side->term, sizeof *side->term);
    side->term = NULL;
}

/* A start after this cannot be done by the deadline. */
static hob_ns latest_start(const struct term *term) {
    if (term->deadline_ns == 0) return HOB_NEVER;
    return term->deadline_ns > term->margin_ns ? term->deadline_ns - term->margin_ns : 0;
}

static bool may_expire(const struct term *term, const struct job *job) {
    return term->expires_ns != 0 && job->run == 0;
}

hob_ns job_start_by(const struct engine *engine, const struct job *job) {
    const struct term *term = term_of(engine, job);
    if (term == NULL) return HOB_NEVER;
    hob_ns latest_ns = latest_start(term);
    return may_expire(term, job) && term->expires_ns < latest_ns ? term->expires_ns : latest_ns;
}

hob_ns term_expires_ns(const struct engine *engine, const struct job *job) {
    const struct term *term = term_of(engine, job);
    return term != NULL && may_expire(term, job) ? term->expires_ns : HOB_NEVER;
}

hob_ns term_latest_ns(const struct engine *engine, const struct job *job) {
    const struct term *term = term_of(engine, job);
    return term == NULL ? HOB_NEVER : latest_start(term);
}

hob_ns term_left(const struct engine *engine, const struct job *job, hob_ns started_ns) {
    const struct term *term = term_of(engine, job);
    if (term == NULL || term->deadline_ns == 0) return HOB_NEVER;
    return term->deadline_ns > started_ns ? term->deadline_ns - started_ns : 0;
}

bool job_is_overdue(const struct engine *engine, const struct job *job) {
    return job_start_by(engine, job) <= engine->now_ns;
}

void term_enter(struct engine *engine, uint32_t handle) {
    struct job *job = job_at(engine, handle);
    if (job->state == JOB_RUNNING || job_state_is_final((enum job_state)job->state)) return;
    hob_ns start_by_ns = job_start_by(engine, job);
    if (start_by_ns == HOB_NEVER) return;
    heap_push(&engine->terms, &engine->mem, &term_rules, engine, start_by_ns, handle);
}

void term_leave(struct engine *engine, uint32_t handle) {
    const struct term *term = term_of(engine, job_at(engine, handle));
    if (term == NULL || term->heap_at == HEAP_NOWHERE) return;
    heap_remove(&engine->terms, &engine->mem, &term_rules, engine, term->heap_at);
}

void term_lift(struct engine *engine, struct job *job, hob_ns now_ns) {
    struct term *term = term_of(engine, job);
    if (term == NULL) return;
    if (term->expires_ns <= now_ns) term->expires_ns = 0;
    if (latest_start(term) <= now_ns) term->deadline_ns = 0;
}

hob_ns push_expires(const struct engine *engine, const struct push_command *push) {
    if (push->expires_ns != 0) return push->expires_ns;
    return push->expires_in_ns == 0 ? 0 : ns_add(engine->now_ns, push->expires_in_ns);
}

hob_ns push_deadline(const struct engine *engine, const struct push_command *push) {
    if (push->deadline_ns != 0) return push->deadline_ns;
    return push->deadline_in_ns == 0 ? 0 : ns_add(engine->now_ns, push->deadline_in_ns);
}

hob_ns deadline_inherit(const struct engine *engine, uint64_t parent, hob_ns own_ns) {
    uint32_t handle = parent == 0 ? 0 : job_find(engine, parent);
    const struct term *term = handle == 0 ? NULL : term_of(engine, job_at(engine, handle));
    if (term == NULL || term->deadline_ns == 0) return own_ns;
    return own_ns == 0 || own_ns > term->deadline_ns ? term->deadline_ns : own_ns;
}

bool term_is_due(const struct engine *engine) {
    return engine->terms.count > 0 && engine->terms.entries[0].key <= engine->now_ns;
}

static void discard_late(struct engine *engine, const struct job *job) {
    uint64_t id = job->id;
    const struct term *term = term_of(engine, job);
    bool expired = may_expire(term, job) && term->expires_ns <= latest_start(term);
    struct effect ended = {
        .type = EFFECT_JOB_ENDED,
        .job_ended =
            {
                .id = id,
                .at_ns = engine->now_ns,
                .state = JOB_DISCARDED,
                .has_error = true,
                .error =
                    {
                        .attempt = job->attempt,
                        .cause = expired ? CAUSE_EXPIRED : CAUSE_DEADLINE,
                        .at_ns = engine->now_ns,
                        .text = expired ? SLICE("it had not started when its time was over")
                                        : SLICE("it could not start in time for its deadline"),
                    },
            },
    };
    emit(engine, &ended);
    job_ended(engine, id, (struct ending){.by_person = false});
}

void term_end(struct engine *engine) {
    discard_late(engine, job_at(engine, engine->terms.entries[0].item));
}

bool term_settle(struct engine *engine, uint64_t id) {
    const struct job *job = job_at(engine, job_find(engine, id));
    hob_ns start_ns = job->run_at_ns > engine->now_ns ? job->run_at_ns : engine->now_ns;
    if (job_start_by(engine, job) > start_ns) return false;
    discard_late(engine, job);
    return true;
}

void term_check(const struct engine *engine, const struct job *job, uint32_t handle) {
    const struct term *term = term_of(engine, job);
    if (term == NULL) return;
    bool waits = job->state != JOB_RUNNING && !job_state_is_final((enum job_state)job->state);
    hob_ns start_by_ns = waits ? job_start_by(engine, job) : HOB_NEVER;
    if (start_by_ns == HOB_NEVER) {
        hob_assert(term->heap_at == HEAP_NOWHERE);
        return;
    }
    hob_assert(term->heap_at < engine->terms.count);
    hob_assert(engine->terms.entries[term->heap_at].item == handle);
    hob_assert(engine->terms.entries[term->heap_at].key == start_by_ns);
}
