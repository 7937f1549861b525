/* SPDX-License-Identifier: Apache-2.0 */
/* Workers. Over HTTP nothing tells that a worker lives but its beats, so a worker that is written
 * with curl registers, and beats while it runs a job that is longer than its lease. */
#include "base/assert.h"
#include "dialect/http/core.h"

#define ALIVE_DEFAULT_NS (15 * NS_PER_SECOND)

struct worker_request {
    uint32_t slots;
    hob_ns alive_ns;
    hob_ns grace_ns;
    struct slice labels;
    bool fresh;
};

static const struct option worker_rows[] = {
    {NULL,
     "slots",
     OPTION_U32,
     offsetof(struct worker_request, slots),
     OPTION_NO_HAS,
     1,
     WORKER_SLOTS_MAX,
     NULL},
    {NULL,
     "labels",
     OPTION_TAGS,
     offsetof(struct worker_request, labels),
     OPTION_NO_HAS,
     0,
     0,
     NULL},
    {NULL, "fresh", OPTION_FLAG, offsetof(struct worker_request, fresh), OPTION_NO_HAS, 0, 0, NULL},
};
static const struct option beat_rows[] = {
    {NULL,
     "alive",
     OPTION_SPAN,
     offsetof(struct worker_request, alive_ns),
     OPTION_NO_HAS,
     LEASE_MIN_NS,
     LEASE_MAX_NS,
     NULL},
    {NULL,
     "grace",
     OPTION_SPAN,
     offsetof(struct worker_request, grace_ns),
     OPTION_NO_HAS,
     0,
     LEASE_MAX_NS,
     NULL},
};
const struct option_set http_worker_options = {worker_rows, hob_countof(worker_rows)};
const struct option_set http_beat_options = {beat_rows, hob_countof(beat_rows)};

static bool take_name(struct http_session *session, const struct call *call) {
    return option_name("worker", call->name, &session->base.host->complaint);
}

/* A scan: workers are few, and to ask for one is rare. */
static bool find(struct http_session *session, struct slice name, struct worker_view *ret_worker) {
    struct host *host = session->base.host;
    for (uint32_t at = 0; at < WORKERS_MAX; at++) {
        if (!host->ops->worker_at(host->context, at, ret_worker)) return false;
        if (slice_equal(ret_worker->name, name)) return true;
    }
    return false;
}

static void show(struct http_session *session, struct slice name) {
    struct worker_view worker;
    if (!find(session, name, &worker)) {
        http_problem(session, 404, "NOWORKER", SLICE("there is no such worker, or no more"));
        return;
    }
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_worker(&fields, &worker);
    struct json_put put = http_json(session);
    if (http_put_fields(session, &put, &fields)) http_reply_json(session, 200);
}

void http_worker(struct http_session *session, const struct call *call) {
    if (take_name(session, call)) {
        show(session, call->name);
    } else {
        http_refuse(session);
    }
}

/* The kinds of a worker, while its members are read. */
struct kinds {
    struct slice names[WORKER_KINDS_MAX];
    uint32_t count;
};

static bool take_worker(
    struct http_session *session,
    const struct call *call,
    struct worker_request *request,
    struct kinds *kinds
) {
    if (!take_name(session, call)) return false;
    struct json_walk walk = json_walk(call->json);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        bool good = false;
        if (json_key_is(key, SLICE("kinds"))) {
            struct http_names names = {kinds->names, WORKER_KINDS_MAX, option_name};
            good = http_name_list(session, "kinds", value, names, &kinds->count);
        } else {
            good = http_member(session, http_worker_options, key, value, request);
        }
        if (!good) return false;
    }
    return true;
}

static void
apply_and_show(struct http_session *session, const struct call *call, struct command *command) {
    struct answer answer;
    session_apply(&session->base, command, &answer);
    if (answer.code == ANSWER_OK) {
        show(session, call->name);
    } else {
        http_answer_problem(session, &answer);
    }
}

void http_worker_set(struct http_session *session, const struct call *call) {
    struct worker_request request = {0};
    struct kinds kinds = {.count = 0};
    if (!take_worker(session, call, &request, &kinds)) {
        http_refuse(session);
        return;
    }
    struct command command = {
        .type = COMMAND_WORKER_SET,
        .worker_set =
            {
                .worker = call->name,
                .slots = request.slots,
                .kinds = kinds.names,
                .kind_count = kinds.count,
                .labels = request.labels,
                .fresh = request.fresh,
            },
    };
    apply_and_show(session, call, &command);
}

/* One of the leases that a worker says it holds: {"id","token"}. */
static bool
take_hold(struct http_session *session, struct json_value item, struct lease_ref *ret_lease) {
    struct lease_ref lease = {0};
    struct json_walk walk = json_walk(item);
    struct slice key;
    struct json_value value;
    if (item.type != JSON_IS_OBJECT) {
        struct buf *complaint = &session->base.host->complaint;
        return complain(complaint, "holds", item.raw, "objects with an id and a token");
    }
    while (json_next_member(&walk, &key, &value)) {
        bool is_id = json_key_is(key, SLICE("id"));
        if (!is_id && !json_key_is(key, SLICE("token"))) {
            struct buf *complaint = &session->base.host->complaint;
            return complain(complaint, "holds", item.raw, "objects with an id and a token");
        }
        uint64_t *number = is_id ? &lease.id : &lease.token;
        if (!http_id_member(session, is_id ? "id" : "token", value, number)) return false;
    }
    *ret_lease = lease;
    return (lease.id != 0 || http_missing(session, "id")) &&
           (lease.token != 0 || http_missing(session, "token"));
}

static bool take_holds(struct http_session *session, struct json_value list, struct buf *room) {
    struct json_walk walk = json_walk(list);
    struct json_value item;
    bool fits = list.type == JSON_IS_ARRAY;
    while (fits && json_next_item(&walk, &item)) {
        struct lease_ref lease;
        if (!take_hold(session, item, &lease)) return false;
        fits = buf_put(room, &lease, sizeof lease);
    }
    if (fits) return true;
    struct buf *complaint = &session->base.host->complaint;
    return complain(complaint, "holds", list.raw, "an array of at most 100000 leases");
}

static bool take_beat(
    struct http_session *session,
    const struct call *call,
    struct worker_beat_command *beat,
    struct buf *room
) {
    struct worker_request request = {
        .alive_ns = ALIVE_DEFAULT_NS, .grace_ns = HOLDS_GRACE_DEFAULT_NS};
    if (!take_name(session, call)) return false;
    struct json_walk walk = json_walk(call->json);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        bool good = false;
        if (json_key_is(key, SLICE("holds"))) {
            beat->has_holds = value.type != JSON_IS_NULL;
            good = !beat->has_holds || take_holds(session, value, room);
        } else {
            good = http_member(session, http_beat_options, key, value, &request);
        }
        if (!good) return false;
    }
    beat->worker = call->name;
    beat->alive_ns = request.alive_ns;
    beat->young_ns = request.grace_ns;
    beat->holds = (const struct lease_ref *)(const void *)room->bytes;
    beat->hold_count = (uint32_t)(room->size / sizeof(struct lease_ref));
    return true;
}

void http_worker_beat(struct http_session *session, const struct call *call) {
    struct command command = {.type = COMMAND_WORKER_BEAT};
    HOB_AUTO_BUF struct buf room = buf_make(WORKER_HOLDS_MAX * sizeof(struct lease_ref));
    if (!take_beat(session, call, &command.worker_beat, &room)) {
        http_refuse(session);
        return;
    }
    apply_and_show(session, call, &command);
}
