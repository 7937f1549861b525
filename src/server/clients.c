/* SPDX-License-Identifier: Apache-2.0 */
/* Connections as the dialects see them: a session each, from the first byte on.
 *
 * Request numbers carry the slot of the client in their high half, so that an answer that comes
 * later finds its way; a client that is gone has taken its waiting request along (FORGET), so a
 * slot can be used again.
 *
 * A lease that was granted to a connection that died before its bytes were handed to the system is
 * given back at once: no worker can know of it. */
#include "base/assert.h"
#include "dialect/http/http.h"
#include "dialect/resp/resp.h"
#include "server/private.h"

enum { CLIENTS_FIRST = 64, BEAT_ALIVE_MS = 15000 };

static uint32_t slot_take(struct server *server) {
    for (uint32_t slot = 0; slot < server->client_capacity; slot++) {
        if (server->clients[slot] == NULL) return slot;
    }
    uint32_t old = server->client_capacity;
    uint32_t capacity = old == 0 ? CLIENTS_FIRST : old * 2;
    size_t each = sizeof(struct client *);
    server->clients = mem_resize(&server->mem, server->clients, old * each, capacity * each);
    for (uint32_t slot = old; slot < capacity; slot++) server->clients[slot] = NULL;
    server->client_capacity = capacity;
    return old;
}

void *client_opened(void *context, struct conn *conn) {
    struct server *server = context;
    struct client *client = mem_zero_alloc(&server->mem, sizeof *client);
    client->server = server;
    client->conn = conn;
    client->slot = slot_take(server);
    client->serial = ++server->serial;
    link_init(&client->worker);
    link_init(&client->subscriber);
    server->clients[client->slot] = client;
    server->client_count++;
    client_idle_set(client);
    return client;
}

void client_idle_set(struct client *client) {
    const struct session *session = client->session;
    bool is_stranger =
        access_is_stranger(session == NULL ? door_base(client->server, client) : session->access);
    bool is_http = session != NULL && session->dialect == &dialect_http;
    uint32_t idle_ms = is_http ? HTTP_IDLE_MS : 0;
    conn_idle_limit(client->conn, is_stranger ? STRANGER_IDLE_MS : idle_ms);
}

/* The first byte tells: a RESP request is an array, and no HTTP request begins with a star. */
static void open_session(struct client *client, char first) {
    struct server *server = client->server;
    const struct dialect *dialect = first == '*' ? &dialect_resp : &dialect_http;
    client->session = dialect->open(&server->host);
    client->session->out = conn_out(client->conn);
    client->session->id = client->slot + 1;
    client->session->serial = client->serial;
    client->session->access = door_base(server, client);
    client_idle_set(client);
}

/* A fatal alert, "protocol version": what a TLS client understands of "there is no TLS here". */
static const char tls_alert[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46};

static const char no_tls_http[] = "HTTP/1.1 400 Bad Request\r\n"
                                  "Content-Type: application/problem+json\r\n"
                                  "Connection: close\r\n"
                                  "Content-Length: 95\r\n\r\n"
                                  "{\"title\":\"Bad Request\",\"status\":400,\"code\":\"TLS\","
                                  "\"detail\":\"this port speaks TLS: use https://\"}";
static const char no_tls_resp[] = "-ERR this port speaks TLS: use hobs://\r\n";

void client_plain(void *context, struct conn *conn, char first) {
    (void)context;
    const char *text = first == '*' ? no_tls_resp : no_tls_http;
    (void)buf_put_str(conn_out(conn), text);
}

void client_insecure(void *context, struct conn *conn, const char *why) {
    door_insecure(context, conn, why);
}

enum net_next client_input(void *context, struct conn *conn, struct slice input, size_t *ret_used) {
    (void)context;
    struct client *client = conn_user(conn);
    /* Without input too: an answer that came late may have been the last. */
    if (input.size == 0 && client->session == NULL) return NET_READ;
    if (client->session == NULL && input.bytes[0] == TLS_FIRST_BYTE) {
        (void)buf_put(conn_out(conn), tls_alert, sizeof tls_alert);
        *ret_used = input.size;
        return NET_CLOSE;
    }
    if (client->session == NULL) open_session(client, input.bytes[0]);
    struct session *session = client->session;
    switch (session->dialect->input(session, input, ret_used)) {
    case SESSION_READ:
        return NET_READ;
    case SESSION_WAIT:
        return NET_WAIT;
    case SESSION_YIELD:
        return NET_YIELD;
    case SESSION_CLOSE:
        return NET_CLOSE;
    }
    hob_assert(false && "each word of a session is known");
    return NET_CLOSE;
}

void client_late(void *context, struct conn *conn) {
    (void)context;
    struct client *client = conn_user(conn);
    if (client->session != NULL) client->session->dialect->late(client->session);
}

/* What was told in bytes that never left is untold. */
static void untell(struct client *client) {
    struct host *host = &client->server->host;
    uint64_t handed = conn_handed(client->conn);
    for (uint32_t i = 0; i < client->told_count; i++) {
        if (client->told[i].position > handed) {
            host->ops->give_back(host->context, client->told[i].lease);
        }
    }
}

void client_closed(void *context, struct conn *conn) {
    struct server *server = context;
    struct client *client = conn_user(conn);
    if (client->session != NULL) {
        session_forget(client->session);
        session_subscribe(client->session, false);
        untell(client);
        client->session->dialect->close(client->session);
    }
    door_leave(server, client);
    door_release(server, client);
    link_remove(&client->worker);
    server->clients[client->slot] = NULL;
    server->client_count--;
    mem_free(&server->mem, client->told, client->told_capacity * sizeof *client->told);
    mem_free(&server->mem, client, sizeof *client);
}

void clients_answer(void *context, const struct answer *answer) {
    struct server *server = context;
    uint64_t slot = (answer->request >> 32) - 1;
    struct client *client = slot < server->client_capacity ? server->clients[slot] : NULL;
    if (client == NULL || client->session->waiting != answer->request) return;
    session_answer(client->session, answer);
    conn_wrote(client->conn);
    conn_resume(client->conn);
}

void clients_notice(void *context, const struct notice *notice) {
    struct server *server = context;
    struct lease_ref lease = {.id = notice->id, .token = notice->token};
    for (struct link *at = server->workers.next; at != &server->workers; at = at->next) {
        struct client *client = LINKED(at, struct client, worker);
        if (!slice_equal(session_worker(client->session), notice->worker)) continue;
        client->session->dialect->lost(client->session, lease, notice->cause);
        conn_wrote(client->conn);
    }
}

/* What held up its input is over. */
static void resume(struct client *client) {
    if (!client->session->resumes) return;
    client->session->resumes = false;
    conn_resume(client->conn);
}

static void tell_event(struct server *server, const struct event *event) {
    uint64_t parent = 0;
    /* A view is a kilobyte and more: not for each event. */
    if (story_wants_parent(event)) {
        struct job_view job;
        if (engine_job(space_engine(server->space), event->id, &job)) parent = job.parent;
    }
    story_event(&server->story, event, parent);
}

void clients_event(void *context, const struct event *event) {
    struct server *server = context;
    metrics_event(&server->metrics, event);
    statistics_event(&server->statistics, event);
    tell_event(server, event);
    host_event(&server->host, event);
    callbacks_event(server, event);
    for (struct link *at = server->subscribers.next; at != &server->subscribers;) {
        struct client *client = LINKED(at, struct client, subscriber);
        at = at->next; /* the session may leave the list */
        size_t before = client->session->out->size;
        session_event(client->session, event);
        if (client->session->out->size != before) conn_wrote(client->conn);
        resume(client);
    }
}

/* Those who look on hear from the server now and then. */
static void beat_subscribers(struct server *server) {
    if (!link_is_listed(&server->subscribers)) return;
    net_turn(server->net);
    for (struct link *at = server->subscribers.next; at != &server->subscribers;) {
        struct client *client = LINKED(at, struct client, subscriber);
        at = at->next;
        if (client->session->dialect->beat == NULL) continue;
        client->session->dialect->beat(client->session);
        conn_wrote(client->conn);
        resume(client);
    }
}

/* Answer what waits, and let the connection end. */
static void shut_out(struct client *client) {
    struct session *session = client->session;
    session->access = &access_stranger;
    session->dialect->finish(session);
    conn_wrote(client->conn);
    conn_end(client->conn);
}

void clients_shut_out(struct server *server, const struct door_token *token) {
    for (uint32_t slot = 0; slot < server->client_capacity; slot++) {
        struct client *client = server->clients[slot];
        if (client == NULL || client->token != token) continue;
        net_turn(server->net);
        door_leave(server, client);
        shut_out(client);
    }
}

/* A connection that was open to anybody may still be waiting for jobs: it has to come back. */
void clients_rebase(struct server *server) {
    for (uint32_t slot = 0; slot < server->client_capacity; slot++) {
        struct client *client = server->clients[slot];
        if (client == NULL || client->session == NULL || client->token != NULL) continue;
        const struct access *base = door_base(server, client);
        bool is_shut = access_is_stranger(base) && client->session->access == NULL;
        client->session->access = base;
        bool is_served = client->session->waiting != 0 || client->session->is_subscribed;
        if (!is_shut || !is_served) continue;
        net_turn(server->net);
        shut_out(client);
    }
}

void clients_beat(struct server *server) {
    beat_subscribers(server);
    host_beat(&server->host);
    if (!link_is_listed(&server->workers)) return;
    net_turn(server->net);
    for (struct link *at = server->workers.next; at != &server->workers; at = at->next) {
        struct client *client = LINKED(at, struct client, worker);
        struct command command = {
            .type = COMMAND_WORKER_BEAT,
            .worker_beat =
                {
                    .worker = session_worker(client->session),
                    .alive_ns = BEAT_ALIVE_MS * NS_PER_MS,
                },
        };
        struct answer answer;
        space_apply(server->space, &command, &answer);
    }
}

void clients_finish(struct server *server) {
    net_turn(server->net);
    for (uint32_t slot = 0; slot < server->client_capacity; slot++) {
        struct client *client = server->clients[slot];
        if (client == NULL || client->session == NULL) continue;
        client->session->dialect->finish(client->session);
        conn_wrote(client->conn);
    }
}
