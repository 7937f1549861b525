/* SPDX-License-Identifier: Apache-2.0 */
/* COMMAND, INFO, CONFIG, TIME: what clients ask to learn whom they speak to. The forms are those of
 * Redis 7, so that what parses them there parses them here; the content is Hob's. */
#include "base/assert.h"
#include "base/text.h"
#include "dialect/resp/channel.h"
#include "dialect/resp/core.h"

/* --- COMMAND --- */

/* As in Redis, names are in small letters here: clients look them up so. */
static void put_name(struct resp_session *session, const struct resp_command *command) {
    char name[32];
    hob_assert(command->name.size <= sizeof name);
    for (size_t i = 0; i < command->name.size; i++) {
        char c = command->name.bytes[i];
        name[i] = c;
        if (c >= 'A' && c <= 'Z') name[i] = (char)(c + ('a' - 'A'));
    }
    resp_put_bulk(resp_out(session), slice_of(name, command->name.size));
}

static const char *flag_of(const struct resp_command *command) {
    switch (command->scope) {
    case SCOPE_PUSH:
    case SCOPE_WORK:
    case SCOPE_MANAGE:
        return "write";
    case SCOPE_READ:
    case SCOPE_READ_ALL:
        return "readonly";
    case SCOPE_ADMIN:
        return "admin";
    case SCOPE_NONE:
    case SCOPE_ANY:
    case SCOPE_COUNT:
        break;
    }
    return "fast";
}

/* name arity flags first-key last-key step categories tips key-specs subcommands */
static void put_command_info(struct resp_session *session, const struct resp_command *command) {
    struct buf *out = resp_out(session);
    /* Arity as Redis counts: with the word itself, negative for "at least". */
    int64_t arity = (int64_t)command->min + 1;
    if (command->max != command->min) arity = -arity;
    resp_put_array(out, 10);
    put_name(session, command);
    resp_put_i64(out, arity);
    resp_put_set(out, session->version, 1);
    resp_put_simple(out, slice_str(flag_of(command)));
    for (int i = 0; i < 3; i++) resp_put_i64(out, 0); /* there are no keys */
    resp_put_set(out, session->version, 0);
    for (int i = 0; i < 3; i++) resp_put_array(out, 0);
}

/* The usage as one argument: redis-cli shows it as its hint. */
static void put_command_docs(struct resp_session *session, const struct resp_command *command) {
    struct buf *out = resp_out(session);
    bool has_usage = command->usage[0] != '\0';
    put_name(session, command);
    resp_put_map(out, session->version, has_usage ? 5 : 4);
    resp_put_str(session, "summary");
    resp_put_str(session, command->summary);
    resp_put_str(session, "since");
    resp_put_str(session, "0.1.0");
    resp_put_str(session, "group");
    resp_put_str(session, "hob");
    resp_put_str(session, "complexity");
    resp_put_str(session, "");
    if (!has_usage) return;
    resp_put_str(session, "arguments");
    resp_put_array(out, 1);
    resp_put_map(out, session->version, 3);
    resp_put_str(session, "name");
    resp_put_str(session, command->usage);
    resp_put_str(session, "type");
    resp_put_str(session, "string");
    resp_put_str(session, "display_text");
    resp_put_str(session, command->usage);
}

static void command_info(struct resp_session *session, struct args names) {
    if (names.count == 0) {
        resp_put_array(resp_out(session), resp_command_count);
        for (size_t i = 0; i < resp_command_count; i++) {
            put_command_info(session, &resp_commands[i]);
        }
        return;
    }
    resp_put_array(resp_out(session), names.count);
    for (size_t i = 0; i < names.count; i++) {
        const struct resp_command *command = resp_command_find(names.at[i]);
        if (command == NULL) {
            resp_put_null_array(resp_out(session), session->version);
        } else {
            put_command_info(session, command);
        }
    }
}

static void command_docs(struct resp_session *session, struct args names) {
    if (names.count == 0) {
        resp_put_map(resp_out(session), session->version, resp_command_count);
        for (size_t i = 0; i < resp_command_count; i++) {
            put_command_docs(session, &resp_commands[i]);
        }
        return;
    }
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

static void command_count(struct resp_session *session, struct args args) {
    (void)args;
    resp_put_i64(resp_out(session), (int64_t)resp_command_count);
}

static void command_list(struct resp_session *session, struct args args) {
    (void)args;
    resp_put_array(resp_out(session), resp_command_count);
    for (size_t i = 0; i < resp_command_count; i++) put_name(session, &resp_commands[i]);
}

static void command_keys(struct resp_session *session, struct args args) {
    (void)args;
    resp_error(session, "ERR", SLICE("The command has no key arguments"));
}

static const struct resp_subcommand command_words[] = {
    {"INFO", 0, ANY_COUNT, command_info},
    {"DOCS", 0, ANY_COUNT, command_docs},
    {"COUNT", 0, 0, command_count},
    {"LIST", 0, 0, command_list},
    {"GETKEYS", 1, ANY_COUNT, command_keys},
    {"GETKEYSANDFLAGS", 1, ANY_COUNT, command_keys},
};

void resp_command(struct resp_session *session, struct args args) {
    if (args.count == 0) {
        command_info(session, args);
        return;
    }
    struct resp_subcommands all = {command_words, hob_countof(command_words)};
    resp_run_subcommand(session, "COMMAND", all, args);
}

/* --- INFO --- */

static void put_line(struct buf *text, const char *name, uint64_t value) {
    (void)buf_put_str(text, name);
    (void)buf_put_char(text, ':');
    (void)buf_put_u64(text, value);
    (void)buf_put_str(text, "\r\n");
}

static void put_server(struct buf *text, const struct host *host, const struct host_stats *stats) {
    (void)buf_put_str(text, "server_name:hob\r\nhob_version:");
    (void)buf_put_str(text, host->version);
    /* Clients compare it with what they need; Hob answers as 7.0 does. */
    (void)buf_put_str(text, "\r\nredis_version:7.0.0\r\nredis_mode:standalone\r\narch_bits:64\r\n");
    put_line(text, "server_time_usec", host->now_ns / NS_PER_US);
    put_line(text, "uptime_in_seconds", stats->uptime_ns / NS_PER_SECOND);
    put_line(text, "uptime_in_days", stats->uptime_ns / NS_PER_DAY);
}

static void put_clients(struct buf *text, const struct host *host, const struct host_stats *stats) {
    (void)host;
    put_line(text, "connected_clients", stats->connections);
    put_line(text, "blocked_clients", stats->engine.waiting_fetches);
}

static void put_memory(struct buf *text, const struct host *host, const struct host_stats *stats) {
    (void)host;
    put_line(text, "used_memory", stats->engine.memory_bytes);
    put_line(text, "maxmemory", stats->engine.memory_max_bytes);
    (void)buf_put_str(text, "maxmemory_policy:noeviction\r\n");
}

static void
put_persistence(struct buf *text, const struct host *host, const struct host_stats *stats) {
    (void)host;
    (void)stats;
    (void)buf_put_str(text, "loading:0\r\nasync_loading:0\r\naof_enabled:1\r\n");
}

static void
put_replication(struct buf *text, const struct host *host, const struct host_stats *stats) {
    (void)host;
    (void)stats;
    (void)buf_put_str(text, "role:master\r\nconnected_slaves:0\r\n");
}

static void put_cluster(struct buf *text, const struct host *host, const struct host_stats *stats) {
    (void)host;
    (void)stats;
    (void)buf_put_str(text, "cluster_enabled:0\r\n");
}

static void put_jobs(struct buf *text, const struct host *host, const struct host_stats *stats) {
    (void)host;
    for (enum job_state state = 0; state < JOB_STATE_COUNT; state++) {
        put_line(text, job_state_word(state), stats->engine.counts[state]);
    }
    put_line(text, "queues", stats->engine.queues);
    put_line(text, "workers", stats->engine.workers);
}

static const struct {
    const char *name;
    bool of_all_queues; /* only for whom all queues are open */
    void (*put)(struct buf *text, const struct host *host, const struct host_stats *stats);
} sections[] = {
    {"Server", false, put_server},
    {"Clients", true, put_clients},
    {"Memory", true, put_memory},
    {"Persistence", false, put_persistence},
    {"Replication", false, put_replication},
    {"Cluster", false, put_cluster},
    {"Jobs", true, put_jobs},
};

static bool is_wanted(struct args args, const char *section) {
    if (args.count == 0) return true;
    for (size_t i = 0; i < args.count; i++) {
        if (slice_equal_nocase(args.at[i], slice_str(section)) ||
            slice_equal_nocase(args.at[i], SLICE("default")) ||
            slice_equal_nocase(args.at[i], SLICE("all")) ||
            slice_equal_nocase(args.at[i], SLICE("everything"))) {
            return true;
        }
    }
    return false;
}

/* A section that is not known is empty, as in Redis. */
void resp_info(struct resp_session *session, struct args args) {
    struct host *host = session->base.host;
    struct host_stats stats;
    host->ops->stats(host->context, &stats);
    struct buf *text = &host->scratch;
    buf_reset(text);
    bool sees_all = access_has(session->base.access, SCOPE_READ_ALL);
    for (size_t i = 0; i < hob_countof(sections); i++) {
        if (!is_wanted(args, sections[i].name) || (sections[i].of_all_queues && !sees_all)) {
            continue;
        }
        (void)buf_put_str(text, text->size == 0 ? "# " : "\r\n# ");
        (void)buf_put_str(text, sections[i].name);
        (void)buf_put_str(text, "\r\n");
        sections[i].put(text, host, &stats);
    }
    resp_put_verbatim(resp_out(session), session->version, "txt", buf_slice(text));
}

/* --- CONFIG --- */

/* What clients ask on connect, and the value that describes Hob. */
static const struct {
    const char *name;
    const char *value;
} settings[] = {
    {"appendonly", "yes"},
    {"databases", "1"},
    {"maxmemory-policy", "noeviction"},
    {"notify-keyspace-events", ""},
    {"proto-max-bulk-len", "9437184"},
    {"replica-read-only", "no"},
    {"save", ""},
    {"slave-read-only", "no"},
    {"timeout", "0"},
};

static bool is_asked(size_t setting, struct args patterns) {
    for (size_t i = 0; i < patterns.count; i++) {
        if (patterns.at[i].size > CHANNEL_BYTES_MAX) continue;
        if (channel_pattern_fits(patterns.at[i], slice_str(settings[setting].name))) return true;
    }
    return false;
}

static void config_get(struct resp_session *session, struct args args) {
    size_t count = 0;
    for (size_t i = 0; i < hob_countof(settings); i++) count += is_asked(i, args) ? 1 : 0;
    resp_put_map(resp_out(session), session->version, count);
    for (size_t i = 0; i < hob_countof(settings); i++) {
        if (!is_asked(i, args)) continue;
        resp_put_str(session, settings[i].name);
        resp_put_str(session, settings[i].value);
    }
}

static void config_refuse(struct resp_session *session, struct args args) {
    (void)args;
    resp_error(
        session,
        "ERR",
        SLICE("settings of the server are in its file, of a queue in QUEUE name ...")
    );
}

static const struct resp_subcommand config_words[] = {
    {"GET", 1, ANY_COUNT, config_get},
    {"SET", 0, ANY_COUNT, config_refuse},
    {"RESETSTAT", 0, ANY_COUNT, config_refuse},
    {"REWRITE", 0, ANY_COUNT, config_refuse},
};

void resp_config(struct resp_session *session, struct args args) {
    struct resp_subcommands all = {config_words, hob_countof(config_words)};
    resp_run_subcommand(session, "CONFIG", all, args);
}

void resp_time(struct resp_session *session, struct args args) {
    (void)args;
    hob_ns now_ns = session->base.host->now_ns;
    resp_put_array(resp_out(session), 2);
    resp_put_bulk_u64(resp_out(session), now_ns / NS_PER_SECOND);
    resp_put_bulk_u64(resp_out(session), now_ns % NS_PER_SECOND / NS_PER_US);
}
