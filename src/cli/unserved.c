/* SPDX-License-Identifier: Apache-2.0 */
/* The warning that jobs wait for a worker which is not there. The server tells them by queue and
 * kind; a worker is missing for a kind, so rows of one kind are one warning. */
#include <stdio.h>
#include <string.h>

#include "cli/print.h"
#include "os/clock.h"

enum { KINDS_TOLD_MAX = 5 };

static bool is_wanted(const struct resp_node *row, const char *queue, const char *kind) {
    return (queue == NULL || slice_equal(reply_text(row, "queue"), slice_str(queue))) &&
           (kind == NULL || slice_equal(reply_text(row, "kind"), slice_str(kind)));
}

static bool has_demand(const struct resp_node *row) {
    return reply_get(row, "needs") != NULL || reply_get(row, "cost") != NULL;
}

static void tell(struct slice kind, bool is_plain, uint64_t jobs, uint64_t oldest_ms) {
    hob_ns now_ns = clock_wall();
    hob_ns oldest_ns = oldest_ms * NS_PER_MS;
    HOB_AUTO_BUF struct buf text = buf_make(1024);
    const char *why = is_plain ? "" : " with the labels and slots that are asked for";
    (void)buf_printf(&text, "no live worker runs kind `%.*s`%s (", SLICE_ARG(kind), why);
    cli_put_count(&text, jobs);
    (void)buf_put_str(&text, jobs == 1 ? " job waits, for " : " jobs wait, the oldest for ");
    cli_put_span(&text, now_ns > oldest_ns ? now_ns - oldest_ns : 0);
    (void)buf_put_str(&text, "): start one, see hob workers");
    (void)fprintf(stderr, "hob: %.*s\n", SLICE_ARG(buf_slice(&text)));
}

bool cli_queue_is_missing(struct cli *cli, const char *queue) {
    if (strpbrk(queue, "*?,") != NULL) return false;
    const struct slice words[] = {SLICE("QUEUE"), slice_str(queue)};
    const struct resp_node *reply = NULL;
    struct hob_error err = {0};
    enum hob_status status = session_call(cli->session, words, 2, 0, &reply, &err);
    return status == HOB_NOT_FOUND || (status == HOB_OK && !reply_is_set(reply));
}

void cli_warn_no_queue(struct cli *cli) {
    const char *queue = cli_value(cli, "queue");
    if (queue == NULL || cli->session == NULL || !cli_queue_is_missing(cli, queue)) return;
    (void)fflush(stdout);
    (void)fprintf(stderr, "hob: there is no queue `%s`\n", queue);
}

void cli_warn_unserved(const struct resp_node *rows, const char *queue, const char *kind) {
    uint32_t count = rows == NULL || rows->type != RESP_ARRAY ? 0 : rows->children_count;
    uint32_t told = 0;
    uint32_t more = 0;
    (void)fflush(stdout);
    for (uint32_t i = 0; i < count; i++) {
        const struct resp_node *row = reply_item(rows, i);
        if (!is_wanted(row, queue, kind)) continue;
        struct slice name = reply_text(row, "kind");
        uint64_t jobs = 0;
        uint64_t oldest_ms = UINT64_MAX;
        bool is_first = true;
        bool is_plain = false;
        for (uint32_t k = 0; k < count && is_first; k++) {
            const struct resp_node *other = reply_item(rows, k);
            bool same =
                is_wanted(other, queue, kind) && slice_equal(reply_text(other, "kind"), name);
            if (!same) continue;
            is_first = k >= i;
            is_plain = is_plain || !has_demand(other);
            jobs += reply_u64(other, "available", 0);
            uint64_t at_ms = reply_u64(other, "oldest_at", 0);
            if (at_ms < oldest_ms) oldest_ms = at_ms;
        }
        if (!is_first) continue;
        if (told < KINDS_TOLD_MAX) {
            tell(name, is_plain, jobs, oldest_ms);
            told++;
        } else {
            more++;
        }
    }
    if (more == 0) return;
    (void)fprintf(stderr, "hob: and %u kinds more: hob stats --json lists them\n", more);
}
