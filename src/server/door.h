/* SPDX-License-Identifier: Apache-2.0 */
/* Who is let in: the tokens of the space made ready for looking up, and what an address alone
 * allows.
 *
 * A session's access points to a door_token, shared by all who showed that token. Revoking empties
 * its scopes, so at the next request of any of them nothing is allowed any more; what still waits
 * is answered and the connections end. The token itself goes when the last of them is gone.
 *
 * The rule of an open door: without tokens everybody who reaches a listener may everything; with
 * one token every TCP connection needs one. A unix socket counts as the machine's owner, unless
 * told otherwise. */
#ifndef HOB_SERVER_DOOR_H
#define HOB_SERVER_DOOR_H

#include "dialect/access.h"
#include "dialect/host.h"
#include "engine/limits.h"
#include "os/digest.h"

struct server;
struct client;
struct conn;

enum {
    /* Wrong tokens of one address: so many at once, then one a second is looked at with a log
     * line; the rest is only counted. */
    THROTTLE_BURST = 10,
    THROTTLE_SLOTS = 1024, /* addresses that are remembered; two that meet share a slot */
    /* The refusal of all others is held back for so long, on so many connections at once; further
     * ones are answered at once. */
    HOLD_MS = 1000,
    HELD_MAX = 256,
};

struct door_token {
    struct access access; /* its slices are below */
    uint32_t users;       /* clients, and the door itself while it is not revoked */
    bool is_revoked;
    hob_ns expires_ns; /* 0: never */
    hob_ns used_ns;    /* as the engine knows it */
    char hash[SHA256_BYTES];
    char name[NAME_BYTES_MAX];
    char queues[TOKEN_QUEUES_BYTES_MAX];
};

struct throttle {
    uint64_t address; /* hash */
    hob_ns at_ns;
    uint32_t left; /* of the burst */
};

struct door {
    struct door_token **tokens;
    uint32_t token_count;
    uint32_t token_capacity;
    uint64_t logins;
    uint64_t refused; /* wrong tokens */
    uint64_t throttled;
    uint64_t denied;            /* requests past what a token allows */
    uint32_t held;              /* refusals that are held back now */
    struct throttle *throttles; /* NULL until somebody fails */
    struct throttle *handshakes;
};

/** Take over the tokens as the engine has them now: after recovery, and after each change. Ends
 * whoever came by one that is gone. */
void door_sync(struct server *server);

/** Forget everything; no client is left. */
void door_deinit(struct server *server);

/** What this connection may before it has shown anything; NULL: everything. */
const struct access *door_base(const struct server *server, const struct client *client);

/** As host_ops.login. */
enum login
door_login(struct server *server, struct client *client, struct slice name, struct slice token);

/** A TLS handshake has failed: a line of the log, at the pace of the throttle. */
void door_insecure(struct server *server, const struct conn *conn, const char *why);

/** The client is gone: its refusal is held back no longer. */
void door_release(struct server *server, struct client *client);

/** The client is gone, or shows something else. */
void door_leave(struct server *server, struct client *client);

/** Tokens whose time is over are revoked now. */
void door_expire(struct server *server);

#endif
