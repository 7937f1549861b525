/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys a section may hold follows from the paths of the settings: `server.data` is the key
 * `data` of the section `server`. Sections and parts that are met wait in
 * a list until they are read, in the order of the file. */
#include "config/sections.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/buf.h"

enum { PATH_BYTES_MAX = 120, PENDING_MAX = 32, NAMES_MAX = 64, SECTION_KEYS_MAX = 1000 };

const struct config_part config_parts[] = {
    {"queues", queues_read, "{NAME: {…}, …}", "settings of queues, applied at start and reload"},
    {"limiters",
     limiters_read,
     "{NAME: {…}, …}",
     "limits of limiters and rules, applied at start and reload"},
    {"kinds", kinds_read, "{NAME: {…}, …}", "how each kind of job is run"},
    {"secrets", secrets_read, "{NAME: SECRET, …}", "secrets, by the name that others refer to"},
};
const size_t config_part_count = hob_countof(config_parts);

struct section {
    char path[PATH_BYTES_MAX]; /* "" is the top */
    yaml_node_t *node;
    const struct config_part *part; /* NULL: settings */
};

struct walk {
    struct config *config;
    struct section pending[PENDING_MAX];
    size_t pending_count;
    const char *path; /* of the section that is read */
};

/* The component of @setting right below @section, or an empty slice. */
static struct slice child_of(const struct setting *setting, struct slice section) {
    if (!setting_is_below(setting, section)) return SLICE_NONE;
    size_t skip = section.size == 0 ? 0 : section.size + 1;
    if (strlen(setting->path) <= skip) return SLICE_NONE;
    const char *rest = setting->path + skip;
    return slice_of(rest, strcspn(rest, "."));
}

static bool is_among(const char *const *names, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) return true;
    }
    return false;
}

static enum hob_status unknown_key(struct walk *walk, struct yaml_read *read, yaml_node_t *key) {
    const char *names[NAMES_MAX];
    size_t count = 0;
    bool is_top = walk->path[0] == '\0';
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        struct slice child = child_of(&settings[i], slice_str(walk->path));
        if (child.size == 0) continue;
        const char *name = arena_text(read->arena, child);
        hob_assert(count < NAMES_MAX);
        if (!is_among(names, count, name)) names[count++] = name;
    }
    for (size_t i = 0; is_top && i < config_part_count; i++) names[count++] = config_parts[i].name;
    return yaml_read_unknown(read, key, is_top ? "the file" : walk->path, names, count);
}

static enum hob_status read_setting(
    struct yaml_read *read, yaml_node_t *node, const struct setting *setting, struct value *value
) {
    struct slice items[VALUE_WORDS_MAX] = {SLICE_NONE};
    size_t count = 0;
    char wanted[200];
    struct value_reading reading = {
        .folder = read->folder, .arena = read->arena, .variable = read->variable};
    setting_wanted(setting, wanted, sizeof wanted);
    bool is_list = node->type == YAML_SEQUENCE_NODE && setting_is_list(setting);
    if (is_list) {
        const yaml_node_item_t *item = node->data.sequence.items.start;
        for (; item < node->data.sequence.items.top; item++) {
            if (count == VALUE_WORDS_MAX) return yaml_read_fail(read, node, "more than 256");
            yaml_node_t *one = yaml_read_node(read, *item);
            enum hob_status status = yaml_read_text(read, one, wanted, &items[count++]);
            if (status != HOB_OK) return status;
        }
    } else {
        enum hob_status status = yaml_read_text(read, node, wanted, &items[count++]);
        if (status != HOB_OK) return status;
    }
    bool plain_type = setting->type == SETTING_TYPE_NUMBER || setting->type == SETTING_TYPE_BOOL;
    if (plain_type && node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        return yaml_read_fail(read, node, "wanted: %s, without quotes", wanted);
    }
    if (!value_read(&reading, setting, items, count, value)) {
        return yaml_read_fail(read, node, "%s", reading.why);
    }
    char place[YAML_PLACE_BYTES_MAX];
    yaml_read_place(read, node, place);
    value->origin = ORIGIN_FILE;
    value->place = arena_text(read->arena, slice_str(place));
    return HOB_OK;
}

static enum hob_status
section_later(struct walk *walk, struct yaml_read *read, const char *path, yaml_node_t *node) {
    if (yaml_is_left_out(node)) return HOB_OK; /* all its lines are comments */
    if (node->type != YAML_MAPPING_NODE) {
        return yaml_read_fail(read, node, "`%s` is written as `key: value` lines", path);
    }
    hob_assert(walk->pending_count < PENDING_MAX);
    struct section *section = &walk->pending[walk->pending_count++];
    (void)snprintf(section->path, sizeof section->path, "%s", path);
    section->node = node;
    return HOB_OK;
}

static enum hob_status
read_key(struct yaml_read *read, yaml_node_t *key, yaml_node_t *node, void *into) {
    struct walk *walk = into;
    char path[PATH_BYTES_MAX];
    struct slice name = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, key, "a key", &name);
    if (status != HOB_OK) return status;
    if (name.size == 0 || name.size > 40 || memchr(name.bytes, '.', name.size) != NULL) {
        return unknown_key(walk, read, key);
    }
    const char *dot = walk->path[0] == '\0' ? "" : ".";
    (void)snprintf(path, sizeof path, "%s%s%.*s", walk->path, dot, SLICE_ARG(name));
    for (size_t i = 0; walk->path[0] == '\0' && i < config_part_count; i++) {
        if (strcmp(config_parts[i].name, path) != 0) continue;
        if (yaml_is_left_out(node)) return HOB_OK;
        hob_assert(walk->pending_count < PENDING_MAX);
        struct section *section = &walk->pending[walk->pending_count++];
        *section = (struct section){.node = node, .part = &config_parts[i]};
        return HOB_OK;
    }
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (!setting_is_below(&settings[i], slice_str(path))) continue;
        if (strcmp(settings[i].path, path) != 0) return section_later(walk, read, path, node);
        return read_setting(read, node, &settings[i], &walk->config->values[i]);
    }
    return unknown_key(walk, read, key);
}

/* The configuration of a worker once had its keys at the top. */
static enum hob_status refuse_old_form(struct yaml_read *read, const yaml_node_t *root) {
    static const char *const moved[] = {"name", "slots", "server", "queues"};
    for (size_t i = 0; i < hob_countof(moved); i++) {
        const yaml_node_t *value = yaml_read_find(read, root, moved[i]);
        if (value == NULL || value->type == YAML_MAPPING_NODE) continue;
        if (yaml_is_left_out(value)) continue;
        return yaml_read_fail(
            read,
            value,
            "`%s` of a worker stands under `worker` now; write:  worker: {%s: …}",
            moved[i],
            moved[i]
        );
    }
    return HOB_OK;
}

enum hob_status sections_read(struct yaml_read *read, struct config *config) {
    struct walk walk = {.config = config};
    yaml_node_t *root = yaml_read_root(read);
    if (root == NULL) return HOB_OK; /* nothing but comments: all is default */
    if (root->type != YAML_MAPPING_NODE) {
        return yaml_read_fail(read, root, "a configuration is written as `key: value` lines");
    }
    enum hob_status status = refuse_old_form(read, root);
    if (status != HOB_OK) return status;
    walk.pending[walk.pending_count++].node = root;
    for (size_t i = 0; i < walk.pending_count; i++) {
        const struct section *section = &walk.pending[i];
        walk.path = section->path;
        enum hob_status one =
            section->part != NULL
                ? section->part->read(read, section->node, config)
                : yaml_read_names(
                      read, section->node, "each key", SECTION_KEYS_MAX, read_key, &walk
                  );
        if (one != HOB_OK) status = one;
    }
    return status == HOB_OK ? secrets_check(read, config) : status;
}
