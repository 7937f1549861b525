/* SPDX-License-Identifier: Apache-2.0 */
/* CLIENT: what client libraries say about themselves on connect, and ask about their connection. A
 * connection is told of itself only; who is connected is no business of other clients. */
#include "base/assert.h"
#include "dialect/resp/core.h"

static void ok(struct resp_session *session) {
    resp_put_simple(resp_out(session), SLICE("OK"));
}

/* As Redis: printable ASCII without spaces, so that a line of CLIENT INFO can be taken apart. */
static bool is_label(struct slice text) {
    for (size_t i = 0; i < text.size; i++) {
        if (text.bytes[i] < '!' || text.bytes[i] > '~') return false;
    }
    return true;
}

bool resp_label_set(
    struct resp_session *session, struct resp_label *label, const char *what, struct slice text
) {
    if (text.size <= sizeof label->bytes && is_label(text)) {
        label->size = (uint32_t)text.size;
        if (text.size > 0) memcpy(label->bytes, text.bytes, text.size);
        return true;
    }
    (void)complain(
        &session->base.host->complaint,
        what,
        text,
        "at most 64 bytes of printable ASCII without spaces"
    );
    resp_refuse(session);
    return false;
}

static void put_label(struct buf *line, const char *name, const struct resp_label *label) {
    (void)buf_put_str(line, name);
    (void)buf_put_slice(line, slice_of(label->bytes, label->size));
}

/* One line as in Redis, with what there is to say. */
static void put_info(struct resp_session *session, bool line_end) {
    struct buf *line = &session->base.host->scratch;
    buf_reset(line);
    (void)buf_put_str(line, "id=");
    (void)buf_put_u64(line, session->base.serial);
    put_label(line, " name=", &session->name);
    (void
    )buf_put_str(line, resp_is_listening(session) ? " flags=P db=0 sub=" : " flags=N db=0 sub=");
    (void)buf_put_u64(line, session->subscription_count);
    (void)buf_put_str(line, " multi=");
    (void)buf_put_i64(line, session->in_multi ? (int64_t)session->multi_count : -1);
    (void)buf_put_str(line, " missed=");
    (void)buf_put_u64(line, session->base.events_missed);
    (void)buf_put_str(line, " resp=");
    (void)buf_put_u64(line, session->version);
    put_label(line, " lib-name=", &session->library);
    put_label(line, " lib-ver=", &session->library_version);
    if (line_end) (void)buf_put_char(line, '\n');
    resp_put_verbatim(resp_out(session), session->version, "txt", buf_slice(line));
}

static void set_info(struct resp_session *session, struct args args) {
    if (slice_equal_nocase(args.at[0], SLICE("LIB-NAME"))) {
        if (resp_label_set(session, &session->library, "LIB-NAME", args.at[1])) ok(session);
    } else if (slice_equal_nocase(args.at[0], SLICE("LIB-VER"))) {
        if (resp_label_set(session, &session->library_version, "LIB-VER", args.at[1])) ok(session);
    } else {
        resp_error(session, "ERR", SLICE("CLIENT SETINFO knows LIB-NAME and LIB-VER"));
    }
}

static void do_setname(struct resp_session *session, struct args args) {
    if (resp_label_set(session, &session->name, "name", args.at[0])) ok(session);
}

static void do_getname(struct resp_session *session, struct args args) {
    (void)args;
    if (session->name.size == 0) {
        resp_null(session);
    } else {
        resp_put_bulk(resp_out(session), slice_of(session->name.bytes, session->name.size));
    }
}

static void do_id(struct resp_session *session, struct args args) {
    (void)args;
    resp_put_u64(resp_out(session), session->version, session->base.serial);
}

static void do_info(struct resp_session *session, struct args args) {
    (void)args;
    put_info(session, false);
}

static void do_list(struct resp_session *session, struct args args) {
    (void)args;
    put_info(session, true);
}

/* ON is how it is; OFF and SKIP would hide whether a job was taken. */
static void do_reply(struct resp_session *session, struct args args) {
    if (slice_equal_nocase(args.at[0], SLICE("ON"))) {
        ok(session);
    } else {
        resp_error(session, "ERR", SLICE("replies cannot be turned off: they say what is durable"));
    }
}

/* Whether Redis may evict or age keys for this client: there is nothing of the kind. */
static void do_on_off(struct resp_session *session, struct args args) {
    if (slice_equal_nocase(args.at[0], SLICE("ON")) ||
        slice_equal_nocase(args.at[0], SLICE("OFF"))) {
        ok(session);
    } else {
        resp_error(session, "ERR", SLICE("there are ON and OFF"));
    }
}

static void do_tracking(struct resp_session *session, struct args args) {
    if (args.count == 1 && slice_equal_nocase(args.at[0], SLICE("OFF"))) {
        ok(session);
    } else {
        resp_error(
            session,
            "ERR",
            SLICE("there are no keys to track: SUBSCRIBE hob:job:ID tells what becomes of a job")
        );
    }
}

static void do_getredir(struct resp_session *session, struct args args) {
    (void)args;
    resp_put_i64(resp_out(session), -1);
}

/* "not offered", so that clients that only try go on. */
static void do_refuse(struct resp_session *session, struct args args) {
    (void)args;
    resp_error(
        session, "ERR", SLICE("Hob does not offer this: a client can only ask about itself")
    );
}

static const struct resp_subcommand client_words[] = {
    {"SETNAME", 1, 1, do_setname},
    {"SETINFO", 2, 2, set_info},
    {"GETNAME", 0, 0, do_getname},
    {"ID", 0, 0, do_id},
    {"INFO", 0, 0, do_info},
    {"LIST", 0, ANY_COUNT, do_list},
    {"REPLY", 1, 1, do_reply},
    {"NO-EVICT", 1, 1, do_on_off},
    {"NO-TOUCH", 1, 1, do_on_off},
    {"TRACKING", 1, ANY_COUNT, do_tracking},
    {"GETREDIR", 0, 0, do_getredir},
    {"KILL", 0, ANY_COUNT, do_refuse},
    {"PAUSE", 0, ANY_COUNT, do_refuse},
    {"UNPAUSE", 0, ANY_COUNT, do_refuse},
    {"UNBLOCK", 0, ANY_COUNT, do_refuse},
    {"CACHING", 0, ANY_COUNT, do_refuse},
    {"TRACKINGINFO", 0, ANY_COUNT, do_refuse},
    {"MAINT_NOTIFICATIONS", 0, ANY_COUNT, do_refuse},
};

static const char *word_at(const void *context, size_t at) {
    const struct resp_subcommands *all = context;
    return at < all->count ? all->at[at].word : NULL;
}

void resp_run_subcommand(
    struct resp_session *session, const char *command, struct resp_subcommands all, struct args args
) {
    hob_assert(args.count > 0);
    for (size_t i = 0; i < all.count; i++) {
        const struct resp_subcommand *row = &all.at[i];
        if (!slice_equal_nocase(args.at[0], slice_str(row->word))) continue;
        struct args rest = {.at = args.at + 1, .count = args.count - 1};
        if (rest.count < row->min || rest.count > row->max) {
            resp_wrong_count(session, resp_command_find(slice_str(command)));
        } else {
            row->run(session, rest);
        }
        return;
    }
    struct buf *text = &session->base.host->complaint;
    buf_reset(text);
    (void)buf_put_str(text, command);
    (void)buf_put_str(text, " has no ");
    quote_given(text, args.at[0]);
    const char *near = nearest(args.at[0], word_at, &all);
    (void)buf_put_str(text, near == NULL ? ": see HELP " : ": do you mean ");
    (void)buf_put_str(text, near == NULL ? command : near);
    if (near != NULL) (void)buf_put_char(text, '?');
    resp_error(session, "ERR", buf_slice(text));
}

void resp_client(struct resp_session *session, struct args args) {
    struct resp_subcommands all = {client_words, hob_countof(client_words)};
    resp_run_subcommand(session, "CLIENT", all, args);
}
