/* SPDX-License-Identifier: Apache-2.0 */
/* Rows, as a table for people or in forms for programs.
 *
 * A table has the width of the terminal: when its columns want more, the widest of those that may
 * be cut give way, one column at a time, down to COLUMN_MIN. Cells are gathered once, one after the
 * other in a buffer, with the place where each ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/print.h"
#include "os/clock.h"

enum {
    OUT_BYTES_MAX = 256 * 1024 * 1024,
    CELL_BYTES_MAX = 400, /* in a table */
    COLUMN_MIN = 8,
    GAP = 2,
};

struct table {
    struct cli *cli;
    struct cli_column columns[CLI_COLUMNS_MAX];
    size_t count;
    size_t widths[CLI_COLUMNS_MAX];
    bool filled[CLI_COLUMNS_MAX]; /* some row has a value */
    const struct resp_node *rows;
    struct buf cells;
    size_t *ends; /* of each cell in `cells`, row by row */
    hob_ns now;
};

enum term_style cli_state_style(struct slice state) {
    static const struct {
        const char *state;
        enum term_style style;
    } styles[] = {
        {"running", STYLE_BUSY},
        {"completed", STYLE_GOOD},
        {"discarded", STYLE_BAD},
        {"retryable", STYLE_WARN},
        {"scheduled", STYLE_LATER},
        {"blocked", STYLE_LATER},
        {"cancelled", STYLE_DIM},
    };
    for (size_t i = 0; i < hob_countof(styles); i++) {
        if (slice_equal(state, slice_str(styles[i].state))) return styles[i].style;
    }
    return STYLE_PLAIN;
}

/* --- columns --- */

static bool columns_of_option(struct table *table, const char *names) {
    table->count = 0;
    for (const char *at = names;;) {
        size_t size = strcspn(at, ",");
        if (size == 0 || table->count == CLI_COLUMNS_MAX) {
            table->cli->exit_code = cli_usage(
                table->cli,
                "--columns: wanted are 1 to %d names, divided by commas",
                CLI_COLUMNS_MAX
            );
            return false;
        }
        struct cli_column *column = &table->columns[table->count++];
        /* The names point into the option, so they are not terminated: found by their size. */
        *column = (struct cli_column){.key = at, .title = at, .kind = COLUMN_TEXT};
        if (at[size] == '\0') return true;
        at += size + 1;
    }
}

static struct slice column_name(const char *name) {
    return slice_of(name, strcspn(name, ","));
}

static bool
choose_columns(struct table *table, const struct cli_column *columns, size_t column_count) {
    hob_assert(column_count <= CLI_COLUMNS_MAX);
    const char *names = cli_value(table->cli, "columns");
    if (names != NULL) return columns_of_option(table, names);
    table->count = table->cli->quiet ? 1 : column_count;
    memcpy(table->columns, columns, table->count * sizeof *columns);
    return true;
}

static const struct resp_node *
cell_of(const struct table *table, const struct resp_node *row, size_t column) {
    const struct resp_node *value = resp_node_get(row, column_name(table->columns[column].key));
    return reply_is_set(value) ? value : NULL;
}

static const char *none_of(const struct table *table, size_t column) {
    return table->columns[column].kind == COLUMN_ALIVE ? "gone" : "-";
}

/* --- forms for programs --- */

static void put_json_rows(struct buf *out, const struct resp_node *rows) {
    const struct resp_node *row = resp_first(rows);
    for (uint32_t i = 0; i < rows->children_count; i++, row = resp_next(row)) {
        struct json_put put = json_put_to(out);
        cli_put_json(&put, row);
        (void)buf_put_char(out, '\n');
    }
}

/* What divides fields and rows is not in them. */
static void
put_tab_cell(struct buf *out, struct slice key, const struct resp_node *value, const char *none) {
    size_t start = out->size;
    if (value != NULL) cli_put_field(out, key, value);
    if (out->size == start) (void)buf_put_str(out, none);
    for (size_t i = start; i < out->size; i++) {
        if ((unsigned char)out->bytes[i] < ' ') out->bytes[i] = ' ';
    }
}

static void put_tabs(struct buf *out, const struct table *table) {
    const struct resp_node *row = resp_first(table->rows);
    for (uint32_t i = 0; i < table->rows->children_count; i++, row = resp_next(row)) {
        for (size_t column = 0; column < table->count; column++) {
            if (column > 0) (void)buf_put_char(out, '\t');
            struct slice key = column_name(table->columns[column].key);
            put_tab_cell(out, key, cell_of(table, row, column), none_of(table, column));
        }
        (void)buf_put_char(out, '\n');
    }
}

/* --- the table --- */

static void gather_cell(struct table *table, size_t column, const struct resp_node *value) {
    HOB_AUTO_BUF struct buf cell = buf_make(OUT_BYTES_MAX);
    struct slice key = column_name(table->columns[column].key);
    if (value != NULL && value->type == RESP_INTEGER && cli_key_is_time(key)) {
        cli_put_when(&cell, (hob_ns)value->integer * NS_PER_MS, table->now);
    } else if (value != NULL) {
        cli_put_field(&cell, key, value);
    }
    bool is_zero = cell.size == 1 && cell.bytes[0] == '0';
    bool counts = table->columns[column].kind == COLUMN_COUNT;
    if (cell.size > 0 && !(counts && is_zero)) table->filled[column] = true;
    if (cell.size == 0) (void)buf_put_str(&cell, none_of(table, column));
    if (cell.size > CELL_BYTES_MAX) cell.size = CELL_BYTES_MAX;
    size_t start = table->cells.size;
    term_put_safe(&table->cells, buf_slice(&cell), true);
    struct slice put = slice_of(table->cells.bytes + start, table->cells.size - start);
    size_t width = term_width(put);
    if (width > table->widths[column]) table->widths[column] = width;
}

static void gather(struct table *table) {
    size_t cells = table->rows->children_count * table->count;
    table->ends = calloc(cells + 1, sizeof *table->ends);
    hob_assert(table->ends != NULL);
    size_t at = 0;
    const struct resp_node *row = resp_first(table->rows);
    for (uint32_t i = 0; i < table->rows->children_count; i++, row = resp_next(row)) {
        for (size_t column = 0; column < table->count; column++) {
            gather_cell(table, column, cell_of(table, row, column));
            table->ends[++at] = table->cells.size;
        }
    }
}

static bool is_shown(const struct table *table, size_t column) {
    enum cli_column_kind kind = table->columns[column].kind;
    return (kind != COLUMN_SPARSE && kind != COLUMN_COUNT) || table->filled[column];
}

static bool may_shrink(const struct table *table, size_t column) {
    enum cli_column_kind kind = table->columns[column].kind;
    return (kind == COLUMN_TEXT || kind == COLUMN_SPARSE) && table->widths[column] > COLUMN_MIN;
}

static size_t table_width(const struct table *table) {
    size_t total = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (is_shown(table, i)) total += table->widths[i] + (total > 0 ? GAP : 0);
    }
    return total;
}

/* Take columns from the widest until the table fits, or until none can give way. */
static void shrink(struct table *table) {
    size_t total = table_width(table);
    for (; total > table->cli->term.columns; total--) {
        size_t widest = table->count;
        for (size_t i = 0; i < table->count; i++) {
            if (!is_shown(table, i) || !may_shrink(table, i)) continue;
            if (widest == table->count || table->widths[i] >= table->widths[widest]) widest = i;
        }
        if (widest == table->count) return;
        table->widths[widest]--;
    }
}

static bool is_number(const struct table *table, size_t column) {
    enum cli_column_kind kind = table->columns[column].kind;
    return kind == COLUMN_NUMBER || kind == COLUMN_COUNT;
}

static void put_gap(struct buf *out) {
    for (int i = 0; i < GAP; i++) (void)buf_put_char(out, ' ');
}

/* Spaces at the end of a line are of no use to anybody. */
static void end_line(struct buf *out) {
    while (out->size > 0 && out->bytes[out->size - 1] == ' ') out->size--;
    (void)buf_put_char(out, '\n');
}

static void put_title(struct buf *out, const struct table *table) {
    const struct term *term = &table->cli->term;
    HOB_AUTO_BUF struct buf line = buf_make(OUT_BYTES_MAX);
    for (size_t i = 0, shown = 0; i < table->count; i++) {
        if (!is_shown(table, i)) continue;
        if (shown++ > 0) put_gap(&line);
        struct slice title = column_name(table->columns[i].title);
        term_put_padded(&line, title, table->widths[i], is_number(table, i));
    }
    end_line(&line);
    line.size--;
    term_put_styled(out, term, STYLE_BOLD, buf_slice(&line));
    (void)buf_put_char(out, '\n');
}

static void put_line(struct buf *out, const struct table *table, const size_t *ends) {
    for (size_t i = 0, shown = 0; i < table->count; i++) {
        if (!is_shown(table, i)) continue;
        if (shown++ > 0) put_gap(out);
        struct slice cell = slice_of(table->cells.bytes + ends[i], ends[i + 1] - ends[i]);
        enum cli_column_kind kind = table->columns[i].kind;
        HOB_AUTO_BUF struct buf padded = buf_make(OUT_BYTES_MAX);
        term_put_padded(&padded, cell, table->widths[i], is_number(table, i));
        enum term_style style = kind == COLUMN_STATE ? cli_state_style(cell) : STYLE_PLAIN;
        term_put_styled(out, &table->cli->term, style, buf_slice(&padded));
    }
    end_line(out);
}

static void put_table(struct buf *out, struct table *table) {
    for (size_t i = 0; i < table->count; i++) {
        table->widths[i] = term_width(column_name(table->columns[i].title));
    }
    gather(table);
    shrink(table);
    /* What still does not fit is left out from the right: wrapped lines cannot be read at all. */
    size_t stride = table->count;
    while (table->count > 1 && table_width(table) > table->cli->term.columns) table->count--;
    if (!table->cli->titled && !table->cli->quiet) put_title(out, table);
    table->cli->titled = true;
    for (size_t i = 0; i < table->rows->children_count; i++) {
        put_line(out, table, table->ends + i * stride);
    }
    free(table->ends);
}

bool cli_put_rows(
    struct cli *cli,
    struct buf *out,
    const struct resp_node *rows,
    const struct cli_column *columns,
    size_t column_count
) {
    struct table table = {
        .cli = cli, .rows = rows, .cells = buf_make(OUT_BYTES_MAX), .now = clock_wall()};
    if (!choose_columns(&table, columns, column_count)) return false;
    if (cli->form == FORM_JSON && !cli->quiet) {
        put_json_rows(out, rows);
    } else if (cli->form == FORM_TABLE && !cli->quiet) {
        put_table(out, &table);
    } else {
        put_tabs(out, &table);
    }
    buf_deinit(&table.cells);
    return true;
}

int cli_print_rows(
    struct cli *cli,
    const struct resp_node *rows,
    const struct cli_column *columns,
    size_t column_count
) {
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    if (!cli_put_rows(cli, &out, rows, columns, column_count)) return cli->exit_code;
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}
