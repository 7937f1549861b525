/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server may listen: what others can reach needs TLS and either tokens or certificates of
 * clients. Asked before anything is made or opened, when tokens are not known yet, and again when
 * they are. */
#include "net/net.h"
#include "os/log.h"
#include "server/private.h"

const char *server_listen_at(const struct server_options *options, size_t at) {
    return options->listen_count == 0 ? SERVER_LISTEN_DEFAULT : options->listen[at];
}

size_t server_listen_count(const struct server_options *options) {
    return options->listen_count == 0 ? 1 : options->listen_count;
}

enum hob_status server_addresses_read(const struct server_options *options, struct hob_error *err) {
    enum hob_status status = HOB_OK;
    for (size_t i = 0; i < server_listen_count(options) && status == HOB_OK; i++) {
        bool local = false;
        status = net_address_is_local(server_listen_at(options, i), &local, err);
    }
    return status;
}

static enum hob_status closed_door(const char *address, bool has_tokens, struct hob_error *err) {
    return fail(
        err,
        HOB_CONFIG,
        "--listen %s: other machines could reach it. It needs %s (doc/guide/security.md); or "
        "listen on 127.0.0.1 or unix:PATH; or say --insecure, if the network is trusted",
        address,
        has_tokens ? "TLS: --tls-cert and --tls-key"
                   : "a token, made while it is on 127.0.0.1, and TLS"
    );
}

enum hob_status server_addresses_check(
    const struct server_options *options, bool has_tokens, struct hob_error *err
) {
    bool has_tls = options->tls_cert_path != NULL;
    has_tokens = has_tokens || options->tls_client_ca_path != NULL;
    for (size_t i = 0; i < server_listen_count(options); i++) {
        const char *address = server_listen_at(options, i);
        bool local = false;
        enum hob_status status = net_address_is_local(address, &local, err);
        if (status != HOB_OK) return status;
        if (local || options->insecure || (has_tls && has_tokens)) continue;
        return closed_door(address, has_tokens, err);
    }
    return HOB_OK;
}

void server_addresses_warn(const struct server_options *options, bool has_tokens) {
    has_tokens = has_tokens || options->tls_client_ca_path != NULL;
    if (options->tls_cert_path != NULL && has_tokens) return;
    for (size_t i = 0; i < server_listen_count(options); i++) {
        const char *address = server_listen_at(options, i);
        bool local = false;
        struct hob_error err;
        if (net_address_is_local(address, &local, &err) != HOB_OK || local) continue;
        log_warn(
            "INSECURE: anybody who can reach this address can read what is said there, and without "
            "tokens read and change all jobs",
            log_str("listen", address)
        );
    }
}
