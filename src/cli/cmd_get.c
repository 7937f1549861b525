/* SPDX-License-Identifier: Apache-2.0 */
/* `hob get`, `hob wait`, and waiting for a result. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/bulk_ids.h"
#include "cli/print.h"
#include "os/clock.h"

enum { OUT_BYTES_MAX = 64 * 1024 * 1024, TAIL_LINES = 5 };

/* A wait is asked in pieces, so that neither side holds a request for hours. */
#define WAIT_PIECE_NS (30 * NS_PER_SECOND)

/* As it is; made harmless where a terminal would obey it. */
static void put_foreign(struct cli *cli, struct buf *out, struct slice text) {
    if (cli->term.out) {
        term_put_safe(out, text, false);
    } else {
        (void)buf_put_slice(out, text);
    }
}

static void put_error(struct cli *cli, struct buf *out, const struct resp_node *error) {
    struct slice cause = reply_text(error, "cause");
    (void)buf_printf(
        out, "  attempt %.*s: %.*s", SLICE_ARG(reply_text(error, "attempt")), SLICE_ARG(cause)
    );
    uint64_t code = reply_u64(error, "code", 0);
    if (code != 0) (void)buf_printf(out, " %llu", (unsigned long long)code);
    const struct resp_node *at = reply_get(error, "at");
    (void)buf_put_str(out, " at ");
    if (at != NULL) cli_put_field(out, SLICE("at"), at);
    static const char *const keys[] = {"what", "text"};
    for (size_t i = 0; i < hob_countof(keys); i++) {
        struct slice text = reply_text(error, keys[i]);
        if (text.size > 0) (void)buf_put_str(out, ": ");
        put_foreign(cli, out, text);
    }
    (void)buf_put_char(out, '\n');
}

/* A field of a job; for people also how long ago, and the state in its colour. */
static void
put_job_field(struct cli *cli, struct buf *out, struct slice key, const struct resp_node *value) {
    const struct term *term = &cli->term;
    HOB_AUTO_BUF struct buf text = buf_make(OUT_BYTES_MAX);
    cli_put_field(&text, key, value);
    if (!term->out) {
        (void)buf_put_slice(out, buf_slice(&text));
        return;
    }
    HOB_AUTO_BUF struct buf safe = buf_make(OUT_BYTES_MAX);
    term_put_safe(&safe, buf_slice(&text), false);
    bool is_state = slice_equal(key, SLICE("state"));
    enum term_style style = is_state ? cli_state_style(value->text) : STYLE_PLAIN;
    term_put_styled(out, term, style, buf_slice(&safe));
    if (value->type != RESP_INTEGER || !cli_key_is_time(key)) return;
    buf_reset(&text);
    (void)buf_put_str(&text, "  ");
    cli_put_when(&text, (hob_ns)value->integer * NS_PER_MS, clock_wall());
    term_put_styled(out, term, STYLE_DIM, buf_slice(&text));
}

static bool is_list_of_words(const struct resp_node *value) {
    /* Without aggregates inside, a tree is its node and its children. */
    return value->type == RESP_ARRAY && value->tree_count == value->children_count + 1;
}

static void put_job(struct cli *cli, struct buf *out, const struct resp_node *job) {
    const struct resp_node *key = resp_first(job);
    for (uint32_t i = 0; i < job->children_count / 2; i++) {
        const struct resp_node *value = resp_next(key);
        (void)buf_printf(out, "%-14.*s ", SLICE_ARG(key->text));
        if (slice_equal(key->text, SLICE("errors")) && value->type == RESP_ARRAY) {
            (void)buf_put_char(out, '\n');
            const struct resp_node *error = resp_first(value);
            for (uint32_t k = 0; k < value->children_count; k++, error = resp_next(error)) {
                put_error(cli, out, error);
            }
        } else if (reply_is_aggregate(value) && !is_list_of_words(value)) {
            struct json_put put = json_put_to(out);
            cli_put_json(&put, value);
            (void)buf_put_char(out, '\n');
        } else {
            put_job_field(cli, out, key->text, value);
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
    if (cli->json) return cli_print_json(job);
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    put_job(cli, &out, job);
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

static bool is_over(struct slice state) {
    return slice_equal(state, SLICE("completed")) || slice_equal(state, SLICE("discarded")) ||
           slice_equal(state, SLICE("cancelled"));
}

/* The job when it is over; NULL: told, or (exit 6) it was not until then. */
static const struct resp_node *wait_over(struct cli *cli, struct slice id, hob_ns until) {
    for (;;) {
        hob_ns now = clock_monotonic();
        hob_ns left = until > now ? until - now : 0;
        hob_ns piece = left < WAIT_PIECE_NS ? left : WAIT_PIECE_NS;
        char ms[24];
        (void)snprintf(ms, sizeof ms, "%llu", (unsigned long long)(piece / NS_PER_MS));
        const struct slice words[] = {SLICE("GET"), id, SLICE("WAIT"), slice_str(ms)};
        const struct resp_node *job = cli_call(cli, words, 4, piece + 30 * NS_PER_SECOND);
        if (job == NULL) return NULL;
        if (!reply_is_set(job)) {
            cli->exit_code = cli_no_job(id);
            return NULL;
        }
        struct slice state = reply_text(job, "state");
        if (is_over(state)) return job;
        if (piece == left) {
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
        if (text == NULL) continue;
        HOB_AUTO_BUF struct buf safe = buf_make(OUT_BYTES_MAX);
        term_put_safe(&safe, text->text, true);
        (void)fprintf(stderr, "  | %.*s\n", SLICE_ARG(buf_slice(&safe)));
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

static bool is_completed(const struct resp_node *job) {
    return slice_equal(reply_text(job, "state"), SLICE("completed"));
}

int cli_wait_result(struct cli *cli, struct slice id, hob_ns wait_ns) {
    const struct resp_node *job = wait_over(cli, id, ns_add(clock_monotonic(), wait_ns));
    if (job == NULL) return cli->exit_code;
    if (!is_completed(job)) return tell_failure(cli, id, job);
    if (cli->json) return print_job(cli, job);
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    (void)buf_put_slice(&out, reply_text(job, "result"));
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}

/* Print how it ended; with its id when there are several. */
static int wait_one(struct cli *cli, struct slice id, hob_ns until, bool several) {
    const struct resp_node *job = wait_over(cli, id, until);
    if (job == NULL) return cli->exit_code;
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    bool completed = is_completed(job);
    if (cli->json) {
        if (print_job(cli, job) != 0) return status_exit_code(HOB_FAILED);
    } else if (several) {
        (void)buf_printf(&out, "%.*s\t%.*s\n", SLICE_ARG(id), SLICE_ARG(reply_text(job, "state")));
    } else if (completed) {
        (void)buf_put_str(&out, "completed\n");
    }
    if (!cli_flush(&out) || fflush(stdout) != 0) return status_exit_code(HOB_FAILED);
    return completed ? 0 : tell_failure(cli, id, job);
}

/* One after the other: all are over when the last one is. The first failure decides the exit code;
 * a broken connection or a time that is over ends the wait. */
int cmd_wait(struct cli *cli) {
    hob_ns wait_ns = HOB_NEVER;
    struct bulk_ids list = {0};
    if (!cli_span(cli, "timeout", &wait_ns)) return cli->exit_code;
    hob_ns until = ns_add(clock_monotonic(), wait_ns);
    int code = bulk_ids_of_words(cli, &list) ? 0 : cli->exit_code;
    for (size_t i = 0; i < list.count; i++) {
        char id[24];
        (void)snprintf(id, sizeof id, "%llu", (unsigned long long)list.ids[i]);
        int one = wait_one(cli, slice_str(id), until, list.count > 1);
        if (code == 0) code = one;
        if (cli->session == NULL || one == status_exit_code(HOB_UNREACHABLE) ||
            one == status_exit_code(HOB_TIMED_OUT)) {
            code = one;
            break;
        }
    }
    bulk_ids_deinit(&list);
    return code;
}
