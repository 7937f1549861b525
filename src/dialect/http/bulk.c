/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/jobs with one job a line. Lines are pushed one after the other, each for itself, and
 * answered by a line each: what was pushed, or why not. With ?atomic=true all of them are pushed or
 * none: then the answer has a line for each, or it is one problem, which names the `item`. */
#include "dialect/bulk.h"

#include "dialect/http/core.h"

static uint64_t count_lines(struct slice body) {
    uint64_t count = 0;
    struct slice line;
    while (http_line_next(&body, &line)) count++;
    return count;
}

/* The job of line @at of @count. */
static bool take_line(
    struct http_session *session,
    struct slice line,
    const struct bulk_request *bulk,
    uint64_t at,
    uint64_t count,
    struct push_request *request
) {
    struct json_value object;
    return http_line_parse(session, line, &object) && http_take_push(session, object, request) &&
           bulk_spread(session->base.host, bulk, &request->push, at, count);
}

static void
push_line(struct http_session *session, const struct push_request *request, struct json_put *put) {
    struct command command = {.type = COMMAND_PUSH, .push = request->push};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_OK) {
        struct pushed pushed = {answer.id, answer.state, answer.duplicate};
        http_put_pushed(put, &pushed);
    } else {
        http_put_refusal(session, put, 0, &answer);
    }
}

static void
push_each(struct http_session *session, struct slice body, const struct bulk_request *bulk) {
    struct host *host = session->base.host;
    uint64_t count = bulk->spread_ns == 0 ? UINT64_MAX : count_lines(body);
    struct slice line;
    (void)http_json(session);
    for (uint64_t at = 0; http_line_next(&body, &line); at++) {
        struct push_request request = {.verbose = false};
        struct json_put put = json_put_to(&host->reply);
        buf_reset(&host->scratch);
        if (take_line(session, line, bulk, at, count, &request)) {
            push_line(session, &request, &put);
        } else {
            http_put_refused(&put, "BADARG", buf_slice(&host->complaint));
        }
        (void)buf_put_char(&host->reply, '\n');
    }
    http_reply(session, 200, "application/x-ndjson");
}

/* Decoded strings of all lines stay in the scratch room: it has been made large enough. */
static void
push_all(struct http_session *session, struct slice body, const struct bulk_request *asked) {
    struct host *host = session->base.host;
    uint64_t count = count_lines(body);
    if (!bulk_count_fits(host, count)) {
        http_refuse(session);
        return;
    }
    HOB_AUTO_BULK struct bulk bulk = bulk_make((uint32_t)count);
    struct slice line;
    while (http_line_next(&body, &line)) {
        struct push_request request = {.verbose = false};
        if (!take_line(session, line, asked, bulk.count, count, &request)) {
            http_refuse_item(session, bulk.count + 1);
            return;
        }
        bulk_add(&bulk, &request);
    }
    struct answer answer;
    bulk_push(&session->base, &bulk, &answer);
    if (answer.code != ANSWER_OK) {
        http_answer_problem(session, &answer);
        return;
    }
    (void)http_json(session);
    for (uint32_t i = 0; i < answer.pushed_count; i++) {
        struct json_put put = json_put_to(&host->reply);
        http_put_pushed(&put, &answer.pushed[i]);
        (void)buf_put_char(&host->reply, '\n');
    }
    http_reply(session, 200, "application/x-ndjson");
}

void http_push_lines(struct http_session *session, const struct call *call) {
    struct bulk_request bulk = {.atomic = false};
    if (!http_query(session, call, &bulk)) {
        http_refuse(session);
    } else if (bulk.atomic) {
        push_all(session, call->request->body, &bulk);
    } else {
        push_each(session, call->request->body, &bulk);
    }
}
