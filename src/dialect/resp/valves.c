/* SPDX-License-Identifier: Apache-2.0 */
/* What stops jobs: pauses of queues, kinds, groups and limiters, and the limits of the last two. */
#include "dialect/resp/core.h"

static void apply_for_ok(struct resp_session *session, struct command *command) {
    struct answer answer;
    session_apply(&session->base, command, &answer);
    resp_answer_ok(session, &answer);
}

/* --- PAUSE, RESUME --- */

/* What @name is the name of; the sort VALVE_QUEUE when nothing else is said. */
static bool take_valve(
    struct resp_session *session,
    struct slice name,
    const struct valve_request *request,
    struct valve_name *ret_valve
) {
    bool is_group = request->queue.size > 0;
    int said = (request->is_kind ? 1 : 0) + (request->is_limiter ? 1 : 0) + (is_group ? 1 : 0);
    if (said > 1) {
        resp_error(session, "BADARG", SLICE("KIND, LIMITER and GROUPOF: give one of them"));
        return false;
    }
    *ret_valve = (struct valve_name){.sort = VALVE_QUEUE, .queue = request->queue, .name = name};
    const char *word = "queue";
    if (request->is_kind) {
        ret_valve->sort = VALVE_KIND;
        word = "kind";
    } else if (request->is_limiter) {
        ret_valve->sort = VALVE_LIMITER;
        word = "limiter";
    } else if (is_group) {
        ret_valve->sort = VALVE_GROUP;
        word = "group";
    }
    return resp_name(session, word, name);
}

void resp_pause(struct resp_session *session, struct args args) {
    struct pause_request request = {.pause = {.queue = args.at[0]}};
    struct valve_name valve;
    if (!resp_options(session, pause_options, args, 1, &request)) return;
    if (!take_valve(session, args.at[0], &request.valve, &valve)) return;
    struct pause_command *pause = &request.pause;
    if (request.for_ns != 0 && pause->until_ns != 0) {
        resp_error(session, "BADARG", SLICE("UNTIL and FOR: give one of them"));
        return;
    }
    if (request.for_ns != 0) {
        pause->until_ns = ns_add(session->base.host->now_ns, request.for_ns);
    }
    struct command command = {.type = COMMAND_PAUSE, .pause = *pause};
    if (valve.sort != VALVE_QUEUE) {
        command = (struct command){
            .type = COMMAND_VALVE_PAUSE,
            .valve_pause =
                {
                    .valve = valve,
                    .until_ns = pause->until_ns,
                    .by = pause->by,
                    .why = pause->why,
                },
        };
    }
    apply_for_ok(session, &command);
}

void resp_resume(struct resp_session *session, struct args args) {
    struct valve_request request = {.is_kind = false};
    struct valve_name valve;
    if (!resp_options(session, valve_options, args, 1, &request)) return;
    if (!take_valve(session, args.at[0], &request, &valve)) return;
    struct command command = {.type = COMMAND_RESUME, .resume = {.queue = valve.name}};
    if (valve.sort != VALVE_QUEUE) {
        command = (struct command){.type = COMMAND_VALVE_RESUME, .valve_resume = {.valve = valve}};
    }
    apply_for_ok(session, &command);
}

/* --- showing --- */

static void show(struct resp_session *session, const struct valve_name *name) {
    struct host *host = session->base.host;
    struct valve_view valve;
    struct answer refused = {.code = ANSWER_UNKNOWN};
    bool is_seen = session_sees_valve(&session->base, name);
    if (!is_seen) refused = session_denied_queue(&session->base);
    if (!is_seen || !host->ops->valve(host->context, name, &valve)) {
        resp_answer_error(session, &refused);
        return;
    }
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_valve(&fields, &valve);
    (void)resp_put_fields(session, &fields);
}

enum { LISTED_DEFAULT = 100 };

static void list(
    struct resp_session *session, const struct valve_name *of, struct args args, size_t options_at
) {
    struct valves_request request = {.count = LISTED_DEFAULT};
    if (!resp_options(session, valves_options, args, options_at, &request)) return;
    if (!session_sees_valve(&session->base, of)) {
        struct answer denied = session_denied_queue(&session->base);
        resp_answer_error(session, &denied);
        return;
    }
    struct slice names[VALVES_LISTED_MAX];
    uint32_t count = session_valves(&session->base, of, &request, names);
    if (session_has_no_groups(&session->base, of, count)) {
        struct answer none = {.code = ANSWER_NO_QUEUE};
        resp_answer_error(session, &none);
        return;
    }
    resp_put_array(resp_out(session), count);
    for (uint32_t i = 0; i < count; i++) {
        struct valve_name name = {.sort = of->sort, .queue = of->queue, .name = names[i]};
        show(session, &name);
    }
}

void resp_kind(struct resp_session *session, struct args args) {
    struct valve_name kind = {.sort = VALVE_KIND, .name = args.at[0]};
    if (resp_name(session, "kind", kind.name)) show(session, &kind);
}

void resp_kinds(struct resp_session *session, struct args args) {
    struct valve_name kind = {.sort = VALVE_KIND};
    list(session, &kind, args, 0);
}

void resp_limiters(struct resp_session *session, struct args args) {
    struct valve_name limiter = {.sort = VALVE_LIMITER};
    list(session, &limiter, args, 0);
}

void resp_groups(struct resp_session *session, struct args args) {
    struct valve_name group = {.sort = VALVE_GROUP, .queue = args.at[0]};
    if (resp_name(session, "queue", group.queue)) list(session, &group, args, 1);
}

/* --- limits --- */

static void
set(struct resp_session *session,
    const struct valve_name *valve,
    struct option_set options,
    struct args args,
    size_t options_at) {
    struct command command = {.type = COMMAND_VALVE_SET, .valve_set = {.valve = *valve}};
    if (!resp_begin(session, SCOPE_MANAGE)) return;
    if (!resp_options(session, options, args, options_at, &command.valve_set)) return;
    apply_for_ok(session, &command);
}

void resp_limiter(struct resp_session *session, struct args args) {
    struct valve_name limiter = {.sort = VALVE_LIMITER, .name = args.at[0]};
    if (args.count == 1) {
        show(session, &limiter);
    } else {
        set(session, &limiter, limiter_options, args, 1);
    }
}

void resp_group(struct resp_session *session, struct args args) {
    struct valve_name group = {.sort = VALVE_GROUP, .queue = args.at[0], .name = args.at[1]};
    if (!resp_name(session, "queue", group.queue) || !resp_name(session, "group", group.name)) {
        return;
    }
    if (args.count == 2) {
        show(session, &group);
    } else {
        set(session, &group, group_options, args, 2);
    }
}

void resp_skip(struct resp_session *session, struct args args) {
    struct valve_name group = {.sort = VALVE_GROUP, .queue = args.at[0], .name = args.at[1]};
    if (!resp_name(session, "queue", group.queue) || !resp_name(session, "group", group.name)) {
        return;
    }
    struct command command = {.type = COMMAND_GROUP_SKIP, .group_skip = {.valve = group}};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_OK) {
        resp_put_u64(resp_out(session), session->version, answer.id);
    } else {
        resp_answer_error(session, &answer);
    }
}
