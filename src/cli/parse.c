/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing by the table: --name VALUE, --name=VALUE, flags, arguments; `--` ends the options. An
 * unknown word is told with the nearest known one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/nearest.h"
#include "base/text.h"
#include "cli/cli.h"

static bool parse_fail(struct cli *cli, const char *what, const char *word, const char *near) {
    char hint[80] = "";
    if (near != NULL) (void)snprintf(hint, sizeof hint, "; did you mean `%s`?", near);
    cli->exit_code = cli_usage(cli, "%s `%s`%s", what, word, hint);
    return false;
}

static bool unknown_option(struct cli *cli, const char *word, struct slice name) {
    const char *names[CLI_OPTIONS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < cli->command->option_count; i++) {
        names[count++] = cli->command->options[i].name;
    }
    if (cli->command->has_server) {
        names[count++] = "server";
        names[count++] = "json";
    }
    names[count++] = "help";
    return parse_fail(cli, "there is no option", word, nearest_word(name, names, count));
}

static bool name_is(struct slice name, const char *wanted) {
    return slice_equal(name, slice_str(wanted));
}

/* Where the value of this option goes; *ret_flag when it has none. NULL: no such option. */
static const char **
option_place(struct cli *cli, struct slice name, const char **ret_value, const char **json) {
    for (size_t i = 0; i < cli->command->option_count; i++) {
        if (!name_is(name, cli->command->options[i].name)) continue;
        *ret_value = cli->command->options[i].value;
        return &cli->values[i];
    }
    if (!cli->command->has_server) return NULL;
    *ret_value = name_is(name, "server") ? "ADDRESS" : NULL;
    if (name_is(name, "server")) return &cli->server;
    return name_is(name, "json") ? json : NULL;
}

/* One option; *at moves past its value. */
static bool parse_option(struct cli *cli, int argc, char **argv, int *at) {
    const char *word = argv[*at];
    const char *equals = strchr(word, '=');
    size_t size = equals == NULL ? strlen(word) - 2 : (size_t)(equals - word) - 2;
    struct slice name = slice_of(word + 2, size);
    if (name_is(name, "help")) {
        cli_help_command(cli->command);
        cli->exit_code = 0;
        return false;
    }
    const char *value = NULL;
    const char *json = NULL;
    const char **place = option_place(cli, name, &value, &json);
    if (place == NULL) return unknown_option(cli, word, name);
    if (equals != NULL && value == NULL) {
        return parse_fail(cli, "no value belongs to", word, NULL);
    }
    if (equals != NULL) {
        *place = equals + 1;
    } else if (value == NULL || value[0] == '[') {
        *place = "";
    } else {
        if (*at + 1 == argc) return parse_fail(cli, "a value is missing after", word, NULL);
        *place = argv[++*at];
    }
    if (json != NULL) cli->json = true;
    return true;
}

bool cli_parse(struct cli *cli, int argc, char **argv) {
    bool options_end = false;
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at];
        if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
        } else if (!options_end && strcmp(word, "-h") == 0) {
            cli_help_command(cli->command);
            cli->exit_code = 0;
            return false;
        } else if (!options_end && strncmp(word, "--", 2) == 0) {
            if (!parse_option(cli, argc, argv, &at)) return false;
        } else if (cli->arg_count == cli->command->args_max || cli->arg_count == CLI_ARGS_MAX) {
            return parse_fail(cli, "one word too many:", word, NULL);
        } else {
            cli->args[cli->arg_count++] = word;
        }
    }
    if (cli->arg_count >= cli->command->args_min) return true;
    cli->exit_code =
        cli_usage(cli, "too few words: hob %s %s", cli->command->name, cli->command->synopsis);
    return false;
}

const char *cli_value(const struct cli *cli, const char *name) {
    for (size_t i = 0; i < cli->command->option_count; i++) {
        if (strcmp(cli->command->options[i].name, name) == 0) return cli->values[i];
    }
    hob_panic(__FILE__, __LINE__, name);
}

bool cli_span(struct cli *cli, const char *name, hob_ns *ret_span) {
    const char *value = cli_value(cli, name);
    if (value == NULL) return true;
    if (text_duration(slice_str(value), NS_PER_SECOND, ret_span)) return true;
    cli->exit_code =
        cli_usage(cli, "--%s: `%s` is no span of time, such as 500ms, 30s, 5m, 2h", name, value);
    return false;
}

bool cli_id(struct cli *cli, size_t at, struct slice *ret_id) {
    uint64_t id = 0;
    *ret_id = slice_str(cli->args[at]);
    if (text_u64(*ret_id, 1, INT64_MAX, &id)) return true;
    cli->exit_code = cli_usage(cli, "`%s` is no id of a job: a number from 1", cli->args[at]);
    return false;
}
