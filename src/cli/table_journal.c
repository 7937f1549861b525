/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on the data of a server: its journal, and copies of it. */
#include "cli/cli.h"

static const struct cli_option dump_rows[] = {
    {.name = "bodies", .help = "the bytes of large payloads, results and logs too"},
};
static const struct cli_options dump_options = CLI_LIST(dump_rows);

static const struct cli_option import_rows[] = {
    {.name = "final", .help = "push jobs that were over again, too"},
    {.name = "json", .help = "print JSON, an object a line"},
};
static const struct cli_options import_options = CLI_LIST(import_rows);

static const struct cli_option torture_rows[] = {
    {.name = "time",
     .letter = 't',
     .value = "SPAN",
     .fallback = "1m",
     .help = "how long the server is killed and frozen"},
    {.name = "seed", .value = "N", .help = "of the draws; default: another one each time"},
    {.name = "clients", .value = "N", .fallback = "4", .help = "that push, each 8 jobs at once"},
    {.name = "workers", .value = "N", .fallback = "4", .help = "that take jobs"},
    {.name = "rate", .value = "N", .fallback = "3000", .help = "pushes a second at most"},
    {.name = "program",
     .value = "FILE",
     .completes = COMPLETES_FILES,
     .help = "start this as the server, instead of this very binary"},
};
static const struct cli_options torture_options = CLI_LIST(torture_rows);

static const struct cli_command journal_rows[] = {
    {
        .name = "journal",
        .synopsis = "check | dump | salvage",
        .summary = "look at the data of a server as it lies on the disk",
    },
    {
        .name = "journal check",
        .synopsis = "DIR",
        .summary = "read everything and tell all damage; exit 65 when there is any",
        .details =
            "Reads each byte that matters, carries out each record in memory, and changes "
            "nothing. A server may be running on the directory. A torn end, which a crash leaves, "
            "is no damage: it was never acknowledged. Equal digests mean equal states. A server "
            "writes digests of its state into the journal, too: those that can be are compared "
            "with the state that the records tell.",
        .examples = "hob journal check /var/lib/hob\n",
        .lists = {&cli_print_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_DIRECTORIES},
        .run = cmd_journal_check,
    },
    {
        .name = "journal dump",
        .synopsis = "DIR",
        .summary = "print all records of the journal, a JSON object a line",
        .details = "In the order in which they were written, from the oldest that is left. What "
                   "is damaged is told on stderr and passed over; the exit code is then 65.",
        .examples = "hob journal dump /var/lib/hob | jq 'select(.id == \"42\")'\n",
        .lists = {&dump_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_DIRECTORIES},
        .run = cmd_journal_dump,
    },
    {
        .name = "journal salvage",
        .synopsis = "DIR OUT",
        .summary = "copy what is left of a damaged journal into a new directory",
        .details =
            "DIR is only read. Each damage, each job that is lost and each that lost a part is "
            "told on stderr; the sum is on stdout. What lost batches said is as if it had not "
            "happened: a job may run again, a job that was deleted may be back. OUT has an "
            "identity of its own, and its ids and lease tokens go on far behind those of DIR.",
        .examples = "hob journal salvage /var/lib/hob /var/lib/hob-new 2> lost.txt\n",
        .lists = {&cli_print_options},
        .args_min = 2,
        .args_max = 2,
        .completes = {COMPLETES_DIRECTORIES},
        .run = cmd_journal_salvage,
    },
    {
        .name = "backup",
        .synopsis = "DIR OUT",
        .summary = "copy the data of a server, which may be running, into a new directory",
        .details =
            "Run it on the server's machine, as its user: it reads the server's files and does "
            "not disturb it. OUT holds at least everything that was acknowledged when it began, "
            "is read back before the command ends, and is a journal like any other: `hob journal "
            "check OUT` proves it later. It needs as much memory as the server's jobs.",
        .examples = "hob backup /var/lib/hob /backup/hob-$(date +%F)\n",
        .lists = {&cli_print_options},
        .args_min = 2,
        .args_max = 2,
        .completes = {COMPLETES_DIRECTORIES},
        .run = cmd_backup,
    },
    {
        .name = "restore",
        .synopsis = "BACKUP DIR",
        .summary = "make the data of a new server from a backup",
        .details =
            "DIR must be new or empty. It gets an identity of its own, and its ids and lease "
            "tokens go on far behind those of the backup, so that nothing which the old server "
            "still hands out is taken for the new one's. Jobs that ran when the backup was made "
            "run again when their leases are over.",
        .examples = "hob restore /backup/hob-2026-12-24 /var/lib/hob\n",
        .lists = {&cli_print_options},
        .args_min = 2,
        .args_max = 2,
        .completes = {COMPLETES_DIRECTORIES},
        .run = cmd_restore,
    },
    {
        .name = "export",
        .synopsis = "",
        .summary = "print jobs as lines of JSON, oldest first",
        .details =
            "Each line is a job as `GET /v1/jobs/ID` has it, with its payload; for other "
            "programs, and for `hob import` on another server or another version. Jobs go on "
            "meanwhile: for a copy of one moment take `hob backup`.",
        .examples = "hob export --queue mail > mail.ndjson\n"
                    "hob export --state discarded | jq -r .payload.to\n",
        .lists = {&cli_filter_options, &cli_server_options},
        .run = cmd_export,
    },
    {
        .name = "import",
        .synopsis = "",
        .summary = "push the jobs of an export, from stdin",
        .details =
            "They are new jobs, in the order of the lines, with all that a push can say; what "
            "happened to them before is not kept. Jobs that were over are left out. A job without "
            "a key gets one made of its old id and time, so that a second import within 24 h, "
            "after a broken first one, pushes none twice.",
        .examples = "hob import --server other:4620 < mail.ndjson\n",
        .lists = {&import_options, &cli_server_options},
        .run = cmd_import,

    },
    {
        .name = "torture",
        .synopsis = "DIR",
        .summary = "kill a server on this disk again and again, and count what is lost",
        .details =
            "Starts `hob serve` on loopback with its data in DIR, which must be new or empty. "
            "Clients push and workers take jobs, and write what they intend and what they are "
            "answered to DIR/history; meanwhile the server is killed (kill -9) or frozen at drawn "
            "moments and started again. At the end everything is worked off, the server is killed "
            "once more, and every job that is there is compared with the history.\n\n"
            "The exit code is 0 when nothing that was acknowledged is lost, nothing came twice "
            "without saying so, out of order, before its time, damaged or out of nowhere; else 1. "
            "A kill shows what a crash of the server does; what a power cut does to the caches of "
            "a disk it cannot show. DIR stays, for a second look; delete it.",
        .examples = "hob torture /var/lib/hob-torture\nhob torture /mnt/disk/t --time 10m --json\n",
        .lists = {&torture_options, &cli_print_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_DIRECTORIES},
        .run = cmd_torture,
    },
    {
        .name = "torture check",
        .synopsis = "HISTORY | DIR",
        .summary = "judge the history of a torture once more",
        .examples = "hob torture check /var/lib/hob-torture/history\n",
        .lists = {&cli_print_options},
        .args_min = 1,
        .args_max = 1,
        .completes = {COMPLETES_FILES},
        .run = cmd_torture_check,
    },
};
const struct cli_group cli_journal_group = {
    "Data on the disk", journal_rows, hob_countof(journal_rows)};
