/* SPDX-License-Identifier: Apache-2.0 */
/* What a person does to jobs and queues. */
#include "dialect/http/core.h"

static bool take_control(
    struct http_session *session, const struct call *call, struct control_command *control
) {
    if (http_id(session, call, &control->id) && http_fill(session, call, control)) {
        return true;
    }
    http_refuse(session);
    return false;
}

static void apply_for_state(struct http_session *session, struct command *command) {
    struct answer answer;
    session_apply(&session->base, command, &answer);
    http_reply_state(session, &answer);
}

void http_cancel(struct http_session *session, const struct call *call) {
    struct command command = {.type = COMMAND_CANCEL};
    if (take_control(session, call, &command.cancel)) apply_for_state(session, &command);
}

void http_discard(struct http_session *session, const struct call *call) {
    struct command command = {.type = COMMAND_DISCARD};
    if (take_control(session, call, &command.discard)) apply_for_state(session, &command);
}

void http_retry(struct http_session *session, const struct call *call) {
    struct command command = {.type = COMMAND_RETRY};
    if (take_control(session, call, &command.retry)) apply_for_state(session, &command);
}

void http_delete(struct http_session *session, const struct call *call) {
    struct command command = {.type = COMMAND_DELETE};
    if (!http_id(session, call, &command.delete.id)) {
        http_refuse(session);
        return;
    }
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code != ANSWER_OK) {
        http_answer_problem(session, &answer);
        return;
    }
    http_reply_empty(session, 204);
}

/* --- queues --- */

static void show_queue(struct http_session *session, struct slice name) {
    struct host *host = session->base.host;
    struct queue_view queue;
    if (!session_sees(&session->base, name)) {
        struct answer denied = session_denied_queue(&session->base);
        http_answer_problem(session, &denied);
        return;
    }
    if (!host->ops->queue(host->context, name, &queue)) {
        struct answer none = {.code = ANSWER_NO_QUEUE};
        http_answer_problem(session, &none);
        return;
    }
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_queue(&fields, &queue);
    struct json_put put = http_json(session);
    if (!http_put_fields(session, &put, &fields)) return;
    if (session->route->method == HTTP_METHOD_GET) {
        http_reply_tagged(session, 0, 0);
    } else {
        http_reply_json(session, 200);
    }
}

/* Apply, then show the queue as it is now. */
static void
apply_to_queue(struct http_session *session, const struct call *call, struct command *command) {
    struct answer answer;
    session_apply(&session->base, command, &answer);
    if (answer.code == ANSWER_OK) {
        show_queue(session, call->name);
    } else {
        http_answer_problem(session, &answer);
    }
}

void http_queue(struct http_session *session, const struct call *call) {
    if (http_queue_name(session, call)) {
        show_queue(session, call->name);
    } else {
        http_refuse(session);
    }
}

void http_queue_set(struct http_session *session, const struct call *call) {
    struct queue_request request = {.set = {.queue = call->name}};
    if (!http_queue_name(session, call) || !http_fill(session, call, &request)) {
        http_refuse(session);
        return;
    }
    struct host *host = session->base.host;
    struct queue_view now = {
        .keep_completed_ns = KEEP_COMPLETED_DEFAULT_NS,
        .keep_completed_count = KEEP_COMPLETED_COUNT_DEFAULT,
        .keep_failed_ns = KEEP_FAILED_DEFAULT_NS,
        .keep_failed_count = KEEP_FAILED_COUNT_DEFAULT,
    };
    (void)host->ops->queue(host->context, call->name, &now);
    queue_request_end(&request, &now);
    struct command command = {.type = COMMAND_QUEUE_SET, .queue_set = request.set};
    apply_to_queue(session, call, &command);
}

void http_pause(struct http_session *session, const struct call *call) {
    struct pause_request request = {.pause = {.queue = call->name}};
    bool good = http_queue_name(session, call) && http_fill(session, call, &request);
    if (good && request.for_ns != 0 && request.pause.until_ns != 0) {
        struct buf *complaint = &session->base.host->complaint;
        buf_reset(complaint);
        good = buf_put_str(complaint, "until and for: give one of them") && false;
    }
    if (!good) {
        http_refuse(session);
        return;
    }
    struct command command = {.type = COMMAND_PAUSE, .pause = request.pause};
    if (request.for_ns != 0) {
        command.pause.until_ns = ns_add(session->base.host->now_ns, request.for_ns);
    }
    apply_to_queue(session, call, &command);
}

void http_resume(struct http_session *session, const struct call *call) {
    struct command command = {.type = COMMAND_RESUME, .resume = {.queue = call->name}};
    if (http_queue_name(session, call)) {
        apply_to_queue(session, call, &command);
    } else {
        http_refuse(session);
    }
}
