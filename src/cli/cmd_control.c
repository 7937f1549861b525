/* SPDX-License-Identifier: Apache-2.0 */
/* What people do to jobs and queues. Who did it is told along: --by, or the name of the user. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* The name of the command is the word of the protocol, in capitals. */
static void command_word(const struct cli *cli, char *word, size_t size) {
    size_t at = 0;
    for (const char *c = cli->command->name; *c != '\0' && at + 1 < size; c++) {
        word[at++] = (char)(*c >= 'a' && *c <= 'z' ? *c - ('a' - 'A') : *c);
    }
    word[at] = '\0';
}

/* One after the other; one that fails is told and does not keep the rest from being done. */
static int each_id(struct cli *cli, bool with_reason) {
    char word[16];
    command_word(cli, word, sizeof word);
    struct slice id;
    for (size_t i = 0; i < cli->arg_count; i++) {
        if (!cli_id(cli, i, &id)) return cli->exit_code;
    }
    int code = 0;
    for (size_t i = 0; i < cli->arg_count; i++) {
        struct cli_request request = {0};
        cli_word(&request, word);
        cli_word(&request, cli->args[i]);
        if (with_reason) {
            cli_request_options(&request, cli);
            cli_request_by(&request, cli);
        }
        const struct resp_node *reply = cli_ask(cli, &request, 0);
        if (reply == NULL) {
            code = cli->exit_code;
            if (code == status_exit_code(HOB_UNREACHABLE)) return code;
            continue;
        }
        struct slice state = with_reason ? reply->text : SLICE("deleted");
        (void)fprintf(stderr, "job %s: %.*s\n", cli->args[i], SLICE_ARG(state));
    }
    return code;
}

int cmd_control(struct cli *cli) {
    return each_id(cli, true);
}

int cmd_delete(struct cli *cli) {
    return each_id(cli, false);
}

int cmd_pause(struct cli *cli) {
    struct cli_request request = {0};
    cli_word(&request, "PAUSE");
    cli_word(&request, cli->args[0]);
    cli_request_options(&request, cli);
    cli_request_by(&request, cli);
    return cli_ask(cli, &request, 0) == NULL ? cli->exit_code : 0;
}

int cmd_resume(struct cli *cli) {
    struct cli_request request = {0};
    cli_word(&request, "RESUME");
    cli_word(&request, cli->args[0]);
    return cli_ask(cli, &request, 0) == NULL ? cli->exit_code : 0;
}
