/* SPDX-License-Identifier: Apache-2.0 */
/* `hob logs --search`: what jobs said that holds a text, from new to old. The server looks at a
 * bounded number of jobs for each request, so that it is never held up; pages are asked for until
 * the end, --limit, or Ctrl-C. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/print.h"
#include "cli/progress.h"

enum { OUT_BYTES_MAX = 64 * 1024 * 1024, PAGE = 500, CURSOR_BYTES_MAX = 64, NUMBER_BYTES = 24 };

struct search {
    struct cli *cli;
    const char *text; /* "": every line */
    uint64_t limit;   /* 0: none */
    uint64_t found;
    uint64_t jobs;
    char cursor[CURSOR_BYTES_MAX];
};

static char lower(char c) {
    if (c >= 'A' && c <= 'Z') return (char)(c + ('a' - 'A'));
    return c;
}

/* Where @part is in @text, ASCII letters in any case; text.size: nowhere. */
static size_t find(struct slice text, struct slice part) {
    for (size_t at = 0; at + part.size <= text.size; at++) {
        size_t same = 0;
        while (same < part.size && lower(text.bytes[at + same]) == lower(part.bytes[same])) same++;
        if (same == part.size) return at;
    }
    return text.size;
}

/* What was looked for stands out on a terminal. */
static void put_marked(const struct search *search, struct buf *out, struct slice text) {
    const struct term *term = &search->cli->term;
    struct slice part = slice_str(search->text);
    if (!term->out) {
        (void)buf_put_slice(out, text);
        return;
    }
    while (part.size > 0 && text.size > 0) {
        size_t at = find(text, part);
        if (at == text.size) break;
        HOB_AUTO_BUF struct buf safe = buf_make(OUT_BYTES_MAX);
        term_put_safe(out, slice_of(text.bytes, at), true);
        term_put_safe(&safe, slice_of(text.bytes + at, part.size), true);
        term_put_styled(out, term, STYLE_BAD, buf_slice(&safe));
        text = slice_of(text.bytes + at + part.size, text.size - at - part.size);
    }
    term_put_safe(out, text, true);
}

/* "2026-… 17 email.send #2 error what it said" */
static void put_found(const struct search *search, struct buf *out, const struct resp_node *found) {
    struct slice stream = reply_text(found, "stream");
    if (stream.size == 0) stream = reply_text(found, "place");
    (void)text_put_time(out, reply_u64(found, "at", 0) * NS_PER_MS);
    (void)buf_printf(
        out,
        " %.*s %.*s #%llu %.*s ",
        SLICE_ARG(reply_text(found, "id")),
        SLICE_ARG(reply_text(found, "kind")),
        (unsigned long long)reply_u64(found, "attempt", 0),
        SLICE_ARG(stream)
    );
    put_marked(search, out, reply_text(found, "text"));
    (void)buf_put_char(out, '\n');
}

static void put_word(struct cli_request *request, const char *word, const char *value) {
    if (value == NULL || value[0] == '\0') return;
    cli_word(request, word);
    cli_word(request, value);
}

static const struct resp_node *ask(struct search *search) {
    struct cli_request request = {0};
    char count[NUMBER_BYTES];
    uint64_t left = search->limit - search->found;
    if (search->limit == 0 || left > PAGE) left = PAGE;
    (void)snprintf(count, sizeof count, "%llu", (unsigned long long)left);
    cli_word(&request, "SEARCH");
    put_word(&request, "TEXT", search->text);
    put_word(&request, "BEFORE", search->cursor);
    put_word(&request, "COUNT", count);
    cli_request_options(&request, search->cli);
    return cli_ask(search->cli, &request, 0);
}

/* False: told, or interrupted. */
static bool page(struct search *search, struct progress *progress) {
    const struct resp_node *reply = ask(search);
    if (reply == NULL) return false;
    const struct resp_node *found = reply_item(reply, 1);
    struct slice cursor = reply_item(reply, 0)->text;
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    const struct resp_node *one = resp_first(found);
    for (uint32_t i = 0; i < found->children_count; i++, one = resp_next(one)) {
        if (search->cli->json) {
            struct json_put put = json_put_to(&out);
            cli_put_json(&put, one);
            (void)buf_put_char(&out, '\n');
        } else {
            put_found(search, &out, one);
        }
    }
    uint64_t jobs = 0;
    if (resp_node_u64(reply_item(reply, 2), &jobs)) search->jobs += jobs;
    search->found += found->children_count;
    bool is_end = slice_equal(cursor, SLICE("0")) || cursor.size >= sizeof search->cursor;
    if (!is_end) memcpy(search->cursor, cursor.bytes, cursor.size);
    search->cursor[is_end ? 0 : cursor.size] = '\0';
    if (out.size > 0) {
        progress_clear(progress);
        if (!cli_flush(&out) || fflush(stdout) != 0) return false;
    }
    progress_tell(progress, search->jobs);
    return !interrupt_came();
}

int cli_search(struct cli *cli) {
    const char *text = cli_value(cli, "search");
    struct search search = {.cli = cli, .text = text == NULL ? "" : text};
    if (cli->arg_count > 0) {
        return cli_usage(cli, "either the id of a job, or --search over all of them");
    }
    if (text == NULL && !cli_has(cli, "since") && !cli_has(cli, "level") && !cli_has(cli, "kind") &&
        !cli_has(cli, "queue")) {
        return cli_usage(cli, "wanted: the id of a job, or --search TEXT");
    }
    if (cli_has(cli, "follow") || cli_has(cli, "attempt")) {
        return cli_usage(cli, "--follow and --attempt go with the id of one job");
    }
    if (!cli_number(cli, "limit", 1, UINT32_MAX, &search.limit)) return cli->exit_code;
    struct progress progress = progress_begin("jobs looked at", 0, cli->term.err);
    interrupt_begin();
    do {
        if (page(&search, &progress)) continue;
        progress_clear(&progress);
        return interrupt_came() ? EXIT_INTERRUPTED : cli->exit_code;
    } while (search.cursor[0] != '\0' && (search.limit == 0 || search.found < search.limit));
    progress_clear(&progress);
    if (search.found > 0) return 0;
    return cli_fail(HOB_NOT_FOUND, "nothing found in %llu jobs", (unsigned long long)search.jobs);
}
