/* SPDX-License-Identifier: Apache-2.0 */
/* A client that pushes, a few at once. A push whose answer did not come is sent again under its
 * key, or, one time in four, given up: then nobody knows whether it is there. */
#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "os/clock.h"
#include "torture/private.h"

static void on_pushed(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct attempt *attempt = context;
    struct pusher *pusher = attempt->pusher;
    struct torture *torture = pusher->torture;
    struct history_event event = {.who = pusher->who, .key = attempt->key};
    attempt->sent = false;
    if (node == NULL) {
        event.type = HISTORY_PUSH_UNKNOWN;
        record(torture, event);
        if (torture_draw(torture, 4) == 0) attempt->key = 0;
        return;
    }
    attempt->key = 0;
    event.type = HISTORY_PUSH_REFUSED;
    if (node->type == RESP_INTEGER) {
        event.type = HISTORY_PUSHED;
        event.id = (uint64_t)node->integer;
        torture->pushed++;
    }
    record(torture, event);
}

static void attempt_send(struct attempt *attempt) {
    struct pusher *pusher = attempt->pusher;
    struct torture *torture = pusher->torture;
    struct history_event event = {
        .type = HISTORY_PUSH,
        .who = pusher->who,
        .key = attempt->key,
        .queue = attempt->queue,
        .priority = attempt->priority,
        .delay_ms = attempt->delay_ms,
    };
    record(torture, event);
    char queue[16];
    char key[64];
    char priority[24];
    char delay[24];
    (void)snprintf(queue, sizeof queue, "torture-%" PRIu64, attempt->queue);
    (void)snprintf(key, sizeof key, "%" PRIu64 "-%" PRIu64, torture->options.seed, attempt->key);
    (void)snprintf(priority, sizeof priority, "%" PRIu64, attempt->priority);
    (void)snprintf(delay, sizeof delay, "%" PRIu64, attempt->delay_ms);
    const struct slice words[] = {
        SLICE("PUSH"),
        slice_str(queue),
        SLICE("torture"),
        payload_of(torture, attempt->key),
        SLICE("KEY"),
        slice_str(key),
        SLICE("PRIORITY"),
        slice_str(priority),
        SLICE("ATTEMPTS"),
        SLICE("1000"),
        SLICE("KEEP"),
        SLICE("86400000"),
        SLICE("DELAY"),
        slice_str(delay),
    };
    attempt->sent = true;
    size_t count = hob_countof(words) - (attempt->delay_ms == 0 ? 2 : 0);
    hob_assert(slice_equal(words[hob_countof(words) - 2], SLICE("DELAY")));
    client_request(pusher->client, words, count, 0, on_pushed, attempt);
}

/* A new push, when there is room for it; what it is is drawn. */
static bool attempt_begin(struct pusher *pusher, struct attempt *attempt) {
    struct torture *torture = pusher->torture;
    hob_ns ran = clock_monotonic() - torture->began_at;
    bool slow = torture->fresh * NS_PER_SECOND / torture->options.push_rate > ran;
    bool full = torture->pushed > torture->finished + BACKLOG_MAX;
    if (torture->phase != PHASE_RUN || slow || full) return false;
    torture->fresh++;
    *attempt = (struct attempt){
        .pusher = pusher,
        .key = ++torture->keys,
        .queue = torture_draw(torture, QUEUE_COUNT),
        .priority = torture_draw(torture, 8) == 0 ? 10 : 1024,
        .delay_ms = torture_draw(torture, 8) == 0 ? 1 + torture_draw(torture, 700) : 0,
    };
    return true;
}

void pusher_tick(struct pusher *pusher) {
    if (pusher->client == NULL || !client_is_ready(pusher->client)) return;
    for (size_t i = 0; i < PUSHES_OPEN_MAX; i++) {
        struct attempt *attempt = &pusher->attempts[i];
        if (attempt->sent) continue;
        if (attempt->key == 0 && !attempt_begin(pusher, attempt)) continue;
        attempt->pusher = pusher;
        attempt_send(attempt);
    }
}

bool pusher_is_idle(const struct pusher *pusher) {
    for (size_t i = 0; i < PUSHES_OPEN_MAX; i++) {
        if (pusher->attempts[i].key != 0) return false;
    }
    return true;
}

static void on_ready(void *context) {
    struct pusher *pusher = context;
    for (size_t i = 0; i < PUSHES_OPEN_MAX; i++) {
        if (pusher->attempts[i].key != 0) pusher->torture->report->retried++;
    }
    pusher_tick(pusher);
}

static void on_lost(void *context, const struct hob_error *why) {
    (void)why;
    struct pusher *pusher = context;
    client_close(pusher->client);
    pusher->client = NULL;
}

void pusher_connect(struct pusher *pusher) {
    struct client_events events = {.context = pusher, .ready = on_ready, .lost = on_lost};
    if (pusher->client == NULL) pusher->client = torture_connect(pusher->torture, &events);
}
