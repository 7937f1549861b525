/* SPDX-License-Identifier: Apache-2.0 */
/* When will it be over? Reckoned from what a queue has done lately: how long its attempts ran, and
 * how far apart their ends were while others waited. The second is the pace of the queue, whatever
 * the number of workers, their slots and their pauses are; ends before which nothing waited say
 * nothing of it.
 *
 *     waits      (jobs before it + 1) x pace + mean run
 *     is later   until its time, and what of the wait is not over by then
 *     runs       what is left of the mean run
 *
 * The figures are volatile: not journaled, not replayed, no part of the digest. They are sums that
 * are halved when they have seen enough, so what is old counts less and less. */
#include "engine/core.h"

enum {
    SEEN_ENOUGH = 64,          /* attempts, ends; and the pace has seen so many mean runs, */
    RUNS_SEEN_ENOUGH = 8,      /* so that slots which end all at once are seen several times */
    SEEN_MAX = 1u << 20,       /* whatever time does */
    LANES_LOOKED_AT_MAX = 256, /* of a queue, for the jobs before one */
};

#define GAP_IDLE_NS     (1 * NS_PER_SECOND) /* from one job to the next of a worker that polls */
#define UNKNOWN_RUN_NS  (1 * NS_PER_SECOND) /* a job with a time to come, where nothing ever ran */
#define ESTIMATE_MAX_NS (3650 * NS_PER_DAY)

static hob_ns since(hob_ns now_ns, hob_ns then_ns) {
    return now_ns > then_ns ? now_ns - then_ns : 0;
}

static hob_ns mean_run(const struct figures *figures) {
    return figures->runs == 0 ? 0 : figures->run_ns / figures->runs;
}

static void add_run(struct figures *figures, hob_ns ran_ns) {
    if (figures->runs >= SEEN_ENOUGH) {
        figures->runs /= 2;
        figures->run_ns /= 2;
    }
    figures->runs++;
    figures->run_ns += ran_ns;
}

/* A gap much longer than the run that ends it is time without a worker. */
static void add_gap(struct figures *figures, hob_ns gap_ns, hob_ns ran_ns) {
    hob_ns gap_max_ns = ns_add(2 * ran_ns, GAP_IDLE_NS);
    bool enough =
        figures->ends >= SEEN_ENOUGH && figures->busy_ns >= RUNS_SEEN_ENOUGH * mean_run(figures);
    if (enough || figures->ends >= SEEN_MAX) {
        figures->ends /= 2;
        figures->busy_ns /= 2;
    }
    figures->ends++;
    figures->busy_ns += gap_ns < gap_max_ns ? gap_ns : gap_max_ns;
}

void figures_ended(struct engine *engine, uint64_t id) {
    const struct job *job = job_at(engine, job_find(engine, id));
    hob_assert(job->state == JOB_RUNNING);
    struct queue *queue = queue_at(engine, job->queue);
    struct figures *figures = &queue->figures;
    hob_ns ran_ns = since(engine->now_ns, run_at(engine, job->run)->started_ns);
    if (ran_ns > ESTIMATE_MAX_NS / SEEN_ENOUGH) ran_ns = ESTIMATE_MAX_NS / SEEN_ENOUGH;
    add_run(figures, ran_ns);
    if (figures->ended_ns != 0) {
        add_gap(figures, since(engine->now_ns, figures->ended_ns), ran_ns);
    }
    figures->ended_ns = queue->counts[JOB_AVAILABLE] > 0 ? engine->now_ns : 0;
}

/* From one end to the next while jobs wait. Until a whole run has been seen: as if all that run now
 * went on side by side. */
static hob_ns pace(const struct queue *queue) {
    const struct figures *figures = &queue->figures;
    hob_ns run_ns = mean_run(figures);
    if (figures->ends > 0 && figures->busy_ns >= run_ns) return figures->busy_ns / figures->ends;
    uint32_t running = queue->counts[JOB_RUNNING];
    return running == 0 ? run_ns : run_ns / running;
}

/* Until the next job of a paused queue may start; HOB_NEVER: nobody knows. */
static hob_ns pause_left(const struct engine *engine, const struct queue *queue, hob_ns now_ns) {
    if (!queue_is_paused(engine, queue)) return 0;
    return queue->paused_until_ns == 0 ? HOB_NEVER : since(queue->paused_until_ns, now_ns);
}

/* Until it starts. False: it is not known. */
static bool
wait_left(const struct engine *engine, const struct job *job, hob_ns now_ns, hob_ns *ret_wait_ns) {
    const struct queue *queue = queue_at(engine, job->queue);
    hob_ns run_ns = mean_run(&queue->figures);
    hob_ns pause_ns = pause_left(engine, queue, now_ns);
    if (pause_ns == HOB_NEVER) return false;
    hob_ns later_ns = job->state == JOB_AVAILABLE ? 0 : since(job->run_at_ns, now_ns);
    if (later_ns < pause_ns) later_ns = pause_ns;
    *ret_wait_ns = later_ns;
    if (run_ns == 0) return later_ns != 0;
    uint64_t before = ready_before_count(engine, job, LANES_LOOKED_AT_MAX) + 1;
    hob_ns pace_ns = pace(queue);
    hob_ns wait_ns = ESTIMATE_MAX_NS;
    if (pace_ns == 0 || before <= ESTIMATE_MAX_NS / pace_ns) wait_ns = before * pace_ns;
    /* The queue moves on while this job waits for its time, but not while it is paused. */
    if (pause_ns > 0) wait_ns = ns_add(wait_ns, pause_ns);
    *ret_wait_ns = wait_ns > later_ns ? wait_ns : later_ns;
    return true;
}

static hob_ns estimate_waiting(const struct engine *engine, const struct job *job, hob_ns now_ns) {
    hob_ns wait_ns = 0;
    if (!wait_left(engine, job, now_ns, &wait_ns)) return 0;
    hob_ns run_ns = mean_run(&queue_at(engine, job->queue)->figures);
    return ns_add(wait_ns, run_ns == 0 ? UNKNOWN_RUN_NS : run_ns);
}

hob_ns estimate_start(const struct engine *engine, const struct job *job, hob_ns now_ns) {
    hob_ns wait_ns = 0;
    if (!wait_left(engine, job, now_ns, &wait_ns)) return 0;
    return ns_add(now_ns, wait_ns < ESTIMATE_MAX_NS ? wait_ns : ESTIMATE_MAX_NS);
}

/* Who has run longer than others will go on for a while. */
static hob_ns estimate_running(const struct engine *engine, const struct job *job, hob_ns now_ns) {
    const struct queue *queue = queue_at(engine, job->queue);
    hob_ns ran_ns = since(now_ns, run_at(engine, job->run)->started_ns);
    hob_ns left_ns = since(mean_run(&queue->figures), ran_ns);
    return (left_ns > ran_ns / 4 ? left_ns : ran_ns / 4) + 1;
}

hob_ns engine_estimate(const struct engine *engine, hob_ns now_ns, uint64_t id) {
    uint32_t handle = job_find(engine, id);
    if (handle == 0) return 0;
    const struct job *job = job_at(engine, handle);
    hob_ns estimate_ns = 0;
    switch ((enum job_state)job->state) {
    case JOB_SCHEDULED:
    case JOB_RETRYABLE:
    case JOB_AVAILABLE:
        estimate_ns = estimate_waiting(engine, job, now_ns);
        break;
    case JOB_RUNNING:
        estimate_ns = estimate_running(engine, job, now_ns);
        break;
    case JOB_COMPLETED:
    case JOB_DISCARDED:
    case JOB_CANCELLED:
    case JOB_BLOCKED:
    case JOB_STATE_COUNT:
        break;
    }
    return estimate_ns < ESTIMATE_MAX_NS ? estimate_ns : ESTIMATE_MAX_NS;
}
