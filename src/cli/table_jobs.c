/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on jobs. */
#include "cli/cli.h"

#define JOB_STATES "scheduled available running retryable completed discarded cancelled blocked"

static const struct cli_option push_rows[] = {
    {.name = "payload-file",
     .letter = 'f',
     .value = "FILE",
     .completes = COMPLETES_FILES,
     .help = "the payload is in this file; `-`: on stdin"},
    {.name = "atomic", .help = "with `push -`: push all lines, or none when one of them cannot be"},
    {.name = "spread",
     .value = "SPAN",
     .help = "with `push -`: spread the times of the jobs evenly over so long, from now on"},
    {.name = "key",
     .letter = 'k',
     .value = "KEY",
     .word = "KEY",
     .help = "idempotency: for 24 h a second push with it answers the first job"},
    {.name = "ref", .value = "REF", .word = "REF", .help = "an id of your own to find the job by"},
    {.name = "unique",
     .letter = 'u',
     .value = "KEY",
     .word = "UNIQUE",
     .help = "one job at a time with this key"},
    {.name = "unique-by",
     .value = "MEMBER,…",
     .word = "UNIQUEBY",
     .help = "make the unique key of these members of the payload: user.id,day"},
    {.name = "unique-scope",
     .value = "SCOPE",
     .word = "UNIQUESCOPE",
     .choices = "done waiting running time",
     .help = "how long a job holds its key: until it is done (default), while it waits, runs, or "
             "for a time"},
    {.name = "unique-for",
     .value = "SPAN",
     .word = "UNIQUEFOR",
     .help = "with the scope `time`: for so long from the push on"},
    {.name = "throttle",
     .value = "SPAN",
     .word = "THROTTLE",
     .help = "one job with this unique key in each such time; other pushes answer with it"},
    {.name = "debounce",
     .value = "SPAN",
     .word = "DEBOUNCE",
     .help = "run it so long after the last push with this unique key, with what that one says"},
    {.name = "max-wait",
     .value = "SPAN",
     .word = "MAXWAIT",
     .help = "with --debounce: but no later than so long after the first push"},
    {.name = "merge",
     .value = "HOW",
     .word = "MERGE",
     .choices = "append sum last",
     .help =
         "join the waiting job with this unique key: arrays one behind the other, numbers added, "
         "the last payload"},
    {.name = "merge-max",
     .value = "N",
     .word = "MERGEMAX",
     .help = "with --merge: so many pushes make the job run at once; default 1000"},
    {.name = "on-conflict",
     .value = "WHAT",
     .word = "ONCONFLICT",
     .choices = "existing reject replace latest",
     .help =
         "when the key is held: answer with the holder (default), refuse, change the holder, or "
         "be the one that runs after it"},
    {.name = "priority",
     .letter = 'p',
     .value = "N",
     .word = "PRIORITY",
     .help = "smaller runs first; default 1024"},
    {.name = "group",
     .letter = 'g',
     .value = "NAME",
     .word = "GROUP",
     .help = "takes turns with the other groups of its queue, such as one for each tenant"},
    {.name = "front", .word = "FRONT", .help = "before all others of its priority and group"},
    {.name = "limiters",
     .value = "NAME[=N],…",
     .word = "LIMITERS",
     .completes = COMPLETES_LIMITERS,
     .help = "up to 4 limiters that let it start, each with the units it takes: stripe,disk=2"},
    {.name = "delay",
     .letter = 'd',
     .value = "SPAN",
     .word = "DELAY",
     .help = "run it this much later: 10s, 5m, 2h"},
    {.name = "at", .value = "TIME", .word = "AT", .help = "run it then: 2026-12-24T18:00:00Z"},
    {.name = "attempts", .value = "N", .word = "ATTEMPTS", .help = "at most; default 25"},
    {.name = "timeout",
     .letter = 't',
     .value = "SPAN",
     .word = "TIMEOUT",
     .help = "of one attempt; default 15m"},
    {.name = "keep",
     .value = "SPAN",
     .word = "KEEP",
     .help = "how long the job stays when it is over; default: as its queue says"},
    {.name = "backoff",
     .value = "SPEC",
     .word = "BACKOFF",
     .help = "the waits between attempts: exponential[:BASE[:MAX]], fixed:SPAN, sidekiq, "
             "list:SPAN,SPAN…"},
    {.name = "tag",
     .value = "TAG,…",
     .word = "TAGS",
     .help = "words to find it by, with commas between"},
    {.name = "headers",
     .value = "JSON",
     .word = "HEADERS",
     .help = "strings that go along with it: {\"traceparent\":\"00-…\"}"},
    {.name = "on-done",
     .value = "JSON",
     .word = "ONDONE",
     .help = "what follows its end: {\"success\": {\"url\": \"https://…\"}}"},
    {.name = "expires",
     .value = "SPAN",
     .word = "EXPIRESIN",
     .help = "discard it when it has not started after so long"},
    {.name = "expires-at",
     .value = "TIME",
     .word = "EXPIRES",
     .help = "discard it when it has not started by then"},
    {.name = "deadline",
     .value = "SPAN",
     .word = "DEADLINEIN",
     .help = "it must be done after so long: no start and no retry that comes too late"},
    {.name = "deadline-at", .value = "TIME", .word = "DEADLINE", .help = "it must be done by then"},
    {.name = "margin",
     .value = "SPAN",
     .word = "MARGIN",
     .help = "a start so long before the deadline is too late"},
    {.name = "parent",
     .value = "ID",
     .word = "PARENT",
     .help = "the running job that pushes it, whose deadline holds for it too"},
    {.name = "needs",
     .value = "LABEL,…",
     .word = "NEEDS",
     .help = "only a worker that has all of these labels runs it"},
    {.name = "cost", .value = "N", .word = "COST", .help = "slots of its worker that it takes"},
    {.name = "type",
     .value = "TYPE",
     .word = "TYPE",
     .help = "of the payload: text/plain, image/png; default: not said"},
    {.name = "wait",
     .letter = 'w',
     .value = "[SPAN]",
     .help = "wait for the end and print the result; at most SPAN"},
};
static const struct cli_options push_options = CLI_LIST(push_rows);

#define RETRY_OPTION                                                                         \
    {                                                                                        \
        .name = "retry", .value = "SPAN",                                                    \
        .help = "try again for so long while the server does not answer: exactly one push, " \
                "under its key"                                                              \
    }

static const struct cli_option certain_rows[] = {
    RETRY_OPTION,
    {.name = "spool",
     .value = "DIR",
     .completes = COMPLETES_DIRECTORIES,
     .help = "when the server does not answer or takes nothing now, keep the push in DIR; later "
             "ones, and `hob spool DIR`, send it"},
};
static const struct cli_options certain_options = CLI_LIST(certain_rows);

static const struct cli_option spool_rows[] = {
    RETRY_OPTION,
    {.name = "json", .help = "print JSON, an object a line"},
};
static const struct cli_options spool_options = CLI_LIST(spool_rows);

/* As of a push, each a word of UPDATE. */
static const struct cli_option update_rows[] = {
    {.name = "if-version",
     .value = "N",
     .word = "IFVERSION",
     .help = "only when the job has this version still; exit 7 when not"},
    {.name = "queue",
     .value = "QUEUE",
     .word = "QUEUE",
     .completes = COMPLETES_QUEUES,
     .help = "move it to this queue"},
    {.name = "payload", .value = "PAYLOAD", .word = "PAYLOAD", .help = "the payload"},
    {.name = "priority",
     .letter = 'p',
     .value = "N",
     .word = "PRIORITY",
     .help = "smaller runs first"},
    {.name = "group",
     .value = "NAME",
     .word = "GROUP",
     .help = "takes turns with the other groups of its queue, such as one for each tenant"},
    {.name = "front", .word = "FRONT", .help = "before all others of its priority and group"},
    {.name = "no-front", .word = "NOFRONT", .help = "in its place among the others again"},
    {.name = "limiters",
     .value = "NAME[=N],…",
     .word = "LIMITERS",
     .completes = COMPLETES_LIMITERS,
     .help = "its limiters, all of them"},
    {.name = "delay",
     .letter = 'd',
     .value = "SPAN",
     .word = "DELAY",
     .help = "run it this much later: 10s, 5m; 0: now"},
    {.name = "at", .value = "TIME", .word = "AT", .help = "run it then: 2026-12-24T18:00:00Z"},
    {.name = "attempts", .value = "N", .word = "ATTEMPTS", .help = "at most"},
    {.name = "timeout",
     .letter = 't',
     .value = "SPAN",
     .word = "TIMEOUT",
     .help = "of one attempt"},
    {.name = "keep",
     .value = "SPAN",
     .word = "KEEP",
     .help = "how long the job stays when it is over"},
    {.name = "backoff",
     .value = "SPEC",
     .word = "BACKOFF",
     .help = "the waits between attempts, as of push"},
    {.name = "tag", .value = "TAG,…", .word = "TAGS", .help = "its tags, all of them"},
    {.name = "headers", .value = "JSON", .word = "HEADERS", .help = "its headers, all of them"},
    {.name = "on-done", .value = "JSON", .word = "ONDONE", .help = "what follows its end"},
    {.name = "expires",
     .value = "SPAN",
     .word = "EXPIRESIN",
     .help = "discard it when it has not started so long from now; 0: never"},
    {.name = "expires-at",
     .value = "TIME",
     .word = "EXPIRES",
     .help = "discard it when it has not started by then"},
    {.name = "deadline",
     .value = "SPAN",
     .word = "DEADLINEIN",
     .help = "it must be done so long from now; 0: no deadline"},
    {.name = "deadline-at", .value = "TIME", .word = "DEADLINE", .help = "it must be done by then"},
    {.name = "margin",
     .value = "SPAN",
     .word = "MARGIN",
     .help = "a start so long before the deadline is too late"},
    {.name = "needs",
     .value = "LABEL,…",
     .word = "NEEDS",
     .help = "only a worker that has all of these labels runs it"},
    {.name = "cost", .value = "N", .word = "COST", .help = "slots of its worker that it takes"},
    {.name = "type", .value = "TYPE", .word = "TYPE", .help = "the type of the payload"},
};
static const struct cli_options update_options = CLI_LIST(update_rows);

static const struct cli_option get_rows[] = {
    {.name = "result", .letter = 'r', .help = "only the bytes of the result"},
    {.name = "payload", .help = "only the bytes of the payload"},
};
static const struct cli_options get_options = CLI_LIST(get_rows);

static const struct cli_option wait_rows[] = {
    {.name = "timeout",
     .letter = 't',
     .value = "SPAN",
     .help = "at most this long for all of them; default: until they are over"},
};
static const struct cli_options wait_options = CLI_LIST(wait_rows);

/* Which jobs: of lists, and of what is done to many at once. */
static const struct cli_option filter_rows[] = {
    {.name = "queue",
     .value = "QUEUE",
     .word = "QUEUE",
     .completes = COMPLETES_QUEUES,
     .help = "only of this queue"},
    {.name = "kind",
     .value = "KIND",
     .word = "KIND",
     .completes = COMPLETES_KINDS,
     .help = "only of this kind"},
    {.name = "state",
     .value = "STATE,…",
     .word = "STATE",
     .choices = JOB_STATES,
     .list = true,
     .help = "only in one of these states"},
};
const struct cli_options cli_filter_options = CLI_LIST(filter_rows);

static const struct cli_option ls_rows[] = {
    {.name = "parent",
     .value = "ID",
     .word = "PARENT",
     .completes = COMPLETES_JOBS,
     .help = "only what the end of this job has made"},
    {.name = "tag", .value = "TAG", .word = "TAG", .help = "only with this tag"},
    {.name = "key", .value = "KEY", .word = "KEY", .help = "only with this key"},
    {.name = "ref", .value = "REF", .word = "REF", .help = "only with this ref"},
    {.name = "since",
     .value = "SPAN|TIME",
     .word = "SINCE",
     .help = "only those made not longer ago, or then or later"},
    {.name = "until", .value = "SPAN|TIME", .word = "UNTIL", .help = "only those made before"},
    {.name = "limit", .letter = 'n', .value = "N", .help = "at most; default 50"},
};
static const struct cli_options ls_options = CLI_LIST(ls_rows);

static const struct cli_option errors_rows[] = {
    {.name = "limit", .letter = 'n', .value = "N", .help = "look at this many jobs; default 1000"},
};
static const struct cli_options errors_options = CLI_LIST(errors_rows);

static const struct cli_option logs_rows[] = {
    {.name = "attempt", .value = "N", .help = "only of this attempt"},
    {.name = "follow", .letter = 'f', .help = "go on, over all attempts, until the job is over"},
};
static const struct cli_options logs_options = CLI_LIST(logs_rows);

static const struct cli_option search_rows[] = {
    {.name = "search",
     .value = "TEXT",
     .help = "of all jobs the lines, errors and backtraces that hold TEXT"},
    {.name = "queue",
     .value = "NAME",
     .word = "QUEUE",
     .help = "only of this queue",
     .completes = COMPLETES_QUEUES},
    {.name = "kind",
     .value = "NAME",
     .word = "KIND",
     .help = "only of this kind",
     .completes = COMPLETES_KINDS},
    {.name = "state",
     .value = "STATE,…",
     .word = "STATE",
     .list = true,
     .help = "only of jobs in these states now"},
    {.name = "level",
     .value = "LEVEL",
     .word = "LEVEL",
     .choices = "debug info warn error",
     .help = "of this level and above; the text of an error counts as error"},
    {.name = "since",
     .value = "SPAN|TIME",
     .word = "SINCE",
     .help = "not older: 1h, or 2026-03-01T09:30:00Z"},
    {.name = "until", .value = "SPAN|TIME", .word = "UNTIL", .help = "not newer"},
    {.name = "limit", .letter = 'n', .value = "N", .help = "stop after so many"},
};
static const struct cli_options search_options = CLI_LIST(search_rows);

static const struct cli_option reason_rows[] = {
    {.name = "why", .value = "TEXT", .word = "WHY", .help = "the reason, kept with the job"},
    {.name = "by", .value = "NAME", .help = "who does it; default: the user"},
};
const struct cli_options cli_reason_options = CLI_LIST(reason_rows);

static const struct cli_option bulk_rows[] = {
    {.name = "limit",
     .letter = 'n',
     .value = "N",
     .help = "at most so many of a filter, newest first"},
    {.name = "yes", .letter = 'y', .help = "do not ask before what a filter finds is touched"},
    {.name = "dry-run", .help = "print the ids, and do nothing"},
};
static const struct cli_options bulk_options = CLI_LIST(bulk_rows);

#define BULK_DETAILS(states)                                                                      \
    "Jobs are named by their ids, by `-` for ids on stdin, or by a filter (--queue, --kind, "     \
    "--state). What a filter finds is counted, and on a terminal you are asked; elsewhere --yes " \
    "is needed. A filter without --state means " states ". A job that changes while the command " \
    "runs is left alone."

static const struct cli_command job_rows[] = {
    {
        .name = "push",
        .synopsis = "QUEUE KIND [PAYLOAD | -]  or  hob push -",
        .summary = "push a job and print its id",
        .details =
            "The payload is any bytes, JSON by custom; without one it is `null`. `-` in its place "
            "reads it from stdin.\n\n"
            "With `-` alone, stdin holds one JSON object a line with the fields of POST /v1/jobs "
            "(queue, kind, payload, …), and the id of each is printed in their order. A bad line "
            "is told with its number; the others are pushed. With --atomic none is then: up to "
            "10000 jobs and 16 MiB are pushed together or not at all. With --spool a job that "
            "waits in DIR has no id yet, and none is printed.",
        .examples = "hob push mail email.send '{\"to\":\"ann@example.org\"}'\n"
                    "hob push default greet '\"you\"' --wait\n"
                    "hob push default resize -f image.png --key image-7 --delay 10m\n"
                    "echo '{\"to\":\"a@b\"}' | hob push mail welcome -\n"
                    "hob push - < jobs.ndjson\n"
                    "hob push - --atomic --spread 10m < jobs.ndjson\n",
        .lists = {&push_options, &certain_options, &cli_server_options, &cli_print_options},
        .args_min = 1,
        .args_max = 3,
        .completes = {COMPLETES_QUEUES, COMPLETES_KINDS, COMPLETES_NOTHING},
        .run = cmd_push,
    },
    {
        .name = "spool",
        .synopsis = "DIR",
        .summary = "send the pushes that wait in a spool",
        .details =
            "Of `hob push --spool DIR`: oldest first, each exactly once, as long as it does not "
            "wait for more than 24 hours after a connection broke in the middle of it. One that "
            "the server refuses is put aside as FILE.refused, and the exit code is 1; without a "
            "server all stay, and it is 4. Those of a full queue stay, the others go on, and it "
            "is 75. With --retry it waits for the server. A DIR that is not there is not made: "
            "3.",
        .examples = "hob spool /var/spool/hob --retry 10m\n",
        .lists = {&spool_options, &cli_server_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_DIRECTORIES},
        .run = cmd_spool,
    },
    {
        .name = "get",
        .synopsis = "ID",
        .summary = "show a job, or the bytes of its result",
        .examples = "hob get 42\n"
                    "hob get 42 --result > report.pdf\n",
        .lists = {&get_options, &cli_server_options, &cli_print_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_JOBS},
        .run = cmd_get,
    },
    {
        .name = "explain",
        .synopsis = "ID",
        .summary = "tell why a job does not run: every gate between it and a worker",
        .details = "A gate is open, or it is what the job waits for: its time, the pause and the "
                   "concurrency of "
                   "its queue, workers that run its kind, their slots and their fetches, work of a "
                   "smaller tier, "
                   "its place in the line. The place is exact up to a thousand. When it is "
                   "expected to start "
                   "is an estimate from the pace of its queue.",
        .examples = "hob explain 42\n"
                    "hob explain 42 --json\n",
        .lists = {&cli_server_options, &cli_row_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_JOBS},
        .run = cmd_explain,
    },
    {
        .name = "update",
        .synopsis = "ID option…",
        .summary = "change a waiting job, and print its new version",
        .details = "What is named is changed, all else stays. A job that runs or is over cannot be "
                   "changed. With --if-version nothing is changed when somebody else was first.",
        .examples = "hob update 42 --priority 1 --delay 0\n"
                    "hob update 42 --queue slow --if-version 3\n",
        .lists = {&update_options, &cli_server_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_JOBS},
        .run = cmd_update,
    },
    {
        .name = "wait",
        .synopsis = "ID…",
        .summary = "wait until jobs are over; exit 0 when all are completed",
        .details = "Exits with 1 when a job is discarded or cancelled, after telling why and "
                   "showing the end of its log, and with 6 when the time is over. Of one job its "
                   "state is printed, of several the id and the state of each, in the order of the "
                   "words. `-` stands for ids on stdin.",
        .examples = "hob wait 42 --timeout 30s\n"
                    "hob push - < jobs.ndjson | hob wait -\n",
        .lists = {&wait_options, &cli_server_options, &cli_print_options},
        .args_min = 1,
        .args_max = CLI_ARGS_MAX,
        .completes = {COMPLETES_JOBS},
        .run = cmd_wait,
    },
    {
        .name = "ls",
        .synopsis = "",
        .summary = "list jobs, newest first",
        .examples = "hob ls --state discarded\n"
                    "hob ls --queue mail --state available,scheduled -n 1000 --json\n"
                    "hob ls --watch\n",
        .lists =
            {&cli_filter_options,
             &ls_options,
             &cli_watch_options,
             &cli_server_options,
             &cli_row_options},
        .run = cmd_ls,
    },
    {
        .name = "errors",
        .synopsis = "",
        .summary = "what fails, and how often: recent failures by kind and cause",
        .details =
            "Looks at the newest jobs that are discarded or wait for another attempt, and puts "
            "together those of one kind whose last errors are alike: the same cause and, but for "
            "numbers, ids and quoted words, the same text.",
        .examples = "hob errors\n"
                    "hob errors --queue mail -n 10000\n",
        .lists = {&cli_filter_options, &errors_options, &cli_server_options, &cli_row_options},
        .run = cmd_errors,
    },
    {
        .name = "logs",
        .synopsis = "ID | --search TEXT",
        .summary = "what each attempt of a job said, and how it ended; or a search over all jobs",
        .details =
            "A search goes from the newest line to the oldest. Letters of any case are the same. "
            "The server has no index: it reads logs in small steps, so a search over many jobs "
            "takes its time and holds up nobody. It ends with 3 when nothing was found.",
        .examples = "hob logs 42\n"
                    "hob logs 42 --follow\n"
                    "hob logs --search 'connection refused' --kind email.send --since 1h\n",
        .lists = {&logs_options, &search_options, &cli_server_options, &cli_print_options},
        .args_max = 1,
        .completes = {COMPLETES_JOBS},
        .run = cmd_logs,
    },
    {
        .name = "cancel",
        .synopsis = "ID… | - | FILTER",
        .summary = "stop jobs that are not over, running ones too",
        .details = BULK_DETAILS("those that are not over"),
        .examples = "hob cancel 42 --why 'wrong customer'\n"
                    "hob cancel --queue mail --state available --dry-run\n",
        .lists = {&cli_reason_options, &cli_filter_options, &bulk_options, &cli_server_options},
        .args_max = CLI_ARGS_MAX,
        .completes = {COMPLETES_JOBS},
        .run = cmd_cancel,
    },
    {
        .name = "retry",
        .synopsis = "ID… | - | FILTER",
        .summary = "make jobs available again, now",
        .details = BULK_DETAILS("discarded ones"),
        .examples = "hob retry 42\n"
                    "hob retry --kind email.send --yes\n",
        .lists = {&cli_reason_options, &cli_filter_options, &bulk_options, &cli_server_options},
        .args_max = CLI_ARGS_MAX,
        .completes = {COMPLETES_JOBS},
        .run = cmd_retry,
    },
    {
        .name = "discard",
        .synopsis = "ID… | - | FILTER",
        .summary = "end waiting jobs as failed",
        .details = BULK_DETAILS("those that wait"),
        .examples = "hob discard 42 --why 'too late'\n",
        .lists = {&cli_reason_options, &cli_filter_options, &bulk_options, &cli_server_options},
        .args_max = CLI_ARGS_MAX,
        .completes = {COMPLETES_JOBS},
        .run = cmd_discard,
    },
    {
        .name = "delete",
        .synopsis = "ID… | - | FILTER",
        .summary = "remove jobs and all that they hold",
        .details = BULK_DETAILS("those that are over"),
        .examples = "hob delete 42\n"
                    "hob ls --state cancelled -q | hob delete -\n",
        .lists = {&cli_filter_options, &bulk_options, &cli_server_options},
        .args_max = CLI_ARGS_MAX,
        .completes = {COMPLETES_JOBS},
        .run = cmd_delete,
    },
};
const struct cli_group cli_job_group = {"Jobs", job_rows, hob_countof(job_rows)};
