/* SPDX-License-Identifier: Apache-2.0 */
/* What stops jobs: pauses of kinds, groups and limiters, and the limits of the last two. */
#include "dialect/http/core.h"

/* --- names --- */

static struct valve_name name_of(const struct call *call, enum valve_sort sort) {
    return (struct valve_name){.sort = sort, .queue = call->owner, .name = call->name};
}

/* A limiter may be a rule, so the engine looks at its name. */
static bool take_name(
    struct http_session *session,
    const struct call *call,
    enum valve_sort sort,
    struct valve_name *ret_name
) {
    struct buf *complaint = &session->base.host->complaint;
    *ret_name = name_of(call, sort);
    if (sort == VALVE_KIND) return option_name("kind", call->name, complaint);
    if (sort == VALVE_LIMITER) return true;
    return option_name("queue", call->owner, complaint) &&
           option_name("group", call->name, complaint);
}

/* --- showing --- */

static void show(struct http_session *session, const struct valve_view *view) {
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_valve(&fields, view);
    struct json_put put = http_json(session);
    if (http_put_fields(session, &put, &fields)) http_reply_json(session, 200);
}

static void reply_one(struct http_session *session, const struct call *call, enum valve_sort sort) {
    struct host *host = session->base.host;
    struct valve_name name;
    struct valve_view view;
    if (!take_name(session, call, sort, &name)) {
        http_refuse(session);
        return;
    }
    struct answer refused = {.code = ANSWER_UNKNOWN};
    bool is_seen = session_sees_valve(&session->base, &name);
    if (!is_seen) refused = session_denied_queue(&session->base);
    if (is_seen && host->ops->valve(host->context, &name, &view)) {
        show(session, &view);
    } else {
        http_answer_problem(session, &refused);
    }
}

enum { LISTED_DEFAULT = 100 };

static void reply_list(
    struct http_session *session,
    const struct call *call,
    const struct valve_name *of,
    const char *member
) {
    struct valves_request request = {.count = LISTED_DEFAULT};
    if (!http_query(session, call, &request)) {
        http_refuse(session);
        return;
    }
    if (!session_sees_valve(&session->base, of)) {
        struct answer denied = session_denied_queue(&session->base);
        http_answer_problem(session, &denied);
        return;
    }
    struct host *host = session->base.host;
    struct slice names[VALVES_LISTED_MAX];
    uint32_t count = session_valves(&session->base, of, &request, names);
    if (session_has_no_groups(&session->base, of, count)) {
        struct answer none = {.code = ANSWER_NO_QUEUE};
        http_answer_problem(session, &none);
        return;
    }
    struct http_page page = http_page_begin(session, call, member);
    for (uint32_t i = 0; i < count; i++) {
        struct valve_name name = {.sort = of->sort, .queue = of->queue, .name = names[i]};
        struct valve_view view;
        if (!host->ops->valve(host->context, &name, &view)) continue;
        HOB_AUTO_FIELDS struct fields fields = fields_make();
        fields_of_valve(&fields, &view);
        (void)http_put_fields(session, &page.put, &fields);
        http_page_row_end(&page);
    }
    bool is_full = count == request.count;
    http_page_end(session, &page, "after", is_full ? names[count - 1] : SLICE_NONE);
}

/* --- changing --- */

/* Apply, then show what is known now: nothing, where a pause or a limit was all that there was. */
static void
apply(struct http_session *session, const struct valve_name *name, struct command *command) {
    struct host *host = session->base.host;
    struct answer answer;
    session_apply(&session->base, command, &answer);
    if (answer.code != ANSWER_OK) {
        http_answer_problem(session, &answer);
        return;
    }
    struct valve_view view = {.sort = name->sort, .queue = name->queue, .name = name->name};
    (void)host->ops->valve(host->context, name, &view);
    show(session, &view);
}

static void set(struct http_session *session, const struct call *call, enum valve_sort sort) {
    struct command command = {.type = COMMAND_VALVE_SET};
    struct valve_name *name = &command.valve_set.valve;
    if (take_name(session, call, sort, name) && http_fill(session, call, &command.valve_set)) {
        apply(session, name, &command);
    } else {
        http_refuse(session);
    }
}

static void pause(struct http_session *session, const struct call *call, enum valve_sort sort) {
    struct pause_request request = {.for_ns = 0};
    struct valve_name name;
    bool good = take_name(session, call, sort, &name) && http_fill(session, call, &request);
    struct pause_command *pause = &request.pause;
    if (good && request.for_ns != 0 && pause->until_ns != 0) {
        struct buf *complaint = &session->base.host->complaint;
        buf_reset(complaint);
        good = buf_put_str(complaint, "until and for: give one of them") && false;
    }
    if (!good) {
        http_refuse(session);
        return;
    }
    hob_ns now_ns = session->base.host->now_ns;
    struct command command = {
        .type = COMMAND_VALVE_PAUSE,
        .valve_pause =
            {
                .valve = name,
                .until_ns = request.for_ns == 0 ? pause->until_ns : ns_add(now_ns, request.for_ns),
                .by = pause->by,
                .why = pause->why,
            },
    };
    apply(session, &name, &command);
}

static void resume(struct http_session *session, const struct call *call, enum valve_sort sort) {
    struct command command = {.type = COMMAND_VALVE_RESUME};
    struct valve_name *name = &command.valve_resume.valve;
    if (take_name(session, call, sort, name)) {
        apply(session, name, &command);
    } else {
        http_refuse(session);
    }
}

/* --- routes --- */

void http_kinds(struct http_session *session, const struct call *call) {
    const struct valve_name of = {.sort = VALVE_KIND};
    reply_list(session, call, &of, "kinds");
}

void http_kind(struct http_session *session, const struct call *call) {
    reply_one(session, call, VALVE_KIND);
}

void http_kind_pause(struct http_session *session, const struct call *call) {
    pause(session, call, VALVE_KIND);
}

void http_kind_resume(struct http_session *session, const struct call *call) {
    resume(session, call, VALVE_KIND);
}

void http_limiters(struct http_session *session, const struct call *call) {
    const struct valve_name of = {.sort = VALVE_LIMITER};
    reply_list(session, call, &of, "limiters");
}

void http_limiter(struct http_session *session, const struct call *call) {
    reply_one(session, call, VALVE_LIMITER);
}

void http_limiter_set(struct http_session *session, const struct call *call) {
    set(session, call, VALVE_LIMITER);
}

void http_limiter_pause(struct http_session *session, const struct call *call) {
    pause(session, call, VALVE_LIMITER);
}

void http_limiter_resume(struct http_session *session, const struct call *call) {
    resume(session, call, VALVE_LIMITER);
}

void http_groups(struct http_session *session, const struct call *call) {
    if (!http_queue_name(session, call)) {
        http_refuse(session);
        return;
    }
    const struct valve_name of = {.sort = VALVE_GROUP, .queue = call->name};
    reply_list(session, call, &of, "groups");
}

void http_group(struct http_session *session, const struct call *call) {
    reply_one(session, call, VALVE_GROUP);
}

void http_group_set(struct http_session *session, const struct call *call) {
    set(session, call, VALVE_GROUP);
}

void http_group_pause(struct http_session *session, const struct call *call) {
    pause(session, call, VALVE_GROUP);
}

void http_group_resume(struct http_session *session, const struct call *call) {
    resume(session, call, VALVE_GROUP);
}

void http_group_skip(struct http_session *session, const struct call *call) {
    struct command command = {.type = COMMAND_GROUP_SKIP};
    if (!take_name(session, call, VALVE_GROUP, &command.group_skip.valve)) {
        http_refuse(session);
        return;
    }
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code != ANSWER_OK) {
        http_answer_problem(session, &answer);
        return;
    }
    struct json_put put = http_json(session);
    json_put_object(&put);
    json_put_key(&put, "skipped");
    if (answer.id == 0) {
        json_put_null(&put);
    } else {
        json_put_id(&put, answer.id);
    }
    json_put_object_end(&put);
    http_reply_json(session, 200);
}
