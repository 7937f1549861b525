/* SPDX-License-Identifier: Apache-2.0 */
/* The character of a run: names, likelihoods, and how its time goes. */
#include <stdlib.h>

#include "base/assert.h"
#include "tests/sim/generate.h"

/* An hour after the first of January 2026, in the middle of a millisecond. */
#define START_NS (UINT64_C(1767229200) * NS_PER_SECOND + 345678)

static const uint32_t usual_weights[COMMAND_TYPE_COUNT] = {
    [COMMAND_PUSH] = 30,      [COMMAND_FETCH] = 25,      [COMMAND_ACK] = 15,
    [COMMAND_FAIL] = 10,      [COMMAND_RELEASE] = 5,     [COMMAND_EXTEND] = 3,
    [COMMAND_CHECKPOINT] = 5, [COMMAND_LOG] = 8,         [COMMAND_PROGRESS] = 3,
    [COMMAND_CANCEL] = 3,     [COMMAND_DISCARD] = 3,     [COMMAND_RETRY] = 4,
    [COMMAND_DELETE] = 3,     [COMMAND_PAUSE] = 2,       [COMMAND_RESUME] = 2,
    [COMMAND_QUEUE_SET] = 2,  [COMMAND_WORKER_SET] = 3,  [COMMAND_WORKER_BEAT] = 4,
    [COMMAND_UPDATE] = 6,     [COMMAND_WAIT] = 4,        [COMMAND_FORGET] = 1,
    [COMMAND_VALVE_SET] = 4,  [COMMAND_VALVE_PAUSE] = 2, [COMMAND_VALVE_RESUME] = 2,
    [COMMAND_GROUP_SKIP] = 1, [COMMAND_TOKEN_PUT] = 2,   [COMMAND_TOKEN_DROP] = 1,
    [COMMAND_TOKEN_USE] = 1,  [COMMAND_PUSH_ALL] = 2,
};

static void swarm_draw(struct dice *dice, struct swarm *swarm) {
    for (uint32_t i = 0; i < COMMAND_CLOCK_JUMP; i++) {
        uint32_t weight = usual_weights[i] * 10;
        uint64_t fate = dice_below(dice, 10);
        if (fate < 2) {
            weight = 0;
        } else if (fate < 4) {
            weight *= 4;
        } else if (fate < 6) {
            weight /= 4;
        }
        swarm->weights[i] = weight;
    }
    swarm->weights[COMMAND_PUSH] += 50; /* without jobs and leases nothing can be learnt */
    swarm->weights[COMMAND_FETCH] += 50;
    swarm->queue_count = 1 + (uint32_t)dice_small(dice, 12);
    swarm->kind_count = 1 + (uint32_t)dice_small(dice, 12);
    swarm->worker_count = 1 + (uint32_t)dice_small(dice, 12);
    swarm->key_count = (uint32_t)dice_below(dice, 9);
    swarm->limiter_count = (uint32_t)dice_below(dice, 4);
    swarm->label_count = dice_once_in(dice, 2) ? 0 : 1 + (uint32_t)dice_below(dice, 3);
    swarm->rates = dice_once_in(dice, 2) ? 0 : (uint32_t)dice_below(dice, 101);
    swarm->group_count = (uint32_t)dice_below(dice, 5);
    swarm->priority_count = 1 + (uint32_t)dice_below(dice, 4);
    swarm->invalid = (uint32_t)dice_small(dice, 15);
    swarm->stray = (uint32_t)dice_small(dice, 40);
    swarm->big = (uint32_t)dice_small(dice, 40);
    swarm->waiting = (uint32_t)dice_below(dice, 100);
    swarm->short_waits = (uint32_t)dice_below(dice, 101);
    swarm->time_moves = 1 + (uint32_t)dice_small(dice, 100);
    swarm->time_edges = (uint32_t)dice_below(dice, 60);
    /* Most leases last seconds: where time leaps, hardly any command finds its lease. */
    bool leaps = dice_once_in(dice, 3);
    swarm->time_span_max =
        (uint32_t)(leaps ? dice_between(dice, 11, 15) : dice_between(dice, 8, 10));
    swarm->lazy_turns = dice_once_in(dice, 2) ? 0 : (uint32_t)dice_below(dice, 90);
    swarm->early = dice_once_in(dice, 2) ? 0 : (uint32_t)dice_below(dice, 100);
    swarm->keep = (uint32_t)dice_below(dice, 60);
    swarm->unique = dice_once_in(dice, 3) ? 60 : (uint32_t)dice_below(dice, 20);
    struct dice own = {.state = dice->state ^ UINT64_C(0x6a756d70)}; /* seeds stay what they were */
    swarm->jumps = dice_once_in(&own, 3) ? 1 + (uint32_t)dice_small(&own, 60) : 0;
    swarm->grinds_once_in = dice_once_in(dice, 6) ? 300 : 0;
}

static struct slice make_name(char first, uint32_t number) {
    static const char tail[] = "-+/;:.$_()Az09";
    /* A few names are as long as names may be. */
    size_t size = number % 5 == 4 ? NAME_BYTES_MAX : 2 + number % 3;
    char *name = malloc(size);
    hob_assert(name != NULL);
    for (size_t i = 0; i < size; i++) name[i] = tail[(i + number) % (sizeof(tail) - 1)];
    name[0] = first;
    name[size - 1] = (char)('A' + number);
    return slice_of(name, size);
}

struct generator *generator_new(uint64_t seed) {
    struct generator *generator = calloc(1, sizeof(*generator));
    hob_assert(generator != NULL);
    generator->dice = dice_of(seed);
    generator->next_request = 1;
    generator->huge = calloc(1, PAYLOAD_BYTES_MAX + 1);
    hob_assert(generator->huge != NULL);
    swarm_draw(&generator->dice, &generator->swarm);
    for (uint32_t i = 0; i < NAMES_MAX; i++) {
        generator->queues[i] = make_name('q', i);
        generator->kinds[i] = make_name('k', i);
        generator->workers[i] = make_name('w', i);
    }
    return generator;
}

void generator_free(struct generator *generator) {
    if (generator == NULL) return;
    for (uint32_t i = 0; i < NAMES_MAX; i++) {
        free((char *)generator->queues[i].bytes);
        free((char *)generator->kinds[i].bytes);
        free((char *)generator->workers[i].bytes);
    }
    free(generator->huge);
    free(generator);
}

char *generate_room(struct generator *generator, size_t size) {
    hob_assert(size <= sizeof(generator->scratch) - generator->scratch_used);
    char *room = generator->scratch + generator->scratch_used;
    generator->scratch_used += size;
    return room;
}

struct slice generate_bytes(struct generator *generator, size_t size) {
    if (size == 0) return SLICE_NONE;
    char *bytes = generate_room(generator, size);
    uint64_t word = dice_u64(&generator->dice);
    for (size_t i = 0; i < size; i++) bytes[i] = (char)('a' + (word >> (i % 60)) % 4);
    return slice_of(bytes, size);
}

hob_ns generate_span(struct generator *generator, hob_ns max_ns) {
    struct dice *dice = &generator->dice;
    hob_ns span_ns = dice_percent(dice, generator->swarm.short_waits)
                         ? dice_between(dice, 1, 60) * NS_PER_SECOND
                         : dice_below(dice, max_ns) + 1;
    /* Whole seconds meet each other; odd ones do not. */
    if (dice_once_in(dice, 4)) span_ns += dice_below(dice, NS_PER_SECOND);
    if (dice_once_in(dice, 50)) span_ns = max_ns;
    return span_ns < max_ns ? span_ns : max_ns;
}

/* A moment that matters to some job; 0: none was found. */
static hob_ns job_edge(struct generator *generator, const struct model *model) {
    if (model->job_count == 0) return 0;
    const struct model_job *job = model->jobs[dice_below(&generator->dice, model->job_count)];
    hob_ns at_ns = job->view.run_at_ns;
    if (job->view.state == JOB_RUNNING) {
        at_ns = model_lease_end(model, job);
    } else if (job->ended != 0) {
        at_ns = model_keep_end(model, job);
    }
    /* An end months away would finish everything else on the way. */
    return at_ns > model->now_ns + 30 * NS_PER_DAY ? 0 : at_ns;
}

/* A moment that matters to something, or one ns beside it; 0: none was found. */
static hob_ns edge(struct generator *generator, const struct model *model) {
    struct dice *dice = &generator->dice;
    hob_ns at_ns = 0;
    uint64_t fate = dice_below(dice, 20);
    if (fate < 8) {
        at_ns = job_edge(generator, model);
    } else if (fate < 10 && model->queue_count > 0) {
        at_ns = model->queues[dice_below(dice, model->queue_count)].view.paused_until_ns;
    } else if (fate == 10 && model->key_count > 0) {
        at_ns = model->keys[dice_below(dice, model->key_count)].until_ns;
    } else if (model_due(model) != HOB_NEVER) {
        at_ns = model_due(model);
    }
    return at_ns == 0 ? 0 : at_ns + dice_below(dice, 3) - 1;
}

hob_ns generate_time(struct generator *generator, const struct model *model) {
    struct dice *dice = &generator->dice;
    hob_ns now_ns = model->now_ns == 0 ? START_NS : model->now_ns;
    if (generator->grind != GRIND_NOTHING) return now_ns;
    if (!dice_percent(dice, generator->swarm.time_moves)) return now_ns;
    if (dice_once_in(dice, 200)) {
        return now_ns - dice_below(dice, NS_PER_HOUR); /* a clock set back */
    }
    if (dice_percent(dice, generator->swarm.time_edges)) {
        hob_ns at_ns = edge(generator, model);
        if (at_ns > now_ns) return at_ns;
    }
    hob_ns magnitude_ns = 1;
    uint64_t zeros = dice_below(dice, generator->swarm.time_span_max + 1);
    for (uint64_t i = 0; i < zeros; i++) magnitude_ns *= 10;
    return now_ns + dice_below(dice, magnitude_ns) + 1;
}
