/* SPDX-License-Identifier: Apache-2.0 */
/* What a person does to jobs and queues. */
#include "base/assert.h"
#include "dialect/resp/core.h"

static bool
take_control(struct resp_session *session, struct args args, struct control_command *control) {
    return resp_id(session, "id", args.at[0], &control->id) &&
           resp_options(session, control_options, args, 1, control);
}

static void apply_for_state(struct resp_session *session, struct command *command) {
    struct answer answer;
    session_apply(&session->base, command, &answer);
    resp_answer_state(session, &answer);
}

static void apply_for_ok(struct resp_session *session, struct command *command) {
    struct answer answer;
    session_apply(&session->base, command, &answer);
    resp_answer_ok(session, &answer);
}

void resp_cancel(struct resp_session *session, struct args args) {
    struct command command = {.type = COMMAND_CANCEL};
    if (take_control(session, args, &command.cancel)) apply_for_state(session, &command);
}

void resp_discard(struct resp_session *session, struct args args) {
    struct command command = {.type = COMMAND_DISCARD};
    if (take_control(session, args, &command.discard)) apply_for_state(session, &command);
}

void resp_retry(struct resp_session *session, struct args args) {
    struct command command = {.type = COMMAND_RETRY};
    if (take_control(session, args, &command.retry)) apply_for_state(session, &command);
}

void resp_delete(struct resp_session *session, struct args args) {
    struct command command = {.type = COMMAND_DELETE};
    if (take_control(session, args, &command.delete)) apply_for_ok(session, &command);
}

/* --- QUEUE --- */

static void show_queue(struct resp_session *session, struct slice name) {
    struct host *host = session->base.host;
    struct queue_view queue;
    if (!session_sees(&session->base, name)) {
        struct answer denied = session_denied_queue(&session->base);
        resp_answer_error(session, &denied);
        return;
    }
    if (!host->ops->queue(host->context, name, &queue)) {
        struct answer none = {.code = ANSWER_NO_QUEUE};
        resp_answer_error(session, &none);
        return;
    }
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_queue(&fields, &queue);
    (void)resp_put_fields(session, &fields);
}

#define QUEUE_SETTINGS                                                                           \
    "ORDER word, TIER n, WEIGHT n, CONCURRENCY n, RATE n/span, BURST n, AGING span, LENGTH "     \
    "n, ONFULL word, GROUPCONCURRENCY n, GROUPRATE n/span, GROUPBURST n, GROUPORDER word, KEEP " \
    "duration count, KEEPFAILED duration count"

static bool is_keep(struct slice word) {
    return slice_equal_nocase(word, SLICE("KEEP")) || slice_equal_nocase(word, SLICE("KEEPFAILED"));
}

/* A count stands behind the span of KEEP and KEEPFAILED. */
static bool
take_count(struct resp_session *session, struct slice count, struct queue_request *request) {
    uint64_t value = 0;
    if (!resp_u64(session, "count", count, UINT32_MAX, &value)) return false;
    if (request->has_keep_completed_ns && !request->has_keep_completed_count) {
        request->has_keep_completed_count = true;
        request->set.keep_completed_count = (uint32_t)value;
    } else {
        request->has_keep_failed_count = true;
        request->set.keep_failed_count = (uint32_t)value;
    }
    return true;
}

/* QUEUE_SETTINGS, each option by itself. */
static bool
take_settings(struct resp_session *session, struct args args, struct queue_request *request) {
    size_t at = 1;
    while (at < args.count) {
        bool is_kept = is_keep(args.at[at]);
        size_t width = is_kept ? 3 : 2;
        struct args option = {.at = args.at + at, .count = 2};
        if (args.count - at < width) {
            resp_error(session, "BADARG", SLICE("there are " QUEUE_SETTINGS));
            return false;
        }
        if (!resp_options(session, queue_options, option, 0, request)) return false;
        if (is_kept && !take_count(session, args.at[at + 2], request)) return false;
        at += width;
    }
    const struct queue_view none = {.paused = false}; /* spans have their counts */
    queue_request_end(request, &none);
    return true;
}

void resp_queue(struct resp_session *session, struct args args) {
    if (!resp_name(session, "name", args.at[0])) return;
    if (args.count == 1) {
        show_queue(session, args.at[0]);
        return;
    }
    if (!resp_begin(session, SCOPE_MANAGE)) return;
    struct queue_request request = {.set = {.queue = args.at[0]}};
    if (!take_settings(session, args, &request)) return;
    struct command command = {.type = COMMAND_QUEUE_SET, .queue_set = request.set};
    apply_for_ok(session, &command);
}
