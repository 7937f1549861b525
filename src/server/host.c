/* SPDX-License-Identifier: Apache-2.0 */
/* The host of the dialects, over a space. */
#include "base/assert.h"
#include "base/base64.h"
#include "os/entropy.h"
#include "os/log.h"
#include "server/metrics_put.h"
#include "server/names.h"
#include "server/private.h"

enum { ROOM_FIRST = 16 };

/* Requests carry the slot of their client in their high half. */
static const struct client *asker(const struct server *server, const struct command *command) {
    uint64_t slot = (command->request >> 32) - 1;
    return slot < server->client_capacity ? server->clients[slot] : NULL;
}

static const struct engine *engine_of(void *context) {
    struct server *server = context;
    return space_engine(server->space);
}

/* In the audit trail whatever came of it, in the log when it was done. */
static void tell_command(
    struct server *server,
    const struct client *client,
    const struct command *command,
    const struct answer *answer
) {
    audit_command(server, client, command, answer);
    if (answer->code != ANSWER_OK || !log_is_on(SEVERITY_INFO)) return;
    uint64_t id = story_job(command);
    struct job_view job;
    bool is_there = id != 0 && engine_job(engine_of(server), id, &job);
    char peer[NET_ADDRESS_BYTES_MAX];
    conn_peer(client->conn, peer);
    struct story_person person = {.token = audit_who(client), .peer = peer};
    story_command(&server->story, server->host.now_ns, command, is_there ? &job : NULL, person);
}

static void host_apply(void *context, const struct command *command, struct answer *ret_answer) {
    struct server *server = context;
    space_apply(server->space, command, ret_answer);
    bool is_full = ret_answer->code == ANSWER_MEMORY || ret_answer->code == ANSWER_FULL;
    const struct push_command *push = command->type == COMMAND_PUSH       ? &command->push
                                      : command->type == COMMAND_PUSH_ALL ? command->push_all.pushes
                                                                          : NULL;
    if (is_full && push != NULL) {
        story_push_refused(&server->story, server->host.now_ns, ret_answer->code, push->queue);
    } else if (push != NULL && ret_answer->code == ANSWER_OK) {
        story_push_taken(&server->story);
    }
    if (!audit_wants(command)) return;
    const struct client *client = asker(server, command);
    if (client != NULL) tell_command(server, client, command, ret_answer);
    bool is_token = command->type == COMMAND_TOKEN_PUT || command->type == COMMAND_TOKEN_DROP;
    if (is_token && ret_answer->code == ANSWER_OK) server->tokens_changed = true;
}

static bool host_job(void *context, uint64_t id, struct job_view *ret_view) {
    return engine_job(engine_of(context), id, ret_view);
}

static uint64_t host_find_ref(void *context, struct slice ref) {
    return engine_find_ref(engine_of(context), ref);
}

static uint64_t
host_list(void *context, const struct host_list *list, uint64_t *ret_ids, uint32_t *ret_count) {
    struct job_filter filter = {
        .queue = list->queue, .kind = list->kind, .states = list->states, .marks = list->marks};
    return engine_list(
        engine_of(context),
        &filter,
        (struct page_limits){list->before_id, LIST_SCAN_MAX, list->count_max},
        ret_ids,
        ret_count
    );
}

static bool host_queue(void *context, struct slice name, struct queue_view *ret_view) {
    return engine_queue(engine_of(context), name, ret_view);
}

static bool host_queue_at(void *context, uint32_t at, struct queue_view *ret_view) {
    return engine_queue_at(engine_of(context), at, ret_view);
}

static uint32_t
host_next(void *context, struct slice queue, uint32_t count_max, uint64_t *ret_ids) {
    return engine_next(engine_of(context), queue, count_max, ret_ids);
}

static bool host_valve(void *context, const struct valve_name *name, struct valve_view *ret_view) {
    return engine_valve(engine_of(context), name, ret_view);
}

static hob_ns host_kind_oldest(void *context, struct slice kind) {
    return engine_kind_oldest(engine_of(context), kind);
}

static uint32_t
host_valves(void *context, const struct valve_filter *filter, struct slice *ret_names) {
    return engine_valves(engine_of(context), filter, ret_names);
}

static bool host_worker_at(void *context, uint32_t at, struct worker_view *ret_view) {
    return engine_worker_at(engine_of(context), at, ret_view);
}

static uint64_t jumps_of(const struct timekeeper *keeper) {
    uint64_t sum = 0;
    for (size_t i = 0; i < CLOCK_CAUSE_COUNT; i++) sum += keeper->jumps[i];
    return sum;
}

static void host_stats(void *context, struct host_stats *ret_stats) {
    struct server *server = context;
    struct space_stats space;
    space_stats(server->space, &space);
    *ret_stats = (struct host_stats){
        .uptime_ns = clock_monotonic() - server->monotonic_ns,
        .clock_ahead_ms = timekeeper_ahead(&server->timekeeper) / (int64_t)NS_PER_MS,
        .clock_jumps = jumps_of(&server->timekeeper),
        .clock_jumped_ns = server->timekeeper.jumped_ns,
        .connections = server->client_count,
        .durable_seq = space_durable(server->space),
        .turns = space.turns,
        .batches = space.batches,
        .batch_bytes = space.batch_bytes,
        .stored_bytes = space.journal.stored_bytes,
        .bodies = space.bodies,
        .body_bytes = space.body_bytes,
        .cleaned_segments = space.cleaned_segments,
        .cleaned_bytes = space.cleaned_bytes,
        .full = space.full,
        .logins = server->door.logins,
        .logins_refused = server->door.refused,
        .requests_denied = server->door.denied,
        .connections_refused = net_refused(server->net),
        .handshakes_failed = net_handshakes_failed(server->net),
    };
    engine_stats(space_engine(server->space), &ret_stats->engine);
}

static bool host_statistics(
    void *context, const struct statistics_asked *asked, struct statistics_view *ret_view
) {
    struct server *server = context;
    return statistics_read(&server->statistics, asked, server->host.now_ns, ret_view);
}

static void host_unserved(void *context, struct unserved_list *ret_list) {
    struct server *server = context;
    engine_unserved(space_engine(server->space), server->host.now_ns, UNSERVED_STEPS_MAX, ret_list);
}

static bool host_explain(void *context, uint64_t id, struct explanation *ret_explanation) {
    struct server *server = context;
    hob_ns now_ns = server->host.now_ns;
    return engine_explain(space_engine(server->space), now_ns, id, ret_explanation);
}

static hob_ns host_estimate(void *context, uint64_t id) {
    struct server *server = context;
    return engine_estimate(space_engine(server->space), server->host.now_ns, id);
}

static enum hob_status
host_body(void *context, uint64_t body_id, struct buf *out, struct hob_error *err) {
    struct server *server = context;
    return space_body(server->space, body_id, out, err);
}

static bool host_token_at(void *context, uint32_t at, struct token_view *ret_view) {
    return engine_token_at(engine_of(context), at, ret_view);
}

/* 256 bits as base64url, behind a word by which they are found where they should not be. */
static void host_token_draw(void *context, struct secret *ret_secret) {
    (void)context;
    char bytes[32];
    entropy_fill(bytes, sizeof bytes);
    HOB_AUTO_BUF struct buf text = buf_make(64);
    (void)buf_put_str(&text, "hob_");
    (void)base64_put(&text, slice_of(bytes, sizeof bytes));
    hob_assert(text.size == SECRET_TEXT_BYTES + 1); /* and a '=' */
    for (size_t i = 0; i < SECRET_TEXT_BYTES; i++) {
        char c = text.bytes[i];
        if (c == '+') c = '-';
        if (c == '/') c = '_';
        ret_secret->text[i] = c;
    }
    digest_sha256(slice_of(ret_secret->text, SECRET_TEXT_BYTES), ret_secret->hash);
}

static enum hob_status host_audit(
    void *context, hob_ns since_ns, uint32_t count_max, struct buf *out, struct hob_error *err
) {
    return audit_read(context, since_ns, count_max, out, err);
}

static bool host_is_congested(void *context) {
    struct server *server = context;
    return space_is_congested(server->space);
}

static struct client *client_of(struct server *server, const struct session *session) {
    hob_assert(session->id >= 1 && session->id <= server->client_capacity);
    struct client *client = server->clients[session->id - 1];
    hob_assert(client->session == session);
    return client;
}

static enum login
host_login(void *context, struct session *session, struct slice name, struct slice token) {
    struct server *server = context;
    return door_login(server, client_of(server, session), name, token);
}

/* In the log once a connection: who tries all day shall not fill it. */
static void host_denied(void *context, struct session *session) {
    struct server *server = context;
    struct client *client = client_of(server, session);
    server->door.denied++;
    if (client->is_denied) return;
    client->is_denied = true;
    if (!access_is_stranger(session->access)) audit_denied(server, client);
    char peer[NET_ADDRESS_BYTES_MAX];
    conn_peer(client->conn, peer);
    log_warn(
        "a request was refused",
        log_str("peer", peer),
        log_text("token", session->access == NULL ? SLICE_NONE : session->access->name),
        log_str("wanted", scope_word(session->scope))
    );
}

static bool host_host_is_own(void *context, struct session *session, struct slice host) {
    struct server *server = context;
    return conn_is_pipe(client_of(server, session)->conn) || names_hold(server->options, host);
}

/* Leases whose bytes have left need no remembering. They are at the front. */
static void told_prune(struct client *client) {
    uint64_t handed = conn_handed(client->conn);
    uint32_t gone = 0;
    while (gone < client->told_count && client->told[gone].position <= handed) gone++;
    client->told_count -= gone;
    if (gone == 0 || client->told_count == 0) return;
    memmove(client->told, client->told + gone, client->told_count * sizeof *client->told);
}

static void host_leased(void *context, struct session *session, struct lease_ref lease) {
    struct server *server = context;
    struct client *client = client_of(server, session);
    if (client->told_count == client->told_capacity) told_prune(client);
    uint32_t count = client->told_count;
    if (count == client->told_capacity) {
        uint32_t capacity = count == 0 ? ROOM_FIRST : count * 2;
        size_t each = sizeof *client->told;
        client->told = mem_resize(&server->mem, client->told, count * each, capacity * each);
        client->told_capacity = capacity;
    }
    client->told[count] = (struct told){
        .position = conn_position(client->conn),
        .lease = lease,
    };
    client->told_count = count + 1;
}

static void host_give_back(void *context, struct lease_ref lease) {
    struct server *server = context;
    uint32_t count = server->return_count;
    if (count == server->return_capacity) {
        uint32_t capacity = count == 0 ? ROOM_FIRST : count * 2;
        size_t each = sizeof *server->returns;
        server->returns = mem_resize(&server->mem, server->returns, count * each, capacity * each);
        server->return_capacity = capacity;
    }
    server->returns[count] = lease;
    server->return_count = count + 1;
}

/* Releasing may lease the job to somebody whose reply does not fit either; such returns wait for
 * the next turn. */
void server_returns_apply(struct server *server) {
    uint32_t count = server->return_count;
    for (uint32_t i = 0; i < count; i++) {
        struct command command = {
            .type = COMMAND_RELEASE,
            .release = {.lease = server->returns[i]},
        };
        struct answer answer;
        space_apply(server->space, &command, &answer);
    }
    uint32_t left = server->return_count - count;
    for (uint32_t i = 0; i < left; i++) server->returns[i] = server->returns[count + i];
    server->return_count = left;
    if (left > 0) net_again(server->net);
}

static void host_worker_registered(void *context, struct session *session) {
    struct server *server = context;
    struct client *client = client_of(server, session);
    if (!link_is_listed(&client->worker)) list_append(&server->workers, &client->worker);
}

static void host_subscribe(void *context, struct session *session, bool on) {
    struct server *server = context;
    struct client *client = client_of(server, session);
    hob_assert(link_is_listed(&client->subscriber) != on);
    if (on) {
        list_append(&server->subscribers, &client->subscriber);
    } else {
        link_remove(&client->subscriber);
    }
}

static void host_metrics(void *context, struct buf *out) {
    metrics_put(context, out);
}

static void host_served(void *context, const char *protocol, struct slice op, struct slice code) {
    struct server *server = context;
    metrics_served(&server->metrics, protocol, op, code);
}

static void host_refused(void *context, struct session *session, const struct refusal *refusal) {
    struct server *server = context;
    if (!story_wants_refusal(refusal)) return;
    char peer[NET_ADDRESS_BYTES_MAX];
    conn_peer(client_of(server, session)->conn, peer);
    story_refusal(&server->story, server->host.now_ns, refusal, peer);
}

const struct host_ops server_host_ops = {
    .apply = host_apply,
    .job = host_job,
    .find_ref = host_find_ref,
    .list = host_list,
    .queue = host_queue,
    .queue_at = host_queue_at,
    .kind_oldest = host_kind_oldest,
    .valve = host_valve,
    .valves = host_valves,
    .next = host_next,
    .worker_at = host_worker_at,
    .stats = host_stats,
    .statistics = host_statistics,
    .unserved = host_unserved,
    .explain = host_explain,
    .estimate = host_estimate,
    .body = host_body,
    .token_at = host_token_at,
    .token_draw = host_token_draw,
    .login = host_login,
    .denied = host_denied,
    .host_is_own = host_host_is_own,
    .audit = host_audit,
    .is_congested = host_is_congested,
    .leased = host_leased,
    .give_back = host_give_back,
    .worker_registered = host_worker_registered,
    .subscribe = host_subscribe,
    .metrics = host_metrics,
    .served = host_served,
    .refused = host_refused,
};
