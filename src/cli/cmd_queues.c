/* SPDX-License-Identifier: Apache-2.0 */
/* `hob queues`, `hob queues set`, `hob queues next` and `hob workers`. */
#include <stdio.h>
#include <string.h>

#include "cli/print.h"
#include "cli/stopped.h"
#include "cli/watch.h"

enum { OUT_BYTES_MAX = 64 * 1024 * 1024, PAGE = 1000 };

struct listing {
    const char *word; /* of the protocol */
    const struct cli_column *columns;
    size_t column_count;
};

static const struct cli_column queue_columns[] = {
    {"name", "NAME", COLUMN_TEXT},
    {"order", "ORDER", COLUMN_WORD},
    {"tier", "TIER", COLUMN_NUMBER},
    {"weight", "WEIGHT", COLUMN_NUMBER},
    {"concurrency", "LIMIT", COLUMN_COUNT},
    {"rate", "RATE", COLUMN_SPARSE},
    {"paused", "PAUSED", COLUMN_WORD},
    {"available", "AVAILABLE", COLUMN_NUMBER},
    {"scheduled", "SCHEDULED", COLUMN_COUNT},
    {"running", "RUNNING", COLUMN_NUMBER},
    {"retryable", "RETRYABLE", COLUMN_COUNT},
    {"blocked", "BLOCKED", COLUMN_COUNT},
    {"completed", "COMPLETED", COLUMN_COUNT},
    {"discarded", "DISCARDED", COLUMN_COUNT},
    {"cancelled", "CANCELLED", COLUMN_COUNT},
    {"oldest_at", "OLDEST", COLUMN_WORD},
};

static const struct listing queues = {"QUEUES", queue_columns, hob_countof(queue_columns)};

static const struct cli_column worker_columns[] = {
    {"name", "NAME", COLUMN_TEXT},
    {"slots", "SLOTS", COLUMN_NUMBER},
    {"running", "RUNNING", COLUMN_NUMBER},
    {"kinds", "KINDS", COLUMN_NUMBER},
    {"labels", "LABELS", COLUMN_TEXT},
    {"alive_until", "ALIVE UNTIL", COLUMN_ALIVE},
};

static const struct listing workers = {"WORKERS", worker_columns, hob_countof(worker_columns)};

/* Rows from number @from on; *ret_count: how many came. NULL: told. */
static const struct resp_node *
page(struct cli *cli, const struct listing *listing, size_t from, size_t count) {
    char numbers[2][24];
    (void)snprintf(numbers[0], sizeof numbers[0], "%zu", from);
    (void)snprintf(numbers[1], sizeof numbers[1], "%zu", count);
    struct cli_request request = {0};
    cli_word(&request, listing->word);
    cli_word(&request, "FROM");
    cli_word(&request, numbers[0]);
    cli_word(&request, "COUNT");
    cli_word(&request, numbers[1]);
    return cli_ask(cli, &request, 0);
}

static int list(struct cli *cli, const struct listing *listing, struct stopped *stopped) {
    for (size_t from = 0;;) {
        const struct resp_node *rows = page(cli, listing, from, PAGE);
        if (rows == NULL) return cli->exit_code;
        if (stopped != NULL) stopped_see(stopped, rows);
        int code = cli_print_rows(cli, rows, listing->columns, listing->column_count);
        if (code != 0 || rows->children_count < PAGE) return code;
        from += rows->children_count;
    }
}

static bool look(struct cli *cli, const struct listing *listing, struct buf *out, size_t rows_max) {
    const struct resp_node *rows = page(cli, listing, 0, rows_max);
    if (rows == NULL) return false;
    return cli_put_rows(cli, out, rows, listing->columns, listing->column_count);
}

static bool look_at_queues(struct cli *cli, struct buf *out, size_t rows_max) {
    return look(cli, &queues, out, rows_max);
}

static bool look_at_workers(struct cli *cli, struct buf *out, size_t rows_max) {
    return look(cli, &workers, out, rows_max);
}

int cmd_queues(struct cli *cli) {
    if (cli_has(cli, "watch")) return watch_run(cli, look_at_queues);
    struct stopped stopped = {0};
    int code = list(cli, &queues, &stopped);
    if (code == 0) stopped_tell(cli, &stopped);
    return code;
}

int cmd_workers(struct cli *cli) {
    return cli_has(cli, "watch") ? watch_run(cli, look_at_workers) : list(cli, &workers, NULL);
}

static const struct cli_column next_columns[] = {
    {"id", "ID", COLUMN_WORD},
    {"kind", "KIND", COLUMN_TEXT},
    {"priority", "PRIORITY", COLUMN_NUMBER},
    {"group", "GROUP", COLUMN_SPARSE},
    {"front", "FRONT", COLUMN_SPARSE},
    {"attempt", "ATTEMPT", COLUMN_NUMBER},
    {"created_at", "CREATED", COLUMN_WORD},
};

int cmd_queues_next(struct cli *cli) {
    struct cli_request request = {0};
    cli_word(&request, "NEXT");
    cli_word(&request, cli->args[0]);
    cli_request_options(&request, cli);
    const struct resp_node *rows = cli_ask(cli, &request, 0);
    if (rows == NULL) return cli->exit_code;
    return cli_print_rows(cli, rows, next_columns, hob_countof(next_columns));
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
