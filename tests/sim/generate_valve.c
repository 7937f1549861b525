/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about what stops jobs. The names are few, so that limits are met. */
#include <stdio.h>

#include "base/assert.h"
#include "tests/sim/generate.h"

static struct slice any_limiter(struct generator *generator) {
    static const char *const limiters[] = {"api", "api-eu", "disk"};
    return slice_str(limiters[dice_below(&generator->dice, generator->swarm.limiter_count)]);
}

struct slice generate_limiters(struct generator *generator) {
    struct dice *dice = &generator->dice;
    uint32_t known = generator->swarm.limiter_count;
    if (known == 0 || dice_once_in(dice, 3)) return SLICE_NONE;
    uint32_t count = 1 + (uint32_t)dice_below(dice, known);
    uint32_t first = (uint32_t)dice_below(dice, known);
    char *text = generate_room(generator, 64);
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        static const char *const limiters[] = {"api", "api-eu", "disk"};
        const char *name = limiters[(first + i) % known];
        bool has_units = dice_once_in(dice, 3);
        size += (size_t)snprintf(text + size, 64 - size, "%s%s", i == 0 ? "" : ",", name);
        if (!has_units) continue;
        unsigned units = 1 + (unsigned)dice_small(dice, 6);
        size += (size_t)snprintf(text + size, 64 - size, "=%u", units);
    }
    return slice_of(text, size);
}

static void make_rate(struct generator *generator, struct rate_set *set) {
    struct dice *dice = &generator->dice;
    set->has_rate = dice_percent(dice, generator->swarm.rates);
    set->count = dice_once_in(dice, 4) ? 0 : 1 + (uint32_t)dice_small(dice, 20);
    set->period_ns = NS_PER_MS + generate_span(generator, NS_PER_HOUR);
    set->has_burst = set->has_rate && dice_once_in(dice, 3);
    set->burst = (uint32_t)dice_small(dice, 8);
}

void generate_queue_valves(struct generator *generator, struct queue_set_command *set) {
    struct dice *dice = &generator->dice;
    if (dice_once_in(dice, 4)) make_rate(generator, &set->rate);
    if (dice_once_in(dice, 4)) make_rate(generator, &set->group_rate);
    set->has_aging = dice_once_in(dice, 6);
    set->aging_ns = dice_once_in(dice, 2) ? 0 : generate_span(generator, NS_PER_DAY);
    set->has_group_concurrency = dice_once_in(dice, 4);
    set->group_concurrency = (uint32_t)dice_small(dice, 4);
    set->has_group_order = dice_once_in(dice, 5);
    set->group_order = (enum group_order)dice_below(dice, GROUP_ORDER_COUNT);
}

static void
any_valve(struct generator *generator, bool has_kinds, bool has_rules, struct valve_name *valve) {
    static const char *const rules[] = {"*", "api*", "api-?u", "d*", "?pi*"};
    struct dice *dice = &generator->dice;
    valve->sort =
        (enum valve_sort)dice_between(dice, has_kinds ? VALVE_KIND : VALVE_GROUP, VALVE_LIMITER);
    bool has_limiters = generator->swarm.limiter_count > 0;
    if (valve->sort == VALVE_LIMITER && !has_limiters) valve->sort = VALVE_GROUP;
    if (valve->sort == VALVE_KIND) valve->name = generate_kind(generator);
    if (valve->sort == VALVE_GROUP) {
        valve->queue = generate_queue(generator);
        valve->name = generate_group(generator);
        if (valve->name.size == 0) valve->name = SLICE("g1");
    }
    if (valve->sort != VALVE_LIMITER) return;
    valve->name = any_limiter(generator);
    bool is_rule = has_rules && dice_once_in(dice, 3);
    if (is_rule) valve->name = slice_str(rules[dice_below(dice, hob_countof(rules))]);
}

static void make_valve_set(struct generator *generator, struct valve_set_command *set) {
    struct dice *dice = &generator->dice;
    any_valve(generator, false, true, &set->valve);
    set->reset = dice_once_in(dice, 5);
    set->has_weight = set->valve.sort == VALVE_GROUP && dice_once_in(dice, 2);
    set->weight = 1 + (uint32_t)dice_small(dice, 8);
    set->has_concurrency = dice_once_in(dice, 2);
    set->concurrency = (uint32_t)dice_small(dice, 5);
    if (dice_once_in(dice, 2)) make_rate(generator, &set->rate);
    bool is_empty =
        !set->has_weight && !set->has_concurrency && !set->rate.has_rate && !set->rate.has_burst;
    if (is_empty) set->reset = true;
}

void generate_valve(
    struct generator *generator, const struct model *model, struct command *command
) {
    struct dice *dice = &generator->dice;
    if (command->type == COMMAND_VALVE_SET) {
        make_valve_set(generator, &command->valve_set);
    } else if (command->type == COMMAND_VALVE_RESUME) {
        any_valve(generator, true, true, &command->valve_resume.valve);
    } else if (command->type == COMMAND_GROUP_SKIP) {
        struct valve_name *valve = &command->group_skip.valve;
        valve->sort = VALVE_GROUP;
        valve->queue = generate_queue(generator);
        valve->name = generate_group(generator);
        if (valve->name.size == 0) valve->name = SLICE("g1");
    } else {
        struct valve_pause_command *pause = &command->valve_pause;
        any_valve(generator, true, false, &pause->valve);
        if (!dice_once_in(dice, 4)) {
            pause->until_ns = model->now_ns + 1 + generate_span(generator, NS_PER_HOUR);
        }
        pause->by = dice_once_in(dice, 2) ? SLICE_NONE : generate_bytes(generator, 9);
        pause->why = dice_once_in(dice, 2) ? SLICE_NONE : generate_bytes(generator, 9);
    }
}
