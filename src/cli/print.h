/* SPDX-License-Identifier: Apache-2.0 */
/* Printing replies: as JSON in the words of the HTTP protocol, as fields for people, as rows. */
#ifndef HOB_CLI_PRINT_H
#define HOB_CLI_PRINT_H

#include "base/json_put.h"
#include "base/time.h"
#include "cli/cli.h"

/** Print to stdout what was gathered; false and told when stdout takes no more. */
bool cli_flush(struct buf *out);

/** A map, array or value as JSON, as HTTP has it: ids are strings, times RFC 3339. */
void cli_put_json(struct json_put *put, const struct resp_node *node);

/** The value of a field as it is: times in UTC by RFC 3339, bytes as they are. */
void cli_put_field(struct buf *out, struct slice key, const struct resp_node *value);

/** Does a field of this name hold a point in time (unix ms)? */
bool cli_key_is_time(struct slice key);

/** A point in time as people say it: "3 min ago", "in 2 h"; far away the date. */
void cli_put_when(struct buf *out, hob_ns at, hob_ns now);

/** A span as people say it, in its two largest units: "3 h 12 min". */
void cli_put_span(struct buf *out, hob_ns span);

/** A number with its thousands divided: "1,234,567". */
void cli_put_count(struct buf *out, uint64_t count);

/** Bytes as people say them: "12.3 MiB". */
void cli_put_bytes(struct buf *out, uint64_t bytes);

/* --- rows: maps with the same keys --- */

enum cli_column_kind {
    COLUMN_TEXT, /* cut when the terminal is narrow */
    COLUMN_WORD, /* never cut */
    COLUMN_NUMBER,
    COLUMN_STATE,  /* a word in the colour of the state */
    COLUMN_ALIVE,  /* a word; where there is none, who it is of is gone */
    COLUMN_SPARSE, /* as text; left out of a table in which all rows are without it */
    COLUMN_COUNT,  /* as a number; left out of a table in which all rows have 0 */
};

struct cli_column {
    const char *key;
    const char *title;
    enum cli_column_kind kind;
};

enum { CLI_COLUMNS_MAX = 24 };

/**
 * Put @rows (an array of maps) as the command's options say: a table under a head, fields divided
 * by tabs, JSON, or only the first column. --columns goes before @columns; its names are those of
 * fields. False: a wrong --columns, told.
 */
bool cli_put_rows(
    struct cli *cli,
    struct buf *out,
    const struct resp_node *rows,
    const struct cli_column *columns,
    size_t column_count
);

/** As above, to stdout; the head only before the first rows of this command. An exit code. */
int cli_print_rows(
    struct cli *cli,
    const struct resp_node *rows,
    const struct cli_column *columns,
    size_t column_count
);

/** One map, printed field by field; an exit code. */
int cli_print_json(const struct resp_node *node);

/** Is it known that there is no such queue? What is no single name is not looked for. */
bool cli_queue_is_missing(struct cli *cli, const char *queue);

/** Say on stderr when the queue of --queue is not there, perhaps a typo. */
void cli_warn_no_queue(struct cli *cli);

/**
 * Warn on stderr of kinds that no live worker runs.
 *
 * @rows         as UNSERVED answers
 * @queue, @kind only of these; NULL: any
 */
void cli_warn_unserved(const struct resp_node *rows, const char *queue, const char *kind);

/** The style of a job's state. */
enum term_style cli_state_style(struct slice state);

#endif
