/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations: each gate of a waiting job beside what the model counts for it by walking
 * everything. */
#include "tests/sim/compare.h"

enum { WANTED_MAX = GATES_MAX };

/* The gates of a job as the model has them, in the order in which they are told. */
struct wants {
    struct gate gates[WANTED_MAX];
    uint32_t count;
};

static struct gate *want(struct wants *wants, enum gate_type type, bool is_open) {
    struct gate *gate = &wants->gates[wants->count++];
    *gate = (struct gate){.type = type, .is_open = is_open};
    return gate;
}

static struct gate *want_of_queue(
    struct wants *wants, const struct model_queue *queue, enum gate_type type, bool is_open
) {
    struct gate *gate = want(wants, type, is_open);
    gate->of = GATE_OF_QUEUE;
    gate->name = queue->view.name;
    return gate;
}

/* Of the live workers that run the kind of a job, and are fit for it. */
struct staff {
    uint64_t kin; /* that run its kind */
    bool has_room;
    uint64_t count;
    uint64_t slots;
    uint64_t running;
    uint64_t fetches;
    uint64_t elsewhere;
};

static struct staff
staff_of(const struct model *model, const struct model_queue *queue, const struct job_view *job) {
    struct staff staff = {.count = 0};
    for (uint32_t i = 0; i < model->worker_count; i++) {
        const struct model_worker *worker = &model->workers[i];
        if (worker->view.alive_until_ns <= model->now_ns) continue;
        if (!model_runs_kind(worker, job)) continue;
        staff.kin++;
        if (!model_can_take(worker, job)) continue;
        uint64_t takes = 0;
        uint64_t waits = 0;
        for (uint32_t k = 0; k < model->wait_count; k++) {
            const struct model_wait *wait = &model->waits[k];
            if (wait->queue_count == 0 || !slice_equal(wait->worker, worker->view.name)) continue;
            waits++;
            takes += model_fetch_takes(wait, queue) ? 1 : 0;
        }
        uint64_t slots = worker->view.slots;
        uint64_t running = worker->view.running;
        staff.count++;
        if (running + model_cost(job) <= slots) staff.has_room = true;
        staff.slots += slots;
        staff.running += running < slots ? running : slots;
        staff.fetches += takes;
        staff.elsewhere += waits > 0 && takes == 0 ? 1 : 0;
    }
    return staff;
}

static void want_workers(
    const struct model *model,
    const struct model_queue *queue,
    const struct job_view *job,
    struct wants *wants
) {
    struct staff staff = staff_of(model, queue, job);
    bool nobody = staff.fetches == 0 && staff.elsewhere == staff.count;
    bool asks = model_cost(job) > 1 || job->needs.size > 0;
    struct gate *gate = want(wants, GATE_KIND, staff.kin > 0);
    gate->of = GATE_OF_KIND;
    gate->name = job->kind;
    gate->count = staff.kin;
    if (staff.kin > 0 && asks) {
        gate = want(wants, GATE_NEEDS, staff.count > 0);
        gate->name = job->needs;
        gate->count = staff.count;
        gate->limit = model_cost(job);
    }
    if (staff.count == 0) return;
    gate = want(wants, GATE_SLOT, staff.has_room);
    gate->of = GATE_OF_KIND;
    gate->name = job->kind;
    gate->count = staff.running;
    gate->limit = staff.slots;
    want_of_queue(wants, queue, GATE_FETCH, !nobody)->count = staff.fetches;
}

static void
want_tier(const struct model *model, const struct model_queue *queue, struct wants *wants) {
    uint64_t before = 0;
    const struct model_queue *first = NULL;
    for (uint32_t i = 0; i < model->queue_count; i++) {
        const struct model_queue *other = &model->queues[i];
        if (other->view.tier >= queue->view.tier || !model_queue_is_open(model, other)) continue;
        if (other->view.counts[JOB_AVAILABLE] == 0) continue;
        before += other->view.counts[JOB_AVAILABLE];
        bool is_first = first == NULL || other->view.tier < first->view.tier ||
                        (other->view.tier == first->view.tier &&
                         slice_before(other->view.name, first->view.name));
        if (is_first) first = other;
    }
    if (before > 0) want_of_queue(wants, first, GATE_TIER, false)->count = before;
}

static void want_line(
    struct model *model, struct model_queue *queue, const struct job_view *job, struct wants *wants
) {
    uint64_t ids[NEXT_COUNT_MAX];
    if (job->state != JOB_AVAILABLE || !model_valves_let(model, job)) return;
    uint32_t count = model_next(model, queue, NEXT_COUNT_MAX, ids);
    uint32_t before = 0;
    while (before < count && ids[before] != job->id) before++;
    want_of_queue(wants, queue, GATE_LINE, before == 0)->count = before;
}

static uint64_t running_of(const struct model *model, const struct model_queue *queue) {
    uint64_t running = 0;
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        running += job->state == JOB_RUNNING && slice_equal(job->queue, queue->view.name) ? 1 : 0;
    }
    return running;
}

static uint64_t at_most(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* How many units may start now, by trying. */
static uint64_t
room_of(const struct model *model, const struct rate *rate, hob_ns tat_ns, uint64_t burst) {
    uint64_t low = 0;
    uint64_t high = burst;
    while (low < high) {
        uint64_t middle = (low + high + 1) / 2;
        bool may = model_rate_opens(rate, tat_ns, middle) <= model->now_ns;
        if (may) low = middle;
        if (!may) high = middle - 1;
    }
    return low;
}

/* The gate of a rate; @view tells of what it is. */
static void want_rate(
    const struct model *model,
    const struct valve_view *view,
    uint64_t units,
    enum gate_of of,
    struct wants *wants
) {
    const struct rate *rate = &view->rate;
    if (rate->count == 0) return;
    uint64_t burst = rate->burst == 0 ? rate->count : rate->burst;
    units = at_most(units, burst);
    if (view->concurrency > 0) units = at_most(units, view->concurrency);
    hob_ns opens_ns = model_rate_opens(rate, view->tat_ns, units);
    struct gate *gate = want(wants, GATE_RATE, opens_ns <= model->now_ns);
    gate->of = of;
    gate->name = view->name;
    gate->count = room_of(model, rate, view->tat_ns, burst);
    gate->limit = burst;
    gate->units = of == GATE_OF_LIMITER ? units : 0;
    gate->until_ns = gate->is_open ? 0 : opens_ns;
}

static void want_order(
    const struct model_queue *queue,
    const struct job_view *job,
    const struct valve_view *view,
    struct wants *wants
) {
    enum group_order order = queue->view.group_rule.order;
    if (view->blocked_by != 0) want(wants, GATE_BLOCKED, false)->job = view->blocked_by;
    bool is_strict = order != GROUP_LOOSE && job->group.size > 0;
    uint64_t others = view->running;
    bool is_held = job->started_ns != 0 && job->state != JOB_AVAILABLE;
    if (order != GROUP_PARK) others += view->held - (is_held ? 1 : 0);
    if (is_strict) want(wants, GATE_ORDER, others == 0)->count = others;
    for (uint32_t i = wants->count; i > 0 && wants->gates[i - 1].type >= GATE_BLOCKED; i--) {
        wants->gates[i - 1].of = GATE_OF_GROUP;
        wants->gates[i - 1].name = job->group;
    }
}

static void want_valves(
    const struct model *model,
    const struct model_queue *queue,
    const struct job_view *job,
    struct wants *wants
) {
    struct model_way way;
    struct valve_view own = {
        .name = queue->view.name, .rate = queue->view.rate, .tat_ns = queue->view.tat_ns};
    model_valves_of(model, job, &way);
    want_rate(model, &own, 1, GATE_OF_QUEUE, wants);
    for (uint32_t i = 0; i < way.count; i++) {
        const struct valve_view *view = &way.valves[i];
        enum gate_of of = i == 0 ? GATE_OF_KIND : i == 1 ? GATE_OF_GROUP : GATE_OF_LIMITER;
        bool is_past = view->paused_until_ns != 0 && view->paused_until_ns <= model->now_ns;
        uint64_t units = at_most(way.units[i], view->concurrency);
        if (view->paused && !is_past) {
            struct gate *gate = want(wants, GATE_PAUSE, false);
            gate->of = of;
            gate->name = view->name;
            gate->until_ns = view->paused_until_ns;
        }
        if (view->concurrency > 0) {
            bool is_open = view->running + units <= view->concurrency;
            struct gate *gate = want(wants, GATE_CONCURRENCY, is_open);
            gate->of = of;
            gate->name = view->name;
            gate->count = view->running;
            gate->limit = view->concurrency;
            gate->units = of == GATE_OF_LIMITER ? units : 0;
        }
        want_rate(model, view, way.units[i], of, wants);
        if (of == GATE_OF_GROUP) want_order(queue, job, view, wants);
    }
}

/* The job of the same key that a blocked one waits for. */
static uint64_t blocker_of(const struct model *model, const struct job_view *blocked) {
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        bool holds = !job_state_is_final(job->state) && job->state != JOB_BLOCKED;
        if (!holds || job->unique_scope != UNIQUE_DONE) continue;
        if (slice_equal(job->unique, blocked->unique)) return job->id;
    }
    return 0;
}

static void want_all(
    struct model *model,
    struct model_queue *queue,
    const struct model_job *model_job,
    struct wants *wants
) {
    const struct job_view *job = &model_job->view;
    uint64_t limit = queue->view.concurrency;
    uint64_t running = running_of(model, queue);
    hob_ns latest_ns = job->deadline_ns > job->margin_ns ? job->deadline_ns - job->margin_ns : 0;
    bool is_fresh = job->started_ns == 0;
    if (job->run_at_ns != 0) {
        want(wants, GATE_TIME, job->run_at_ns <= model->now_ns)->until_ns = job->run_at_ns;
    }
    if (job->expires_ns != 0 && is_fresh) {
        want(wants, GATE_EXPIRY, model->now_ns < job->expires_ns)->until_ns = job->expires_ns;
    }
    if (job->deadline_ns != 0) {
        want(wants, GATE_DEADLINE, model->now_ns < latest_ns)->until_ns = latest_ns;
    }
    if (job->state == JOB_BLOCKED) {
        want(wants, GATE_UNIQUE, false)->job = blocker_of(model, job);
    }
    if (model_is_paused(model, &queue->view)) {
        struct gate *gate = want_of_queue(wants, queue, GATE_PAUSE, false);
        gate->until_ns = queue->view.paused_until_ns;
    }
    if (limit > 0) {
        struct gate *gate = want_of_queue(wants, queue, GATE_CONCURRENCY, running < limit);
        gate->count = running;
        gate->limit = limit;
    }
    want_valves(model, queue, job, wants);
    want_workers(model, queue, job, wants);
    want_tier(model, queue, wants);
    want_line(model, queue, job, wants);
}

static void put_gate(struct buf *report, const char *of, const struct gate *gate) {
    (void)buf_printf(
        report,
        "  %s: %s of %s '%.*s' open %d count %llu limit %llu units %llu until %llu job %llu\n",
        of,
        gate_word(gate->type),
        gate_of_word(gate->of),
        SLICE_ARG(gate->name),
        gate->is_open,
        (unsigned long long)gate->count,
        (unsigned long long)gate->limit,
        (unsigned long long)gate->units,
        (unsigned long long)gate->until_ns,
        (unsigned long long)gate->job
    );
}

static bool same_gate(const struct gate *wanted, const struct gate *got) {
    return got->type == wanted->type && got->of == wanted->of &&
           slice_equal(got->name, wanted->name) && got->is_open == wanted->is_open &&
           got->count == wanted->count && got->limit == wanted->limit &&
           got->units == wanted->units && got->until_ns == wanted->until_ns &&
           got->job == wanted->job;
}

/* Does a gate of the job itself, its queue or a valve stop it? The model says so when it offers it
 * to nobody. So no rule can come into the model without a gate that tells of it. */
static bool is_stopped(const struct explanation *explanation) {
    for (uint32_t i = 0; i < explanation->gate_count; i++) {
        const struct gate *gate = &explanation->gates[i];
        bool is_of_others = gate->type >= GATE_KIND;
        if (!gate->is_open && !is_of_others) return true;
    }
    return false;
}

static bool is_stopped_there(
    const struct model *model, const struct model_queue *queue, const struct model_job *job
) {
    return !model_queue_is_open(model, queue) || !model_valves_let(model, &job->view) ||
           model_start_by(job) <= model->now_ns;
}

bool compare_gates(
    struct model *model,
    const struct engine *engine,
    const struct model_job *job,
    struct buf *report
) {
    struct explanation explanation;
    struct wants wants = {.count = 0};
    struct model_queue *queue = model_queue(model, job->view.queue);
    bool waits = !job_state_is_final(job->view.state) && job->view.state != JOB_RUNNING;
    bool same = engine_explain(engine, model->now_ns, job->view.id, &explanation);
    if (waits) want_all(model, queue, job, &wants);
    uint32_t at = 0;
    for (uint32_t i = 0; same && i < explanation.gate_count; i++) {
        const struct gate *gate = &explanation.gates[i];
        /* A pause that is over, which no turn has ended yet, is told as open. */
        if (gate->type == GATE_PAUSE && gate->is_open) continue;
        same = at < wants.count && same_gate(&wants.gates[at], gate);
        if (!same && at < wants.count) put_gate(report, "model", &wants.gates[at]);
        if (!same) put_gate(report, "engine", gate);
        at++;
    }
    if (same && at < wants.count) {
        put_gate(report, "model only", &wants.gates[at]);
        same = false;
    }
    bool is_available = job->view.state == JOB_AVAILABLE;
    if (same && is_available && is_stopped(&explanation) != is_stopped_there(model, queue, job)) {
        (void)buf_put_str(report, "  no gate tells what stops it, or one that does not\n");
        same = false;
    }
    if (same) return true;
    (void)buf_printf(report, "  of job %llu\n", (unsigned long long)job->view.id);
    return false;
}
