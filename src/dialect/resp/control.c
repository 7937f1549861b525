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

void resp_pause(struct resp_session *session, struct args args) {
    struct pause_request request = {.pause = {.queue = args.at[0]}};
    if (!resp_name(session, "queue", args.at[0])) return;
    if (!resp_options(session, pause_options, args, 1, &request)) return;
    if (request.for_ns != 0 && request.pause.until_ns != 0) {
        resp_error(session, "BADARG", SLICE("UNTIL and FOR: give one of them"));
        return;
    }
    struct command command = {.type = COMMAND_PAUSE, .pause = request.pause};
    if (request.for_ns != 0) {
        command.pause.until_ns = ns_add(session->base.host->now_ns, request.for_ns);
    }
    apply_for_ok(session, &command);
}

void resp_resume(struct resp_session *session, struct args args) {
    struct command command = {.type = COMMAND_RESUME, .resume = {.queue = args.at[0]}};
    if (resp_name(session, "queue", args.at[0])) apply_for_ok(session, &command);
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

#define QUEUE_SETTINGS                                                                          \
    "ORDER word, TIER n, WEIGHT n, CONCURRENCY n, LENGTH n, ONFULL word, KEEP duration count, " \
    "KEEPFAILED duration count"

static bool is_keep(struct slice word) {
    return slice_equal_nocase(word, SLICE("KEEP")) || slice_equal_nocase(word, SLICE("KEEPFAILED"));
}

/* What one option said; @count: of KEEP and KEEPFAILED. */
static void
take_setting(const struct queue_request *request, uint32_t count, struct queue_set_command *set) {
    if (request->has_order) {
        set->has_order = true;
        set->order = request->order;
    } else if (request->has_tier) {
        set->has_tier = true;
        set->tier = request->tier;
    } else if (request->has_weight) {
        set->has_weight = true;
        set->weight = request->weight;
    } else if (request->has_concurrency) {
        set->has_concurrency = true;
        set->concurrency = request->concurrency;
    } else if (request->has_length) {
        set->has_length = true;
        set->length = request->length;
    } else if (request->has_on_full) {
        set->has_on_full = true;
        set->on_full = request->on_full;
    } else if (request->has_keep_completed_ns) {
        set->has_keep_completed = true;
        set->keep_completed_ns = request->keep_completed_ns;
        set->keep_completed_count = count;
    } else {
        hob_assert(request->has_keep_failed_ns);
        set->has_keep_failed = true;
        set->keep_failed_ns = request->keep_failed_ns;
        set->keep_failed_count = count;
    }
}

/* QUEUE_SETTINGS, each option by itself. */
static bool
take_settings(struct resp_session *session, struct args args, struct queue_set_command *set) {
    size_t at = 1;
    while (at < args.count) {
        size_t width = is_keep(args.at[at]) ? 3 : 2;
        struct queue_request request = {0};
        struct args option = {.at = args.at + at, .count = 2};
        if (args.count - at < width) {
            resp_error(session, "BADARG", SLICE("there are " QUEUE_SETTINGS));
            return false;
        }
        if (!resp_options(session, queue_options, option, 0, &request)) return false;
        uint64_t count = 0;
        if (width == 3 && !resp_u64(session, "count", args.at[at + 2], UINT32_MAX, &count)) {
            return false;
        }
        take_setting(&request, (uint32_t)count, set);
        at += width;
    }
    return true;
}

void resp_queue(struct resp_session *session, struct args args) {
    if (!resp_name(session, "name", args.at[0])) return;
    if (args.count == 1) {
        show_queue(session, args.at[0]);
        return;
    }
    if (!resp_begin(session, SCOPE_MANAGE)) return;
    struct command command = {.type = COMMAND_QUEUE_SET, .queue_set = {.queue = args.at[0]}};
    if (take_settings(session, args, &command.queue_set)) apply_for_ok(session, &command);
}
