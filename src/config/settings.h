/* SPDX-License-Identifier: Apache-2.0 */
/* All settings, one row each. From a row come its key in the file, its flag, its environment
 * variable, its check, `hob config show`, what a reload does with it, the reference and the JSON
 * Schema. To add one: a row here, and a reader where it is used (config_text() and the like).
 *
 * A value comes from the flag, else the environment, else the file, else the default. */
#ifndef HOB_CONFIG_SETTINGS_H
#define HOB_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/time.h"

#define SETTING_GIB (1024ull * 1024 * 1024)
#define SETTING_MIB (1024ull * 1024)

enum setting_type {
    SETTING_TYPE_TEXT,
    SETTING_TYPE_PATH,      /* in the file: from its folder */
    SETTING_TYPE_FILE,      /* a path that must be there, or credential:NAME */
    SETTING_TYPE_KEY_FILE,  /* and that others should not be able to read */
    SETTING_TYPE_ADDRESS,   /* HOST:PORT, [IPV6]:PORT, unix:PATH */
    SETTING_TYPE_ADDRESSES, /* min..max of them */
    SETTING_TYPE_NAME,      /* of a queue, kind, worker */
    SETTING_TYPE_NAMES,     /* min..max of them */
    SETTING_TYPE_PATTERNS,  /* min..max names or globs, perhaps behind a '!' */
    SETTING_TYPE_WORDS,     /* min..max texts */
    SETTING_TYPE_NUMBER,    /* min..max */
    SETTING_TYPE_SPAN,      /* ns, min..max */
    SETTING_TYPE_SIZE,      /* bytes, min..max */
    SETTING_TYPE_BOOL,
    SETTING_TYPE_CHOICE, /* one of the words of `value`, which are divided by spaces */
    SETTING_TYPE_COUNT
};

/* What a reload (SIGHUP) does with a change. */
enum setting_change { SETTING_RESTART, SETTING_RELOADS };

/* clang-format off */
/* X(ID, path, type, letter, flag, variable, default, min, max, change, value, help) */

/* Those that `hob serve` takes as flags. */
#define SETTINGS_SERVE(X)                                                                         \
    X(SERVER_DATA, "server.data", PATH, 'd', "data", "HOB_DATA",                                  \
      NULL, 0, 0, RESTART, "DIR", "where the data is (made when missing); required")              \
    X(SERVER_LISTEN, "server.listen", ADDRESSES, 'l', "listen", "HOB_LISTEN",                     \
      "127.0.0.1:4620", 1, 16, RESTART, "ADDRESS",                                                \
      "HOST:PORT or unix:PATH, more after commas; port 0: a free one")                            \
    X(SERVER_DURABILITY, "server.durability", CHOICE, 0, "durability", "HOB_DURABILITY",          \
      "always", 0, 0, RESTART, "always interval none",                                            \
      "sync before each answer, each sync_interval, or never")                                    \
    X(SERVER_MEMORY, "server.memory", SIZE, 0, "memory", "HOB_MEMORY",                            \
      NULL, SETTING_MIB, 1024 * SETTING_GIB, RESTART, "SIZE",                                     \
      "ceiling; above four fifths of it pushes are refused; default: 3/4 of the machine's")       \
    X(SERVER_SEGMENT, "server.segment", SIZE, 0, "segment", "HOB_SEGMENT",                        \
      "64MiB", 64 * 1024, SETTING_GIB, RESTART, "SIZE", "of the files of the journal")            \
    X(SERVER_CONNECTIONS, "server.connections", NUMBER, 0, "connections", "HOB_CONNECTIONS",      \
      "10000", 1, 1000000, RELOADS, "N", "at once")                                               \
    X(SERVER_INSECURE, "server.insecure", BOOL, 0, "insecure", "HOB_INSECURE",                    \
      "false", 0, 0, RESTART, NULL,                                                               \
      "listen where other machines reach it without tokens and TLS")                              \
    X(SERVER_HOSTS, "server.hosts", WORDS, 0, "host", "HOB_HOST",                                 \
      NULL, 1, 64, RELOADS, "NAME",                                                               \
      "name by which HTTP clients call this server, more after commas; *: any")                   \
    X(SERVER_TLS_CERT, "server.tls_cert", FILE, 0, "tls-cert", "HOB_TLS_CERT",                    \
      NULL, 0, 0, RELOADS, "FILE", "certificate and chain (PEM): TLS on every TCP address")       \
    X(SERVER_TLS_KEY, "server.tls_key", KEY_FILE, 0, "tls-key", "HOB_TLS_KEY",                    \
      NULL, 0, 0, RELOADS, "FILE", "its key (PEM)")                                               \
    X(SERVER_TLS_CLIENT_CA, "server.tls_client_ca", FILE, 0, "tls-client-ca",                     \
      "HOB_TLS_CLIENT_CA", NULL, 0, 0, RELOADS, "FILE",                                           \
      "clients must show a certificate that one of these (PEM) has signed")                       \
    X(SERVER_TOKENS_ON_SOCKETS, "server.tokens_on_sockets", BOOL, 0, "tokens-on-sockets",         \
      "HOB_TOKENS_ON_SOCKETS", "false", 0, 0, RESTART, NULL,                                      \
      "ask for a token on unix sockets too, once there are some")

/* Those that it does not. */
#define SETTINGS_SERVE_FILE(X)                                                                    \
    X(SERVER_SYNC_INTERVAL, "server.sync_interval", SPAN, 0, NULL, NULL,                          \
      "1s", NS_PER_MS, NS_PER_HOUR, RESTART, "SPAN",                                              \
      "with durability interval: how much a power cut may lose")                                  \
    X(SERVER_PER_ADDRESS, "server.connections_per_address", NUMBER, 0, NULL, NULL,                \
      "1000", 1, 65000, RELOADS, "N", "at once from one address; loopback is not counted")        \
    X(SERVER_REQUEST_TIMEOUT, "server.request_timeout", SPAN, 0, NULL, NULL,                      \
      "30s", NS_PER_SECOND, NS_PER_HOUR, RELOADS, "SPAN",                                         \
      "for a request to come in whole; a second more for each 16 KiB")

/* How the server delivers callbacks. */
#define SETTINGS_CALLBACKS(X)                                                                     \
    X(CALLBACKS_RUN, "callbacks.run", CHOICE, 0, "callbacks", "HOB_CALLBACKS",                    \
      "on", 0, 0, RELOADS, "on off", "deliver callbacks by URL in a process of its own")

#define SETTINGS_CALLBACKS_FILE(X)                                                                \
    X(CALLBACKS_SLOTS, "callbacks.slots", NUMBER, 0, NULL, NULL,                                  \
      "200", 1, 10000, RELOADS, "N", "at once; one host gets a quarter of them")                  \
    X(CALLBACKS_ALLOW, "callbacks.allow", WORDS, 0, NULL, NULL,                                   \
      NULL, 1, 256, RELOADS, "TARGET",                                                            \
      "inside addresses, other ports and plain http for these: 10.0.0.0/8, HOST:PORT")            \
    X(CALLBACKS_SECRETS, "callbacks.secrets", WORDS, 0, NULL, NULL,                               \
      NULL, 1, 256, RELOADS, "NAME",                                                              \
      "below `secrets`: what a callback may name to be signed with, beside the default")          \
    X(CALLBACKS_PLAIN_HTTP, "callbacks.plain_http", BOOL, 0, NULL, NULL,                          \
      "false", 0, 0, RELOADS, NULL, "allow http to public addresses")                             \
    X(CALLBACKS_CA_FILE, "callbacks.ca_file", PATH, 0, NULL, NULL,                                \
      NULL, 0, 0, RELOADS, "FILE", "certificates to trust instead of the system's")

/* Those that `hob work` takes as flags. */
#define SETTINGS_WORK(X)                                                                          \
    X(WORKER_NAME, "worker.name", NAME, 0, "name", "HOB_WORKER_NAME",                             \
      NULL, 0, 0, RESTART, "NAME",                                                                \
      "as `hob workers` shows it; default: host name and process id")                             \
    X(WORKER_QUEUES, "worker.queues", PATTERNS, 'q', "queues", "HOB_WORKER_QUEUES",               \
      "default", 1, 256, RELOADS, "QUEUE",                                                        \
      "what to fetch from, more after commas; * and ? make globs, ! excludes: mail.*,!mail.slow") \
    X(WORKER_MODE, "worker.mode", CHOICE, 0, "mode", "HOB_WORKER_MODE",                            \
      "weighted", 0, 0, RELOADS, "weighted listed merged",                                        \
      "turns between queues that have work, strictly as listed, or the most urgent job of all")   \
    X(WORKER_SLOTS, "worker.slots", NUMBER, 'n', "slots", "HOB_WORKER_SLOTS",                     \
      NULL, 1, 10000, RELOADS, "N", "jobs at once; default: as many as processors")              \
    X(WORKER_LABELS, "worker.labels", NAMES, 0, "labels", "HOB_WORKER_LABELS",                 \
      NULL, 0, 16, RELOADS, "LABEL",                                                              \
      "what this worker has, more after commas: jobs that need it go to no other: gpu,eu")

/* --server belongs to all commands that ask a server. */
#define SETTINGS_WORK_FILE(X)                                                                     \
    X(WORKER_SERVER, "worker.server", ADDRESS, 0, "server", "HOB_SERVER",                         \
      "127.0.0.1:4620", 0, 0, RESTART, "ADDRESS", "of the server")                                \
    X(WORKER_TOKEN_FILE, "worker.token_file", KEY_FILE, 0, "token-file", "HOB_TOKEN_FILE",        \
      NULL, 0, 0, RESTART, "FILE", "holds the token to show; else HOB_TOKEN")                     \
    X(WORKER_CA, "worker.ca", FILE, 0, "ca", "HOB_CA",                                            \
      NULL, 0, 0, RESTART, "FILE", "who has signed the certificate of a server hobs://…")         \
    X(WORKER_CERT, "worker.client_cert", FILE, 0, "client-cert", "HOB_CLIENT_CERT",               \
      NULL, 0, 0, RESTART, "FILE", "certificate to show to a server that asks (PEM)")             \
    X(WORKER_KEY, "worker.client_key", KEY_FILE, 0, "client-key", "HOB_CLIENT_KEY",               \
      NULL, 0, 0, RESTART, "FILE", "its key (PEM)")

/* Flags of both. */
#define SETTINGS_LOG(X)                                                                           \
    X(LOG_FORMAT, "log.format", CHOICE, 0, "log-format", "HOB_LOG_FORMAT",                        \
      NULL, 0, 0, RESTART, "text logfmt json",                                                    \
      "form of the log on stderr; default: text on a terminal, else logfmt")                      \
    X(LOG_LEVEL, "log.level", CHOICE, 0, "log-level", "HOB_LOG_LEVEL",                            \
      "info", 0, 0, RELOADS, "debug info warn error", "the lowest level that is written")
/* clang-format on */

#define SETTINGS(X)            \
    SETTINGS_LOG(X)            \
    SETTINGS_SERVE(X)          \
    SETTINGS_SERVE_FILE(X)     \
    SETTINGS_CALLBACKS(X)      \
    SETTINGS_CALLBACKS_FILE(X) \
    SETTINGS_WORK(X)           \
    SETTINGS_WORK_FILE(X)

enum setting_id {
#define X(id, ...) SETTING_##id,
    SETTINGS(X)
#undef X
        SETTING_COUNT
};

struct setting {
    const char *path; /* section.key */
    enum setting_type type;
    char letter;          /* of the flag; 0: none */
    const char *flag;     /* NULL: none */
    const char *variable; /* NULL: none */
    const char *fallback; /* NULL: not set */
    uint64_t min;
    uint64_t max;
    enum setting_change change;
    const char *value; /* what stands there, for help */
    const char *help;
};

extern const struct setting settings[SETTING_COUNT];

/** Is the path @section, or below it? "server" holds "server.data". */
bool setting_is_below(const struct setting *setting, struct slice section);

/** Is it the first setting of the section that the first @size bytes of its path name? */
bool setting_is_first_of(unsigned at, size_t size);

/** What may stand there, for a message; in @to of @size bytes. */
void setting_wanted(const struct setting *setting, char *to, size_t size);

/** Does it hold a list? */
bool setting_is_list(const struct setting *setting);

/** Is this choice (a word of `value`) known? Its number, from 0. */
bool setting_choice(const struct setting *setting, struct slice word, uint64_t *ret_at);

#endif
