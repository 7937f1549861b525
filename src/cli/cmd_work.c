/* SPDX-License-Identifier: Apache-2.0 */
/* `hob work`: the configuration into the options of src/worker, at the start and at each SIGHUP. */
#include <stdio.h>
#include <unistd.h>

#include "cli/reload.h"
#include "cli/settings.h"
#include "cli/version.h"
#include "worker/worker.h"

struct working {
    struct cli_settings settings;
    struct config *start;
    struct config *config; /* that is in force */
};

/* The path of this very binary: the worker starts it again as the launcher of each program. */
static bool own_path(char *path, size_t size) {
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length <= 0) return false;
    path[length] = '\0';
    return true;
}

static uint32_t slots_of(const struct config *config) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (config->worker.slots != 0) return config->worker.slots;
    return (uint32_t)(processors > 0 ? processors : 1);
}

static bool reload(void *context, struct worker_change *ret_change) {
    struct working *working = context;
    struct config *next = reload_read(&working->settings);
    if (next == NULL) return false;
    if (next->worker.kind_count == 0) {
        reload_refused("it needs `kinds`: what this worker can run");
        config_free(next);
        return false;
    }
    reload_tell(working->start, working->config, next, "server");
    config_free(working->config);
    working->config = next;
    *ret_change = (struct worker_change){.config = &next->worker, .slots = slots_of(next)};
    return true;
}

static int work(struct working *working) {
    const struct config *config = working->config;
    char name[200];
    char host[100] = "worker";
    char launcher[4096];
    if (config->worker.kind_count == 0) {
        return cli_fail(
            HOB_CONFIG,
            "%s: it needs `kinds`: what this worker can run",
            config->path == NULL ? "no configuration (--config FILE)" : config->path
        );
    }
    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(name, sizeof name, "%s.%d", host, (int)getpid());
    const char *given = config_text(config, SETTING_WORKER_NAME);
    struct worker_options options = {
        .config = &config->worker,
        .name = given != NULL ? given : name,
        .slots = slots_of(config),
        .version = HOB_VERSION,
        .launcher = launcher,
        .reload = {.context = working, .call = reload},
    };
    const char *server = config_text(config, SETTING_WORKER_SERVER);
    if (!address_parse(slice_str(server), &options.server)) {
        return cli_fail(HOB_CONFIG, "`%s` is no address of a server; wanted: HOST:PORT", server);
    }
    const struct cli_login login = {
        .token_file = config_text(config, SETTING_WORKER_TOKEN_FILE),
        .ca = config_text(config, SETTING_WORKER_CA),
        .cert = config_text(config, SETTING_WORKER_CERT),
        .key = config_text(config, SETTING_WORKER_KEY),
    };
    struct hob_error err = {0};
    enum hob_status status = cli_login(&options.server, &login, &err);
    if (status != HOB_OK) return cli_fail(status, "%s", err.text);
    if (!own_path(launcher, sizeof launcher)) {
        return cli_fail(HOB_FAILED, "cannot read /proc/self/exe: is /proc mounted?");
    }
    status = worker_run(&options, &err);
    return status == HOB_OK ? 0 : cli_fail(status, "%s", err.text);
}

int cmd_work(struct cli *cli) {
    struct working working = {0};
    cli_settings_init(&working.settings, cli, "worker");
    working.settings.input.runs_kinds = true;
    working.config = cli_settings_load(cli, &working.settings);
    if (working.config == NULL) return cli->exit_code;
    working.start = config_hold(working.config);
    cli_log_setup(working.config);
    int code = work(&working);
    config_free(working.start);
    config_free(working.config);
    return code;
}
