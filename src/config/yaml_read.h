/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML document read strictly: every mapping has a table of the keys it may hold, and whatever is
 * wrong is told with file, line and column, what is allowed there, and the key that was probably
 * meant. One run finds all that is wrong: a reader that fails does not keep its neighbours from
 * being read.
 *
 * Of YAML there is the part that people need for a configuration: one document of mappings, lists
 * and scalars; no anchors, aliases and tags, which change what stands elsewhere. The reader of a
 * key gives a scalar its type; where text is wanted, it is taken as it is written. Truth values are
 * `true` and `false` and numbers are digits, both without quotes (YAML 1.2, core schema, so `no` is
 * the text "no"); a value that is left out (`key:`, `~`, `null`) is refused. */
#ifndef HOB_CONFIG_YAML_READ_H
#define HOB_CONFIG_YAML_READ_H

#include <yaml.h>

#include "base/slice.h"
#include "base/time.h"
#include "config/report.h"

enum {
    YAML_BYTES_MAX = 1024 * 1024,
    YAML_DEPTH_MAX = 32,
    YAML_NODES_MAX = 50000,
    YAML_NAME_BYTES_MAX = 200,
    YAML_PLACE_BYTES_MAX = 300,
};

struct config_readers;
struct secret_use;

struct yaml_read {
    const char *name;                          /* of the file, for messages; borrowed */
    const char *folder;                        /* where it lies; borrowed */
    struct arena *arena;                       /* for what is read; borrowed */
    struct config_report *report;              /* borrowed */
    unsigned mode;                             /* permissions of the file, 0: not known */
    const char *(*variable)(const char *name); /* as getenv; NULL: there is no environment */
    const struct config_readers *readers;      /* the executors of `kinds:`; borrowed */
    bool is_thorough;        /* `hob config check`: also warn of what only this machine knows */
    bool runs_kinds;         /* of this configuration, in this process */
    struct secret_use *uses; /* of secrets, to be looked up when all of the file is read */
    yaml_document_t document;
};

/* One key of a mapping; @into is what yaml_read_map() was given. */
struct yaml_key {
    const char *name;
    enum hob_status (*read)(struct yaml_read *read, yaml_node_t *value, void *into);
    bool required;
    const char *value; /* what stands there, for the reference: "SPAN", "[WORD, …]" */
    const char *help;  /* one line of the reference */
};

/**
 * Parse the one document in @bytes. The other members of @read are set by the caller.
 *
 * Fails  HOB_CONFIG, reported: not YAML, too large or deep, or what is not taken here; then there
 *        is nothing to close
 */
HOB_CHECK enum hob_status yaml_read_open(struct yaml_read *read, struct slice bytes);

/** Free the document. */
void yaml_read_close(struct yaml_read *read);

/** The top node; NULL: the document is empty. */
yaml_node_t *yaml_read_root(struct yaml_read *read);

/** The node with this number in a sequence or mapping. */
yaml_node_t *yaml_read_node(struct yaml_read *read, int number);

/** The place of @node in YAML_PLACE_BYTES_MAX bytes at @to: "name:line:column". */
void yaml_read_place(const struct yaml_read *read, const yaml_node_t *node, char *to);

/** Report an error at @node; HOB_CONFIG. */
enum hob_status
yaml_read_fail(struct yaml_read *read, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Report a warning at @node. */
void yaml_read_warn(struct yaml_read *read, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * Read a mapping of known keys, each at most once; @what names it in messages ("a kind"). All keys
 * are read, whatever is wrong with one of them.
 */
HOB_CHECK enum hob_status yaml_read_map(
    struct yaml_read *read,
    yaml_node_t *map,
    const char *what,
    const struct yaml_key *keys,
    size_t key_count,
    void *into
);

/**
 * Read a mapping of names that are free to choose, each at most once, by @each, which gets the
 * node of the name and that of its value. @what names an entry in messages ("a kind").
 */
HOB_CHECK enum hob_status yaml_read_names(
    struct yaml_read *read,
    yaml_node_t *map,
    const char *what,
    size_t count_max,
    enum hob_status (*each
    )(struct yaml_read *read, yaml_node_t *name, yaml_node_t *value, void *into),
    void *into
);

/** Report a key that is not one of @names, with the one that was probably meant. */
enum hob_status yaml_read_unknown(
    struct yaml_read *read,
    const yaml_node_t *key,
    const char *what,
    const char *const *names,
    size_t count
);

/** The value of a key of @map, or NULL; for a look ahead. */
yaml_node_t *yaml_read_find(struct yaml_read *read, const yaml_node_t *map, const char *key);

/** Report a scalar that is not what is wanted: HOB_CONFIG. */
enum hob_status yaml_read_refuse(
    struct yaml_read *read, const yaml_node_t *node, struct slice text, const char *wanted
);

/** The text of a scalar; @wanted says in the message what should stand there. */
HOB_CHECK enum hob_status yaml_read_text(
    struct yaml_read *read, const yaml_node_t *node, const char *wanted, struct slice *ret_text
);

/** `true` or `false`. */
HOB_CHECK enum hob_status
yaml_read_bool(struct yaml_read *read, const yaml_node_t *node, bool *ret_fact);

/** A whole number in min..max. */
HOB_CHECK enum hob_status yaml_read_u64(
    struct yaml_read *read, const yaml_node_t *node, uint64_t min, uint64_t max, uint64_t *ret_value
);

/** A span with its unit, more than nothing and at most @max_ns. */
HOB_CHECK enum hob_status
yaml_read_span(struct yaml_read *read, const yaml_node_t *node, hob_ns max_ns, hob_ns *ret_span);

/** Is nothing there (`key:`, `~`, `null`)? */
bool yaml_is_left_out(const yaml_node_t *node);

/** Is it a name that a queue, kind or worker may have? */
bool yaml_name_is_valid(struct slice name);
/** Is it made of the bytes of a name, * and ? */
bool yaml_glob_is_valid(struct slice glob);

/** A name of a queue, kind or worker, in the arena. */
HOB_CHECK enum hob_status
yaml_read_name(struct yaml_read *read, const yaml_node_t *node, const char **ret_name);

/** A path in the arena: from the folder of the file, unless it begins at the root. */
HOB_CHECK enum hob_status
yaml_read_path(struct yaml_read *read, const yaml_node_t *node, const char **ret_path);
/** The same for a text that is at hand. */
const char *yaml_read_from_folder(struct yaml_read *read, struct slice path);

/** The secret of this name is used at @node: an error unless it stands below `secrets:`. */
void yaml_read_uses_secret(struct yaml_read *read, const yaml_node_t *node, struct slice name);

/** A list of 1 to @count_max words in the arena, NULL behind the last; @wanted as above. */
HOB_CHECK enum hob_status yaml_read_words(
    struct yaml_read *read,
    const yaml_node_t *node,
    const char *wanted,
    size_t count_max,
    const char ***ret_words,
    size_t *ret_count
);

#endif
