/* SPDX-License-Identifier: Apache-2.0 */
/* `hob logs`: all that a job said, attempt by attempt, each ended by how it ended. */
#include <string.h>

#include "base/text.h"
#include "cli/print.h"

enum { OUT_BYTES_MAX = 128 * 1024 * 1024 };

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

/* A line of the protocol: unix-ms attempt stream level text. */
static void put_line(struct buf *out, const struct resp_node *line) {
    (void)text_put_time(out, item_u64(line, 0) * NS_PER_MS);
    (void)buf_printf(out, " %-3.*s ", SLICE_ARG(item_text(line, 2)));
    (void)buf_put_slice(out, item_text(line, 4));
    (void)buf_put_char(out, '\n');
}

static void put_lines_json(struct buf *out, const struct resp_node *lines) {
    static const char *const keys[] = {"at", "attempt", "stream", "level", "text"};
    const struct resp_node *line = resp_first(lines);
    for (uint32_t i = 0; i < lines->children_count; i++, line = resp_next(line)) {
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
    struct slice text = reply_text(error, "text");
    if (text.size > 0) (void)buf_printf(out, ": %.*s", SLICE_ARG(text));
    (void)buf_put_char(out, '\n');
}

/* All errors of attempts up to @attempt that were not told yet; *at moves. */
static void
put_ends(struct buf *out, const struct resp_node *errors, uint32_t *at, uint64_t attempt) {
    while (errors != NULL && *at < errors->children_count) {
        const struct resp_node *error = reply_item(errors, *at);
        if (reply_u64(error, "attempt", 0) > attempt) return;
        put_end(out, error);
        ++*at;
    }
}

static void put_state(struct buf *out, const struct resp_node *job) {
    (void)buf_printf(out, "-- %.*s since ", SLICE_ARG(reply_text(job, "state")));
    const struct resp_node *at = reply_get(job, "state_at");
    if (at != NULL) cli_put_field(out, SLICE("state_at"), at);
    struct slice why = reply_text(job, "why");
    if (why.size > 0) (void)buf_printf(out, ": %.*s", SLICE_ARG(why));
    (void)buf_put_char(out, '\n');
}

static void put_log(struct buf *out, const struct resp_node *lines, const struct resp_node *job) {
    const struct resp_node *errors = job == NULL ? NULL : reply_get(job, "errors");
    uint32_t told = 0;
    uint64_t attempt = 0;
    const struct resp_node *line = resp_first(lines);
    for (uint32_t i = 0; i < lines->children_count; i++, line = resp_next(line)) {
        uint64_t of = item_u64(line, 1);
        if (of != attempt) {
            if (of > 0) put_ends(out, errors, &told, of - 1);
            (void)buf_printf(out, "-- attempt %llu\n", (unsigned long long)of);
            attempt = of;
        }
        put_line(out, line);
    }
    put_ends(out, errors, &told, UINT64_MAX);
    if (job != NULL) put_state(out, job);
}

int cmd_logs(struct cli *cli) {
    struct slice id;
    if (!cli_id(cli, 0, &id)) return cli->exit_code;
    const struct slice get[] = {SLICE("GET"), id};
    const struct resp_node *job = cli_call(cli, get, 2, 0);
    if (job == NULL) return cli->exit_code;
    if (!reply_is_set(job)) {
        return cli_no_job(id);
    }
    /* The job stays borrowed from this session, the lines come by another. */
    struct session *own = cli->session;
    cli->session = NULL;
    struct cli_request request = {0};
    cli_word(&request, "LOGS");
    cli_word_slice(&request, id);
    cli_request_options(&request, cli);
    const struct resp_node *lines = cli_ask(cli, &request, 0);
    int code = cli->exit_code;
    if (lines != NULL) {
        HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
        if (cli->json) {
            put_lines_json(&out, lines);
        } else {
            put_log(&out, lines, cli_value(cli, "attempt") == NULL ? job : NULL);
        }
        code = cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
    }
    session_close(own);
    return code;
}
