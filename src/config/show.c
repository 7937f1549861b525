/* SPDX-License-Identifier: Apache-2.0 */
/* Settings come from their values, each in its one spelling; what has names of its own (queues,
 * kinds, secrets) is written again from the document, on one line each. */
#include "config/show.h"

#include "base/assert.h"
#include "base/json_put.h"
#include "base/utf8.h"
#include "config/sections.h"

enum { PLACE_COLUMN = 40 };

/* Is it the same text again when it stands there without quotes, in {} and [] too? */
static bool is_plain(struct slice text) {
    static const char others[] = "./_-+@%";
    static const char *const null_words[] = {"null", "Null", "NULL"};
    if (text.size == 0) return false;
    for (size_t i = 0; i < hob_countof(null_words); i++) {
        if (slice_equal(text, slice_str(null_words[i]))) return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        char c = text.bytes[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool inside = i > 0 && i + 1 < text.size;
        if (word || c == '/' || (c == '.' && text.size > 3)) continue;
        if (inside && c == ':' && text.bytes[i + 1] != ' ') continue;
        if (!inside || memchr(others, c, sizeof others - 1) == NULL) return false;
    }
    return true;
}

/* Characters that JSON takes as they are, but YAML refuses, or folds as ends of lines. */
static bool is_escaped_in_yaml(uint32_t c) {
    return (c >= 0x80 && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe ||
           c == 0xffff;
}

static void put_quoted(struct buf *out, struct slice text) {
    HOB_AUTO_BUF struct buf quoted = buf_make(out->max);
    json_quote(&quoted, text);
    const char *end = quoted.bytes + quoted.size;
    for (const char *at = quoted.bytes; at < end;) {
        uint32_t c;
        size_t size = utf8_get(at, end, &c);
        if (is_escaped_in_yaml(c)) {
            (void)buf_printf(out, "\\u%04x", c);
        } else {
            (void)buf_put(out, at, size);
        }
        at += size;
    }
}

static void put_text(struct buf *out, struct slice text) {
    if (is_plain(text)) {
        (void)buf_put_slice(out, text);
    } else {
        put_quoted(out, text);
    }
}

static void put_place(struct buf *out, size_t line_start, const char *place) {
    size_t width = out->size - line_start;
    do {
        (void)buf_put_char(out, ' ');
    } while (++width < PLACE_COLUMN);
    (void)buf_printf(out, "# %s", place);
}

/* Settings. */

static void put_setting(
    struct buf *out, const char *indent, const char *key, const struct value *value, bool is_list
) {
    if (value->count == 0) {
        (void)buf_printf(out, "%s# %s: is not set", indent, key);
        return;
    }
    (void)buf_printf(out, "%s%s: ", indent, key);
    if (is_list) (void)buf_put_char(out, '[');
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0) (void)buf_put_str(out, ", ");
        put_text(out, slice_str(value->words[i]));
    }
    if (is_list) (void)buf_put_char(out, ']');
}

/* The settings right in @section ("server", "server.tls"); how many there are. */
static void
put_section(const struct config *config, bool origin, struct slice section, struct buf *out) {
    bool is_inner = memchr(section.bytes, '.', section.size) != NULL;
    const char *indent = is_inner ? "    " : "  ";
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (!setting_is_below(&settings[i], section)) continue;
        const char *key = settings[i].path + section.size + 1;
        if (strchr(key, '.') != NULL) continue;
        size_t start = out->size;
        const struct value *value = &config->values[i];
        put_setting(out, indent, key, value, setting_is_list(&settings[i]));
        if (origin && value->count > 0) put_place(out, start, value->place);
        (void)buf_put_char(out, '\n');
    }
}

/* Sections inside of @section. */
static void
put_inner(const struct config *config, bool origin, struct slice section, struct buf *out) {
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (!setting_is_below(&settings[i], section)) continue;
        const char *key = settings[i].path + section.size + 1;
        size_t size = strcspn(key, ".");
        if (key[size] == '\0' || !setting_is_first_of(i, section.size + 1 + size)) continue;
        hob_assert(strchr(key + size + 1, '.') == NULL);
        (void)buf_printf(out, "  %.*s:\n", (int)size, key);
        put_section(config, origin, slice_of(settings[i].path, section.size + 1 + size), out);
    }
}

/* What stands in the document. */

static bool sounds_secret(struct slice name) {
    static const char *const words[] = {
        "authorization", "cookie", "credential", "key", "pass", "secret", "signature", "token"};
    for (size_t i = 0; i < hob_countof(words); i++) {
        size_t size = strlen(words[i]);
        for (size_t at = 0; at + size <= name.size; at++) {
            struct slice part = slice_of(name.bytes + at, size);
            if (slice_equal_nocase(part, slice_str(words[i]))) return true;
        }
    }
    return false;
}

static struct slice scalar(const yaml_node_t *node) {
    if (node->type != YAML_SCALAR_NODE) return SLICE_NONE;
    return slice_of(node->data.scalar.value, node->data.scalar.length);
}

struct level {
    const yaml_node_t *node;
    size_t next;     /* of its items or pairs */
    bool is_guarded; /* values with names that sound like secrets are left out */
};

struct writer {
    yaml_document_t *document;
    struct buf *out;
    struct level levels[YAML_DEPTH_MAX + 1];
    size_t depth;
};

/* As it stood there when that means the same inside of {} and []; else quoted. */
static void put_scalar(struct buf *out, const yaml_node_t *node) {
    struct slice text = scalar(node);
    /* Of these are numbers, booleans and nulls made, and what people mostly write. */
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "~+-_./ ";
    bool as_it_was = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && text.size > 0;
    for (size_t i = 0; as_it_was && i < text.size; i++) {
        as_it_was = memchr(plain, text.bytes[i], sizeof plain - 1) != NULL;
    }
    if (as_it_was) {
        (void)buf_put_slice(out, text);
    } else if (yaml_is_left_out(node)) {
        (void)buf_put_str(out, "null");
    } else {
        put_quoted(out, text);
    }
}

/* Begin a value: all of a scalar, the bracket of a list or mapping. */
static void value_begin(struct writer *writer, int number, bool is_guarded) {
    const yaml_node_t *node = yaml_document_get_node(writer->document, number);
    if (node->type == YAML_SCALAR_NODE) {
        put_scalar(writer->out, node);
        return;
    }
    hob_assert(writer->depth < hob_countof(writer->levels));
    writer->levels[writer->depth++] = (struct level){.node = node, .is_guarded = is_guarded};
    (void)buf_put_char(writer->out, node->type == YAML_MAPPING_NODE ? '{' : '[');
}

static void pair_put(struct writer *writer, struct level *level) {
    const yaml_node_pair_t *pair = &level->node->data.mapping.pairs.start[level->next];
    const yaml_node_t *key = yaml_document_get_node(writer->document, pair->key);
    struct slice name = scalar(key);
    put_scalar(writer->out, key);
    (void)buf_put_str(writer->out, ": ");
    if (level->is_guarded && sounds_secret(name)) {
        put_quoted(writer->out, SLICE(SECRET_REDACTED));
        level->next++;
        return;
    }
    level->next++;
    bool guards = slice_equal(name, SLICE("env")) || slice_equal(name, SLICE("headers"));
    value_begin(writer, pair->value, guards);
}

/* One value with all that is in it, on one line. */
static void put_node(const struct config *config, int number, struct buf *out) {
    struct writer writer = {.document = (yaml_document_t *)&config->file.document, .out = out};
    value_begin(&writer, number, false);
    while (writer.depth > 0) {
        struct level *level = &writer.levels[writer.depth - 1];
        bool is_map = level->node->type == YAML_MAPPING_NODE;
        const yaml_node_item_t *items = level->node->data.sequence.items.start;
        size_t count =
            is_map ? (size_t
                     )(level->node->data.mapping.pairs.top - level->node->data.mapping.pairs.start)
                   : (size_t)(level->node->data.sequence.items.top - items);
        if (level->next == count) {
            (void)buf_put_char(out, is_map ? '}' : ']');
            writer.depth--;
            continue;
        }
        if (level->next > 0) (void)buf_put_str(out, ", ");
        if (is_map) {
            pair_put(&writer, level);
        } else {
            value_begin(&writer, items[level->next++], false);
        }
    }
}

static void put_secret(const struct config *config, struct slice name, struct buf *out) {
    for (size_t i = 0; i < config->secret_count; i++) {
        const struct secret_config *secret = &config->secrets[i];
        if (!slice_equal(slice_str(secret->name), name)) continue;
        bool shown = secret->reference != NULL;
        put_quoted(out, shown ? slice_str(secret->reference) : SLICE(SECRET_REDACTED));
    }
}

static void put_part(
    const struct config *config, const struct config_part *part, bool origin, struct buf *out
) {
    struct yaml_read *read = (struct yaml_read *)&config->file; /* which is only read */
    const yaml_node_t *root = yaml_read_root(read);
    const yaml_node_t *map = root == NULL ? NULL : yaml_read_find(read, root, part->name);
    if (map == NULL || map->type != YAML_MAPPING_NODE) return;
    bool are_secrets = strcmp(part->name, "secrets") == 0;
    (void)buf_printf(out, "%s:\n", part->name);
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
    for (; pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_read_node(read, pair->key);
        char place[YAML_PLACE_BYTES_MAX];
        size_t start = out->size;
        yaml_read_place(read, key, place);
        (void)buf_put_str(out, "  ");
        put_scalar(out, key);
        (void)buf_put_str(out, ": ");
        if (are_secrets) {
            put_secret(config, scalar(key), out);
        } else {
            put_node(config, pair->value, out);
        }
        if (origin) put_place(out, start, place);
        (void)buf_put_char(out, '\n');
    }
}

void config_show(const struct config *config, bool origin, struct buf *out) {
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        size_t size = strcspn(settings[i].path, ".");
        if (!setting_is_first_of(i, size)) continue;
        struct slice section = slice_of(settings[i].path, size);
        (void)buf_printf(out, "%.*s:\n", SLICE_ARG(section));
        put_section(config, origin, section, out);
        put_inner(config, origin, section, out);
    }
    for (size_t i = 0; config->has_document && i < config_part_count; i++) {
        put_part(config, &config_parts[i], origin, out);
    }
}
