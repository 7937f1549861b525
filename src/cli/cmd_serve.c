/* SPDX-License-Identifier: Apache-2.0 */
/* `hob serve` and `hob work`: options into structs; the work is src/server's and src/worker's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/version.h"
#include "os/log.h"
#include "server/server.h"
#include "worker/kinds.h"
#include "worker/worker.h"

static bool durability_parse(const char *word, enum server_durability *ret_durability) {
    static const char *const words[DURABILITY_COUNT] = {
        [DURABILITY_ALWAYS] = "always",
        [DURABILITY_INTERVAL] = "interval",
        [DURABILITY_NONE] = "none",
    };
    for (unsigned i = 0; i < DURABILITY_COUNT; i++) {
        if (strcmp(words[i], word) != 0) continue;
        *ret_durability = (enum server_durability)i;
        return true;
    }
    return false;
}

/* --log-format and --log-level, else HOB_LOG_FORMAT and HOB_LOG_LEVEL. */
static bool log_options(struct cli *cli) {
    const char *format = cli_value(cli, "log-format");
    const char *level = cli_value(cli, "log-level");
    if (format == NULL) format = getenv("HOB_LOG_FORMAT");
    if (level == NULL) level = getenv("HOB_LOG_LEVEL");
    if (!log_set(format, NULL)) {
        cli->exit_code = cli_usage(cli, "log format: `%s` is not text, logfmt or json", format);
        return false;
    }
    if (!log_set(NULL, level)) {
        cli->exit_code = cli_usage(cli, "log level: `%s` is not debug, info, warn or error", level);
        return false;
    }
    return true;
}

int cmd_serve(struct cli *cli) {
    if (!log_options(cli)) return cli->exit_code;
    const char *listen = cli_value(cli, "listen");
    struct server_options options = {
        .data_path = cli_value(cli, "data"),
        .listen = &listen,
        .listen_count = listen == NULL ? 0 : 1,
        .insecure = cli_value(cli, "insecure") != NULL,
        .version = HOB_VERSION,
    };
    if (options.data_path == NULL) return cli_usage(cli, "--data DIR is missing");
    uint64_t connections = options.connections_max;
    const char *durability = cli_value(cli, "durability");
    if (durability != NULL && !durability_parse(durability, &options.durability)) {
        return cli_usage(cli, "--durability: `%s` is not always, interval or none", durability);
    }
    if (!cli_size(cli, "memory", &options.memory_max_bytes) ||
        !cli_size(cli, "segment", &options.segment_bytes) ||
        !cli_number(cli, "connections", 1, 1000000, &connections)) {
        return cli->exit_code;
    }
    options.connections_max = (uint32_t)connections;
    return server_run(&options);
}

/* The path of this very binary: the worker starts it again as the launcher of each program. */
static bool own_path(char *path, size_t size) {
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length <= 0) return false;
    path[length] = '\0';
    return true;
}

/* --server, HOB_SERVER, the file, the default. */
static const char *work_server(const struct cli *cli, const struct worker_config *config) {
    if (cli->server != NULL) return cli->server;
    const char *server = getenv("HOB_SERVER");
    if (server != NULL && server[0] != '\0') return server;
    return config->server != NULL ? config->server : ADDRESS_DEFAULT;
}

static int work(struct cli *cli, const struct worker_config *config) {
    char name[200];
    char host[100] = "worker";
    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(name, sizeof name, "%s.%d", host, (int)getpid());
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    char launcher[4096];
    struct worker_options options = {
        .config = config,
        .name = config->name != NULL ? config->name : name,
        .slots = config->slots != 0 ? config->slots : (uint32_t)(processors > 0 ? processors : 1),
        .launcher = launcher,
    };
    if (cli_value(cli, "name") != NULL) options.name = cli_value(cli, "name");
    uint64_t slots = options.slots;
    if (!cli_number(cli, "slots", 1, CONFIG_SLOTS_MAX, &slots)) return cli->exit_code;
    options.slots = (uint32_t)slots;
    const char *server = work_server(cli, config);
    if (!address_parse(slice_str(server), &options.server)) {
        return cli_fail(HOB_CONFIG, "`%s` is no address of a server; wanted: HOST:PORT", server);
    }
    if (!own_path(launcher, sizeof launcher)) {
        return cli_fail(HOB_FAILED, "cannot read /proc/self/exe: is /proc mounted?");
    }
    struct hob_error err = {0};
    enum hob_status status = worker_run(&options, &err);
    return status == HOB_OK ? 0 : cli_fail(status, "%s", err.text);
}

int cmd_work(struct cli *cli) {
    if (!log_options(cli)) return cli->exit_code;
    const char *path = cli_value(cli, "config");
    if (path == NULL) return cli_usage(cli, "--config FILE is missing");
    struct config config;
    struct config_report report = {0};
    struct hob_error err = {0};
    enum hob_status status = config_load(path, worker_readers, &config, &report);
    if (status != HOB_OK) {
        status = report_status(&report, &err);
        report_deinit(&report);
        return cli_fail(status, "%s", err.text);
    }
    report_deinit(&report);
    int code = config.worker.kind_count > 0
                   ? work(cli, &config.worker)
                   : cli_fail(HOB_CONFIG, "%s: it needs `kinds`: what this worker can run", path);
    config_deinit(&config);
    return code;
}
