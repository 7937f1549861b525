/* SPDX-License-Identifier: Apache-2.0 */
/* A flag that is not given is no flag; a flag without a value is `true`. */
#include "cli/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/log.h"
#include "worker/kinds.h"

static const char *variable(const char *name) {
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody changes the environment */
}

static bool has_option(const struct cli_command *command, const char *name) {
    for (size_t i = 0; i < cli_option_count(command); i++) {
        if (strcmp(cli_option_at(command, i)->name, name) == 0) return true;
    }
    return false;
}

static bool is_of_section(const struct setting *setting, const char *section) {
    if (section == NULL || setting->flag == NULL) return false;
    bool server = strcmp(section, "server") == 0;
    if (server && setting_is_below(setting, SLICE("callbacks"))) return true;
    return setting_is_below(setting, SLICE("log")) || setting_is_below(setting, slice_str(section));
}

void cli_settings_init(struct cli_settings *all, const struct cli *cli, const char *section) {
    *all = (struct cli_settings){0};
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (!is_of_section(&settings[i], section)) continue;
        if (!has_option(cli->command, settings[i].flag)) continue;
        bool common = i == SETTING_WORKER_SERVER;
        const char *text = common ? cli->server : cli_value(cli, settings[i].flag);
        if (text == NULL) continue;
        if (settings[i].type == SETTING_TYPE_BOOL && text[0] == '\0') text = "true";
        all->flags[all->input.flag_count++] = (struct config_flag){(enum setting_id)i, text};
    }
    if (section != NULL) all->input.path = config_find(cli_value(cli, "config"), variable);
    all->input.variable = variable;
    all->input.flags = all->flags;
    all->input.readers = worker_readers;
}

void cli_log_setup(const struct config *config) {
    (void)log_set(config_text(config, SETTING_LOG_FORMAT), config_text(config, SETTING_LOG_LEVEL));
}

void cli_tell_report(const struct config_report *report) {
    for (size_t i = 0; i < report->count; i++) {
        const struct finding *finding = &report->findings[i];
        const char *word = finding->is_warning ? "warning: " : "";
        (void)fprintf(stderr, "%s: %s%s\n", finding->place, word, finding->text);
    }
    size_t all = report->error_count + report->warning_count;
    if (all > report->count) (void)fprintf(stderr, "and %zu more\n", all - report->count);
}

/* A wrong flag is wrong usage, all else is a wrong configuration. */
static enum hob_status status_of(const struct config_report *report) {
    for (size_t i = 0; i < report->count; i++) {
        const struct finding *finding = &report->findings[i];
        bool flag = strncmp(finding->place, "--", 2) == 0;
        if (!finding->is_warning && !flag) return HOB_CONFIG;
    }
    return HOB_USAGE;
}

struct config *cli_settings_load(struct cli *cli, const struct cli_settings *all) {
    struct config *config = NULL;
    struct config_report report = {0};
    enum hob_status status = config_load(&all->input, &config, &report);
    if (status != HOB_OK) {
        cli->exit_code = cli_fail(status_of(&report), "the configuration is wrong");
    }
    cli_tell_report(&report);
    report_deinit(&report);
    return status == HOB_OK ? config : NULL;
}
