/* SPDX-License-Identifier: Apache-2.0 */
/* `hob stats`: what matters first, on a terminal; every figure elsewhere. */
#include <string.h>

#include "base/text.h"
#include "cli/print.h"

enum { OUT_BYTES_MAX = 1024 * 1024, LABEL_COLUMN = 10 };

static void put_fields(struct buf *out, const struct resp_node *stats) {
    const struct resp_node *key = resp_first(stats);
    for (uint32_t i = 0; i < stats->children_count / 2; i++) {
        const struct resp_node *value = resp_next(key);
        if (value->type != RESP_ARRAY) { /* what it holds is told by the warning, and by JSON */
            (void)buf_printf(out, "%.*s\t", SLICE_ARG(key->text));
            cli_put_field(out, key->text, value);
            (void)buf_put_char(out, '\n');
        }
        key = resp_next(value);
    }
}

static void put_label(struct buf *out, const struct term *term, const char *label) {
    HOB_AUTO_BUF struct buf padded = buf_make(100);
    term_put_padded(&padded, slice_str(label), LABEL_COLUMN, false);
    term_put_styled(out, term, STYLE_BOLD, buf_slice(&padded));
}

/* "1,234 available", in the colour of the state when there are any. */
static void put_state(
    struct buf *out, const struct term *term, const struct resp_node *stats, const char *state
) {
    uint64_t count = reply_u64(stats, state, 0);
    HOB_AUTO_BUF struct buf text = buf_make(100);
    cli_put_count(&text, count);
    (void)buf_printf(&text, " %s", state);
    enum term_style style = count > 0 ? cli_state_style(slice_str(state)) : STYLE_DIM;
    term_put_styled(out, term, style, buf_slice(&text));
}

static void put_jobs(struct buf *out, const struct term *term, const struct resp_node *stats) {
    static const char *const lines[][5] = {
        {"available", "scheduled", "retryable", "blocked", NULL},
        {"running", NULL},
        {"completed", "discarded", "cancelled", NULL},
    };
    static const char *const labels[] = {"Waiting", "Running", "Over"};
    for (size_t line = 0; line < hob_countof(lines); line++) {
        put_label(out, term, labels[line]);
        for (size_t i = 0; lines[line][i] != NULL; i++) {
            if (i > 0) (void)buf_put_str(out, ", ");
            put_state(out, term, stats, lines[line][i]);
        }
        (void)buf_put_char(out, '\n');
    }
}

static void put_counted(struct buf *out, const struct resp_node *stats, const char *key) {
    uint64_t count = reply_u64(stats, key, 0);
    cli_put_count(out, count);
    (void)buf_printf(out, " %.*s", (int)strlen(key) - (count == 1), key);
}

static void put_memory(struct buf *out, const struct term *term, const struct resp_node *stats) {
    uint64_t used = reply_u64(stats, "memory_bytes", 0);
    uint64_t max = reply_u64(stats, "memory_max_bytes", 0);
    put_label(out, term, "Memory");
    cli_put_bytes(out, used);
    (void)buf_put_str(out, " of ");
    cli_put_bytes(out, max);
    if (max > 0 && used / 4 >= max / 5) {
        (void)buf_put_str(out, "; ");
        term_put_styled(out, term, STYLE_BAD, SLICE("nearly used up: pushes are refused"));
    }
    (void)buf_put_char(out, '\n');
    put_label(out, term, "Disk");
    cli_put_bytes(out, reply_u64(stats, "stored_bytes", 0));
    (void)buf_put_str(out, ", of which alive ");
    cli_put_bytes(out, reply_u64(stats, "live_bytes", 0) + reply_u64(stats, "body_bytes", 0));
    const struct resp_node *full = reply_get(stats, "disk_full");
    if (full != NULL && full->integer != 0) {
        (void)buf_put_str(out, "; ");
        term_put_styled(out, term, STYLE_BAD, SLICE("full: pushes are refused"));
    }
    (void)buf_put_char(out, '\n');
}

/* Only when there is something to say. */
static void put_clock(struct buf *out, const struct term *term, const struct resp_node *stats) {
    enum { AHEAD_MS = 5000 };
    uint64_t ahead_ms = reply_u64(stats, "clock_ahead_ms", 0);
    uint64_t jumps = reply_u64(stats, "clock_jumps", 0);
    if (ahead_ms < AHEAD_MS && jumps == 0) return;
    put_label(out, term, "Clock");
    if (jumps > 0) {
        (void)buf_printf(out, "jumped %llu times, by ", (unsigned long long)jumps);
        cli_put_span(out, reply_u64(stats, "clock_jumped_ms", 0) * NS_PER_MS);
        if (ahead_ms >= AHEAD_MS) (void)buf_put_str(out, "; ");
    }
    if (ahead_ms >= AHEAD_MS) {
        term_put_styled(out, term, STYLE_BAD, SLICE("the machine's clock stands behind by "));
        cli_put_span(out, ahead_ms * NS_PER_MS);
    }
    (void)buf_put_char(out, '\n');
}

static void put_summary(struct cli *cli, struct buf *out, const struct resp_node *stats) {
    const struct term *term = &cli->term;
    put_label(out, term, "Server");
    (void)buf_printf(
        out, "hob %.*s at %s, up ", SLICE_ARG(reply_text(stats, "version")), cli_server(cli)
    );
    cli_put_span(out, reply_u64(stats, "uptime_ms", 0) * NS_PER_MS);
    (void)buf_put_char(out, '\n');
    put_clock(out, term, stats);
    put_jobs(out, term, stats);
    put_label(out, term, "With");
    static const char *const counted[] = {"queues", "kinds", "workers", "connections"};
    for (size_t i = 0; i < hob_countof(counted); i++) {
        if (i > 0) (void)buf_put_str(out, ", ");
        put_counted(out, stats, counted[i]);
    }
    (void)buf_put_char(out, '\n');
    put_memory(out, term, stats);
}

int cmd_stats(struct cli *cli) {
    static const char *const of_jobs[] = {"queue", "kind", "all", "series", "since"};
    for (size_t i = 0; i < hob_countof(of_jobs); i++) {
        if (cli_has(cli, of_jobs[i])) return cli_statistics(cli);
    }
    const struct slice words[] = {SLICE("STATS")};
    const struct resp_node *stats = cli_call(cli, words, 1, 0);
    if (stats == NULL) return cli->exit_code;
    if (cli->json) return cli_print_json(stats);
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    if (cli->form == FORM_TABLE) {
        put_summary(cli, &out, stats);
    } else {
        put_fields(&out, stats);
    }
    if (!cli_flush(&out)) return status_exit_code(HOB_FAILED);
    cli_warn_unserved(reply_get(stats, "unserved"), NULL, NULL);
    return 0;
}
