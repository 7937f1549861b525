/* SPDX-License-Identifier: Apache-2.0 */
/* `hob get`, `hob wait`, and waiting for a result. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/print.h"

enum { OUT_BYTES_MAX = 64 * 1024 * 1024, TAIL_LINES = 5 };

/* A wait is asked in pieces, so that neither side holds a request for hours. */
#define WAIT_PIECE_NS (30 * NS_PER_SECOND)

static void put_error(struct buf *out, const struct resp_node *error) {
    struct slice cause = reply_text(error, "cause");
    (void)buf_printf(
        out, "  attempt %.*s: %.*s", SLICE_ARG(reply_text(error, "attempt")), SLICE_ARG(cause)
    );
    uint64_t code = reply_u64(error, "code", 0);
    if (code != 0) (void)buf_printf(out, " %llu", (unsigned long long)code);
    const struct resp_node *at = reply_get(error, "at");
    (void)buf_put_str(out, " at ");
    if (at != NULL) cli_put_field(out, SLICE("at"), at);
    struct slice what = reply_text(error, "what");
    if (what.size > 0) (void)buf_printf(out, ": %.*s", SLICE_ARG(what));
    struct slice text = reply_text(error, "text");
    if (text.size > 0) (void)buf_printf(out, ": %.*s", SLICE_ARG(text));
    (void)buf_put_char(out, '\n');
}

static void put_job(struct buf *out, const struct resp_node *job) {
    const struct resp_node *key = resp_first(job);
    for (uint32_t i = 0; i < job->children_count / 2; i++) {
        const struct resp_node *value = resp_next(key);
        (void)buf_printf(out, "%-14.*s ", SLICE_ARG(key->text));
        if (slice_equal(key->text, SLICE("errors"))) {
            (void)buf_put_char(out, '\n');
            const struct resp_node *error = resp_first(value);
            for (uint32_t k = 0; k < value->children_count; k++, error = resp_next(error)) {
                put_error(out, error);
            }
        } else {
            cli_put_field(out, key->text, value);
            (void)buf_put_char(out, '\n');
        }
        key = resp_next(value);
    }
}

/* Only some bytes of the job. */
static int get_bytes(struct cli *cli, struct slice id, const char *word, const char *what) {
    const struct slice words[] = {slice_str(word), id};
    const struct resp_node *reply = cli_call(cli, words, 2, 0);
    if (reply == NULL) return cli->exit_code;
    if (!reply_is_set(reply)) {
        return cli_fail(HOB_NOT_FOUND, "job %.*s has no %s", SLICE_ARG(id), what);
    }
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    (void)buf_put_slice(&out, reply->text);
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}

static int print_job(struct cli *cli, const struct resp_node *job) {
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    if (cli->json) {
        struct json_put put = json_put_to(&out);
        cli_put_json(&put, job);
        (void)buf_put_char(&out, '\n');
    } else {
        put_job(&out, job);
    }
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}

int cmd_get(struct cli *cli) {
    struct slice id;
    if (!cli_id(cli, 0, &id)) return cli->exit_code;
    if (cli_value(cli, "result") != NULL) return get_bytes(cli, id, "RESULT", "result");
    if (cli_value(cli, "payload") != NULL) return get_bytes(cli, id, "PAYLOAD", "payload");
    const struct slice words[] = {SLICE("GET"), id};
    const struct resp_node *reply = cli_call(cli, words, 2, 0);
    if (reply == NULL) return cli->exit_code;
    if (!reply_is_set(reply)) return cli_no_job(id);
    return print_job(cli, reply);
}

/* The job when it is final; NULL: told, or (exit 6) not within the time. */
static const struct resp_node *wait_final(struct cli *cli, struct slice id, hob_ns wait_ns) {
    for (;;) {
        hob_ns piece_ns = wait_ns < WAIT_PIECE_NS ? wait_ns : WAIT_PIECE_NS;
        char ms[24];
        (void)snprintf(ms, sizeof ms, "%llu", (unsigned long long)(piece_ns / NS_PER_MS));
        const struct slice words[] = {SLICE("GET"), id, SLICE("WAIT"), slice_str(ms)};
        const struct resp_node *job = cli_call(cli, words, 4, piece_ns + 30 * NS_PER_SECOND);
        if (job == NULL) return NULL;
        if (!reply_is_set(job)) {
            cli->exit_code = cli_no_job(id);
            return NULL;
        }
        struct slice state = reply_text(job, "state");
        if (slice_equal(state, SLICE("completed")) || slice_equal(state, SLICE("discarded")) ||
            slice_equal(state, SLICE("cancelled"))) {
            return job;
        }
        if (wait_ns != HOB_NEVER) wait_ns -= piece_ns;
        if (wait_ns == 0) {
            cli->exit_code =
                cli_fail(HOB_TIMED_OUT, "job %.*s is still %.*s", SLICE_ARG(id), SLICE_ARG(state));
            return NULL;
        }
    }
}

/* The last lines of a job's log, for who waited for a result that does not come. */
static void tell_tail(struct cli *cli, struct slice id) {
    const struct slice words[] = {SLICE("LOGS"), id};
    const struct resp_node *lines = cli_call(cli, words, 2, 0);
    if (lines == NULL || lines->children_count == 0) return;
    const struct resp_node *line = resp_first(lines);
    for (uint32_t i = 0; i < lines->children_count; i++, line = resp_next(line)) {
        if (i + TAIL_LINES < lines->children_count) continue;
        const struct resp_node *text = reply_item(line, 4);
        if (text != NULL) (void)fprintf(stderr, "  | %.*s\n", SLICE_ARG(text->text));
    }
}

/* "job 7 is discarded: exit 65: no such customer", and where to look further. */
static int tell_failure(struct cli *cli, struct slice id, const struct resp_node *job) {
    HOB_AUTO_BUF struct buf text = buf_make(OUT_BYTES_MAX);
    (void)buf_put_slice(&text, reply_text(job, "state"));
    struct slice why = reply_text(job, "why");
    if (why.size > 0) (void)buf_printf(&text, ": %.*s", SLICE_ARG(why));
    const struct resp_node *errors = reply_get(job, "errors");
    if (errors != NULL && errors->children_count > 0) {
        const struct resp_node *last = reply_item(errors, errors->children_count - 1);
        (void)buf_printf(&text, ": %.*s", SLICE_ARG(reply_text(last, "cause")));
        uint64_t code = reply_u64(last, "code", 0);
        if (code != 0) (void)buf_printf(&text, " %llu", (unsigned long long)code);
        (void)buf_printf(&text, ": %.*s", SLICE_ARG(reply_text(last, "text")));
    }
    int code = cli_fail(HOB_FAILED, "job %.*s is %.*s", SLICE_ARG(id), SLICE_ARG(buf_slice(&text)));
    tell_tail(cli, id);
    (void)fprintf(stderr, "All of it: hob logs %.*s\n", SLICE_ARG(id));
    return code;
}

int cli_wait_result(struct cli *cli, struct slice id, hob_ns wait_ns, bool print_result) {
    const struct resp_node *job = wait_final(cli, id, wait_ns);
    if (job == NULL) return cli->exit_code;
    if (!slice_equal(reply_text(job, "state"), SLICE("completed"))) {
        return tell_failure(cli, id, job);
    }
    if (cli->json) return print_job(cli, job);
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    if (print_result) {
        (void)buf_put_slice(&out, reply_text(job, "result"));
    } else {
        (void)buf_put_slice(&out, reply_text(job, "state"));
        (void)buf_put_char(&out, '\n');
    }
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}

int cmd_wait(struct cli *cli) {
    struct slice id;
    hob_ns wait_ns = HOB_NEVER;
    if (!cli_id(cli, 0, &id) || !cli_span(cli, "timeout", &wait_ns)) return cli->exit_code;
    return cli_wait_result(cli, id, wait_ns, false);
}
