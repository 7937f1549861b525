/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of the manual, out of the table: man(7) macros, which every man program reads. */
#include <string.h>

#include "cli/cli.h"
#include "cli/version.h"

enum { LINE_BYTES = 50 }; /* of the source: mandoc wants lines below 80 */

/* The bytes of the last line of @out. */
static size_t line_size(const struct buf *out) {
    size_t size = 0;
    while (size < out->size && out->bytes[out->size - 1 - size] != '\n') size++;
    return size;
}

void cli_put_roff(struct buf *out, struct slice text, bool filled) {
    bool bold = false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.bytes[i];
        bool line_start = out->size == 0 || out->bytes[out->size - 1] == '\n';
        if (line_start && (c == '.' || c == '\'')) (void)buf_put_str(out, "\\&");
        if (c == '\\') {
            (void)buf_put_str(out, "\\e");
        } else if (c == '-') {
            (void)buf_put_str(out, "\\-");
        } else if (c == '\'') {
            (void)buf_put_str(out, "\\(aq");
        } else if (c == '^') {
            (void)buf_put_str(out, "\\(ha");
        } else if (c == '~') {
            (void)buf_put_str(out, "\\(ti");
        } else if (c == ' ' && filled && line_size(out) > LINE_BYTES) {
            (void)buf_put_char(out, '\n');
        } else if (c == '`') {
            bold = !bold;
            (void)buf_put_str(out, bold ? "\\fB" : "\\fR");
        } else {
            (void)buf_put_char(out, c);
        }
    }
}

static void put_string(struct buf *out, const char *text) {
    cli_put_roff(out, slice_str(text), false);
}

void cli_put_roff_paragraphs(struct buf *out, const char *text) {
    bool literal = false;
    bool paragraph = false;
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        bool as_is = size > 2 && strncmp(text, "  ", 2) == 0;
        if (literal && !as_is) (void)buf_put_str(out, ".EE\n.RE\n");
        if (size == 0) {
            paragraph = true;
        } else if (as_is) {
            if (!literal) (void)buf_put_str(out, ".RS\n.EX\n");
            cli_put_roff(out, slice_of(text + 2, size - 2), false);
            (void)buf_put_char(out, '\n');
            paragraph = false;
        } else {
            if (paragraph) (void)buf_put_str(out, ".PP\n");
            paragraph = false;
            cli_put_roff(out, slice_of(text, size), true);
            (void)buf_put_char(out, '\n');
        }
        literal = as_is;
        text += size + (text[size] == '\n');
    }
    if (literal) (void)buf_put_str(out, ".EE\n.RE\n");
}

/* The name of the page, with hyphens: "hob\-queues\-set". */
static void put_page_name(struct buf *out, const struct cli_command *command, bool upper) {
    (void)buf_put_str(out, upper ? "HOB" : "hob");
    if (command == NULL) return;
    (void)buf_put_str(out, "\\-");
    for (const char *at = command->name; *at != '\0'; at++) {
        bool lower = *at >= 'a' && *at <= 'z';
        if (*at == ' ' || *at == '-') {
            (void)buf_put_str(out, "\\-");
        } else {
            (void)buf_put_char(out, (char)(upper && lower ? *at - ('a' - 'A') : *at));
        }
    }
}

static void put_head(struct buf *out, const struct cli_command *command, const char *summary) {
    (void)buf_put_str(out, ".TH ");
    put_page_name(out, command, true);
    (void)buf_printf(out, " 1 %s \"hob %s\"\n.SH NAME\n", HOB_DATE, HOB_VERSION);
    put_page_name(out, command, false);
    (void)buf_put_str(out, " \\- ");
    cli_put_roff(out, slice_str(summary), true);
    (void)buf_put_str(out, "\n.SH SYNOPSIS\n");
}

static void put_option(struct buf *out, const struct cli_option *option) {
    (void)buf_put_str(out, ".TP\n");
    if (option->letter != 0) (void)buf_printf(out, "\\fB\\-%c\\fR, ", option->letter);
    (void)buf_put_str(out, "\\fB\\-\\-");
    put_string(out, option->name);
    (void)buf_put_str(out, "\\fR");
    const char *value = option->value;
    if (value != NULL && value[0] == '[') {
        (void)buf_put_str(out, "[=\\fI");
        cli_put_roff(out, slice_of(value + 1, strlen(value) - 2), false);
        (void)buf_put_str(out, "\\fR]");
    } else if (value != NULL) {
        (void)buf_put_str(out, " \\fI");
        put_string(out, value);
        (void)buf_put_str(out, "\\fR");
    }
    (void)buf_put_char(out, '\n');
    cli_put_roff(out, slice_str(option->help), true);
    if (option->fallback != NULL && value != NULL) {
        (void)buf_put_str(out, "; default: ");
        cli_put_roff(out, slice_str(option->fallback), true);
    }
    if (option->choices != NULL) {
        (void)buf_put_str(out, ".\nOne of: ");
        cli_put_roff(out, slice_str(option->choices), true);
    }
    (void)buf_put_str(out, ".\n");
}

/* ".TP", the page of each command in @outer (NULL: all), what it does. */
static void put_commands(struct buf *out, const struct cli_command *outer) {
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *command = cli_command_at(i);
        if (outer != NULL && !cli_command_is_inside(command, outer)) continue;
        (void)buf_put_str(out, ".TP\n\\fB");
        put_page_name(out, command, false);
        (void)buf_put_str(out, "\\fR(1)\n");
        put_string(out, command->summary);
        (void)buf_put_str(out, ".\n");
    }
}

static bool has_inside(const struct cli_command *outer) {
    for (size_t i = 0; i < cli_command_count(); i++) {
        if (cli_command_is_inside(cli_command_at(i), outer)) return true;
    }
    return false;
}

static void put_aliases(struct buf *out, const struct cli_command *command) {
    const char *before = ".PP\nOther words for it: \\fB";
    for (size_t i = 0; i < cli_alias_count; i++) {
        const struct cli_alias *alias = &cli_aliases[i];
        if (strcmp(alias->command, command->name) != 0) continue;
        (void)buf_put_str(out, before);
        put_string(out, alias->word);
        (void)buf_put_str(out, "\\fR");
        if (alias->option != NULL) {
            (void)buf_put_str(out, " (with \\fB");
            put_string(out, alias->option);
            (void)buf_put_str(out, "\\fR)");
        }
        before = ", \\fB";
    }
    if (before[0] == ',') (void)buf_put_str(out, ".\n");
}

static void put_examples(struct buf *out, const char *lines) {
    (void)buf_put_str(out, ".SH EXAMPLES\n.EX\n");
    put_string(out, lines);
    (void)buf_put_str(out, ".EE\n");
}

static void put_command_page(struct buf *out, const struct cli_command *command) {
    put_head(out, command, command->summary);
    (void)buf_put_str(out, "\\fBhob ");
    put_string(out, command->name);
    (void
    )buf_put_str(out, command->run == NULL ? "\\fR \\fICOMMAND\\fR\n" : "\\fR [\\fIoption\\fR…] ");
    if (command->run != NULL) {
        put_string(out, command->synopsis);
        if (command->synopsis[0] == '\0') out->size--; /* the space in front of it */
        (void)buf_put_char(out, '\n');
    }
    (void)buf_put_str(out, ".SH DESCRIPTION\n");
    if (command->details == NULL) {
        cli_put_roff(out, slice_str(command->summary), true);
        (void)buf_put_str(out, ".\n");
    } else {
        cli_put_roff_paragraphs(out, command->details);
    }
    put_aliases(out, command);
    if (has_inside(command)) {
        (void)buf_put_str(out, ".SH COMMANDS\n");
        put_commands(out, command);
    }
    (void)buf_put_str(out, ".SH OPTIONS\n");
    for (size_t i = 0; i < cli_option_count(command); i++) {
        put_option(out, cli_option_at(command, i));
    }
    put_option(out, &cli_help_option);
    if (command->examples != NULL) put_examples(out, command->examples);
    (void)buf_put_str(
        out,
        ".SH SEE ALSO\n\\fBhob\\fR(1), for exit status, environment and forms of "
        "values;\n\\fBhob.yaml\\fR(5)\n"
    );
}

static void put_topic(struct buf *out, const struct cli_topic *topic) {
    (void)buf_put_str(out, ".SH ");
    for (const char *at = topic->title; *at != '\0'; at++) {
        (void)buf_put_char(out, (char)(*at >= 'a' && *at <= 'z' ? *at - ('a' - 'A') : *at));
    }
    (void)buf_put_char(out, '\n');
    cli_put_roff_paragraphs(out, topic->text);
}

void cli_put_man(struct buf *out, const struct cli_command *command) {
    if (command != NULL) {
        put_command_page(out, command);
        return;
    }
    put_head(out, NULL, "background jobs: a durable queue, workers, results and logs");
    (void)buf_put_str(out, "\\fBhob\\fR \\fICOMMAND\\fR [\\fIoption\\fR…] [\\fIword\\fR…]\n");
    (void)buf_put_str(out, ".SH DESCRIPTION\n");
    cli_put_roff_paragraphs(
        out,
        "A program pushes a job and goes on. The job waits in a queue on the disk of a server "
        "(`hob serve`), a worker (`hob work`) runs it, and its result and its log are there when "
        "somebody wants them. Nothing that was answered is lost.\n\n"
        "What a command prints on stdout is data, all else goes to stderr. On a terminal rows are "
        "a table with times as people say them; elsewhere they are fields divided by tabs, without "
        "a head and with times of RFC 3339, or JSON with --json."
    );
    (void)buf_put_str(out, ".SH COMMANDS\n");
    put_commands(out, NULL);
    for (size_t i = 0; i < cli_topic_count; i++) put_topic(out, &cli_topics[i]);
    put_examples(
        out,
        "hob serve --data ./data\n"
        "hob work --config worker.yaml\n"
        "hob push default greet '\"you\"' --wait\n"
        "hob ls --state discarded\n"
        "hob logs 1\n"
    );
}
