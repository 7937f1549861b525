/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the configuration, one small reader each, in tables that yaml_read walks. */
#include "worker/config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/text.h"
#include "os/file.h"
#include "worker/yaml_read.h"

enum { FILE_BYTES_MAX = 1024 * 1024, NAME_BYTES_MAX = 200 };

#define GRACE_DEFAULT_NS (10 * NS_PER_SECOND)
#define TIMEOUT_MAX_NS   (365 * NS_PER_DAY)
#define GRACE_MAX_NS     NS_PER_HOUR

struct loading {
    struct worker_config *config;
    const char *folder;
};

struct kind_loading {
    struct loading *loading;
    struct kind_config *kind;
};

static bool name_is_valid(struct slice name) {
    static const char marks[] = "-+/;:.$_()";
    if (name.size == 0 || name.size > NAME_BYTES_MAX || name.bytes[0] == '-') return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.bytes[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && memchr(marks, c, sizeof marks - 1) == NULL) return false;
    }
    return true;
}

static enum hob_status
read_name(struct yaml_read *read, yaml_node_t *node, struct arena *arena, const char **ret_name) {
    struct slice text;
    enum hob_status status = yaml_read_text(read, node, "a name", &text);
    if (status != HOB_OK) return status;
    if (!name_is_valid(text)) {
        return yaml_read_fail(
            read,
            node,
            "a name is 1 to 200 of A-Z a-z 0-9 - + / ; : . $ _ ( ), not beginning with -"
        );
    }
    *ret_name = arena_text(arena, text);
    return HOB_OK;
}

static enum hob_status read_server(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct worker_config *config = ((struct loading *)into)->config;
    struct slice text;
    enum hob_status status = yaml_read_text(read, node, "an address such as 127.0.0.1:4620", &text);
    if (status != HOB_OK) return status;
    config->server = arena_text(&config->arena, text);
    return HOB_OK;
}

static enum hob_status read_worker_name(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct worker_config *config = ((struct loading *)into)->config;
    return read_name(read, node, &config->arena, &config->name);
}

static enum hob_status read_slots(struct yaml_read *read, yaml_node_t *node, void *into) {
    static const char wanted[] = "a number of jobs at once, 1 to 1000";
    struct worker_config *config = ((struct loading *)into)->config;
    struct slice text;
    enum hob_status status = yaml_read_text(read, node, wanted, &text);
    if (status != HOB_OK) return status;
    uint64_t slots = 0;
    if (!text_u64(text, 1, CONFIG_SLOTS_MAX, &slots)) {
        return yaml_read_fail(read, node, "wanted: %s", wanted);
    }
    config->slots = (uint32_t)slots;
    return HOB_OK;
}

static enum hob_status read_queues(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct worker_config *config = ((struct loading *)into)->config;
    if (node->type != YAML_SEQUENCE_NODE) {
        return yaml_read_fail(read, node, "queues is a list, like [mail, default]");
    }
    const yaml_node_item_t *first = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - first);
    if (count < 1 || count > CONFIG_QUEUES_MAX) {
        return yaml_read_fail(read, node, "queues names 1 to %d queues", CONFIG_QUEUES_MAX);
    }
    const char **queues = arena_alloc(&config->arena, count * sizeof *queues);
    for (size_t i = 0; i < count; i++) {
        yaml_node_t *item = yaml_read_node(read, first[i]);
        enum hob_status status = read_name(read, item, &config->arena, &queues[i]);
        if (status != HOB_OK) return status;
    }
    config->queues = queues;
    config->queue_count = count;
    return HOB_OK;
}

/* From the folder of the file, unless @path begins at the root. */
static const char *path_from(const struct loading *loading, struct slice path) {
    struct arena *arena = &loading->config->arena;
    if (path.bytes[0] == '/') return arena_text(arena, path);
    HOB_AUTO_BUF struct buf joined = buf_make((size_t)2 * PATH_MAX);
    (void)buf_printf(&joined, "%s/%.*s", loading->folder, SLICE_ARG(path));
    return arena_text(arena, buf_slice(&joined));
}

static enum hob_status read_run(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct kind_loading *kind = into;
    struct arena *arena = &kind->loading->config->arena;
    if (node->type != YAML_SEQUENCE_NODE) {
        return yaml_read_fail(
            read,
            node,
            "run is a list of words, like [./resize.sh, --width, \"640\"]: the program is started "
            "directly, never by a shell"
        );
    }
    const yaml_node_item_t *first = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - first);
    if (count < 1 || count > CONFIG_WORDS_MAX) {
        return yaml_read_fail(read, node, "run has 1 to %d words", CONFIG_WORDS_MAX);
    }
    const char **argv = arena_alloc(arena, (count + 1) * sizeof *argv);
    for (size_t i = 0; i < count; i++) {
        struct slice word;
        const yaml_node_t *item = yaml_read_node(read, first[i]);
        enum hob_status status = yaml_read_text(read, item, "a word of the command", &word);
        if (status != HOB_OK) return status;
        if (i == 0 && word.size == 0) return yaml_read_fail(read, item, "no program is named");
        bool path = i == 0 && memchr(word.bytes, '/', word.size) != NULL;
        argv[i] = path ? path_from(kind->loading, word) : arena_text(arena, word);
    }
    kind->kind->argv = argv;
    return HOB_OK;
}

static enum hob_status
read_span(struct yaml_read *read, yaml_node_t *node, hob_ns max_ns, hob_ns *ret_span) {
    static const char wanted[] = "a duration with its unit, like 250ms, 30s, 5m, 2h";
    struct slice text;
    enum hob_status status = yaml_read_text(read, node, wanted, &text);
    if (status != HOB_OK) return status;
    hob_ns span = 0;
    if (!text_duration(text, 0, &span) || span == 0 || span > max_ns) {
        return yaml_read_fail(
            read, node, "wanted: %s, at most %u h", wanted, (unsigned)(max_ns / NS_PER_HOUR)
        );
    }
    *ret_span = span;
    return HOB_OK;
}

static enum hob_status read_timeout(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct kind_loading *kind = into;
    return read_span(read, node, TIMEOUT_MAX_NS, &kind->kind->timeout_ns);
}

static enum hob_status read_grace(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct kind_loading *kind = into;
    return read_span(read, node, GRACE_MAX_NS, &kind->kind->grace_ns);
}

static enum hob_status read_cwd(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct kind_loading *kind = into;
    struct slice text;
    enum hob_status status = yaml_read_text(read, node, "a folder", &text);
    if (status != HOB_OK) return status;
    if (text.size == 0) return yaml_read_fail(read, node, "wanted: a folder");
    kind->kind->cwd = path_from(kind->loading, text);
    return HOB_OK;
}

static enum hob_status read_env(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct kind_loading *kind = into;
    struct arena *arena = &kind->loading->config->arena;
    if (node->type != YAML_MAPPING_NODE) {
        return yaml_read_fail(read, node, "env is written as `NAME: value` lines");
    }
    const yaml_node_pair_t *first = node->data.mapping.pairs.start;
    size_t count = (size_t)(node->data.mapping.pairs.top - first);
    const char **env = arena_alloc(arena, (count + 1) * sizeof *env);
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *key = yaml_read_node(read, first[i].key);
        struct slice name;
        struct slice value;
        enum hob_status status = yaml_read_text(read, key, "a name", &name);
        if (status != HOB_OK) return status;
        if (name.size == 0 || memchr(name.bytes, '=', name.size) != NULL) {
            return yaml_read_fail(read, key, "the name of a variable has no `=` and is not empty");
        }
        if (name.size >= 4 && memcmp(name.bytes, "HOB_", 4) == 0) {
            return yaml_read_fail(read, key, "names that begin with HOB_ are set by the worker");
        }
        const yaml_node_t *item = yaml_read_node(read, first[i].value);
        status = yaml_read_text(read, item, "the value of a variable", &value);
        if (status != HOB_OK) return status;
        HOB_AUTO_BUF struct buf pair = buf_make(name.size + value.size + 1);
        (void)buf_put_slice(&pair, name);
        (void)buf_put_char(&pair, '=');
        (void)buf_put_slice(&pair, value);
        env[i] = arena_text(arena, buf_slice(&pair));
    }
    kind->kind->env = env;
    return HOB_OK;
}

static const struct yaml_key kind_keys[] = {
    {"run", read_run, true},
    {"timeout", read_timeout, false},
    {"grace", read_grace, false},
    {"cwd", read_cwd, false},
    {"env", read_env, false},
};

static enum hob_status read_kinds(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct loading *loading = into;
    struct worker_config *config = loading->config;
    static const char *const env_none[] = {NULL};
    if (node->type != YAML_MAPPING_NODE) {
        return yaml_read_fail(read, node, "kinds is written as `KIND: {run: [program, …]}` lines");
    }
    const yaml_node_pair_t *first = node->data.mapping.pairs.start;
    size_t count = (size_t)(node->data.mapping.pairs.top - first);
    if (count < 1 || count > CONFIG_KINDS_MAX) {
        return yaml_read_fail(read, node, "kinds names 1 to %d kinds", CONFIG_KINDS_MAX);
    }
    struct kind_config *kinds = arena_alloc(&config->arena, count * sizeof *kinds);
    config->kinds = kinds;
    for (size_t i = 0; i < count; i++) {
        struct kind_config *kind = &kinds[i];
        yaml_node_t *key = yaml_read_node(read, first[i].key);
        enum hob_status status = read_name(read, key, &config->arena, &kind->kind);
        if (status != HOB_OK) return status;
        if (config_kind(config, slice_str(kind->kind)) != NULL) {
            return yaml_read_fail(read, key, "`%s` is here twice", kind->kind);
        }
        kind->env = env_none;
        kind->cwd = arena_text(&config->arena, slice_str(loading->folder));
        kind->grace_ns = GRACE_DEFAULT_NS;
        struct kind_loading kind_loading = {.loading = loading, .kind = kind};
        yaml_node_t *value = yaml_read_node(read, first[i].value);
        status =
            yaml_read_map(read, value, "a kind", kind_keys, hob_countof(kind_keys), &kind_loading);
        if (status != HOB_OK) return status;
        config->kind_count = i + 1;
    }
    return HOB_OK;
}

static const struct yaml_key config_keys[] = {
    {"server", read_server, false},
    {"name", read_worker_name, false},
    {"queues", read_queues, false},
    {"slots", read_slots, false},
    {"kinds", read_kinds, true},
};

enum hob_status config_parse(
    struct slice bytes,
    const char *name,
    const char *folder,
    struct worker_config *ret_config,
    struct hob_error *err
) {
    static const char *const queues_default[] = {"default"};
    struct yaml_read read;
    enum hob_status status = yaml_read_open(&read, name, bytes, err);
    if (status != HOB_OK) return status;
    struct worker_config config = {.queues = queues_default, .queue_count = 1};
    struct loading loading = {.config = &config, .folder = folder};
    yaml_node_t *root = yaml_read_root(&read);
    if (root == NULL) {
        status = fail(err, HOB_CONFIG, "%s: the file is empty; it needs the key `kinds`", name);
    } else {
        status = yaml_read_map(
            &read, root, "the configuration", config_keys, hob_countof(config_keys), &loading
        );
    }
    yaml_read_close(&read);
    if (status != HOB_OK) {
        config_deinit(&config);
        return status;
    }
    *ret_config = config;
    return HOB_OK;
}

static enum hob_status file_load(const char *path, struct buf *bytes, struct hob_error *err) {
    int fd = -1;
    int os_errno = file_open(&file_io_system, AT_FDCWD, path, O_RDONLY, &fd);
    if (os_errno != 0) return fail_errno(err, HOB_CONFIG, os_errno, "cannot open %s", path);
    size_t size = 0;
    char *room = buf_reserve(bytes, FILE_BYTES_MAX);
    os_errno = file_read(fd, 0, room, FILE_BYTES_MAX, &size);
    file_close(&fd);
    if (os_errno != 0) return fail_errno(err, HOB_CONFIG, os_errno, "cannot read %s", path);
    if (size == FILE_BYTES_MAX) {
        return fail(err, HOB_CONFIG, "%s: 1 MiB or more is no configuration", path);
    }
    bytes->size = size;
    return HOB_OK;
}

enum hob_status
config_load(const char *path, struct worker_config *ret_config, struct hob_error *err) {
    HOB_AUTO_BUF struct buf bytes = buf_make(FILE_BYTES_MAX);
    enum hob_status status = file_load(path, &bytes, err);
    if (status != HOB_OK) return status;
    char folder[PATH_MAX];
    if (realpath(path, folder) == NULL) return fail(err, HOB_CONFIG, "%s is no file", path);
    char *last = strrchr(folder, '/');
    hob_assert(last != NULL);
    *(last == folder ? last + 1 : last) = '\0';
    return config_parse(buf_slice(&bytes), path, folder, ret_config, err);
}

void config_deinit(struct worker_config *config) {
    arena_reset(&config->arena);
}

const struct kind_config *config_kind(const struct worker_config *config, struct slice kind) {
    for (size_t i = 0; i < config->kind_count; i++) {
        if (slice_equal(slice_str(config->kinds[i].kind), kind)) return &config->kinds[i];
    }
    return NULL;
}
