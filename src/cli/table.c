/* SPDX-License-Identifier: Apache-2.0 */
/* The groups of commands, other words for commands, the options that many share, and looking things
 * up in all of that. */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "cli/command.h"

const struct cli_group *const cli_groups[] = {
    &cli_job_group,
    &cli_queue_group,
    &cli_limit_group,
    &cli_server_group,
    &cli_door_group,
    &cli_journal_group,
    &cli_self_group,
};
const size_t cli_group_count = hob_countof(cli_groups);

/* What people type who come from elsewhere. */
const struct cli_alias cli_aliases[] = {
    {"enqueue", "push", NULL},
    {"add", "push", NULL},
    {"show", "get", NULL},
    {"result", "get", "--result"},
    {"list", "ls", NULL},
    {"jobs", "ls", NULL},
    {"log", "logs", NULL},
    {"tail", "logs", "--follow"},
    {"kill", "cancel", NULL},
    {"rm", "delete", NULL},
    {"remove", "delete", NULL},
    {"server", "serve", NULL},
    {"worker", "work", NULL},
    {"status", "stats", NULL},
};
const size_t cli_alias_count = hob_countof(cli_aliases);

const struct cli_option cli_help_option = {
    .name = "help", .letter = 'h', .help = "tell about the command, and do nothing"};

static const struct cli_option server_rows[] = {
    {.name = "server",
     .letter = 's',
     .value = "ADDRESS",
     .help = "HOST:PORT of the server; else HOB_SERVER, else 127.0.0.1:4620"},
    {.name = "token-file",
     .value = "FILE",
     .completes = COMPLETES_FILES,
     .help = "holds the token to show; else HOB_TOKEN_FILE, else HOB_TOKEN itself"},
    {.name = "ca",
     .value = "FILE",
     .completes = COMPLETES_FILES,
     .help = "who has signed the certificate of a server hobs://…; else HOB_CA, else the system's"},
    {.name = "client-cert",
     .value = "FILE",
     .completes = COMPLETES_FILES,
     .help = "certificate to show to a server that asks; else HOB_CLIENT_CERT"},
    {.name = "client-key",
     .value = "FILE",
     .completes = COMPLETES_FILES,
     .help = "its key; else HOB_CLIENT_KEY"},
};
const struct cli_options cli_server_options = CLI_LIST(server_rows);

#define JSON_OPTION \
    { .name = "json", .help = "print JSON, an object a line" }
#define COLOR_OPTION                                                       \
    {                                                                      \
        .name = "color", .value = "WHEN", .choices = "auto always never",  \
        .help = "colour: auto (on a terminal; see `hob help environment`)" \
    }

static const struct cli_option print_rows[] = {JSON_OPTION, COLOR_OPTION};
const struct cli_options cli_print_options = CLI_LIST(print_rows);

static const struct cli_option row_rows[] = {
    {.name = "output",
     .letter = 'o',
     .value = "FORM",
     .choices = "table tabs json",
     .help = "a table (on a terminal), fields divided by tabs (elsewhere), or JSON"},
    {.name = "quiet", .letter = 'q', .help = "only the first column: ids, names"},
    {.name = "columns",
     .value = "NAMES",
     .help = "these fields, in this order; names are those of --json"},
    JSON_OPTION,
    COLOR_OPTION,
};
const struct cli_options cli_row_options = CLI_LIST(row_rows);

static const struct cli_option watch_rows[] = {
    {.name = "watch",
     .letter = 'w',
     .value = "[SPAN]",
     .help = "look again every second, or SPAN: redrawn on a terminal, changes as lines elsewhere"},
};
const struct cli_options cli_watch_options = CLI_LIST(watch_rows);

size_t cli_command_count(void) {
    size_t count = 0;
    for (size_t i = 0; i < cli_group_count; i++) count += cli_groups[i]->count;
    hob_assert(count <= CLI_COMMANDS_MAX);
    return count;
}

const struct cli_command *cli_command_at(size_t index) {
    for (size_t i = 0; i < cli_group_count; i++) {
        if (index < cli_groups[i]->count) return &cli_groups[i]->rows[index];
        index -= cli_groups[i]->count;
    }
    hob_panic(__FILE__, __LINE__, "no such command");
}

const struct cli_command *cli_command_find(const char *name) {
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *command = cli_command_at(i);
        if (strcmp(command->name, name) == 0) return command;
    }
    return NULL;
}

const struct cli_command *
cli_command_pick(const char *first, const char *second, size_t *ret_words) {
    char both[80];
    int size = snprintf(both, sizeof both, "%s %s", first, second == NULL ? "" : second);
    const struct cli_command *command = NULL;
    *ret_words = 2;
    if (second != NULL && size > 0 && (size_t)size < sizeof both) command = cli_command_find(both);
    if (command != NULL) return command;
    *ret_words = 1;
    return strchr(first, ' ') == NULL ? cli_command_find(first) : NULL;
}

bool cli_command_is_inside(const struct cli_command *inner, const struct cli_command *outer) {
    size_t size = strlen(outer->name);
    return strncmp(inner->name, outer->name, size) == 0 && inner->name[size] == ' ';
}

size_t cli_option_count(const struct cli_command *command) {
    size_t count = 0;
    for (size_t i = 0; i < CLI_LISTS_MAX && command->lists[i] != NULL; i++) {
        count += command->lists[i]->count;
    }
    hob_assert(count <= CLI_OPTIONS_MAX);
    return count;
}

const struct cli_option *cli_option_at(const struct cli_command *command, size_t index) {
    for (size_t i = 0; i < CLI_LISTS_MAX && command->lists[i] != NULL; i++) {
        if (index < command->lists[i]->count) return &command->lists[i]->rows[index];
        index -= command->lists[i]->count;
    }
    hob_panic(__FILE__, __LINE__, "no such option");
}

const char *cli_command_nearest(const char *word, const struct cli_command *inside) {
    const char *words[CLI_COMMANDS_MAX + hob_countof(cli_aliases)];
    size_t count = 0;
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *command = cli_command_at(i);
        const char *space = strchr(command->name, ' ');
        if (inside == NULL && space == NULL) words[count++] = command->name;
        if (inside != NULL && cli_command_is_inside(command, inside)) words[count++] = space + 1;
    }
    for (size_t i = 0; inside == NULL && i < cli_alias_count; i++) {
        words[count++] = cli_aliases[i].word;
    }
    return nearest_word(slice_str(word), words, count);
}
