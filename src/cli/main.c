/* SPDX-License-Identifier: Apache-2.0 */
/* The binary `hob`: picks the command and runs it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/nearest.h"
#include "cli/cli.h"
#include "cli/version.h"
#include "net/memory.h"
#include "os/launch.h"
#include "worker/deliver.h"

static int deliver(int argc, char **argv) {
    return deliver_main(argc, argv, HOB_VERSION);
}

/* Words that programs type, not people. */
static const struct {
    const char *word;
    int (*main)(int argc, char **argv);
} hidden[] = {
    {LAUNCH_WORD, launch_main},
    {COMPLETE_WORD, complete_main},
    {DELIVER_WORD, deliver},
};

/* What other systems call so. */
static const struct {
    const char *word;
    const char *told;
} elsewhere[] = {
    {"top", "see `hob queues -w`, `hob workers -w`, `hob stats`"},
    {"status", "see `hob stats`"},
    {"drain", "`hob pause QUEUE`, or end the workers: SIGTERM lets jobs end (guide: Workers)"},
    {"shutdown", "end the process of `hob serve` with SIGTERM"},
    {"stop", "end the process of `hob serve` with SIGTERM"},
    {"purge", "see `hob delete --queue QUEUE --state available`"},
    {"flush", "see `hob delete --queue QUEUE --state available`"},
};

static int unknown_command(const char *word) {
    if (word[0] == '-') {
        (void)fprintf(stderr, "hob: options of a command stand behind it: `%s`\n", word);
        (void)fprintf(stderr, "Try: hob help\n");
        return status_exit_code(HOB_USAGE);
    }
    for (size_t i = 0; i < hob_countof(elsewhere); i++) {
        if (strcmp(elsewhere[i].word, word) != 0) continue;
        (void)fprintf(stderr, "hob: there is no command `%s`: %s\n", word, elsewhere[i].told);
        return status_exit_code(HOB_USAGE);
    }
    const char *near = cli_command_nearest(word, NULL);
    (void)fprintf(stderr, "hob: there is no command `%s`", word);
    if (near != NULL) (void)fprintf(stderr, "; did you mean `%s`?", near);
    (void)fprintf(stderr, "\nTry: hob help\n");
    return status_exit_code(HOB_USAGE);
}

static const struct cli_option *common_option(const char *word) {
    static const struct cli_options *const lists[] = {&cli_server_options, &cli_row_options};
    for (size_t list = 0; list < hob_countof(lists); list++) {
        for (size_t i = 0; i < lists[list]->count; i++) {
            const struct cli_option *option = &lists[list]->rows[i];
            size_t size = strlen(option->name);
            bool is_long =
                strncmp(word, "--", 2) == 0 && strncmp(word + 2, option->name, size) == 0;
            if (is_long && (word[size + 2] == '\0' || word[size + 2] == '=')) return option;
            if (option->letter != 0 && word[1] == option->letter) return option;
        }
    }
    return NULL;
}

/* How many words in front of the command are options, with their values. */
static size_t words_before(char **words, size_t count) {
    size_t at = 0;
    while (at < count && words[at][0] == '-') {
        const struct cli_option *option = common_option(words[at]);
        if (option == NULL) break;
        bool is_long = words[at][1] == '-';
        bool attached = is_long ? strchr(words[at], '=') != NULL : words[at][2] != '\0';
        at += option->value != NULL && !attached ? 2 : 1;
    }
    return at < count ? at : count;
}

static const struct cli_alias *find_alias(const char *word) {
    for (size_t i = 0; i < cli_alias_count; i++) {
        if (strcmp(cli_aliases[i].word, word) == 0) return &cli_aliases[i];
    }
    return NULL;
}

/* Run the command of @words, of which the first @before are options of it. */
static int run(char **words, size_t count, size_t before) {
    const char *first = words[before];
    const struct cli_alias *alias = find_alias(first);
    if (alias != NULL) first = alias->command;
    size_t used = 1;
    struct cli cli = {0};
    cli.command = cli_command_pick(first, before + 1 < count ? words[before + 1] : NULL, &used);
    if (cli.command == NULL) return unknown_command(first);
    const char **rest = calloc(count + 2, sizeof *rest);
    hob_assert(rest != NULL);
    size_t rest_count = 0;
    for (size_t i = 0; i < before; i++) rest[rest_count++] = words[i];
    if (alias != NULL && alias->option != NULL) rest[rest_count++] = alias->option;
    for (size_t i = before + used; i < count; i++) rest[rest_count++] = words[i];
    int code = cli_parse(&cli, rest, rest_count) ? cli.command->run(&cli) : cli.exit_code;
    session_close(cli.session);
    free(rest);
    return code;
}

static int run_words(char **words, size_t count) {
    size_t before = words_before(words, count);
    if (before == count) {
        cli_help_short();
        return before == 0 ? 0 : status_exit_code(HOB_USAGE);
    }
    char *word = words[before];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        cli_help_all();
        return 0;
    }
    static char version[] = "version";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) words[before] = version;
    return run(words, count, before);
}

int main(int argc, char **argv) {
    /* A line a write: what several processes say on one terminal or into one file does not mix. */
    static char errors[16384];
    (void)setvbuf(stderr, errors, _IOLBF, sizeof errors);
    net_memory_init();
    for (size_t i = 0; argc > 1 && i < hob_countof(hidden); i++) {
        if (strcmp(argv[1], hidden[i].word) == 0) return hidden[i].main(argc - 2, argv + 2);
    }
    int code = run_words(argv + 1, argc > 1 ? (size_t)argc - 1 : 0);
    if (fflush(stdout) != 0 && code == 0) {
        return cli_fail(HOB_FAILED, "cannot write the output: is the disk full?");
    }
    return code;
}
