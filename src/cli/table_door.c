/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on who is let in. */
#include "cli/cli.h"

static const struct cli_option create_rows[] = {
    {.name = "scope",
     .value = "SCOPES",
     .word = "SCOPE",
     .list = true,
     .help = "push, work, read, manage, admin; several after commas; required"},
    {.name = "queue",
     .letter = 'q',
     .value = "GLOBS",
     .word = "QUEUE",
     .list = true,
     .help = "for queues whose names these fit (* any run, ? one byte); default: every queue"},
    {.name = "expires", .value = "SPAN", .word = "EXPIRES", .help = "from now; default: never"},
    {.name = "by", .value = "NAME", .help = "who makes it; default: the user"},
};
static const struct cli_options create_options = CLI_LIST(create_rows);

static const struct cli_option revoke_rows[] = {
    {.name = "force", .help = "even the last token that can make others"},
};
static const struct cli_options revoke_options = CLI_LIST(revoke_rows);

static const struct cli_option audit_rows[] = {
    {.name = "since",
     .value = "SPAN|TIME",
     .word = "SINCE",
     .help = "not older: 1h, or a time; default: all that is kept"},
    {.name = "limit", .letter = 'n', .value = "N", .help = "the latest N; default 100"},
};
static const struct cli_options audit_options = CLI_LIST(audit_rows);

static const struct cli_command door_rows[] = {
    {
        .name = "token",
        .synopsis = "create|ls|revoke",
        .summary = "who may ask this server for what",
        .details =
            "As soon as there is one token, every TCP connection needs one: HOB_TOKEN, a "
            "file that HOB_TOKEN_FILE or --token-file names, AUTH, or Authorization: Bearer. "
            "A unix socket is the owner's, and needs none.",
    },
    {
        .name = "token create",
        .synopsis = "NAME --scope SCOPES",
        .summary = "make a token, and print it this once",
        .details = "The server keeps a hash of it only. The first token must have the scope admin "
                   "and no end.",
        .examples = "hob token create ops --scope admin\n"
                    "hob token create shop --scope push,read --queue 'mail.*' --expires 90d\n",
        .lists = {&create_options, &cli_server_options, &cli_print_options},
        .args_min = 1,
        .args_max = 1,
        .run = cmd_token_create,
    },
    {
        .name = "token ls",
        .synopsis = "",
        .summary = "list tokens: names, scopes, queues, times",
        .lists = {&cli_server_options, &cli_row_options},
        .run = cmd_token_ls,
    },
    {
        .name = "token revoke",
        .synopsis = "NAME",
        .summary = "let nobody in by this token any more, at once",
        .lists = {&revoke_options, &cli_server_options},
        .args_min = 1,
        .args_max = 1,
        .run = cmd_token_revoke,
    },
    {
        .name = "audit",
        .synopsis = "",
        .summary = "who did what: control actions, tokens, wrong logins",
        .examples = "hob audit --since 1d\n",
        .lists = {&audit_options, &cli_server_options, &cli_row_options},
        .run = cmd_audit,
    },
};
const struct cli_group cli_door_group = {"Tokens and audit", door_rows, hob_countof(door_rows)};
