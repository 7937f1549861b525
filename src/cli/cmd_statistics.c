/* SPDX-License-Identifier: Apache-2.0 */
/* `hob stats --queue`, `--kind`, `--all`: what happened to jobs, as a page on a terminal, as fields
 * elsewhere; with --series as rows, one a minute. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/print.h"

enum { OUT_BYTES_MAX = 16 * 1024 * 1024, LABEL_COLUMN = 10 };

static const struct cli_column minute_columns[] = {
    {"at", "MINUTE", COLUMN_WORD},
    {"pushed", "PUSHED", COLUMN_NUMBER},
    {"started", "STARTED", COLUMN_NUMBER},
    {"completed", "COMPLETED", COLUMN_NUMBER},
    {"failed", "FAILED", COLUMN_NUMBER},
    {"retried", "RETRIED", COLUMN_COUNT},
    {"discarded", "DISCARDED", COLUMN_COUNT},
    {"cancelled", "CANCELLED", COLUMN_COUNT},
    {"wait_mean_us", "WAIT µs", COLUMN_NUMBER},
    {"run_mean_us", "RUN µs", COLUMN_NUMBER},
};

static void put_label(struct buf *out, const struct term *term, const char *label) {
    HOB_AUTO_BUF struct buf padded = buf_make(100);
    term_put_padded(&padded, slice_str(label), LABEL_COLUMN, false);
    term_put_styled(out, term, STYLE_BOLD, buf_slice(&padded));
}

/* "1,234 pushed, 1,200 completed" */
static void put_counts(
    struct buf *out, const struct resp_node *stats, const char *const *keys, const char *suffix
) {
    for (size_t i = 0; keys[i] != NULL; i++) {
        char key[64];
        (void)snprintf(key, sizeof key, "%s%s", keys[i], suffix);
        if (i > 0) (void)buf_put_str(out, ", ");
        cli_put_count(out, reply_u64(stats, key, 0));
        (void)buf_printf(out, " %s", keys[i]);
    }
    (void)buf_put_char(out, '\n');
}

/* "3.2 ms"; whole units from ten of them on. */
static void put_us(struct buf *out, uint64_t us) {
    static const struct {
        const char *unit;
        uint64_t us;
    } units[] = {{"h", 3600000000}, {"min", 60000000}, {"s", 1000000}, {"ms", 1000}, {"µs", 1}};
    size_t at = 0;
    while (at + 1 < hob_countof(units) && us < units[at].us) at++;
    uint64_t tenths = us * 10 / units[at].us;
    (void)buf_put_u64(out, tenths / 10);
    if (tenths < 100 && tenths % 10 != 0) {
        (void)buf_printf(out, ".%u", (unsigned)(tenths % 10));
    }
    (void)buf_printf(out, " %s", units[at].unit);
}

/* "p50 3.2 ms, p90 …, max …"; @what is wait or run. */
static void put_times(
    struct buf *out, const struct term *term, const struct resp_node *stats, const char *what
) {
    static const char *const parts[][2] = {
        {"p50", "p50"}, {"p90", "p90"}, {"p99", "p99"}, {"p999", "p99.9"}, {"max", "max"}};
    char key[64];
    (void)snprintf(key, sizeof key, "%s_count", what);
    if (reply_u64(stats, key, 0) == 0) return;
    put_label(out, term, strcmp(what, "wait") == 0 ? "Waits" : "Runs");
    for (size_t i = 0; i < hob_countof(parts); i++) {
        (void)snprintf(key, sizeof key, "%s_%s_us", what, parts[i][0]);
        (void)buf_printf(out, "%s%s ", i == 0 ? "" : ", ", parts[i][1]);
        put_us(out, reply_u64(stats, key, 0));
    }
    (void)buf_put_char(out, '\n');
}

/* "12 failed: 10 exit, 2 timeout" */
static void put_failures(struct buf *out, const struct term *term, const struct resp_node *stats) {
    static const char mark[] = "failed_";
    const struct resp_node *key = resp_first(stats);
    bool is_first = true;
    for (uint32_t i = 0; i < stats->children_count / 2; i++) {
        const struct resp_node *value = resp_next(key);
        size_t skip = sizeof mark - 1;
        bool is_cause = key->text.size > skip && memcmp(key->text.bytes, mark, skip) == 0;
        struct slice cause =
            is_cause ? slice_of(key->text.bytes + skip, key->text.size - skip) : SLICE_NONE;
        bool is_rate = slice_equal(cause, SLICE("minute")) || slice_equal(cause, SLICE("hour"));
        uint64_t count = 0;
        if (is_cause && !is_rate && resp_node_u64(value, &count) && count > 0) {
            if (is_first) put_label(out, term, "Failures");
            if (!is_first) (void)buf_put_str(out, ", ");
            is_first = false;
            cli_put_count(out, count);
            (void)buf_printf(out, " %.*s", SLICE_ARG(cause));
        }
        key = resp_next(value);
    }
    if (!is_first) (void)buf_put_char(out, '\n');
}

static void put_page(struct cli *cli, struct buf *out, const struct resp_node *stats) {
    static const char *const now[] = {"available", "running", NULL};
    static const char *const jobs[] = {"pushed", "completed", "discarded", "cancelled", NULL};
    static const char *const attempts[] = {"started", "failed", "retried", NULL};
    static const char *const rates[] = {"pushed", "completed", "failed", NULL};
    const struct term *term = &cli->term;
    if (reply_get(stats, "available") != NULL) {
        put_label(out, term, "Now");
        put_counts(out, stats, now, "");
    }
    if (reply_get(stats, "oldest_age_ms") != NULL) {
        put_label(out, term, "Oldest");
        cli_put_span(out, reply_u64(stats, "oldest_age_ms", 0) * NS_PER_MS);
        (void)buf_put_char(out, '\n');
    }
    put_label(out, term, "Since");
    (void)text_put_time(out, reply_u64(stats, "since_at", 0) * NS_PER_MS);
    (void)buf_put_char(out, '\n');
    put_label(out, term, "Jobs");
    put_counts(out, stats, jobs, "");
    put_label(out, term, "Attempts");
    put_counts(out, stats, attempts, "");
    put_failures(out, term, stats);
    put_label(out, term, "Minute");
    put_counts(out, stats, rates, "_minute");
    put_label(out, term, "Hour");
    put_counts(out, stats, rates, "_hour");
    put_times(out, term, stats, "wait");
    put_times(out, term, stats, "run");
}

static void put_fields(struct buf *out, const struct resp_node *stats) {
    const struct resp_node *key = resp_first(stats);
    for (uint32_t i = 0; i < stats->children_count / 2; i++) {
        const struct resp_node *value = resp_next(key);
        (void)buf_printf(out, "%.*s\t", SLICE_ARG(key->text));
        cli_put_field(out, key->text, value);
        (void)buf_put_char(out, '\n');
        key = resp_next(value);
    }
}

int cli_statistics(struct cli *cli) {
    struct cli_request request = {0};
    if (cli_has(cli, "queue") + cli_has(cli, "kind") + cli_has(cli, "all") != 1) {
        return cli_usage(cli, "one of --queue, --kind and --all is wanted");
    }
    if (!cli_has(cli, "series") && (cli->quiet || cli_has(cli, "columns"))) {
        return cli_usage(cli, "--quiet and --columns go with --series");
    }
    cli_word(&request, "STATS");
    if (cli_has(cli, "all")) cli_word(&request, "ALL");
    if (cli_has(cli, "series")) cli_word(&request, "SERIES");
    cli_request_options(&request, cli);
    const struct resp_node *stats = cli_ask(cli, &request, 0);
    if (stats == NULL) return cli->exit_code;
    if (cli->json) return cli_print_json(stats);
    if (cli_has(cli, "series")) {
        const struct resp_node *series = reply_get(stats, "series");
        hob_assert(series != NULL);
        return cli_print_rows(cli, series, minute_columns, hob_countof(minute_columns));
    }
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    if (cli->form == FORM_TABLE) {
        put_page(cli, &out, stats);
    } else {
        put_fields(&out, stats);
    }
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}
