/* SPDX-License-Identifier: Apache-2.0 */
/* `hob torture`: does this very binary keep its word on this very disk? Figures on stdout; each
 * thing that is wrong on stderr, up to a number that a person reads. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "cli/print.h"
#include "os/entropy.h"
#include "os/file.h"
#include "os/self.h"
#include "torture/torture.h"

enum { TOLD_MAX = 5, OUT_BYTES_MAX = 16 * 1024 };

/* How many of each have been told. */
struct told {
    uint64_t counts[CHECKER_WRONG_COUNT];
};

static void tell(void *context, enum checker_wrong wrong, const char *text) {
    struct told *told = context;
    const char *name = checker_wrong_name(wrong);
    uint64_t count = ++told->counts[wrong];
    if (count <= TOLD_MAX) (void)fprintf(stderr, "hob: %s: %s\n", name, text);
    if (count == TOLD_MAX) (void)fprintf(stderr, "hob: %s: more of these are only counted\n", name);
}

static void put_count(struct json_put *put, const char *key, uint64_t count) {
    json_put_key(put, key);
    json_put_u64(put, count);
}

static void verdict_json(struct json_put *put, const struct checker_verdict *verdict) {
    put_count(put, "acknowledged", verdict->acknowledged);
    put_count(put, "found", verdict->found);
    put_count(put, "refused", verdict->refused);
    put_count(put, "unknown", verdict->unknown);
    put_count(put, "recovered", verdict->recovered);
    put_count(put, "delivered", verdict->delivered);
    put_count(put, "redelivered", verdict->redelivered);
    put_count(put, "acks", verdict->acks);
    for (size_t i = 0; i < CHECKER_WRONG_COUNT; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%s", checker_wrong_name((enum checker_wrong)i));
        for (char *c = name; *c != '\0'; c++) {
            if (*c == ' ') *c = '_';
        }
        put_count(put, name, verdict->wrong[i]);
    }
    json_put_key(put, "good");
    json_put_bool(put, checker_is_good(verdict));
}

static void verdict_text(struct buf *out, const struct checker_verdict *verdict) {
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {
        {"pushes acknowledged", verdict->acknowledged},
        {"  of these found", verdict->found},
        {"pushes without an answer", verdict->unknown},
        {"  of these found", verdict->recovered},
        {"pushes refused", verdict->refused},
        {"jobs delivered", verdict->delivered},
        {"  again, and they said so", verdict->redelivered},
        {"acks acknowledged", verdict->acks},
    };
    for (size_t i = 0; i < hob_countof(rows); i++) {
        (void)buf_printf(out, "%-26s %10" PRIu64 "\n", rows[i].name, rows[i].count);
    }
    for (size_t i = 0; i < CHECKER_WRONG_COUNT; i++) {
        const char *name = checker_wrong_name((enum checker_wrong)i);
        (void)buf_printf(out, "%-26s %10" PRIu64 "\n", name, verdict->wrong[i]);
    }
    if (!verdict->census) (void)buf_put_str(out, "the history has no census: nothing is proved\n");
}

static int verdict_end(struct cli *cli, struct buf *out, const struct checker_verdict *verdict) {
    if (!cli_flush(out)) return status_exit_code(HOB_FAILED);
    (void)cli;
    return checker_is_good(verdict) ? 0 : status_exit_code(HOB_FAILED);
}

static void report_json(
    struct buf *out, const struct torture_options *options, const struct torture_report *report
) {
    struct json_put put = json_put_to(out);
    json_put_object(&put);
    put_count(&put, "seed", options->seed);
    put_count(&put, "starts", report->starts);
    put_count(&put, "kills", report->kills);
    put_count(&put, "kills_starting", report->kills_starting);
    put_count(&put, "freezes", report->freezes);
    put_count(&put, "retried", report->retried);
    put_count(&put, "start_max_ms", report->start_max_ns / NS_PER_MS);
    verdict_json(&put, &report->verdict);
    json_put_object_end(&put);
    (void)buf_put_char(out, '\n');
}

static void report_text(struct buf *out, const struct torture_report *report) {
    (void)buf_printf(
        out,
        "%-26s %10" PRIu64 "\n%-26s %10" PRIu64 "\n%-26s %10" PRIu64 "\n%-26s %10" PRIu64 " ms\n",
        "kill -9",
        report->kills,
        "  while it started",
        report->kills_starting,
        "frozen",
        report->freezes,
        "slowest start",
        report->start_max_ns / NS_PER_MS
    );
    (void)buf_printf(out, "%-26s %10" PRIu64 "\n", "pushes sent again", report->retried);
    verdict_text(out, &report->verdict);
}

/* The options of the command. False: told. */
static bool options_read(struct cli *cli, struct torture_options *options) {
    uint64_t pushers = 4;
    uint64_t workers = 4;
    uint64_t rate = 3000;
    *options = (struct torture_options){
        .dir = cli->args[0],
        .program = cli_value(cli, "program"),
        .time_ns = NS_PER_MINUTE,
        .seed = entropy_u64() % 1000000000,
    };
    if (!cli_span(cli, "time", &options->time_ns)) return false;
    if (!cli_number(cli, "seed", 0, UINT32_MAX, &options->seed)) return false;
    if (!cli_number(cli, "clients", 1, TORTURE_HANDS_MAX, &pushers)) return false;
    if (!cli_number(cli, "workers", 1, TORTURE_HANDS_MAX, &workers)) return false;
    if (!cli_number(cli, "rate", 1, 1000000, &rate)) return false;
    options->pushers = (uint32_t)pushers;
    options->workers = (uint32_t)workers;
    options->push_rate = (uint32_t)rate;
    return true;
}

int cmd_torture(struct cli *cli) {
    struct torture_options options;
    struct torture_report report;
    struct hob_error err = {0};
    struct told told = {0};
    if (!options_read(cli, &options)) return cli->exit_code;
    self_ignore_broken_pipes();
    (void)fprintf(
        stderr,
        "hob: torture of %s for %" PRIu64 " s, seed %" PRIu64 "\n",
        options.dir,
        options.time_ns / NS_PER_SECOND,
        options.seed
    );
    enum hob_status status = torture_run(&options, tell, &told, &report, &err);
    if (status != HOB_OK) return cli_fail(status, "%s", err.text);
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    if (cli->json) report_json(&out, &options, &report);
    if (!cli->json) report_text(&out, &report);
    return verdict_end(cli, &out, &report.verdict);
}

/* The history of a torture, also when its directory is named. */
static const char *history_of(const char *path, char to[PATH_MAX]) {
    int dir = -1;
    if (dir_open(path, false, &dir) != 0) return path;
    file_close(&dir);
    (void)snprintf(to, PATH_MAX, "%s/history", path);
    return to;
}

int cmd_torture_check(struct cli *cli) {
    struct checker_verdict verdict;
    struct hob_error err = {0};
    struct told told = {0};
    char history[PATH_MAX];
    enum hob_status status =
        torture_check(history_of(cli->args[0], history), tell, &told, &verdict, &err);
    if (status != HOB_OK) return cli_fail(status, "%s", err.text);
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    if (cli->json) {
        struct json_put put = json_put_to(&out);
        json_put_object(&put);
        verdict_json(&put, &verdict);
        json_put_object_end(&put);
        (void)buf_put_char(&out, '\n');
    } else {
        verdict_text(&out, &verdict);
    }
    return verdict_end(cli, &out, &verdict);
}
