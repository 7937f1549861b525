/* SPDX-License-Identifier: Apache-2.0 */
/* The character of a run. Each likelihood is drawn, and zero a third of the time: what always
 * happens hides what happens without it. */
#include <stdio.h>

#include "base/assert.h"
#include "tests/faults/world.h"

static uint32_t odds(struct dice *dice, uint32_t max) {
    return dice_once_in(dice, 3) ? 0 : 1 + (uint32_t)dice_small(dice, max);
}

static hob_ns span(struct dice *dice, hob_ns max_ns) {
    hob_ns magnitude_ns = max_ns;
    while (dice_once_in(dice, 2) && magnitude_ns > 1000) magnitude_ns /= 8;
    return 1 + dice_below(dice, magnitude_ns);
}

static void plan_draw(struct world *world) {
    struct dice *dice = &world->dice;
    struct fault_plan *plan = &world->plan;
    for (uint32_t i = FAULT_NONE + 1; i < FAULT_COUNT; i++) {
        bool rare = i == FAULT_REFUSED || i == FAULT_FAILED || i == FAULT_FENCED ||
                    i == FAULT_CRASH_BEFORE || i == FAULT_CRASH_AFTER;
        plan->odds[i] = odds(dice, rare ? 20000 : 60000);
    }
    plan->delay_max_ns = dice_once_in(dice, 3) ? 0 : span(dice, 2 * NS_PER_SECOND);
    plan->full_max_ns = span(dice, 20 * NS_PER_SECOND);
    plan->disk_crash = odds(dice, 800000);
    plan->sync_fails = odds(dice, 20000);
    plan->power_cut = dice_once_in(dice, 3) ? 0 : (uint32_t)dice_below(dice, 1000001);
    plan->flip = odds(dice, 1000000);
    plan->choppy = dice_once_in(dice, 4);
}

static void workers_draw(struct swarm *swarm, struct dice *dice) {
    swarm->run_max_ns = span(dice, 30 * NS_PER_SECOND);
    swarm->lease_ns = NS_PER_SECOND + span(dice, 20 * NS_PER_SECOND);
    swarm->fails = odds(dice, 300);
    swarm->releases = odds(dice, 200);
    swarm->extends = odds(dice, 999);
    swarm->forgets = odds(dice, 150);
    swarm->acks_late = odds(dice, 200);
    swarm->acks_again = odds(dice, 200);
}

static void gremlin_draw(struct swarm *swarm, struct dice *dice) {
    swarm->latency_ns = span(dice, 500 * NS_PER_MS);
    swarm->doubled = odds(dice, 150);
    swarm->stuck = odds(dice, 50);
    swarm->half_open = odds(dice, 800);
    swarm->gremlin_ns = NS_PER_SECOND + span(dice, 10 * NS_PER_SECOND);
    swarm->kills = odds(dice, 400);
    swarm->breaks = odds(dice, 800);
    swarm->freezes = odds(dice, 150);
    swarm->jumps = odds(dice, 150);
    swarm->deaths = odds(dice, 400);
    swarm->fills = odds(dice, 200);
    swarm->limit_changes = odds(dice, 500);
    if (dice_once_in(dice, 8)) swarm->memory_max_bytes = 300000 + dice_small(dice, 3000000);
    swarm->down_max_ns = span(dice, 20 * NS_PER_SECOND);
}

void swarm_draw(struct world *world) {
    struct dice *dice = &world->dice;
    struct swarm *swarm = &world->swarm;
    *swarm = (struct swarm){
        .in_files = dice_once_in(dice, 4),
        .jobs = 5 + (uint32_t)dice_small(dice, 500),
        .pushers = 1 + (uint32_t)dice_below(dice, 4),
        .workers = 1 + (uint32_t)dice_below(dice, 5),
        .queues = 1 + (uint32_t)dice_below(dice, QUEUES_MAX_HERE),
        .groups = (uint32_t)dice_below(dice, GROUPS_MAX_HERE + 1),
        .limiters = (uint32_t)dice_below(dice, LIMITERS_MAX_HERE + 1),
        .uniques = (uint32_t)dice_small(dice, 8),
        .priorities = 1 + (uint32_t)dice_below(dice, 4),
        .safety_ns = 10 * NS_PER_SECOND + span(dice, 10 * NS_PER_MINUTE),
        .delayed = odds(dice, 300),
        .delay_max_ns = span(dice, 2 * NS_PER_MINUTE),
        .with_unique = odds(dice, 500),
        .with_group = odds(dice, 999),
        .with_limiter = odds(dice, 700),
        .large = odds(dice, 500),
        .gives_up = odds(dice, 500),
        .with_list = odds(dice, 300),
        .pause_max_ns = span(dice, 5 * NS_PER_SECOND),
    };
    swarm->segment_bytes = swarm->in_files ? 65536 : 4096 + dice_small(dice, 100000);
    workers_draw(swarm, dice);
    gremlin_draw(swarm, dice);
    plan_draw(world);
}

/* --- limits --- */

struct limit {
    uint32_t concurrency;
    struct rate rate;
};

static struct limit limit_draw(struct dice *dice) {
    struct limit limit = {0};
    if (dice_once_in(dice, 3)) limit.concurrency = 2 + (uint32_t)dice_small(dice, 8);
    if (dice_once_in(dice, 3)) {
        limit.rate = (struct rate){
            .count = 2 + (uint32_t)dice_small(dice, 30),
            .burst = 2 + (uint32_t)dice_small(dice, 10),
            .period_ns = NS_PER_SECOND * dice_between(dice, 1, 4),
        };
    }
    return limit;
}

static struct rate_set rate_set_of(const struct limit *limit) {
    return (struct rate_set){
        .has_rate = limit->rate.count > 0,
        .count = limit->rate.count,
        .period_ns = limit->rate.period_ns,
        .has_burst = limit->rate.count > 0,
        .burst = limit->rate.burst,
    };
}

static void limit_record(
    struct world *world,
    const struct limit *limit,
    enum history_sort sort,
    uint32_t queue,
    uint32_t name
) {
    if (limit->concurrency == 0 && limit->rate.count == 0) return;
    record(
        world,
        (struct history_event){
            .type = HISTORY_LIMIT,
            .sort = sort,
            .name = name,
            .queue = queue,
            .concurrency = limit->concurrency,
            .count = limit->rate.count,
            .period_ms = limit->rate.period_ns / NS_PER_MS,
            .burst = limit->rate.burst,
        }
    );
}

static void set(struct world *world, const struct command *command) {
    struct answer answer = {.code = ANSWER_OK};
    space_apply(world->server.space, command, &answer);
    hob_assert(answer.code == ANSWER_OK);
}

static void queue_set(struct world *world, uint32_t queue) {
    struct dice *dice = &world->dice;
    struct limit own = limit_draw(dice);
    struct limit groups = limit_draw(dice);
    char name[24];
    (void)snprintf(name, sizeof name, "queue-%u", queue);
    bool strict = dice_once_in(dice, 4);
    struct command command = {.type = COMMAND_QUEUE_SET};
    command.queue_set = (struct queue_set_command){
        .queue = slice_str(name),
        .has_concurrency = true,
        .concurrency = own.concurrency,
        .rate = rate_set_of(&own),
        .has_group_concurrency = true,
        .group_concurrency = groups.concurrency,
        .group_rate = rate_set_of(&groups),
        .has_group_order = true,
        .group_order = !strict                 ? GROUP_LOOSE
                       : dice_once_in(dice, 2) ? GROUP_SKIP
                                               : GROUP_PARK,
    };
    set(world, &command);
    if (strict) groups.concurrency = 1;
    world->queue_limits[queue] = (struct queue_limit){.durable = own.concurrency};
    limit_record(world, &own, HISTORY_OF_QUEUE, 0, queue);
    for (uint32_t group = 1; group <= world->swarm.groups; group++) {
        limit_record(world, &groups, HISTORY_OF_GROUP, queue, group);
    }
}

static void limiter_set(struct world *world, uint32_t number) {
    struct limit limit = limit_draw(&world->dice);
    char name[24];
    (void)snprintf(name, sizeof name, "limit-%u", number);
    struct command command = {.type = COMMAND_VALVE_SET};
    command.valve_set = (struct valve_set_command){
        .valve = {.sort = VALVE_LIMITER, .name = slice_str(name)},
        .has_concurrency = true,
        .concurrency = limit.concurrency,
        .rate = rate_set_of(&limit),
    };
    set(world, &command);
    limit_record(world, &limit, HISTORY_OF_LIMITER, 0, number);
}

void limits_set(struct world *world) {
    struct space *space = world->server.space;
    space_turn_begin(space, world->server.shown_ns);
    for (uint32_t queue = 0; queue < world->swarm.queues; queue++) queue_set(world, queue);
    for (uint32_t number = 1; number <= world->swarm.limiters; number++) {
        limiter_set(world, number);
    }
    (void)space_turn_end(space);
    struct hob_error err = {.status = HOB_OK};
    if (space_flush(space, &err) != HOB_OK) world_fail(world, "limits: %s", err.text);
}

uint32_t limit_change_draw(struct world *world) {
    return dice_once_in(&world->dice, 4) ? 0 : 1 + (uint32_t)dice_small(&world->dice, 8);
}

void limit_asked(struct world *world, uint64_t queue, uint64_t serial, uint32_t concurrency) {
    struct queue_limit *limit = &world->queue_limits[queue];
    hob_assert(limit->asked_count < sizeof limit->asked / sizeof limit->asked[0]);
    limit->asked[limit->asked_count].serial = serial;
    limit->asked[limit->asked_count++].concurrency = concurrency;
}

void limit_told(struct world *world, uint64_t queue, uint64_t serial, uint32_t concurrency) {
    struct queue_limit *limit = &world->queue_limits[queue];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < limit->asked_count; i++) {
        if (limit->asked[i].serial > serial) limit->asked[kept++] = limit->asked[i];
    }
    limit->asked_count = kept;
    limit->durable = concurrency;
}

static bool limit_may_be(const struct queue_limit *limit, uint32_t concurrency) {
    bool may_be = concurrency == limit->durable;
    for (uint32_t i = 0; i < limit->asked_count; i++) {
        may_be = may_be || limit->asked[i].concurrency == concurrency;
    }
    return may_be;
}

void limits_look(struct world *world) {
    for (uint32_t queue = 0; queue < world->swarm.queues; queue++) {
        struct queue_limit *limit = &world->queue_limits[queue];
        char name[24];
        (void)snprintf(name, sizeof name, "queue-%u", queue);
        struct queue_view view = {0};
        (void)engine_queue(space_engine(world->server.space), slice_str(name), &view);
        if (!limit_may_be(limit, view.concurrency)) {
            world_fail(
                world, "%s has the limit %u, not %u", name, view.concurrency, limit->durable
            );
        }
        /* What has not come by now may still come late: it stays asked for. */
        if (view.concurrency == limit->durable) continue;
        limit->durable = view.concurrency;
        record(
            world,
            (struct history_event){
                .type = HISTORY_LIMIT,
                .sort = HISTORY_OF_QUEUE,
                .name = queue,
                .concurrency = view.concurrency,
            }
        );
    }
}
