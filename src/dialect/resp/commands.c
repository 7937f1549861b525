/* SPDX-License-Identifier: Apache-2.0 */
/* The table made real, and what is said about it. */
#include "dialect/resp/commands.h"

#include "base/assert.h"
#include "dialect/resp/core.h"

const struct resp_command resp_commands[] = {
#define X(name, run, scope, min, max, usage, summary) \
    {{name, sizeof(name) - 1}, run, SCOPE_##scope, min, max, usage, summary},
    RESP_COMMANDS(X)
#undef X
};
const size_t resp_command_count = hob_countof(resp_commands);

const struct resp_command *resp_command_find(struct slice name) {
    for (size_t i = 0; i < resp_command_count; i++) {
        if (slice_equal_nocase(name, resp_commands[i].name)) return &resp_commands[i];
    }
    return NULL;
}

static const char *command_name_at(const void *context, size_t at) {
    (void)context;
    return at < resp_command_count ? resp_commands[at].name.bytes : NULL;
}

void resp_unknown(struct resp_session *session, struct slice name) {
    const char *why = resp_foreign_why(name);
    if (why != NULL) {
        resp_error(session, "ERR", slice_str(why));
        return;
    }
    struct buf *text = &session->base.host->complaint;
    buf_reset(text);
    (void)buf_put_str(text, "there is no command ");
    quote_given(text, name);
    const char *near = nearest(name, command_name_at, NULL);
    (void)buf_put_str(text, near == NULL ? ": HELP lists them" : ": do you mean ");
    if (near != NULL) {
        (void)buf_put_str(text, near);
        (void)buf_put_char(text, '?');
    }
    resp_error(session, "ERR", buf_slice(text));
}

void resp_wrong_count(struct resp_session *session, const struct resp_command *command) {
    struct buf *text = &session->base.host->complaint;
    buf_reset(text);
    (void)buf_put_str(text, "wrong number of arguments: ");
    (void)buf_put_slice(text, command->name);
    (void)buf_put_char(text, ' ');
    (void)buf_put_str(text, command->usage);
    resp_error(session, "ERR", buf_slice(text));
}

static void put_help(struct resp_session *session, const struct resp_command *command) {
    struct buf *line = &session->base.host->scratch;
    buf_reset(line);
    (void)buf_put_slice(line, command->name);
    if (command->usage[0] != '\0') (void)buf_put_char(line, ' ');
    (void)buf_put_str(line, command->usage);
    (void)buf_put_str(line, " -- ");
    (void)buf_put_str(line, command->summary);
    resp_put_bulk(resp_out(session), buf_slice(line));
}

void resp_help(struct resp_session *session, struct args args) {
    if (args.count == 1) {
        const struct resp_command *command = resp_command_find(args.at[0]);
        if (command == NULL) {
            resp_unknown(session, args.at[0]);
            return;
        }
        resp_put_array(resp_out(session), 1);
        put_help(session, command);
        return;
    }
    resp_put_array(resp_out(session), resp_command_count);
    for (size_t i = 0; i < resp_command_count; i++) put_help(session, &resp_commands[i]);
}
