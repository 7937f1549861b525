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
    {.name = "rate",
     .value = "N/SPAN",
     .word = "RATE",
     .help = "so many of its jobs start in such a time, as 100/1m; none: any number"},
    {.name = "burst",
     .value = "N",
     .word = "BURST",
     .help = "so many of them may start at once after a rest; default: N of the rate"},
    {.name = "aging",
     .value = "SPAN",
     .word = "AGING",
     .help = "each such time that a job waits is worth one step of priority; 0: none is"},
    {.name = "group-concurrency",
     .value = "N",
     .word = "GROUPCONCURRENCY",
     .help = "so many jobs of each group run at once at most; 0: no limit"},
    {.name = "group-rate",
     .value = "N/SPAN",
     .word = "GROUPRATE",
     .help = "so many jobs of each group start in such a time; none: any number"},
    {.name = "group-burst",
     .value = "N",
     .word = "GROUPBURST",
     .help = "so many of them may start at once after a rest; default: N of the rate"},
    {.name = "group-order",
     .value = "ORDER",
     .word = "GROUPORDER",
     .choices = "loose block skip park",
     .help = "loose: jobs of a group run side by side (default); else one at a time. block: a job "
             "that fails stops its group; skip: the group goes on; park: also while it is retried"},
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
    {.name = "why",
     .value = "TEXT",
     .word = "WHY",
     .help = "the reason, shown with what is paused"},
    {.name = "by", .value = "NAME", .help = "who does it; default: the user"},
    {.name = "for", .value = "SPAN", .word = "FOR", .help = "resume by itself after this time"},
};
static const struct cli_options pause_options = CLI_LIST(pause_rows);

/* What NAME is the name of. */
static const struct cli_option valve_rows[] = {
    {.name = "kind", .word = "KIND", .help = "NAME is a kind, in all queues"},
    {.name = "limiter", .word = "LIMITER", .help = "NAME is a limiter"},
    {.name = "group-of",
     .value = "QUEUE",
     .word = "GROUPOF",
     .completes = COMPLETES_QUEUES,
     .help = "NAME is a group of this queue"},
};
static const struct cli_options valve_options = CLI_LIST(valve_rows);

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
        .synopsis = "NAME",
        .summary = "let no more jobs of a queue start, or of a kind, a limiter, a group",
        .details = "What runs goes on. `hob queues`, `hob kinds`, `hob limiters` and `hob groups` "
                   "show what is paused, until when, by whom and why.",
        .examples = "hob pause mail --why 'provider is down' --for 10m\n"
                    "hob pause email.send --kind\n"
                    "hob pause stripe --limiter --for 30s --why 'answered 429'\n"
                    "hob pause acme --group-of imports\n",
        .lists = {&valve_options, &pause_options, &cli_server_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_QUEUES},
        .run = cmd_pause,
    },
    {
        .name = "resume",
        .synopsis = "NAME",
        .summary = "let them start again",
        .examples = "hob resume mail\n"
                    "hob resume acme --group-of imports\n",
        .lists = {&valve_options, &cli_server_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_QUEUES},
        .run = cmd_resume,
    },
};
const struct cli_group cli_queue_group = {"Queues", queue_rows, hob_countof(queue_rows)};
