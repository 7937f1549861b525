/* SPDX-License-Identifier: Apache-2.0 */
/* Replies as JSON in the words of the HTTP protocol, and as fields. */
#include "cli/print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { OUT_BYTES_MAX = 256 * 1024 * 1024 };

bool cli_flush(struct buf *out) {
    bool written = fwrite(out->bytes, 1, out->size, stdout) == out->size;
    if (!written) (void)cli_fail(HOB_FAILED, "cannot write the output: %s", strerrordesc_np(errno));
    buf_reset(out);
    return written;
}

static bool key_is(struct slice key, const char *name) {
    return slice_equal(key, slice_str(name));
}

bool cli_key_is_time(struct slice key) {
    bool ends_at = key.size > 3 && memcmp(key.bytes + key.size - 3, "_at", 3) == 0;
    return ends_at || key_is(key, "at") || key_is(key, "now") || key_is(key, "lease_until") ||
           key_is(key, "until") || key_is(key, "paused_until") || key_is(key, "alive_until");
}

/* Fields whose bytes are shown as JSON where they are JSON. */
static bool key_is_bytes(struct slice key) {
    return key_is(key, "payload") || key_is(key, "result") || key_is(key, "checkpoint") ||
           key_is(key, "headers") || key_is(key, "on_done");
}

static void put_time_ms(struct buf *out, const struct resp_node *value) {
    (void)text_put_time(out, (hob_ns)value->integer * NS_PER_MS);
}

/* --- JSON --- */

/* A value without anything inside. */
static void put_plain_json(struct json_put *put, struct slice key, const struct resp_node *value) {
    switch (value->type) {
    case RESP_INTEGER:
        if (cli_key_is_time(key)) {
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

/* Words with commas between. */
static void put_words(struct buf *out, const struct resp_node *list) {
    const struct resp_node *item = resp_first(list);
    for (uint32_t i = 0; i < list->children_count; i++, item = resp_next(item)) {
        if (i > 0) (void)buf_put_char(out, ',');
        (void)buf_put_slice(out, item->text);
    }
}

void cli_put_field(struct buf *out, struct slice key, const struct resp_node *value) {
    switch (value->type) {
    case RESP_INTEGER:
        if (cli_key_is_time(key)) {
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
        put_words(out, value);
        return;
    case RESP_SET:
    case RESP_MAP:
    case RESP_PUSH:
        (void)buf_printf(out, "%u", value->children_count);
        return;
    }
}

int cli_print_json(const struct resp_node *node) {
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    struct json_put put = json_put_to(&out);
    cli_put_json(&put, node);
    (void)buf_put_char(&out, '\n');
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}
