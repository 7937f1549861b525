/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, looked up by the SHA-256 of what was shown. The walk over all of them compares eight
 * bytes of a hash that nobody can choose, and the whole of it without telling by time where it
 * differs.
 *
 * A right token is taken whatever happened before: 256 bits are not guessed, and an address that
 * many share (a proxy, loopback) must not be locked out by one of them. What the throttle bounds is
 * what wrong ones cost: log lines, lines of the audit trail; and who shows many of them waits for
 * each further refusal. */
#include "server/door.h"

#include "base/assert.h"
#include "os/log.h"
#include "server/audit.h"
#include "server/private.h"

/* --- tokens --- */

static void token_release(struct server *server, struct door_token *token) {
    hob_assert(token->users > 0);
    if (--token->users == 0) mem_free(&server->mem, token, sizeof *token);
}

static bool token_is(const struct door_token *token, const struct token_view *view) {
    return slice_equal(token->access.name, view->name) &&
           memcmp(token->hash, view->hash.bytes, sizeof token->hash) == 0;
}

static struct door_token *token_new(struct server *server, const struct token_view *view) {
    struct door_token *token = mem_zero_alloc(&server->mem, sizeof *token);
    memcpy(token->name, view->name.bytes, view->name.size);
    if (view->queues.size > 0) memcpy(token->queues, view->queues.bytes, view->queues.size);
    memcpy(token->hash, view->hash.bytes, sizeof token->hash);
    token->users = 1;
    token->expires_ns = view->expires_ns;
    token->used_ns = view->used_ns;
    token->access = (struct access){
        .name = slice_of(token->name, view->name.size),
        .scopes = view->scopes,
        .queues = slice_of(token->queues, view->queues.size),
    };
    return token;
}

static void token_revoke(struct server *server, struct door_token *token) {
    token->is_revoked = true;
    token->access.scopes = 0;
    clients_shut_out(server, token);
    token_release(server, token);
}

static bool engine_has(const struct engine *engine, const struct door_token *token) {
    struct token_view view;
    for (uint32_t i = 0; engine_token_at(engine, i, &view); i++) {
        if (token_is(token, &view)) return true;
    }
    return false;
}

static bool door_has(const struct door *door, const struct token_view *view) {
    for (uint32_t i = 0; i < door->token_count; i++) {
        if (!token_is(door->tokens[i], view)) continue;
        door->tokens[i]->used_ns = view->used_ns;
        return true;
    }
    return false;
}

static void door_add(struct server *server, struct door_token *token) {
    struct door *door = &server->door;
    if (door->token_count == door->token_capacity) {
        uint32_t old = door->token_capacity;
        door->token_capacity = old == 0 ? 8 : old * 2;
        size_t each = sizeof(struct door_token *);
        door->tokens =
            mem_resize(&server->mem, door->tokens, old * each, door->token_capacity * each);
    }
    door->tokens[door->token_count++] = token;
}

void door_sync(struct server *server) {
    struct door *door = &server->door;
    const struct engine *engine = space_engine(server->space);
    for (uint32_t i = door->token_count; i > 0; i--) {
        struct door_token *token = door->tokens[i - 1];
        if (engine_has(engine, token)) continue;
        door->tokens[i - 1] = door->tokens[--door->token_count];
        token_revoke(server, token);
    }
    struct token_view view;
    for (uint32_t i = 0; engine_token_at(engine, i, &view); i++) {
        bool is_over = view.expires_ns != 0 && view.expires_ns <= server_now(server);
        if (!is_over && !door_has(door, &view)) door_add(server, token_new(server, &view));
    }
    clients_rebase(server);
}

void door_expire(struct server *server) {
    struct door *door = &server->door;
    hob_ns now = server_now(server);
    for (uint32_t i = door->token_count; i > 0; i--) {
        struct door_token *token = door->tokens[i - 1];
        if (token->expires_ns == 0 || token->expires_ns > now) continue;
        log_info("a token has expired", log_text("token", token->access.name));
        door->tokens[i - 1] = door->tokens[--door->token_count];
        token_revoke(server, token);
    }
}

void door_deinit(struct server *server) {
    struct door *door = &server->door;
    while (door->token_count > 0) token_release(server, door->tokens[--door->token_count]);
    mem_free(&server->mem, door->tokens, door->token_capacity * sizeof(struct door_token *));
    mem_free(&server->mem, door->throttles, THROTTLE_SLOTS * sizeof *door->throttles);
    mem_free(&server->mem, door->handshakes, THROTTLE_SLOTS * sizeof *door->handshakes);
    *door = (struct door){0};
}

/* --- connections --- */

/* Whether there are tokens is the engine's to say: one that has expired still closes the door. */
static bool has_tokens(const struct server *server) {
    struct token_view view;
    return engine_token_at(space_engine(server->space), 0, &view);
}

const struct access *door_base(const struct server *server, const struct client *client) {
    if (client->own_access != NULL) return client->own_access;
    if (!has_tokens(server)) return NULL;
    bool is_owner = conn_is_pipe(client->conn) && !server->options->tokens_on_sockets;
    return is_owner ? NULL : &access_stranger;
}

void door_leave(struct server *server, struct client *client) {
    if (client->token == NULL) return;
    token_release(server, client->token);
    client->token = NULL;
}

static struct door_token *find(const struct door *door, const char hash[SHA256_BYTES]) {
    for (uint32_t i = 0; i < door->token_count; i++) {
        struct door_token *token = door->tokens[i];
        if (memcmp(token->hash, hash, sizeof(uint64_t)) != 0) continue;
        if (digest_equal(token->hash, hash)) return token;
    }
    return NULL;
}

/* Is this failure one of those that are told? */
static bool
throttle_takes(struct server *server, struct throttle **throttles, const struct conn *conn) {
    if (*throttles == NULL) {
        *throttles = mem_zero_alloc(&server->mem, THROTTLE_SLOTS * sizeof **throttles);
    }
    uint64_t address = conn_peer_hash(conn) | 1;
    struct throttle *throttle = &(*throttles)[address / 2 % THROTTLE_SLOTS];
    hob_ns now = server_now(server);
    if (throttle->address != address) {
        *throttle = (struct throttle){.address = address, .at_ns = now, .left = THROTTLE_BURST};
    }
    uint64_t seconds = (now - throttle->at_ns) / NS_PER_SECOND;
    if (seconds > 0) {
        throttle->at_ns += seconds * NS_PER_SECOND;
        uint64_t left = throttle->left + seconds;
        throttle->left = left > THROTTLE_BURST ? THROTTLE_BURST : (uint32_t)left;
    }
    if (throttle->left == 0) return false;
    throttle->left--;
    return true;
}

void door_insecure(struct server *server, const struct conn *conn, const char *why) {
    if (!throttle_takes(server, &server->door.handshakes, conn)) return;
    char peer[NET_ADDRESS_BYTES_MAX];
    conn_peer(conn, peer);
    log_warn("a TLS handshake has failed", log_str("peer", peer), log_str("why", why));
}

/* Its connection ends with the refusal, so nothing but this waits. */
static void hold(struct server *server, struct client *client) {
    if (client->is_held || server->door.held >= HELD_MAX) return;
    client->is_held = true;
    server->door.held++;
    conn_hold(client->conn, HOLD_MS);
}

void door_release(struct server *server, struct client *client) {
    if (!client->is_held) return;
    hob_assert(server->door.held > 0);
    client->is_held = false;
    server->door.held--;
}

static enum login refuse(struct server *server, struct client *client) {
    server->door.refused++;
    if (!throttle_takes(server, &server->door.throttles, client->conn)) {
        server->door.throttled++;
        hold(server, client);
        return LOGIN_LATER;
    }
    char peer[NET_ADDRESS_BYTES_MAX];
    conn_peer(client->conn, peer);
    log_warn("a token that is not known was shown", log_str("peer", peer));
    audit_login_refused(server, client);
    return LOGIN_UNKNOWN;
}

/* "default" is what Redis clients say who were told a password only. */
static bool name_fits(struct slice name, const struct door_token *token) {
    return name.size == 0 || slice_equal(name, SLICE("default")) ||
           slice_equal(name, token->access.name);
}

/* Written down once in an hour; the engine decides. */
static void note_use(struct server *server, struct door_token *token) {
    if (server->host.now_ns < ns_add(token->used_ns, TOKEN_USE_STEP_NS)) return;
    token->used_ns = server->host.now_ns;
    struct command use = {.type = COMMAND_TOKEN_USE, .token_use = {.name = token->access.name}};
    struct answer answer;
    space_apply(server->space, &use, &answer);
}

enum login
door_login(struct server *server, struct client *client, struct slice name, struct slice shown) {
    struct session *session = client->session;
    if (shown.size == 0) {
        door_leave(server, client);
        session->access = door_base(server, client);
        client_idle_set(client);
        return LOGIN_OK;
    }
    char hash[SHA256_BYTES];
    digest_sha256(shown, hash);
    struct door_token *token = find(&server->door, hash);
    bool is_over =
        token != NULL && token->expires_ns != 0 && token->expires_ns <= server->host.now_ns;
    if (token == NULL || is_over || !name_fits(name, token)) return refuse(server, client);
    if (client->token != token) {
        door_leave(server, client);
        token->users++;
        client->token = token;
        server->door.logins++;
    }
    session->access = &token->access;
    client_idle_set(client);
    note_use(server, token);
    return LOGIN_OK;
}
