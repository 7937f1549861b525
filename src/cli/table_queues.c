/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on queues. */
#include "cli/cli.h"

static const struct cli_option set_rows[] = {
    {.name = "order",
     .value = "ORDER",
     .word = "ORDER",
     .choices = "fifo lifo",
     .help = "oldest first (fifo) or newest first (lifo)"},
    {.name = "tier",
     .value = "N",
     .word = "TIER",
     .help = "of the queues of a fetch those of the smallest tier go first, 0 to 1000; default 10"},
    {.name = "weight",
     .value = "N",
     .word = "WEIGHT",
     .help = "its share of the turns among the queues of its tier, 1 to 1000; default 1"},
    {.name = "concurrency",
     .value = "N",
     .word = "CONCURRENCY",
     .help = "so many of its jobs run at once at most; 0: no limit"},
    {.name = "length",
     .value = "N",
     .word = "LENGTH",
     .help = "so many of its jobs wait at most; 0: no limit"},
    {.name = "on-full",
     .value = "WHAT",
     .word = "ONFULL",
     .choices = "reject drop_oldest drop_newest",
     .help = "when more would wait: refuse the push, or drop the oldest or the newest waiting job; "
             "default reject"},
    {.name = "keep",
     .value = "SPAN:N",
     .help = "how long, and how many, completed jobs stay; default 24h:100000"},
    {.name = "keep-failed",
     .value = "SPAN:N",
     .help = "the same for discarded and cancelled ones; default 90d:100000"},
};
static const struct cli_options set_options = CLI_LIST(set_rows);

static const struct cli_option next_rows[] = {
    {.name = "n",
     .letter = 'n',
     .value = "N",
     .word = "COUNT",
     .help = "so many jobs, 1 to 1000",
     .fallback = "10"},
};
static const struct cli_options next_options = CLI_LIST(next_rows);

static const struct cli_option pause_rows[] = {
    {.name = "why", .value = "TEXT", .word = "WHY", .help = "the reason, shown with the queue"},
    {.name = "by", .value = "NAME", .help = "who does it; default: the user"},
    {.name = "for", .value = "SPAN", .word = "FOR", .help = "resume by itself after this time"},
};
static const struct cli_options pause_options = CLI_LIST(pause_rows);

static const struct cli_command queue_rows[] = {
    {
        .name = "queues",
        .synopsis = "",
        .summary = "list queues with their counts",
        .lists = {&cli_watch_options, &cli_server_options, &cli_row_options},
        .run = cmd_queues,
    },
    {
        .name = "queues set",
        .synopsis = "QUEUE",
        .summary = "change the settings of a queue; makes it when there is none",
        .examples = "hob queues set thumbnails --order lifo --keep 1h:1000\n",
        .lists = {&set_options, &cli_server_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_QUEUES},
        .run = cmd_queues_set,
    },
    {
        .name = "queues next",
        .synopsis = "QUEUE",
        .summary = "show which jobs of a queue would be fetched next, in order",
        .details =
            "By priority, turns of the groups and place in the line, as workers that run any "
            "kind would get them if nothing else happened. Nothing is changed, and whether the "
            "queue is paused or full is not asked: `hob explain` tells what holds up a job.",
        .examples = "hob queues next mail --n 3\n",
        .lists = {&next_options, &cli_server_options, &cli_row_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_QUEUES},
        .run = cmd_queues_next,
    },
    {
        .name = "pause",
        .synopsis = "QUEUE",
        .summary = "fetch nothing from a queue",
        .examples = "hob pause mail --why 'provider is down' --for 10m\n",
        .lists = {&pause_options, &cli_server_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_QUEUES},
        .run = cmd_pause,
    },
    {
        .name = "resume",
        .synopsis = "QUEUE",
        .summary = "go on fetching from a queue",
        .lists = {&cli_server_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_QUEUES},
        .run = cmd_resume,
    },
};
const struct cli_group cli_queue_group = {"Queues", queue_rows, hob_countof(queue_rows)};
