/* SPDX-License-Identifier: Apache-2.0 */
/* Which executor a kind belongs to: the one whose key stands there, else the one without a key. */
#include "config/kind.h"

#include "config/config.h"

/* Whose part stands in @value, and where it begins. */
static const struct kind_reader *reader_of(
    struct yaml_read *read,
    const struct config_readers *readers,
    yaml_node_t *value,
    yaml_node_t **ret_part
) {
    const struct kind_reader *whole = NULL;
    *ret_part = value;
    for (size_t i = 0; i < readers->count; i++) {
        if (readers->items[i]->key == NULL) {
            whole = readers->items[i];
            continue;
        }
        yaml_node_t *part = yaml_read_find(read, value, readers->items[i]->key);
        if (part == NULL) continue;
        *ret_part = part;
        return readers->items[i];
    }
    return whole;
}

static enum hob_status
read_kind(struct yaml_read *read, yaml_node_t *name, yaml_node_t *value, void *into) {
    struct worker_config *worker = &((struct config *)into)->worker;
    struct kind_config kind = {.grace_ns = KIND_GRACE_DEFAULT_NS};
    enum hob_status status = yaml_read_name(read, name, &kind.kind);
    if (status != HOB_OK) return status;
    yaml_node_t *part = NULL;
    kind.reader = reader_of(read, read->readers, value, &part);
    if (kind.reader == NULL) return yaml_read_fail(read, value, "no executor is named here");
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

enum hob_status kinds_read(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct worker_config *worker = &((struct config *)into)->worker;
    worker->kinds = arena_alloc(read->arena, CONFIG_KINDS_MAX * sizeof *worker->kinds);
    return yaml_read_names(read, node, "each kind", CONFIG_KINDS_MAX, read_kind, into);
}
