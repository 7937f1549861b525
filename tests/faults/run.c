/* SPDX-License-Identifier: Apache-2.0 */
/* One run: limits are set, then things go wrong for a while (safety), then nothing does any more
 * and everything must drain (liveness), then every job is looked at, and the history is judged. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "tests/faults/world.h"

enum { HISTORY_BYTES_MAX = 256 * 1024 * 1024, STEPS_MAX = 5000000 };
/* Delays of two minutes, leases, retries, an hour that the clock may jump, and rates that let few
 * start: more than all of them take. */
#define LIVENESS_NS (2 * NS_PER_HOUR)

static hob_ns store_now(void *context) {
    return ((struct world *)context)->now_ns;
}

static void store_wakes(void *context, hob_ns at_ns) {
    server_run_at(context, at_ns);
}

static void world_begin(struct world *world, const struct run_options *options) {
    world->seed = options->seed;
    world->dice = dice_of(options->seed);
    world->now_ns = WORLD_START_NS;
    world->keeps_history = options->keeps_history;
    world->history = buf_make(HISTORY_BYTES_MAX);
    world->checker = checker_new();
    world->server.inbox_end = &world->server.inbox;
    world->server.held_end = &world->server.held;
    world->server.turn_end = &world->server.turn;
    world->server.run_at = HOB_NEVER;
    swarm_draw(world);
    if (options->jobs_max != 0 && world->swarm.jobs > options->jobs_max) {
        world->swarm.jobs = options->jobs_max;
    }
    if (options->quiet) {
        world->swarm.in_files = options->in_files;
        world->swarm.segment_bytes = options->in_files ? 65536 : 8192;
        world->swarm.gremlin_ns = NS_PER_HOUR;
        world->swarm.pause_max_ns = 100 * NS_PER_MS;
        world->swarm.safety_ns = 20 * NS_PER_SECOND;
        world->plan = (struct fault_plan){
            .delay_max_ns = world->plan.delay_max_ns % (10 * NS_PER_MS),
            .crash_at = options->crash_at,
            .crash_as = options->crash_as,
            .disk_crash_at = options->disk_crash_at,
            .power_cut = 500000,
        };
    }
    if (options->in_memory) world->swarm.in_files = false;
    world->store = fault_store_new(&(struct fault_options){
        .seed = options->seed,
        .segment_bytes = world->swarm.segment_bytes,
        .in_files = world->swarm.in_files,
        .context = world,
        .now = store_now,
        .wake_at = store_wakes,
        .fence = server_fence,
    });
}

static void steps_until(struct world *world, hob_ns end_ns) {
    while (!world->has_failed && world->happening_count > 0 && world->happenings[0].at <= end_ns) {
        if (world->counts.steps > STEPS_MAX) {
            world_fail(world, "%d steps, and no end", STEPS_MAX);
            return;
        }
        (void)world_step(world);
    }
    if (world->now_ns < end_ns) world->now_ns = end_ns;
}

static uint64_t jobs_left(const struct world *world) {
    if (!world->server.is_up) return 1;
    struct engine_stats stats;
    engine_stats(space_engine(world->server.space), &stats);
    return stats.counts[JOB_SCHEDULED] + stats.counts[JOB_AVAILABLE] + stats.counts[JOB_RUNNING] +
           stats.counts[JOB_RETRYABLE] + stats.counts[JOB_BLOCKED];
}

static void calm_down(struct world *world) {
    world->is_calm = true;
    world->server.is_frozen = false;
    fault_store_plan(world->store, NULL);
    record_note(world, "calm");
    if (world->server.is_up) server_run_at(world, world->now_ns);
}

static void tell_stuck(struct world *world) {
    struct engine_stats stats = {0};
    if (world->server.is_up) engine_stats(space_engine(world->server.space), &stats);
    world_fail(
        world,
        "not drained after %" PRIu64 " s: server %s, pushers %s; scheduled %" PRIu64
        " available %" PRIu64 " running %" PRIu64 " retryable %" PRIu64 " blocked %" PRIu64,
        (uint64_t)(LIVENESS_NS / NS_PER_SECOND),
        world->server.is_up ? "up" : "down",
        pushers_are_done(world) ? "done" : "not done",
        stats.counts[JOB_SCHEDULED],
        stats.counts[JOB_AVAILABLE],
        stats.counts[JOB_RUNNING],
        stats.counts[JOB_RETRYABLE],
        stats.counts[JOB_BLOCKED]
    );
}

static void drain(struct world *world) {
    hob_ns end_ns = world->now_ns + LIVENESS_NS;
    while (!world->has_failed) {
        steps_until(world, world->now_ns + NS_PER_SECOND);
        if (pushers_are_done(world) && jobs_left(world) == 0) break;
        if (world->now_ns >= end_ns) tell_stuck(world);
    }
    /* Let the last answers come home. */
    steps_until(world, world->now_ns + NS_PER_MINUTE);
}

static void tell(void *context, enum checker_wrong wrong, const char *text) {
    struct world *world = context;
    world_fail(world, "%s: %s", checker_wrong_name(wrong), text);
    if (world->keeps_history) {
        (void)buf_printf(&world->history, "WRONG %s: %s\n", checker_wrong_name(wrong), text);
    }
}

static void play(struct world *world) {
    server_start(world);
    if (world->has_failed) return;
    limits_set(world);
    fault_store_plan(world->store, &world->plan);
    pushers_begin(world);
    workers_begin(world);
    gremlin_begin(world);
    steps_until(world, world->now_ns + world->swarm.safety_ns);
    calm_down(world);
    drain(world);
    if (!world->has_failed) server_census(world);
}

static void world_end(struct world *world) {
    server_free(world);
    net_end(world);
    fault_store_free(world->store);
    checker_free(world->checker);
    free(world->happenings);
    free(world->pushes);
    buf_deinit(&world->history);
    free(world);
}

void run(
    const struct run_options *options, struct run_result *ret_result, struct buf *ret_history
) {
    struct world *world = calloc(1, sizeof *world);
    hob_assert(world != NULL);
    world_begin(world, options);
    play(world);
    *ret_result = (struct run_result){.in_files = world->swarm.in_files};
    checker_judge(world->checker, tell, world, &ret_result->verdict);
    if (!world->has_failed && !checker_is_good(&ret_result->verdict)) {
        world_fail(world, "the history is not good");
    }
    ret_result->is_good = !world->has_failed;
    (void)snprintf(ret_result->failure, sizeof ret_result->failure, "%s", world->failure);
    ret_result->history_hash = world->history_hash;
    ret_result->counts = world->counts;
    ret_result->faults = fault_store_counts(world->store);
    if (ret_history != NULL) {
        *ret_history = world->history;
        world->history = buf_make(HISTORY_BYTES_MAX);
    }
    world_end(world);
}
