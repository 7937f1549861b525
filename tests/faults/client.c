/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that push, as `hob push --retry` does: what is unknown is sent again under its key until
 * it is answered; what is refused because something is full is tried again later, or given up. */
#include <stdlib.h>

#include "base/assert.h"
#include "tests/faults/world.h"

enum { WINDOW = 4 };
#define RETRY_NS (200 * NS_PER_MS)

static void pusher_goes_on(struct world *world, void *subject, uint64_t number);

static void pusher_soon(struct world *world, struct pusher *pusher, hob_ns wait_ns) {
    if (pusher->is_due) return;
    pusher->is_due = true;
    world_at(world, world->now_ns + wait_ns, pusher_goes_on, pusher, 0);
}

static void push_record(
    struct world *world,
    const struct pusher *pusher,
    const struct push *push,
    enum history_type type
) {
    record(
        world,
        (struct history_event){
            .type = type,
            .who = pusher->peer.who,
            .key = push->key,
            .queue = push->queue,
            .priority = push->priority,
            .delay_ms = push->delay_ms,
            .unique = push->unique,
            .scope = push->scope,
            .group = push->group,
            .limiter = push->limiter,
            .units = push->units,
            .list = push->list,
        }
    );
}

static struct push *list_member(struct world *world, const struct push *first, uint32_t at) {
    return &world->pushes[first->key + (uint64_t)at * world->swarm.pushers];
}

static void list_record(
    struct world *world,
    const struct pusher *pusher,
    const struct push *first,
    enum history_type type
) {
    for (uint32_t at = 0; at < first->list_count; at++) {
        push_record(world, pusher, list_member(world, first, at), type);
    }
}

static bool push_send(struct world *world, struct pusher *pusher, struct push *push) {
    struct ask ask = {.type = COMMAND_PUSH, .key = push->key, .count = push->list_count};
    if (push->list != 0) ask.type = COMMAND_PUSH_ALL;
    if (pusher->peer.life == 0 || pusher->open >= WINDOW) return false;
    list_record(world, pusher, push, HISTORY_PUSH);
    if (!peer_ask(world, &pusher->peer, &ask)) return false;
    push->step = PUSH_OPEN;
    pusher->open++;
    return true;
}

/* The first that may be sent now: those that were sent before come first. */
static void pusher_goes_on(struct world *world, void *subject, uint64_t number) {
    (void)number;
    struct pusher *pusher = subject;
    pusher->is_due = false;
    if (pusher->left == 0 || pusher->peer.life == 0) return;
    uint64_t step = world->swarm.pushers;
    uint64_t first = pusher->next;
    bool sent_new = false;
    hob_ns wait_ns = RETRY_NS;
    for (uint64_t key = pusher->peer.who; key <= world->swarm.jobs && !sent_new; key += step) {
        struct push *push = &world->pushes[key];
        if (push->list_count == 0) continue; /* it goes with the first of its list */
        if (push->step != PUSH_TODO || push->not_before_ns > world->now_ns) continue;
        if (!push_send(world, pusher, push)) break;
        if (key >= first) {
            pusher->next = key + step;
            sent_new = true;
            wait_ns = world->is_calm ? NS_PER_MS : span_up_to(world, world->swarm.pause_max_ns);
        }
    }
    pusher_soon(world, pusher, wait_ns);
}

static void push_over(struct pusher *pusher, struct push *push) {
    push->step = PUSH_OVER;
    pusher->left -= push->list_count;
}

static void pushed(
    struct world *world, const struct pusher *pusher, uint64_t key, uint64_t id, bool duplicate
) {
    record(
        world,
        (struct history_event){
            .type = HISTORY_PUSHED,
            .who = pusher->peer.who,
            .key = key,
            .id = id,
            .duplicate = duplicate,
        }
    );
}

static void
answered(struct world *world, struct peer *peer, const struct ask *ask, const struct reply *reply) {
    struct pusher *pusher = peer->owner;
    struct push *push = &world->pushes[ask->key];
    pusher->open--;
    if (reply->code == ANSWER_OK) {
        for (uint32_t at = 0; push->list != 0 && at < push->list_count; at++) {
            pushed(world, pusher, list_member(world, push, at)->key, reply->ids[at], false);
        }
        if (push->list == 0) pushed(world, pusher, push->key, reply->id, reply->duplicate);
        push_over(pusher, push);
    } else {
        bool full = reply->code == ANSWER_FULL || reply->code == ANSWER_MEMORY;
        if (!full) world_fail(world, "a push was answered %s", answer_word(reply->code));
        list_record(
            world, pusher, push, ask->is_doubled ? HISTORY_PUSH_UNKNOWN : HISTORY_PUSH_REFUSED
        );
        push->step = PUSH_TODO;
        push->not_before_ns = ns_add(world->now_ns, reply->retry_ns);
        /* Memory that is full of finished jobs stays so for a day. */
        bool gives_up =
            world->is_calm ? reply->code == ANSWER_MEMORY : chance(world, world->swarm.gives_up);
        if (gives_up) push_over(pusher, push);
    }
    pusher_soon(world, pusher, 0);
}

static void unknown(struct world *world, struct peer *peer, const struct ask *ask) {
    struct pusher *pusher = peer->owner;
    struct push *push = &world->pushes[ask->key];
    list_record(world, pusher, push, HISTORY_PUSH_UNKNOWN);
    push->step = PUSH_TODO;
    pusher->open--;
}

static void connected(struct world *world, struct peer *peer) {
    pusher_soon(world, peer->owner, 0);
}

static void push_draw(struct world *world, uint64_t key) {
    const struct swarm *swarm = &world->swarm;
    struct dice *dice = &world->dice;
    struct push *push = &world->pushes[key];
    *push = (struct push){
        .key = key,
        .queue = (uint32_t)dice_below(dice, swarm->queues),
        .kind = (uint32_t)dice_below(dice, 3),
        .priority = (uint32_t)dice_below(dice, swarm->priorities),
        .size = (uint32_t)dice_between(dice, 12, 200),
        .list_count = 1,
    };
    if (chance(world, swarm->delayed)) {
        push->delay_ms = span_up_to(world, swarm->delay_max_ns) / NS_PER_MS;
    }
    if (swarm->uniques > 0 && chance(world, swarm->with_unique)) {
        push->unique = 1 + (uint32_t)dice_below(dice, swarm->uniques);
        push->scope = push->unique % 3;
    }
    if (swarm->groups > 0 && chance(world, swarm->with_group)) {
        push->group = 1 + (uint32_t)dice_below(dice, swarm->groups);
    }
    if (swarm->limiters > 0 && chance(world, swarm->with_limiter)) {
        push->limiter = 1 + (uint32_t)dice_below(dice, swarm->limiters);
        push->units = 1 + (uint32_t)dice_below(dice, 2);
    }
    if (chance(world, swarm->large)) push->size = (uint32_t)dice_between(dice, 260, 6000);
    if (dice_once_in(dice, 300)) push->size = (uint32_t)dice_between(dice, 30000, 90000);
}

/* Some are pushed together; none of these has a unique key, which another job could hold. */
static void lists_draw(struct world *world) {
    uint64_t step = world->swarm.pushers;
    for (uint64_t key = 1; key < world->push_count; key++) {
        struct push *first = &world->pushes[key];
        if (first->list != 0 || !chance(world, world->swarm.with_list)) continue;
        uint32_t count = 2 + (uint32_t)dice_below(&world->dice, LIST_MAX - 1);
        if (key + (count - 1) * step >= world->push_count) continue;
        for (uint32_t at = 0; at < count; at++) {
            struct push *push = list_member(world, first, at);
            push->list = key;
            push->list_count = at == 0 ? count : 0;
            push->unique = 0;
        }
    }
}

void pushers_begin(struct world *world) {
    enum { OTHERS_MAX = 4096 }; /* pushes of other processes */
    world->pushes = calloc(world->swarm.jobs + 1 + OTHERS_MAX, sizeof *world->pushes);
    hob_assert(world->pushes != NULL);
    world->push_count = world->swarm.jobs + 1;
    for (uint64_t key = 1; key < world->push_count; key++) push_draw(world, key);
    lists_draw(world);
    for (uint32_t i = 0; i < world->swarm.pushers; i++) {
        struct pusher *pusher = &world->pushers[i];
        *pusher = (struct pusher){
            .peer =
                {
                    .who = WHO_PUSHER + i,
                    .owner = pusher,
                    .answered = answered,
                    .unknown = unknown,
                    .connected = connected,
                },
            .next = WHO_PUSHER + i,
        };
        for (uint64_t key = pusher->next; key <= world->swarm.jobs; key += world->swarm.pushers) {
            pusher->left++;
        }
        peer_connect_soon(world, &pusher->peer);
    }
}

bool pushers_are_done(const struct world *world) {
    for (uint32_t i = 0; i < world->swarm.pushers; i++) {
        if (world->pushers[i].left > 0) return false;
    }
    return true;
}
