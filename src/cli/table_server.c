/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that run a server or a worker, or look at them. */
#include "cli/cli.h"
#include "config/settings.h"

/* The flags that are settings come from the rows of config/settings.h: what follows depends on the
 * type. A boolean is set by its name alone. */
#define VALUE_TEXT(text)      .value = (text)
#define VALUE_PATH(text)      .value = (text), .completes = COMPLETES_FILES
#define VALUE_FILE(text)      .value = (text), .completes = COMPLETES_FILES
#define VALUE_KEY_FILE(text)  .value = (text), .completes = COMPLETES_FILES
#define VALUE_ADDRESS(text)   .value = (text)
#define VALUE_ADDRESSES(text) .value = (text)
#define VALUE_NAME(text)      .value = (text)
#define VALUE_NAMES(text)     .value = (text)
#define VALUE_PATTERNS(text)  .value = (text)
#define VALUE_WORDS(text)     .value = (text)
#define VALUE_NUMBER(text)    .value = (text)
#define VALUE_SPAN(text)      .value = (text)
#define VALUE_SIZE(text)      .value = (text)
#define VALUE_CHOICE(words)   .value = "WORD", .choices = (words)
#define VALUE_BOOL(text)      .value = (text)

#define FLAG(id, path, type, option_letter, flag, variable, preset, min, max, change, text, line) \
    {.name = (flag),                                                                              \
     .letter = (option_letter),                                                                   \
     .help = (line),                                                                              \
     .fallback = (preset),                                                                        \
     VALUE_##type(text)},

#define CONFIG_OPTION                                                                       \
    {                                                                                       \
        .name = "config", .letter = 'c', .value = "FILE", .completes = COMPLETES_FILES,     \
        .help = "the configuration; else HOB_CONFIG, else /etc/hob/hob.yaml if it is there" \
    }

static const struct cli_option config_rows[] = {CONFIG_OPTION};
static const struct cli_options config_options = CLI_LIST(config_rows);

static const struct cli_option serve_rows[] = {SETTINGS_SERVE(FLAG) SETTINGS_CALLBACKS(FLAG)};
static const struct cli_options serve_options = CLI_LIST(serve_rows);

static const struct cli_option work_rows[] = {SETTINGS_WORK(FLAG)};
static const struct cli_options work_options = CLI_LIST(work_rows);

static const struct cli_option log_rows[] = {SETTINGS_LOG(FLAG)};
static const struct cli_options log_options = CLI_LIST(log_rows);

static const struct cli_option show_rows[] = {
    {.name = "origin", .letter = 'o', .help = "say behind each value where it comes from"},
    CONFIG_OPTION,
    SETTINGS_SERVE(FLAG) SETTINGS_CALLBACKS(FLAG) SETTINGS_WORK(FLAG) SETTINGS_LOG(FLAG)};
static const struct cli_options show_options = CLI_LIST(show_rows);

static const struct cli_option stats_rows[] = {
    {.name = "queue",
     .value = "QUEUE",
     .word = "QUEUE",
     .completes = COMPLETES_QUEUES,
     .help = "what happened to the jobs of this queue"},
    {.name = "kind",
     .value = "KIND",
     .word = "KIND",
     .completes = COMPLETES_KINDS,
     .help = "what happened to the jobs of this kind"},
    {.name = "all", .help = "what happened to all jobs"},
    {.name = "series", .help = "minute by minute, minutes without any left out"},
    {.name = "since",
     .value = "TIME",
     .word = "SINCE",
     .fallback = "three days",
     .help = "from then on: RFC 3339, or how long ago (1h)"},
};
static const struct cli_options stats_options = CLI_LIST(stats_rows);

static const struct cli_command server_rows[] = {
    {
        .name = "serve",
        .synopsis = "--data DIR",
        .summary = "run a server",
        .examples = "hob serve --data ./data\n",
        .lists = {&config_options, &serve_options, &log_options},
        .run = cmd_serve,
    },
    {
        .name = "work",
        .synopsis = "--config FILE",
        .summary = "run a worker: programs as jobs",
        .examples = "hob work --config worker.yaml\n",
        .lists = {&config_options, &work_options, &log_options, &cli_server_options},
        .run = cmd_work,
    },
    {
        .name = "workers",
        .synopsis = "",
        .summary = "list workers",
        .lists = {&cli_watch_options, &cli_server_options, &cli_row_options},
        .run = cmd_workers,
    },
    {
        .name = "stats",
        .synopsis = "[--queue QUEUE | --kind KIND | --all]",
        .summary = "figures of the server; what happened to jobs, by queue or kind",
        .details =
            "Of a queue, a kind, or all jobs: counts, failures by cause, rates, waits and runs; "
            "with --series each minute of the last three days.",
        .examples = "hob stats\nhob stats --queue mail --since 1h\nhob stats --kind report "
                    "--series --json\n",
        .lists = {&stats_options, &cli_server_options, &cli_row_options},
        .run = cmd_stats,
    },
    {
        .name = "config",
        .synopsis = "check | show | schema | reference",
        .summary = "check the configuration, show what is in force, what may stand in it",
    },
    {
        .name = "config check",
        .synopsis = "[FILE]",
        .summary = "tell all that is wrong with a file; exit 78 when something is",
        .examples = "hob config check /etc/hob/hob.yaml\n",
        .args_max = 1,
        .completes = {COMPLETES_FILES},
        .run = cmd_config_check,
    },
    {
        .name = "config show",
        .synopsis = "",
        .summary = "print the values in force as YAML, without secrets",
        .details =
            "Takes the flags of `hob serve` and `hob work`, so that it shows what they would "
            "run with.",
        .examples = "hob config show --origin\n",
        .lists = {&show_options},
        .run = cmd_config_show,
    },
    {
        .name = "config schema",
        .synopsis = "",
        .summary = "print the JSON Schema of the file, for editors",
        .run = cmd_config_schema,
    },
    {
        .name = "config reference",
        .synopsis = "",
        .summary = "print the tables of all settings in Markdown",
        .run = cmd_config_reference,
    },
};
const struct cli_group cli_server_group = {
    "Server and workers", server_rows, hob_countof(server_rows)};
