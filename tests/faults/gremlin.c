/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong beside the journal: the server is killed or stands still, its clock jumps,
 * connections break, workers die, the disk is full. At times drawn by the seed, until it is
 * calm. */
#include "tests/faults/world.h"

#define JUMP_NS   NS_PER_HOUR
#define FREEZE_NS (60 * NS_PER_SECOND)

static struct peer *any_peer(struct world *world) {
    uint64_t all = world->swarm.pushers + world->swarm.workers;
    uint64_t drawn = dice_below(&world->dice, all);
    if (drawn < world->swarm.pushers) return &world->pushers[drawn].peer;
    return &world->workers[drawn - world->swarm.pushers].peer;
}

static void thaw(struct world *world, void *subject, uint64_t life) {
    (void)subject;
    struct server *server = &world->server;
    if (server->life != life || !server->is_frozen) return;
    server->is_frozen = false;
    server_run_at(world, world->now_ns);
}

/* SIGSTOP: the clock goes on; or the machine sleeps: it does not. */
static void freeze(struct world *world) {
    struct server *server = &world->server;
    if (!server->is_up || server->is_frozen) return;
    hob_ns span_ns = span_up_to(world, FREEZE_NS);
    world->counts.freezes++;
    server->is_frozen = true;
    if (dice_once_in(&world->dice, 2) && server->base_ns > server->shown_ns + span_ns) {
        server->base_ns -= span_ns;
    } else {
        server->jumped_ns += span_ns;
        server->jumped_cause = CLOCK_FREEZE;
    }
    record_note(world, "frozen for %llu ms", (unsigned long long)(span_ns / NS_PER_MS));
    world_at(world, world->now_ns + span_ns, thaw, NULL, server->life);
}

/* The wall clock, which the next start reads; half of the time the running one follows it. */
static void jump(struct world *world) {
    struct server *server = &world->server;
    int64_t by_ns = (int64_t)span_up_to(world, JUMP_NS);
    world->counts.jumps++;
    if (dice_once_in(&world->dice, 2)) by_ns = -by_ns;
    server->skew_ns += by_ns;
    bool follows = by_ns > 0 && dice_once_in(&world->dice, 2);
    if (follows) {
        server->base_ns += (hob_ns)by_ns;
        server->jumped_ns += (hob_ns)by_ns;
        server->jumped_cause = CLOCK_STEP;
    }
    record_note(world, "the clock jumps by %lld ms", (long long)(by_ns / (int64_t)NS_PER_MS));
    if (server->is_up) server_run_at(world, world->now_ns);
}

static void gremlin(struct world *world, void *subject, uint64_t number) {
    (void)subject;
    (void)number;
    if (world->is_calm) return;
    const struct swarm *swarm = &world->swarm;
    if (chance(world, swarm->kills)) server_kill(world, "killed");
    if (chance(world, swarm->breaks)) peer_break(world, any_peer(world));
    if (chance(world, swarm->freezes)) freeze(world);
    if (chance(world, swarm->jumps)) jump(world);
    if (chance(world, swarm->fills)) fault_store_fill(world->store);
    if (chance(world, swarm->limit_changes)) {
        uint32_t queue = (uint32_t)dice_below(&world->dice, swarm->queues);
        if (world->queue_limits[queue].asked_count < 16) {
            server_set_limit(world, queue, limit_change_draw(world));
        }
    }
    if (chance(world, swarm->deaths)) {
        worker_die(world, &world->workers[dice_below(&world->dice, swarm->workers)]);
    }
    hob_ns wait_ns = 1 + dice_below(&world->dice, 2 * swarm->gremlin_ns);
    world_at(world, world->now_ns + wait_ns, gremlin, NULL, 0);
}

void gremlin_begin(struct world *world) {
    world_at(world, world->now_ns + world->swarm.gremlin_ns, gremlin, NULL, 0);
}
