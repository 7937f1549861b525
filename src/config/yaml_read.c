/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml's document tree, walked by tables of keys. yaml_guard has seen the text before: the tree
 * is one, small, and has no node twice. */
#include "config/yaml_read.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/nearest.h"
#include "base/text.h"
#include "config/yaml_guard.h"

enum { KEYS_MAX = 64, PAIRS_MAX = 1000 };

enum hob_status yaml_read_open(struct yaml_read *read, struct slice bytes) {
    if (bytes.size > YAML_BYTES_MAX) {
        return report_error(read->report, read->name, "more than 1 MiB is no configuration");
    }
    enum hob_status status = yaml_guard(read, bytes);
    if (status != HOB_OK) return status;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        return report_error(read->report, read->name, "out of memory");
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes.bytes, bytes.size);
    int loaded = yaml_parser_load(&parser, &read->document);
    yaml_parser_delete(&parser);
    if (loaded) return HOB_OK;
    return report_error(read->report, read->name, "not YAML");
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

void yaml_read_place(const struct yaml_read *read, const yaml_node_t *node, char *to) {
    size_t line = node->start_mark.line + 1;
    size_t column = node->start_mark.column + 1;
    (void)snprintf(to, YAML_PLACE_BYTES_MAX, "%s:%zu:%zu", read->name, line, column);
}

enum hob_status
yaml_read_fail(struct yaml_read *read, const yaml_node_t *node, const char *format, ...) {
    char place[YAML_PLACE_BYTES_MAX];
    yaml_read_place(read, node, place);
    va_list arguments;
    va_start(arguments, format);
    (void)report_error_list(read->report, place, format, arguments);
    va_end(arguments);
    return HOB_CONFIG;
}

void yaml_read_warn(struct yaml_read *read, const yaml_node_t *node, const char *format, ...) {
    char place[YAML_PLACE_BYTES_MAX];
    yaml_read_place(read, node, place);
    va_list arguments;
    va_start(arguments, format);
    report_warn_list(read->report, place, format, arguments);
    va_end(arguments);
}

static struct slice scalar(const yaml_node_t *node) {
    return slice_of(node->data.scalar.value, node->data.scalar.length);
}

static bool is_plain(const yaml_node_t *node) {
    return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

bool yaml_is_left_out(const yaml_node_t *node) {
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (node->type != YAML_SCALAR_NODE || !is_plain(node)) return false;
    for (size_t i = 0; i < hob_countof(words); i++) {
        if (slice_equal(scalar(node), slice_str(words[i]))) return true;
    }
    return false;
}

enum hob_status yaml_read_text(
    struct yaml_read *read, const yaml_node_t *node, const char *wanted, struct slice *ret_text
) {
    if (yaml_is_left_out(node)) {
        return yaml_read_fail(read, node, "nothing is here; wanted: %s", wanted);
    }
    if (node->type != YAML_SCALAR_NODE) return yaml_read_fail(read, node, "wanted: %s", wanted);
    struct slice text = scalar(node);
    if (memchr(text.bytes, '\0', text.size) != NULL) {
        return yaml_read_fail(read, node, "a zero byte is not allowed here");
    }
    *ret_text = text;
    return HOB_OK;
}

enum hob_status yaml_read_refuse(
    struct yaml_read *read, const yaml_node_t *node, struct slice text, const char *wanted
) {
    int size = text.size > 60 ? 60 : (int)text.size;
    return yaml_read_fail(read, node, "`%.*s` is not it; wanted: %s", size, text.bytes, wanted);
}

enum hob_status yaml_read_bool(struct yaml_read *read, const yaml_node_t *node, bool *ret_fact) {
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, "true or false", &text);
    if (status != HOB_OK) return status;
    bool is_true = slice_equal(text, SLICE("true"));
    if (!is_plain(node) || (!is_true && !slice_equal(text, SLICE("false")))) {
        return yaml_read_fail(read, node, "wanted: true or false, without quotes");
    }
    *ret_fact = is_true;
    return HOB_OK;
}

enum hob_status yaml_read_u64(
    struct yaml_read *read, const yaml_node_t *node, uint64_t min, uint64_t max, uint64_t *ret_value
) {
    char wanted[100];
    (void)snprintf(
        wanted,
        sizeof wanted,
        "a number from %llu to %llu",
        (unsigned long long)min,
        (unsigned long long)max
    );
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, wanted, &text);
    if (status != HOB_OK) return status;
    if (is_plain(node) && text_u64(text, min, max, ret_value)) return HOB_OK;
    const char *quotes = is_plain(node) ? "" : ", without quotes";
    return yaml_read_fail(read, node, "wanted: %s%s", wanted, quotes);
}

enum hob_status
yaml_read_span(struct yaml_read *read, const yaml_node_t *node, hob_ns max_ns, hob_ns *ret_span) {
    static const char wanted[] = "a span of time with its unit, like 250ms, 30s, 5m, 2h";
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, wanted, &text);
    if (status != HOB_OK) return status;
    hob_ns span = 0;
    if (text_duration(text, 0, &span) && span > 0 && span <= max_ns) {
        *ret_span = span;
        return HOB_OK;
    }
    HOB_AUTO_BUF struct buf most = buf_make(64);
    (void)text_put_duration(&most, max_ns);
    return yaml_read_fail(
        read, node, "wanted: %s; more than 0, at most %.*s", wanted, SLICE_ARG(buf_slice(&most))
    );
}

bool yaml_name_is_valid(struct slice name) {
    static const char marks[] = "-+/;:.$_()";
    if (name.size == 0 || name.size > YAML_NAME_BYTES_MAX || name.bytes[0] == '-') return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.bytes[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && memchr(marks, c, sizeof marks - 1) == NULL) return false;
    }
    return true;
}

bool yaml_glob_is_valid(struct slice glob) {
    if (glob.size == 0 || glob.size > YAML_NAME_BYTES_MAX) return false;
    for (size_t i = 0; i < glob.size; i++) {
        char both[2] = {'a', glob.bytes[i]};
        bool is_wild = both[1] == '*' || both[1] == '?';
        if (!is_wild && !yaml_name_is_valid(slice_of(both, sizeof both))) return false;
    }
    return true;
}

enum hob_status
yaml_read_name(struct yaml_read *read, const yaml_node_t *node, const char **ret_name) {
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, "a name", &text);
    if (status != HOB_OK) return status;
    if (!yaml_name_is_valid(text)) {
        return yaml_read_fail(
            read,
            node,
            "a name is 1 to 200 of A-Z a-z 0-9 - + / ; : . $ _ ( ), not beginning with -"
        );
    }
    *ret_name = arena_text(read->arena, text);
    return HOB_OK;
}

const char *yaml_read_from_folder(struct yaml_read *read, struct slice path) {
    if (path.size > 0 && path.bytes[0] == '/') return arena_text(read->arena, path);
    HOB_AUTO_BUF struct buf joined = buf_make(YAML_BYTES_MAX + PATH_MAX);
    (void)buf_printf(&joined, "%s/%.*s", read->folder, SLICE_ARG(path));
    return arena_text(read->arena, buf_slice(&joined));
}

enum hob_status
yaml_read_path(struct yaml_read *read, const yaml_node_t *node, const char **ret_path) {
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, "a path", &text);
    if (status != HOB_OK) return status;
    if (text.size == 0) return yaml_read_fail(read, node, "wanted: a path");
    *ret_path = yaml_read_from_folder(read, text);
    return HOB_OK;
}

enum hob_status yaml_read_words(
    struct yaml_read *read,
    const yaml_node_t *node,
    const char *wanted,
    size_t count_max,
    const char ***ret_words,
    size_t *ret_count
) {
    if (node->type != YAML_SEQUENCE_NODE) {
        return yaml_read_fail(read, node, "wanted: a list, like [a, b]: %s", wanted);
    }
    const yaml_node_item_t *first = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - first);
    if (count < 1 || count > count_max) {
        return yaml_read_fail(read, node, "wanted: a list of 1 to %zu: %s", count_max, wanted);
    }
    const char **words = arena_alloc(read->arena, (count + 1) * sizeof *words);
    enum hob_status status = HOB_OK;
    for (size_t i = 0; i < count; i++) {
        struct slice word = SLICE_NONE;
        enum hob_status one = yaml_read_text(read, yaml_read_node(read, first[i]), wanted, &word);
        if (one == HOB_OK) words[i] = arena_text(read->arena, word);
        if (one != HOB_OK) status = one;
    }
    if (status != HOB_OK) return status;
    *ret_words = words;
    *ret_count = count;
    return HOB_OK;
}

/* Mappings. */

enum hob_status yaml_read_unknown(
    struct yaml_read *read,
    const yaml_node_t *key,
    const char *what,
    const char *const *names,
    size_t key_count
) {
    HOB_AUTO_BUF struct buf allowed = buf_make(300);
    for (size_t i = 0; i < key_count; i++) {
        (void)buf_printf(&allowed, "%s%s", i == 0 ? "" : ", ", names[i]);
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

static enum hob_status unknown_key(
    struct yaml_read *read,
    const yaml_node_t *key,
    const char *what,
    const struct yaml_key *keys,
    size_t key_count
) {
    const char *names[KEYS_MAX];
    for (size_t i = 0; i < key_count; i++) names[i] = keys[i].name;
    return yaml_read_unknown(read, key, what, names, key_count);
}

static size_t key_find(struct slice name, const struct yaml_key *keys, size_t key_count) {
    size_t at = 0;
    while (at < key_count && !slice_equal(name, slice_str(keys[at].name))) at++;
    return at;
}

/* Does a pair before this one have the same key? */
static bool is_repeated(struct yaml_read *read, const yaml_node_t *map, const yaml_node_t *key) {
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
    for (; pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *other = yaml_read_node(read, pair->key);
        if (other == key) return false;
        if (other->type == YAML_SCALAR_NODE && slice_equal(scalar(other), scalar(key))) return true;
    }
    return false;
}

static enum hob_status
key_check(struct yaml_read *read, const yaml_node_t *map, const yaml_node_t *key) {
    if (key->type != YAML_SCALAR_NODE) return yaml_read_fail(read, key, "a key is a word");
    if (!is_repeated(read, map, key)) return HOB_OK;
    struct slice name = scalar(key);
    int size = name.size > 40 ? 40 : (int)name.size;
    return yaml_read_fail(read, key, "`%.*s` is here twice", size, name.bytes);
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
    enum hob_status status = HOB_OK;
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
    if (map->data.mapping.pairs.top - pair > PAIRS_MAX) {
        return yaml_read_fail(read, map, "more than %d keys are not known here", PAIRS_MAX);
    }
    for (; pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_read_node(read, pair->key);
        enum hob_status one = key_check(read, map, key);
        size_t at = one == HOB_OK ? key_find(scalar(key), keys, key_count) : 0;
        if (one == HOB_OK && at == key_count) {
            one = unknown_key(read, key, what, keys, key_count);
        } else if (one == HOB_OK) {
            seen[at] = true;
            one = keys[at].read(read, yaml_read_node(read, pair->value), into);
        }
        if (one != HOB_OK) status = one;
    }
    for (size_t i = 0; i < key_count; i++) {
        if (!keys[i].required || seen[i]) continue;
        status = yaml_read_fail(read, map, "%s needs the key `%s`", what, keys[i].name);
    }
    return status;
}

enum hob_status yaml_read_names(
    struct yaml_read *read,
    yaml_node_t *map,
    const char *what,
    size_t count_max,
    enum hob_status (*each
    )(struct yaml_read *read, yaml_node_t *name, yaml_node_t *value, void *into),
    void *into
) {
    if (map->type != YAML_MAPPING_NODE) {
        return yaml_read_fail(read, map, "wanted: `NAME: …` lines, one for %s", what);
    }
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
    size_t count = (size_t)(map->data.mapping.pairs.top - pair);
    if (count > count_max) {
        return yaml_read_fail(read, map, "%zu are too many: at most %zu", count, count_max);
    }
    enum hob_status status = HOB_OK;
    for (; pair < map->data.mapping.pairs.top; pair++) {
        yaml_node_t *name = yaml_read_node(read, pair->key);
        enum hob_status one = key_check(read, map, name);
        if (one == HOB_OK) one = each(read, name, yaml_read_node(read, pair->value), into);
        if (one != HOB_OK) status = one;
    }
    return status;
}

yaml_node_t *yaml_read_find(struct yaml_read *read, const yaml_node_t *map, const char *key) {
    if (map->type != YAML_MAPPING_NODE) return NULL;
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
    for (; pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *node = yaml_read_node(read, pair->key);
        bool same = node->type == YAML_SCALAR_NODE && slice_equal(scalar(node), slice_str(key));
        if (same) return yaml_read_node(read, pair->value);
    }
    return NULL;
}
