/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the configuration, one small reader each, in tables that yaml_read walks. */
#include "config/config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/buf.h"
#include "os/file.h"

struct loading {
    struct config *config;
    struct config_readers readers;
};

/* worker: */

static enum hob_status read_server(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct config *config = ((struct loading *)into)->config;
    struct slice text;
    enum hob_status status = yaml_read_text(read, node, "an address such as 127.0.0.1:4620", &text);
    if (status == HOB_OK) config->worker.server = arena_text(read->arena, text);
    return status;
}

static enum hob_status read_worker_name(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct config *config = ((struct loading *)into)->config;
    return yaml_read_name(read, node, &config->worker.name);
}

static enum hob_status read_slots(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct config *config = ((struct loading *)into)->config;
    uint64_t slots = 0;
    enum hob_status status = yaml_read_u64(read, node, 1, CONFIG_SLOTS_MAX, &slots);
    if (status == HOB_OK) config->worker.slots = (uint32_t)slots;
    return status;
}

static enum hob_status read_queues(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct worker_config *worker = &((struct loading *)into)->config->worker;
    const char **queues = NULL;
    size_t count = 0;
    enum hob_status status =
        yaml_read_words(read, node, "names of queues", CONFIG_QUEUES_MAX, &queues, &count);
    for (size_t i = 0; status == HOB_OK && i < count; i++) {
        int item = node->data.sequence.items.start[i];
        status = yaml_read_name(read, yaml_read_node(read, item), &queues[i]);
    }
    if (status != HOB_OK) return status;
    worker->queues = queues;
    worker->queue_count = count;
    return HOB_OK;
}

static const struct yaml_key worker_keys[] = {
    {.name = "server", .read = read_server},
    {.name = "name", .read = read_worker_name},
    {.name = "queues", .read = read_queues},
    {.name = "slots", .read = read_slots},
};

static enum hob_status read_worker(struct yaml_read *read, yaml_node_t *node, void *into) {
    return yaml_read_map(read, node, "`worker`", worker_keys, hob_countof(worker_keys), into);
}

/* kinds: */

/* Whose part stands in @value, and where it begins. */
static const struct kind_reader *reader_of(
    struct yaml_read *read,
    struct config_readers readers,
    yaml_node_t *value,
    yaml_node_t **ret_part
) {
    const struct kind_reader *whole = NULL;
    *ret_part = value;
    for (size_t i = 0; i < readers.count; i++) {
        if (readers.items[i]->key == NULL) {
            whole = readers.items[i];
            continue;
        }
        yaml_node_t *part = yaml_read_find(read, value, readers.items[i]->key);
        if (part == NULL) continue;
        *ret_part = part;
        return readers.items[i];
    }
    return whole;
}

static enum hob_status
read_kind(struct yaml_read *read, yaml_node_t *name, yaml_node_t *value, void *into) {
    const struct loading *loading = into;
    struct worker_config *worker = &loading->config->worker;
    struct kind_config kind = {.grace_ns = KIND_GRACE_DEFAULT_NS};
    enum hob_status status = yaml_read_name(read, name, &kind.kind);
    if (status != HOB_OK) return status;
    yaml_node_t *part = NULL;
    kind.reader = reader_of(read, loading->readers, value, &part);
    if (kind.reader == NULL) {
        return yaml_read_fail(read, value, "no executor is named here");
    }
    if (part != value && value->data.mapping.pairs.top - value->data.mapping.pairs.start > 1) {
        return yaml_read_fail(
            read, value, "beside `%s` there is no other key of a kind", kind.reader->key
        );
    }
    status = kind.reader->read(read, part, &kind);
    if (status != HOB_OK) return status;
    ((struct kind_config *)worker->kinds)[worker->kind_count++] = kind;
    return HOB_OK;
}

static enum hob_status read_kinds(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct worker_config *worker = &((struct loading *)into)->config->worker;
    worker->kinds = arena_alloc(read->arena, CONFIG_KINDS_MAX * sizeof *worker->kinds);
    return yaml_read_names(read, node, "each kind", CONFIG_KINDS_MAX, read_kind, into);
}

/* The top. */

static const struct yaml_key config_keys[] = {
    {.name = "worker", .read = read_worker},
    {.name = "kinds", .read = read_kinds},
};

/* The configuration of a worker once had its keys at the top. */
static enum hob_status refuse_old_form(struct yaml_read *read, yaml_node_t *root) {
    static const char *const moved[] = {"name", "slots", "server", "queues"};
    for (size_t i = 0; i < hob_countof(moved); i++) {
        const yaml_node_t *value = yaml_read_find(read, root, moved[i]);
        if (value == NULL || value->type == YAML_MAPPING_NODE) continue;
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

enum hob_status config_parse(
    struct slice bytes,
    const char *name,
    const char *folder,
    struct config_readers readers,
    struct config *ret_config,
    struct config_report *report
) {
    static const char *const queues_default[] = {"default", NULL};
    struct config config = {.worker = {.queues = queues_default, .queue_count = 1}};
    struct loading loading = {.config = &config, .readers = readers};
    struct yaml_read read = {
        .name = name, .folder = folder, .arena = &config.arena, .report = report};
    enum hob_status status = yaml_read_open(&read, bytes);
    if (status != HOB_OK) return status;
    yaml_node_t *root = yaml_read_root(&read);
    if (root == NULL) {
        status = report_error(report, name, "the file is empty");
    } else {
        status = refuse_old_form(&read, root);
        if (status == HOB_OK) {
            status = yaml_read_map(
                &read, root, "the configuration", config_keys, hob_countof(config_keys), &loading
            );
        }
    }
    yaml_read_close(&read);
    if (status != HOB_OK) {
        config_deinit(&config);
        return status;
    }
    *ret_config = config;
    return HOB_OK;
}

static enum hob_status
file_load(const char *path, struct buf *bytes, struct config_report *report) {
    struct hob_error err = {0};
    int fd = -1;
    int os_errno = file_open(&file_io_system, AT_FDCWD, path, O_RDONLY, &fd);
    if (os_errno != 0) {
        (void)fail_errno(&err, HOB_CONFIG, os_errno, "cannot open it");
        return report_error(report, path, "%s", err.text);
    }
    size_t size = 0;
    char *room = buf_reserve(bytes, bytes->max);
    os_errno = file_read(fd, 0, room, bytes->max, &size);
    file_close(&fd);
    if (os_errno != 0) {
        (void)fail_errno(&err, HOB_CONFIG, os_errno, "cannot read it");
        return report_error(report, path, "%s", err.text);
    }
    bytes->size = size;
    return HOB_OK;
}

enum hob_status config_load(
    const char *path,
    struct config_readers readers,
    struct config *ret_config,
    struct config_report *report
) {
    HOB_AUTO_BUF struct buf bytes = buf_make(YAML_BYTES_MAX + 1);
    enum hob_status status = file_load(path, &bytes, report);
    if (status != HOB_OK) return status;
    char folder[PATH_MAX];
    if (realpath(path, folder) == NULL) return report_error(report, path, "this is no file");
    char *last = strrchr(folder, '/');
    hob_assert(last != NULL);
    *(last == folder ? last + 1 : last) = '\0';
    return config_parse(buf_slice(&bytes), path, folder, readers, ret_config, report);
}

void config_deinit(struct config *config) {
    arena_reset(&config->arena);
}

const struct kind_config *config_kind(const struct worker_config *config, struct slice kind) {
    for (size_t i = 0; i < config->kind_count; i++) {
        if (slice_equal(slice_str(config->kinds[i].kind), kind)) return &config->kinds[i];
    }
    return NULL;
}
