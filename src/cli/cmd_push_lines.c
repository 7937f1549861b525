/* SPDX-License-Identifier: Apache-2.0 */
/* `hob push -`: one JSON object a line, with the fields of POST /v1/jobs. `hob import`: the same
 * with the lines of `hob export`, which are jobs as GET /v1/jobs/ID has them. Requests are
 * pipelined, a bounded number in flight, or go by the courier (--retry, --spool); ids come out in
 * the order of the lines. A line that is no
 * job, or that the server refuses, is told with its number and changes nothing for the others. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"
#include "cli/interrupt.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/push_batch.h"
#include "cli/push_line.h"

enum {
    LINES_OPEN_MAX = 512,
    LINES_UNSENT_BYTES_MAX = 8 * 1024 * 1024,
    LINE_BYTES_MAX = 12 * 1024 * 1024,
    READ_BYTES = 65536,
    SPREAD_BYTES_MAX = 1024 * 1024 * 1024,
    IMPORT_KEY_BYTES = 100,
};

struct lines {
    struct cli *cli;
    struct push_batch *batch; /* --retry, --spool; NULL: pipelined over the session */
    struct buf out;
    hob_ns spread_ns; /* over so long their times are spread; then all lines are read first */
    uint64_t count;   /* with spread_ns: of the jobs */
    uint64_t at;      /* the place of the next one */
    uint64_t number;  /* of the line that was read last */
    uint64_t pushed;
    uint64_t known; /* of them: jobs that were there already */
    uint64_t failed;
    uint64_t left_out;
    uint64_t spooled;
    bool imports;
    bool with_final; /* import: jobs that are over too */
    struct progress progress;
    uint64_t answered[LINES_OPEN_MAX + 1]; /* line numbers of open requests, a ring */
    size_t first;
    size_t open;
};

static void line_fail(struct lines *lines, uint64_t number, const char *why, struct slice detail) {
    lines->failed++;
    progress_clear(&lines->progress);
    (void)fprintf(stderr, "hob: line %" PRIu64 ": %s%.*s\n", number, why, SLICE_ARG(detail));
}

static void line_answered(struct lines *lines, uint64_t number, const struct resp_node *node) {
    if (node->type == RESP_FAILURE) {
        line_fail(lines, number, "", node->text);
        return;
    }
    lines->pushed++;
    const struct resp_node *duplicate = reply_get(node, "duplicate");
    if (duplicate != NULL && duplicate->integer != 0) lines->known++;
    if (lines->cli->json) {
        struct json_put put = json_put_to(&lines->out);
        cli_put_json(&put, node);
    } else {
        (void)buf_put_slice(&lines->out, reply_text(node, "id"));
    }
    (void)buf_put_char(&lines->out, '\n');
    if (lines->out.size > 65536) (void)cli_flush(&lines->out);
}

static void on_reply(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct lines *lines = context;
    uint64_t number = lines->answered[lines->first];
    lines->first = (lines->first + 1) % hob_countof(lines->answered);
    lines->open--;
    if (node == NULL) {
        line_fail(
            lines, number, "the connection was lost: it may or may not have been pushed", SLICE("")
        );
    } else {
        line_answered(lines, number, node);
    }
}

static void on_pushed(void *context, uint64_t number, const struct resp_node *reply) {
    struct lines *lines = context;
    if (reply == NULL) {
        lines->spooled++;
    } else {
        line_answered(lines, number, reply);
    }
}

/* Over the session, pipelined. */
static bool request_send(struct lines *lines, const struct cli_request *request) {
    struct hob_error err = {0};
    struct session *session = lines->cli->session;
    enum hob_status status =
        session_drain(session, LINES_OPEN_MAX - 1, LINES_UNSENT_BYTES_MAX, &err);
    if (status != HOB_OK) {
        lines->cli->exit_code = cli_fail(status, "%s", err.text);
        return false;
    }
    size_t at = (lines->first + lines->open) % hob_countof(lines->answered);
    lines->answered[at] = lines->number;
    lines->open++;
    session_send(session, request->words, request->count, on_reply, lines);
    return true;
}

static bool is_over(struct slice state) {
    return slice_equal(state, SLICE("completed")) || slice_equal(state, SLICE("discarded")) ||
           slice_equal(state, SLICE("cancelled"));
}

static bool line_push(struct lines *lines, struct slice line, struct buf *scratch) {
    /* Decoding never makes a text longer, so with this much room the buffer stays where it is. */
    buf_reset(scratch);
    if (buf_reserve(scratch, 2 * line.size + IMPORT_KEY_BYTES) == NULL) {
        line_fail(lines, lines->number, "too long", SLICE(""));
        return true;
    }
    struct push_line parsed = {
        .payload = SLICE("null"), .scratch = scratch, .imports = lines->imports};
    char delay[24];
    bool good = push_line_parse(line, &parsed);
    if (lines->spread_ns > 0) {
        good = good && push_line_spread(&parsed, lines->spread_ns, lines->at, lines->count, delay);
        lines->at++;
    }
    if (!good) {
        line_fail(lines, lines->number, parsed.fault, parsed.fault_detail);
        return true;
    }
    if (lines->imports && !lines->with_final && is_over(parsed.state)) {
        lines->left_out++;
        return true;
    }
    struct cli_request request = {0};
    cli_word(&request, "PUSH");
    cli_word_slice(&request, parsed.queue);
    cli_word_slice(&request, parsed.kind);
    cli_word_slice(&request, parsed.payload);
    for (size_t i = 0; i < parsed.options.count; i++) {
        cli_word_slice(&request, parsed.options.words[i]);
    }
    cli_word(&request, "VERBOSE");
    struct hob_error err = {0};
    if (lines->batch == NULL) return request_send(lines, &request);
    if (cli_names_are_valid(&request, &err)) {
        return push_batch_add(lines->batch, &request, lines->number);
    }
    line_fail(lines, lines->number, "", slice_str(err.text));
    return true;
}

/* Everything that was sent is answered, and what was answered is printed. */
static bool settle(struct lines *lines) {
    if (lines->batch != NULL) {
        bool done = push_batch_flush(lines->batch);
        return cli_flush(&lines->out) && fflush(stdout) == 0 && done;
    }
    struct hob_error err = {0};
    enum hob_status status = session_drain(lines->cli->session, 0, 0, &err);
    if (status != HOB_OK) lines->cli->exit_code = cli_fail(status, "%s", err.text);
    return cli_flush(&lines->out) && fflush(stdout) == 0 && status == HOB_OK;
}

/* More of stdin into @input: 1, 0 at the end, -1 told. Whoever feeds us slowly gets his ids before
 * we wait for more. */
static int read_more(struct lines *lines, struct buf *input) {
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&ready, 1, 0) == 0 && !settle(lines)) return -1;
    if (!interrupt_await_input(STDIN_FILENO)) return 0;
    char *room = buf_reserve(input, READ_BYTES);
    if (room == NULL) {
        lines->cli->exit_code =
            lines->spread_ns > 0
                ? cli_fail(HOB_FAILED, "with --spread: 1 GiB of lines at most")
                : cli_fail(HOB_FAILED, "line %" PRIu64 " is longer than 12 MiB", lines->number + 1);
        return -1;
    }
    ssize_t size = read(STDIN_FILENO, room, READ_BYTES);
    if (size < 0) {
        lines->cli->exit_code =
            cli_fail(HOB_FAILED, "cannot read stdin: %s", strerrordesc_np(errno));
        return -1;
    }
    input->size += (size_t)size;
    return size > 0 ? 1 : 0;
}

/* Push one line, given without its end. */
static bool take_line(struct lines *lines, struct slice line, struct buf *scratch) {
    lines->number++;
    if (line.size > 0 && line.bytes[line.size - 1] == '\r') line.size--;
    bool alive = push_line_is_blank(line) || line_push(lines, line, scratch);
    /* Ids that fly by on a terminal are progress enough. */
    if (!lines->cli->term.out) progress_tell(&lines->progress, lines->pushed);
    return alive;
}

/* Push all whole lines of @input; what follows the last one stays. */
static bool take_lines(struct lines *lines, struct buf *input, struct buf *scratch) {
    size_t at = 0;
    while (!interrupt_came()) {
        const char *start = input->bytes + at;
        const char *end = at == input->size ? NULL : memchr(start, '\n', input->size - at);
        if (end == NULL) break;
        if (!take_line(lines, slice_of(start, (size_t)(end - start)), scratch)) return false;
        at = (size_t)(end - input->bytes) + 1;
    }
    buf_consume(input, at);
    return true;
}

static bool push_all(struct lines *lines) {
    bool spread = lines->spread_ns > 0;
    HOB_AUTO_BUF struct buf input = buf_make(spread ? SPREAD_BYTES_MAX : LINE_BYTES_MAX);
    HOB_AUTO_BUF struct buf scratch = buf_make(2 * LINE_BYTES_MAX + IMPORT_KEY_BYTES);
    int more = 1;
    while (more > 0) {
        more = read_more(lines, &input);
        if (more < 0) return false;
        if (!spread && !take_lines(lines, &input, &scratch)) return false;
    }
    lines->count = spread ? push_line_count(buf_slice(&input)) : 0;
    if (spread && !take_lines(lines, &input, &scratch)) return false;
    return input.size == 0 || interrupt_came() || take_line(lines, buf_slice(&input), &scratch);
}

/* Where it ended, and how to go on; and how many failed. */
static void tell_end(struct lines *lines) {
    progress_clear(&lines->progress);
    if (lines->left_out > 0) {
        (void)fprintf(
            stderr, "hob: %" PRIu64 " jobs that were over are left out (--final)\n", lines->left_out
        );
    }
    if (lines->known > 0) {
        (void)fprintf(
            stderr,
            "hob: %" PRIu64 " of %" PRIu64 " were known already: nothing was pushed for them\n",
            lines->known,
            lines->pushed
        );
    }
    if (lines->spooled > 0) {
        (void)fprintf(
            stderr,
            "hob: %" PRIu64 " %s in %s: %s\n",
            lines->spooled,
            lines->spooled == 1 ? "push waits" : "pushes wait",
            cli_value(lines->cli, "spool"),
            push_batch_why(lines->batch)
        );
    }
    if (lines->failed == 0 && !interrupt_came()) return;
    const char *jobs = lines->pushed == 1 ? "job" : "jobs";
    const char *bad = lines->failed == 1 ? "line" : "lines";
    (void)fprintf(stderr, "%" PRIu64 " %s pushed", lines->pushed, jobs);
    if (lines->failed > 0) (void)fprintf(stderr, ", %" PRIu64 " %s failed", lines->failed, bad);
    if (interrupt_came()) {
        (void)fprintf(
            stderr,
            "; stopped after line %" PRIu64 ", to go on: tail -n +%" PRIu64 " FILE | hob %s",
            lines->number,
            lines->number + 1,
            lines->imports ? "import" : "push -"
        );
    }
    (void)fprintf(stderr, "\n");
}

static int push_lines(struct lines *lines) {
    struct cli *cli = lines->cli;
    interrupt_begin();
    bool alive = push_all(lines);
    if (alive) alive = settle(lines);
    bool written = cli_flush(&lines->out);
    tell_end(lines);
    if (!alive) return cli->exit_code != 0 ? cli->exit_code : status_exit_code(HOB_FAILED);
    if (interrupt_came()) return EXIT_INTERRUPTED;
    return lines->failed > 0 || !written ? status_exit_code(HOB_FAILED) : 0;
}

static int lines_run(struct cli *cli, bool imports) {
    if (cli->term.in) {
        return cli_usage(
            cli,
            "`%s` reads jobs from stdin, one JSON object a line; stdin is a terminal",
            imports ? "import" : "push -"
        );
    }
    bool certainly = !imports && push_batch_is_wanted(cli);
    if (!imports && cli_has(cli, "atomic")) {
        if (certainly) return cli_usage(cli, "--atomic goes with neither --retry nor --spool");
        return cli_push_atomic(cli);
    }
    hob_ns spread_ns = 0;
    if (!imports && !cli_span(cli, "spread", &spread_ns)) return cli->exit_code;
    if (!certainly && !cli_connect(cli)) return cli->exit_code;
    struct lines *lines = calloc(1, sizeof *lines);
    hob_assert(lines != NULL);
    lines->cli = cli;
    lines->imports = imports;
    lines->spread_ns = spread_ns;
    lines->with_final = imports && cli_has(cli, "final");
    lines->out = buf_make(1024 * 1024);
    lines->progress = progress_begin("jobs pushed", 0, cli->term.err && cli->term.smart);
    bool ready = !certainly || push_batch_open(cli, on_pushed, lines, &lines->batch);
    int code = ready ? push_lines(lines) : cli->exit_code;
    push_batch_close(lines->batch);
    buf_deinit(&lines->out);
    free(lines);
    return code;
}

int cli_push_lines(struct cli *cli) {
    return lines_run(cli, false);
}

int cmd_import(struct cli *cli) {
    return lines_run(cli, true);
}
