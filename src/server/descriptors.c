/* SPDX-License-Identifier: Apache-2.0 */
/* Each connection is a descriptor, and the limit of them is the process's (ulimit -n, LimitNOFILE).
 * Where it allows fewer connections than the configuration, fewer are let in: so the files of the
 * journal always have theirs, and a connection too many is closed and counted, not left hanging. */
#include "os/log.h"
#include "os/self.h"
#include "server/private.h"

enum {
    CONNECTIONS_DEFAULT = 10000,
    RESERVE_MAX = 64,  /* descriptors for segments, statistics, audit, a backup beside */
    RESERVE_PART = 4,  /* of a small limit */
    TOLD_SECONDS = 60, /* between two lines about connections that were refused */
};

static uint32_t wanted(const struct server_options *options) {
    return options->connections_max == 0 ? CONNECTIONS_DEFAULT : options->connections_max;
}

void descriptors_open(struct server *server) {
    uint64_t limit = self_raise_files();
    struct self_usage usage;
    self_usage(&usage);
    uint64_t free_count = limit > usage.open_files ? limit - usage.open_files : 0;
    uint64_t reserve = free_count / RESERVE_PART;
    if (reserve > RESERVE_MAX) reserve = RESERVE_MAX;
    uint64_t fit = free_count - reserve;
    if (fit == 0) fit = 1;
    server->descriptors.limit = limit;
    server->descriptors.fit = limit == 0 || fit > UINT32_MAX ? UINT32_MAX : (uint32_t)fit;
    server->descriptors.told_refused = net_refused(server->net);
    descriptors_limits_set(server);
}

void descriptors_limits_set(struct server *server) {
    const struct server_options *options = server->options;
    struct descriptors *descriptors = &server->descriptors;
    uint32_t connections = wanted(options);
    if (descriptors->fit < connections) {
        log_warn(
            "the limit of open files allows fewer connections than configured: raise it (ulimit "
            "-n, LimitNOFILE=), or lower server.connections",
            log_u64("limit", descriptors->limit),
            log_u64("connections", descriptors->fit),
            log_u64("configured", connections)
        );
        connections = descriptors->fit;
    }
    net_limits_set(
        server->net,
        connections,
        options->per_address_max,
        (uint32_t)(options->request_ns / NS_PER_MS)
    );
}

void descriptors_beat(struct server *server, hob_ns now_ns) {
    struct descriptors *descriptors = &server->descriptors;
    uint64_t refused = net_refused(server->net);
    if (refused == descriptors->told_refused || now_ns < descriptors->told_ns) return;
    bool by_files = descriptors->fit < wanted(server->options);
    log_warn(
        by_files
            ? "connections were refused: more than the limit of open files allows, or than "
              "one address may have"
            : "connections were refused: more than server.connections, or than one address may "
              "have",
        log_u64("count", refused - descriptors->told_refused),
        log_u64("connections", net_connections(server->net))
    );
    descriptors->told_refused = refused;
    descriptors->told_ns = ns_add(now_ns, TOLD_SECONDS * NS_PER_SECOND);
}
