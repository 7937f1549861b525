/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/fetch. */
#include "dialect/http/core.h"

/* The queues of a fetch, while its members are read. */
struct queues {
    struct slice names[FETCH_QUEUES_MAX];
    uint32_t count;
};

static bool
take_queues(struct http_session *session, struct json_value value, struct queues *queues) {
    struct buf *complaint = &session->base.host->complaint;
    struct json_walk walk = json_walk(value);
    struct json_value item;
    while (json_next_item(&walk, &item)) {
        if (queues->count == FETCH_QUEUES_MAX) break;
        struct slice *name = &queues->names[queues->count];
        if (!json_text(item, &session->base.host->scratch, name)) {
            return complain(complaint, "queues", item.raw, "a string");
        }
        if (!option_name("queues", *name, complaint)) return false;
        queues->count++;
    }
    bool all = !json_next_item(&walk, &item);
    if (value.type == JSON_IS_ARRAY && queues->count > 0 && all) return true;
    return complain(complaint, "queues", value.raw, "an array of 1 to 256 names");
}

static bool take_fetch(
    struct http_session *session,
    struct json_value object,
    struct fetch_request *request,
    struct queues *queues
) {
    struct json_walk walk = json_walk(object);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        bool good = json_key_is(key, SLICE("queues"))
                        ? queues->count == 0 && take_queues(session, value, queues)
                        : http_member(session, fetch_options, key, value, request);
        if (!good) return false;
    }
    if (request->fetch.worker.size == 0) return http_missing(session, "worker");
    if (queues->count == 0) return http_missing(session, "queues");
    request->fetch.queues = queues->names;
    request->fetch.queue_count = queues->count;
    return true;
}

void http_fetch(struct http_session *session, const struct call *call) {
    struct fetch_request request = {0};
    struct queues queues = {.count = 0};
    buf_reset(&session->base.host->complaint);
    if (!take_fetch(session, call->json, &request, &queues)) {
        http_refuse(session);
        return;
    }
    struct command command = {.type = COMMAND_FETCH, .fetch = request.fetch};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_WAITING) {
        session->awaited = HTTP_AWAITED_JOBS;
    } else {
        http_reply_fetched(session, &answer);
    }
}
