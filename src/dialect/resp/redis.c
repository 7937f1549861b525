/* SPDX-License-Identifier: Apache-2.0 */
/* What Redis clients send beside their commands: on connect, to see whether the server lives, and
 * to learn what it can do. Answered as Redis does, so that clients need no setting for Hob. */
#include "dialect/resp/core.h"

void resp_ping(struct resp_session *session, struct args args) {
    if (resp_is_listening(session)) {
        /* As Redis: in the form of a message, since clients expect nothing else. */
        resp_put_array(resp_out(session), 2);
        resp_put_str(session, "pong");
        resp_put_bulk(resp_out(session), args.count == 1 ? args.at[0] : SLICE_NONE);
    } else if (args.count == 1) {
        resp_put_bulk(resp_out(session), args.at[0]);
    } else {
        resp_put_simple(resp_out(session), SLICE("PONG"));
    }
}

void resp_echo(struct resp_session *session, struct args args) {
    resp_put_bulk(resp_out(session), args.at[0]);
}

static void ok(struct resp_session *session) {
    resp_put_simple(resp_out(session), SLICE("OK"));
}

static void put_hello(struct resp_session *session) {
    struct buf *out = resp_out(session);
    resp_put_map(out, session->version, 7);
    resp_put_str(session, "server");
    resp_put_str(session, "hob");
    resp_put_str(session, "version");
    resp_put_str(session, session->base.host->version);
    resp_put_str(session, "proto");
    resp_put_i64(out, session->version);
    resp_put_str(session, "id");
    resp_put_u64(out, session->version, session->base.serial);
    resp_put_str(session, "mode");
    resp_put_str(session, "standalone");
    resp_put_str(session, "role");
    resp_put_str(session, "master");
    resp_put_str(session, "modules");
    resp_put_array(out, 0);
}

void resp_hello(struct resp_session *session, struct args args) {
    enum resp_version version = session->version;
    if (args.count > 0) {
        bool is_3 = slice_equal(args.at[0], SLICE("3"));
        if (!is_3 && !slice_equal(args.at[0], SLICE("2"))) {
            resp_error(session, "NOPROTO", SLICE("this server speaks RESP 2 and 3"));
            return;
        }
        version = is_3 ? RESP3 : RESP2;
    }
    size_t at = 1;
    while (at < args.count) {
        if (slice_equal_nocase(args.at[at], SLICE("AUTH")) && args.count - at > 2) {
            if (!resp_login(session, args.at[at + 1], args.at[at + 2])) return;
            at += 3;
        } else if (slice_equal_nocase(args.at[at], SLICE("SETNAME")) && args.count - at > 1) {
            if (!resp_label_set(session, &session->name, "SETNAME", args.at[at + 1])) return;
            at += 2;
        } else {
            resp_error(
                session, "ERR", SLICE("HELLO takes a version, then AUTH user token, SETNAME name")
            );
            return;
        }
    }
    if (access_is_stranger(session->base.access) && args.count > 0) {
        resp_error(
            session,
            "NOAUTH",
            SLICE("show a token first: HELLO 3 AUTH default TOKEN, or AUTH TOKEN")
        );
        return;
    }
    session->version = version;
    put_hello(session);
}

void resp_select(struct resp_session *session, struct args args) {
    if (slice_equal(args.at[0], SLICE("0"))) {
        ok(session);
    } else {
        resp_error(session, "ERR", SLICE("there is only database 0"));
    }
}

void resp_reset(struct resp_session *session, struct args args) {
    (void)args;
    resp_unsubscribe_all(session);
    resp_multi_forget(session);
    struct host *host = session->base.host;
    (void)host->ops->login(host->context, &session->base, SLICE_NONE, SLICE_NONE);
    session->version = RESP2;
    session->name.size = 0;
    resp_put_simple(resp_out(session), SLICE("RESET"));
}

void resp_quit(struct resp_session *session, struct args args) {
    (void)args;
    session->is_closing = true;
    ok(session);
}
