/* SPDX-License-Identifier: Apache-2.0 */
/* `hob errors`: recent failures, those that are alike together.
 *
 * Alike are errors of one kind of job with the same cause, code, class and shape of text. The shape
 * is the text without what differs from job to job: numbers, ids in hexadecimal, quoted words.
 *
 *     no customer 4711 in 'eu-west'       ─>   no customer # in '#'
 *     request 0bf9c2e4-77aa timed out     ─>   request # timed out
 *
 * Groups are counted as pages of jobs come in; only the newest example of each is kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"
#include "cli/print.h"
#include "wire/resp_reply.h"

enum {
    LIMIT_DEFAULT = 1000,
    LIMIT_MAX = 1000000,
    PAGE = 1000,
    GROUPS_MAX = 1000, /* what is alike none of these is counted together */
    SHAPE_BYTES_MAX = 200,
    OUT_BYTES_MAX = 64 * 1024 * 1024,
    HEX_MIN = 8, /* shorter words may be words */
};

static const struct cli_column columns[] = {
    {"jobs", "JOBS", COLUMN_NUMBER},
    {"kind", "KIND", COLUMN_TEXT},
    {"cause", "CAUSE", COLUMN_WORD},
    {"last_at", "LAST", COLUMN_WORD},
    {"last_id", "JOB", COLUMN_WORD},
    {"what", "WHAT", COLUMN_SPARSE},
    {"error", "ERROR", COLUMN_TEXT},
};

struct group {
    uint64_t hash;
    uint64_t jobs;
    uint64_t last_id;
    int64_t last_at_ms;
    struct buf texts; /* of the newest: kind, cause, what, error, each ended by a 0 */
};

struct groups {
    struct group *list;
    size_t count;
    uint64_t looked_at;
    uint64_t beyond; /* jobs of groups past GROUPS_MAX */
};

/* --- alike --- */

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* How many bytes at @at are one thing that differs from job to job; 0: none. */
static size_t varying(struct slice text, size_t at) {
    const char *bytes = text.bytes;
    size_t end = at;
    bool digits = false;
    while (end < text.size && is_hex(bytes[end])) digits = is_digit(bytes[end++]) || digits;
    if (digits && end - at >= HEX_MIN) return end - at;
    end = at;
    while (end < text.size && is_digit(bytes[end])) end++;
    if (end > at) return end - at;
    char quote = bytes[at];
    if (quote != '\'' && quote != '"' && quote != '`') return 0;
    const char *closing = memchr(bytes + at + 1, quote, text.size - at - 1);
    return closing == NULL ? 0 : (size_t)(closing + 1 - bytes) - at;
}

static void put_shape(struct buf *out, struct slice text) {
    size_t start = out->size;
    for (size_t at = 0; at < text.size && out->size - start < SHAPE_BYTES_MAX;) {
        size_t size = varying(text, at);
        (void)buf_put(out, size > 0 ? "#" : text.bytes + at, 1);
        at += size > 0 ? size : 1;
    }
}

/* The name of what is alike; "exit 3" is another cause than "exit 4". */
static uint64_t group_hash(const struct resp_node *row) {
    static const char *const keys[] = {"kind", "error_cause", "error_code", "error_what"};
    static const struct siphash_key key = {0};
    HOB_AUTO_BUF struct buf name = buf_make(OUT_BYTES_MAX);
    for (size_t i = 0; i < hob_countof(keys); i++) {
        (void)buf_put_slice(&name, reply_text(row, keys[i]));
        (void)buf_put_char(&name, '\0');
    }
    put_shape(&name, reply_text(row, "error"));
    return siphash(key, buf_slice(&name));
}

static void put_cause(struct buf *out, const struct resp_node *row) {
    (void)buf_put_slice(out, reply_text(row, "error_cause"));
    struct slice code = reply_text(row, "error_code");
    if (code.size > 0 && !slice_equal(code, SLICE("0"))) {
        (void)buf_printf(out, " %.*s", SLICE_ARG(code));
    }
}

static void group_begin(struct group *group, uint64_t hash, const struct resp_node *row) {
    const struct resp_node *at = reply_get(row, "state_at");
    *group = (struct group){
        .hash = hash,
        .last_id = reply_u64(row, "id", 0),
        .last_at_ms = at == NULL ? 0 : at->integer,
        .texts = buf_make(OUT_BYTES_MAX),
    };
    (void)buf_put_slice(&group->texts, reply_text(row, "kind"));
    (void)buf_put_char(&group->texts, '\0');
    put_cause(&group->texts, row);
    (void)buf_put_char(&group->texts, '\0');
    (void)buf_put_slice(&group->texts, reply_text(row, "error_what"));
    (void)buf_put_char(&group->texts, '\0');
    (void)buf_put_slice(&group->texts, reply_text(row, "error"));
    (void)buf_put_char(&group->texts, '\0');
}

/* Rows come newest first, so the first one of a group is its newest. */
static void count_row(struct groups *groups, const struct resp_node *row) {
    if (reply_get(row, "error_cause") == NULL) return;
    groups->looked_at++;
    uint64_t hash = group_hash(row);
    size_t at = 0;
    while (at < groups->count && groups->list[at].hash != hash) at++;
    if (at == GROUPS_MAX) {
        groups->beyond++;
        return;
    }
    if (at == groups->count) group_begin(&groups->list[groups->count++], hash, row);
    groups->list[at].jobs++;
}

static int more_first(const void *a, const void *b) {
    const struct group *left = a;
    const struct group *right = b;
    if (left->jobs != right->jobs) return left->jobs > right->jobs ? -1 : 1;
    return left->last_id > right->last_id ? -1 : left->last_id < right->last_id;
}

/* --- rows of their own --- */

static void put_bulk(struct buf *out, struct slice text) {
    (void)buf_printf(out, "$%zu\r\n", text.size);
    (void)buf_put_slice(out, text);
    (void)buf_put_str(out, "\r\n");
}

static const char *put_text(struct buf *out, const char *key, const char *text) {
    put_bulk(out, slice_str(key));
    put_bulk(out, slice_str(text));
    return text + strlen(text) + 1;
}

/* Groups as the server would answer them, so that they are printed like any rows. */
static void put_reply(struct buf *out, const struct groups *groups) {
    (void)buf_printf(out, "*%zu\r\n", groups->count);
    for (size_t i = 0; i < groups->count; i++) {
        const struct group *group = &groups->list[i];
        char id[24];
        (void)snprintf(id, sizeof id, "%llu", (unsigned long long)group->last_id);
        (void)buf_put_str(out, "%7\r\n");
        put_bulk(out, SLICE("jobs"));
        (void)buf_printf(out, ":%llu\r\n", (unsigned long long)group->jobs);
        const char *text = put_text(out, "kind", group->texts.bytes);
        text = put_text(out, "cause", text);
        put_bulk(out, SLICE("last_at"));
        (void)buf_printf(out, ":%lld\r\n", (long long)group->last_at_ms);
        (void)put_text(out, "last_id", id);
        text = put_text(out, "what", text);
        (void)put_text(out, "error", text);
    }
}

static int print_groups(struct cli *cli, struct groups *groups) {
    qsort(groups->list, groups->count, sizeof *groups->list, more_first);
    HOB_AUTO_BUF struct buf bytes = buf_make(OUT_BYTES_MAX);
    put_reply(&bytes, groups);
    struct mem mem = {0};
    struct resp_reply_parser parser;
    resp_reply_parser_init(&parser, &mem, RESP_REPLY_LIMITS_DEFAULT);
    struct resp_reply reply;
    enum resp_reply_result result = resp_reply_parse(&parser, buf_slice(&bytes), &reply);
    hob_assert(result == RESP_REPLY_READY);
    int code = cli_print_rows(cli, reply.nodes, columns, hob_countof(columns));
    resp_reply_parser_deinit(&parser);
    if (groups->beyond > 0) {
        (void)fprintf(
            stderr,
            "and %llu more jobs, each with an error of its own\n",
            (unsigned long long)groups->beyond
        );
    }
    if (groups->looked_at == 0) (void)fprintf(stderr, "no job has failed\n");
    return code;
}

/* --- gathering --- */

static bool gather(struct cli *cli, struct groups *groups, uint64_t limit) {
    char before[24] = "0";
    do {
        struct cli_request request = {0};
        cli_word(&request, "LS");
        cli_request_list(&request, cli, &cli_filter_options);
        if (!cli_has(cli, "state")) {
            cli_word(&request, "STATE");
            cli_word(&request, "discarded");
            cli_word(&request, "STATE");
            cli_word(&request, "retryable");
        }
        char count[24];
        (void)snprintf(count, sizeof count, "%d", limit < PAGE ? (int)limit : PAGE);
        cli_word(&request, "BEFORE");
        cli_word(&request, before);
        cli_word(&request, "COUNT");
        cli_word(&request, count);
        const struct resp_node *page = cli_ask(cli, &request, 0);
        if (page == NULL) return false;
        const struct resp_node *rows = reply_item(page, 1);
        hob_assert(rows != NULL);
        const struct resp_node *row = resp_first(rows);
        for (uint32_t i = 0; i < rows->children_count; i++, row = resp_next(row)) {
            count_row(groups, row);
        }
        limit -= rows->children_count < limit ? rows->children_count : limit;
        (void)snprintf(before, sizeof before, "%.*s", SLICE_ARG(reply_item(page, 0)->text));
    } while (limit > 0 && strcmp(before, "0") != 0);
    return true;
}

int cmd_errors(struct cli *cli) {
    uint64_t limit = LIMIT_DEFAULT;
    if (!cli_number(cli, "limit", 1, LIMIT_MAX, &limit)) return cli->exit_code;
    struct groups groups = {.list = calloc(GROUPS_MAX, sizeof *groups.list)};
    hob_assert(groups.list != NULL);
    int code = gather(cli, &groups, limit) ? print_groups(cli, &groups) : cli->exit_code;
    for (size_t i = 0; i < groups.count; i++) buf_deinit(&groups.list[i].texts);
    free(groups.list);
    return code;
}
