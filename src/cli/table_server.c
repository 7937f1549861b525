/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that run a server or a worker, or look at them. */
#include "cli/cli.h"

static const struct cli_option serve_rows[] = {
    {.name = "data",
     .letter = 'd',
     .value = "DIR",
     .completes = COMPLETES_DIRECTORIES,
     .help = "where the data is (made when missing); required"},
    {.name = "listen",
     .letter = 'l',
     .value = "ADDRESS",
     .help = "HOST:PORT or unix:PATH; default 127.0.0.1:4620; port 0: a free one"},
    {.name = "durability",
     .value = "MODE",
     .choices = "always interval none",
     .help = "always (default): sync before each answer; interval; none"},
    {.name = "memory",
     .value = "SIZE",
     .help = "ceiling; above four fifths of it pushes are refused"},
    {.name = "segment", .value = "SIZE", .help = "of the files of the journal; default 64MiB"},
    {.name = "connections", .value = "N", .help = "at once; default 10000"},
    {.name = "insecure",
     .help = "allow an address that other machines reach; there is no login yet"},
};
static const struct cli_options serve_options = CLI_LIST(serve_rows);

static const struct cli_option work_rows[] = {
    {.name = "config",
     .letter = 'c',
     .value = "FILE",
     .completes = COMPLETES_FILES,
     .help = "which program runs which kind of job; required"},
    {.name = "name", .value = "NAME", .help = "of this worker; default: host name and process id"},
    {.name = "slots",
     .letter = 'n',
     .value = "N",
     .help = "jobs at once; default: as many as processors"},
};
static const struct cli_options work_options = CLI_LIST(work_rows);

static const struct cli_option log_rows[] = {
    {.name = "log-format",
     .value = "FORM",
     .choices = "text logfmt json",
     .help = "of its own log, on stderr; default: text on a terminal"},
    {.name = "log-level",
     .value = "LEVEL",
     .choices = "debug info warn error",
     .help = "the lowest that is written; default: info"},
};
static const struct cli_options log_options = CLI_LIST(log_rows);

static const struct cli_command server_rows[] = {
    {
        .name = "serve",
        .synopsis = "--data DIR",
        .summary = "run a server",
        .examples = "hob serve --data ./data\n",
        .lists = {&serve_options, &log_options},
        .run = cmd_serve,
    },
    {
        .name = "work",
        .synopsis = "--config FILE",
        .summary = "run a worker: programs as jobs",
        .examples = "hob work --config worker.yaml\n",
        .lists = {&work_options, &log_options, &cli_server_options},
        .run = cmd_work,
    },
    {
        .name = "workers",
        .synopsis = "",
        .summary = "list workers",
        .lists = {&cli_server_options, &cli_row_options},
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
