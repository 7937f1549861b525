/* SPDX-License-Identifier: Apache-2.0 */
/* `hob ls`: jobs, page by page, or again and again. */
#include <stdio.h>
#include <string.h>

#include "cli/print.h"
#include "cli/watch.h"

enum { LS_DEFAULT = 50, LS_PAGE = 1000, LS_MAX = 1000000000 };

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

/* At most @count rows before the id @before; NULL: told. */
static const struct resp_node *page(struct cli *cli, const char *before, uint64_t count) {
    char number[24];
    uint64_t bounded = count < LS_PAGE ? count : LS_PAGE;
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)bounded);
    struct cli_request request = {0};
    cli_word(&request, "LS");
    cli_request_list(&request, cli, &cli_filter_options);
    cli_word(&request, "BEFORE");
    cli_word(&request, before);
    cli_word(&request, "COUNT");
    cli_word(&request, number);
    const struct resp_node *reply = cli_ask(cli, &request, 0);
    hob_assert(reply == NULL || reply_item(reply, 1) != NULL);
    return reply;
}

static bool look(struct cli *cli, struct buf *out, size_t rows_max) {
    uint64_t limit = rows_max;
    if (!cli_number(cli, "limit", 1, LS_MAX, &limit)) return false;
    const struct resp_node *reply = page(cli, "0", limit < rows_max ? limit : rows_max);
    if (reply == NULL) return false;
    return cli_put_rows(cli, out, reply_item(reply, 1), job_columns, hob_countof(job_columns));
}

/* Jobs that wait for nobody are seen here first. A server that does not tell, or a token that may
 * not ask, is no reason to fail. */
static void warn(struct cli *cli) {
    const char *states = cli_value(cli, "state");
    if (cli->json || cli->quiet) return;
    if (states != NULL && strstr(states, "available") == NULL) return;
    const struct slice words[] = {SLICE("UNSERVED")};
    const struct resp_node *rows = NULL;
    struct hob_error err = {0};
    if (session_call(cli->session, words, 1, 0, &rows, &err) != HOB_OK) return;
    cli_warn_unserved(rows, cli_value(cli, "queue"), cli_value(cli, "kind"));
}

int cmd_ls(struct cli *cli) {
    uint64_t left = LS_DEFAULT;
    if (cli_has(cli, "watch")) return watch_run(cli, look);
    if (!cli_number(cli, "limit", 1, LS_MAX, &left)) return cli->exit_code;
    char before[24] = "0";
    bool is_empty = true;
    do {
        const struct resp_node *reply = page(cli, before, left);
        if (reply == NULL) return cli->exit_code;
        const struct resp_node *rows = reply_item(reply, 1);
        int code = cli_print_rows(cli, rows, job_columns, hob_countof(job_columns));
        if (code != 0) return code;
        is_empty = is_empty && rows->children_count == 0;
        left -= rows->children_count < left ? rows->children_count : left;
        (void)snprintf(before, sizeof before, "%.*s", SLICE_ARG(reply_item(reply, 0)->text));
    } while (left > 0 && strcmp(before, "0") != 0);
    if (is_empty) cli_warn_no_queue(cli);
    warn(cli);
    return 0;
}
