/* SPDX-License-Identifier: Apache-2.0 */
/* `hob push - --atomic`: all lines of stdin are one request, and pushed all or none. A line that is
 * no job is told with its number, and nothing is sent. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "cli/print.h"
#include "cli/push_line.h"

enum {
    INPUT_BYTES_MAX = 17 * 1024 * 1024, /* of a request */
    JOBS_MAX = 10000,
    NUMBER_BYTES = 24,
    WORDS_FIRST = 5,                            /* MPUSH ATOMIC SPREAD ms n */
    WORDS_EACH_MAX = CLI_REQUEST_WORDS_MAX + 5, /* queue kind payload optc … VERBOSE */
};

/* A request in the making. */
struct list {
    struct cli *cli;
    struct slice *words;
    size_t count;
    uint64_t jobs;
    char (*numbers)[NUMBER_BYTES]; /* optc of each */
};

static void put(struct list *list, struct slice word) {
    list->words[list->count++] = word;
}

static bool read_all(struct cli *cli, struct buf *input) {
    size_t size = 1;
    while (size > 0) {
        char *room = buf_reserve(input, 65536);
        if (room == NULL) {
            cli->exit_code = cli_fail(HOB_FAILED, "with --atomic: 16 MiB of lines at most");
            return false;
        }
        size = fread(room, 1, 65536, stdin);
        input->size += size;
    }
    if (ferror(stdin) == 0) return true;
    cli->exit_code = cli_fail(HOB_FAILED, "cannot read stdin: %s", strerrordesc_np(errno));
    return false;
}

static bool take_line(struct list *list, struct slice line, struct buf *scratch, uint64_t number) {
    struct push_line parsed = {.payload = SLICE("null"), .scratch = scratch};
    if (!push_line_parse(line, &parsed)) {
        list->cli->exit_code = cli_fail(
            HOB_USAGE,
            "nothing was pushed: line %" PRIu64 ": %s%.*s",
            number,
            parsed.fault,
            SLICE_ARG(parsed.fault_detail)
        );
        return false;
    }
    char *optc = list->numbers[list->jobs++];
    (void)snprintf(optc, NUMBER_BYTES, "%zu", parsed.options.count + 1);
    put(list, parsed.queue);
    put(list, parsed.kind);
    put(list, parsed.payload);
    put(list, slice_str(optc));
    for (size_t i = 0; i < parsed.options.count; i++) put(list, parsed.options.words[i]);
    put(list, SLICE("VERBOSE"));
    return true;
}

static bool take_lines(struct list *list, struct slice text, struct buf *scratch) {
    struct slice line;
    for (uint64_t number = 1; push_line_next(&text, &line); number++) {
        if (!push_line_is_blank(line) && !take_line(list, line, scratch, number)) return false;
    }
    return true;
}

static int print_pushed(struct cli *cli, const struct resp_node *reply) {
    HOB_AUTO_BUF struct buf out = buf_make(8 * 1024 * 1024);
    const struct resp_node *pushed = reply_item(reply, 0);
    for (size_t i = 0; i < reply->children_count; i++, pushed = resp_next(pushed)) {
        if (cli->json) {
            struct json_put put = json_put_to(&out);
            cli_put_json(&put, pushed);
        } else {
            (void)buf_put_slice(&out, reply_text(pushed, "id"));
        }
        (void)buf_put_char(&out, '\n');
    }
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}

static int push_list(struct list *list, struct slice text, uint64_t jobs, hob_ns spread_ns) {
    HOB_AUTO_BUF struct buf scratch = buf_make(2 * INPUT_BYTES_MAX + 2);
    (void)buf_reserve(&scratch, 2 * text.size + 1);
    char spread[NUMBER_BYTES];
    char count[NUMBER_BYTES];
    (void)snprintf(spread, sizeof spread, "%" PRIu64, spread_ns / NS_PER_MS);
    (void)snprintf(count, sizeof count, "%" PRIu64, jobs);
    put(list, SLICE("MPUSH"));
    put(list, SLICE("ATOMIC"));
    if (spread_ns > 0) {
        put(list, SLICE("SPREAD"));
        put(list, slice_str(spread));
    }
    put(list, slice_str(count));
    if (!take_lines(list, text, &scratch)) return list->cli->exit_code;
    const struct resp_node *reply = cli_call(list->cli, list->words, list->count, 0);
    return reply == NULL ? list->cli->exit_code : print_pushed(list->cli, reply);
}

int cli_push_atomic(struct cli *cli) {
    hob_ns spread_ns = 0;
    if (!cli_span(cli, "spread", &spread_ns)) return cli->exit_code;
    HOB_AUTO_BUF struct buf input = buf_make(INPUT_BYTES_MAX);
    if (!read_all(cli, &input)) return cli->exit_code;
    uint64_t jobs = push_line_count(buf_slice(&input));
    if (jobs == 0) return 0;
    if (jobs > JOBS_MAX) return cli_fail(HOB_USAGE, "with --atomic: 10000 jobs at most");
    struct list list = {.cli = cli};
    list.words = calloc(WORDS_FIRST + jobs * WORDS_EACH_MAX, sizeof *list.words);
    list.numbers = calloc(jobs, sizeof *list.numbers);
    hob_assert(list.words != NULL);
    hob_assert(list.numbers != NULL);
    int code = push_list(&list, buf_slice(&input), jobs, spread_ns);
    free(list.words);
    free(list.numbers);
    return code;
}
