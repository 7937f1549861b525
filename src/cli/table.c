/* SPDX-License-Identifier: Apache-2.0 */
/* All commands, in the order in which help shows them. */
#include "base/assert.h"
#include "cli/cli.h"

static const struct cli_option serve_options[] = {
    {"data", "DIR", "where the data is (made when missing); required", NULL},
    {"listen",
     "ADDRESS",
     "HOST:PORT or unix:PATH; default 127.0.0.1:4620; port 0: a free one",
     NULL},
    {"durability", "MODE", "always (default): sync before each answer; interval; none", NULL},
    {"memory", "SIZE", "ceiling; above four fifths of it pushes are refused", NULL},
    {"segment", "SIZE", "of the files of the journal; default 64MiB", NULL},
    {"connections", "N", "at once; default 10000", NULL},
    {"insecure", NULL, "allow an address that other machines reach; there is no login yet", NULL},
    {"log-format", "FORMAT", "text, logfmt or json; default: text on a terminal", NULL},
    {"log-level", "LEVEL", "lowest that is written: debug, info (default), warn, error", NULL},
};

static const struct cli_option work_options[] = {
    {"config", "FILE", "which program runs which kind of job; required", NULL},
    {"name", "NAME", "of this worker; default: host name and process id", NULL},
    {"slots", "N", "jobs at once; default: as many as processors", NULL},
    {"log-format", "FORMAT", "text, logfmt or json; default: text on a terminal", NULL},
    {"log-level", "LEVEL", "lowest that is written: debug, info (default), warn, error", NULL},
};

static const struct cli_option push_options[] = {
    {"payload-file", "FILE", "read the payload from a file, `-`: from stdin", NULL},
    {"key", "KEY", "idempotency: a second push with it answers the first job", "KEY"},
    {"ref", "REF", "an id of your own to find the job by", "REF"},
    {"priority", "N", "smaller runs first; default 1024", "PRIORITY"},
    {"delay", "SPAN", "run it this much later: 10s, 5m, 2h", "DELAY"},
    {"at", "TIME", "run it then: 2026-12-24T18:00:00Z", "AT"},
    {"attempts", "N", "at most; default 25", "ATTEMPTS"},
    {"timeout", "SPAN", "of one attempt; default 15m", "TIMEOUT"},
    {"keep", "SPAN", "how long the job stays when it is over", "KEEP"},
    {"backoff",
     "SPEC",
     "exponential[:BASE[:MAX]], fixed:SPAN, sidekiq, list:SPAN,SPAN…",
     "BACKOFF"},
    {"wait", "[SPAN]", "wait for the end and print the result; at most SPAN", NULL},
};

static const struct cli_option get_options[] = {
    {"result", NULL, "only the bytes of the result", NULL},
    {"payload", NULL, "only the bytes of the payload", NULL},
};

static const struct cli_option wait_options[] = {
    {"timeout", "SPAN", "at most this long; default: until it is over", NULL},
};

static const struct cli_option ls_options[] = {
    {"queue", "QUEUE", "only of this queue", "QUEUE"},
    {"kind", "KIND", "only of this kind", "KIND"},
    {"state", "STATE", "only in this state: scheduled available running …", "STATE"},
    {"limit", "N", "at most; default 50", NULL},
};

static const struct cli_option logs_options[] = {
    {"attempt", "N", "only of this attempt", "ATTEMPT"},
};

static const struct cli_option control_options[] = {
    {"why", "TEXT", "the reason, kept with the job", "WHY"},
    {"by", "NAME", "who; default: the user", NULL},
};

static const struct cli_option queues_options[] = {
    {"order", "ORDER", "fifo or lifo", "ORDER"},
    {"keep", "SPAN:N", "how long and how many completed jobs stay", NULL},
    {"keep-failed", "SPAN:N", "the same for discarded and cancelled ones", NULL},
};

static const struct cli_option pause_options[] = {
    {"why", "TEXT", "the reason", "WHY"},
    {"by", "NAME", "who; default: the user", NULL},
    {"for", "SPAN", "resume by itself after this time", "FOR"},
};

#define OPTIONS(list) list, hob_countof(list)
#define NO_OPTIONS    NULL, 0

/* clang-format off */
const struct cli_command cli_commands[] = {
    {"serve", "--data DIR [option…]", "run a server",
     "  hob serve --data ./data\n", OPTIONS(serve_options), 0, 0, false, cmd_serve},
    {"work", "--config FILE [option…]", "run a worker: programs as jobs",
     "  hob work --config worker.yaml\n", OPTIONS(work_options), 0, 0, true, cmd_work},
    {"push", "QUEUE KIND [PAYLOAD] [option…] | -", "push a job and print its id",
     "  hob push mail email.send '{\"to\":\"ann\"}'\n"
     "  hob push default resize --payload-file image.png --wait\n"
     "  hob push - < jobs.ndjson          one JSON object a line: queue, kind, payload, …\n",
     OPTIONS(push_options), 1, 3, true, cmd_push},
    {"get", "ID [option…]", "show a job",
     "  hob get 42\n  hob get 42 --result > report.pdf\n",
     OPTIONS(get_options), 1, 1, true, cmd_get},
    {"wait", "ID [option…]", "wait until a job is over; exit 0 when it is completed",
     "  hob wait 42 --timeout 30s\n", OPTIONS(wait_options), 1, 1, true, cmd_wait},
    {"ls", "[option…]", "list jobs, newest first",
     "  hob ls --state discarded\n", OPTIONS(ls_options), 0, 0, true, cmd_ls},
    {"logs", "ID [option…]", "what each attempt of a job said, and how it ended",
     "  hob logs 42\n", OPTIONS(logs_options), 1, 1, true, cmd_logs},
    {"cancel", "ID… [option…]", "stop jobs that are not over, running ones too",
     "  hob cancel 42 --why 'wrong customer'\n",
     OPTIONS(control_options), 1, CLI_ARGS_MAX, true, cmd_control},
    {"retry", "ID… [option…]", "make jobs available again, now",
     "  hob retry 42\n",
     OPTIONS(control_options), 1, CLI_ARGS_MAX, true, cmd_control},
    {"discard", "ID… [option…]", "end waiting jobs as failed",
     NULL,
     OPTIONS(control_options), 1, CLI_ARGS_MAX, true, cmd_control},
    {"delete", "ID…", "remove jobs and all that they hold",
     NULL, NO_OPTIONS, 1, CLI_ARGS_MAX, true, cmd_delete},
    {"queues", "[set QUEUE option…]", "list queues, or change the settings of one",
     "  hob queues\n  hob queues set thumbnails --order lifo --keep 1h:1000\n",
     OPTIONS(queues_options), 0, 2, true, cmd_queues},
    {"pause", "QUEUE [option…]", "fetch nothing from a queue",
     "  hob pause mail --why 'provider is down' --for 10m\n",
     OPTIONS(pause_options), 1, 1, true, cmd_pause},
    {"resume", "QUEUE", "go on fetching from a queue",
     NULL, NO_OPTIONS, 1, 1, true, cmd_resume},
    {"workers", "", "list workers", NULL, NO_OPTIONS, 0, 0, true, cmd_workers},
    {"stats", "", "counts, memory and disk of the server", NULL, NO_OPTIONS, 0, 0, true, cmd_stats},
    {"version", "", "print the version", NULL, NO_OPTIONS, 0, 0, false, cmd_version},
    {"help", "[COMMAND]", "tell about a command", NULL, NO_OPTIONS, 0, 1, false, cmd_help},
};
/* clang-format on */
const size_t cli_command_count = hob_countof(cli_commands);

const struct cli_command *cli_command_find(const char *name) {
    for (size_t i = 0; i < cli_command_count; i++) {
        if (strcmp(cli_commands[i].name, name) == 0) return &cli_commands[i];
    }
    return NULL;
}
