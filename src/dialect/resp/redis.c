/* SPDX-License-Identifier: Apache-2.0 */
/* What Redis clients send beside their commands: on connect, to see whether the server lives, and
 * to learn what it can do. Answered as Redis does, so that clients need no setting for Hob. */
#include "dialect/resp/core.h"

void resp_ping(struct resp_session *session, struct args args) {
    if (args.count == 1) {
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

static bool set_client_name(struct resp_session *session, struct slice name) {
    if (name.size > CLIENT_NAME_BYTES_MAX) {
        resp_error(session, "BADARG", SLICE("the name of a client has at most 64 bytes"));
        return false;
    }
    if (name.size > 0) memcpy(session->client_name, name.bytes, name.size);
    session->client_name_size = (uint32_t)name.size;
    return true;
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
    for (size_t at = 1; at < args.count; at += 2) {
        if (slice_equal_nocase(args.at[at], SLICE("AUTH"))) {
            resp_auth(session, args);
            return;
        }
        if (!slice_equal_nocase(args.at[at], SLICE("SETNAME")) || at + 1 == args.count) {
            resp_error(session, "ERR", SLICE("HELLO takes a version, then SETNAME name"));
            return;
        }
        if (!set_client_name(session, args.at[at + 1])) return;
    }
    session->version = version;
    put_hello(session);
}

void resp_auth(struct resp_session *session, struct args args) {
    (void)args;
    resp_error(
        session, "ERR", SLICE("this server has no passwords: connect without user and password")
    );
}

void resp_select(struct resp_session *session, struct args args) {
    if (slice_equal(args.at[0], SLICE("0"))) {
        ok(session);
    } else {
        resp_error(session, "ERR", SLICE("there is only database 0"));
    }
}

void resp_client(struct resp_session *session, struct args args) {
    struct slice word = args.at[0];
    if (slice_equal_nocase(word, SLICE("SETNAME")) && args.count == 2) {
        if (set_client_name(session, args.at[1])) ok(session);
    } else if (slice_equal_nocase(word, SLICE("GETNAME")) && args.count == 1) {
        resp_put_bulk(resp_out(session), slice_of(session->client_name, session->client_name_size));
    } else if (slice_equal_nocase(word, SLICE("ID")) && args.count == 1) {
        resp_put_u64(resp_out(session), session->version, session->base.serial);
    } else if (slice_equal_nocase(word, SLICE("SETINFO")) && args.count == 3) {
        ok(session);
    } else {
        resp_wrong_count(session, resp_command_find(SLICE("CLIENT")));
    }
}

/* --- COMMAND --- */

static void put_command_info(struct resp_session *session, const struct resp_command *command) {
    struct buf *out = resp_out(session);
    /* Arity as Redis counts: with the word itself, negative for "at least". */
    int64_t arity = (int64_t)command->min + 1;
    if (command->max != command->min) arity = -arity;
    resp_put_array(out, 6);
    resp_put_bulk(out, command->name);
    resp_put_i64(out, arity);
    resp_put_array(out, 0); /* flags */
    resp_put_i64(out, 0);   /* first key, last key, step: there are none */
    resp_put_i64(out, 0);
    resp_put_i64(out, 0);
}

static void put_command_docs(struct resp_session *session, const struct resp_command *command) {
    resp_put_bulk(resp_out(session), command->name);
    resp_put_map(resp_out(session), session->version, 2);
    resp_put_str(session, "summary");
    resp_put_str(session, command->summary);
    resp_put_str(session, "group");
    resp_put_str(session, "hob");
}

static void info_of_some(struct resp_session *session, struct args names) {
    resp_put_array(resp_out(session), names.count);
    for (size_t i = 0; i < names.count; i++) {
        const struct resp_command *command = resp_command_find(names.at[i]);
        if (command == NULL) {
            resp_null(session);
        } else {
            put_command_info(session, command);
        }
    }
}

static void docs_of_some(struct resp_session *session, struct args names) {
    size_t found = 0;
    for (size_t i = 0; i < names.count; i++) {
        if (resp_command_find(names.at[i]) != NULL) found++;
    }
    resp_put_map(resp_out(session), session->version, found);
    for (size_t i = 0; i < names.count; i++) {
        const struct resp_command *command = resp_command_find(names.at[i]);
        if (command != NULL) put_command_docs(session, command);
    }
}

void resp_command(struct resp_session *session, struct args args) {
    struct slice word = args.count == 0 ? SLICE("INFO") : args.at[0];
    struct args names = {.at = args.at + 1, .count = args.count == 0 ? 0 : args.count - 1};
    bool is_info = slice_equal_nocase(word, SLICE("INFO"));
    bool is_docs = slice_equal_nocase(word, SLICE("DOCS"));
    if (is_info && names.count == 0) {
        resp_put_array(resp_out(session), resp_command_count);
        for (size_t i = 0; i < resp_command_count; i++) {
            put_command_info(session, &resp_commands[i]);
        }
    } else if (is_docs && names.count == 0) {
        resp_put_map(resp_out(session), session->version, resp_command_count);
        for (size_t i = 0; i < resp_command_count; i++) {
            put_command_docs(session, &resp_commands[i]);
        }
    } else if (is_info) {
        info_of_some(session, names);
    } else if (is_docs) {
        docs_of_some(session, names);
    } else if (slice_equal_nocase(word, SLICE("COUNT")) && names.count == 0) {
        resp_put_i64(resp_out(session), (int64_t)resp_command_count);
    } else {
        resp_wrong_count(session, resp_command_find(SLICE("COMMAND")));
    }
}

/* --- INFO and the rest --- */

static void put_info_line(struct buf *text, const char *name, uint64_t value) {
    (void)buf_put_str(text, name);
    (void)buf_put_char(text, ':');
    (void)buf_put_u64(text, value);
    (void)buf_put_str(text, "\r\n");
}

static void put_figures(struct buf *text, const struct host_stats *stats) {
    (void)buf_put_str(text, "\r\n# Clients\r\n");
    put_info_line(text, "connected_clients", stats->connections);
    put_info_line(text, "blocked_clients", stats->engine.waiting_fetches);
    (void)buf_put_str(text, "\r\n# Memory\r\n");
    put_info_line(text, "used_memory", stats->engine.memory_bytes);
    put_info_line(text, "maxmemory", stats->engine.memory_max_bytes);
    (void)buf_put_str(text, "\r\n# Jobs\r\n");
    for (enum job_state state = 0; state < JOB_STATE_COUNT; state++) {
        put_info_line(text, job_state_word(state), stats->engine.counts[state]);
    }
}

/* The lines that clients look for ("loading:0" before they send anything), then Hob's own, for whom
 * they are meant. */
void resp_info(struct resp_session *session, struct args args) {
    (void)args;
    struct host *host = session->base.host;
    struct host_stats stats;
    host->ops->stats(host->context, &stats);
    struct buf *text = &host->scratch;
    buf_reset(text);
    (void)buf_put_str(text, "# Server\r\nserver_name:hob\r\nhob_version:");
    (void)buf_put_str(text, host->version);
    (void)buf_put_str(text, "\r\nredis_version:7.0.0\r\nredis_mode:standalone\r\n");
    put_info_line(text, "uptime_in_seconds", stats.uptime_ns / NS_PER_SECOND);
    (void
    )buf_put_str(text, "\r\n# Persistence\r\nloading:0\r\n\r\n# Replication\r\nrole:master\r\n");
    if (access_has(session->base.access, SCOPE_READ_ALL)) put_figures(text, &stats);
    resp_put_bulk(resp_out(session), buf_slice(text));
}

void resp_reset(struct resp_session *session, struct args args) {
    (void)args;
    session->version = RESP2;
    session->client_name_size = 0;
    resp_put_simple(resp_out(session), SLICE("RESET"));
}

void resp_quit(struct resp_session *session, struct args args) {
    (void)args;
    session->is_closing = true;
    ok(session);
}
