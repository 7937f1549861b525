/* SPDX-License-Identifier: Apache-2.0 */
/* How an executor brings its own part of the configuration. Below `kinds:` each kind has either the
 * keys of `exec` or one key that names another executor:
 *
 *     kinds:
 *       resize: {run: [./resize.sh], timeout: 30s}     # the reader without a key
 *       charge: {http: {url: "https://…"}}             # the reader whose key is `http`
 *
 * An executor has one `struct kind_reader`: a table of keys for yaml_read_map() and a function that
 * walks it into a struct of its own, in read->arena. What it made is only read from then on, and
 * lives until no running job needs the configuration any more. */
#ifndef HOB_CONFIG_KIND_H
#define HOB_CONFIG_KIND_H

#include "config/yaml_read.h"

#define KIND_TIMEOUT_MAX_NS   (365 * NS_PER_DAY)
#define KIND_GRACE_MAX_NS     NS_PER_HOUR
#define KIND_GRACE_DEFAULT_NS (10 * NS_PER_SECOND)

struct kind_config {
    const char *kind;
    const struct kind_reader *reader; /* whose part it has */
    const void *settings;             /* what the reader made of it */
    hob_ns timeout_ns;                /* of an attempt; 0: only the job's own */
    hob_ns grace_ns;                  /* between asking a run to end and forcing it */
};

struct kind_reader {
    const char *key; /* NULL: the part is the kind itself */
    const struct yaml_key *keys;
    size_t key_count;
    /* Set kind->settings, and kind->timeout_ns and kind->grace_ns if the part says so. */
    enum hob_status (*read)(struct yaml_read *read, yaml_node_t *part, struct kind_config *kind);
};

/** Read what stands below `kinds:`; @into is the struct config. */
HOB_CHECK enum hob_status kinds_read(struct yaml_read *read, yaml_node_t *node, void *into);

#endif
