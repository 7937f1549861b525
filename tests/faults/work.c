/* SPDX-License-Identifier: Apache-2.0 */
/* Workers: fetch, run for some time, extend or not, and end the attempt in one of many ways: done,
 * failed, given back, never, too late, twice. A worker that dies says nothing; who comes in its
 * place has another name. In the liveness phase all of them do their work. */
#include <stdio.h>

#include "base/assert.h"
#include "tests/faults/world.h"

#define IDLE_NS (50 * NS_PER_MS)

static void fetch_send(struct world *world, struct worker *worker) {
    if (worker->fetches || worker->peer.life == 0 || worker->peer.is_away) return;
    if (worker->held_count + FETCHED_MAX > HELD_JOBS_MAX) return;
    struct ask ask = {
        .type = COMMAND_FETCH,
        .count = 1 + (uint32_t)dice_below(&world->dice, FETCHED_MAX),
        .span_ns = world->swarm.lease_ns,
        .wait_ns = dice_small(&world->dice, 10 * NS_PER_SECOND),
    };
    (void
    )snprintf(ask.worker, sizeof ask.worker, "w%u-%u", worker->peer.who, worker->life & 0xffffff);
    if (!peer_ask(world, &worker->peer, &ask)) return;
    worker->fetches = true;
    record(world, (struct history_event){.type = HISTORY_FETCH, .who = worker->peer.who});
}

static void fetch_later(struct world *world, void *subject, uint64_t life) {
    struct worker *worker = subject;
    if (worker->life == life) fetch_send(world, worker);
}

/* --- the end of an attempt --- */

static enum history_type intent_of(enum command_type type) {
    return type == COMMAND_ACK    ? HISTORY_ACK
           : type == COMMAND_FAIL ? HISTORY_FAIL
                                  : HISTORY_RELEASE;
}

static void end_record(
    struct world *world, const struct worker *worker, const struct ask *ask, enum history_type type
) {
    record(
        world,
        (struct history_event){
            .type = type,
            .who = worker->peer.who,
            .id = ask->id,
            .token = ask->token,
            .delay_ms = ask->span_ns / NS_PER_MS,
        }
    );
}

static bool end_send(struct world *world, struct worker *worker, struct ask ask) {
    if (worker->peer.life == 0 || worker->peer.is_away) return false;
    if (worker->peer.ask_count == sizeof worker->peer.asks / sizeof worker->peer.asks[0]) {
        return false;
    }
    end_record(world, worker, &ask, intent_of(ask.type));
    return peer_ask(world, &worker->peer, &ask);
}

static struct held_job *held_find(struct worker *worker, uint64_t serial) {
    for (uint32_t i = 0; i < worker->held_count; i++) {
        if (worker->held[i].serial == serial) return &worker->held[i];
    }
    return NULL;
}

static void held_drop(struct worker *worker, struct held_job *held) {
    *held = worker->held[--worker->held_count];
}

static void job_ends(struct world *world, void *subject, uint64_t serial) {
    struct worker *worker = subject;
    struct held_job *held = held_find(worker, serial);
    if (held == NULL) return; /* its worker is another one now */
    struct ask ask = {.type = COMMAND_ACK, .id = held->id, .token = held->token};
    const struct swarm *swarm = &world->swarm;
    /* What may have been done already is not told in another way. */
    if (!world->is_calm && !held->is_again) {
        if (chance(world, swarm->forgets)) {
            held_drop(worker, held);
            fetch_send(world, worker);
            return;
        }
        if (chance(world, swarm->fails)) {
            ask.type = COMMAND_FAIL;
            ask.span_ns = span_up_to(world, 5 * NS_PER_SECOND) / NS_PER_MS * NS_PER_MS;
        } else if (chance(world, swarm->releases)) {
            ask.type = COMMAND_RELEASE;
        }
    }
    if (!end_send(world, worker, ask)) {
        world_at(world, world->now_ns + IDLE_NS, job_ends, worker, serial);
        return;
    }
    if (!world->is_calm && chance(world, swarm->acks_again)) (void)end_send(world, worker, ask);
    held_drop(worker, held);
    fetch_send(world, worker);
}

static void job_extends(struct world *world, void *subject, uint64_t serial) {
    struct worker *worker = subject;
    struct held_job *held = held_find(worker, serial);
    if (held == NULL) return;
    struct ask ask = {
        .type = COMMAND_EXTEND,
        .id = held->id,
        .token = held->token,
        .span_ns = world->swarm.lease_ns,
    };
    (void)peer_ask(world, &worker->peer, &ask);
    world_at(world, world->now_ns + world->swarm.lease_ns / 3, job_extends, worker, serial);
}

static void job_begins(struct world *world, struct worker *worker, const struct got *got) {
    struct history_event event = {
        .type = HISTORY_GOT,
        .who = worker->peer.who,
        .key = got->key,
        .id = got->id,
        .token = got->token,
        .attempt = got->attempt,
        .releases = got->releases,
    };
    record(world, event);
    event.type = HISTORY_DAMAGED;
    if (!got->is_whole) record(world, event);
    hob_assert(worker->held_count < HELD_JOBS_MAX);
    uint64_t serial = ++world->next_number;
    worker->held[worker->held_count++] =
        (struct held_job){.id = got->id, .token = got->token, .serial = serial};
    hob_ns run_ns = world->is_calm ? NS_PER_MS : span_up_to(world, world->swarm.run_max_ns);
    if (!world->is_calm && chance(world, world->swarm.acks_late)) {
        run_ns = got->lease_ns + span_up_to(world, 30 * NS_PER_SECOND);
    }
    if (world->is_calm || chance(world, world->swarm.extends)) {
        world_at(world, world->now_ns + world->swarm.lease_ns / 3, job_extends, worker, serial);
    }
    world_at(world, world->now_ns + run_ns, job_ends, worker, serial);
}

/* --- answers --- */

static const enum history_type unknowns[] = {
    HISTORY_ACK_UNKNOWN, HISTORY_FAIL_UNKNOWN, HISTORY_RELEASE_UNKNOWN};

static int verb_of(enum command_type type) {
    return type == COMMAND_ACK ? 0 : type == COMMAND_FAIL ? 1 : 2;
}

static void fetched(struct world *world, struct worker *worker, const struct reply *reply) {
    worker->fetches = false;
    for (uint32_t i = 0; i < reply->job_count; i++) job_begins(world, worker, &reply->jobs[i]);
    if (reply->code != ANSWER_OK && reply->code != ANSWER_EMPTY) {
        world_fail(world, "a fetch was answered %s", answer_word(reply->code));
    }
    world_at(world, world->now_ns + IDLE_NS, fetch_later, worker, worker->life);
}

static bool is_refusal(enum answer_code code) {
    return code == ANSWER_STALE || code == ANSWER_LEASE_OVER || code == ANSWER_NO_JOB;
}

static void
answered(struct world *world, struct peer *peer, const struct ask *ask, const struct reply *reply) {
    struct worker *worker = peer->owner;
    if (ask->type == COMMAND_FETCH) {
        fetched(world, worker, reply);
        return;
    }
    if (reply->code != ANSWER_OK && !is_refusal(reply->code)) {
        world_fail(world, "the end of an attempt was answered %s", answer_word(reply->code));
    }
    if (ask->type == COMMAND_EXTEND) return;
    static const enum history_type done[] = {HISTORY_ACKED, HISTORY_FAILED, HISTORY_RELEASED};
    static const enum history_type refused[] = {
        HISTORY_ACK_REFUSED, HISTORY_FAIL_REFUSED, HISTORY_RELEASE_REFUSED};
    int which = verb_of(ask->type);
    enum history_type type = reply->code == ANSWER_OK ? done[which]
                             : ask->is_doubled        ? unknowns[which]
                                                      : refused[which];
    end_record(world, worker, ask, type);
    fetch_send(world, worker);
}

/* What was to end an attempt is said once more on the next connection, or never. */
static void unknown(struct world *world, struct peer *peer, const struct ask *ask) {
    struct worker *worker = peer->owner;
    if (ask->type == COMMAND_FETCH) worker->fetches = false;
    if (ask->type == COMMAND_FETCH || ask->type == COMMAND_EXTEND) return;
    int which = verb_of(ask->type);
    end_record(world, worker, ask, unknowns[which]);
    if (ask->type != COMMAND_ACK || worker->held_count == HELD_JOBS_MAX) return;
    if (!world->is_calm && dice_once_in(&world->dice, 2)) return;
    uint64_t serial = ++world->next_number;
    worker->held[worker->held_count++] =
        (struct held_job){.id = ask->id, .token = ask->token, .serial = serial, .is_again = true};
    world_at(world, world->now_ns + NS_PER_SECOND, job_ends, worker, serial);
}

static void connected(struct world *world, struct peer *peer) {
    fetch_send(world, peer->owner);
}

/* --- life --- */

static void worker_born(struct world *world, void *subject, uint64_t number) {
    (void)number;
    struct worker *worker = subject;
    worker->life++;
    worker->held_count = 0;
    worker->fetches = false;
    worker->peer.is_away = false;
    peer_connect_soon(world, &worker->peer);
}

void worker_die(struct world *world, struct worker *worker) {
    if (worker->peer.is_away) return;
    world->counts.worker_deaths++;
    peer_die(world, &worker->peer);
    worker->held_count = 0;
    hob_ns gone_ns = NS_PER_SECOND + span_up_to(world, 30 * NS_PER_SECOND);
    world_at(world, world->now_ns + gone_ns, worker_born, worker, 0);
}

void workers_begin(struct world *world) {
    for (uint32_t i = 0; i < world->swarm.workers; i++) {
        struct worker *worker = &world->workers[i];
        *worker = (struct worker){
            .peer =
                {
                    .who = WHO_WORKER + i,
                    .is_away = true,
                    .owner = worker,
                    .answered = answered,
                    .unknown = unknown,
                    .connected = connected,
                },
        };
        worker_born(world, worker, 0);
    }
}
