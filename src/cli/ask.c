/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the server. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "cli/cli.h"

const char *cli_server(const struct cli *cli) {
    if (cli->server != NULL) return cli->server;
    const char *server = getenv("HOB_SERVER");
    return server != NULL && server[0] != '\0' ? server : ADDRESS_DEFAULT;
}

bool cli_connect(struct cli *cli) {
    if (cli->session != NULL) return true;
    struct hob_error err = {0};
    struct address address;
    const char *server = cli_server(cli);
    enum hob_status status = HOB_OK;
    if (!address_parse(slice_str(server), &address)) {
        status = fail(&err, HOB_USAGE, "`%s` is no address; wanted: HOST:PORT", server);
    }
    if (status == HOB_OK) status = cli_login_here(cli, &address, &err);
    if (status == HOB_OK) status = session_open_at(&address, 0, &cli->session, &err);
    if (status == HOB_OK) return true;
    cli->session = NULL;
    cli->exit_code = cli_fail(status, "%s", err.text);
    return false;
}

const struct resp_node *
cli_call(struct cli *cli, const struct slice *words, size_t count, hob_ns timeout_ns) {
    if (!cli_connect(cli)) return NULL;
    struct hob_error err = {0};
    const struct resp_node *reply = NULL;
    enum hob_status status = session_call(cli->session, words, count, timeout_ns, &reply, &err);
    if (status == HOB_OK) return reply;
    cli->exit_code = cli_fail(status, "%s", err.text);
    return NULL;
}

void cli_word_slice(struct cli_request *request, struct slice word) {
    hob_assert(request->count < CLI_REQUEST_WORDS_MAX);
    request->words[request->count++] = word;
}

void cli_word(struct cli_request *request, const char *word) {
    cli_word_slice(request, slice_str(word));
}

/* The word of the protocol and the value; of a list once for each, of a flag the word alone. */
static void
put_option(struct cli_request *request, const struct cli_option *option, const char *value) {
    if (option->word == NULL || value == NULL) return;
    if (option->value == NULL) {
        cli_word(request, option->word);
        return;
    }
    for (;;) {
        size_t size = option->list ? strcspn(value, ",") : strlen(value);
        cli_word(request, option->word);
        cli_word_slice(request, slice_of(value, size));
        if (value[size] == '\0') return;
        value += size + 1;
    }
}

void cli_request_options(struct cli_request *request, const struct cli *cli) {
    for (size_t i = 0; i < cli_option_count(cli->command); i++) {
        put_option(request, cli_option_at(cli->command, i), cli->values[i]);
    }
}

void cli_request_list(
    struct cli_request *request, const struct cli *cli, const struct cli_options *list
) {
    for (size_t i = 0; i < list->count; i++) {
        put_option(request, &list->rows[i], cli_value(cli, list->rows[i].name));
    }
}

void cli_request_by(struct cli_request *request, const struct cli *cli) {
    const char *by = cli_value(cli, "by");
    if (by == NULL) by = getenv("USER");
    if (by == NULL || by[0] == '\0') return;
    cli_word(request, "BY");
    cli_word(request, by);
}

const struct resp_node *
cli_ask(struct cli *cli, const struct cli_request *request, hob_ns timeout_ns) {
    return cli_call(cli, request->words, request->count, timeout_ns);
}

int cli_no_job(struct slice id) {
    return cli_fail(
        HOB_NOT_FOUND,
        "there is no job %.*s: it never was, or its time of keeping is over",
        SLICE_ARG(id)
    );
}
