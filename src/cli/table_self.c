/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about the program itself, and the topics of its manual. */
#include "cli/cli.h"

static const struct cli_option help_rows[] = {
    {.name = "man", .help = "print the page of the manual, for man -l -"},
    {.name = "man-dir",
     .value = "DIR",
     .completes = COMPLETES_DIRECTORIES,
     .help = "write all pages of the manual into this directory"},
};
static const struct cli_options help_options = CLI_LIST(help_rows);

static const struct cli_command self_rows[] = {
    {
        .name = "completion",
        .synopsis = "bash | zsh | fish",
        .summary = "print the script that teaches a shell to complete",
        .details = "Options, words and files are completed from what this program knows; names of "
                   "queues and kinds and ids of jobs are asked from the server, for at most a "
                   "quarter of a second, and left out when it is away.",
        .examples = "eval \"$(hob completion bash)\"                       # in ~/.bashrc\n"
                    "eval \"$(hob completion zsh)\"                        # in ~/.zshrc\n"
                    "hob completion fish > ~/.config/fish/completions/hob.fish\n",
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_SHELLS},
        .run = cmd_completion,
    },
    {
        .name = "version",
        .synopsis = "",
        .summary = "print the version",
        .run = cmd_version,
    },
    {
        .name = "help",
        .synopsis = "[COMMAND | TOPIC]",
        .summary = "tell about a command, or about a topic of the manual",
        .lists = {&help_options},
        .args_max = 2,
        .completes = {COMPLETES_COMMANDS},
        .run = cmd_help,
    },
};
const struct cli_group cli_self_group = {"Hob itself", self_rows, hob_countof(self_rows)};

const struct cli_topic cli_topics[] = {
    {
        .name = "exit-codes",
        .title = "Exit status",
        .text =
            "  0    done\n"
            "  1    failed: the job that was waited for, one of several things that were asked\n"
            "  2    wrong usage; nothing was done\n"
            "  3    there is no such job, queue, group, kind, limiter or spool\n"
            "  4    the server cannot be reached, or the connection broke: it is not known\n"
            "       whether a request that was under way was done\n"
            "  5    not allowed\n"
            "  6    the time is over\n"
            "  7    the state of the job does not allow it, or another process is at it\n"
            "  75   not now, try later: a queue, the disk or the memory of the server is full, or\n"
            "       another limit is reached; nothing was done\n"
            "  130  ended by Ctrl-C\n\n"
            "`hob serve` also ends with 65 (the data is damaged), 74 (the disk failed, or "
            "it may not be used) and 78 "
            "(the configuration is wrong): starting it again does not help then. `hob work` "
            "ends with 78 when its configuration is wrong.",
    },
    {
        .name = "environment",
        .title = "Environment",
        .text =
            "  HOB_CONFIG      the configuration, unless --config names it\n"
            "  HOB_SERVER      HOST:PORT of the server, unless --server says it\n"
            "  HOB_TOKEN_FILE  a file with the token to show, unless --token-file names it\n"
            "  HOB_TOKEN       the token itself\n"
            "  HOB_CA          who has signed the server's certificate, unless --ca says it\n"
            "  HOB_CLIENT_CERT, HOB_CLIENT_KEY\n"
            "                  a certificate to show, unless --client-cert, --client-key say it\n"
            "  HOB_LOG_FORMAT  text, logfmt or json, unless --log-format says it\n"
            "  HOB_LOG_LEVEL   debug, info, warn or error, unless --log-level says it\n"
            "  NO_COLOR        set and not empty: no colour\n"
            "  CLICOLOR_FORCE  set and not 0: colour also when stdout is no terminal\n"
            "  TERM            `dumb`: no colour, nothing is redrawn\n"
            "  COLUMNS         the width of tables, when the terminal does not tell its own\n"
            "  USER            who does it, where a reason is kept, unless --by says it\n\n"
            "--color goes before all of these.\n\n"
            "Each setting of the configuration has a variable too, which goes before the file: "
            "`hob config reference` lists them.",
    },
    {
        .name = "values",
        .title = "Values",
        .text = "A SPAN is a number with a unit, or several: 250ms, 30s, 5m, 1h30m, 7d; without a "
                "unit it is seconds (in hob.yaml the unit must be there). A TIME is RFC 3339: "
                "2026-12-24T18:00:00Z. A SIZE is a number with B, KiB, MiB, GiB or TiB, or kB, MB, "
                "GB or TB (thousands); without a unit it is bytes. Names of queues and kinds have "
                "1 to 200 bytes of A-Z a-z 0-9 - + / ; : . $ _ ( ), not beginning with a hyphen.\n"
                "\n"
                "Options stand anywhere behind the command; `--` ends them. A value follows as "
                "`--name VALUE` or `--name=VALUE`, `-n VALUE` or `-nVALUE`; letters without a "
                "value can share a hyphen.",
    },
};
const size_t cli_topic_count = hob_countof(cli_topics);
