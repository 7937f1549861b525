/* SPDX-License-Identifier: Apache-2.0 */
/* For tests and fuzzing: sessions over a real space in memory, in fake time, without sockets. */
#ifndef HOB_DIALECT_RIG_H
#define HOB_DIALECT_RIG_H

#include "dialect/session.h"
#include "space/space.h"

enum { RIG_CLIENTS_MAX = 4, RIG_RETURNS_MAX = 4096 };

struct rig_client {
    struct rig *rig;
    struct session *session;
    struct buf in;
    struct buf out;
    enum session_next next;
};

struct rig {
    struct space *space;
    struct host host;
    struct mem mem;
    hob_ns now_ns;
    struct rig_client clients[RIG_CLIENTS_MAX];
    struct lease_ref returns[RIG_RETURNS_MAX];
    uint32_t return_count;
    uint32_t subscribed;
    uint32_t served;    /* requests answered */
    uint32_t leased;    /* leases that replies told of */
    uint32_t denied;    /* requests for what the session's access lacks */
    struct buf refused; /* the request that was refused last: op_refused says how */
    uint32_t drawn;
    bool throttled;              /* wrong tokens are LATER */
    const struct access *access; /* of the token "good" */
    bool congested;              /* what is_congested answers */
};

/** 2026-03-01T00:00:00Z, when every rig begins. */
#define RIG_START_NS (UINT64_C(1772323200) * NS_PER_SECOND)

/** An empty space, no clients. */
void rig_init(struct rig *rig);
/** All clients go away; memory must have come back. */
void rig_deinit(struct rig *rig);

/** Client number @at connects, speaking @dialect. */
struct rig_client *rig_connect(struct rig *rig, size_t at, const struct dialect *dialect);
/** It goes away. */
void rig_disconnect(struct rig_client *client);

/** Bytes arrive; served in a turn of their own. Replies gather in client->out. */
void rig_send(struct rig_client *client, struct slice bytes);

/** What the server does every few seconds. */
void rig_beat(struct rig *rig);

/** Time goes by, then there is a turn. */
void rig_advance(struct rig *rig, hob_ns span);

/** The output so far as text with a terminator; it is forgotten at the next send to this client. */
const char *rig_text(struct rig_client *client);

/** Send a RESP request: words, NULL at the end; then rig_text. */
const char *rig_resp(struct rig_client *client, const char *const *words);
#define RESP(client, ...) rig_resp((client), (const char *const[]){__VA_ARGS__, NULL})

/** Send an HTTP request with a JSON body, or none (NULL); then rig_text. */
const char *
rig_http(struct rig_client *client, const char *method, const char *path, const char *body);

#endif
