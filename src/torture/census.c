/* SPDX-License-Identifier: Apache-2.0 */
/* While it drains: how much is left? At the end: what is there? A last push tells how far ids go;
 * then every id up to it is asked for, so that what nobody acknowledged is found too. */
#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "os/clock.h"
#include "torture/private.h"

enum { LOOKS_OPEN_MAX = 128 };

#define DRAIN_NS_MAX (120 * NS_PER_SECOND)

/* --- drain --- */

static void on_stats(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct torture *torture = context;
    torture->asked = false;
    if (node == NULL || torture->phase != PHASE_DRAIN) return;
    uint64_t left = reply_u64(node, "scheduled", 0) + reply_u64(node, "available", 0) +
                    reply_u64(node, "running", 0) + reply_u64(node, "retryable", 0);
    bool idle = true;
    for (size_t i = 0; i < torture->options.pushers; i++) {
        idle = idle && pusher_is_idle(&torture->pushers[i]);
    }
    bool over = clock_monotonic() - torture->phase_at > DRAIN_NS_MAX;
    if ((left > 0 || !idle) && !over) return;
    record_note(torture, over ? "not drained in time" : "drained");
    torture->phase = PHASE_CENSUS;
    torture->last_kill = true;
    child_kill(torture);
}

static void stats_ask(struct torture *torture) {
    if (torture->asked) return;
    torture->asked = true;
    const struct slice words[] = {SLICE("STATS")};
    client_request(torture->control, words, 1, 0, on_stats, torture);
}

/* --- census --- */

static void looks_send(struct torture *torture);

static void on_look(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct torture *torture = context;
    hob_assert(torture->census_open > 0);
    torture->census_open--;
    if (node == NULL || node->type == RESP_FAILURE) {
        torture_fail(torture, "the census was cut short");
        return;
    }
    struct history_event event = {.type = HISTORY_FOUND};
    if (reply_is_set(node)) {
        event.id = reply_u64(node, "id", 0);
        event.done = slice_equal(reply_text(node, "state"), SLICE("completed"));
        bool whole = payload_key(torture, reply_text(node, "payload"), &event.key);
        record(torture, event);
        event.type = HISTORY_DAMAGED;
        if (!whole) record(torture, event);
    }
    looks_send(torture);
}

static void looks_send(struct torture *torture) {
    while (torture->census_open < LOOKS_OPEN_MAX && torture->census_next < torture->census_last) {
        char id[24];
        (void)snprintf(id, sizeof id, "%" PRIu64, torture->census_next);
        const struct slice words[] = {SLICE("GET"), slice_str(id)};
        torture->census_next++;
        torture->census_open++;
        client_request(torture->control, words, hob_countof(words), 0, on_look, torture);
    }
    if (torture->census_open > 0 || torture->phase != PHASE_CENSUS) return;
    record(torture, (struct history_event){.type = HISTORY_CENSUS});
    torture->phase = PHASE_STOP;
    child_stop(torture);
}

static void on_probe(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct torture *torture = context;
    if (node == NULL || node->type != RESP_INTEGER) {
        torture_fail(torture, "the push before the census was not answered");
        return;
    }
    torture->census_last = (uint64_t)node->integer;
    torture->census_next = 1;
    looks_send(torture);
}

static void probe_send(struct torture *torture) {
    const struct slice words[] = {
        SLICE("PUSH"), SLICE("torture.census"), SLICE("census"), SLICE("null")};
    client_request(torture->control, words, hob_countof(words), 0, on_probe, torture);
}

static void on_ready(void *context) {
    struct torture *torture = context;
    torture->asked = false;
    if (torture->phase == PHASE_CENSUS) probe_send(torture);
}

static void on_lost(void *context, const struct hob_error *why) {
    (void)why;
    struct torture *torture = context;
    client_close(torture->control);
    torture->control = NULL;
}

void control_connect(struct torture *torture) {
    struct client_events events = {.context = torture, .ready = on_ready, .lost = on_lost};
    if (torture->control == NULL) torture->control = torture_connect(torture, &events);
}

void control_tick(struct torture *torture) {
    if (torture->control == NULL || !client_is_ready(torture->control)) return;
    if (torture->phase == PHASE_DRAIN) stats_ask(torture);
}
