/* SPDX-License-Identifier: Apache-2.0 */
/* Help, out of the table. Asked for, it is data and goes to stdout. */
#include <stdio.h>

#include "cli/cli.h"

void cli_help_all(void) {
    (void)printf("hob: background jobs. Push one and go on; a worker runs it.\n\n"
                 "  hob serve --data ./data                       a server on 127.0.0.1:4620\n"
                 "  hob work --config worker.yaml                 a worker for it\n"
                 "  hob push default greet '\"you\"' --wait         a job, and its result\n"
                 "  hob logs 1                                    what it said\n\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        (void)printf("  %-10s %s\n", cli_commands[i].name, cli_commands[i].summary);
    }
    (void)printf("\n`hob help COMMAND` tells more of each. The guide is in doc/guide.\n");
}

static void print_option(const char *name, const char *value, const char *help) {
    char left[64];
    if (value == NULL) {
        (void)snprintf(left, sizeof left, "--%s", name);
    } else if (value[0] == '[') {
        (void)snprintf(left, sizeof left, "--%s[=%s", name, value + 1);
    } else {
        (void)snprintf(left, sizeof left, "--%s %s", name, value);
    }
    (void)printf("  %-24s %s\n", left, help);
}

void cli_help_command(const struct cli_command *command) {
    (void)printf("hob %s %s\n    %s\n", command->name, command->synopsis, command->summary);
    if (command->option_count > 0 || command->has_server) (void)printf("\n");
    for (size_t i = 0; i < command->option_count; i++) {
        const struct cli_option *option = &command->options[i];
        print_option(option->name, option->value, option->help);
    }
    if (command->has_server) {
        print_option("server", "ADDRESS", "of the server; else HOB_SERVER, else 127.0.0.1:4620");
        print_option("json", NULL, "print JSON");
    }
    if (command->details != NULL) (void)printf("\n%s", command->details);
}

int cmd_help(struct cli *cli) {
    if (cli->arg_count == 0) {
        cli_help_all();
        return 0;
    }
    const struct cli_command *command = cli_command_find(cli->args[0]);
    if (command == NULL) return cli_usage(cli, "there is no command `%s`", cli->args[0]);
    cli_help_command(command);
    return 0;
}
