/* SPDX-License-Identifier: Apache-2.0 */
/* Help, out of the table. Asked for, it is data and goes to stdout. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"
#include "cli/cli.h"
#include "cli/print.h"

enum { HELP_BYTES_MAX = 1024 * 1024, OPTION_COLUMN = 26, COMMAND_COLUMN = 20, WIDTH_MAX = 100 };

/* Where help may be wide: lines longer than this are hard to read. */
static size_t help_width(void) {
    struct term term = term_look(NULL);
    return term.columns < WIDTH_MAX ? term.columns : WIDTH_MAX;
}

static void print(struct buf *out) {
    (void)fwrite(out->bytes, 1, out->size, stdout);
    buf_deinit(out);
}

static void put_column(struct buf *out, const char *left, const char *right, size_t column) {
    size_t width = term_width(slice_str(left)) + 2;
    (void)buf_printf(out, "  %s", left);
    if (width + 2 > column) {
        (void)buf_put_char(out, '\n');
        width = 0;
    }
    term_put_filled(out, right, width, column, help_width());
}

/* "-n, --limit N" */
static void put_option(struct buf *out, const struct cli_option *option) {
    char letter[8] = "    ";
    if (option->letter != 0) (void)snprintf(letter, sizeof letter, "-%c, ", option->letter);
    char left[80];
    const char *value = option->value;
    if (value == NULL) {
        (void)snprintf(left, sizeof left, "%s--%s", letter, option->name);
    } else if (value[0] == '[') {
        (void)snprintf(left, sizeof left, "%s--%s[=%s", letter, option->name, value + 1);
    } else {
        (void)snprintf(left, sizeof left, "%s--%s %s", letter, option->name, value);
    }
    char help[400];
    bool told = option->fallback != NULL && value != NULL;
    (void)snprintf(
        help,
        sizeof help,
        "%s%s%s",
        option->help,
        told ? "; default: " : "",
        told ? option->fallback : ""
    );
    put_column(out, left, help, OPTION_COLUMN);
}

static void put_example_lines(struct buf *out, const char *lines) {
    while (*lines != '\0') {
        size_t size = strcspn(lines, "\n");
        (void)buf_printf(out, "  %.*s\n", (int)size, lines);
        lines += size + (lines[size] == '\n');
    }
}

static void put_commands(struct buf *out, const struct cli_command *outer) {
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *command = cli_command_at(i);
        if (!cli_command_is_inside(command, outer)) continue;
        put_column(out, command->name, command->summary, COMMAND_COLUMN);
    }
}

static bool has_inside(const struct cli_command *outer) {
    for (size_t i = 0; i < cli_command_count(); i++) {
        if (cli_command_is_inside(cli_command_at(i), outer)) return true;
    }
    return false;
}

static const struct cli_alias *next_alias(const struct cli_command *command, size_t *at) {
    for (; *at < cli_alias_count; ++*at) {
        const struct cli_alias *alias = &cli_aliases[*at];
        if (strcmp(alias->command, command->name) == 0) return &cli_aliases[(*at)++];
    }
    return NULL;
}

static void put_aliases(struct buf *out, const struct cli_command *command) {
    size_t at = 0;
    const char *before = "\nOther words for it: ";
    const struct cli_alias *alias = NULL;
    while ((alias = next_alias(command, &at)) != NULL) {
        (void)buf_printf(out, "%s%s", before, alias->word);
        if (alias->option != NULL) (void)buf_printf(out, " (with %s)", alias->option);
        before = ", ";
    }
    if (before[0] == ',') (void)buf_put_char(out, '\n');
}

void cli_help_command(const struct cli_command *command) {
    struct buf out = buf_make(HELP_BYTES_MAX);
    size_t width = help_width();
    (void)buf_printf(&out, "hob %s", command->name);
    if (command->run != NULL) (void)buf_put_str(&out, " [option…]");
    if (command->synopsis[0] != '\0') (void)buf_printf(&out, " %s", command->synopsis);
    (void)buf_printf(&out, "\n    %s\n", command->summary);
    if (command->examples != NULL) {
        (void)buf_put_char(&out, '\n');
        put_example_lines(&out, command->examples);
    }
    if (command->details != NULL) {
        (void)buf_put_char(&out, '\n');
        term_put_filled(&out, command->details, 0, 0, width);
    }
    if (has_inside(command)) {
        (void)buf_put_str(&out, "\nCommands\n");
        put_commands(&out, command);
    }
    (void)buf_put_str(&out, "\nOptions\n");
    for (size_t i = 0; i < cli_option_count(command); i++) {
        put_option(&out, cli_option_at(command, i));
    }
    put_option(&out, &cli_help_option);
    put_aliases(&out, command);
    print(&out);
}

#define EXAMPLES                                                             \
    "  hob serve --data ./data                 a server on 127.0.0.1:4620\n" \
    "  hob work --config worker.yaml           a worker for it\n"            \
    "  hob push default greet '\"you\"' --wait   a job, and its result\n"    \
    "  hob ls                                  what became of it\n"          \
    "  hob logs 1                              what it said\n"

void cli_help_short(void) {
    struct buf out = buf_make(HELP_BYTES_MAX);
    size_t width = help_width();
    (void)buf_put_str(
        &out, "hob: background jobs. Push one and go on; a worker runs it.\n\n" EXAMPLES "\n"
    );
    for (size_t i = 0; i < cli_group_count; i++) {
        const struct cli_group *group = cli_groups[i];
        char names[400] = "";
        size_t size = 0;
        for (size_t k = 0; k < group->count; k++) {
            if (strchr(group->rows[k].name, ' ') != NULL) continue;
            int put = snprintf(names + size, sizeof names - size, "%s ", group->rows[k].name);
            if (put > 0 && (size_t)put < sizeof names - size) size += (size_t)put;
        }
        put_column(&out, group->title, names, 22);
    }
    term_put_filled(
        &out, "\n`hob help` tells of all of them, `hob help COMMAND` of one.\n", 0, 0, width
    );
    print(&out);
}

void cli_help_all(void) {
    struct buf out = buf_make(HELP_BYTES_MAX);
    (void
    )buf_put_str(&out, "hob: background jobs. Push one and go on; a worker runs it.\n\n" EXAMPLES);
    for (size_t i = 0; i < cli_group_count; i++) {
        (void)buf_printf(&out, "\n%s\n", cli_groups[i]->title);
        for (size_t k = 0; k < cli_groups[i]->count; k++) {
            const struct cli_command *command = &cli_groups[i]->rows[k];
            put_column(&out, command->name, command->summary, COMMAND_COLUMN);
        }
    }
    (void)buf_put_str(&out, "\nTopics\n");
    for (size_t i = 0; i < cli_topic_count; i++) {
        put_column(&out, cli_topics[i].name, cli_topics[i].title, COMMAND_COLUMN);
    }
    (void
    )buf_put_str(&out, "\n`hob help COMMAND` tells more of each. The guide is in doc/guide.\n");
    print(&out);
}

static const struct cli_topic *find_topic(const char *name) {
    for (size_t i = 0; i < cli_topic_count; i++) {
        if (strcmp(cli_topics[i].name, name) == 0) return &cli_topics[i];
    }
    return NULL;
}

static const char *nearest_topic(const char *word) {
    const char *names[20];
    hob_assert(cli_topic_count <= hob_countof(names));
    for (size_t i = 0; i < cli_topic_count; i++) names[i] = cli_topics[i].name;
    return nearest_word(slice_str(word), names, cli_topic_count);
}

static int help_topic(const struct cli_topic *topic) {
    struct buf out = buf_make(HELP_BYTES_MAX);
    (void)buf_printf(&out, "%s\n\n", topic->title);
    term_put_filled(&out, topic->text, 0, 0, help_width());
    print(&out);
    return 0;
}

/* --- pages of the manual --- */

#define CONFIG_PAGE "hob.yaml" /* of section 5 */

/* "hob-queues-set.1" */
static void page_name(const struct cli_command *command, char *name, size_t size) {
    int put = command == NULL ? snprintf(name, size, "hob.1")
                              : snprintf(name, size, "hob-%s.1", command->name);
    hob_assert(put > 0 && (size_t)put < size);
    for (char *at = name; *at != '\0'; at++) {
        if (*at == ' ') *at = '-';
    }
}

static int write_page(const char *folder, const char *name, const struct buf *page) {
    HOB_AUTO_BUF struct buf path = buf_make(8192);
    (void)buf_printf(&path, "%s/%s", folder, name);
    (void)buf_put_char(&path, '\0');
    FILE *file = path.overflowed ? NULL : fopen(path.bytes, "wbe");
    bool written = file != NULL && fwrite(page->bytes, 1, page->size, file) == page->size;
    int os_errno = errno;
    if (file != NULL && fclose(file) != 0) written = false;
    if (written) return 0;
    return cli_fail(HOB_FAILED, "cannot write %s: %s", path.bytes, strerrordesc_np(os_errno));
}

static int write_command_page(const char *folder, const struct cli_command *command) {
    char name[80];
    page_name(command, name, sizeof name);
    HOB_AUTO_BUF struct buf page = buf_make(HELP_BYTES_MAX);
    cli_put_man(&page, command);
    return write_page(folder, name, &page);
}

static int write_pages(const char *folder) {
    HOB_AUTO_BUF struct buf config = buf_make(HELP_BYTES_MAX);
    cli_put_config_man(&config);
    int code = write_page(folder, CONFIG_PAGE ".5", &config);
    if (code == 0) code = write_command_page(folder, NULL);
    for (size_t i = 0; i < cli_command_count() && code == 0; i++) {
        code = write_command_page(folder, cli_command_at(i));
    }
    return code;
}

static int print_config_page(void) {
    struct buf out = buf_make(HELP_BYTES_MAX);
    cli_put_config_man(&out);
    print(&out);
    return 0;
}

static int print_page(const struct cli_command *command) {
    struct buf out = buf_make(HELP_BYTES_MAX);
    cli_put_man(&out, command);
    print(&out);
    return 0;
}

int cmd_help(struct cli *cli) {
    const char *folder = cli_value(cli, "man-dir");
    bool man = cli_has(cli, "man");
    if (folder != NULL) return write_pages(folder);
    if (cli->arg_count == 0) {
        if (man) return print_page(NULL);
        cli_help_all();
        return 0;
    }
    if (man && cli->arg_count == 1 && strcmp(cli->args[0], CONFIG_PAGE) == 0) {
        return print_config_page();
    }
    const struct cli_topic *topic = find_topic(cli->args[0]);
    if (topic != NULL && cli->arg_count == 1 && !man) return help_topic(topic);
    const char *second = cli->arg_count == 2 ? cli->args[1] : NULL;
    size_t used = 0;
    const struct cli_command *command = cli_command_pick(cli->args[0], second, &used);
    if (command == NULL || used < cli->arg_count) {
        const char *word = cli->args[command == NULL ? 0 : 1];
        const char *near = cli_command_nearest(word, command);
        if (near == NULL && command == NULL) near = nearest_topic(word);
        return cli_usage(
            cli,
            "there is no command or topic `%s`%s%s%s",
            word,
            near == NULL ? "" : "; did you mean `",
            near == NULL ? "" : near,
            near == NULL ? "" : "`?"
        );
    }
    if (man) return print_page(command);
    cli_help_command(command);
    return 0;
}
