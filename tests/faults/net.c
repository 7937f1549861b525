/* SPDX-License-Identifier: Apache-2.0 */
/* The network: messages take time, some much; some requests arrive twice, some when their
 * connection has long gone. An answer is heard only on the connection that asked. */
#include <stdlib.h>

#include "base/assert.h"
#include "tests/faults/world.h"

#define TIMEOUT_NS (20 * NS_PER_SECOND)
#define STUCK_NS   (30 * NS_PER_SECOND)

static hob_ns latency(struct world *world) {
    if (world->is_calm) return NS_PER_MS;
    if (chance(world, world->swarm.stuck)) return span_up_to(world, STUCK_NS);
    return 1000 + dice_below(&world->dice, world->swarm.latency_ns + 1);
}

static void ask_arrives(struct world *world, void *subject, uint64_t number) {
    (void)number;
    struct message *message = subject;
    if (message->life == world->server.life && world->server.is_up) {
        server_take(world, message);
        return;
    }
    free(message); /* to a process that is gone */
}

static int ask_find(const struct peer *peer, uint64_t number) {
    for (uint32_t i = 0; i < peer->ask_count; i++) {
        if (peer->asks[i].number == number) return (int)i;
    }
    return -1;
}

static struct ask ask_take(struct peer *peer, uint32_t at) {
    struct ask ask = peer->asks[at];
    peer->ask_count--;
    for (uint32_t i = at; i < peer->ask_count; i++) peer->asks[i] = peer->asks[i + 1];
    return ask;
}

static void ask_is_late(struct world *world, void *subject, uint64_t number) {
    struct peer *peer = subject;
    if (ask_find(peer, number) >= 0) peer_break(world, peer);
}

static void ask_send(struct world *world, struct peer *peer, const struct ask *ask) {
    struct message *message = calloc(1, sizeof *message);
    hob_assert(message != NULL);
    message->peer = peer;
    message->link = peer->link;
    message->life = peer->life;
    message->ask = *ask;
    world_at(world, world->now_ns + latency(world), ask_arrives, message, 0);
}

bool peer_ask(struct world *world, struct peer *peer, struct ask *ask) {
    if (peer->life == 0 || peer->is_away) return false;
    if (peer->ask_count == sizeof peer->asks / sizeof peer->asks[0]) return false;
    ask->number = ++world->next_number;
    ask->is_doubled = !world->is_calm && chance(world, world->swarm.doubled);
    peer->asks[peer->ask_count++] = *ask;
    world->counts.commands++;
    ask_send(world, peer, ask);
    if (ask->is_doubled) {
        world->counts.doubled++;
        ask_send(world, peer, ask);
    }
    world_at(world, world->now_ns + ask->wait_ns + TIMEOUT_NS, ask_is_late, peer, ask->number);
    return true;
}

static void reply_arrives(struct world *world, void *subject, uint64_t number) {
    (void)number;
    struct message *message = subject;
    struct peer *peer = message->peer;
    int at = peer->link == message->link && !peer->is_away && peer->life != 0
                 ? ask_find(peer, message->ask.number)
                 : -1;
    if (at >= 0) {
        struct ask ask = ask_take(peer, (uint32_t)at);
        peer->answered(world, peer, &ask, &message->reply);
    }
    free(message);
}

void reply_send(struct world *world, struct message *message) {
    world_at(world, world->now_ns + latency(world), reply_arrives, message, 0);
}

/* --- connections --- */

static void connects(struct world *world, void *subject, uint64_t link) {
    struct peer *peer = subject;
    if (peer->is_away || peer->life != 0 || peer->link != link) return;
    if (!world->server.is_up) {
        peer_connect_soon(world, peer);
        return;
    }
    peer->life = world->server.life;
    peer->connected(world, peer);
}

void peer_connect_soon(struct world *world, struct peer *peer) {
    hob_ns wait_ns = 10 * NS_PER_MS + dice_below(&world->dice, 500 * NS_PER_MS);
    world_at(world, world->now_ns + wait_ns, connects, peer, peer->link);
}

static void server_hears(struct world *world, void *subject, uint64_t link) {
    server_forget(world, subject, (uint32_t)link);
}

static void link_end(struct world *world, struct peer *peer) {
    if (peer->life == world->server.life && world->server.is_up) {
        bool half = !world->is_calm && chance(world, world->swarm.half_open);
        if (!half) {
            world_at(world, world->now_ns + latency(world), server_hears, peer, peer->link);
        }
    }
    peer->life = 0;
    peer->link++;
}

void peer_break(struct world *world, struct peer *peer) {
    if (peer->is_away) return;
    link_end(world, peer);
    uint32_t link = peer->link;
    while (peer->ask_count > 0 && peer->link == link) {
        struct ask ask = ask_take(peer, 0);
        world->counts.unknown_replies++;
        peer->unknown(world, peer, &ask);
    }
    peer_connect_soon(world, peer);
}

void peer_die(struct world *world, struct peer *peer) {
    if (peer->is_away) return;
    link_end(world, peer);
    peer->ask_count = 0;
    peer->is_away = true;
}

static void link_breaks(struct world *world, void *subject, uint64_t link) {
    struct peer *peer = subject;
    if (peer->link == link) peer_break(world, peer);
}

static void peer_server_gone(struct world *world, struct peer *peer) {
    if (peer->is_away || peer->life == 0) return;
    world_at(world, world->now_ns + latency(world), link_breaks, peer, peer->link);
}

void net_server_gone(struct world *world) {
    for (uint32_t i = 0; i < world->swarm.pushers; i++) {
        peer_server_gone(world, &world->pushers[i].peer);
    }
    for (uint32_t i = 0; i < world->swarm.workers; i++) {
        peer_server_gone(world, &world->workers[i].peer);
    }
}

void net_end(struct world *world) {
    for (size_t i = 0; i < world->happening_count; i++) {
        const struct happening *one = &world->happenings[i];
        if (one->call == ask_arrives || one->call == reply_arrives) free(one->subject);
    }
    world->happening_count = 0;
}
