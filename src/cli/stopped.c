/* SPDX-License-Identifier: Apache-2.0 */
/* What holds jobs of queues that are not paused themselves: kinds, limiters and groups that are
 * paused, or blocked by a failed job. A few names of each; `--stopped` lists the rest. */
#include "cli/stopped.h"

#include <stdio.h>
#include <string.h>

#include "cli/print.h"

enum { NAMES_TOLD_MAX = 5 };

void stopped_see(struct stopped *stopped, const struct resp_node *rows) {
    const struct resp_node *row = resp_first(rows);
    for (uint32_t i = 0; i < rows->children_count; i++, row = resp_next(row)) {
        struct slice name = reply_text(row, "name");
        bool waits = reply_u64(row, "available", 0) > 0;
        if (!waits || stopped->count == STOPPED_QUEUES_MAX) continue;
        if (name.size >= sizeof stopped->queues[0]) continue;
        char *to = stopped->queues[stopped->count++];
        memcpy(to, name.bytes, name.size);
        to[name.size] = '\0';
    }
}

/* @more: the command that lists them. @queue: whose groups; NULL: kinds or limiters. What a token
 * may not see is not told. */
static void
tell(struct cli *cli, const char *word, const char *what, const char *more, const char *queue) {
    struct cli_request request = {0};
    const struct resp_node *rows = NULL;
    struct hob_error err = {0};
    cli_word(&request, word);
    if (queue != NULL) cli_word(&request, queue);
    cli_word(&request, "COUNT");
    cli_word(&request, "6");
    cli_word(&request, "STOPPED");
    enum hob_status status =
        session_call(cli->session, request.words, request.count, 0, &rows, &err);
    if (status != HOB_OK || rows->children_count == 0) return;
    HOB_AUTO_BUF struct buf line = buf_make(8192);
    const struct resp_node *row = resp_first(rows);
    for (uint32_t i = 0; i < rows->children_count; i++, row = resp_next(row)) {
        if (i > 0) (void)buf_put_str(&line, ", ");
        if (i == NAMES_TOLD_MAX) (void)buf_put_str(&line, "…");
        if (i < NAMES_TOLD_MAX) (void)buf_put_slice(&line, reply_text(row, "name"));
    }
    (void)fprintf(
        stderr,
        "hob: %s that are stopped%s%s: %.*s (%s%s%s)\n",
        what,
        queue == NULL ? "" : ", of queue ",
        queue == NULL ? "" : queue,
        SLICE_ARG(buf_slice(&line)),
        more,
        queue == NULL ? "" : " ",
        queue == NULL ? "" : queue
    );
}

void stopped_tell(struct cli *cli, const struct stopped *stopped) {
    if (cli->json || cli->quiet || cli->session == NULL) return;
    (void)fflush(stdout);
    tell(cli, "KINDS", "kinds", "hob kinds", NULL);
    tell(cli, "LIMITERS", "limiters", "hob limiters --stopped", NULL);
    for (size_t i = 0; i < stopped->count; i++) {
        tell(cli, "GROUPS", "groups", "hob groups --stopped", stopped->queues[i]);
    }
}
