/* SPDX-License-Identifier: Apache-2.0 */
/* What stops jobs that wait, besides their queue: `hob limiters`, `hob groups`, `hob kinds`, and
 * what is set about them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/print.h"
#include "cli/watch.h"

enum { PAGE = 1000, NAME_BYTES = 256 };

struct listing {
    const char *word; /* of the protocol */
    const struct cli_column *columns;
    size_t column_count;
};

static const struct cli_column limiter_columns[] = {
    {"name", "NAME", COLUMN_TEXT},
    {"concurrency", "LIMIT", COLUMN_COUNT},
    {"rate", "RATE", COLUMN_SPARSE},
    {"burst", "BURST", COLUMN_COUNT},
    {"running", "RUNNING", COLUMN_NUMBER},
    {"waiting", "WAITING", COLUMN_NUMBER},
    {"opens_at", "OPENS", COLUMN_SPARSE},
    {"paused", "PAUSED", COLUMN_WORD},
    {"paused_until", "UNTIL", COLUMN_SPARSE},
    {"paused_by", "BY", COLUMN_SPARSE},
    {"paused_why", "WHY", COLUMN_SPARSE},
};

static const struct listing limiters = {"LIMITERS", limiter_columns, hob_countof(limiter_columns)};

static const struct cli_column group_columns[] = {
    {"name", "NAME", COLUMN_TEXT},
    {"weight", "WEIGHT", COLUMN_NUMBER},
    {"concurrency", "LIMIT", COLUMN_COUNT},
    {"rate", "RATE", COLUMN_SPARSE},
    {"burst", "BURST", COLUMN_COUNT},
    {"running", "RUNNING", COLUMN_NUMBER},
    {"waiting", "WAITING", COLUMN_NUMBER},
    {"held", "HELD", COLUMN_COUNT},
    {"blocked_by", "BLOCKED BY", COLUMN_SPARSE},
    {"opens_at", "OPENS", COLUMN_SPARSE},
    {"paused", "PAUSED", COLUMN_WORD},
    {"paused_until", "UNTIL", COLUMN_SPARSE},
    {"paused_by", "BY", COLUMN_SPARSE},
    {"paused_why", "WHY", COLUMN_SPARSE},
};

static const struct listing groups = {"GROUPS", group_columns, hob_countof(group_columns)};

static const struct cli_column kind_columns[] = {
    {"name", "NAME", COLUMN_TEXT},
    {"paused", "PAUSED", COLUMN_WORD},
    {"paused_until", "UNTIL", COLUMN_SPARSE},
    {"paused_by", "BY", COLUMN_SPARSE},
    {"paused_why", "WHY", COLUMN_SPARSE},
};

static const struct listing kinds = {"KINDS", kind_columns, hob_countof(kind_columns)};

/* Rows of names behind @after. NULL: told. */
static const struct resp_node *
page(struct cli *cli, const struct listing *listing, const char *after, size_t count) {
    char number[24];
    (void)snprintf(number, sizeof number, "%zu", count);
    struct cli_request request = {0};
    cli_word(&request, listing->word);
    if (cli->arg_count > 0) cli_word(&request, cli->args[0]);
    cli_request_options(&request, cli);
    cli_word(&request, "COUNT");
    cli_word(&request, number);
    if (after[0] != '\0') {
        cli_word(&request, "AFTER");
        cli_word(&request, after);
    }
    return cli_ask(cli, &request, 0);
}

static int list(struct cli *cli, const struct listing *listing) {
    char after[NAME_BYTES] = "";
    for (;;) {
        const struct resp_node *rows = page(cli, listing, after, PAGE);
        if (rows == NULL) return cli->exit_code;
        int code = cli_print_rows(cli, rows, listing->columns, listing->column_count);
        if (code != 0 || rows->children_count < PAGE) return code;
        struct slice last = reply_text(reply_item(rows, PAGE - 1), "name");
        (void)snprintf(after, sizeof after, "%.*s", SLICE_ARG(last));
    }
}

static bool look(struct cli *cli, const struct listing *listing, struct buf *out, size_t rows_max) {
    const struct resp_node *rows = page(cli, listing, "", rows_max < PAGE ? rows_max : PAGE);
    if (rows == NULL) return false;
    return cli_put_rows(cli, out, rows, listing->columns, listing->column_count);
}

static bool look_at_limiters(struct cli *cli, struct buf *out, size_t rows_max) {
    return look(cli, &limiters, out, rows_max);
}

static bool look_at_groups(struct cli *cli, struct buf *out, size_t rows_max) {
    return look(cli, &groups, out, rows_max);
}

int cmd_limiters(struct cli *cli) {
    return cli_has(cli, "watch") ? watch_run(cli, look_at_limiters) : list(cli, &limiters);
}

int cmd_groups(struct cli *cli) {
    return cli_has(cli, "watch") ? watch_run(cli, look_at_groups) : list(cli, &groups);
}

int cmd_kinds(struct cli *cli) {
    return list(cli, &kinds);
}

/* All arguments and options go on as words. */
static int set(struct cli *cli, const char *word) {
    struct cli_request request = {0};
    cli_word(&request, word);
    for (size_t i = 0; i < cli->arg_count; i++) cli_word(&request, cli->args[i]);
    size_t named = request.count;
    cli_request_options(&request, cli);
    if (request.count == named) return cli_usage(cli, "nothing to set: see the options");
    return cli_ask(cli, &request, 0) == NULL ? cli->exit_code : 0;
}

int cmd_limiters_set(struct cli *cli) {
    return set(cli, "LIMITER");
}

int cmd_groups_set(struct cli *cli) {
    return set(cli, "GROUP");
}

int cmd_groups_skip(struct cli *cli) {
    const char *queue = cli->args[0];
    const char *group = cli->args[1];
    struct cli_request request = {0};
    cli_word(&request, "SKIP");
    cli_word(&request, queue);
    cli_word(&request, group);
    const struct resp_node *reply = cli_ask(cli, &request, 0);
    if (reply == NULL) return cli->exit_code;
    if (reply->integer == 0) {
        (void)fprintf(stderr, "group %s of queue %s: no job blocks it\n", group, queue);
        return 0;
    }
    (void)fprintf(
        stderr,
        "group %s of queue %s: goes on after job %" PRIi64 "\n",
        group,
        queue,
        reply->integer
    );
    HOB_AUTO_BUF struct buf out = buf_make(64);
    (void)buf_printf(&out, "%" PRIi64 "\n", reply->integer);
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}
