/* SPDX-License-Identifier: Apache-2.0 */
/* The binary `hob`: picks the command, and holds what commands share. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/nearest.h"
#include "cli/cli.h"
#include "os/launch.h"

int cli_fail(enum hob_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fflush(stdout);
    (void)fprintf(stderr, "hob: ");
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\n");
    va_end(arguments);
    return status_exit_code(status);
}

int cli_usage(const struct cli *cli, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "hob: ");
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\nTry: hob help %s\n", cli->command->name);
    va_end(arguments);
    return status_exit_code(HOB_USAGE);
}

bool cli_connect(struct cli *cli) {
    if (cli->session != NULL) return true;
    const char *server = cli->server;
    if (server == NULL) server = getenv("HOB_SERVER");
    if (server == NULL || server[0] == '\0') server = ADDRESS_DEFAULT;
    struct hob_error err = {0};
    enum hob_status status = session_open(server, &cli->session, &err);
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

void cli_request_options(struct cli_request *request, const struct cli *cli) {
    for (size_t i = 0; i < cli->command->option_count; i++) {
        const struct cli_option *option = &cli->command->options[i];
        if (option->word == NULL || cli->values[i] == NULL) continue;
        cli_word(request, option->word);
        cli_word(request, cli->values[i]);
    }
}

const struct resp_node *
cli_ask(struct cli *cli, const struct cli_request *request, hob_ns timeout_ns) {
    return cli_call(cli, request->words, request->count, timeout_ns);
}

static int unknown_command(const char *word) {
    const char *names[64];
    hob_assert(cli_command_count <= hob_countof(names));
    for (size_t i = 0; i < cli_command_count; i++) names[i] = cli_commands[i].name;
    const char *near = nearest_word(slice_str(word), names, cli_command_count);
    (void)fprintf(stderr, "hob: there is no command `%s`", word);
    if (near != NULL) (void)fprintf(stderr, "; did you mean `%s`?", near);
    (void)fprintf(stderr, "\nTry: hob help\n");
    return status_exit_code(HOB_USAGE);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        cli_help_all();
        return 0;
    }
    const char *word = argv[1];
    if (strcmp(word, LAUNCH_WORD) == 0) return launch_main(argc - 2, argv + 2);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) word = "help";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) word = "version";
    struct cli cli = {.command = cli_command_find(word)};
    if (cli.command == NULL) return unknown_command(word);
    if (!cli_parse(&cli, argc - 2, argv + 2)) return cli.exit_code;
    int code = cli.command->run(&cli);
    session_close(cli.session);
    if (fflush(stdout) != 0 && code == 0) {
        return cli_fail(HOB_FAILED, "cannot write the output: is the disk full?");
    }
    return code;
}
