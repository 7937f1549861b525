/* SPDX-License-Identifier: Apache-2.0 */
/* `hob logs`: all that a job said, attempt by attempt, each ended by how it ended; with --follow as
 * it comes, until the job is over. With --search: what all jobs said (cmd_search.c).
 *
 * Following asks for the lines behind the last one that was seen, and the server answers when there
 * are some: nobody polls. The job itself is asked for on a connection of its own, since each reply
 * is borrowed until the next. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/print.h"

enum { OUT_BYTES_MAX = 128 * 1024 * 1024 };

#define FOLLOW_WAIT     "30000"
#define FOLLOW_COUNT    "5000"
#define FOLLOW_LIMIT_NS (45 * NS_PER_SECOND)

struct reading {
    struct cli *cli;
    struct slice id;
    bool whole;            /* all attempts: tell how each ended */
    struct session *other; /* for the job */
    uint64_t attempt;      /* of the line before */
    uint32_t told;         /* errors */
    char after[24];        /* the sequence number of the line before */
};

static uint64_t item_u64(const struct resp_node *array, size_t at) {
    uint64_t value = 0;
    const struct resp_node *item = reply_item(array, at);
    if (item == NULL || !resp_node_u64(item, &value)) return 0;
    return value;
}

static struct slice item_text(const struct resp_node *array, size_t at) {
    const struct resp_node *item = reply_item(array, at);
    return item == NULL ? SLICE_NONE : item->text;
}

/* What a job says reaches a terminal without its power over it, and a file as it is. */
static void put_text(struct reading *reading, struct buf *out, const struct resp_node *line) {
    struct slice text = item_text(line, 4);
    struct slice level = item_text(line, 3);
    const struct term *term = &reading->cli->term;
    if (!term->out) {
        (void)buf_put_slice(out, text);
        return;
    }
    HOB_AUTO_BUF struct buf safe = buf_make(OUT_BYTES_MAX);
    term_put_safe(&safe, text, true);
    enum term_style style = STYLE_PLAIN;
    if (slice_equal(level, SLICE("error"))) style = STYLE_BAD;
    if (slice_equal(level, SLICE("warn"))) style = STYLE_WARN;
    if (slice_equal(level, SLICE("debug"))) style = STYLE_DIM;
    term_put_styled(out, term, style, buf_slice(&safe));
}

/* A line of the protocol: unix-ms attempt stream level text seq. */
static void put_line(struct reading *reading, struct buf *out, const struct resp_node *line) {
    (void)text_put_time(out, item_u64(line, 0) * NS_PER_MS);
    (void)buf_printf(out, " %-3.*s ", SLICE_ARG(item_text(line, 2)));
    put_text(reading, out, line);
    (void)buf_put_char(out, '\n');
}

static void put_line_json(struct buf *out, const struct resp_node *line) {
    static const char *const keys[] = {"at", "attempt", "stream", "level", "text", "seq"};
    struct json_put put = json_put_to(out);
    json_put_object(&put);
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        json_put_key(&put, keys[k]);
        if (k == 0) {
            HOB_AUTO_BUF struct buf time = buf_make(64);
            (void)text_put_time(&time, item_u64(line, 0) * NS_PER_MS);
            json_put_text(&put, buf_slice(&time));
        } else if (k == 1) {
            json_put_u64(&put, item_u64(line, 1));
        } else {
            json_put_text(&put, item_text(line, k));
        }
    }
    json_put_object_end(&put);
    (void)buf_put_char(out, '\n');
}

/* The last line of a text: the lines before it stand in the log above. */
static void put_last_line(struct buf *out, struct slice text) {
    while (text.size > 0 && text.bytes[text.size - 1] == '\n') text.size--;
    size_t from = text.size;
    while (from > 0 && text.bytes[from - 1] != '\n') from--;
    if (text.size == 0) return;
    (void)buf_put_str(out, ": ");
    term_put_safe(out, slice_of(text.bytes + from, text.size - from), true);
}

/* "-- attempt 2 failed: exit 3 at …: text" */
static void put_end(struct buf *out, const struct resp_node *error) {
    (void)buf_printf(
        out,
        "-- attempt %.*s failed: %.*s",
        SLICE_ARG(reply_text(error, "attempt")),
        SLICE_ARG(reply_text(error, "cause"))
    );
    uint64_t code = reply_u64(error, "code", 0);
    if (code != 0) (void)buf_printf(out, " %llu", (unsigned long long)code);
    const struct resp_node *at = reply_get(error, "at");
    (void)buf_put_str(out, " at ");
    if (at != NULL) cli_put_field(out, SLICE("at"), at);
    put_last_line(out, reply_text(error, "text"));
    (void)buf_put_char(out, '\n');
}

/* All errors of attempts up to @attempt that were not told yet. */
static void
put_ends(struct reading *reading, struct buf *out, const struct resp_node *job, uint64_t attempt) {
    const struct resp_node *errors = job == NULL ? NULL : reply_get(job, "errors");
    while (errors != NULL && reading->told < errors->children_count) {
        const struct resp_node *error = reply_item(errors, reading->told);
        if (reply_u64(error, "attempt", 0) > attempt) return;
        put_end(out, error);
        reading->told++;
    }
}

static void put_state(struct buf *out, const struct resp_node *job) {
    (void)buf_printf(out, "-- %.*s since ", SLICE_ARG(reply_text(job, "state")));
    const struct resp_node *at = reply_get(job, "state_at");
    if (at != NULL) cli_put_field(out, SLICE("state_at"), at);
    put_last_line(out, reply_text(job, "why"));
    (void)buf_put_char(out, '\n');
}

static void put_lines(
    struct reading *reading,
    struct buf *out,
    const struct resp_node *lines,
    const struct resp_node *job
) {
    const struct resp_node *line = resp_first(lines);
    for (uint32_t i = 0; i < lines->children_count; i++, line = resp_next(line)) {
        struct slice seq = item_text(line, 5);
        if (seq.size > 0 && seq.size < sizeof reading->after) {
            memcpy(reading->after, seq.bytes, seq.size);
            reading->after[seq.size] = '\0';
        }
        if (reading->cli->json) {
            put_line_json(out, line);
            continue;
        }
        uint64_t of = item_u64(line, 1);
        if (of != reading->attempt) {
            if (of > 0 && reading->whole) put_ends(reading, out, job, of - 1);
            (void)buf_printf(out, "-- attempt %llu\n", (unsigned long long)of);
            reading->attempt = of;
        }
        put_line(reading, out, line);
    }
}

/* The job as it is now; NULL: told. */
static const struct resp_node *ask_job(struct reading *reading) {
    struct cli *cli = reading->cli;
    const struct slice get[] = {SLICE("GET"), reading->id};
    struct session *lines = cli->session;
    cli->session = reading->other;
    const struct resp_node *job = cli_call(cli, get, 2, 0);
    reading->other = cli->session;
    cli->session = lines;
    if (job == NULL || reply_is_set(job)) return job;
    cli->exit_code = cli_no_job(reading->id);
    return NULL;
}

static const struct resp_node *ask_lines(struct reading *reading, bool wait) {
    struct cli_request request = {0};
    cli_word(&request, "LOGS");
    cli_word_slice(&request, reading->id);
    if (cli_has(reading->cli, "attempt")) {
        cli_word(&request, "ATTEMPT");
        cli_word(&request, cli_value(reading->cli, "attempt"));
    }
    if (reading->after[0] != '\0') {
        cli_word(&request, "AFTER");
        cli_word(&request, reading->after);
    }
    cli_word(&request, "COUNT");
    cli_word(&request, FOLLOW_COUNT);
    if (wait) {
        cli_word(&request, "WAIT");
        cli_word(&request, FOLLOW_WAIT);
    }
    return cli_ask(reading->cli, &request, FOLLOW_LIMIT_NS);
}

static bool is_over(const struct resp_node *job) {
    struct slice state = reply_text(job, "state");
    return slice_equal(state, SLICE("completed")) || slice_equal(state, SLICE("discarded")) ||
           slice_equal(state, SLICE("cancelled"));
}

/* Parts of the log until there is no more; an exit code. */
static int read_log(struct reading *reading, bool follow) {
    struct cli *cli = reading->cli;
    bool wait = false;
    for (;;) {
        /* Asked for before its lines: when it is over, they are all there. */
        const struct resp_node *job = ask_job(reading);
        if (job == NULL) return cli->exit_code;
        bool last = !follow || is_over(job);
        const struct resp_node *lines = ask_lines(reading, wait && !last);
        if (lines == NULL) return cli->exit_code;
        HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
        put_lines(reading, &out, lines, job);
        bool ends = last && lines->children_count == 0;
        if (ends && reading->whole && !cli->json) {
            put_ends(reading, &out, job, UINT64_MAX);
            put_state(&out, job);
        }
        if (!cli_flush(&out) || fflush(stdout) != 0) return status_exit_code(HOB_FAILED);
        if (ends) return 0;
        wait = lines->children_count == 0;
    }
}

int cmd_logs(struct cli *cli) {
    if (cli_has(cli, "search") || cli->arg_count == 0) return cli_search(cli);
    struct reading reading = {.cli = cli, .whole = !cli_has(cli, "attempt")};
    if (!cli_id(cli, 0, &reading.id)) return cli->exit_code;
    int code = read_log(&reading, cli_has(cli, "follow"));
    session_close(reading.other);
    return code;
}
