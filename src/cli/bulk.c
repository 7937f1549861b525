/* SPDX-License-Identifier: Apache-2.0 */
/* Requests are pipelined, a bounded number in flight. Each job is done for itself: one that fails
 * is told and does not keep the others from being done. A job that a filter found and that has
 * changed since is left alone and counted; for one that was named by its id that is a failure. */
#include "cli/bulk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/bulk_ids.h"
#include "cli/interrupt.h"
#include "cli/print.h"
#include "cli/progress.h"

enum {
    OPEN_MAX = 512,
    UNSENT_BYTES_MAX = 1024 * 1024,
    TOLD_EACH_MAX = 20, /* more jobs than these get a sum instead of a line each */
    TOLD_FAILURES_MAX = 10,
    ANSWER_MAX = 16,
};

struct bulk {
    struct cli *cli;
    const struct bulk_verb *verb;
    const struct bulk_ids *list;
    struct progress progress;
    bool filtered;
    size_t answered;
    size_t done;
    size_t changed; /* since the filter found them */
    size_t failed;
    enum hob_status status; /* of the failures; HOB_FAILED: of several kinds */
};

static void count_failure(struct bulk *bulk, uint64_t id, const struct hob_error *err) {
    bool moved = err->status == HOB_CONFLICT || err->status == HOB_NOT_FOUND;
    if (bulk->filtered && moved) {
        bulk->changed++;
        return;
    }
    bulk->status = bulk->failed == 0 || bulk->status == err->status ? err->status : HOB_FAILED;
    bulk->failed++;
    if (bulk->failed > TOLD_FAILURES_MAX) return;
    progress_clear(&bulk->progress);
    (void)cli_fail(err->status, "job %llu: %s", (unsigned long long)id, err->text);
}

static void on_reply(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct bulk *bulk = context;
    if (node == NULL) return; /* the connection was lost: session_drain() tells */
    uint64_t id = bulk->list->ids[bulk->answered++];
    struct hob_error err = {0};
    if (reply_status(node, &err) != HOB_OK) {
        count_failure(bulk, id, &err);
        return;
    }
    bulk->done++;
    if (bulk->list->count > TOLD_EACH_MAX) return;
    struct slice state = bulk->verb->has_reason ? node->text : slice_str(bulk->verb->done);
    (void)fprintf(stderr, "job %llu: %.*s\n", (unsigned long long)id, SLICE_ARG(state));
}

static void send_one(struct bulk *bulk, uint64_t id) {
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    struct cli_request request = {0};
    cli_word(&request, bulk->verb->word);
    cli_word(&request, text);
    if (bulk->verb->has_reason) {
        cli_request_list(&request, bulk->cli, &cli_reason_options);
        cli_request_by(&request, bulk->cli);
    }
    session_send(bulk->cli->session, request.words, request.count, on_reply, bulk);
}

/* All of them, or until Ctrl-C or the end of the connection. False: the connection is lost,
 * told. */
static bool each(struct bulk *bulk) {
    struct session *session = bulk->cli->session;
    struct hob_error err = {0};
    enum hob_status status = HOB_OK;
    for (size_t i = 0; i < bulk->list->count && status == HOB_OK && !interrupt_came(); i++) {
        status = session_drain(session, OPEN_MAX - 1, UNSENT_BYTES_MAX, &err);
        if (status == HOB_OK) send_one(bulk, bulk->list->ids[i]);
        progress_tell(&bulk->progress, bulk->answered);
    }
    if (status == HOB_OK) status = session_drain(session, 0, 0, &err);
    progress_clear(&bulk->progress);
    if (status == HOB_OK) return true;
    bulk->cli->exit_code = cli_fail(
        status,
        "%s; %zu of %zu jobs are known to be %s",
        err.text,
        bulk->done,
        bulk->list->count,
        bulk->verb->done
    );
    return false;
}

static void put_jobs(struct buf *out, size_t count) {
    cli_put_count(out, count);
    (void)buf_put_str(out, count == 1 ? " job" : " jobs");
}

static int sum(const struct bulk *bulk, bool connected) {
    if (!connected) return bulk->cli->exit_code;
    HOB_AUTO_BUF struct buf line = buf_make(1000);
    put_jobs(&line, bulk->done);
    (void)buf_printf(&line, " %s", bulk->verb->done);
    if (bulk->changed > 0) {
        (void)buf_put_str(&line, "; ");
        cli_put_count(&line, bulk->changed);
        (void)buf_put_str(&line, " had changed meanwhile and were left alone");
    }
    if (bulk->failed > 0) {
        (void)buf_put_str(&line, "; ");
        cli_put_count(&line, bulk->failed);
        (void)buf_put_str(&line, " failed");
    }
    bool stopped = bulk->answered < bulk->list->count;
    if (stopped) {
        (void)buf_put_str(&line, "; stopped before ");
        put_jobs(&line, bulk->list->count - bulk->answered);
        (void)buf_put_str(&line, ": the same command goes on with them");
    }
    if (bulk->list->count > TOLD_EACH_MAX || stopped || bulk->changed > 0) {
        (void)fprintf(stderr, "%.*s\n", SLICE_ARG(buf_slice(&line)));
    }
    if (stopped) return EXIT_INTERRUPTED;
    return bulk->failed > 0 ? status_exit_code(bulk->status) : 0;
}

static int run_list(
    struct cli *cli, const struct bulk_verb *verb, const struct bulk_ids *list, bool filtered
) {
    if (!cli_connect(cli)) return cli->exit_code;
    HOB_AUTO_BUF struct buf what = buf_make(100);
    (void)buf_printf(&what, "jobs %s", verb->done);
    (void)buf_put_char(&what, '\0');
    struct bulk bulk = {
        .cli = cli,
        .verb = verb,
        .list = list,
        .filtered = filtered,
        .progress = progress_begin(what.bytes, list->count, cli->term.err && cli->term.smart),
    };
    interrupt_begin();
    return sum(&bulk, each(&bulk));
}

/* --- what a filter found --- */

static int dry_run(const struct bulk_verb *verb, const struct bulk_ids *list) {
    for (size_t i = 0; i < list->count; i++) {
        (void)printf("%llu\n", (unsigned long long)list->ids[i]);
    }
    HOB_AUTO_BUF struct buf line = buf_make(200);
    put_jobs(&line, list->count);
    (void)fflush(stdout);
    (void)fprintf(stderr, "%.*s would be %s\n", SLICE_ARG(buf_slice(&line)), verb->done);
    return 0;
}

/* 0 to go on; else the exit code, told. */
static int ask(struct cli *cli, const struct bulk_verb *verb, size_t count) {
    if (cli_has(cli, "yes") || count == 0) return 0;
    HOB_AUTO_BUF struct buf jobs = buf_make(200);
    put_jobs(&jobs, count);
    if (!cli->term.in || !cli->term.err) {
        return cli_usage(
            cli,
            "%.*s would be %s: say --yes to do it, or --dry-run to see them",
            SLICE_ARG(buf_slice(&jobs)),
            verb->done
        );
    }
    char answer[ANSWER_MAX] = "";
    (void
    )fprintf(stderr, "%.*s will be %s. Go on? [y/N] ", SLICE_ARG(buf_slice(&jobs)), verb->done);
    (void)fflush(stderr);
    if (fgets(answer, sizeof answer, stdin) == NULL) (void)fprintf(stderr, "\n");
    answer[strcspn(answer, "\n")] = '\0';
    bool agreed =
        strcmp(answer, "y") == 0 || strcmp(answer, "Y") == 0 || strcmp(answer, "yes") == 0;
    if (agreed) return 0;
    (void)fprintf(stderr, "Nothing was done.\n");
    return status_exit_code(HOB_FAILED);
}

/* Why may a filter have found nothing? */
static void tell_nothing(struct cli *cli, const struct bulk_verb *verb) {
    cli_warn_no_queue(cli);
    if (cli_has(cli, "state")) return;
    (void)fprintf(
        stderr, "without --state only these are looked at: %s; of others: --state …\n", verb->states
    );
}

static int
run_filter(struct cli *cli, const struct bulk_verb *verb, uint64_t max, struct bulk_ids *list) {
    if (!bulk_ids_of_filter(cli, verb->states, max, list)) return cli->exit_code;
    if (list->count == 0) tell_nothing(cli, verb);
    if (cli_has(cli, "dry-run")) return dry_run(verb, list);
    int code = ask(cli, verb, list->count);
    if (code != 0) return code;
    if (list->count == 0) {
        (void)fprintf(stderr, "no job is like that\n");
        return 0;
    }
    return run_list(cli, verb, list, true);
}

int bulk_run(struct cli *cli, const struct bulk_verb *verb) {
    bool filtered = bulk_is_filtered(cli);
    uint64_t max = BULK_IDS_MAX;
    if (filtered && cli->arg_count > 0) {
        return cli_usage(cli, "ids and a filter: which of them?");
    }
    if (!filtered && cli->arg_count == 0) {
        return cli_usage(cli, "wanted: ids, `-` for those on stdin, or a filter such as --queue");
    }
    if (!cli_number(cli, "limit", 1, BULK_IDS_MAX, &max)) return cli->exit_code;
    if (!filtered && cli_has(cli, "limit")) return cli_usage(cli, "--limit belongs to a filter");
    struct bulk_ids list = {0};
    int code = 0;
    if (filtered) {
        code = run_filter(cli, verb, max, &list);
    } else if (!bulk_ids_of_words(cli, &list)) {
        code = cli->exit_code;
    } else if (cli_has(cli, "dry-run")) {
        code = dry_run(verb, &list);
    } else if (list.count > 0) {
        code = run_list(cli, verb, &list, false);
    }
    bulk_ids_deinit(&list);
    return code;
}
