/* SPDX-License-Identifier: Apache-2.0 */
/* `hob explain`: why a job does not run. One line says it, a table shows every gate. */
#include "cli/print.h"
#include "os/clock.h"

enum { OUT_BYTES_MAX = 1024 * 1024 };

static const struct cli_column gate_columns[] = {
    {"gate", "GATE", COLUMN_WORD},
    {"open", "OPEN", COLUMN_WORD},
    {"text", "WHAT IT SAYS", COLUMN_TEXT},
};

/* "available, queue mail, kind email.send: the queue mail is paused by ann" */
static void put_whole(struct cli *cli, struct buf *out, const struct resp_node *explanation) {
    HOB_AUTO_BUF struct buf line = buf_make(OUT_BYTES_MAX);
    struct slice state = reply_text(explanation, "state");
    term_put_styled(out, &cli->term, cli_state_style(state), state);
    (void)buf_printf(
        &line,
        ", queue %.*s, kind %.*s: %.*s",
        SLICE_ARG(reply_text(explanation, "queue")),
        SLICE_ARG(reply_text(explanation, "kind")),
        SLICE_ARG(reply_text(explanation, "text"))
    );
    term_put_safe(out, buf_slice(&line), true);
    (void)buf_put_char(out, '\n');
}

int cmd_explain(struct cli *cli) {
    struct slice id;
    if (!cli_id(cli, 0, &id)) return cli->exit_code;
    const struct slice words[] = {SLICE("EXPLAIN"), id};
    const struct resp_node *explanation = cli_call(cli, words, 2, 0);
    if (explanation == NULL) return cli->exit_code;
    if (!reply_is_set(explanation)) return cli_no_job(id);
    if (cli->json) return cli_print_json(explanation);
    const struct resp_node *gates = reply_get(explanation, "gates");
    hob_assert(gates != NULL);
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    bool is_table = cli->form == FORM_TABLE && !cli->quiet;
    if (is_table) put_whole(cli, &out, explanation);
    bool has_gates = gates->children_count > 0;
    if (has_gates && !cli_put_rows(cli, &out, gates, gate_columns, hob_countof(gate_columns))) {
        return cli->exit_code;
    }
    uint64_t start_ms = reply_u64(explanation, "start_at", 0);
    if (is_table && start_ms != 0) {
        (void)buf_put_str(&out, "It is expected to start ");
        cli_put_when(&out, start_ms * NS_PER_MS, clock_wall());
        (void)buf_put_str(&out, ".\n");
    }
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}
