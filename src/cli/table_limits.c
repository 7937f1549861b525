/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on what stops jobs that wait: limiters, groups, kinds. */
#include "cli/cli.h"

#define RATE_OPTION(of)                                                            \
    {                                                                              \
        .name = "rate", .value = "N/SPAN", .word = "RATE",                         \
        .help = "so many " of " start in such a time, as 100/1m; none: any number" \
    }
#define BURST_OPTION                                                                     \
    {                                                                                    \
        .name = "burst", .value = "N", .word = "BURST",                                  \
        .help = "so many of them may start at once after a rest; default: N of the rate" \
    }
#define RESET_OPTION                                                              \
    {                                                                             \
        .name = "reset", .word = "RESET",                                         \
        .help = "forget what was set about it; the other options hold after that" \
    }

static const struct cli_option stopped_rows[] = {
    {.name = "stopped", .word = "STOPPED", .help = "only those that are paused or blocked"},
};
static const struct cli_options stopped_options = CLI_LIST(stopped_rows);

static const struct cli_option limiter_rows[] = {
    {.name = "concurrency",
     .value = "N",
     .word = "CONCURRENCY",
     .help = "jobs with so many units of it run at once at most; 0: any number"},
    RATE_OPTION("units"),
    BURST_OPTION,
    RESET_OPTION,
};
static const struct cli_options limiter_options = CLI_LIST(limiter_rows);

static const struct cli_option group_rows[] = {
    {.name = "weight",
     .value = "N",
     .word = "WEIGHT",
     .help = "its share of the turns among the groups of its queue, 1 to 1000; default 1"},
    {.name = "concurrency",
     .value = "N",
     .word = "CONCURRENCY",
     .help = "so many of its jobs run at once at most; 0: any number; default: as its queue says"},
    RATE_OPTION("of its jobs"),
    BURST_OPTION,
    RESET_OPTION,
};
static const struct cli_options group_options = CLI_LIST(group_rows);

static const struct cli_command limit_rows[] = {
    {
        .name = "limiters",
        .synopsis = "",
        .summary = "list limiters, and rules for limiters, with what they let through",
        .details = "A limiter is a name that jobs of all queues may give (`hob push --limiters`), "
                   "such as the API that they call, so that what they do together stays within "
                   "its limits. One exists while a job names it or something is set about it.",
        .lists = {&stopped_options, &cli_watch_options, &cli_server_options, &cli_row_options},
        .run = cmd_limiters,
    },
    {
        .name = "limiters set",
        .synopsis = "NAME",
        .summary = "change the limits of a limiter, or of all that a rule fits",
        .details =
            "A NAME with a * or ? is a rule: it holds for every limiter that it fits and about "
            "which nothing is set. Of several rules the longest counts. To close a limiter for a "
            "while, `hob pause NAME --limiter --for SPAN`.",
        .examples = "hob limiters set stripe --concurrency 20 --rate 100/1s\n"
                    "hob limiters set 'customer-*' --concurrency 1\n"
                    "hob limiters set stripe --reset\n",
        .lists = {&limiter_options, &cli_server_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_LIMITERS},
        .run = cmd_limiters_set,
    },
    {
        .name = "groups",
        .synopsis = "QUEUE",
        .summary = "list the groups of a queue, with what they let through",
        .lists = {&stopped_options, &cli_watch_options, &cli_server_options, &cli_row_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_QUEUES},
        .run = cmd_groups,
    },
    {
        .name = "groups set",
        .synopsis = "QUEUE GROUP",
        .summary = "change the weight and the limits of a group",
        .details = "What is set here goes before --group-concurrency and --group-rate of "
                   "`hob queues set`, which hold for all groups of a queue.",
        .examples = "hob groups set imports acme --weight 3 --concurrency 10\n"
                    "hob groups set imports acme --reset\n",
        .lists = {&group_options, &cli_server_options},
        .args_min = 2,
        .args_max = 2,
        .completes = {COMPLETES_QUEUES},
        .run = cmd_groups_set,
    },
    {
        .name = "groups skip",
        .synopsis = "QUEUE GROUP",
        .summary = "let a group go on after the job whose failure blocks it; prints its id",
        .details = "Only a queue with --group-order block has groups that wait for this. The "
                   "failed job stays as it is: `hob retry` runs it again, at its place.",
        .examples = "hob groups skip accounts 4711\n",
        .lists = {&cli_server_options},
        .args_min = 2,
        .args_max = 2,
        .completes = {COMPLETES_QUEUES},
        .run = cmd_groups_skip,
    },
    {
        .name = "kinds",
        .synopsis = "",
        .summary = "list the kinds that are paused",
        .details = "`hob pause KIND --kind` pauses a kind, in all queues.",
        .lists = {&cli_server_options, &cli_row_options},
        .run = cmd_kinds,
    },
};
const struct cli_group cli_limit_group = {"Limits", limit_rows, hob_countof(limit_rows)};
