/* SPDX-License-Identifier: Apache-2.0 */
/* `hob serve`: one loop, one space, the dialects. */
#ifndef HOB_SERVER_SERVER_H
#define HOB_SERVER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "config/queues.h"
#include "config/secrets.h"

#define SERVER_LISTEN_DEFAULT "127.0.0.1:4620"

enum server_durability {
    DURABILITY_ALWAYS,   /* replies wait for fdatasync */
    DURABILITY_INTERVAL, /* fdatasync each sync_interval: a power cut loses that much */
    DURABILITY_NONE,     /* no fdatasync: a power cut loses what the system had not written */
    DURABILITY_COUNT
};

struct server_options;

/* How the server delivers callbacks (server/callbacks.c). */
struct callbacks_options {
    bool off;
    uint32_t slots;           /* at once; 0: 200 */
    const char *const *allow; /* as `allow` of a kind that is an HTTP request */
    size_t allow_count;
    bool plain_http;
    const char *ca_file; /* NULL: the system's */
    const struct secret_config *secrets;
    size_t secret_count;
    const char *const *granted; /* names of those that a callback may be signed with */
    size_t granted_count;
};

/* Asked when a SIGHUP came. */
struct server_reload {
    void *context;
    /* Read the configuration again into *ret_options, which stays until the next reload. False: it
     * is wrong, and that was logged. */
    bool (*begin)(void *context, struct server_options *ret_options);
    /* The server has taken what it can change while it runs, or refused it and logged why. */
    void (*end)(void *context, bool taken);
};

struct server_options {
    const char *data_path;     /* directory; made when missing */
    const char *const *listen; /* "HOST:PORT", "[IPV6]:PORT", "unix:PATH"; port 0: a free one */
    size_t listen_count;       /* 0: SERVER_LISTEN_DEFAULT */
    bool insecure;             /* allow addresses that other machines can reach */
    enum server_durability durability;
    hob_ns sync_interval_ns;   /* DURABILITY_INTERVAL; 0: 1 s */
    uint64_t memory_max_bytes; /* of the engine; 0: three quarters of the machine's */
    uint64_t segment_bytes;    /* of the journal; 0: 64 MiB */
    uint32_t connections_max;  /* 0: 10000 */
    uint32_t per_address_max;  /* of one address other than loopback; 0: 1000 */
    hob_ns request_ns;         /* for a request to come in whole; 0: 30 s */
    const char *tls_cert_path; /* TLS on each TCP address; NULL: none */
    const char *tls_key_path;
    const char *tls_client_ca_path; /* clients must show a certificate of it; NULL: none */
    const char *const *hosts;       /* names of this server beside its addresses; "*": any */
    size_t host_count;
    bool tokens_on_sockets;            /* a unix socket needs a token too, once there are some */
    const char *version;               /* static */
    const struct queue_config *queues; /* set at start and at each reload */
    size_t queue_count;
    const struct limiter_config *limiters; /* the same */
    size_t limiter_count;
    struct callbacks_options callbacks; /* taken at start and at each reload */
    struct server_reload reload;        /* begin NULL: SIGHUP is ignored */
};

/**
 * May a server listen at these addresses?
 *
 * @has_tokens  are there tokens? True when that is not known: then only what is wrong in any case
 *              is told
 *
 * Fails  HOB_CONFIG
 */
HOB_CHECK enum hob_status server_addresses_check(
    const struct server_options *options, bool has_tokens, struct hob_error *err
);

/**
 * Serve until SIGTERM or SIGINT (a second one ends at once). Prints one line on stdout when it
 * serves:
 *
 *     ready hob VERSION listen=127.0.0.1:4620 pid=… data=…
 *
 * (`listen=` comes again for each further address) and logs on stderr, also why it ends.
 *
 * Answers the exit code: 0, or 1 (a port or the directory is in use), 65 (corrupt data), 74 (disk),
 * 78 (configuration). When the journal fails at runtime the process ends inside, with 74: nothing
 * that was not durable is told to anybody.
 */
int server_run(const struct server_options *options);

#endif
