/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says while the server runs: settings of queues and limiters, at the start
 * and at each SIGHUP. The file wins for what it names; what it does not name stays as it is, also
 * when an earlier file named it. Only what is different is changed, and each change is logged. */
#include <signal.h>

#include "base/assert.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/notify.h"
#include "server/change.h"

static void set_all(struct server *server, const struct server_options *options) {
    if (options->queue_count == 0 && options->limiter_count == 0) return;
    net_turn(server->net);
    reload_queues(server, options);
    reload_limiters(server, options);
}

void server_settings_set(struct server *server) {
    set_all(server, server->options);
}

/* The certificate is read again from where it was, or from where it is now. Connections that are
 * open stay with the old one. */
static bool server_tls_reload(struct server *server, const struct server_options *next) {
    if (server->tls == NULL) {
        if (next->tls_cert_path != NULL) log_warn("TLS begins with a restart");
        return true;
    }
    struct tls_context *tls = NULL;
    struct hob_error err = {0};
    const char *cert = next->tls_cert_path;
    enum hob_status status = HOB_OK;
    if (cert == NULL || next->tls_key_path == NULL) {
        status = fail(&err, HOB_CONFIG, "TLS cannot be taken away while the server runs");
    } else {
        status = tls_server_new(cert, next->tls_key_path, next->tls_client_ca_path, &tls, &err);
    }
    if (status != HOB_OK) {
        log_error("the certificate stays as it is", log_str("error", err.text));
        return false;
    }
    net_tls_set(server->net, tls);
    tls_context_free(server->tls);
    server->tls = tls;
    log_info("certificate read again", log_str("file", cert));
    return true;
}

/* What can change while the server runs; the rest waits for a restart. */
static void take(struct server *server, const struct server_options *next) {
    struct server_options *now = &server->in_force;
    now->hosts = next->hosts;
    now->host_count = next->host_count;
    now->connections_max = next->connections_max;
    now->per_address_max = next->per_address_max;
    now->request_ns = next->request_ns;
    descriptors_limits_set(server);
    set_all(server, next);
}

static void on_hangup(uv_signal_t *handle, int number) {
    (void)number;
    struct server *server = handle->data;
    const struct server_reload *reload = &server->options->reload;
    struct server_options next;
    if (server->host.is_stopping) return;
    if (reload->begin == NULL) {
        log_warn("this server has no configuration to reload");
        return;
    }
    notify_reloading(clock_monotonic());
    if (reload->begin(reload->context, &next)) {
        bool good = server_tls_reload(server, &next);
        if (good) take(server, &next);
        if (good) callbacks_reload(server, &next.callbacks);
        reload->end(reload->context, good);
    }
    notify_ready("serving");
}

void server_reload_open(struct server *server) {
    int code = uv_signal_init(net_loop(server->net), &server->hangup);
    hob_assert(code == 0);
    server->hangup.data = server;
    code = uv_signal_start(&server->hangup, on_hangup, SIGHUP);
    hob_assert(code == 0);
}

void server_reload_close(struct server *server) {
    uv_close((uv_handle_t *)&server->hangup, NULL);
}
