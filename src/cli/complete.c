/* SPDX-License-Identifier: Apache-2.0 */
/* What could stand at the end of a command line: `hob complete-words -- WORD… CURRENT`, which the
 * scripts of `hob completion` ask. All knowledge about completion is here, so the three shells
 * offer the same and their scripts stay small.
 *
 * The first line of the answer is `words`, `files` or `directories`; after `words` each further
 * line is a candidate that begins as CURRENT does, a tab, and what it is. Names and ids come from
 * the server, within SERVER_NS; when it is away there are none, and nothing is said about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/print.h"

#define SERVER_NS (250 * NS_PER_MS)

enum { ANSWER_BYTES_MAX = 4 * 1024 * 1024, ASKED_MAX = 200 };

struct completion {
    struct buf answer;
    struct slice current; /* what is typed of the word */
    struct slice front;   /* what stands before it in the same word: "--state=", "running," */
    const char *server;
    const struct cli_command *command;
};

static void offer(struct completion *completion, struct slice word, struct slice what) {
    struct slice current = completion->current;
    if (word.size < current.size || memcmp(word.bytes, current.bytes, current.size) != 0) return;
    if (memchr(word.bytes, '\n', word.size) != NULL) return;
    (void)buf_put_slice(&completion->answer, completion->front);
    (void)buf_put_slice(&completion->answer, word);
    (void)buf_put_char(&completion->answer, '\t');
    term_put_safe(&completion->answer, what, true);
    (void)buf_put_char(&completion->answer, '\n');
}

static void offer_str(struct completion *completion, const char *word, const char *what) {
    offer(completion, slice_str(word), slice_str(what));
}

/* --- from the server --- */

static const struct resp_node *
ask(struct session *session, const struct slice *words, size_t count) {
    struct hob_error err = {0};
    const struct resp_node *reply = NULL;
    enum hob_status status = session_call(session, words, count, SERVER_NS, &reply, &err);
    return status == HOB_OK ? reply : NULL;
}

static void offer_names(struct completion *completion, struct session *session, const char *list) {
    const struct slice words[] = {slice_str(list)};
    const struct resp_node *rows = ask(session, words, 1);
    if (rows == NULL || rows->type != RESP_ARRAY) return;
    const struct resp_node *row = resp_first(rows);
    for (uint32_t i = 0; i < rows->children_count; i++, row = resp_next(row)) {
        offer(completion, reply_text(row, "name"), SLICE(""));
    }
}

/* Of each job its kind once, or its id with what it is. */
static void offer_jobs(struct completion *completion, struct session *session, bool kinds) {
    const struct slice words[] = {SLICE("LS"), SLICE("COUNT"), kinds ? SLICE("200") : SLICE("50")};
    const struct resp_node *page = ask(session, words, hob_countof(words));
    const struct resp_node *rows = page == NULL ? NULL : reply_item(page, 1);
    if (rows == NULL || rows->type != RESP_ARRAY) return;
    struct slice seen[ASKED_MAX];
    size_t seen_count = 0;
    const struct resp_node *row = resp_first(rows);
    for (uint32_t i = 0; i < rows->children_count; i++, row = resp_next(row)) {
        struct slice kind = reply_text(row, "kind");
        if (!kinds) {
            HOB_AUTO_BUF struct buf what = buf_make(4096);
            (void)buf_put_slice(&what, kind);
            (void)buf_put_char(&what, ' ');
            (void)buf_put_slice(&what, reply_text(row, "state"));
            offer(completion, reply_text(row, "id"), buf_slice(&what));
            continue;
        }
        size_t known = 0;
        while (known < seen_count && !slice_equal(seen[known], kind)) known++;
        if (known < seen_count || seen_count == ASKED_MAX) continue;
        seen[seen_count++] = kind;
        offer(completion, kind, SLICE(""));
    }
}

static void offer_from_server(struct completion *completion, enum cli_completes completes) {
    struct cli cli = {.server = completion->server};
    struct session *session = NULL;
    struct hob_error err = {0};
    struct address address;
    if (!address_parse(slice_str(cli_server(&cli)), &address)) return;
    if (cli_login_here(&cli, &address, &err) != HOB_OK) return;
    if (session_open_at(&address, SERVER_NS, &session, &err) != HOB_OK) return;
    if (completes == COMPLETES_QUEUES) offer_names(completion, session, "QUEUES");
    if (completes == COMPLETES_WORKERS) offer_names(completion, session, "WORKERS");
    if (completes == COMPLETES_LIMITERS) offer_names(completion, session, "LIMITERS");
    if (completes == COMPLETES_KINDS) offer_jobs(completion, session, true);
    if (completes == COMPLETES_JOBS) offer_jobs(completion, session, false);
    session_close(session);
}

/* --- from the table --- */

/* First words; or the second ones of @outer. */
static void offer_commands(struct completion *completion, const struct cli_command *outer) {
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *command = cli_command_at(i);
        const char *space = strchr(command->name, ' ');
        if (outer == NULL && space == NULL) offer_str(completion, command->name, command->summary);
        if (outer != NULL && cli_command_is_inside(command, outer)) {
            offer_str(completion, space + 1, command->summary);
        }
    }
}

static void offer_topics(struct completion *completion) {
    for (size_t i = 0; i < cli_topic_count; i++) {
        offer_str(completion, cli_topics[i].name, cli_topics[i].title);
    }
}

static void offer_choices(struct completion *completion, const char *choices) {
    while (*choices != '\0') {
        size_t size = strcspn(choices, " ");
        offer(completion, slice_of(choices, size), SLICE(""));
        choices += size + (choices[size] == ' ');
    }
}

static void offer_options(struct completion *completion) {
    if (completion->command == NULL) return;
    for (size_t i = 0; i <= cli_option_count(completion->command); i++) {
        bool is_help = i == cli_option_count(completion->command);
        const struct cli_option *option =
            is_help ? &cli_help_option : cli_option_at(completion->command, i);
        char word[80];
        (void)snprintf(word, sizeof word, "--%s", option->name);
        offer_str(completion, word, option->help);
    }
}

/* The shell knows its files; it is told where they are wanted. */
static bool is_for_shell(struct completion *completion, enum cli_completes completes) {
    if (completes != COMPLETES_FILES && completes != COMPLETES_DIRECTORIES) return false;
    buf_reset(&completion->answer);
    (void
    )buf_put_str(&completion->answer, completes == COMPLETES_FILES ? "files\n" : "directories\n");
    return true;
}

static void offer_values(struct completion *completion, enum cli_completes completes) {
    if (is_for_shell(completion, completes)) return;
    switch (completes) {
    case COMPLETES_COMMANDS:
        offer_commands(completion, NULL);
        offer_topics(completion);
        return;
    case COMPLETES_SHELLS:
        offer_choices(completion, CLI_SHELLS);
        return;
    case COMPLETES_QUEUES:
    case COMPLETES_KINDS:
    case COMPLETES_JOBS:
    case COMPLETES_WORKERS:
    case COMPLETES_LIMITERS:
        offer_from_server(completion, completes);
        return;
    case COMPLETES_NOTHING:
    case COMPLETES_FILES:
    case COMPLETES_DIRECTORIES:
        return;
    }
}

static void offer_option_values(struct completion *completion, const struct cli_option *option) {
    const char *comma = NULL;
    for (size_t i = 0; option->list && i < completion->current.size; i++) {
        if (completion->current.bytes[i] == ',') comma = completion->current.bytes + i;
    }
    if (comma != NULL) {
        /* What is before the last comma stands. */
        size_t done = (size_t)(comma + 1 - completion->current.bytes);
        const char *front =
            completion->front.size > 0 ? completion->front.bytes : completion->current.bytes;
        completion->front = slice_of(front, completion->front.size + done);
        completion->current =
            slice_of(completion->current.bytes + done, completion->current.size - done);
    }
    if (option->choices != NULL) {
        offer_choices(completion, option->choices);
    } else {
        /* Settings tell only that they are paths; what help calls a DIR is one. */
        bool is_folder = option->completes == COMPLETES_FILES && strcmp(option->value, "DIR") == 0;
        offer_values(completion, is_folder ? COMPLETES_DIRECTORIES : option->completes);
    }
}

/* --- reading what is typed --- */

static const struct cli_option *find_option(const struct cli_command *command, const char *word) {
    for (size_t i = 0; command != NULL && i < cli_option_count(command); i++) {
        const struct cli_option *option = cli_option_at(command, i);
        if (word[1] == '-') {
            size_t size = strcspn(word + 2, "=");
            if (slice_equal(slice_of(word + 2, size), slice_str(option->name))) return option;
        } else if (option->letter != 0 && word[strlen(word) - 1] == option->letter) {
            return option;
        }
    }
    return NULL;
}

/* Does the value of this option follow as a word of its own? */
static bool wants_value(const struct cli_option *option, const char *word) {
    return option != NULL && option->value != NULL && option->value[0] != '[' &&
           !(word[1] == '-' && strchr(word, '=') != NULL);
}

static const char *unalias(const char *word) {
    for (size_t i = 0; i < cli_alias_count; i++) {
        if (strcmp(cli_aliases[i].word, word) == 0) return cli_aliases[i].command;
    }
    return word;
}

static void offer_arguments(struct completion *completion, size_t given) {
    const struct cli_command *command = completion->command;
    if (given == 0) offer_commands(completion, command);
    if (command == NULL || given >= command->args_max) return;
    size_t at = given < CLI_COMPLETES_MAX ? given : CLI_COMPLETES_MAX - 1;
    enum cli_completes completes = command->completes[at];
    if (completes == COMPLETES_NOTHING && command->args_max > CLI_COMPLETES_MAX) {
        completes = command->completes[0];
    }
    offer_values(completion, completes);
}

static void complete(struct completion *completion, char **words, size_t count) {
    const char *current = words[count - 1];
    const struct cli_option *open = NULL; /* its value is next */
    bool options_end = false;
    size_t given = 0;
    const char *first = NULL;
    for (size_t i = 0; i + 1 < count; i++) {
        const char *word = words[i];
        if (open != NULL) {
            if (strcmp(open->name, "server") == 0) completion->server = word;
            open = NULL;
        } else if (!options_end && word[0] == '-' && word[1] != '\0') {
            options_end = strcmp(word, "--") == 0;
            const struct cli_option *option = find_option(completion->command, word);
            if (wants_value(option, word)) open = option;
        } else if (completion->command == NULL) {
            size_t used = 0;
            first = unalias(word);
            completion->command = cli_command_pick(first, NULL, &used);
            if (completion->command == NULL) return;
        } else {
            size_t used = 0;
            const struct cli_command *inner = cli_command_pick(first, word, &used);
            bool is_inner = given == 0 && used == 2;
            if (is_inner) completion->command = inner;
            if (!is_inner) given++;
        }
    }
    completion->current = slice_str(current);
    const char *equals = strchr(current, '=');
    if (open != NULL) {
        offer_option_values(completion, open);
    } else if (!options_end && strncmp(current, "--", 2) == 0 && equals != NULL) {
        open = find_option(completion->command, current);
        completion->front = slice_of(current, (size_t)(equals - current) + 1);
        completion->current = slice_str(equals + 1);
        if (open != NULL) offer_option_values(completion, open);
    } else if (!options_end && current[0] == '-') {
        offer_options(completion);
    } else {
        offer_arguments(completion, given);
    }
}

int complete_main(int argc, char **argv) {
    if (argc < 2 || strcmp(argv[0], "--") != 0) return status_exit_code(HOB_USAGE);
    struct completion completion = {.answer = buf_make(ANSWER_BYTES_MAX)};
    (void)term_look("never");
    (void)buf_put_str(&completion.answer, "words\n");
    complete(&completion, argv + 1, (size_t)argc - 1);
    (void)fwrite(completion.answer.bytes, 1, completion.answer.size, stdout);
    buf_deinit(&completion.answer);
    return fflush(stdout) == 0 ? 0 : status_exit_code(HOB_FAILED);
}
