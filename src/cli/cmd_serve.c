/* SPDX-License-Identifier: Apache-2.0 */
/* `hob serve`: the configuration into the options of src/server, at the start and at each
 * SIGHUP. */
#include "base/assert.h"
#include "cli/reload.h"
#include "cli/serve.h"
#include "cli/settings.h"
#include "cli/version.h"
#include "os/log.h"
#include "server/server.h"

/* The words of server.durability are in this order. */
_Static_assert(DURABILITY_ALWAYS == 0, "the first word");
_Static_assert(DURABILITY_INTERVAL == 1, "the second word");
_Static_assert(DURABILITY_NONE == 2, "the third word");

enum { CALLBACKS_RUN_OFF = 1 }; /* the second word of callbacks.run */

struct serving {
    struct cli *cli;
    struct cli_settings settings;
    struct config *start;
    struct config *config; /* that is in force */
    struct config *next;   /* while a reload is under way */
};

struct server_options cli_server_options_of(const struct config *config) {
    struct server_options options = {
        .data_path = config_text(config, SETTING_SERVER_DATA),
        .insecure = config_bool(config, SETTING_SERVER_INSECURE),
        .durability = (enum server_durability)config_number(config, SETTING_SERVER_DURABILITY),
        .sync_interval_ns = config_number(config, SETTING_SERVER_SYNC_INTERVAL),
        .memory_max_bytes = config_number(config, SETTING_SERVER_MEMORY),
        .segment_bytes = config_number(config, SETTING_SERVER_SEGMENT),
        .connections_max = (uint32_t)config_number(config, SETTING_SERVER_CONNECTIONS),
        .per_address_max = (uint32_t)config_number(config, SETTING_SERVER_PER_ADDRESS),
        .request_ns = config_number(config, SETTING_SERVER_REQUEST_TIMEOUT),
        .tls_cert_path = config_text(config, SETTING_SERVER_TLS_CERT),
        .tls_key_path = config_text(config, SETTING_SERVER_TLS_KEY),
        .tls_client_ca_path = config_text(config, SETTING_SERVER_TLS_CLIENT_CA),
        .tokens_on_sockets = config_bool(config, SETTING_SERVER_TOKENS_ON_SOCKETS),
        .version = HOB_VERSION,
        .queues = config->queues,
        .queue_count = config->queue_count,
        .limiters = config->limiters,
        .limiter_count = config->limiter_count,
        .callbacks =
            {
                .off = config_number(config, SETTING_CALLBACKS_RUN) == CALLBACKS_RUN_OFF,
                .slots = (uint32_t)config_number(config, SETTING_CALLBACKS_SLOTS),
                .plain_http = config_bool(config, SETTING_CALLBACKS_PLAIN_HTTP),
                .ca_file = config_text(config, SETTING_CALLBACKS_CA_FILE),
                .secrets = config->secrets,
                .secret_count = config->secret_count,
            },
    };
    options.callbacks.allow =
        config_words(config, SETTING_CALLBACKS_ALLOW, &options.callbacks.allow_count);
    options.callbacks.granted =
        config_words(config, SETTING_CALLBACKS_SECRETS, &options.callbacks.granted_count);
    options.hosts = config_words(config, SETTING_SERVER_HOSTS, &options.host_count);
    options.listen = config_words(config, SETTING_SERVER_LISTEN, &options.listen_count);
    return options;
}

static bool reload_begin(void *context, struct server_options *ret_options) {
    struct serving *serving = context;
    hob_assert(serving->next == NULL);
    serving->next = reload_read(&serving->settings);
    if (serving->next == NULL) return false;
    *ret_options = cli_server_options_of(serving->next);
    return true;
}

static void reload_end(void *context, bool taken) {
    struct serving *serving = context;
    if (taken) reload_tell(serving->start, serving->config, serving->next, "worker");
    config_free(taken ? serving->config : serving->next);
    if (taken) serving->config = serving->next;
    serving->next = NULL;
}

static int serve(struct serving *serving) {
    struct server_options options = cli_server_options_of(serving->config);
    if (options.data_path == NULL && serving->config->path != NULL) {
        return cli_fail(
            HOB_CONFIG, "%s: `server.data` is missing (or --data DIR)", serving->config->path
        );
    }
    if (options.data_path == NULL) {
        return cli_usage(serving->cli, "--data DIR is missing (or HOB_DATA, or server.data)");
    }
    options.reload = (struct server_reload){
        .context = serving,
        .begin = reload_begin,
        .end = reload_end,
    };
    return server_run(&options);
}

int cmd_serve(struct cli *cli) {
    struct serving serving = {.cli = cli};
    cli_settings_init(&serving.settings, cli, "server");
    serving.config = cli_settings_load(cli, &serving.settings);
    if (serving.config == NULL) return cli->exit_code;
    serving.start = config_hold(serving.config);
    cli_log_setup(serving.config);
    int code = serve(&serving);
    config_free(serving.start);
    config_free(serving.config);
    return code;
}
