/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of both dialects over a real space in memory. The input is a script of steps:
 *
 *     op  size  bytes       op & 3: the client; op >> 2 & 7:
 *                             0..3  the bytes arrive
 *                             4     it goes away and comes back
 *                             5     time goes by, size seconds
 *                             6     the journal is congested, or no more; size odd: a heartbeat
 *                             7     a FETCH of everything, waiting
 *
 * where size is one byte, 255 for "the rest of the input". Clients 0 and 1 speak RESP, 2 and 3
 * HTTP. Whatever comes, nothing may crash, and the engine must pass its own check. */
#include "dialect/http/http.h"
#include "dialect/resp/resp.h"
#include "dialect/rig.h"
#include "fuzz.h"

enum { STEPS_MAX = 64, STEP_IS_ALL = 255 };

static const struct dialect *dialect_of(size_t at) {
    return at < 2 ? &dialect_resp : &dialect_http;
}

static void fetch_all(struct rig *rig, size_t at) {
    struct rig_client *client = &rig->clients[at];
    if (at < 2) {
        (void)RESP(client, "FETCH", "w", "COUNT", "9", "WAIT", "5s", "FORM", "map", "QUEUES", "q");
    } else {
        const char *body = "{\"worker\":\"w\",\"queues\":[\"q\"],\"count\":9,\"wait\":\"5s\"}";
        (void)rig_http(client, "POST", "/v1/fetch", body);
    }
}

static void step(struct rig *rig, unsigned op, struct slice bytes) {
    size_t at = op & 3;
    switch (op >> 2 & 7) {
    case 4:
        rig_disconnect(&rig->clients[at]);
        (void)rig_connect(rig, at, dialect_of(at));
        break;
    case 5:
        rig_advance(rig, bytes.size * NS_PER_SECOND);
        break;
    case 6:
        if (bytes.size % 2 == 1) {
            rig_beat(rig);
        } else {
            rig->congested = !rig->congested;
        }
        break;
    case 7:
        fetch_all(rig, at);
        break;
    default:
        rig_send(&rig->clients[at], bytes);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct rig rig;
    rig_init(&rig);
    for (size_t at = 0; at < RIG_CLIENTS_MAX; at++) (void)rig_connect(&rig, at, dialect_of(at));
    size_t at = 0;
    for (int steps = 0; steps < STEPS_MAX && at + 2 <= size; steps++) {
        size_t rest = size - at - 2;
        size_t wanted = data[at + 1] == STEP_IS_ALL ? rest : data[at + 1];
        if (wanted > rest) wanted = rest;
        step(&rig, data[at], slice_of(data + at + 2, wanted));
        at += 2 + wanted;
    }
    engine_check(space_engine(rig.space));
    rig_deinit(&rig);
    return 0;
}
