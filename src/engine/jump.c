/* SPDX-License-Identifier: Apache-2.0 */
/* The clock has jumped: for a span of engine time nobody could reach the server (it was frozen, the
 * machine slept), or the span never was (the wall clock was put forward). No worker loses its job
 * for that: what is measured from the start of an attempt or from the last word of its worker moves
 * on by the span.
 *
 *     moves       ends of running leases, the beats of workers, the starts of running attempts (and
 *                 with them the ends of their timeouts, and what their run is said to have taken)
 *     stays       what names a time of the wall clock: run_at, expires_at, deadlines, ends of
 *                 pauses, retention; and rates, which are counted in engine time
 *
 * A lease that was over before is over after it. Timers of running jobs now stand too early, which
 * they may: they are put right when they fire. */
#include "engine/jobhash.h"

typedef void running_visit(struct engine *engine, struct job *job, void *context);

static void running_each(struct engine *engine, running_visit *visit, void *context) {
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        const struct worker *worker = worker_at(engine, engine->worker_list[i]);
        for (uint32_t at = worker->held.first; at != 0; at = job_at(engine, at)->next) {
            visit(engine, job_at(engine, at), context);
        }
    }
}

static void move_run(struct engine *engine, struct job *job, void *context) {
    const hob_ns *by_ns = context;
    struct run *run = run_at(engine, job->run);
    run->started_ns = ns_add(run->started_ns, *by_ns);
    run->lease_until_ns = ns_add(run->lease_until_ns, *by_ns);
}

bool carry_clock_jumped(struct engine *engine, const struct clock_jumped_effect *jumped) {
    if (jumped->by_ns == 0 || jumped->by_ns > CLOCK_JUMP_MAX_NS) return false;
    hob_ns by_ns = jumped->by_ns;
    if (engine->grace_until_ns != 0) engine->grace_until_ns = ns_add(engine->grace_until_ns, by_ns);
    running_each(engine, move_run, &by_ns);
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        struct worker *worker = worker_at(engine, engine->worker_list[i]);
        if (worker->alive_until_ns == 0) continue;
        worker->alive_until_ns = ns_add(worker->alive_until_ns, jumped->by_ns);
    }
    return true;
}

static void add_hash(struct engine *engine, struct job *job, void *context) {
    uint64_t *sum = context;
    *sum += job_hash(engine, job, JOB_PART_HOT);
}

uint64_t running_hash(struct engine *engine) {
    uint64_t sum = 0;
    running_each(engine, add_hash, &sum);
    return sum;
}

void apply_clock_jump(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct clock_jump_command *jump = &command->clock_jump;
    if (jump->by_ns == 0 || jump->by_ns > CLOCK_JUMP_MAX_NS || jump->cause >= CLOCK_CAUSE_COUNT) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "a jump is forward, by at most 100 years");
        return;
    }
    struct effect effect = {
        .type = EFFECT_CLOCK_JUMPED,
        .clock_jumped = {.at_ns = engine->now_ns, .by_ns = jump->by_ns, .cause = jump->cause},
    };
    emit(engine, &effect);
}
