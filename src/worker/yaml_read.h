/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML document read strictly: every mapping has a table of the keys it may hold, and whatever is
 * wrong is told with file, line and column, what is allowed there, and the key that was probably
 * meant. Scalars are taken as the text that stands in the file; the reader of a key gives it its
 * type. */
#ifndef HOB_WORKER_YAML_READ_H
#define HOB_WORKER_YAML_READ_H

#include <yaml.h>

#include "base/slice.h"
#include "base/status.h"

struct yaml_read {
    const char *name; /* of the file, for messages; borrowed */
    yaml_document_t document;
    struct hob_error *err; /* may be NULL; borrowed */
};

/** One key of a mapping; @into is what yaml_read_map() was given. */
struct yaml_key {
    const char *name;
    enum hob_status (*read)(struct yaml_read *read, yaml_node_t *value, void *into);
    bool required;
};

/**
 * Parse the one document in @bytes.
 *
 * Fails  HOB_CONFIG: not YAML, or more than one document; then there is nothing to close
 */
HOB_CHECK enum hob_status
yaml_read_open(struct yaml_read *read, const char *name, struct slice bytes, struct hob_error *err);

/** Free the document. */
void yaml_read_close(struct yaml_read *read);

/** The top node; NULL: the document is empty. */
yaml_node_t *yaml_read_root(struct yaml_read *read);

/** HOB_CONFIG, with "name:line:column: " of @node before the text. */
enum hob_status
yaml_read_fail(struct yaml_read *read, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Read a mapping of known keys, each at most once; @what names it in messages ("a kind"). */
HOB_CHECK enum hob_status yaml_read_map(
    struct yaml_read *read,
    yaml_node_t *map,
    const char *what,
    const struct yaml_key *keys,
    size_t key_count,
    void *into
);

/** The text of a scalar; @wanted says in the message what should stand there. */
HOB_CHECK enum hob_status yaml_read_text(
    struct yaml_read *read, const yaml_node_t *node, const char *wanted, struct slice *ret_text
);

/** The node with this number in a sequence or mapping. */
yaml_node_t *yaml_read_node(struct yaml_read *read, int number);

#endif
