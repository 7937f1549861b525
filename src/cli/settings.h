/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as a command sees it: the file that --config names, the environment, and the
 * flags of the command, which are rows of config/settings.h. */
#ifndef HOB_CLI_SETTINGS_H
#define HOB_CLI_SETTINGS_H

#include "cli/cli.h"
#include "config/config.h"

/* Kept as long as the configuration may be read again. */
struct cli_settings {
    struct config_flag flags[SETTING_COUNT];
    struct config_input input;
};

/**
 * What the command was told.
 *
 * @section  whose settings its flags are, beside those of the log: "server", "worker", "": of both;
 *           NULL: it has neither such flags nor --config
 */
void cli_settings_init(struct cli_settings *all, const struct cli *cli, const char *section);

/** Read all of it. NULL: told on stderr, and cli->exit_code is set. Warnings are told. */
struct config *cli_settings_load(struct cli *cli, const struct cli_settings *all);

/** Have the log as the configuration says. */
void cli_log_setup(const struct config *config);

/** Tell findings on stderr, one a line. */
void cli_tell_report(const struct config_report *report);

#endif
