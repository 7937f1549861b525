/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that does nothing with a job but answer for it: mostly an ack; sometimes a failure, a
 * release, a second ack, or nothing at all until the lease is long over, and an ack then. What its
 * lost answers meant it asks again, sometimes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "os/clock.h"
#include "torture/private.h"

#define LEASE_MS "1000"
/* The server holds a lease for as long as its worker seems to live; a run that is shorter than that
 * forgets for a while only. */
#define HELD_NS      (2500 * NS_PER_MS)
#define HELD_OVER_NS (17 * NS_PER_SECOND)
#define RUN_OF_HELDS (30 * NS_PER_SECOND)

/* An end of a job on its way. */
struct end {
    struct hand *hand;
    enum history_type verb;
    uint64_t id;
    uint64_t token;
    uint64_t delay_ms;
};

static void end_send(struct hand *hand, struct end what);

static void on_ended(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct end *end = context;
    struct end what = *end;
    free(end);
    struct hand *hand = what.hand;
    struct torture *torture = hand->torture;
    /* The four types of a verb stand in this order. */
    int answer = node == NULL ? 3 : node->type == RESP_FAILURE ? 2 : 1;
    struct history_event event = {
        .type = (enum history_type)((int)what.verb + answer),
        .who = hand->who,
        .id = what.id,
        .token = what.token,
    };
    record(torture, event);
    if (event.type == HISTORY_ACKED) torture->finished++;
    if (node != NULL || torture_draw(torture, 2) == 0) return;
    for (size_t i = 0; i < HELD_MAX; i++) {
        if (hand->held[i].id != 0) continue;
        hand->held[i] = (struct held){.id = what.id, .token = what.token};
        return;
    }
}

static void end_send(struct hand *hand, struct end what) {
    struct history_event event = {
        .type = what.verb,
        .who = hand->who,
        .id = what.id,
        .token = what.token,
        .delay_ms = what.delay_ms,
    };
    record(hand->torture, event);
    char id[24];
    char token[24];
    char delay[24];
    (void)snprintf(id, sizeof id, "%" PRIu64, what.id);
    (void)snprintf(token, sizeof token, "%" PRIu64, what.token);
    (void)snprintf(delay, sizeof delay, "%" PRIu64, what.delay_ms);
    struct end *end = malloc(sizeof *end);
    hob_assert(end != NULL);
    *end = what;
    end->hand = hand;
    struct slice words[6] = {SLICE("ACK"), slice_str(id), slice_str(token), SLICE("done")};
    size_t count = 4;
    if (what.verb == HISTORY_RELEASE) {
        words[0] = SLICE("RELEASE");
        count = 3;
    }
    if (what.verb == HISTORY_FAIL) {
        words[0] = SLICE("FAIL");
        words[3] = SLICE("on purpose");
        words[4] = SLICE("RETRYIN");
        words[5] = slice_str(delay);
        count = 6;
    }
    client_request(hand->client, words, count, 0, on_ended, end);
}

static void hold(struct hand *hand, struct end end) {
    for (size_t i = 0; i < HELD_MAX; i++) {
        if (hand->held[i].id != 0) continue;
        struct torture *torture = hand->torture;
        bool over = torture->options.time_ns >= RUN_OF_HELDS && torture_draw(torture, 2) == 0;
        hob_ns until = clock_monotonic() + (over ? HELD_OVER_NS : HELD_NS);
        hand->life++; /* while its worker lives a lease lives too */
        hand->held[i] = (struct held){.id = end.id, .token = end.token, .until = until};
        return;
    }
    end_send(hand, end);
}

/* What becomes of a job that came. */
static void answer_for(struct hand *hand, uint64_t id, uint64_t token) {
    struct torture *torture = hand->torture;
    struct end end = {.verb = HISTORY_ACK, .id = id, .token = token};
    uint64_t drawn = torture_draw(torture, 100);
    if (drawn < 4) {
        hold(hand, end);
        return;
    }
    if (drawn < 12) {
        end.verb = HISTORY_FAIL;
        end.delay_ms = torture_draw(torture, 300);
    } else if (drawn < 18) {
        end.verb = HISTORY_RELEASE;
    }
    end_send(hand, end);
    if (drawn > 96) end_send(hand, (struct end){.verb = HISTORY_ACK, .id = id, .token = token});
}

static void take_job(struct hand *hand, const struct resp_node *job) {
    struct torture *torture = hand->torture;
    struct history_event event = {
        .type = HISTORY_GOT,
        .who = hand->who,
        .id = reply_u64(job, "id", 0),
        .token = reply_u64(job, "token", 0),
        .attempt = reply_u64(job, "attempt", 0),
        .releases = reply_u64(job, "releases", 0),
    };
    bool whole = payload_key(torture, reply_text(job, "payload"), &event.key);
    record(torture, event);
    if (!whole) {
        event.type = HISTORY_DAMAGED;
        record(torture, event);
    }
    answer_for(hand, event.id, event.token);
}

static void fetch_send(struct hand *hand);

static void on_fetched(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct hand *hand = context;
    if (node == NULL) return;
    if (!reply_is_aggregate(node)) {
        torture_fail(hand->torture, "FETCH was answered `%.*s`", SLICE_ARG(node->text));
        return;
    }
    const struct resp_node *job;
    for (size_t i = 0; (job = reply_item(node, i)) != NULL; i++) take_job(hand, job);
    if (hand->torture->phase <= PHASE_DRAIN) fetch_send(hand);
}

static void fetch_send(struct hand *hand) {
    struct torture *torture = hand->torture;
    record(torture, (struct history_event){.type = HISTORY_FETCH, .who = hand->who});
    char name[32];
    char count[24];
    (void)snprintf(name, sizeof name, "hand-%u-%u", hand->who, hand->life);
    (void)snprintf(count, sizeof count, "%" PRIu64, 1 + torture_draw(torture, 16));
    const struct slice words[] = {
        SLICE("FETCH"),
        slice_str(name),
        SLICE("COUNT"),
        slice_str(count),
        SLICE("WAIT"),
        SLICE("200"),
        SLICE("LEASE"),
        SLICE(LEASE_MS),
        SLICE("FORM"),
        SLICE("map"),
        SLICE("QUEUES"),
        SLICE("torture-*"),
    };
    client_request(hand->client, words, hob_countof(words), 0, on_fetched, hand);
}

void hand_tick(struct hand *hand) {
    if (hand->client == NULL || !client_is_ready(hand->client)) return;
    hob_ns now = clock_monotonic();
    for (size_t i = 0; i < HELD_MAX; i++) {
        struct held held = hand->held[i];
        if (held.id == 0 || held.until > now) continue;
        hand->held[i].id = 0;
        end_send(hand, (struct end){.verb = HISTORY_ACK, .id = held.id, .token = held.token});
    }
}

static void on_ready(void *context) {
    struct hand *hand = context;
    hand->life++;
    hand_tick(hand);
    fetch_send(hand);
}

static void on_lost(void *context, const struct hob_error *why) {
    (void)why;
    struct hand *hand = context;
    client_close(hand->client);
    hand->client = NULL;
}

void hand_connect(struct hand *hand) {
    struct client_events events = {.context = hand, .ready = on_ready, .lost = on_lost};
    if (hand->client == NULL) hand->client = torture_connect(hand->torture, &events);
}
