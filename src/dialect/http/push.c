/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/jobs: one job; one a line: bulk.c.
 *
 * One job is accepted (202): its result comes later, at Location, about when Retry-After says. Who
 * prefers to wait (RFC 7240) gets the whole job, as it is at the end or when the time is over. */
#include "dialect/bulk.h"
#include "dialect/http/core.h"
#include "dialect/ondone.h"
#include "dialect/uniqueby.h"

bool http_take_push(
    struct http_session *session, struct json_value object, struct push_request *request
) {
    struct json_walk walk = json_walk(object);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        bool good = false;
        if (!http_bytes(session, "payload", key, value, &request->push.payload, &good)) {
            good = http_member(session, push_options, key, value, request);
        }
        if (!good) return false;
    }
    if (request->push.queue.size == 0) return http_missing(session, "queue");
    if (request->push.kind.size == 0) return http_missing(session, "kind");
    if (!unique_take(session->base.host, request)) return false;
    if (request->on_done.size == 0) return true;
    return on_done_parse(session->base.host, request->on_done, &request->push.on_done);
}

static void
push(struct http_session *session, const struct push_request *request, struct answer *ret_answer) {
    struct command command = {.type = COMMAND_PUSH, .push = request->push};
    session_apply(&session->base, &command, ret_answer);
}

void http_put_pushed(struct json_put *put, const struct pushed *pushed) {
    json_put_object(put);
    json_put_key(put, "id");
    json_put_id(put, pushed->id);
    json_put_key(put, "state");
    json_put_str(put, job_state_word(pushed->state));
    json_put_key(put, "duplicate");
    json_put_bool(put, pushed->duplicate);
    json_put_object_end(put);
}

/* --- one job --- */

static bool take_key(struct http_session *session, const struct call *call, struct slice *ret_key) {
    struct slice key = SLICE_NONE;
    if (!http_header(call->request, SLICE("Idempotency-Key"), &key)) return true;
    *ret_key = key;
    if (key.size > 0 && key.size <= KEY_BYTES_MAX) return true;
    struct buf *complaint = &session->base.host->complaint;
    return complain(complaint, "Idempotency-Key", key, "a text of 1 to 255 bytes");
}

/* Not sooner than a second: who asks more often should wait instead. Nor later than an hour: a
 * guess about tomorrow may be asked for again. */
void http_put_estimate(struct http_session *session, uint64_t id) {
    enum { SECONDS_MAX = 3600 };
    const struct host *host = session->base.host;
    uint64_t seconds = http_seconds(host->ops->estimate(host->context, id));
    if (seconds == 0) seconds = 1;
    if (seconds > SECONDS_MAX) seconds = SECONDS_MAX;
    http_put_header_u64(session->base.out, "Retry-After", seconds);
}

static void reply_accepted(struct http_session *session, const struct answer *answer) {
    struct json_put put = http_json(session);
    session->returned_for = session->prefer.returns == RETURN_MINIMAL;
    if (session->returned_for) {
        http_head(session, answer->duplicate ? 200 : 202);
    } else {
        struct pushed pushed = {answer->id, answer->state, answer->duplicate};
        http_put_pushed(&put, &pushed);
        (void)buf_put_char(put.out, '\n');
        http_reply_head(session, answer->duplicate ? 200 : 202, "application/json");
    }
    http_put_location(session, "Location", answer->id);
    struct job_view job;
    if (!answer->duplicate && session_job(&session->base, answer->id, &job)) {
        http_put_estimate(session, job.id);
    }
    http_reply_body(session);
}

static void wait_for(struct http_session *session, uint64_t id, bool duplicate) {
    struct command command = {
        .type = COMMAND_WAIT,
        .wait = {.id = id, .wait_ns = session->prefer.wait_ns},
    };
    struct answer answer;
    session->waited_for = true;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_WAITING) {
        session->awaited = HTTP_AWAITED_PUSHED;
        session->awaited_id = id;
        session->awaited_duplicate = duplicate;
    } else {
        http_reply_pushed(session, id, duplicate);
    }
}

static void push_one(struct http_session *session, const struct call *call) {
    struct push_request request = {0};
    if (!take_key(session, call, &request.push.key) ||
        !http_take_push(session, call->json, &request)) {
        http_refuse(session);
        return;
    }
    struct answer answer;
    http_take_trace(session, call->request, &request.push.headers);
    push(session, &request, &answer);
    /* The whole job tells its result: a preference of who may only push is not applied. */
    bool may_read = access_allows(session->base.access, SCOPE_READ, request.push.queue);
    if (answer.code != ANSWER_OK) {
        http_answer_problem(session, &answer);
    } else if (may_read && session->prefer.wait_ns > 0) {
        wait_for(session, answer.id, answer.duplicate);
    } else if (may_read && session->prefer.returns == RETURN_REPRESENTATION) {
        session->returned_for = true;
        http_reply_pushed(session, answer.id, answer.duplicate);
    } else {
        reply_accepted(session, &answer);
    }
}

void http_push(struct http_session *session, const struct call *call) {
    struct bulk_request bulk = {.atomic = false};
    if (call->is_lines) {
        http_push_lines(session, call);
    } else if (!http_query(session, call, &bulk)) {
        http_refuse(session);
    } else if (bulk.atomic || bulk.spread_ns != 0) {
        struct buf *complaint = &session->base.host->complaint;
        (void)complain(
            complaint,
            "atomic and spread",
            SLICE_NONE,
            "for lines: Content-Type: application/x-ndjson"
        );
        http_refuse(session);
    } else {
        push_one(session, call);
    }
}
