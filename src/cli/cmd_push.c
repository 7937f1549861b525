/* SPDX-License-Identifier: Apache-2.0 */
/* `hob push`: one job, from the command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print.h"

enum { PAYLOAD_FILE_BYTES_MAX = 8 * 1024 * 1024 };

/* The whole of a file, at most what a payload may have and one byte more, so that the server says
 * that it is too large. */
static bool read_file(struct cli *cli, const char *path, struct buf *out) {
    bool from_stdin = strcmp(path, "-") == 0;
    if (from_stdin && cli->term.in) {
        (void)fprintf(stderr, "Type the payload, then Ctrl-D on a line of its own:\n");
    }
    FILE *file = from_stdin ? stdin : fopen(path, "rbe");
    size_t size = 1;
    while (file != NULL && size > 0 && feof(file) == 0 && out->size <= PAYLOAD_FILE_BYTES_MAX) {
        char *room = buf_reserve(out, 65536);
        if (room == NULL) break;
        size = fread(room, 1, 65536, file);
        out->size += size;
    }
    bool failed = file == NULL || ferror(file) != 0;
    if (failed) {
        cli->exit_code = cli_fail(HOB_FAILED, "cannot read %s: %s", path, strerrordesc_np(errno));
    }
    if (file != NULL && !from_stdin) (void)fclose(file);
    return !failed;
}

/* Print the id; with --wait, wait for the result instead. */
static int pushed(struct cli *cli, const struct resp_node *reply) {
    char id[24];
    (void)snprintf(id, sizeof id, "%.*s", SLICE_ARG(reply_text(reply, "id")));
    bool wait = cli_value(cli, "wait") != NULL;
    if (!wait) {
        HOB_AUTO_BUF struct buf out = buf_make(4096);
        struct json_put put = json_put_to(&out);
        if (cli->json) {
            cli_put_json(&put, reply);
        } else {
            (void)buf_put_str(&out, id);
        }
        (void)buf_put_char(&out, '\n');
        return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
    }
    hob_ns wait_ns = HOB_NEVER;
    if (cli_value(cli, "wait")[0] != '\0' && !cli_span(cli, "wait", &wait_ns)) {
        return cli->exit_code;
    }
    return cli_wait_result(cli, slice_str(id), wait_ns);
}

int cmd_push(struct cli *cli) {
    if (cli->arg_count == 1 && strcmp(cli->args[0], "-") == 0) return cli_push_lines(cli);
    if (cli_has(cli, "atomic") || cli_value(cli, "spread") != NULL) {
        return cli_usage(cli, "--atomic and --spread are for many jobs: hob push -");
    }
    if (cli->arg_count < 2) {
        return cli_usage(cli, "the kind is missing: hob push QUEUE KIND [PAYLOAD]");
    }
    HOB_AUTO_BUF struct buf payload = buf_make(PAYLOAD_FILE_BYTES_MAX + 65536 * 2);
    const char *path = cli_value(cli, "payload-file");
    if (path != NULL && cli->arg_count == 3) {
        return cli_usage(cli, "a payload and --payload-file: which of them?");
    }
    bool dash = cli->arg_count == 3 && strcmp(cli->args[2], "-") == 0;
    if (dash) path = "-";
    if (path != NULL && !read_file(cli, path, &payload)) return cli->exit_code;
    if (cli->arg_count == 3 && !dash) {
        (void)buf_put_str(&payload, cli->args[2]);
    } else if (path == NULL) {
        (void)buf_put_str(&payload, "null");
    }
    struct cli_request request = {0};
    cli_word(&request, "PUSH");
    cli_word(&request, cli->args[0]);
    cli_word(&request, cli->args[1]);
    cli_word_slice(&request, buf_slice(&payload));
    cli_request_options(&request, cli);
    cli_word(&request, "VERBOSE");
    if (cli_has(cli, "spool") || cli_has(cli, "retry")) {
        return cli_push_certainly(cli, &request, pushed);
    }
    const struct resp_node *reply = cli_ask(cli, &request, 0);
    if (reply != NULL) return pushed(cli, reply);
    /* Without a session nothing was sent. */
    bool lost = cli->session != NULL && cli->exit_code == status_exit_code(HOB_UNREACHABLE);
    const char *key = cli_value(cli, "key");
    if (lost) cli_tell_may_be_pushed(key == NULL ? SLICE_NONE : slice_str(key));
    return cli->exit_code;
}
