/* SPDX-License-Identifier: Apache-2.0 */
/* A host over a space whose journal is memory; what a server does with sockets is done with
 * buffers here. */
#include "dialect/rig.h"

#include <stdlib.h>

#include "base/assert.h"
#include "wire/resp.h"

enum { IN_BYTES_MAX = 64 << 20 };

/* --- the host --- */

static void op_apply(void *context, const struct command *command, struct answer *ret_answer) {
    struct rig *rig = context;
    space_apply(rig->space, command, ret_answer);
}

static bool op_job(void *context, uint64_t id, struct job_view *ret_view) {
    struct rig *rig = context;
    return engine_job(space_engine(rig->space), id, ret_view);
}

static uint64_t op_find_ref(void *context, struct slice ref) {
    struct rig *rig = context;
    return engine_find_ref(space_engine(rig->space), ref);
}

static uint64_t
op_list(void *context, const struct host_list *list, uint64_t *ret_ids, uint32_t *ret_count) {
    struct rig *rig = context;
    struct job_filter filter = {
        .queue = list->queue, .kind = list->kind, .states = list->states, .marks = list->marks};
    const struct engine *engine = space_engine(rig->space);
    struct page_limits limits = {list->before_id, 1000, list->count_max};
    return engine_list(engine, &filter, limits, ret_ids, ret_count);
}

static bool op_queue(void *context, struct slice name, struct queue_view *ret_view) {
    struct rig *rig = context;
    return engine_queue(space_engine(rig->space), name, ret_view);
}

static bool op_queue_at(void *context, uint32_t at, struct queue_view *ret_view) {
    struct rig *rig = context;
    return engine_queue_at(space_engine(rig->space), at, ret_view);
}

static uint32_t op_next(void *context, struct slice queue, uint32_t count_max, uint64_t *ret_ids) {
    struct rig *rig = context;
    return engine_next(space_engine(rig->space), queue, count_max, ret_ids);
}

static hob_ns op_kind_oldest(void *context, struct slice kind) {
    struct rig *rig = context;
    return engine_kind_oldest(space_engine(rig->space), kind);
}

static bool op_valve(void *context, const struct valve_name *name, struct valve_view *ret_view) {
    struct rig *rig = context;
    return engine_valve(space_engine(rig->space), name, ret_view);
}

static uint32_t
op_valves(void *context, const struct valve_filter *filter, struct slice *ret_names) {
    struct rig *rig = context;
    return engine_valves(space_engine(rig->space), filter, ret_names);
}

static bool op_worker_at(void *context, uint32_t at, struct worker_view *ret_view) {
    struct rig *rig = context;
    return engine_worker_at(space_engine(rig->space), at, ret_view);
}

/* Nothing is counted here. */
static bool op_statistics(
    void *context, const struct statistics_asked *asked, struct statistics_view *ret_view
) {
    (void)context;
    (void)asked;
    *ret_view = (struct statistics_view){.since_ns = NS_PER_MINUTE};
    return false;
}

static void op_stats(void *context, struct host_stats *ret_stats) {
    struct rig *rig = context;
    *ret_stats = (struct host_stats){.connections = 1};
    engine_stats(space_engine(rig->space), &ret_stats->engine);
}

static void op_unserved(void *context, struct unserved_list *ret_list) {
    struct rig *rig = context;
    engine_unserved(space_engine(rig->space), rig->host.now_ns, 1000, ret_list);
}

static bool op_explain(void *context, uint64_t id, struct explanation *ret_explanation) {
    struct rig *rig = context;
    return engine_explain(space_engine(rig->space), rig->host.now_ns, id, ret_explanation);
}

static hob_ns op_estimate(void *context, uint64_t id) {
    struct rig *rig = context;
    return engine_estimate(space_engine(rig->space), rig->host.now_ns, id);
}

static enum hob_status
op_body(void *context, uint64_t body_id, struct buf *out, struct hob_error *err) {
    struct rig *rig = context;
    return space_body(rig->space, body_id, out, err);
}

static bool op_token_at(void *context, uint32_t at, struct token_view *ret_view) {
    struct rig *rig = context;
    return engine_token_at(space_engine(rig->space), at, ret_view);
}

/* "hob_" and a number that counts up; its hash is the text, cut. */
static void op_token_draw(void *context, struct secret *ret_secret) {
    struct rig *rig = context;
    memset(ret_secret, 'a', sizeof *ret_secret);
    memcpy(ret_secret->text, "hob_", 4);
    rig->drawn++;
    ret_secret->text[4] = (char)('0' + rig->drawn % 10);
    memcpy(ret_secret->hash, ret_secret->text, sizeof ret_secret->hash);
}

/* What tests have put into session->access stays when nothing is shown. */
static enum login
op_login(void *context, struct session *session, struct slice name, struct slice token) {
    struct rig *rig = context;
    (void)name;
    if (token.size == 0) return LOGIN_OK;
    if (!slice_equal(token, SLICE("good"))) return rig->throttled ? LOGIN_LATER : LOGIN_UNKNOWN;
    session->access = rig->access;
    return LOGIN_OK;
}

static void op_denied(void *context, struct session *session) {
    struct rig *rig = context;
    hob_assert(session->access != NULL);
    rig->denied++;
}

static bool op_host_is_own(void *context, struct session *session, struct slice host) {
    (void)context;
    (void)session;
    return !slice_equal(host, SLICE("evil.example"));
}

static enum hob_status op_audit(
    void *context, hob_ns since_ns, uint32_t count_max, struct buf *out, struct hob_error *err
) {
    (void)context;
    (void)since_ns;
    (void)err;
    if (count_max > 0) (void)buf_put_str(out, "{\"what\":\"pause\"}\n");
    return HOB_OK;
}

static bool op_is_congested(void *context) {
    struct rig *rig = context;
    return rig->congested;
}

static void op_leased(void *context, struct session *session, struct lease_ref lease) {
    struct rig *rig = context;
    hob_assert(session->id >= 1 && session->id <= RIG_CLIENTS_MAX);
    hob_assert(lease.token != 0);
    rig->leased++;
}

static void op_give_back(void *context, struct lease_ref lease) {
    struct rig *rig = context;
    hob_assert(rig->return_count < RIG_RETURNS_MAX);
    rig->returns[rig->return_count++] = lease;
}

static void op_worker_registered(void *context, struct session *session) {
    (void)context;
    hob_assert(session->worker_size > 0);
}

static void op_subscribe(void *context, struct session *session, bool on) {
    struct rig *rig = context;
    rig->subscribed = on ? rig->subscribed + 1 : rig->subscribed - 1;
    hob_assert(session->is_subscribed == on);
    hob_assert(rig->subscribed <= RIG_CLIENTS_MAX);
}

static void op_metrics(void *context, struct buf *out) {
    const struct rig *rig = context;
    (void)buf_printf(out, "rig_requests_total %u\n", rig->served);
}

static void op_served(void *context, const char *protocol, struct slice op, struct slice code) {
    struct rig *rig = context;
    hob_assert(protocol != NULL);
    hob_assert(op.size > 0);
    hob_assert(code.size > 0);
    rig->served++;
}

/* As "GET /v1/jobs 400 BADARG" or "ACK STALE". */
static void op_refused(void *context, struct session *session, const struct refusal *refusal) {
    struct rig *rig = context;
    (void)session;
    buf_reset(&rig->refused);
    (void)buf_put_slice(&rig->refused, refusal->method);
    if (refusal->status != 0) {
        (void)buf_put_char(&rig->refused, ' ');
        (void)buf_put_slice(&rig->refused, refusal->path);
        (void)buf_put_char(&rig->refused, ' ');
        (void)buf_put_u64(&rig->refused, refusal->status);
    }
    (void)buf_put_char(&rig->refused, ' ');
    (void)buf_put_slice(&rig->refused, refusal->code);
}

static const struct host_ops rig_ops = {
    .apply = op_apply,
    .job = op_job,
    .find_ref = op_find_ref,
    .list = op_list,
    .queue = op_queue,
    .queue_at = op_queue_at,
    .kind_oldest = op_kind_oldest,
    .valve = op_valve,
    .valves = op_valves,
    .next = op_next,
    .worker_at = op_worker_at,
    .stats = op_stats,
    .statistics = op_statistics,
    .unserved = op_unserved,
    .explain = op_explain,
    .estimate = op_estimate,
    .body = op_body,
    .token_at = op_token_at,
    .token_draw = op_token_draw,
    .login = op_login,
    .denied = op_denied,
    .host_is_own = op_host_is_own,
    .audit = op_audit,
    .is_congested = op_is_congested,
    .leased = op_leased,
    .give_back = op_give_back,
    .worker_registered = op_worker_registered,
    .subscribe = op_subscribe,
    .metrics = op_metrics,
    .served = op_served,
    .refused = op_refused,
};

static void sink_answer(void *context, const struct answer *answer) {
    struct rig *rig = context;
    struct rig_client *client = &rig->clients[(answer->request >> 32) - 1];
    /* A wait that something else has answered may not be forgotten yet. */
    if (client->session->waiting != answer->request) return;
    session_answer(client->session, answer);
    client->next = SESSION_READ;
}

static void sink_notice(void *context, const struct notice *notice) {
    struct rig *rig = context;
    for (size_t i = 0; i < RIG_CLIENTS_MAX; i++) {
        struct session *session = rig->clients[i].session;
        if (session == NULL || !slice_equal(session_worker(session), notice->worker)) continue;
        struct lease_ref lease = {.id = notice->id, .token = notice->token};
        session->dialect->lost(session, lease, notice->cause);
    }
}

static void resume(struct rig_client *client) {
    if (!client->session->resumes) return;
    client->session->resumes = false;
    client->next = SESSION_READ;
}

static void sink_event(void *context, const struct event *event) {
    struct rig *rig = context;
    host_event(&rig->host, event);
    for (size_t i = 0; rig->subscribed > 0 && i < RIG_CLIENTS_MAX; i++) {
        struct session *session = rig->clients[i].session;
        if (session == NULL || !session->is_subscribed) continue;
        session_event(session, event);
        resume(&rig->clients[i]);
    }
}

static void no_wake(void *context) {
    (void)context;
}

void rig_init(struct rig *rig) {
    *rig = (struct rig){.now_ns = RIG_START_NS, .refused = buf_make(1024)};
    struct hob_error err = {0};
    struct journal *journal = NULL;
    struct journal_wake wake = {.call = no_wake};
    enum hob_status status = journal_memory_open(0, wake, &journal, &err);
    hob_assert(status == HOB_OK);
    struct space_options options = {
        .sink = {.context = rig, .answer = sink_answer, .notice = sink_notice, .event = sink_event},
    };
    struct space_recovery recovery;
    status = space_open(journal, &options, rig->now_ns, &rig->space, &recovery, &err);
    hob_assert(status == HOB_OK);
    host_init(&rig->host, &rig_ops, rig, &rig->mem);
    rig->host.version = "0.0.0";
    rig->host.epoch = 0xe;
}

void rig_deinit(struct rig *rig) {
    for (size_t i = 0; i < RIG_CLIENTS_MAX; i++) rig_disconnect(&rig->clients[i]);
    space_close(rig->space);
    host_deinit(&rig->host);
    buf_deinit(&rig->refused);
    hob_assert(rig->mem.used_bytes == 0);
}

/* --- turns --- */

static void serve(struct rig_client *client) {
    while (client->session != NULL && client->next == SESSION_READ) {
        size_t used = 0;
        struct session *session = client->session;
        client->next = session->dialect->input(session, buf_slice(&client->in), &used);
        buf_consume(&client->in, used);
        if (used == 0 || client->in.size == 0) break;
    }
}

static void turn(struct rig *rig) {
    rig->host.now_ns = rig->now_ns;
    space_turn_begin(rig->space, rig->now_ns);
    for (size_t i = 0; i < RIG_CLIENTS_MAX; i++) serve(&rig->clients[i]);
    for (uint32_t i = 0; i < rig->return_count; i++) {
        struct command release = {.type = COMMAND_RELEASE, .release.lease = rig->returns[i]};
        struct answer answer;
        space_apply(rig->space, &release, &answer);
    }
    rig->return_count = 0;
    (void)space_turn_end(rig->space);
    struct hob_error err = {0};
    enum hob_status status = space_flush(rig->space, &err);
    hob_assert(status == HOB_OK);
    host_trim(&rig->host);
}

struct rig_client *rig_connect(struct rig *rig, size_t at, const struct dialect *dialect) {
    hob_assert(at < RIG_CLIENTS_MAX);
    struct rig_client *client = &rig->clients[at];
    hob_assert(client->session == NULL);
    *client = (struct rig_client){
        .rig = rig,
        .session = dialect->open(&rig->host),
        .in = buf_make(IN_BYTES_MAX),
        .out = buf_make(OUT_BYTES_MAX),
    };
    client->session->id = (uint32_t)at + 1;
    client->session->serial = at + 1;
    client->session->out = &client->out;
    return client;
}

void rig_disconnect(struct rig_client *client) {
    if (client->session == NULL) return;
    struct rig *rig = client->rig;
    space_turn_begin(rig->space, rig->now_ns);
    session_forget(client->session);
    session_subscribe(client->session, false);
    client->session->dialect->close(client->session);
    client->session = NULL;
    (void)space_turn_end(rig->space);
    buf_deinit(&client->in);
    buf_deinit(&client->out);
}

void rig_send(struct rig_client *client, struct slice bytes) {
    buf_reset(&client->out);
    (void)buf_put_slice(&client->in, bytes);
    if (client->next == SESSION_YIELD) client->next = SESSION_READ;
    turn(client->rig);
}

void rig_beat(struct rig *rig) {
    space_turn_begin(rig->space, rig->now_ns);
    for (size_t i = 0; i < RIG_CLIENTS_MAX; i++) {
        struct session *session = rig->clients[i].session;
        if (session == NULL || !session->is_subscribed) continue;
        if (session->dialect->beat != NULL) session->dialect->beat(session);
        resume(&rig->clients[i]);
    }
    host_beat(&rig->host);
    (void)space_turn_end(rig->space);
}

void rig_advance(struct rig *rig, hob_ns span) {
    rig->now_ns = ns_add(rig->now_ns, span);
    for (size_t i = 0; i < RIG_CLIENTS_MAX; i++) buf_reset(&rig->clients[i].out);
    turn(rig);
    turn(rig); /* who was answered in the first is served in the second */
}

const char *rig_text(struct rig_client *client) {
    char *end = buf_reserve(&client->out, 1);
    hob_assert(end != NULL);
    *end = '\0';
    return client->out.bytes;
}

const char *rig_resp(struct rig_client *client, const char *const *words) {
    size_t count = 0;
    while (words[count] != NULL) count++;
    HOB_AUTO_BUF struct buf request = buf_make(IN_BYTES_MAX);
    resp_put_array(&request, count);
    for (size_t i = 0; i < count; i++) resp_put_bulk(&request, slice_str(words[i]));
    rig_send(client, buf_slice(&request));
    return rig_text(client);
}

const char *
rig_http(struct rig_client *client, const char *method, const char *path, const char *body) {
    HOB_AUTO_BUF struct buf request = buf_make(IN_BYTES_MAX);
    (void)buf_printf(&request, "%s %s HTTP/1.1\r\nHost: h\r\n", method, path);
    if (body != NULL) {
        (void)buf_printf(
            &request, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body)
        );
    }
    (void)buf_put_str(&request, "\r\n");
    if (body != NULL) (void)buf_put_str(&request, body);
    rig_send(client, buf_slice(&request));
    return rig_text(client);
}
