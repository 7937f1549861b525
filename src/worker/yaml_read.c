/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml's document tree, walked by tables of keys. Only as deep as the tables go: an alias that
 * refers to its own parent is met as a node of the wrong type. */
#include "worker/yaml_read.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/buf.h"
#include "worker/nearest.h"

enum { KEYS_MAX = 32 };

static enum hob_status parser_fail(const struct yaml_read *read, const yaml_parser_t *parser) {
    return fail(
        read->err,
        HOB_CONFIG,
        "%s:%zu:%zu: not YAML: %s%s%s",
        read->name,
        parser->problem_mark.line + 1,
        parser->problem_mark.column + 1,
        parser->problem == NULL ? "cannot be read" : parser->problem,
        parser->context == NULL ? "" : " ",
        parser->context == NULL ? "" : parser->context
    );
}

enum hob_status yaml_read_open(
    struct yaml_read *read, const char *name, struct slice bytes, struct hob_error *err
) {
    *read = (struct yaml_read){.name = name, .err = err};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return fail(err, HOB_NO_MEMORY, "%s", name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes.bytes, bytes.size);
    enum hob_status status = HOB_OK;
    if (!yaml_parser_load(&parser, &read->document)) {
        status = parser_fail(read, &parser);
    } else {
        yaml_document_t second;
        if (!yaml_parser_load(&parser, &second)) {
            status = parser_fail(read, &parser);
        } else {
            const yaml_node_t *node = yaml_document_get_root_node(&second);
            if (node != NULL) status = yaml_read_fail(read, node, "only one document is allowed");
            yaml_document_delete(&second);
        }
        if (status != HOB_OK) yaml_document_delete(&read->document);
    }
    yaml_parser_delete(&parser);
    return status;
}

void yaml_read_close(struct yaml_read *read) {
    yaml_document_delete(&read->document);
}

yaml_node_t *yaml_read_root(struct yaml_read *read) {
    return yaml_document_get_root_node(&read->document);
}

yaml_node_t *yaml_read_node(struct yaml_read *read, int number) {
    yaml_node_t *node = yaml_document_get_node(&read->document, number);
    hob_assert(node != NULL);
    return node;
}

enum hob_status
yaml_read_fail(struct yaml_read *read, const yaml_node_t *node, const char *format, ...) {
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size < 0) text[0] = '\0';
    size_t line = node->start_mark.line + 1;
    size_t column = node->start_mark.column + 1;
    return fail(read->err, HOB_CONFIG, "%s:%zu:%zu: %s", read->name, line, column, text);
}

static struct slice scalar(const yaml_node_t *node) {
    return slice_of(node->data.scalar.value, node->data.scalar.length);
}

enum hob_status yaml_read_text(
    struct yaml_read *read, const yaml_node_t *node, const char *wanted, struct slice *ret_text
) {
    if (node->type != YAML_SCALAR_NODE) return yaml_read_fail(read, node, "wanted: %s", wanted);
    struct slice text = scalar(node);
    if (memchr(text.bytes, '\0', text.size) != NULL) {
        return yaml_read_fail(read, node, "a zero byte is not allowed here");
    }
    *ret_text = text;
    return HOB_OK;
}

static enum hob_status unknown_key(
    struct yaml_read *read,
    const yaml_node_t *key,
    const char *what,
    const struct yaml_key *keys,
    size_t key_count
) {
    const char *names[KEYS_MAX];
    HOB_AUTO_BUF struct buf allowed = buf_make(200);
    for (size_t i = 0; i < key_count; i++) {
        names[i] = keys[i].name;
        (void)buf_printf(&allowed, "%s%s", i == 0 ? "" : ", ", keys[i].name);
    }
    struct slice name = scalar(key);
    const char *meant = nearest_word(name, names, key_count);
    return yaml_read_fail(
        read,
        key,
        "unknown key `%.*s` in %s%s%s%s; allowed: %.*s",
        name.size > 40 ? 40 : (int)name.size,
        name.bytes,
        what,
        meant == NULL ? "" : "; did you mean `",
        meant == NULL ? "" : meant,
        meant == NULL ? "" : "`?",
        SLICE_ARG(buf_slice(&allowed))
    );
}

static size_t key_find(struct slice name, const struct yaml_key *keys, size_t key_count) {
    size_t at = 0;
    while (at < key_count && !slice_equal(name, slice_str(keys[at].name))) at++;
    return at;
}

enum hob_status yaml_read_map(
    struct yaml_read *read,
    yaml_node_t *map,
    const char *what,
    const struct yaml_key *keys,
    size_t key_count,
    void *into
) {
    hob_assert(key_count <= KEYS_MAX);
    if (map->type != YAML_MAPPING_NODE) {
        return yaml_read_fail(read, map, "%s is written as `key: value` lines", what);
    }
    bool seen[KEYS_MAX] = {false};
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top;
         pair++) {
        yaml_node_t *key = yaml_read_node(read, pair->key);
        if (key->type != YAML_SCALAR_NODE) return yaml_read_fail(read, key, "a key is a word");
        size_t at = key_find(scalar(key), keys, key_count);
        if (at == key_count) return unknown_key(read, key, what, keys, key_count);
        if (seen[at]) return yaml_read_fail(read, key, "`%s` is here twice", keys[at].name);
        seen[at] = true;
        enum hob_status status = keys[at].read(read, yaml_read_node(read, pair->value), into);
        if (status != HOB_OK) return status;
    }
    for (size_t i = 0; i < key_count; i++) {
        if (keys[i].required && !seen[i]) {
            return yaml_read_fail(read, map, "%s needs the key `%s`", what, keys[i].name);
        }
    }
    return HOB_OK;
}
