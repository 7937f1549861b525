/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations: each gate of a waiting job beside what the model counts for it by walking
 * everything. */
#include "tests/sim/compare.h"

struct wanted {
    bool is_there;
    bool is_open;
    uint64_t count;
    uint64_t limit;
    hob_ns until_ns;
};

/* Of the live workers that run the kind of a job. */
struct staff {
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
    struct wanted *wanted
) {
    struct staff staff = staff_of(model, queue, job);
    bool some = staff.count > 0;
    bool nobody = staff.fetches == 0 && staff.elsewhere == staff.count;
    wanted[GATE_KIND] = (struct wanted){true, some, staff.count, 0, 0};
    wanted[GATE_SLOT] =
        (struct wanted){some, staff.running < staff.slots, staff.running, staff.slots, 0};
    wanted[GATE_FETCH] = (struct wanted){some, !nobody, staff.fetches, 0, 0};
}

static void
want_tier(struct model *model, const struct model_queue *queue, struct wanted *ret_wanted) {
    uint64_t before = 0;
    for (uint32_t i = 0; i < model->queue_count; i++) {
        struct model_queue *other = &model->queues[i];
        if (other->view.tier >= queue->view.tier) continue;
        if (model_queue_is_open(model, other)) before += other->view.counts[JOB_AVAILABLE];
    }
    *ret_wanted = (struct wanted){before > 0, false, before, 0, 0};
}

static void want_line(
    struct model *model,
    struct model_queue *queue,
    const struct job_view *job,
    struct wanted *ret_wanted
) {
    uint64_t ids[NEXT_COUNT_MAX];
    uint32_t count = model_next(model, queue, NEXT_COUNT_MAX, ids);
    uint32_t before = 0;
    while (before < count && ids[before] != job->id) before++;
    bool is_there = job->state == JOB_AVAILABLE && model_valves_let(model, job);
    *ret_wanted = (struct wanted){is_there, before == 0, before, 0, 0};
}

static uint64_t running_of(const struct model *model, const struct model_queue *queue) {
    uint64_t running = 0;
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        running += job->state == JOB_RUNNING && slice_equal(job->queue, queue->view.name) ? 1 : 0;
    }
    return running;
}

static void want_all(
    struct model *model,
    struct model_queue *queue,
    const struct model_job *model_job,
    struct wanted wanted[GATE_TYPE_COUNT]
) {
    const struct job_view *job = &model_job->view;
    uint64_t limit = queue->view.concurrency;
    uint64_t running = running_of(model, queue);
    hob_ns start_by_ns = model_start_by(model_job);
    wanted[GATE_TIME] =
        (struct wanted){job->run_at_ns != 0, job->run_at_ns <= model->now_ns, 0, 0, job->run_at_ns};
    wanted[GATE_EXPIRY] =
        (struct wanted){start_by_ns != HOB_NEVER, model->now_ns < start_by_ns, 0, 0, start_by_ns};
    wanted[GATE_UNIQUE] = (struct wanted){job->state == JOB_BLOCKED, false, 0, 0, 0};
    wanted[GATE_PAUSE] = (struct wanted
    ){model_is_paused(model, &queue->view), false, 0, 0, queue->view.paused_until_ns};
    wanted[GATE_CONCURRENCY] = (struct wanted){limit > 0, running < limit, running, limit, 0};
    want_workers(model, queue, job, wanted);
    want_tier(model, queue, &wanted[GATE_TIER]);
    want_line(model, queue, job, &wanted[GATE_LINE]);
}

static bool same_gate(const struct wanted *wanted, const struct gate *got, struct buf *report) {
    bool same = got->is_open == wanted->is_open && got->count == wanted->count &&
                got->limit == wanted->limit && got->until_ns == wanted->until_ns;
    if (same) return true;
    (void)buf_printf(
        report,
        "  gate %s: model open %d count %llu limit %llu until %llu, engine open %d count %llu "
        "limit "
        "%llu until %llu\n",
        gate_word(got->type),
        wanted->is_open,
        (unsigned long long)wanted->count,
        (unsigned long long)wanted->limit,
        (unsigned long long)wanted->until_ns,
        got->is_open,
        (unsigned long long)got->count,
        (unsigned long long)got->limit,
        (unsigned long long)got->until_ns
    );
    return false;
}

bool compare_gates(
    struct model *model,
    const struct engine *engine,
    const struct model_job *job,
    struct buf *report
) {
    struct explanation explanation;
    struct wanted wanted[GATE_TYPE_COUNT] = {{0}};
    bool seen[GATE_TYPE_COUNT] = {false};
    struct model_queue *queue = model_queue(model, job->view.queue);
    bool waits = !job_state_is_final(job->view.state) && job->view.state != JOB_RUNNING;
    bool same = engine_explain(engine, model->now_ns, job->view.id, &explanation);
    if (waits) want_all(model, queue, job, wanted);
    for (uint32_t i = 0; same && i < explanation.gate_count; i++) {
        const struct gate *gate = &explanation.gates[i];
        /* A pause that is over, which no turn has ended yet, is told as open. */
        bool is_past = gate->type == GATE_PAUSE && gate->is_open;
        if (is_past) continue;
        seen[gate->type] = true;
        if (wanted[gate->type].is_there) same = same_gate(&wanted[gate->type], gate, report);
    }
    for (uint32_t i = 0; same && i < GATE_TYPE_COUNT; i++) {
        same = seen[i] == wanted[i].is_there;
        if (same) continue;
        const char *words[] = {"not there", "there"};
        (void)buf_printf(
            report,
            "  gate %s: %s in the model\n",
            gate_word((enum gate_type)i),
            words[wanted[i].is_there]
        );
    }
    if (same) return true;
    (void)buf_printf(report, "  of job %llu\n", (unsigned long long)job->view.id);
    return false;
}
