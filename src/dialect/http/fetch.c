/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/fetch. */
#include "dialect/http/core.h"

/* The queues of a fetch, while its members are read. */
struct queues {
    struct slice names[FETCH_QUEUES_MAX];
    uint32_t count;
};

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
        struct http_names names = {queues->names, FETCH_QUEUES_MAX, option_pattern};
        bool good = json_key_is(key, SLICE("queues"))
                        ? http_name_list(session, "queues", value, names, &queues->count)
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
