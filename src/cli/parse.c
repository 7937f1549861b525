/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing by the table: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, flags (letters can share a
 * hyphen), arguments, in any order; `--` ends the options. An unknown word is told with the nearest
 * known one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/nearest.h"
#include "base/text.h"
#include "cli/cli.h"

enum { NOT_FOUND = CLI_OPTIONS_MAX };

struct parsing {
    struct cli *cli;
    const char **words;
    size_t count;
    size_t at;
};

static bool parse_fail(struct cli *cli, const char *what, const char *word, const char *near) {
    char hint[80] = "";
    if (near != NULL) (void)snprintf(hint, sizeof hint, "; did you mean `%s`?", near);
    cli->exit_code = cli_usage(cli, "%s `%s`%s", what, word, hint);
    return false;
}

static bool print_help(struct cli *cli) {
    cli_help_command(cli->command);
    cli->exit_code = 0;
    return false;
}

static bool unknown_option(struct cli *cli, const char *word, struct slice name) {
    const char *names[CLI_OPTIONS_MAX + 1] = {cli_help_option.name};
    size_t count = cli_option_count(cli->command);
    for (size_t i = 0; i < count; i++) names[i + 1] = cli_option_at(cli->command, i)->name;
    const char *near = nearest_word(name, names, count + 1);
    char dashed[80];
    (void)snprintf(dashed, sizeof dashed, "--%s", near == NULL ? "" : near);
    return parse_fail(cli, "there is no option", word, near == NULL ? NULL : dashed);
}

/* --- values --- */

static bool is_choice(const char *choices, struct slice word) {
    for (const char *at = choices; *at != '\0';) {
        size_t size = strcspn(at, " ");
        if (slice_equal(word, slice_of(at, size))) return true;
        at += size + (at[size] == ' ');
    }
    return false;
}

static bool wrong_choice(struct cli *cli, const struct cli_option *option, struct slice word) {
    char copy[200];
    const char *words[20];
    size_t count = 0;
    (void)snprintf(copy, sizeof copy, "%s", option->choices);
    char *rest = NULL;
    for (char *at = strtok_r(copy, " ", &rest); at != NULL; at = strtok_r(NULL, " ", &rest)) {
        hob_assert(count < hob_countof(words));
        words[count++] = at;
    }
    const char *near = nearest_word(word, words, count);
    cli->exit_code = cli_usage(
        cli,
        "--%s: `%.*s` is none of: %s%s%s%s",
        option->name,
        SLICE_ARG(word),
        option->choices,
        near == NULL ? "" : "; did you mean `",
        near == NULL ? "" : near,
        near == NULL ? "" : "`?"
    );
    return false;
}

/* Only the words that are allowed. */
static bool check_choices(struct cli *cli, const struct cli_option *option, const char *value) {
    if (option->choices == NULL) return true;
    for (const char *at = value;;) {
        size_t size = option->list ? strcspn(at, ",") : strlen(at);
        struct slice word = slice_of(at, size);
        if (!is_choice(option->choices, word)) return wrong_choice(cli, option, word);
        if (at[size] == '\0') return true;
        at += size + 1;
    }
}

/* The option at @index of the command; @attached: what came with it, or NULL. */
static bool take_option(struct parsing *parsing, size_t index, const char *attached) {
    struct cli *cli = parsing->cli;
    const struct cli_option *option = cli_option_at(cli->command, index);
    const char *word = parsing->words[parsing->at];
    const char *value = attached;
    if (option->value == NULL) {
        if (attached != NULL) return parse_fail(cli, "no value belongs to", word, NULL);
        value = "";
    } else if (attached == NULL && option->value[0] == '[') {
        value = "";
    } else if (attached == NULL) {
        if (parsing->at + 1 == parsing->count) {
            return parse_fail(cli, "a value is missing after", word, NULL);
        }
        value = parsing->words[++parsing->at];
    }
    cli->values[index] = value;
    if (option->value == NULL || (option->value[0] == '[' && value[0] == '\0')) return true;
    return check_choices(cli, option, value);
}

/* --- options --- */

static size_t find_long(const struct cli_command *command, struct slice name) {
    for (size_t i = 0; i < cli_option_count(command); i++) {
        if (slice_equal(name, slice_str(cli_option_at(command, i)->name))) return i;
    }
    return NOT_FOUND;
}

static bool parse_long(struct parsing *parsing) {
    struct cli *cli = parsing->cli;
    const char *word = parsing->words[parsing->at];
    const char *equals = strchr(word, '=');
    size_t size = equals == NULL ? strlen(word) - 2 : (size_t)(equals - word) - 2;
    struct slice name = slice_of(word + 2, size);
    if (slice_equal(name, slice_str(cli_help_option.name))) return print_help(cli);
    size_t index = find_long(cli->command, name);
    if (index == NOT_FOUND) return unknown_option(cli, word, name);
    return take_option(parsing, index, equals == NULL ? NULL : equals + 1);
}

static size_t find_letter(const struct cli_command *command, char letter) {
    for (size_t i = 0; i < cli_option_count(command); i++) {
        if (cli_option_at(command, i)->letter == letter) return i;
    }
    return NOT_FOUND;
}

static bool parse_letters(struct parsing *parsing) {
    struct cli *cli = parsing->cli;
    const char *word = parsing->words[parsing->at];
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        if (*letter == cli_help_option.letter) return print_help(cli);
        size_t index = find_letter(cli->command, *letter);
        if (index == NOT_FOUND) return unknown_option(cli, word, slice_str(word + 1));
        const struct cli_option *option = cli_option_at(cli->command, index);
        if (option->value == NULL) {
            cli->values[index] = "";
            continue;
        }
        const char *attached = letter[1] == '\0' ? NULL : letter + 1;
        if (attached != NULL && attached[0] == '=') attached++;
        return take_option(parsing, index, attached);
    }
    return true;
}

/* --- all of it --- */

const char *cli_common(const struct cli *cli, const char *name) {
    if (cli->command == NULL) return NULL; /* completion has none */
    size_t index = find_long(cli->command, slice_str(name));
    return index == NOT_FOUND ? NULL : cli->values[index];
}

/* What the common options say, told once. */
static void finish(struct cli *cli) {
    cli->server = cli_common(cli, "server");
    cli->quiet = cli_common(cli, "quiet") != NULL;
    cli->term = term_look(cli_common(cli, "color"));
    const char *output = cli_common(cli, "output");
    cli->form = cli->term.out ? FORM_TABLE : FORM_TABS;
    if (output != NULL) {
        cli->form = strcmp(output, "table") == 0  ? FORM_TABLE
                    : strcmp(output, "tabs") == 0 ? FORM_TABS
                                                  : FORM_JSON;
    }
    if (cli_common(cli, "json") != NULL) cli->form = FORM_JSON;
    cli->json = cli->form == FORM_JSON;
}

static bool too_many(struct cli *cli, const char *word) {
    if (cli->command->args_max > 0) return parse_fail(cli, "one word too many:", word, NULL);
    return parse_fail(cli, "there is no word", word, cli_command_nearest(word, cli->command));
}

bool cli_parse(struct cli *cli, const char **words, size_t count) {
    struct parsing parsing = {.cli = cli, .words = words, .count = count};
    bool options_end = false;
    cli->args = words;
    for (; parsing.at < count; parsing.at++) {
        const char *word = words[parsing.at];
        if (options_end || word[0] != '-' || word[1] == '\0') {
            if (cli->arg_count == cli->command->args_max) return too_many(cli, word);
            cli->args[cli->arg_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            options_end = true;
        } else if (word[1] == '-') {
            if (!parse_long(&parsing)) return false;
        } else if (!parse_letters(&parsing)) {
            return false;
        }
    }
    finish(cli);
    if (cli->command->run != NULL && cli->arg_count >= cli->command->args_min) return true;
    cli->exit_code =
        cli_usage(cli, "a word is missing: hob %s %s", cli->command->name, cli->command->synopsis);
    return false;
}

/* --- asking for what was parsed --- */

const char *cli_value(const struct cli *cli, const char *name) {
    size_t index = find_long(cli->command, slice_str(name));
    if (index == NOT_FOUND) hob_panic(__FILE__, __LINE__, name);
    return cli->values[index];
}

bool cli_has(const struct cli *cli, const char *name) {
    return cli_value(cli, name) != NULL;
}

bool cli_span(struct cli *cli, const char *name, hob_ns *ret_span) {
    const char *value = cli_value(cli, name);
    if (value == NULL) return true;
    if (text_duration(slice_str(value), NS_PER_SECOND, ret_span)) return true;
    cli->exit_code =
        cli_usage(cli, "--%s: `%s` is no span of time, such as 500ms, 30s, 5m, 2h", name, value);
    return false;
}

bool cli_number(
    struct cli *cli, const char *name, uint64_t min, uint64_t max, uint64_t *ret_value
) {
    const char *value = cli_value(cli, name);
    if (value == NULL || text_u64(slice_str(value), min, max, ret_value)) return true;
    cli->exit_code = cli_usage(
        cli,
        "--%s: `%s` is no number from %llu to %llu",
        name,
        value,
        (unsigned long long)min,
        (unsigned long long)max
    );
    return false;
}

bool cli_size(struct cli *cli, const char *name, uint64_t *ret_bytes) {
    const char *value = cli_value(cli, name);
    if (value == NULL || text_size(slice_str(value), ret_bytes)) return true;
    cli->exit_code = cli_usage(cli, "--%s: `%s` is no size, such as 512MiB or 2GiB", name, value);
    return false;
}

bool cli_id(struct cli *cli, size_t at, struct slice *ret_id) {
    uint64_t id = 0;
    *ret_id = slice_str(cli->args[at]);
    if (text_u64(*ret_id, 1, INT64_MAX, &id)) return true;
    cli->exit_code = cli_usage(cli, "`%s` is no id of a job: a number from 1", cli->args[at]);
    return false;
}
