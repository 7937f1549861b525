/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of `hob` share: the parsed words, asking the server, telling. The table of
 * commands is cli/command.h, printing is cli/print.h.
 *
 * What a command prints on stdout is data; all else goes to stderr. Its answer is the exit code:
 * that of a status (base/status.h), 130 after Ctrl-C. */
#ifndef HOB_CLI_CLI_H
#define HOB_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "cli/command.h"
#include "cli/term.h"
#include "client/reply.h"
#include "client/session.h"

enum {
    CLI_ARGS_MAX = 10000,
    CLI_REQUEST_WORDS_MAX = 64,
    EXIT_INTERRUPTED = 130,
};

/* How rows are printed: -o, --json, -q, or as stdout wants. */
enum cli_form {
    FORM_TABLE,
    FORM_TABS,
    FORM_JSON,
};

struct cli {
    const struct cli_command *command;
    const char *values[CLI_OPTIONS_MAX]; /* by option, NULL: not given; flags: "" */
    const char **args;
    size_t arg_count;
    const char *server; /* --server */
    bool json;          /* --json, -o json */
    bool quiet;         /* -q */
    enum cli_form form;
    struct term term;
    bool titled;             /* a table's head was printed */
    struct session *session; /* opened by the first call */
    int exit_code;           /* of the last failure */
};

/* --- parse.c --- */

/**
 * Parse what follows the command's name. False: told on stderr (or help was asked for and printed),
 * and cli->exit_code is set.
 *
 * @words  borrowed as long as @cli; its arguments are gathered at its front
 */
bool cli_parse(struct cli *cli, const char **words, size_t count);

/** The value of an option of this command, or NULL when it was not given. */
const char *cli_value(const struct cli *cli, const char *name);

/** As cli_value, for options that many commands have; NULL also where this one has it not. */
const char *cli_common(const struct cli *cli, const char *name);

/** Was the option given? */
bool cli_has(const struct cli *cli, const char *name);

/** The value as a span of time; plain numbers are seconds. Untouched without it. False: told. */
bool cli_span(struct cli *cli, const char *name, hob_ns *ret_span);

/** The value as a whole number from @min to @max. Untouched without it. False: told. */
bool cli_number(struct cli *cli, const char *name, uint64_t min, uint64_t max, uint64_t *ret_value);

/** The value as a size in bytes. Untouched without it. False: told. */
bool cli_size(struct cli *cli, const char *name, uint64_t *ret_bytes);

/** The argument at @at as a job's id. False: told. */
bool cli_id(struct cli *cli, size_t at, struct slice *ret_id);

/* --- main.c --- */

/** Tell a failure on stderr ("hob: …"); the exit code of @status. */
int cli_fail(enum hob_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Tell wrong usage, and where help is; 2. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Where the server is: --server, HOB_SERVER, the default. */
const char *cli_server(const struct cli *cli);

/* --- login.c --- */

/* What is shown to a server and believed of it; NULL: not said. */
struct cli_login {
    const char *token_file;
    const char *ca;
    const char *cert;
    const char *key;
};

/**
 * Make @address ready for connecting: with the token of login->token_file, else of HOB_TOKEN. What
 * it then points to lives as long as the program.
 */
HOB_CHECK enum hob_status
cli_login(struct address *address, const struct cli_login *login, struct hob_error *err);

/** The same from --token-file, --ca, --client-cert, --client-key and the environment. */
HOB_CHECK enum hob_status
cli_login_here(const struct cli *cli, struct address *address, struct hob_error *err);

/* --- ask.c --- */

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
/** All options that have a word of the protocol and were given; of a list each value. */
void cli_request_options(struct cli_request *request, const struct cli *cli);
/** The same of one list of options only. */
void cli_request_list(
    struct cli_request *request, const struct cli *cli, const struct cli_options *list
);
/** BY and who does it: --by, or the name of the user. */
void cli_request_by(struct cli_request *request, const struct cli *cli);
const struct resp_node *
cli_ask(struct cli *cli, const struct cli_request *request, hob_ns timeout_ns);

/** Tell that there is no job with this id; 3. */
int cli_no_job(struct slice id);

/* --- help.c, man.c --- */

void cli_help_short(void);
void cli_help_all(void);
void cli_help_command(const struct cli_command *command);

/** The page of the manual for @command (NULL: of hob itself) in roff. */
void cli_put_man(struct buf *out, const struct cli_command *command);

/** The page of the configuration file, hob.yaml(5). */
void cli_put_config_man(struct buf *out);

/** Text as roff takes it: no character of it is a command. `x` becomes bold. What is @filled may
 * have its lines ended anywhere. */
void cli_put_roff(struct buf *out, struct slice text, bool filled);
/** Paragraphs; lines that begin with two spaces stay as they are. */
void cli_put_roff_paragraphs(struct buf *out, const char *text);

/* --- one function a command --- */

int cmd_serve(struct cli *cli);
int cmd_work(struct cli *cli);
int cmd_push(struct cli *cli);
int cmd_get(struct cli *cli);
int cmd_explain(struct cli *cli);
int cmd_update(struct cli *cli);
int cmd_wait(struct cli *cli);
int cmd_ls(struct cli *cli);
int cmd_logs(struct cli *cli);
int cmd_cancel(struct cli *cli);
int cmd_retry(struct cli *cli);
int cmd_discard(struct cli *cli);
int cmd_delete(struct cli *cli);
int cmd_errors(struct cli *cli);
int cmd_queues(struct cli *cli);
int cmd_queues_set(struct cli *cli);
int cmd_queues_next(struct cli *cli);
int cmd_limiters(struct cli *cli);
int cmd_limiters_set(struct cli *cli);
int cmd_groups(struct cli *cli);
int cmd_groups_set(struct cli *cli);
int cmd_groups_skip(struct cli *cli);
int cmd_kinds(struct cli *cli);
int cmd_pause(struct cli *cli);
int cmd_resume(struct cli *cli);
int cmd_workers(struct cli *cli);
int cmd_stats(struct cli *cli);
int cmd_token_create(struct cli *cli);
int cmd_token_ls(struct cli *cli);
int cmd_token_revoke(struct cli *cli);
int cmd_audit(struct cli *cli);
int cmd_completion(struct cli *cli);
int cmd_config_check(struct cli *cli);
int cmd_config_show(struct cli *cli);
int cmd_config_schema(struct cli *cli);
int cmd_config_reference(struct cli *cli);
int cmd_journal_check(struct cli *cli);
int cmd_journal_dump(struct cli *cli);
int cmd_journal_salvage(struct cli *cli);
int cmd_backup(struct cli *cli);
int cmd_restore(struct cli *cli);
int cmd_export(struct cli *cli);
int cmd_import(struct cli *cli); /* cmd_push_lines.c */
int cmd_spool(struct cli *cli);
int cmd_torture(struct cli *cli);
int cmd_torture_check(struct cli *cli);
int cmd_version(struct cli *cli);
int cmd_help(struct cli *cli);

/** `hob logs --search` (cmd_search.c). */
int cli_search(struct cli *cli);

/** `hob stats` of a queue, a kind, or all jobs (cmd_statistics.c). */
int cli_statistics(struct cli *cli);

/** `hob push - --atomic`: all lines or none (cmd_push_atomic.c). */
int cli_push_atomic(struct cli *cli);

/** `hob push -`: one job a line (cmd_push_lines.c). */
int cli_push_lines(struct cli *cli);

/* Room for what a request that may arrive late needs of its own, as long as it is in use. */
enum { CLI_FIXED_SPANS = 3, CLI_FIXED_TIME_BYTES = 40, CLI_FIXED_KEY_BYTES = 40 };
struct cli_fixed {
    char times[CLI_FIXED_SPANS][CLI_FIXED_TIME_BYTES];
    char key[CLI_FIXED_KEY_BYTES];
};

/** A PUSH that may arrive late, or twice: its spans of time become points in time, and it gets a
 * key if it has none (cmd_spool.c). */
void cli_request_fix(struct cli_request *request, struct cli_fixed *fixed);

struct courier;
/** Are queue and kind of a PUSH names? What is none must not wait in a spool. False: @err says. */
bool cli_names_are_valid(const struct cli_request *request, struct hob_error *err);

/** Say that a push whose answer was lost may be done, and what helps. @key of it, or none. */
void cli_tell_may_be_pushed(struct slice key);

/**
 * A courier to the server of this command, with --retry.
 *
 * @spool     may be NULL
 * @is_there  it is not made when it is missing
 *
 * Answers  false: told
 */
bool cli_courier(struct cli *cli, const char *spool, bool is_there, struct courier **ret_courier);

/**
 * Push until it has arrived, or spool it (--retry, --spool; cmd_spool.c). @pushed prints the reply.
 */
int cli_push_certainly(
    struct cli *cli,
    struct cli_request *request,
    int (*pushed)(struct cli *cli, const struct resp_node *reply)
);

/**
 * Wait until the job is over, at most @wait_ns; then print its result and answer 0, or tell why
 * there is none and answer 1, or 6 when the time is over.
 */
int cli_wait_result(struct cli *cli, struct slice id, hob_ns wait_ns);

#define CLI_SHELLS    "bash zsh fish"
#define COMPLETE_WORD "complete-words"

/** What completion asks (complete.c): `hob complete-words -- WORD… CURRENT`. */
int complete_main(int argc, char **argv);

#endif
