/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that run a server or a worker, or look at them. */
#include "cli/cli.h"
#include "config/settings.h"

/* The flags that are settings come from the rows of config/settings.h: what follows depends on the
 * type. A boolean is set by its name alone. */
#define VALUE_TEXT(text)      .value = (text)
#define VALUE_PATH(text)      .value = (text), .completes = COMPLETES_FILES
#define VALUE_ADDRESS(text)   .value = (text)
#define VALUE_ADDRESSES(text) .value = (text)
#define VALUE_NAME(text)      .value = (text)
#define VALUE_NAMES(text)     .value = (text)
#define VALUE_WORDS(text)     .value = (text)
#define VALUE_NUMBER(text)    .value = (text)
#define VALUE_SPAN(text)      .value = (text)
#define VALUE_SIZE(text)      .value = (text)
#define VALUE_CHOICE(words)   .value = "WORD", .choices = (words)
#define VALUE_BOOL(text)      .value = (text)

#define FLAG(                                                                             \
    id, path, type, option_letter, flag, variable, fallback, min, max, change, text, line \
)                                                                                         \
    {.name = (flag), .letter = (option_letter), .help = (line), VALUE_##type(text)},

static const struct cli_option config_rows[] = {
    {.name = "config",
     .letter = 'c',
     .value = "FILE",
     .completes = COMPLETES_FILES,
     .help = "the configuration; else HOB_CONFIG, else /etc/hob/hob.yaml if it is there"},
};
static const struct cli_options config_options = CLI_LIST(config_rows);

static const struct cli_option serve_rows[] = {SETTINGS_SERVE(FLAG)};
static const struct cli_options serve_options = CLI_LIST(serve_rows);

static const struct cli_option work_rows[] = {SETTINGS_WORK(FLAG)};
static const struct cli_options work_options = CLI_LIST(work_rows);

static const struct cli_option log_rows[] = {SETTINGS_LOG(FLAG)};
static const struct cli_options log_options = CLI_LIST(log_rows);

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
        .synopsis = "",
        .summary = "counts, memory and disk of the server",
        .lists = {&cli_server_options, &cli_print_options},
        .run = cmd_stats,
    },
};
const struct cli_group cli_server_group = {
    "Server and workers", server_rows, hob_countof(server_rows)};
