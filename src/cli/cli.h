/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one table of commands (table.c), from which parsing, help and suggestions come,
 * and one file for each group of commands. To add one: a row in the table, a function here, a page
 * in doc/guide.
 *
 * What a command prints on stdout is data; all else goes to stderr. Its answer is the exit code:
 * that of a status (base/status.h), 130 after Ctrl-C. */
#ifndef HOB_CLI_CLI_H
#define HOB_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json_put.h"
#include "client/reply.h"
#include "client/session.h"

enum {
    CLI_OPTIONS_MAX = 16, /* of one command, with the common ones */
    CLI_ARGS_MAX = 64,
    CLI_REQUEST_WORDS_MAX = 40,
};

struct cli_option {
    const char *name;  /* without the dashes */
    const char *value; /* what follows it, for help; NULL: nothing; "[X]": only as --name=X */
    const char *help;
    const char *word; /* for commands that send their options on: the word of the protocol */
};

struct cli;

struct cli_command {
    const char *name;
    const char *synopsis; /* what follows the name */
    const char *summary;
    const char *details; /* paragraphs and examples; may be NULL */
    const struct cli_option *options;
    size_t option_count;
    size_t args_min;
    size_t args_max;
    bool has_server; /* takes --server, --json */
    int (*run)(struct cli *cli);
};

struct cli {
    const struct cli_command *command;
    const char *values[CLI_OPTIONS_MAX]; /* by option, NULL: not given; flags: "" */
    const char *args[CLI_ARGS_MAX];
    size_t arg_count;
    const char *server; /* --server */
    bool json;
    struct session *session; /* opened by the first call */
    int exit_code;           /* of the last failure */
};

/* --- table.c --- */

extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

/** The command with this name, or NULL. */
const struct cli_command *cli_command_find(const char *name);

/* --- parse.c --- */

/** Parse what follows the command's name. False: told on stderr, and cli->exit_code is set. */
bool cli_parse(struct cli *cli, int argc, char **argv);

/** The value of an option, or NULL when it was not given. */
const char *cli_value(const struct cli *cli, const char *name);

/** The value as a span of time; plain numbers are seconds. False: told. */
bool cli_span(struct cli *cli, const char *name, hob_ns *ret_span);

/** The argument at @at as a job's id. False: told. */
bool cli_id(struct cli *cli, size_t at, struct slice *ret_id);

/* --- main.c --- */

/** Tell a failure on stderr ("hob: …"); the exit code of @status. */
int cli_fail(enum hob_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Tell wrong usage, and where help is; 2. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Open the session if it is not open. False: told, and cli->exit_code is set. */
bool cli_connect(struct cli *cli);

/**
 * Ask the server. NULL: told, and cli->exit_code is set. The reply is borrowed until the next call.
 *
 * @timeout_ns  0: 30 s
 */
const struct resp_node *
cli_call(struct cli *cli, const struct slice *words, size_t count, hob_ns timeout_ns);

/* A request that is put together word by word. */
struct cli_request {
    struct slice words[CLI_REQUEST_WORDS_MAX];
    size_t count;
};

/** Append a word. */
void cli_word(struct cli_request *request, const char *word);
/** Append a word that is borrowed until the request is asked. */
void cli_word_slice(struct cli_request *request, struct slice word);
/** All options that have a word of the protocol and were given. */
void cli_request_options(struct cli_request *request, const struct cli *cli);
const struct resp_node *
cli_ask(struct cli *cli, const struct cli_request *request, hob_ns timeout_ns);

/* --- print.c --- */

/** Print to stdout what was gathered; false and told when stdout takes no more. */
bool cli_flush(struct buf *out);

/** A map, array or value as JSON, as HTTP has it: ids are strings, times RFC 3339. */
void cli_put_json(struct json_put *put, const struct resp_node *node);

/** The value of a field as people read it: times in UTC, bytes as they are. */
void cli_put_field(struct buf *out, struct slice key, const struct resp_node *value);

/* Rows of fields, all the same keys: aligned under a header on a terminal, else separated by tabs
 * without one; with --json one object a line. */
struct cli_column {
    const char *key;
    const char *title;
};

/** Print @count maps of @rows (an array) as a table. */
int cli_print_rows(
    struct cli *cli,
    const struct resp_node *rows,
    const struct cli_column *columns,
    size_t column_count
);

/* --- help.c --- */

void cli_help_all(void);
void cli_help_command(const struct cli_command *command);

/* --- one function a command --- */

int cmd_serve(struct cli *cli);
int cmd_work(struct cli *cli);
int cmd_push(struct cli *cli);
int cmd_get(struct cli *cli);
int cmd_wait(struct cli *cli);
int cmd_ls(struct cli *cli);
int cmd_logs(struct cli *cli);
int cmd_control(struct cli *cli);
int cmd_delete(struct cli *cli);
int cmd_queues(struct cli *cli);
int cmd_pause(struct cli *cli);
int cmd_resume(struct cli *cli);
int cmd_workers(struct cli *cli);
int cmd_stats(struct cli *cli);
int cmd_version(struct cli *cli);
int cmd_help(struct cli *cli);

/** `hob push -`: one job a line (cmd_push_lines.c). */
int cli_push_lines(struct cli *cli);

/**
 * Wait until the job is final, at most @wait_ns; then print its result and answer 0, or tell why
 * there is none and answer 1, or 6 when the time is over.
 */
int cli_wait_result(struct cli *cli, struct slice id, hob_ns wait_ns, bool print_result);

#endif
