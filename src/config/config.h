/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file, hob.yaml, one for server and worker:
 *
 *     worker:                       # `hob work`
 *       server: 127.0.0.1:4620      # where the server is; --server and HOB_SERVER go before it
 *       name: images-1              # as `hob workers` shows it; default: host name and process id
 *       queues: [images, default]   # what to fetch from; default: default
 *       slots: 4                    # jobs at once; default: the processors of the machine
 *     kinds:                        # how each kind of job is run; no other kind is fetched
 *       resize:
 *         run: [./resize.sh, --width, "640"]
 *
 * Relative paths count from the folder of the file. */
#ifndef HOB_CONFIG_CONFIG_H
#define HOB_CONFIG_CONFIG_H

#include "config/kind.h"

enum {
    CONFIG_SLOTS_MAX = 1000,
    CONFIG_QUEUES_MAX = 256, /* as many as one fetch may name */
    CONFIG_KINDS_MAX = 256,  /* as many as a worker may name */
};

struct worker_config {
    const char *server; /* NULL: not said */
    const char *name;
    const char *const *queues;
    size_t queue_count;
    uint32_t slots; /* 0: not said */
    const struct kind_config *kinds;
    size_t kind_count;
};

/* All that is in it lives as long as the configuration. */
struct config {
    struct worker_config worker;
    struct arena arena;
};

/* The executors that may stand below `kinds:`. */
struct config_readers {
    const struct kind_reader *const *items;
    size_t count;
};

/**
 * Read the file at @path.
 *
 * @report  gets all errors and warnings; zero or a report to go on with
 *
 * Fails  HOB_CONFIG; then there is nothing to free
 */
HOB_CHECK enum hob_status config_load(
    const char *path,
    struct config_readers readers,
    struct config *ret_config,
    struct config_report *report
);

/** As config_load, from @bytes; @name stands in messages, @folder is the folder of the file. */
HOB_CHECK enum hob_status config_parse(
    struct slice bytes,
    const char *name,
    const char *folder,
    struct config_readers readers,
    struct config *ret_config,
    struct config_report *report
);

/** Free all that is in it. */
void config_deinit(struct config *config);

/** How the kind is run; NULL: not known here. */
const struct kind_config *config_kind(const struct worker_config *config, struct slice kind);

#endif
