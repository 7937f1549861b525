/* SPDX-License-Identifier: Apache-2.0 */
/* `hob explain`: why a job does not run. One line says it, a table shows every gate, and below it
 * stands what opens those that are shut. */
#include <stdio.h>

#include "cli/print.h"
#include "os/clock.h"

enum { OUT_BYTES_MAX = 1024 * 1024, WIDE = 4096 };

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

static bool is_word(struct slice text, const char *word) {
    return slice_equal(text, slice_str(word));
}

/* What a valve of a queue, kind, group or limiter is named by in a command. */
static void put_named(
    struct buf *out, const char *verb, struct slice of, struct slice name, struct slice queue
) {
    (void)buf_printf(out, "hob %s %.*s", verb, SLICE_ARG(name));
    if (is_word(of, "kind")) (void)buf_put_str(out, " --kind");
    if (is_word(of, "limiter")) (void)buf_put_str(out, " --limiter");
    if (is_word(of, "group")) (void)buf_printf(out, " --group-of %.*s", SLICE_ARG(queue));
}

static void put_limit(
    struct buf *out, struct slice of, struct slice name, struct slice queue, const char *option
) {
    if (is_word(of, "limiter")) {
        (void)buf_printf(out, "hob limiters set %.*s --%s …", SLICE_ARG(name), option);
    } else if (is_word(of, "group")) {
        (void)buf_printf(
            out, "hob groups set %.*s %.*s --%s …", SLICE_ARG(queue), SLICE_ARG(name), option
        );
    } else if (is_word(of, "queue")) {
        (void)buf_printf(out, "hob queues set %.*s --%s …", SLICE_ARG(name), option);
    }
}

static bool is_of_workers(struct slice type) {
    return is_word(type, "kind") || is_word(type, "needs") || is_word(type, "slot") ||
           is_word(type, "fetch");
}

/* A command that opens the gate, or shows more; nothing where time or work does it. */
static void
put_remedy(struct buf *out, const struct resp_node *gate, struct slice queue, struct slice id) {
    struct slice type = reply_text(gate, "gate");
    struct slice of = reply_text(gate, "of");
    struct slice name = reply_text(gate, "name");
    struct slice job = reply_text(gate, "job");
    if (is_word(type, "pause")) {
        put_named(out, "resume", of, name, queue);
    } else if (is_word(type, "concurrency")) {
        put_limit(out, of, name, queue, "concurrency");
    } else if (is_word(type, "rate")) {
        put_limit(out, of, name, queue, "rate");
    } else if (is_word(type, "blocked")) {
        (void)buf_printf(
            out,
            "hob retry %.*s, or: hob groups skip %.*s %.*s",
            SLICE_ARG(job),
            SLICE_ARG(queue),
            SLICE_ARG(name)
        );
    } else if (is_word(type, "order")) {
        (void)buf_printf(out, "hob ls --queue %.*s --state running,retryable", SLICE_ARG(queue));
    } else if (is_word(type, "unique")) {
        (void)buf_printf(out, "hob get %.*s", SLICE_ARG(job));
    } else if (is_word(type, "time")) {
        (void)buf_printf(out, "hob retry %.*s", SLICE_ARG(id));
    } else if (is_word(type, "line") || is_word(type, "tier")) {
        (void)buf_printf(out, "hob queues next %.*s", SLICE_ARG(queue));
    } else if (is_of_workers(type)) {
        (void)buf_put_str(out, "hob workers");
    }
}

/* "pause: hob resume mail", a line for each gate that is shut. */
static void put_remedies(struct buf *out, const struct resp_node *explanation) {
    const struct resp_node *gates = reply_get(explanation, "gates");
    const struct resp_node *gate = resp_first(gates);
    struct slice queue = reply_text(explanation, "queue");
    for (uint32_t i = 0; i < gates->children_count; i++, gate = resp_next(gate)) {
        const struct resp_node *open = reply_get(gate, "open");
        if (open == NULL || open->integer != 0) continue;
        HOB_AUTO_BUF struct buf remedy = buf_make(2048);
        put_remedy(&remedy, gate, queue, reply_text(explanation, "id"));
        if (remedy.size == 0) continue;
        (void)buf_printf(
            out, "%.*s:  %.*s\n", SLICE_ARG(reply_text(gate, "gate")), SLICE_ARG(buf_slice(&remedy))
        );
    }
}

/* For a person who reads with a pipe behind: what is no row goes to stderr. */
static void tell(struct cli *cli, const struct resp_node *explanation) {
    HOB_AUTO_BUF struct buf told = buf_make(OUT_BYTES_MAX);
    put_whole(cli, &told, explanation);
    put_remedies(&told, explanation);
    (void)fflush(stdout);
    (void)fwrite(told.bytes, 1, told.size, stderr);
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
    cli->term.columns = WIDE; /* what a gate says is wrapped rather than cut */
    if (has_gates && !cli_put_rows(cli, &out, gates, gate_columns, hob_countof(gate_columns))) {
        return cli->exit_code;
    }
    if (is_table) put_remedies(&out, explanation);
    uint64_t start_ms = reply_u64(explanation, "start_at", 0);
    if (is_table && start_ms != 0) {
        (void)buf_put_str(&out, "It is expected to start ");
        cli_put_when(&out, start_ms * NS_PER_MS, clock_wall());
        (void)buf_put_str(&out, ".\n");
    }
    bool flushed = cli_flush(&out);
    if (cli->form == FORM_TABS && !cli->quiet) tell(cli, explanation);
    return flushed ? 0 : status_exit_code(HOB_FAILED);
}
