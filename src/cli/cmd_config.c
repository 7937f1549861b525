/* SPDX-License-Identifier: Apache-2.0 */
/* `hob config …`: is the file right, what is in force and from where, what may stand in it. */
#include <stdio.h>

#include "cli/print.h"
#include "cli/serve.h"
#include "cli/settings.h"
#include "config/show.h"
#include "worker/kinds.h"

enum { SHOWN_BYTES_MAX = 16 * 1024 * 1024 };

/* What `hob serve` would refuse at the start; what only its journal knows (are there tokens?) is
 * taken for granted. */
static enum hob_status server_check(const struct config *config, struct config_report *report) {
    const struct value *listen = &config->values[SETTING_SERVER_LISTEN];
    struct server_options options = cli_server_options_of(config);
    struct hob_error err = {0};
    enum hob_status status = server_addresses_check(&options, true, &err);
    if (status == HOB_OK) return HOB_OK;
    return report_error(
        report, listen->count > 0 ? listen->place : config->path, "`server`: %s", err.text
    );
}

int cmd_config_check(struct cli *cli) {
    struct cli_settings all;
    struct config *config = NULL;
    struct config_report report = {0};
    cli_settings_init(&all, cli, NULL);
    all.input.is_thorough = true;
    all.input.path = cli->arg_count > 0 ? cli->args[0] : config_find(NULL, all.input.variable);
    if (all.input.path == NULL) {
        return cli_usage(cli, "no FILE is named, and there is no " CONFIG_PATH_DEFAULT);
    }
    enum hob_status status = config_load(&all.input, &config, &report);
    if (status == HOB_OK) status = server_check(config, &report);
    cli_tell_report(&report);
    if (status == HOB_OK) {
        (void)printf(
            "%s: right (queues: %zu, kinds: %zu, secrets: %zu)\n",
            config->path,
            config->queue_count,
            config->worker.kind_count,
            config->secret_count
        );
    }
    report_deinit(&report);
    config_free(config);
    return status_exit_code(status);
}

int cmd_config_show(struct cli *cli) {
    struct cli_settings all;
    cli_settings_init(&all, cli, "");
    struct config *config = cli_settings_load(cli, &all);
    if (config == NULL) return cli->exit_code;
    HOB_AUTO_BUF struct buf out = buf_make(SHOWN_BYTES_MAX);
    config_show(config, cli_has(cli, "origin"), &out);
    config_free(config);
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}

int cmd_config_schema(struct cli *cli) {
    (void)cli;
    HOB_AUTO_BUF struct buf out = buf_make(SHOWN_BYTES_MAX);
    config_schema(worker_readers, &out);
    (void)buf_put_char(&out, '\n');
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}

int cmd_config_reference(struct cli *cli) {
    (void)cli;
    HOB_AUTO_BUF struct buf out = buf_make(SHOWN_BYTES_MAX);
    config_reference(worker_readers, &out);
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}
