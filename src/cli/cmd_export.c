/* SPDX-License-Identifier: Apache-2.0 */
/* `hob export`: jobs as lines of JSON, oldest first, so that `hob import` keeps their order. The
 * ids are gathered first (the server lists from new to old), then the jobs are asked for, many
 * requests in flight. Each line is the job as it is when its turn comes; one that is gone by then
 * is left out. Not a snapshot: that is `hob backup`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "cli/interrupt.h"
#include "cli/print.h"
#include "cli/progress.h"

enum {
    PAGE = 1000,
    OPEN_MAX = 256,
    UNSENT_BYTES_MAX = 1024 * 1024,
    OUT_BYTES_MAX = 256 * 1024 * 1024,
    FLUSH_BYTES = 256 * 1024,
    ID_BYTES = 24,
};

struct exporting {
    struct cli *cli;
    uint64_t *ids; /* newest first */
    size_t count;
    size_t capacity;
    struct buf out;
    uint64_t put;
    bool failed;
};

static void id_add(struct exporting *exporting, uint64_t id) {
    if (exporting->count == exporting->capacity) {
        exporting->capacity = exporting->capacity == 0 ? PAGE : exporting->capacity * 2;
        exporting->ids = reallocarray(exporting->ids, exporting->capacity, sizeof *exporting->ids);
        hob_assert(exporting->ids != NULL);
    }
    exporting->ids[exporting->count++] = id;
}

/* False: told. */
static bool ids_gather(struct exporting *exporting) {
    char before[ID_BYTES] = "0";
    do {
        struct cli_request request = {0};
        cli_word(&request, "LS");
        cli_request_list(&request, exporting->cli, &cli_filter_options);
        cli_word(&request, "BEFORE");
        cli_word(&request, before);
        cli_word(&request, "COUNT");
        cli_word(&request, "1000");
        const struct resp_node *reply = cli_ask(exporting->cli, &request, 0);
        if (reply == NULL) return false;
        const struct resp_node *rows = reply_item(reply, 1);
        for (uint32_t i = 0; i < rows->children_count; i++) {
            id_add(exporting, reply_u64(reply_item(rows, i), "id", 0));
        }
        (void)snprintf(before, sizeof before, "%.*s", SLICE_ARG(reply_item(reply, 0)->text));
    } while (strcmp(before, "0") != 0 && !interrupt_came());
    return true;
}

static void on_job(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct exporting *exporting = context;
    if (node == NULL || node->type == RESP_FAILURE) {
        exporting->failed = true;
        if (node != NULL) (void)cli_fail(HOB_FAILED, "%.*s", SLICE_ARG(node->text));
        return;
    }
    if (!reply_is_set(node)) return; /* deleted meanwhile */
    struct json_put put = json_put_to(&exporting->out);
    cli_put_json(&put, node);
    (void)buf_put_char(&exporting->out, '\n');
    exporting->put++;
    if (exporting->out.size >= FLUSH_BYTES && !cli_flush(&exporting->out)) exporting->failed = true;
}

static int jobs_put(struct exporting *exporting) {
    struct session *session = exporting->cli->session;
    struct hob_error err = {0};
    enum hob_status status = HOB_OK;
    bool shows =
        exporting->cli->term.err && exporting->cli->term.smart && !exporting->cli->term.out;
    struct progress progress = progress_begin("jobs exported", exporting->count, shows);
    for (size_t i = exporting->count; i > 0 && status == HOB_OK; i--) {
        if (exporting->failed || interrupt_came()) break;
        char id[ID_BYTES];
        int size = snprintf(id, sizeof id, "%" PRIu64, exporting->ids[i - 1]);
        const struct slice words[] = {SLICE("GET"), slice_of(id, (size_t)size)};
        status = session_drain(session, OPEN_MAX - 1, UNSENT_BYTES_MAX, &err);
        if (status == HOB_OK) session_send(session, words, hob_countof(words), on_job, exporting);
        progress_tell(&progress, exporting->put);
    }
    if (status == HOB_OK) status = session_drain(session, 0, 0, &err);
    progress_clear(&progress);
    bool written = cli_flush(&exporting->out);
    if (status != HOB_OK) return cli_fail(status, "%s", err.text);
    if (interrupt_came()) return EXIT_INTERRUPTED;
    return exporting->failed || !written ? status_exit_code(HOB_FAILED) : 0;
}

int cmd_export(struct cli *cli) {
    if (!cli_connect(cli)) return cli->exit_code;
    struct exporting exporting = {.cli = cli, .out = buf_make(OUT_BYTES_MAX)};
    interrupt_begin();
    int code = ids_gather(&exporting) ? jobs_put(&exporting) : cli->exit_code;
    if (code == 0 && exporting.count == 0) cli_warn_no_queue(cli);
    buf_deinit(&exporting.out);
    free(exporting.ids);
    return code;
}
