/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the command line: one row for each command, one for each of its options. Parsing,
 * suggestions, help, man pages and completion come from it, and from nothing else.
 *
 * To add a command: a row in the table of its group (table_*.c), a function in a cmd_*.c, a page or
 * a paragraph in doc/guide. A command of two words ("queues set") is a row like any other; its
 * first word may be a command of its own, or one without `run`, which only heads the others. */
#ifndef HOB_CLI_COMMAND_H
#define HOB_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"

enum {
    CLI_OPTIONS_MAX = 48, /* of one command, with the common ones */
    CLI_LISTS_MAX = 6,
    CLI_COMPLETES_MAX = 3,
    CLI_COMMANDS_MAX = 100,
};

/* What completion offers for a value. */
enum cli_completes {
    COMPLETES_NOTHING,
    COMPLETES_FILES,
    COMPLETES_DIRECTORIES,
    COMPLETES_COMMANDS,
    COMPLETES_SHELLS,
    /* asked from the server: */
    COMPLETES_QUEUES,
    COMPLETES_KINDS,
    COMPLETES_JOBS,
    COMPLETES_WORKERS,
    COMPLETES_LIMITERS,
};

struct cli_option {
    const char *name;     /* without the dashes */
    char letter;          /* -n; 0: none */
    const char *value;    /* what follows it, for help; NULL: nothing; "[X]": only as --name=X */
    const char *help;     /* a phrase without capital and full stop */
    const char *fallback; /* what holds without it, as help tells it; NULL: nothing is told */
    const char *word;     /* for commands that send their options on: the word of the protocol */
    const char *choices;  /* the only words that are allowed, divided by spaces; NULL: any */
    bool list;            /* several values, divided by commas; `word` is sent with each */
    enum cli_completes completes;
};

struct cli_options {
    const struct cli_option *rows;
    size_t count;
};
#define CLI_LIST(rows) \
    { rows, hob_countof(rows) }

struct cli;

struct cli_command {
    const char *name;     /* one word or two */
    const char *synopsis; /* what follows the name */
    const char *summary;  /* a phrase without capital and full stop */
    const char *details;  /* paragraphs, divided by empty lines; may be NULL */
    const char *examples; /* lines of a shell, as they are typed; may be NULL */
    const struct cli_options *lists[CLI_LISTS_MAX];
    size_t args_min;
    size_t args_max;
    enum cli_completes completes[CLI_COMPLETES_MAX]; /* by argument; the last one holds on */
    int (*run)(struct cli *cli);                     /* NULL: it only heads others */
};

struct cli_group {
    const char *title;
    const struct cli_command *rows;
    size_t count;
};

/* Another word for a command, with an option that it stands for or NULL. */
struct cli_alias {
    const char *word;
    const char *command;
    const char *option;
};

/* A text of the manual that belongs to no single command. */
struct cli_topic {
    const char *name;
    const char *title;
    const char
        *text; /* as `details` of a command; lines with two spaces in front stay as they are */
};

/* --- the tables --- */

extern const struct cli_group *const cli_groups[];
extern const size_t cli_group_count;
extern const struct cli_group cli_job_group;     /* table_jobs.c */
extern const struct cli_group cli_queue_group;   /* table_queues.c */
extern const struct cli_group cli_limit_group;   /* table_limits.c */
extern const struct cli_group cli_server_group;  /* table_server.c */
extern const struct cli_group cli_door_group;    /* table_door.c */
extern const struct cli_group cli_journal_group; /* table_journal.c */
extern const struct cli_group cli_self_group;    /* table_self.c */
extern const struct cli_alias cli_aliases[];
extern const size_t cli_alias_count;
extern const struct cli_topic cli_topics[];
extern const size_t cli_topic_count;

/* Options that many commands share. */
extern const struct cli_options cli_server_options; /* where the server is */
extern const struct cli_options cli_print_options;  /* one thing is printed: --json --color */
extern const struct cli_options cli_row_options;    /* rows are printed: also --quiet --columns */
extern const struct cli_options cli_watch_options;  /* rows are looked at again and again */
extern const struct cli_options cli_filter_options; /* which jobs */
extern const struct cli_options cli_reason_options; /* who does it to them, and why */
extern const struct cli_option cli_help_option;

/* --- reading them --- */

size_t cli_command_count(void);
/** In the order in which help shows them. */
const struct cli_command *cli_command_at(size_t index);

/** The command with this whole name, or NULL. */
const struct cli_command *cli_command_find(const char *name);

/** The command of @first, or of @first and @second (which may be NULL); *ret_words says which. */
const struct cli_command *
cli_command_pick(const char *first, const char *second, size_t *ret_words);

/** Is @inner a command of two words whose first one is @outer? */
bool cli_command_is_inside(const struct cli_command *inner, const struct cli_command *outer);

/** How many options it has, --help not among them. */
size_t cli_option_count(const struct cli_command *command);
/** Of all its lists, one after the other. */
const struct cli_option *cli_option_at(const struct cli_command *command, size_t index);

/**
 * The nearest command, when one is near; else NULL. @inside: a command whose second words count.
 */
const char *cli_command_nearest(const char *word, const struct cli_command *inside);

#endif
