/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: jobs, queues, workers, and the figures of the server. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "cli/print.h"

enum { LS_DEFAULT = 50, LS_PAGE = 1000, OUT_BYTES_MAX = 1024 * 1024 };

static const struct cli_column job_columns[] = {
    {"id", "ID", COLUMN_WORD},
    {"queue", "QUEUE", COLUMN_TEXT},
    {"kind", "KIND", COLUMN_TEXT},
    {"state", "STATE", COLUMN_STATE},
    {"priority", "PRIORITY", COLUMN_NUMBER},
    {"attempt", "ATTEMPT", COLUMN_NUMBER},
    {"created_at", "CREATED", COLUMN_WORD},
    {"worker", "WORKER", COLUMN_SPARSE},
    {"error", "ERROR", COLUMN_SPARSE},
};

int cmd_ls(struct cli *cli) {
    uint64_t left = LS_DEFAULT;
    if (!cli_number(cli, "limit", 1, 1000000000, &left)) return cli->exit_code;
    char before[24] = "0";
    do {
        char count[24];
        (void)snprintf(
            count, sizeof count, "%llu", (unsigned long long)(left < LS_PAGE ? left : LS_PAGE)
        );
        struct cli_request request = {0};
        cli_word(&request, "LS");
        cli_request_options(&request, cli);
        cli_word(&request, "BEFORE");
        cli_word(&request, before);
        cli_word(&request, "COUNT");
        cli_word(&request, count);
        const struct resp_node *page = cli_ask(cli, &request, 0);
        if (page == NULL) return cli->exit_code;
        const struct resp_node *cursor = reply_item(page, 0);
        const struct resp_node *rows = reply_item(page, 1);
        hob_assert(cursor != NULL && rows != NULL);
        int code = cli_print_rows(cli, rows, job_columns, hob_countof(job_columns));
        if (code != 0) return code;
        left -= rows->children_count < left ? rows->children_count : left;
        (void)snprintf(before, sizeof before, "%.*s", SLICE_ARG(cursor->text));
    } while (left > 0 && strcmp(before, "0") != 0);
    return 0;
}

static const struct cli_column queue_columns[] = {
    {"name", "NAME", COLUMN_TEXT},
    {"order", "ORDER", COLUMN_WORD},
    {"paused", "PAUSED", COLUMN_WORD},
    {"available", "AVAILABLE", COLUMN_NUMBER},
    {"scheduled", "SCHEDULED", COLUMN_NUMBER},
    {"running", "RUNNING", COLUMN_NUMBER},
    {"retryable", "RETRYABLE", COLUMN_NUMBER},
    {"completed", "COMPLETED", COLUMN_NUMBER},
    {"discarded", "DISCARDED", COLUMN_NUMBER},
    {"cancelled", "CANCELLED", COLUMN_NUMBER},
    {"oldest_at", "OLDEST", COLUMN_WORD},
};

static int list(struct cli *cli, const char *word, const struct cli_column *columns, size_t count) {
    const struct slice words[] = {slice_str(word)};
    const struct resp_node *rows = cli_call(cli, words, 1, 0);
    if (rows == NULL) return cli->exit_code;
    return cli_print_rows(cli, rows, columns, count);
}

/* SPAN:N, both needed. */
static bool
keep_words(struct cli *cli, struct cli_request *request, const char *name, const char *word) {
    const char *value = cli_value(cli, name);
    if (value == NULL) return true;
    const char *colon = strchr(value, ':');
    if (colon == NULL) {
        cli->exit_code = cli_usage(cli, "--%s: `%s` is not SPAN:N, such as 1h:1000", name, value);
        return false;
    }
    cli_word(request, word);
    cli_word_slice(request, slice_of(value, (size_t)(colon - value)));
    cli_word(request, colon + 1);
    return true;
}

int cmd_queues(struct cli *cli) {
    return list(cli, "QUEUES", queue_columns, hob_countof(queue_columns));
}

int cmd_queues_set(struct cli *cli) {
    struct cli_request request = {0};
    cli_word(&request, "QUEUE");
    cli_word(&request, cli->args[0]);
    cli_request_options(&request, cli);
    if (!keep_words(cli, &request, "keep", "KEEP") ||
        !keep_words(cli, &request, "keep-failed", "KEEPFAILED")) {
        return cli->exit_code;
    }
    if (request.count == 2) return cli_usage(cli, "nothing to set: see the options");
    return cli_ask(cli, &request, 0) == NULL ? cli->exit_code : 0;
}

static const struct cli_column worker_columns[] = {
    {"name", "NAME", COLUMN_TEXT},
    {"slots", "SLOTS", COLUMN_NUMBER},
    {"running", "RUNNING", COLUMN_NUMBER},
    {"kinds", "KINDS", COLUMN_NUMBER},
    {"alive_until", "ALIVE UNTIL", COLUMN_WORD},
};

int cmd_workers(struct cli *cli) {
    return list(cli, "WORKERS", worker_columns, hob_countof(worker_columns));
}

int cmd_stats(struct cli *cli) {
    const struct slice words[] = {SLICE("STATS")};
    const struct resp_node *stats = cli_call(cli, words, 1, 0);
    if (stats == NULL) return cli->exit_code;
    if (cli->json) return cli_print_json(stats);
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    {
        const struct resp_node *key = resp_first(stats);
        for (uint32_t i = 0; i < stats->children_count / 2; i++) {
            const struct resp_node *value = resp_next(key);
            (void)buf_printf(&out, "%.*s\t", SLICE_ARG(key->text));
            cli_put_field(&out, key->text, value);
            (void)buf_put_char(&out, '\n');
            key = resp_next(value);
        }
    }
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}
