/* SPDX-License-Identifier: Apache-2.0 */
/* Printing replies: as JSON in the words of the HTTP protocol, as fields for people, as tables. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"

enum { OUT_BYTES_MAX = 256 * 1024 * 1024, CELL_BYTES_MAX = 120, COLUMNS_MAX = 12 };

bool cli_flush(struct buf *out) {
    bool written = fwrite(out->bytes, 1, out->size, stdout) == out->size;
    if (!written) (void)cli_fail(HOB_FAILED, "cannot write the output: %s", strerrordesc_np(errno));
    buf_reset(out);
    return written;
}

static bool key_is(struct slice key, const char *name) {
    return slice_equal(key, slice_str(name));
}

static bool key_is_time(struct slice key) {
    bool ends_at = key.size > 3 && memcmp(key.bytes + key.size - 3, "_at", 3) == 0;
    return ends_at || key_is(key, "at") || key_is(key, "now") || key_is(key, "lease_until") ||
           key_is(key, "paused_until") || key_is(key, "alive_until");
}

static bool key_is_bytes(struct slice key) {
    return key_is(key, "payload") || key_is(key, "result") || key_is(key, "checkpoint");
}

static void put_time_ms(struct buf *out, const struct resp_node *value) {
    (void)text_put_time(out, (hob_ns)value->integer * NS_PER_MS);
}

/* --- JSON --- */

/* A value without anything inside. */
static void put_plain_json(struct json_put *put, struct slice key, const struct resp_node *value) {
    switch (value->type) {
    case RESP_INTEGER:
        if (key_is_time(key)) {
            HOB_AUTO_BUF struct buf time = buf_make(64);
            put_time_ms(&time, value);
            json_put_text(put, buf_slice(&time));
        } else {
            json_put_i64(put, value->integer);
        }
        return;
    case RESP_BOOLEAN:
        json_put_bool(put, value->integer != 0);
        return;
    case RESP_DOUBLE:
        json_put_double(put, value->number);
        return;
    case RESP_NULL:
        json_put_null(put);
        return;
    case RESP_STRING:
    case RESP_FAILURE:
    case RESP_BIG_NUMBER:
        if (key_is_bytes(key)) {
            json_put_bytes(put, key, value->text);
        } else {
            json_put_text(put, value->text);
        }
        return;
    case RESP_ARRAY:
    case RESP_SET:
    case RESP_MAP:
    case RESP_PUSH:
        return;
    }
}

/* A flat walk over the nodes; `ends` says where open aggregates close. */
struct open_json {
    const struct resp_node *end;
    bool is_map;
};

void cli_put_json(struct json_put *put, const struct resp_node *node) {
    struct open_json open[RESP_DEPTH_MAX + 1];
    size_t depth = 0;
    struct slice key = SLICE_NONE;
    const struct resp_node *end = node + node->tree_count;
    for (const struct resp_node *at = node; at < end;) {
        if (depth > 0 && open[depth - 1].is_map) {
            key = at->text;
            json_put_key_slice(put, key);
            at++;
        }
        if (reply_is_aggregate(at)) {
            bool is_map = at->type == RESP_MAP;
            if (is_map) {
                json_put_object(put);
            } else {
                json_put_array(put);
            }
            open[depth++] = (struct open_json){.end = at + at->tree_count, .is_map = is_map};
        } else {
            put_plain_json(put, key, at);
        }
        at++;
        while (depth > 0 && open[depth - 1].end == at) {
            if (open[--depth].is_map) {
                json_put_object_end(put);
            } else {
                json_put_array_end(put);
            }
        }
    }
}

/* --- fields and tables --- */

void cli_put_field(struct buf *out, struct slice key, const struct resp_node *value) {
    switch (value->type) {
    case RESP_INTEGER:
        if (key_is_time(key)) {
            put_time_ms(out, value);
        } else {
            (void)buf_put_i64(out, value->integer);
        }
        return;
    case RESP_BOOLEAN:
        (void)buf_put_str(out, value->integer != 0 ? "yes" : "no");
        return;
    case RESP_NULL:
        return;
    case RESP_STRING:
    case RESP_FAILURE:
    case RESP_BIG_NUMBER:
    case RESP_DOUBLE:
        (void)buf_put_slice(out, value->text);
        return;
    case RESP_ARRAY:
    case RESP_SET:
    case RESP_MAP:
    case RESP_PUSH:
        (void)buf_printf(out, "%u", value->children_count);
        return;
    }
}

/* A cell is one line without control characters, and not endless. */
static void put_cell(struct buf *out, const char *key, const struct resp_node *row, bool cut) {
    const struct resp_node *value = reply_get(row, key);
    if (value == NULL) {
        (void)buf_put_char(out, '-');
        return;
    }
    size_t start = out->size;
    cli_put_field(out, slice_str(key), value);
    if (out->size == start) (void)buf_put_char(out, '-');
    if (cut && out->size - start > CELL_BYTES_MAX) out->size = start + CELL_BYTES_MAX;
    for (size_t i = start; i < out->size; i++) {
        if ((unsigned char)out->bytes[i] < ' ') out->bytes[i] = ' ';
    }
}

static void print_json_rows(struct buf *out, const struct resp_node *rows) {
    const struct resp_node *row = resp_first(rows);
    for (uint32_t i = 0; i < rows->children_count; i++, row = resp_next(row)) {
        struct json_put put = json_put_to(out);
        cli_put_json(&put, row);
        (void)buf_put_char(out, '\n');
    }
}

static void print_tabs(
    struct buf *out, const struct resp_node *rows, const struct cli_column *columns, size_t count
) {
    const struct resp_node *row = resp_first(rows);
    for (uint32_t i = 0; i < rows->children_count; i++, row = resp_next(row)) {
        for (size_t column = 0; column < count; column++) {
            if (column > 0) (void)buf_put_char(out, '\t');
            put_cell(out, columns[column].key, row, false);
        }
        (void)buf_put_char(out, '\n');
    }
}

static void put_padded(struct buf *out, struct slice cell, size_t width, bool last) {
    (void)buf_put_slice(out, cell);
    if (last) {
        (void)buf_put_char(out, '\n');
        return;
    }
    for (size_t i = cell.size; i < width + 2; i++) (void)buf_put_char(out, ' ');
}

static void print_table(
    struct buf *out, const struct resp_node *rows, const struct cli_column *columns, size_t count
) {
    size_t widths[COLUMNS_MAX];
    HOB_AUTO_BUF struct buf cell = buf_make(OUT_BYTES_MAX);
    for (size_t column = 0; column < count; column++) {
        widths[column] = strlen(columns[column].title);
        const struct resp_node *row = resp_first(rows);
        for (uint32_t i = 0; i < rows->children_count; i++, row = resp_next(row)) {
            buf_reset(&cell);
            put_cell(&cell, columns[column].key, row, true);
            if (cell.size > widths[column]) widths[column] = cell.size;
        }
    }
    for (size_t column = 0; column < count; column++) {
        put_padded(out, slice_str(columns[column].title), widths[column], column + 1 == count);
    }
    const struct resp_node *row = resp_first(rows);
    for (uint32_t i = 0; i < rows->children_count; i++, row = resp_next(row)) {
        for (size_t column = 0; column < count; column++) {
            buf_reset(&cell);
            put_cell(&cell, columns[column].key, row, true);
            put_padded(out, buf_slice(&cell), widths[column], column + 1 == count);
        }
    }
}

int cli_print_rows(
    struct cli *cli,
    const struct resp_node *rows,
    const struct cli_column *columns,
    size_t column_count
) {
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    if (cli->json) {
        print_json_rows(&out, rows);
    } else if (isatty(STDOUT_FILENO)) {
        print_table(&out, rows, columns, column_count);
    } else {
        print_tabs(&out, rows, columns, column_count);
    }
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}
